"""Names of files that every system can hold."""

import pytest

from eryphc.artifacts.names import fault_of


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        pytest.param("web.iso", None, id="plain"),
        pytest.param("nocloud/user-data", None, id="in a folder"),
        pytest.param("a b+ä.iso", None, id="blank, plus and letters"),
        pytest.param("/etc/passwd", "absolute", id="absolute"),
        pytest.param("../web.iso", "leaves", id="the parent"),
        pytest.param("a/../../web.iso", "leaves", id="the parent inside"),
        pytest.param("..\\web.iso", "character", id="a backslash"),
        pytest.param("c:web.iso", "character", id="a drive"),
        pytest.param("a\nb", "character", id="a line feed"),
        pytest.param("a\0b", "character", id="a null"),
        pytest.param("web.", "dot", id="a dot at the end"),
        pytest.param("x" * 256, "255", id="too long"),
        pytest.param("ä" * 128, "255", id="too many bytes"),
        pytest.param("\udc80", "Unicode", id="a lone surrogate"),
        pytest.param("", "empty", id="empty"),
        pytest.param("a//b", "empty", id="an empty part"),
        pytest.param("a/", "empty", id="an empty part at the end"),
        pytest.param("./a", "leaves", id="a dot"),
        pytest.param("manifest.json", "manifest", id="the manifest"),
        pytest.param("Manifest.JSON", "manifest", id="the manifest in another case"),
    ],
)
def test_names(name: str, fault: str | None) -> None:
    found = fault_of(name)
    assert found is None if fault is None else found is not None and fault in found
