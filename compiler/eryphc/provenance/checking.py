"""A build against its lock, its statement, and genes that it must have.

A statement is the word of a stranger: what it says is compared with the build, and a member that
this version does not know is refused, because it might change what the others mean.
Source: docs/build-type.md, "Verifying".
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from eryphc.artifacts.manifest import MANIFEST_NAME, ManifestGene
from eryphc.diagnostics import provenance as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.frozen import NamedTuple
from eryphc.genepool.contents import path_of
from eryphc.identifiers import Architecture, GeneType
from eryphc.lockfile import LOCK_FILE
from eryphc.lockfile.model import Lock
from eryphc.provenance.builds import ReadBuild
from eryphc.provenance.statement import (
    BUILD_TYPE,
    GENE,
    PREDICATE_TYPE,
    STATEMENT_TYPE,
    TOOL,
)
from eryphc.syntax.identifiers import parse_architecture
from eryphc.syntax.names import NameFault

ENVELOPE_TYPE: Final = "application/vnd.in-toto+json"
_HEX = re.compile(r"[0-9a-f]{64,128}\Z")
_PARAMETERS: Final = ("options", "secret_artifacts", "secrets", "spec", "target", "variables")


# -- what a statement says ------------------------------------------------------------------------


class Dependency(NamedTuple):
    """One thing that a build was made of. `digests` go by their algorithm."""

    name: str
    uri: str
    digests: Mapping[str, str]
    annotations: Mapping[str, str]


class Statement(NamedTuple):
    """A statement as read. `subjects` are SHA-256 digests by name; `enveloped`: it came in an
    envelope, whose signature nobody has checked."""

    subjects: Mapping[str, str]
    parameters: Mapping[str, Any]
    dependencies: tuple[Dependency, ...]
    builder: str
    version: str | None
    enveloped: bool


class MalformedError(Exception):
    """What is wrong with a statement, in words."""


def read_statement(data: bytes) -> Statement:
    """A statement, or the payload of an envelope, which may lie in a bundle of Sigstore.

    Raises MalformedError.
    """
    root = _json(data)
    if isinstance(root, dict) and isinstance(root.get("dsseEnvelope"), dict):
        # A bundle of Sigstore holds the envelope and what its own tools need.
        root = root["dsseEnvelope"]
    enveloped = isinstance(root, dict) and "payload" in root and "payloadType" in root
    if enveloped:
        root = _json(_payload(root))
    top = _object(root, "the statement", ("_type", "predicate", "predicateType", "subject"))
    if top["_type"] != STATEMENT_TYPE or top["predicateType"] != PREDICATE_TYPE:
        raise MalformedError("it is another kind of statement")
    predicate = _object(top["predicate"], "`predicate`", ("buildDefinition", "runDetails"))
    definition = _object(
        predicate["buildDefinition"],
        "`buildDefinition`",
        ("buildType", "externalParameters", "internalParameters", "resolvedDependencies"),
    )
    if definition["buildType"] != BUILD_TYPE:
        raise MalformedError("another tool built what it speaks of")
    run = _object(predicate["runDetails"], "`runDetails`", ("builder",), ("metadata",))
    builder = _object(run["builder"], "`builder`", ("id",), ("version",))
    version = _object(builder.get("version", {}), "`version`", (), ("eryphc",)).get("eryphc")
    return Statement(
        subjects=_subjects(top["subject"]),
        parameters=_parameters(definition["externalParameters"]),
        dependencies=tuple(
            _dependency(each) for each in _list(definition["resolvedDependencies"], "dependencies")
        ),
        builder=_text(builder["id"], "the builder's `id`"),
        version=None if version is None else _text(version, "the builder's `version`"),
        enveloped=enveloped,
    )


def _json(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        if isinstance(error, _TwiceError):
            raise MalformedError(str(error)) from None
        raise MalformedError("it is no JSON") from None


class _TwiceError(ValueError):
    """A key stands twice, so that two readers may see two things."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _TwiceError("one of its keys stands twice")
    return found


def _payload(root: dict[str, Any]) -> bytes:
    if root["payloadType"] != ENVELOPE_TYPE:
        raise MalformedError("the envelope holds something else")
    try:
        return base64.b64decode(_text(root["payload"], "`payload`"), validate=True)
    except (binascii.Error, ValueError):
        raise MalformedError("the payload of the envelope is no base64") from None


def _object(
    value: Any, what: str, needed: Sequence[str], more: Sequence[str] = ()
) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedError(f"{what} is no object")
    for key in needed:
        if key not in value:
            raise MalformedError(f"{what} has no `{key}`")
    for key in sorted(value):
        if key not in (*needed, *more):
            raise MalformedError(f"{what} has the unknown member `{key[:80]}`")
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise MalformedError(f"`{what}` is no list")
    return value


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise MalformedError(f"{what} is no text")
    return value


def _texts(value: Any, what: str) -> dict[str, str]:
    found = value if isinstance(value, dict) else None
    if found is None or not all(isinstance(each, str) for each in found.values()):
        raise MalformedError(f"{what} does not hold texts by name")
    return found


def _subjects(value: Any) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for each in _list(value, "subject"):
        subject = _object(each, "a subject", ("digest", "name"))
        name = _text(subject["name"], "the name of a subject")
        digests = _digests(subject["digest"])
        if "sha256" not in digests or name in found:
            raise MalformedError(f"`{name[:80]}` has no SHA-256, or stands twice")
        found[name] = digests["sha256"]
    return found


def _digests(value: Any) -> dict[str, str]:
    found = _texts(value, "a `digest`")
    if not all(_HEX.match(each) for each in found.values()):
        raise MalformedError("a digest is not written in hex digits")
    return found


def _parameters(value: Any) -> Mapping[str, Any]:
    found = _object(value, "`externalParameters`", ("spec", "target"), _PARAMETERS)
    for key in ("spec", "target"):
        _text(found[key], f"`{key}`")
    for key in ("secret_artifacts", "secrets"):
        names = _list(found.get(key, []), key)
        if not all(isinstance(name, str) for name in names):
            raise MalformedError(f"`{key}` does not hold names")
    _texts(found.get("variables", {}), "`variables`")
    if not isinstance(found.get("options", {}), dict):
        raise MalformedError("`options` is no object")
    return found


def _dependency(value: Any) -> Dependency:
    found = _object(value, "a dependency", ("name", "uri"), ("annotations", "digest"))
    return Dependency(
        name=_text(found["name"], "the name of a dependency"),
        uri=_text(found["uri"], "the address of a dependency"),
        digests=_digests(found.get("digest", {})),
        annotations=_texts(found.get("annotations", {}), "`annotations`"),
    )


# -- a statement and its build --------------------------------------------------------------------


def statement_faults(
    build: ReadBuild, statement: Statement, path: str, lock_digest: str | None = None
) -> Iterator[Diagnostic]:
    """How a statement differs from the build. `lock_digest` is `sha256:…` of the lock's file."""
    for reason in (
        *_subject_faults(build, statement),
        *_parameter_faults(build, statement),
        *_dependency_faults(build, statement, lock_digest),
    ):
        yield wording.statement_differs(path, reason)


def _subject_faults(build: ReadBuild, statement: Statement) -> Iterator[str]:
    files = {file.path: file.sha256 for file in build.files}
    files[MANIFEST_NAME] = build.digest.removeprefix("sha256:")
    hidden = set(statement.parameters.get("secret_artifacts", ()))
    for name, digest in statement.subjects.items():
        if name not in files:
            yield f"it speaks of `{name}`, which the build does not have"
        elif files[name] != digest:
            yield f"it says another digest of `{name}`"
    for name in sorted(hidden - set(files)):
        yield f"it calls `{name}` secret, which the build does not have"
    for name in sorted(set(files) - set(statement.subjects) - hidden):
        # With the digests of secret files in it, the manifest is not told.
        if name != MANIFEST_NAME or not hidden:
            yield f"it says nothing of `{name}`"


def _parameter_faults(build: ReadBuild, statement: Statement) -> Iterator[str]:
    target = statement.parameters["target"]
    if target != build.target:
        yield f"it is about the target `{target}`, and the build is for `{build.target}`"
    if statement.version is not None and f"eryphc {statement.version}" != build.tool:
        yield f"it names eryphc {statement.version}, and the manifest `{build.tool}`"


def _dependency_faults(
    build: ReadBuild, statement: Statement, lock_digest: str | None
) -> Iterator[str]:
    said = {
        (each.name, each.annotations.get("type"), each.annotations.get("arch")): each
        for each in statement.dependencies
        if each.name.startswith(GENE)
    }
    known = {(gene.id, gene.type, gene.arch) for gene in build.genes}
    for gene in build.genes:
        dependency = said.get((gene.id, gene.type, gene.arch))
        if dependency is None:
            yield f"it does not name the gene `{gene.id}`"
        elif dependency.digests.get("sha256") != gene.sha256:
            yield f"it says another digest of the gene `{gene.id}`"
    for key in said:
        if key not in known:
            yield f"it names the gene `{key[0]}`, which the build does not have"
    names = [each.name for each in statement.dependencies]
    if TOOL not in names:
        yield "it does not name the tool"
    locks = [each for each in statement.dependencies if each.name == LOCK_FILE]
    if lock_digest is not None and [each.digests.get("sha256") for each in locks] != [
        lock_digest.removeprefix("sha256:")
    ]:
        yield "it was built with another lock, or with none"


# -- a lock and required genes --------------------------------------------------------------------


def lock_faults(build: ReadBuild, lock: Lock) -> Iterator[Diagnostic]:
    """Genes of a build that the lock does not pin, or pins to other content.

    Of a local set the lock holds no content. The disk of a volume is compared where the lock has
    its digest.
    """
    for gene in build.genes:
        entry = lock.sets.get(_set_of(gene))
        if entry is None:
            yield wording.gene_differs(gene.id, build.shown, "is not in the lock")
            continue
        if entry.ref is not None:
            reason = f"is of a tag that stands for `{entry.ref}` in the lock"
            yield wording.gene_differs(gene.id, build.shown, reason)
            continue
        kind, architecture = _kind(gene), _architecture(gene)
        if entry.files is None or kind is None or architecture is None or gene.sha256 is None:
            continue
        path = path_of(kind, gene.id.rpartition(":")[2], architecture, gene.form)
        if kind is GeneType.VOLUME:
            disk = entry.disks.get(path)
            pinned = None if disk is None else disk.digest
            if disk is None or not disk.digest.startswith("sha256:"):
                continue
        else:
            pinned = entry.files.get(path)
        if pinned != f"sha256:{gene.sha256}":
            yield _differs(build, gene, "is not what the lock pins", pinned)


def required_faults(build: ReadBuild, required: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Genes that a build must have with these digests (`sha256:…`), by their ids."""
    for id_, digest in required.items():
        found = [gene for gene in build.genes if gene.id == id_]
        if not found:
            yield wording.gene_differs(id_, build.shown, "is required and not in the build")
        for gene in found:
            if gene.sha256 is None or f"sha256:{gene.sha256}" != digest:
                yield _differs(build, gene, "is not the required one", digest)


def _differs(build: ReadBuild, gene: ManifestGene, reason: str, wanted: str | None) -> Diagnostic:
    found = "no digest" if gene.sha256 is None else f"sha256:{gene.sha256}"
    return wording.gene_differs(
        gene.id, build.shown, reason, f"wanted is {wanted or 'nothing'}, the build has {found}"
    )


def secret_faults(build: ReadBuild, name: str | None = None) -> Iterator[Diagnostic]:
    """The secret artifacts of a build, or the one called `name` if it is secret."""
    for file in build.files:
        if file.secret and name in (None, file.path):
            yield wording.artifact_secret(build.place(file.path))


def _set_of(gene: ManifestGene) -> str:
    return gene.id.split(":")[1]


def _kind(gene: ManifestGene) -> GeneType | None:
    return GeneType(gene.type) if gene.type in tuple(GeneType) else None


def _architecture(gene: ManifestGene) -> Architecture | None:
    parsed = parse_architecture(gene.arch)
    return None if isinstance(parsed, NameFault) else parsed


# -- two builds -----------------------------------------------------------------------------------


class GeneRow(NamedTuple):
    """One gene of two builds. `state` is `same`, `differs`, `only here` or `only there`; the
    digests are `sha256:…`, sorted, none where they are not known."""

    id: str
    type: str
    state: str
    here: tuple[str, ...]
    there: tuple[str, ...]


def same_genes(here: Iterable[ReadBuild], there: Iterable[ReadBuild]) -> tuple[GeneRow, ...]:
    """Gene by gene what two builds, or two sets of builds, have of it."""
    one, other = _by_gene(here), _by_gene(there)
    found: list[GeneRow] = []
    for key in sorted({*one, *other}):
        if key not in other:
            state = "only here"
        elif key not in one:
            state = "only there"
        else:
            state = "same" if one[key] == other[key] and len(one[key]) < 2 else "differs"
        sides = (tuple(sorted(side.get(key, ()))) for side in (one, other))
        found.append(GeneRow(key[0], key[1], state, *sides))
    return tuple(found)


def _by_gene(builds: Iterable[ReadBuild]) -> dict[tuple[str, str], frozenset[str]]:
    found: dict[tuple[str, str], frozenset[str]] = {}
    for build in builds:
        for gene in build.genes:
            digest = frozenset(() if gene.sha256 is None else (f"sha256:{gene.sha256}",))
            known = found.get((gene.id, gene.type), frozenset())
            found[gene.id, gene.type] = known | digest
    return found
