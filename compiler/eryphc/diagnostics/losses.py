"""What a target cannot express, as it leaves the tool: plain data without secrets."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from eryphc.frozen import NamedTuple


class LossLevel(StrEnum):
    """How much a loss matters. Nobody is warned of what nobody can help."""

    INHERENT = "inherent"
    NOTE = "note"
    WARNING = "warning"


class Loss(NamedTuple):
    """One loss, as `check --losses json` prints it. Of an option `file` and `line` are None."""

    target: str
    path: str
    level: LossLevel
    message: str
    file: str | None
    line: int | None

    def data(self) -> dict[str, Any]:
        return {**self._asdict(), "level": self.level.value}


def report_losses(losses: Iterable[Loss]) -> list[dict[str, Any]]:
    """The losses as `report.json` lists them: the manifest beside it names the target."""
    return [
        {key: value for key, value in loss.data().items() if key != "target"} for loss in losses
    ]
