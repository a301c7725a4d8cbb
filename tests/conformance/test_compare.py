"""The comparison of the cases notices what a case is there to notice."""

from __future__ import annotations

from typing import Any

import pytest

from cli.command_line import Done
from conformance.case import Accepted, Refused
from conformance.compare import additions, differences

FODDER = {"name": "a", "content": "one two", "secret": False}


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        pytest.param({"cpu": 2}, {"cpu": 2, "name": "web"}, id="other keys do not matter"),
        pytest.param({"cpu": None}, {}, id="absent"),
        pytest.param({"drives": None}, {"drives": []}, id="empty"),
        pytest.param({"drives": []}, {}, id="an empty list may be absent"),
        pytest.param({"content_contains": ["one", "two"]}, FODDER, id="parts of a content"),
        pytest.param({"content_lacks": ["three"]}, FODDER, id="what a content lacks"),
        pytest.param({"absent_or_false": ["secret", "remove"]}, FODDER, id="flags"),
    ],
)
def test_no_difference(expected: Any, actual: Any) -> None:
    assert list(differences(expected, actual)) == []


@pytest.mark.parametrize(
    ("expected", "actual", "where"),
    [
        pytest.param({"cpu": 2}, {}, "result.cpu", id="absent"),
        pytest.param({"cpu": 2}, {"cpu": "2"}, "result.cpu", id="another type"),
        pytest.param({"secret": True}, {"secret": 1}, "result.secret", id="a number for a flag"),
        pytest.param({"cpu": None}, {"cpu": 0}, "result.cpu", id="zero is there"),
        pytest.param({"cpu": {}}, {"cpu": 2}, "result.cpu", id="no mapping"),
        pytest.param([1, 2], [2, 1], "result[0]", id="another order"),
        pytest.param([1], [1, 2], "result has 2 entries", id="one more"),
        pytest.param([1, 2], [1], "result has 1 entries", id="one less"),
        pytest.param({"content_contains": ["three"]}, FODDER, "result.content lacks", id="lacks"),
        pytest.param({"content_lacks": ["two"]}, FODDER, "result.content holds", id="holds"),
        pytest.param({"content_lacks": ["two"]}, {}, "result.content", id="no content"),
        pytest.param({"absent_or_false": ["name"]}, FODDER, "result.name", id="a flag that is set"),
    ],
)
def test_a_difference(expected: Any, actual: Any, where: str) -> None:
    assert next(differences(expected, actual)).startswith(where)


def test_additions() -> None:
    expected = {"cpu": {"count": 1}, "drives": [{"name": "a"}]}
    assert list(additions(expected, expected | {"config_type": "catlet", "fodder": []})) == []
    actual = {"cpu": {"count": 1}, "drives": [{"name": "a", "size": 0, "type": "vhd"}], "name": "w"}
    assert list(additions(expected, actual)) == [
        "result.drives[0].size is 0, not absent",
        "result.drives[0].type is 'vhd', not absent",
        "result.name is 'w', not absent",
    ]


@pytest.mark.parametrize(
    ("expected", "done", "count"),
    [
        (Accepted(result={}, stdout_lacks=("pw",)), Done(0, '{"name": "a"}', ""), 0),
        (Accepted(result={}, stdout_lacks=("pw",)), Done(0, '{"name": "pw"}', ""), 1),
        (Accepted(result={}), Done(1, "", "error"), 1),
        (Refused(mentions=("Drive",), line=3), Done(1, "", "spec.yaml:3:1: error: a drive"), 0),
        (Refused(mentions=("drive",)), Done(0, "{}", "a drive"), 1),
        (Refused(), Done(1, "", " \n"), 1),
        (Refused(), Done(2, "", "usage"), 1),
        (Refused(mentions=("drive",)), Done(1, "", "an error"), 1),
        (Refused(line=3), Done(1, "", "spec.yaml:33:1: error"), 1),
        (Refused(file="a/b/1.0/catlet.yaml"), Done(1, "", "a/b/1.0/catlet.yaml:1:1: error"), 0),
        (Refused(file="a/b/1.0/catlet.yaml", line=2), Done(1, "", "spec.yaml:2:1: error"), 1),
    ],
)
def test_an_outcome(expected: Accepted | Refused, done: Done, count: int) -> None:
    assert len(list(expected.faults(done))) == count
