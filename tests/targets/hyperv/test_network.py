"""Network adapters, their addresses and switches, and what the guest is told of them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from eryphc.guest.model import GuestKind, NetworkConfigMode
from eryphc.passes.given import invented_mac
from eryphc.request import BuildRequest
from eryphc.source import SourceText
from targets.hyperv.building import build

TWO = "networks:\n- name: default\n- {name: lan, adapter_name: eth1}\n"
ID = "11111111-2222-3333-4444-555555555555"
REQUEST = BuildRequest(name="web", catlet_id=ID)


def test_adapters_of_the_networks() -> None:
    result = build(TWO, request=REQUEST)
    adapters = result.document["network_adapters"]
    assert [(a["name"], a["network"]) for a in adapters] == [("eth0", "default"), ("eth1", "lan")]
    assert [a["mac_address"] for a in adapters] == [
        invented_mac(ID, name).replace(":", "").upper() for name in ("eth0", "eth1")
    ]
    assert [a["switch"]["parameter"] for a in adapters] == ["switch-default", "switch-lan"]
    defaults = {p["name"]: p["host_default"] for p in result.document["parameters"]}
    assert (defaults["switch-default"], defaults["switch-lan"]) == ("default-switch", None)


def test_a_network_makes_its_adapter() -> None:
    spec = "networks: [{name: lan, adapter_name: eth3}]\nnetwork_adapters: [{name: eth0}]\n"
    adapters = build(spec).document["network_adapters"]
    assert {a["name"]: a["network"] for a in adapters} == {"eth0": None, "eth3": "lan"}


def test_switches_of_the_project_file() -> None:
    project = "hyperv: {switches: {LAN: Office}}\n"
    adapters = build(TWO, project=project).document["network_adapters"]
    assert adapters[1]["switch"] == {"value": "Office", "parameter": None}


@pytest.mark.parametrize(
    ("guest", "version"), [(GuestKind.LINUX, 2), (GuestKind.WINDOWS, 1)], ids=["linux", "windows"]
)
@pytest.mark.parametrize("mode", list(NetworkConfigMode), ids=str)
def test_the_guest_is_told_of_every_address(
    guest: GuestKind, version: int, mode: NetworkConfigMode
) -> None:
    result = build(TWO, guest=guest, network=mode)
    config = yaml.safe_load(result.seed_files()["network-config"])
    assert config["version"] == version
    macs = [a["mac_address"].lower() for a in result.document["network_adapters"]]
    if version == 2:
        found = [entry["match"]["macaddress"] for entry in config["ethernets"].values()]
    else:
        found = [entry["mac_address"] for entry in config["config"]]
    assert [mac.replace(":", "") for mac in found] == macs
    assert ("N0706" in result.codes()) == (mode is NetworkConfigMode.NEVER)


def test_a_file_of_the_user_gets_the_addresses_of_the_deployment() -> None:
    text = "version: 2\nethernets:\n  eth0:\n    addresses: [192.0.2.5/24]\n"
    result = build("networks: [{name: default}]\n", network_file=SourceText("net.yaml", text))
    config = yaml.safe_load(result.seed_files()["network-config"])
    entry = config["ethernets"]["eth0"]
    assert entry["addresses"] == ["192.0.2.5/24"]
    mac = result.document["network_adapters"][0]["mac_address"].lower()
    assert entry["match"]["macaddress"].replace(":", "") == mac


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param(
            "version: 2\nethernets:\n  eth0:\n    addresses: [192.0.2.5/24, '2001:db8::5/64']\n",
            ["192.0.2.5", "2001:db8::5"],
            id="version 2",
        ),
        pytest.param(
            "network:\n  version: 2\n  ethernets:\n    lan:\n      match: {macaddress: MAC}\n"
            "      addresses: [192.0.2.5/24]\n",
            ["192.0.2.5"],
            id="by MAC",
        ),
        pytest.param(
            "version: 1\nconfig:\n- type: physical\n  name: eth0\n  subnets:\n"
            "  - {type: static, address: 192.0.2.5, netmask: 255.255.255.0}\n  - type: dhcp6\n",
            ["192.0.2.5"],
            id="version 1",
        ),
        pytest.param(
            "version: 2\nethernets: {ETH0: {set-name: lan, addresses: [192.0.2.5/24]}}\n",
            ["192.0.2.5"],
            id="by the name of the entry",
        ),
        pytest.param(
            "version: 2\nethernets:\n  lan: {match: {driver: x}, set-name: eth0, "
            "addresses: [192.0.2.5/24]}\n  eth0: {match: {driver: y}, set-name: wan, "
            "addresses: [192.0.2.6/24]}\n",
            ["192.0.2.5"],
            id="by the name that it gets",
        ),
        pytest.param("version: 2\nethernets: {eth0: {dhcp4: true}}\n", [], id="DHCP"),
        pytest.param(
            "version: 2\nethernets: {eth9: {addresses: [192.0.2.5/24]}}\n", [], id="another"
        ),
    ],
)
def test_static_addresses_of_the_users_file_are_known(text: str, wanted: list[str]) -> None:
    spec = "networks: [{name: default}]\nnetwork_adapters:\n"
    spec += "- {name: eth0, mac_address: '02:00:00:00:00:01'}\n"
    source = SourceText("net.yaml", text.replace("MAC", '"02:00:00:00:00:01"'))
    result = build(spec, network_file=source)
    assert result.document["network_adapters"][0]["addresses"] == wanted


def test_an_adapter_in_no_network_is_told_of() -> None:
    result = build("networks: [{name: default}]\nnetwork_adapters: [{name: eth0}, {name: eth7}]\n")
    fault = result.only("N0703")
    assert "eth7" in fault.message
    assert result.document["network_adapters"][1]["switch"] is None


SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": ("", {}),
    "all": (
        ", mac_address_spoofing: true, dhcp_guard: true, router_guard: true",
        {"mac_address_spoofing": True, "dhcp_guard": True, "router_guard": True},
    ),
}


@pytest.mark.parametrize(("keys", "wanted"), SETTINGS.values(), ids=SETTINGS)
def test_settings_of_an_adapter(keys: str, wanted: dict[str, bool]) -> None:
    spec = f"networks: [{{name: default}}]\nnetwork_adapters: [{{name: eth0{keys}}}]\n"
    (adapter,) = build(spec).document["network_adapters"]
    names = ("mac_address_spoofing", "dhcp_guard", "router_guard")
    assert {name: adapter[name] for name in names} == dict.fromkeys(names, False) | wanted


def mac(*addresses: str) -> str:
    lines = "".join(
        f"- {{name: eth{number}, mac_address: '{address}'}}\n"
        for number, address in enumerate(addresses)
    )
    return f"networks: [{{name: default}}]\nnetwork_adapters:\n{lines}"


SAID = {
    "multicast": (mac("01:00:00:00:00:01"), "E0713", "spec.yaml:3:29"),
    "zero": (mac("00:00:00:00:00:00"), "E0713", "spec.yaml:3:29"),
    "same": (mac("02:00:00:00:00:01", "02-00-00-00-00-01"), "E0711", "spec.yaml:4:29"),
    "of a host's pool": (mac("00:15:5d:01:02:03"), "W0711", "spec.yaml:3:29"),
    "subnet": (
        "networks:\n- name: default\n  subnet_v4: {name: servers}\n",
        "W0706",
        "spec.yaml:3:3",
    ),
    "pool of addresses": (
        "networks:\n- name: default\n  subnet_v4: {name: default, ip_pool: second}\n",
        "W0706",
        "spec.yaml:3:3",
    ),
}


@pytest.mark.parametrize(("spec", "code", "place"), SAID.values(), ids=SAID)
def test_what_is_said(spec: str, code: str, place: str) -> None:
    result = build(spec)
    assert f"{code} {place}" in result.shown()
    assert (result.built is None) == code.startswith("E")


def test_networks_of_the_project_file_that_the_catlet_lacks() -> None:
    result = build(TWO, project="hyperv: {switches: {lann: Office, dmz: Outside}}\n")
    assert result.only("W0712").help == "did you mean `lan`?"
    assert "dmz" in result.only("N0704").message
    fits = build(TWO, project="hyperv: {switches: {lan: Office, lann: Outside}}\n")
    assert "W0712" not in fits.codes()


def test_vlans_of_the_project_file() -> None:
    result = build(TWO, project="hyperv: {vlans: {LAN: 42, lann: 7}}\n")
    assert [each["vlan"] for each in result.document["network_adapters"]] == [None, 42]
    assert "lann" in result.only("N0704").message


@pytest.mark.parametrize("switch", ["' '", '"a\\nb"'], ids=["blank", "control"])
def test_names_that_no_switch_has(switch: str) -> None:
    result = build(TWO, project=f"hyperv: {{switches: {{lan: {switch}}}}}\n")
    assert result.built is None
    assert "E0715" in result.codes()


def test_a_switch_may_have_any_name() -> None:
    hostile = "it's \u2019$(x)` \u65e5"
    result = build(TWO, project=f'hyperv: {{switches: {{lan: "{hostile}"}}}}\n')
    assert result.document["network_adapters"][1]["switch"]["value"] == hostile
    script = result.file("deploy.ps1").decode("ascii")
    assert "\u2019" not in script
