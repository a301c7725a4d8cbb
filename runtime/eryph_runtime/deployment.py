"""The deployment document: what one machine is to be. The compiler writes it, the runtime reads it.

Every key of `deployment.json` is a field of a record here, under the same name and in the order of
docs/reference/deployment.md, "The document", which says what each value means. Sizes are in bytes.
`None` means that a value is left out; the decoder demands every key all the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal, TypeAlias

from eryph_runtime.decode import MalformedError, decode, parse, plain

SCHEMA: Final = "eryphc/deployment/v1"
LIMIT = 16 * 1024 * 1024
"""The longest document that is read, in bytes."""
SEED_PLACE = (0, 63)
"""Controller and location of the seed's DVD drive."""


class Guest(StrEnum):
    LINUX = "linux"
    WINDOWS = "windows"


class StartAction(StrEnum):
    NOTHING = "Nothing"
    START_IF_RUNNING = "StartIfRunning"
    START = "Start"


class StopAction(StrEnum):
    TURN_OFF = "TurnOff"
    SAVE = "Save"
    SHUT_DOWN = "ShutDown"


class CheckpointType(StrEnum):
    DISABLED = "Disabled"
    STANDARD = "Standard"
    PRODUCTION = "Production"
    PRODUCTION_ONLY = "ProductionOnly"


class DriveType(StrEnum):
    DVD = "dvd"
    SHARED_VHD = "shared_vhd"
    VHD = "vhd"
    VHD_SET = "vhd_set"


class Create(StrEnum):
    """How the disk of a drive comes to be; a DVD drive has media instead of a disk."""

    BLANK = "blank"
    COPY = "copy"
    DIFFERENCING = "differencing"
    MEDIA = "media"


class ParameterKind(StrEnum):
    FOLDER = "folder"
    SWITCH = "switch"


class HostDefault(StrEnum):
    """Values that the host itself gives if nothing else sets them."""

    DEFAULT_SWITCH = "default-switch"
    DISK_FOLDER = "disk-folder"
    MACHINE_FOLDER = "machine-folder"


class VolumeFormat(StrEnum):
    """The format of a disk image as it is published."""

    QCOW2 = "qcow2"
    RAW = "raw"
    VHD = "vhd"
    VHDX = "vhdx"


class SlotKind(StrEnum):
    """What fills a slot: a value that the operator gives, or the id of the machine."""

    VALUE = "value"
    VM_ID = "vm-id"


class Encoding(StrEnum):
    """How the ISO holds the text that a slot stands in."""

    BASE64 = "base64"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A value, or the name of the parameter that gives it: one of the two."""

    value: str | None
    parameter: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A setting that `apply` must be given, or that it takes from the defaults.

    `description` is what people read when it has no value.
    """

    name: str
    kind: ParameterKind
    description: str
    default: str | None
    host_default: HostDefault | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CatletIdentity:
    """`id` is a lower case UUID with dashes: the identity of the machine on a host."""

    id: str
    name: str
    project: str
    environment: str
    hostname: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """`machine` holds the machine's own folder, `volumes` the parent disks of all machines."""

    machine: Setting
    volumes: Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """`count` is the number of virtual processors."""

    count: int
    nested_virtualization: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Sizes in bytes, multiples of 2 MiB; the bounds only where memory is dynamic."""

    dynamic: bool
    startup: int
    minimum: int | None
    maximum: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Firmware:
    """The template is a name of Hyper-V's, there only where secure boot is on."""

    secure_boot: bool
    secure_boot_template: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tpm:
    """`guardian` names whose key protects the TPM; None: the host's own key."""

    enabled: bool
    guardian: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationService:
    """`id` is the service's GUID in upper case with dashes."""

    id: str
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedMachine:
    """The machine without its drives and adapters.

    `start_delay` is in seconds. `boot_drive` names the drive that boots first.
    """

    name: str
    generation: Literal[2] = 2
    start_action: StartAction
    start_delay: int
    stop_action: StopAction
    checkpoint_type: CheckpointType
    automatic_checkpoints: bool
    processor: Processor
    memory: Memory
    firmware: Firmware
    tpm: Tpm
    integration_services: tuple[IntegrationService, ...]
    boot_drive: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """A drive at its place: `controller` counts SCSI controllers, `location` the places on one.

    `folder` and `file` say where the disk file lies, `size` how large the disk is, in bytes.
    `volume` names the volume that a differencing disk or a copy starts from. A DVD drive has none
    of these: `media` is a path on the host.
    """

    name: str
    type: DriveType
    controller: int
    location: int
    folder: Setting | None
    file: str | None
    size: int | None
    create: Create
    volume: str | None
    media: str | None

    @property
    def place(self) -> tuple[int, int]:
        return (self.controller, self.location)

    @property
    def shared(self) -> bool:
        return self.type in (DriveType.SHARED_VHD, DriveType.VHD_SET)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAdapter:
    """`mac_address` is 12 upper case hex digits; `switch` None leaves the adapter disconnected.

    `network` is the catlet's name of the network, `vlan` None means untagged. `addresses` are the
    static IP addresses that the guest is told to take.
    """

    name: str
    mac_address: str
    mac_address_spoofing: bool
    dhcp_guard: bool
    router_guard: bool
    network: str | None
    switch: Setting | None
    vlan: int | None
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSource:
    """A file in a gene pool; `path` is relative to the pool's root and has forward slashes."""

    kind: Literal["pool"] = "pool"
    path: str
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlSource:
    """A published image. `sha256` is over the image as published, whatever its format.

    `checksums_url` is a list of the publisher's that has its digest.
    """

    kind: Literal["url"] = "url"
    url: str
    checksums_url: str | None
    format: VolumeFormat
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSource:
    """A file of the host, by its absolute path, as the catlet names it."""

    kind: Literal["host"] = "host"
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSource:
    """Asked for as `--volume`; that may be given for every volume anyway."""

    kind: Literal["parameter"] = "parameter"
    drive: str


VolumeSource: TypeAlias = PoolSource | UrlSource | HostSource | ParameterSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A parent disk; `name` is that of the drive that uses it, `gene` the gene it stands for.

    `sha256` and `size` are those of the VHDX file, `virtual_size` is that of the disk in it, both
    in bytes. The sources are tried in order.
    """

    name: str
    gene: str | None
    sha256: str | None
    size: int | None
    virtual_size: int | None
    sources: tuple[VolumeSource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """An open value of the ISO; `length` is in characters, each of which is one byte."""

    name: str
    kind: SlotKind
    length: int
    description: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Relocation:
    """A place of a slot; `offset` and `length` in bytes of the ISO, `at` in the decoded region."""

    slot: str
    file: str
    offset: int
    length: int
    encoding: Encoding
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """The ISO `file` that lies beside the document, with its slots still open.

    `sha256` and `size` (bytes) are those of the file as built.
    """

    file: str
    sha256: str
    size: int
    instance_id: str
    slots: tuple[Slot, ...]
    relocations: tuple[Relocation, ...]

    @property
    def open_values(self) -> tuple[Slot, ...]:
        return tuple(each for each in self.slots if each.kind is SlotKind.VALUE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The whole document. `tool` says, for people, who wrote it.

    `parameters` and `volumes` are sorted by name, `drives` by their place; `network_adapters` are
    in the catlet's order. `sealed` is the seed without what is secret.
    """

    schema: Literal["eryphc/deployment/v1"] = SCHEMA
    tool: str
    catlet: CatletIdentity
    guest: Guest
    parameters: tuple[Parameter, ...]
    folders: Folders
    machine: WantedMachine
    drives: tuple[Drive, ...]
    network_adapters: tuple[NetworkAdapter, ...]
    volumes: tuple[Volume, ...]
    seed: Seed | None
    sealed: Seed | None

    def volume(self, name: str) -> Volume:
        return next(each for each in self.volumes if each.name == name)


def to_data(deployment: Deployment) -> dict[str, Any]:
    """The document as the data that JSON can hold."""
    data: dict[str, Any] = plain(deployment)
    return data


def to_text(deployment: Deployment) -> str:
    """The text of `deployment.json`: ASCII, the same for the same deployment."""
    data = to_data(deployment)
    text = json.dumps(data, ensure_ascii=True, sort_keys=True, indent=2, allow_nan=False)
    return f"{text}\n"


def from_data(data: Any) -> Deployment:
    """The deployment that parsed JSON holds: every key there, none unknown, all types exact.

    `document_rules.check` checks what types cannot express. Raises MalformedError.
    """
    if isinstance(data, dict) and data.get("schema") != SCHEMA:
        raise MalformedError(f"its schema is {data.get('schema')!r}, this runtime reads {SCHEMA}")
    return decode(Deployment, data)


def from_text(text: bytes) -> Deployment:
    """The deployment in the bytes of a `deployment.json`; raises MalformedError."""
    if len(text) > LIMIT:
        raise MalformedError(f"larger than {LIMIT} bytes")
    return from_data(parse(text))
