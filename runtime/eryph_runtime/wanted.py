"""The deployment document as data: what one machine is to be. Shape: docs/deployment.md, part 1."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

SCHEMA = "eryphc/deployment/v1"
SEED_PLACE = (0, 63)


class DriveType(StrEnum):
    VHD = "vhd"
    SHARED_VHD = "shared_vhd"
    VHD_SET = "vhd_set"
    DVD = "dvd"


class Create(StrEnum):
    BLANK = "blank"
    DIFFERENCING = "differencing"
    COPY = "copy"
    MEDIA = "media"


class ParameterKind(StrEnum):
    FOLDER = "folder"
    SWITCH = "switch"


class HostDefault(StrEnum):
    MACHINE_FOLDER = "machine-folder"
    DISK_FOLDER = "disk-folder"
    DEFAULT_SWITCH = "default-switch"


class SlotKind(StrEnum):
    VM_ID = "vm-id"
    VALUE = "value"


class Encoding(StrEnum):
    PLAIN = "plain"
    BASE64 = "base64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    value: str | None
    parameter: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    name: str
    kind: ParameterKind
    description: str
    default: str | None
    host_default: HostDefault | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CatletIdentity:
    id: str
    name: str
    project: str
    environment: str
    hostname: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    machine: Setting
    volumes: Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    count: int
    nested_virtualization: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Sizes in bytes; the bounds only where memory is dynamic."""

    dynamic: bool
    startup: int
    minimum: int | None
    maximum: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Firmware:
    secure_boot: bool
    secure_boot_template: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tpm:
    enabled: bool
    guardian: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationService:
    id: str
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedMachine:
    name: str
    generation: int
    start_action: str
    start_delay: int
    stop_action: str
    checkpoint_type: str
    automatic_checkpoints: bool
    processor: Processor
    memory: Memory
    firmware: Firmware
    tpm: Tpm
    integration_services: tuple[IntegrationService, ...]
    boot_drive: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
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
    TAG: ClassVar[str] = "pool"

    kind: str
    path: str
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlSource:
    TAG: ClassVar[str] = "url"

    kind: str
    url: str
    checksums_url: str | None
    format: str
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSource:
    """A file of the host, by its absolute path, as the catlet names it."""

    TAG: ClassVar[str] = "host"

    kind: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSource:
    """Asked for as `--volume`; that may be given for every volume anyway."""

    TAG: ClassVar[str] = "parameter"

    kind: str
    drive: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    name: str
    gene: str | None
    sha256: str | None
    size: int | None
    virtual_size: int | None
    sources: tuple[PoolSource | UrlSource | HostSource | ParameterSource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
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
    schema: str
    tool: str
    catlet: CatletIdentity
    guest: str
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
