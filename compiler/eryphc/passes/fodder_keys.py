"""What makes two entries of fodder the same, and how they are merged.

Source: docs/reference/language.md, "Fodder keys", "Breeding".
"""

from __future__ import annotations

from functools import lru_cache

from eryphc.frozen import NamedTuple, replace
from eryphc.identifiers import GeneId
from eryphc.ir.catlet import Fodder
from eryphc.passes.places import inherited
from eryphc.syntax.identifiers import parse_gene
from eryphc.syntax.names import blank


class FodderKey(NamedTuple):
    """Both are lower case. `source` is None for a fodder entry of a catlet, also if the entry
    names a catlet gene.
    """

    name: str | None
    source: str | None

    def __str__(self) -> str:
        if self.source is None:
            return self.name or ""
        return f"{self.source}->{self.name}" if self.name else self.source


def gene_of(fodder: Fodder) -> GeneId | None:
    """The fodder gene an entry refers to; None for a fodder entry of a catlet."""
    return _gene(fodder.source)


def _gene(source: str | None) -> GeneId | None:
    if source is None or blank(source):
        return None
    parsed = parse_gene(source)
    if isinstance(parsed, GeneId) and parsed.name != "catlet":
        return parsed
    return None


def key_of(fodder: Fodder) -> FodderKey:
    return _key(fodder.name, fodder.source)


@lru_cache(maxsize=4096)
def _key(name: str | None, source: str | None) -> FodderKey:
    gene = _gene(source)
    lower = None if name is None or blank(name) else name.lower()
    return FodderKey(lower, str(gene) if gene is not None else None)


def merge_fodder(parent: Fodder, child: Fodder) -> Fodder:
    """`child` laid onto `parent`; the result is as young as the younger of both."""
    kept = [
        key
        for key in ("content", "filename", "remove", "secret", "type")
        if getattr(child, key) is None
    ]
    own_variables = child.content is not None or child.source is not None
    if not own_variables:
        kept.append("variables")
    return replace(
        child,
        content=parent.content if child.content is None else child.content,
        filename=parent.filename if child.filename is None else child.filename,
        remove=parent.remove if child.remove is None else child.remove,
        secret=parent.secret if child.secret is None else child.secret,
        type=parent.type if child.type is None else child.type,
        variables=child.variables if own_variables else parent.variables,
        depth=min(parent.depth, child.depth),
        places=inherited(child, parent, kept),
    )
