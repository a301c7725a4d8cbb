"""A substituted catlet and the settings of the target go in, every decision comes out."""

from __future__ import annotations

from typing import NamedTuple

from eryphc.diagnostics.model import Outcome
from eryphc.diagnostics.output import vm_id_is_catlet_id
from eryphc.guestconfig.model import GuestRequest
from eryphc.ir.stages import Substituted
from eryphc.targets.seeds import Seeds, seeds_of


class CloudInitSettings(NamedTuple):
    """What the target needs besides the catlet.

    `name` is the normalised name of the catlet, `epoch` the time inside the image (seconds
    since 1970 UTC). `vm_id_given`: the VM id is the user's, not the catlet id in its stead.
    """

    name: str
    request: GuestRequest
    epoch: int
    sealed: bool = False
    vm_id_given: bool = False


class CloudInitPlan(NamedTuple):
    """The images to make and the files they hold."""

    name: str
    seeds: Seeds
    epoch: int


def plan(catlet: Substituted, settings: CloudInitSettings) -> Outcome[CloudInitPlan]:
    """Compose what the guest reads. Reports what `compose` does, E0609 and N0610."""
    seeds = seeds_of(settings.request, sealed=settings.sealed)
    found = seeds.diagnostics
    if catlet.uses_vm_id and not settings.vm_id_given:
        found = (*found, vm_id_is_catlet_id(catlet.uses_vm_id))
    if seeds.value is None:
        return Outcome(None, found)
    return Outcome(
        CloudInitPlan(name=settings.name, seeds=seeds.value, epoch=settings.epoch), found
    )
