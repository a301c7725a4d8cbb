"""One blob into a registry: an upload is begun, gets the content, and is closed by its digest.

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md.
"""

from __future__ import annotations

import re
from typing import Final

from eryphc.frozen import FrozenMap
from eryphc.genepool.oci.content import Content, Stretch
from eryphc.genepool.oci.endpoint import Endpoint
from eryphc.genepool.oci.operation import Operation
from eryphc.net.addresses import Address, led_to, redirect_refusal, shown_url
from eryphc.net.client import PASSING, busy
from eryphc.net.messages import Answer, Body, Request

WHOLE: Final = 64 * 1024 * 1024
"""The largest blob that is sent in one request."""
CHUNK: Final = 16 * 1024 * 1024
_OCTETS: Final = {"Content-Type": "application/octet-stream"}


def upload(endpoint: Endpoint, work: Operation, digest: str, content: Content) -> Answer:
    """One attempt to send a blob; gives the last answer.

    Raises RequestFailedError where it begins anew, RegistryError where that would be of no use.
    """
    answer = endpoint.ask(work, "POST", "blobs/uploads/", repeat=False)
    if answer.status not in (201, 202):
        return _lost(answer, statuses=())
    here = _place_of(work, answer)
    if content.size <= WHOLE:
        return _close(endpoint, work, here, digest, Stretch(content, 0, content.size))
    least = answer.headers.get("OCI-Chunk-Min-Length") or ""
    piece = max(CHUNK, int(least) if re.fullmatch(r"[0-9]{1,10}", least) else 0)
    for start in range(0, content.size, piece):
        size = min(piece, content.size - start)
        headers = FrozenMap(_OCTETS | {"Content-Range": f"{start}-{start + size - 1}"})
        body = Stretch(content, start, size)
        answer = endpoint.send_part(work, Request("PATCH", here, headers, body=body))
        if answer.status not in (201, 202, 204):
            return _lost(answer)
        here = _place_of(work, answer, here)
    return _close(endpoint, work, here, digest, None)


def _close(
    endpoint: Endpoint, work: Operation, here: Address, digest: str, body: Body | None
) -> Answer:
    to = here.with_query(("digest", digest))
    answer = endpoint.send_part(work, Request("PUT", to, FrozenMap(_OCTETS), body=body))
    return answer if answer.status in (201, 204) else _lost(answer)


def _place_of(work: Operation, answer: Answer, here: Address | None = None) -> Address:
    """Where the upload goes on."""
    location = answer.headers.get("Location")
    if not location:
        if here is not None:
            return here
        raise work.not_a_registry("it does not say where content is sent")
    try:
        to = led_to(here or answer.address, location)
    except ValueError as error:
        raise work.redirect_refused(shown_url(location), str(error)) from None
    refused = redirect_refusal(work.address, work.address, to)
    if refused is not None:
        raise work.redirect_refused(to.shown, refused)
    return to


def _lost(answer: Answer, statuses: tuple[int, ...] = (404, 416)) -> Answer:
    """The answer to a part of an upload. Raises RequestFailedError where it begins anew."""
    if answer.status in PASSING or answer.status in statuses:
        raise busy(answer)
    return answer
