"""The one reader of fodder: it reads each text once.

A session owns one and hands it to every compile, because catlets share genes.
"""

from __future__ import annotations

from typing import Final

from eryphc.diagnostics.model import Outcome
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.filled import Templates
from eryphc.guest.cloudconfig.tree import (
    AnyReading,
    Reading,
    config_of,
    data_of,
    libyaml_syntax_of,
    loaded_syntax_of,
    syntax_of,
)
from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content
from eryphc.syntax.nodes import Node

_LONGEST: Final = 64 * 1024
_MOST: Final = 256


class ReadEntry(NamedTuple):
    """One fodder entry with its data. `number` is its position among those of the catlet."""

    fodder: Fodder
    reading: Reading
    number: int


class _Known:
    """What is known of one text; each form is made when it is first asked for."""

    __slots__ = ("config", "data", "loaded", "written")

    def __init__(self) -> None:
        self.written: Outcome[Node] | None = None
        self.loaded: AnyReading | None = None
        self.data: AnyReading | None = None
        self.config: Reading | None = None


class TextReader:
    """Reads texts of fodder and remembers the last of them, so that none is parsed twice.

    Nodes are shared by all who ask for one text, and never changed. Not for several threads.
    """

    __slots__ = ("_known", "_templates")

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._templates = Templates()

    def read(self, content: Content) -> Reading:
        """The data of a cloud-config."""
        known = self._of(content.text)
        if known.config is None:
            known.config = self._templates.read(content) if known.data is None else None
            if known.config is None:
                known.config = config_of(content.text, self._data(content.text, known))
        return known.config

    def read_text(self, text: str) -> Reading:
        """The data of a cloud-config that is not the text of an author as it stands."""
        known = self._of(text)
        if known.config is None:
            known.config = config_of(text, self._data(text, known))
        return known.config

    def read_any(self, text: str) -> AnyReading:
        """The data of a text of any shape."""
        return self._data(text, self._of(text))

    def loaded(self, text: str) -> Reading:
        """The data of a cloud-config that reaches a guest as it stands, by the guest's loader."""
        return config_of(text, self.loaded_any(text))

    def loaded_any(self, text: str) -> AnyReading:
        """The same of a text of any shape."""
        known = self._of(text)
        if known.loaded is None:
            written = self._syntax(text, known)
            loaded = loaded_syntax_of(text, written)
            alike = loaded is written
            known.loaded = self._data(text, known) if alike else data_of(text, loaded)
        return known.loaded

    def loaded_by_libyaml(self, text: str) -> Reading:
        """The data of a cloud-config as cloudbase-init's loader reads it."""
        return config_of(text, self.loaded_by_libyaml_any(text))

    def loaded_by_libyaml_any(self, text: str) -> AnyReading:
        """The same of a text of any shape."""
        known = self._of(text)
        parsed = libyaml_syntax_of(self._syntax(text, known))
        return data_of(text, parsed) if parsed.value is None else self._data(text, known)

    def syntax(self, text: str) -> Outcome[Node]:
        """The text as written, with its quotes and tags."""
        return self._syntax(text, self._of(text))

    def _of(self, text: str) -> _Known:
        # What is used goes to the end, the oldest first.
        known = self._known.pop(text, None) or _Known()
        if len(text) <= _LONGEST:
            if len(self._known) >= _MOST:
                del self._known[next(iter(self._known))]
            self._known[text] = known
        return known

    def _data(self, text: str, known: _Known) -> AnyReading:
        if known.data is None:
            known.data = data_of(text, self._syntax(text, known))
        return known.data

    def _syntax(self, text: str, known: _Known) -> Outcome[Node]:
        if known.written is None:
            known.written = syntax_of(text)
        return known.written
