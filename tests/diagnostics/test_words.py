"""What is offered as "did you mean", and what is too far from it."""

from __future__ import annotations

import pytest

from eryphc.diagnostics.words import cleaned, close_matches

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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("one\r\n two\t", "one two", id="line ends"),
        pytest.param("a\x1b[31mb\x00c\x7f\x9b", "a [31mb c", id="control characters"),
        pytest.param("a\u202eb\u200b", "a b", id="marks that reorder or hide"),
        pytest.param("x" * 300, "x" * 197 + "...", id="too many"),
    ],
)
def test_words_of_a_server_are_harmless(text: str, shown: str) -> None:
    assert cleaned(text) == shown
