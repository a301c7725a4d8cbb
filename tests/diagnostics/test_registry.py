"""Messages about registries name pool, host and repository, and repeat nothing as it came."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import getmembers, isfunction, signature
from typing import Any

import pytest

from eryphc.diagnostics import registry as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.registry import Place, Remark

PLACE = Place("corp", "registry.example.com", "acme/motd")
HOSTILE = "\x1b[31m\r\nerror: \u202e" + "x" * 5000
REMARK = Remark(HOSTILE, HOSTILE, HOSTILE)
ARGUMENTS: dict[str, Any] = {
    "place": PLACE, "remark": REMARK, "seconds": 5.0, "anonymous": True, "sources": ("a", "b"),
}  # fmt: skip


def diagnostics() -> Iterator[tuple[str, Diagnostic]]:
    """One of each wording function, with hostile words where these are a registry's."""
    for name, function in getmembers(wording, isfunction):
        if function.__module__ == wording.__name__:
            values = {each: ARGUMENTS.get(each, "words") for each in signature(function).parameters}
            yield name, function(**values)


@pytest.mark.parametrize(("name", "diagnostic"), tuple(diagnostics()))
def test_a_message(name: str, diagnostic: Diagnostic) -> None:
    told = [diagnostic.message, *diagnostic.notes, diagnostic.help or ""]
    assert all(each.isprintable() and len(each) < 700 for each in told)
    if name not in ("credentials_unreadable", "offline", "registry_notice"):
        assert "`registry.example.com/acme/motd` (pool `corp`)" in diagnostic.message


@pytest.mark.parametrize(
    ("remark", "notes"),
    [
        (Remark(), ()),
        (Remark("DENIED"), ("the registry says: DENIED",)),
        (Remark("DENIED", "no", "no"), ("the registry says: DENIED: no",)),
        (Remark("", "a", "b"), ("the registry says: a b",)),
    ],
)
def test_a_remark(remark: Remark, notes: tuple[str, ...]) -> None:
    assert remark.notes == notes


def test_a_login_is_named_for_the_host_alone() -> None:
    diagnostic = wording.not_signed_in(PLACE, "pull", (), Remark())
    assert diagnostic.help is not None
    for program in ("docker", "podman", "skopeo", "oras"):
        assert f"`{program} login registry.example.com`" in diagnostic.help
