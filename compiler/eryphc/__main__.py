"""`python -m eryphc` and the `eryphc` command."""

from __future__ import annotations


def main() -> None:
    """Run the command line and exit with its code."""
    from eryphc.cli.app import run

    raise SystemExit(run())


if __name__ == "__main__":
    main()
