"""How the kind of a guest is decided."""

from __future__ import annotations

import pytest

from eryphc.guest.model import GuestKind
from eryphc.guest.request import decide_guest
from eryphc.ir.catlet import Fodder
from guest.feeding import fodder

LINUX, WINDOWS = GuestKind.LINUX, GuestKind.WINDOWS
PS = fodder("#ps1_sysnative\nx", "shellscript")


@pytest.mark.parametrize(
    ("chosen", "os_types", "fodder_entries", "kind", "codes"),
    [
        pytest.param(LINUX, ("windows",), (PS,), LINUX, [], id="the option decides"),
        pytest.param(None, ("windows", "linux"), (), WINDOWS, [], id="the nearest gene set"),
        pytest.param(None, ("linux",), (PS,), LINUX, [], id="gene set before foods"),
        pytest.param(None, ("FreeBSD",), (), LINUX, ["N0550"], id="freebsd"),
        pytest.param(None, (), (fodder("a: 1"), PS), WINDOWS, [], id="#ps1"),
        pytest.param(
            None, (), (fodder("x", "shellscript", filename="a.PS1"),), WINDOWS, [], id=".ps1"
        ),
        pytest.param(
            None,
            (),
            (fodder("#!/usr/bin/pwsh", "shellscript", filename="a.ps1"),),
            LINUX,
            ["N0551"],
            id=".ps1 for Linux",
        ),
        pytest.param(None, (), (fodder("a: 1"),), LINUX, ["N0551"], id="nothing tells"),
    ],
)
def test_kind(
    chosen: GuestKind | None,
    os_types: tuple[str, ...],
    fodder_entries: tuple[Fodder, ...],
    kind: GuestKind,
    codes: list[str],
) -> None:
    decided, found = decide_guest(chosen, os_types, fodder_entries)
    assert decided is kind
    assert [each.code.number for each in found] == codes
