"""Whole outputs of real catlets as a reviewer can read them: one text a catlet.

Each holds the effective catlet, the manifest, what is on the ISO, and each file of it with
its parts decoded.
"""

from __future__ import annotations

import hashlib
import json
import os
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from cli.command_line import CommandLine
from eryphc.artifacts.iso_reader import read_iso
from golden import Golden
from places import PUBLISHED

ROOT = Path(__file__).parents[2]
EXAMPLES = ("web-config", "dev-server", "prod-server")
CATLETS = (
    "ubuntu-24.04/starter-1.0",
    "ubuntu-22.04/starter-1.0",
    "ubuntu-20.04/starter-1.0",
    "almalinux-9/starter-1.0",
    "oraclelinux-9/starter-1.0",
    "win11-24h2-enterprise/starter-1.0",
    "winsrv2025-standard/20250912",
    "winsrv2025-standard/starter-1.0",
    "winsrv2022-standard/starter-1.0",
    "winsrv2019-standardcore/starter-1.0",
    "windevbox/win11-1.0",
    "winsrv2016-standard/starter-1.0",
)


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Golden)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(eryphc: CommandLine, golden: SnapshotAssertion, name: str) -> None:
    spec = ROOT / "examples" / f"{name}.yaml"
    assert _outputs(eryphc, spec, ()) == golden


@pytest.mark.parametrize("name", CATLETS, ids=lambda name: name.replace("/", "-"))
def test_published(eryphc: CommandLine, golden: SnapshotAssertion, name: str) -> None:
    spec = PUBLISHED / "dbosoft" / name / "catlet.yaml"
    machine = name.replace("/", "-").replace(".", "-").replace("standardcore", "core")[:40]
    options = ("--genepool", str(PUBLISHED), "--name", machine, "--hostname", "machine")
    assert _outputs(eryphc, spec, options) == golden


def _outputs(eryphc: CommandLine, spec: Path, options: tuple[str, ...]) -> str:
    effective = eryphc("expand", str(spec), *options)
    assert effective.code == 0, effective.err
    built = eryphc("build", str(spec), "--target", "cloud-init", "--output", "out", *options)
    assert built.code == 0, built.err
    out = eryphc.folder / "out"
    sections = [("expand", effective.out)]
    files = sorted(path for path in out.rglob("*") if path.is_file())
    listing = "".join(f"{_mode(path)} {path.relative_to(out).as_posix()}\n" for path in files)
    sections.append(("files", listing))
    sections.append(("manifest.json", (out / "manifest.json").read_text(encoding="utf-8")))
    (iso,) = (path for path in files if path.suffix == ".iso")
    contents = read_iso(iso.read_bytes())
    assert contents.rock_ridge == contents.joliet
    names = "".join(f"{len(data):>7} {name}\n" for name, data in sorted(contents.joliet.items()))
    sections.append((f"ISO {contents.label}", names))
    for name, data in sorted(contents.joliet.items()):
        assert (out / "nocloud" / name).read_bytes() == data
        sections += _decoded(name, data)
    return "".join(f"{'=' * 8} {title}\n{_readable(text)}" for title, text in sections)


def _mode(path: Path) -> str:
    return format(path.stat().st_mode & 0o777, "04o") if os.name == "posix" else "----"


def _decoded(name: str, data: bytes) -> list[tuple[str, str]]:
    """A file as sections: itself, or its head and each of its parts."""
    if not data.lower().startswith(b"content-type: multipart"):
        return [(name, data.decode())]
    message = message_from_bytes(data)
    found = [(f"{name}: multipart", _headers(message))]
    for part in message.walk():
        if not part.is_multipart():
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            title = f"{name}: {part.get_filename()} ({part.get_content_type()})"
            found.append(
                (title, payload.decode().replace("\r\n", "<CR>\n").replace("\ufeff", "<BOM>"))
            )
    return found


def _headers(message: Message) -> str:
    return json.dumps({key: " ".join(str(v).split()) for key, v in message.items()}, indent=2)


_LINES, _WIDTH = 150, 240


def _readable(text: str) -> str:
    """The text with its length, and by its digest what is too long to be read."""
    if not text:
        return ""
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    lines = text.split("\n")
    shown = [
        line if len(line) <= _WIDTH else f"{line[:_WIDTH]}<{len(line) - _WIDTH} more characters>"
        for line in (lines if len(lines) <= _LINES else lines[:_LINES])
    ]
    if len(lines) > _LINES:
        shown.append(f"<{len(lines) - _LINES} more lines; sha256 of all {digest}>\n")
    elif any(len(line) > _WIDTH for line in lines):
        shown.append(f"<sha256 of all {digest}>\n")
    ended = "\n".join(shown)
    return ended if ended.endswith("\n") else ended + "<no line feed at the end>\n"
