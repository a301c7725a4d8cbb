"""E0501 to E0529: cloud-config, what its texts hold and how they merge.

Text that a guest drops is an error if the texts are merged into one part, and a warning if they
reach the guest as they are (`--merge parts`): `level` says which.
"""

from __future__ import annotations

from collections.abc import Sequence

from eryphc.diagnostics.model import Code, Diagnostic, Label, Level, wording
from eryphc.diagnostics.said import Words
from eryphc.diagnostics.words import close_matches

UNREADABLE = Code("E0501", "cloud-config-unreadable")
NOT_A_MAP = Code("E0502", "cloud-config-not-a-map")
VALUE_UNREADABLE = Code("E0503", "cloud-config-value-unreadable")
EXPANDS_TOO_FAR = Code("E0504", "cloud-config-expands-too-far")
DUPLICATE_KEY = Code("W0505", "cloud-config-duplicate-key")
EMPTY = Code("W0506", "cloud-config-empty")
KINDS_CLASH = Code("E0507", "kinds-clash")
MERGE_HOW_MALFORMED = Code("E0508", "merge-how-malformed")
VALUE_OVERRIDDEN = Code("W0509", "value-overridden")
FILE_REPLACED = Code("W0510", "file-replaced")
LIST_REPLACED = Code("W0511", "list-replaced")
REDEFINED = Code("W0512", "definition-extended")
KEY_UNSET = Code("N0513", "key-unset")
UNKNOWN_LIST_JOINED = Code("N0514", "unknown-list-joined")
EMPTY_LIST_LEFT_OUT = Code("N0515", "empty-list-left-out")
DROPPED_BY_STRATEGY = Code("N0516", "dropped-by-merge-how")
RESPELLED = Code("N0517", "key-respelled")
DROPPED_IN_GUEST = Code("W0520", "dropped-in-guest")
KEY_UNKNOWN = Code("W0522", "key-unknown")
KEY_READ_EARLY = Code("W0565", "key-read-early")
VALUE_INVALID = Code("W0523", "value-invalid")
DEPRECATED = Code("W0524", "deprecated")

_NOT_YAML = "the document is not valid YAML: "
_PARTS = "with `--merge parts` every fodder entry reaches the guest as it is"


def plain_problem(problem: Words | Diagnostic) -> str:
    """What is wrong with a text, as the end of a sentence."""
    return problem.message.removeprefix(_NOT_YAML) if isinstance(problem, Diagnostic) else problem


@wording
def unreadable(
    fodder: Words,
    problem: Words | Diagnostic,
    place: Label,
    level: Level,
    related: tuple[Label, ...] = (),
    *,
    is_limit: bool = False,
    is_archive: bool = False,
) -> Diagnostic:
    """`is_limit` tells that eryphc refuses the text for its size, which a guest need not."""
    what = "archive" if is_archive else "cloud-config"
    advice = problem.help if isinstance(problem, Diagnostic) else None
    return Diagnostic(
        code=UNREADABLE,
        level=level,
        message=f"the {what} of fodder entry `{fodder}` cannot be read: {plain_problem(problem)}",
        primary=place,
        related=related,
        notes=(
            "this is a limit of eryphc; whether a guest takes such a part is not known"
            if is_limit
            else "a guest drops such a part whole and boots without it",
        ),
        help=advice or (_PARTS if level is Level.ERROR else None),
    )


@wording
def not_a_map(
    fodder: Words, found: Words, place: Label, level: Level, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=NOT_A_MAP,
        level=level,
        message=f"the cloud-config of fodder entry `{fodder}` is {found}, and has to be a map",
        primary=place,
        related=related,
        notes=("a guest drops such a part whole and boots without it",),
        help=_PARTS if level is Level.ERROR else None,
    )


@wording
def value_unreadable(
    fodder: Words, problem: Words, place: Label, level: Level, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=VALUE_UNREADABLE,
        level=level,
        message=f"the cloud-config of fodder entry `{fodder}` holds a value that a guest cannot "
        "load: "
        f"{problem}",
        primary=place,
        related=related,
        notes=("a guest drops such a part whole and boots without it",),
        help="quote it if it is meant as text",
    )


@wording
def expands_too_far(
    fodder: Words, problem: Words, place: Label, level: Level, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=EXPANDS_TOO_FAR,
        level=level,
        message=f"the cloud-config of fodder entry `{fodder}` cannot be expanded: {problem}",
        primary=place,
        related=related,
    )


@wording
def duplicate_key(
    fodder: Words, key: Words, place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=DUPLICATE_KEY,
        level=Level.WARNING,
        message=f"the key `{key}` stands twice in one map of fodder entry `{fodder}`; only the "
        "last counts",
        primary=place,
        related=related,
        notes=("a guest, too, takes the last one and says nothing",),
    )


@wording
def empty(fodder: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=EMPTY,
        level=Level.WARNING,
        message=f"the cloud-config of fodder entry `{fodder}` is empty",
        primary=place,
        related=related,
        notes=("a guest reports an empty part as a failure to merge it",),
    )


@wording
def kinds_clash(
    path: Words, found: Words, before: Words, place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=KINDS_CLASH,
        level=Level.ERROR,
        message=f"`{path}` is {found} here and {before} in an earlier fodder entry: they cannot "
        "be merged",
        primary=place,
        related=related,
        help=f"write both in the same form; {_PARTS}, where the later replaces the earlier",
    )


@wording
def merge_how_malformed(
    fodder: Words, reason: Words, place: Label, level: Level, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=MERGE_HOW_MALFORMED,
        level=level,
        message=f"fodder entry `{fodder}` cannot be merged as its `merge_how` or `merge_type` "
        f"says: {reason}",
        primary=place,
        related=related,
        notes=("cloud-init drops such a part whole",),
        help="for example `merge_how: list(append)+dict(recurse_array)+str()`",
    )


@wording
def value_overridden(
    path: Words, place: Label, level: Level, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=VALUE_OVERRIDDEN,
        level=level,
        message=f"`{path}` is set again, and this later value is used",
        primary=place,
        related=related,
    )


@wording
def file_replaced(
    path: Words, place: Label, level: Level, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=FILE_REPLACED,
        level=level,
        message=f"the file of `{path}` is written again, and only this later one is kept",
        primary=place,
        related=related,
        help="`append: true` adds to the file instead" if level is Level.WARNING else None,
    )


@wording
def list_replaced(
    path: Words, place: Label, level: Level, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=LIST_REPLACED,
        level=level,
        message=f"the list `{path}` is set again; such lists are not joined, this later one is "
        "used",
        primary=place,
        related=related,
    )


@wording
def redefined(path: Words, place: Label, level: Level, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=REDEFINED,
        level=level,
        message=f"`{path}` is defined in two fodder entries with different keys, and is made of "
        "both",
        primary=place,
        related=related,
    )


@wording
def key_unset(path: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=KEY_UNSET,
        level=Level.NOTE,
        message=f"`{path}` is null here, which removes what earlier fodder entries set",
        primary=place,
        related=related,
    )


@wording
def unknown_list_joined(path: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=UNKNOWN_LIST_JOINED,
        level=Level.NOTE,
        message=f"the list `{path}` is joined with the one of an earlier fodder entry",
        primary=place,
        related=related,
        notes=("nothing is known of this key, so every item of both is kept, in order",),
    )


@wording
def null_left_out(path: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=EMPTY_LIST_LEFT_OUT,
        level=Level.NOTE,
        message=f"`{path}` is null and is left out",
        primary=place,
        related=related,
        notes=("cloud-init fails on null there",),
    )


@wording
def empty_list_left_out(path: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=EMPTY_LIST_LEFT_OUT,
        level=Level.NOTE,
        message=f"`{path}` is an empty list and is left out",
        primary=place,
        related=related,
        notes=("guests of some ages report an empty list there as invalid",),
    )


@wording
def dropped_by_strategy(
    paths: Sequence[Words], place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=DROPPED_BY_STRATEGY,
        level=Level.NOTE,
        message=f"the merge strategy of this fodder entry leaves out {_listing(paths)}",
        primary=place,
        related=related,
        notes=("it is laid onto the fodder entries before it with cloud-init's own meaning",),
    )


@wording
def dropped_in_guest(
    paths: Sequence[Words],
    loser: Words,
    winner: Words,
    place: Label,
    related: tuple[Label, ...],
    *,
    joins: bool,
    clash: bool,
) -> Diagnostic:
    """`joins`: some of it would add to what the winner says; `clash`: a map against a list."""
    advice = None
    if clash:
        advice = "write both as lists or both as maps: nothing joins one with the other"
    elif joins:
        advice = (
            "leave out `--merge parts`, or give the later fodder entry "
            "`merge_how: list(append)+dict(no_replace,recurse_list)+str()`"
        )
    return Diagnostic(
        code=DROPPED_IN_GUEST,
        level=Level.WARNING,
        message=f"the guest drops {_listing(paths)} of fodder entry `{loser}`: fodder entry "
        f"`{winner}` takes its "
        "place",
        primary=place,
        related=related,
        help=advice,
    )


@wording
def left_out_in_guest(
    paths: Sequence[Words], loser: Words, place: Label, related: tuple[Label, ...], *, joins: bool
) -> Diagnostic:
    """`joins`: some of it would add to what was there."""
    return Diagnostic(
        code=DROPPED_IN_GUEST,
        level=Level.WARNING,
        message=f"the guest drops {_listing(paths)} of fodder entry `{loser}`: its own merge "
        "strategy "
        "leaves that out",
        primary=place,
        related=related,
        help="`merge_how: list(append)+dict(no_replace,recurse_list)+str()` joins lists and maps"
        if joins
        else None,
    )


@wording
def key_unknown(
    path: Words,
    key: Words,
    known: Sequence[Words],
    place: Label,
    related: tuple[Label, ...],
    *,
    before: bool = False,
) -> Diagnostic:
    """`before`: cloud-init 22.4 takes it and 25.1 does not."""
    return Diagnostic(
        code=KEY_UNKNOWN,
        level=Level.WARNING,
        message=f"cloud-init {'25.1 ' if before else ''}knows no key `{path}`",
        primary=place,
        related=related,
        notes=("older guests still take it",) if before else (),
        help=None if before else closest(key, known),
    )


@wording
def value_invalid(
    path: Words,
    problem: Words,
    place: Label,
    related: tuple[Label, ...],
    consequence: Words | None = None,
) -> Diagnostic:
    """`consequence` is what a guest does with the value, where that is known."""
    return Diagnostic(
        code=VALUE_INVALID,
        level=Level.WARNING,
        message=f"`{path}` {problem}" if path else f"the cloud-config {problem}",
        primary=place,
        related=related,
        notes=(consequence or "that is what cloud-init's schema says; guests report it",),
    )


@wording
def key_read_early(key: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=KEY_READ_EARLY,
        level=Level.WARNING,
        message=f"cloud-init reads `{key}` before it has this configuration",
        primary=place,
        related=related,
        notes=("where a guest finds its data at the first boot is decided without it",),
        help="set it in the image, in a file of `/etc/cloud/cloud.cfg.d`",
    )


@wording
def key_read_anyway(key: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=KEY_UNKNOWN,
        level=Level.NOTE,
        message=f"cloud-init reads `{key}`, which its schema does not have: guests report it",
        primary=place,
        related=related,
    )


@wording
def deprecated(
    path: Words,
    version: Words,
    advice: Words,
    place: Label,
    related: tuple[Label, ...],
    *,
    alone: bool = False,
) -> Diagnostic:
    """`alone`: guests before `version` know no other form."""
    since = f" since cloud-init {version}" if version else ""
    return Diagnostic(
        code=DEPRECATED,
        level=Level.NOTE if alone else Level.WARNING,
        message=f"`{path}` is deprecated{since}, and newer guests report it",
        primary=place,
        related=related,
        notes=(f"guests before {version} know this form alone",) if alone else (),
        help=advice or None,
    )


@wording
def respelled(
    old: Words, new: Words, version: Words, place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=RESPELLED,
        level=Level.NOTE,
        message=f"`{old}` is written as `{new}`, its name since cloud-init {version}",
        primary=place,
        related=related,
    )


def _listing(paths: Sequence[str]) -> str:
    shown = [f"`{path}`" for path in paths[:8]]
    if len(paths) > len(shown):
        shown.append(f"{len(paths) - len(shown)} more")
    if len(shown) == 1:
        return shown[0]
    return ", ".join(shown[:-1]) + " and " + shown[-1]


def closest(word: str, known: Sequence[str]) -> str | None:
    close = close_matches(word, known)
    return f"did you mean `{close[0]}`?" if close else None
