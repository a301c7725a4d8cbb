"""Where the files and pools of a project lie, by names alone: nothing of them is read here."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PROJECT_FILE: Final = "eryphc.yaml"
CATLET_FILE: Final = "catlet.yaml"
LAYOUT: Final = "oci-layout:"
"""What the location of a pool begins with that is an image layout and no folder of gene sets."""
REGISTRY: Final = "oci://"
"""What the location of a pool begins with that lies in a registry."""


def find_project_file(folder: Path) -> Path | None:
    """The nearest `eryphc.yaml` at or above `folder`."""
    for candidate in (folder, *folder.parents):
        path = candidate / PROJECT_FILE
        if path.is_file():
            return path
    return None
