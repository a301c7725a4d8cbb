"""The `user-data` target: the one file that tools which make machines elsewhere hand over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eryphc.targets.definition import Backend, FindLosses, TargetDefinition
from eryphc.targets.user_data.options import FLAGS, UserDataOptions

if TYPE_CHECKING:
    from eryphc.targets.user_data.plan import UserDataPlan


def _backend() -> Backend[UserDataOptions, UserDataPlan]:
    from eryphc.guest import platforms
    from eryphc.targets import login, losses, shared_rules
    from eryphc.targets.user_data.emit import emit
    from eryphc.targets.user_data.plan import RULES, details, plan

    return Backend(
        plan=plan,
        emit=emit,
        declared=(
            shared_rules.RULES,
            *(RULES, login.RULES, platforms.KINDS, losses.RULES),
        ),
        details=details,
        reports_losses=True,
    )


def _losses() -> FindLosses:
    from eryphc.targets.user_data.losses import LOSSES

    return LOSSES.losses


DEFINITION: TargetDefinition[UserDataOptions, UserDataPlan] = TargetDefinition(
    options=UserDataOptions, flags=FLAGS, backend=_backend, losses=_losses
)
