"""Our writer against its definition (pycdlib with pinned dates) and against other readers."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifacts.iso_reference import reference_iso
from eryphc.artifacts.epoch import DEFAULT_EPOCH, LAST_EPOCH
from eryphc.artifacts.iso import LARGEST_FILE, IsoError, nocloud_image, volume_date
from eryphc.artifacts.iso_reader import difference, read_iso

LETTERS = "ABCXYZabcxyz0189-_."
SEED = {
    "user-data": b"#cloud-config\nruncmd: [echo]\n",
    "meta-data": b'instance-id: "i-1"\n',
    "network-config": b"version: 2\n",
}

names = st.text(LETTERS, min_size=1, max_size=64).filter(lambda name: name not in {".", ".."})
sizes = st.sampled_from([0, 1, 2, 2047, 2048, 2049, 4096, 10_000])
contents = st.builds(lambda size, byte: bytes([byte]) * size, sizes, st.integers(0, 255))
file_sets = st.dictionaries(names, contents, max_size=12).map(
    lambda files: {name: files[name] for name in {key.lower(): key for key in files}.values()}
)
epochs = st.integers(DEFAULT_EPOCH, LAST_EPOCH)
labels = st.sampled_from(["cidata", "CIDATA", "a", "sixteen-letters_"])


@settings(max_examples=60)
@given(file_sets, labels, epochs)
def test_same_bytes_as_pycdlib(files: dict[str, bytes], label: str, epoch: int) -> None:
    assert nocloud_image(files, label=label, epoch=epoch).content == reference_iso(
        files, label=label, epoch=epoch
    )


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({}, id="no file"),
        pytest.param({"a": b""}, id="one empty file"),
        pytest.param({f"n{i:05d}": b"x" for i in range(999)}, id="999 files"),
        pytest.param({f"n{i:05d}": b"x" for i in range(1000)}, id="1,000 files, short names end"),
        pytest.param({f"n{i:05d}": b"x" for i in range(1001)}, id="1,001 files, wider short names"),
        pytest.param(
            {f"{'x' * 60}{i:04d}": b"" for i in range(120)}, id="long names, many sectors"
        ),
        pytest.param({"user-data": bytes(range(256)) * 16_000, "meta-data": b"\n"}, id="4 MB"),
    ],
)
def test_same_bytes_as_pycdlib_at_the_edges(files: dict[str, bytes]) -> None:
    image = nocloud_image(files, epoch=DEFAULT_EPOCH).content
    assert image == reference_iso(files, epoch=DEFAULT_EPOCH)
    assert difference(image, files) is None


@settings(max_examples=40)
@given(file_sets, labels, epochs)
def test_reading_back_gives_what_was_meant(files: dict[str, bytes], label: str, epoch: int) -> None:
    image, offsets = nocloud_image(files, label=label, epoch=epoch)
    found = read_iso(image)
    assert (found.label, found.joliet_label) == (label, label)
    assert found.rock_ridge == files
    assert found.joliet == files
    assert difference(image, files, label=label) is None
    for name, content in files.items():
        assert image[offsets[name] : offsets[name] + len(content)] == content


def test_order_of_the_mapping_does_not_matter() -> None:
    backwards = dict(reversed(SEED.items()))
    image = nocloud_image(SEED, epoch=DEFAULT_EPOCH)
    assert nocloud_image(backwards, epoch=DEFAULT_EPOCH) == image


def test_the_layout_is_the_one_that_was_released() -> None:
    """A change here changes every image ever built: it needs an entry in the changelog."""
    digest = hashlib.sha256(nocloud_image(SEED, epoch=DEFAULT_EPOCH).content).hexdigest()
    assert digest == "6f56bea77746f559707a789cc8a3ce4c7d031894dec2200b1f8dc8fd83c887f4"


def test_every_time_in_it_is_the_epoch() -> None:
    first = nocloud_image(SEED, epoch=DEFAULT_EPOCH).content
    other = nocloud_image(SEED, epoch=1_700_000_000).content
    assert volume_date(1_700_000_000) == b"2023111422132000\0"
    assert first != other
    assert first.replace(b"1980010100000000", b"2023111422132000") != other
    assert not re.search(rb"20[0-9]{2}(0[1-9]|1[0-2])[0-3][0-9][0-2][0-9]", first)


class _Huge(bytes):
    def __len__(self) -> int:
        return LARGEST_FILE + 1


@pytest.mark.parametrize(
    ("files", "label", "words"),
    [
        pytest.param({"a/b": b""}, "cidata", "'a/b' is not 1 to 64", id="a path"),
        pytest.param({"": b""}, "cidata", "'' is not 1 to 64", id="no name"),
        pytest.param({"..": b""}, "cidata", "stands for a folder", id="the parent folder"),
        pytest.param({"ä": b""}, "cidata", "'ä' is not 1 to 64", id="not ASCII"),
        pytest.param({"x" * 65: b""}, "cidata", "is not 1 to 64", id="65 letters"),
        pytest.param({"a;1": b""}, "cidata", "'a;1' is not", id="a version"),
        pytest.param({"a": b"", "A": b""}, "cidata", "only in its case", id="case"),
        pytest.param({"a": _Huge()}, "cidata", "4 GiB", id="4 GiB"),
        pytest.param({}, "", "the label ''", id="no label"),
        pytest.param({}, "seventeen-letters", "the label 'sev", id="a long label"),
    ],
)
def test_refuses(files: dict[str, bytes], label: str, words: str) -> None:
    for write in (nocloud_image, reference_iso):
        with pytest.raises(IsoError, match=re.escape(words)):
            write(files, label=label, epoch=DEFAULT_EPOCH)


@pytest.mark.parametrize("epoch", [-3_000_000_000, LAST_EPOCH + 1])
def test_refuses_times_outside_1900_to_2155(epoch: int) -> None:
    with pytest.raises(IsoError, match="1900 to 2155"):
        nocloud_image(SEED, epoch=epoch)


@pytest.mark.integration
@pytest.mark.skipif(
    shutil.which("isoinfo") is None, reason="isoinfo is not installed: apt-get install genisoimage"
)
@pytest.mark.parametrize("tree", ["-R", "-J"])
def test_isoinfo_reads_it(tree: str, tmp_path: Path) -> None:
    image = tmp_path / "seed.iso"
    image.write_bytes(nocloud_image(SEED, epoch=DEFAULT_EPOCH).content)
    header = _run("isoinfo", "-d", "-i", str(image))
    assert "Volume id: cidata" in header
    assert "Joliet with UCS level 3 found" in header
    assert "Rock Ridge signatures version 1 found" in header
    listing = _run("isoinfo", "-l", tree, "-i", str(image))
    for name, content in SEED.items():
        assert re.search(rf"\s{len(content)} Jan  1 1980 .* {name}\s*$", listing, re.MULTILINE)
        assert _run("isoinfo", tree, "-x", f"/{name}", "-i", str(image)).encode() == content


@pytest.mark.integration
@pytest.mark.skipif(
    shutil.which("xorriso") is None, reason="xorriso is not installed: apt-get install xorriso"
)
def test_xorriso_reads_it(tmp_path: Path) -> None:
    image = tmp_path / "seed.iso"
    image.write_bytes(nocloud_image(SEED, epoch=DEFAULT_EPOCH).content)
    listing = _run(
        "xorriso", "-indev", str(image), "-find", "/", "-type", "f", "-exec", "lsdl", "--"
    )
    for name, content in SEED.items():
        assert re.search(rf"-r--r--r--\s+1 0\s+0\s+{len(content)} .*'/{name}'", listing)
        out = tmp_path / name
        _run("xorriso", "-osirrox", "on", "-indev", str(image), "-extract", f"/{name}", str(out))
        assert out.read_bytes() == content


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("blkid") is None, reason="blkid is not installed")
def test_blkid_finds_the_label_the_way_cloud_init_asks(tmp_path: Path) -> None:
    image = tmp_path / "seed.iso"
    image.write_bytes(nocloud_image(SEED, epoch=DEFAULT_EPOCH).content)
    found = _run("blkid", "-p", "-o", "export", str(image))
    assert "LABEL=cidata" in found
    assert "TYPE=iso9660" in found
    assert "UUID=1980-01-01-00-00-00-00" in found


def _run(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, env={"TZ": "UTC", "PATH": PATH})
    return done.stdout.decode()


PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
