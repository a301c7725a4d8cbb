"""A substituted catlet and the settings of the target go in, the whole deployment comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from eryphc.artifacts.file import ArtifactFile
from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.model import Diagnostic, Outcome, is_blocked
from eryphc.guestconfig.model import GuestRequest, NetworkConfigMode, Seed
from eryphc.guestconfig.options import GuestOptions
from eryphc.ir.catlet import Catlet
from eryphc.ir.stages import Substituted
from eryphc.passes.places import in_documents, rooted
from eryphc.targets.definition import TargetInput
from eryphc.targets.hyperv.machine import machine
from eryphc.targets.hyperv.network import Adapters, adapters
from eryphc.targets.hyperv.options import HyperVOptions
from eryphc.targets.hyperv.paths import folder_faults, is_reserved
from eryphc.targets.hyperv.places import place_faults
from eryphc.targets.hyperv.settings import Folders, HyperVDefaults
from eryphc.targets.hyperv.slots import Slot, outside_of_text, relocations
from eryphc.targets.hyperv.storage import SHARED_FOLDER, AtHand, Storage, setting, storage
from eryphc.targets.seeds import Seeds, seed_files, seed_image, seeds_of

SCHEMA = "eryphc/deployment/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class HyperVPlan:
    """The deployment document as data, and the images it names by hash."""

    name: str
    document: Mapping[str, Any]
    images: Mapping[str, ArtifactFile] = field(repr=False)


def guest_options(options: GuestOptions) -> tuple[GuestOptions, tuple[Diagnostic, ...]]:
    """The deployment sets the addresses of all adapters, so network-config names all of them."""
    found = (wording.network_always(),) if options.network is NetworkConfigMode.NEVER else ()
    return replace(options, network=NetworkConfigMode.ALWAYS), found


def plan(given: TargetInput[HyperVOptions]) -> Outcome[HyperVPlan]:
    """Decide everything. Reports what Hyper-V cannot do (E07xx) and what `compose` reports."""
    slots: tuple[Slot, ...] = given.opening.details or ()
    settings = _Settings(
        name=given.name,
        catlet_id=given.catlet_id,
        request=given.request._replace(slots=tuple(slot.text for slot in slots)),
        epoch=given.epoch,
        tool=given.tool,
        defaults=given.settings or HyperVDefaults(),
        slots=slots,
        at_hand=AtHand(given=given.options.volumes, files=given.disks),
        guest_assumed=given.guest_assumed,
    )
    return _planned(given.catlet, settings)


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


def _planned(catlet: Substituted, settings: _Settings) -> Outcome[HyperVPlan]:
    seeds = seeds_of(settings.request, sealed=True)
    disks = storage(catlet, settings.defaults, settings.at_hand)
    network = adapters(catlet.catlet, settings.request.adapters, settings.defaults)
    section, faults = machine(
        catlet.catlet,
        None if settings.guest_assumed else settings.request.guest,
        settings.defaults,
        name=settings.name,
        shared_disks=disks.shared,
        boot_drive=disks.boot_drive,
    )
    of_catlet = (*disks.found, *network.found, *faults, *_named(catlet.catlet, settings.name))
    found: list[Diagnostic] = [
        *_folder_faults(settings, disks),
        *seeds.diagnostics,
        *rooted(in_documents(of_catlet, catlet.pedigree.documents), catlet.pedigree.root),
    ]
    if seeds.value is None:
        return Outcome(None, tuple(found))
    found += _open_places(settings, seeds.value)
    if is_blocked(found):
        return Outcome(None, tuple(found))
    _known_addresses(settings, seeds.value.seed.network_config, network)
    images: dict[str, ArtifactFile] = {}
    seed = _seed(seeds.value.seed, f"{settings.name}.iso", settings, images)
    used = {slot["name"] for slot in seed["slots"]}
    found += [
        wording.slot_unused(slot.name)
        for slot in settings.slots
        if slot.kind == "value" and slot.name not in used
    ]
    sealed = None
    if seeds.value.seed.secret and seeds.value.sealed is not None:
        sealed = _seed(seeds.value.sealed, f"{settings.name}.sealed.iso", settings, images)
    folders = settings.defaults.folders or Folders()
    own = catlet.catlet
    document = {
        "schema": SCHEMA,
        "tool": settings.tool,
        "catlet": {
            "id": settings.catlet_id,
            "name": settings.name,
            "project": own.project or "default",
            "environment": own.environment or "default",
            "hostname": settings.request.hostname,
        },
        "guest": settings.request.guest.value,
        "parameters": _parameters(folders, disks, network.open_networks, own.store or "default"),
        "folders": {
            "machine": _machine_folder(own, folders),
            "volumes": setting(folders.volumes, "volume-folder"),
        },
        "machine": section,
        "drives": disks.drives,
        "network_adapters": network.adapters,
        "volumes": disks.volumes,
        "seed": seed,
        "sealed": sealed,
    }
    return Outcome(HyperVPlan(name=settings.name, document=document, images=images), tuple(found))


def _known_addresses(settings: _Settings, config: bytes | None, network: Adapters) -> None:
    """Note the static addresses that the user's own network-config gives."""
    if config is None or settings.request.network_file is None:
        return
    from eryphc.targets.hyperv.addresses import static_addresses

    known = static_addresses(config, settings.request.adapters)
    for entry in network.adapters:
        entry["addresses"] = known.get(entry["name"], [])


def _machine_folder(catlet: Catlet, folders: Folders) -> dict[str, Any]:
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


def _open_places(settings: _Settings, seeds: Seeds) -> tuple[Diagnostic, ...]:
    """Slots that stand where a value could change the meaning."""
    if not settings.slots:
        return ()
    for name, content in seed_files(seeds.seed).items():
        lost = outside_of_text(content, settings.slots, text=name == "user-data")
        if lost:
            # Nothing but the text of fodder is substituted, and stand-ins avoid all other texts.
            raise RuntimeError(f"an open place in {name} outside of its text")
    return place_faults(seeds.seed.parts, settings.request.foods, settings.slots)


def _seed(
    seed: Seed, file: str, settings: _Settings, images: dict[str, ArtifactFile]
) -> dict[str, Any]:
    image = seed_image(seed, epoch=settings.epoch)
    images[file] = image
    content = image.content
    if not isinstance(content, bytes):
        raise TypeError("a seed image is bytes")
    import hashlib

    places = relocations(content, {"user-data": seed.user_data}, settings.slots)
    used = {str(place["slot"]) for place in places}
    return {
        "file": file,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "instance_id": settings.request.instance_id or _instance_id(seed),
        "slots": [
            slot.document()
            for slot in sorted(settings.slots, key=lambda slot: slot.name)
            if slot.name in used
        ],
        "relocations": places,
    }


def _instance_id(seed: Seed) -> str:
    """The derived id, as it stands in the meta-data."""
    for line in seed.meta_data.decode("utf-8").splitlines():
        key, _, value = line.partition(":")
        if key == "instance-id":
            return value.strip().strip("\"'")
    return ""


def _parameters(
    folders: Folders, disks: Storage, networks: list[str], store: str
) -> list[dict[str, Any]]:
    """The settings that `apply` must be given or finds on the host, by name."""
    found = []
    if folders.machines is None or folders.disks is None:
        found.append(
            _parameter("folder", "folder", "folder on the host for the machine", "machine-folder")
        )
    if folders.volumes is None:
        found.append(
            _parameter(
                "volume-folder", "folder", "folder on the host for parent disks", "disk-folder"
            )
        )
    if disks.shared_folder_open:
        words = "folder on a share or a cluster volume, for shared disks"
        found.append(_parameter(SHARED_FOLDER, "folder", words, None))
    for name in sorted(disks.stores | ({store} - {"default"})):
        words = f"folder on the host of the data store {name}"
        found.append(_parameter(f"store-{name}", "folder", words, None))
    for network in networks:
        host = "default-switch" if network == "default" else None
        words = f"switch of the network {network}"
        found.append(_parameter(f"switch-{network}", "switch", words, host))
    return sorted(found, key=lambda parameter: str(parameter["name"]))


def _parameter(name: str, kind: str, description: str, host: str | None) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "description": description,
        "default": None,
        "host_default": host,
    }
