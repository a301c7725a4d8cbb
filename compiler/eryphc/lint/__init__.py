"""Rules that judge what was compiled: what a rule is, and the engine that applies the rules."""

from eryphc.lint.engine import Rule, judge, kinds

__all__ = ["Rule", "judge", "kinds"]
