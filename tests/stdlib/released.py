"""What releases have shipped of the standard genes: `released.json`, the files of each fixed tag.

`python tests/stdlib/released.py` adds the tags that are not in it yet. Only the checklist of a
release runs it (docs/releasing.md): until then a new tag may change.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

SHIPPED = Path(__file__).resolve().parents[2] / "stdlib-genes" / "eryph_stdlib_genes"
LIST = Path(__file__).with_name("released.json")

Tags: TypeAlias = Mapping[str, Mapping[str, str]]
"""By `ORG/SET/TAG` the SHA-256 of each file, by its path in the folder of the tag."""


def fixed_tags(shipped: Path = SHIPPED) -> Tags:
    """All fixed tags as they are now."""
    found: dict[str, dict[str, str]] = {}
    for folder in sorted(path for path in shipped.glob("*/*/*") if path.is_dir()):
        if re.search(r"[0-9]\.[0-9]", folder.name):
            found[folder.relative_to(shipped).as_posix()] = {
                path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in sorted(folder.rglob("*"))
                if path.is_file()
            }
    return found


def released_tags() -> Tags:
    """The fixed tags as a release has shipped them."""
    released: dict[str, dict[str, str]] = json.loads(LIST.read_text("utf-8"))
    return released


def main() -> None:
    """Add new tags; an entry never changes."""
    released = {**fixed_tags(), **released_tags()}
    LIST.write_text(json.dumps(released, indent=2, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    main()
