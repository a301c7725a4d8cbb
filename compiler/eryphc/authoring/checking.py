"""What is wrong with a tag before it is published, as far as its own texts tell.

Source: docs/reference/genes-and-pools.md, "The gene set manifest", "Metadata";
docs/reference/gene-set-images.md, "Fixed and moving tags".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from eryphc.artifacts.names import is_device
from eryphc.authoring.disks import disk_faults
from eryphc.authoring.packing import alias_of, packed_texts
from eryphc.authoring.sources import SET_FILE, AuthoredTag, SetFacts
from eryphc.diagnostics import sharing
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import name_of
from eryphc.genepool.contents import TagContents
from eryphc.genepool.files import PoolFiles
from eryphc.genepool.image_config import metadata_fault
from eryphc.genepool.pool_index import read_deprecations
from eryphc.genepool.registry_names import NO_RULES, TagRules
from eryphc.genepool.source_tree import SourceTag
from eryphc.identifiers import HYPERVISORS, PROCESSORS, GeneId, GeneSetId, GeneType
from eryphc.ir.catlet import FodderGene
from eryphc.passes.read import Notation, read_catlet, read_fodder_gene
from eryphc.source import shown_path
from eryphc.syntax.interpolation import ReferenceKind, scan

_OS_TYPES: Final = ("windows", "linux", "freebsd")
_SHORT, _LONG = 90, 200
_MOST_LISTED: Final = 3


def faults_of(authored: AuthoredTag, rules: TagRules = NO_RULES) -> Iterator[Diagnostic]:
    """What breaks a rule for published tags, and what an author hardly meant.

    `rules` are those of the pool that it goes to.
    """
    yield from _facts(authored.facts, authored.id)
    yield from _metadata(authored)
    genes = tuple(_genes(authored))
    yield from (fault for fault, _ in genes if fault is not None)
    for _, gene in genes:
        if gene is not None:
            yield from _unused(GeneId(authored.id, (gene.name or "").lower()), gene)
    yield from _passed_over(authored)
    if alias_of(authored) is not None:
        return
    yield from disk_faults(authored)
    image = packed_texts(authored)
    # What is wrong with texts is said above, at their places.
    yield from (each for each in image.diagnostics if each.code == sharing.NOT_PUBLISHABLE)
    if image.value is not None:
        yield from _names(image.value.contents)
        yield from _moving(image.value.contents, rules)


def _facts(facts: SetFacts, geneset: GeneSetId) -> Iterator[Diagnostic]:
    """The members of `geneset.json`."""
    if facts.path is None:
        return
    for problem in _fact_problems(facts, geneset):
        yield sharing.not_publishable(geneset.without_tag, problem, facts.path)


def _fact_problems(facts: SetFacts, geneset: GeneSetId) -> Iterator[str]:
    data = facts.data
    named = data.get("geneset")
    if not isinstance(named, str) or named.lower() != geneset.without_tag:
        yield f"`geneset` of `{SET_FILE}` is not `{geneset.without_tag}`"
    for key, longest, required in (
        ("short_description", _SHORT, True),
        ("description", _LONG, False),
    ):
        value = data.get(key)
        if value is None and not required:
            continue
        if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
            yield f"`{key}` of `{SET_FILE}` is no line of 1 to {longest} characters"
    metadata = data.get("metadata")
    if metadata is not None:
        yield from _set_metadata(metadata)
    deprecated = data.get("deprecated")
    if deprecated is not None and not _is_deprecations(geneset.without_tag, deprecated):
        yield (
            f"`deprecated` of `{SET_FILE}` is no object of tags, each with `use` (a gene set with "
            "its tag), `reason`, or both"
        )


def _is_deprecations(name: str, found: Any) -> bool:
    if not isinstance(found, dict):
        return False
    read = read_deprecations(name, found)
    return all(
        tag in read and isinstance(entry, dict) and set(entry) == set(read[tag].data)
        for tag, entry in found.items()
    )


def _set_metadata(metadata: Any) -> Iterator[str]:
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        yield f"`metadata` of `{SET_FILE}` is no object of texts"
        return
    fault = metadata_fault(tuple(metadata.items()))
    if fault is not None:
        yield f"`metadata` of `{SET_FILE}` {fault}"
    for key in ("_tags", "_categories", "_os_types"):
        words = [word.strip() for word in metadata.get(key, "").split(",") if word.strip()]
        if len(words) > _MOST_LISTED:
            yield f"`{key}` of `{SET_FILE}` lists more than {_MOST_LISTED}"
        if key == "_os_types" and not set(words) <= set(_OS_TYPES):
            yield f"`{key}` of `{SET_FILE}` lists what is none of {', '.join(_OS_TYPES)}"


def _metadata(authored: AuthoredTag) -> Iterator[Diagnostic]:
    """Rules of the tag's own metadata that a reader does not hold others to."""
    metadata = dict(authored.tag.manifest.metadata)
    kind = metadata.get("_os_type")
    if kind is not None and kind not in _OS_TYPES:
        problem = f"`_os_type` of its manifest is none of {', '.join(_OS_TYPES)}"
        yield sharing.not_publishable(str(authored.id), problem)


def _genes(authored: AuthoredTag) -> Iterator[tuple[Diagnostic | None, FodderGene | None]]:
    """Every text of a catlet or fodder as the language reads it: faults, and fodder genes."""
    tag = authored.tag
    for kind in (GeneType.CATLET, GeneType.VOLUME):
        for name in tag.names(kind):
            variants = tag.variants(kind, name)
            yield from ((each, None) for each in variants.diagnostics)
            if kind is GeneType.CATLET:
                for variant in variants.value or ():
                    text = tag.read(variant).value
                    if text is not None:
                        read = read_catlet(text.source, notation=Notation.YAML)
                        yield from ((each, None) for each in read.diagnostics)
    for name in tag.names(GeneType.FODDER):
        # Two files of one name.
        yield from ((each, None) for each in tag.variants(GeneType.FODDER, name).diagnostics)
    if isinstance(tag, SourceTag):
        sources = tag.fodder_sources()
        yield from ((each, None) for each in sources.diagnostics)
        for source in sources.value or ():
            gene = read_fodder_gene(source, notation=Notation.YAML)
            yield from ((each, None) for each in gene.diagnostics)
            yield None, gene.value


def _unused(id_: GeneId, gene: FodderGene) -> Iterator[Diagnostic]:
    """Variables that no content refers to."""
    used = {
        reference.name.lower()
        for fodder in gene.fodder or ()
        if fodder.content is not None
        for reference in scan(fodder.content.text)
        if reference.kind is ReferenceKind.VARIABLE
    }
    for variable in gene.variables or ():
        if variable.name is not None and variable.name.lower() not in used:
            yield sharing.variable_unused(id_, name_of(variable), variable.at("name"))


def _passed_over(authored: AuthoredTag) -> Iterator[Diagnostic]:
    """Files that look like genes and lie where none is looked for: a misspelt folder."""
    if not isinstance(authored.tag, SourceTag):
        return
    files = PoolFiles(authored.folder, shown_path(authored.folder))
    for top in files.entries(authored.folder).value or ():
        if not top.folder or top.name.lower() not in ("fodder", "volumes"):
            continue
        for first in files.entries(top.path).value or ():
            if not first.folder:
                continue
            known = first.name.lower() in HYPERVISORS
            for second in files.entries(first.path).value or ():
                inside = files.entries(second.path).value or () if second.folder else (second,)
                if second.folder:
                    good = known and second.name.lower() in PROCESSORS and second.name != "any"
                else:
                    good = known and first.name.lower() != "any"
                for each in () if good else inside:
                    if not each.folder and each.name.lower().endswith((".yaml", ".yml")):
                        yield sharing.file_passed_over(shown_path(each.path))


def _names(contents: TagContents) -> Iterator[Diagnostic]:
    """Names that no folder of Windows can hold."""
    folders: Sequence[str] = contents.id
    for path in ("/".join(folders), *(file.path for file in contents.files)):
        if any(is_device(part) for part in path.split("/")):
            yield sharing.reserved_file_name(contents.id, path)


def _moving(contents: TagContents, rules: TagRules) -> Iterator[Diagnostic]:
    if contents.ref is None and rules.moves(contents.id.tag):
        example = f"{contents.id.tag}.0" if contents.id.tag.isdigit() else "1.0"
        yield sharing.moving_tag_content(contents.id, example)
