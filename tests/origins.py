"""Every value of a substituted catlet with the origin that it must have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from eryphc.frozen import field_names
from eryphc.ir.catlet import Record
from eryphc.ir.content import Content
from eryphc.ir.stages import Substituted
from eryphc.origin import Origin, Step

# What tells of a record where it comes from, and is no value of the language.
_ABOUT = ("depth", "document", "places", "root")
_WRITTEN = (Step.WRITTEN, Step.INHERITED, Step.FED, Step.BOUND)


class Value(NamedTuple):
    """One value: its path (`drives[0].size`), and where it comes from."""

    path: str
    value: object
    origin: Origin


def values(done: Substituted) -> Iterator[Value]:
    """All values of all records, the records among them. Fails for one without an origin."""
    yield from _values(done, done.catlet, "")


def _values(done: Substituted, record: Record, path: str) -> Iterator[Value]:
    yield Value(path, record, done.origin(record))
    for name in field_names(record):
        value = getattr(record, name)
        if name in _ABOUT or value is None:
            continue
        at = f"{path}.{name}".removeprefix(".")
        try:
            yield Value(at, value, done.origin(record, name))
        except KeyError:
            raise AssertionError(f"{at} = {value!r} has no origin") from None
        items = value if isinstance(value, tuple) else (value,)
        for number, item in enumerate(items):
            if isinstance(item, Record):
                inner = f"{at}[{number}]" if isinstance(value, tuple) else at
                yield from _values(done, item, inner)


def complaint(value: Value) -> str | None:
    """What is wrong with an origin, None for nothing."""
    path, found, origin = value
    if any(each.step is Step.INHERITED and each.via is None for each in origin.chain()):
        return f"{path}: the place in the specification is missing"
    if (origin.span is None) and origin.step in _WRITTEN:
        return f"{path}: {origin.step} without a place"
    if isinstance(found, (Record, tuple, Content)) or origin.step not in _WRITTEN:
        return None
    assert origin.span is not None
    text = origin.span.text
    held = text.strip("'\"").replace("\\\\", "\\").lower()
    if held.startswith("*"):
        return None
    if isinstance(found, bool):
        holds = held in (("true", "yes", "on") if found else ("false", "no", "off"))
    elif path.endswith((".source", "parent")):
        # Gene sets are resolved: of what is written only the ends stay.
        holds = str(found).split("/")[0].lower() == held.split("/")[0]
    elif "\n" in str(found):
        return None
    else:
        holds = str(found).lower() in held or held.replace("_", "") == str(found).replace("_", "")
    return None if holds else f"{path}: {found!r} is not in {text!r}"


def text_complaints(done: Substituted) -> Iterator[str]:
    """What is wrong with the stretches of the texts of fodder."""
    for fodder in done.catlet.fodder or ():
        text = fodder.content.text if fodder.content is not None else ""
        stretches = tuple(fodder.stretches())
        edges = [0, *(stretch.end for stretch in stretches)]
        if [stretch.start for stretch in stretches] != edges[:-1] or edges[-1] != len(text):
            yield f"{fodder.name}: {edges} is not all of {len(text)} characters"
        for start, end, origin in stretches:
            assert origin.span is not None
            if origin.step is Step.SUBSTITUTED:
                if origin.via is None or origin.variable is None or "{{" not in origin.span.text:
                    yield f"{fodder.name}: {text[start:end]!r} replaced {origin.span.text!r}"
                continue
            written = origin.span.source.text
            unescaped = written.replace('\\"', '"')
            for line in text[start:end].split("\n"):
                if line.strip() not in written and line.strip() not in unescaped:
                    yield f"{fodder.name}: {line!r} is not in {origin.span.source.name}"
