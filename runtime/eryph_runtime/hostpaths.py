"""Paths of the Windows host as text: which are legal, and how ours are named.

Nothing here touches a file system; the runtime may run on another system than the host.
Source: docs/reference/hyperv.md, "Names and paths on the host";
docs/reference/deployment.md, "Places on the host".
"""

from __future__ import annotations

import re

LONGEST = 240
# Wildcards of PowerShell's -Path, the escape character, and what cmd.exe would expand.
_REFUSED = frozenset('<>:"/|?*[]`%')
_RESERVED = re.compile(r"(?i:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?")
_ABSOLUTE = re.compile(r"[A-Za-z]:\\|\\\\[^\\]+\\[^\\]+")
_PART = ".eryphc-part"
_SEED = re.compile(r"(?s:.+)\.[0-9a-f]{16}(?:\.eryphc-part)?\.iso")


def file_name_fault(name: str) -> str | None:
    """Why `name` cannot be one component of a path on the host; None where it can."""
    if not name or name in (".", ".."):
        return "no file name"
    if any(ord(each) < 32 or each in _REFUSED or each == "\\" for each in name):
        return 'holds one of < > : " / \\ | ? * [ ] ` % or a control character'
    if name[-1] in ". ":
        return "ends in a dot or a blank"
    if _RESERVED.fullmatch(name):
        return "is a reserved name of Windows"
    return "is longer than 255 characters" if len(name) > 255 else None


def path_fault(path: str) -> str | None:
    """Why `path` cannot be used as an absolute path on the host; None where it can."""
    start = _ABSOLUTE.match(path)
    if start is None or path.startswith(("\\\\?\\", "\\\\.\\")):
        return "must be an absolute Windows path such as D:\\Machines"
    rest = path[start.end() :] if path[1] == ":" else path[2:]
    for component in filter(None, rest.rstrip("\\").split("\\")):
        if fault := file_name_fault(component):
            return f"'{component}' {fault}"
    if "\\\\" in path[2:]:
        return "has an empty component"
    return f"is longer than {LONGEST} characters" if len(path) > LONGEST else None


def is_absolute(path: str) -> bool:
    """Whether `path` is written as an absolute path of Windows."""
    return _ABSOLUTE.match(path.replace("/", "\\")) is not None


def is_share(path: str) -> bool:
    return path.startswith("\\\\")


def join(folder: str, *names: str) -> str:
    return "\\".join((folder.rstrip("\\"), *names))


def parent(path: str) -> str:
    """The folder that holds `path`; of a root the root itself."""
    head, _, _ = path.rstrip("\\").rpartition("\\")
    return head + "\\" if head.endswith(":") else head or path


def ancestors(path: str) -> tuple[str, ...]:
    """The folders above `path`, outermost first, without the root or the share."""
    found = []
    above = parent(path)
    while not (above.endswith(":\\") or _ABSOLUTE.fullmatch(above) or above == path):
        found.append(above)
        path, above = above, parent(above)
    return tuple(reversed(found))


def root(path: str) -> str:
    """The drive or the share that `path` lies on."""
    start = _ABSOLUTE.match(path)
    return start[0] if start is not None else path


def same(first: str | None, second: str | None) -> bool:
    """Whether two paths name one file, as Windows compares."""
    return folded(first) == folded(second)


def folded(path: str | None) -> str:
    return plain(path or "").rstrip("\\").casefold()


def plain(path: str) -> str:
    """The one form of a path that a host tells.

    One separator stands between names, and none at the end but behind a drive.
    """
    text = path.replace("/", "\\")
    names = "\\".join(filter(None, text.split("\\")))
    if text.startswith("\\\\"):
        return f"\\\\{names}"
    return f"{names}\\" if re.fullmatch("[A-Za-z]:", names) else names


def lies_in(path: str, folder: str) -> bool:
    return folded(path).startswith(folded(folder) + "\\")


def part_of(path: str) -> str:
    """The name of the unfinished file that becomes `path`."""
    head, _, name = path.rpartition("\\")
    stem, dot, ending = name.rpartition(".")
    named = f"{stem}{_PART}.{ending}" if dot else f"{name}{_PART}"
    return f"{head}\\{named}"


def own_folder(folder: str, catlet: str) -> str:
    """The machine's own folder in `folder`."""
    return join(folder, f"eryphc-{catlet}")


def waiting_folders(home: str, catlet: str) -> tuple[str, ...]:
    """Where the machine's folder may wait before it comes to its place, or when it has left it.

    It waits beside the outermost folder that is made, or removed, with it.
    """
    beside = dict.fromkeys((parent(home), *map(parent, reversed(ancestors(home)))))
    return tuple(join(each, f"eryphc-{catlet}{_PART}") for each in beside)


def is_own(path: str, catlet: str) -> bool:
    """Whether only we use the name `path`: it is, or lies in, a folder named after the catlet, or
    is a file beside those of others whose own name says whose it is.

    The runtime trusts a record only for such paths.
    """
    components = folded(path).split("\\")
    if ".." in components:
        return False
    return f"eryphc-{catlet}" in components[1:] or f".eryphc-{catlet}." in components[-1]


def is_part(name: str) -> bool:
    """Whether the name is one of an unfinished file of ours."""
    return _PART in name.casefold()


def is_seed(name: str) -> bool:
    """Whether the name is one of our ISO files in a machine's folder `seed`."""
    return _SEED.fullmatch(name) is not None


def file_name(path: str) -> str:
    return path.rstrip("\\").rpartition("\\")[2]
