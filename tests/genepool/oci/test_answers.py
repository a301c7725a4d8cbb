"""The table of answers: what registries say, by status, code and words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eryphc.genepool.oci.answers import (
    Action,
    Meaning,
    is_base_of_registry,
    is_of_registry,
    page_in,
    read_answer,
    remark_of,
)
from eryphc.net.addresses import read_address
from eryphc.net.messages import Answer
from genepool.oci.fake import errors

PULL, PUSH = Action.PULL, Action.PUSH
GITLAB = "unknown media type: application/vnd.example"


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    found = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, found, body, read_address("https://reg.example.com/v2/x"))


@pytest.mark.parametrize(
    ("action", "status", "body", "meaning"),
    [
        (PULL, 404, errors("MANIFEST_UNKNOWN"), Meaning.NOT_THERE),
        (PULL, 404, errors("NAME_UNKNOWN"), Meaning.NOT_THERE),
        (PULL, 404, errors("TAG_EXPIRED"), Meaning.NOT_THERE),
        (PULL, 404, b"404 page not found", Meaning.NOT_THERE),
        (PUSH, 404, errors("NAME_UNKNOWN", "The repository with name 'x' does not exist"),
         Meaning.REPOSITORY_MISSING),
        (PUSH, 404, errors("BLOB_UPLOAD_UNKNOWN"), Meaning.NOT_THERE),
        (PUSH, 400, errors("MANIFEST_INVALID", "manifest invalid", GITLAB), Meaning.FORM),
        (PUSH, 415, b"", Meaning.FORM),
        (PUSH, 409, errors("TAG_IMMUTABLE"), Meaning.TAG_IMMUTABLE),
        (PUSH, 412, errors("PRECONDITION", "immutable"), Meaning.TAG_IMMUTABLE),
        (PUSH, 400, errors("TAG_INVALID", "tag is immutable"), Meaning.TAG_IMMUTABLE),
        (PULL, 412, errors("PROJECTPOLICYVIOLATION"), Meaning.POLICY),
        (PUSH, 412, errors("PROJECTPOLICYVIOLATION"), Meaning.POLICY),
        (PUSH, 403, errors("DENIED", "adding 2 MiB will exceed the configured upper limit"),
         Meaning.TOO_LARGE),
        (PUSH, 413, b"<html>", Meaning.TOO_LARGE),
        (PUSH, 400, errors("SIZE_INVALID"), Meaning.TOO_LARGE),
        (PUSH, 403, errors("QUOTA_EXCEEDED"), Meaning.TOO_LARGE),
        (PULL, 429, b"", Meaning.RATE),
        (PULL, 429, b"toomanyrequests: You have reached your pull rate limit.", Meaning.RATE),
        (PULL, 403, b"Too Many Requests", Meaning.RATE),
        (PULL, 400, errors("TOOMANYREQUESTS"), Meaning.RATE),
        (PULL, 401, errors("UNAUTHORIZED"), Meaning.LOGIN),
        (PUSH, 403, errors("DENIED", "requested access to the resource is denied"), Meaning.LOGIN),
        (PULL, 500, b"", Meaning.FAULT),
        (PULL, 599, b"", Meaning.FAULT),
        (PULL, 400, errors("NAME_INVALID"), Meaning.OTHER),
        (PULL, 418, b"", Meaning.OTHER),
    ],
)  # fmt: skip
def test_what_an_answer_means(action: Action, status: int, body: bytes, meaning: Meaning) -> None:
    found = read_answer(answer(status, body), action, "reg.example.com", "acme/motd")
    assert found.meaning is meaning


@pytest.mark.parametrize(
    ("host", "repository", "body", "words"),
    [
        ("docker.io", "acme/a/b", b"", "{org}_{set}"),
        ("index.docker.io:443", "acme/a/b", b"", "{org}_{set}"),
        ("ghcr.io", "acme/motd", errors("DENIED", "permission_denied: write_package"), "Actions"),
        ("registry.gitlab.com", "a/b", errors("DENIED"), "job token"),
        ("harbor.lan", "a/b", errors("UNAUTHORIZED"), "organisation"),
        ("notdocker.io", "acme/a/b", b"", "organisation"),
    ],
)
def test_what_would_help(host: str, repository: str, body: bytes, words: str) -> None:
    found = read_answer(answer(401, body), PUSH, host, repository)
    assert found.meaning is Meaning.LOGIN
    assert found.help is not None
    assert words in found.help


@pytest.mark.parametrize(
    ("body", "remark"),
    [
        (errors("X", "why", "more"), ("X", "why", "more")),
        (errors("X", "why", {"message": "inside"}), ("X", "why", "inside")),
        (errors("X", "why", {"other": 1}), ("X", "why", "")),
        (b'{"errors": []}', ("", "", "")),
        (b'{"errors": ["x"]}', ("", "x", "")),
        (b'{"errors": {"code": 1}}', ("", "", "")),
        (b'{"details": "incorrect username or password"}',
         ("", "incorrect username or password", "")),
        (b'{"error": "invalid_grant", "error_description": "gone"}', ("", "gone", "")),
        (b"[1]", ("", "", "")),
        (b"null", ("", "", "")),
        (b"toomanyrequests: wait", ("", "toomanyrequests: wait", "")),
        (b"<html><head><TITLE>Sign in</TITLE>", ("", "Sign in", "")),
        (b"\xff\xfe", ("", "\ufffd\ufffd", "")),
    ],
)  # fmt: skip
def test_what_a_registry_says(body: bytes, remark: tuple[str, str, str]) -> None:
    assert remark_of(body) == remark


HTML = b"<html><title>Welcome</title></html>"


@pytest.mark.parametrize(
    ("status", "body", "headers", "found"),
    [
        (200, b"", {}, True),
        (200, b"{}", {"Content_Type": "application/json"}, True),
        (401, errors("UNAUTHORIZED"), {}, True),
        (403, b"", {}, True),
        (404, errors("UNSUPPORTED"), {}, True),
        (404, b"", {"Docker_Distribution_API_Version": "registry/2.0"}, True),
        # It does not say that there is none.
        (429, HTML, {}, True),
        (502, HTML, {}, True),
        (200, HTML, {}, False),
        (200, b"", {"Content_Type": "text/html"}, False),
        (401, HTML, {}, False),
        (403, HTML, {}, False),
        (404, b"404 page not found", {}, False),
        (404, b'{"error": "not found"}', {}, False),
        (405, b"", {}, False),
        (302, b"", {}, False),
    ],
)
def test_what_a_registry_answers_at_its_base(
    status: int, body: bytes, headers: dict[str, str], *, found: bool
) -> None:
    assert is_base_of_registry(answer(status, body, **headers)) == found


def test_a_challenge_is_one_of_a_registry() -> None:
    """Also in front of a page for people, as a proxy sends it."""
    asks = answer(401, HTML)._replace(challenges=('Basic realm="x"',))
    assert is_base_of_registry(asks)


@given(st.binary(max_size=300))
def test_any_body_can_be_read(body: bytes) -> None:
    remark_of(body)
    page_in(answer(200, body))
    assert not is_of_registry(answer(404, body))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(
            st.sampled_from(["errors", "code", "message", "detail", "error"]), inner
        ),
    )
)  # fmt: skip
def test_any_document_can_be_read(document: Any) -> None:
    remark = remark_of(json.dumps(document).encode())
    assert all("\x1b" not in each for each in remark.notes)


@pytest.mark.parametrize(
    ("kind", "body", "page"),
    [
        ("text/html; charset=utf-8", b"", True),
        ("application/xhtml+xml", b"", True),
        ("application/json", b" \n<!DOCTYPE html>", True),
        ("application/json", b"{}", False),
        ("", b"<HTML>", True),
    ],
)
def test_what_is_a_page(kind: str, body: bytes, *, page: bool) -> None:
    assert (page_in(answer(200, body, Content_Type=kind)) is not None) == page
