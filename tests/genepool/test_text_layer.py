"""The text layer: one form, which other programs read too."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eryphc.genepool.text_layer import (
    Entry,
    LayerError,
    header,
    layer_size,
    read_layer,
    write_layer,
)

FILES = st.dictionaries(
    st.from_regex(r"[a-z]{1,20}(?:/[a-z]{1,20}){0,2}", fullmatch=True),
    st.binary(max_size=1200),
    max_size=5,
)


@given(FILES)
def test_what_is_written_is_read(files: dict[str, bytes]) -> None:
    layer = write_layer(files.items())
    entries = [Entry(path, len(files[path])) for path in sorted(files)]
    assert len(layer) == layer_size(entry.size for entry in entries)
    assert read_layer(layer, entries) == tuple(files[entry.path] for entry in entries)


@given(FILES)
def test_other_programs_read_it(files: dict[str, bytes]) -> None:
    with tarfile.open(fileobj=io.BytesIO(write_layer(files.items()))) as archive:
        found = {each.name: each for each in archive.getmembers()}
        assert list(found) == sorted(files)
        for name, entry in found.items():
            extracted = archive.extractfile(entry)
            assert extracted is not None
            assert extracted.read() == files[name]
            assert (entry.mode, entry.uid, entry.mtime) == (0o644, 0, 0)


def test_no_other_byte_is_taken() -> None:
    layer = write_layer({"a": b"text\n", "b/c": b"x" * 600}.items())
    entries = (Entry("a", 5), Entry("b/c", 600))
    texts = {*range(512, 517), *range(1536, 2136)}
    for at in range(len(layer)):
        changed = bytearray(layer)
        changed[at] ^= 1
        if at in texts:
            assert read_layer(bytes(changed), entries) != read_layer(layer, entries)
        else:
            with pytest.raises(LayerError):
                read_layer(bytes(changed), entries)
    for other in (layer[:-1], layer + b"\0", layer[:-512], layer + bytes(512)):
        with pytest.raises(LayerError, match="size"):
            read_layer(other, entries)


@pytest.mark.parametrize("path", ["", "a" * 101, "ä"])
def test_paths_that_a_header_cannot_hold(path: str) -> None:
    with pytest.raises(ValueError, match=r"path|ascii"):
        header(Entry(path, 0))
