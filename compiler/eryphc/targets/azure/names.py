"""What everything of a machine is called in Azure, made from what the catlet calls it.

A name stays as it is where Azure takes it. Else what Azure does not take becomes a hyphen, what is
too long is cut, and a hash of the whole name follows. Names that differ, letter case aside, stay
different that way: a name that only looks as if a hash followed it gets one too.
Source: docs/reference/azure.md, "Names".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.guest.model import GuestKind
from eryphc.identifiers import GeneId

VM_LONGEST: Final = 64
NETWORK_LONGEST: Final = 64
LONGEST: Final = 80
"""Of disks, images, interfaces, subnets, security groups, gateways and public addresses."""
OFFER_LONGEST: Final = 64
COMPUTER_NAME_LONGEST: Final = {GuestKind.LINUX: 64, GuestKind.WINDOWS: 15}

PUBLISHER: Final = "eryphc"

_DIGITS: Final = 12
_FEW_DIGITS: Final = 4
_PLAIN: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_LOOKS_HASHED: Final = re.compile(rf"(?:\A|-)[0-9A-Fa-f]{{{_DIGITS}}}\Z")
_OTHERS: Final = re.compile(r"[^A-Za-z0-9]+")
_KEY: Final = re.compile(r"[0-9a-f]{64}")
# Azure puts its own services into subnets of these names, and nothing else.
_RESERVED_SUBNETS: Final = frozenset(
    (
        "gatewaysubnet",
        "azurefirewallsubnet",
        "azurefirewallmanagementsubnet",
        "azurebastionsubnet",
        "routeserversubnet",
    )
)


class MachineNames(NamedTuple):
    """The names of one machine's resources, which all begin with that of the machine.

    `interfaces` are by adapter, `disks` by data drive, `subnets` by network of the catlet. Subnets
    lie in the machine's own network and are called like the catlet's networks.
    """

    machine: str
    security_group: str
    network: str
    nat_address: str
    nat_gateway: str
    address: str
    os_disk: str
    interfaces: FrozenMap[str]
    disks: FrozenMap[str]
    subnets: FrozenMap[str]

    def listed(self) -> Iterator[tuple[str, str]]:
        """Each resource that can be made: its type and its name, for people who look for it."""
        yield "Microsoft.Network/networkSecurityGroups", self.security_group
        yield "Microsoft.Network/virtualNetworks", self.network
        for name in self.subnets.values():
            yield "Microsoft.Network/virtualNetworks/subnets", name
        yield "Microsoft.Network/publicIPAddresses", self.nat_address
        yield "Microsoft.Network/natGateways", self.nat_gateway
        yield "Microsoft.Network/publicIPAddresses", self.address
        for name in self.interfaces.values():
            yield "Microsoft.Network/networkInterfaces", name
        yield "Microsoft.Compute/disks", self.os_disk
        for name in self.disks.values():
            yield "Microsoft.Compute/disks", name
        yield "Microsoft.Compute/virtualMachines", self.machine


class ImageNames(NamedTuple):
    """What an image is called in a gallery. `offer` and `sku` identify it beside `PUBLISHER`.

    `blob` is the name of the VHD that the version is made of.
    """

    definition: str
    offer: str
    sku: str
    version: str
    blob: str


def machine_names(
    catlet: str, adapters: Iterable[str], data_drives: Iterable[str], networks: Iterable[str]
) -> MachineNames:
    """All names of a machine. A data drive called `os` leaves its name to the system drive."""
    machine = _fitted(catlet, VM_LONGEST)
    os_disk = _fitted(f"{machine}-os", LONGEST)
    taken = frozenset((os_disk.lower(),))
    return MachineNames(
        machine=machine,
        security_group=_fitted(f"{machine}-nsg", LONGEST),
        network=_fitted(f"{machine}-vnet", NETWORK_LONGEST),
        nat_address=_fitted(f"{machine}-nat-ip", LONGEST),
        nat_gateway=_fitted(f"{machine}-nat", LONGEST),
        address=_fitted(f"{machine}-ip", LONGEST),
        os_disk=os_disk,
        interfaces=FrozenMap((name, _fitted(f"{machine}-{name}", LONGEST)) for name in adapters),
        disks=FrozenMap(
            (name, _fitted(f"{machine}-{name}", LONGEST, taken)) for name in data_drives
        ),
        subnets=FrozenMap((name, _fitted(name, LONGEST, _RESERVED_SUBNETS)) for name in networks),
    )


def image_names(
    gene: GeneId | None, key: str, generation: int, *, nvme: bool = False
) -> ImageNames:
    """The names of the image made of the disk with this `key`, 64 hexadecimal digits.

    The definition says what cannot be changed later: the volume gene, else the disk itself; the
    generation; whether it is tagged for NVMe. The version follows from the disk alone.
    """
    if _KEY.fullmatch(key) is None:
        raise ValueError("the key of a disk is 64 hexadecimal digits in lower case")
    sku = f"v{generation}"
    tail = f"-{sku}-nvme" if nvme else f"-{sku}"
    if gene is None:
        base = f"disk-{key[:_DIGITS]}"
    else:
        written = f"{gene.geneset}:{gene.name}"
        base = _fitted(re.sub(r"[^A-Za-z0-9]", "-", written), LONGEST - len(tail), hashed=written)
    definition = base + tail
    return ImageNames(
        definition=definition,
        offer=_fitted(definition, OFFER_LONGEST),
        sku=sku,
        version=image_version(key),
        blob=f"{key}.vhd",
    )


def image_version(key: str) -> str:
    """`1.A.B`: the first and the second 32 bits of the key as numbers that fit a signed one."""
    return f"1.{int(key[:8], 16) >> 1}.{int(key[8:16], 16) >> 1}"


class ComputerNameFault(StrEnum):
    """Why Azure refuses a computer name."""

    EMPTY = "empty"
    TOO_LONG = "too-long"
    CHARACTER = "character"
    ENDS = "ends"
    DIGITS_ALONE = "digits-alone"


class ComputerNameRefused(NamedTuple):
    """All that is wrong with a computer name, and a name that Azure takes."""

    faults: tuple[ComputerNameFault, ...]
    proposal: str


def computer_name_refused(name: str, guest: GuestKind) -> ComputerNameRefused | None:
    """What Azure has against `name` as the name that the guest gets; None where it takes it."""
    faults = tuple(_computer_name_faults(name, guest))
    return ComputerNameRefused(faults, _proposal(name, guest)) if faults else None


def _computer_name_faults(name: str, guest: GuestKind) -> Iterator[ComputerNameFault]:
    if not name:
        yield ComputerNameFault.EMPTY
        return
    if len(name) > COMPUTER_NAME_LONGEST[guest]:
        yield ComputerNameFault.TOO_LONG
    allowed = r"[A-Za-z0-9-]+" if guest is GuestKind.WINDOWS else r"[A-Za-z0-9.-]+"
    if re.fullmatch(allowed, name) is None:
        yield ComputerNameFault.CHARACTER
    if {name[0], name[-1]} & {"-", "."}:
        yield ComputerNameFault.ENDS
    if guest is GuestKind.WINDOWS and re.fullmatch("[0-9]+", name):
        yield ComputerNameFault.DIGITS_ALONE


def _proposal(name: str, guest: GuestKind) -> str:
    others = _OTHERS if guest is GuestKind.WINDOWS else re.compile(r"[^A-Za-z0-9.]+")
    made = others.sub("-", name).strip("-.")
    if not made:
        return f"vm-{_digest(name)[:_FEW_DIGITS]}"
    if guest is GuestKind.WINDOWS and re.fullmatch("[0-9]+", made):
        made = f"vm-{made}"
    longest = COMPUTER_NAME_LONGEST[guest]
    if len(made) <= longest:
        return made
    digits = _digest(name)[:_FEW_DIGITS]
    return f"{made[: longest - _FEW_DIGITS - 1].rstrip('-.')}-{digits}"


def _fitted(
    name: str, longest: int, taken: frozenset[str] = frozenset(), hashed: str | None = None
) -> str:
    """`name`, or what stands for it where Azure does not take it or it is one of `taken`.

    The hash is that of `hashed`, else that of the name.
    """
    if (
        len(name) <= longest
        and _PLAIN.fullmatch(name)
        and not _LOOKS_HASHED.search(name)
        and name.lower() not in taken
    ):
        return name
    kept = _OTHERS.sub("-", name).strip("-")[: longest - _DIGITS - 1].rstrip("-")
    return f"{kept or 'eryphc'}-{_digest(hashed or name)[:_DIGITS]}"


def _digest(name: str) -> str:
    # Of bytes, `lower` changes ASCII letters alone, as Azure compares them.
    return hashlib.sha256(name.encode("utf-8", "surrogatepass").lower()).hexdigest()
