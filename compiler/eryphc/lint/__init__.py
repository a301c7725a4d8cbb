"""Rules that judge what was compiled: what a rule is, and how a subject is held to its rules."""
