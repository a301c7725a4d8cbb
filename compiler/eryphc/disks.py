"""Which disk images a gene or a specification needs: what `eryphc volume` works with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from eryphc.answers import Result, reading_of
from eryphc.diagnostics import volumes as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.shown import ShownDiagnostic, show
from eryphc.errors import EryphcError, Failure
from eryphc.frozen import NamedTuple
from eryphc.gallery import resolved_tag
from eryphc.genepool.contents import path_of
from eryphc.identifiers import Architecture, GeneId, GeneType
from eryphc.ir.volume import Volume
from eryphc.lockfile.model import LockedDisk
from eryphc.request import BuildRequest
from eryphc.session import Session

if TYPE_CHECKING:
    from eryphc.genepool.chain import PoolChain
    from eryphc.genepool.disk_layers import PushedDisk
    from eryphc.genepool.model import GeneSetTag


class NeededVolume(NamedTuple):
    """A volume gene, its tag and variant; `drives` are those of the spec that start from it.
    `pinned` is what a lock says of the disk, `pushed` where it lies in an image."""

    gene: GeneId
    architecture: Architecture
    volume: Volume
    tag: GeneSetTag
    drives: tuple[str, ...] = ()
    spec: str | None = None
    catlet: str | None = None
    pinned: LockedDisk | None = None
    pushed: PushedDisk | None = None


class NeededVolumes(Result):
    """The volumes that genes and specifications name, in their order."""

    def __init__(
        self,
        volumes: tuple[NeededVolume, ...],
        diagnostics: tuple[ShownDiagnostic, ...],
        failure: Failure | None,
    ) -> None:
        super().__init__(diagnostics, failure)
        self.volumes = volumes


def needed_volumes(
    session: Session, words: tuple[str, ...], request: BuildRequest
) -> NeededVolumes:
    """What each word needs: `gene:...` the volume of that name, a specification those that its
    drives start from. A word that cannot be read hides none of the others."""
    found: list[NeededVolume] = []
    diagnostics: list[ShownDiagnostic] = []
    failure: Failure | None = None
    for word in words:
        try:
            needed = _of_gene if word.startswith("gene:") else _of_spec
            volumes, said = needed(session, word, request)
            found += volumes
            diagnostics += said
        except EryphcError as error:
            diagnostics += error.diagnostics
            failure = max(failure or error.failure, error.failure)
    return NeededVolumes(tuple(found), tuple(diagnostics), failure)


def _of_gene(
    session: Session, text: str, request: BuildRequest
) -> tuple[list[NeededVolume], tuple[ShownDiagnostic, ...]]:
    from eryphc.diagnostics import command
    from eryphc.diagnostics.pools import gene_not_found
    from eryphc.passes.collect import best_match
    from eryphc.syntax.identifiers import parse_gene
    from eryphc.syntax.names import NameFault

    gene = parse_gene(text)
    if isinstance(gene, NameFault):
        raise EryphcError.of(Failure.INPUT, command.gene_unknown(text, gene.message))
    found: list[Diagnostic] = []
    pools = session.pools()
    session.opener.acquire([gene.geneset], pools)
    tag = resolved_tag(pools, gene.geneset, found)
    gene = GeneId(tag.id, gene.name)
    variants = tag.variants(GeneType.VOLUME, gene.name)
    found += variants.diagnostics
    if not variants.value:
        if variants.value is not None:
            known = tag.names(GeneType.VOLUME)
            found.append(gene_not_found(gene, GeneType.VOLUME, None, known))
        raise EryphcError.of(Failure.INPUT, *found)
    variant = best_match(gene, variants.value, request.processor, None)
    if isinstance(variant, Diagnostic):
        raise EryphcError.of(Failure.INPUT, *found, variant)
    volume = variant.volume or Volume(path=variant.path)
    pinned = _pinned(session, session.folder, gene, variant.architecture)
    pushed = _pushed(pools, tag, gene.name, variant.architecture)
    needed = NeededVolume(gene, variant.architecture, volume, tag, pinned=pinned, pushed=pushed)
    return [needed], show(found)


def pushed_disks(pools: PoolChain, tag: GeneSetTag) -> Iterator[PushedDisk]:
    """The disks that lie in the image of a tag, where a pool has it."""
    from eryphc.genepool.disk_layers import pushed_disk
    from eryphc.genepool.pinned import PinnedPool, PinnedTag

    if not isinstance(tag, PinnedTag) or tag.id != tag.config.id:
        return
    for disk in tag.config.details.volumes:
        for pool in pools.ordered():
            if not isinstance(pool, PinnedPool) or pool.label != tag.label:
                continue
            source = pool.disk_source(tag.config, disk)
            if source is not None:
                yield pushed_disk(tag.config, disk, source)
                break


def _pushed(
    pools: PoolChain, tag: GeneSetTag, name: str, architecture: Architecture
) -> PushedDisk | None:
    for each in pushed_disks(pools, tag):
        if (each.disk.name, each.disk.architecture) == (name, architecture):
            return each
    return None


def _pinned(
    session: Session, folder: Path, gene: GeneId, architecture: Architecture
) -> LockedDisk | None:
    """What the lock for a folder says of a disk: of its description, or of a file alone."""
    lock = session.opener.lock_of(folder)
    entry = None if lock is None else lock.sets.get(str(gene.geneset))
    if entry is None:
        return None
    wanted = path_of(GeneType.VOLUME, gene.name, architecture).rpartition(".")[0]
    for file, disk in entry.disks.items():
        if file.rpartition(".")[0] == wanted:
            return disk
    return None


def _of_spec(
    session: Session, word: str, request: BuildRequest
) -> tuple[list[NeededVolume], tuple[ShownDiagnostic, ...]]:
    read = session.read(word, request)
    fed = session.expand(read, "feed", request)
    data = fed.data()
    if data is None:
        raise EryphcError(fed.failure or Failure.INPUT, fed.diagnostics)
    drives: dict[str, list[str]] = {}
    for drive in data.get("drives", ()):
        if drive.get("source") is not None:
            drives.setdefault(drive["source"], []).append(drive.get("name", ""))
    said = list(fed.diagnostics)
    reading = reading_of(read)
    folder = session.folder if reading is None else reading.spec.folder
    pools = session.pools_of(read)
    found = [
        NeededVolume(
            gene=gene.id,
            architecture=gene.architecture,
            volume=gene.volume or Volume(),
            tag=(tag := resolved_tag(pools, gene.id.geneset, [])),
            drives=tuple(sorted(drives[str(gene.id)])),
            spec=word,
            catlet=read.name,
            pinned=_pinned(session, folder, gene.id, gene.architecture),
            pushed=_pushed(pools, tag, gene.id.name, gene.architecture),
        )
        for gene in fed.genes
        # An ancestor's volume that no drive starts from any more is not needed.
        if gene.type is GeneType.VOLUME and str(gene.id) in drives
    ]
    if not found:
        said += show((wording.nothing_to_fetch(word),))
    return found, tuple(said)
