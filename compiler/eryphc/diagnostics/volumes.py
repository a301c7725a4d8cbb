"""E08xx: disk images that are fetched, verified, looked into and converted."""

from __future__ import annotations

from eryphc.diagnostics.model import Code, Diagnostic, finding
from eryphc.diagnostics.words import cleaned, clipped
from eryphc.digests import Digest

DIGEST_DIFFERS = Code("E0801", "volume-digest-differs")
DOWNLOAD_FAILED = Code("E0802", "volume-download-failed")
ADDRESS_REFUSED = Code("E0803", "volume-address-refused")
TOO_LARGE = Code("E0804", "volume-too-large")
CHECKSUM_LIST = Code("E0805", "volume-checksum-list")
NO_SOURCE = Code("E0806", "volume-no-source")
QEMU_IMG_MISSING = Code("E0807", "qemu-img-missing")
QEMU_IMG_FAILED = Code("E0808", "qemu-img-failed")
NOT_SELF_CONTAINED = Code("E0809", "volume-not-self-contained")
UNREADABLE = Code("E0810", "volume-unreadable")
DAMAGED = Code("E0811", "volume-damaged")
PLACE_TAKEN = Code("E0812", "volume-place-taken")
OTHER_POOL = Code("E0813", "volume-other-pool")
CONVERSION_DIFFERS = Code("E0814", "volume-conversion-differs")
MOVED_ON = Code("E0815", "volume-moved-on")
OTHER_FORMAT = Code("E0820", "volume-other-format")
FORMAT_UNKNOWN = Code("E0821", "volume-format-unknown")
NOTHING_TO_FETCH = Code("N0801", "volume-nothing-to-fetch")
NOT_CHECKED = Code("N0802", "volume-not-checked")
DATED = Code("N0803", "volume-dated")


def digest_differs(what: str, algorithm: str, wanted: str, found: str, said: str) -> Diagnostic:
    """`said` is who wants the digest: "the list SHA256SUMS", "the description", "--sha256"."""
    return finding(
        DIGEST_DIFFERS,
        f"`{clipped(what)}` is not the image that was meant: its {algorithm} is another",
        notes=(f"{said} says  {wanted}", f"the file has {found}"),
    )


AGAIN = "run the same command again: what has arrived is kept"
"""The help for what may pass, and for nothing else."""


def download_failed(url: str, reason: str, help_text: str | None = None) -> Diagnostic:
    return finding(
        DOWNLOAD_FAILED, f"`{clipped(url, 300)}` cannot be fetched: {reason}", help=help_text
    )


def address_refused(url: str, reason: str, help_text: str | None = None) -> Diagnostic:
    return finding(
        ADDRESS_REFUSED, f"`{clipped(url, 300)}` is not fetched: {reason}", help=help_text
    )


def too_large(what: str, size: int, limit: int, said: str) -> Diagnostic:
    """`said` is where the limit comes from."""
    return finding(
        TOO_LARGE,
        f"`{clipped(what, 300)}` has {size} bytes, more than the {limit} of {said}",
        help="`--max-size GIB` raises the limit" if said.startswith("--") else None,
    )


def checksum_list(url: str, reason: str) -> Diagnostic:
    return finding(CHECKSUM_LIST, f"the list of checksums `{clipped(url, 300)}` {reason}")


def no_source(gene: str) -> Diagnostic:
    return finding(
        NO_SOURCE,
        f"the pools neither hold the volume `{gene}` nor say where it can be had",
        help="give a VHDX file of your own with `--volume DRIVE=PATH`",
    )


def qemu_img_missing(why: str) -> Diagnostic:
    return finding(
        QEMU_IMG_MISSING,
        f"{why} needs `qemu-img`, which is not on the PATH",
        help="install it: `apt install qemu-utils`, `dnf install qemu-img`, "
        "`brew install qemu`, or QEMU for Windows",
    )


def qemu_img_failed(step: str, reason: str) -> Diagnostic:
    return finding(QEMU_IMG_FAILED, f"`qemu-img {step}` failed: {clipped(reason, 300)}")


def not_self_contained(path: str, problem: str) -> Diagnostic:
    """`problem` continues "it", as DiskHeader has it."""
    return finding(
        NOT_SELF_CONTAINED,
        f"`{clipped(path)}` is not taken: it {clipped(problem, 300)}",
        notes=("only a file that is the whole disk by itself is read; no other file is opened",),
    )


def other_format(path: str, problem: str, help_text: str | None) -> Diagnostic:
    """`problem` continues "it", as DiskHeader has it."""
    return finding(
        OTHER_FORMAT, f"`{clipped(path)}` is not taken: it {clipped(problem, 300)}", help=help_text
    )


def format_unknown(path: str, problem: str, help_text: str | None) -> Diagnostic:
    return finding(
        FORMAT_UNKNOWN,
        f"`{clipped(path)}` is not taken: it {clipped(problem, 300)}",
        notes=("whatever is taken for a raw disk by mistake becomes a disk that boots nothing",),
        help=help_text,
    )


def unreadable(path: str, reason: str) -> Diagnostic:
    return finding(UNREADABLE, f"`{clipped(path)}` cannot be read as a disk image: {reason}")


def damaged(path: str, reason: str) -> Diagnostic:
    return finding(DAMAGED, f"`{clipped(path)}` is damaged: {clipped(reason, 300)}")


def place_taken(path: str) -> Diagnostic:
    return finding(
        PLACE_TAKEN,
        f"`{clipped(path)}` exists already and is not overwritten",
        help="`--force` replaces it",
    )


def other_pool(geneset: str, pool: str, used: str) -> Diagnostic:
    return finding(
        OTHER_POOL,
        f"`{pool}` has its own `{geneset}`, but the volume was described by the one of `{used}`",
        notes=("a tag is never mixed from two pools: a file placed there would not be found",),
        help=f"name the pool that is used, or put it first: `--genepool {pool}`",
    )


def conversion_differs(path: str, reason: str) -> Diagnostic:
    return finding(
        CONVERSION_DIFFERS,
        f"`{clipped(path)}` was read back and is not the disk that was converted: {reason}",
        notes=("the disk or the file system changed it, or qemu-img is at fault",),
    )


def moved_on(gene: str, said: str, locked: str, newest: Digest) -> Diagnostic:
    """`said` is who gives the digest of the newest image, `locked` the digest that a lock pins."""
    return finding(
        MOVED_ON,
        f"the image of `{clipped(gene)}` that the lock pins is not published any more",
        notes=(
            f"the lock says {locked}",
            f"{said} says {newest.algorithm}:{newest.hex}",
        ),
        help="`eryphc update` pins the newest one; or put the image into the pool: "
        "`eryphc volume fetch --into POOL` where somebody has it",
    )


def dated(gene: str, url: str) -> Diagnostic:
    return finding(
        DATED,
        f"the publisher of `{clipped(gene)}` has a newer image than the one that the lock pins",
        notes=(f"that one was taken from `{cleaned(url.partition('?')[0], 300)}`",),
        help="`eryphc update` pins a newer one where its gene set names one",
    )


def nothing_to_fetch(what: str) -> Diagnostic:
    return finding(
        NOTHING_TO_FETCH,
        f"`{clipped(what)}` has no drive whose disk comes from a volume gene",
    )


def not_checked(path: str) -> Diagnostic:
    return finding(
        NOT_CHECKED,
        f"`{clipped(path)}`: only the headers were checked, `qemu-img` is not on the PATH",
    )
