"""Everything that the target decides, as plain data: the plan that templates and scripts show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from eryphc.artifacts.manifest import ManifestGene
from eryphc.diagnostics.losses import Loss
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.guest.platforms import Payload
from eryphc.targets.azure.disks import Image
from eryphc.targets.azure.names import ImageNames, MachineNames

CUSTOM_DATA_TAG: Final = "eryphc-custom-data"


class MarketplaceImage(NamedTuple):
    """An image that a publisher offers; `version` may be `latest`."""

    publisher: str
    offer: str
    sku: str
    version: str


class DataDisk(NamedTuple):
    """A disk beside that of the system. `lun` is its place, `size_gib` None: as large as its blob.

    `blob` names the page blob that it is made of, None for an empty disk.
    """

    name: str
    lun: int
    size_gib: int | None
    blob: str | None = None


class Interface(NamedTuple):
    """A network interface; `network` is the position of its network among those of the plan."""

    name: str
    network: int
    primary: bool


class Defaults(NamedTuple):
    """Defaults of the template's parameters; `location` None: that of the resource group."""

    location: str | None = None
    zone: str = ""
    outbound: str = "default"
    os_disk_type: str = "StandardSSD_LRS"
    admin_sources: tuple[str, ...] = ()
    tags: Mapping[str, str] = FrozenMap()


class GalleryImage(NamedTuple):
    """The image that the VHD of the system drive becomes."""

    names: ImageNames
    generation: int
    windows: bool
    nvme: bool


class AzurePlan(NamedTuple):
    """The machine and all beside it.

    `image` None: an image of one's own; `image_id` is its id where it is known.
    `accelerated` None: nobody knows whether the size needs it. `custom_data` are the bytes that the
    guest reads, None where nothing is handed over. `genes`
    are those of the manifest; `tags` stand on every resource, `machine_tags` on the machine too.
    `size_asked` is what the size was chosen by, for the report. `images` are those at hand, each
    once, with the drive that names its file.
    """

    tool: str
    catlet: str
    catlet_id: str
    windows: bool
    names: MachineNames
    computer_name: str
    size: str
    size_asked: Mapping[str, int]
    trusted_launch: bool
    secure_boot: bool
    tpm: bool
    generation: int
    nvme: bool
    accelerated: bool | None
    image: MarketplaceImage | None
    image_id: str | None
    os_disk_gib: int | None
    disks: tuple[DataDisk, ...]
    networks: tuple[str, ...]
    interfaces: tuple[Interface, ...]
    defaults: Defaults
    payload: Payload
    custom_data: bytes | None
    secret: bool
    genes: tuple[ManifestGene, ...]
    tags: Mapping[str, str]
    machine_tags: Mapping[str, str]
    images: tuple[tuple[str, Image], ...] = ()
    gallery: GalleryImage | None = None
    losses: tuple[Loss, ...] = ()

    @property
    def blobs(self) -> bool:
        """Whether a data disk is made of a blob."""
        return any(disk.blob is not None for disk in self.disks)

    def __repr__(self) -> str:
        # What is printed ends in logs.
        return f"AzurePlan({self.names.machine!r}, {self.size!r})"
