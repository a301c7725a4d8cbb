"""Diagnostics as data for programs: JSON (cli.md), SARIF 2.1.0, and GitHub's annotations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eryphc.diagnostics.model import Diagnostic, Label, Level
from eryphc.diagnostics.printing import plain
from eryphc.diagnostics.trail import related
from eryphc.diagnostics.words import json_text
from eryphc.source import Span

_SARIF_LEVELS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "note"}
_GITHUB_LEVELS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def as_json(diagnostics: Sequence[Diagnostic]) -> str:
    """One array, one object each, as cli.md has it."""
    return json_text([_json(d) for d in diagnostics])


def _place(span: Span | None) -> dict[str, Any]:
    if span is None:
        return dict.fromkeys(("file", "line", "column", "end_line", "end_column"))
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def _json(diagnostic: Diagnostic) -> dict[str, Any]:
    primary = diagnostic.primary
    return {
        "code": diagnostic.code.number,
        "name": diagnostic.code.name,
        "level": diagnostic.level.value,
        "message": diagnostic.message,
        **_place(primary.span if primary is not None else None),
        "label": (primary.message or None) if primary is not None else None,
        "related": [
            {"message": label.message, **_place(label.span)} for label in related(diagnostic)
        ],
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
    }


def as_sarif(diagnostics: Sequence[Diagnostic], version: str) -> str:
    """One run with a rule for each code that occurs."""
    rules = sorted({(d.code.number, d.code.name) for d in diagnostics})
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
                "results": [_sarif(d, index[d.code.number]) for d in diagnostics],
            }
        ],
    }
    return json_text(document)


def _sarif(diagnostic: Diagnostic, rule_index: int) -> dict[str, Any]:
    words = [diagnostic.message, *diagnostic.notes]
    if diagnostic.help is not None:
        words.append(f"help: {diagnostic.help}")
    result: dict[str, Any] = {
        "ruleId": diagnostic.code.number,
        "ruleIndex": rule_index,
        "level": _SARIF_LEVELS[diagnostic.level],
        "message": {"text": "\n".join(words)},
    }
    if diagnostic.primary is not None:
        result["locations"] = [_sarif_place(diagnostic.primary)]
    if labels := related(diagnostic):
        result["relatedLocations"] = [_sarif_place(label) for label in labels]
    return result


def _sarif_place(label: Label) -> dict[str, Any]:
    from urllib.parse import quote

    span = label.span
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(span.source.name.replace("\\", "/"), safe="/:")},
            "region": {
                "startLine": line,
                "startColumn": column,
                "endLine": end_line,
                "endColumn": end_column,
            },
        }
    }
    if label.message:
        location["message"] = {"text": label.message}
    return location


def as_github(diagnostics: Sequence[Diagnostic]) -> str:
    """A workflow command each, which GitHub shows beside the lines of a change."""
    return "".join(f"{_github(diagnostic)}\n" for diagnostic in diagnostics)


def _github(diagnostic: Diagnostic) -> str:
    properties = {"title": f"{diagnostic.code.number} {diagnostic.code.name}"}
    if diagnostic.primary is not None:
        span = diagnostic.primary.span
        line, column = span.source.position(span.start)
        end_line, end_column = span.source.position(span.end)
        properties = {
            "file": plain(span.source.name),
            "line": str(line),
            "endLine": str(end_line),
            "col": str(column),
            "endColumn": str(end_column),
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
