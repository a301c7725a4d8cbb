"""`python -m eryphc` and the `eryphc` command."""

from __future__ import annotations

import gc


def main() -> None:
    """Run the command line and exit with its code."""
    # Most of a run is imports, of which nothing becomes garbage: searching them for cycles,
    # while they are made and again at exit, took a tenth of a build.
    gc.set_threshold(50_000)
    try:
        from eryphc.cli.app import run

        code = run()
    except KeyboardInterrupt:
        # Before the command line could take care of it, or after it had said so.
        code = 130
    gc.freeze()
    raise SystemExit(code)


if __name__ == "__main__":
    main()
