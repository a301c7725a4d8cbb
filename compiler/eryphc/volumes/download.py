"""Files over HTTP: the only module that opens a connection.

A download goes to `<file>.part` and gets its name only if its digest is the wanted one. After a
failure the next attempt fetches only the rest, if the server still has the same file.
Source: RFC 9110, 13.1.5 (If-Range), 14.2 (Range), 15.3.7 (206).
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from email.message import Message
from pathlib import Path
from typing import IO, Any, Final, TypeVar
from urllib.parse import urljoin, urlsplit, urlunsplit

from eryphc.diagnostics import volumes as wording
from eryphc.frozen import NamedTuple
from eryphc.source import shown_path
from eryphc.version import __version__
from eryphc.volumes.checksums import BLOCK, Digest, Hashes, hash_file
from eryphc.volumes.faults import VolumeError

LIST_LIMIT: Final = 4 * 1024 * 1024
_TIMEOUT: Final = 30.0
_MOST_REDIRECTS: Final = 5
PAUSES: tuple[float, ...] = (1.0, 3.0, 9.0)
"""Seconds before another attempt after a failure that may pass."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})

T = TypeVar("T")
Heard = Callable[[int, int | None], None]
"""Hears how many bytes of how many have arrived."""


class Policy(NamedTuple):
    """What is fetched at all. `limit` is in bytes, `limit_said` where it comes from."""

    limit: int
    limit_said: str
    allow_http: bool = False


class _PassingError(Exception):
    """A failure after which another attempt may succeed."""


def shown_url(url: str) -> str:
    """An address for a message: without password and query, which may be secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the address"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def fetch_list(url: str, policy: Policy) -> str:
    """A publisher's list of checksums. Raises VolumeError."""
    policy = policy._replace(limit=LIST_LIMIT, limit_said="any list of checksums")

    def attempt() -> bytes:
        with _opened(url, policy, {}) as answer:
            total = _total(answer)
            _check_size(url, total, policy)
            data = answer.read(policy.limit + 1)
            _check_size(url, len(data), policy)
            if total is not None and len(data) < total:
                raise _PassingError(_cut(len(data), total))
            return bytes(data)

    return _with_patience(url, attempt).decode("utf-8", "replace")


def fetch_file(
    url: str, target: Path, wanted: Digest, said: str, policy: Policy, heard: Heard
) -> Hashes:
    """Fetch a file to `target`, which gets its name only when it has the `wanted` digest.

    `said` names who gives that digest. Raises VolumeError, and then leaves nothing behind but the
    part of a download that a later run may continue.
    """
    part = target.with_name(target.name + ".part")
    resumed = part.exists()
    while True:
        hashes = _with_patience(url, lambda: _fetch(url, part, wanted, policy, heard))
        if hashes[wanted.algorithm] == wanted.hex:
            _forget(part)
            os.replace(part, target)  # noqa: PTH105
            return hashes
        part.unlink()
        _forget(part)
        if not resumed:
            found = hashes[wanted.algorithm]
            raise VolumeError(
                wording.digest_differs(shown_url(url), wanted.algorithm, wanted.hex, found, said),
                outside=True,
            )
        # The beginning may be of another file than the end: fetch the whole file once more.
        resumed = False


# -- one attempt ----------------------------------------------------------------------------


def _fetch(url: str, part: Path, wanted: Digest, policy: Policy, heard: Heard) -> Hashes:
    start, headers = _resumption(url, part)
    try:
        answer = _opened(url, policy, headers)
    except _RangeError:
        part.unlink(missing_ok=True)
        raise _PassingError("the server has less than what had arrived") from None
    with answer:
        length = _total(answer)
        if answer.status == 206:
            match = re.match(r"bytes (\d+)-\d+/(\d+)\Z", answer.headers.get("Content-Range", ""))
            if not match or int(match[1]) != start or length is None:
                part.unlink(missing_ok=True)
                raise _PassingError("the server gave another part than the one asked for")
            total: int | None = int(match[2])
        else:
            start, total = 0, length
        _check_size(url, total, policy)
        _check_room(url, part, total, start)
        if start:
            hashes = hash_file(part, wanted.algorithm)
        else:
            hashes = Hashes(wanted.algorithm)
            _remember(part, url, answer.headers)
        done = start
        with _opened_part(part, "ab" if start else "wb") as file:
            for block in _blocks(answer):
                done += len(block)
                if done > policy.limit:
                    file.close()
                    part.unlink()
                    _check_size(url, done, policy)
                file.write(block)
                hashes.update(block)
                heard(done, total)
            file.flush()
            os.fsync(file.fileno())
        if total is not None and done < total:
            raise _PassingError(_cut(done, total))
        return hashes


def _opened_part(part: Path, mode: str) -> IO[Any]:
    return part.open(mode)


def _blocks(answer: Any) -> Any:
    try:
        while block := answer.read(BLOCK):
            yield block
    except (http.client.HTTPException, OSError) as error:
        raise _PassingError(_reason(error)) from error


def _cut(done: int, total: int) -> str:
    return f"the connection ended after {done} of {total} bytes"


def _check_size(url: str, size: int | None, policy: Policy) -> None:
    if size is not None and size > policy.limit:
        diagnostic = wording.too_large(shown_url(url), size, policy.limit, policy.limit_said)
        raise VolumeError(diagnostic, outside=True)


def _check_room(url: str, part: Path, total: int | None, start: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - start > free:
        room = f"it needs {total - start} bytes more, and `{shown_path(part.parent)}` has {free}"
        help_text = "make room there, or name another folder with `--cache-dir`"
        diagnostic = wording.download_failed(shown_url(url), room, help_text)
        raise VolumeError(diagnostic, outside=True)


def _total(answer: Any) -> int | None:
    """The length of the body, where the server says it."""
    length = answer.headers.get("Content-Length", "")
    return int(length) if re.fullmatch(r"[0-9]{1,18}", length) else None


# -- what had arrived -----------------------------------------------------------------------


def _notes_of(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _resumption(url: str, part: Path) -> tuple[int, dict[str, str]]:
    """Where to go on, and the headers that ask for it; from 0 where the rest might not fit."""
    try:
        size = part.stat().st_size
        notes = json.loads(_notes_of(part).read_text("utf-8"))
        validator = notes["validator"]
    except (OSError, ValueError, KeyError, TypeError):
        return 0, {}
    if not size or notes.get("url") != url or not isinstance(validator, str):
        return 0, {}
    return size, {"Range": f"bytes={size}-", "If-Range": validator}


def _remember(part: Path, url: str, headers: Message) -> None:
    """Note what says that the file at `url` is still the same; a weak tag does not say that."""
    tag = headers.get("ETag", "")
    validator = tag if tag.startswith('"') else headers.get("Last-Modified")
    if validator is None or not validator.isprintable():
        _forget(part)
        return
    text = json.dumps({"url": url, "validator": validator}) + "\n"
    _notes_of(part).write_text(text, encoding="utf-8", newline="\n")


def _forget(part: Path) -> None:
    _notes_of(part).unlink(missing_ok=True)


# -- connections ----------------------------------------------------------------------------


class _RangeError(Exception):
    """416: the file is not as long as the part that was asked for."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Every hop is checked as the first address was, and there are few."""

    max_redirections = _MOST_REDIRECTS
    max_repeats = 2

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        to = urljoin(req.full_url, newurl)
        try:
            _check_address(to, self._policy, redirected_from=req.full_url)
        except VolumeError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, to)


def _check_address(url: str, policy: Policy, redirected_from: str | None = None) -> None:
    reason = help_text = None
    try:
        parts = urlsplit(url)
        name, _ = parts.hostname, parts.port
    except ValueError:
        parts = urlsplit("")
        name = None
    if parts.scheme not in ("http", "https") or not name:
        reason = "it is no http or https address"
    elif parts.username is not None or parts.password is not None:
        reason = "it holds a user or a password"
    elif parts.scheme == "http" and not policy.allow_http:
        reason = "anybody on the way can change what comes over http"
        help_text = "`--allow-http` takes it, for a mirror of your own"
    if reason is None:
        return
    if redirected_from is not None:
        reason += f" (`{shown_url(redirected_from)}` redirects there)"
    raise VolumeError(wording.address_refused(shown_url(url), reason, help_text), outside=False)


def _opened(url: str, policy: Policy, headers: dict[str, str]) -> Any:
    _check_address(url, policy)
    opener = urllib.request.build_opener(
        _Redirects(policy), urllib.request.HTTPSHandler(context=ssl.create_default_context())
    )
    opener.addheaders = []
    sent = {"User-Agent": f"eryphc/{__version__}", "Accept-Encoding": "identity", **headers}
    request = urllib.request.Request(url, headers=sent)  # noqa: S310 - checked above
    try:
        return opener.open(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416 and "Range" in headers:
                raise _RangeError from None
            if error.code in _PASSING:
                raise _PassingError(f"the server answers {error.code}") from None
            reason = f"the server answers {error.code}"
            if error.code in _REDIRECTS and "Location" in error.headers:
                # The library itself refuses some schemes; they are named as other addresses are.
                to = urljoin(error.url or url, error.headers["Location"])
                _check_address(to, policy, redirected_from=url)
                reason = f"it redirects more than {_MOST_REDIRECTS} times"
            help_text = None
            if error.code in (404, 410):
                help_text = "the publisher has moved the image: the description needs a new `url`"
            elif error.code in (401, 403):
                help_text = "it needs a login, which eryphc does not have"
            raise VolumeError(
                wording.download_failed(shown_url(url), reason, help_text), outside=True
            ) from None
    except ssl.SSLError as error:
        raise _failed(url, _reason(error)) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLError):
            raise _failed(url, _reason(error.reason)) from None
        raise _PassingError(_reason(error)) from error
    except (http.client.HTTPException, OSError) as error:
        raise _PassingError(_reason(error)) from error
    except ValueError:
        raise _failed(url, "it is no address that can be asked") from None


def _with_patience(url: str, attempt: Callable[[], T]) -> T:
    """Try again after failures that may pass."""
    pauses = list(PAUSES)
    while True:
        try:
            return attempt()
        except _PassingError as failure:
            if not pauses:
                raise _failed(url, str(failure)) from None
            time.sleep(pauses.pop(0))


def _failed(url: str, reason: str) -> VolumeError:
    return VolumeError(wording.download_failed(shown_url(url), reason), outside=True)


def _reason(error: Exception) -> str:
    cause = getattr(error, "reason", None)
    if isinstance(cause, Exception):
        error = cause
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return f"the server is silent for {_TIMEOUT:.0f} seconds"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    with suppress(Exception):
        text = str(cause or "").lower()
        if text.isprintable() and text:
            return text
    return f"the connection broke ({type(error).__name__})"
