"""The reader on images of other writers, and on damaged ones."""

import contextlib
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifacts.iso_dates import UnknownImageError, pin_dates
from eryphc.artifacts.iso import SECTOR, nocloud_image
from eryphc.artifacts.iso_reader import UnreadableImageError, difference, read_iso

FILES = {"user-data": b"#cloud-config\n", "meta-data": b"", "a" * 60: b"x" * 5000}
EPOCH = 315_532_800


def image_of(files: dict[str, bytes], *, label: str = "cidata", epoch: int = EPOCH) -> bytes:
    return nocloud_image(files, label=label, epoch=epoch).content


IMAGE = image_of(FILES)

OTHER_WRITERS = [
    pytest.param(
        ("genisoimage", "-quiet", "-volid", "cidata", "-joliet", "-rock", "-output"),
        id="genisoimage",
    ),
    pytest.param(
        ("xorriso", "-as", "mkisofs", "-quiet", "-V", "cidata", "-J", "-R", "-o"), id="xorriso"
    ),
]


def _write(command: tuple[str, ...], image: Path, files: dict[str, bytes]) -> bytes:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed: apt-get install {command[0]}")
    folder = image.with_suffix(".files")
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    subprocess.run([*command, str(image), str(folder)], check=True, capture_output=True, timeout=60)
    return image.read_bytes()


@pytest.mark.integration
@pytest.mark.parametrize("command", OTHER_WRITERS)
def test_reads_other_writers(command: tuple[str, ...], tmp_path: Path) -> None:
    image = _write(command, tmp_path / "a.iso", FILES)
    # genisoimage counts its padding into the image but xorriso does not.
    image = image[: int.from_bytes(image[16 * SECTOR + 80 : 16 * SECTOR + 84], "little") * SECTOR]
    assert difference(image, FILES) is None


@pytest.mark.integration
@pytest.mark.parametrize("command", OTHER_WRITERS)
def test_pinned_dates_make_other_writers_reproducible(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    # Names so long that Rock Ridge needs continuation areas; Joliet cannot have them.
    command = tuple(word for word in command if word not in {"-joliet", "-J"})
    files = {f"{'long' * 40}{number}": b"x" for number in range(60)}
    first = _write(command, tmp_path / "a.iso", files)
    time.sleep(1.1)
    second = _write(command, tmp_path / "b.iso", files)
    assert first != second
    assert pin_dates(first, EPOCH) == pin_dates(second, EPOCH)
    assert pin_dates(pin_dates(first, EPOCH), EPOCH) == pin_dates(first, EPOCH)


def test_pinning_other_times_reaches_every_date() -> None:
    later = image_of(FILES, epoch=1_700_000_000)
    assert pin_dates(later, EPOCH) == IMAGE


@settings(max_examples=150)
@given(st.integers(16 * SECTOR, len(IMAGE) - 1), st.integers(1, 255))
def test_damage_is_a_difference_or_harmless_but_never_a_crash(at: int, change: int) -> None:
    damaged = bytearray(IMAGE)
    damaged[at] ^= change
    try:
        found = read_iso(bytes(damaged))
    except UnreadableImageError:
        assert difference(bytes(damaged), FILES) is not None
    else:
        same = found.rock_ridge == FILES and found.joliet == FILES
        labels = (found.label, found.joliet_label) == ("cidata", "cidata")
        assert (difference(bytes(damaged), FILES) is None) == (same and labels)
    with contextlib.suppress(UnknownImageError):
        assert len(pin_dates(bytes(damaged), EPOCH)) == len(IMAGE)


@pytest.mark.parametrize("length", [0, 1, 16 * SECTOR, 17 * SECTOR, 19 * SECTOR, len(IMAGE) - 1])
def test_a_cut_image_is_unreadable(length: int) -> None:
    with pytest.raises(UnreadableImageError):
        read_iso(IMAGE[:length])


@pytest.mark.parametrize(
    ("image", "words"),
    [
        pytest.param(IMAGE, None, id="the same"),
        pytest.param(image_of({**FILES, "meta-data": b"x"}), "content", id="more"),
        pytest.param(image_of({"user-data": b""}), "names", id="files missing"),
        pytest.param(image_of(FILES, label="other"), "labels", id="another label"),
        pytest.param(b"", "do not end", id="nothing"),
    ],
)
def test_difference(image: bytes, words: str | None) -> None:
    found = difference(image, FILES)
    assert found is None if words is None else found is not None and words in found


def test_the_two_trees_are_compared_apart() -> None:
    joliet_name = "user-data".encode("utf-16-be")
    damaged = IMAGE.replace(joliet_name, "user_data".encode("utf-16-be"))
    assert damaged != IMAGE
    assert "Joliet names" in (difference(damaged, FILES) or "")
    damaged = IMAGE.replace(b"\x01\x00user-data", b"\x01\x00user_data")
    assert damaged != IMAGE
    assert "Rock Ridge names" in (difference(damaged, FILES) or "")
