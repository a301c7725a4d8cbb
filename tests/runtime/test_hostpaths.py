"""Windows paths as text, on any system."""

from __future__ import annotations

import pytest

from eryph_runtime.hostpaths import (
    ancestors,
    is_absolute,
    is_own,
    join,
    lies_in,
    parent,
    part_of,
    path_fault,
    same,
)

CATLET = "6d0b1f3a-3f5c-5e8d-9a7b-1c2d3e4f5a6b"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("C:\\VMs", id="folder"),
        pytest.param("C:\\", id="root"),
        pytest.param("d:\\It's $(here)\\x y", id="quote and expression are only text"),
        pytest.param("\\\\server\\share\\machines", id="share"),
        pytest.param("C:\\VMs\\", id="final separator"),
    ],
)
def test_legal_paths(path: str) -> None:
    assert path_fault(path) is None


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        pytest.param("VMs\\x", "absolute", id="relative"),
        pytest.param("C:x", "absolute", id="drive-relative"),
        pytest.param("/srv/vms", "absolute", id="POSIX"),
        pytest.param("\\\\?\\C:\\x", "absolute", id="device path"),
        pytest.param("C:\\..\\x", "no file name", id="parent"),
        pytest.param("C:\\a\\.\\x", "no file name", id="dot"),
        pytest.param("C:\\a[1]", "holds one of", id="wildcard"),
        pytest.param("C:\\a`b", "holds one of", id="backtick"),
        pytest.param("C:\\%TEMP%", "holds one of", id="percent"),
        pytest.param("C:\\a:stream", "holds one of", id="stream"),
        pytest.param("C:\\a\nb", "holds one of", id="line feed"),
        pytest.param("C:\\a.", "dot or a blank", id="final dot"),
        pytest.param("C:\\a \\b", "dot or a blank", id="final blank"),
        pytest.param("C:\\nul.txt", "reserved", id="reserved"),
        pytest.param("C:\\COM¹", "reserved", id="reserved superscript"),
        pytest.param("C:\\a\\\\b", "empty component", id="empty component"),
        pytest.param("C:\\" + "a" * 256, "255", id="long component"),
        pytest.param("C:\\" + "\\".join(["a" * 100] * 3), "240", id="long path"),
    ],
)
def test_refused_paths(path: str, fault: str) -> None:
    assert fault in (path_fault(path) or "")


def test_parts_of_paths() -> None:
    assert part_of("C:\\a.b\\web.1.iso") == "C:\\a.b\\web.1.eryphc-part.iso"
    assert part_of("C:\\a.b\\web") == "C:\\a.b\\web.eryphc-part"
    assert join("C:\\", "a", "b") == "C:\\a\\b"
    assert parent("C:\\a") == "C:\\"
    assert ancestors("C:\\a\\b\\c") == ("C:\\a", "C:\\a\\b")
    assert ancestors("\\\\s\\share\\a\\b") == ("\\\\s\\share\\a",)
    assert same("C:/A\\b\\", "c:\\a\\B")
    assert lies_in("C:\\a\\b", "c:\\A")
    assert not lies_in("C:\\ab", "C:\\a")
    assert is_absolute("c:/x") is True
    assert is_absolute("x\\y") is False


@pytest.mark.parametrize(
    ("path", "own"),
    [
        pytest.param(f"C:\\VMs\\eryphc-{CATLET}\\sda.vhdx", True, id="inside"),
        pytest.param(f"C:\\VMs\\eryphc-{CATLET}", True, id="the folder itself"),
        pytest.param(f"C:\\VMs\\eryphc-{CATLET}\\..\\x", False, id="a way out"),
        pytest.param(f"C:\\VMs\\eryphc-{CATLET}x\\sda.vhdx", False, id="longer name"),
        pytest.param("C:\\Windows\\System32\\config", False, id="elsewhere"),
    ],
)
def test_what_a_record_may_name(path: str, own: bool) -> None:  # noqa: FBT001
    assert is_own(path, CATLET) is own
