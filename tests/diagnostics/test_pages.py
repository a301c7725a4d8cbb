"""Every code has a page, and every page is compiled: Wrong gives the code, Right does not."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

from eryphc import diagnostics
from eryphc.cli.app import run
from eryphc.diagnostics.codes import KINDS, kind_of
from eryphc.diagnostics.model import Code, Level

pytestmark = pytest.mark.once

CATALOGUE = Path(diagnostics.__file__).parent
PAGES = CATALOGUE / "pages"
DEFAULT_COMMAND = "eryphc build spec.yaml --target cloud-init"
NOT_COMPILED = re.compile(r"^<!-- not compiled: (\S.*) -->$", re.MULTILINE)
FENCE = re.compile(r"^(`{3,})([^\n`]*)\n(.*?)^\1\n", re.MULTILINE | re.DOTALL)


def codes() -> Iterator[Code]:
    """The codes of all modules of the catalogue."""
    for path in sorted(CATALOGUE.glob("*.py")):
        module = import_module(f"eryphc.diagnostics.{path.stem}")
        if module.__name__ == "eryphc.diagnostics.__init__":
            continue
        yield from (value for value in vars(module).values() if isinstance(value, Code))


CODES = {code.number: code for code in codes()}


class Found(NamedTuple):
    code: str
    level: str


@dataclass(frozen=True)
class Example:
    """Files of a folder and a command that is run in it."""

    files: dict[str, str]
    command: str

    def found(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> list[Found]:
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        out, err = self._run(folder, capsys)
        for stream in (err, out):
            try:
                found = json.loads(stream)
            except ValueError:
                continue
            if isinstance(found, list):
                return [Found(each["code"], each["level"]) for each in found if "code" in each]
        pytest.fail(f"no diagnostics as JSON from `{self.command}`:\n{out}{err}")

    def _run(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
        command = f"{self.command} --diagnostics json"
        if re.fullmatch(r"eryphc [\w@=:/., +-]*", command):
            capsys.readouterr()
            run(shlex.split(command)[1:])
            return capsys.readouterr()
        # What needs a shell gets one, with this interpreter's `eryphc`.
        script = f'eryphc() {{ "{sys.executable}" -m eryphc "$@"; }}\n{command}\n'
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            ["sh", "-c", script], cwd=folder, env=environment, capture_output=True, check=False
        )
        return done.stdout.decode(), done.stderr.decode()


@dataclass(frozen=True)
class Page:
    number: str
    name: str
    text: str

    @classmethod
    def read(cls, path: Path) -> Page:
        text = path.read_text(encoding="utf-8")
        title = re.match(r"# ([EWN]\d{4}): ([a-z0-9-]+)\n\n\S", text)
        assert title, f"{path.name} begins with no title and paragraph"
        return cls(title[1], title[2], text)

    def example(self, title: str) -> Example:
        section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", self.text, re.MULTILINE | re.DOTALL)
        assert section, f"no section {title}"
        files: dict[str, str] = {}
        command = DEFAULT_COMMAND
        for fence in FENCE.finditer(section[1] + "\n"):
            language, _, name = fence[2].strip().partition(" ")
            if language == "sh" and not name:
                command = fence[3].strip()
            elif name:
                files[name] = fence[3]
        return Example(files, command)


NUMBERS = sorted(path.stem for path in PAGES.glob("*.md"))
# What a section shows, and the level of the finding there; None for the default.
SECTIONS = {
    "Wrong": None,
    "Also wrong": None,
    "Only a warning": Level.WARNING,
    "Only a note": Level.NOTE,
}


def test_every_code_of_the_catalogue_is_listed_and_every_one_listed_is_there() -> None:
    listed = {kind.number: kind.name for kind in KINDS}
    assert listed == {code.number: code.name for code in CODES.values()}
    assert {k.number for k in KINDS if k.soft} == {c.number for c in CODES.values() if c.soft}
    assert len(listed) == len(KINDS)


def test_numbers_are_written_once() -> None:
    seen: Counter[str] = Counter()
    for path in sorted(CATALOGUE.glob("*.py")):
        seen.update(re.findall(r'\bCode\(\s*"([EWN]\d{4})"', path.read_text(encoding="utf-8")))
    assert [number for number, count in seen.items() if count > 1] == []
    assert set(seen) == set(CODES)


def test_one_kind_has_one_number_and_one_name() -> None:
    numbers = Counter(number for kind in KINDS for number in (kind.number, *kind.aliases))
    names = Counter(kind.name for kind in KINDS)
    assert [word for word, count in (*numbers.items(), *names.items()) if count > 1] == []


def test_every_word_for_a_kind_finds_it() -> None:
    for kind in KINDS:
        for word in (kind.number, kind.number.lower(), kind.name, *kind.aliases):
            assert kind_of(word) is kind


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert sorted(CODES) == NUMBERS


@pytest.mark.parametrize("number", NUMBERS)
def test_page(
    number: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = Page.read(PAGES / f"{number}.md")
    assert page.number == number
    assert number in CODES, "no code of the catalogue"
    assert page.name == CODES[number].name
    if NOT_COMPILED.search(page.text):
        return
    kind = kind_of(number)
    assert kind is not None
    sections = re.findall(r"^## (.+)$", page.text, re.MULTILINE)
    assert set(sections) <= {*SECTIONS, "Right"}
    if {"Only a warning", "Only a note"} & set(sections):
        assert kind.varies
    for name in ("ERYPHC_GENEPOOL", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(name, raising=False)
    for section in sections:
        example = page.example(section)
        folder = tmp_path / section
        folder.mkdir()
        monkeypatch.chdir(folder)
        found = example.found(folder, capsys)
        told = f"{example.command} gave {found}"
        if section == "Right":
            assert number not in [each.code for each in found], told
            assert "error" not in [each.level for each in found], told
        else:
            assert Found(number, SECTIONS[section] or kind.level) in found, told
