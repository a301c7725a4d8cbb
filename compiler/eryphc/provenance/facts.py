"""What a build knows of its inputs, as plain records without secrets.

Source: docs/build-type.md, "External parameters", "Resolved dependencies".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eryphc.canonical import Json
from eryphc.frozen import FrozenMap, NamedTuple


class Resource(NamedTuple):
    """Something that went into a build. `digest` is `<algorithm>:<hex>`; None where it is not
    known, or where a secret could be guessed by it."""

    name: str
    uri: str
    digest: str | None = None
    annotations: Mapping[str, str] = FrozenMap()


class SetFacts(NamedTuple):
    """A gene set of the closure.

    `requires` are the gene sets that its catlet gene names, as they were resolved. `uri` is where
    its image lies, `digest` that image's identity and `manifest` the digest of its manifest; all
    three are None for a set of a folder. `licenses` is an SPDX expression.
    """

    id: str
    requires: tuple[str, ...] = ()
    uri: str | None = None
    digest: str | None = None
    manifest: str | None = None
    licenses: str | None = None


class DiskFacts(NamedTuple):
    """A disk image that a drive starts from. `digest` as in `Resource`."""

    name: str
    digest: str | None = None
    os_name: str | None = None


class BuildFacts(NamedTuple):
    """What one target of one specification was made of.

    `spec` is its path from the folder of the project. `options` are those that were given and are
    not the defaults, `variables` the values that were given and are not secret, `secrets` the names
    of the others. `sources` are files, genes and disks are in lists of their own. `packages` are
    what the cloud-config asks a package manager of the guest for.
    """

    spec: str
    options: Mapping[str, Json] = FrozenMap()
    variables: Mapping[str, str] = FrozenMap()
    secrets: tuple[str, ...] = ()
    epoch: int = 0
    sources: tuple[Resource, ...] = ()
    sets: tuple[SetFacts, ...] = ()
    requires: tuple[str, ...] = ()
    disks: tuple[DiskFacts, ...] = ()
    packages: tuple[str, ...] = ()

    def __repr__(self) -> str:
        # What is printed ends in logs.
        return f"BuildFacts({self.spec!r}, {len(self.sources)} files)"


def told(data: dict[str, Json]) -> dict[str, Json]:
    """The data with escapes for what is no Unicode text, such as bytes in names of files."""
    return {_text(key): _told(value) for key, value in data.items()}


def _told(value: Json) -> Json:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return told(dict(value))
    if isinstance(value, Sequence):
        return [_told(each) for each in value]
    return value


def _text(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
