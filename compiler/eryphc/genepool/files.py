"""Files of a folder pool and texts of genes, read so that nothing outside the pool is reached."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path

from eryphc.diagnostics import pools
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.diagnostics.words import os_reason
from eryphc.frozen import NamedTuple
from eryphc.reads import FILE, FOLDER, Reads, entries_of
from eryphc.source import SourceText, Span, shown_path
from eryphc.syntax.names import WHITE_SPACE
from eryphc.syntax.nodes import AliasNode, MappingNode, Node, ScalarNode

_MIB = 1024 * 1024
# 2 MiB of YAML may be 4 MiB of UTF-16; a packed gene may hold 5 MiB.
MAX_GENE_BYTES = 5 * _MIB
_REPLACEMENT = "\ufffd"


def place_of(path: Path) -> Span:
    """A place that names the file and nothing in it."""
    return Span(SourceText(shown_path(path), ""), 0, 0)


class Entry(NamedTuple):
    """One name in a folder; `folder` tells folders from files. Links are followed."""

    name: str
    path: Path
    folder: bool


class PoolFiles:
    """The files below one folder. `label` is how messages call the pool.

    What is read of them is noted in `reads`, where that is wanted.
    """

    __slots__ = ("_real", "label", "reads", "root")

    def __init__(self, root: Path, label: str, reads: Reads | None = None) -> None:
        self.root = root
        self.label = label
        self.reads = reads
        self._real: str | None = None

    def is_file(self, path: Path) -> bool:
        """Whether a plain file is there, links followed."""
        return path.is_file() if self.reads is None else self.reads.look(path) == FILE

    def is_dir(self, path: Path) -> bool:
        """Whether a folder is there, links followed."""
        return path.is_dir() if self.reads is None else self.reads.look(path) == FOLDER

    def leaves(self, path: Path) -> Diagnostic | None:
        """The fault of a path whose links lead out of the pool."""
        if self._real is None:
            self._real = os.path.realpath(self.root)
        real = os.path.realpath(path)
        if real == self._real or real.startswith(self._real.rstrip(os.sep) + os.sep):
            return None
        return pools.outside_pool(shown_path(path), self.label, place_of(path))

    def entries(self, folder: Path) -> Outcome[tuple[Entry, ...]]:
        """What lies in `folder`, sorted by name; empty where there is no such folder."""
        fault = self.leaves(folder)
        if fault is not None:
            return Outcome(None, (fault,))
        try:
            found = entries_of(folder)
        except (FileNotFoundError, NotADirectoryError):
            if self.reads is not None:
                self.reads.look(folder)
            return Outcome(())
        except OSError as error:
            if self.reads is not None:
                self.reads.fault(folder)
            return Outcome(None, (_unreadable(folder, error),))
        if self.reads is not None:
            self.reads.listing(folder, found)
        return Outcome(tuple(Entry(name, folder / name, is_folder) for name, is_folder in found))

    def read(self, path: Path, limit: int = MAX_GENE_BYTES) -> Outcome[bytes]:
        fault = self.leaves(path)
        if fault is not None:
            return Outcome(None, (fault,))
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - a pipe would hang
                if self.reads is not None:
                    self.reads.look(path)
                return Outcome(
                    None,
                    (pools.file_unreadable(shown_path(path), "not a plain file", place_of(path)),),
                )
            with path.open("rb") as file:
                data = file.read(limit + 1)
        except OSError as error:
            if self.reads is not None:
                self.reads.fault(path)
            return Outcome(None, (_unreadable(path, error),))
        if self.reads is not None:
            self.reads.content(path, data)
        if len(data) > limit:
            return Outcome(None, (pools.gene_too_large(shown_path(path), limit, place_of(path)),))
        return Outcome(data)

    def read_text(self, path: Path) -> Outcome[str]:
        """Text without byte order mark, line ends as they are; bytes that are no text give U+FFFD.

        Source: docs/reference/genes-and-pools.md, "The text of a gene".
        """
        outcome = self.read(path)
        if outcome.value is None:
            return Outcome(None, outcome.diagnostics)
        text, damaged = decode(outcome.value)
        if not damaged:
            return Outcome(text)
        source = SourceText(shown_path(path), text, regions=())
        at = max(text.find(_REPLACEMENT), 0)
        return Outcome(text, (pools.gene_not_utf8(source.name, Span(source, at, at + 1)),))


def decode(data: bytes) -> tuple[str, bool]:
    """Bytes to text, UTF-8 or by byte order mark UTF-16, and whether some were no text."""
    encoding, skip = "utf-8", 0
    if data.startswith(b"\xef\xbb\xbf"):
        skip = 3
    elif data.startswith(b"\xff\xfe"):
        encoding, skip = "utf-16-le", 2
    elif data.startswith(b"\xfe\xff"):
        encoding, skip = "utf-16-be", 2
    try:
        return data[skip:].decode(encoding), False
    except UnicodeDecodeError:
        return data[skip:].decode(encoding, "replace"), True


def _unreadable(path: Path, error: OSError) -> Diagnostic:
    return pools.file_unreadable(
        shown_path(path), os_reason(error, "it cannot be opened"), place_of(path)
    )


# Spellings of a scalar that do not show its value: escapes, folded lines and number tags.
_DISGUISED = re.compile(r"\\[xuU\r\n]|!!(?:int|float)|!<")


def gene_source(name: str, text: str) -> SourceText:
    """The text of a gene as the original packs it: trimmed, with LF line ends.

    The visible effect is that a literal block at the end of the file loses its final line feed.
    Leading line ends stay, so that line numbers are the file's.
    Source: docs/reference/genes-and-pools.md, "The text of a gene".
    """
    lines = text.replace("\r\n", "\n")
    body = lines.lstrip(WHITE_SPACE)
    lead = lines[: len(lines) - len(body)]
    return SourceText(name, "\n" * lead.count("\n") + body.rstrip(WHITE_SPACE))


def canonical_text(text: str) -> bytes:
    """A gene's text as it is hashed: UTF-8 without BOM, LF, exactly one final line feed.

    Source: docs/reference/genes-and-pools.md, "The text of a gene".
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    return lines.encode("utf-8", "surrogatepass")


def digest(text: str) -> str:
    """SHA-256 of a gene's canonical text, as 64 hex digits."""
    return hashlib.sha256(canonical_text(text)).hexdigest()


def may_be_named(text: str, name: str) -> bool:
    """False only where the document in `text` surely does not call itself `name`."""
    return name in text.lower() or _DISGUISED.search(text) is not None


def seems_named(text: str, name: str) -> bool:
    """Whether a line of a text that is no YAML looks like the name."""
    pattern = rf"(?im)^[\"']?name[\"']?[ \t]*:[ \t]*[\"']?{re.escape(name)}[\"']?[ \t]*(?:#.*)?$"
    return re.search(pattern, text) is not None


def own_name(root: Node) -> str | None:
    """What `name` of a fodder gene says, lower case; of several the last, as it is read."""
    if not isinstance(root, MappingNode):
        return None
    name: str | None = None
    for key, value in root.entries:
        if isinstance(key, ScalarNode) and key.value.lower() == "name":
            target: Node | None = value
            while isinstance(target, AliasNode):
                target = target.target
            name = target.value.lower() if isinstance(target, ScalarNode) else None
    return name
