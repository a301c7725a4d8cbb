"""The manifest of a target, from the catlet and what was decided for it."""

from __future__ import annotations

from functools import lru_cache

from eryphc.artifacts.manifest import Manifest, ManifestAdapter, ManifestGene
from eryphc.guestconfig.model import GuestRequest
from eryphc.identifiers import Architecture
from eryphc.ir.stages import PinnedGene, Substituted


def manifest_of(
    catlet: Substituted,
    request: GuestRequest,
    *,
    name: str,
    catlet_id: str,
    target: str,
    architecture: Architecture,
    tool: str,
) -> Manifest:
    """All of `manifest.json` but its files. `tool` is `eryphc` and the version."""
    return Manifest(
        catlet=name,
        catlet_id=catlet_id,
        target=target,
        arch=str(architecture),
        guest=request.guest.value,
        tool=tool,
        network_adapters=tuple(
            ManifestAdapter(name=adapter.name, mac_address=adapter.mac_address)
            for adapter in request.adapters
        ),
        genes=_genes(catlet.genes),
    )


@lru_cache(maxsize=16)
def _genes(genes: tuple[PinnedGene, ...]) -> tuple[ManifestGene, ...]:
    # Catlets of one make have the same.
    return tuple(_gene(gene) for gene in genes)


def _gene(gene: PinnedGene) -> ManifestGene:
    return ManifestGene(
        id=str(gene.id),
        type=gene.type.value,
        arch=str(gene.architecture),
        sha256=gene.sha256,
        form=gene.form,
    )
