"""`eryphc cache`: what is in the user's cache, and keeping it small, empty or sound."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import Final

import click

from eryphc import caches
from eryphc.cli import options as shared
from eryphc.cli.console import FAILED_OUTSIDE, OK, WRONG_INPUT, Console, speaking, write
from eryphc.cli.groups import CommandGroup
from eryphc.diagnostics.words import json_text

_UNITS: Final = ("K", "M", "G", "T")
_SIZE: Final = re.compile(r"(\d{1,15}) ?(?:([KMGT])(?:i?B)?|B)?", re.ASCII | re.IGNORECASE)

_where = shared.all_of(shared.cache_dir, shared.printed("How it is printed."))


def _size(context: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
    """The bytes of a size; K, M, G and T are each 1024 times the one before."""
    if text is None:
        return None
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise click.BadParameter(f"`{text}` is no size such as 500M or 2G", context, parameter)
    unit = found[2]
    return int(found[1]) * (1024 ** (1 + _UNITS.index(unit.upper())) if unit else 1)


@click.group("cache", cls=CommandGroup)
def command() -> None:
    """Look into the cache, keep it small, empty or verify it."""


@command.command("info")
@_where
@speaking()
def cache_info(cache_dir: str | None, output_format: str, *, console: Console) -> int:
    """Print what is in the cache: files and bytes by kind."""
    found = caches.info(cache_dir, os.environ)
    total = sum(each.bytes for each in found.held)
    if output_format == "json":
        kinds = {each.kind: {"files": each.files, "bytes": each.bytes} for each in found.held}
        write(sys.stdout, json_text({"path": found.path, "bytes": total, "kinds": kinds}))
        return console.finish()
    lines = [f"{found.path}\n"]
    lines += [
        f"  {each.kind:<9} {_bytes(each.bytes):>10}  in {_files(each.files)}\n"
        for each in found.held
    ]
    lines.append(f"  {'all':<9} {_bytes(total):>10}\n")
    write(sys.stdout, "".join(lines))
    return console.finish()


@command.command("prune")
@click.option(
    "--max-size",
    "most",
    metavar="SIZE",
    callback=_size,
    help="Also remove outputs, those used longest ago first, until no more is left. Disk images"
    " do not count.",
)
@_where
@speaking()
def cache_prune(
    most: int | None, cache_dir: str | None, output_format: str, *, console: Console
) -> int:
    """Remove what nothing needs any more.

    What the lock files of your projects name stays, and so do stored outputs and disk images, and
    everything that was used in the last day.
    """
    done = caches.prune(cache_dir, os.environ, most, _waiting(console))
    console.hand(done.diagnostics)
    for path in done.unread:
        console.say(f"nothing was removed, because the lock file {path} cannot be read")
    if output_format == "json":
        data = {
            "path": done.path,
            "removed": {"files": done.files, "bytes": done.bytes},
            "left": done.left,
            "unread": list(done.unread),
        }
        write(sys.stdout, json_text(data))
    else:
        removed = f"removed {_files(done.files)}, {_bytes(done.bytes)}"
        write(sys.stdout, f"{removed}; {_bytes(done.left)} left\n")
    return console.finish()


@command.command("clear")
@click.option("--volumes", is_flag=True, help="Remove the disk images, too.")
@_where
@speaking()
def cache_clear(
    cache_dir: str | None, output_format: str, *, volumes: bool, console: Console
) -> int:
    """Remove everything but the disk images.

    These take long to fetch and to convert again.
    """
    gone = caches.clear(cache_dir, os.environ, volumes=volumes, waiting=_waiting(console))
    files = sum(each.files for each in gone.held)
    size = sum(each.bytes for each in gone.held)
    if output_format == "json":
        data = {"path": gone.path, "removed": {"files": files, "bytes": size}}
        write(sys.stdout, json_text(data))
    else:
        write(sys.stdout, f"removed {_files(files)}, {_bytes(size)}\n")
    return console.finish()


@command.command("verify")
@_where
@speaking()
def cache_verify(cache_dir: str | None, output_format: str, *, console: Console) -> int:
    """Look for damage, and remove what is damaged.

    Everything is hashed, disk images too, and all seals and signatures are checked. The exit code
    is 1 if something was damaged.
    """
    done = caches.verify(cache_dir, os.environ, _waiting(console))
    console.hand((*done.diagnostics, *done.unchecked))
    if output_format == "json":
        data = {"path": done.path, "checked": done.checked, "damaged": len(done.diagnostics)}
        write(sys.stdout, json_text(data))
    else:
        damaged = len(done.diagnostics) or "none"
        write(sys.stdout, f"looked at {done.checked}, {damaged} damaged\n")
    code = OK if not done.unchecked else FAILED_OUTSIDE
    return console.finish(WRONG_INPUT if done.diagnostics else code)


def _waiting(console: Console) -> Callable[[], None]:
    return lambda: console.say("waiting for another run that works on the cache")


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


def _bytes(size: int) -> str:
    if size < 1024:
        return f"{size} B"
    number = float(size)
    for unit in _UNITS:
        number /= 1024
        if number < 1024 or unit == _UNITS[-1]:
            break
    return f"{number:.1f} {unit}iB"
