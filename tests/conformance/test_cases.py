"""The facts of the language, one file each, held against `eryphc expand`."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.command_line import CommandLine
from cli.conftest import eryphc as eryphc
from conformance.case import read_case, write_genepool
from places import CONFORMANCE, PUBLISHED

CASES = sorted(CONFORMANCE.glob("*/*.yaml"))


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", CASES, ids=name_of)
def test_case(path: Path, eryphc: CommandLine) -> None:
    case = read_case(path)
    spec, pool = eryphc.folder / "spec.yaml", eryphc.folder / "pool"
    spec.write_bytes(case.spec.encode())
    pool.mkdir()
    if case.genepool is None:
        pool = PUBLISHED
    else:
        write_genepool(pool, case.genepool)
    done = eryphc("expand", "spec.yaml", "--genepool", str(pool), *case.args.words())
    assert case.faults(done, eryphc.folder) == []


def test_every_case_is_a_fact_of_its_own() -> None:
    titles = [read_case(path).title for path in CASES]
    assert len(set(titles)) == len(titles) > 400
    assert len({path.name for path in CASES}) == len(CASES)


def test_a_case_of_low_certainty_says_why() -> None:
    assert [
        path
        for path in CASES
        for case in (read_case(path),)
        if case.certainty is not None and not (case.certainty == "low" and case.note)
    ] == []
