"""Every rule finds what its code says, and nothing else: the wrong examples of all pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from diagnostics.test_pages import NOT_COMPILED, PAGES, Example, Page
from eryphc.diagnostics.model import Code, Diagnostic
from eryphc.guest import hostname_lint, linux_lint, network_lint, windows_lint
from eryphc.guest.cloudconfig import examine
from eryphc.guest.cloudconfig import lint as cloudconfig_lint
from eryphc.lint.engine import Rule, kinds

TUPLES = (
    (hostname_lint, "RULES"),
    (linux_lint, "RULES"),
    (cloudconfig_lint, "RULES"),
    (examine, "RULES"),
    (examine, "SCHEMA_RULES"),
    (windows_lint, "PART_RULES"),
    (windows_lint, "SCRIPT_RULES"),
    (windows_lint, "HANDLER_RULES"),
    (windows_lint, "CONFIG_RULES"),
    (network_lint, "VERSION_1_RULES"),
    (network_lint, "VERSION_2_RULES"),
)


def rules(module: ModuleType, name: str) -> tuple[Rule[Any], ...]:
    found: tuple[Rule[Any], ...] = getattr(module, name)
    return found


# Whose pages show what is found before rules are asked, or without a file.
NETWORKS = {
    "E0558": "version: 2\nethernets: {a: {match: {macaddress: x}}}\n",
    "E0559": "version: 1\nconfig:\n"
    "- {type: physical, name: a, mac_address: 'd2:ab:00:00:00:01'}\n"
    "- {type: physical, name: b, mac_address: 'd2:ab:00:00:00:01'}\n",
}
NUMBERS = sorted(kinds(*(rules(*place) for place in TUPLES)))


def watched(rule: Rule[Any], found: set[Code]) -> Rule[Any]:
    """The same rule, which notes what it finds and is held to what it says."""

    def find(subject: object) -> Iterator[Diagnostic]:
        for each in rule.find(subject):
            assert each.code in (rule.code, *rule.more), f"{rule.code.name} gave {each.code.name}"
            found.add(each.code)
            yield each

    return rule._replace(find=find)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> set[Code]:
    """The kinds that rules have found."""
    found: set[Code] = set()
    for module, name in TUPLES:
        several = tuple(watched(rule, found) for rule in rules(module, name))
        monkeypatch.setattr(module, name, several)
    return found


@pytest.mark.parametrize("number", NUMBERS)
def test_a_rule_finds_what_its_page_shows(
    number: str,
    found: set[Code],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = Page.read(PAGES / f"{number}.md")
    assert not NOT_COMPILED.search(page.text)
    monkeypatch.delenv("ERYPHC_GENEPOOL", raising=False)
    monkeypatch.chdir(tmp_path)
    example = page.example("Wrong")
    if number in NETWORKS:
        files = {"spec.yaml": "name: web\n", "net.yaml": NETWORKS[number]}
        example = Example(files, "eryphc check spec.yaml --network-config net.yaml")
    example.found(tmp_path, capsys)
    assert number in {code.number for code in found}


def test_no_rule_is_in_a_tuple_twice() -> None:
    for place in TUPLES:
        searches: list[Callable[..., object]] = [rule.find for rule in rules(*place)]
        assert len(set(searches)) == len(searches)
