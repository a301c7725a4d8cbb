"""The `cloud-init` target: a NoCloud image, and its files beside it."""

from __future__ import annotations

from eryphc.backends.cloudinit.emit import emit
from eryphc.backends.cloudinit.plan import CloudInitPlan, CloudInitSettings, plan

__all__ = ["CloudInitPlan", "CloudInitSettings", "emit", "plan"]
