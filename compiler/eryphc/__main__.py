"""`python -m eryphc` and the `eryphc` command."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    # Most of a run is imports, of which nothing becomes garbage: searching them for cycles,
    # while they are made and again at exit, took a tenth of a build.
    gc.set_threshold(50_000)
    _open_streams()
    try:
        from eryphc.cli.app import run

        code = run()
    except KeyboardInterrupt:
        # Before the command line could take care of it, or after it had said so.
        code = 130
    gc.freeze()
    raise SystemExit(code)


def _open_streams() -> None:
    """Open the streams that whoever started us has closed: a file of ours would get their numbers.

    Messages go nowhere then. A write of results fails, because nobody would get them.
    """
    for number, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


if __name__ == "__main__":
    main()
