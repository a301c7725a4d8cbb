"""What messages say of a network in a Linux guest: cloud-init, its renderers and netplan do that.

Each test has an input of which the message is said and one of which it is not.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from eryphc.guest.compose import compose
from eryphc.guest.model import Adapter, NetworkConfigMode
from eryphc.source import SourceText
from guest.conftest import READERS
from guest.feeding import codes, fodder, request, seed
from guest.installed import SYSTEM_PYTHON, needs_measured_cloud_init
from saying import said

pytestmark = pytest.mark.integration

TWO = {"eth0": "d2:ab:00:00:00:0a", "eth1": "d2:ab:00:00:00:0b"}
SAME = {"eth0": "d2:ab:00:00:00:0a", "eth1": "d2:ab:00:00:00:0a"}
NINE = "version: 2\nethernets: {eth9: {dhcp4: true}}\n"
# netplan's own program, where Debian and Ubuntu have it.
GENERATE = [
    path
    for path in ("/lib/netplan/generate", "/usr/libexec/netplan/generate")
    if Path(path).exists()
]


def entry(name: str, rest: str, address: str = '"d2:ab:00:00:00:0a"') -> str:
    return f"  {name}: {{match: {{macaddress: {address}}}, set-name: {name}, {rest}}}\n"


def file(*entries: str, more: str = "") -> str:
    return f"version: 2\nethernets:\n{''.join(entries)}{more}"


def booted(*machines: dict[str, Any]) -> list[dict[str, Any]]:
    """What network each machine sets up at two boots."""
    return of_reader("apply_network_with_cloud_init.py", machines)


def rendered(*texts: str) -> list[dict[str, dict[str, str]]]:
    return of_reader("render_network_with_cloud_init.py", texts)


def of_reader(name: str, cases: Any) -> list[Any]:
    needs_measured_cloud_init()
    done = subprocess.run(
        [SYSTEM_PYTHON, READERS / name],
        input=json.dumps(cases),
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result: list[Any] = json.loads(done.stdout)
    return result


def adapters(addresses: dict[str, str], *, given: bool = True) -> tuple[Adapter, ...]:
    return tuple(
        Adapter(name=name, mac_address=address, given=given) for name, address in addresses.items()
    )


def of_file(text: str) -> list[str]:
    """The codes and messages about a file."""
    found = compose(request(network_file=SourceText("net.yaml", text))).diagnostics
    return [f"{each.code.number} {said(each).message}" for each in found]


# --- which configuration counts ----------------------------------------------------------------


def test_network_in_a_cloud_config_is_ignored() -> None:
    config = "network: {version: 2, ethernets: {eth9: {dhcp4: true}}}\n"
    assert (codes(fodder(config)), of_file(NINE)) == (["W0537"], [])
    in_config, in_file = booted(
        {"adapters": {"eth0": TWO["eth0"]}, "user_data": f"#cloud-config\n{config}"},
        {"adapters": {"eth0": TWO["eth0"]}, "network_config": NINE},
    )
    [applied] = in_config["applied"]
    assert list(applied["ethernets"]) == ["eth0"]
    [applied] = in_file["applied"]
    assert list(applied["ethernets"]) == ["eth9"]


def test_an_image_that_turns_the_network_off_ignores_the_file() -> None:
    machine = {"adapters": {"eth0": TWO["eth0"]}, "network_config": NINE}
    off, on = booted({**machine, "system": {"network": {"config": "disabled"}}}, machine)
    assert (off["applied"], off["error"]) == ([], None)
    assert len(on["applied"]) == 1


def test_without_addresses_only_the_first_adapter_comes_up() -> None:
    unknown, known = adapters(TWO, given=False), adapters(TWO)
    assert codes(adapters=unknown) == ["W0560"]
    assert codes(adapters=(known[0], unknown[1])) == ["W0560"]
    assert codes(adapters=known) == []
    assert seed(adapters=unknown).network_config is None
    machines: list[dict[str, Any]] = [
        {"adapters": TWO},
        *(
            {"adapters": TWO, "network_config": (made.network_config or b"").decode()}
            for made in (
                seed(adapters=(known[0], unknown[1])),
                seed(adapters=known),
                seed(adapters=unknown, network=NetworkConfigMode.ALWAYS),
            )
        ),
    ]
    up = [
        [each["match"]["macaddress"] for each in seen["applied"][0]["ethernets"].values()]
        for seen in booted(*machines)
    ]
    assert up == [[TWO["eth0"]], [TWO["eth0"]], [*TWO.values()], [*TWO.values()]]


# --- addresses ---------------------------------------------------------------------------------


def test_two_adapters_with_one_address_leave_no_network() -> None:
    assert codes(adapters=adapters(SAME)) == ["E0559"]
    assert codes(adapters=adapters(TWO)) == []
    text = (seed(adapters=adapters(TWO)).network_config or b"").decode()
    same, two = booted(
        {"adapters": SAME, "network_config": text}, {"adapters": TWO, "network_config": text}
    )
    assert same["applied"] == []
    assert "duplicate mac" in same["error"]
    assert (len(two["applied"]), two["error"]) == (1, None)


def test_one_address_twice_in_a_file_is_two_names_for_one_adapter() -> None:
    text = file(entry("a", "dhcp4: true"), entry("b", "dhcp4: true"))
    [found] = compose(request(network_file=SourceText("net.yaml", text))).diagnostics
    assert found.code.number == "E0559"
    assert found.primary is not None
    assert found.primary.message == "no adapter can be both"
    [machine] = booted({"adapters": {"eth0": TWO["eth0"]}, "network_config": text})
    assert (len(machine["applied"]), machine["error"]) == (1, None)
    [seen] = rendered(text)
    names = [line for line in seen["eni"]["text"].splitlines() if "ATTR{address}" in line]
    assert [line.rpartition("NAME=")[2] for line in names] == ['"a"', '"b"']


def test_an_address_without_quotes_is_a_number() -> None:
    texts = [
        file(entry("a", "dhcp4: true", each))
        for each in ("52:54:00:12:34:56", "'52:54:00:12:34:56'")
    ]
    assert [[each[:5] for each in of_file(text)] for text in texts] == [["E0560"], []]
    number, address = (
        seen["eni"]["text"].partition('ATTR{address}=="')[2].partition('"')[0]
        for seen in rendered(*texts)
    )
    assert (number, address) == ("41135085296", "52:54:00:12:34:56")


def test_an_address_in_capitals_leaves_no_network() -> None:
    one = "version: 1\nconfig:\n- {type: physical, name: a, mac_address: 'D2:AB:00:00:00:0A'}\n"
    named = file(entry("a", "dhcp4: true", "'D2:AB:00:00:00:0A'"))
    unnamed = named.replace("set-name: a, ", "")
    texts = (one, named, unnamed, named.lower())
    assert [[each[:5] for each in of_file(text)] for text in texts] == [["W0562"]] * 2 + [[], []]
    machines = [{"adapters": {"eth0": TWO["eth0"]}, "network_config": text} for text in texts]
    seen = booted(*machines)
    assert [len(each["applied"]) for each in seen] == [0, 0, 1, 1]
    assert all("Not all expected" in each["error"] for each in seen[:2])


# --- what renderers make of a file -------------------------------------------------------------

GOOD = file(entry("a", "addresses: [10.0.0.2/24], routes: [{to: 0.0.0.0/0, via: 10.0.0.1}]"))
BRIDGE = "bridges: {br0: {interfaces: [x], dhcp4: true}}\n"
WIRE = '  x: {match: {macaddress: "d2:ab:00:00:00:0a"}%s}\n'


def test_a_default_route_by_its_word_leaves_guests_without_network() -> None:
    text = GOOD.replace("0.0.0.0/0", "default")
    assert (of_file(text)[0][:5], of_file(GOOD)) == ("W0562", [])
    by_word, by_address = rendered(text, GOOD)
    for name in ("eni", "networkd", "sysconfig"):
        assert "error" in by_word[name]
        assert "error" not in by_address[name]
    assert "error" not in by_word["netplan"]


def test_a_section_of_netplan_is_read_by_netplan_alone() -> None:
    text = "version: 2\nwifis: {w0: {dhcp4: true}}\n"
    [found] = of_file(text)
    assert found == "W0562 only guests with netplan read `wifis`"
    [seen] = rendered(text)
    for name in ("eni", "sysconfig"):
        assert "w0" not in seen[name]["text"]


def test_a_renamed_member_of_a_bridge_is_set_up_wrongly() -> None:
    texts = [file(WIRE % more, more=BRIDGE) for more in (", set-name: a", "")]
    found = [[each for each in of_file(text) if "bridge" in each] for text in texts]
    assert [len(each) for each in found] == [1, 0]
    renamed, kept = rendered(*texts)
    # The member is the adapter's old name.
    assert "ifcfg-x\n" in renamed["sysconfig"]["text"]
    assert "ifcfg-a\n" in renamed["sysconfig"]["text"]
    assert "BRIDGE=br0" in renamed["sysconfig"]["text"].partition("ifcfg-x\n")[2]
    assert "ifcfg-a\n" not in kept["sysconfig"]["text"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (file(entry("a", "dhcp: true")), "`dhcp` of `a` is not known, did you mean `dhcp4`?"),
        ("version: 2\nethernets: {a: {set-name: b}}\n", "`set-name` of `a` has no `match`"),
        (GOOD, None),
    ],
)
def test_netplan_refuses_the_whole_file(tmp_path: Path, text: str, problem: str | None) -> None:
    if not GENERATE:
        pytest.skip("netplan is not installed: apt-get install netplan.io")
    found = [each for each in of_file(text) if problem is not None and problem in each]
    assert bool(found) is (problem is not None)
    config = tmp_path / "etc" / "netplan" / "50-cloud-init.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("network:\n" + "".join(f"  {line}\n" for line in text.splitlines()))
    done = subprocess.run(
        [GENERATE[0], "--root-dir", tmp_path], capture_output=True, check=False, text=True
    )
    made = [*tmp_path.glob("run/systemd/network/*")]
    assert (done.returncode == 0, bool(made)) == (problem is None, problem is None), done.stderr


def test_a_name_of_more_than_15_bytes_is_none() -> None:
    program = shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is None or os.geteuid() != 0:
        pytest.skip("a link is renamed by root, with iproute2")
    for name, code in (("n" * 16, "W0562"), ("n" * 15, None)):
        text = f"version: 2\nvlans: {{{name}: {{id: 1, link: lo}}}}\n"
        assert [each[:5] for each in of_file(text)] == ([code] if code else [])
        renaming = ["unshare", "--net", program, "link", "set", "dev", "lo", "name", name]
        done = subprocess.run(renaming, capture_output=True, check=False, text=True)
        assert ("not a valid ifname" in done.stderr) is bool(code)


def test_of_two_default_routes_the_kernel_takes_one() -> None:
    program = shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is None or os.geteuid() != 0:
        pytest.skip("a link is made by root, with iproute2")
    first = "{to: 0.0.0.0/0, via: 10.0.0.1}"
    for metric, code in (("", "W0562"), (", metric: 7", None)):
        second = f"{{to: 0.0.0.0/0, via: 10.0.0.3{metric}}}"
        text = file(entry("a", f"addresses: [10.0.0.2/24], routes: [{first}, {second}]"))
        assert [each[:5] for each in of_file(text)] == ([code] if code else [])
        steps = (
            "link add dev d0 type bridge",
            "link set dev d0 up",
            "address add 10.0.0.2/24 dev d0",
            "route add default via 10.0.0.1",
            f"route add default via 10.0.0.3{metric.replace(':', '').replace(',', '')}",
        )
        script = " && ".join(f"{program} {step}" for step in steps)
        done = subprocess.run(
            ["unshare", "--net", "sh", "-c", script], capture_output=True, check=False, text=True
        )
        if "Unknown device type" in done.stderr or "not permitted" in done.stderr:
            pytest.skip(f"no link can be made here: {done.stderr}")
        assert ("File exists" in done.stderr) is bool(code), done.stderr
