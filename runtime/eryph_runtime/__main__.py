"""The command `eryph-runtime`, also `python -m eryph_runtime` and a zipapp."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; gives the exit code of cli.md."""
    from eryph_runtime.command_line import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
