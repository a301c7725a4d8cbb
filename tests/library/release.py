"""Adds the genes that are not in it yet to the list of what is released: `released.json`.

Run as `python tests/library/release.py` before a release, never to change an entry.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from library.test_shape import RELEASED, released_now

    released = json.loads(RELEASED.read_text("utf-8")) if RELEASED.exists() else {}
    released = {**released_now(), **released}
    RELEASED.write_text(json.dumps(dict(sorted(released.items())), indent=2) + "\n", "utf-8")
