"""A tag as authors publish it: YAML files, the architecture in the folder.

Volumes and their descriptors are ours. Source: docs/reference/genes-and-pools.md,
"The source layout", "Volume genes".
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath

from eryphc.diagnostics import pools
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.diagnostics.said import Own, named, own
from eryphc.frozen import NamedTuple
from eryphc.genepool.files import (
    Entry,
    PoolFiles,
    digest,
    gene_source,
    may_be_named,
    own_name,
    seems_named,
)
from eryphc.genepool.model import GeneSetTag, GeneText, Manifest, Variant, Volume
from eryphc.identifiers import ANY, HYPERVISORS, PROCESSORS, Architecture, GeneSetId, GeneType
from eryphc.reads import Reads
from eryphc.source import SourceText, Span, shown_path
from eryphc.syntax.nodes import Node
from eryphc.syntax.yaml_nodes import compose

_YAML = (".yaml", ".yml")
_IMAGES = (".img", ".qcow2", ".raw", ".vhd", ".vhdx")


class _Found(NamedTuple):
    """One fodder file: its source and tree, or what stands in the way of reading it."""

    architecture: Architecture
    path: Path
    text: str
    source: SourceText
    diagnostics: tuple[Diagnostic, ...]


class PassedOver(NamedTuple):
    """A file of a tag in which no gene is found: its name there, and why.

    `faults` are errors in it that stand in the way; without them it is no gene at all.
    """

    name: str
    reason: Own
    faults: tuple[Diagnostic, ...] = ()


def passed_over(tag: GeneSetTag) -> tuple[PassedOver, ...]:
    """The files of a tag that may be meant as fodder genes, and are none. Only authors have any."""
    return tag.passed_over() if isinstance(tag, SourceTag) else ()


def in_words(files: Iterable[PassedOver]) -> tuple[Own, ...]:
    """What was passed over, for a message."""
    return tuple(own("`{}` was passed over: {}", named(each.name), each.reason) for each in files)


def faults_of(files: Iterable[PassedOver], name: str | None = None) -> tuple[Diagnostic, ...]:
    """What is wrong in files that were passed over: in all, or in those that are called `name`."""
    return tuple(
        fault
        for each in files
        if name is None or PurePath(each.name).stem.lower() == name
        for fault in each.faults
    )


class SourceTag:
    """One tag in the published layout. Listings and texts are read once."""

    def __init__(
        self, files: PoolFiles, folder: Path, geneset: GeneSetId, manifest: Manifest
    ) -> None:
        self.id = geneset
        self.manifest = manifest
        self._files = files
        self._folder = folder
        self._top: Outcome[tuple[Entry, ...]] | None = None
        self._fodder: Outcome[tuple[_Found, ...]] | None = None
        self._roots: dict[Path, Outcome[Node]] = {}
        self._texts: dict[Path, Outcome[GeneText]] = {}
        self._variants: dict[tuple[GeneType, str], Outcome[tuple[Variant, ...]]] = {}
        self._names: dict[GeneType, tuple[str, ...]] = {}

    @property
    def folder(self) -> Path:
        return self._folder

    @property
    def reads(self) -> Reads | None:
        """Where it is noted what is read for the tag."""
        return self._files.reads

    # -- what the tag holds -----------------------------------------------------------------

    def variants(self, kind: GeneType, name: str) -> Outcome[tuple[Variant, ...]]:
        known = self._variants.get((kind, name))
        if known is None:
            match kind:
                case GeneType.CATLET:
                    known = self._catlet(name)
                case GeneType.FODDER:
                    known = self._fodder_named(name)
                case GeneType.VOLUME:
                    known = self._volumes_named(name)
            self._variants[kind, name] = known
        return known

    def names(self, kind: GeneType) -> tuple[str, ...]:
        if kind not in self._names:
            self._names[kind] = self._names_of(kind)
        return self._names[kind]

    def _names_of(self, kind: GeneType) -> tuple[str, ...]:
        found: set[str] = set()
        match kind:
            case GeneType.CATLET:
                found.update(v.name for v in self._catlet("catlet").value or ())
            case GeneType.FODDER:
                for file in self._fodder_files().value or ():
                    root = self._root(file).value
                    name = own_name(root) if root is not None else None
                    if name:
                        found.add(name)
            case GeneType.VOLUME:
                for _, entry in self._by_architecture("volumes", (*_IMAGES, *_YAML)).value or ():
                    found.add(PurePath(entry.name).stem.lower())
        return tuple(sorted(found))

    def read(self, variant: Variant) -> Outcome[GeneText]:
        if variant.type is GeneType.VOLUME:
            return self._description(variant)
        path = variant.path
        assert path is not None  # noqa: S101 - catlet and fodder genes of a tree are files
        known = self._texts.get(path)
        if known is None:
            known = self._texts[path] = self._read(path)
        return known

    def _read(self, path: Path) -> Outcome[GeneText]:
        for file in self._fodder.value or () if self._fodder else ():
            if file.path == path:
                root = self._root(file).value
                return Outcome(
                    GeneText(
                        source=file.source, raw=file.text, sha256=digest(file.text), root=root
                    ),
                    file.diagnostics,
                )
        read = self._files.read_text(path)
        if read.value is None:
            return Outcome(None, read.diagnostics)
        source = gene_source(shown_path(path), read.value)
        return Outcome(
            GeneText(source=source, raw=read.value, sha256=digest(read.value)), read.diagnostics
        )

    def _description(self, variant: Variant) -> Outcome[GeneText]:
        listed = self._by_architecture("volumes", _YAML)
        for architecture, entry in listed.value or ():
            if (
                architecture == variant.architecture
                and PurePath(entry.name).stem.lower() == variant.name
            ):
                return self._read(entry.path)
        return Outcome(None, listed.diagnostics)

    def fodder_sources(self) -> Outcome[tuple[SourceText, ...]]:
        """The texts of all fodder files, also of those that no gene is found in."""
        listed = self._fodder_files()
        sources = tuple(file.source for file in listed.value or ())
        return Outcome(sources, listed.diagnostics)

    def passed_over(self) -> tuple[PassedOver, ...]:
        """What lies in the folder of the tag and in `fodder/`, and is no fodder gene."""
        found: list[PassedOver] = []
        for fault in self._fodder_files().diagnostics:
            place = fault.primary.span.source.name if fault.primary else shown_path(self._folder)
            found.append(PassedOver(self._inside(place), own("it cannot be read"), (fault,)))
        for file in self._fodder_files().value or ():
            root = self._root(file)
            name = self._inside(shown_path(file.path))
            if root.value is None:
                found.append(PassedOver(name, own("it is not valid YAML"), root.diagnostics))
            elif own_name(root.value) is None:
                found.append(PassedOver(name, own("it says no `name`")))
        folder = self._entry("fodder").value
        inside = self._files.entries(folder.path).value if folder and folder.folder else ()
        for entry in inside or ():
            if not entry.folder and PurePath(entry.name).suffix.lower() not in _YAML:
                reason = own("its name does not end in `.yaml`")
                found.append(PassedOver(f"{folder.name if folder else ''}/{entry.name}", reason))
        for entry in (self._top.value if self._top else None) or ():
            suffix = PurePath(entry.name).suffix.lower()
            if not entry.folder and suffix in _YAML and PurePath(entry.name).stem != "catlet":
                found.append(PassedOver(entry.name, own("fodder genes lie in the folder `fodder`")))
        return tuple(found)

    def _inside(self, path: str) -> str:
        """A path as it is called inside the folder of the tag."""
        return path.removeprefix(shown_path(self._folder)).lstrip("/")

    # -- folders ----------------------------------------------------------------------------

    def _entry(self, *names: str) -> Outcome[Entry]:
        """The first of `names` in the folder of the tag, in any letter case."""
        if self._top is None:
            self._top = self._files.entries(self._folder)
        if self._top.value is None:
            return Outcome(None, self._top.diagnostics)
        for name in names:
            for entry in (
                *(e for e in self._top.value if e.name == name),
                *(e for e in self._top.value if e.name.lower() == name),
            ):
                return Outcome(entry)
        return Outcome(None)

    def _by_architecture(
        self, folder: str, suffixes: tuple[str, ...]
    ) -> Outcome[tuple[tuple[Architecture, Entry], ...]]:
        """Files of `folder` with these suffixes, for any architecture first, then by its name."""
        top = self._entry(folder)
        if top.value is None or not top.value.folder:
            return Outcome((), top.diagnostics)
        found: list[tuple[Architecture, Entry]] = []
        faults: list[Diagnostic] = []

        def take(path: Path, hypervisor: str, processor: str) -> list[Entry]:
            listed = self._files.entries(path)
            faults.extend(listed.diagnostics)
            # `fodder/any/` is no folder of its own, `fodder/any/<processor>/` is.
            if hypervisor != "any" or processor != "any" or path == top_path:
                architecture = Architecture(hypervisor, processor)
                found.extend(
                    (architecture, entry)
                    for entry in listed.value or ()
                    if not entry.folder and PurePath(entry.name).suffix.lower() in suffixes
                )
            return [entry for entry in listed.value or () if entry.folder]

        top_path = top.value.path
        for first in take(top_path, "any", "any"):
            hypervisor = first.name.lower()
            if hypervisor not in HYPERVISORS:
                continue
            for second in take(first.path, hypervisor, "any"):
                processor = second.name.lower()
                if processor in PROCESSORS and processor != "any":
                    take(second.path, hypervisor, processor)
        return Outcome(tuple(found), tuple(faults))

    # -- genes by type ----------------------------------------------------------------------

    def _catlet(self, name: str) -> Outcome[tuple[Variant, ...]]:
        if name != "catlet":
            return Outcome(())
        found = self._entry("catlet.yaml", "catlet.yml")
        if found.value is None or found.value.folder:
            return Outcome((), found.diagnostics)
        return Outcome(
            (Variant(type=GeneType.CATLET, name=name, architecture=ANY, path=found.value.path),)
        )

    def _fodder_files(self) -> Outcome[tuple[_Found, ...]]:
        if self._fodder is None:
            listed = self._by_architecture("fodder", _YAML)
            found: list[_Found] = []
            faults = list(listed.diagnostics)
            for architecture, entry in listed.value or ():
                read = self._files.read_text(entry.path)
                if read.value is None:
                    faults.extend(read.diagnostics)
                    continue
                source = gene_source(shown_path(entry.path), read.value)
                found.append(_Found(architecture, entry.path, read.value, source, read.diagnostics))
            self._fodder = Outcome(tuple(found), tuple(faults))
        return self._fodder

    def _root(self, file: _Found) -> Outcome[Node]:
        known = self._roots.get(file.path)
        if known is None:
            known = self._roots[file.path] = compose(file.source)
        return known

    def _fodder_named(self, name: str) -> Outcome[tuple[Variant, ...]]:
        """A gene is found by the `name` in its file; only files that may have it are parsed."""
        listed = self._fodder_files()
        found: dict[Architecture, _Found] = {}
        broken: dict[Architecture, _Found] = {}
        notes: list[Diagnostic] = []
        for file in listed.value or ():
            if not may_be_named(file.source.text, name):
                continue
            root = self._root(file).value
            if root is None:
                if seems_named(file.source.text, name):
                    broken[file.architecture] = file
            elif own_name(root) == name:
                before = found.get(file.architecture)
                if before is not None:
                    notes.append(
                        pools.gene_twice(name, file.architecture, _first(file), _first(before))
                    )
                found[file.architecture] = file
        for architecture, file in broken.items():
            found.setdefault(architecture, file)
        variants = tuple(
            Variant(type=GeneType.FODDER, name=name, architecture=architecture, path=file.path)
            for architecture, file in sorted(found.items())
        )
        if variants:
            return Outcome(variants, tuple(notes))
        # A file that cannot be read matters only where the gene was in no other.
        return Outcome((), listed.diagnostics)

    def _volumes_named(self, name: str) -> Outcome[tuple[Variant, ...]]:
        from eryphc.genepool.volumes import read_descriptor

        listed = self._by_architecture("volumes", (*_IMAGES, *_YAML))
        volumes: dict[Architecture, Volume] = {}
        paths: dict[Architecture, Path] = {}
        faults = list(listed.diagnostics)
        for architecture, entry in listed.value or ():
            suffix = entry.path.suffix.lower()
            if entry.path.stem.lower() != name:
                continue
            known = volumes.get(architecture, Volume())
            if suffix in _IMAGES:
                volumes[architecture] = known._replace(path=entry.path, format=suffix[1:])
                paths[architecture] = entry.path
                continue
            read = self._files.read_text(entry.path)
            faults.extend(read.diagnostics)
            if read.value is None:
                continue
            described = read_descriptor(SourceText(shown_path(entry.path), read.value, regions=()))
            faults.extend(described.diagnostics)
            if described.value is not None:
                # A file at hand stands beside its description: the digest is of the file there.
                volumes[architecture] = (
                    described.value
                    if known.path is None
                    else described.value._replace(path=known.path, format=known.format)
                )
        variants = tuple(
            Variant(
                type=GeneType.VOLUME,
                name=name,
                architecture=architecture,
                path=paths.get(architecture),
                digest=volume.sha256,
                volume=volume,
            )
            for architecture, volume in sorted(volumes.items())
        )
        return Outcome(None if has_errors(faults) else variants, tuple(faults))


def _first(file: _Found) -> Span:
    return Span(file.source, 0, min(1, len(file.source.text)))
