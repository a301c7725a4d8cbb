"""E0501 to E0549: cloud-config, what its texts hold, how they merge and what a guest makes of it.

The same finding is an error where the texts are merged into one part, and a warning where they
reach the guest as they are (`--merge parts`).
"""

from __future__ import annotations

from collections.abc import Sequence

from eryphc.diagnostics.model import Code, Diagnostic, Label, Level
from eryphc.diagnostics.suggest import close_matches

UNREADABLE = Code("E0501", "cloud-config-unreadable")
UNREADABLE_IN_GUEST = Code("W0501", "cloud-config-unreadable")
NOT_A_MAP = Code("E0502", "cloud-config-not-a-map")
NOT_A_MAP_IN_GUEST = Code("W0502", "cloud-config-not-a-map")
VALUE_UNREADABLE = Code("E0503", "cloud-config-value-unreadable")
VALUE_UNREADABLE_IN_GUEST = Code("W0503", "cloud-config-value-unreadable")
EXPANDS_TOO_FAR = Code("E0504", "cloud-config-expands-too-far")
EXPANDS_TOO_FAR_IN_GUEST = Code("W0504", "cloud-config-expands-too-far")
DUPLICATE_KEY = Code("W0505", "duplicate-key")
EMPTY = Code("W0506", "cloud-config-empty")
KINDS_CLASH = Code("E0507", "kinds-clash")
MERGE_HOW_MALFORMED = Code("E0508", "merge-how-malformed")
MERGE_HOW_MALFORMED_IN_GUEST = Code("W0508", "merge-how-malformed")
VALUE_OVERRIDDEN = Code("W0509", "value-overridden")
VALUE_OVERRIDDEN_NEARER = Code("N0509", "value-overridden")
FILE_REPLACED = Code("W0510", "file-replaced")
FILE_REPLACED_NEARER = Code("N0510", "file-replaced")
LIST_REPLACED = Code("W0511", "list-replaced")
LIST_REPLACED_NEARER = Code("N0511", "list-replaced")
REDEFINED = Code("W0512", "definition-extended")
REDEFINED_NEARER = Code("N0512", "definition-extended")
KEY_UNSET = Code("N0513", "key-unset")
UNKNOWN_LIST_JOINED = Code("N0514", "unknown-list-joined")
EMPTY_LIST_LEFT_OUT = Code("N0515", "empty-list-left-out")
DROPPED_BY_STRATEGY = Code("N0516", "dropped-by-merge-how")
RESPELLED = Code("N0517", "key-respelled")
DROPPED_IN_GUEST = Code("W0520", "dropped-in-guest")
KEY_UNKNOWN = Code("W0522", "key-unknown")
VALUE_INVALID = Code("W0523", "value-invalid")
DEPRECATED = Code("W0524", "deprecated")
COMMAND_NOT_RUNNABLE = Code("E0530", "command-not-runnable")
COMMAND_NOT_RUNNABLE_IN_GUEST = Code("W0530", "command-not-runnable")
COMMAND_IS_NULL = Code("N0531", "command-is-null")
OWNER_NOT_YET_THERE = Code("W0532", "owner-not-yet-there")
HOME_NOT_YET_THERE = Code("W0533", "home-not-yet-there")
FILE_IN_TMP = Code("W0534", "file-in-tmp")
PERMISSIONS_NOT_OCTAL = Code("W0535", "permissions-not-octal")
PERMISSIONS_SPECIAL = Code("N0536", "permissions-special")
NETWORK_IGNORED = Code("W0537", "network-ignored")
PASSWORD_LOCKED = Code("W0538", "password-locked")
DEFAULT_USER_MISSING = Code("W0540", "default-user-missing")
START_WAITS_FOR_BOOT = Code("W0541", "start-waits-for-boot")
COMMAND_LEAKS = Code("W0542", "command-leaks")
COMMAND_LEAKS_FOLDER = Code("N0542", "command-leaks")
USER_TWICE = Code("W0543", "user-twice")
SNAP_BEFORE_SEED = Code("W0544", "snap-before-seed")
PASSWORD_TWICE = Code("W0545", "password-twice")

_PARTS = "with `--merge parts` every food reaches the guest as it is"


def _pick(level: Level, *codes: Code) -> Code:
    return next(code for code in codes if code.number[0] == level.value[0].upper())


def unreadable(
    food: str,
    problem: str,
    place: Label,
    level: Level,
    related: tuple[Label, ...] = (),
    help: str | None = None,  # noqa: A002
    *,
    is_limit: bool = False,
) -> Diagnostic:
    """`is_limit` tells that eryphc refuses the text for its size, which a guest need not."""
    return Diagnostic(
        code=_pick(level, UNREADABLE, UNREADABLE_IN_GUEST),
        level=level,
        message=f"the cloud-config of food `{food}` cannot be read: {problem}",
        primary=place,
        related=related,
        notes=(
            "this is a limit of eryphc; whether a guest takes such a part is not known"
            if is_limit
            else "a guest drops such a part whole and boots without it",
        ),
        help=help or (_PARTS if level is Level.ERROR else None),
    )


def not_a_map(
    food: str, found: str, place: Label, level: Level, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=_pick(level, NOT_A_MAP, NOT_A_MAP_IN_GUEST),
        level=level,
        message=f"the cloud-config of food `{food}` is {found}, and has to be a map",
        primary=place,
        related=related,
        notes=("a guest drops such a part whole and boots without it",),
        help=_PARTS if level is Level.ERROR else None,
    )


def value_unreadable(
    food: str, problem: str, place: Label, level: Level, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=_pick(level, VALUE_UNREADABLE, VALUE_UNREADABLE_IN_GUEST),
        level=level,
        message=f"the cloud-config of food `{food}` holds a value that a guest cannot load: "
        f"{problem}",
        primary=place,
        related=related,
        notes=("a guest drops such a part whole and boots without it",),
        help="quote it if it is meant as text",
    )


def expands_too_far(
    food: str, problem: str, place: Label, level: Level, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=_pick(level, EXPANDS_TOO_FAR, EXPANDS_TOO_FAR_IN_GUEST),
        level=level,
        message=f"the cloud-config of food `{food}` cannot be expanded: {problem}",
        primary=place,
        related=related,
    )


def duplicate_key(food: str, key: str, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=DUPLICATE_KEY,
        level=Level.WARNING,
        message=f"the key `{key}` stands twice in one map of food `{food}`; only the last counts",
        primary=place,
        related=related,
        notes=("a guest, too, takes the last one and says nothing",),
    )


def empty(food: str, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=EMPTY,
        level=Level.WARNING,
        message=f"the cloud-config of food `{food}` is empty",
        primary=place,
        related=related,
        notes=("a guest reports an empty part as a failure to merge it",),
    )


def kinds_clash(
    path: str, found: str, before: str, place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=KINDS_CLASH,
        level=Level.ERROR,
        message=f"`{path}` is {found} here and {before} in an earlier food: they cannot be merged",
        primary=place,
        related=related,
        help=f"write both in the same form; {_PARTS}, where the later replaces the earlier",
    )


def merge_how_malformed(
    food: str, reason: str, place: Label, level: Level, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=_pick(level, MERGE_HOW_MALFORMED, MERGE_HOW_MALFORMED_IN_GUEST),
        level=level,
        message=f"food `{food}` cannot be merged as its `merge_how` or `merge_type` says: {reason}",
        primary=place,
        related=related,
        notes=("cloud-init drops such a part whole",),
        help="for example `merge_how: list(append)+dict(recurse_array)+str()`",
    )


def value_overridden(
    path: str, place: Label, level: Level, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=_pick(level, VALUE_OVERRIDDEN, VALUE_OVERRIDDEN_NEARER),
        level=level,
        message=f"`{path}` is set again, and this later value is used",
        primary=place,
        related=related,
    )


def file_replaced(path: str, place: Label, level: Level, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=_pick(level, FILE_REPLACED, FILE_REPLACED_NEARER),
        level=level,
        message=f"the file of `{path}` is written again, and only this later one is kept",
        primary=place,
        related=related,
        help="`append: true` adds to the file instead" if level is Level.WARNING else None,
    )


def list_replaced(path: str, place: Label, level: Level, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=_pick(level, LIST_REPLACED, LIST_REPLACED_NEARER),
        level=level,
        message=f"the list `{path}` is set again; such lists are not joined, this later one is "
        "used",
        primary=place,
        related=related,
    )


def redefined(path: str, place: Label, level: Level, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=_pick(level, REDEFINED, REDEFINED_NEARER),
        level=level,
        message=f"`{path}` is defined in two foods with different keys, and is made of both",
        primary=place,
        related=related,
    )


def key_unset(path: str, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=KEY_UNSET,
        level=Level.NOTE,
        message=f"`{path}` is null here, which removes what earlier foods set",
        primary=place,
        related=related,
    )


def unknown_list_joined(path: str, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=UNKNOWN_LIST_JOINED,
        level=Level.NOTE,
        message=f"the list `{path}` is joined with the one of an earlier food",
        primary=place,
        related=related,
        notes=("nothing is known of this key, so every item of both is kept, in order",),
    )


def empty_list_left_out(path: str, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=EMPTY_LIST_LEFT_OUT,
        level=Level.NOTE,
        message=f"`{path}` is an empty list and is left out",
        primary=place,
        related=related,
        notes=("guests of some ages report an empty list there as invalid",),
    )


def dropped_by_strategy(
    paths: Sequence[str], place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=DROPPED_BY_STRATEGY,
        level=Level.NOTE,
        message=f"the merge strategy of this food leaves out {_listing(paths)}",
        primary=place,
        related=related,
        notes=("it is laid onto the foods before it with cloud-init's own meaning",),
    )


def dropped_in_guest(
    paths: Sequence[str],
    loser: str,
    winner: str,
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
            "leave out `--merge parts`, or give the later food "
            "`merge_how: list(append)+dict(no_replace,recurse_list)+str()`"
        )
    return Diagnostic(
        code=DROPPED_IN_GUEST,
        level=Level.WARNING,
        message=f"the guest drops {_listing(paths)} of food `{loser}`: food `{winner}` takes its "
        "place",
        primary=place,
        related=related,
        help=advice,
    )


def left_out_in_guest(
    paths: Sequence[str], loser: str, place: Label, related: tuple[Label, ...], *, joins: bool
) -> Diagnostic:
    """`joins`: some of it would add to what was there."""
    return Diagnostic(
        code=DROPPED_IN_GUEST,
        level=Level.WARNING,
        message=f"the guest drops {_listing(paths)} of food `{loser}`: its own merge strategy "
        "leaves that out",
        primary=place,
        related=related,
        help="`merge_how: list(append)+dict(no_replace,recurse_list)+str()` joins lists and maps"
        if joins
        else None,
    )


def key_unknown(
    path: str, key: str, known: Sequence[str], place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=KEY_UNKNOWN,
        level=Level.WARNING,
        message=f"cloud-init knows no key `{path}`",
        primary=place,
        related=related,
        help=closest(key, known),
    )


def value_invalid(path: str, problem: str, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=VALUE_INVALID,
        level=Level.WARNING,
        message=f"`{path}` {problem}" if path else f"the cloud-config {problem}",
        primary=place,
        related=related,
        notes=("that is what cloud-init's schema says; a guest warns of it and goes on",),
    )


def deprecated(
    path: str, version: str, advice: str, place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    since = f" since cloud-init {version}" if version else ""
    return Diagnostic(
        code=DEPRECATED,
        level=Level.WARNING,
        message=f"`{path}` is deprecated{since}, and newer guests report it",
        primary=place,
        related=related,
        help=advice or None,
    )


def respelled(
    old: str, new: str, version: str, place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=RESPELLED,
        level=Level.NOTE,
        message=f"`{old}` is written as `{new}`, its name since cloud-init {version}",
        primary=place,
        related=related,
    )


def command_not_runnable(
    path: str, kind: str, place: Label, level: Level, related: tuple[Label, ...]
) -> Diagnostic:
    """`kind` says in words what stands where text or a list is expected."""
    key = path.split("[")[0]
    return Diagnostic(
        code=_pick(level, COMMAND_NOT_RUNNABLE, COMMAND_NOT_RUNNABLE_IN_GUEST),
        level=level,
        message=f"`{path}` is {kind}, and with it not one command of `{key}` runs",
        primary=place,
        related=related,
        notes=("a `: ` in an unquoted command makes a map of it",) if kind == "a map" else (),
        help="put the command in quotes",
    )


def command_is_null(path: str, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=COMMAND_IS_NULL,
        level=Level.NOTE,
        message=f"`{path}` is empty",
        primary=place,
        related=related,
        notes=("cloud-init before 21.4 runs none of the commands then",),
    )


def owner_not_yet_there(
    path: str, owner: str, place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=OWNER_NOT_YET_THERE,
        level=Level.WARNING,
        message=f"`{path}` gives the file to `{owner}`, whom the guest creates only later",
        primary=place,
        related=related,
        notes=("files are written before users; the guest then writes none that follow",),
        help="add `defer: true` to the file",
    )


def home_not_yet_there(
    path: str, owner: str, place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=HOME_NOT_YET_THERE,
        level=Level.WARNING,
        message=f"`{path}` lies in the home of `{owner}`, whom the guest creates only later",
        primary=place,
        related=related,
        notes=("files are written before users; the home then belongs to root",),
        help="add `defer: true` to the file, and `owner`",
    )


def file_in_tmp(path: str, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=FILE_IN_TMP,
        level=Level.WARNING,
        message=f"`{path}` lies in `/tmp`, which the guest may empty while it boots",
        primary=place,
        related=related,
        help="use `/run` or `/var/lib` instead",
    )


def permissions_not_octal(
    path: str, written: str, octal: str, place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=PERMISSIONS_NOT_OCTAL,
        level=Level.WARNING,
        message=f"`{path}` is the number {written}, which as permissions is {octal}",
        primary=place,
        related=related,
        help=f'if the digits are meant, write `"0{written}"`'
        if written.isdigit() and not set(written) & {"8", "9"}
        else None,
    )


def permissions_special(path: str, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=PERMISSIONS_SPECIAL,
        level=Level.NOTE,
        message=f"`{path}` has set-uid, set-gid or sticky bits, which cloud-init before 25.3 drops",
        primary=place,
        related=related,
        help="set them by `chmod` in `runcmd`",
    )


def network_ignored(place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=NETWORK_IGNORED,
        level=Level.WARNING,
        message="a guest ignores `network` in a cloud-config",
        primary=place,
        related=related,
        help="put it in a file of its own and give that as `--network-config FILE`",
    )


def password_locked(path: str, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=PASSWORD_LOCKED,
        level=Level.WARNING,
        message=f"the password of `{path}` cannot be used: the account's password is locked",
        primary=place,
        related=related,
        notes=("`lock_passwd` is true unless it is said to be false",),
        help="add `lock_passwd: false`",
    )


def default_user_missing(key: str, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=DEFAULT_USER_MISSING,
        level=Level.WARNING,
        message=f"`{key}` is for the default user, and `users` does not have `default`",
        primary=place,
        related=related,
        help=f"add `default` to `users`, or give `{key}` to a user",
    )


def start_waits_for_boot(
    path: str, unit: str, place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=START_WAITS_FOR_BOOT,
        level=Level.WARNING,
        message=f"`{path}` starts `{unit}` and waits for it, while it waits for the end of the "
        "boot, of which this command is part",
        primary=place,
        related=related,
        help="add `--no-block`",
    )


def command_leaks(
    path: str, effect: str, level: Level, place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=_pick(level, COMMAND_LEAKS, COMMAND_LEAKS_FOLDER),
        level=level,
        message=f"`{path}` {effect} the commands of other foods that follow",
        primary=place,
        related=related,
        notes=("all commands are lines of one shell script",),
        help="put the commands in a subshell: `( ... )`, or in a shellscript food",
    )


def user_twice(path: str, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=USER_TWICE,
        level=Level.WARNING,
        message=f"`{path}` has the name of an earlier user, and of each key the guest takes the "
        "first",
        primary=place,
        related=related,
        help="make one entry of both",
    )


def snap_before_seed(path: str, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=SNAP_BEFORE_SEED,
        level=Level.WARNING,
        message=f"`{path}` uses `snap`, which may not be ready yet while the guest boots",
        primary=place,
        related=related,
        notes=("cloud-init does not wait for it since 24.1",),
        help="put `snap wait system seed.loaded` before it, or use the key `snap`",
    )


def password_twice(
    path: str, first: str, second: str, place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=PASSWORD_TWICE,
        level=Level.WARNING,
        message=f"`{path}` has both `{first}` and `{second}`, of which the guest takes one",
        primary=place,
        related=related,
        help="leave out one of them",
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
