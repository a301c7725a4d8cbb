"""How tests are spread over processes: machines boot one after another, and first of all."""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    boots = [item for item in items if item.get_closest_marker("boot") is not None]
    for item in boots:
        item.add_marker(pytest.mark.xdist_group("boot"))
    # The longest wait begins at once; everything else fills the other processes.
    items.sort(key=lambda item: item.get_closest_marker("boot") is None)
