"""What cannot change, so that it can be hashed and shared: records, tuples with names, mappings.

To type checkers a record is a frozen dataclass, and `NamedTuple` that of `typing`. Only how the
classes are made differs. `dataclass` compiles six functions for each class and `typing.NamedTuple`
compiles each annotation, together an eighth of a small build; `dataclasses.replace` asks every
field, a fifteenth of a large one. benchmarks/README.md has the figures.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

__all__ = ("FrozenMap", "NamedTuple", "field", "field_names", "record", "replace")

V = TypeVar("V")

if TYPE_CHECKING:
    from dataclasses import dataclass as record
    from dataclasses import field, replace
    from typing import NamedTuple
else:

    class _Fields(type):
        """Makes a named tuple of a class body like `typing.NamedTuple`, but without the types of
        its annotations and of its parameters.
        """

        def __new__(cls, name, bases, body):
            names = tuple(body.get("__annotations__", ()))
            defaults = {each: body[each] for each in names if each in body}
            made = type(name, (_Named,), {
                **{key: value for key, value in body.items() if key not in names},
                "__slots__": (),
                "__match_args__": names,
                "__new__": _new(names, tuple(defaults.values())),
                "_fields": names,
                "_field_defaults": defaults,
                **{each: _Getter(place, None) for place, each in enumerate(names)},
            })  # fmt: skip
            if Generic in bases:
                made.__class_getitem__ = classmethod(lambda kind, _parameters: kind)
            return made

    NamedTuple = type.__new__(_Fields, "NamedTuple", (), {})

    def record(*, frozen, kw_only, repr):  # noqa: A002 - `dataclass` calls it so
        """What `dataclass` does with these arguments, for fields that all have a default."""
        if repr or not (frozen and kw_only):
            raise TypeError("a record is frozen, its fields are named, and it shows none of them")
        return _as_record

    def field(*, default, compare):
        """A field that takes no part in equality."""
        if compare:
            raise TypeError("a field that takes part in equality is written as its default alone")
        return _Uncompared(default)

    def replace(old, /, **changes):
        """The record with other values of some fields. Raises TypeError for an unknown field."""
        new = object.__new__(type(old))
        own = new.__dict__
        own.update(old.__dict__)
        own.update(changes)
        if len(own) != len(old._defaults):
            raise _unknown(old, changes)
        return new


class _Named(tuple[Any, ...]):
    """What all named tuples have. `collections.namedtuple` makes it anew for each, and compiles."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    @classmethod
    def _make(cls, values: Iterable[object]) -> Any:
        made = tuple.__new__(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
        return made

    def _replace(self, /, **changes: object) -> Any:
        made = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise ValueError(f"Got unexpected field names: {list(changes)!r}")
        return made

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def __repr__(self) -> str:
        values = zip(self._fields, self, strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in values)})"

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)


# What reads a value by its place in C.
_Getter: Any = type(vars(namedtuple("_One", "value"))["value"])  # noqa: PYI024
_codes: dict[int, CodeType] = {}
_GLOBALS: dict[str, Any] = {"_tuple_new": tuple.__new__, "__builtins__": {}}


def _new(names: tuple[str, ...], defaults: tuple[object, ...]) -> Any:
    """`__new__` with these parameters. Its code is compiled once for each number of them."""
    code = _codes.get(len(names))
    if code is None:
        listed = "".join(f"_{place}, " for place in range(len(names)))
        code = eval(f"lambda _cls, {listed}: _tuple_new(_cls, ({listed}))", {}).__code__  # noqa: S307
        _codes[len(names)] = code
    code = code.replace(co_varnames=("_cls", *names), co_name="__new__")
    return FunctionType(code, _GLOBALS, "__new__", defaults)


class _Uncompared:
    def __init__(self, default: object) -> None:
        self.default = default


def _as_record(cls: Any) -> Any:
    defaults = dict(getattr(cls, "_defaults", ()))
    uncompared = set(getattr(cls, "_uncompared", ()))
    for name in cls.__annotations__:
        default = vars(cls)[name]
        if isinstance(default, _Uncompared):
            uncompared.add(name)
            default = default.default
            setattr(cls, name, default)
        defaults[name] = default
    cls._defaults, cls._uncompared = defaults, frozenset(uncompared)
    cls.__init__, cls.__eq__, cls.__hash__ = _init, _equal, _hash
    cls.__setattr__ = cls.__delattr__ = _refuse
    return cls


def _init(self: Any, **values: object) -> None:
    own = self.__dict__
    own.update(self._defaults)
    own.update(values)
    if len(own) != len(self._defaults):
        raise _unknown(self, values)


def _unknown(record: Any, values: Iterable[str]) -> TypeError:
    name = next(name for name in values if name not in record._defaults)
    return TypeError(f"{type(record).__name__} has no field {name!r}")


def _equal(self: Any, other: object) -> Any:
    return _compared(self) == _compared(other) if type(self) is type(other) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _compared(record: Any) -> tuple[object, ...]:
    return tuple(value for name, value in vars(record).items() if name not in record._uncompared)


def _refuse(self: Any, name: str, *_value: object) -> None:
    raise AttributeError(f"a {type(self).__name__} is frozen: its {name} cannot be set")


def field_names(record: Any) -> Iterable[str]:
    """The names of a record's fields, those of its base first."""
    return tuple(record._defaults)


class FrozenMap(Mapping[str, V]):
    """Values by name, in their order. Its `repr` shows only the names: values may be secret.

    Two maps are equal if they hold the same values under the same names, in whatever order.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, V] | Iterable[tuple[str, V]] = ()) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> V:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"FrozenMap({', '.join(self._values)})"
