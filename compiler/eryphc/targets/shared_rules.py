"""Rules that several targets have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from eryphc.diagnostics import output as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.lint.engine import Rule
from eryphc.targets.definition import TargetInput


def _unknown_vm_id(inputs: TargetInput[Any]) -> Iterator[Diagnostic]:
    uses_vm_id = inputs.catlet.uses_vm_id
    if uses_vm_id and not inputs.vm_id_given:
        yield wording.vm_id_is_catlet_id(uses_vm_id)


RULES: Final[tuple[Rule[TargetInput[Any]], ...]] = (
    Rule(wording.VM_ID_IS_CATLET_ID, _unknown_vm_id),
)
"""For targets that know no id of the machine, and leave none open."""
