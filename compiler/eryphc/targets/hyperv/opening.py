"""The values that a deployment leaves open, as stand-ins of the same length."""

from __future__ import annotations

from collections.abc import Iterator

from eryph_runtime.deployment import SlotKind
from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.diagnostics.said import name_of, own
from eryphc.ir.catlet import VariableType
from eryphc.ir.stages import Fed
from eryphc.passes.given import SYSTEM_VARIABLES
from eryphc.targets.definition import Openable, Opening
from eryphc.targets.hyperv.options import HyperVOptions
from eryphc.targets.hyperv.slots import SHORTEST_SLOT, VM_ID, VM_ID_LENGTH, Slot, stand_in


def open_places(openable: Openable, options: HyperVOptions) -> Outcome[Opening]:
    """Stand-ins for what `--open` names, and for the VM id unless that is given.

    `Opening.details` holds the `Slot`s. Reports the faults of `--open`.
    """
    found: list[Diagnostic] = []
    variables = {(v.name or "").lower(): v for v in openable.fed.catlet.variables or ()}
    with_value = {name.lower() for name in openable.values}
    texts = [*_texts(openable.fed), *openable.values.values(), *openable.texts]
    slots: list[Slot] = []
    asked: dict[str, str] = {}
    for name, length in options.open_slots.items():
        variable = variables.get(name.lower())
        if name.lower() in asked:
            found.append(wording.slot_twice((asked[name.lower()], name)))
            continue
        asked[name.lower()] = name
        if variable is None:
            names = tuple(v.name or "" for v in openable.fed.catlet.variables or ())
            found.append(wording.slot_unknown(name, names, system=_is_system(name)))
        elif variable.type not in (None, VariableType.STRING):
            found.append(wording.slot_typed(name, str(variable.type), variable.at("type")))
        elif length < SHORTEST_SLOT:
            found.append(wording.slot_too_short(name, length, SHORTEST_SLOT))
        elif name.lower() in with_value:
            found.append(wording.slot_has_value(name))
        else:
            declared = variable.name or name
            text = stand_in(declared, length, texts)
            said = name_of(variable, default=name)
            slots.append(Slot(name=declared, said=said, kind=SlotKind.VALUE, text=text))
            texts.append(text)
    if has_errors(found):
        return Outcome(None, tuple(found))
    values = {slot.name: slot.text for slot in slots}
    vm_id = None
    if openable.vm_id is None:
        vm_id = stand_in(VM_ID, VM_ID_LENGTH, texts)
        slots.append(Slot(name=VM_ID, said=own("vmId"), kind=SlotKind.VM_ID, text=vm_id))
    return Outcome(Opening(values=values, vm_id=vm_id, details=tuple(slots)), tuple(found))


def _is_system(name: str) -> bool:
    return name.lower() in (system.lower() for system in SYSTEM_VARIABLES)


def _texts(fed: Fed) -> Iterator[str]:
    """All texts that a guest may get, before substitution."""
    own = fed.catlet
    yield from (own.name or "", own.hostname or "")
    for variable in own.variables or ():
        yield variable.value or ""
    for fodder in own.fodder or ():
        yield from (fodder.name or "", fodder.filename or "")
        if fodder.content is not None:
            yield fodder.content.text
        for variable in fodder.variables or ():
            yield variable.value or ""
