"""How tests are spread over processes: machines boot one after another, and first of all."""

from __future__ import annotations

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """One process boots all machines; the others do not wait for it."""
    if item.get_closest_marker("boot") is not None:
        item.add_marker(pytest.mark.xdist_group("boot"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The longest wait begins at once; everything else fills the other processes.
    items.sort(key=lambda item: item.get_closest_marker("boot") is None)
