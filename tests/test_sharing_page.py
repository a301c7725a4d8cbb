"""docs/sharing.md: every command in it is run against a real registry, every output compared.

`ERYPHC_UPDATE_README=1` writes the outputs down.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from eryphc.diagnostics.codes import KINDS, kind_of
from genepool.oci.real import registry
from test_readme import BLOCK, transcript

PAGE = Path(__file__).parents[1] / "docs" / "sharing.md"
HOST = "localhost:5000"


@pytest.mark.integration
@pytest.mark.skipif(os.name != "posix", reason="the tour is typed in a POSIX shell")
def test_the_page_shows_what_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cache", "config"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(tmp_path / name))
    for name in ("DOCKER_CONFIG", "XDG_RUNTIME_DIR", "REGISTRY_AUTH_FILE", "DOCKER_AUTH_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder, data = tmp_path / "work", tmp_path / "registry"
    folder.mkdir()
    data.mkdir()
    text = PAGE.read_text(encoding="utf-8")
    seen, end = "", 0
    with registry(data) as host:
        for block in BLOCK.finditer(text):
            body = block["body"].replace(HOST, host)
            if block["path"]:
                file = folder / block["path"]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(body, encoding="utf-8", newline="\n")
            else:
                body = transcript(body, folder)
            seen += text[end : block.start("body")] + body.replace(host, HOST)
            end = block.end("body")
    seen += text[end:]
    if os.environ.get("ERYPHC_UPDATE_README"):
        PAGE.write_text(seen, encoding="utf-8", newline="\n")
    assert seen == text


def test_every_shell_block_is_run() -> None:
    text = PAGE.read_text(encoding="utf-8")
    languages = re.findall(r"^```(\w+)", text, re.MULTILINE)
    assert len(languages) == len(list(BLOCK.finditer(text)))
    assert set(languages) == {"console", "json", "yaml"}


def test_the_table_of_faults_knows_all_that_registries_answer() -> None:
    """But for warnings, what only reading finds, and what the pages of signatures tell."""
    rows = re.findall(r"^\| ([EW][^|]*) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    named: set[str] = set()
    for row in rows:
        for first, last in re.findall(r"(E\d{4})(?: to (E\d{4}))?", row):
            numbers = range(int(first[1:]), int((last or first)[1:]) + 1)
            named |= {f"E{number:04}" for number in numbers}
    known = {kind.number for kind in KINDS if kind.number.startswith("E10")}
    elsewhere = {"E1022", "E1023", "E1024", "E1025", "E1032"}
    assert known - named <= elsewhere
    assert all(kind_of(code) for code in named)
