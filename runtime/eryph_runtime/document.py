"""Reading a deployment document: a file in, a checked `Deployment` out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eryph_runtime.decode import MalformedError, decode, parse
from eryph_runtime.document_rules import check
from eryph_runtime.wanted import SCHEMA, Deployment

LIMIT = 16 * 1024 * 1024


def load(path: Path) -> Deployment:
    """Read `path`: a `deployment.json`, or the folder that holds it.

    Raises OSError, and MalformedError where it is no deployment of this version.
    """
    file = path / "deployment.json" if path.is_dir() else path
    with file.open("rb") as stream:
        data = stream.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise MalformedError(f"larger than {LIMIT} bytes")
    return read(parse(data))


def read(data: Any) -> Deployment:
    """Check parsed JSON and give the deployment; raises MalformedError."""
    if isinstance(data, dict) and data.get("schema") != SCHEMA:
        raise MalformedError(f"its schema is {data.get('schema')!r}, this runtime reads {SCHEMA}")
    deployment = decode(Deployment, data)
    check(deployment)
    return deployment
