"""E12xx: what is wrong with the store and the caches in the user's cache folder."""

from __future__ import annotations

from typing import Final

from eryphc.diagnostics.model import Code, Diagnostic, finding
from eryphc.diagnostics.words import clipped

STORE_FOREIGN = Code("E1201", "store-foreign")
DISK_FULL = Code("E1202", "disk-full")
STORE_DAMAGED = Code("W1203", "store-damaged")
OUTPUTS_NOT_TRUSTED = Code("N1204", "outputs-not-trusted")
NOT_REPRODUCIBLE = Code("E1205", "not-reproducible")
NO_OUTPUT_CACHE = Code("N1206", "no-output-cache")

_LONGEST_PATH = 300
OWN_FOLDER: Final = "name a folder of your own with `--cache-dir` or `ERYPHC_CACHE_DIR`"


def store_foreign(path: str, reason: str) -> Diagnostic:
    """`reason` continues the path: "belongs to another user", "is a file"."""
    return finding(
        STORE_FOREIGN,
        f"`{clipped(path, _LONGEST_PATH)}` is not used as a cache: it {reason}",
        notes=("whoever can write to a cache decides what is read from it",),
        help=OWN_FOLDER,
    )


def key_foreign(path: str, reason: str) -> Diagnostic:
    """The file of the key that seals records; `reason` continues the path."""
    return finding(
        STORE_FOREIGN,
        f"the key `{clipped(path, _LONGEST_PATH)}` is not used: it {reason}",
        notes=("whoever has the key can seal what a build takes for its own",),
        help="remove the file; the next run makes a new key",
    )


def disk_full(path: str) -> Diagnostic:
    return finding(
        DISK_FULL,
        f"the disk of the cache `{clipped(path, _LONGEST_PATH)}` is full",
        help="free some space, run `eryphc cache prune`, or name another folder with `--cache-dir`",
    )


def store_damaged(what: str) -> Diagnostic:
    """`what` is the path inside the cache folder."""
    return finding(
        STORE_DAMAGED,
        f"`{clipped(what, _LONGEST_PATH)}` of the cache was damaged and has been removed",
        notes=("what is missing is fetched or made again when it is needed",),
    )


def outputs_not_trusted(folder: str) -> Diagnostic:
    return finding(
        OUTPUTS_NOT_TRUSTED,
        f"an output in `{clipped(folder, _LONGEST_PATH)}` is not used: its seal is of another key",
        help="give the key that it was stored with in `ERYPHC_CACHE_KEY`",
    )


def not_reproducible(name: str, difference: str) -> Diagnostic:
    """`difference` says where the two builds first differ, without words of the file."""
    return finding(
        NOT_REPRODUCIBLE,
        f"a second build gave another `{clipped(name)}`: {difference}",
        notes=("the second build had another time zone, locale, hash seed, umask and folder",),
        help="this is a fault of eryphc: please report it",
    )


def no_output_cache() -> Diagnostic:
    return finding(
        NO_OUTPUT_CACHE,
        "outputs are not cached: this is a checkout of eryphc, whose files can change at any time",
        help="install the wheel to use `--cache`, `--cache-from` and `--cache-to`",
    )


def no_key_for_outputs(folder: str) -> Diagnostic:
    return finding(
        NO_OUTPUT_CACHE,
        f"outputs of this run are not kept in `{clipped(folder, _LONGEST_PATH)}`, only genes: "
        "`ERYPHC_CACHE_KEY` is not set",
        help="set it where outputs are to be taken later; leave it out where foreign code runs",
    )


def outputs_not_kept(reason: str) -> Diagnostic:
    """`reason` is the sentence of another finding."""
    return finding(NO_OUTPUT_CACHE, f"outputs of this run are not kept: {clipped(reason, 500)}")
