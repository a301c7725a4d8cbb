"""A substituted catlet and the settings of the target go in, the whole deployment comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eryphc.artifacts.file import ArtifactFile
from eryphc.backends.hyperv.machine import machine
from eryphc.backends.hyperv.network import adapters
from eryphc.backends.hyperv.quoting import unquoted
from eryphc.backends.hyperv.slots import Slot, relocations
from eryphc.backends.hyperv.storage import folder_faults, setting, storage
from eryphc.backends.seeds import Seeds, seed_files, seed_image, seeds_of
from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.guestconfig.model import GuestRequest, Seed
from eryphc.ir.catlet import Catlet
from eryphc.ir.stages import Substituted
from eryphc.project import Folders, HyperVDefaults

SCHEMA = "eryphc/deployment/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class HyperVSettings:
    """What the target needs besides the catlet.

    `slots` are the stand-ins that were substituted; `volumes` is `--volume`, drive to path.
    `guest_assumed`: nothing said that the guest is Linux.
    """

    name: str
    catlet_id: str
    request: GuestRequest
    epoch: int
    tool: str
    defaults: HyperVDefaults
    slots: tuple[Slot, ...] = ()
    volumes: Mapping[str, str] = field(default_factory=dict)
    guest_assumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HyperVPlan:
    """The deployment document as data, and the images it names by hash."""

    name: str
    document: Mapping[str, Any]
    images: Mapping[str, ArtifactFile] = field(repr=False)


def plan(catlet: Substituted, settings: HyperVSettings) -> Outcome[HyperVPlan]:
    """Decide everything. Reports what Hyper-V cannot do (E07xx) and what `compose` reports."""
    found: list[Diagnostic] = list(folder_faults(settings.defaults))
    seeds = seeds_of(settings.request, sealed=True)
    found += seeds.diagnostics
    disks = storage(catlet, settings.defaults, settings.volumes)
    found += disks.found
    network = adapters(catlet.catlet, settings.request.adapters, settings.defaults)
    found += network.found
    section, faults = machine(
        catlet.catlet,
        None if settings.guest_assumed else settings.request.guest,
        settings.defaults,
        shared_disks=disks.shared,
        boot_drive=disks.boot_drive,
    )
    found += faults
    found += _ignored(catlet.catlet)
    if seeds.value is None:
        return Outcome(None, tuple(found))
    found += _open_places(seeds.value, settings.slots)
    if has_errors(found):
        return Outcome(None, tuple(found))
    images: dict[str, ArtifactFile] = {}
    seed = _seed(seeds.value.seed, f"{settings.name}.iso", settings, images)
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
        "parameters": _parameters(
            folders, disks.stores, network.open_networks, own.store or "default"
        ),
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


def _machine_folder(catlet: Catlet, folders: Folders) -> dict[str, Any]:
    store = catlet.store or "default"
    if store != "default":
        return setting(None, f"store-{store}")
    return setting(folders.machines, "folder")


def _ignored(catlet: Catlet) -> tuple[Diagnostic, ...]:
    if catlet.location is None:
        return ()
    return (wording.location_ignored("the catlet", catlet.location, catlet.at("location")),)


def _open_places(seeds: Seeds, slots: tuple[Slot, ...]) -> list[Diagnostic]:
    """Slots that stand where a value could change the meaning, or where none can be put."""
    found: list[Diagnostic] = []
    for part in seeds.seed.parts:
        for slot in unquoted(part, slots):
            food = part.foods[0] if part.foods else part.name
            found.append(wording.slot_unquoted(slot.name, food, None))
    for name, content in seed_files(seeds.seed).items():
        if name != "user-data":
            found += [
                wording.slot_lost(slot.name, name)
                for slot in slots
                if slot.text.encode("ascii") in content
            ]
    return found


def _seed(
    seed: Seed, file: str, settings: HyperVSettings, images: dict[str, ArtifactFile]
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
    folders: Folders, stores: set[str], networks: list[str], store: str
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
    if store != "default":
        stores = stores | {store}
    for name in sorted(stores):
        words = (
            "folder on a share or a cluster volume, for shared disks"
            if name == "shared"
            else f"folder on the host of the data store {name}"
        )
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
