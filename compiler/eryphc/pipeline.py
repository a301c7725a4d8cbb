"""The order of the compile, one function a stage: each takes what the one before it gave.

Nothing here reads files, prints or decides what may be shown: the session does that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from eryphc.artifacts.manifest import Manifest, ManifestAdapter, manifest_genes
from eryphc.diagnostics import command, language, rules
from eryphc.diagnostics.model import Level, Outcome, has_errors
from eryphc.frozen import FrozenMap, replace
from eryphc.genepool.model import GenePool
from eryphc.guest.model import GuestOptions
from eryphc.ir.catlet import Catlet
from eryphc.ir.stages import Bred, Document, Fed, Substituted
from eryphc.origin import Origin, Outside, Step, placeless
from eryphc.passes.breed import breed
from eryphc.passes.check import check_catlet
from eryphc.passes.feed import feed
from eryphc.passes.given import default_catlet_id, give
from eryphc.passes.memory import PassMemory
from eryphc.passes.pedigree import read_pedigree
from eryphc.passes.read import is_partial, other_document, read_catlet
from eryphc.passes.substitute import substitute
from eryphc.project.specs import Spec
from eryphc.request import BuildRequest
from eryphc.syntax.names import blank
from eryphc.targets import Target
from eryphc.targets.definition import NOTHING_OPEN, Backend, Openable, Opening, TargetInput
from eryphc.version import __version__

if TYPE_CHECKING:
    from eryphc.guest.agents import AgentSources
    from eryphc.guest.cloudconfig.reader import TextReader


TOOL = f"eryphc {__version__}"
UNKNOWN_VM_ID = "#vmId"


def read_document(spec: Spec, request: BuildRequest) -> Outcome[Document]:
    """The author's document with the names that the request replaces.

    It may come with errors; then it only serves to find more of them.
    """
    read = read_catlet(spec.source, notation=spec.notation)
    if has_errors(read.diagnostics):
        other = other_document(spec.source)
        if other is not None:
            return Outcome(None, (other,))
    if read.value is None:
        return Outcome(None, read.diagnostics)
    catlet = read.value
    found = list(read.diagnostics)
    if request.name is not None or request.hostname is not None:
        catlet = replace(
            catlet,
            name=request.name if request.name is not None else catlet.name,
            hostname=request.hostname or request.name or catlet.hostname,
            # What the request says was not written in the document.
            places={**catlet.places, **_given_names(request)},
        )
        found += [
            command.bad_option_value("--name", fault.message)
            for fault in check_catlet(Catlet(name=request.name))
        ]
    if blank(catlet.name):
        found.append(rules.catlet_unnamed(catlet.at()))
    partial = is_partial(read.diagnostics)
    document = Document(catlet=catlet, source=spec.source, depth=0, partial=partial)
    return Outcome(document, tuple(found))


def _given_names(request: BuildRequest) -> dict[str, Origin]:
    keys = ("hostname",) if request.name is None else ("name", "hostname")
    return dict.fromkeys(keys, placeless(Step.GIVEN))


def catlet_name(document: Document) -> str:
    """The normalised name that the catlet will have."""
    name = document.catlet.name
    return "catlet" if name is None or blank(name) else name.lower()


def catlet_id_of(catlet: Catlet, request: BuildRequest) -> str:
    """The id that the request gives, or the one that follows from the names of the catlet."""
    return request.catlet_id or default_catlet_id(catlet)


def to_bred(document: Document, pools: GenePool, memory: PassMemory | None = None) -> Outcome[Bred]:
    """Ancestors read and inherited from, the result normalised and with its defaults."""
    pedigree = read_pedigree(document, pools, memory)
    if pedigree.value is None:
        return Outcome(None, pedigree.diagnostics)
    bred = breed(pedigree.value, memory)
    found = bred.diagnostics
    if document.partial:
        # A name that is missing could not be read, which was reported.
        found = tuple(d for d in found if d.code not in language.NAMELESS)
    return Outcome(bred.value, (*pedigree.diagnostics, *found))


def with_values(
    bred: Bred, values: Mapping[str, str], outside: Mapping[str, Outside] = FrozenMap()
) -> Outcome[Bred]:
    """The catlet with the given values in its variables, as stages before substitution show it."""
    given = give(bred.catlet, values, outside)
    if given.value is None:
        return Outcome(None, given.diagnostics)
    return Outcome(bred._replace(catlet=given.value), given.diagnostics)


def to_fed(
    bred: Bred, pools: GenePool, request: BuildRequest, memory: PassMemory | None = None
) -> Outcome[Fed]:
    return feed(bred, pools, request.processor, request.meaning, memory)


def to_substituted(
    fed: Fed,
    values: Mapping[str, str],
    request: BuildRequest,
    opening: Opening | None = None,
    *,
    outside: Mapping[str, Outside] | None = None,
    stand_in: bool = False,
) -> Outcome[Substituted]:
    """Every fodder entry with the text a guest gets.

    Without a VM id a target takes its stand-in for it, or the id of the catlet; where no target
    is asked (`opening` is None), the text `#vmId` stands for it. `outside` and `stand_in` as in
    `substitute`.
    """
    catlet_id = catlet_id_of(fed.catlet, request)
    made = Step.INVENTED if request.catlet_id is None else Step.GIVEN
    steps = {"catletid": made, "vmid": made}
    if opening is None:
        opening = Opening(vm_id=UNKNOWN_VM_ID)
    if request.vm_id is not None:
        steps["vmid"] = Step.GIVEN
    elif opening.vm_id is not None:
        steps["vmid"] = Step.STAND_IN
    steps |= dict.fromkeys(map(str.lower, opening.values), Step.STAND_IN)
    vm_id = request.vm_id or opening.vm_id or catlet_id
    given = {**values, **opening.values}
    return substitute(fed, given, catlet_id, vm_id, steps, outside=outside or {}, stand_in=stand_in)


def prepare(
    fed: Fed,
    values: Mapping[str, str],
    request: BuildRequest,
    backend: Backend[Any, Any],
    *,
    options: Any,
    settings: Any,
    guest: GuestOptions,
    epoch: int,
    reader: TextReader,
    outside: Mapping[str, Outside] | None = None,
    stand_in: bool = False,
    sources: AgentSources | None = None,
) -> Outcome[TargetInput[Any]]:
    """Make of a fed catlet what a target decides from.

    `guest` is the request's, completed by the project; `sources` may say which agent
    reads. From here on, stand-ins take the place of the values that the target leaves open;
    diagnostics name the variables instead.
    """
    from eryphc.diagnostics.guest import GUEST_ASSUMED_LINUX
    from eryphc.guest.request import guest_request
    from eryphc.guest.secret_keys import with_undeclared

    opening = NOTHING_OPEN
    if backend.open is not None:
        texts = (
            guest.instance_id or "",
            guest.network_file.text if guest.network_file is not None else "",
        )
        asked = Openable(fed=fed, values=values, vm_id=request.vm_id, texts=texts)
        opened = backend.open(asked, options)
        if opened.value is None:
            return Outcome(None, opened.diagnostics)
        opening = opened.value
    catlet_id = catlet_id_of(fed.catlet, request)
    names = {name.lower() for name in opening.values}
    filled = {name: text for name, text in values.items() if name.lower() not in names}
    done = to_substituted(
        _left_open(fed, names), filled, request, opening, outside=outside, stand_in=stand_in
    )
    if done.value is None:
        return Outcome(None, done.diagnostics)
    catlet = done.value
    entries, undeclared = with_undeclared(catlet.catlet.fodder or (), reader)
    if undeclared:
        catlet = catlet._replace(catlet=replace(catlet.catlet, fodder=entries))
    options_of_guest, found = (
        (guest, ()) if backend.guest_options is None else backend.guest_options(guest)
    )
    asked_of_guest, notes = guest_request(catlet, catlet_id, options_of_guest, sources)
    if backend.needs_guest:
        notes = tuple(
            note._replace(level=Level.WARNING) if note.code == GUEST_ASSUMED_LINUX else note
            for note in notes
        )
    inputs = TargetInput(
        catlet=catlet,
        name=catlet.catlet.name or "catlet",
        catlet_id=catlet_id,
        architecture=request.processor,
        request=asked_of_guest,
        guest_assumed=any(note.code == GUEST_ASSUMED_LINUX for note in notes),
        vm_id_given=request.vm_id is not None,
        sealed=options_of_guest.sealed,
        epoch=epoch,
        tool=TOOL,
        reader=reader,
        guest=guest,
        options=options,
        settings=settings,
        opening=opening,
    )
    return Outcome(inputs, (*done.diagnostics, *undeclared, *notes, *found))


def _left_open(fed: Fed, names: set[str]) -> Fed:
    """The catlet whose variables left open count as secret."""
    variables = fed.catlet.variables
    if not names or variables is None:
        return fed
    marked = tuple(
        replace(
            v,
            secret=True,
            required=None if blank(v.value) else v.required,
            places={**v.places, "secret": placeless(Step.GIVEN)},
        )
        if (v.name or "").lower() in names
        else v
        for v in variables
    )
    return fed._replace(catlet=replace(fed.catlet, variables=marked))


def manifest_of(inputs: TargetInput[Any], target: Target) -> Manifest:
    """All of `manifest.json` but its files."""
    return Manifest(
        catlet=inputs.name,
        catlet_id=inputs.catlet_id,
        target=target.value,
        arch=str(inputs.architecture),
        guest=inputs.request.guest.value,
        guest_agent=inputs.request.reader.word.value,
        guest_agent_from=inputs.request.reader.origin.value,
        tool=inputs.tool,
        network_adapters=tuple(
            ManifestAdapter(name=adapter.name, mac_address=adapter.mac_address)
            for adapter in inputs.request.adapters
        ),
        genes=manifest_genes(inputs.catlet.genes),
    )
