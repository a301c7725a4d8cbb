"""The command line of `eryph-runtime`: one report on standard output, and an exit code.

Source: docs/reference/runtime.md, "The runtime"; docs/reference/command-line.md, "Exit codes".
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TextIO

from eryph_runtime import __version__
from eryph_runtime.client_lock import client_lock
from eryph_runtime.commands import COMMANDS, Asked
from eryph_runtime.decode import MalformedError
from eryph_runtime.deployment import Deployment
from eryph_runtime.document import load
from eryph_runtime.faults import HostFailure, RefusalError, UsageError
from eryph_runtime.guest_ssh import check_user
from eryph_runtime.host import Host
from eryph_runtime.hosts import open_host
from eryph_runtime.listing import list_machines
from eryph_runtime.printing import Progress, shown, text_report
from eryph_runtime.request import Request
from eryph_runtime.values import read_values

OK, REFUSED, USAGE, HOST, CHANGES, INTERRUPTED = 0, 1, 2, 3, 4, 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n{self.format_usage()}".rstrip())


def parser() -> argparse.ArgumentParser:
    """The grammar of the command line."""
    result = _Parser(
        prog="eryph-runtime",
        description="Carry out a Hyper-V deployment that eryphc built.",
        allow_abbrev=False,
    )
    result.add_argument("--version", action="version", version=f"eryph-runtime {__version__}")
    commands = result.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, summary) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        command.add_argument(
            "deployment", metavar="DEPLOYMENT", type=Path, help="deployment.json, or its folder"
        )
        _shown(command)
        command.add_argument(
            "--param", action="append", default=[], metavar="NAME=VALUE", help="an open setting"
        )
        command.add_argument(
            "--volume",
            action="append",
            default=[],
            metavar="DRIVE=PATH",
            help="the VHDX of a drive; host:PATH lies on the host",
        )
        command.add_argument(
            "--pool", action="append", default=[], type=Path, metavar="DIR", help="a gene pool"
        )
        command.add_argument(
            "--value-file",
            action="append",
            default=[],
            metavar="NAME=FILE",
            help="the value of an open slot; NAME=- is standard input",
        )
        command.add_argument(
            "--take-over", action="store_true", help="act on a machine of another user"
        )
        _own_options(name, command)
    listing = "list the machines of the host that carry our marker"
    _shown(commands.add_parser("list", help=listing, description=listing, allow_abbrev=False))
    return result


def _shown(command: argparse.ArgumentParser) -> None:
    """The options of every command: where, and how the answer looks."""
    command.add_argument(
        "--host",
        default=os.environ.get("ERYPH_HOST", "local"),
        metavar="HOST",
        help="local (default), ssh://[USER@]HOST[:PORT], winrm://[USER@]HOST[:PORT]",
    )
    command.add_argument("--format", choices=("text", "json"), default="text")
    command.add_argument("-q", "--quiet", action="store_true", help="no progress")
    command.add_argument("--powershell", metavar="PROGRAM", help=argparse.SUPPRESS)


def _own_options(name: str, command: argparse.ArgumentParser) -> None:
    def flag(option: str, help_: str) -> None:
        command.add_argument(option, action="store_true", help=help_)

    if name == "apply":
        flag("--start", "start the machine afterwards, and seal it when it is provisioned")
        flag("--restart", "power it off for changes that need that, then on again")
        flag("--force", "with --restart: turn it off if the guest does not shut down")
        flag("--keep", "leave what a failed creation made")
    if name == "stop":
        flag("--force", "turn it off if the guest does not shut down")
        flag("--end-worker", "as --force, and end its process on the host if it does not turn off")
    if name == "remove":
        flag("--keep-disks", "leave the disks")
        flag("--graceful", "shut the guest down first")
    if name in ("apply", "seal"):
        command.add_argument(
            "--guest-user",
            metavar="USER",
            help="ask cloud-init over SSH as this user whether it is done, before sealing",
        )
    if name in ("apply", "start", "stop", "ip", "seal"):
        command.add_argument(
            "--wait",
            nargs="?",
            const=-1,
            default=None,
            type=_seconds,
            metavar="SECONDS",
            help="wait for the guest (at most that long)",
        )


def _seconds(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return int(text)


def run(
    arguments: list[str],
    *,
    connect: Callable[[str, str | None], Host] = open_host,
    stdin: TextIO | None = None,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
) -> int:
    """Run one command line; every outcome is an exit code. `connect` opens the host."""
    stdout, stderr = stdout or sys.stdout, stderr or sys.stderr
    json_wanted = False
    command = "eryph-runtime"
    try:
        options = parser().parse_args(arguments)
        json_wanted, command = options.format == "json", options.command
        if command == "list":
            stdout.write(_list(connect(options.host, options.powershell), options))
            return OK
        deployment = _load(options.deployment)
        request = _request(options, deployment, stdin or sys.stdin)
        progress = Progress(stderr, quiet=options.quiet)
        asked = Asked(
            deployment=deployment,
            request=request,
            options=options,
            talk=progress,
        )
        with client_lock(deployment.catlet.id, options.host, command):
            host = connect(options.host, options.powershell)
            try:
                report = COMMANDS[command][0](host, asked)
            finally:
                host.close()
        report = {
            "schema": "eryphc/runtime-report/v1",
            "command": command,
            "catlet": deployment.catlet.id,
            "host": options.host,
            **report,
        }
        code = int(report.pop("exit_code"))
        stdout.write(_json(report) if json_wanted else text_report(report))
        stdout.flush()
        return code
    except UsageError as error:
        stderr.write(f"error: {error}\n")
        return USAGE
    except RefusalError as error:
        _fail(stdout, stderr, command, "refused", list(error.reasons), json_wanted=json_wanted)
        return REFUSED
    except HostFailure as error:
        _host_failed(stdout, stderr, command, error, json_wanted=json_wanted)
        return HOST
    except KeyboardInterrupt:
        stderr.write("interrupted; `apply` again goes on, `remove` cleans up\n")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone: write nothing more, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except SystemExit as end:
        return int(end.code or 0) if isinstance(end.code, int) or end.code is None else USAGE


def _list(host: Host, options: argparse.Namespace) -> str:
    try:
        report = list_machines(host)
    finally:
        host.close()
    if options.format == "json":
        head = {"schema": "eryphc/runtime-report/v1", "command": "list", "host": options.host}
        return _json({**head, **report})
    return "".join(
        f"{shown(each['name'])} ({each['id']}): {each['state']}\n" for each in report["machines"]
    )


def _load(path: Path) -> Deployment:
    try:
        return load(path)
    except FileNotFoundError:
        raise RefusalError(f"{path}: no such deployment") from None
    except MalformedError as error:
        raise RefusalError(
            f"{path}: {error}; build it again if another version of eryphc wrote it"
        ) from None
    except OSError as error:
        raise HostFailure(f"{path}: {error.strerror}") from None


def _request(options: argparse.Namespace, deployment: Deployment, stdin: TextIO) -> Request:
    path: Path = options.deployment
    if (guest_user := getattr(options, "guest_user", None)) is not None:
        check_user(guest_user)
    drives = {each.name for each in deployment.drives if each.volume is not None}
    volumes = _pairs(options.volume, "--volume")
    for name in sorted(set(volumes) - drives):
        known = ", ".join(sorted(drives)) or "none"
        raise UsageError(
            f"--volume {name}: no drive of that name takes a volume (there are {known})"
        )
    pools = [*options.pool, *map(Path, filter(None, _pool_path()))]
    return Request(
        folder=path if path.is_dir() else path.parent,
        parameters=_pairs(options.param, "--param"),
        volumes=volumes,
        values=read_values(deployment, _pairs(options.value_file, "--value-file"), stdin),
        pools=tuple(pools),
        user=_user(),
        take_over=options.take_over,
    )


def _pool_path() -> list[str]:
    return os.environ.get("ERYPHC_GENEPOOL", "").split(os.pathsep)


def _pairs(texts: list[str], option: str) -> dict[str, str]:
    result = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals or not value:
            raise UsageError(f"{option} takes NAME=VALUE, not {text!r}")
        if name in result:
            raise UsageError(f"{option} {name} is given twice")
        result[name] = value
    return result


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return None


def _json(report: dict[str, Any]) -> str:
    return json.dumps(report, indent=2, sort_keys=True) + "\n"


def _fail(
    stdout: TextIO,
    stderr: TextIO,
    command: str,
    kind: str,
    reasons: list[str],
    *,
    json_wanted: bool,
    more: dict[str, Any] | None = None,
) -> None:
    if json_wanted:
        report = {
            "schema": "eryphc/runtime-report/v1",
            "command": command,
            "error": {"kind": kind, "reasons": reasons, **(more or {})},
        }
        stdout.write(_json(report))
        return
    stderr.writelines(f"error: {shown(reason)}\n" for reason in reasons)


def _host_failed(
    stdout: TextIO, stderr: TextIO, command: str, error: HostFailure, *, json_wanted: bool
) -> None:
    told = error.error
    more: dict[str, Any] = {
        "step": told.step if told else None,
        "object": told.object if told else None,
        "category": told.category if told else None,
        "id": told.id if told else None,
        "hresult": told.hresult if told else None,
        "hint": error.hint,
        "undone": list(error.undone),
        "left": list(error.left),
    }
    _fail(stdout, stderr, command, "host", [str(error)], json_wanted=json_wanted, more=more)
    if json_wanted:
        return
    if error.hint:
        stderr.write(f"  hint: {error.hint}\n")
    stderr.writelines(f"  undone: {shown(text)}\n" for text in error.undone)
    stderr.writelines(f"  left: {shown(text)}\n" for text in error.left)
