"""Plans the whole deployment from a substituted catlet and the settings of the target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from eryph_runtime import deployment
from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.model import Diagnostic, Outcome, is_blocked
from eryphc.guest.cloudconfig.reader import TextReader
from eryphc.guest.document import GuestDocument, NetworkFile
from eryphc.guest.encode import Seed
from eryphc.guest.model import Adapter, GuestOptions, GuestRequest, NetworkConfigMode
from eryphc.ir.catlet import Catlet
from eryphc.ir.stages import Substituted
from eryphc.passes.places import in_documents, rooted
from eryphc.targets.definition import TargetInput
from eryphc.targets.hyperv import device_names, users_network
from eryphc.targets.hyperv.machine import machine
from eryphc.targets.hyperv.network import adapters
from eryphc.targets.hyperv.options import HyperVOptions
from eryphc.targets.hyperv.paths import folder_faults, is_reserved
from eryphc.targets.hyperv.places import place_faults
from eryphc.targets.hyperv.settings import Folders, HyperVDefaults
from eryphc.targets.hyperv.slots import Slot
from eryphc.targets.hyperv.storage import SHARED_FOLDER, AtHand, Storage, setting, storage
from eryphc.targets.seeds import seeds_of

KINDS: Final = (
    wording.NETWORK_ALWAYS,
    wording.SHARE_REMOTE,
    wording.LOCATION_IGNORED,
    wording.SLOT_UNUSED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HyperVPlan:
    """The deployment without its images, and what goes into the images.

    `describe` makes the document, given its `seed` and `sealed`. `epoch` is the time inside
    images, in seconds since 1970 UTC; `slots` are the stand-ins that they hold.
    """

    name: str
    describe: partial[deployment.Deployment]
    seed: Seed = field(repr=False)
    sealed: Seed | None = field(repr=False)
    slots: tuple[Slot, ...]
    epoch: int


def guest_options(options: GuestOptions) -> tuple[GuestOptions, tuple[Diagnostic, ...]]:
    """The deployment sets the addresses of all adapters, so network-config names all of them."""
    found = (wording.network_always(),) if options.network is NetworkConfigMode.NEVER else ()
    return options._replace(network=NetworkConfigMode.ALWAYS), found


def plan(inputs: TargetInput[HyperVOptions]) -> Outcome[HyperVPlan]:
    """Decide everything. Reports what Hyper-V cannot do (E07xx) and what `compose` reports."""
    slots: tuple[Slot, ...] = inputs.opening.details or ()
    settings = _Settings(
        name=inputs.name,
        catlet_id=inputs.catlet_id,
        request=inputs.request._replace(
            slots=tuple(slot.text for slot in slots),
            adapters=tuple(_plugged(inputs.catlet.catlet, inputs.request.adapters)),
        ),
        epoch=inputs.epoch,
        tool=inputs.tool,
        defaults=inputs.settings or HyperVDefaults(),
        slots=slots,
        at_hand=AtHand(given=inputs.options.volumes, files=inputs.disks),
        guest_assumed=inputs.guest_assumed,
    )
    return _planned(inputs.catlet, settings, inputs.reader)


def _plugged(catlet: Catlet, addresses: Sequence[Adapter]) -> Iterator[Adapter]:
    """The adapters; one in no network is connected to no switch."""
    named = {(network.adapter_name or "").lower() for network in catlet.networks or ()}
    for adapter in addresses:
        yield adapter._replace(connected=adapter.name.lower() in named)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    """What the plan needs besides the catlet. `slots` are the stand-ins that were substituted."""

    name: str
    catlet_id: str
    request: GuestRequest
    epoch: int
    tool: str
    defaults: HyperVDefaults
    slots: tuple[Slot, ...]
    at_hand: AtHand
    guest_assumed: bool


def _planned(catlet: Substituted, settings: _Settings, reader: TextReader) -> Outcome[HyperVPlan]:
    own = catlet.catlet
    seeds = seeds_of(settings.request, sealed=True, reader=reader)
    disks, disk_faults = storage(catlet, settings.defaults, settings.at_hand)
    document = None if seeds.value is None else seeds.value.seed.document
    static = _static_addresses(document, settings.request.adapters)
    network, network_faults = adapters(own, settings.request.adapters, settings.defaults, static)
    wanted, machine_faults = machine(
        own,
        None if settings.guest_assumed else settings.request.guest,
        settings.defaults,
        name=settings.name,
        shared_disks=disks.shared,
        boot_drive=disks.boot_drive,
    )
    of_catlet = (*disk_faults, *network_faults, *machine_faults, *_named(own, settings.name))
    found: list[Diagnostic] = [
        *_folder_faults(settings, disks),
        *seeds.diagnostics,
        *rooted(in_documents(of_catlet, catlet.pedigree.documents), catlet.pedigree.root),
    ]
    if seeds.value is None:
        return Outcome(None, tuple(found))
    if settings.slots:
        found += place_faults(seeds.value.seed.document, settings.slots, reader)
    if is_blocked(found):
        return Outcome(None, tuple(found))
    seed = seeds.value.seed
    found += users_network.findings(seed.document, settings.request.adapters)
    found += device_names.findings(seed.document, disks.drives)
    found += _unused_slots(settings.slots, seed)
    folders = settings.defaults.folders or Folders()
    describe = partial(
        deployment.Deployment,
        tool=settings.tool,
        catlet=deployment.CatletIdentity(
            id=settings.catlet_id,
            name=settings.name,
            project=own.project or "default",
            environment=own.environment or "default",
            hostname=settings.request.hostname,
        ),
        guest=deployment.Guest(settings.request.guest),
        parameters=_parameters(folders, disks, network.open_networks, own.store or "default"),
        folders=deployment.Folders(
            machine=_machine_folder(own, folders),
            volumes=setting(folders.volumes, "volume-folder"),
        ),
        machine=wanted,
        drives=disks.drives,
        network_adapters=network.adapters,
        volumes=disks.volumes,
    )
    made = HyperVPlan(
        name=settings.name,
        describe=describe,
        seed=seed,
        sealed=seeds.value.sealed if seed.document.secret else None,
        slots=settings.slots,
        epoch=settings.epoch,
    )
    return Outcome(made, tuple(found))


def _static_addresses(
    document: GuestDocument | None, adapters: Sequence[Adapter]
) -> Mapping[str, tuple[str, ...]]:
    """The static addresses that the user's own network-config gives, by adapter."""
    if document is None or not isinstance(document.network, NetworkFile):
        return {}
    from eryphc.targets.hyperv.addresses import static_addresses

    return static_addresses(document.network.root, adapters)


def _machine_folder(catlet: Catlet, folders: Folders) -> deployment.Setting:
    store = catlet.store or "default"
    if store != "default":
        return setting(None, f"store-{store}")
    return setting(folders.machines, "folder")


def _folder_faults(settings: _Settings, disks: Storage) -> tuple[Diagnostic, ...]:
    defaults = settings.defaults
    faults = folder_faults(defaults, settings.name, disks.files)
    if faults or defaults.folders is None:
        return faults
    folders = defaults.folders
    return tuple(
        wording.share_remote(f"hyperv: folders.{key}", path, folders.at(key))
        for key in ("machines", "disks", "volumes")
        if (path := getattr(folders, key)) is not None and path.startswith("\\\\")
    )


def _named(catlet: Catlet, name: str) -> Iterator[Diagnostic]:
    """What is wrong with the names of the catlet as a whole."""
    if is_reserved(f"{name}.iso"):
        yield wording.reserved_name("catlet", name, f"{name}.iso", catlet.at("name"))
    if catlet.location is not None:
        at = catlet.at("location")
        yield wording.location_ignored("the catlet", catlet.location, at)


def _unused_slots(slots: tuple[Slot, ...], seed: Seed) -> Iterator[Diagnostic]:
    used = {place.slot for place in seed.user_data.slots}
    for slot in slots:
        if slot.kind is deployment.SlotKind.VALUE and slot.text not in used:
            yield wording.slot_unused(slot.name)


def _parameters(
    folders: Folders, disks: Storage, networks: tuple[str, ...], store: str
) -> tuple[deployment.Parameter, ...]:
    """The settings that `apply` must be given or finds on the host, by name."""
    hosts = deployment.HostDefault
    found = []
    if folders.machines is None or folders.disks is None:
        words = "folder on the host for the machine"
        found.append(_folder_parameter("folder", words, hosts.MACHINE_FOLDER))
    if folders.volumes is None:
        words = "folder on the host for parent disks"
        found.append(_folder_parameter("volume-folder", words, hosts.DISK_FOLDER))
    if disks.shared_folder_open:
        words = "folder on a share or a cluster volume, for shared disks"
        found.append(_folder_parameter(SHARED_FOLDER, words))
    for name in disks.open_stores | ({store} - {"default"}):
        words = f"folder on the host of the data store {name}"
        found.append(_folder_parameter(f"store-{name}", words))
    found += [
        deployment.Parameter(
            name=f"switch-{network}",
            kind=deployment.ParameterKind.SWITCH,
            description=f"switch of the network {network}",
            default=None,
            host_default=hosts.DEFAULT_SWITCH if network == "default" else None,
        )
        for network in networks
    ]
    return tuple(sorted(found, key=lambda parameter: parameter.name))


def _folder_parameter(
    name: str, description: str, host_default: deployment.HostDefault | None = None
) -> deployment.Parameter:
    return deployment.Parameter(
        name=name,
        kind=deployment.ParameterKind.FOLDER,
        description=description,
        default=None,
        host_default=host_default,
    )
