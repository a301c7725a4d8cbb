from __future__ import annotations

from pathlib import Path

import pytest

from cli.conftest import eryphc
from eryphc.diagnostics.model import Diagnostic
from eryphc.store.content import Store
from eryphc.store.folder import open_folder

__all__ = ["eryphc"]


@pytest.fixture
def damage() -> list[Diagnostic]:
    """What the store was heard to say."""
    return []


@pytest.fixture
def store(tmp_path: Path, damage: list[Diagnostic]) -> Store:
    return Store(open_folder(tmp_path / "cache", damage.append))
