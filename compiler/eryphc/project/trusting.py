"""The trust policy of a project: the entries of `trust:` with the files of keys that they name.

Source: docs/signing.md, "The project says whom it trusts".
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from eryphc import signing
from eryphc.diagnostics import command
from eryphc.diagnostics.model import Diagnostic
from eryphc.genepool.trust import ALL, Notes, Policy, Rule
from eryphc.project.file import Require

if TYPE_CHECKING:
    from eryphc.project.file import Project, TrustEntry

Report = Callable[[Diagnostic], None]


def policy_of(project: Project, notes: Notes, report: Report) -> Policy | None:
    """The policy of a project; None where it has none, and after a fault was reported."""
    if not project.trust:
        return None
    rules = [_rule(project, entry, report) for entry in project.trust]
    good = tuple(rule for rule in rules if rule is not None)
    return Policy(project.folder, good, notes) if len(good) == len(rules) else None


def _rule(project: Project, entry: TrustEntry, report: Report) -> Rule | None:
    orgs = entry.orgs or ()
    if entry.require is not Require.SIGNATURE:
        return Rule(orgs)
    name = entry.keys or ""
    keys = _keys(project.folder, name)
    if isinstance(keys, str):
        message = f"`{name}` cannot be used as a file of allowed signers: {keys}"
        report(command.project_value("trust", message, entry.at("keys")))
        return None
    return Rule(orgs, keys, entry.signers or ALL, name, entry.at("require"))


def _keys(folder: Path, name: str) -> bytes | str:
    """The text of a file of keys below `folder`, or why it cannot be used."""
    try:
        path = (folder / name).resolve()
        inside = path.is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):
        return "it is no path"
    if not inside:
        return "it does not lie below the project file"
    try:
        return signing.read_keys(path)
    except signing.SigningError as fault:
        return fault.reason
