"""Every kind of finding that can be lowered is declared by the modules that make it, and asked for.

`check` warns of a comment that silences nothing only where its kind was looked for, so a kind that
no module declares would make `check` stay silent.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import product
from pathlib import Path
from pkgutil import walk_packages
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

from diagnostics.test_pages import PAGES, Page
from eryphc import guest, pipeline, targets
from eryphc.compilation import Compilation
from eryphc.diagnostics import model
from eryphc.diagnostics.codes import KINDS
from eryphc.diagnostics.model import Code
from eryphc.guest.model import (
    AgentFrom,
    GuestAgent,
    GuestKind,
    GuestRequest,
    MergeMode,
    NetworkConfigMode,
    Reader,
)
from eryphc.lint.engine import Rule, kinds
from eryphc.source import SourceText
from eryphc.targets import Target
from eryphc.targets.judging import kinds_judged

MODULES = tuple(
    import_module(found.name)
    for package in (guest, targets)
    for found in walk_packages(package.__path__, f"{package.__name__}.")
)
# What is found while a target is planned. The areas before it are searched for every target, those
# behind it belong to commands and to the levels themselves.
AREAS = ("05", "06", "07", "14", "15")
# Found by a command that compares several specs.
OF_RUNS = {"W0582"}
NUMBERS = (
    frozenset(kind.number for kind in KINDS if kind.silenceable and kind.number[1:3] in AREAS)
    - OF_RUNS
)
NUAGEINIT = Reader(GuestAgent.NUAGEINIT, AgentFrom.OPTION)
# Kinds that several modules find in their own way; all others are declared once.
SHARED = {
    "W0551": {"guest.checks", "guest.egs_lint"},
    "W0554": {"guest.checks", "guest.windows"},
    "E0591": {"guest.freebsd", "guest.network", "guest.network_file"},
    "N1409": {"targets.azure.disks", "targets.azure.plan"},
    "W0540": {"guest.cloudconfig.lint", "targets.login"},
    "W1503": {"targets.azure.plan", "targets.user_data.plan"},
    "E0508": {"guest.cloudconfig.bootmerge", "guest.cloudconfig.merge"},
    "E0530": {"guest.cloudconfig.lint", "guest.windows_lint"},
    "W0523": {"guest.cloudconfig.consequences", "guest.cloudconfig.schema"},
    "W0562": {"guest.network_file", "guest.network_lint", "guest.network_schema"},
    "W0563": {"guest.network", "guest.network_file", "guest.network_lint"},
    "W0707": {"targets.hyperv.plan", "targets.hyperv.storage"},
    "W0709": {"targets.hyperv.machine", "targets.hyperv.storage"},
    "W0712": {"targets.hyperv.network", "targets.hyperv.storage"},
    "N0704": {"targets.hyperv.network", "targets.hyperv.storage"},
}


def declarations(module: ModuleType) -> dict[str, tuple[Any, ...]]:
    """The tuples of rules or of kinds that a module can name, by their names there."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, tuple) and value and all(isinstance(e, (Rule, Code)) for e in value)
        if not isinstance(value, (Rule, Code))
    }


def tree(module: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(module))


def declared(module: ModuleType) -> frozenset[str]:
    """The kinds that a module declares itself: not those of a tuple that it imports."""
    own = {
        target.id
        for node in tree(module).body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    return kinds(*(value for name, value in declarations(module).items() if name in own))


def made(module: ModuleType) -> frozenset[str]:
    """The kinds of all wording functions that a module names."""
    imported: dict[str, object] = {}
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "eryphc.diagnostics"
        ):
            source = import_module(node.module or "")
            for alias in node.names:
                value = getattr(source, alias.name, None)
                if value is None:
                    value = import_module(f"{node.module}.{alias.name}")
                imported[alias.asname or alias.name] = value
    found = [value for value in imported.values() if isinstance(value, FunctionType)]
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            value = getattr(imported.get(node.value.id), node.attr, None)
            if isinstance(value, FunctionType):
                found.append(value)
    return frozenset(number for function in found for number in said_by(function))


def said_by(function: FunctionType) -> Iterator[str]:
    """The kinds that a wording function names, or one of the catalogue that it calls."""
    function = inspect.unwrap(function)
    if function.__module__ == model.__name__:
        return
    for name in names(function.__code__):
        value = function.__globals__.get(name)
        if isinstance(value, Code):
            yield value.number
        elif isinstance(value, FunctionType) and value.__module__.startswith("eryphc.diagnostics"):
            yield from said_by(value)


def names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names(constant)


MADE = {module.__name__.removeprefix("eryphc."): made(module) for module in MODULES}
DECLARED = {module.__name__.removeprefix("eryphc."): declared(module) for module in MODULES}


@pytest.mark.parametrize("module", [name for name in MADE if MADE[name] or DECLARED[name]])
def test_a_module_declares_what_it_finds(module: str) -> None:
    assert MADE[module] & NUMBERS <= DECLARED[module] <= MADE[module]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_only_a_rule_finds_what_cannot_be_lowered(module: ModuleType) -> None:
    """No comment silences such an error, so by-products need not declare it."""
    of_work = [each for value in declarations(module).values() for each in value]
    assert {each.number for each in of_work if isinstance(each, Code)} <= NUMBERS


@pytest.mark.parametrize("number", sorted(NUMBERS))
def test_a_kind_is_declared_in_one_place(number: str) -> None:
    places = {name for name, numbers in DECLARED.items() if number in numbers}
    assert places == SHARED.get(number, places)
    assert number in SHARED or len(places) == 1


def test_every_declaration_is_asked_for() -> None:
    """Of some request and some target: what nobody asks for was never looked for."""
    asked = frozenset[str]()
    for target, kind, merge, mode, file in product(
        Target, GuestKind, MergeMode, NetworkConfigMode, (None, SourceText("net.yaml", ""))
    ):
        request = GuestRequest((), kind, "web", None, (), merge, mode, network_file=file)
        asked |= kinds_judged(target, request)
        if kind is GuestKind.LINUX:
            asked |= kinds_judged(target, request._replace(agent=NUAGEINIT))
    assert asked >= NUMBERS
    assert frozenset[str]().union(*DECLARED.values()) <= asked


@pytest.fixture
def looked_for(monkeypatch: pytest.MonkeyPatch) -> list[frozenset[str]]:
    """What is declared for each target that is planned, and what that target asks of its guest."""
    found: list[frozenset[str]] = []
    planned, prepare = Compilation._planned, pipeline.prepare
    asked: list[Target] = []

    def noted(work: Compilation, fed: Any, target: Target) -> Any:
        asked.append(target)
        return planned(work, fed, target)

    def prepared(*arguments: Any, **options: Any) -> Any:
        outcome = prepare(*arguments, **options)
        if outcome.value is not None:
            found.append(kinds_judged(asked[-1], outcome.value.request))
        return outcome

    monkeypatch.setattr(Compilation, "_planned", noted)
    monkeypatch.setattr(pipeline, "prepare", prepared)
    return found


@pytest.mark.parametrize("number", sorted(NUMBERS))
def test_what_an_example_shows_was_looked_for(
    number: str,
    looked_for: list[frozenset[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = Page.read(PAGES / f"{number}.md")
    monkeypatch.delenv("ERYPHC_GENEPOOL", raising=False)
    told: set[str] = set()
    for section in re.findall(r"^## (.+)$", page.text, re.MULTILINE):
        folder = tmp_path / section
        folder.mkdir()
        monkeypatch.chdir(folder)
        looked_for.clear()
        codes = {each.code for each in page.example(section).found(folder, capsys)} & NUMBERS
        assert codes <= frozenset[str]().union(*looked_for), section
        told |= codes
    assert number in told
