"""Diagnostics as text for people, JSON, SARIF, or annotations of GitHub."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from eryphc.diagnostics.shown import ShownDiagnostic


class DiagnosticsFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


def render(
    diagnostics: Sequence[ShownDiagnostic],
    kind: DiagnosticsFormat | str = DiagnosticsFormat.TEXT,
    *,
    color: bool = False,
) -> str:
    """The diagnostics as `--diagnostics` prints them. Raises ValueError for an unknown format."""
    match DiagnosticsFormat(kind):
        case DiagnosticsFormat.TEXT:
            from eryphc.diagnostics.printing import text

            return text(diagnostics, color=color)
        case DiagnosticsFormat.JSON:
            from eryphc.diagnostics.data import as_json

            return as_json(diagnostics)
        case DiagnosticsFormat.SARIF:
            from eryphc.diagnostics.data import as_sarif
            from eryphc.version import __version__

            return as_sarif(diagnostics, __version__)
        case DiagnosticsFormat.GITHUB:
            from eryphc.diagnostics.data import as_github

            return as_github(diagnostics)
