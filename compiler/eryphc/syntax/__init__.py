"""Notations: YAML and JSON nodes with their places, identifiers, and `{{ }}`."""
