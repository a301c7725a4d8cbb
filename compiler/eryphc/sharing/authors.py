"""What authors of gene sets do in a session: start one, check it, make images of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from eryphc.answers import Result
from eryphc.artifacts.trees import write_tree, write_whole
from eryphc.authoring.sources import AuthoredPool, AuthoredTag, authored, tags_in
from eryphc.authoring.starting import Guest, Kind
from eryphc.canonical import digest_of
from eryphc.diagnostics import command as wording
from eryphc.diagnostics.model import Diagnostic, Level, Outcome
from eryphc.diagnostics.shown import ShownDiagnostic, show
from eryphc.diagnostics.words import os_reason
from eryphc.errors import EryphcError, Failure
from eryphc.gallery import resolved_tag
from eryphc.genepool.folder import MANIFEST
from eryphc.genepool.layout import LAYOUT_FILE, archive_of, is_layout, layout_disks, layout_files
from eryphc.genepool.registry_names import NO_RULES, TagRules
from eryphc.identifiers import Architecture, GeneId, GeneSetId, GeneType
from eryphc.ir.catlet import Variable, VariableType
from eryphc.request import BuildRequest, must_be
from eryphc.session import Session
from eryphc.source import SourceText, shown_path
from eryphc.syntax.identifiers import parse_gene_set

if TYPE_CHECKING:
    from eryphc.authoring.packing import Packed
    from eryphc.authoring.starting import NewTag
    from eryphc.genepool.chain import PoolChain
    from eryphc.genepool.model import GenePool, GeneSetTag, Variant

T = TypeVar("T")
_BLANK_VALUES = {
    VariableType.BOOLEAN: "true",
    VariableType.NUMBER: "1",
    VariableType.STRING: "value",
}


class NewSet(Result):
    """A tag that was begun: its id, and the files that were written, by their paths."""

    def __init__(self, geneset: GeneSetId, written: Sequence[Path]) -> None:
        super().__init__(())
        self.geneset = str(geneset)
        self.written = tuple(map(shown_path, written))


class CheckedSets(Result):
    """What is wrong with tags. `genesets` are their names."""

    def __init__(self, genesets: Iterable[GeneSetId], found: Iterable[ShownDiagnostic]) -> None:
        super().__init__(found)
        self.genesets = tuple(map(str, genesets))


class PackedSets(Result):
    """Tags as images, empty after an error; `output` is where they were written."""

    def __init__(
        self, sets: Sequence[Packed], found: Iterable[Diagnostic], output: Path | None
    ) -> None:
        super().__init__(show(found))
        self.sets = tuple(sets) if self.ok else ()
        self.output = None if output is None else shown_path(output)


# -- gene new ---------------------------------------------------------------------------------


def new_set(
    session: Session,
    folder: str | os.PathLike[str],
    *,
    kind: Kind = Kind.FODDER,
    guest: Guest = Guest.LINUX,
    copy_of: str | None = None,
) -> NewSet:
    """Begin a tag in `folder`, which is named ORGANIZATION/SET/TAG, or copy another set there.

    Nothing is overwritten. Raises `EryphcError`.
    """
    from eryphc.authoring.starting import first_files, named_by

    place = Path(folder)
    geneset = named_by(place)
    if not isinstance(geneset, GeneSetId):
        reason = f"the folder of a tag is ORGANIZATION/SET/TAG; {geneset.message}"
        raise EryphcError.of(Failure.INPUT, wording.gene_unknown(shown_path(place), reason))
    files = (
        first_files(geneset, Kind(kind), Guest(guest))
        if copy_of is None
        else _copied(session, geneset, copy_of)
    )
    if not _written(place, partial(write_tree, place, files.tag, _no_folder)):
        raise EryphcError.of(
            Failure.INPUT, wording.file_exists(shown_path(place), "eryphc gene new")
        )
    written = [place / name for name in files.tag]
    for name, data in files.set.items():
        path = place.parent / name
        if not os.path.lexists(path):
            _written(path, partial(write_whole, path, (data,)))
            written.append(path)
    return NewSet(geneset, written)


def _no_folder(folder: Path) -> bool:  # noqa: ARG001
    return False


def _copied(session: Session, geneset: GeneSetId, copy_of: str) -> NewTag:
    from eryphc.authoring.closure import image_of_tag
    from eryphc.authoring.starting import copied_files
    from eryphc.genepool.listing import descriptions_of

    found: list[Diagnostic] = []
    tag = resolved_tag(session.pools(), _geneset(copy_of), found)
    image = image_of_tag(tag)
    if image.value is None:
        raise EryphcError.of(Failure.INPUT, *image.diagnostics)
    about = descriptions_of(tag)[0]
    return copied_files(geneset, image.value.contents, image.value.image.identity, about)


# -- gene check -------------------------------------------------------------------------------


def checked_sets(
    session: Session, paths: Sequence[str | os.PathLike[str]], *, against: str | None = None
) -> CheckedSets:
    """What a publication of tags would complain about, by itself without the network.

    Each path is the folder of a tag, or of a set with all its tags. `against` is a tag, or its
    folder, whose users the tags must not break. Raises `EryphcError` where there is no such tag.
    """
    found: list[ShownDiagnostic] = []
    tags: list[AuthoredTag] = []
    for path in paths:
        opened = tags_in(Path(path))
        found += show(opened.diagnostics)
        tags += opened.value or ()
    found += findings_of(session, tags)
    if against is not None:
        found += _broken(session, tags, against)
    return CheckedSets((tag.id for tag in tags), dict.fromkeys(found))


def _broken(
    session: Session, tags: Sequence[AuthoredTag], against: str
) -> Iterator[ShownDiagnostic]:
    """What users of another tag rely on and a tag does not have."""
    from eryphc.authoring.pushing import broken
    from eryphc.genepool.contents import contents_of
    from eryphc.sharing.tags import contents_named

    found: list[Diagnostic] = []
    before = contents_named(session, against, found)
    for tag in tags:
        after = None if tag.tag.manifest.ref is not None else contents_of(tag.tag).value
        fault = None if after is None else broken(before, after)
        if fault is not None:
            found.append(fault)
    yield from show(found)


def findings_of(
    session: Session,
    tags: Sequence[AuthoredTag],
    pools: Sequence[GenePool] = (),
    rules: TagRules = NO_RULES,
) -> list[ShownDiagnostic]:
    """What is wrong with tags, each by itself and compiled with the others and with more `pools`.

    `rules` say which tags move.
    """
    from eryphc.authoring.checking import faults_of

    found: list[ShownDiagnostic] = []
    trying = session.with_pools([AuthoredPool(tags), *pools])
    for tag in tags:
        ours = show(faults_of(tag, rules))
        found += ours
        if not any(each.level is Level.ERROR for each in ours):
            found += _compiled(trying, tag.tag)
    return found


def _compiled(session: Session, tag: GeneSetTag) -> Iterable[ShownDiagnostic]:
    """What compiling each gene by itself finds, with its defaults and with hostile values."""
    from eryphc.sharing.gene_values import values_in

    for name in tag.names(GeneType.FODDER):
        for variant in tag.variants(GeneType.FODDER, name).value or ():
            variables = _variables(tag, variant)
            request = BuildRequest(
                values=_values_for(variables), architecture=_machine(variant.architecture)
            )
            gene = str(GeneId(tag.id, name))
            made = session.expand_gene(gene, request=request)
            yield from map(_softened, made.diagnostics)
            if made.ok:
                yield from values_in(session, gene, request, variables, tag.manifest.os_type)
    for variant in tag.variants(GeneType.CATLET, "catlet").value or ():
        spec = SourceText(f"<{tag.id}>", f"name: check\nparent: {tag.id}\n")
        request = BuildRequest(values=_values_for(_variables(tag, variant)))
        yield from map(_softened_parent, session.expand(spec, request=request).diagnostics)


def _softened_parent(found: ShownDiagnostic) -> ShownDiagnostic:
    """A parent may leave the value of a gene's variable to the catlets that inherit from it."""
    if found.code == _VALUE_MISSING:
        return found._replace(level=Level.NOTE, help="those who inherit from it have to bind it")
    return _softened(found)


def _softened(found: ShownDiagnostic) -> ShownDiagnostic:
    """A gene set that no pool at hand has may lie elsewhere: that is only a warning here."""
    return found._replace(level=Level.WARNING) if found.code in _NOT_FOUND else found


_NOT_FOUND = frozenset(("E0302", "E1001", "E1002", "E1003", "E1004", "E1011", "E1025"))
"""No pool has it, or one that may have it cannot be asked."""
_VALUE_MISSING = "E0413"


def _machine(architecture: Architecture) -> Architecture:
    """A machine that a variant is for."""
    hypervisor, processor = architecture
    return Architecture(
        "hyperv" if hypervisor == "any" else hypervisor,
        "amd64" if processor == "any" else processor,
    )


def _variables(tag: GeneSetTag, variant: Variant) -> Sequence[Variable]:
    from eryphc.passes.read import Notation, read_catlet, read_fodder_gene

    text = tag.read(variant).value
    if text is None:
        return ()
    if variant.type is GeneType.CATLET:
        catlet = read_catlet(text.source, notation=Notation.YAML).value
        return () if catlet is None else catlet.variables or ()
    gene = read_fodder_gene(text.source, notation=Notation.YAML).value
    return () if gene is None else gene.variables or ()


def _values_for(variables: Sequence[Variable]) -> dict[str, str]:
    """Values for what a user has to give."""
    return {
        variable.name: _BLANK_VALUES[variable.type or VariableType.STRING]
        for variable in variables
        if variable.name and variable.required and not variable.value
    }


# -- gene pack, gene export -------------------------------------------------------------------


def packed_sets(
    path: str | os.PathLike[str], output: str | os.PathLike[str] | None = None
) -> PackedSets:
    """The images of a tag, or of all tags of a set, written as an image layout to `output`.

    A layout that is there is replaced. Raises `EryphcError`.
    """
    from eryphc.authoring.packing import packed_all

    folder = Path(path)
    opened = tags_in(folder)
    if opened.value is None:
        return PackedSets((), opened.diagnostics, None)
    tags = with_targets(opened.value)
    if output is None:
        made = packed_all(tags)
        return _finished(made.value, (*opened.diagnostics, *made.diagnostics), None)
    place = Path(output)
    with _scratch(place) as scratch:
        made = _written(place, partial(packed_all, tags, scratch))
        return _finished(made.value, (*opened.diagnostics, *made.diagnostics), place)


def packed_as_data(made: PackedSets) -> list[dict[str, Any]]:
    """The images as `gene pack --format json` prints them."""
    return [
        {
            "geneset": each.id.without_tag,
            "tag": each.id.tag,
            "digest": each.image.identity,
            "manifest": digest_of(each.manifest),
            "aliases": [alias.tag for alias in each.aliases],
            "files": [
                {
                    "path": file.path,
                    "type": file.type,
                    "digest": file.digest,
                    "size": len(file.text),
                }
                for file in each.contents.files
            ],
            "disks": [
                {"path": disk.path, "digest": disk.digest, "size": disk.size} for disk in each.disks
            ],
        }
        for each in made.sets
    ]


def with_targets(tags: Sequence[AuthoredTag]) -> Sequence[AuthoredTag]:
    """Tags, and those beside them that they are other names of."""
    from eryphc.authoring.packing import alias_of

    known = {tag.id: tag for tag in tags}
    waiting = list(tags)
    while waiting:
        tag = waiting.pop()
        target = alias_of(tag)
        if target is None or target in known:
            continue
        folder = tag.folder.absolute().parent / target.tag
        beside = authored(folder) if (folder / MANIFEST).is_file() else Outcome(None)
        if beside.value is not None and beside.value.id == target:
            known[target] = beside.value
            waiting.append(beside.value)
    return tuple(known.values())


def exported_sets(
    session: Session,
    names: Sequence[str],
    output: str | os.PathLike[str],
    *,
    archive: bool = False,
    volumes: bool = False,
) -> PackedSets:
    """Gene sets and all that they name as an image layout: a folder, or one tar archive.

    Each name is ORGANIZATION/SET[/TAG]. With `volumes` their disks go along. A layout or archive
    that is there is replaced. Raises `EryphcError`.
    """
    genesets = [_geneset(name) for name in names]
    pools = session.pools()
    session.opener.acquire(genesets, pools)
    return _exported(session, genesets, pools, Path(output), archive=archive, volumes=volumes)


def exported_lock(
    session: Session,
    output: str | os.PathLike[str],
    *,
    archive: bool = False,
    volumes: bool = False,
) -> PackedSets:
    """All that the lock of the session's folder pins, written like `exported_sets` does."""
    from eryphc.sharing.pulling import pinned_sets

    pinned = pinned_sets(session)
    place = Path(output)
    return _exported(session, pinned.names, pinned.pools, place, archive=archive, volumes=volumes)


def _exported(
    session: Session,
    names: Sequence[GeneSetId],
    pools: PoolChain,
    output: Path,
    *,
    archive: bool,
    volumes: bool,
) -> PackedSets:
    from eryphc.authoring.closure import WithDisks, closure_of
    from eryphc.disks import pushed_disks

    if not volumes:
        made = closure_of(names, pools)
        found = (*session.overheard(), *made.diagnostics)
        return _finished(made.value, found, output, archive=archive)
    with _scratch(output) as scratch:
        disks = WithDisks(scratch, partial(pushed_disks, pools))
        made = _written(output, partial(closure_of, names, pools, disks))
        found = (*session.overheard(), *made.diagnostics)
        return _finished(made.value, found, output, archive=archive)


def _geneset(name: str) -> GeneSetId:
    must_be("the name", name, str)
    parsed = parse_gene_set(name)
    if not isinstance(parsed, GeneSetId):
        raise EryphcError.of(Failure.INPUT, wording.gene_unknown(name, parsed.message))
    return parsed


@contextmanager
def _scratch(output: Path) -> Iterator[Path]:
    """A folder for the time of a run beside what is written, so on the same disk."""

    def made() -> TemporaryDirectory[str]:
        output.parent.mkdir(parents=True, exist_ok=True)
        return TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent)

    with _written(output, made) as name:
        yield Path(name)


def _finished(
    made: Sequence[Packed] | None,
    found: Sequence[Diagnostic],
    output: Path | None,
    *,
    archive: bool = False,
) -> PackedSets:
    if made is None or output is None:
        return PackedSets(made or (), found, None)
    entries = [each.entry for each in made]
    files: dict[str, bytes | Path] = {**layout_files(entries), **layout_disks(entries)}
    if archive:
        _written(output, partial(write_whole, output, archive_of(files)))
    elif not _written(output, partial(write_tree, output, files, is_layout)):
        shown = shown_path(output)
        raise EryphcError.of(Failure.INPUT, wording.not_replaced(shown, LAYOUT_FILE))
    return PackedSets(made, found, output)


def _written(place: Path, write: Callable[[], T]) -> T:
    """Raises EryphcError where the disk refuses."""
    try:
        return write()
    except OSError as error:
        reason = os_reason(error)
        fault = wording.file_unwritable(shown_path(place), reason)
        raise EryphcError.of(Failure.OUTSIDE, fault) from None
