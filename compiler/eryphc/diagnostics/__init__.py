"""What is said to the user: codes, wording, places, and how they are printed."""

from eryphc.diagnostics.model import Code, Diagnostic, Label, Level, Outcome, has_errors

__all__ = ["Code", "Diagnostic", "Label", "Level", "Outcome", "has_errors"]
