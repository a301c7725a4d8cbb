"""E14xx: what Azure cannot do, or does otherwise than a catlet asks."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from eryphc.diagnostics.model import Code, Diagnostic, Label, Level, finding, wording
from eryphc.diagnostics.said import Own, Words
from eryphc.source import Span

AZURE_NAME = Code("E1401", "azure-name")
AZURE_SIZE = Code("E1404", "azure-size")
AZURE_SIZE_UNKNOWN = Code("W1405", "azure-size-unknown")
DRIVE_KIND = Code("E1402", "azure-drive-kind")
GENERATION = Code("E1403", "azure-generation")
DEVICE_NAME = Code("W1406", "azure-device-name")
NO_OUTBOUND = Code("W1407", "azure-no-outbound")
DISK = Code("E1408", "azure-disk")
IMAGE_MISSING = Code("N1409", "azure-image-missing")
IMAGE_MOVES = Code("N1410", "azure-image-moves")
BASE_FOR_KVM = Code("W1411", "azure-base-for-kvm")
AGENT_CONTENDS = Code("W1412", "azure-agent-contends")
IMAGE_UNKNOWN = Code("E1413", "azure-image-unknown")
VOLUME_UNKNOWN_DRIVE = Code("E1414", "azure-volume-unknown-drive")
VOLUME_UNUSED = Code("W1415", "azure-volume-unused")

# By the values of `ComputerNameFault` in eryphc.targets.azure.names.
_NAME_FAULTS: Final = {
    "empty": "it is empty",
    "too-long": "it has more than {longest} characters",
    "character": "it may hold only {allowed} of ASCII",
    "ends": "it begins or ends with a hyphen or a period",
    "digits-alone": "it has digits alone",
}
# By the values of `Need` in eryphc.targets.azure.sizes.
_LACKS: Final = {
    "vcpus": "it has {has} vcpus, and {asked} are asked for",
    "memory": "it has {has} of memory, and {asked} are asked for",
    "data-disks": "it takes {has} data disks, and {asked} are asked for",
    "interfaces": "it takes {has} network interfaces, and {asked} are asked for",
    "generation": "it boots images of generation {has}, and {asked} is asked for",
    "architecture": "it has another processor architecture",
    "trusted-launch": "it has no trusted launch, which `secure_boot` and `tpm` need",
    "nested-virtualization": "no virtual machine can run in it",
}
_MIB_OF_A_GIB: Final = 1024


@wording
def azure_name(
    name: Words,
    faults: Sequence[StrEnum],
    longest: int,
    proposal: Words,
    span: Span | None,
    *,
    windows: bool,
) -> Diagnostic:
    """`proposal` is a name that Azure takes, made from `name`; `longest` is in characters."""
    allowed = "letters, digits and hyphens" if windows else "letters, digits, hyphens and periods"
    return finding(
        AZURE_NAME,
        f"Azure refuses `{name}` as a computer name",
        span,
        notes=[_NAME_FAULTS[fault].format(longest=longest, allowed=allowed) for fault in faults],
        help=f"`hostname: {proposal}` would pass",
    )


@wording
def azure_size_none(
    nearest: Own,
    lacks: Sequence[tuple[StrEnum, int, int]],
    other: Own | None,
    date: Own,
    span: Span | None,
    *,
    other_is_nvme: bool = False,
) -> Diagnostic:
    """`lacks` are what is too small, what is asked of it, and what there is; memory in MiB.

    `other` is a size that would hold the catlet and is never chosen unasked. `date` is that of
    the list.
    """
    notes = [f"the nearest is `{nearest}`: {_listed(lacks)}", f"the list of sizes is of {date}"]
    if other is not None and other_is_nvme:
        notes.append(f"the image must have NVMe drivers for `{other}`")
    return finding(
        AZURE_SIZE,
        "none of the sizes that are chosen by default can hold the catlet",
        span,
        notes=notes,
        help=None if other is None else f"`--azure-size {other}` would hold it",
    )


@wording
def azure_size_too_small(
    size: Own, lacks: Sequence[tuple[StrEnum, int, int]], fitting: Own | None, span: Span | None
) -> Diagnostic:
    """`lacks` are as in `azure_size_none`; `fitting` is the size that is chosen by default."""
    return finding(
        AZURE_SIZE,
        f"the size `{size}` cannot hold the catlet: {_listed(lacks)}",
        span,
        help=None if fitting is None else f"`{fitting}` holds it, and is chosen when none is named",
    )


@wording
def azure_size_unknown(name: Words, date: Own, meant: Own | None, span: Span | None) -> Diagnostic:
    """`date` is that of the list; `meant` is the name in it that was meant."""
    return finding(
        AZURE_SIZE_UNKNOWN,
        f"the list of Azure's sizes of {date} has no `{name}`",
        span,
        notes=("the size is used as it is written, and nobody checks what it can hold",),
        help=None if meant is None else f"did you mean `{meant}`?",
    )


def _listed(lacks: Sequence[tuple[StrEnum, int, int]]) -> str:
    return "; ".join(
        _LACKS[need].format(asked=_figure(need, asked), has=_figure(need, has))
        for need, asked, has in lacks
    )


def _figure(need: StrEnum, value: int) -> str:
    if need != "memory":
        return f"{value:,}"
    if value % _MIB_OF_A_GIB:
        return f"{value:,} MiB"
    return f"{value // _MIB_OF_A_GIB:,} GiB"


@wording
def drive_kind(drive: Words, kind: Own, span: Span | None) -> Diagnostic:
    return finding(
        DRIVE_KIND,
        f"drive `{drive}` is a `{kind}`, which Azure does not have",
        span,
        help="make it a `vhd`, or leave it out for this target",
    )


@wording
def generation_one(capability: Own, span: Span | None) -> Diagnostic:
    return finding(
        GENERATION,
        f"`{capability}` needs a machine of generation 2, and this one has generation 1",
        span,
        help="leave `--azure-generation 1` out and use an image that boots by UEFI",
    )


@wording
def generation_differs(drive: Words, boots: Own, wanted: int, span: Span | None) -> Diagnostic:
    return finding(
        GENERATION,
        f"the image of drive `{drive}` boots by {boots}, and the machine has generation {wanted}",
        span,
        notes=("generation 1 boots by BIOS, generation 2 by UEFI from a GPT disk",),
        help="say `--azure-generation`, or take an image that boots in the other way",
    )


@wording
def image_of_generation_two(parent: Words, span: Span | None) -> Diagnostic:
    return finding(
        GENERATION,
        f"the vendor's image of `{parent}` boots by UEFI, and the machine has generation 1",
        span,
        help="leave `--azure-generation 1` out, or name an image of generation 1",
    )


@wording
def device_name(entry: Words, device: Words, span: Span | None) -> Diagnostic:
    return finding(
        DEVICE_NAME,
        f"`{entry}` names `{device}`, and on Azure the letters of disks change between boots",
        span,
        help="use /dev/disk/azure/scsi1/lunN: N is the place of the drive in the catlet, from 0",
    )


@wording
def no_outbound(
    entry: Words, what: Own, span: Span | None, related: tuple[Label, ...] = ()
) -> Diagnostic:
    return finding(
        NO_OUTBOUND,
        f"`{entry}` fetches {what}, and `outbound: none` gives the machine no way out",
        span,
        help="use `outbound: natGateway`, or an image that has it all",
        related=related,
    )


@wording
def disk_refused(
    drive: Words, why: Own, span: Span | None, advice: Own | None = None
) -> Diagnostic:
    return finding(
        DISK,
        f"the disk of drive `{drive}` {why}",
        span,
        help=advice,
        notes=("Azure answers `InvalidVhd` or `InvalidParameter` for such a disk",),
    )


@wording
def image_missing(drive: Words, offer: Own | None, span: Span | None) -> Diagnostic:
    notes = [] if offer is None else [f"`--azure-image {offer}` takes the vendor's own build"]
    return finding(
        IMAGE_MISSING,
        f"no image is at hand for drive `{drive}`, so no disk is written for it",
        span,
        notes=notes,
        help="fetch it with `eryphc volume fetch SPEC --into POOL`, or deploy with the id of an "
        "image that you have (`deploy.sh -i`)",
    )


@wording
def image_moves(image: Words, span: Span | None) -> Diagnostic:
    return finding(
        IMAGE_MOVES,
        f"`{image}` is another image tomorrow",
        span,
        help="name a version instead of `latest`",
    )


@wording
def base_for_kvm(architecture: Words) -> Diagnostic:
    return finding(
        BASE_FOR_KVM,
        f"`{architecture}` chooses genes for KVM: their images wait for a seed that Azure lacks",
        help="leave `--arch` out, or say `--arch azure/amd64`",
    )


@wording
def agent_contends(entry: Words, key: Own, span: Span | None) -> Diagnostic:
    return finding(
        AGENT_CONTENDS,
        f"`{entry}` sets `{key}`, which Azure's Provisioning Agent sets too",
        span,
        help="leave it to the template",
    )


@wording
def image_unknown(parent: Words, known: Sequence[Own], span: Span | None) -> Diagnostic:
    names = ", ".join(f"`{name}`" for name in known)
    return finding(
        IMAGE_UNKNOWN,
        f"no marketplace image is known for the parent `{parent}`",
        span,
        notes=(f"there is one for {names}",),
        help="name it: `--azure-image Publisher:Offer:Sku:Version`",
    )


@wording
def image_malformed(text: Words, span: Span | None) -> Diagnostic:
    return finding(
        IMAGE_UNKNOWN,
        f"`{text}` is no image: Publisher:Offer:Sku:Version, `auto`, or the id of a version",
        span,
    )


@wording
def data_image_missing(drive: Words, span: Span | None) -> Diagnostic:
    return finding(
        IMAGE_MISSING,
        f"no image is at hand for drive `{drive}`, and a data disk is made of nothing else",
        span,
        help="fetch it with `eryphc volume fetch SPEC --into POOL`, or name a file with "
        "`--volume DRIVE=PATH`",
    )._replace(level=Level.ERROR)


@wording
def disk_unreadable(drive: Words, reason: Words, span: Span | None) -> Diagnostic:
    return finding(DISK, f"the disk of drive `{drive}` cannot be read: {reason}", span)


@wording
def volume_unknown_drive(drive: Own, known: Sequence[Words]) -> Diagnostic:
    """`drive` is a word of the command line."""
    names = ", ".join(f"`{name}`" for name in known)
    return finding(
        VOLUME_UNKNOWN_DRIVE,
        f"`--volume {drive}=...` names a drive that the catlet does not have",
        notes=(f"it has {names}" if names else "it has no drive with a disk",),
    )


@wording
def volume_unused(drive: Words) -> Diagnostic:
    return finding(
        VOLUME_UNUSED,
        f"`--volume` gives drive `{drive}` an image, and the machine boots another one",
        help="leave `--volume` or `--azure-image` (`azure: image`) out",
    )


@wording
def image_unnamed(span: Span | None) -> Diagnostic:
    return finding(
        IMAGE_MISSING,
        "the catlet has no image to boot from, so the deployment must name one",
        span,
        help="name a parent, give a file with `--volume`, take `--azure-image`, or deploy with the "
        "id of an image that you have (`deploy.sh -i`)",
    )
