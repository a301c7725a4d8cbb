"""Names that Azure takes, from names that it does not."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from eryphc.diagnostics import azure as wording
from eryphc.diagnostics.said import Said
from eryphc.guest.model import GuestKind
from eryphc.identifiers import GeneId, GeneSetId
from eryphc.targets.azure.names import (
    COMPUTER_NAME_LONGEST,
    ComputerNameFault,
    ComputerNameRefused,
    MachineNames,
    computer_name_refused,
    image_names,
    machine_names,
)
from places import ARM_SCHEMAS, NO_ARM_SCHEMAS
from saying import said

pytestmark = pytest.mark.once

KEY = hashlib.sha256(b"a disk").hexdigest()

# What Azure's page of naming rules allows, by type.
_COMMON = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
RULES = {
    "Microsoft.Compute/virtualMachines": (1, 64, r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"),
    "Microsoft.Compute/disks": (1, 80, _COMMON),
    "Microsoft.Network/networkInterfaces": (1, 80, _COMMON),
    "Microsoft.Network/networkSecurityGroups": (1, 80, _COMMON),
    "Microsoft.Network/publicIPAddresses": (1, 80, _COMMON),
    "Microsoft.Network/natGateways": (1, 80, _COMMON),
    "Microsoft.Network/virtualNetworks": (2, 64, _COMMON),
    "Microsoft.Network/virtualNetworks/subnets": (1, 80, _COMMON),
}
IMAGE = (1, 80, r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?")
COMPUTER = {
    GuestKind.LINUX: r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?",
    GuestKind.WINDOWS: r"(?![0-9]*\Z)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?",
}

HOSTILE = st.one_of(
    st.text(max_size=120),
    st.text("ab-._/ [']${}\r\n\0\u202e\u0130\u212aÄ0", max_size=120),
    st.from_regex(r"[a-z0-9]+(?:-[a-z0-9]+)*", fullmatch=True),
    # What looks as if a hash followed it, and what is told apart only by its end.
    st.from_regex(r"(?:web-)?[0-9a-f]{12}", fullmatch=True),
    st.builds("{}{}".format, st.sampled_from(["a" * 63, "b" * 79, "c-" * 40]), st.text(max_size=3)),
    st.sampled_from(["", "os", "nsg", "nat-ip", "gatewaysubnet", "AzureBastionSubnet", "-", "..."]),
)
LISTS = st.lists(HOSTILE, max_size=6, unique_by=lambda name: folded(name))


def folded(name: str) -> bytes:
    """A name as it is compared: without the letter case of ASCII."""
    return name.encode("utf-8", "surrogatepass").lower()


def fits(name: str, rule: tuple[int, int, str]) -> bool:
    shortest, longest, pattern = rule
    return shortest <= len(name) <= longest and re.fullmatch(pattern, name) is not None


def distinct(names: list[str]) -> bool:
    return len({name.lower() for name in names}) == len(names)


def test_names_of_a_machine() -> None:
    names = machine_names("web-01", ("eth0", "eth1"), ("data", "os"), ("default", "dmz"))
    assert names == MachineNames(
        machine="web-01",
        security_group="web-01-nsg",
        network="web-01-vnet",
        nat_address="web-01-nat-ip",
        nat_gateway="web-01-nat",
        address="web-01-ip",
        os_disk="web-01-os",
        interfaces=names.interfaces,
        disks=names.disks,
        subnets=names.subnets,
    )
    assert dict(names.interfaces) == {"eth0": "web-01-eth0", "eth1": "web-01-eth1"}
    assert dict(names.disks) == {"data": "web-01-data", "os": "web-01-os-dd1424c15788"}
    assert dict(names.subnets) == {"default": "default", "dmz": "dmz"}


@pytest.mark.parametrize(
    ("catlet", "machine"),
    [
        pytest.param("web.example.com", "web-example-com-", id="periods"),
        pytest.param("web_1", "web-1-", id="an underscore"),
        pytest.param("a" * 65, "a" * 51 + "-", id="too long"),
        pytest.param("web-0123456789ab", "web-0123456789ab-", id="like one with a hash"),
        pytest.param("!!", "eryphc-", id="nothing that is allowed"),
        pytest.param("", "eryphc-", id="empty"),
    ],
)
def test_a_name_that_azure_does_not_take_gets_a_hash(catlet: str, machine: str) -> None:
    digits = hashlib.sha256(catlet.encode()).hexdigest()[:12]
    assert machine_names(catlet, (), (), ()).machine == machine + digits


@given(HOSTILE, LISTS, LISTS, LISTS)
@example("web", ["eth0"], ["os", "os-91c252c88a97"], ["gatewaysubnet"])
def test_every_name_keeps_the_rules(
    catlet: str, adapters: list[str], drives: list[str], networks: list[str]
) -> None:
    names = machine_names(catlet, adapters, drives, networks)
    for kind, name in names.listed():
        assert fits(name, RULES[kind]), (kind, name)
    assert list(names.interfaces) == adapters
    assert list(names.disks) == drives
    assert list(names.subnets) == networks
    assert distinct(list(names.interfaces.values()))
    assert distinct([names.os_disk, *names.disks.values()])
    assert distinct([names.nat_address, names.address])
    assert distinct(list(names.subnets.values()))
    assert names == machine_names(catlet, adapters, drives, networks)


@given(HOSTILE, HOSTILE)
def test_different_names_stay_different(one: str, other: str) -> None:
    first, second = (machine_names(name, (), (), ()).machine for name in (one, other))
    assert (first.lower() == second.lower()) == (folded(one) == folded(other))


@given(st.from_regex(r"[a-z0-9]{1,10}(?:[-][a-z0-9]{1,9}){0,4}", fullmatch=True))
def test_an_ordinary_name_is_kept(catlet: str) -> None:
    if re.search(r"(?:\A|-)[0-9a-f]{12}\Z", catlet) is None:
        assert machine_names(catlet, (), (), ()).machine == catlet


# --- computer names ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "guest", "faults", "proposal"),
    [
        ("web.example.com", GuestKind.LINUX, None, ""),
        ("a" * 64, GuestKind.LINUX, None, ""),
        ("12345", GuestKind.LINUX, None, ""),
        ("a" * 15, GuestKind.WINDOWS, None, ""),
        ("a" * 65, GuestKind.LINUX, ("too-long",), "a" * 59 + "-6353"),
        ("web server", GuestKind.LINUX, ("character",), "web-server"),
        ("web.", GuestKind.LINUX, ("ends",), "web"),
        ("-web-", GuestKind.LINUX, ("ends",), "web"),
        ("wéb\n", GuestKind.LINUX, ("character",), "w-b"),
        ("", GuestKind.LINUX, ("empty",), "vm-e3b0"),
        ("web.1", GuestKind.WINDOWS, ("character",), "web-1"),
        ("2024", GuestKind.WINDOWS, ("digits-alone",), "vm-2024"),
        ("0123456789012345", GuestKind.WINDOWS, ("too-long", "digits-alone"), "vm-0123456-184a"),
        ("production-web-01", GuestKind.WINDOWS, ("too-long",), "production-4033"),
        ("production-web-02", GuestKind.WINDOWS, ("too-long",), "production-ab17"),
    ],
)
def test_computer_name(
    name: str, guest: GuestKind, faults: tuple[str, ...] | None, proposal: str
) -> None:
    expected = None
    if faults is not None:
        expected = ComputerNameRefused(tuple(map(ComputerNameFault, faults)), proposal)
    assert computer_name_refused(name, guest) == expected


@given(HOSTILE, st.sampled_from(GuestKind))
def test_what_is_proposed_passes(name: str, guest: GuestKind) -> None:
    rule = (1, COMPUTER_NAME_LONGEST[guest], COMPUTER[guest])
    refused = computer_name_refused(name, guest)
    assert (refused is None) == fits(name, rule)
    if refused is not None:
        assert fits(refused.proposal, rule)
        assert computer_name_refused(refused.proposal, guest) is None


def test_what_is_said() -> None:
    name = "production.web.01"
    refused = computer_name_refused(name, GuestKind.WINDOWS)
    assert refused is not None
    told = said(
        wording.azure_name(
            Said(name), refused.faults, 15, Said(refused.proposal), None, windows=True
        )
    )
    assert told.message == "Azure refuses `production.web.01` as a computer name"
    assert told.notes == (
        "it has more than 15 characters",
        "it may hold only letters, digits and hyphens of ASCII",
    )
    assert told.help == f"`hostname: {refused.proposal}` would pass"
    for fault in ComputerNameFault:
        wording.azure_name(Said(name), (fault,), 64, Said("web"), None, windows=False)


# --- images ------------------------------------------------------------------------------------


def gene(text: str) -> GeneId:
    geneset, _, name = text.partition(":")
    return GeneId(GeneSetId(*geneset.split("/")), name)


SDA = gene("dbosoft/debian-12/std-1.0:sda")


@pytest.mark.parametrize(
    ("of", "generation", "nvme", "definition"),
    [
        (SDA, 2, False, "dbosoft-debian-12-std-1-0-sda-v2"),
        (SDA, 2, True, "dbosoft-debian-12-std-1-0-sda-v2-nvme"),
        (SDA, 1, False, "dbosoft-debian-12-std-1-0-sda-v1"),
        (None, 2, False, f"disk-{KEY[:12]}-v2"),
    ],
)
def test_image(of: GeneId | None, generation: int, nvme: bool, definition: str) -> None:  # noqa: FBT001
    names = image_names(of, KEY, generation, nvme=nvme)
    assert (names.definition, names.offer, names.sku) == (definition, definition, f"v{generation}")
    assert names.blob == f"{KEY}.vhd"


def test_a_long_gene_is_cut_and_keeps_its_end() -> None:
    names = [
        image_names(gene(f"{'a' * 40}/{'b' * 40}/{tag}:sda"), KEY, 2, nvme=True).definition
        for tag in ("1.0", "2.0")
    ]
    assert len(set(names)) == 2
    for name in names:
        assert len(name) == 80
        assert name.endswith("-v2-nvme")


@pytest.mark.parametrize(
    ("digits", "version"),
    [
        ("0000000000000000", "1.0.0"),
        ("ffffffffffffffff", "1.2147483647.2147483647"),
        ("8000000100000003", "1.1073741824.1"),
    ],
)
def test_version(digits: str, version: str) -> None:
    assert image_names(None, digits.ljust(64, "0"), 2).version == version


def test_a_key_is_what_it_should_be() -> None:
    with pytest.raises(ValueError, match="64"):
        image_names(None, KEY.upper(), 2)


PARTS = st.from_regex(r"[a-z0-9]+(?:[.-]{1,2}[a-z0-9]+)*", fullmatch=True)
GENES = st.builds(
    GeneId,
    st.builds(
        GeneSetId,
        PARTS.map(lambda s: s[:40]),
        PARTS.map(lambda s: s[:40]),
        PARTS.map(lambda s: s[:20]),
    ),
    PARTS.map(lambda s: s[:20]),
)


@given(st.none() | GENES, st.binary(), st.sampled_from((1, 2)), st.booleans())
def test_every_image_keeps_the_rules(
    of: GeneId | None,
    disk: bytes,
    generation: int,
    nvme: bool,  # noqa: FBT001
) -> None:
    names = image_names(of, hashlib.sha256(disk).hexdigest(), generation, nvme=nvme)
    assert fits(names.definition, IMAGE)
    assert fits(names.offer, (1, 64, IMAGE[2]))
    major, *rest = map(int, names.version.split("."))
    assert major == 1
    assert all(0 <= number < 2**31 for number in rest)


# --- the published schemas ---------------------------------------------------------------------

SCHEMAS = {
    "Microsoft.Compute/virtualMachines": "2025-11-01",
    "Microsoft.Compute/disks": "2025-01-02",
    "Microsoft.Compute/galleries": "2025-03-03",
    "Microsoft.Compute/galleries/images": "2025-03-03",
    "Microsoft.Compute/galleries/images/versions": "2025-03-03",
    "Microsoft.Network/networkSecurityGroups": "2025-05-01",
    "Microsoft.Network/virtualNetworks": "2025-05-01",
    "Microsoft.Network/virtualNetworks/subnets": "2025-05-01",
    "Microsoft.Network/publicIPAddresses": "2025-05-01",
    "Microsoft.Network/natGateways": "2025-05-01",
    "Microsoft.Network/networkInterfaces": "2025-05-01",
}


@cache
def validator(kind: str) -> Draft4Validator:
    """What the schema of a type says of its name, without the form of an expression."""
    index = json.loads((ARM_SCHEMAS / "index.json").read_text("utf-8"))
    file, _, pointer = index["definitions"][kind][SCHEMAS[kind]].partition("#/")
    schema: Any = json.loads((ARM_SCHEMAS / file).read_text("utf-8"))
    for part in pointer.split("/"):
        schema = schema[part]
    named = schema["properties"]["name"]
    named = next((each for each in named.get("oneOf", ()) if "pattern" in each), named)
    # A class between two characters of a range is one that no Python can read.
    named = {**named, "pattern": named.get("pattern", "").replace(r"\w-._", r"\w._-")}
    return Draft4Validator(named)


def of_schemas(names: MachineNames) -> Iterator[tuple[str, str]]:
    yield from names.listed()
    image = image_names(SDA, KEY, 2, nvme=True)
    # The one name with a published pattern; ours are made for stricter rules.
    yield "Microsoft.Compute/galleries", image.definition
    yield "Microsoft.Compute/galleries/images", image.definition
    yield "Microsoft.Compute/galleries/images/versions", image.version


@given(HOSTILE, LISTS, LISTS, LISTS)
def test_names_pass_the_published_schemas(
    catlet: str, adapters: list[str], drives: list[str], networks: list[str]
) -> None:
    if not ARM_SCHEMAS.is_dir():
        pytest.skip(NO_ARM_SCHEMAS)
    for kind, name in of_schemas(machine_names(catlet, adapters, drives, networks)):
        validator(kind).validate(name)
        assert validator("Microsoft.Compute/galleries").is_valid(name)
