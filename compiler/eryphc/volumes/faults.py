"""What ends work on a disk image: a diagnostic, and whose fault it is."""

from __future__ import annotations

from pathlib import Path

from eryphc.diagnostics import volumes as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.ir.volume import DiskFault
from eryphc.volumes.headers import FORMATS, UNKNOWN, DiskHeader, otherwise, read_header


class VolumeError(Exception):
    """Work on an image ends here. `outside`: the network, a disk or a program failed."""

    def __init__(self, diagnostic: Diagnostic, *, outside: bool) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic
        self.outside = outside


def refusal(name: str, header: DiskHeader) -> Diagnostic | None:
    """Why the file `name` is not taken for a disk; None where it is one by itself."""
    if header.problem is None:
        return None
    if header.format == UNKNOWN:
        return wording.format_unknown(name, header.problem, header.help)
    if header.virtual_size is None:
        return wording.other_format(name, header.problem, header.help)
    return wording.not_self_contained(name, header.problem)


def stated_format(path: Path, name: str, stated: str | None) -> str:
    """The format of a file whose description says `stated`; `name` is what messages call it.

    Raises VolumeError where its content shows another one, or none and nothing is said.
    """
    other = otherwise(path, stated)
    refused = None if other is None else refusal(name, other)
    if refused is not None:
        raise VolumeError(refused, outside=False)
    if stated in FORMATS:
        return stated
    header = read_header(path)
    if isinstance(header, DiskFault):
        raise VolumeError(wording.unreadable(name, header.reason), outside=False)
    return header.format
