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

import pytest

from eryphc import diagnostics
from eryphc.cli.app import run
from eryphc.diagnostics.model import Code

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


@dataclass(frozen=True)
class Example:
    """Files of a folder and a command that is run in it."""

    files: dict[str, str]
    command: str

    def codes(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
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
                return [entry["code"] for entry in found if "code" in entry]
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


def test_numbers_are_given_once() -> None:
    seen: Counter[str] = Counter()
    for path in sorted(CATALOGUE.glob("*.py")):
        seen.update(re.findall(r'Code\(\s*"([EWN]\d{4})"', path.read_text(encoding="utf-8")))
    assert [number for number, count in seen.items() if count > 1] == []
    assert set(seen) == set(CODES)


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
    wrong, right = page.example("Wrong"), page.example("Right")
    for name in ("ERYPHC_GENEPOOL", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(name, raising=False)
    for example, expected in ((wrong, True), (right, False)):
        folder = tmp_path / ("wrong" if expected else "right")
        folder.mkdir()
        monkeypatch.chdir(folder)
        found = example.codes(folder, capsys)
        assert (number in found) is expected, f"{example.command} gave {found}"
        if not expected:
            assert not [c for c in found if c.startswith("E")], "the right example has errors"
