"""A folder as a gene pool: `<org>/<set>/<tag>/`, each tag in the published or the local layout.

The standard genes that ship with the tool are one.
"""

from __future__ import annotations

import re
from pathlib import Path

from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.diagnostics.pools import Neighbours
from eryphc.genepool.files import PoolFiles
from eryphc.genepool.manifest import read_manifest, stated_name
from eryphc.genepool.model import GeneSetTag, Manifest
from eryphc.genepool.source_tree import SourceTag
from eryphc.identifiers import GeneSetId
from eryphc.reads import Reads
from eryphc.source import SourceText, shown_path

MANIFEST = "geneset-tag.json"
_PACKED_FOLDER = re.compile(r"[0-9a-f]{64}\Z")


class FolderPool:
    """Gene sets below `root`. Only the folders of gene sets that a caller looks up are read.

    A tag is there if its folder holds a manifest. Each is read once; a pool that may have
    changed is opened anew. With `noting` it knows what was read for each gene set.
    """

    def __init__(self, root: Path, name: str | None = None, *, noting: bool = False) -> None:
        self._files = PoolFiles(root, name if name is not None else shown_path(root))
        self.noting = noting
        self._reads: dict[GeneSetId, Reads] = {}
        self._tags: dict[GeneSetId, Outcome[GeneSetTag] | None] = {}

    @property
    def label(self) -> str:
        return self._files.label

    @property
    def root(self) -> Path:
        return self._files.root

    def labels(self) -> tuple[str, ...]:
        return (self.label,)

    def reads(self, geneset: GeneSetId) -> Reads | None:
        """What was read for a gene set, nothing where nobody asked; None without `noting`."""
        return self._reads.get(geneset, Reads()) if self.noting else None

    def find(self, geneset: GeneSetId) -> Outcome[GeneSetTag] | None:
        if geneset not in self._tags:
            self._tags[geneset] = self._find(geneset)
        return self._tags[geneset]

    def neighbours(self, geneset: GeneSetId) -> Neighbours:
        organization = self._files.root / geneset.organization
        tags = self._files.entries(organization / geneset.geneset).value or ()
        sets = self._files.entries(organization).value or ()
        return Neighbours(
            tuple(e.name for e in tags if e.folder and (e.path / MANIFEST).is_file()),
            tuple(e.name for e in sets if e.folder),
        )

    def _find(self, geneset: GeneSetId) -> Outcome[GeneSetTag] | None:
        folder = self._files.root / geneset.organization / geneset.geneset / geneset.tag
        files = self._files
        if self.noting:
            reads = self._reads[geneset] = Reads()
            files = PoolFiles(files.root, files.label, reads)
        return _opened(files, folder, geneset)


def tag_in(folder: Path) -> Outcome[GeneSetTag] | None:
    """The tag that lies in `folder`, wherever that is: its manifest alone says what it is called.

    None where the folder holds no manifest. No link out of the folder is followed.
    """
    files = PoolFiles(folder, shown_path(folder))
    path = folder / MANIFEST
    if not path.is_file():
        return None
    read = files.read_text(path)
    if read.value is None:
        return Outcome(None, read.diagnostics)
    geneset = stated_name(SourceText(shown_path(path), read.value, regions=()))
    if geneset is None:
        # Without a name of its own it is refused, and the message calls it by its folder.
        place = folder.absolute()
        geneset = GeneSetId(place.parent.parent.name, place.parent.name, place.name)
    return _opened(files, folder, geneset)


def _opened(files: PoolFiles, folder: Path, geneset: GeneSetId) -> Outcome[GeneSetTag] | None:
    path = folder / MANIFEST
    if not files.is_file(path):
        return None
    read = files.read_text(path)
    if read.value is None:
        return Outcome(None, read.diagnostics)
    manifest = read_manifest(SourceText(shown_path(path), read.value, regions=()), geneset)
    found: tuple[Diagnostic, ...] = (*read.diagnostics, *manifest.diagnostics)
    if manifest.value is None or has_errors(found):
        return Outcome(None, found)
    if _is_local(files, folder, manifest.value):
        from eryphc.genepool.local import LocalTag

        return Outcome(LocalTag(files, folder, geneset, manifest.value), found)
    return Outcome(SourceTag(files, folder, geneset, manifest.value), found)


def _is_local(files: PoolFiles, folder: Path, manifest: Manifest) -> bool:
    """A local pool lists its genes, and says which are complete or holds packed ones."""
    if files.is_file(folder / "genes.json"):
        return True
    return bool(manifest.genes) and any(
        _PACKED_FOLDER.match(entry.name)
        for entry in files.entries(folder).value or ()
        if entry.folder
    )


_PACKAGE = "eryph_stdlib_genes"
LABEL = "standard genes"


def standard_folder() -> Path | None:
    """Where the package of the standard genes lies; None where it was not installed.

    In a wheel it lies beside this package, in a checkout below its own root. The import system is
    used only if it is in neither place: that takes longer than all other lookups of a build.
    """
    beside = Path(__file__).resolve().parents[2]
    for folder in (beside / _PACKAGE, beside.parent / "stdlib-genes" / _PACKAGE):
        if folder.is_dir():
            return folder
    from importlib.util import find_spec

    spec = find_spec(_PACKAGE)
    for location in (spec.submodule_search_locations or ()) if spec is not None else ():
        return Path(location)
    return None


class StandardPool(FolderPool):
    """The gene sets below the package folder, in the published layout.

    What is read there belongs to the tool, whose digest stands for it.
    """

    def __init__(self, folder: Path | None = None) -> None:
        found = folder or standard_folder()
        super().__init__(found if found is not None else Path(_PACKAGE), LABEL)
