"""Files of a pool: their encoding, and how their paths are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from eryphc.genepool.files import decode
from eryphc.source import shown_path


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbfa", b"\xff\xfea\x00", b"\xfe\xff\x00a", b"a"], ids=repr
)
def test_byte_order_marks_decide_the_encoding(data: bytes) -> None:
    assert decode(data) == ("a", False)


def test_paths_are_shown_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown_path(tmp_path / "genes" / "a.yaml") == "genes/a.yaml"
    assert shown_path(Path("genes/../b.yaml")) == "b.yaml"
    assert shown_path(Path("/elsewhere/a.yaml")) == "/elsewhere/a.yaml"
