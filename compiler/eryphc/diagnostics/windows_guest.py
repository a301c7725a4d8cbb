"""W0570 to W0589 and their notes: what a Windows guest makes of its configuration.

Source: docs/reference/windows-guests.md, "What eryphc warns of".
"""

from __future__ import annotations

from eryphc.diagnostics.model import Code, Diagnostic, Label, Level, finding, wording
from eryphc.diagnostics.said import Own, Words
from eryphc.source import Span

WINDOWS_IGNORES_PART = Code("W0570", "windows-ignores-part")
WINDOWS_IGNORES_KEY = Code("W0571", "windows-ignores-key")
WINDOWS_PASSWORD_HASH = Code("W0572", "windows-password-hash")
WINDOWS_SCRIPT_NOT_RUN = Code("W0573", "windows-script-not-run")
WINDOWS_SCRIPT_NEEDS_SHELL = Code("W0574", "windows-script-needs-shell")
WINDOWS_RENAMES_TWICE = Code("W0575", "windows-renames-twice")
WINDOWS_SCRIPT_ENDS_RUN = Code("W0576", "windows-script-ends-run")
WINDOWS_SCRIPT_RESTARTS = Code("W0577", "windows-script-restarts")
WINDOWS_PATH_EXPECTED = Code("W0578", "windows-path-expected")
WINDOWS_DEVICE_NAME = Code("W0579", "windows-device-name")
WINDOWS_32_BIT_IGNORED = Code("W0580", "windows-32-bit-ignored")
WINDOWS_RUNS_AGAIN = Code("N0552", "windows-runs-again")


@wording
def windows_ignores_part(
    fodder: Words, agent: Own, what: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    does = {"cloudbase-init": "does not know", "eryph's guest services": "do not know"}
    return finding(
        WINDOWS_IGNORES_PART,
        f"a Windows guest ignores `{fodder}`: {agent} {does.get(agent, 'know')} {what}",
        span,
        "without effect",
        related=related,
    )


@wording
def windows_ignores_key(
    fodder: Words,
    key: Words,
    agent: Own,
    span: Span | None,
    related: tuple[Label, ...],
    instead: Words | None = None,
) -> Diagnostic:
    return finding(
        WINDOWS_IGNORES_KEY,
        f"a Windows guest ignores `{key}` of `{fodder}`",
        span,
        f"supported by {agent}" if agent.startswith("neither") else f"not supported by {agent}",
        related=related,
        help=instead,
    )


@wording
def windows_password_hash(
    fodder: Words, key: Own, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        WINDOWS_PASSWORD_HASH,
        f"`{key}` in `{fodder}` has a hash, which a Windows guest takes for the password itself",
        span,
        "expected plain text",
        related=related,
    )


@wording
def windows_script_not_run(
    fodder: Words, name: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        WINDOWS_SCRIPT_NOT_RUN,
        f"a Windows guest does not run `{fodder}`: neither the name `{name}` nor the first line"
        " names an interpreter",
        span,
        "expected `#ps1`, `rem cmd` or a file name that ends in `.ps1` or `.cmd`",
        related=related,
    )


@wording
def windows_script_needs_shell(
    fodder: Words, shell: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        WINDOWS_SCRIPT_NEEDS_SHELL,
        f"`{fodder}` needs {shell} in the Windows guest, which is not there by itself",
        span,
        "names its interpreter",
        related=related,
    )


@wording
def windows_script_never_run(
    fodder: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        WINDOWS_SCRIPT_NEEDS_SHELL,
        f"eryph's guest services never run `{fodder}`: they have no shell for `.sh` and `#!`",
        span,
        "passed over",
        related=related,
        help="write it for PowerShell",
    )


@wording
def windows_renames_twice(
    fodder: Words, key: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        WINDOWS_RENAMES_TWICE,
        f"`{key}` of `{fodder}` makes a Windows guest restart and run its user-data again",
        span,
        "everything before it runs twice",
        related=related,
        help="set the catlet's `hostname` instead",
    )


@wording
def windows_script_ends_run(
    fodder: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        WINDOWS_SCRIPT_ENDS_RUN,
        f"after exit code 1001 of `{fodder}` a Windows guest never runs the fodder entries that "
        "follow",
        span,
        "restarts, and counts as done",
        related=related,
        help="use `exit 1003` in a script that may run again, or make it the last fodder entry",
    )


@wording
def windows_config_never_ends(
    fodder: Words, code: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        WINDOWS_SCRIPT_ENDS_RUN,
        f"exit code {code} in `runcmd` of `{fodder}` makes a Windows guest restart and run it "
        "again,"
        " without end",
        span,
        "restarts, and runs again",
        related=related,
    )


@wording
def windows_script_restarts(
    fodder: Words,
    command: Words,
    span: Span | None,
    related: tuple[Label, ...],
    *,
    again: bool = False,
) -> Diagnostic:
    """`again`: the agent runs this one again after each restart, and has no limit."""
    if again:
        return finding(
            WINDOWS_SCRIPT_RESTARTS,
            f"`{command}` in `{fodder}` restarts a Windows guest before it counts as done, so it "
            "runs again after each restart, without limit",
            span,
            "not marked as done",
            related=related,
            help="end the script with `exit 1001` (go on after the restart) or `exit 1003` (run "
            "again)",
        )
    return finding(
        WINDOWS_SCRIPT_RESTARTS,
        f"`{command}` in `{fodder}` restarts a Windows guest while its user-data is running",
        span,
        "nothing is marked as done",
        related=related,
        help="end the script with `exit 1003` (run again after the restart) or, in the last "
        "fodder entry,"
        " `exit 1001`",
    )


@wording
def windows_runs_again(
    fodder: Words, code: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    if code == "1002":
        # Without quotes: a quoted word of a secret fodder entry would be hidden, and a code is
        # none.
        message = (
            f"exit code 1002 of `{fodder}` counts in a Windows guest only in the last fodder entry"
        )
        label = "without effect here"
    else:
        message = (
            f"after exit code {code} of `{fodder}` a Windows guest runs all fodder entries again"
        )
        label = "restarts, and begins with the first fodder entry"
    return finding(WINDOWS_RUNS_AGAIN, message, span, label, related=related)


@wording
def egs_runs_again(fodder: Words, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        WINDOWS_RUNS_AGAIN,
        f"after exit code 1003 of `{fodder}` eryph's guest services restart and run it alone "
        "again, ten times at most",
        span,
        "restarts, and runs again",
        related=related,
    )


@wording
def egs_goes_on(fodder: Words, span: Span | None, related: tuple[Label, ...]) -> Diagnostic:
    return finding(
        WINDOWS_SCRIPT_ENDS_RUN,
        f"after exit code 1001 of `{fodder}` eryph's guest services restart and go on with the "
        "next script",
        span,
        "restarts, and counts as done",
        related=related,
    )._replace(level=Level.NOTE)


@wording
def egs_translates_path(
    fodder: Words, path: Words, result: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        WINDOWS_PATH_EXPECTED,
        f"eryph's guest services write `{path}` of `{fodder}` to `{result}`",
        span,
        "a path of Linux",
        related=related,
    )._replace(level=Level.NOTE)


@wording
def windows_path_expected(
    fodder: Words, path: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        WINDOWS_PATH_EXPECTED,
        f"`{path}` in `{fodder}` is no path of a Windows guest",
        span,
        "expected a drive letter",
        related=related,
    )


@wording
def windows_device_name(
    fodder: Words, name: Words, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        WINDOWS_DEVICE_NAME,
        f"Windows cannot write the script `{fodder}` to a file called `{name}`",
        span,
        "the name of a device",
        related=related,
    )


@wording
def windows_32_bit_ignored(
    fodder: Words, name: Words | None, span: Span | None, related: tuple[Label, ...]
) -> Diagnostic:
    """`name` None: the agent runs all in 64 bits."""
    if name is None:
        return finding(
            WINDOWS_32_BIT_IGNORED,
            f"`{fodder}` asks for 32-bit PowerShell, and eryph's guest services run all in 64 bits",
            span,
            "without effect",
            related=related,
            help="start the 32-bit PowerShell in the script",
        )
    return finding(
        WINDOWS_32_BIT_IGNORED,
        f"`{fodder}` asks for 32-bit PowerShell, but its name `{name}` makes it run in 64 bits",
        span,
        "loses against the extension",
        related=related,
        help="leave the file name out",
    )
