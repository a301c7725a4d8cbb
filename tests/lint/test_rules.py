"""Every rule finds what its code says, and nothing else: the wrong examples of all pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from diagnostics.test_pages import NOT_COMPILED, PAGES, Example, Page
from eryphc.diagnostics.model import Code, Diagnostic
from eryphc.lint.engine import Rule, kinds
from lint.test_kinds import MODULES, declarations

# A module calls the tuples under the names that it knows them by, also those that it imports.
TUPLES = tuple(
    (module, name)
    for module in MODULES
    for name, value in declarations(module).items()
    if isinstance(value[0], Rule)
)


def rules(module: ModuleType, name: str) -> tuple[Rule[Any], ...]:
    return declarations(module)[name]


NETWORK = "eryphc check spec.yaml --network-config net.yaml"
HYPERV = "eryphc check spec.yaml --target hyperv"
# Of kinds whose pages show what is found before rules are asked, or without them.
EXAMPLES = {
    "E0558": Example(
        {
            "spec.yaml": "name: web\n",
            "net.yaml": "version: 2\nethernets: {a: {match: {macaddress: x}}}\n",
        },
        NETWORK,
    ),
    "E0559": Example(
        {
            "spec.yaml": "name: web\n",
            "net.yaml": "version: 1\nconfig:\n"
            "- {type: physical, name: a, mac_address: 'd2:ab:00:00:00:01'}\n"
            "- {type: physical, name: b, mac_address: 'd2:ab:00:00:00:01'}\n",
        },
        NETWORK,
    ),
    "E0715": Example(
        {"spec.yaml": "name: web\n", "eryphc.yaml": "hyperv: {switches: {default: ' '}}\n"}, HYPERV
    ),
    "W0707": Example({"spec.yaml": "name: web\ndrives:\n- {name: sda, location: rack4}\n"}, HYPERV),
    "W0709": Example(
        {"spec.yaml": "name: web\ndrives:\n- {name: sda, type: dvd, size: 3}\n"}, HYPERV
    ),
}
# No document can hold what is no text, so its page is not compiled.
NUMBERS = sorted(kinds(*(rules(*place) for place in TUPLES)) - {"E0550"})


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
    example = EXAMPLES.get(number) or page.example("Wrong")
    example.found(tmp_path, capsys)
    assert number in {code.number for code in found}


def test_no_rule_is_in_a_tuple_twice() -> None:
    for place in TUPLES:
        searches: list[Callable[..., object]] = [rule.find for rule in rules(*place)]
        assert len(set(searches)) == len(searches)
