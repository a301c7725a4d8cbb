"""No gene of ours, and none of the published pool, has other findings about its values than known.

Each gene is compiled with its defaults and with hostile values, as `gene check` does. What stands
in the list was found in genes that have been released, whose texts never change. It may only
shrink: a line that nothing gives any more has to go.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eryphc import Session
from eryphc.diagnostics import values
from eryphc.diagnostics.model import Code
from eryphc.genepool.folder import standard_folder
from eryphc.sharing import checked_sets
from places import PUBLISHED

EXPECTED = Path(__file__).parent / "expected-values.txt"
ABOUT_VALUES = {code.number for code in vars(values).values() if isinstance(code, Code)}


def standard() -> Path:
    folder = standard_folder()
    assert folder is not None
    return folder


def sets() -> Iterator[Path]:
    for pool in (standard(), PUBLISHED):
        for path in sorted(pool.glob("*/*/")):
            if any(path.glob("*/geneset-tag.json")):
                yield path


def found(path: Path) -> list[str]:
    """What is found about values in all tags of a set, without places: lines of a file move."""
    answer = checked_sets(Session(environment={}, genepools=[PUBLISHED]), [path])
    kind = "published" if path.is_relative_to(PUBLISHED) else "ours"
    lines = []
    for each in answer.diagnostics:
        if each.code in ABOUT_VALUES and each.place is not None:
            tag = Path(each.place.file).parts[-3]
            lines.append(f"{kind} {path.parent.name}/{path.name}/{tag}: {each.code} {each.message}")
    return lines


def expected() -> set[str]:
    lines = EXPECTED.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


@pytest.mark.once
def test_the_findings_are_those_that_are_known() -> None:
    now = {line for path in sets() for line in found(path)}
    assert now - expected() == set()
    assert expected() - now == set(), "the list may shrink: remove these lines"


@pytest.mark.once
def test_the_library_has_none() -> None:
    assert [line for line in expected() if line.startswith("ours eryphc/")] == []
