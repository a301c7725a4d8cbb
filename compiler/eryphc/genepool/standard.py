"""The standard genes that ship with the tool, as a pool."""

from __future__ import annotations

from pathlib import Path

from eryphc.genepool.folder import FolderPool

_PACKAGE = "eryph_stdlib_genes"
LABEL = "standard genes"


def standard_folder() -> Path | None:
    """Where the package of the standard genes lies; None where it was not installed.

    Beside this package in a wheel, below its own root in a checkout. Only where it is in neither
    place is the import system asked, which costs more than all the rest of a build's lookups.
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
    """The gene sets below the package folder, in the published layout."""

    def __init__(self, folder: Path | None = None) -> None:
        found = folder or standard_folder()
        super().__init__(found if found is not None else Path(_PACKAGE), LABEL)
