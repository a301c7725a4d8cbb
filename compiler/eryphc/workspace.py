"""What the compilations of a session share: pools, caches of what was read, the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from eryphc.diagnostics.levels import LevelPolicy
from eryphc.diagnostics.model import Diagnostic
from eryphc.passes.memory import PassMemory
from eryphc.project.pools import Pools
from eryphc.project.specs import Spec, levels_for
from eryphc.request import BuildRequest, values_in
from eryphc.targets.definition import Conversion

if TYPE_CHECKING:
    from eryphc.guest.cloudconfig.reader import TextReader
    from eryphc.project.file import Project
    from eryphc.volumes.disk_images import DiskImages

OnHashing: TypeAlias = Callable[[Path, int, int], None]
"""Hears of a large disk file how many of its bytes have been hashed, and how many there are."""
OnConverting: TypeAlias = Callable[[str, Path, int, int], None]
"""Hears of a disk image that is converted: the step, the file, and how many bytes of how many."""


class Workspace:
    """What the compilations of one session share: what was read once, and the environment.

    `values` are those of the environment, by the names of variables as they stand there. With
    `noting` compilations know what was read for them.
    """

    def __init__(
        self,
        folder: Path,
        pools: Pools,
        environment: Mapping[str, str],
        on_hashing: OnHashing | None = None,
        on_converting: OnConverting | None = None,
        heard: list[Diagnostic] | None = None,
        *,
        noting: bool = False,
    ) -> None:
        self.noting = noting
        self._heard = [] if heard is None else heard
        self.folder = folder
        self.pools = pools
        self.environment = environment
        self.values = values_in(environment)
        self.memory = PassMemory()
        self._on_hashing = on_hashing
        self._on_converting = on_converting
        self._reader: TextReader | None = None
        self._disks: DiskImages | None = None

    def overheard(self) -> tuple[Diagnostic, ...]:
        """What was found beside any specification since somebody asked last."""
        found = tuple(self._heard)
        self._heard.clear()
        return found

    def with_pools(self, pools: Pools) -> Workspace:
        """One with other pools, which remembers nothing of them."""
        return Workspace(
            self.folder,
            pools,
            self.environment,
            self._on_hashing,
            self._on_converting,
            self._heard,
            noting=self.noting,
        )

    @property
    def reader(self) -> TextReader:
        """Reads texts of fodder; one that several specifications share is read once."""
        if self._reader is None:
            from eryphc.guest.cloudconfig.reader import TextReader

            self._reader = TextReader()
        return self._reader

    @property
    def disks(self) -> DiskImages:
        """Reads disk files; one that several specifications share is hashed once."""
        if self._disks is None:
            from eryphc.volumes.disk_images import DiskImages

            self._disks = DiskImages(self._on_hashing)
        return self._disks

    def converted(self, wanted: Conversion) -> Path:
        """The image that a target wants, in the user's cache. Raises VolumeError."""
        from eryphc.store.places import cache_folder
        from eryphc.store.seals import seals
        from eryphc.volumes.conversions import Bench, vhd_of

        def told(step: str, percent: float) -> None:
            if self._on_converting is not None:
                size = wanted.source.stat().st_size
                self._on_converting(step, wanted.source, int(size * percent / 100), size)

        bench = Bench(
            cache=cache_folder(None, self.environment),
            seals=lambda: seals(self.environment),
            read=self.disks,
            told=told,
            waiting=lambda: told("waiting for another run that converts", 0.0),
        )
        return vhd_of(wanted.source, wanted.format, wanted.sha256, bench)

    def project(self, folder: Path) -> Project | None:
        """The project of a folder, None where there is none or its file has errors."""
        project = self.pools.project(folder)
        return None if project is None else project.value

    def levels(self, spec: Spec | None, request: BuildRequest) -> LevelPolicy:
        """What findings count as for a specification, or for a gene of the session's folder."""
        folder = self.folder if spec is None else spec.folder
        author = None if spec is None else spec.source.name
        return levels_for(request.asked_levels, self.project(folder), folder, author)
