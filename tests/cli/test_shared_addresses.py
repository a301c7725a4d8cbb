"""One address in several specs of a run: a MAC address, or a static one of the network-config."""

from __future__ import annotations

import json

import pytest

from cli.command_line import CommandLine

SPEC = "name: {}\nnetwork_adapters:\n- {{name: eth0, mac_address: '52:54:00:00:00:{}'}}\n"


@pytest.mark.parametrize("words", [("check",), ("build", "-o", "out", "--target", "cloud-init")])
@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param("01", [("W0582", "b.yaml", 3)], id="the same"),
        pytest.param("02", [], id="another"),
    ],
)
def test_an_address_of_two_catlets_is_warned_of(
    eryphc: CommandLine, words: tuple[str, ...], second: str, expected: list[tuple[str, str, int]]
) -> None:
    eryphc.write("a.yaml", SPEC.format("a", "01"))
    eryphc.write("b.yaml", SPEC.format("b", second))
    command = (*words, "--guest", "linux", "--diagnostics", "json")
    done = eryphc(*command, "a.yaml", "b.yaml")
    assert done.code == 0
    found = json.loads(done.out if words == ("check",) else done.err)
    assert [(each["code"], each["file"], each["line"]) for each in found] == expected


def test_the_project_and_a_comment_choose_its_level(eryphc: CommandLine) -> None:
    eryphc.write("a.yaml", SPEC.format("a", "01"))
    eryphc.write("b.yaml", SPEC.format("b", "01"))
    command = ("check", "a.yaml", "b.yaml", "--guest", "linux")
    eryphc.write("eryphc.yaml", "lint: {deny: [address-in-two-specs]}\n")
    assert eryphc(*command).code == 1
    eryphc.write("eryphc.yaml", "lint: {allow: [address-in-two-specs]}\n")
    assert eryphc(*command).code == 0
    assert "W0582" not in eryphc(*command).err
    eryphc.write("eryphc.yaml", "{}\n")
    assert "W0582" in eryphc(*command).err
    comment = "# eryphc: allow address-in-two-specs -- two networks\n"
    eryphc.write("b.yaml", SPEC.format("b", "01").replace("- {", f"{comment}- {{"))
    assert "W0582" not in eryphc(*command).err


def test_one_catlet_alone_and_addresses_that_nobody_gave_are_fine(eryphc: CommandLine) -> None:
    eryphc.write("a.yaml", SPEC.format("a", "01"))
    for name in ("b", "c"):
        eryphc.write(f"{name}.yaml", f"name: {name}\nnetwork_adapters: [{{name: eth0}}]\n")
    specs = ("a.yaml", "b.yaml", "c.yaml")
    assert (
        json.loads(eryphc("check", *specs, "--guest", "linux", "--diagnostics", "json").out) == []
    )


SWITCHED = "name: {}\nnetwork_adapters: [{{name: eth0, mac_address: '52:54:00:00:00:{}'}}]\n"
FILES = {
    "by name": "version: 2\nethernets: {eth0: {addresses: [192.0.2.10/24]}}\n",
    "by a pattern": "version: 2\nethernets: {a: {match: {name: e*}, addresses: [192.0.2.10/24]}}\n",
    "with a key around it": (
        "network:\n  version: 2\n  ethernets: {eth0: {addresses: [192.0.2.10/24]}}\n"
    ),
    "a bridge": (
        "version: 2\nethernets: {eth0: {}}\n"
        "bridges: {br0: {interfaces: [eth0], addresses: [192.0.2.10/24]}}\n"
    ),
    "version 1": (
        "version: 1\nconfig:\n- {type: physical, name: eth0, "
        "subnets: [{type: static, address: 192.0.2.10/24}]}\n"
    ),
}
OTHERS = {
    "of one machine": (
        "version: 2\nethernets:\n  a: {match: {macaddress: '52:54:00:00:00:01'}, set-name: a, "
        "addresses: [192.0.2.10/24]}\n"
    ),
    "DHCP": "version: 2\nethernets: {eth0: {dhcp4: true}}\n",
    "of a link": "version: 2\nethernets: {eth0: {addresses: ['fe80::1/64']}}\n",
}


def found(eryphc: CommandLine, *words: str) -> list[dict[str, str]]:
    words = (*words, "--network-config", "net.yaml", "--guest", "linux", "--diagnostics", "json")
    done = eryphc(*words)
    assert done.code == 0, done.err
    told = json.loads(done.out if words[0] == "check" else done.err)
    return [each for each in told if each["code"] == "W0526"]


@pytest.mark.parametrize("target", ["cloud-init", "hyperv"])
@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_a_static_address_of_two_machines(eryphc: CommandLine, text: str, target: str) -> None:
    for number, name in enumerate("abc", 1):
        eryphc.write(f"{name}.yaml", SWITCHED.format(name, f"0{number}"))
    eryphc.write("net.yaml", text)
    build = ("build", "--target", target, "-o", "out")
    for words in (("check", "--target", target), build):
        first, second = found(eryphc, *words, "a.yaml", "b.yaml", "c.yaml")
        assert "the machines `a` and `b` get the same static address 192.0.2.10" in first["message"]
        assert "the machines `a` and `c`" in second["message"]
        assert first["file"] == "net.yaml"
    assert found(eryphc, "check", "--target", target, "a.yaml") == []


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_addresses_that_two_machines_may_be_told(eryphc: CommandLine, text: str) -> None:
    for number, name in enumerate("ab", 1):
        eryphc.write(f"{name}.yaml", SWITCHED.format(name, f"0{number}"))
    eryphc.write("net.yaml", text)
    assert found(eryphc, "check", "a.yaml", "b.yaml") == []
