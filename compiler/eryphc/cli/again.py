"""The words of a command line that mean the same from another working folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click

from eryphc import NetworkConfigMode

_FOLDERS: Final = ("genepools",)
_FILES: Final = ("variable_files", "cache_from", "cache_dir")
_SKIPPED: Final = frozenset(
    {
        # How it keeps outputs, and where they go.
        *("own_cache", "no_cache", "cache_to", "check_reproducible", "output"),
        # How it speaks.
        *("color", "diagnostics", "no_input", "output_format", "progress", "quiet", "verbose"),
        # What is not to be the same.
        *("key", "with_times"),
    }
)
_LAYOUT: Final = "oci-layout:"


def words_again(context: click.Context, specs: Sequence[str], output: Path) -> list[str]:
    """`build` as it was called, without outputs of caches and into `output`, for a process that
    works elsewhere: every path that was given is absolute."""
    words = ["build", "--no-cache", "--no-input", "--output", str(output)]
    for parameter in context.command.params:
        name = parameter.name or ""
        if isinstance(parameter, click.Option) and name not in _SKIPPED:
            words += _option(parameter, name, context.params.get(name))
    return [*words, "--", *map(_absolute, specs)]


def _option(parameter: click.Option, name: str, value: Any) -> Iterator[str]:
    option = max(parameter.opts, key=len)
    if value is None or value is False:
        return
    if value is True:
        yield option
        return
    for each in value if isinstance(value, tuple) else (value,):
        yield f"{option}={_moved(name, str(each))}"


def _moved(name: str, text: str) -> str:
    """The value of an option, with an absolute path where it is one."""
    if name in _FILES:
        return _absolute(text)
    if name in _FOLDERS:
        if "://" in text:
            return text
        folder = text.removeprefix(_LAYOUT)
        return (_LAYOUT if folder != text else "") + _absolute(folder)
    if name == "network_config" and text not in tuple(NetworkConfigMode):
        return _absolute(text)
    key, equals, rest = text.partition("=")
    if name == "variables" and rest.startswith("@") and not rest.startswith("@@"):
        return f"{key}=@{_absolute(rest[1:])}"
    if name == "target_option_volume" and equals:
        return f"{key}={_absolute(rest)}"
    return text


def _absolute(path: str) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - links stay as they are
