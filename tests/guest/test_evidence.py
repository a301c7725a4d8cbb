"""What messages claim to happen in a guest has evidence: a test, a vector or a page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from eryphc.diagnostics.codes import KINDS
from guest.test_agent_vectors import VECTORS

pytestmark = pytest.mark.once

HERE = Path(__file__).parent
TESTS, CHECKOUT = HERE.parent, HERE.parent.parent
EVIDENCE: dict[str, dict[str, Any]] = yaml.safe_load(
    (HERE / "evidence.yaml").read_text(encoding="utf-8")
)
REAL = {"integration", "boot"}
GUESTS = ("linux", "windows", "freebsd")
BY_ID = {each["id"]: each for each in VECTORS}
LISTED = [
    pytest.param(code, guest, item, id=f"{code} {guest} {item}")
    for code, entry in EVIDENCE.items()
    for guest in GUESTS
    for item in entry.get(guest, ())
]
Holder = ast.Module | ast.ClassDef | ast.FunctionDef


def areas() -> set[str]:
    """The kinds about the language and about guests."""
    numbers = {kind.number for kind in KINDS}
    return {number for number in numbers if number[1:3] in ("04", "05")}


@cache
def module_of(file: str) -> ast.Module:
    return ast.parse((TESTS / file).read_text(encoding="utf-8"))


def marks(node: Holder) -> Iterator[str]:
    """The marks that a test, a class or a module has itself, also by a name for a list of them."""
    if isinstance(node, ast.FunctionDef):
        values: list[ast.expr] = list(node.decorator_list)
    else:
        values = [
            each.value
            for each in node.body
            if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "pytestmark"
        ]
    for value in values:
        yield from re.findall(r"pytest\.mark\.(\w+)", ast.unparse(value))
        if isinstance(value, ast.Name):
            yield f"={value.id}"


def marks_of(test: str) -> set[str]:
    """All marks of a test, `file::name` or `file::Class::name`. It has to be there."""
    file, *names = test.split("::")
    node: Holder = module_of(file)
    found = set(marks(node))
    for name in names:
        below = (each for each in node.body if isinstance(each, ast.ClassDef | ast.FunctionDef))
        held = next((each for each in below if each.name == name), None)
        assert held is not None, f"{test} is not there"
        node = held
        found |= set(marks(node))
    assert isinstance(node, ast.FunctionDef), f"{test} is no test"
    for name in {each[1:] for each in found if each.startswith("=")}:
        for each in module_of(file).body:
            if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == name:
                found |= set(re.findall(r"pytest\.mark\.(\w+)", ast.unparse(each.value)))
    return found


def test_every_kind_is_listed_and_nothing_else() -> None:
    assert set(EVIDENCE) == areas()


@pytest.mark.parametrize("code", EVIDENCE)
def test_an_entry_has_evidence_or_claims_nothing(code: str) -> None:
    entry = EVIDENCE[code]
    if "claims" in entry:
        assert set(entry) == {"claims", "why"}
        assert entry["claims"] == "nothing"
        assert entry["why"]
    else:
        assert entry
        assert set(entry) <= set(GUESTS)
        assert all(entry.values())


@pytest.mark.parametrize(("code", "guest", "item"), LISTED)
def test_the_evidence_is_there(code: str, guest: str, item: str) -> None:
    if "::" in item:
        assert marks_of(item) & REAL, f"{item} runs nothing real"
        # Another program reads a Windows guest's user-data.
        assert ("windows" in item.split("::")[0]) is (guest == "windows")
    elif ": " in item:
        page, section = item.split(": ")
        text = (CHECKOUT / page).read_text(encoding="utf-8")
        assert re.search(rf"^#+ {re.escape(section)}$", text, re.MULTILINE), item
    else:
        assert guest == "windows"
        vector = BY_ID[item]
        words = (str(vector.get(key, "")) for key in ("egs", "cbi", "assumed", "not_built"))
        assert code in " ".join(words), f"the vector {item} does not have it"


@pytest.mark.parametrize("code", [code for code, entry in EVIDENCE.items() if "linux" in entry])
def test_what_is_claimed_of_linux_is_shown_by_a_test(code: str) -> None:
    assert any("::" in item for item in EVIDENCE[code]["linux"])


# --- what a message says decides which evidence it needs -----------------------------------------

CATALOGUES = sorted((CHECKOUT / "compiler" / "eryphc" / "diagnostics").glob("*.py"))
NEEDS = {
    "windows": re.compile(
        r"cloudbase-init|guest services|a Windows guest|Windows takes|Windows cannot"
    ),
    "freebsd": re.compile("nuageinit"),
    "linux": re.compile(r"\bguests?\b(?! services)|cloud-init"),
}
# Kinds whose words name a reader, and say nothing of what it does.
NAMES_ONLY = {"N0550", "N0551", "N0554"}


def words_of_kinds() -> dict[str, str]:
    """All words of the messages, notes, labels and helps of each kind, by its number."""
    words: dict[str, str] = {}
    for path in CATALOGUES:
        module = ast.parse(path.read_text(encoding="utf-8"))
        numbers = {
            ast.unparse(each.targets[0]): each.value.args[0].value
            for each in module.body
            if isinstance(each, ast.Assign)
            and isinstance(each.value, ast.Call)
            and ast.unparse(each.value.func) == "Code"
            and isinstance(each.value.args[0], ast.Constant)
        }
        for function in (each for each in module.body if isinstance(each, ast.FunctionDef)):
            texts = [
                each.value
                for each in ast.walk(function)
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
            used = {each.id for each in ast.walk(function) if isinstance(each, ast.Name)}
            for name in used & numbers.keys():
                number = str(numbers[name])
                words[number] = " ".join((words.get(number, ""), *texts))
    return words


WORDS = words_of_kinds()


@pytest.mark.parametrize("code", EVIDENCE)
def test_who_is_named_in_a_message_has_evidence(code: str) -> None:
    named = {guest for guest, pattern in NEEDS.items() if pattern.search(WORDS[code])}
    given = set(EVIDENCE[code]) & set(GUESTS)
    if code in NAMES_ONLY:
        assert not given
    elif named & {"windows", "freebsd"}:
        assert named & {"windows", "freebsd"} <= given
    elif named:
        assert given


# --- the checks find what they are for -----------------------------------------------------------


def test_a_test_that_runs_nothing_real_or_is_not_there_is_no_evidence() -> None:
    assert not marks_of("guest/test_linux_guest.py::test_findings") & REAL
    assert marks_of("guest/test_linux_reading.py::test_nothing") & REAL
    assert (
        marks_of(
            "guest/cloudconfig/test_bootmerge.py::TestAgainstCloudInit::test_the_table_of_the_guests"
        )
        & REAL
    )
    with pytest.raises(AssertionError, match="is not there"):
        marks_of("guest/test_linux_guest.py::test_nobody_wrote_this")
    with pytest.raises(AssertionError, match="does not have it"):
        test_the_evidence_is_there("W0571", "windows", "9")
