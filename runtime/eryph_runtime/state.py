"""What a host is, as one read gives it. Source: docs/reference/deployment.md, "The state"."""

from __future__ import annotations

from dataclasses import dataclass

from eryph_runtime.deployment import IntegrationService, Processor
from eryph_runtime.hostpaths import folded


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """The host and the account on it; sizes in bytes."""

    account: str
    elevated: bool
    administrator: bool
    hyperv_administrator: bool
    language_mode: str
    powershell: str
    build: int
    server: bool
    processor_vendor: str
    logical_processors: int
    memory_available: int | None
    secure_boot_templates: tuple[str, ...]
    machine_folder: str | None
    disk_folder: str | None
    module: str | None
    missing: tuple[str, ...]

    def lacks(self, feature: str) -> bool:
        """Whether the cmdlet, or `cmdlet:parameter`, is missing on the host."""
        return feature in self.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    id: str
    name: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSummary:
    """Any machine of the host; `chains` only where asked for, `media` are inserted."""

    id: str
    name: str
    notes: str
    state: str
    path: str
    mac_addresses: tuple[str, ...]
    disks: tuple[str, ...]
    chains: tuple[tuple[str, ...], ...]
    media: tuple[str, ...]

    @property
    def holds(self) -> frozenset[str]:
        """All files that this machine stands on, as far as they were asked for, folded."""
        above = (path for chain in self.chains for path in chain)
        return frozenset(map(folded, (*self.disks, *above, *self.media)))


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryState:
    dynamic: bool
    startup: int
    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BootEntry:
    type: str
    controller: int | None
    location: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareState:
    secure_boot: bool
    secure_boot_template: str | None
    boot_order: tuple[BootEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TpmState:
    """`key_protector` is its number of bytes; fewer than 16 are a placeholder.

    Source: docs/reference/hyperv.md, "TPM".
    """

    enabled: bool
    key_protector: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedDrive:
    kind: str
    controller_type: str
    controller: int
    location: int
    path: str | None
    shared: bool
    size: int | None
    minimum_size: int | None
    chain: tuple[str, ...]

    @property
    def place(self) -> tuple[int, int]:
        return (self.controller, self.location)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterState:
    id: str
    name: str
    mac_address: str
    dynamic_mac: bool
    mac_address_spoofing: bool
    dhcp_guard: bool
    router_guard: bool
    switch: str | None
    switch_name: str | None
    vlan_mode: str
    vlan: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    id: str
    name: str
    notes: str
    generation: int
    version: str
    state: str
    operational_status: tuple[str, ...]
    path: str
    start_action: str
    start_delay: int
    stop_action: str
    checkpoint_type: str
    automatic_checkpoints: bool | None
    checkpoints: int
    processor: Processor
    memory: MemoryState
    firmware: FirmwareState
    tpm: TpmState
    integration_services: tuple[IntegrationService, ...]
    scsi_controllers: int
    drives: tuple[AttachedDrive, ...]
    network_adapters: tuple[AdapterState, ...]

    def drive_at(self, place: tuple[int, int]) -> AttachedDrive | None:
        for drive in self.drives:
            if drive.controller_type == "SCSI" and drive.place == place:
                return drive
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class OurMachine:
    machine: Machine
    record: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    asked: str
    path: str
    kind: str
    size: int | None
    sha256: str | None
    text: str | None
    attributes: tuple[str, ...]
    empty: bool | None
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskState:
    path: str
    size: int
    file_size: int
    minimum_size: int | None
    parent: str | None
    type: str
    format: str
    chain: tuple[str, ...]
    healthy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeSpace:
    asked: str
    path: str
    bytes: int | None
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """What the host could not read of one thing: the id of a machine, a path, or `host`."""

    object: str
    what: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    host: HostFacts
    switches: tuple[Switch, ...]
    machines: tuple[MachineSummary, ...]
    ours: tuple[OurMachine, ...]
    files: tuple[FileState, ...]
    disks: tuple[DiskState, ...]
    free: tuple[FreeSpace, ...]
    unread: tuple[Unread, ...]

    def file(self, path: str) -> FileState | None:
        """The file asked for as `path`; None where it is absent or was not asked for."""
        for each in self.files:
            if path.casefold() in (each.asked.casefold(), each.path.casefold()):
                return None if each.kind == "absent" else each
        return None

    def disk(self, path: str) -> DiskState | None:
        for each in self.disks:
            if each.path.casefold() == path.casefold():
                return each
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestAdapter:
    id: str
    name: str
    mac_address: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestItems:
    """What the guest says of itself: data that cannot be trusted."""

    guest: dict[str, str]
    intrinsic: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestNetwork:
    adapter: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostName:
    """What the host's resolver says of a name."""

    name: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbor:
    mac_address: str
    address: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestState:
    """One look at a running machine, as the operation `observe` gives it.

    `state` is None where the machine is gone.
    """

    state: str | None
    operational_status: tuple[str, ...]
    heartbeat: str | None
    uptime: int | None
    adapters: tuple[GuestAdapter, ...]
    kvp: GuestItems
    guest_network: tuple[GuestNetwork, ...]
    neighbors: tuple[Neighbor, ...]
    names: tuple[HostName, ...]
