"""Drives, the volumes they start from, and where their files go.

Source: docs/reference/hyperv.md, "Disk files", "Attaching disks"; docs/reference/deployment.md,
"A drive", "A volume".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from eryph_runtime import deployment
from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.words import nearest
from eryphc.frozen import NamedTuple
from eryphc.ir.catlet import Drive, DriveType
from eryphc.ir.stages import Substituted
from eryphc.ir.volume import DiskFault, DiskImage
from eryphc.lint.engine import Rule, judge
from eryphc.targets.drives import is_inherited_system, system_drive, volume_genes
from eryphc.targets.hyperv.paths import is_reserved, path_fault
from eryphc.targets.hyperv.settings import DiskMode, HyperVDefaults
from eryphc.targets.hyperv.volumes import volume_of

GIB = 1024**3
# The place of the seed's DVD drive.
_SEED_LOCATION = 63
_BLANK_GIB = 1
_SHARED = (DriveType.SHARED_VHD, DriveType.VHD_SET)
SHARED_FOLDER = "shared-folder"


def setting(value: str | None, parameter: str) -> deployment.Setting:
    """A value or, if there is none, the parameter of `apply` that gives it."""
    return deployment.Setting(value=value, parameter=parameter if value is None else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What a plan says of the drives of a catlet.

    `drives` are in the catlet's order, `volumes` sorted by name. `boot_drive` names the drive that
    boots first. `open_stores` are the data stores whose folder is left open.
    """

    drives: tuple[deployment.Drive, ...]
    volumes: tuple[deployment.Volume, ...]
    boot_drive: str | None
    open_stores: frozenset[str]

    @property
    def shared(self) -> bool:
        """Whether several machines may share a disk."""
        return any(drive.shared for drive in self.drives)

    @property
    def shared_folder_open(self) -> bool:
        """Whether a shared disk lies in a folder that is left open."""
        folders = (drive.folder for drive in self.drives)
        return any(folder is not None and folder.parameter == SHARED_FOLDER for folder in folders)

    @property
    def files(self) -> list[str]:
        """The names of the disk files."""
        return [drive.file for drive in self.drives if drive.file is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AtHand:
    """Disk files at hand: `given` is `--volume`, drive to path; `files` what was read of each."""

    given: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[Path, DiskImage | DiskFault] = field(default_factory=dict)


def storage(
    catlet: Substituted, settings: HyperVDefaults, at_hand: AtHand
) -> tuple[Storage, tuple[Diagnostic, ...]]:
    """Every drive at its place on the controllers and the volume it starts from, and what is wrong.

    A drive that no host can have is reported and left out.
    """
    written = tuple(catlet.catlet.drives or ())
    modes = {name.lower(): mode for name, mode in settings.drives or ()}
    system = system_drive(catlet)
    genes = volume_genes(catlet)
    drives: list[deployment.Drive] = []
    volumes: list[deployment.Volume] = []
    creates: dict[str, deployment.Create] = {}
    boot_drive: str | None = None
    found: list[Diagnostic] = []
    for index, drive in enumerate(written):
        name = drive.name or ""
        gene = genes.get(drive.source or "")
        given = at_hand.given.get(name)
        found += judge(RULES, Written(drive, settings))
        volume: deployment.Volume | None = None
        if drive.type not in (DriveType.DVD, DriveType.PHD) and (
            gene is not None
            or is_inherited_system(catlet, drive)
            or given is not None
            or _on_host(drive)
        ):
            volume, faults = volume_of(drive, gene, given, at_hand.files)
            at_hand_file = gene.volume.path if gene is not None and gene.volume else None
            read = at_hand.files.get(at_hand_file) if given is None and at_hand_file else None
            found += (*faults, *_size_faults(drive, volume, read))
            volumes.append(volume)
            if boot_drive is None or drive is system:
                boot_drive = name
        mode = modes.get(name) or settings.disks or DiskMode.DIFFERENCING
        creates[name] = _create(drive, volume, mode)
        if drive.type is not DriveType.PHD:
            drives.append(_drive(drive, index, settings, creates[name], volume))
    found += _mode_faults(written, settings, modes, creates)
    known = [d.name or "" for d in written if d.type not in (DriveType.DVD, DriveType.PHD)]
    found += [
        wording.volume_unknown_drive(drive, known) for drive in at_hand.given if drive not in known
    ]
    if boot_drive is None:
        found.append(wording.no_boot_drive(catlet.catlet.at("drives")))
    stores = {_own_store(drive) for drive in written if drive.type is not DriveType.DVD}
    result = Storage(
        drives=tuple(drives),
        volumes=tuple(sorted(volumes, key=lambda volume: volume.name)),
        boot_drive=boot_drive,
        open_stores=frozenset(store for store in stores if store is not None),
    )
    return result, tuple(found)


def _on_host(drive: Drive) -> bool:
    return drive.source is not None and not drive.source.startswith("gene:")


def _create(drive: Drive, volume: deployment.Volume | None, mode: str) -> deployment.Create:
    if drive.type is DriveType.DVD:
        return deployment.Create.MEDIA
    if volume is None:
        return deployment.Create.BLANK
    if mode == DiskMode.COPY or drive.type in _SHARED:
        return deployment.Create.COPY
    return deployment.Create.DIFFERENCING


def _drive(
    drive: Drive,
    index: int,
    settings: HyperVDefaults,
    create: deployment.Create,
    volume: deployment.Volume | None,
) -> deployment.Drive:
    """The drive at place number `index`, counted over all controllers."""
    is_dvd = create is deployment.Create.MEDIA
    controller, location = divmod(index, _SEED_LOCATION)
    size = drive.size
    if size is None and create is deployment.Create.BLANK:
        size = _BLANK_GIB
    return deployment.Drive(
        name=drive.name or "",
        type=deployment.DriveType(drive.type or DriveType.VHD),
        controller=controller,
        location=location,
        folder=None if is_dvd else _folder(drive, settings),
        file=None if is_dvd else _file(drive),
        size=None if is_dvd or size is None else size * GIB,
        create=create,
        volume=volume.name if volume is not None else None,
        media=drive.source if is_dvd else None,
    )


def _file(drive: Drive) -> str:
    return f"{drive.name or ''}.{'vhds' if drive.type is DriveType.VHD_SET else 'vhdx'}"


class Written(NamedTuple):
    """A drive as the catlet has it, whatever it starts from."""

    drive: Drive
    settings: HyperVDefaults

    @property
    def name(self) -> str:
        return self.drive.name or ""


def _locations(written: Written) -> Iterator[Diagnostic]:
    drive = written.drive
    if drive.location is not None:
        at = drive.at("location")
        yield wording.location_ignored(f"drive `{written.name}`", drive.location, at)


def _of_the_host(written: Written) -> Iterator[Diagnostic]:
    drive = written.drive
    if drive.type is DriveType.PHD:
        yield wording.pass_through(written.name, drive.at("type"))
    elif drive.source is not None and _on_host(drive):
        fault = path_fault(drive.source)
        if fault is not None:
            yield wording.host_path(written.name, drive.source, fault, drive.at("source"))


def _keys_of_disks(written: Written) -> Iterator[Diagnostic]:
    drive = written.drive
    for key, value in (("size", drive.size), ("store", _own_store(drive))):
        if drive.type is DriveType.DVD and value is not None:
            why = "a DVD drive has no disk file"
            yield wording.without_effect(f"the {key} of drive `{written.name}`", why, drive.at(key))


def _unshared(written: Written) -> Iterator[Diagnostic]:
    """A shared disk in a folder that no other host can reach."""
    drive, settings = written
    folder = settings.folders.disks if settings.folders is not None else None
    if folder is None or _is_shared(folder) or _own_store(drive) is not None:
        return
    if drive.type in _SHARED:
        yield wording.shared_needs_share(written.name, drive.type, folder, drive.at("type"))


def _reserved(written: Written) -> Iterator[Diagnostic]:
    drive = written.drive
    if drive.type is not DriveType.DVD and is_reserved(written.name):
        yield wording.reserved_name("drive", written.name, _file(drive), drive.at("name"))


def _own_store(drive: Drive) -> str | None:
    return drive.store if (drive.store or "default") != "default" else None


def _folder(drive: Drive, settings: HyperVDefaults) -> deployment.Setting:
    """A drive's store chooses its folder; the default store is the folder of disks."""
    store = _own_store(drive)
    if store is not None:
        return setting(None, f"store-{store}")
    folder = settings.folders.disks if settings.folders is not None else None
    return setting(folder, SHARED_FOLDER if drive.type in _SHARED else "folder")


def _is_shared(folder: str) -> bool:
    return folder.startswith("\\\\") or folder.lower().startswith("c:\\clusterstorage\\")


def _size_faults(
    drive: Drive, volume: deployment.Volume, read: DiskImage | DiskFault | None
) -> Iterator[Diagnostic]:
    """`read` is the file at hand, which may have to be converted first: its disk stays as large."""
    wanted = drive.size * GIB if drive.size is not None else None
    has = volume.virtual_size
    if has is None and isinstance(read, DiskImage):
        has = read.virtual_size
    if wanted is not None and has is not None and wanted < has:
        yield wording.drive_too_small(drive.name or "", wanted, has, drive.at("size"))


def _mode_faults(
    drives: tuple[Drive, ...],
    settings: HyperVDefaults,
    modes: Mapping[str, str],
    creates: Mapping[str, deployment.Create],
) -> Iterator[Diagnostic]:
    """Modes of the project file for drives that the catlet lacks, or that start from nothing."""
    names = [drive.name or "" for drive in drives]
    at = settings.at("drives")
    for name, mode in modes.items():
        what = f"`{mode}` of drive `{name}` under `hyperv: drives:`"
        if name not in names:
            open_names = [other for other in names if other not in modes]
            yield wording.setting_unknown("drives", name, "drive", nearest(name, open_names), at)
        elif creates[name] is deployment.Create.BLANK:
            yield wording.without_effect(what, "the drive starts blank", at)
        elif creates[name] is deployment.Create.MEDIA:
            yield wording.without_effect(what, "a DVD drive has no disk file", at)
    for name in names:
        if creates[name] is deployment.Create.COPY and modes.get(name) == DiskMode.DIFFERENCING:
            what = f"`differencing` of drive `{name}` under `hyperv: drives:`"
            yield wording.without_effect(what, "a shared disk is always a copy", at)


RULES: Final[tuple[Rule[Written], ...]] = (
    Rule(wording.LOCATION_IGNORED, _locations),
    Rule(wording.PASS_THROUGH, _of_the_host, more=(wording.HOST_PATH,)),
    Rule(wording.WITHOUT_EFFECT, _keys_of_disks),
    Rule(wording.SHARED_NEEDS_SHARE, _unshared),
    Rule(wording.RESERVED_NAME, _reserved),
)
# Found while disks are decided.
KINDS: Final = (
    wording.SETTING_UNKNOWN,
    wording.SETTING_ELSEWHERE,
    wording.WITHOUT_EFFECT,
    wording.NO_BOOT_DRIVE,
)
