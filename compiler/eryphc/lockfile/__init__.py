"""`eryph.lock`: which content of which gene sets the specifications of a project use."""

LOCK_FILE = "eryph.lock"
STANDARD = "standard"
"""How locks call the standard genes."""
