"""What tests of sharing take from those of the command line."""

from cli.conftest import eryphc

__all__ = ["eryphc"]
