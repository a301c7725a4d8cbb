"""The deployment document: the schema and the runtime's own reader agree."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from eryph_runtime.decode import MalformedError, parse
from eryph_runtime.document import load, read
from runtime.deployments import EXAMPLE, HERE, deployments

ROOT = HERE.parents[1]
SCHEMA = json.loads(
    (ROOT / "compiler/eryphc/schemas/deployment.schema.json").read_text(encoding="ascii")
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_example_is_canonical_and_valid() -> None:
    text = (HERE / "example-deployment.json").read_text(encoding="ascii")
    assert text == json.dumps(EXAMPLE, indent=2, sort_keys=True) + "\n"
    VALIDATOR.validate(EXAMPLE)
    assert load(HERE / "example-deployment.json").catlet.name == "web"


def test_every_kind_of_source() -> None:
    sources = [
        {"kind": "pool", "path": "acme/base/1.0/volumes/sda.vhdx", "sha256": "a" * 64},
        {
            "kind": "url",
            "url": "https://images.example/x.qcow2",
            "checksums_url": None,
            "format": "qcow2",
            "sha256": None,
        },
        {"kind": "parameter", "drive": "sda"},
    ]
    case = changed("volumes.0.sources", sources)
    VALIDATOR.validate(case)
    assert [each.kind for each in read(case).volumes[0].sources] == ["pool", "url", "parameter"]


@given(deployment=deployments())
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_generated_deployments_satisfy_both(deployment: dict[str, Any]) -> None:
    VALIDATOR.validate(deployment)
    read(deployment)


def places(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place of an object in the document."""
    found = [path] if isinstance(data, dict) else []
    pairs = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    for key, value in pairs:
        found += places(value, (*path, key))
    return found


def at(data: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        data = data[key]
    return data


@pytest.mark.parametrize("path", places(EXAMPLE), ids=lambda path: ".".join(map(str, path)) or "-")
def test_every_key_is_needed_and_no_other_known(path: tuple[str | int, ...]) -> None:
    more = copy.deepcopy(EXAMPLE)
    at(more, path)["surprise"] = 1
    cases = [more]
    for key in at(EXAMPLE, path):
        less = copy.deepcopy(EXAMPLE)
        del at(less, path)[key]
        cases.append(less)
    for case in cases:
        assert not VALIDATOR.is_valid(case)
        with pytest.raises(MalformedError):
            read(case)


def changed(path: str, value: Any) -> dict[str, Any]:
    result = copy.deepcopy(EXAMPLE)
    keys = [int(key) if key.isdigit() else key for key in path.split(".")]
    at(result, tuple(keys[:-1]))[keys[-1]] = value
    return result


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema", "eryphc/deployment/v2"),
        ("catlet.id", "6D0B1F3A-3F5C-5E8D-9A7B-1C2D3E4F5A6B"),
        ("catlet.id", "..\\..\\x"),
        ("machine.name", ""),
        ("machine.name", "x" * 101),
        ("machine.generation", 1),
        ("machine.start_action", "nothing"),
        ("machine.processor.count", True),
        ("machine.processor.count", "2"),
        ("machine.memory.startup", 1024 * 1024 * 1024 + 1),
        ("drives.0.location", 64),
        ("drives.0.controller", 4),
        ("drives.0.file", "..\\sda.vhdx"),
        ("drives.0.file", "a/b.vhdx"),
        ("drives.1.size", None),
        ("network_adapters.0.mac_address", "D3AB0A0B0C0D"),
        ("network_adapters.0.mac_address", "d2ab0a0b0c0d"),
        ("network_adapters.0.vlan", 4095),
        ("seed.sha256", "x"),
        ("seed.file", "../x.iso"),
        ("guest", "plan9"),
        ("volumes.0.sources.0.kind", "magic"),
        ("folders.machine", {"value": "C:\\x", "parameter": "folder"}),
    ],
)
def test_what_both_refuse(path: str, value: Any) -> None:
    case = changed(path, value)
    assert not VALIDATOR.is_valid(case)
    with pytest.raises(MalformedError):
        read(case)


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("drives.0.location", 1, "must be distinct"),
        ("network_adapters.1.mac_address", "D2AB0A0B0C0D", "must be distinct"),
        ("drives.0.volume", "sdb", "its volume is not listed"),
        ("drives.1.folder.value", "C:\\a[b]", "holds one of"),
        ("drives.1.folder.value", "relative", "absolute"),
        ("drives.1.file", "con.vhdx", "reserved"),
        ("machine.memory.minimum", 2 * 1024**3, "minimum <= startup"),
        ("machine.boot_drive", "sdz", "no such drive"),
        ("folders.machine.parameter", "nowhere", "no parameter"),
        ("seed.relocations.0.offset", 4090, "outside the ISO"),
        ("seed.relocations.0.slot", "other", "unknown slot"),
        ("seed.slots.1.length", 35, "wrong length"),
        ("seed", None, "needs a seed"),
    ],
)
def test_what_only_the_reader_sees(path: str, value: Any, fault: str) -> None:
    with pytest.raises(MalformedError, match=fault):
        read(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("schema", "v9", "its schema is 'v9', this runtime reads eryphc/deployment/v1"),
        ("guest", "plan9", "guest: 'plan9' is none of linux, windows"),
        ("machine.generation", 1, "machine.generation: must be 2"),
        ("machine.generation", 2.0, "machine.generation: must be 2"),
        (
            "machine.start_action",
            "start",
            "machine.start_action: 'start' is none of Nothing, StartIfRunning, Start",
        ),
        (
            "drives.0.type",
            "phd",
            "drives[0].type: 'phd' is none of dvd, shared_vhd, vhd, vhd_set",
        ),
        ("drives.0.size", "8", "drives[0].size: must be a number"),
        ("machine.tpm.enabled", 1, "machine.tpm.enabled: must be Boolean"),
        ("volumes.0.sources.0.kind", "magic", "volumes[0].sources[0]: its kind is not known"),
        ("folders.machine", [], "folders.machine: must be an object"),
    ],
)
def test_a_refusal_names_the_place_and_what_it_takes(path: str, value: Any, fault: str) -> None:
    with pytest.raises(MalformedError) as refused:
        read(changed(path, value))
    assert str(refused.value) == fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param('{"a": 1, "a": 2}', "twice", id="a key twice"),
        pytest.param('{"a": NaN}', "NaN", id="no number"),
        pytest.param("[" * 100_000, "too deeply", id="nesting"),
        pytest.param('{"a": ', "no valid JSON", id="cut short"),
        pytest.param("9" * 10_000, "no valid JSON", id="a huge number"),
    ],
)
def test_texts_that_are_refused(text: str, fault: str) -> None:
    with pytest.raises(MalformedError, match=fault):
        parse(text)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "deployment.json"
    with path.open("wb") as stream:
        stream.truncate(16 * 1024 * 1024 + 1)
    with pytest.raises(MalformedError, match="larger"):
        load(tmp_path)
