"""A fed catlet to the files of `hyperv`: values left open, disks read, the plan, its files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eryph_runtime.deployment import SlotKind
from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.guest import GUEST_ASSUMED_LINUX
from eryphc.diagnostics.model import Diagnostic, Label, Outcome, has_errors
from eryphc.guestconfig.model import NetworkConfigMode
from eryphc.ir.catlet import VariableType
from eryphc.ir.stages import Fed, Substituted
from eryphc.passes.given import SYSTEM_VARIABLES
from eryphc.project import HyperVDefaults
from eryphc.syntax.names import blank
from eryphc.targets.describe import manifest_of
from eryphc.targets.hyperv.emit import emit
from eryphc.targets.hyperv.plan import HyperVSettings, plan
from eryphc.targets.hyperv.slots import SHORTEST_SLOT, VM_ID, VM_ID_LENGTH, Slot, stand_in
from eryphc.targets.hyperv.storage import AtHand, disk_files

if TYPE_CHECKING:
    from eryphc.driver import Built, FrontOptions, TargetOptions


def build_hyperv(fed: Fed, front: FrontOptions, options: TargetOptions) -> Outcome[Built]:
    """The deployment of a catlet. The VM id stays open unless it is given."""
    from eryphc.driver import (
        TOOL,
        Built,
        Target,
        default_catlet_id,
        guest_request,
        to_substituted,
    )

    catlet_id = front.catlet_id or default_catlet_id(fed.catlet)
    slots, found = _slots(fed, front, options)
    if has_errors(found):
        return Outcome(None, tuple(found))
    open_names = {slot.name.lower() for slot in slots}
    values = {name: text for name, text in front.values.items() if name.lower() not in open_names}
    values |= {slot.name: slot.text for slot in slots if slot.name != VM_ID}
    vm_id = front.vm_id or next(slot.text for slot in slots if slot.name == VM_ID)
    opened = _opened(fed, open_names)
    done = to_substituted(opened, front._replace(catlet_id=catlet_id, vm_id=vm_id, values=values))
    if done.value is None:
        return Outcome(None, _spoken(done.diagnostics, slots))
    network = options._replace(network=NetworkConfigMode.ALWAYS)
    request, notes = guest_request(done.value, catlet_id, network)
    if options.network is NetworkConfigMode.NEVER:
        notes = (*notes, wording.network_always())
    request = request._replace(slots=tuple(slot.text for slot in slots))
    name = done.value.catlet.name or "catlet"
    planned = plan(
        done.value,
        HyperVSettings(
            name=name,
            catlet_id=catlet_id,
            request=request,
            epoch=options.epoch,
            tool=TOOL,
            defaults=options.hyperv or HyperVDefaults(),
            slots=slots,
            at_hand=_at_hand(done.value, options),
            guest_assumed=any(note.code == GUEST_ASSUMED_LINUX for note in notes),
        ),
    )
    diagnostics = _spoken((*done.diagnostics, *notes, *planned.diagnostics), slots)
    if planned.value is None:
        return Outcome(None, diagnostics)
    manifest = manifest_of(
        done.value,
        request,
        name=name,
        catlet_id=catlet_id,
        target=Target.HYPERV.value,
        architecture=front.architecture,
        tool=TOOL,
    )
    return Outcome(Built(emit(planned.value), manifest), diagnostics)


def _spoken(diagnostics: tuple[Diagnostic, ...], slots: tuple[Slot, ...]) -> tuple[Diagnostic, ...]:
    """The diagnostics with references in the place of stand-ins, which nobody has written."""

    def spoken(text: str) -> str:
        for slot in slots:
            text = text.replace(slot.text, f"{{{{ {slot.name} }}}}")
        return text

    def clear(label: Label) -> Label:
        return label._replace(message=spoken(label.message))

    return tuple(
        each._replace(
            message=spoken(each.message),
            notes=tuple(map(spoken, each.notes)),
            help=None if each.help is None else spoken(each.help),
            primary=None if each.primary is None else clear(each.primary),
            related=tuple(map(clear, each.related)),
        )
        for each in diagnostics
    )


def _at_hand(catlet: Substituted, options: TargetOptions) -> AtHand:
    """The disk files that the plan wants to know, each read once."""
    read = options.read_disk
    if read is None:
        from eryphc.genepool.disk_images import DiskImages

        read = DiskImages()
    files = {path: read(path) for path in disk_files(catlet, options.volumes)}
    return AtHand(given=options.volumes, files=files)


def _slots(
    fed: Fed, front: FrontOptions, options: TargetOptions
) -> tuple[tuple[Slot, ...], list[Diagnostic]]:
    """The stand-ins for what is left open, and the faults of `--open`."""
    found: list[Diagnostic] = []
    variables = {(v.name or "").lower(): v for v in fed.catlet.variables or ()}
    given = {name.lower() for name in front.values}
    texts = [*_texts(fed), *front.values.values(), options.instance_id or ""]
    if options.network_file is not None:
        texts.append(options.network_file.text)
    slots: list[Slot] = []
    asked: dict[str, str] = {}
    for name, length in options.open_slots.items():
        variable = variables.get(name.lower())
        if name.lower() in asked:
            found.append(wording.slot_twice((asked[name.lower()], name)))
            continue
        asked[name.lower()] = name
        if variable is None:
            names = tuple(v.name or "" for v in fed.catlet.variables or ())
            found.append(wording.slot_unknown(name, names, system=_is_system(name)))
        elif variable.type not in (None, VariableType.STRING):
            found.append(wording.slot_typed(name, str(variable.type), variable.at("type")))
        elif length < SHORTEST_SLOT:
            found.append(wording.slot_too_short(name, length, SHORTEST_SLOT))
        elif name.lower() in given:
            found.append(wording.slot_has_value(name))
        else:
            own = variable.name or name
            slots.append(Slot(name=own, kind=SlotKind.VALUE, text=stand_in(own, length, texts)))
            texts.append(slots[-1].text)
    if front.vm_id is None:
        text = stand_in(VM_ID, VM_ID_LENGTH, texts)
        slots.append(Slot(name=VM_ID, kind=SlotKind.VM_ID, text=text))
    return tuple(slots), found


def _is_system(name: str) -> bool:
    return name.lower() in (system.lower() for system in SYSTEM_VARIABLES)


def _texts(fed: Fed) -> Iterator[str]:
    """All texts that a guest may get, before substitution."""
    own = fed.catlet
    yield from (own.name or "", own.hostname or "")
    for variable in own.variables or ():
        yield variable.value or ""
    for food in own.fodder or ():
        yield from (food.name or "", food.filename or "")
        if food.content is not None:
            yield food.content.text
        for variable in food.variables or ():
            yield variable.value or ""


def _opened(fed: Fed, names: set[str]) -> Fed:
    """The catlet whose variables left open count as secret."""
    variables = fed.catlet.variables
    if not names or variables is None:
        return fed
    marked = tuple(
        v._replace(secret=True, required=None if blank(v.value) else v.required)
        if (v.name or "").lower() in names
        else v
        for v in variables
    )
    return fed._replace(catlet=fed.catlet._replace(variables=marked))
