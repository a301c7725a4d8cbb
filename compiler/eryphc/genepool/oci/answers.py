"""What the answers of registries mean, as a table: registries differ in status, code and words.

Sources: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md;
https://docs.docker.com/docker-hub/usage/pulls/;
https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from eryphc.canonical import read_json
from eryphc.diagnostics.registry import Remark
from eryphc.diagnostics.words import cleaned
from eryphc.frozen import NamedTuple
from eryphc.net.messages import Answer


class Action(Enum):
    """What was tried."""

    PULL = "pull"
    PUSH = "push"


class Meaning(Enum):
    """What an answer that is no success means."""

    LOGIN = "login"
    """It wants a login, or the login may not do this."""
    REPOSITORY_MISSING = "repository missing"
    NOT_THERE = "not there"
    FORM = "form"
    TAG_IMMUTABLE = "tag immutable"
    POLICY = "policy"
    TOO_LARGE = "too large"
    RATE = "rate"
    FAULT = "fault"
    """The registry itself fails."""
    OTHER = "other"


class Row(NamedTuple):
    """An answer fits if its action, status, code, words and host fit; what is empty fits all.

    `words` is a pattern of what the registry says, `host` the end of its name. `levels` is the
    fewest parts that the path of the repository has. `help` is what would help there.
    """

    meaning: Meaning
    action: Action | None = None
    statuses: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()
    words: str = ""
    host: str = ""
    levels: int = 0
    help: str | None = None


_LOGIN = (401, 403)
_TWO_LEVELS = 'Docker Hub has two levels: `repository: "{org}_{set}"`'

ROWS = (
    Row(Meaning.RATE, statuses=(429,)),
    Row(Meaning.RATE, codes=("TOOMANYREQUESTS",)),
    Row(Meaning.RATE, statuses=(400, 403, 503), words="too ?many ?requests"),
    Row(Meaning.POLICY, codes=("PROJECTPOLICYVIOLATION",)),
    # The codes decide: Quay answers 409, Harbor 412, ECR 400.
    Row(Meaning.TAG_IMMUTABLE, Action.PUSH, codes=("TAG_IMMUTABLE", "PRECONDITION", "TAG_INVALID")),
    Row(Meaning.TAG_IMMUTABLE, Action.PUSH, statuses=(409,)),
    Row(Meaning.TOO_LARGE, Action.PUSH, statuses=(413,)),
    Row(Meaning.TOO_LARGE, Action.PUSH, codes=("SIZE_INVALID", "QUOTA_EXCEEDED")),
    Row(Meaning.TOO_LARGE, Action.PUSH, (403,), words="exceed.*(limit|quota)|upper limit"),
    Row(Meaning.REPOSITORY_MISSING, Action.PUSH, (404,), codes=("NAME_UNKNOWN",)),
    Row(Meaning.REPOSITORY_MISSING, Action.PUSH, (404,), words="repository.*does not exist"),
    Row(Meaning.NOT_THERE, statuses=(404, 410)),
    Row(Meaning.FORM, Action.PUSH, (400, 415, 422), codes=("MANIFEST_INVALID",)),
    Row(Meaning.FORM, Action.PUSH, (415,)),
    Row(
        Meaning.LOGIN, Action.PUSH, _LOGIN, words="permission_denied",
        help="the package's settings on GitHub, *Manage Actions access*, must name the repository "
        "of the job with the role Write",
    ),
    Row(
        Meaning.LOGIN, Action.PUSH, _LOGIN, host="docker.io", levels=3, help=_TWO_LEVELS,
    ),
    Row(
        Meaning.LOGIN, statuses=_LOGIN, host="gitlab.com",
        help="a job token of GitLab reaches only the registry of its own project",
    ),
    Row(
        Meaning.LOGIN, Action.PUSH, _LOGIN,
        help="ask for the right to push there; on Harbor the project and on Quay the organisation "
        "must exist before",
    ),
    Row(Meaning.LOGIN, statuses=_LOGIN),
    Row(Meaning.FAULT, statuses=(408, 500, 502, 503, 504)),
)  # fmt: skip


class Read(NamedTuple):
    """What an answer means, what the registry says, and what would help."""

    meaning: Meaning
    remark: Remark
    help: str | None = None


def read_answer(answer: Answer, action: Action, host: str, repository: str) -> Read:
    """The meaning of an answer that is no success, by the first row that fits."""
    remark = remark_of(answer.body)
    said = f"{remark.code} {remark.message} {remark.detail}".lower()
    levels = repository.count("/") + 1
    for row in ROWS:
        if (
            row.action in (None, action)
            and (not row.statuses or answer.status in row.statuses)
            and (not row.codes or remark.code.upper() in row.codes)
            and (not row.words or re.search(row.words, said) is not None)
            and (not row.host or f".{host.partition(':')[0]}".endswith(f".{row.host}"))
            and levels >= row.levels
        ):
            return Read(row.meaning, remark, row.help)
    meaning = Meaning.FAULT if answer.status >= 500 else Meaning.OTHER
    return Read(meaning, remark)


def remark_of(body: bytes) -> Remark:
    """What a registry says in the body of an answer: its first error, a title, or plain text."""
    try:
        found: Any = read_json(body)
    except ValueError:
        return Remark(message=_title_of(body) or _plain(body))
    errors = found.get("errors") if isinstance(found, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else found
    if not isinstance(first, dict):
        return Remark(message=_text(first))
    detail = first.get("detail")
    if isinstance(detail, dict):
        detail = detail.get("message")
    # The server of tokens of some registries answers in one of these forms.
    message = first.get("message") or first.get("error_description") or first.get("error")
    return Remark(
        _text(first.get("code")), _text(message) or _text(first.get("details")), _text(detail)
    )


def is_of_registry(answer: Answer) -> bool:
    """Whether a registry gives an answer that is no success, by the form of its errors.

    Plain text and pages come from registries too, and from whatever else answers there.
    """
    try:
        found: Any = read_json(answer.body)
    except ValueError:
        return False
    return isinstance(found, dict) and isinstance(found.get("errors"), list)


def is_base_of_registry(answer: Answer) -> bool:
    """Whether the answer to `/v2/` is that of a registry, or does not say that there is none."""
    if answer.challenges or is_of_registry(answer):
        return True
    if answer.headers.get("Docker-Distribution-API-Version") or answer.status == 429:
        return True
    return answer.status >= 500 or (answer.status in (200, 401, 403) and page_in(answer) is None)


def read_object(answer: Answer) -> Mapping[str, Any]:
    """The JSON object that an answer is to be. Raises ValueError, which says what it is instead."""
    page = page_in(answer)
    if page is not None:
        raise ValueError(page)
    found = read_json(answer.body)
    if not isinstance(found, dict):
        raise ValueError("its answer is no JSON object")
    return found


def page_in(answer: Answer) -> str | None:
    """That a page for people answers, in words; None where none does."""
    kind = (answer.headers.get("Content-Type") or "").lower()
    begins = answer.body[:512].lstrip().lower()
    if "html" not in kind and not begins.startswith((b"<!doctype", b"<html")):
        return None
    title = cleaned(_title_of(answer.body), 80)
    return f"a page answers, titled `{title}`" if title else "a page in HTML answers"


def _title_of(body: bytes) -> str:
    """The title of a page; empty where the body is none."""
    found = re.search(rb"<title[^>]{0,200}>([^<]{1,1000})", body[:65536], re.IGNORECASE)
    return _plain(found[1]).strip() if found else ""


def _text(found: Any) -> str:
    return found[:2000] if isinstance(found, str) else ""


def _plain(body: bytes) -> str:
    return body[:2000].decode("utf-8", "replace")
