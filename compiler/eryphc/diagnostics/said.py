"""Words inside a message: those of documents, which may be secret, and those of this tool.

Words of a document enter a message only as a `Said`. As text, a `Said` is only a stand-in for the
words, so that formatting, joining or cutting cannot reveal them by mistake. `secrecy` decides
whether the words themselves are shown, when the diagnostic is handed out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Final, Self, TypeAlias

from eryphc.ir.catlet import Record
from eryphc.source import Span

Where: TypeAlias = "Span | Callable[[], Span | None] | None"

HIDDEN: Final = "…"
"""What stands for words that are not shown."""


class Kind(Enum):
    """The role of words in their document. It decides whether secret fodder may show them."""

    NAME = "name"
    """A key, or the identity of an entry: the name of a user, a path, a package."""
    VALUE = "value"


class Said(str):
    """Words of a document. As text it is what stands for them, `words` are the words themselves.

    `where` is where they were written, or tells it when asked; without it the place of the
    diagnostic decides. `secret`: they are not shown wherever they stand.
    """

    __slots__ = ("kind", "secret", "where", "words")

    words: str
    where: Where
    kind: Kind
    secret: bool

    def __new__(
        cls,
        words: str,
        where: Where = None,
        *,
        kind: Kind = Kind.VALUE,
        secret: bool = False,
        instead: str = HIDDEN,
    ) -> Self:
        self = super().__new__(cls, instead)
        self.words = words
        self.where = where
        self.kind = kind
        self.secret = secret
        return self

    @property
    def span(self) -> Span | None:
        return self.where() if callable(self.where) else self.where


class Own(str):
    """Words of this tool. A test checks that they are literals in its code (`own`)."""

    __slots__ = ()


class Phrase(Own):
    """Words of this tool around words of documents."""

    __slots__ = ("parts",)

    parts: tuple[Words, ...]

    def __new__(cls, parts: tuple[Words, ...]) -> Self:
        self = super().__new__(cls, "".join(parts))
        self.parts = parts
        return self


Words: TypeAlias = "Said | Own"


NO_WORDS: Final = Own("")


def own(text: str, *words: Words | int) -> Own:
    """The words `text` of this tool, each `{}` in it replaced by the next of `words`."""
    if not words:
        return Own(text)
    pieces = text.split("{}")
    if len(pieces) != len(words) + 1:
        raise ValueError(f"{len(words)} words for {len(pieces) - 1} places")
    parts: list[Words] = [Own(pieces[0])]
    for word, piece in zip(words, pieces[1:], strict=True):
        parts += (Own(word) if isinstance(word, int) else word, Own(piece))
    return Phrase(tuple(parts))


def named(words: str, where: Where = None, *, instead: str = HIDDEN) -> Said:
    """A key, or what an entry is known by."""
    return Said(words, where, kind=Kind.NAME, instead=instead)


def name_of(record: Record, key: str = "name", default: str = "") -> Said:
    """What a record says under `key`, by which it is known."""
    return named(getattr(record, key) or default, record.place(key))


def joined(words: Iterable[Words], between: str = ", ") -> Own:
    """Words one after the other."""
    parts: list[Words] = []
    for each in words:
        parts += (Own(between), each) if parts else (each,)
    return Phrase(tuple(parts))
