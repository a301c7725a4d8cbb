"""The disks of the machine: which images they are made of, and what Azure has against them.

Source: docs/reference/azure.md, "Images and disks".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from eryphc.diagnostics import azure as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import Own, Said, name_of, own
from eryphc.frozen import NamedTuple
from eryphc.guest.model import GuestKind
from eryphc.identifiers import GeneId
from eryphc.ir.catlet import Drive, DriveType
from eryphc.ir.stages import Substituted
from eryphc.ir.volume import DiskFault, DiskImage, Firmware
from eryphc.targets.drives import is_inherited_system, system_drive, volume_genes
from eryphc.volumes.identity import conversion_key, whole_mib

GIB: Final = 1024**3
_SMALLEST: Final = 20 * 1024**2
_LARGEST_DISK: Final = 32_767
_LARGEST_SYSTEM: Final = {1: 2_048, 2: 4_095}
"""Of a system disk by the generation of its machine, in GiB."""
_LARGEST_IMAGE: Final = 2_047
"""Of an image in a gallery, in GiB."""
_UNKNOWN_IMAGE: Final = {GuestKind.LINUX: 30, GuestKind.WINDOWS: 127}
"""The size of an image whose size nobody knows, in GiB."""
_SECTOR: Final = 512
_KINDS: Final = {
    DriveType.PHD: own("phd"),
    DriveType.SHARED_VHD: own("shared_vhd"),
    DriveType.VHD_SET: own("vhd_set"),
}
_FIRMWARE: Final = {1: Firmware.BIOS, 2: Firmware.UEFI}
_BOOTS: Final = {Firmware.BIOS: own("BIOS"), Firmware.UEFI: own("UEFI")}


KINDS: Final = (wording.IMAGE_MISSING, wording.VOLUME_UNUSED)


class Image(NamedTuple):
    """A disk image at hand. `key` names the VHD that is made of it, `size` is that of the disk in
    the VHD, in bytes; `gene` is the volume gene that it belongs to."""

    path: Path
    format: str
    sha256: str
    key: str
    size: int
    gene: GeneId | None = None

    @property
    def blob(self) -> str:
        return f"{self.key}.vhd"

    @property
    def gib(self) -> int:
        return -(-self.size // GIB)


class Disk(NamedTuple):
    """A drive of the catlet, and the image that it begins with, None for an empty one."""

    drive: Drive
    image: Image | None


class Disks:
    """The disks of a catlet as Azure has them. `found` is what is wrong with them.

    `system` is the drive that the image of the machine replaces, `data` the others by their order.
    """

    def __init__(
        self,
        catlet: Substituted,
        given: Mapping[str, str],
        files: Mapping[Path, DiskImage | DiskFault],
        generation: int,
        *,
        own_image: bool,
    ) -> None:
        """`own_image`: no other image was named, so the machine boots that of its system drive."""
        self.found: list[Diagnostic] = []
        self._catlet = catlet
        self._given = given
        self._files = files
        self._genes = volume_genes(catlet)
        self._own_image = own_image
        drives = [
            drive
            for drive in catlet.catlet.drives or ()
            if drive.type is not DriveType.DVD and not self._refused(drive)
        ]
        names = {(drive.name or "").lower(): drive for drive in drives}
        self.found += [
            wording.volume_unknown_drive(Own(name), tuple(map(name_of, names.values())))
            for name in given
            if name not in names
        ]
        system = system_drive(catlet)
        self.system: Disk | None = None
        if system is not None and not own_image and (system.name or "").lower() in given:
            self.found.append(wording.volume_unused(name_of(system)))
        if system is not None:
            self.system = Disk(system, self._image(system, generation) if own_image else None)
            self._limit(system, _LARGEST_SYSTEM[generation])
        self.data = tuple(self._data(drive) for drive in drives if drive is not system)

    @property
    def has_no_image(self) -> bool:
        """Whether nothing tells what the machine boots from."""
        if not self._own_image or self.lacks_image:
            return False
        return self.system is None or self.system.image is None

    @property
    def lacks_image(self) -> bool:
        """Whether the system drive has an image that is not at hand."""
        if self.system is None or self.system.image is not None or not self._own_image:
            return False
        drive = self.system.drive
        return self._path(drive) is None and (
            drive.source is not None or is_inherited_system(self._catlet, drive)
        )

    def system_gib(self, guest: GuestKind) -> int | None:
        """The size of the system disk, where more was asked for than the image has."""
        if self.system is None or self.system.drive.size is None:
            return None
        image = self.system.image
        known = _UNKNOWN_IMAGE[guest] if image is None else image.gib
        asked = self.system.drive.size
        return asked if asked > known else None

    def images(self) -> Iterator[tuple[str, Image]]:
        """Each image once, with the name of the first drive that begins with it."""
        seen: set[str] = set()
        for disk in (*((self.system,) if self.system is not None else ()), *self.data):
            if disk.image is not None and disk.image.key not in seen:
                seen.add(disk.image.key)
                yield disk.drive.name or "", disk.image

    def missing(self) -> Iterator[Drive]:
        """The drives whose images are not at hand."""
        if self.lacks_image and self.system is not None:
            yield self.system.drive

    # --- one drive -----------------------------------------------------------------------------

    def _refused(self, drive: Drive) -> bool:
        kind = None if drive.type is None else _KINDS.get(drive.type)
        if kind is not None:
            self.found.append(wording.drive_kind(name_of(drive), kind, drive.at("type")))
        return kind is not None

    def _limit(self, drive: Drive, most: int) -> None:
        if drive.size is not None and drive.size > most:
            self._say(drive, f"has {drive.size:,} GiB, and Azure has at most {most:,}", "size")

    def _say(
        self, drive: Drive, why: str, key: str = "source", help_text: str | None = None
    ) -> None:
        at = drive.at(key) or drive.at("name")
        advice = None if help_text is None else Own(help_text)
        self.found.append(wording.disk_refused(name_of(drive), Own(why), at, advice))

    def _data(self, drive: Drive) -> Disk:
        self._limit(drive, _LARGEST_DISK)
        if self._path(drive) is None and drive.source is not None:
            at = drive.at("source") or drive.at("name")
            self.found.append(wording.data_image_missing(name_of(drive), at))
        return Disk(drive, self._image(drive))

    def _path(self, drive: Drive) -> Path | None:
        given = self._given.get((drive.name or "").lower())
        if given is not None:
            return Path(given)
        gene = self._genes.get(drive.source or "")
        return None if gene is None or gene.volume is None else gene.volume.path

    def _image(self, drive: Drive, generation: int | None = None) -> Image | None:
        """The image at hand for a drive; `generation` is that of a machine that boots from it."""
        path = self._path(drive)
        if path is None:
            return None
        read = self._files[path]
        at = drive.at("source") or drive.at("name")
        if isinstance(read, DiskFault):
            self.found.append(wording.disk_unreadable(name_of(drive), Said(read.reason), at))
            return None
        gene = self._genes.get(drive.source or "")
        if gene is not None and gene.volume is not None and gene.volume.path == path:
            read = read.as_described(gene.volume.format)
        fault = _fault(read)
        if fault is not None:
            self._say(drive, fault, help_text=read.help)
            return None
        size = whole_mib(read.virtual_size or 0)
        most = _LARGEST_DISK if generation is None else _LARGEST_IMAGE
        if size > most * GIB:
            self._say(drive, f"has {size // GIB:,} GiB, and Azure has at most {most:,}")
        if generation is not None and read.boots and _FIRMWARE[generation] not in read.boots:
            boots = _BOOTS[next(iter(read.boots))]
            self.found.append(wording.generation_differs(name_of(drive), boots, generation, at))
        sha256 = read.sha256 or ""
        return Image(
            path=path,
            format=read.format,
            sha256=sha256,
            key=conversion_key(sha256, size),
            size=size,
            gene=None if gene is None or self._given.get((drive.name or "").lower()) else gene.id,
        )


def _fault(read: DiskImage) -> str | None:
    """Why no VHD for Azure can be made of an image."""
    if read.problem is not None or read.differencing:
        return read.problem or "needs a parent, so the file alone is not the disk"
    if read.virtual_size is None or read.sha256 is None:
        return "has damaged headers"
    if read.sector != _SECTOR:
        return f"has sectors of {read.sector} bytes, and Azure takes 512 alone"
    if read.virtual_size < _SMALLEST:
        return "is smaller than 20 MiB, the least that Azure takes"
    return None
