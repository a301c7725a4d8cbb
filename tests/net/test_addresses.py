"""Addresses: what is one, of what origin it is, and whether it leads to this machine."""

from __future__ import annotations

import pytest

from eryphc.net.addresses import (
    is_inside,
    is_loopback,
    led_to,
    read_address,
    redirect_refusal,
    shown_url,
)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://Example.COM/x?y#z", ("https", "example.com", 443)),
        ("http://example.com:8080", ("http", "example.com", 8080)),
        ("HTTPS://[2001:DB8::1]:5000/", ("https", "2001:db8::1", 5000)),
        ("https://u:p@host/", ("https", "host", 443)),
    ],
)
def test_what_is_an_address(text: str, origin: tuple[str, str, int]) -> None:
    assert read_address(text).origin == origin


@pytest.mark.parametrize(
    "text",
    [
        "", "host/x", "ftp://host/", "https:///x", "https://", "http://a b/", "http://a\tb/",
        "http://a\\b/", "http://ä/", "http://host:x/", "http://host:70000/", "http://-a/",
        "http://a%2fb/", "http://[fe80::1%25eth0]/",
    ],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - that it is refused is all that matters
        read_address(text)


def test_what_is_shown_holds_no_secret() -> None:
    address = read_address("https://user:s3cret@host:8443/a/b?sig=s3cret")
    assert address.shown == "https://host:8443/a/b"
    assert repr(address) == "Address(https://host:8443/a/b)"
    assert address.url == "https://host:8443/a/b?sig=s3cret"
    assert shown_url("https://user:s3cret@host/a?sig=s3cret#s3cret") == "https://host/a"
    assert shown_url("https://[") == "the address"


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b", "https://host/b"),
        ("b?x=1", "https://host/a/b?x=1"),
        ("//other/c", "https://other/c"),
        ("?x", "https://host/a/?x"),
        ("/ä%20".encode().decode("latin-1"), "https://host/%C3%A4%20"),
    ],
)
def test_where_a_location_leads(location: str, url: str) -> None:
    assert led_to(read_address("https://host/a/"), location).url == url


def test_pairs_are_added_to_the_query_that_is_there() -> None:
    plain, asked = read_address("https://host/a"), read_address("https://host/a?state=1%2B")
    assert plain.with_query(("digest", "sha256:0")).url == "https://host/a?digest=sha256:0"
    assert asked.with_query(("x", "a b&c")).url == "https://host/a?state=1%2B&x=a%20b%26c"


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "127.1", "0x7f000001",
     "2130706433", "017700000001", "::1", "::ffff:127.0.0.1", "127.0.0.1."],
)  # fmt: skip
def test_this_machine(host: str) -> None:
    assert is_loopback(host.lower())
    assert is_inside(host.lower())


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "2852039166", "0.0.0.0", "0", "::", "fe80::1",
             "::ffff:169.254.169.254"],
)  # fmt: skip
def test_its_own_link(host: str) -> None:
    assert is_inside(host)
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "example.com", "localhost.example.com", "1.1.1.1"])
def test_elsewhere(host: str) -> None:
    assert not is_inside(host)


@pytest.mark.parametrize(
    ("start", "here", "to", "followed"),
    [
        ("https://reg", "https://reg", "https://cdn", True),
        ("https://reg", "https://reg", "http://cdn", False),
        ("http://reg", "http://reg", "http://cdn", True),
        ("http://reg", "http://reg", "https://cdn", True),
        ("https://reg", "https://cdn", "http://reg", False),
        ("https://reg", "https://reg", "https://169.254.169.254/latest", False),
        ("https://reg", "https://reg", "https://127.1/", False),
        ("https://reg", "https://reg", "https://localhost:8443/", False),
        ("https://reg", "https://reg", "https://[::]/", False),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000", "http://127.0.0.1:6000", True),
        ("https://reg", "https://reg", "https://u@cdn/", False),
    ],
)
def test_which_redirects_are_followed(start: str, here: str, to: str, *, followed: bool) -> None:
    refused = redirect_refusal(read_address(start), read_address(here), read_address(to))
    assert (refused is None) == followed
