"""Tags as versions."""

import pytest

from eryphc.genepool.versions import comparable, is_fixed, major, newer, newest_like, older


@pytest.mark.parametrize(
    ("tag", "fixed"),
    [
        ("1.0", True),
        ("std-1.0-starter", True),
        ("20260115", True),
        ("v2026-20260115", True),
        ("latest", False),
        ("stable", False),
        ("starter", False),
        ("1", False),
        ("v2", False),
        ("2024", False),
        ("1.x", False),
    ],
)
def test_a_tag_is_fixed_if_it_names_a_version_or_a_date(tag: str, *, fixed: bool) -> None:
    assert is_fixed(tag) is fixed


@pytest.mark.parametrize(
    ("tag", "fixed"),
    [("1.0-dev", False), ("v2", True), ("v2-dev", True), ("1.0", True)],
)
def test_globs_of_a_pool_decide(tag: str, *, fixed: bool) -> None:
    assert is_fixed(tag, moving=["*-dev"], fixed=["v*"]) is fixed


@pytest.mark.parametrize(
    ("old", "new", "relation"),
    [
        pytest.param("1.0", "1.1", "newer", id="the last number"),
        pytest.param("1.9", "1.10", "newer", id="numbers and not letters"),
        pytest.param("1.0", "2.0", "newer", id="the first number"),
        pytest.param("std-1.0", "std-1.1", "newer", id="with words around"),
        pytest.param("1.0", "1.0.1", "newer", id="a number more"),
        pytest.param("1.0-1", "1.0.1-0", "newer", id="each run by itself"),
        pytest.param("20260115", "20260201", "newer", id="dates"),
        pytest.param("1.1", "1.0", "older", id="back"),
        pytest.param("2.0.1", "2.0", "older", id="a number less"),
        pytest.param("1.0", "1.0", "same", id="the same"),
        pytest.param("01.0", "1.0", "same", id="zeros before"),
        pytest.param("1.0", "v1.1", "none", id="another word"),
        pytest.param("std-1.0", "1.1", "none", id="no word"),
        pytest.param("1.0-rc", "1.1", "none", id="a word behind"),
        pytest.param("latest", "stable", "none", id="no numbers"),
        pytest.param("latest", "latest", "none", id="the same without numbers"),
    ],
)
def test_two_tags(old: str, new: str, relation: str) -> None:
    assert comparable(old, new) is (relation != "none")
    assert newer(new, old) is (relation == "newer")
    assert older(new, old) is (relation == "older")


@pytest.mark.parametrize(
    ("tag", "first"),
    [
        ("1.0", 1),
        ("std-12.0", 12),
        ("v2", 2),
        ("20260115", None),
        ("2026011", 2026011),
        ("latest", None),
        ("1.0-20260115", 1),
        ("20260115-2", None),
    ],
)
def test_the_major_is_the_first_number_and_no_date(tag: str, first: int | None) -> None:
    assert major(tag) == first


@pytest.mark.parametrize(
    ("tag", "others", "found"),
    [
        ("1.2", ["1.0", "1.1", "2.0", "std-1.9"], "1.1"),
        ("1.2", ["1.2", "1.10", "1.9"], "1.10"),
        ("2.0", ["1.0", "1.1"], None),
        ("20260301", ["20260115", "20260201"], "20260201"),
        ("latest", ["1.0", "stable"], None),
    ],
)
def test_the_newest_of_the_same_major(tag: str, others: list[str], found: str | None) -> None:
    assert newest_like(tag, others) == found
