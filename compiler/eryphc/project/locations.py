"""Where pools lie as options and variables name them: folders, image layouts and registries."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from eryphc.diagnostics import command
from eryphc.diagnostics.model import Diagnostic
from eryphc.project.places import LAYOUT, REGISTRY

POOLS_VARIABLE = "ERYPHC_GENEPOOL"
# The separator of POSIX systems stands inside addresses of registries and layouts.
_LOCATION = re.compile(
    rf"(?:{REGISTRY}(?:\[[^\]]*\]|[^/{os.pathsep}]*)(?::[0-9]+)?|{LAYOUT})?[^{os.pathsep}]+",
    re.ASCII,
)


def pool_locations(text: str) -> tuple[str, ...]:
    """The pools that a variable names, separated as in `PATH`."""
    return tuple(_LOCATION.findall(text))


def named_locations(given: Sequence[str], environment: str | None) -> Iterator[tuple[str, str]]:
    """The pools that are named for all specs, each with who names it."""
    for location in given:
        yield location, "--genepool"
    for location in pool_locations(environment or ""):
        yield location, POOLS_VARIABLE


def locations_fault(locations: Sequence[str], environment: str | None) -> Diagnostic | None:
    """What is wrong with the pools that options name, as wrong usage."""
    for location, where in named_locations(locations, environment):
        if location.startswith(REGISTRY):
            fault = _location_fault(location)
            if fault is not None:
                return command.pool_location(location, fault, where)
            continue
        if "://" in location:
            return command.pool_unsupported(location.partition("://")[0], where)
        folder = location.removeprefix(LAYOUT)
        if not Path(folder).is_dir():
            return command.pool_not_found(folder, where)
        if folder != location:
            from eryphc.genepool.layout import is_layout

            if not is_layout(Path(folder)):
                return command.pool_no_layout(folder, where)
    return None


def _location_fault(location: str) -> str | None:
    """What is wrong with the address of a registry."""
    from eryphc.genepool.registry_names import TemplateError
    from eryphc.project.remotes import settings_of_location

    try:
        settings_of_location(location)
    except (TemplateError, ValueError) as fault:
        return str(fault)
    return None
