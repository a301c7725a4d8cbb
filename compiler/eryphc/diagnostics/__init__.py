"""What is said to the user: codes, wording, places, and how they are printed."""

from eryphc.diagnostics.model import Code, Diagnostic, Label, Level, Outcome, has_errors, ordered

__all__ = ["Code", "Diagnostic", "Label", "Level", "Outcome", "has_errors", "ordered"]
