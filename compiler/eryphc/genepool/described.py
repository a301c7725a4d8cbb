"""What the gene set above a tag says of itself, as far as a build needs it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from eryphc.genepool.files import PoolFiles
from eryphc.genepool.model import GeneSetTag
from eryphc.reads import Reads

_MOST_TEXT = 2 * 1024 * 1024


def set_metadata(tag: GeneSetTag) -> Mapping[str, str]:
    """The metadata in the `geneset.json` above a tag in a folder; none for other tags."""
    folder: object = getattr(tag, "folder", None)
    if not isinstance(folder, Path):
        return {}
    # Only tags in folders take notes of what is read for them.
    reads: Reads | None = getattr(tag, "reads", None)
    read = PoolFiles(folder.parent, str(tag.id), reads).read(
        folder.parent / "geneset.json", _MOST_TEXT
    )
    try:
        found = json.loads(read.value or b"")["metadata"].items()
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return {}
    return {key: text for key, text in found if isinstance(text, str)}
