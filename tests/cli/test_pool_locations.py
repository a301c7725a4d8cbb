"""Pools that a variable names, separated as in `PATH`, though addresses hold the separator."""

from __future__ import annotations

import os

import pytest

from cli.command_line import CommandLine
from eryphc.project.locations import pool_locations


@pytest.mark.skipif(os.pathsep != ":", reason="Windows separates by semicolons")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:b", ("a", "b")),
        ("::a:", ("a",)),
        ("", ()),
        ("oci-layout:x:y", ("oci-layout:x", "y")),
        ("oci://host/x?orgs=acme", ("oci://host/x?orgs=acme",)),
        ("oci://host:5000/x?orgs=acme:/y", ("oci://host:5000/x?orgs=acme", "/y")),
        ("/y:oci://h:80?orgs=a:oci-layout:/z", ("/y", "oci://h:80?orgs=a", "oci-layout:/z")),
        ("oci://[::1]:5000/x?orgs=a:y", ("oci://[::1]:5000/x?orgs=a", "y")),
        ("oci://host:y", ("oci://host", "y")),
    ],
)
def test_locations(text: str, expected: tuple[str, ...]) -> None:
    assert pool_locations(text) == expected


@pytest.mark.parametrize(
    "words",
    [
        ("gene", "list", "--genepool", "oci://joe:canary4711@host/x?orgs=acme"),
        ("gene", "list", "--genepool", "oci://joe:canary/4711@host/x?orgs=acme"),
        ("gene", "index", "https://joe:canary4711@host/x"),
        ("gene", "index", "oci://joe:canary4711@host/x?orgs=acme"),
    ],
)
def test_a_password_in_an_address_is_not_shown(eryphc: CommandLine, words: tuple[str, ...]) -> None:
    done = eryphc(*words)
    assert (done.code, "canary" in done.err, "4711" in done.err) == (2, False, False)


def test_a_login_in_an_address_leads_to_the_right_place(eryphc: CommandLine) -> None:
    done = eryphc("gene", "list", "--genepool", "oci://joe:secret@host/x?orgs=acme")
    assert "--genepool: `oci://…@host/x?orgs=acme` is no gene pool" in done.err
    assert "log in with `docker login HOST` or the like, not in the address" in done.err
