"""The command `eryph-runtime`, also `python -m eryph_runtime` and a zipapp."""

from __future__ import annotations

import io
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and exit with its code.

    It exits itself, since what `zipapp` generates drops what `main` returns.
    """
    from eryph_runtime.command_line import run

    for stream in (sys.stdout, sys.stderr):
        # A console of another code page shows an escape instead of failing on a name.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
