"""Reading a deployment document: a file in, a checked `Deployment` out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eryph_runtime.deployment import LIMIT, Deployment, from_data, from_text
from eryph_runtime.document_rules import check


def load(path: Path) -> Deployment:
    """Read `path`: a `deployment.json`, or the folder that holds it.

    Raises OSError, and MalformedError where it is no deployment of this version.
    """
    file = path / "deployment.json" if path.is_dir() else path
    with file.open("rb") as stream:
        # One byte more than is allowed is enough to know.
        deployment = from_text(stream.read(LIMIT + 1))
    check(deployment)
    return deployment


def read(data: Any) -> Deployment:
    """Check parsed JSON and give the deployment; raises MalformedError."""
    deployment = from_data(data)
    check(deployment)
    return deployment
