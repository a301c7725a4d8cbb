"""One operation on a registry, and what is said where it fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from eryphc.diagnostics import registry as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.registry import NO_REMARK, Place, Remark
from eryphc.frozen import NamedTuple
from eryphc.genepool.oci.answers import (
    Action,
    Meaning,
    page_in,
    read_answer,
    read_object,
)
from eryphc.genepool.oci.base import Base
from eryphc.genepool.oci.faults import (
    FormRefusedError,
    NotThereError,
    RegistryError,
    TagImmutableError,
    authority_help,
)
from eryphc.net.addresses import Address
from eryphc.net.faults import Failed, RequestFailedError
from eryphc.net.messages import Answer
from eryphc.net.timing import LONGEST_WAIT, Deadline
from eryphc.net.tokens import Gate, Wanted

_OFFLINE: Final = "with a lock and a full store, `--offline` needs no registry"


class Operation(NamedTuple):
    """Where it works, what it wants, and until when. `tag` is the one that it publishes."""

    place: Place
    action: Action
    address: Address
    base: Base
    gate: Gate
    wanted: Wanted
    deadline: Deadline
    tag: str

    def at(self, path: str) -> Address:
        """The address of a path of its repository."""
        return self.address._replace(path=f"/v2/{self.wanted.repository}/{path}")

    def is_own(self, answer: Answer) -> bool:
        """Whether the registry itself answers, and no other server that it leads to."""
        return answer.address.origin == self.address.origin

    # -- answers that are no success ----------------------------------------------------------

    def read_object(self, answer: Answer) -> Mapping[str, Any]:
        """The JSON object that an answer is to be. Raises RegistryError."""
        try:
            return read_object(answer)
        except ValueError as error:
            raise self.not_a_registry(str(error)) from None

    def refuse_page(self, answer: Answer) -> None:
        """Raises RegistryError where a page for people answers."""
        page = page_in(answer)
        if page is not None:
            raise self.not_a_registry(page)

    def not_a_registry(self, reason: str, remark: Remark = NO_REMARK) -> RegistryError:
        """The exception for what no registry answers."""
        return RegistryError(wording.not_a_registry(self.place, reason, remark))

    def failure(
        self, answer: Answer, what: str, *, missing: bool = False
    ) -> RegistryError | NotThereError:
        """The exception for an answer that is no success.

        `missing`: a push looks whether something is there, so that its absence is no fault.
        """
        action = Action.PULL if missing and answer.status == 404 else self.action
        read = read_answer(answer, action, self.place.host, self.place.repository)
        place, remark = self.place, read.remark
        if not self.is_own(answer):
            # Where content lies elsewhere, a login has nothing to do with the answer.
            reason = (
                f"`{answer.address.authority}`, where it keeps content, answers {answer.status}"
            )
            return RegistryError(wording.unreachable(place, reason, remark=remark))
        match read.meaning:
            case Meaning.NOT_THERE:
                return self._not_there(answer, what, remark, action, certain=missing)
            case Meaning.LOGIN:
                return RegistryError(self._no_login(answer, remark, read.help))
            case Meaning.REPOSITORY_MISSING:
                return RegistryError(wording.repository_missing(place, remark))
            case Meaning.FORM:
                return FormRefusedError(wording.form_refused(place, remark))
            case Meaning.TAG_IMMUTABLE:
                return TagImmutableError(wording.tag_immutable(place, self.tag, remark))
            case Meaning.POLICY:
                return RegistryError(wording.registry_policy(place, remark))
            case Meaning.TOO_LARGE:
                return RegistryError(wording.too_large(place, remark))
            case Meaning.RATE:
                return self._limited(answer, remark)
            case Meaning.FAULT:
                if self._is_long(answer):
                    return self._limited(answer, remark)
                reason = f"it answers {answer.status}"
                return RegistryError(wording.unreachable(place, reason, remark=remark))
            case Meaning.OTHER:
                if 300 <= answer.status < 400:
                    to = answer.headers.get("Location") or "nowhere"
                    return self.redirect_refused(to.partition("?")[0], "only what reads follows")
                return self.not_a_registry(f"it answers {answer.status}", remark)

    def _not_there(
        self, answer: Answer, what: str, remark: Remark, action: Action, *, certain: bool
    ) -> RegistryError | NotThereError:
        """`certain`: a registry answered before, or its word is not needed."""
        if not certain and not self._is_of_registry(answer):
            reason = f"it answers {answer.status}, and there is no registry at its `/v2/`"
            return self.not_a_registry(reason, remark)
        if action is Action.PULL:
            return NotThereError(self.place, what, remark, anonymous=self._is_anonymous)
        if not remark.code:
            return RegistryError(wording.repository_missing(self.place, remark))
        return self.not_a_registry(f"it answers {answer.status} to what is published", remark)

    def _is_of_registry(self, answer: Answer) -> bool:
        try:
            return self.base.is_behind(answer, self.deadline)
        except RequestFailedError as failure:
            raise self.fault(failure) from None

    def no_token(self, answer: Answer) -> RegistryError:
        """The exception for a server of tokens that gives none."""
        read = read_answer(answer, self.action, self.place.host, self.place.repository)
        if read.meaning is not Meaning.RATE and answer.status in (400, 401, 403, 404, 410):
            return RegistryError(self._no_login(answer, read.remark, read.help))
        failure = self.failure(answer, "token")
        assert isinstance(failure, RegistryError)  # noqa: S101 - 404 and 410 are "not there"
        return failure

    def redirect_refused(self, to: str, reason: str, help_text: str | None = None) -> RegistryError:
        """The exception for a server that nobody may be led to."""
        return RegistryError(wording.redirect_refused(self.place, to, reason, help_text))

    def _limited(self, answer: Answer, remark: Remark) -> RegistryError:
        pause = answer.retry_after
        said = wording.rate_limited(self.place, pause, remark, anonymous=self._is_anonymous)
        return RegistryError(said, pause)

    def _is_long(self, answer: Answer) -> bool:
        """Whether a registry asks for a pause that nobody waits for."""
        wait = answer.retry_after
        return wait is not None and (wait > LONGEST_WAIT or wait >= self.deadline.left())

    def _no_login(self, answer: Answer, remark: Remark, help_text: str | None) -> Diagnostic:
        looked = self.gate.looked(self.wanted)
        if looked.login is None:
            verb = "push" if self.action is Action.PUSH else "pull"
            return wording.not_signed_in(self.place, verb, looked.sources, remark, looked.help)
        challenge = answer.headers.get("WWW-Authenticate") or ""
        if answer.status == 401 and not challenge.lower().startswith("bearer"):
            return wording.login_refused(self.place, looked.login.source, remark)
        verb = "push to" if self.action is Action.PUSH else "pull from"
        return wording.no_access(self.place, verb, looked.login.source, remark, help_text)

    @property
    def _is_anonymous(self) -> bool:
        return self.gate.looked(self.wanted).login is None

    # -- requests without an answer -----------------------------------------------------------

    def fault(self, failure: RequestFailedError) -> RegistryError:
        """The exception for a request that failed."""
        found = request_failed(self.place, failure)
        if self.action is Action.PUSH and found.help == _OFFLINE:
            found = found._replace(help="a push that stopped can be repeated")
        return RegistryError(found)


def request_failed(place: Place, failure: RequestFailedError) -> Diagnostic:
    """What is said of a request that failed."""
    match failure.failed:
        case Failed.TOO_SLOW:
            return wording.too_slow(place)
        case Failed.REDIRECT | Failed.LOOP:
            return wording.redirect_refused(place, failure.to or "nowhere", failure.reason)
        case Failed.TOO_LARGE | Failed.ENCODED:
            return wording.not_a_registry(place, failure.reason)
        case Failed.CERTIFICATE:
            return wording.unreachable(place, failure.reason, authority_help(failure.help))
        case Failed.PROXY:
            return wording.unreachable(place, failure.reason, failure.help)
        case Failed.NOT_TLS:
            help_text = "`insecure: true` of the pool allows plain http"
            return wording.unreachable(place, failure.reason, help_text)
        case _:
            return wording.unreachable(place, failure.reason, failure.help or _OFFLINE)
