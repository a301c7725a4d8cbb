"""What lies beside a build: its statement and its list of parts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from eryphc import signing
from eryphc.artifacts.beside import Companion, Companions
from eryphc.diagnostics import command
from eryphc.diagnostics import provenance as wording
from eryphc.diagnostics.shown import ShownDiagnostic, show
from eryphc.errors import EryphcError, Failure
from eryphc.frozen import NamedTuple
from eryphc.provenance import sbom, statement

if TYPE_CHECKING:
    from eryphc.answers import Built
    from eryphc.artifacts.file import WrittenFile


class Wanted(NamedTuple):
    """What is to lie beside the folder of each target.

    `builder` is the URI of who builds, None for a machine of somebody's own. `now` gives the time
    where the statement shall have it. `key` is a file with the key that signs statements.
    """

    provenance: bool = False
    sbom: bool = False
    builder: str | None = None
    now: Callable[[], datetime] | None = None
    key: Path | None = None


def utc_now() -> datetime:
    """The time of the clock."""
    return datetime.now(UTC)


class Attesting:
    """Makes the companions of builds. `found` are findings about those that cannot be made.

    Raises `EryphcError` for a builder that is no URI.
    """

    def __init__(self, wanted: Wanted) -> None:
        builder = wanted.builder
        if builder is not None and not statement.is_uri(builder):
            reason = "it is no URI, such as `https://ci.example.com/builder/1`"
            raise EryphcError.of(Failure.USAGE, command.bad_option_value("--builder-id", reason))
        self._wanted = wanted
        self._started = None if wanted.now is None else wanted.now()
        self.found: list[ShownDiagnostic] = []

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Of the companions that are the same for the same inputs."""
        told = self._wanted.provenance and self._wanted.now is None
        return (
            *((statement.SUFFIX,) if told else ()),
            *((sbom.SUFFIX,) if self._wanted.sbom else ()),
        )

    def companions(self, built: Built) -> Companions:
        """What `Outputs.stage` writes beside the folder of a build. It was built with `facts`."""
        return partial(self._made, built)

    def _made(
        self, built: Built, files: tuple[WrittenFile, ...], manifest: WrittenFile
    ) -> tuple[Companion, ...]:
        facts, described = built.facts, built.manifest
        if facts is None or described is None:
            raise ValueError("the build was made without facts")
        made: list[Companion] = []
        if self._wanted.provenance:
            text = statement.statement_bytes(facts, described, files, manifest, self._attested())
            if text is None:
                self.found += show((wording.nothing_to_tell(built.name, described.target),))
            else:
                made.append(Companion(statement.SUFFIX, text, statement.is_ours))
                if self._wanted.key is not None:
                    armored = _signed(text, self._wanted.key)
                    made.append(
                        Companion(statement.SIGNATURE_SUFFIX, armored, signing.is_signature)
                    )
        if self._wanted.sbom:
            parts = sbom.sbom_bytes(facts, described)
            made.append(Companion(sbom.SUFFIX, parts, sbom.is_ours))
        return tuple(made)

    def _attested(self) -> statement.Attested:
        builder = self._wanted.builder or statement.LOCAL_BUILDER
        if self._wanted.now is None or self._started is None:
            return statement.Attested(builder)
        times = statement.Times(_written(self._started), _written(self._wanted.now()))
        return statement.Attested(builder, times)


def _signed(text: bytes, key: Path) -> bytes:
    """Raises EryphcError."""
    try:
        return signing.sign(text, key, statement.NAMESPACE).encode("ascii")
    except signing.SigningError as error:
        failure = Failure.OUTSIDE if error.outside else Failure.INPUT
        raise EryphcError.of(failure, error.diagnostic) from None


def _written(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
