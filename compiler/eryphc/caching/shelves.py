"""Where records and the files of outputs are kept: the user's own cache, or a folder of a CI job.

What a shelf gives was verified only as far as it says; a record counts once its seal was checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

from eryphc.canonical import digest_of
from eryphc.genepool.files import PoolFiles
from eryphc.source import shown_path
from eryphc.store.content import Store
from eryphc.store.index import MOST_VALUE, Index

OUTPUTS: Final = "outputs"
"""The folder of sealed records in the folder of a CI job."""
_KEY: Final = "output/1/"


class Shelf(Protocol):
    """`own`: only this user, on this machine, writes there."""

    @property
    def label(self) -> str: ...

    @property
    def own(self) -> bool: ...

    def record(self, key: str) -> bytes | None:
        """The sealed record of a key, None where there is none."""
        ...

    def blob(self, sha256: str, size: int) -> bytes | None:
        """Content by its SHA-256 in hex, None where it is not there or is not that content."""
        ...


class OwnShelf:
    """The user's cache. Its methods raise StoreError."""

    own = True

    def __init__(self, store: Store, index: Index) -> None:
        self._store = store
        self._index = index
        self.label = shown_path(store.folder.root)

    def record(self, key: str) -> bytes | None:
        return self._index.get(_KEY + key)

    def blob(self, sha256: str, size: int) -> bytes | None:
        return self._store.blob(f"sha256:{sha256}", size)

    def put_blob(self, data: bytes) -> None:
        self._store.add_blob(data)

    def put_record(self, key: str, record: bytes) -> None:
        self._index.set(_KEY + key, record)

    def close(self) -> None:
        self._index.close()


class FolderShelf:
    """A folder that `--cache-to` wrote, or somebody else: nothing of it is believed."""

    own = False

    def __init__(self, folder: Path) -> None:
        self.label = shown_path(folder)
        self._folder = folder
        self._files = PoolFiles(folder, self.label)

    def record(self, key: str) -> bytes | None:
        return self._read(self._folder / OUTPUTS / key, MOST_VALUE)

    def blob(self, sha256: str, size: int) -> bytes | None:
        data = self._read(self._folder / "blobs" / "sha256" / sha256, size)
        return data if data is not None and digest_of(data) == f"sha256:{sha256}" else None

    def _read(self, path: Path, most: int) -> bytes | None:
        return self._files.read(path, most).value
