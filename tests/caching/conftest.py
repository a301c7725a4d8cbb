from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from caching.projects import write_project
from caching.wheel import Wheel, unpacked_wheel
from cli.command_line import CommandLine, Done
from cli.conftest import eryphc

__all__ = ["eryphc"]

CODE = "sha256:" + "7" * 64


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Wheel:
    return unpacked_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def project(
    eryphc: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Done, bool]]:
    """Builds `web.yaml` of a project in the working folder; gives also whether a cache had it.

    Runs in this process, as if it were that of a wheel.
    """
    monkeypatch.setattr("eryphc.sharing.outputs.code_digest", lambda: CODE)
    for name, folder in (("XDG_CACHE_HOME", "cache"), ("XDG_CONFIG_HOME", "configuration")):
        monkeypatch.setenv(name, str(tmp_path.parent / f"{tmp_path.name}-{folder}"))
    write_project(tmp_path)

    def build(*words: str, options: tuple[str, ...] = ("--cache",)) -> tuple[Done, bool]:
        named = (
            words
            if "-" in words or any(word.endswith(".yaml") for word in words)
            else ("web.yaml", *words)
        )
        targets = () if "--target" in words else ("--target", "cloud-init")
        done = eryphc("build", *named, *targets, *options, "-v")
        return done, "from the cache\n" in done.err

    return build
