"""An image layout that gives what a lock pins, where the store and the pools do not have it.

Its word is never believed: content counts if it has the digests that the lock has.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from eryphc.diagnostics.model import Outcome
from eryphc.genepool.contents import contents_of
from eryphc.genepool.image_reader import ImageError, ImageManifest, read_manifest
from eryphc.genepool.layout import OciLayout, layout_pool, read_set
from eryphc.genepool.model import GeneSetTag
from eryphc.genepool.registry_names import TagRules
from eryphc.genepool.trust import Admit, admit_all
from eryphc.identifiers import GeneSetId
from eryphc.lockfile.model import Entry
from eryphc.source import shown_path
from eryphc.store.content import Store
from eryphc.store.faults import StoreError

# The lock says what a tag means, so none of them moves.
_RULES = TagRules()


class SparePool:
    """The gene sets of the layout in `folder`. `store` opens the user's store, `admit` is the trust
    policy of the project."""

    def __init__(
        self, folder: Path, store: Callable[[], Store], admit: Admit | None = None
    ) -> None:
        self._layout = OciLayout(folder, shown_path(folder))
        self._pool = layout_pool(self._layout, _RULES, admit or admit_all)
        self._store = store

    def tag(self, geneset: GeneSetId, entry: Entry) -> Outcome[GeneSetTag] | None:
        """The tag, if it has exactly the texts that the lock pins."""
        found = self._pool.find(geneset)
        contents = None if found is None or found.value is None else contents_of(found.value).value
        if contents is None or found is None:
            return None
        files = {file.path: file.digest for file in contents.files}
        return found if files == entry.files else None

    def restock(self, geneset: GeneSetId, entry: Entry) -> None:
        """Put the image with the pinned identity into the store, which checks it as any other."""
        try:
            found = read_set(self._layout, geneset, _RULES)
            if found is None or found.config.identity != entry.digest:
                return
            store = self._store()
            for file in found.contents.files:
                store.add_blob(file.text)
            store.add_blob(found.config.data)
            store.put_manifest(found.config.identity, found.data, _is_signed)
        except (ImageError, StoreError):
            # What cannot be used is as good as missing.
            return


def _is_signed(manifest: bytes) -> bool:
    try:
        read = read_manifest(manifest, "")
    except ImageError:
        return False
    return isinstance(read, ImageManifest) and bool(read.signatures)
