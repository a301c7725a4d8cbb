"""Files as texts: what a user names is read as it is, or it is said why it cannot be."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path

from eryphc.diagnostics import command, reading
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.diagnostics.said import own
from eryphc.diagnostics.words import os_reason
from eryphc.errors import EryphcError, Failure
from eryphc.passes.read import decode
from eryphc.source import SourceText, Span, shown_path
from eryphc.syntax.nodes import MAX_DOCUMENT_BYTES


class InputMissingError(Exception):
    """A file that was named is not there, or not readable.

    `reason` says why without naming it.
    """

    def __init__(self, diagnostic: Diagnostic, failure: Failure, reason: str = "") -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic
        self.reason = reason
        self.failure = failure


def read_text(path: Path, limit: int = MAX_DOCUMENT_BYTES) -> Outcome[SourceText]:
    """A file as text, at most `limit` bytes. Raises InputMissingError."""
    shown = shown_path(path)
    try:
        data = _bytes(path, limit + 1)
    except _NOT_THERE as error:
        reason = _missing(error)
        raise InputMissingError(
            command.file_not_found(shown, reason, _near(path)), Failure.INPUT, reason
        ) from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            reason = "no file can have so long a name"
            missing = command.file_not_found(shown, reason, ())
            raise InputMissingError(missing, Failure.INPUT, reason) from None
        reason = os_reason(error, "it cannot be opened")
        raise InputMissingError(
            command.file_unreadable(shown, reason), Failure.OUTSIDE, reason
        ) from None
    except ValueError:
        reason = "not a path"
        missing = command.file_not_found(shown, reason, ())
        raise InputMissingError(missing, Failure.INPUT, reason) from None
    return decoded(shown, data, limit)


def read_source(path: str | os.PathLike[str]) -> SourceText:
    """A file as a text with its name. Raises `EryphcError`."""
    try:
        read = read_text(Path(path))
    except InputMissingError as missing:
        raise EryphcError.of(missing.failure, missing.diagnostic) from None
    if read.value is None:
        raise EryphcError.of(Failure.INPUT, *read.diagnostics)
    # The user promises that a file such as a network configuration holds no secret.
    read.value.regions = ()
    return read.value


_NOT_THERE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


def _missing(error: OSError) -> str:
    match error:
        case IsADirectoryError():
            return "it is a folder, not a file"
        case NotADirectoryError():
            return "a part of the path is no folder"
        case _:
            return "there is no such file"


def _bytes(path: Path, count: int) -> bytes:
    """The first `count` bytes. A pipe is read (`<(...)` of a shell is one) if somebody writes.

    Raises OSError, also for a pipe without a writer, which would keep us waiting for ever.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_CLOEXEC", 0)
    if os.name == "nt" and path.is_dir():
        # A folder cannot be opened there.
        raise IsADirectoryError(errno.EISDIR, "is a directory")
    descriptor = os.open(path, flags)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, "is a directory")
        piped = stat.S_ISFIFO(found.st_mode)
        if piped:
            os.set_blocking(descriptor, True)
        chunks: list[bytes] = []
        # One read gives a whole regular file; what is not one is read to its end.
        wanted = min(count, found.st_size + 1) if stat.S_ISREG(found.st_mode) else 65536
        left = count
        while left > 0 and (chunk := os.read(descriptor, min(wanted, left))):
            chunks.append(chunk)
            left -= len(chunk)
            if stat.S_ISREG(found.st_mode) and len(chunk) < wanted:
                break
        data = b"".join(chunks)
    finally:
        os.close(descriptor)
    if piped and not data:
        raise OSError(errno.EPIPE, "it is a pipe that nobody writes to")
    return data


def decoded(name: str, data: bytes, limit: int) -> Outcome[SourceText]:
    """A text of at most `limit` bytes."""
    if len(data) > limit:
        empty = SourceText(name, "")
        return Outcome(None, (reading.document_too_large(Span(empty, 0, 0)),))
    try:
        digest = hashlib.sha256(data).hexdigest()
        return Outcome(SourceText(name, decode(data), sha256=digest))
    except UnicodeDecodeError as error:
        # What stands before the fault is kept, so that the place can be shown.
        text = data[: error.start].decode("utf-8", "replace")
        source = SourceText(name, text)
        at = Span(source, len(text), len(text))
        return Outcome(None, (reading.not_text(at, own("byte {} is no UTF-8", error.start + 1)),))


def _near(path: Path) -> tuple[str, ...]:
    try:
        return tuple(
            sorted(shown_path(p) for p in path.parent.iterdir() if p.suffix in (".yaml", ".yml"))
        )
    except (OSError, ValueError):
        return ()
