"""E0530 to E0549, with their warnings and notes: what a cloud-config means in its guest.

Source: docs/reference/cloud-init.md, "Mistakes that no guest reports".
"""

from __future__ import annotations

from eryphc.diagnostics.model import Code, Diagnostic, Label, Level, wording
from eryphc.diagnostics.said import Words

COMMAND_NOT_RUNNABLE = Code("E0530", "command-not-runnable", soft=True)
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
USER_TWICE = Code("W0543", "user-twice")
SNAP_BEFORE_SEED = Code("W0544", "snap-before-seed")
PASSWORD_TWICE = Code("W0545", "password-twice")


@wording
def command_not_runnable(
    path: Words, kind: Words, place: Label, level: Level, related: tuple[Label, ...]
) -> Diagnostic:
    """`kind` says in words what stands where text or a list is expected."""
    key = path.split("[")[0]
    return Diagnostic(
        code=COMMAND_NOT_RUNNABLE,
        level=level,
        message=f"`{path}` is {kind}, and with it not one command of `{key}` runs",
        primary=place,
        related=related,
        notes=("a `: ` in an unquoted command makes a map of it",) if kind == "a map" else (),
        help="put the command in quotes",
    )


@wording
def command_is_null(path: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=COMMAND_IS_NULL,
        level=Level.NOTE,
        message=f"`{path}` is empty",
        primary=place,
        related=related,
        notes=("cloud-init before 21.4 runs none of the commands then",),
    )


@wording
def owner_not_yet_there(
    path: Words, owner: Words, place: Label, related: tuple[Label, ...]
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


@wording
def home_not_yet_there(
    path: Words, owner: Words, place: Label, related: tuple[Label, ...]
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


@wording
def file_in_tmp(path: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=FILE_IN_TMP,
        level=Level.WARNING,
        message=f"`{path}` lies in `/tmp`, which the guest may empty while it boots",
        primary=place,
        related=related,
        help="use `/run` or `/var/lib` instead",
    )


@wording
def permissions_not_octal(
    path: Words,
    written: Words,
    octal: Words,
    place: Label,
    related: tuple[Label, ...],
    *,
    digits: bool,
) -> Diagnostic:
    """`digits`: those that are written could be meant as the permissions."""
    return Diagnostic(
        code=PERMISSIONS_NOT_OCTAL,
        level=Level.WARNING if digits else Level.NOTE,
        message=f"`{path}` is the number {written}, which as permissions is {octal}",
        primary=place,
        related=related,
        notes=() if digits else ("guests report that it is no text",),
        help=f'if the digits are meant, write `"0{written}"`' if digits else f'write `"0{octal}"`',
    )


@wording
def permissions_special(path: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=PERMISSIONS_SPECIAL,
        level=Level.NOTE,
        message=f"`{path}` has set-uid or set-gid bits, which cloud-init before 25.3 drops",
        primary=place,
        related=related,
        help="set them by `chmod` in `runcmd`",
    )


@wording
def network_ignored(place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=NETWORK_IGNORED,
        level=Level.WARNING,
        message="a guest ignores `network` in a cloud-config",
        primary=place,
        related=related,
        help="put it in a file of its own and give that as `--network-config FILE`",
    )


@wording
def password_locked(path: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=PASSWORD_LOCKED,
        level=Level.WARNING,
        message=f"the password of `{path}` cannot be used: the account's password is locked",
        primary=place,
        related=related,
        notes=("`lock_passwd` is true unless it is said to be false",),
        help="add `lock_passwd: false`",
    )


@wording
def default_user_missing(key: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=DEFAULT_USER_MISSING,
        level=Level.WARNING,
        message=f"`{key}` is for the default user, and `users` does not have `default`",
        primary=place,
        related=related,
        help=f"add `default` to `users`, or give `{key}` to a user",
    )


@wording
def start_waits_for_boot(
    path: Words, unit: Words, place: Label, related: tuple[Label, ...], *, surely: bool
) -> Diagnostic:
    """`surely`: the unit waits for cloud-init itself, else for a target of the boot."""
    waits = f"`{path}` starts `{unit}` and waits for it, while it waits for"
    return Diagnostic(
        code=START_WAITS_FOR_BOOT,
        level=Level.WARNING,
        message=f"{waits} the end of cloud-init, of which this command is part"
        if surely
        else f"{waits} a target that some guests reach only after this command",
        primary=place,
        related=related,
        notes=()
        if surely
        else ("Debian and Ubuntu reach `multi-user.target` before cloud-init's last stage",),
        help="add `--no-block`",
    )


@wording
def command_leaks(
    path: Words, effect: Words, level: Level, place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=COMMAND_LEAKS,
        level=level,
        message=f"`{path}` {effect} the commands of other fodder entries that follow",
        primary=place,
        related=related,
        notes=("all commands are lines of one shell script",),
        help="put the commands in a subshell: `( ... )`, or in a shellscript fodder entry",
    )


@wording
def user_twice(path: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=USER_TWICE,
        level=Level.WARNING,
        message=f"`{path}` has the name of an earlier user, and of each key the guest takes the "
        "first",
        primary=place,
        related=related,
        help="make one entry of both",
    )


@wording
def snap_before_seed(path: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=SNAP_BEFORE_SEED,
        level=Level.WARNING,
        message=f"`{path}` uses `snap`, which may not be ready yet while the guest boots",
        primary=place,
        related=related,
        notes=("cloud-init does not wait for it since 24.1",),
        help="put `snap wait system seed.loaded` before it, or use the key `snap`",
    )


@wording
def password_twice(
    path: Words, first: Words, second: Words, place: Label, related: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=PASSWORD_TWICE,
        level=Level.WARNING,
        message=f"`{path}` has both `{first}` and `{second}`, of which the guest takes one",
        primary=place,
        related=related,
        help="leave out one of them",
    )
