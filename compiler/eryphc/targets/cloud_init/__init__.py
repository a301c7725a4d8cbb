"""The `cloud-init` target: a NoCloud image, and its files beside it."""

from __future__ import annotations

from eryphc.targets.cloud_init.emit import emit
from eryphc.targets.cloud_init.plan import CloudInitPlan, CloudInitSettings, plan

__all__ = ["CloudInitPlan", "CloudInitSettings", "emit", "plan"]
