"""Pools that a variable names, separated as in `PATH`, though addresses hold the separator."""

from __future__ import annotations

import os

import pytest

from eryphc.project.specs import pool_locations


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
