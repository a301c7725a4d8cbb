"""E0550 to E0599, with their warnings and notes: what a guest makes of its configuration.

What is said of Windows guests, and of cloud-configs, has catalogues of its own.
Source: docs/reference/cloud-init.md, "Types of parts", "Mistakes in a network-config".
"""

from __future__ import annotations

from collections.abc import Sequence

from eryphc.diagnostics.model import Code, Diagnostic, Label, finding
from eryphc.source import Span

TEXT_NOT_UNICODE = Code("E0550", "text-not-unicode")
SCRIPT_WITHOUT_INTERPRETER = Code("E0551", "script-without-interpreter")
UPSTART_JOB_REMOVED = Code("E0552", "upstart-job-removed")
TYPE_CONTRADICTS_TEXT = Code("E0553", "type-contradicts-text")
ARCHIVE_BROKEN = Code("E0554", "archive-broken")
ARCHIVE_ENTRY_DROPPED = Code("E0555", "archive-entry-dropped")
TEMPLATE_SHARES_VALUE = Code("E0556", "template-shares-value", soft=True)
TEMPLATE_NOT_POSSIBLE = Code("E0557", "template-not-possible")
NETWORK_CONFIG_INVALID = Code("E0558", "network-config-invalid")
NETWORK_ADDRESS_TWICE = Code("E0559", "network-address-twice")
NETWORK_ADDRESS_NOT_TEXT = Code("E0560", "network-address-not-text")

GUEST_DROPS_PART = Code("W0550", "guest-drops-part")
INCLUDE_UNPINNED = Code("W0551", "include-unpinned")
SCRIPT_BETWEEN_COMMANDS = Code("W0552", "script-between-commands")
SCRIPT_READ_AS_OTHER = Code("W0553", "script-read-as-other")
FOOD_EMPTY = Code("W0554", "food-empty")
HOSTNAME_MALFORMED = Code("W0555", "hostname-malformed")
HOSTNAME_IS_ADDRESS = Code("W0556", "hostname-is-address")
HOSTNAME_TOO_LONG = Code("W0557", "hostname-too-long")
HOSTNAME_OF_DIGITS = Code("W0558", "hostname-of-digits")
TEMPLATES_SHARE_VALUE = Code("W0559", "templates-share-value")
ADAPTERS_WITHOUT_ADDRESS = Code("W0560", "adapters-without-address")
NETWORK_ENTRY_DOUBTFUL = Code("W0562", "network-entry-doubtful")
NETWORK_NOT_READ_BY_WINDOWS = Code("W0563", "network-not-read-by-windows")


TEMPLATE_BROKEN = Code("E0590", "template-broken")
LINUX_GETS_WINDOWS_SCRIPT = Code("E0561", "linux-gets-windows-script")
TEXT_ENCODED = Code("E0562", "text-encoded")
LINUX_GETS_WINDOWS_KEY = Code("W0586", "linux-gets-windows-key")
LINUX_PASSWORD_PLAIN = Code("W0587", "linux-password-plain")
LINUX_PATH_EXPECTED = Code("W0588", "linux-path-expected")

GUEST_COUNTS_AS_LINUX = Code("N0550", "guest-counts-as-linux")
GUEST_ASSUMED_LINUX = Code("N0551", "guest-assumed-linux")
TEMPLATE_COMES_LATER = Code("N0553", "template-comes-later")


# --- which guest -----------------------------------------------------------------------------


def guest_counts_as_linux(os_type: str) -> Diagnostic:
    return finding(
        GUEST_COUNTS_AS_LINUX,
        f"the parent is for `{os_type}`, which is configured like linux",
        help="say `--guest windows` if the guest runs cloudbase-init",
    )


def guest_assumed_linux() -> Diagnostic:
    return finding(
        GUEST_ASSUMED_LINUX,
        "nothing tells the kind of the guest, so it is configured as linux",
        help="say `--guest linux` or `--guest windows`",
    )


# --- texts and their types -------------------------------------------------------------------


def text_not_unicode(food: str, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        TEXT_NOT_UNICODE,
        f"the text of `{food}` holds something that is no character and has no UTF-8 form",
        span,
        "here",
        related=related,
        help="give values of variables as UTF-8",
    )


def text_encoded(
    food: str, encoding: str, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        TEXT_ENCODED,
        f"the text of `{food}` is {encoding}, which no guest undoes",
        span,
        "encoded",
        related=related,
        help="give the text itself; what has to be encoded is encoded by the build",
    )


def script_without_interpreter(
    food: str, what: str, span: Span | None, related: tuple[Label, ...], *, indented: bool
) -> Diagnostic:
    return finding(
        SCRIPT_WITHOUT_INTERPRETER,
        f"the {what} `{food}` does not begin with `#!`, so the guest cannot run it",
        span,
        "expected `#!` and an interpreter at the very beginning",
        related=related,
        help="remove what stands before `#!`"
        if indented
        else "begin with the interpreter, for example `#!/bin/sh`",
    )


def upstart_job_removed(food: str, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        UPSTART_JOB_REMOVED,
        f"`{food}` is an `upstart-job`, which cloud-init drops since its release 22.2",
        span,
        "no guest runs it",
        related=related,
        help="write a systemd unit with `write_files` and start it with `runcmd`",
    )


def type_contradicts_text(
    food: str,
    said: str,
    meant: str | None,
    marker: str,
    span: Span | None,
    related: tuple[Label, ...],
) -> Diagnostic:
    return finding(
        TYPE_CONTRADICTS_TEXT,
        f"`{food}` is a `{said}`, but its text begins with `{marker}`: the guest drops it",
        span,
        "says another type",
        related=related,
        help=f"say `type: {meant}`" if meant else None,
    )


def script_read_as_other(
    food: str, kind: str, marker: str, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        SCRIPT_READ_AS_OTHER,
        f"the guest takes the script `{food}` for {kind}, because it begins with `{marker}`",
        span,
        "decides over the type",
        related=related,
        help="say the type that the text has, or begin it with `#!`",
    )


def food_empty(food: str, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        FOOD_EMPTY, f"`{food}` has no content", span, "nothing to configure", related=related
    )


def include_unpinned(food: str, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        INCLUDE_UNPINNED,
        f"`{food}` is fetched by the guest when it boots, so this build does not decide its text",
        span,
        "not known before the boot",
        related=related,
        notes=("if an address cannot be read, the guest loses all of its user-data",),
    )


def guest_drops_part(
    food: str, reason: str, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        GUEST_DROPS_PART,
        f"the guest will not apply `{food}`: {reason}",
        span,
        "without effect",
        related=related,
    )


def template_broken(
    food: str, reason: str, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        TEMPLATE_BROKEN,
        f"`{food}` is not a Jinja template that a guest can render: {reason}",
        span,
        "not Jinja",
        related=related,
        notes=("`{{`, `{%` and `{#` begin Jinja syntax in a text with `## template: jinja`",),
    )


def script_between_commands(
    food: str, first: str, last: str, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        SCRIPT_BETWEEN_COMMANDS,
        f"the script `{food}` stands between the commands of `{first}` and `{last}`, but runs"
        " before both",
        span,
        "runs before all `runcmd`",
        related=related,
        notes=("all `runcmd` entries of a guest run as one script",),
    )


# --- archives --------------------------------------------------------------------------------


def archive_broken(
    food: str, problem: str, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        ARCHIVE_BROKEN,
        f"the archive `{food}` cannot be read: {problem}",
        span,
        "the guest would lose all of its user-data",
        related=related,
    )


def archive_entry_dropped(
    food: str, entry: str, reason: str, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        ARCHIVE_ENTRY_DROPPED,
        f"{entry} of the archive `{food}` is {reason}",
        span,
        "the guest drops it",
        related=related,
        help="make it a food of its own",
    )


# --- templates -------------------------------------------------------------------------------


def template_shares_value(
    food: str, key: str, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        TEMPLATE_SHARES_VALUE,
        f"the Jinja food `{food}` sets `{key}`, which other foods set too, and theirs would win",
        span,
        "has no effect in the guest",
        related=related,
        help=f"leave `{key}` to one of them",
        notes=("a Jinja food is rendered in the guest, so it can only add to the others",),
    )


def template_comes_later(
    food: str, first: str, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        TEMPLATE_COMES_LATER,
        f"the Jinja food `{food}` stands before `{first}`, but the guest adds it after all plain"
        " cloud-configs",
        span,
        "added last",
        related=related,
        notes=("its entries of a list, such as commands, come after theirs",),
    )


def templates_share_value(
    food: str, other: str, key: str, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        TEMPLATES_SHARE_VALUE,
        f"the Jinja foods `{other}` and `{food}` both set `{key}`, and the first wins",
        span,
        f"`{other}` wins where it sets the key",
        related=related,
    )


def template_not_possible(
    food: str, kind: str, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        TEMPLATE_NOT_POSSIBLE,
        f"`{food}` is a `{kind}`, which no guest renders as a Jinja template",
        span,
        "not for this type",
        related=related,
        help="remove the line, or make it a cloud-config, a shellscript or a cloud-boothook",
    )


# --- host names ------------------------------------------------------------------------------


def hostname_malformed(hostname: str, label: str, span: Span | None) -> Diagnostic:
    return finding(
        HOSTNAME_MALFORMED,
        f"the host name `{hostname}` is none by RFC 1123"
        + (f" because of `{label}`" if label and label != hostname else ""),
        span,
        "letters, digits and hyphens, at most 63 between dots",
    )


def hostname_is_address(hostname: str, renamed: str, span: Span | None) -> Diagnostic:
    return finding(
        HOSTNAME_IS_ADDRESS,
        f"the host name `{hostname}` is an address: the guest will be called `{renamed}`",
        span,
        "an address is no name",
    )


def hostname_too_long(hostname: str, cut: str, span: Span | None) -> Diagnostic:
    return finding(
        HOSTNAME_TOO_LONG,
        f"Windows takes 15 characters of a host name: `{hostname}` becomes `{cut}`",
        span,
        "too long for Windows",
    )


def hostname_of_digits(hostname: str, span: Span | None) -> Diagnostic:
    return finding(
        HOSTNAME_OF_DIGITS,
        f"Windows takes no host name of digits only, such as `{hostname}`",
        span,
        "needs a letter",
    )


# --- networks --------------------------------------------------------------------------------


def adapters_without_address(names: Sequence[str], span: Span | None, *, some: bool) -> Diagnostic:
    listed = ", ".join(f"`{name}`" for name in names)
    return finding(
        ADAPTERS_WITHOUT_ADDRESS,
        f"the guest will leave {listed} down: no address is known for {_them(names)}"
        if some
        else f"the guest will bring up only the first of its adapters {listed}",
        span,
        help="give each adapter a `mac_address`, or say `--network-config always` and give the"
        " machine the addresses of the manifest",
    )


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


def network_config_invalid(problem: str, span: Span | None) -> Diagnostic:
    return finding(NETWORK_CONFIG_INVALID, f"the network-config is not valid: {problem}", span)


def network_address_twice(
    address: str, span: Span | None, first: Span | None, names: tuple[str, str]
) -> Diagnostic:
    return finding(
        NETWORK_ADDRESS_TWICE,
        f"`{names[0]}` and `{names[1]}` have the same MAC address {address}",
        span,
        "the guest then sets up no network at all",
        related=(Label(first, "first here"),) if first is not None else (),
    )


def network_address_not_text(written: str, span: Span | None) -> Diagnostic:
    return finding(
        NETWORK_ADDRESS_NOT_TEXT,
        f"`{written}` is not read as a MAC address but as a number in base 60",
        span,
        "needs quotes",
        help=f'write `"{written}"`',
    )


def network_entry_doubtful(problem: str, span: Span | None, label: str = "") -> Diagnostic:
    return finding(NETWORK_ENTRY_DOUBTFUL, problem, span, label)


def network_not_read_by_windows(problem: str, span: Span | None) -> Diagnostic:
    return finding(NETWORK_NOT_READ_BY_WINDOWS, problem, span, "without effect in Windows")


# --- Linux guests ----------------------------------------------------------------------------


def linux_gets_windows_script(
    food: str, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        LINUX_GETS_WINDOWS_SCRIPT,
        f"`{food}` is a script for Windows, and the guest runs Linux",
        span,
        "no interpreter for it",
        related=related,
        help="say `--guest windows` if this is a Windows catlet",
    )


def linux_gets_windows_key(
    food: str, key: str, instead: str, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        LINUX_GETS_WINDOWS_KEY,
        f"`{key}` of `{food}` is known to Windows guests only",
        span,
        "ignored by cloud-init",
        related=related,
        help=f"use `{instead}`",
    )


def linux_password_plain(food: str, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        LINUX_PASSWORD_PLAIN,
        f"`passwd` in `{food}` is no hash, so nobody can log in with it",
        span,
        "expected a hash such as `$6$...`",
        related=related,
        help="use `plain_text_passwd`, or put the hash here",
    )


def linux_path_expected(
    food: str, path: str, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        LINUX_PATH_EXPECTED,
        f"`{path}` in `{food}` is no absolute path of a Linux guest",
        span,
        "expected a leading `/`",
        related=related,
    )
