"""Whole deployments as a reviewer sees them. `pytest --snapshot-update` writes them anew."""

from __future__ import annotations

import email
import email.policy
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from eryphc.artifacts.iso_reader import read_iso
from eryphc.genepool.chain import PoolChain
from eryphc.genepool.folder import FolderPool, StandardPool
from eryphc.request import BuildRequest
from golden import Golden
from saying import said
from targets.hyperv.building import Result, build

ROOT = Path(__file__).resolve().parents[3]
EVERYTHING = Path(__file__).parent / "everything"


def shown(result: Result) -> str:
    """What was found, the document, and the images with what they hold."""
    return "".join(f"{line}\n" for line in _lines(result))


def _lines(result: Result) -> Iterator[str]:
    yield "==== diagnostics ===="
    for found in result.diagnostics:
        yield f"{found.code.number}: {said(found).message}"
    yield "==== deployment.json ===="
    yield from result.file("deployment.json").decode("ascii").splitlines()
    script = result.file("deploy.ps1")
    yield f"==== deploy.ps1: {len(script)} bytes ===="
    for name in result.names:
        if name.endswith(".iso"):
            yield from _image(name, result.file(name))


def _image(name: str, image: bytes) -> Iterator[str]:
    contents = read_iso(image)
    yield f"==== {name}: {len(image)} bytes, label {contents.label} ===="
    for file, data in sorted(contents.rock_ridge.items()):
        yield f"---- {file}: {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()} ----"
        if not data.startswith(b"MIME-Version"):
            yield from data.decode().splitlines()
            continue
        message = email.message_from_bytes(data, policy=email.policy.default)
        for part in message.walk():
            if part.is_multipart():
                continue
            text = part.get_payload(decode=True)
            assert isinstance(text, bytes)
            yield f"-- {part.get_filename()}: {part.get_content_type()} --"
            yield from text.decode().splitlines()


@pytest.mark.parametrize("name", ["web-config", "dev-server", "prod-server"])
def test_example(name: str, snapshot: SnapshotAssertion) -> None:
    text = (ROOT / "examples" / f"{name}.yaml").read_text("utf-8")
    pools = PoolChain([FolderPool(ROOT / "examples/genes", "genes"), StandardPool()])
    result = build(text, pools, request=BuildRequest(), guest=None)
    assert shown(result) == snapshot(extension_class=Golden)


def test_everything(snapshot: SnapshotAssertion) -> None:
    pools = PoolChain([FolderPool(EVERYTHING / "genes", "genes")])
    result = build(
        (EVERYTHING / "spec.yaml").read_text("utf-8"),
        pools,
        project=(EVERYTHING / "eryphc.yaml").read_text("utf-8"),
        request=BuildRequest(),
        guest=None,
        open_slots={"token": 24},
    )
    assert shown(result) == snapshot(extension_class=Golden)
