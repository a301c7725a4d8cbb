"""What single agents of guests make of their configuration: eryph's guest services, nuageinit.

The level of a finding depends on whether the agent was stated, so each function takes it.
Source: docs/reference/guest-agents.md, "What eryphc warns of".
"""

from __future__ import annotations

from eryphc.diagnostics.model import Code, Diagnostic, Label, Level, finding, wording
from eryphc.diagnostics.said import Own, Words
from eryphc.source import Span

NUAGEINIT_FORM = Code("E0591", "nuageinit-form")
EGS_SHAPE_REFUSED = Code("E0592", "egs-shape-refused")
EGS_PATH_REFUSED = Code("E0593", "egs-path-refused")
GROUPS_FORM = Code("E0594", "groups-form")
ADDRESS_WITHOUT_PREFIX = Code("E0595", "address-without-prefix")
LOCALE_REFUSED = Code("E0596", "locale-refused")
CONTENT_REFUSED = Code("E0597", "content-refused")
WINDOWS_PASSWORD_LONG = Code("W0546", "windows-password-long")
PASSWORD_EXPIRES = Code("W0547", "password-expires")
DEFAULT_ACCOUNT = Code("W0548", "default-account")
NETWORK_CONFIG_IGNORED = Code("W0549", "network-config-ignored")
PASSWORD_POLICY = Code("W0590", "password-policy")
ACCOUNT_MISSING = Code("W0591", "account-missing")
RUNCMD_BEFORE_SCRIPT = Code("W0592", "runcmd-before-script")
TEXT_USER = Code("W0593", "text-user")
NO_PASSWORD = Code("W0594", "no-password")
SUDO_WORD = Code("W0595", "sudo-word")
GROUPS_ONE_NAME = Code("W0596", "groups-one-name")
SCRIPT_NAME_LOST = Code("W0597", "script-name-lost")
RUNCMD_NO_SHELL = Code("W0598", "runcmd-no-shell")
TWO_AGENTS = Code("W0599", "two-agents")
DELAY_UNIT = Code("N0555", "delay-unit")
NTP_DISABLED = Code("N0556", "ntp-disabled")
SECRET_STAYS = Code("N0557", "secret-stays")
EVALUATION_RESTART = Code("N0558", "evaluation-restart")


@wording
def nuageinit_form(
    what: Words,
    lost: Own,
    level: Level,
    span: Span | None,
    related: tuple[Label, ...] = (),
) -> Diagnostic:
    return finding(
        NUAGEINIT_FORM,
        f"nuageinit of a FreeBSD guest takes one plain cloud-config, and {what}",
        span,
        lost,
        related=related,
        help="say `--guest-agent cloud-init` if the image has the port of cloud-init",
    )._replace(level=level)


@wording
def egs_shape_refused(
    fodder: Words,
    key: Words,
    wanted: Own,
    level: Level,
    place: Label | None,
    related: tuple[Label, ...],
) -> Diagnostic:
    """`key` is empty where the text as a whole is refused."""
    what = f"`{key}` of `{fodder}`" if key else f"the text of `{fodder}`"
    return finding(
        EGS_SHAPE_REFUSED,
        f"eryph's guest services refuse {what} and then apply nothing of the user-data",
        None if place is None else place.span,
        f"expected {wanted}",
        related=related,
        notes=("no other part is carried out either, and each boot tries again",),
    )._replace(level=level)


# --- paths, groups, content ----------------------------------------------------------------------


@wording
def egs_path_refused(
    fodder: Words, path: Words, level: Level, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        EGS_PATH_REFUSED,
        f"eryph's guest services stop at the path `{path}` of `{fodder}`, and what comes later is "
        "not done",
        span,
        "expected a path on drive C without `..` and `%`",
        related=related,
    )._replace(level=level)


@wording
def groups_form(
    fodder: Words,
    what: Words,
    effect: Own,
    level: Level,
    span: Span | None,
    related: tuple[Label, ...],
) -> Diagnostic:
    return finding(
        GROUPS_FORM,
        f"`groups` of `{fodder}` has {what}: {effect}",
        span,
        "another form",
        related=related,
        help="name the group in `groups` of the user where it exists, or make it by "
        "`net localgroup` in a `runcmd` text",
    )._replace(level=level)


@wording
def content_refused(
    fodder: Words, what: Own, level: Level, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        CONTENT_REFUSED,
        f"a file of `{fodder}` is no {what}: eryph's guest services stop there, and what comes "
        "later is not done",
        span,
        "does not decode",
        related=related,
        notes=("cloudbase-init 1.1.9 writes the text as it stands",),
    )._replace(level=level)


@wording
def address_without_prefix(address: Words, level: Level, span: Span | None) -> Diagnostic:
    return finding(
        ADDRESS_WITHOUT_PREFIX,
        f"`{address}` has no prefix length: eryph's guest services stop there, before any user is "
        "made",
        span,
        "expected `/24` or so",
    )._replace(level=level)


@wording
def locale_refused(
    fodder: Words, locale: Words, level: Level, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        LOCALE_REFUSED,
        f"`{locale}` of `{fodder}` is a locale of Linux: eryph's guest services hand it to Windows "
        "as it is, and a refusal ends the run before any user is made",
        span,
        "expected a form such as `de-DE`",
        related=related,
    )._replace(level=level)


@wording
def timezone_refused(
    fodder: Words, zone: Words, level: Level, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        LOCALE_REFUSED,
        f"`{zone}` of `{fodder}` is no time zone of IANA or Windows: eryph's guest services stop "
        "there, before any user is made",
        span,
        "expected a form such as `Europe/Berlin`",
        related=related,
    )._replace(level=level)


# --- users and passwords -------------------------------------------------------------------------


@wording
def account_missing(
    fodder: Words, account: Words, level: Level, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        ACCOUNT_MISSING,
        f"`chpasswd` of `{fodder}` names `{account}`, which the catlet does not make: where it is "
        "missing, eryph's guest services stop",
        span,
        "not made here",
        related=related,
    )._replace(level=level)


@wording
def text_user(
    fodder: Words, name: Words, level: Level, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        TEXT_USER,
        f"eryph's guest services make an account `{name}` with a blank password of the text in "
        f"`users` of `{fodder}`",
        span,
        "becomes an account",
        related=related,
    )._replace(level=level)


@wording
def no_password(
    fodder: Words, name: Words, level: Level, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        NO_PASSWORD,
        f"`{name}` of `{fodder}` has no password: eryph's guest services make it blank, "
        "cloudbase-init 1.1.9 a random one that nobody knows",
        span,
        "without a password",
        related=related,
    )._replace(level=level)


@wording
def sudo_word(
    fodder: Words, level: Level, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        SUDO_WORD,
        f"`sudo` of a user of `{fodder}` makes an administrator with eryph's guest services: only "
        "`false` and an empty text do not",
        span,
        "an administrator",
        related=related,
        help="leave `sudo` out",
    )._replace(level=level)


@wording
def groups_one_name(
    fodder: Words, level: Level, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        GROUPS_ONE_NAME,
        f"eryph's guest services take `groups` of a user of `{fodder}` for the name of one group, "
        "commas included",
        span,
        "one name",
        related=related,
        help="write a list",
    )._replace(level=level)


@wording
def password_policy(
    fodder: Words,
    name: Words,
    what: Own,
    level: Level,
    span: Span | None,
    related: tuple[Label, ...],
) -> Diagnostic:
    return finding(
        PASSWORD_POLICY,
        f"the password of `{name}` in `{fodder}` {what}: where the policy of Windows refuses it, "
        "eryph's guest services stop",
        span,
        "may be refused",
        related=related,
    )._replace(level=level)


@wording
def password_expires(
    fodder: Words, key: Words, level: Level, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        PASSWORD_EXPIRES,
        f"a password that `{key}` of `{fodder}` sets must be changed at the next log-on, and a "
        "remote log-on fails until then",
        span,
        "expires at once with eryph's guest services",
        related=related,
        help="say `chpasswd: {expire: false}`",
    )._replace(level=level)


@wording
def windows_password_long(
    fodder: Words, name: Words, level: Level, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        WINDOWS_PASSWORD_LONG,
        f"the password of `{name}` in `{fodder}` has more than 20 characters: cloudbase-init 1.1.9 "
        "does not make the user",
        span,
        "at most 20 characters",
        related=related,
    )._replace(level=level)


@wording
def default_account(level: Level, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        DEFAULT_ACCOUNT,
        "nuageinit makes an account `freebsd` with the password `freebsd`, because `users` is "
        "missing or names `default`",
        span,
        "",
        related=related,
        help="list users without `default`",
    )._replace(level=level)


# --- order and commands --------------------------------------------------------------------------


@wording
def runcmd_before_script(
    script: Words, config: Words, level: Level, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        RUNCMD_BEFORE_SCRIPT,
        f"eryph's guest services run `runcmd` of `{config}` before the script `{script}`, which "
        "stands before it",
        span,
        "runs after all cloud-configs",
        related=related,
        help="make the commands a script too",
    )._replace(level=level)


@wording
def script_name_lost(
    fodder: Words, level: Level, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        SCRIPT_NAME_LOST,
        f"eryph's guest services run `{fodder}` as PowerShell: neither its name nor its first line "
        "says otherwise to them",
        span,
        "taken for PowerShell",
        related=related,
        help="begin with `#ps1`, or give it a `filename` that ends in `.cmd`",
    )._replace(level=level)


@wording
def runcmd_no_shell(
    fodder: Words,
    command: Words,
    level: Level,
    span: Span | None,
    related: tuple[Label, ...],
    *,
    kept: bool,
) -> Diagnostic:
    """`kept`: a text whose effect the next entry does not see; else a list of a builtin of cmd."""
    message = (
        f"`{command}` in `runcmd` of `{fodder}` has no effect on the entries that follow: eryph's "
        "guest services run each in a shell of its own"
        if kept
        else f"`{command}` in `runcmd` of `{fodder}` is no program: eryph's guest services start a "
        "list without a shell"
    )
    return finding(
        RUNCMD_NO_SHELL,
        message,
        span,
        "fails, and the run goes on" if not kept else "ends with its entry",
        related=related,
        help="write the command as one text" if not kept else "write both in one text",
    )._replace(level=level)


@wording
def two_agents(fodder: Words, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        TWO_AGENTS,
        f"`{fodder}` installs eryph's guest services into a guest that cloudbase-init configures: "
        "since release 0.4.0 both carry out the same seed",
        span,
        "users, files and commands twice",
        related=related,
        notes=("its publisher says not to run both; this was not seen on Windows",),
        help="set `ProvisioningEnabled` to 0 below `HKLM\\SOFTWARE\\eryph\\guest-services` before "
        "the service starts",
    )


# --- notes ---------------------------------------------------------------------------------------


@wording
def delay_unit(fodder: Words, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        DELAY_UNIT,
        f"`power_state.delay` of `{fodder}` counts seconds with eryph's guest services, and "
        "minutes with cloud-init",
        span,
        "seconds",
        related=related,
        help="write `+N` for minutes",
    )


@wording
def ntp_disabled(fodder: Words, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        NTP_DISABLED,
        f"`ntp.enabled: false` of `{fodder}` turns the time service off with eryph's guest "
        "services; cloudbase-init 1.1.9 passes the key over",
        span,
        "no time service",
        related=related,
    )


@wording
def secret_stays(fodder: Words, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        SECRET_STAYS,
        f"eryph's guest services keep the secrets of `{fodder}` in files of the guest, also after "
        "the seed is sealed",
        span,
        "stays in the guest",
        related=related,
        notes=("they lie in `%ProgramData%\\eryph\\provisioning` until `egs-service reset`",),
    )


@wording
def network_config_ignored(system: Own, span: Span | None) -> Diagnostic:
    return finding(
        NETWORK_CONFIG_IGNORED,
        f"eryph's images of {system} turn cloud-init's network off, so the network-config is "
        "ignored",
        span,
        "says which image it is",
    )


@wording
def evaluation_restart(span: Span | None) -> Diagnostic:
    return finding(
        EVALUATION_RESTART,
        "eryph's guest services re-arm an evaluation edition of Windows, and restart it between "
        "`runcmd` and the scripts",
        span,
        "an evaluation edition",
        help="say `license: {rearm: false}` in a cloud-config to leave it as it is",
    )
