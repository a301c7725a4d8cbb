"""The table of what a guest does with values of a wrong shape, held to cloud-init's own modules."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from catlets import shown_code
from eryphc.diagnostics.model import Level
from eryphc.guest.cloudconfig.consequences import LEFT_OUT_WHEN_NULL, ROWS, End, Row
from eryphc.guest.cloudconfig.examine import examine
from eryphc.guest.cloudconfig.nodes import plain
from guest.cloudconfig.entries import examine_parts, fodder, fodder_entries, merge
from guest.installed import SYSTEM_PYTHON, needs_measured_cloud_init
from saying import handed_out

SCRIPT = Path(__file__).with_name("real_modules.py")
DATE = "2024-01-01"

# What stands beside the value in its map, by the path of the map.
BESIDE: Mapping[str, dict[str, Any]] = {
    "write_files.[]": {"path": "/one", "content": "x"},
    "users.[]": {"name": "one"},
    "user": {"name": "one"},
    "fs_setup.[]": {"filesystem": "ext4"},
    "chpasswd.users.[]": {"name": "one", "password": "secret", "type": "text"},
    "phone_home": {"url": "http://one"},
}
# A value of each kind, and what the module takes where that is not enough.
KINDS: Mapping[str, Any] = {
    "N": None,
    "B": True,
    "I": 12,
    "T": "x",
    "L": [],
    "M": {},
    "D": DATE,
}
GOOD: Mapping[tuple[str, str], Any] = {
    ("write_files.[].owner", "T"): "root",
    ("mounts.[]", "L"): ["host:/x", "/x"],
    ("mount_default_fields", "L"): [None, None, "auto", "defaults", "0", "2"],
    ("keyboard", "M"): {"layout": "de"},
    ("timezone", "T"): "UTC",
    ("chpasswd.list", "T"): "one:secret",
    ("chpasswd.list.[]", "T"): "one:secret",
    ("disk_setup", "M"): {"/dev/one": {}},
    ("fs_setup", "L"): [{"device": "/dev/one"}],
    ("power_state", "M"): {"mode": "reboot"},
    ("cloud_init_modules", "L"): ["bootcmd"],
    ("cloud_config_modules", "L"): ["runcmd"],
    ("cloud_final_modules", "L"): ["phone-home"],
    ("users", "L"): ["one"],
    ("users", "M"): {"one": {}},
    ("users.*", "I"): True,
    ("users.*", "T"): "yes",
    ("snap.commands.[]", "L"): ["install", "x"],
    ("chpasswd.users.[]", "M"): {"name": "one", "password": "x", "type": "text"},
    ("packages.[]", "L"): ["one", "1.0"],
    ("users", "T"): "one",
    ("users.[]", "M"): {"name": "one"},
    ("ssh_authorized_keys", "L"): ["a key"],
    ("growpart", "M"): {"mode": "auto"},
    ("apt", "M"): {"sources": {"one": {"source": "deb http://one x y"}}},
}
# What reaches the system if the value is good, of rows whose module passes a bad one over.
EFFECTS: Mapping[str, str] = {
    "disk_setup": "mkpart",
    "disk_setup.*": "mkpart",
    "fs_setup": "mkfs",
    "fs_setup.[]": "mkfs",
    "users": "useradd",
    "users.*": "useradd a",
    "ssh_authorized_keys": "a key",
    "growpart": "growpart",
    "power_state": "power",
    "apt": "write /etc/apt/sources.list.d/one.list",
}


def document(row: Row, value: Any) -> str:
    """A cloud-config with the value at the path of the row."""
    keys = row.path.split(".")
    for number in range(len(keys) - 1, -1, -1):
        owner = ".".join(keys[:number])
        if keys[number] == "[]":
            value = [value]
        else:
            key = "a" if keys[number] == "*" else keys[number]
            value = {**BESIDE.get(owner, {}), key: value}
    return json.dumps(value).replace(json.dumps(DATE), DATE)


def bad(row: Row) -> dict[str, Any]:
    """A value of each kind that the row says does harm; what counts as false is taken."""
    values = {**KINDS, "L": ["x"], "M": {"a": "b"}}
    before = "".join(ROWS[number].takes for number in _same_path(row))
    kinds = {
        kind: value
        for kind, value in values.items()
        if kind not in row.takes and (not before or kind in before)
    }
    if "E" in row.takes:
        kinds.pop("N", None)
    return kinds


def _same_path(row: Row) -> list[int]:
    """The rows before this one that have its path."""
    return [number for number in range(ROWS.index(row)) if ROWS[number].path == row.path]


def good(row: Row) -> dict[str, Any]:
    values = {kind: KINDS[kind] for kind in row.takes if kind != "E"}
    values |= {f"the number {number}": number for number in row.also}
    if "E" in row.takes:
        values |= {"an empty text": "", "an empty list": [], "false": False}
    return {kind: GOOD.get((row.path, kind), value) for kind, value in values.items()}


# Guests from 23.4 on take a map of packages by their manager.
NEWER = {("packages.[]", "M")}
CASES = [
    (row, kind, value, harm)
    for row in ROWS
    for harm, values in ((True, bad(row)), (False, good(row)))
    for kind, value in values.items()
    if (row.path, kind) not in NEWER
]


@pytest.fixture(scope="module")
def guest() -> Mapping[str, dict[str, Any]]:
    """What cloud-init's modules do with each document."""
    needs_measured_cloud_init()
    documents = list(dict.fromkeys(document(row, value) for row, _, value, _ in CASES))
    done = subprocess.run(
        [SYSTEM_PYTHON, SCRIPT],
        input=json.dumps(documents),
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(zip(documents, json.loads(done.stdout), strict=True))


ENDS = {
    End.ALL: {"everything"},
    End.STAGE: {"init", "config", "final", "next boot"},
}


@pytest.mark.integration
@pytest.mark.xdist_group("consequences")
@pytest.mark.parametrize("row", ROWS, ids=[row.path for row in ROWS])
def test_a_guest_does_what_the_table_says(row: Row, guest: Mapping[str, dict[str, Any]]) -> None:
    for each, kind, value, harm in CASES:
        if each is not row:
            continue
        seen = guest[document(row, value)]
        failed = set(seen["failed"]) & (ENDS.get(row.end) or {row.module, f"{row.module}_deferred"})
        if row.end is not End.NOTHING:
            assert bool(failed) is harm, (kind, seen)
            continue
        assert not failed, (kind, seen)
        effect = EFFECTS[row.path]
        effects = [each for each in seen["done"] if effect in each and not each.startswith("[")]
        assert bool(effects) is not harm or kind == "N", (kind, seen)


# --- what is said ------------------------------------------------------------------------------


def found(*texts: str) -> list[str]:
    outcome = merge(fodder_entries(*texts))
    assert outcome.value is not None, outcome.diagnostics
    return [shown_code(each) for each in (*outcome.diagnostics, *examine(outcome.value))]


@pytest.mark.parametrize("row", ROWS, ids=[row.path for row in ROWS])
def test_each_row_is_found_at_its_level(row: Row) -> None:
    for kind, value in bad(row).items():
        if "." not in row.path and kind == "N" and row.path in LEFT_OUT_WHEN_NULL:
            assert found(document(row, value)) == ["N0515"]
        elif row.path in ("hostname", "fqdn") and kind not in "LM":
            assert found(document(row, value)) == ["W0581"]
        else:
            codes = found(document(row, value))
            assert ("E0567" if row.grave else "W0523") in codes, (kind, codes)
    for value in good(row).values() if row.path != "users.*" else ():
        assert "E0567" not in found(document(row, value)), value


def test_a_text_among_commands_names_what_is_lost() -> None:
    outcome = merge(fodder_entries("runcmd: reboot now\nntp: yes"))
    assert outcome.value is not None
    time, commands = handed_out(examine(outcome.value))
    assert commands.level is Level.ERROR
    assert commands.message == (
        "`runcmd` is text, and has to be a list: not one of its commands runs"
    )
    assert commands.notes == ("the module `runcmd` of cloud-init fails on it",)
    assert time.message == "`ntp` is a boolean, and has to be null or a map"
    assert time.notes == ("the module `ntp` of cloud-init fails on it: no time server is set up",)


def test_what_no_module_fails_on_claims_no_consequence() -> None:
    outcome = merge(fodder_entries("power_state: {mode: sleep}"))
    assert outcome.value is not None
    [each] = handed_out(examine(outcome.value))
    assert each.notes == ("that is what cloud-init's schema says; guests report it",)


def test_parts_of_their_own_are_warned_of() -> None:
    [each] = examine_parts([fodder("runcmd: date")])
    assert (each.code.number, each.level) == ("E0567", Level.WARNING)


@pytest.mark.parametrize(
    "written", ["12", "012", "1_000", "0x1f", "on", "2024-01-01", "1:30", "!!int 7", "&a 7"]
)
def test_a_host_name_is_the_text_that_is_written(written: str) -> None:
    outcome = merge(fodder_entries(f"hostname: {written}\nfqdn: {written}"))
    assert outcome.value is not None
    text = written.split()[-1]
    assert plain(outcome.value.root) == {"hostname": text, "fqdn": text}
    assert found(f"hostname: {written}") == ["W0581"]


def test_null_is_left_out_where_a_module_fails_on_it() -> None:
    text = "write_files:\nruncmd:\nbootcmd:\nmounts:\napt:\nrsyslog:\nca_certs:\nntp:\n"
    outcome = merge(fodder_entries(text))
    assert outcome.value is not None
    assert plain(outcome.value.root) == {"ntp": None}
    assert [each.code.number for each in outcome.diagnostics] == ["N0515"] * 7


def test_that_no_user_shall_be_made_is_never_left_out() -> None:
    assert "users" not in LEFT_OUT_WHEN_NULL
    assert found("users:") == ["E0567"]
