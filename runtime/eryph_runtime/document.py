"""Reading a deployment document: a file in, a checked `Deployment` out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eryph_runtime.decode import MalformedError, decode, parse
from eryph_runtime.document_rules import check
from eryph_runtime.wanted import SCHEMA, Deployment, PoolSource, UrlSource

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
    if isinstance(data, dict):
        data = {**data, "volumes": _without_parameter_sources(data.get("volumes"))}
    deployment = decode(Deployment, data)
    check(deployment)
    return deployment


def _without_parameter_sources(volumes: Any) -> Any:
    """The sources as tagged unions are opened here; `parameter` holds for every volume anyway."""
    if not isinstance(volumes, list):
        return volumes
    result = []
    for index, volume in enumerate(volumes):
        if not isinstance(volume, dict) or not isinstance(volume.get("sources"), list):
            raise MalformedError(f"volumes[{index}]: must be a volume with sources")
        sources = []
        for number, source in enumerate(volume["sources"]):
            place = f"volumes[{index}].sources[{number}]"
            tag = source.get("kind") if isinstance(source, dict) else None
            if not isinstance(tag, str) or tag not in _SOURCES:
                raise MalformedError(f"{place}: its kind is not known")
            rest = {key: value for key, value in source.items() if key != "kind"}
            if tag == "parameter":
                continue
            sources.append(decode(_SOURCES[tag], rest, place))
        result.append({**volume, "sources": sources})
    return result


_SOURCES: dict[str, Any] = {"pool": PoolSource, "url": UrlSource, "parameter": None}
