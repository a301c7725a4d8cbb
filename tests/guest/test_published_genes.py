"""The published genes pass through without false alarms, each as a guest of its own kind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eryphc.diagnostics.model import Level
from eryphc.frozen import replace
from eryphc.guest.compose import compose
from eryphc.guest.request import decide_guest
from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content
from eryphc.passes.read import Notation, decode, gene_source, read_fodder_gene
from guest.feeding import request
from places import PUBLISHED
from saying import said

GENES = sorted(PUBLISHED.glob("*/*/*/fodder/*.yaml"))


# What is true of them: cloud-init reports it too. The last two releases have it no more.
TRUE_ALARMS = {
    "starter-food/1.0/fodder/linux-starter.yaml": ["`system_info` is deprecated"],
    **{
        f"starter-food/{tag}/fodder/linux-starter.yaml": [
            "cloud-init knows no key `users[0].group`"
        ]
        for tag in ("1.1", "1.3", "1.4")
    },
}


def fodder_entries_of(path: Path) -> tuple[Fodder, ...]:
    source = gene_source(path.name, decode(path.read_bytes()))
    gene = read_fodder_gene(source, notation=Notation.YAML).value
    assert gene is not None
    values = {str(each.name).lower(): each.value or "x" for each in gene.variables or ()}

    def value(match: re.Match[str]) -> str:
        return values.get(match[1].lower(), "x")

    result = []
    for fodder in gene.fodder or ():
        if fodder.content is not None:
            text = re.sub(r"\{\{\s*(\S+?)\s*\}\}", value, fodder.content.text)
            result.append(replace(fodder, content=Content(text, fodder.content.origin)))
    return tuple(result)


@pytest.mark.parametrize(
    "path", [pytest.param(path, id="/".join(path.parts[-4:])) for path in GENES]
)
def test_no_false_alarms(path: Path) -> None:
    fodder_entries = fodder_entries_of(path)
    guest, _ = decide_guest(None, (), fodder_entries)
    outcome = compose(request(*fodder_entries, guest=guest))
    alarms = [said(found).message for found in outcome.diagnostics if found.level is not Level.NOTE]
    expected = TRUE_ALARMS.get("/".join(path.parts[-4:]), [])
    assert [alarm.startswith(each) for alarm, each in zip(alarms, expected, strict=True)] == [
        True for _ in expected
    ]
    assert outcome.value is not None
