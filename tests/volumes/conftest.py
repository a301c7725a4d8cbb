from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.conftest import eryphc
from eryphc.net import download
from volumes.publisher import Publisher, publishing

__all__ = ["eryphc", "no_pauses", "publisher"]


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publishing() as publisher:
        yield publisher


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PAUSES", (0.0, 0.0, 0.0))
