"""The `azure` target: a template of the machine, its parameters, its disks, and scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from eryphc.targets.azure.options import FLAGS, AzureOptions
from eryphc.targets.definition import Backend, FindLosses, TargetDefinition

if TYPE_CHECKING:
    from pathlib import Path

    from eryphc.ir.stages import Substituted
    from eryphc.project.file import Section
    from eryphc.targets.azure.model import AzurePlan


def _backend() -> Backend[AzureOptions, AzurePlan]:
    from eryphc.guest import platforms
    from eryphc.targets import login, losses, shared_rules
    from eryphc.targets.azure import disks, guest
    from eryphc.targets.azure.emit import conversions, emit
    from eryphc.targets.azure.plan import KINDS, RULES, details, guest_options, plan
    from eryphc.volumes.disk_images import EVERY_FORMAT

    return Backend(
        plan=plan,
        emit=emit,
        guest_options=guest_options,
        disk_files=_disk_files,
        hashed_formats=EVERY_FORMAT,
        conversions=conversions,
        details=details,
        reports_losses=True,
        needs_guest=True,
        declared=(
            *(
                shared_rules.RULES,
                RULES,
                KINDS,
                disks.KINDS,
                platforms.KINDS,
            ),
            *(guest.RULES, login.RULES, guest.WINDOWS_RULES, losses.RULES),
        ),
    )


def _disk_files(catlet: Substituted, options: AzureOptions) -> tuple[Path, ...]:
    from eryphc.targets.drives import disk_files

    return disk_files(catlet, options.volumes)


def _losses() -> FindLosses:
    from eryphc.targets.azure.losses import LOSSES

    return LOSSES.losses


def _section() -> Section:
    from eryphc.targets.azure.settings import SECTION

    return SECTION


def _section_schema() -> Mapping[str, Any]:
    from importlib.resources import files

    text = files(__package__).joinpath("settings.schema.json").read_text(encoding="utf-8")
    schema: Mapping[str, Any] = json.loads(text)
    return schema


DEFINITION: TargetDefinition[AzureOptions, AzurePlan] = TargetDefinition(
    options=AzureOptions,
    flags=FLAGS,
    backend=_backend,
    losses=_losses,
    section_name="azure",
    section=_section,
    section_schema=_section_schema,
)
