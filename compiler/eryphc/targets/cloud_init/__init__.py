"""The `cloud-init` target: a NoCloud image, and its files beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eryphc.targets.cloud_init.options import CloudInitOptions
from eryphc.targets.definition import Backend, FindLosses, TargetDefinition

if TYPE_CHECKING:
    from eryphc.targets.cloud_init.plan import CloudInitPlan


def _backend() -> Backend[CloudInitOptions, CloudInitPlan]:
    from eryphc.diagnostics.guest import TEMPLATE_KEY_MISSING
    from eryphc.targets.cloud_init.emit import emit
    from eryphc.targets.cloud_init.plan import plan
    from eryphc.targets.shared_rules import RULES

    return Backend(plan=plan, emit=emit, declared=(RULES, (TEMPLATE_KEY_MISSING,)))


def _losses() -> FindLosses:
    from eryphc.targets.cloud_init.losses import LOSSES

    return LOSSES.losses


DEFINITION: TargetDefinition[CloudInitOptions, CloudInitPlan] = TargetDefinition(
    options=CloudInitOptions, backend=_backend, losses=_losses
)
