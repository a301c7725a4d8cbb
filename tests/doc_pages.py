"""Pages of the documentation: their headings, and the links in them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NO_ANCHOR = re.compile(r"[^\w\- ]")


@cache
def headings(page: Path) -> tuple[str, ...]:
    """The headings of a page as readers see them, without marks of code."""
    found = _HEADING.findall(_FENCED.sub("", page.read_text(encoding="utf-8")))
    return tuple(heading.replace("`", "").strip() for heading in found)


def anchors(page: Path) -> frozenset[str]:
    """What a link can name behind its `#`."""
    return frozenset(_NO_ANCHOR.sub("", each.lower()).replace(" ", "-") for each in headings(page))


def links(page: Path) -> tuple[str, ...]:
    """The targets of all links, those inside code left out."""
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    return tuple(_LINK.findall(_CODE.sub("", text)))
