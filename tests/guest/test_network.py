"""network-config: when it is written, what it says, and the user's own file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from catlets import run, write_pool
from eryphc.diagnostics.model import Diagnostic
from eryphc.guest import encode, network
from eryphc.guest.cloudconfig.reader import TextReader
from eryphc.guest.compose import compose
from eryphc.guest.model import Adapter, GuestKind, GuestOptions, GuestRequest, NetworkConfigMode
from eryphc.guest.request import guest_request
from eryphc.origin import Step
from eryphc.source import SourceText, Span
from guest.feeding import request
from saying import said


def network_config(asked: GuestRequest) -> tuple[bytes | None, tuple[Diagnostic, ...]]:
    """The bytes of the configuration, and what was found."""
    made, found = network.network_config(asked, TextReader())
    return None if made is None else encode.network_config(made), found


GIVEN = Adapter(name="eth0", mac_address="D2:AB:00:00:00:01", given=True)
INVENTED = Adapter(name="eth1", mac_address="d2:ab:00:00:00:02", given=False)
LINUX, WINDOWS = GuestKind.LINUX, GuestKind.WINDOWS
ALWAYS, NEVER = NetworkConfigMode.ALWAYS, NetworkConfigMode.NEVER


def test_version_2() -> None:
    data, found = network_config(request(adapters=(GIVEN,)))
    assert found == ()
    assert data == (
        b"version: 2\n"
        b"ethernets:\n"
        b'  "eth0":\n'
        b"    match:\n"
        b'      macaddress: "d2:ab:00:00:00:01"\n'
        b'    set-name: "eth0"\n'
        b"    dhcp4: true\n"
    )


def test_version_1() -> None:
    data, found = network_config(request(adapters=(GIVEN,), guest=WINDOWS))
    assert found == ()
    assert data == (
        b"version: 1\n"
        b"config:\n"
        b"  - type: physical\n"
        b'    name: "eth0"\n'
        b'    mac_address: "d2:ab:00:00:00:01"\n'
        b"    subnets:\n"
        b"      - type: dhcp\n"
    )


@pytest.mark.parametrize(
    ("adapters", "more", "names", "codes"),
    [
        pytest.param((), {}, None, [], id="no adapter"),
        pytest.param((INVENTED,), {}, None, [], id="one without address"),
        pytest.param((INVENTED, INVENTED), {}, None, ["E0559", "W0560"], id="two without"),
        pytest.param((GIVEN, INVENTED), {}, ["eth0"], ["W0560"], id="one of two"),
        pytest.param((GIVEN, INVENTED), {"network": ALWAYS}, ["eth0", "eth1"], [], id="always"),
        pytest.param((GIVEN, INVENTED), {"network": NEVER}, None, [], id="never"),
        pytest.param(
            (GIVEN, Adapter(name="b", mac_address="d2:ab:00:00:00:01", given=True)),
            {},
            None,
            ["E0559"],
            id="one address twice",
        ),
        pytest.param((GIVEN, INVENTED), {"guest": WINDOWS}, ["eth0"], [], id="one of two there"),
        pytest.param(
            (GIVEN,), {"guest": WINDOWS, "network_version": 2}, ["eth0"], ["W0563"], id="v2 there"
        ),
    ],
)
def test_when(
    adapters: tuple[Adapter, ...],
    more: dict[str, Any],
    names: list[str] | None,
    codes: list[str],
) -> None:
    data, found = network_config(request(adapters=adapters, **more))
    assert [each.code.number for each in found] == codes
    read = {} if data is None else yaml.safe_load(data)
    listed = [each["name"] for each in read.get("config", ())] or list(read.get("ethernets", ()))
    assert (None if data is None else listed) == names


def test_adapters_are_pointed_at() -> None:
    source = SourceText("spec.yaml", "eth0 eth1 eth2")
    places = [Span(source, start, start + 4) for start in (0, 5, 10)]
    first, second, third = (
        Adapter(name=place.text, mac_address=address, given=False, place=place)
        for place, address in zip(places, ("a", "b", "b"), strict=True)
    )
    _, found = network_config(request(adapters=(first, second, third)))
    assert [each.primary and each.primary.span for each in found] == [places[2], places[1]]
    assert [label.span for label in found[0].related] == [places[1]]


def given_file(text: str, *adapters: Adapter, **more: Any) -> tuple[bytes | None, list[str]]:
    source = SourceText("net.yaml", text)
    data, found = network_config(request(adapters=adapters, network_file=source, **more))
    return data, [each.code.number for each in found]


def test_a_file_stays_as_it_is() -> None:
    text = "# mine\r\nnetwork: {version: 2, ethernets: {e: {match: {name: e*}, dhcp4: true}}}"
    assert given_file(text) == (text.replace("\r\n", "\n").encode() + b"\n", [])


@pytest.mark.parametrize("text", ["config: disabled", "network: {config: disabled}\r\n"])
def test_a_network_switched_off(text: str) -> None:
    data, found = network_config(request(network_file=SourceText("net.yaml", text)))
    assert (data, found) == (f"{text.strip()}\n".encode(), ())


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_entry_gets_the_address_of_its_adapter(wrapped: bool) -> None:  # noqa: FBT001
    entries = "ethernets:\n  ETH0: {dhcp4: true}\n  eth1: {dhcp4: true}\n"
    text = f"version: 2\n{entries}"
    if wrapped:
        text = "network:\n" + "".join(f"  {line}\n" for line in text.splitlines())
    data, codes = given_file(text, GIVEN, INVENTED)
    assert codes == []
    assert data is not None
    assert yaml.safe_load(data) == {
        "version": 2,
        "ethernets": {
            "ETH0": {
                "match": {"macaddress": "d2:ab:00:00:00:01"},
                "set-name": "ETH0",
                "dhcp4": True,
            },
            "eth1": {"dhcp4": True},
        },
    }


def test_an_entry_of_version_1() -> None:
    text = "version: 1\nconfig:\n- {type: physical, name: eth0, subnets: [{type: dhcp}]}\n"
    data, codes = given_file(text, GIVEN)
    assert codes == []
    assert data is not None
    assert yaml.safe_load(data)["config"][0]["mac_address"] == "d2:ab:00:00:00:01"


V2 = "version: 2\nethernets:\n  a: {match: {macaddress: '00:15:5d:01:02:03'}, set-name: a, "


@pytest.mark.parametrize(
    ("text", "linux", "windows"),
    [
        pytest.param(f"{V2}dhcp4: true}}", [], ["W0563"], id="portable"),
        pytest.param("", ["E0558"], ["E0558"], id="empty"),
        pytest.param("- a", ["E0558"], ["E0558"], id="a list"),
        pytest.param("a: [", ["E0558"], ["E0558"], id="no YAML"),
        pytest.param("network: x", ["E0558"], ["E0558"], id="network is text"),
        pytest.param("ethernets: {}", ["E0558"], ["E0558"], id="no version"),
        pytest.param("version: 3", ["E0558"], ["E0558"], id="unknown version"),
        pytest.param("version: true", ["E0558"], ["E0558"], id="version is no number"),
        pytest.param("version: 2\nversion: 2", ["W0562"], ["W0562", "W0563"], id="key twice"),
        pytest.param(f"{V2}dhcp4: maybe}}", ["W0562"], ["W0563", "E0558"], id="schema of v2"),
        pytest.param("version: 1\nconfig:\n- {type: physical}", ["E0558"], None, id="schema of v1"),
        pytest.param("version: 1\nconfig:\n- {type: what}", ["E0558"], None, id="type of v1"),
        pytest.param(f"{V2}dhcpv4: true}}", ["W0562"], None, id="unknown key"),
        pytest.param(f"{V2}addresses: [10.0.0.1]}}", ["W0562"], None, id="no prefix length"),
        pytest.param(f"{V2}addresses: [10.0.0.1/24]}}", [], None, id="prefix length"),
        pytest.param(
            f"{V2}routes: [{{to: default, via: 10.0.0.1}}]}}", ["W0562"], ["W0563"], id="default"
        ),
        pytest.param(f"{V2}routes: [{{to: 0.0.0.0/0, via: 10.0.0.1}}]}}", [], None, id="route"),
        pytest.param(
            f"{V2}gateway4: 10.0.0.1, routes: [{{to: 0.0.0.0/0, via: 10.0.0.1}}]}}",
            ["W0562"],
            None,
            id="two default routes",
        ),
        pytest.param(
            f"{V2}gateway4: 10.0.0.1, routes: [{{to: '::/0', via: 'fe80::1'}}]}}",
            [],
            None,
            id="one default route of each family",
        ),
        pytest.param(
            f"{V2}dhcp4: true}}\n  b: {{match: {{macaddress: '00:15:5D:01:02:03'}}, set-name: b}}",
            ["W0562", "E0559"],
            None,
            id="one address twice",
        ),
        pytest.param(
            "version: 2\nethernets: {b: {match: {macaddress: '00:15:5D:01:02:03'}}}",
            [],
            ["W0563"],
            id="capitals without a name",
        ),
        pytest.param(
            "version: 2\nethernets: {a: {match: {macaddress: 52:54:00:12:34:56}}}",
            ["E0560"],
            None,
            id="a number in base 60",
        ),
        pytest.param(
            "version: 2\nethernets: {a: {match: {macaddress: what}}}", ["E0558"], None, id="no MAC"
        ),
        pytest.param(
            "version: 2\nethernets: {a: {set-name: b}}", ["W0562"], None, id="set-name alone"
        ),
        pytest.param(
            "version: 2\nethernets: {a: {match: {name: x}, set-name: longer-than-fifteen}}",
            ["W0562"],
            None,
            id="long set-name",
        ),
        pytest.param(
            f"{V2}dhcp4: true}}\nbridges: {{br: {{interfaces: [a]}}}}",
            ["W0562"],
            ["W0563", "W0563", "W0562"],
            id="renamed member of a bridge",
        ),
        pytest.param("version: 2\nwifis: {w: {dhcp4: true}}", ["W0562"], None, id="wifis"),
        pytest.param(
            "version: 2\nvlans: {enp130s0f0np0.103: {id: 103, link: a}}",
            ["W0562"],
            ["W0563"],
            id="a long name of a VLAN",
        ),
        pytest.param(
            "version: 1\nconfig:\n"
            "- {type: vlan, name: enp130s0f0np0.103, vlan_id: 3, vlan_link: a}",
            ["W0562"],
            [],
            id="a long name of a VLAN in version 1",
        ),
        pytest.param(
            "version: 1\nconfig:\n"
            "- {type: physical, name: a, subnets: [{type: static, address: 10.0.0.1}]}",
            ["W0562"],
            ["W0563", "W0562"],
            id="v1 without prefix length",
        ),
    ],
)
def test_files(text: str, linux: list[str], windows: list[str] | None) -> None:
    assert given_file(text)[1] == linux
    if windows is not None:
        assert given_file(text, guest=WINDOWS)[1] == windows


def test_another_address_than_the_catlets() -> None:
    text = f"{V2.replace(' a:', ' eth0:')}dhcp4: true}}"
    data, codes = given_file(text, GIVEN)
    assert codes == ["W0562"]
    assert data == (text + "\n").encode()


def test_places_are_those_of_the_file() -> None:
    source = SourceText("net.yaml", "version: 2\nethernets:\n  a:\n    match: what\n")
    [found] = compose(request(network_file=source)).diagnostics
    assert said(found).message == (
        "the network-config is not valid: `ethernets.a.match`: 'what' is not of type 'object'"
    )
    assert found.primary is not None
    assert (found.primary.span.line, found.primary.span.text) == (4, "what")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 2\nethernets: {eth0: {dhcp: true}}\n", "did you mean `dhcp4`?"),
        (
            "version: 2\nethernets: {e: {gateway4: 1.1.1.1, routes: [{to: 0.0.0.0/0}]}}\n",
            "`e` has two default routes for IPv4",
        ),
    ],
)
def test_what_is_said_of_an_entry(text: str, message: str) -> None:
    _, found = network_config(request(network_file=SourceText("net.yaml", text)))
    assert any(message in said(each).message for each in found)


def test_an_address_of_the_parent_leads_to_the_place_in_the_specification(tmp_path: Path) -> None:
    base = "network_adapters: [{name: eth0, mac_address: '02:00:00:00:00:01'}]\n"
    pool = write_pool(tmp_path, {"acme/base/1.0": {"catlet.yaml": base}})
    spec = "parent: acme/base/1.0\nnetworks: [{name: a}, {name: b}]\n"
    done = run(spec, pool).done
    assert done is not None
    asked, _ = guest_request(done, "the-catlet-id", GuestOptions())
    given, invented = (adapter.origin for adapter in asked.adapters)
    assert [each.span and each.span.text for each in given.chain()] == [
        "'02:00:00:00:00:01'",
        "acme/base/1.0",
    ]
    assert [each.step for each in given.chain()] == [Step.INHERITED, Step.WRITTEN]
    assert invented.step is Step.INVENTED


NET = "version: 2\nethernets:\n  a:{}\n    addresses: [10.0.0.2/24]\n    dhcp4: false{}\n"


@pytest.mark.parametrize(
    ("first", "second", "place"),
    [
        pytest.param("\t# first", "", (3, 5), id="a tab before a comment"),
        pytest.param("", "\t", (5, 17), id="a tab at the end of a line"),
        pytest.param("", "\n    nameservers: {search: [a?]}", (6, 29), id="a question mark"),
    ],
)
def test_what_the_loader_of_guests_refuses(first: str, second: str, place: tuple[int, int]) -> None:
    source = SourceText("net.yaml", NET.format(first, second), regions=())
    outcome = compose(request(network_file=source))
    [error] = [each for each in outcome.diagnostics if each.code.number == "E0558"]
    assert outcome.value is None
    assert error.primary is not None
    assert (error.primary.span.line, error.primary.span.column) == place


def test_a_file_that_is_written_anew_may_hold_them() -> None:
    source = SourceText("net.yaml", NET.format("\t# first", ""), regions=())
    adapters = (Adapter(name="a", mac_address="52:54:00:00:00:0a", given=True),)
    outcome = compose(request(network_file=source, adapters=adapters))
    assert outcome.value is not None
    written = encode.nocloud(outcome.value).network_config
    assert written is not None
    assert b"\t" not in written
