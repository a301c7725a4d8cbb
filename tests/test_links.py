"""Links between pages lead to pages and headings that are there, and the index names every page."""

from __future__ import annotations

import re
from pathlib import Path

from doc_pages import anchors, headings, links

ROOT = Path(__file__).parents[1]
FOLDERS = ("docs", "benchmarks", "stdlib-genes", "compiler", "runtime")
PAGES = sorted(
    [*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))]
)
_ELSEWHERE = re.compile(r"[a-z]+:")


def _broken(page: Path) -> list[str]:
    broken = []
    for link in links(page):
        if _ELSEWHERE.match(link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def test_links_lead_somewhere() -> None:
    found = {page.relative_to(ROOT).as_posix(): _broken(page) for page in PAGES}
    assert {page: broken for page, broken in found.items() if broken} == {}


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    other = tmp_path / "other.md"
    other.write_text("# Other\n\n## A `heading`\n\n```md\n## No heading\n```\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "[1](other.md#a-heading) [2](other.md#no-heading) [3](gone.md) [4](https://x.example/)\n"
        "`[5](code.md)` [6](#page) [7](other.md)\n\n# Page\n",
        encoding="utf-8",
    )
    assert headings(other) == ("Other", "A heading")
    assert _broken(page) == ["other.md#no-heading", "gone.md"]


def test_the_index_names_every_page_of_docs() -> None:
    index = ROOT / "docs/README.md"
    named = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    recipes = ROOT / "docs/recipes/README.md"
    named |= {(recipes.parent / link.partition("#")[0]).resolve() for link in links(recipes)}
    pages = {page.resolve() for page in (ROOT / "docs").rglob("*.md")} - {index.resolve()}
    assert sorted(page.relative_to(ROOT).as_posix() for page in pages - named) == []
