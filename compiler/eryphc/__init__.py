"""eryphc: a compiler from catlets and genes to artifacts that boot.

The names listed here are the public interface (docs/api.md). Each is imported only when a program
uses it, which keeps the start fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eryphc.version import __version__

if TYPE_CHECKING:
    from eryphc.answers import Built, Checked, Compiled, Expanded, ReadSpec, Result
    from eryphc.artifacts.file import WrittenFile
    from eryphc.diagnostics.explanation import explain
    from eryphc.diagnostics.losses import Loss, LossLevel
    from eryphc.diagnostics.model import Level
    from eryphc.diagnostics.rendering import DiagnosticsFormat, render
    from eryphc.diagnostics.shown import ShownDiagnostic as Diagnostic
    from eryphc.errors import EryphcError, Failure
    from eryphc.guest.model import (
        GuestAgent,
        GuestKind,
        GuestOptions,
        MergeMode,
        NetworkConfigMode,
    )
    from eryphc.ir.compat import Compat
    from eryphc.outputs import Outputs
    from eryphc.project.texts import read_source
    from eryphc.request import BuildRequest
    from eryphc.schemas import schema_names, schema_text
    from eryphc.session import Session
    from eryphc.source import SourceText as Source
    from eryphc.source import shown_path
    from eryphc.targets import Target
    from eryphc.targets.definition import target_flags, target_options
    from eryphc.values import GivenValues, read_values

_HOMES = {
    "shown_path": ("eryphc.source", "shown_path"),
    "WrittenFile": ("eryphc.artifacts.file", "WrittenFile"),
    "Result": ("eryphc.answers", "Result"),
    "BuildRequest": ("eryphc.request", "BuildRequest"),
    "Built": ("eryphc.answers", "Built"),
    "Checked": ("eryphc.answers", "Checked"),
    "Compat": ("eryphc.ir.compat", "Compat"),
    "Compiled": ("eryphc.answers", "Compiled"),
    "DiagnosticsFormat": ("eryphc.diagnostics.rendering", "DiagnosticsFormat"),
    "Diagnostic": ("eryphc.diagnostics.shown", "ShownDiagnostic"),
    "EryphcError": ("eryphc.errors", "EryphcError"),
    "Expanded": ("eryphc.answers", "Expanded"),
    "Failure": ("eryphc.errors", "Failure"),
    "GivenValues": ("eryphc.values", "GivenValues"),
    "GuestAgent": ("eryphc.guest.model", "GuestAgent"),
    "GuestKind": ("eryphc.guest.model", "GuestKind"),
    "GuestOptions": ("eryphc.guest.model", "GuestOptions"),
    "Level": ("eryphc.diagnostics.model", "Level"),
    "Loss": ("eryphc.diagnostics.losses", "Loss"),
    "LossLevel": ("eryphc.diagnostics.losses", "LossLevel"),
    "MergeMode": ("eryphc.guest.model", "MergeMode"),
    "NetworkConfigMode": ("eryphc.guest.model", "NetworkConfigMode"),
    "Outputs": ("eryphc.outputs", "Outputs"),
    "ReadSpec": ("eryphc.answers", "ReadSpec"),
    "Session": ("eryphc.session", "Session"),
    "Source": ("eryphc.source", "SourceText"),
    "Target": ("eryphc.targets", "Target"),
    "explain": ("eryphc.diagnostics.explanation", "explain"),
    "read_source": ("eryphc.project.texts", "read_source"),
    "read_values": ("eryphc.values", "read_values"),
    "render": ("eryphc.diagnostics.rendering", "render"),
    "schema_names": ("eryphc.schemas", "schema_names"),
    "schema_text": ("eryphc.schemas", "schema_text"),
    "target_flags": ("eryphc.targets.definition", "target_flags"),
    "target_options": ("eryphc.targets.definition", "target_options"),
}

__all__ = [
    "BuildRequest",
    "Built",
    "Checked",
    "Compat",
    "Compiled",
    "Diagnostic",
    "DiagnosticsFormat",
    "EryphcError",
    "Expanded",
    "Failure",
    "GivenValues",
    "GuestAgent",
    "GuestKind",
    "GuestOptions",
    "Level",
    "Loss",
    "LossLevel",
    "MergeMode",
    "NetworkConfigMode",
    "Outputs",
    "ReadSpec",
    "Result",
    "Session",
    "Source",
    "Target",
    "WrittenFile",
    "__version__",
    "explain",
    "read_source",
    "read_values",
    "render",
    "schema_names",
    "schema_text",
    "shown_path",
    "target_flags",
    "target_options",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(home[0]), home[1])
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
