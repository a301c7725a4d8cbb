"""Where the files of a project lie, by their names alone: nothing of them is read here."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PROJECT_FILE: Final = "eryphc.yaml"
CATLET_FILE: Final = "catlet.yaml"


def find_project_file(folder: Path) -> Path | None:
    """The nearest `eryphc.yaml` at or above `folder`."""
    for candidate in (folder, *folder.parents):
        path = candidate / PROJECT_FILE
        if path.is_file():
            return path
    return None
