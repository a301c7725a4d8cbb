"""Text to a lock: checked by key, type and form, with the place of what is wrong.

A merge of Git may leave both sides in the file. `lock` can go on from there: `both_sides` reads
them, and their entries are taken together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NoReturn

from eryphc.diagnostics import lock as wording
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.frozen import FrozenMap
from eryphc.identifiers import GeneSetId
from eryphc.lockfile.model import LANGUAGE, LOCK_VERSION, Entry, Lock, LockedDisk
from eryphc.source import SourceText, Span
from eryphc.syntax.identifiers import parse_gene_set

MOST_BYTES: Final = 16 * 1024 * 1024

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}\Z")
_DISK_DIGEST = re.compile(r"sha(?:256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128})\Z")
_PATH = re.compile(r"[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*){0,3}\Z")
_LINE = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,4096}\Z")
_CONFLICT = re.compile(
    r"^<<<<<<<[^\n]*\n(?P<ours>.*?)^(?:\|{7}[^\n]*\n.*?)?^=======[^\n]*\n(?P<theirs>.*?)"
    r"^>>>>>>>[^\n]*(?:\n|\Z)",
    re.DOTALL | re.MULTILINE,
)
_SIDES: Final = ("ours", "theirs")


class _WrongError(Exception):
    """What is wrong, and a word of the text or an offset where it stands (else the beginning)."""

    def __init__(self, problem: str, word: str | None = None, at: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.word = word
        self.at = at


def read_lock(source: SourceText) -> Outcome[Lock]:
    """The lock in `source`. Errors: a newer version, JSON that is none, anything of another form,
    a conflict of a merge that nobody resolved."""
    marks = conflict_in(source)
    return _read(source) if marks is None else Outcome(None, (marks,))


def conflict_in(source: SourceText) -> Diagnostic | None:
    """The first conflict of a merge that nobody resolved, where `source` has one."""
    conflict = _CONFLICT.search(source.text)
    if conflict is None:
        return None
    span = Span(source, conflict.start(), conflict.start() + 7)
    return wording.malformed("a merge left a conflict in it", span, conflict=True)


def both_sides(source: SourceText) -> Outcome[Lock]:
    """The lock in `source`; of one with conflicts the entries of both sides.

    Errors also: two sides that pin one gene set to different content.
    """
    if _CONFLICT.search(source.text) is None:
        return _read(source)
    sides: list[Lock] = []
    for side in _SIDES:
        text = _CONFLICT.sub(rf"\g<{side}>", source.text)
        read = _read(SourceText(source.name, _mended(text), regions=()))
        if read.value is None:
            return read
        sides.append(read.value)
    found: list[Diagnostic] = []
    sets = dict(sides[0].sets)
    for name, entry in sides[1].sets.items():
        known = sets.setdefault(name, entry)
        if known != entry:
            found.append(wording.two_contents(name, _place(source, name), said(known), said(entry)))
    specs = {
        name: tuple(sorted({*sides[0].specs.get(name, ()), *sides[1].specs.get(name, ())}))
        for name in sorted({*sides[0].specs, *sides[1].specs})
    }
    if found:
        return Outcome(None, tuple(found))
    return Outcome(Lock(FrozenMap(sets), FrozenMap(specs), source))


def _mended(text: str) -> str:
    """One side may lack the comma between entries, or have one too many."""
    without = re.sub(r",(\s*\n\s*[}\]])", r"\1", text)
    return re.sub(r'([}\]"])(\s*\n\s*")', r"\1,\2", without)


def said(entry: Entry) -> str:
    """What an entry leads to or pins, in a few words."""
    if entry.ref is not None:
        return entry.ref
    if entry.digest is not None:
        return entry.digest
    if entry.files is None:
        return f"the local set of {entry.pool}"
    return ", ".join(f"{path} {digest[:19]}…" for path, digest in sorted(entry.files.items()))


def _read(source: SourceText) -> Outcome[Lock]:
    try:
        if len(source.text) > MOST_BYTES:
            raise _WrongError(f"it has more than {MOST_BYTES} characters")
        data = _object(_json(source.text), "the file", ("language", "lock_version"), _TOP)
        version = _integer(data, "lock_version")
        if version > LOCK_VERSION:
            span = _place(source, "lock_version")
            return Outcome(None, (wording.newer("lock_version", version, LOCK_VERSION, span),))
        language = _integer(data, "language")
        if language > LANGUAGE:
            span = _place(source, "language")
            return Outcome(None, (wording.newer("language", language, LANGUAGE, span),))
        if version < 1 or language < 1:
            raise _WrongError("`lock_version` and `language` are at least 1", "lock_version")
        sets = {
            _name(name, name): _entry(name, entry)
            for name, entry in _mapping(data.get("sets", {}), "sets").items()
        }
        specs = {
            _line(name, "a path of `specs`", name): _names(names, name)
            for name, names in _mapping(data.get("specs", {}), "specs").items()
        }
    except _WrongError as wrong:
        span = _place(source, wrong.word)
        if wrong.at is not None:
            span = Span(source, wrong.at, min(wrong.at + 1, len(source.text)))
        return Outcome(None, (wording.malformed(wrong.problem, span, conflict=False),))
    return Outcome(Lock(FrozenMap(sets), FrozenMap(specs), source))


_TOP: Final = ("language", "lock_version", "sets", "specs")
_KEYS: Final = ("digest", "disks", "files", "form", "manifest", "pool", "ref", "requires", "signed")


def _entry(name: str, value: object) -> Entry:
    data = _object(value, f"the entry of `{name}`", (), _KEYS, name)
    read: dict[str, Any] = {}
    for key, reader in _READERS.items():
        if key in data:
            read[key] = reader(data[key], name)
    if "files" in data:
        read["files"] = FrozenMap(
            {
                _fits(_PATH, path, "a path of `files`", name): _digest(digest, name)
                for path, digest in _mapping(data["files"], name).items()
            }
        )
    if "disks" in data:
        read["disks"] = FrozenMap(
            {
                _fits(_PATH, path, "a path of `disks`", name): _disk(disk, name)
                for path, disk in _mapping(data["disks"], name).items()
            }
        )
    if "ref" in read and ("files" in read or "requires" in read):
        raise _WrongError(f"`{name}` stands for another tag, and has content of its own", name)
    if "ref" not in read and "pool" not in read:
        raise _WrongError(f"the entry of `{name}` has neither `ref` nor `pool`", name)
    return Entry(**read)


def _disk(value: object, name: str) -> LockedDisk:
    data = _object(value, f"a disk of `{name}`", ("digest",), ("digest", "url"), name)
    url = data.get("url")
    return LockedDisk(
        digest=_fits(_DISK_DIGEST, data["digest"], "a disk's `digest`", name),
        url=None if url is None else _line(url, "a disk's `url`", name),
    )


def _digest(value: object, name: str) -> str:
    return _fits(_SHA256, value, "a digest", name)


def _set_name(value: object, name: str) -> str:
    return _name(_line(value, "a gene set", name), name)


def _name(text: str, word: str) -> str:
    parsed = parse_gene_set(text)
    if not isinstance(parsed, GeneSetId) or str(parsed) != text:
        raise _WrongError(f"`{text}` is no gene set with its tag, in lower case", word)
    return text


def _names(value: object, word: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _WrongError(f"`{word}` is to have a list of gene sets", word)
    return tuple(_set_name(name, word) for name in value)


def _form(value: object, name: str) -> str:
    if value != "eryph":
        raise _WrongError("`form` is `eryph` where it is given", name)
    return "eryph"


def _text(value: object, name: str) -> str:
    return _line(value, "a value", name)


def _line(value: object, what: str, word: str) -> str:
    return _fits(_LINE, value, what, word)


def _fits(pattern: re.Pattern[str], value: object, what: str, word: str) -> str:
    if not isinstance(value, str) or not pattern.match(value):
        raise _WrongError(f"{what} at `{word}` is not of its form", word)
    return value


_READERS: Final[Mapping[str, Callable[[object, str], object]]] = {
    "pool": _text,
    "ref": _set_name,
    "requires": _names,
    "digest": _digest,
    "manifest": _digest,
    "signed": _text,
    "form": _form,
}


def _integer(data: Mapping[str, object], key: str) -> int:
    value = data[key]
    if not isinstance(value, int) or isinstance(value, bool):
        raise _WrongError(f"`{key}` is no whole number", key)
    return value


def _mapping(value: object, word: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _WrongError(f"`{word}` is no JSON object", word)
    return value


def _object(
    value: object,
    what: str,
    needed: tuple[str, ...],
    known: tuple[str, ...],
    word: str | None = None,
) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _WrongError(f"{what} is no JSON object", word)
    for key in needed:
        if key not in value:
            raise _WrongError(f"`{key}` is missing in {what}", word)
    for key in value:
        if key not in known:
            raise _WrongError(f"{what} has an unknown key `{key}`", key)
    return value


def _json(text: str) -> object:
    try:
        return json.loads(
            text, object_pairs_hook=_once, parse_float=_refuse, parse_constant=_refuse
        )
    except json.JSONDecodeError as error:
        reason = error.msg.lower().removesuffix(" starting at")
        raise _WrongError(f"it is no JSON: {reason}", at=error.pos) from None
    except _WrongError:
        raise
    except (ValueError, RecursionError):
        raise _WrongError("it is no JSON that a lock can be") from None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise _WrongError(f"the key `{key}` stands twice in one object", key)
        found[key] = value
    return found


def _refuse(text: str) -> NoReturn:
    raise _WrongError(f"it has the number `{text}`", text)


def place_of(lock: Lock, name: str) -> Span | None:
    """Where the lock has the entry of a gene set."""
    return None if lock.source is None else _place(lock.source, name)


def _place(source: SourceText, word: str | None) -> Span:
    """The first place of a key, or of a text; the beginning where it does not stand as it is."""
    for written in _spellings(word):
        at = source.text.find(written)
        if at >= 0:
            return Span(source, at, at + len(written))
    return Span(source, 0, min(1, len(source.text)))


def _spellings(word: str | None) -> Iterator[str]:
    if word is not None:
        written = json.dumps(word, ensure_ascii=False)
        yield f"{written}: "
        yield written
        yield json.dumps(word)
