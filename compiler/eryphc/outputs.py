"""Several target folders, written all or none."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from eryphc.errors import EryphcError, Failure

if TYPE_CHECKING:
    from eryphc.artifacts.beside import Companions
    from eryphc.artifacts.file import ArtifactFile, WrittenFile
    from eryphc.artifacts.manifest import Manifest
    from eryphc.diagnostics.shown import ShownDiagnostic


class Writable(Protocol):
    """The files of one target, as a `Built` has them.

    `manifest` is None where the build failed; `failure` and `diagnostics` say why.
    """

    files: Mapping[str, ArtifactFile]
    manifest: Manifest | None
    failure: Failure | None

    @property
    def diagnostics(self) -> Sequence[ShownDiagnostic]: ...


class Outputs:
    """Several target folders, written all or none: look at each, stage each, commit.

    Leaving without `commit` leaves every place as it was. Raises `EryphcError`.
    """

    def __init__(self) -> None:
        from eryphc.artifacts.folder import TargetFolders

        self._folders = TargetFolders()

    def __enter__(self) -> Self:
        self._folders.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folders.__exit__(kind, error, trace)

    def look_at(self, folder: str | os.PathLike[str]) -> None:
        """Take a folder in. Raises `EryphcError` if this tool must not replace it."""
        with _output():
            self._folders.look_at(Path(folder))

    def stage(
        self,
        folder: str | os.PathLike[str],
        built: Writable,
        companions: Companions | None = None,
    ) -> tuple[WrittenFile, ...]:
        """Write the files of one target beside the folder. Refused as `look_at` does, too.

        `companions` makes files that are to lie beside the folder once it is in its place.
        """
        if built.manifest is None:
            raise EryphcError(built.failure or Failure.INPUT, built.diagnostics)
        with _output():
            return self._folders.stage(Path(folder), built.files, built.manifest, companions)

    def unchanged(
        self, folder: str | os.PathLike[str], built: Writable
    ) -> tuple[WrittenFile, ...] | None:
        """The files, if the folder has exactly these already; None if they are to be staged."""
        from eryphc.artifacts.present import present

        return (
            None if built.manifest is None else present(Path(folder), built.files, built.manifest)
        )

    def commit(self) -> None:
        """Swap in all that was staged, or none of it."""
        with _output():
            self._folders.commit()


class _output:  # noqa: N801 - used like a function
    """Turns what writing raises into `EryphcError`."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        from eryphc.artifacts.errors import OutputFailed, OutputRefused

        if isinstance(error, OutputRefused):
            raise EryphcError.of(Failure.USAGE, *error.diagnostics) from error
        if isinstance(error, OutputFailed):
            raise EryphcError.of(Failure.OUTSIDE, *error.diagnostics) from error
