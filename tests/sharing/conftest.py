"""What tests of sharing take from those of the command line, and a registry to publish to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.command_line import CommandLine
from cli.conftest import eryphc
from genepool.oci.real import registry
from sharing.author import PREFIXES, Author

__all__ = ["eryphc"]


@pytest.fixture(scope="session")
def registry_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registry(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry of the module's own: others have the same names with other content."""
    with registry(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is of the user: the cache is `cache` below the folder of the command line."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def author(eryphc: CommandLine, registry_host: str, own_folders: None) -> Author:
    return Author(eryphc, registry_host, f"p{next(PREFIXES)}")
