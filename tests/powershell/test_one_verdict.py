"""Both programs are asked on the same sixty hosts, and say the same of each (hosts.py).

Of a tenth, another one with each commit, they also make the same and remove the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from powershell.hosts import HOSTS, Hosts
from powershell.sweep import TENTHS, tenth_of_this_commit
from powershell.workbench import Workbench

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def bench(
    pslite: Path, standins: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workbench]:
    opened = Workbench(pslite, standins, tmp_path_factory.mktemp("verdict"))
    yield opened
    opened.close()


def test_both_say_the_same_of_sixty_hosts(bench: Workbench) -> None:
    hosts = Hosts(bench)
    differences = list(hosts.differences(range(tenth_of_this_commit(), HOSTS, TENTHS)))
    assert not differences, f"{len(differences)} differ:\n" + "\n".join(differences)
    assert hosts.codes == {0, 1, 4}, "some are refused, some are as they should be, some are not"
