"""E0550 to E0599, with their warnings and notes: what a guest makes of its configuration.

Findings about Windows guests, and about cloud-configs, have catalogues of their own.
Source: docs/reference/cloud-init.md, "Types of parts", "Mistakes in a network-config".
"""

from __future__ import annotations

from collections.abc import Sequence

from eryphc.diagnostics.model import Code, Diagnostic, Label, finding, wording
from eryphc.diagnostics.said import NO_WORDS, Own, Words
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

SECRET_NOT_DECLARED = Code("N0576", "secret-not-declared")

GUEST_DROPS_PART = Code("W0550", "guest-drops-part")
INCLUDE_UNPINNED = Code("W0551", "include-unpinned")
SCRIPT_BETWEEN_COMMANDS = Code("W0552", "script-between-commands")
SCRIPT_READ_AS_OTHER = Code("W0553", "script-read-as-other")
FODDER_EMPTY = Code("W0554", "food-empty")
HOSTNAME_MALFORMED = Code("W0555", "hostname-malformed")
HOSTNAME_IS_ADDRESS = Code("W0556", "hostname-is-address")
HOSTNAME_TOO_LONG = Code("W0557", "hostname-too-long")
HOSTNAME_OF_DIGITS = Code("W0558", "hostname-of-digits")
TEMPLATES_SHARE_VALUE = Code("W0559", "templates-share-value")
ADAPTERS_WITHOUT_ADDRESS = Code("W0560", "adapters-without-address")
ADDRESS_IN_TWO_SPECS = Code("W0582", "address-in-two-specs")
NETWORK_ENTRY_DOUBTFUL = Code("W0562", "network-entry-doubtful")
NETWORK_NOT_READ_BY_WINDOWS = Code("W0563", "network-not-read-by-windows")


TEMPLATE_BROKEN = Code("E0590", "template-broken")
LINUX_GETS_WINDOWS_SCRIPT = Code("E0561", "linux-gets-windows-script")
TEXT_ENCODED = Code("E0562", "text-encoded")
MULTIPART_PASTED = Code("E0563", "multipart-pasted")
TEMPLATE_KEY_MISSING = Code("W0564", "template-key-missing")
LINUX_GETS_WINDOWS_KEY = Code("W0586", "linux-gets-windows-key")
LINUX_PASSWORD_PLAIN = Code("W0587", "linux-password-plain")
LINUX_PATH_EXPECTED = Code("W0588", "linux-path-expected")

GUEST_COUNTS_AS_LINUX = Code("N0550", "guest-counts-as-linux")
GUEST_ASSUMED_LINUX = Code("N0551", "guest-assumed-linux")
TEMPLATE_COMES_LATER = Code("N0553", "template-comes-later")
AGENT_ASSUMED = Code("N0554", "agent-assumed")


def _text(problem: Words | Diagnostic) -> str:
    return problem.message if isinstance(problem, Diagnostic) else problem


# --- which guest -----------------------------------------------------------------------------


@wording
def guest_counts_as_linux(os_type: Words) -> Diagnostic:
    return finding(
        GUEST_COUNTS_AS_LINUX,
        f"the parent is for `{os_type}`, which is configured like linux",
        help="say `--guest windows` if the guest runs cloudbase-init",
    )


@wording
def guest_assumed_linux() -> Diagnostic:
    return finding(
        GUEST_ASSUMED_LINUX,
        "nothing tells the kind of the guest, so it is configured as linux",
        help="say `--guest linux` or `--guest windows`",
    )


@wording
def agent_assumed(agent: Own, other: Own) -> Diagnostic:
    return finding(
        AGENT_ASSUMED,
        f"nothing says which agent the guest has: `{agent}` is assumed, it may be `{other}`",
        notes=("what only one of them does otherwise is a note, or a warning where all is lost",),
        help=f"say `--guest-agent {agent}` or `--guest-agent {other}`",
    )


# --- texts and their types -------------------------------------------------------------------


@wording
def text_not_unicode(fodder: Words, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        TEXT_NOT_UNICODE,
        f"the text of `{fodder}` holds something that is no character and has no UTF-8 form",
        span,
        "here",
        related=related,
        help="give values of variables as UTF-8",
    )


@wording
def text_encoded(
    fodder: Words, encoding: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        TEXT_ENCODED,
        f"the text of `{fodder}` is {encoding}, which no guest undoes",
        span,
        "encoded",
        related=related,
        help="give the text itself; what has to be encoded is encoded by the build",
    )


@wording
def multipart_pasted(fodder: Words, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        MULTIPART_PASTED,
        f"the text of `{fodder}` is a multipart document (MIME), which no guest takes apart here",
        span,
        "the header of a multipart document",
        related=related,
        help="make a fodder entry of each of its parts, with the `type` of the part; the build "
        "makes the multipart document",
    )


@wording
def script_without_interpreter(
    fodder: Words, what: Words, span: Span | None, related: tuple[Label, ...], *, indented: bool
) -> Diagnostic:
    return finding(
        SCRIPT_WITHOUT_INTERPRETER,
        f"the {what} `{fodder}` does not begin with `#!`, so the guest cannot run it",
        span,
        "expected `#!` and an interpreter at the very beginning",
        related=related,
        help="remove what stands before `#!`"
        if indented
        else "begin with the interpreter, for example `#!/bin/sh`",
    )


@wording
def upstart_job_removed(fodder: Words, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        UPSTART_JOB_REMOVED,
        f"`{fodder}` is an `upstart-job`, which cloud-init drops since its release 22.2",
        span,
        "no guest runs it",
        related=related,
        help="write a systemd unit with `write_files` and start it with `runcmd`",
    )


@wording
def type_contradicts_text(
    fodder: Words,
    said: Words,
    meant: Words | None,
    marker: Words,
    span: Span | None,
    related: tuple[Label, ...],
) -> Diagnostic:
    return finding(
        TYPE_CONTRADICTS_TEXT,
        f"`{fodder}` is a `{said}`, but its text begins with `{marker}`: the guest drops it",
        span,
        "says another type",
        related=related,
        help=f"say `type: {meant}`" if meant else None,
    )


@wording
def script_read_as_other(
    fodder: Words, kind: Words, marker: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        SCRIPT_READ_AS_OTHER,
        f"the guest takes the script `{fodder}` for {kind}, because it begins with `{marker}`",
        span,
        "decides over the type",
        related=related,
        help="say the type that the text has, or begin it with `#!`",
    )


@wording
def fodder_empty(fodder: Words, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        FODDER_EMPTY, f"`{fodder}` has no content", span, "nothing to configure", related=related
    )


@wording
def include_unpinned(fodder: Words, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        INCLUDE_UNPINNED,
        f"`{fodder}` is fetched by the guest when it boots, so this build does not decide its text",
        span,
        "not known before the boot",
        related=related,
        notes=("if an address cannot be read, the guest loses all of its user-data",),
    )


@wording
def include_skipped(fodder: Words, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        INCLUDE_UNPINNED,
        f"`{fodder}` is fetched by the guest when it boots, so this build does not decide its text",
        span,
        "not known before the boot",
        related=related,
        notes=("an address that cannot be read is skipped, and the guest goes on",),
    )


@wording
def guest_drops_part(
    fodder: Words, reason: Words | Diagnostic, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    lost = "without effect"
    if isinstance(reason, Diagnostic) and reason.code in (ARCHIVE_BROKEN, ARCHIVE_ENTRY_DROPPED):
        # It may be more than the fodder entry, or less.
        lost = lost if reason.primary is None else reason.primary.message
    return finding(
        GUEST_DROPS_PART,
        f"the guest will not apply `{fodder}`: {_text(reason)}",
        span,
        lost,
        related=related,
    )


@wording
def template_broken(
    fodder: Words, reason: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        TEMPLATE_BROKEN,
        f"`{fodder}` is not a Jinja template that a guest can render: {reason}",
        span,
        "not Jinja",
        related=related,
        notes=("`{{`, `{%` and `{#` begin Jinja syntax in a text with `## template: jinja`",),
    )


@wording
def template_key_missing(
    fodder: Words,
    path: Words,
    word: Words,
    keys: Words,
    below: Words,
    span: Span | None,
    related: tuple[Label, ...],
    *,
    ends: bool,
) -> Diagnostic:
    """`word` is the last of `path`, and `keys` are those there are `below`.

    `ends`: something is asked of what is not there.
    """
    lost = (
        "the guest cannot render the text and drops it whole"
        if ends
        else f"the guest puts `CI_MISSING_JINJA_VAR/{word}` in its place"
    )
    return finding(
        TEMPLATE_KEY_MISSING,
        f"`{fodder}` uses `{path}`, which the guest does not know: {lost}",
        span,
        "not known in the guest",
        related=related,
        notes=(f"in `{below}` there are {keys}",),
        help="use one of them, or say what stands there otherwise: `{{ NAME | default('...') }}`",
    )


@wording
def script_between_commands(
    fodder: Words, first: Words, last: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        SCRIPT_BETWEEN_COMMANDS,
        f"the script `{fodder}` stands between the commands of `{first}` and `{last}`, but runs"
        " before both",
        span,
        "runs before all `runcmd`",
        related=related,
        notes=("all `runcmd` entries of a guest run as one script",),
    )


# --- archives --------------------------------------------------------------------------------


@wording
def archive_broken(
    fodder: Words,
    problem: Words | Diagnostic,
    lost: Own,
    span: Span | None,
    related: tuple[Label, ...],
) -> Diagnostic:
    return finding(
        ARCHIVE_BROKEN,
        f"the archive `{fodder}` cannot be read: {_text(problem)}",
        span,
        lost,
        related=related,
    )


@wording
def archive_entry_dropped(
    fodder: Words,
    entry: Words,
    reason: Words,
    lost: Own,
    span: Span | None,
    related: tuple[Label, ...],
) -> Diagnostic:
    return finding(
        ARCHIVE_ENTRY_DROPPED,
        f"{entry} of the archive `{fodder}` is {reason}",
        span,
        lost,
        related=related,
        help="make it a fodder entry of its own",
    )


# --- templates -------------------------------------------------------------------------------


@wording
def template_shares_value(
    fodder: Words, key: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        TEMPLATE_SHARES_VALUE,
        f"the Jinja fodder entry `{fodder}` sets `{key}`, which other fodder entries set too, and "
        "theirs would win",
        span,
        "has no effect in the guest",
        related=related,
        help=f"leave `{key}` to one of them",
        notes=("a Jinja fodder entry is rendered in the guest, so it can only add to the others",),
    )


@wording
def template_comes_later(
    fodder: Words, first: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        TEMPLATE_COMES_LATER,
        f"the Jinja fodder entry `{fodder}` stands before `{first}`, but the guest adds it after "
        "all plain"
        " cloud-configs",
        span,
        "added last",
        related=related,
        notes=("its entries of a list, such as commands, come after theirs",),
    )


@wording
def templates_share_value(
    fodder: Words, other: Words, key: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        TEMPLATES_SHARE_VALUE,
        f"the Jinja fodder entries `{other}` and `{fodder}` both set `{key}`, and the first wins",
        span,
        f"`{other}` wins where it sets the key",
        related=related,
    )


@wording
def template_not_possible(
    fodder: Words, kind: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        TEMPLATE_NOT_POSSIBLE,
        f"`{fodder}` is a `{kind}`, which no guest renders as a Jinja template",
        span,
        "not for this type",
        related=related,
        help="remove the line, or make it a cloud-config, a shellscript or a cloud-boothook",
    )


@wording
def template_not_rendered(
    fodder: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        TEMPLATE_NOT_POSSIBLE,
        f"`{fodder}` is a Jinja template, which eryph's guest services never render",
        span,
        "the guest ignores it",
        related=related,
        help="use variables of the catlet, which the build replaces",
    )


# --- host names ------------------------------------------------------------------------------


@wording
def hostname_malformed(hostname: Words, label: Words, span: Span | None) -> Diagnostic:
    return finding(
        HOSTNAME_MALFORMED,
        f"the host name `{hostname}` is none by RFC 1123"
        + (f" because of `{label}`" if label and label != hostname else ""),
        span,
        "letters, digits and hyphens, at most 63 between dots",
    )


@wording
def hostname_is_address(hostname: Words, renamed: Words, span: Span | None) -> Diagnostic:
    return finding(
        HOSTNAME_IS_ADDRESS,
        f"the host name `{hostname}` is an address: the guest will be called `{renamed}`",
        span,
        "an address is no name",
    )


@wording
def hostname_too_long(hostname: Words, cut: Words, span: Span | None) -> Diagnostic:
    return finding(
        HOSTNAME_TOO_LONG,
        f"Windows takes 15 characters of a host name: `{hostname}` becomes `{cut}`",
        span,
        "too long for Windows",
    )


@wording
def hostname_of_digits(hostname: Words, span: Span | None) -> Diagnostic:
    return finding(
        HOSTNAME_OF_DIGITS,
        f"Windows takes no host name of digits only, such as `{hostname}`",
        span,
        "needs a letter",
    )


# --- networks --------------------------------------------------------------------------------


@wording
def adapters_without_address(
    names: Sequence[Words], span: Span | None, *, some: bool
) -> Diagnostic:
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


@wording
def network_config_invalid(problem: Words | Diagnostic, span: Span | None) -> Diagnostic:
    return finding(
        NETWORK_CONFIG_INVALID, f"the network-config is not valid: {_text(problem)}", span
    )


@wording
def network_address_twice(
    address: Words,
    span: Span | None,
    first: Span | None,
    names: tuple[Words, Words],
    *,
    adapters: bool = False,
) -> Diagnostic:
    """`adapters`: a Linux guest has two such adapters; else a file names one of them twice."""
    return finding(
        NETWORK_ADDRESS_TWICE,
        f"`{names[0]}` and `{names[1]}` have the same MAC address {address}",
        span,
        "the guest then sets up no network at all" if adapters else "no adapter can be both",
        related=(Label(first, "first here"),) if first is not None else (),
    )


@wording
def address_in_two_specs(
    address: Words, names: tuple[Words, Words], span: Span | None, first: Span | None
) -> Diagnostic:
    """What several specs of one run say; `names` are those of the catlets."""
    return finding(
        ADDRESS_IN_TWO_SPECS,
        f"the catlets `{names[0]}` and `{names[1]}` give the same MAC address {address}",
        span,
        related=(Label(first, "first here"),) if first is not None else (),
        notes=("on one network neither machine is reached reliably",),
    )


@wording
def network_address_not_text(written: Words, span: Span | None) -> Diagnostic:
    return finding(
        NETWORK_ADDRESS_NOT_TEXT,
        f"`{written}` is not read as a MAC address but as a number in base 60",
        span,
        "needs quotes",
        help=f'write `"{written}"`',
    )


@wording
def network_entry_doubtful(
    problem: Words, span: Span | None, label: Words = NO_WORDS
) -> Diagnostic:
    return finding(NETWORK_ENTRY_DOUBTFUL, problem, span, label)


@wording
def network_not_read_by_windows(problem: Words, span: Span | None) -> Diagnostic:
    return finding(NETWORK_NOT_READ_BY_WINDOWS, problem, span, "without effect in Windows")


@wording
def secret_not_declared(
    fodder: Words, what: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        SECRET_NOT_DECLARED,
        f"the fodder entry `{fodder}` counts as secret, as it holds {what}",
        span,
        "does not say that it is secret",
        related=related,
        notes=("files with it are readable for their owner alone, and no message shows its text",),
        help="write `secret: true`",
    )


# --- Linux guests ----------------------------------------------------------------------------


@wording
def linux_gets_windows_script(
    fodder: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        LINUX_GETS_WINDOWS_SCRIPT,
        f"`{fodder}` is a script for Windows, and the guest runs Linux",
        span,
        "no interpreter for it",
        related=related,
        help="say `--guest windows` if this is a Windows catlet",
    )


@wording
def linux_gets_windows_key(
    fodder: Words, key: Words, instead: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        LINUX_GETS_WINDOWS_KEY,
        f"`{key}` of `{fodder}` is known to Windows guests only",
        span,
        "ignored by cloud-init",
        related=related,
        help=f"use `{instead}`",
    )


@wording
def linux_password_plain(
    fodder: Words, path: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        LINUX_PASSWORD_PLAIN,
        f"`{path}.passwd` in `{fodder}` is no hash, so nobody can log in with it",
        span,
        "expected a hash such as `$6$...`",
        related=related,
        help="use `plain_text_passwd`, or put the hash here",
    )


@wording
def linux_path_expected(
    fodder: Words, path: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        LINUX_PATH_EXPECTED,
        f"`{path}` in `{fodder}` is no absolute path of a Linux guest",
        span,
        "expected a leading `/`",
        related=related,
    )
