"""Outputs of earlier builds: found by what was asked for, taken if all else is as it was."""
