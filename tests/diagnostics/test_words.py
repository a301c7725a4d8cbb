"""What is offered as "did you mean", and what is too far from it."""

from __future__ import annotations

import pytest

from eryphc.diagnostics.words import close_matches

KEYS = ("cpu", "drives", "fodder", "hostname", "memory", "network_adapters", "networks", "parent")
NEAR = [
    pytest.param("memroy", "memory", id="two letters swapped"),
    pytest.param("cpus", "cpu", id="one letter too many in a short word"),
    pytest.param("foder", "fodder", id="one letter missing"),
    pytest.param("adapters", "network_adapters", id="a part of the word"),
    pytest.param("netwrks", "networks", id="of two that are near the nearer"),
]
FAR = [
    pytest.param("port", id="a word that shares letters"),
    pytest.param("user", id="a short word"),
    pytest.param("domain", id="a word of the same length"),
    pytest.param("hosts", id="half of the word is missing"),
]


@pytest.mark.parametrize(("word", "meant"), NEAR)
def test_near(word: str, meant: str) -> None:
    assert close_matches(word, KEYS) == [meant]


@pytest.mark.parametrize("word", FAR)
def test_far(word: str) -> None:
    assert close_matches(word, KEYS) == []


def test_of_paths_the_last_parts_are_compared() -> None:
    known = ("a/long/folder/of/specs/web.yaml", "a/long/folder/of/specs/mail.yaml")
    assert close_matches("a/long/folder/of/specs/prod-1.yaml", known) == []
    assert close_matches("a/long/folder/of/specs/wbe.yaml", known) == [known[0]]
    assert close_matches("nope.yaml", ("p.yaml", "web.yaml")) == []
    assert close_matches("web.yml", ("web.yaml",)) == ["web.yaml"]
