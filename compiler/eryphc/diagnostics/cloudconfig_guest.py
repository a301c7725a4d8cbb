"""E0567 to E0574, with their warnings and notes: which entry of a cloud-config takes others along.

A guest gives each key to a module of its own. Most modules end at the first entry that they cannot
carry out, and what they had still to do is not done.
Source: docs/reference/cloud-init.md, "Values of a wrong shape", "Entries that take others along".
"""

from __future__ import annotations

from eryphc.diagnostics.model import Code, Diagnostic, Label, Level, wording
from eryphc.diagnostics.said import Words

VALUE_LOSES = Code("E0567", "value-loses", soft=True)
HOSTNAME_AS_WRITTEN = Code("W0581", "hostname-as-written")


@wording
def value_loses(
    path: Words,
    problem: Words,
    lost: Words,
    ended: Words,
    place: Label,
    level: Level,
    related: tuple[Label, ...],
) -> Diagnostic:
    return Diagnostic(
        code=VALUE_LOSES,
        level=level,
        message=f"`{path}` {problem}: {lost}",
        primary=place,
        related=related,
        notes=(ended,),
    )


@wording
def hostname_as_written(path: Words, place: Label, related: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        code=HOSTNAME_AS_WRITTEN,
        level=Level.WARNING,
        message=f"`{path}` is no text to YAML and is handed over as the text that is written here",
        primary=place,
        related=related,
        notes=("cloud-init fails on any other host name than text",),
        help="put it in quotes",
    )
