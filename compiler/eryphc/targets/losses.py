"""What a catlet or an option asks for and a target cannot express, from tables of rows.

Each target has a table: a row is a part of the catlet (or an option), how much its loss matters,
and what becomes of it. `asked` walks the catlet, so that a table is data. Nothing is lost that
nobody asked for: defaults, flags that are off and capabilities that are disabled are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from eryphc.diagnostics import platforms as wording
from eryphc.diagnostics.losses import Loss, LossLevel
from eryphc.diagnostics.model import Code, Diagnostic, Level
from eryphc.diagnostics.said import Own, Words, named, own
from eryphc.diagnostics.secrecy import Secrets
from eryphc.frozen import NamedTuple
from eryphc.guest.model import NetworkConfigMode
from eryphc.ir.catlet import Capability, Catlet, Record
from eryphc.lint.engine import Rule, judge
from eryphc.origin import Origin, Step
from eryphc.passes.places import rooted
from eryphc.source import Span
from eryphc.syntax.names import blank
from eryphc.targets import Target
from eryphc.targets.definition import TargetInput

INSTANCE_ID: Final = "--instance-id"
NETWORK_CONFIG: Final = "--network-config"
NETWORK_VERSION: Final = "--network-config-version"
SEALED: Final = "--sealed"
HOSTNAME: Final = "--hostname"
OPTIONS: Final = (HOSTNAME, INSTANCE_ID, NETWORK_CONFIG, NETWORK_VERSION, SEALED)

_OF_CATLET: Final = ("hostname", "location", "store")
_SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "cpu": ("count",),
    "memory": ("startup", "minimum", "maximum"),
}
_LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "drives": ("type", "source", "size", "location", "store"),
    "network_adapters": ("mac_address", "mac_address_spoofing", "dhcp_guard", "router_guard"),
    "capabilities": (),
    "networks": ("adapter_name", "subnet_v4", "subnet_v6"),
}
_DETAILS: Final = "capabilities[].details[]"
PARTS: Final = frozenset(
    (
        *OPTIONS,
        *_OF_CATLET,
        *(f"{section}.{key}" for section, keys in _SECTIONS.items() for key in keys),
        *(f"{section}[]" for section in _LISTS),
        *(f"{section}[].{key}" for section, keys in _LISTS.items() for key in keys),
        _DETAILS,
    )
)
"""What a row may speak of: an option, or a key path of the effective catlet in which `[]` stands
for any item of a list. Fodder is left to the rules of the guest."""


class Asked(NamedTuple):
    """One thing that the catlet or an option asks for.

    `part` is the one of `PARTS`, `path` the same with the name of the item, `value` what is asked.
    `record` holds the value, or is the item itself; an option has none. `item` is the item of the
    list in which the value stands. `place` is where it was written, None if no document has it;
    `document` is what led to that document, None for the author's own.
    """

    part: str
    path: Words
    value: Any
    inputs: TargetInput[Any]
    place: Span | None = None
    record: Record | None = None
    item: Record | None = None
    document: Origin | None = None


class Row(NamedTuple):
    """What a target cannot express.

    `part` is one of `PARTS`. `words` say what becomes of it, or make these words of what was asked.
    `when` tells which of the things asked for are lost; all are without it. `kind` is the target's
    own finding of this very loss: then there is no second one.
    """

    part: str
    level: LossLevel
    words: Words | Callable[[Asked], Words]
    when: Callable[[Asked], bool] | None = None
    kind: Code | None = None


# --- what is asked for -----------------------------------------------------------------------


def asked(inputs: TargetInput[Any]) -> Iterator[Asked]:
    """All that the catlet and the options ask for, the catlet first, in its order."""
    catlet = inputs.catlet.catlet
    yield from _of_record(inputs, catlet, _OF_CATLET, "")
    for section, keys in _SECTIONS.items():
        record = getattr(catlet, section)
        if record is not None:
            yield from _of_record(inputs, record, keys, f"{section}.")
    for section, keys in _LISTS.items():
        for item in getattr(catlet, section) or ():
            if _is_asked(item, "", item) and _is_asked(item, "name", item):
                yield from _of_item(inputs, section, keys, item)
    yield from _of_options(inputs, catlet)


def _of_record(
    inputs: TargetInput[Any], record: Record, keys: Iterable[str], prefix: str
) -> Iterator[Asked]:
    for key in keys:
        value = getattr(record, key)
        if _is_asked(record, key, value):
            part = f"{prefix}{key}"
            document = _document_of(record, key)
            yield Asked(part, Own(part), value, inputs, record.at(key), record, None, document)


def _of_item(
    inputs: TargetInput[Any], section: str, keys: Iterable[str], item: Record
) -> Iterator[Asked]:
    if isinstance(item, Capability) and item.disabled:
        return
    name = named(_quoted(getattr(item, "name", None) or ""), item.place("name"))
    path = own("{}[{}]", Own(section), name)
    document = _document_of(item, "name")
    yield Asked(f"{section}[]", path, item, inputs, item.at("name"), item, item, document)
    for key in keys:
        value = getattr(item, key)
        if _is_asked(item, key, value):
            record = value if isinstance(value, Record) else item
            where = own("{}.{}", path, Own(key))
            part = f"{section}[].{key}"
            document = _document_of(item, key)
            yield Asked(part, where, value, inputs, item.at(key), record, item, document)
    if isinstance(item, Capability):
        document = _document_of(item, "details")
        for number, detail in enumerate(item.details or (), start=1):
            if detail.strip().lower() != "enabled":
                where = own("{}.details[{}]", path, number)
                at = item.detail_at(detail)
                yield Asked(_DETAILS, where, detail, inputs, at, item, item, document)


def _of_options(inputs: TargetInput[Any], catlet: Catlet) -> Iterator[Asked]:
    options = inputs.guest
    mode = None if options.network is NetworkConfigMode.GIVEN else options.network
    given = {
        HOSTNAME: catlet.hostname if _is_given(catlet) else None,
        INSTANCE_ID: options.instance_id,
        NETWORK_CONFIG: options.network_file or mode,
        NETWORK_VERSION: options.network_version,
        SEALED: options.sealed or None,
    }
    for option, value in given.items():
        if value is not None:
            yield Asked(option, Own(option), value, inputs)


def _is_asked(record: Record, key: str, value: Any) -> bool:
    """Whether somebody wrote the value, and it asks for something."""
    if value is None or value is False or (isinstance(value, str) and blank(value)):
        return False
    place = record.places.get(key)
    if isinstance(place, Origin) and place.step in (Step.DEFAULTED, Step.INVENTED, Step.GIVEN):
        return False
    return not (key == "store" and value == "default")


def _document_of(record: Record, key: str) -> Origin | None:
    """What led to the document that holds the place of a value."""
    place = record.places.get(key if record.place(key) is not None else "")
    return place if isinstance(place, Origin) else record.document


def _is_given(catlet: Catlet) -> bool:
    """Whether an option gives a host name of its own: `--name` gives one that is the name."""
    place = catlet.places.get("hostname")
    given = isinstance(place, Origin) and place.step is Step.GIVEN
    return given and (catlet.hostname or "").lower() != catlet.name


def _quoted(name: str) -> str:
    """A name as it stands inside the brackets of a path."""
    return json.dumps(name, ensure_ascii=False) if set(name) & set(']["') else name


# --- what is lost ----------------------------------------------------------------------------


class Lost(NamedTuple):
    """A row, and what was asked for of it."""

    row: Row
    asked: Asked

    @property
    def words(self) -> Words:
        words = self.row.words
        return words(self.asked) if callable(words) and not isinstance(words, str) else words


class LossTable(NamedTuple):
    """All that one target cannot express."""

    target: Target
    rows: tuple[Row, ...]

    def lost(self, inputs: TargetInput[Any]) -> Iterator[Lost]:
        """All that is lost of a catlet, in the order in which it is asked for."""
        rows: dict[str, list[Row]] = {}
        for row in self.rows:
            rows.setdefault(row.part, []).append(row)
        for each in asked(inputs):
            for row in rows.get(each.part, ()):
                if row.when is None or row.when(each):
                    yield Lost(row, each)

    def losses(
        self, inputs: TargetInput[Any], secrets: Secrets, author: str | None = None
    ) -> tuple[Loss, ...]:
        """What is lost, with the words that may be shown.

        Documents are called what diagnostics call them. With `author`, the name of the author's
        document, they are called the same on every machine: all others are genes.
        """
        return tuple(
            Loss(
                target=self.target.value,
                path=secrets.opened(each.asked.path, each.asked.place),
                level=each.row.level,
                message=secrets.opened(each.words, each.asked.place),
                file=_file(each.asked, author),
                line=None if each.asked.place is None else each.asked.place.line,
            )
            for each in self.lost(inputs)
        )

    def findings(self, inputs: TargetInput[Any]) -> list[Diagnostic]:
        """W1502 for what is lost: for a plan whose table has notes or warnings of no own kind."""
        return judge(RULES, Losing(self, inputs))


def _file(asked: Asked, author: str | None) -> str | None:
    if asked.place is None:
        return None
    if author is None:
        return asked.place.source.name
    gene = None if asked.document is None else asked.document.gene
    return author if gene is None else str(gene)


class Losing(NamedTuple):
    """A target, and what it was given."""

    table: LossTable
    inputs: TargetInput[Any]


_LEVELS: Final = {LossLevel.NOTE: Level.NOTE, LossLevel.WARNING: Level.WARNING}


def _findings(losing: Losing) -> Iterator[Diagnostic]:
    for each in losing.table.lost(losing.inputs):
        level = _LEVELS.get(each.row.level)
        if level is None or each.row.kind is not None:
            continue
        target, place = Own(losing.table.target.value), each.asked.place
        found = wording.target_loss(each.asked.path, target, each.words, level, place)
        found = found._replace(via=each.asked.document)
        yield from rooted((found,), losing.inputs.catlet.pedigree.root)


RULES: Final[tuple[Rule[Losing], ...]] = (Rule(wording.TARGET_LOSS, _findings),)

# --- what several targets lose ---------------------------------------------------------------

_FOLDERS: Final = own("it chooses folders of a Hyper-V host, and this target has no host")
_MEMORY: Final = own("whoever makes the machine decides how much memory it has")
MACHINE: Final = (
    Row("location", LossLevel.INHERENT, _FOLDERS),
    Row("store", LossLevel.INHERENT, _FOLDERS),
    Row(
        "cpu.count",
        LossLevel.INHERENT,
        own("whoever makes the machine decides how many processors it has"),
    ),
    Row("memory.startup", LossLevel.INHERENT, _MEMORY),
    Row("memory.minimum", LossLevel.INHERENT, _MEMORY),
    Row("memory.maximum", LossLevel.INHERENT, _MEMORY),
    Row("drives[]", LossLevel.INHERENT, own("whoever makes the machine attaches its disks")),
    Row(
        "network_adapters[]",
        LossLevel.INHERENT,
        own("whoever makes the machine adds its adapters, with addresses and guards"),
    ),
    Row(
        "capabilities[]",
        LossLevel.INHERENT,
        own("whoever makes the machine chooses its hardware and firmware"),
    ),
    Row(
        "networks[]",
        LossLevel.INHERENT,
        own("whoever makes the machine connects it to networks"),
    ),
)
"""The machine itself, for targets that hand over only what its guest reads."""
