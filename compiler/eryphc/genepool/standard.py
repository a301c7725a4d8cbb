"""The standard genes that ship with the tool, as a pool."""

from __future__ import annotations

from pathlib import Path

from eryphc.genepool.folder import FolderPool

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
    """The gene sets below the package folder, in the published layout."""

    def __init__(self, folder: Path | None = None) -> None:
        found = folder or standard_folder()
        super().__init__(found if found is not None else Path(_PACKAGE), LABEL)
