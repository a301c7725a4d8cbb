"""What an image cannot hold: the machine that it is attached to."""

from __future__ import annotations

from typing import Final

from eryphc.targets import Target
from eryphc.targets.losses import MACHINE, LossTable

LOSSES: Final = LossTable(Target.CLOUD_INIT, MACHINE)
