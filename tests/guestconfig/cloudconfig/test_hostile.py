"""Texts made to cost much are answered in bounded time."""

from __future__ import annotations

import time

import pytest

from eryphc.guestconfig.cloudconfig.bootmerge import boot
from eryphc.guestconfig.cloudconfig.examine import examine
from eryphc.guestconfig.cloudconfig.merge import merge
from guestconfig.cloudconfig.foods import foods

MANY = 8_000
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param((BOMB,), id="aliases"),
        pytest.param(("a: " + "9" * 100_000, "b: 1" + ":59" * 50_000), id="numbers"),
        pytest.param(("a: &a [*a]", "b: &b {k: {<<: *b}}"), id="aliases in themselves"),
        pytest.param(("a: " + "[" * 5_000,), id="depth"),
        pytest.param(
            tuple(
                "packages:\n" + "".join(f"- [p{each}, '{part}']\n" for each in range(MANY))
                for part in (1, 2)
            ),
            id="sets of lists",
        ),
        pytest.param(
            tuple(
                "write_files:\n"
                + "".join(f"- {{path: /f{each}, content: '{part}'}}\n" for each in range(MANY))
                for part in (1, 2)
            ),
            id="files",
        ),
        pytest.param(
            tuple(
                "users:\n" + "".join(f"- {{gecos: u{each}-{part}}}\n" for each in range(MANY))
                for part in (1, 2)
            ),
            id="users without names",
        ),
        pytest.param(
            ("ntp: {servers: [" + ", ".join(f"s{each}" for each in range(MANY)) + "]}",),
            id="unique items",
        ),
    ],
)
def test_bounded(texts: tuple[str, ...]) -> None:
    started = time.process_time()
    outcome = merge(foods(*texts))
    if outcome.value is not None:
        examine(outcome.value)
    boot(foods(*texts))
    # Without the bounds each of these takes minutes or for ever; the machine may be slow.
    assert time.process_time() - started < 30
