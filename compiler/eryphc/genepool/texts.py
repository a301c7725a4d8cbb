"""Text of genes: as the original packs it, its digest, and the name a fodder gene gives itself."""

from __future__ import annotations

import hashlib
import re

from eryphc.source import SourceText
from eryphc.syntax.names import WHITE_SPACE
from eryphc.syntax.nodes import AliasNode, MappingNode, Node, ScalarNode

# Spellings of a scalar that do not show its value: escapes, folded lines and number tags.
_DISGUISED = re.compile(r"\\[xuU\r\n]|!!(?:int|float)|!<")


def gene_source(name: str, text: str) -> SourceText:
    """The text of a gene as the original packs it: trimmed, with LF line ends.

    The visible effect is that a literal block at the end of the file loses its final line feed.
    Leading line ends stay, so that line numbers are the file's.
    Source: docs/reference/genes-and-pools.md, "The text of a gene".
    """
    lines = text.replace("\r\n", "\n")
    body = lines.lstrip(WHITE_SPACE)
    lead = lines[: len(lines) - len(body)]
    return SourceText(name, "\n" * lead.count("\n") + body.rstrip(WHITE_SPACE))


def digest(text: str) -> str:
    """SHA-256 of a gene's text: UTF-8 without BOM, LF, exactly one final line feed.

    Source: docs/reference/genes-and-pools.md, "The text of a gene".
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()


def may_be_named(text: str, name: str) -> bool:
    """False only where the document in `text` surely does not call itself `name`."""
    return name in text.lower() or _DISGUISED.search(text) is not None


def seems_named(text: str, name: str) -> bool:
    """Whether a line of a text that is no YAML looks like the name."""
    pattern = rf"(?im)^[\"']?name[\"']?[ \t]*:[ \t]*[\"']?{re.escape(name)}[\"']?[ \t]*(?:#.*)?$"
    return re.search(pattern, text) is not None


def own_name(root: Node) -> str | None:
    """What `name` of a fodder gene says, lower case; of several the last, as it is read."""
    if not isinstance(root, MappingNode):
        return None
    name: str | None = None
    for key, value in root.entries:
        if isinstance(key, ScalarNode) and key.value.lower() == "name":
            target: Node | None = value
            while isinstance(target, AliasNode):
                target = target.target
            name = target.value.lower() if isinstance(target, ScalarNode) else None
    return name
