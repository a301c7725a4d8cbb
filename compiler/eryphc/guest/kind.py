"""Which kind of guest a catlet is for, and why.

Source: docs/reference/guest-configuration.md, "The kind of guest".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import named
from eryphc.guest.model import GuestKind
from eryphc.ir.catlet import Fodder


def decide_guest(
    chosen: GuestKind | None, os_types: Sequence[str], fodder_entries: Iterable[Fodder]
) -> tuple[GuestKind, tuple[Diagnostic, ...]]:
    """The guest's kind: `chosen`, else that of the nearest gene set that names one, else the one
    that the fodder entries show.

    `os_types` is `Pedigree.os_types`, nearest first. Gives notes only.
    """
    if chosen is not None:
        return chosen, ()
    if os_types:
        nearest = os_types[0].strip().lower()
        if nearest == "windows":
            return GuestKind.WINDOWS, ()
        if nearest == "linux":
            return GuestKind.LINUX, ()
        return GuestKind.LINUX, (wording.guest_counts_as_linux(named(os_types[0])),)
    if any(is_windows_script(fodder) for fodder in fodder_entries):
        return GuestKind.WINDOWS, ()
    return GuestKind.LINUX, (wording.guest_assumed_linux(),)


def is_windows_script(fodder: Fodder) -> bool:
    """Whether a fodder entry is a part that only Windows runs: `#ps1...`, or a `.ps1` file.

    A `.ps1` that begins with `#!` is for PowerShell on Linux.
    """
    if fodder.content is None:
        return False
    text = fodder.content.text.lstrip("\ufeff")
    if text.lower().startswith("#ps1"):
        return True
    name = (fodder.filename or "").strip().lower()
    return name.endswith(".ps1") and not text.startswith("#!")
