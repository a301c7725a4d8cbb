"""What makes an image the same every time: checksums and geometry."""

from __future__ import annotations

import pytest

from eryphc.volumes.identity import crc32c, geometry
from volumes.images import MIB

GIB = 1024 * MIB


def test_crc32c_of_the_standard() -> None:
    assert crc32c(b"123456789") == 0xE3069283


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (20 * MIB, (602, 4, 17)),
        (GIB, (2080, 16, 63)),
        (30 * GIB, (62415, 16, 63)),
        (127 * GIB, (65278, 16, 255)),
        (128 * GIB, (65535, 16, 255)),
    ],
)
def test_geometry(size: int, expected: tuple[int, int, int]) -> None:
    assert geometry(size) == expected
