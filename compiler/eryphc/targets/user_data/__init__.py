"""The `user-data` target: the one file that tools which make machines elsewhere hand over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eryphc.targets.definition import Backend, TargetDefinition
from eryphc.targets.user_data.options import FLAGS, UserDataOptions

if TYPE_CHECKING:
    from eryphc.targets.user_data.plan import UserDataPlan


def _backend() -> Backend[UserDataOptions, UserDataPlan]:
    from eryphc.guest import platforms
    from eryphc.targets import shared_rules
    from eryphc.targets.user_data.emit import emit
    from eryphc.targets.user_data.plan import RULES, details, plan

    return Backend(
        plan=plan, emit=emit, declared=(shared_rules.RULES, RULES, platforms.KINDS), details=details
    )


DEFINITION: TargetDefinition[UserDataOptions, UserDataPlan] = TargetDefinition(
    options=UserDataOptions, flags=FLAGS, backend=_backend
)
