"""Diagnostics as data for programs: JSON, SARIF 2.1.0, and GitHub's annotations.

Source: docs/reference/command-line.md, "Diagnostics as data".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eryphc.diagnostics.model import Level
from eryphc.diagnostics.printing import plain
from eryphc.diagnostics.shown import ShownDiagnostic, ShownPlace
from eryphc.diagnostics.words import json_text

_SARIF_LEVELS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "note"}
_GITHUB_LEVELS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def as_json(diagnostics: Sequence[ShownDiagnostic]) -> str:
    """One array, one object each."""
    return json_text([d.data() for d in diagnostics])


def as_sarif(diagnostics: Sequence[ShownDiagnostic], version: str) -> str:
    """One run with a rule for each code that occurs."""
    rules = sorted({(d.code, d.name) for d in diagnostics})
    index = {number: at for at, (number, _) in enumerate(rules)}
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "eryphc",
                        "version": version,
                        "rules": [{"id": number, "name": name} for number, name in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_sarif(d, index[d.code]) for d in diagnostics],
            }
        ],
    }
    return json_text(document)


def _sarif(diagnostic: ShownDiagnostic, rule_index: int) -> dict[str, Any]:
    words = [diagnostic.message, *diagnostic.notes]
    if diagnostic.help is not None:
        words.append(f"help: {diagnostic.help}")
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule_index,
        "level": _SARIF_LEVELS[diagnostic.level],
        "message": {"text": "\n".join(words)},
    }
    if diagnostic.place is not None:
        result["locations"] = [_sarif_place(diagnostic.place, diagnostic.label)]
    if diagnostic.related:
        result["relatedLocations"] = [
            _sarif_place(label.place, label.message) for label in diagnostic.related
        ]
    return result


def _sarif_place(place: ShownPlace, words: str | None) -> dict[str, Any]:
    from urllib.parse import quote

    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(place.file.replace("\\", "/"), safe="/:")},
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endLine": place.end_line,
                "endColumn": place.end_column,
            },
        }
    }
    if words:
        location["message"] = {"text": words}
    return location


def as_github(diagnostics: Sequence[ShownDiagnostic]) -> str:
    """A workflow command each, which GitHub shows beside the lines of a change."""
    return "".join(f"{_github(diagnostic)}\n" for diagnostic in diagnostics)


def _github(diagnostic: ShownDiagnostic) -> str:
    properties = {"title": f"{diagnostic.code} {diagnostic.name}"}
    if diagnostic.place is not None:
        properties = {
            "file": plain(diagnostic.place.file),
            "line": str(diagnostic.place.line),
            "endLine": str(diagnostic.place.end_line),
            "col": str(diagnostic.place.column),
            "endColumn": str(diagnostic.place.end_column),
            **properties,
        }
    words = [plain(diagnostic.message), *(plain(note) for note in diagnostic.notes)]
    if diagnostic.help is not None:
        words.extend(plain(line) for line in f"help: {diagnostic.help}".split("\n"))
    shown = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{_GITHUB_LEVELS[diagnostic.level]} {shown}::{_message(chr(10).join(words))}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
