"""Parts of disks as layers: written and read in pieces, and refused in any other form."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eryphc.genepool import disk_layers
from eryphc.genepool.disk_layers import Part, archive, gzipped, parts_of, unpacked
from eryphc.genepool.image import PushedVolume, part_size
from eryphc.genepool.text_layer import Entry, LayerError
from eryphc.identifiers import ANY

PATH = "volumes/sda.raw"
CONTENT = b"content" * 300
PART = Part(Entry(PATH, len(CONTENT)), 0)
PLAIN = b"".join(archive(PART.entry, [CONTENT]))
DIFF_ID = f"sha256:{hashlib.sha256(PLAIN).hexdigest()}"


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def content_of(blocks: Iterable[bytes], diff_id: str = DIFF_ID) -> bytes:
    found = bytearray()
    unpacked(blocks, PART, diff_id, found.extend)
    return bytes(found)


def test_a_part_is_an_ordinary_archive() -> None:
    with tarfile.open(fileobj=io.BytesIO(PLAIN)) as tar:
        (member,) = tar.getmembers()
        assert (member.name, member.size, member.mode) == (PATH, len(CONTENT), 0o644)
        file = tar.extractfile(member)
        assert file is not None
        assert file.read() == CONTENT


@given(st.integers(1, 5000), st.booleans())
def test_a_part_is_read_in_pieces_of_any_size(size: int, compressed: bool) -> None:  # noqa: FBT001
    data = b"".join(gzipped([PLAIN])) if compressed else PLAIN
    assert content_of(pieces(data, size)) == CONTENT


@given(st.integers(0, len(PLAIN) - 1), st.integers(1, 255))
def test_any_other_byte_is_refused(at: int, change: int) -> None:
    data = bytearray(PLAIN)
    data[at] ^= change
    with pytest.raises(LayerError):
        content_of([bytes(data)])


@given(st.integers(0, len(PLAIN) - 1), st.integers(1, 255))
def test_a_config_that_lists_another_form_changes_nothing(at: int, change: int) -> None:
    data = bytearray(PLAIN)
    data[at] ^= change
    diff_id = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if 512 <= at < 512 + len(CONTENT):
        assert len(content_of([bytes(data)], diff_id)) == len(CONTENT)
        return
    with pytest.raises(LayerError):
        content_of([bytes(data)], diff_id)


@pytest.mark.parametrize("compress", [lambda data: data, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("cut", [0, 1, 511, 512, 600, len(PLAIN) - 1])
def test_what_ends_too_early_is_refused(compress: object, cut: int) -> None:
    assert callable(compress)
    with pytest.raises(LayerError):
        content_of([compress(PLAIN[:cut])])


def test_compressed_content_that_is_cut_or_followed_by_something() -> None:
    data = gzip.compress(PLAIN)
    for wrong in (data[:-1], data + b"x", data + gzip.compress(b"more"), b"\x1f\x8b" + b"x" * 50):
        with pytest.raises(LayerError):
            content_of([wrong])


def test_a_bomb_costs_no_more_than_a_piece() -> None:
    bomb = gzip.compress(bytes(50 * 1024 * 1024))
    written = bytearray()
    with pytest.raises(LayerError):
        unpacked([bomb], PART, DIFF_ID, written.extend)
    assert len(written) <= len(CONTENT)


def test_another_diff_id_is_refused() -> None:
    with pytest.raises(LayerError, match="config"):
        content_of([PLAIN], f"sha256:{'0' * 64}")


@pytest.mark.parametrize(
    ("size", "names"),
    [
        (0, [PATH]),
        (64, [PATH]),
        (65, [f"{PATH}.001", f"{PATH}.002"]),
        (6400, [f"{PATH}.{number:03d}" for number in range(1, 101)]),
        (6401, [f"{PATH}.{number:03d}" for number in range(1, 52)]),
    ],
)
def test_a_disk_has_at_most_a_hundred_parts(
    size: int, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eryphc.genepool.image._SMALLEST_PART", 64)
    disk = PushedVolume("sda", ANY, "raw", PATH, "", size, part_size(size))
    parts = parts_of(disk)
    assert [part.entry.path for part in parts] == names
    assert sum(part.size for part in parts) == size
    assert [part.start for part in parts] == [disk.part * number for number in range(len(parts))]


def test_which_disks_are_compressed() -> None:
    assert disk_layers.media_type("qcow2").endswith(".tar")
    assert all(disk_layers.media_type(each).endswith("+gzip") for each in ("raw", "vhd", "vhdx"))
