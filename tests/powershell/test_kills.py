"""A tenth of the kills and failures of both programs, another one with each commit.

`tests/hyperv-kills.sh` goes to all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from powershell.sweep import SCENARIOS, Scenario, Sweep, both_write_alike, tenth_of_this_commit
from powershell.workbench import PROGRAMS, Workbench

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def sweep(
    pslite: Path, standins: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sweep]:
    bench = Workbench(pslite, standins, tmp_path_factory.mktemp("kills"))
    yield Sweep(bench)
    bench.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("program", PROGRAMS)
def test_after_a_kill_or_failure_the_next_run_ends_where_it_should(
    sweep: Sweep, program: str, scenario: Scenario
) -> None:
    part = tenth_of_this_commit()
    before = sweep.points + sweep.faults
    wrong = list(sweep.scenario(scenario, program, part=part))
    assert not wrong, f"tenth {part}:\n" + "\n".join(wrong)
    assert sweep.points + sweep.faults > before, "there was something to disturb"


def test_both_programs_write_the_record_alike(sweep: Sweep) -> None:
    assert list(both_write_alike(sweep)) == []
