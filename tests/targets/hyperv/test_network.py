"""Network adapters, their addresses and switches, and what the guest is told of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from eryphc.guest.model import GuestKind, NetworkConfigMode
from eryphc.passes.given import invented_mac
from eryphc.project.file import read_project
from eryphc.request import BuildRequest
from eryphc.source import SourceText
from eryphc.targets.definition import project_sections
from targets.hyperv.building import Result, build

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


NO_VLANS = {
    "a comma in a map": ("{lan: 1,2}", "`2` has no value", "inside of `{...}` a comma"),
    "a list": ("{lan: [1, 2]}", "network `lan` has a list of VLANs", "trunks are not supported"),
    "a text with a comma": ("{lan: '1,2'}", "`1,2` of network `lan` is no VLAN", "trunks are not"),
    "a range": ("{lan: 10-20}", "`10-20` of network `lan` is no VLAN", "trunks are not supported"),
    "none": ("{lan: }", "`lan` has no value", "inside of `{...}` a comma"),
    "a number that is none": ("{lan: 4095}", "`4095` of network `lan` is no VLAN: 1 to 4094", ""),
}


@pytest.mark.parametrize(("vlans", "message", "help_text"), NO_VLANS.values(), ids=NO_VLANS)
def test_vlans_that_are_none(vlans: str, message: str, help_text: str) -> None:
    text = f"hyperv: {{vlans: {vlans}}}\n"
    source = SourceText("eryphc.yaml", text, regions=())
    outcome = read_project(source, Path(), project_sections())
    assert outcome.value is None
    (fault,) = [each for each in outcome.diagnostics if each.code.number == "E0908"]
    assert message in fault.message
    assert help_text in (fault.help or "")


@pytest.mark.parametrize("key", ["switches", "drives"])
def test_a_name_without_a_value(key: str) -> None:
    source = SourceText("eryphc.yaml", f"hyperv:\n  {key}:\n    lan:\n", regions=())
    outcome = read_project(source, Path(), project_sections())
    assert [each.code.number for each in outcome.diagnostics] == ["E0908"]


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


# -- adapters that wait, names that change, addresses that stop working --------------------------

LOOSE = (
    "networks: [{name: default, adapter_name: eth0}]\n"
    "network_adapters: [{name: eth0}, {name: eth1}]\n"
)
SEVERAL = (
    "networks: [{name: lan, adapter_name: eth0}, {name: storage, adapter_name: eth1}]\n"
    "network_adapters:\n- {name: eth0, mac_address: '02:00:00:00:00:01'}\n"
    "- {name: eth1, mac_address: '02:00:00:00:00:02'}\n"
)


def with_file(spec: str, text: str, **more: Any) -> Result:
    return build(spec, network_file=SourceText("net.yaml", text), **more)


@pytest.mark.parametrize("version", [1, 2])
def test_a_linux_guest_is_not_told_of_an_adapter_in_no_network(version: int) -> None:
    result = build(LOOSE, network_version=version)
    text = result.seed_files()["network-config"].decode()
    assert "eth0" in text
    assert "eth1" not in text
    assert len(result.document["network_adapters"]) == 2


def test_a_windows_guest_is_told_of_all() -> None:
    text = build(LOOSE, guest=GuestKind.WINDOWS).seed_files()["network-config"].decode()
    assert "eth1" in text


ASKING = {
    "DHCP": ("{dhcp4: true}", True),
    "DHCP for IPv6": ("{dhcp6: true}", True),
    "optional": ("{dhcp4: true, optional: true}", False),
    "nothing": ("{dhcp4: false}", False),
}


@pytest.mark.parametrize(("entry", "waits"), ASKING.values(), ids=ASKING)
def test_a_file_that_asks_on_an_adapter_in_no_network(entry: str, waits: bool) -> None:  # noqa: FBT001
    text = f"version: 2\nethernets:\n  eth0: {{dhcp4: true}}\n  eth1: {entry}\n"
    assert ("W0722" in with_file(LOOSE, text).codes()) == waits


@pytest.mark.parametrize("control", ["auto", "manual"])
def test_a_file_of_version_1_that_asks_on_an_adapter_in_no_network(control: str) -> None:
    text = (
        "version: 1\nconfig:\n- {type: physical, name: eth1, "
        f"subnets: [{{type: dhcp, control: {control}}}]}}\n"
    )
    assert ("W0722" in with_file(LOOSE, text).codes()) == (control == "auto")


NAMED = {
    "another name": ("version: 2\nethernets: {ens3: {dhcp4: true}}\n", ["W0721"]),
    "a pattern": ("version: 2\nethernets: {lan: {match: {name: 'e*'}, dhcp4: true}}\n", ["W0721"]),
    "a driver": (
        "version: 2\nethernets: {lan: {match: {driver: hv_netvsc}, dhcp4: true}}\n",
        ["W0721"],
    ),
    "version 1": ("version: 1\nconfig: [{type: physical, name: ens3}]\n", ["W0721"]),
    "the names of the adapters": (
        "version: 2\nethernets: {eth0: {dhcp4: true}, eth1: {dhcp4: true}}\n",
        ["N0720"],
    ),
    "version 1, the names of the adapters": (
        "version: 1\nconfig: [{type: physical, name: eth0, subnets: [{type: dhcp}]}]\n",
        ["N0720"],
    ),
    "addresses": (
        "version: 2\nethernets: {lan: {match: {macaddress: '02:00:00:00:00:01'}, dhcp4: true}}\n",
        [],
    ),
}


@pytest.mark.parametrize(("text", "codes"), NAMED.values(), ids=NAMED)
def test_entries_by_name_on_several_adapters(text: str, codes: list[str]) -> None:
    kinds = {"W0721", "N0720"}
    assert [code for code in with_file(SEVERAL, text).codes() if code in kinds] == codes
    # What is called otherwise than Hyper-V's adapters are is for none of them.
    alone = with_file("networks: [{name: default}]\n", text)
    assert kinds.isdisjoint(alone.codes()) == ("ens3" not in text)
    assert kinds.isdisjoint(with_file(SEVERAL, text, guest=GuestKind.WINDOWS).codes())


def test_the_addresses_to_match_are_named() -> None:
    text = "version: 2\nethernets: {x: {match: {name: eth1}, dhcp4: true}}\n"
    fault = with_file(SEVERAL, text).only("W0721")
    assert fault.notes == (
        "the machine has `eth0` (02:00:00:00:00:01), `eth1` (02:00:00:00:00:02)",
    )


DEFAULT = "networks: [{name: default}]\n"
STATIC = "version: 2\nethernets: {eth0: {addresses: [172.20.1.9/20]}}\n"


@pytest.mark.parametrize(
    ("spec", "project", "told"),
    [
        pytest.param(DEFAULT, None, True, id="a switch left open"),
        pytest.param(DEFAULT, "hyperv: {switches: {default: Office}}\n", False, id="an own switch"),
        pytest.param(
            DEFAULT, "hyperv: {switches: {default: Default Switch}}\n", True, id="by name"
        ),
        pytest.param("networks: [{name: lan}]\n", None, False, id="another network"),
    ],
)
def test_static_addresses_on_the_default_switch(spec: str, project: str | None, told: bool) -> None:  # noqa: FBT001
    result = with_file(spec, STATIC, project=project)
    assert ("N0721" in result.codes()) == told
    dynamic = "version: 2\nethernets: {eth0: {dhcp4: true}}\n"
    assert "N0721" not in with_file(spec, dynamic, project=project).codes()


ABSENT = {
    "a name of another hypervisor": ("ens3: {dhcp4: true}", "`ens3`"),
    "a pattern for such names": ("lan: {match: {name: 'en*'}, dhcp4: true}", "`en*`"),
    "one of a machine with more": ("eth1: {dhcp4: true}", None),
    "a pattern for ours": ("lan: {match: {name: 'e*'}, dhcp4: true}", None),
    "the kernel's name": ("lan: {match: {name: eth0}, dhcp4: true}", None),
    "a driver": ("lan: {match: {driver: hv_netvsc}, dhcp4: true}", None),
}


@pytest.mark.parametrize(("entry", "name"), ABSENT.values(), ids=ABSENT)
def test_entries_for_names_that_no_adapter_has(entry: str, name: str | None) -> None:
    text = f"version: 2\nethernets:\n  {entry}\n"
    result = with_file("networks: [{name: default, adapter_name: lan0}]\n", text)
    if name is None:
        assert "W0721" not in result.codes()
    else:
        assert f"an adapter that the guest calls {name}, and" in result.only("W0721").message
