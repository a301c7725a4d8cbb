"""Names and paths on the host that Windows, Hyper-V or PowerShell refuse.

Source: docs/reference/hyperv.md, "Names and paths on the host".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.syntax.names import windows_path_fault
from eryphc.targets.hyperv.settings import HyperVDefaults

# MAX_PATH is 260; Hyper-V adds to the names of disks and of its own files.
LONGEST_PATH = 240
_RESERVED = re.compile(r"(?i:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?")
# Wildcards of PowerShell, its escape character, and what cmd.exe would expand.
_REFUSED = "*?[]`%"
# What follows the folder in a path: the machine's own folder, and Hyper-V's longest name in it.
_OWN_FOLDER = len("\\eryphc-") + 36
_OWN_FILES = len("\\Virtual Machines\\") + 36 + len(".vmcx")
_SEED = len("\\seed\\") + len(".0123456789abcdef.iso")
_PARENT_DISK = 1 + 64 + len(".eryphc-part.vhdx")


def is_reserved(name: str) -> bool:
    """Whether Windows keeps this file name, with whatever extension, for a device."""
    return _RESERVED.fullmatch(name) is not None


def path_fault(path: str) -> str | None:
    """Why `path` cannot be used on a host, or None."""
    fault = windows_path_fault(path)
    if fault is not None:
        return fault
    if foreign := next((mark for mark in _REFUSED if mark in path), None):
        return f"`{foreign}` is not allowed in it: PowerShell or cmd.exe would expand it"
    if ":" in path[2:] or path.startswith("\\\\.\\"):
        return "`:` is allowed after the letter of a drive only"
    components = path[3:] if path[1] == ":" else path[2:]
    for component in components.rstrip("\\").split("\\") if components else ():
        if not component:
            return "a component of it is empty"
        if component[-1] in ". ":
            return f"`{component}` ends in a dot or a blank"
        if is_reserved(component):
            return f"`{component}` is a reserved name of Windows"
        if len(component) > 255:
            return "a component of it has more than 255 characters"
    if path.startswith("\\\\") and len([part for part in components.split("\\") if part]) < 2:
        return "a share is written `\\\\SERVER\\SHARE`"
    if len(path) > LONGEST_PATH:
        return f"it has {len(path)} characters, at most {LONGEST_PATH} are safe"
    return None


def folder_faults(
    settings: HyperVDefaults, name: str, files: Sequence[str]
) -> tuple[Diagnostic, ...]:
    """Folders of the project file that cannot be used; `files` are those of the catlet's disks."""
    folders = settings.folders
    if folders is None:
        return ()
    longest_disk = max((len(file) for file in files), default=0) + len(".eryphc-part")
    behind = {
        "machines": _OWN_FOLDER + max(_OWN_FILES, _SEED + len(name)),
        "disks": _OWN_FOLDER + 1 + longest_disk,
        "volumes": _PARENT_DISK,
    }
    found = []
    for key, more in behind.items():
        path = getattr(folders, key)
        if path is None:
            continue
        at = folders.at(key)
        reason = path_fault(path)
        length = len(path.rstrip("\\")) + more
        if reason is None and length > LONGEST_PATH:
            reason = (
                f"is too long: with the names below it a path has {length} characters, "
                f"at most {LONGEST_PATH} are safe"
            )
        if reason is not None:
            found.append(wording.bad_setting(f"folders.{key}", path, reason, at))
    return tuple(found)
