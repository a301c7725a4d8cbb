"""The plan of the `cloud-init` target: every decision about its files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from eryphc.diagnostics import output as wording
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.frozen import NamedTuple
from eryphc.lint.engine import Rule, judge
from eryphc.targets.seeds import Seeds, seeds_of

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


def _unknown_vm_id(inputs: TargetInput[CloudInitOptions]) -> Iterator[Diagnostic]:
    uses_vm_id = inputs.catlet.uses_vm_id
    if uses_vm_id and not inputs.vm_id_given:
        yield wording.vm_id_is_catlet_id(uses_vm_id)


RULES: Final[tuple[Rule[TargetInput[CloudInitOptions]], ...]] = (
    Rule(wording.VM_ID_IS_CATLET_ID, _unknown_vm_id),
)
