"""The values of open slots: from files or standard input, never from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from eryph_runtime.deployment import Deployment, Slot
from eryph_runtime.faults import RefusalError, UsageError
from eryph_runtime.slots import value_fault

_LIMIT = 1024 * 1024


def read_values(deployment: Deployment, files: dict[str, str], stdin: TextIO) -> dict[str, str]:
    """The values in `files` (slot to path, `-` for standard input), each checked.

    One slot may take all of standard input, less one final line feed. Without any file,
    standard input that is no terminal may hold lines NAME=VALUE.
    Raises UsageError, RefusalError; no text ever holds a value.
    """
    slots: dict[str, Slot] = {}
    for seed in (deployment.seed, deployment.sealed):
        if seed is not None:
            slots |= {slot.name: slot for slot in seed.open_values}
    for name in files:
        if name not in slots:
            known = ", ".join(sorted(slots)) or "none"
            raise UsageError(f"--value-file {name}: no open slot of that name (there are {known})")
    if list(files.values()).count("-") > 1:
        raise UsageError("--value-file: only one value can come from standard input")
    values = {}
    for name, path in files.items():
        try:
            text = stdin.read(_LIMIT) if path == "-" else _read(Path(path))
        except (OSError, UnicodeDecodeError):
            raise RefusalError(f"--value-file {name}: {path} cannot be read as text") from None
        values[name] = text.removesuffix("\n").removesuffix("\r")
    if slots and not files and not _interactive(stdin):
        values = _lines(stdin, slots)
    for name, value in values.items():
        if fault := value_fault(slots[name], value):
            raise RefusalError(fault)
    return values


def _read(path: Path) -> str:
    with path.open(encoding="ascii", newline="") as stream:
        return stream.read(_LIMIT)


def _interactive(stdin: TextIO) -> bool:
    try:
        return stdin.isatty()
    except ValueError:
        return True


def _lines(stdin: TextIO, slots: dict[str, Slot]) -> dict[str, str]:
    try:
        text = stdin.read(_LIMIT)
    except (OSError, UnicodeDecodeError):
        # A closed or unreadable input holds no values.
        return {}
    values = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, equals, value = line.partition("=")
        if not equals or name not in slots:
            raise RefusalError(f"standard input, line {number}: not NAME=VALUE of an open slot")
        values[name] = value
    return values
