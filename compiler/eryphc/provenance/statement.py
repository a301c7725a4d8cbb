"""The statement of a build: which files were made, of what, and by which builder.

An in-toto statement with the provenance predicate of SLSA, as canonical JSON and a line feed. Equal
inputs give equal bytes. Source: docs/build-type.md, "The statement";
https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md;
https://slsa.dev/spec/v1.2/build-provenance
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from eryphc.artifacts.file import WrittenFile
from eryphc.artifacts.manifest import Manifest
from eryphc.canonical import Json, canonical
from eryphc.frozen import NamedTuple
from eryphc.lockfile.model import LANGUAGE
from eryphc.provenance.facts import BuildFacts, Resource, told
from eryphc.provenance.tool import tool_digest
from eryphc.version import __version__

HOST: Final = "https://eryphc.dev"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = f"{HOST}/build/v1"
LOCAL_BUILDER: Final = f"{HOST}/builder/local/v1"
SUFFIX: Final = ".provenance.json"
SIGNATURE_SUFFIX: Final = f"{SUFFIX}.sig"
NAMESPACE: Final = "eryphc-provenance"
"""Of SSH signatures over statements."""
GENE: Final = "gene:"
TOOL: Final = "pkg:pypi/eryphc"
MOST_BYTES: Final = 1024 * 1024
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,2000}\Z")


class Times(NamedTuple):
    """When a build began and ended: RFC 3339, UTC, with a `Z`."""

    started: str
    finished: str


class Attested(NamedTuple):
    """Who says it: the builder's URI, and when, where times are asked for."""

    builder: str = LOCAL_BUILDER
    times: Times | None = None


def is_uri(text: str) -> bool:
    """Whether a text can name a builder: a scheme, a colon, printable ASCII without blanks."""
    return _URI.match(text) is not None


def public_files(
    files: Sequence[WrittenFile], manifest: WrittenFile
) -> tuple[tuple[WrittenFile, ...], tuple[str, ...]]:
    """The files whose digests may be told, by name, and the names of the others.

    By the digest of a file a short secret in it can be guessed, also where the file only holds
    that digest. So the manifest of a folder with secrets is not told either; it has no name here.
    """
    hidden = tuple(sorted(file.path for file in files if file.secret or file.tells))
    told = [file for file in files if not (file.secret or file.tells)]
    if not hidden:
        told.append(manifest)
    return tuple(sorted(told)), hidden


def statement_bytes(
    facts: BuildFacts,
    manifest: Manifest,
    files: Sequence[WrittenFile],
    manifest_file: WrittenFile,
    attested: Attested = Attested(),  # noqa: B008 - it is frozen
) -> bytes | None:
    """The statement. None where no file's digest may be told: a statement needs a subject."""
    public, hidden = public_files(files, manifest_file)
    if not public:
        return None
    parameters: dict[str, Json] = {"spec": facts.spec, "target": manifest.target}
    optional: dict[str, Json] = {
        "options": dict(facts.options),
        "variables": dict(facts.variables),
        "secrets": list(facts.secrets),
        "secret_artifacts": list(hidden),
    }
    parameters |= {key: value for key, value in optional.items() if value}
    run: dict[str, Json] = {"builder": {"id": attested.builder, "version": {"eryphc": __version__}}}
    if attested.times is not None:
        run["metadata"] = {
            "startedOn": attested.times.started,
            "finishedOn": attested.times.finished,
        }
    definition: dict[str, Json] = {
        "buildType": BUILD_TYPE,
        "externalParameters": parameters,
        "internalParameters": {"epoch": facts.epoch, "language": LANGUAGE},
        "resolvedDependencies": [
            _descriptor(each) for each in sorted(_dependencies(facts, manifest), key=_order)
        ],
    }
    statement: dict[str, Json] = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": file.path, "digest": {"sha256": file.sha256}} for file in public],
        "predicateType": PREDICATE_TYPE,
        "predicate": {"buildDefinition": definition, "runDetails": run},
    }
    return canonical(told(statement)) + b"\n"


def is_ours(data: bytes) -> bool:
    """Whether bytes are a statement that a build wrote."""
    return STATEMENT_TYPE.encode() in data and f'"buildType":"{BUILD_TYPE}"'.encode() in data


def _dependencies(facts: BuildFacts, manifest: Manifest) -> Iterator[Resource]:
    yield from facts.sources
    for gene in manifest.genes:
        digest = None if gene.sha256 is None else f"sha256:{gene.sha256}"
        more = {"arch": gene.arch, "type": gene.type}
        if gene.form is not None:
            more["form"] = gene.form
        yield Resource(gene.id, gene.id, digest, more)
    for geneset in facts.sets:
        if geneset.uri is not None:
            yield Resource(geneset.id, geneset.uri, geneset.digest)
    known = {gene.id for gene in manifest.genes}
    for disk in facts.disks:
        if disk.name not in known:
            yield Resource(f"disk:{disk.name}", f"disk:{disk.name}", disk.digest)
    yield Resource(TOOL, f"{TOOL}@{__version__}", tool_digest())


def _order(resource: Resource) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    return resource.name, resource.uri, tuple(sorted(resource.annotations.items()))


def _descriptor(resource: Resource) -> Mapping[str, Json]:
    found: dict[str, Json] = {"name": resource.name, "uri": resource.uri}
    if resource.digest is not None:
        algorithm, _, digits = resource.digest.partition(":")
        found["digest"] = {algorithm: digits}
    if resource.annotations:
        found["annotations"] = dict(resource.annotations)
    return found
