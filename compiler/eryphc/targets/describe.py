"""The manifest of a target, from what the target was given."""

from __future__ import annotations

from typing import Any

from eryphc.artifacts.manifest import Manifest, ManifestAdapter, ManifestGene
from eryphc.targets import Target
from eryphc.targets.definition import TargetInput


def manifest_of(given: TargetInput[Any], target: Target) -> Manifest:
    """All of `manifest.json` but its files."""
    return Manifest(
        catlet=given.name,
        catlet_id=given.catlet_id,
        target=target.value,
        arch=str(given.architecture),
        guest=given.request.guest.value,
        tool=given.tool,
        network_adapters=tuple(
            ManifestAdapter(name=adapter.name, mac_address=adapter.mac_address)
            for adapter in given.request.adapters
        ),
        genes=tuple(
            ManifestGene(
                id=str(gene.id),
                type=gene.type.value,
                arch=str(gene.architecture),
                sha256=gene.sha256,
                form=gene.form,
            )
            for gene in given.catlet.genes
        ),
    )
