"""The plan of the `cloud-init` target: every decision about its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eryphc.diagnostics.model import Outcome
from eryphc.frozen import NamedTuple
from eryphc.lint.engine import judge
from eryphc.targets.seeds import Seeds, seeds_of
from eryphc.targets.shared_rules import RULES

if TYPE_CHECKING:
    from eryphc.targets.cloud_init.options import CloudInitOptions
    from eryphc.targets.definition import TargetInput


class CloudInitPlan(NamedTuple):
    """The images to make and the files they hold. `name` is the normalised name of the catlet,
    `epoch` the time inside the images (seconds since 1970 UTC)."""

    name: str
    seeds: Seeds
    epoch: int


def plan(inputs: TargetInput[CloudInitOptions]) -> Outcome[CloudInitPlan]:
    """Compose what the guest reads. Reports what `compose` does, E0609 and N0610."""
    seeds = seeds_of(inputs.request, sealed=inputs.sealed, reader=inputs.reader)
    found = (*seeds.diagnostics, *judge(RULES, inputs))
    if seeds.value is None:
        return Outcome(None, found)
    return Outcome(CloudInitPlan(name=inputs.name, seeds=seeds.value, epoch=inputs.epoch), found)
