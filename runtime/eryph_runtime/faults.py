"""How a command of the runtime fails, and with which exit code.

Source: docs/reference/command-line.md, "Exit codes".
"""

from __future__ import annotations

from dataclasses import dataclass


class RefusalError(Exception):
    """The input, or what stands on the host, forbids the command. Nothing was changed by it."""

    exit_code = 1

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class UsageError(Exception):
    """The command line is wrong."""

    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class HostError:
    """What the host said. `message` may be in any language: shown, never decided on."""

    step: str | None
    object: str | None
    category: str | None
    id: str | None
    hresult: int | None
    message: str


class HostFailure(Exception):  # noqa: N818 - a failing host is no mistake of the caller
    """The host, or the way to it, failed. `undone` says what was rolled back or left."""

    exit_code = 3

    def __init__(self, message: str, error: HostError | None = None) -> None:
        super().__init__(message)
        self.error = error
        self.left: tuple[str, ...] = ()
        self.undone: tuple[str, ...] = ()

    @property
    def hint(self) -> str | None:
        """The usual cause of the error's HRESULT. Source: docs/reference/hyperv.md, "Starting"."""
        if self.error is None or self.error.hresult is None:
            return None
        return _HINTS.get(self.error.hresult & 0xFFFFFFFF)


_HINTS = {
    0x80070005: "the machine, or this account, has no right to one of the files",
    0x8007000E: "the host has not enough free memory",
    0x800705AA: "the host has not enough free memory",
    0xC03A001A: "a disk file is sparse, compressed or encrypted; Hyper-V attaches none of these",
    0x80070057: "a parameter is out of range for this host",
    0x80070020: "another process uses one of the files",
    0x80070070: "the disk of the host is full",
    0x8004100C: "the host does not support this at the moment; try again",
}
