"""Asks the gene pool API of eryph: tags, genes and their parts. It only reads.

An answer is an envelope in JSON; here its `value` comes out, and parts as bytes. What is in them is
checked by others. Source: docs/reference/genes-and-pools.md, "The gene pool API of eryph";
https://github.com/eryph-org/dotnet-genepoolclient
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from eryphc.canonical import read_json
from eryphc.diagnostics import registry as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.registry import Place, Remark
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.eryph_api.keys import SOURCES, ApiKey, help_for
from eryphc.genepool.oci.answers import read_object
from eryphc.genepool.oci.faults import NotThereError, RegistryError, authority_help
from eryphc.identifiers import GeneSetId
from eryphc.net.addresses import Address, inside_refusal, read_address, shown_url
from eryphc.net.client import Client
from eryphc.net.faults import Failed, RequestFailedError
from eryphc.net.messages import Answer, Request
from eryphc.net.timing import ORDINARY, Clock, Deadline

MOST_ANSWER: Final = 32 * 1024 * 1024
"""The most bytes of an answer: it may carry the texts of all genes of a tag."""
MOST_LIST: Final = 4 * 1024 * 1024
MOST_TAGS: Final = 10_000
_ACCEPT: Final = FrozenMap({"Accept": "application/json, text/json"})
_KIND: Final = "the gene pool API of eryph"


class Service(NamedTuple):
    """An API as a pool names it: the address that its paths begin with."""

    pool: str
    address: Address


class Api:
    """Asks one API. Threads may share it. Methods raise RegistryError, and NotThereError for what
    the API does not have."""

    def __init__(
        self, service: Service, client: Client, key: ApiKey | None, *, seconds: float = ORDINARY
    ) -> None:
        self._service = service
        self._client = client
        self._key = key
        self._seconds = seconds

    @property
    def clock(self) -> Clock:
        return self._client.clock

    def place(self, geneset: GeneSetId) -> Place:
        """Where a gene set is asked for."""
        address = self._service.address
        return Place(self._service.pool, address.authority, geneset.without_tag)

    def tag(self, geneset: GeneSetId) -> Mapping[str, Any]:
        """A tag with its manifest and its genes, for download."""
        return self._value(geneset, f"genesets/{geneset.without_tag}/download/{geneset.tag}")

    def gene(self, geneset: GeneSetId, digits: str) -> Mapping[str, Any]:
        """A gene by the 64 hex digits of its hash: its manifest, and links to its parts."""
        return self._value(geneset, f"genes/{geneset}/{digits}")

    def tags(self, geneset: GeneSetId) -> tuple[str, ...]:
        """The tags of the gene set, sorted, for messages."""
        path = f"genesets/{geneset.without_tag}"
        value = self._value(geneset, path, ("expand", "tags"), limit=MOST_LIST)
        listed = value.get("tags")
        entries = listed[:MOST_TAGS] if isinstance(listed, list) else []
        found = {each.get("tag") for each in entries if isinstance(each, dict)}
        return tuple(sorted(each for each in found if isinstance(each, str)))

    def part(self, geneset: GeneSetId, link: str, limit: int) -> bytes:
        """What a link leads to, of at most `limit` bytes. It gets no credentials of ours."""
        place = self.place(geneset)
        address = self._linked(place, link)
        deadline = Deadline(self._client.clock, self._seconds)
        deadline.for_bytes(limit)
        answer = self._asked(place, Request("GET", address), deadline, limit)
        if answer.status != 200:
            reason = f"`{address.authority}`, where it keeps genes, answers {answer.status}"
            raise RegistryError(wording.unreachable(place, reason))
        return answer.body

    def not_answering(self, geneset: GeneSetId, what: str) -> RegistryError:
        """The exception for an answer that is not of the form it should have."""
        return RegistryError(wording.not_a_registry(self.place(geneset), what, kind=_KIND))

    # -- one request ------------------------------------------------------------------------

    def _value(
        self, geneset: GeneSetId, path: str, *query: tuple[str, str], limit: int = MOST_ANSWER
    ) -> Mapping[str, Any]:
        place = self.place(geneset)
        base = self._service.address
        address = base._replace(path=f"{base.path.rstrip('/')}/{path}").with_query(*query)
        key = None if self._key is None else self._key.secret
        request = Request("GET", address, _ACCEPT, key=key)
        deadline = Deadline(self._client.clock, self._seconds)
        answer = self._asked(place, request, deadline, limit)
        if answer.status != 200:
            raise self._failure(place, answer, path)
        try:
            value = read_object(answer).get("value")
        except ValueError as error:
            raise self.not_answering(geneset, str(error)) from None
        if not isinstance(value, dict):
            raise self.not_answering(geneset, "its answer has no `value`")
        return value

    def _asked(self, place: Place, request: Request, deadline: Deadline, limit: int) -> Answer:
        try:
            return self._client.ask(request, deadline, limit)
        except RequestFailedError as failure:
            raise RegistryError(_diagnostic(place, failure)) from None

    def _linked(self, place: Place, link: str) -> Address:
        """The address of a link, if anybody may be led there."""
        base = self._service.address
        try:
            address = read_address(link)
        except ValueError as error:
            raise RegistryError(
                wording.redirect_refused(place, shown_url(link), str(error))
            ) from None
        refused = inside_refusal(base, address)
        if address.has_user:
            refused = "it holds a user or a password"
        if base.scheme == "https" and address.scheme == "http":
            refused = "it leads from https to plain http"
        if refused is not None:
            raise RegistryError(wording.redirect_refused(place, address.shown, refused))
        return address

    def _failure(self, place: Place, answer: Answer, what: str) -> RegistryError | NotThereError:
        """The exception for an answer that is no success."""
        remark = _remark(answer)
        match answer.status:
            case 404:
                return NotThereError(place, what, remark, anonymous=self._key is None)
            case 401 | 403 if self._key is None:
                looked = wording.not_signed_in(place, "pull", SOURCES, remark, help_for(place.host))
                return RegistryError(looked)
            case 401 | 403:
                assert self._key is not None  # noqa: S101 - the case before
                return RegistryError(
                    wording.no_access(place, "pull from", self._key.source, remark)
                )
            case 429:
                anonymous = self._key is None
                limited = wording.rate_limited(
                    place, answer.retry_after, remark, anonymous=anonymous
                )
                return RegistryError(limited)
            case status if status >= 500 or status == 408:
                reason = f"it answers {status}"
                return RegistryError(wording.unreachable(place, reason, remark=remark))
            case status:
                reason = f"it answers {status}"
                return RegistryError(wording.not_a_registry(place, reason, remark, _KIND))


def _remark(answer: Answer) -> Remark:
    """What an error says of itself."""
    try:
        found = read_json(answer.body)
    except ValueError:
        return Remark()
    message = found.get("message") if isinstance(found, dict) else None
    return Remark(message=message) if isinstance(message, str) else Remark()


def _diagnostic(place: Place, failure: RequestFailedError) -> Diagnostic:
    match failure.failed:
        case Failed.TOO_SLOW:
            return wording.too_slow(place)
        case Failed.REDIRECT | Failed.LOOP:
            return wording.redirect_refused(place, failure.to or "nowhere", failure.reason)
        case Failed.TOO_LARGE | Failed.ENCODED:
            return wording.not_a_registry(place, failure.reason, kind=_KIND)
        case Failed.CERTIFICATE:
            return wording.unreachable(place, failure.reason, authority_help(failure.help))
        case Failed.PROXY:
            return wording.unreachable(place, failure.reason, failure.help)
        case _:
            help_text = "with a lock and a full store, `--offline` needs no network"
            return wording.unreachable(place, failure.reason, failure.help or help_text)
