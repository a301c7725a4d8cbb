"""The `hyperv` target: a deployment document, a script that carries it out, and the seed image."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from eryphc.targets.definition import Backend, FindLosses, TargetDefinition
from eryphc.targets.hyperv.options import FLAGS, HyperVOptions

if TYPE_CHECKING:
    from pathlib import Path

    from eryphc.ir.stages import Substituted
    from eryphc.project.file import Section
    from eryphc.targets.hyperv.plan import HyperVPlan


def _backend() -> Backend[HyperVOptions, HyperVPlan]:
    from eryphc.diagnostics.guest import TEMPLATE_KEY_MISSING
    from eryphc.targets.hyperv import machine, network, plan, storage, volumes
    from eryphc.targets.hyperv.emit import emit
    from eryphc.targets.hyperv.opening import open_places

    return Backend(
        plan=plan.plan,
        emit=emit,
        guest_options=plan.guest_options,
        open=open_places,
        disk_files=_disk_files,
        declared=(
            *(plan.KINDS, volumes.KINDS, network.RULES, network.KINDS),
            *(machine.RULES, machine.KINDS, storage.RULES, storage.KINDS, (TEMPLATE_KEY_MISSING,)),
        ),
    )


def _disk_files(catlet: Substituted, options: HyperVOptions) -> tuple[Path, ...]:
    from eryphc.targets.drives import disk_files

    return disk_files(catlet, options.volumes)


def _left_open(options: HyperVOptions) -> Iterable[str]:
    return options.open_slots


def _losses() -> FindLosses:
    from eryphc.targets.hyperv.losses import LOSSES

    return LOSSES.losses


def _section() -> Section:
    from eryphc.targets.hyperv.settings import SECTION

    return SECTION


def _section_schema() -> Mapping[str, Any]:
    from importlib.resources import files

    text = files(__package__).joinpath("settings.schema.json").read_text(encoding="utf-8")
    schema: Mapping[str, Any] = json.loads(text)
    return schema


DEFINITION: TargetDefinition[HyperVOptions, HyperVPlan] = TargetDefinition(
    options=HyperVOptions,
    flags=FLAGS,
    left_open=_left_open,
    backend=_backend,
    section_name="hyperv",
    section=_section,
    section_schema=_section_schema,
    losses=_losses,
)
