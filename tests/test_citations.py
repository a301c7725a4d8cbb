"""Every fact that the code cites can be looked up: in a section of docs/reference, or in public.

Citations stand in comments and docstrings, as `Source:` and then references with `;` between them
up to the end of the sentence. A reference is a page of this repository with headings of it
(`docs/reference/language.md, "Breeding", "Removals"`), or a public document in one of the forms of
`_PUBLIC` (`RFC 1123 2.1`).
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from doc_pages import headings

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
FOLDERS = ("compiler", "runtime", "stdlib-genes", "tests", "benchmarks")
_LINE_COMMENTS = {".lark": "//", ".ps1": "#", ".psd1": "#", ".psm1": "#"}

_SOURCE = re.compile(r"\bSources?:\s(?P<references>.*?)(?:\.(?=\s|$)|\n\s*\n|\Z)", re.DOTALL)
_HEADINGS = r'(?:,\s+"[^"]+")'
_PAGE = re.compile(rf"(?P<page>docs/[\w./-]+\.md)(?P<headings>{_HEADINGS}*)")
_PUBLIC = tuple(
    re.compile(form, re.DOTALL)
    for form in (
        r"(?:[^;]*, )?https://\S+",
        r"RFC \d+\b[^;]*",
        r"ECMA-\d+\b[^;]*",
        r"\[MS-[A-Z]+\] \d[^;]*",
        r"(?:RRIP \d\.\d+|SUSP)(?: \d[\d.]*)?",
        r"the Joliet specification",
        r"Microsoft's VHD format paper 1\.0",
    )
)
# Documents by their name alone, and numbers of lists that nobody outside can look up.
_DOCUMENT = re.compile(r"(?<![\w./<>*{}-])[\w-][\w./-]*\.md\b")
_NUMBERED = re.compile(r"\b[WD]\d{1,2}\b(?!:)|\b[Rr]ows? \d+\b")


def _python_texts(text: str) -> Iterator[str]:
    """Docstrings, and comments with those of the next lines joined to them."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield ast.get_docstring(node) or ""
    comments: list[str] = []
    last = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            if token.start[0] > last + 1:
                yield "\n".join(comments)
                comments = []
            comments.append(token.string.lstrip("# "))
            last = token.start[0]
    yield "\n".join(comments)


def _texts(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".py":
        yield from _python_texts(text)
        return
    mark = _LINE_COMMENTS[path.suffix]
    block: list[str] = []
    for line in (*text.splitlines(), ""):
        if line.strip().startswith(mark):
            block.append(line.strip().lstrip(f"{mark} "))
        elif block:
            yield "\n".join(block)
            block = []


def _page_faults(reference: re.Match[str]) -> list[str]:
    page = ROOT / reference["page"]
    if not page.is_file():
        return [f"no page {reference['page']}"]
    known = headings(page)
    asked = re.findall(r'"([^"]+)"', " ".join(reference["headings"].split()))
    return [f'{reference["page"]} has no "{each}"' for each in asked if each not in known]


def _faults(text: str) -> list[str]:
    """What is wrong with the citations of one docstring or comment."""
    faults = []
    for citation in _SOURCE.finditer(text):
        for written in citation["references"].split(";"):
            reference = " ".join(written.split())
            page = _PAGE.fullmatch(reference)
            if page is not None and not page["headings"]:
                faults.append(f"no heading: {reference}")
            elif page is None and not any(form.fullmatch(reference) for form in _PUBLIC):
                faults.append(f"not to be looked up: {reference}")
    for mention in _PAGE.finditer(text):
        faults += _page_faults(mention)
    for document in _DOCUMENT.findall(text):
        if not document.startswith("docs/") and not (ROOT / document).is_file():
            faults.append(f"not in this repository: {document}")
    faults += [f"a number of nothing: {each}" for each in _NUMBERED.findall(text)]
    return faults


@cache
def _code() -> dict[str, tuple[str, ...]]:
    """Comments and docstrings by file, this one left out: it holds wrong citations."""
    kinds = (".py", *_LINE_COMMENTS)
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.*"))
    return {
        path.relative_to(ROOT).as_posix(): tuple(_texts(path))
        for path in paths
        if path.suffix in kinds and path != Path(__file__)
    }


def test_every_citation_leads_somewhere() -> None:
    found = {path: [*chain.from_iterable(map(_faults, texts))] for path, texts in _code().items()}
    assert {path: faults for path, faults in found.items() if faults} == {}


def test_citations_are_found() -> None:
    assert sum(len(_SOURCE.findall(text)) for text in chain(*_code().values())) > 100


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        pytest.param('Facts. Source: docs/reference/language.md, "Names".', [], id="a heading"),
        pytest.param(
            'Source: docs/reference/language.md, "Names",\n"Breeding"; RFC 1123 2.1. And so on.',
            [],
            id="headings over two lines and a public document",
        ),
        pytest.param(
            "Sources: ECMA-119 8.4, 9.1; RRIP 1.09 4.1.6; SUSP; [MS-VHDX] 2.2 and 2.6.",
            [],
            id="public documents",
        ),
        pytest.param(
            'Source: docs/reference/language.md, "Nothing".',
            ['docs/reference/language.md has no "Nothing"'],
            id="no such heading",
        ),
        pytest.param(
            'As docs/reference/gone.md, "Names", has it.',
            ["no page docs/reference/gone.md"],
            id="no such page, outside a source",
        ),
        pytest.param(
            "Source: docs/reference/language.md.",
            ["no heading: docs/reference/language.md"],
            id="a page without a heading",
        ),
        pytest.param(
            "Source: catlet-language.md 10.5.",
            [
                "not to be looked up: catlet-language.md 10.5",
                "not in this repository: catlet-language.md",
            ],
            id="an internal document",
        ),
        pytest.param(
            "The exit code of cli.md.", ["not in this repository: cli.md"], id="a mention of one"
        ),
        pytest.param(
            "Source: what we found out.",
            ["not to be looked up: what we found out"],
            id="nothing that can be looked up",
        ),
        pytest.param(
            "Row 18. Accepted (W18), see D1.",
            ["a number of nothing: Row 18", "a number of nothing: W18", "a number of nothing: D1"],
            id="numbers",
        ),
    ],
)
def test_what_is_a_citation(text: str, faults: list[str]) -> None:
    assert _faults(text) == faults


def test_comments_of_every_notation_are_read(tmp_path: Path) -> None:
    for name, text in {
        "a.py": 'def f():\n    """One."""\n    # two\n    # three\n    x = "# no"\n',
        "b.ps1": "# one\n# two\n$x = 1\n    # three\n",
        "c.lark": "// one\nrule: X\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    read = {path.suffix: [text for text in _texts(path) if text] for path in tmp_path.iterdir()}
    assert read == {
        ".py": ["One.", "two\nthree"],
        ".ps1": ["one\ntwo", "three"],
        ".lark": ["one"],
    }
