"""The digest of the tool: that of its modules, however they were installed."""

from __future__ import annotations

import hashlib
from importlib import metadata
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path

import pytest

from eryphc.provenance import tool
from eryphc.version import __version__

LINES = ("eryph_runtime/a.py,sha256=b,1", "eryphc/version.py,sha256=a,1", "eryphc/x.py,sha256=c,2")
OF_INSTALLER = (
    "../../../bin/eryphc,sha256=z,9",
    "eryphc-0.1.0.dist-info/RECORD,,",
    "eryphc-0.1.0.dist-info/INSTALLER,sha256=z,4",
    "eryphc/__pycache__/version.cpython-311.pyc,,",
)
DIGEST = "sha256:" + hashlib.sha256("".join(f"{line}\n" for line in LINES).encode()).hexdigest()


class Installed(Distribution):
    def __init__(self, record: str | None) -> None:
        self.record = record

    def read_text(self, filename: str) -> str | None:
        return self.record if filename == "RECORD" else None

    def locate_file(self, path: object) -> object:  # type: ignore[override]
        raise NotImplementedError


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param("\n".join(LINES), DIGEST, id="the wheel's"),
        pytest.param("\r\n".join((*OF_INSTALLER, *reversed(LINES))), DIGEST, id="an installer's"),
        pytest.param("\n".join(OF_INSTALLER), None, id="an editable install"),
        pytest.param("eryphc/examples/web.yaml,sha256=a,1\n", None, id="with copied examples"),
        pytest.param(None, None, id="no record"),
    ],
)
def test_only_the_modules_count(
    record: str | None, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "distribution", lambda _name: Installed(record))
    assert tool.tool_digest() == expected


def test_a_tool_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Distribution:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    assert tool.tool_digest() is None


def test_the_wheel_that_runs_is_the_one_beside_the_package(tmp_path: Path) -> None:
    folder = tmp_path / f"eryphc-{__version__}.dist-info"
    folder.mkdir()
    assert tool.code_digest(tmp_path) is None
    (folder / "RECORD").write_text("\n".join((*LINES, *OF_INSTALLER)))
    assert tool.code_digest(tmp_path) == DIGEST
    (folder / "RECORD").write_text("\n".join(OF_INSTALLER))
    assert tool.code_digest(tmp_path) is None


def test_a_checkout_has_no_digest() -> None:
    assert tool.code_digest() is None
