"""Only what cloud-init's parser and renderers fail on is an error in a network-config."""

from __future__ import annotations

import json
import subprocess

import pytest

from eryphc.guest.compose import compose
from eryphc.source import SourceText
from guest.conftest import READERS
from guest.feeding import request
from guest.installed import SYSTEM_PYTHON, needs_measured_cloud_init
from saying import said

A = 'version: 2\nethernets:\n  a: {match: {macaddress: "52:54:00:00:00:0a"}, set-name: a, %s}\n'
ADDRESS = A % "addresses: [10.0.0.2/24], %s"
BRIDGE = (
    'version: 2\nethernets: {a: {match: {macaddress: "52:54:00:00:00:0a"}}}\n'
    "bridges: {br0: {interfaces: [a], parameters: {%s}}}\n"
)
BOND = BRIDGE.replace("bridges: {br0", "bonds: {bo0")
SUBNET = (
    "version: 1\nconfig:\n- {type: physical, name: a, subnets:"
    " [{type: static, address: 10.0.0.2/24, %s}]}\n"
)
ITEM = "version: 1\nconfig: [{%s}]\n"

# What every guest applies: no error.
TAKEN = {
    "routes": ADDRESS
    % "routes: [{to: 10.9.0.0/16, via: 10.0.0.1, table: 100, mtu: 1400, on-link: true, metric: 5}]",
    "a metric as text": ADDRESS % "routes: [{to: 10.9.0.0/16, via: 10.0.0.1, metric: '5'}]",
    "flags as text": A % "dhcp4: 'yes', optional: 'true', wakeonlan: 'no', accept-ra: 'no'",
    "a number as text": A % "mtu: '1400'",
    "overrides": A % "dhcp4: true, dhcp4-overrides: {route-metric: '5', use-dns: 'no', foo: 1}",
    "search as text": ADDRESS % "nameservers: {addresses: [1.1.1.1], search: x.y}",
    "nameservers as text": ADDRESS % "nameservers: {addresses: 1.1.1.1}",
    "a key of netplan": A % "dhcp4: true, link-local: [ipv6]",
    "a key twice": A % "dhcp4: true, dhcp4: false",
    "cost by port": BRIDGE % "path-cost: {a: 50}",
    "priority by port": BRIDGE % "port-priority: {a: 5}",
    "numbers of a bridge as text": BRIDGE % "priority: '5', forward-delay: '5'",
    "a monitor as number": BOND % "mode: active-backup, mii-monitor-interval: 100",
    "a mode as number": BOND % "mode: 1, min-links: '1'",
    "no device": "version: 2\nethernets: {}\n",
    "domains as text": SUBNET % "dns_search: x.y, dns_nameservers: 1.1.1.1",
    "a table in version 1": SUBNET
    % "routes: [{network: 10.9.0.0, netmask: 255.255.0.0, gateway: 10.0.0.1, table: 5}]",
    "text in version 1": SUBNET % "ipv6: 'true', control: foo, netmask: 24",
    "an unknown key in version 1": ITEM % "type: physical, name: a, mtu: '1500', foo: 1",
    "no subnets": ITEM % "type: physical, name: a, subnets: null",
    "the loopback": ITEM % "type: loopback, name: lo, subnets: [{type: loopback}]",
    "infiniband": ITEM % "type: infiniband, name: ib0",
    "servers as text": ITEM % "type: nameserver, address: 1.1.1.1, search: x",
    "a route with a metric": ITEM
    % "type: route, destination: 10.9.0.0/16, gateway: 10.0.0.1, metric: '5'",
    "a bond in version 1": ITEM
    % "type: bond, name: b, bond_interfaces: [a], params: {bond-mode: 1, bond_miimon: '9', foo: 1}",
    "a VLAN with text": ITEM % "type: vlan, name: v, vlan_id: '5', vlan_link: a",
}
# What guests without netplan fail on, and netplan refuses too where it gets the file.
FAILS = {
    "a number as address": A % "addresses: [10]",
    "addresses as text": A % "addresses: 10.0.0.2/24",
    "no addresses": A % "addresses: null",
    "nameservers no map": ADDRESS % "nameservers: [1.1.1.1]",
    "nameservers a text": ADDRESS % "nameservers: 1.1.1.1",
    "null for nameservers": A % "nameservers: null",
    "null for addresses of servers": A % "nameservers: {addresses: null}",
    "routes as a map": ADDRESS % "routes: {to: a}",
    "a route as text": ADDRESS % "routes: [a]",
    "a match as text": "version: 2\nethernets: {a: {match: a}}\n",
    "null for a device": "version: 2\nethernets: {a: null}\n",
    "a device as text": "version: 2\nethernets: {a: x}\n",
    "null for a section": "version: 2\nethernets: null\n",
    "a section as a list": "version: 2\nethernets: [a]\n",
    "an unknown section": "version: 2\nfoo: {a: {}}\n",
    "parameters as a list": "version: 2\nbridges: {br0: {interfaces: [a], parameters: [x]}}\n",
    "subnets as a map": ITEM % "type: physical, name: a, subnets: {type: dhcp}",
    "a subnet as text": ITEM % "type: physical, name: a, subnets: [dhcp]",
    "routes of texts": SUBNET % "routes: [a]",
    "an unknown type": ITEM % "type: foo, name: a",
    "no type": ITEM % "name: a",
    "an item as text": "version: 1\nconfig: [a]\n",
    "items as a map": "version: 1\nconfig: {type: physical}\n",
    "null for items": "version: 1\nconfig: null\n",
    "no items": "version: 1\n",
    "an unknown type among others": "version: 1\nconfig:\n"
    "- {type: physical, name: a, mtu: '9'}\n- {type: foo, name: b}\n",
}


def codes(text: str) -> set[str]:
    found = compose(request(network_file=SourceText("net.yaml", text))).diagnostics
    return {each.code.number for each in found}


@pytest.mark.parametrize("name", TAKEN)
def test_what_guests_apply_is_built(name: str) -> None:
    assert codes(TAKEN[name]) <= {"W0562"}


@pytest.mark.parametrize("name", FAILS)
def test_what_guests_fail_on_is_an_error(name: str) -> None:
    assert "E0558" in codes(FAILS[name])


def test_what_is_not_in_the_schema_is_named() -> None:
    text = ADDRESS % "routes: [{to: 10.9.0.0/16, via: 10.0.0.1, table: 100}], link-local: [ipv4]"
    [found] = compose(request(network_file=SourceText("net.yaml", text))).diagnostics
    assert said(found).message == "`ethernets.a.routes.0.table` is not in cloud-init's schema"
    assert found.primary is not None
    assert found.primary.message == "guests without netplan pass over it"


def test_a_parameter_that_cloud_init_fails_on_is_named() -> None:
    text = BOND % "mode: balance-rr, foo: 1"
    [found] = compose(request(network_file=SourceText("net.yaml", text))).diagnostics
    assert said(found).message == "only guests with netplan may know the parameter `foo` of `bo0`"
    assert found.primary is not None
    assert found.primary.span.text == "foo"
    assert found.primary.message == "others then set up no network"


@pytest.mark.integration
def test_cloud_init_agrees() -> None:
    needs_measured_cloud_init()
    unknown = BOND % "mode: active-backup, foo: 1"
    texts = [*TAKEN.values(), *FAILS.values(), unknown]
    done = subprocess.run(
        [SYSTEM_PYTHON, READERS / "render_network_with_cloud_init.py"],
        input=json.dumps(texts),
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seen = dict(zip(texts, json.loads(done.stdout), strict=True))
    for name, text in TAKEN.items():
        assert {key for key, each in seen[text].items() if "error" in each} == set(), name
    for name, text in FAILS.items():
        # netplan gets version 2 as it is and judges itself.
        assert {key for key, each in seen[text].items() if "error" in each} >= {
            "eni",
            "networkd",
            "sysconfig",
        }, name
    assert codes(unknown) == {"W0562"}
    assert "error" in seen[unknown]["networkd"]
    assert "error" not in seen[unknown]["netplan"]
