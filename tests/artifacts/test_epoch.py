import pytest
from hypothesis import given
from hypothesis import strategies as st

from eryphc.artifacts.epoch import DEFAULT_EPOCH, LAST_EPOCH, EpochSource, resolve_epoch


def _project(value: str | None) -> EpochSource:
    return EpochSource(name="epoch", value=value)


@pytest.mark.parametrize(
    ("option", "project", "environment", "expected"),
    [
        pytest.param(None, None, None, 315532800, id="nothing said is 1980"),
        pytest.param(None, None, "1700000000", 1700000000, id="the environment"),
        pytest.param(None, "1600000000", "1700000000", 1600000000, id="the project over it"),
        pytest.param("1500000000", "1600000000", "x", 1500000000, id="the option over both"),
        pytest.param(None, None, "0315532800", 315532800, id="leading zero"),
        pytest.param(None, None, "5869583999", 5869583999, id="the last second"),
    ],
)
def test_precedence(
    option: str | None, project: str | None, environment: str | None, expected: int
) -> None:
    found = resolve_epoch(option=option, project=_project(project), environment=environment)
    assert (found.value, found.diagnostics) == (expected, ())


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param("", "E0601", id="empty"),
        pytest.param("tomorrow", "E0601", id="a word"),
        pytest.param("315532800.0", "E0601", id="a fraction"),
        pytest.param(" 315532800", "E0601", id="a blank"),
        pytest.param("+315532800", "E0601", id="a plus sign"),
        pytest.param("315_532_800", "E0601", id="underscores"),
        pytest.param("٣١٥٥٣٢٨٠٠", "E0601", id="other digits"),
        pytest.param("-", "E0601", id="a sign alone"),
        pytest.param("315532799", "E0602", id="before 1980"),
        pytest.param("0", "E0602", id="1970"),
        pytest.param("-1", "E0602", id="before 1970"),
        pytest.param("5869584000", "E0602", id="2156"),
        pytest.param("9" * 10_000, "E0602", id="ten thousand digits"),
    ],
)
def test_refused(value: str, code: str) -> None:
    found = resolve_epoch(environment=value)
    assert found.value is None
    assert [diagnostic.code.number for diagnostic in found.diagnostics] == [code]
    assert "`SOURCE_DATE_EPOCH`" in found.diagnostics[0].message
    assert len(found.diagnostics[0].message) < 200


def test_a_later_source_is_not_looked_at() -> None:
    assert resolve_epoch(option="tomorrow", environment="1700000000").value is None


@given(st.integers(DEFAULT_EPOCH, LAST_EPOCH))
def test_every_time_in_range_is_taken(epoch: int) -> None:
    assert resolve_epoch(environment=str(epoch)).value == epoch
