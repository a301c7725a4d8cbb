"""The specifications that belong together: what the project file lists, in order.

Source: docs/reference/command-line.md, "eryphc.yaml".
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from eryphc.diagnostics import command
from eryphc.diagnostics.model import Outcome
from eryphc.project.file import Project

_MOST = 10_000


def listed_specs(project: Project) -> Outcome[tuple[Path, ...]]:
    """The files that the globs of `specs:` match, below the folder of the project file, sorted.

    Errors: a glob that leads out of the folder, or that matches nothing.
    """
    found: set[Path] = set()
    for place, glob in enumerate(project.specs or ()):
        at = project.at("specs")
        path = PurePosixPath(glob)
        if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in glob:
            message = f"`{glob}` (entry {place + 1}) is no path below the folder of the file"
            return Outcome(None, (command.project_value("specs", message, at),))
        matched = [each for each in sorted(project.folder.glob(glob)) if each.is_file()]
        if not matched:
            message = f"`{glob}` (entry {place + 1}) matches no file"
            return Outcome(None, (command.project_value("specs", message, at),))
        found.update(matched[:_MOST])
    return Outcome(tuple(sorted(found)))
