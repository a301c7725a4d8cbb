"""Any two genes of the library go together, in either order, and nobody has anything to say."""

from __future__ import annotations

from itertools import permutations

import pytest

from eryphc.guest.model import GuestKind
from library.genes import compiled, linux_sets, spec_of, windows_sets


def complaints(names: tuple[str, ...], guest: GuestKind) -> list[str]:
    built = compiled(spec_of(names), guest)
    assert built.files, built.diagnostics
    return [f"{' + '.join(names)}: {found.code} {found.message}" for found in built.diagnostics]


@pytest.mark.parametrize("name", linux_sets())
def test_every_pair_for_linux(name: str) -> None:
    others = [other for other in linux_sets() if other != name]
    found = [line for other in others for line in complaints((name, other), GuestKind.LINUX)]
    assert found == []


def test_every_pair_for_windows() -> None:
    pairs = list(permutations(windows_sets(), 2))
    assert len(pairs) > 30
    assert [line for pair in pairs for line in complaints(pair, GuestKind.WINDOWS)] == []


def test_all_of_them_at_once() -> None:
    for names in (linux_sets(), linux_sets()[::-1]):
        assert complaints(tuple(names), GuestKind.LINUX) == []
    assert complaints(tuple(windows_sets()), GuestKind.WINDOWS) == []


# What eryph's guest services make of these genes, as it stands; the list may only become shorter.
EXPECTED_OF_EGS = {"N0557"}


def test_all_for_windows_with_the_guest_services_of_eryph() -> None:
    built = compiled(spec_of(windows_sets()), GuestKind.WINDOWS, "egs")
    assert built.files, built.diagnostics
    assert {found.code for found in built.diagnostics} <= EXPECTED_OF_EGS


def test_a_pair_that_quarrels_would_be_seen() -> None:
    spec = spec_of(["nginx", "caddy"])
    for zone in ("UTC", "Europe/Berlin"):
        spec += (
            f"- name: zone-{zone[:3].lower()}\n  type: cloud-config\n"
            f"  content: |\n    timezone: {zone}\n"
        )
    assert compiled(spec).diagnostics
