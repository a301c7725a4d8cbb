"""The walk in ARCHITECTURE.md names functions that are there."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

PAGE = Path(__file__).resolve().parents[1] / "ARCHITECTURE.md"
WALK = PAGE.read_text("utf-8").split("## The main path")[1].split("## Rooms")[0]
NAMES = re.findall(r"\| `(eryphc\.[\w.]+)` \|", WALK)


def test_the_walk_goes_all_the_way() -> None:
    assert len(NAMES) > 20


@pytest.mark.parametrize("name", NAMES)
def test_a_function_of_the_walk_is_there(name: str) -> None:
    module, _, function = name.rpartition(".")
    owner: object
    try:
        owner = import_module(module)
    except ModuleNotFoundError:
        module, _, kind = module.rpartition(".")
        owner = getattr(import_module(module), kind)
    assert callable(getattr(owner, function))
