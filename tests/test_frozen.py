"""Records and named tuples of our own making are what the type checkers take them for."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import typing
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eryphc.frozen import NamedTuple, field, field_names, record, replace
from eryphc.ir import catlet
from eryphc.ir.catlet import Drive, DriveType, Record, Variable
from eryphc.source import SourceText, Span

T = TypeVar("T")
VALUES = st.none() | st.integers() | st.text()
CHANGES = st.fixed_dictionaries({}, optional=dict.fromkeys(("name", "size", "apart"), VALUES))


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Plain:
    name: Any = None
    size: Any = 1
    apart: Any = dataclasses.field(default=None, compare=False)


@record(frozen=True, kw_only=True, repr=False)
class Base:
    name: Any = None


@record(frozen=True, kw_only=True, repr=False)
class Ours(Base):
    size: Any = 1
    apart: Any = field(default=None, compare=False)


class Pair(NamedTuple):
    """Two values."""

    first: int
    second: Base | None = None

    @property
    def sum(self) -> int:
        return self.first * 2


class Boxed(NamedTuple, Generic[T]):
    value: T


def _values(one: object) -> dict[str, object]:
    return {name: getattr(one, name) for name in ("name", "size", "apart")}


@given(CHANGES, CHANGES)
def test_a_record_is_compared_and_changed_like_a_dataclass(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    ours, plain = Ours(**first), Plain(**first)
    assert _values(ours) == _values(plain)
    assert (ours == Ours(**second)) is (plain == Plain(**second))
    changed = replace(ours, **second)
    assert _values(changed) == _values(dataclasses.replace(plain, **second))
    assert _values(ours) == _values(plain), "the old one stays as it was"
    if ours == Ours(**second):
        assert hash(ours) == hash(Ours(**second))


def test_records_of_two_kinds_are_never_equal() -> None:
    kinds: list[object] = [Base(), Ours(), Plain()]
    assert all((a == b) is (a is b) for a in kinds for b in kinds)


def test_a_record_is_frozen() -> None:
    drive = Drive(name="sda")
    with pytest.raises(AttributeError, match="a Drive is frozen: its name cannot be set"):
        drive.name = "sdb"  # type: ignore[misc]
    with pytest.raises(AttributeError, match="a Drive is frozen: its name cannot be set"):
        del drive.name
    assert drive.name == "sda"


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="Drive has no field 'sise'"):
        Drive(sise=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Drive has no field 'sise'"):
        replace(Drive(), sise=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Drive({})  # type: ignore[call-arg]


def test_a_record_survives_being_copied_and_pickled() -> None:
    drive = Drive(name="sda", size=3, type=DriveType.VHD, places={})
    for copied in (copy.copy(drive), copy.deepcopy(drive), pickle.loads(pickle.dumps(drive))):  # noqa: S301
        assert copied == drive
        assert copied.places == drive.places


def test_places_take_no_part_in_equality() -> None:
    assert Variable(name="a", places={"": _SPAN}) == Variable(name="a")


def test_every_field_of_every_record_is_known_by_name() -> None:
    kinds = [
        kind
        for kind in vars(catlet).values()
        if isinstance(kind, type) and issubclass(kind, Record)
    ]
    assert len(kinds) > 10
    for kind in kinds:
        hints = typing.get_type_hints(kind, vars(catlet))
        assert set(field_names(kind)) == set(hints), kind
        assert set(vars(kind())) == set(hints), kind


def test_a_named_tuple_may_have_type_parameters() -> None:
    assert Boxed[int] is Boxed
    assert Boxed("x").value == "x"


def test_a_named_tuple_is_one() -> None:
    pair = Pair(3)
    assert tuple(pair) == (3, None)
    assert pair.sum == 6
    assert pair._replace(second=None, first=4) == Pair(4)
    assert Pair.__doc__ == "Two values."
    assert (Pair.__module__, Pair.__qualname__) == (__name__, "Pair")
    assert repr(pair) == "Pair(first=3, second=None)"
    assert pickle.loads(pickle.dumps(pair)) == pair  # noqa: S301
    with pytest.raises(TypeError):
        Pair()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Pair(1, third=2)  # type: ignore[call-arg]


_SPAN = Span(SourceText(str(Path("a.yaml")), "name: a\n"), 0, 4)


def test_named_tuples_are_those_of_typing() -> None:
    class Theirs(typing.NamedTuple):
        first: int
        second: Base | None = None
        third: str = "c"

    class Own(NamedTuple):
        first: int
        second: Base | None = None
        third: str = "c"

    for values, names in (
        ((1,), {}),
        ((1, None), {"third": "d"}),
        ((), {"third": "d", "first": 2}),
    ):
        own: Any = Own(*values, **names)
        theirs: Any = Theirs(*values, **names)
        assert own == theirs
        assert own._asdict() == theirs._asdict()
        assert repr(own) == repr(theirs).replace("Theirs", "Own")
        assert own._replace(first=9) == theirs._replace(first=9)
        assert (copy.copy(own), type(copy.copy(own))) == (own, Own)
    for name in ("_fields", "_field_defaults", "__match_args__"):
        assert getattr(Own, name) == getattr(Theirs, name)
    assert tuple(Own._make("abc")) == Theirs._make("abc")
    assert not hasattr(Own(1), "__dict__")
    for kind in (Own, Theirs):
        with pytest.raises(TypeError):
            kind()  # type: ignore[call-arg]
        with pytest.raises(TypeError):
            kind(1, fourth=1)  # type: ignore[call-arg]
        with pytest.raises(TypeError):
            kind._make("ab")
        with pytest.raises((TypeError, ValueError)):
            kind(1)._replace(fourth=1)  # type: ignore[call-arg]
        with pytest.raises(AttributeError):
            kind(1).first = 2  # type: ignore[misc]
