"""Builds checked again: against their manifests, a lock, a statement, and genes they must have."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from eryphc.answers import Result
from eryphc.canonical import digest_of
from eryphc.diagnostics import command
from eryphc.diagnostics import provenance as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.shown import show
from eryphc.diagnostics.words import os_reason
from eryphc.errors import EryphcError, Failure
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.lockfile.model import Lock
from eryphc.provenance import builds, checking, statement
from eryphc.provenance.builds import BuildError, ReadBuild
from eryphc.provenance.checking import GeneRow, MalformedError
from eryphc.source import SourceText, shown_path
from eryphc.syntax.identifiers import parse_gene
from eryphc.syntax.names import NameFault

_DIGEST = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})\Z")


class Checks(NamedTuple):
    """What is asked of builds beside their manifests.

    `manifest` is that of an artifact that lies elsewhere. `genes` are digests by the ids of genes.
    `provenance` is a statement that does not lie beside the build. With `keys`, a file of allowed
    signers, the statement must be signed by one of them whose name matches one of `signers`.
    `same_genes` is another build, or a folder of builds, to compare with.
    """

    manifest: str | None = None
    no_secrets: bool = False
    lock: str | None = None
    provenance: str | None = None
    keys: str | None = None
    signers: tuple[str, ...] = ("*",)
    genes: Mapping[str, str] = FrozenMap()
    same_genes: str | None = None


class VerifiedBuild(NamedTuple):
    """One build that was looked at. `statement` is the path of its statement, where it has one, and
    `signer` who signed that, where it was asked for."""

    path: str
    catlet: str
    target: str
    artifacts: int
    genes: int
    statement: str | None
    signer: str | None = None


class Verified(Result):
    """What was looked at, and how it differs. `rows` compare genes where that was asked for."""

    def __init__(
        self,
        looked_at: Sequence[VerifiedBuild],
        rows: tuple[GeneRow, ...],
        found: Sequence[Diagnostic],
    ) -> None:
        super().__init__(show(found))
        self.builds = tuple(looked_at)
        self.rows = rows
        if self.failure is None and any(row.state != "same" for row in rows):
            self.failure = Failure.INPUT


def required_gene(word: str) -> tuple[str, str]:
    """`ID=DIGEST` of an option: the gene with its tag, and `sha256:…`. Raises `EryphcError`."""
    name, _, digest = word.partition("=")
    gene = parse_gene(name if name.startswith("gene:") else f"gene:{name}")
    match = _DIGEST.match(digest)
    if isinstance(gene, NameFault) or match is None:
        reason = "it is not written gene:ORG/SET/TAG:GENE=sha256:DIGEST"
        if isinstance(gene, NameFault):
            reason = gene.message
        raise EryphcError.of(Failure.USAGE, command.bad_option_value("--genes", reason))
    return str(gene), f"sha256:{match[1].lower()}"


def verify(path: str | os.PathLike[str], checks: Checks = Checks()) -> Verified:  # noqa: B008
    """Check a build, all builds below a folder, or one artifact of a build.

    Nothing is built and nothing is fetched. A build that cannot be read is a finding beside those
    of the others. Raises `EryphcError` for what is not there.
    """
    place = Path(path)
    lock = None if checks.lock is None else _lock(Path(checks.lock))
    found: list[Diagnostic] = []
    looked_at: list[VerifiedBuild] = []
    with _reading(place):
        artifact = None if place.is_dir() else place
        name: str | None = None
        if artifact is None:
            read, unread = builds.builds_in(place)
            found += unread
        else:
            build, name = _artifact(artifact, checks.manifest)
            read = (build,)
        if checks.provenance is not None and len(read) > 1:
            reason = f"`{shown_path(place)}` holds {len(read)} builds, and a statement is about one"
            raise EryphcError.of(Failure.USAGE, command.bad_option_value("--provenance", reason))
        for build in read:
            found += builds.file_faults(build, artifact, name or "")
            if checks.no_secrets:
                found += checking.secret_faults(build, name)
            if lock is not None:
                found += checking.lock_faults(build, lock.lock)
            found += checking.required_faults(build, checks.genes)
            told = _statement_of(build, checks)
            signer = None
            if told is not None:
                text = builds.read_file(told, statement.MOST_BYTES)
                digest = None if lock is None else lock.digest
                found += _told(build, told, text, digest)
                if checks.keys is not None:
                    signer = _signer(told, text, Path(checks.keys), checks.signers, found)
            elif checks.keys is not None:
                missing = build.shown + statement.SUFFIX
                found.append(wording.statement_unsigned(missing, "there is no statement"))
            looked_at.append(_looked_at(build, told, signer))
    rows: tuple[GeneRow, ...] = ()
    if checks.same_genes is not None:
        other = Path(checks.same_genes)
        with _reading(other):
            if other.is_dir():
                there, unread = builds.builds_in(other)
                found += unread
            else:
                there = (_artifact(other, None)[0],)
        rows = checking.same_genes(read, there)
    return Verified(looked_at, rows, found)


def _artifact(artifact: Path, manifest: str | None) -> tuple[ReadBuild, str]:
    if not os.path.lexists(artifact):
        raise EryphcError.of(
            Failure.INPUT, command.file_not_found(str(artifact), "there is no such file", ())
        )
    if manifest is None:
        return builds.build_of(artifact)
    build = builds.read_build(Path(manifest))
    return build, builds.listed_as(build, artifact)


def _looked_at(build: ReadBuild, told: Path | None, signer: str | None) -> VerifiedBuild:
    shown = None if told is None else shown_path(told)
    counts = len(build.files), len(build.genes)
    return VerifiedBuild(build.shown, build.catlet, build.target, *counts, shown, signer)


def _statement_of(build: ReadBuild, checks: Checks) -> Path | None:
    """The statement that was named, else the one beside the folder."""
    if checks.provenance is not None:
        return Path(checks.provenance)
    folder = build.folder.resolve()
    beside = folder.with_name(folder.name + statement.SUFFIX)
    return beside if os.path.lexists(beside) else None


def _told(build: ReadBuild, path: Path, text: bytes, lock_digest: str | None) -> list[Diagnostic]:
    """How the statement at `path` differs from the build."""
    shown = shown_path(path)
    try:
        read = checking.read_statement(text)
    except MalformedError as malformed:
        return [wording.statement_malformed(shown, str(malformed))]
    found = list(checking.statement_faults(build, read, shown, lock_digest))
    if read.enveloped:
        found.append(wording.signature_not_checked(shown))
    return found


def _signer(
    told: Path, text: bytes, keys: Path, signers: tuple[str, ...], found: list[Diagnostic]
) -> str | None:
    """Who signed a statement, by the signature beside it."""
    from eryphc import signing

    shown = shown_path(told)
    file = told.with_name(told.name + ".sig")
    if not os.path.lexists(file):
        help_text = "sign it with `eryphc build --provenance --sign KEY`"
        found.append(
            wording.statement_unsigned(shown, f"there is no `{file.name}` beside it", help_text)
        )
        return None
    try:
        signature = builds.read_file(file, signing.LONGEST)
    except BuildError:
        found.append(wording.statement_unsigned(shown, f"`{file.name}` is too long for one"))
        return None
    try:
        checked = signing.check(
            text,
            signature,
            signing.read_keys(keys),
            statement.NAMESPACE,
            signers,
            called=shown_path(keys),
        )
    except signing.SigningError as error:
        failure = Failure.OUTSIDE if error.outside else Failure.INPUT
        raise EryphcError.of(failure, error.diagnostic) from None
    if checked.principal is None:
        found.append(wording.statement_unsigned(shown, checked.reason))
    return checked.principal


class _LockFile(NamedTuple):
    lock: Lock
    digest: str


def _lock(path: Path) -> _LockFile:
    from eryphc.lockfile.reading import MOST_BYTES, read_lock

    with _reading(path):
        data = builds.read_file(path, MOST_BYTES)
    source = SourceText(shown_path(path), data.decode("utf-8", "replace"), regions=())
    read = read_lock(source)
    if read.value is None:
        raise EryphcError.of(Failure.INPUT, *read.diagnostics)
    return _LockFile(read.value, digest_of(data))


class _reading:  # noqa: N801 - used like a function
    """Turns what reading raises into `EryphcError`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BuildError):
            raise EryphcError.of(Failure.INPUT, error.diagnostic) from None
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            name = error.filename if isinstance(error.filename, str) else str(self._path)
            missing = command.file_not_found(name, "there is no such file", ())
            raise EryphcError.of(Failure.INPUT, missing) from None
        if isinstance(error, OSError):
            name = error.filename if isinstance(error.filename, str) else str(self._path)
            reason = os_reason(error, str(error))
            unreadable = command.file_unreadable(name, reason)
            raise EryphcError.of(Failure.OUTSIDE, unreadable) from None
