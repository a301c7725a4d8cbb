"""meta-data, the id from the content, and what guests make of host names."""

from __future__ import annotations

from hashlib import sha256

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from eryphc.guest.encode import content_instance_id, meta_data, quoted
from eryphc.guest.hostname_lint import check_hostname
from eryphc.guest.model import GuestKind, GuestRequest
from saying import said


def test_bytes() -> None:
    assert meta_data("007", "web") == b'instance-id: "007"\nlocal-hostname: "web"\n'


@given(st.text())
def test_quoted_text_is_read_as_it_was(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert yaml.safe_load(quoted(text)) == text


def test_id_from_the_content() -> None:
    digest = sha256(b"user" + b"net" + b'local-hostname: "web"\n').hexdigest()
    assert content_instance_id(b"user", b"net", "web") == f"i-{digest[:16]}"
    assert content_instance_id(b"user", None, "web") != content_instance_id(b"user", b"n", "web")


@pytest.mark.parametrize(
    ("hostname", "linux", "windows"),
    [
        pytest.param("web", [], [], id="plain"),
        pytest.param("web-01.example.com", [], [], id="with domain"),
        pytest.param("WEB1", [], [], id="capitals"),
        pytest.param("1web", [], [], id="leading digit"),
        pytest.param("a" * 15, [], [], id="15 characters"),
        pytest.param("a" * 16, [], ["W0557"], id="16 characters"),
        pytest.param("a" * 15 + ".example.com", [], [], id="15 and a domain"),
        pytest.param("a" * 64, ["W0555"], ["W0555"], id="64 characters"),
        pytest.param("12345", [], ["W0558"], id="digits"),
        pytest.param("web_1", ["W0555"], ["W0555"], id="underscore"),
        pytest.param("-web", ["W0555"], ["W0555"], id="leading hyphen"),
        pytest.param("web.", ["W0555"], ["W0555"], id="ends in a dot"),
        pytest.param("!!", ["W0555"], ["W0555"], id="signs"),
        pytest.param("grün", ["W0555"], ["W0555"], id="non-ASCII"),
        pytest.param("١٢", ["W0555"], ["W0555"], id="digits that are not ASCII"),
        pytest.param("10.0.0.1", ["W0556"], ["W0555"], id="address"),
        pytest.param("web\n", ["W0555"], ["W0555"], id="line feed"),
    ],
)
def test_hostnames(hostname: str, linux: list[str], windows: list[str]) -> None:
    for guest, expected in ((GuestKind.LINUX, linux), (GuestKind.WINDOWS, windows)):
        request = GuestRequest(fodder_entries=(), guest=guest, hostname=hostname, instance_id="i")
        assert [found.code.number for found in check_hostname(request)] == expected


def test_what_windows_makes_of_a_long_name() -> None:
    request = GuestRequest(
        fodder_entries=(), guest=GuestKind.WINDOWS, hostname="abcdefghijklmn-p", instance_id="i"
    )
    [found] = check_hostname(request)
    assert said(found).message == (
        "Windows takes 15 characters of a host name: `abcdefghijklmn-p` becomes `abcdefghijklmn0`"
    )
