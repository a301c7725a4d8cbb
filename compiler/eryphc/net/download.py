"""Files of publishers: verified by a digest, continued where they broke off, bounded in size.

A download goes to `<file>.part` and gets its name only if its digest is the wanted one. After a
failure the next attempt fetches only the rest, if the server still has the same file.
Source: RFC 9110, 13.1.5 (If-Range), 14.2 (Range), 15.3.7 (206).
"""

from __future__ import annotations

import codecs
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from eryphc.diagnostics import volumes as wording
from eryphc.digests import Digest, Hashes
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.net.addresses import Address, inside_refusal, read_address, shown_url
from eryphc.net.client import PASSING, Client, Trace, length_of, strong_tag
from eryphc.net.faults import Failed, NetError, RequestFailedError
from eryphc.net.messages import Headers, Request
from eryphc.net.timing import Clock, Deadline, Patience
from eryphc.source import shown_path

if TYPE_CHECKING:
    from eryphc.net.transport import Stream

LIST_LIMIT: Final = 4 * 1024 * 1024
PAUSES: tuple[float, ...] = (1.0, 3.0, 9.0)
"""Seconds before another attempt after a failure that may pass."""
_PASSING: Final = PASSING | {425}
_OVER_HTTP: Final = "anybody on the way can change what comes over http"
_BLOCK: Final = 1024 * 1024

T = TypeVar("T")
Heard = Callable[[int, int | None], None]
"""Hears how many bytes of how many have arrived."""


class Policy(NamedTuple):
    """What is fetched at all. `limit` is in bytes, `limit_said` where it comes from."""

    limit: int
    limit_said: str
    allow_http: bool = False


def client_for(
    environment: Mapping[str, str], *, trace: Trace | None = None, clock: Clock | None = None
) -> Client:
    """A client with the patience that large files deserve."""
    patience = Patience(PAUSES, spread=0)
    return Client(environment, trace=trace, clock=clock, patience=patience, passing=_PASSING)


def fetch_list(client: Client, url: str, policy: Policy) -> str:
    """A publisher's list of checksums. Raises NetError."""
    policy = policy._replace(limit=LIST_LIMIT, limit_said="any list of checksums")
    deadline = _deadline(client, policy)

    def attempt() -> bytes:
        with _opened(client, url, policy, {}, deadline) as answer:
            total = length_of(answer)
            _check_size(url, total, policy)
            data = bytearray()
            while block := answer.read():
                data += block
                _check_size(url, len(data), policy)
            if total is not None and len(data) < total:
                raise _cut(len(data), total)
            return bytes(data)

    return _decoded(_with_patience(client, url, attempt, deadline))


_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def _decoded(data: bytes) -> str:
    """The text of a list: UTF-8, or what its byte order mark says, as texts of Windows have one."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    return data.decode("utf-8", "replace")


def fetch_file(
    client: Client,
    url: str,
    target: Path,
    wanted: Digest,
    said: str,
    policy: Policy,
    heard: Heard,
) -> Hashes:
    """Fetch a file to `target`, which gets its name only when it has the `wanted` digest.

    `said` names who gives that digest. Raises NetError, and then leaves nothing behind but the
    part of a download that a later run may continue.
    """
    part = target.with_name(target.name + ".part")
    resumed = part.exists()
    while True:
        deadline = _deadline(client, policy)
        hashes = _with_patience(
            client,
            url,
            lambda: _fetch(client, url, part, wanted, policy, heard, deadline),  # noqa: B023
            deadline,
        )
        if hashes[wanted.algorithm] == wanted.hex:
            _forget(part)
            os.replace(part, target)  # noqa: PTH105
            return hashes
        part.unlink()
        _forget(part)
        if not resumed:
            found = hashes[wanted.algorithm]
            raise NetError(
                wording.digest_differs(shown_url(url), wanted.algorithm, wanted.hex, found, said)
            )
        # The beginning may be of another file than the end: fetch the whole file once more.
        resumed = False


def _deadline(client: Client, policy: Policy) -> Deadline:
    """Time for as much as may come, until the server says how much that is."""
    deadline = Deadline(client.clock)
    deadline.for_bytes(policy.limit)
    return deadline


# -- one attempt ----------------------------------------------------------------------------


def _fetch(
    client: Client,
    url: str,
    part: Path,
    wanted: Digest,
    policy: Policy,
    heard: Heard,
    deadline: Deadline,
) -> Hashes:
    start, headers = _resumption(url, part)
    with _opened(client, url, policy, headers, deadline) as answer:
        if answer.status == 416:
            part.unlink(missing_ok=True)
            raise RequestFailedError(Failed.TRUNCATED, "the server has less than what had arrived")
        length = length_of(answer)
        if answer.status == 206:
            match = re.match(r"bytes (\d+)-\d+/(\d+)\Z", answer.headers.get("Content-Range", ""))
            if not match or int(match[1]) != start or length is None:
                part.unlink(missing_ok=True)
                raise RequestFailedError(
                    Failed.TRUNCATED, "the server gave another part than the one asked for"
                )
            total: int | None = int(match[2])
        else:
            start, total = 0, length
        _check_size(url, total, policy)
        _check_room(url, part, total, start)
        if total is not None:
            deadline.for_bytes(total)
        hashes = Hashes(wanted.algorithm)
        if start:
            _hash_part(part, hashes)
        else:
            _remember(part, url, answer.headers)
        done = start
        with part.open("ab" if start else "wb") as file:
            while block := answer.read():
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
            raise _cut(done, total)
        return hashes


def _hash_part(part: Path, hashes: Hashes) -> None:
    with part.open("rb") as file:
        while block := file.read(_BLOCK):
            hashes.update(block)


def _cut(done: int, total: int) -> RequestFailedError:
    return RequestFailedError(
        Failed.TRUNCATED, f"the connection ended after {done} of {total} bytes"
    )


def _check_size(url: str, size: int | None, policy: Policy) -> None:
    if size is not None and size > policy.limit:
        diagnostic = wording.too_large(shown_url(url), size, policy.limit, policy.limit_said)
        raise NetError(diagnostic)


def _check_room(url: str, part: Path, total: int | None, start: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - start > free:
        room = f"it needs {total - start} bytes more, and `{shown_path(part.parent)}` has {free}"
        help_text = "make room there, or name another folder with `--cache-dir`"
        diagnostic = wording.download_failed(shown_url(url), room, help_text)
        raise NetError(diagnostic)


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


def _remember(part: Path, url: str, headers: Headers) -> None:
    """Note what says that the file at `url` is still the same; a weak tag does not say that."""
    validator = strong_tag(headers) or headers.get("Last-Modified")
    if validator is None or not validator.isprintable():
        _forget(part)
        return
    text = json.dumps({"url": url, "validator": validator}) + "\n"
    _notes_of(part).write_text(text, encoding="utf-8", newline="\n")


def _forget(part: Path) -> None:
    _notes_of(part).unlink(missing_ok=True)


# -- connections ----------------------------------------------------------------------------


def _address(url: str, policy: Policy) -> Address:
    """The address that a description names. Raises NetError."""
    try:
        address = read_address(url)
        reason = _refusal(address, policy)
    except ValueError:
        address, reason = None, "it is no http or https address"
    if address is None or reason is not None:
        raise _refused(shown_url(url), reason or "")
    return address


def _refusal(address: Address, policy: Policy) -> str | None:
    if address.has_user:
        return "it holds a user or a password"
    if address.scheme == "http" and not policy.allow_http:
        return _OVER_HTTP
    return None


def _refused(shown: str, reason: str, by: str | None = None) -> NetError:
    help_text = (
        "`--allow-http` takes it, for a mirror of your own" if reason == _OVER_HTTP else None
    )
    if by is not None:
        reason += f" (`{by}` redirects there)"
    return NetError(wording.address_refused(shown, reason, help_text), outside=False)


def _opened(
    client: Client, url: str, policy: Policy, headers: dict[str, str], deadline: Deadline
) -> Stream:
    """An answer that brings the file or a part of it; 416 only where a part was asked for.

    Every hop is checked as the first address was.
    """

    def refusal(start: Address, _: Address, to: Address) -> str | None:
        return _refusal(to, policy) or inside_refusal(start, to)

    request = Request("GET", _address(url, policy), FrozenMap(headers))
    stream = client.open(request, deadline, refusal)
    status = stream.status
    if 200 <= status < 300 or (status == 416 and "Range" in headers):
        return stream
    stream.close()
    if status in _PASSING:
        raise RequestFailedError(Failed.BUSY, f"the server answers {status}")
    help_text = None
    if status in (404, 410):
        help_text = "the publisher has moved the image: the description needs a new `url`"
    elif status in (401, 403):
        help_text = "it needs a login, which eryphc does not have"
    reason = f"the server answers {status}"
    raise NetError(wording.download_failed(shown_url(url), reason, help_text))


def _with_patience(client: Client, url: str, attempt: Callable[[], T], deadline: Deadline) -> T:
    """Try again after failures that may pass. Raises NetError."""
    try:
        return client.patiently(attempt, deadline)
    except RequestFailedError as failure:
        if failure.failed is Failed.REDIRECT:
            raise _refused(failure.to or "the address", failure.reason, failure.by) from None
        help_text = failure.help
        if help_text is None and (failure.passing or failure.failed is Failed.TOO_SLOW):
            help_text = wording.AGAIN
        diagnostic = wording.download_failed(shown_url(url), failure.reason, help_text)
        raise NetError(diagnostic) from None
