"""A project whose gene sets come from elsewhere, as tests of sharing use it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.command_line import CommandLine, Done


@dataclass(frozen=True)
class Project:
    """A folder with `web.yaml`, where `XDG_CACHE_HOME` is the folder `cache` below it."""

    eryphc: CommandLine

    @property
    def cache(self) -> Path:
        return self.eryphc.folder / "cache" / "eryphc"

    def __call__(self, *arguments: str) -> Done:
        return self.eryphc(*arguments)

    def build(self, *options: str) -> Done:
        target = ("--guest", "linux", "--target", "user-data")
        return self("build", "web.yaml", *target, *options)

    def user_data(self, *options: str) -> str:
        """What a build that succeeds writes."""
        done = self.build(*options)
        assert done.code == 0, done.err
        return (self.eryphc.folder / "build/web/user-data/user-data").read_text()

    def lock(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((self.eryphc.folder / "eryph.lock").read_text())
        return data

    def is_the_same_for_a_colleague(self) -> None:
        """Who has the lock and no store fetches what it pins, and builds the same bytes."""
        assert self("lock", "web.yaml").code == 0
        before = self.user_data("--locked")
        shutil.rmtree(self.cache)
        done = self("build", "web.yaml", "--target", "user-data", "--frozen")
        assert (done.code, codes(done)) == (3, ["E1106"])
        assert self("gene", "pull", "--lock").code == 0
        assert self.user_data("--frozen") == before


def codes(done: Done) -> list[str]:
    """The codes of what a command found."""
    return [line.partition("[")[2][:5] for line in done.err.splitlines() if "]: " in line]
