"""E0567 to E0574, with their warnings and notes: which entry of a cloud-config takes others along.

A guest gives each key to a module of its own. Most modules end at the first entry that they cannot
carry out, and what they had still to do is not done.
Source: docs/reference/cloud-init.md, "Values of a wrong shape", "Entries that take others along".
"""

from __future__ import annotations

from eryphc.diagnostics.model import Code, Diagnostic, Label, Level, wording
from eryphc.diagnostics.said import Words

VALUE_LOSES = Code("E0567", "value-loses", soft=True)
USER_REFUSED = Code("E0568", "user-refused", soft=True)
FILE_NOT_WRITTEN = Code("E0569", "file-not-written", soft=True)
USER_MAY_BE_REFUSED = Code("W0567", "user-may-be-refused")
ENTRY_ENDS_MODULE = Code("W0568", "entry-ends-module")
FILE_DOUBTFUL = Code("W0569", "file-doubtful")
FILE_BEFORE_DEFERRED = Code("W0583", "file-before-deferred")
FILE_BELOW_MOUNT = Code("W0584", "file-below-mount")
MOUNTED_TWICE = Code("W0585", "mounted-twice")
RESTARTS_EARLY = Code("W0589", "restarts-early")
HOSTNAME_AS_WRITTEN = Code("W0581", "hostname-as-written")


@wording
def value_loses(
    path: Words,
    problem: Words,
    lost: Words,
    ended: Words,
    place: Label,
    level: Level,
    related: tuple[Label, ...],
) -> Diagnostic:
    return Diagnostic(
        code=VALUE_LOSES,
        level=level,
        message=f"`{path}` {problem}: {lost}",
        primary=place,
        related=related,
        notes=(ended,),
    )


@wording
def hostname_as_written(path: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=HOSTNAME_AS_WRITTEN,
        level=Level.WARNING,
        message=f"`{path}` is no text to YAML and is handed over as the text that is written here",
        primary=place,
        related=related,
        notes=("cloud-init fails on any other host name than text",),
        help="put it in quotes",
    )


_USERS_LOST = "neither this user nor those after him are made"
_FILES_LOST = "neither this file nor those after it are written"


@wording
def user_refused(
    path: Words,
    problem: Words,
    place: Label,
    level: Level,
    related: tuple[Label, ...],
    advice: Words | None = None,
) -> Diagnostic:
    return Diagnostic(
        code=USER_REFUSED,
        level=level,
        message=f"`{path}` cannot be made: {problem}",
        primary=place,
        related=related,
        notes=(f"the module `users_groups` of cloud-init ends there: {_USERS_LOST}",),
        help=advice,
    )


@wording
def user_may_be_refused(
    path: Words,
    problem: Words,
    place: Label,
    related: tuple[Label, ...],
    advice: Words | None = None,
) -> Diagnostic:
    """What depends on the image."""
    return Diagnostic(
        code=USER_MAY_BE_REFUSED,
        level=Level.WARNING,
        message=f"`{path}` may not be made: {problem}",
        primary=place,
        related=related,
        notes=(f"the module `users_groups` of cloud-init then ends there: {_USERS_LOST}",),
        help=advice,
    )


@wording
def file_not_written(
    path: Words, problem: Words, place: Label, level: Level, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=FILE_NOT_WRITTEN,
        level=level,
        message=f"`{path}` cannot be written: it {problem}",
        primary=place,
        related=related,
        notes=(f"the module `write_files` of cloud-init ends there: {_FILES_LOST}",),
    )


@wording
def file_doubtful(path: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=FILE_DOUBTFUL,
        level=Level.WARNING,
        message=f"`{path}` has characters that base64 does not have",
        primary=place,
        related=related,
        notes=("the guest leaves them out and writes what the rest decodes to",),
    )


@wording
def entry_ends_module(
    path: Words, problem: Words, lost: Words, place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=ENTRY_ENDS_MODULE,
        level=Level.WARNING,
        message=f"`{path}` {problem}, and with it {lost}",
        primary=place,
        related=related,
    )


@wording
def file_before_deferred(
    path: Words, place: Label, related: tuple[Label, ...], *, apart: bool
) -> Diagnostic:
    """`apart`: the two are of different fodder entries, and this one is deferred with the other."""
    return Diagnostic(
        code=FILE_BEFORE_DEFERRED,
        level=Level.NOTE if apart else Level.WARNING,
        message=f"`{path}` is deferred too, as an earlier entry of this file is"
        if apart
        else f"`{path}` is written before an earlier entry of this file, which is deferred",
        primary=place,
        related=related,
        help=None if apart else "add `defer: true` here too",
    )


@wording
def file_below_mount(
    path: Words, point: Words, place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=FILE_BELOW_MOUNT,
        level=Level.WARNING,
        message=f"`{path}` is written before `{point}` is mounted, which then hides it",
        primary=place,
        related=related,
        help="add `defer: true` to the file",
    )


@wording
def mounted_twice(point: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=MOUNTED_TWICE,
        level=Level.WARNING,
        message=f"two devices are mounted at `{point}`: if the guest has both, this one hides the "
        "other",
        primary=place,
        related=related,
    )


@wording
def restarts_early(
    path: Words, before: Words, place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=RESTARTS_EARLY,
        level=Level.WARNING,
        message=f"`{path}` restarts or stops the guest before {before}",
        primary=place,
        related=related,
        help="use `power_state` alone, which acts when everything is done",
    )
