"""Disks that a registry has with their gene sets, layer by layer, for whoever wants to have one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from eryphc.diagnostics import registry as wording
from eryphc.diagnostics import sharing
from eryphc.diagnostics.model import Diagnostic
from eryphc.genepool.disk_layers import DiskSourceError, layers_of
from eryphc.genepool.image import Descriptor, PushedVolume
from eryphc.genepool.image_config import GeneSetConfig
from eryphc.genepool.image_reader import ImageError, ImageManifest, read_manifest
from eryphc.genepool.oci.faults import NotThereError, RegistryError, SeveralManifestsError
from eryphc.genepool.registry_names import NameFaultError

if TYPE_CHECKING:
    from eryphc.genepool.oci.copies import Copy


class RegistryDisk:
    """A disk of a gene set. `connect` gives the pool's registry and then its mirrors; `manifest` is
    the digest of the manifest that the set was found with. `offline`: nobody is asked."""

    def __init__(
        self,
        connect: Callable[[], Sequence[Copy]],
        config: GeneSetConfig,
        disk: PushedVolume,
        manifest: str | None,
        *,
        offline: bool,
    ) -> None:
        self._connect = connect
        self._config = config
        self._disk = disk
        self._manifest = manifest
        self._offline = offline
        self._copy: Copy | None = None

    def layers(self) -> tuple[Descriptor, ...]:
        """The layers in a copy that has the set with the same identity. Raises DiskSourceError."""
        if self._offline:
            raise DiskSourceError(
                wording.offline(f"the disk `{self._disk.path}`", wording.FETCH_FIRST)
            )
        last: Diagnostic | None = None
        for copy in self._connect():
            try:
                manifest = self._found(copy)
            except (RegistryError, ImageError, NameFaultError) as fault:
                last = last or fault.diagnostic
                continue
            if manifest is not None:
                self._copy = copy
                return layers_of(self._config, self._disk, manifest.layers)
        where = f"{self._config.id}"
        gone = sharing.malformed_artifact(where, self._disk.path, "is in no copy of the image")
        raise DiskSourceError(last or gone)

    def fetch(self, layer: Descriptor, into: Path) -> None:
        """Write a layer to a file, verified by its digest. Raises DiskSourceError, OSError."""
        copy = self._copy
        assert copy is not None  # noqa: S101 - its layers were asked for before
        repository = copy.names.name(self._config.id).repository
        with into.open("wb") as file:
            try:
                copy.registry.fetch_blob(repository, layer.digest, layer.size, _Written(file))
            except RegistryError as fault:
                raise DiskSourceError(fault.diagnostic) from None
            except NotThereError as missing:
                where = f"{missing.place.host}/{missing.place.repository}"
                gone = sharing.malformed_artifact(where, layer.digest, "is not there")
                raise DiskSourceError(gone) from None

    def _found(self, copy: Copy) -> ImageManifest | None:
        """The manifest by its digest and then by tag, whichever is of the same identity."""
        name = copy.names.name(self._config.id)
        for reference in (self._manifest, name.tag):
            if reference is None:
                continue
            try:
                answer = copy.registry.get_manifest(name.repository, reference)
            except (NotThereError, SeveralManifestsError):
                continue
            manifest = read_manifest(answer.data, copy.names.reference(name))
            if (
                isinstance(manifest, ImageManifest)
                and manifest.config.digest == self._config.identity
            ):
                return manifest
        return None


class _Written:
    """A sink that is a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, block: bytes) -> None:
        self._file.write(block)

    def restart(self) -> None:
        self._file.seek(0)
        self._file.truncate()
