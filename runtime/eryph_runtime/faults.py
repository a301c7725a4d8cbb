"""How a command of the runtime fails, and with which exit code.

Source: docs/reference/command-line.md, "Exit codes".
"""

from __future__ import annotations

from dataclasses import dataclass

from eryph_runtime.said import hint


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
        """The usual cause of the error. Source: docs/reference/hyperv.md, "Starting"."""
        return None if self.error is None else hint(self.error.hresult, self.error.message)
