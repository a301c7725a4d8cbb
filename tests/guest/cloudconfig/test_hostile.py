"""Texts made to cost much are answered with bounded work."""

from __future__ import annotations

import pytest

from eryphc.guest.cloudconfig.examine import examine
from guest.cloudconfig.entries import boot, fodder_entries, merge
from work import lines_run

pytestmark = pytest.mark.once

MANY = 4_000
# One line for each pair of so many entries is more than that.
LINES = 12_000_000
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
            ("write_files: [" + ", ".join(f"{{path: {each}}}" for each in range(MANY)) + "]",),
            id="values of a wrong shape",
        ),
        pytest.param(
            (
                "groups: ["
                + ", ".join(f"u{each}" for each in range(MANY))
                + "]\nusers: ["
                + ", ".join(f"{{name: u{each}, groups: [g{each}]}}" for each in range(MANY // 4))
                + "]",
            ),
            id="users whose groups are there",
        ),
        pytest.param(
            (
                "mounts: ["
                + ", ".join(f"[s:/{each}, /m{each}]" for each in range(MANY // 4))
                + "]\nwrite_files: ["
                + ", ".join(f"{{path: /m{each}/x}}" for each in range(MANY // 4))
                + "]",
            ),
            id="files below mounts",
        ),
        pytest.param(
            ("write_files: [{path: /a}, {path: " + "/a" * 500_000 + "}]",), id="a deep path"
        ),
        pytest.param(
            ("ntp: {servers: [" + ", ".join(f"s{each}" for each in range(MANY)) + "]}",),
            id="unique items",
        ),
    ],
)
def test_bounded(texts: tuple[str, ...]) -> None:
    def work() -> None:
        outcome = merge(fodder_entries(*texts))
        if outcome.value is not None:
            examine(outcome.value)
        boot(fodder_entries(*texts))

    found_once = merge(fodder_entries("frob: 1")).value
    assert found_once is not None
    examine(found_once)  # What is imported for the first finding does not count.
    assert lines_run(work, at_most=LINES) > 0
