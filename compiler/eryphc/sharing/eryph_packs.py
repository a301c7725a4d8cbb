"""`gene pack --eryph`: tags in the packed form of eryph, written as a gene pool."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from eryphc.answers import Result
from eryphc.artifacts.trees import write_tree
from eryphc.authoring.eryph_packing import EryphTag, eryph_packed
from eryphc.authoring.sources import tags_in
from eryphc.diagnostics import command as wording
from eryphc.diagnostics.model import Diagnostic, has_errors
from eryphc.diagnostics.shown import show
from eryphc.diagnostics.words import os_reason
from eryphc.errors import EryphcError, Failure
from eryphc.genepool.folder import MANIFEST
from eryphc.source import shown_path

_PACKED = re.compile(r"[0-9a-f]{64}")


class EryphSets(Result):
    """Packed tags, none after an error; `output` is the pool that they were written to."""

    def __init__(
        self, tags: Sequence[EryphTag], found: Iterable[Diagnostic], output: Path | None
    ) -> None:
        super().__init__(show(found))
        self.tags = tuple(tags) if self.ok else ()
        self.output = None if output is None else shown_path(output)

    def as_data(self) -> list[dict[str, Any]]:
        """The tags as `gene pack --eryph --format json` prints them."""
        return [
            {
                "geneset": each.id.without_tag,
                "tag": each.id.tag,
                "digest": each.identity,
                "genes": [
                    {
                        "type": gene.type.value,
                        "name": gene.name,
                        "arch": str(gene.architecture),
                        "hash": gene.hash,
                        "size": len(gene.data),
                    }
                    for gene in each.genes
                ],
            }
            for each in self.tags
        ]


def packed_for_eryph(
    path: str | os.PathLike[str], output: str | os.PathLike[str] | None = None
) -> EryphSets:
    """A tag, or all tags of a set, in eryph's packed form, each in its folder below `output`.

    A packed tag that is there is replaced, nothing else is. Raises `EryphcError`.
    """
    opened = tags_in(Path(path))
    found: list[Diagnostic] = [*opened.diagnostics]
    made: list[EryphTag] = []
    for tag in opened.value or ():
        packed = eryph_packed(tag)
        found += packed.diagnostics
        if packed.value is not None:
            made.append(packed.value)
    if opened.value is None or has_errors(found) or output is None:
        return EryphSets(made, found, None)
    for each in made:
        _write(Path(output) / str(each.id), each)
    return EryphSets(made, found, Path(output))


def _write(place: Path, tag: EryphTag) -> None:
    try:
        written = write_tree(place, tag.files, _is_packed)
    except OSError as error:
        reason = os_reason(error)
        fault = wording.file_unwritable(shown_path(place), reason)
        raise EryphcError.of(Failure.OUTSIDE, fault) from None
    if not written:
        raise EryphcError.of(
            Failure.INPUT, wording.file_exists(shown_path(place), "eryphc gene pack --eryph")
        )


def _is_packed(folder: Path) -> bool:
    """Whether a folder holds a packed tag and nothing else."""
    names = {path.name for path in folder.iterdir()}
    return MANIFEST in names and all(
        name == MANIFEST or _PACKED.fullmatch(name) is not None for name in names
    )
