"""E06xx: what keeps a build from writing the cloud-init target and its output folder."""

from __future__ import annotations

from collections.abc import Sequence

from eryphc.diagnostics.model import Code, Diagnostic, Level, finding
from eryphc.source import Span

EPOCH_MALFORMED = Code("E0601", "epoch-malformed")
EPOCH_OUT_OF_RANGE = Code("E0602", "epoch-out-of-range")
OUTPUT_NOT_OURS = Code("E0603", "output-not-ours")
OUTPUT_NO_FOLDER = Code("E0604", "output-no-folder")
OUTPUT_TWICE = Code("E0605", "output-twice")
OUTPUT_FAILED = Code("E0606", "output-failed")
ARTIFACT_NAME_REFUSED = Code("E0607", "artifact-name-refused")
IMAGE_DIFFERS = Code("E0608", "image-differs")
IMAGE_REFUSED = Code("E0609", "image-refused")
VM_ID_IS_CATLET_ID = Code("N0610", "vm-id-is-catlet-id")
COMPANION_NOT_OURS = Code("E0611", "companion-not-ours")

_SHOWN = 3


def epoch_malformed(origin: str, value: str, span: Span | None = None) -> Diagnostic:
    """`origin` names where the value stands: `--epoch`, `epoch`, `SOURCE_DATE_EPOCH`."""
    shown = value if len(value) <= 40 else f"{value[:40]}..."
    return finding(
        EPOCH_MALFORMED,
        f"`{origin}` is no number of seconds: {shown!r}",
        span=span,
        label="digits only",
        help="write the seconds since 1970-01-01 UTC in decimal digits, as `date +%s` prints them",
    )


def epoch_out_of_range(
    origin: str, value: str, least: int, most: int, span: Span | None = None
) -> Diagnostic:
    shown = value if len(value) <= 40 else f"{value[:40]}..."
    return finding(
        EPOCH_OUT_OF_RANGE,
        f"`{origin}` is a time that artifacts cannot hold: {shown}",
        span=span,
        label="outside the years 1980 to 2155",
        notes=(f"{least} (1980) is the least and {most} (the end of 2155) the most",),
    )


def output_not_ours(place: str, strangers: Sequence[str], *, has_manifest: bool) -> Diagnostic:
    """`strangers` are the files (sorted) that no manifest of ours lists."""
    shown = ", ".join(f"`{name}`" for name in strangers[:_SHOWN])
    more = f" and {len(strangers) - _SHOWN} more" if len(strangers) > _SHOWN else ""
    notes = [f"it holds {shown}{more}"] if strangers else []
    if has_manifest:
        notes.append("its `manifest.json` does not list that")
    else:
        notes.append("it has no `manifest.json` of an earlier build")
    return finding(
        OUTPUT_NOT_OURS,
        f"the output folder `{place}` holds files that a build did not write",
        notes=tuple(notes),
        help="choose another folder with `--output`, or empty this one yourself",
    )


def companion_not_ours(place: str) -> Diagnostic:
    return finding(
        COMPANION_NOT_OURS,
        f"`{place}` is to be written, and what stands there was not written by a build",
        help="move it away, or choose another folder with `--output`",
    )


def output_no_folder(place: str, what: str) -> Diagnostic:
    """`what` says what stands there: "a file", "a symbolic link to nothing"."""
    return finding(
        OUTPUT_NO_FOLDER,
        f"the output `{place}` is {what}, not a folder",
        help="choose another folder with `--output`",
    )


def output_twice(place: str) -> Diagnostic:
    return finding(
        OUTPUT_TWICE,
        f"two builds of this command would write the same folder `{place}`",
        help="give the specs different names, or build them into different folders",
    )


def output_failed(
    place: str,
    reason: str,
    help: str | None = None,  # noqa: A002
) -> Diagnostic:
    return finding(OUTPUT_FAILED, f"`{place}` cannot be written: {reason}", help=help)


def artifact_name_refused(name: str, why: str) -> Diagnostic:
    return finding(ARTIFACT_NAME_REFUSED, f"{name!r} cannot be the name of an artifact: {why}")


def image_differs(name: str, difference: str) -> Diagnostic:
    return finding(
        IMAGE_DIFFERS,
        f"`{name}` was read back and is not what was written: {difference}",
        notes=("the disk or the file system changed it, or this is a fault of eryphc",),
    )


def image_refused(name: str, why: str) -> Diagnostic:
    return finding(IMAGE_REFUSED, f"`{name}` cannot be made: {why}")


def vm_id_is_catlet_id(fodder_entries: Sequence[str]) -> Diagnostic:
    shown = ", ".join(f"`{name}`" for name in fodder_entries)
    return Diagnostic(
        code=VM_ID_IS_CATLET_ID,
        level=Level.NOTE,
        message=f"`vmId` is not known when this target is built; {shown} got the catlet id",
        help="give the id of the machine with `--vm-id`",
    )
