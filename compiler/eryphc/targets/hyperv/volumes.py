"""Where the disk of a drive comes from: a file at hand, a publisher, the host, or the operator.

Source: docs/reference/hyperv.md, "Disk files"; docs/reference/deployment.md, "A volume".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from eryph_runtime import deployment
from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.ir.catlet import Drive
from eryphc.ir.stages import PinnedGene
from eryphc.ir.volume import DiskFault, DiskImage, Volume
from eryphc.source import Span

Files = Mapping[Path, DiskImage | DiskFault]


KINDS: Final = (wording.VOLUME_ASKED, wording.VOLUME_FORMAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of the VHDX file that a drive starts from, and where it may come from.

    The sizes, of the file and of the disk in it, are in bytes.
    """

    sha256: str | None = None
    size: int | None = None
    virtual_size: int | None = None
    sources: tuple[deployment.VolumeSource, ...] = ()


def volume_of(
    drive: Drive, gene: PinnedGene | None, given: str | None, files: Files
) -> tuple[deployment.Volume, tuple[Diagnostic, ...]]:
    """Where the disk of a drive comes from; the last resort is always to ask for it.

    `given` is the path that `--volume` names, `files` what was read of the files at hand.
    """
    name = drive.name or ""
    known = _Known()
    found: tuple[Diagnostic, ...] = ()
    if given is not None:
        known, found = _given(name, given, files[Path(given)])
    elif gene is not None and gene.volume is not None:
        known, found = _from_gene(drive, gene, gene.volume, files)
    elif drive.source is not None and not drive.source.startswith("gene:"):
        known = _Known(sources=(deployment.HostSource(path=drive.source),))
    else:
        found = (wording.volume_asked(name, drive.at("name")),)
    made = deployment.Volume(
        name=name,
        gene=str(gene.id) if gene is not None else None,
        sha256=known.sha256,
        size=known.size,
        virtual_size=known.virtual_size,
        sources=(*known.sources, deployment.ParameterSource(drive=name)),
    )
    return made, found


def _given(
    name: str, path: str, read: DiskImage | DiskFault
) -> tuple[_Known, tuple[Diagnostic, ...]]:
    if isinstance(read, DiskFault):
        fault = wording.volume_missing if read.missing else wording.volume_unreadable
        return _Known(), (fault(name, path, read.reason),)
    if read.format != "vhdx":
        help_text = _remedy(name, path, read)
        return _Known(), (wording.volume_not_vhdx(name, path, _words(read.format), help_text),)
    if read.differencing:
        return _Known(), (wording.volume_incomplete(name, path),)
    return _measured(read), ()


def _measured(image: DiskImage) -> _Known:
    return _Known(sha256=image.sha256, size=image.size, virtual_size=image.virtual_size)


def _from_gene(
    drive: Drive, gene: PinnedGene, volume: Volume, files: Files
) -> tuple[_Known, tuple[Diagnostic, ...]]:
    name = drive.name or ""
    at = drive.at("source") or drive.at("name")
    known = _Known()
    found: tuple[Diagnostic, ...] = ()
    if volume.path is not None:
        path = _in_pool(gene, volume.path)
        known, found = _at_hand(name, path, volume.format, files[volume.path], at)
    published = _published(volume)
    if published is None:
        if volume.path is None:
            found = (*found, wording.volume_asked(name, at))
        return known, found
    known = replace(known, sources=(*known.sources, published))
    # A list has the digest of the published image; it is the VHDX's only if that is a VHDX.
    if volume.format == "vhdx" and known.sha256 is None:
        known = replace(known, sha256=volume.sha256, size=volume.size)
    return known, found


def _at_hand(
    name: str, path: str, said: str | None, read: DiskImage | DiskFault, at: Span | None
) -> tuple[_Known, tuple[Diagnostic, ...]]:
    """What the file of a pool at `path` gives; `said` is the format that its name says."""
    if isinstance(read, DiskFault):
        return _Known(), (wording.volume_unreadable(name, path, read.reason, at),)
    if read.format != "vhdx":
        kind = "raw" if said == "raw" and read.format == "unknown" else read.format
        help_text = _remedy(name, path, read)
        return _Known(), (wording.volume_format(name, _words(kind), help_text, at),)
    if read.differencing:
        return _Known(), (wording.volume_incomplete(name, path, at),)
    source = deployment.PoolSource(path=path, sha256=read.sha256)
    return replace(_measured(read), sources=(source,)), ()


def _words(kind: str) -> str:
    """What a file of a format is, in the words that follow "it is"."""
    from eryphc.volumes.containers import CONTAINERS
    from eryphc.volumes.headers import UNKNOWN

    if kind == UNKNOWN:
        return "no disk image that is known by its beginning"
    return CONTAINERS[kind].what if kind in CONTAINERS else f"a {kind} file"


def _remedy(drive: str, path: str, read: DiskImage) -> str | None:
    """How a VHDX is made of a file that is none; None where that is no matter of a command."""
    from eryphc.volumes.containers import CONTAINERS, advice
    from eryphc.volumes.headers import UNKNOWN

    if read.format in CONTAINERS:
        return advice(read.format, path)
    if read.format == UNKNOWN:
        command = f"eryphc volume convert --from raw {path} -o {drive}.vhdx"
        return f"if its bytes are those of the disk, convert it: {command}"
    return f"convert it: eryphc volume convert {path} -o {drive}.vhdx"


def _published(volume: Volume) -> deployment.UrlSource | None:
    """The publisher's image of a volume, None where nothing is known of it."""
    if volume.url is None:
        return None
    if volume.path is not None and not volume.url.lower().endswith(f".{volume.format}"):
        # What is known of the format is that of the file at hand.
        return None
    kind = "raw" if volume.format is None or volume.format == "img" else volume.format
    return deployment.UrlSource(
        url=volume.url,
        checksums_url=volume.checksums_url,
        format=deployment.VolumeFormat(kind),
        sha256=volume.sha256,
    )


def _in_pool(gene: PinnedGene, path: Path) -> str:
    """The path of a volume below the root of its pool."""
    parts = path.parts
    names = [part.lower() for part in parts]
    last = len(names) - 1
    if "volumes" not in names:
        return "/".join((str(gene.id.geneset), path.name))
    at = last - names[::-1].index("volumes")
    return "/".join((str(gene.id.geneset), *parts[at:]))
