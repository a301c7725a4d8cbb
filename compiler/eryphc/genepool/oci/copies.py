"""A place that has gene sets: a registry, and what it calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eryphc.diagnostics import sharing
from eryphc.frozen import NamedTuple
from eryphc.genepool.image import Descriptor
from eryphc.genepool.image_reader import ImageError, ImageManifest, read_manifest
from eryphc.genepool.oci.faults import NotThereError, SeveralManifestsError
from eryphc.genepool.registry_names import RegistryName, RegistryNames

if TYPE_CHECKING:
    from eryphc.genepool.oci.client import Manifest, Registry


class ContentMissingError(ImageError):
    """The registry has a manifest, but not the content that it describes."""


class Copy(NamedTuple):
    """A registry that has copies, and what it calls gene sets."""

    names: RegistryNames
    registry: Registry

    def manifest(
        self, name: RegistryName, reference: str | None = None
    ) -> tuple[ImageManifest, Manifest]:
        """The manifest of one image, read and as it came: of the tag, or of another `reference`.

        Raises NotThereError, RegistryError, ImageError.
        """
        where = self.names.reference(name)
        try:
            answer = self.registry.get_manifest(name.repository, reference or name.tag)
        except SeveralManifestsError:
            found = "a multi-platform image"
            raise ImageError(sharing.not_a_gene_set(where, found)) from None
        manifest = read_manifest(answer.data, where)
        if isinstance(manifest, Descriptor):
            raise ImageError(sharing.not_a_gene_set(where, "an index of indexes"))
        return manifest, answer

    def blob(self, name: RegistryName, described: Descriptor, most: int) -> bytes:
        """The content that a manifest describes: its copy there, or the blob.

        Raises RegistryError, ContentMissingError, and ImageError for more than `most` bytes.
        """
        where = self.names.reference(name)
        if described.size > most:
            problem = f"has {described.size} bytes, more than the {most} that it may have"
            raise ImageError(sharing.malformed_artifact(where, described.digest, problem))
        if described.data is not None:
            return described.data
        try:
            return self.registry.get_blob(name.repository, described.digest, described.size)
        except NotThereError:
            fault = sharing.malformed_artifact(where, described.digest, "is not there")
            raise ContentMissingError(fault) from None
