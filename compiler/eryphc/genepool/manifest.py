"""`geneset-tag.json` to a `Manifest`.

Source: docs/reference/genes-and-pools.md, "The tag manifest", "Metadata".
"""

from __future__ import annotations

import re

from eryphc.diagnostics import pools
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.genepool.model import ListedGene, Manifest
from eryphc.identifiers import ANY, HYPERVISORS, GeneSetId, GeneType
from eryphc.source import SourceText, Span
from eryphc.syntax.identifiers import parse_architecture, parse_gene_set
from eryphc.syntax.json_nodes import compose_json
from eryphc.syntax.names import GENE, NameFault, blank, name_faults
from eryphc.syntax.nodes import MappingNode, Node, ScalarNode, SequenceNode, Style

_WELL_FORMED = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9-]+\Z")
_DIGEST = re.compile(r"sha256:[0-9A-Fa-f]{64}\Z")


class _InvalidError(Exception):
    def __init__(self, problem: str, span: Span) -> None:
        super().__init__(problem)
        self.problem = problem
        self.span = span


def read_manifest(source: SourceText, geneset: GeneSetId) -> Outcome[Manifest]:
    """The manifest in `source`, which lies in the folder of `geneset`."""
    composed = compose_json(source)
    if composed.value is None:
        problem = composed.diagnostics[0]
        span = problem.primary.span if problem.primary else Span(source, 0, 0)
        return Outcome(None, (pools.manifest_invalid(geneset, problem.message, span),))
    try:
        return _read(source, geneset, composed.value)
    except _InvalidError as invalid:
        fault = pools.manifest_invalid(geneset, invalid.problem, invalid.span)
        return Outcome(None, (fault,))


def stated_name(source: SourceText) -> GeneSetId | None:
    """The gene set that a manifest calls itself; None where it has no such name."""
    root = compose_json(source).value
    node = _members(root).get("geneset") if isinstance(root, MappingNode) else None
    if not isinstance(node, ScalarNode) or node.style is not Style.JSON_TEXT:
        return None
    parsed = parse_gene_set(node.value)
    return None if isinstance(parsed, NameFault) else parsed


def _read(source: SourceText, geneset: GeneSetId, root: Node) -> Outcome[Manifest]:
    if not isinstance(root, MappingNode):
        raise _InvalidError("it is no JSON object", Span(source, root.start, root.end))
    members = _members(root)
    manifest = Manifest(source=source)
    ref = members.get("ref")
    if ref is not None:
        text = _text(source, "ref", ref)
        if text is not None and not blank(text):
            span = Span(source, ref.start + 1, ref.end - 1)
            manifest = manifest._replace(ref=text, ref_span=span)
    metadata = members.get("metadata")
    if metadata is not None and not _is_null(metadata):
        if not isinstance(metadata, MappingNode):
            raise _InvalidError("`metadata` is no object", _span(source, metadata))
        entries = {key: _text(source, key, value) for key, value in _members(metadata).items()}
        manifest = manifest._replace(
            metadata=tuple((key, value or "") for key, value in entries.items()),
            os_type=(entries.get("_os_type") or "").strip().lower() or None,
        )
    manifest = manifest._replace(genes=tuple(_genes(source, members)))
    return Outcome(manifest, _identity(source, geneset, members, manifest))


def _identity(
    source: SourceText, geneset: GeneSetId, members: dict[str, Node], manifest: Manifest
) -> tuple[Diagnostic, ...]:
    """Genes get their names from the manifest, so it must name the gene set of its folder."""
    node = members.get("geneset")
    if node is None:
        raise _InvalidError("`geneset` is missing", Span(source, 0, min(1, len(source.text))))
    written = _text(source, "geneset", node)
    span = Span(source, node.start + 1, node.end - 1)
    if written is None:
        raise _InvalidError("`geneset` has no value", _span(source, node))
    parsed = parse_gene_set(written)
    if parsed == geneset:
        return ()
    if isinstance(parsed, NameFault):
        raise _InvalidError(parsed.message, span)
    if manifest.ref is not None:
        return (pools.manifest_says_other(geneset, written, span),)
    return (pools.manifest_misplaced(geneset, written, span),)


def _genes(source: SourceText, members: dict[str, Node]) -> list[ListedGene]:
    genes: list[ListedGene] = []
    catlet = members.get("catlet")
    if catlet is not None:
        digest = _text(source, "catlet", catlet)
        if digest:
            genes.append(
                ListedGene(
                    type=GeneType.CATLET,
                    name="catlet",
                    architecture=ANY,
                    digest=_digest(source, digest, catlet),
                )
            )
    for key, kind in (("fodder", GeneType.FODDER), ("volumes", GeneType.VOLUME)):
        listed = members.get(key)
        if listed is None or _is_null(listed):
            continue
        if not isinstance(listed, SequenceNode):
            raise _InvalidError(f"`{key}` is no list", _span(source, listed))
        for item in listed.items:
            if not isinstance(item, MappingNode):
                raise _InvalidError(f"an entry of `{key}` is no object", _span(source, item))
            gene = _gene(source, kind, item)
            if gene is not None:
                genes.append(gene)
    return genes


def _gene(source: SourceText, kind: GeneType, item: MappingNode) -> ListedGene | None:
    members = _members(item)
    values: dict[str, str] = {}
    for key in ("name", "hash"):
        node = members.get(key)
        text = _text(source, key, node) if node is not None else None
        if node is None or not text:
            raise _InvalidError(f"a gene has no `{key}`", _span(source, item))
        values[key] = text
    faults = name_faults(GENE, values["name"])
    if faults:
        raise _InvalidError(faults[0].message, _span(source, members["name"]))
    architecture = ANY
    node = members.get("arch")
    written = _text(source, "arch", node) if node is not None else None
    if node is not None and written:
        parsed = parse_architecture(written)
        if isinstance(parsed, NameFault):
            hypervisor = written.split("/", maxsplit=1)[0].lower()
            if _WELL_FORMED.match(written) and hypervisor not in HYPERVISORS:
                return None  # made for a later hypervisor: skip it, as eryph does
            raise _InvalidError(parsed.message, _span(source, node))
        architecture = parsed
    return ListedGene(
        type=kind,
        name=values["name"].lower(),
        architecture=architecture,
        digest=_digest(source, values["hash"], members["hash"]),
    )


def _digest(source: SourceText, text: str, node: Node) -> str:
    if not _DIGEST.match(text):
        raise _InvalidError(
            f"`{text[:80]}` is no gene hash (`sha256:` and 64 hex digits)", _span(source, node)
        )
    return text.lower()


def _members(node: MappingNode) -> dict[str, Node]:
    """Members by name; of equal names the last counts."""
    return {key.value: value for key, value in node.entries if isinstance(key, ScalarNode)}


def _text(source: SourceText, key: str, node: Node) -> str | None:
    if isinstance(node, ScalarNode):
        if node.style is Style.JSON_TEXT:
            return node.value
        if _is_null(node):
            return None
    raise _InvalidError(f"`{key}` is no text", _span(source, node))


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.style is Style.JSON_WORD and node.value == "null"


def _span(source: SourceText, node: Node) -> Span:
    return Span(source, node.start, node.end)
