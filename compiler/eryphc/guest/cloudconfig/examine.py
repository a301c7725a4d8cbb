"""All findings on a Linux guest's cloud-config: by its schema and by our own rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from eryphc.diagnostics.model import Diagnostic, Level
from eryphc.guest.cloudconfig.consequences import RULES as CONSEQUENCES
from eryphc.guest.cloudconfig.entry_lint import RULES as ENTRIES
from eryphc.guest.cloudconfig.lint import RULES, Config
from eryphc.guest.cloudconfig.merge import Merged
from eryphc.guest.cloudconfig.provenance import Provenance
from eryphc.guest.cloudconfig.reader import ReadEntry
from eryphc.guest.cloudconfig.schema import RULES as SCHEMA_RULES
from eryphc.guest.cloudconfig.schema import respellings
from eryphc.lint.engine import judge


def examine(merged: Merged) -> tuple[Diagnostic, ...]:
    """Findings about a merged configuration; what surely breaks in the guest is an error."""
    config = Config(merged.root, merged.provenance, Level.ERROR)
    return (*respellings(merged.respelled), *_examined(config))


def examine_parts(entries: Iterable[ReadEntry]) -> tuple[Diagnostic, ...]:
    """Findings about cloud-configs that reach the guest as they are; warnings and notes only.

    Each is looked at alone; a text that cannot be read is passed over.
    """
    result: list[Diagnostic] = []
    for fodder, reading, number in entries:
        root = reading.root
        if root is None:
            continue
        result += _examined(Config(root, Provenance([(fodder, root)], [number]), Level.WARNING))
    return tuple(result)


def _examined(config: Config) -> Iterator[Diagnostic]:
    found = judge((*RULES, *CONSEQUENCES, *ENTRIES), config)
    yield from found
    yield from _without_echoes(judge(SCHEMA_RULES, config), found)


def _without_echoes(
    schema: Iterable[Diagnostic], said: Iterable[Diagnostic]
) -> tuple[Diagnostic, ...]:
    """What the schema finds where no rule has said more of the same value."""
    paths = {each.primary.path for each in said if each.primary is not None} - {()}
    return tuple(each for each in schema if each.primary is None or each.primary.path not in paths)
