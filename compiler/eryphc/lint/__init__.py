"""Rules that judge what was compiled: what a rule is, and how a subject is held to its rules."""

from eryphc.lint.engine import Rule, judge, kinds

__all__ = ["Rule", "judge", "kinds"]
