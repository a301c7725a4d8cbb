"""Processors, memory, firmware and TPM of the machine, and what is said of them."""

from __future__ import annotations

from typing import Any

import pytest

from eryphc.diagnostics.model import Level, related
from eryphc.guest.model import GuestKind
from targets.hyperv.building import build

MIB = 1024**2
UEFI = "MicrosoftUEFICertificateAuthority"


def machine(spec: str, **options: Any) -> dict[str, Any]:
    section: dict[str, Any] = build(spec, **options).document["machine"]
    return section


def caps(*lines: str) -> str:
    return "capabilities:\n" + "".join(f"- {line}\n" for line in lines)


MEMORY = {
    "nothing said": ("name: web\n", (False, 1024, None, None)),
    "startup": ("memory: 2048\n", (False, 2048, None, None)),
    "capability": (caps("dynamic_memory"), (True, 1024, 512, 1_048_576)),
    "small with capability": (
        "memory: 256\n" + caps("dynamic_memory"),
        (True, 256, 256, 1_048_576),
    ),
    "minimum implies it": ("memory: {startup: 2048, minimum: 1024}\n", (True, 2048, 1024, 1048576)),
    "maximum implies it": ("memory: {startup: 2048, maximum: 4096}\n", (True, 2048, 512, 4096)),
    "minimum above the default": ("memory: {minimum: 2048}\n", (True, 2048, 2048, 1048576)),
    "maximum below the default": ("memory: {maximum: 512}\n", (True, 512, 512, 512)),
    "disabled": (
        "memory: {startup: 2048, maximum: 4096}\n"
        + caps("{name: dynamic_memory, details: [Disabled]}"),
        (False, 2048, None, None),
    ),
}


@pytest.mark.parametrize(("spec", "wanted"), MEMORY.values(), ids=MEMORY)
def test_memory(spec: str, wanted: tuple[bool, int, int | None, int | None]) -> None:
    memory = machine(spec)["memory"]
    sizes = [memory[key] for key in ("startup", "minimum", "maximum")]
    assert (memory["dynamic"], *(s if s is None else s // MIB for s in sizes)) == wanted
    assert all(size is None or size % (2 * MIB) == 0 for size in sizes)


FIRMWARE = {
    "absent": ("name: web\n", (False, None)),
    "windows by default": (caps("secure_boot"), (True, "MicrosoftWindows")),
    "template": (caps(f'{{name: secure_boot, details: ["template:{UEFI}"]}}'), (True, UEFI)),
    "any case": (
        caps(f'{{name: secure_boot, details: ["Template: {UEFI.lower()}"]}}'),
        (True, UEFI),
    ),
    "disabled": (
        caps(f'{{name: secure_boot, details: ["template:{UEFI}", DISABLED]}}'),
        (False, None),
    ),
    "own template": (
        caps('{name: secure_boot, details: ["template:Contoso"]}'),
        (True, "Contoso"),
    ),
}


@pytest.mark.parametrize(("spec", "wanted"), FIRMWARE.values(), ids=FIRMWARE)
def test_secure_boot(spec: str, wanted: tuple[bool, str | None]) -> None:
    firmware = machine(spec, guest=GuestKind.WINDOWS)["firmware"]
    assert (firmware["secure_boot"], firmware["secure_boot_template"]) == wanted


CAPABILITIES = {
    "tpm": ("tpm", lambda it: it["tpm"]["enabled"]),
    "nested": ("nested_virtualization", lambda it: it["processor"]["nested_virtualization"]),
}


@pytest.mark.parametrize(("name", "reads"), CAPABILITIES.values(), ids=CAPABILITIES)
def test_a_capability_is_on_unless_a_detail_disables_it(name: str, reads: Any) -> None:
    assert reads(machine("memory: 4096\n")) is False
    assert reads(machine("memory: 4096\n" + caps(name))) is True
    assert reads(machine("memory: 4096\n" + caps(name.upper()))) is True
    disabled = caps(f"{{name: {name}, details: [dIsabled]}}")
    assert reads(machine("memory: 4096\n" + disabled)) is False


def test_the_guardian_of_the_project_file() -> None:
    project = "hyperv: {guardian: Datacenter}\n"
    with_tpm = machine(caps("{name: tpm}"), project=project)
    assert with_tpm["tpm"] == {"enabled": True, "guardian": "Datacenter"}
    assert machine("name: web\n", project=project)["tpm"] == {"enabled": False, "guardian": None}


def test_start_and_stop_actions_come_from_the_project_file() -> None:
    project = "hyperv: {start_action: start-if-running, stop_action: save}\n"
    section = machine("name: web\n", project=project)
    assert (section["start_action"], section["stop_action"]) == ("StartIfRunning", "Save")
    section = machine("name: web\n")
    assert (section["start_action"], section["stop_action"]) == ("Nothing", "ShutDown")
    assert section["automatic_checkpoints"] is False


FAULTS = {
    "dynamic maximum": (
        "memory: {startup: 1024, maximum: 2097152}\n",
        "E0712",
        "spec.yaml:1:34",
    ),
    "dynamic startup beyond the maximum": (
        "memory: 2097152\n" + caps("dynamic_memory"),
        "E0712",
        "spec.yaml:1:9",
    ),
    "linux and the template of windows": (
        caps("secure_boot"),
        "E0704",
        "spec.yaml:2:3",
    ),
    "nested and dynamic": (
        "memory: 4096\n" + caps("nested_virtualization", "dynamic_memory"),
        "W0701",
        "spec.yaml:3:3",
    ),
    "template nobody has": (
        caps('{name: secure_boot, details: ["template:MicrosoftUEFICertificateAuthorty"]}'),
        "W0702",
        "spec.yaml:2:43",
    ),
    "capability nobody has": (caps("secure_bot"), "W0703", "spec.yaml:2:3"),
    "many processors and nested": (
        "memory: 4096\ncpu: 230\n" + caps("nested_virtualization"),
        "W0705",
        "spec.yaml:2:6",
    ),
    "small and nested": (
        "memory: 2048\n" + caps("nested_virtualization"),
        "W0708",
        "spec.yaml:3:3",
    ),
    "bounds of static memory": (
        "memory: {startup: 1024, maximum: 2048}\n"
        + caps("{name: dynamic_memory, details: [disabled]}"),
        "W0709",
        "spec.yaml:1:34",
    ),
    "detail nobody has": (
        "memory: 4096\n" + caps("{name: tpm, details: [disable]}"),
        "W0710",
        "spec.yaml:3:25",
    ),
    "reserved name": ("name: con\n", "E0719", "spec.yaml:1:7"),
    "location": ("location: here\n", "W0707", "spec.yaml:1:11"),
}


@pytest.mark.parametrize(("spec", "code", "place"), FAULTS.values(), ids=FAULTS)
def test_what_is_said(spec: str, code: str, place: str) -> None:
    from eryphc.request import BuildRequest

    if "name: con" not in spec:
        spec += "name: web\n"
    result = build(spec, request=BuildRequest())
    assert f"{code} {place}" in result.shown()
    assert (result.built is None) == code.startswith("E")


def test_a_fault_of_an_ancestor_is_shown_there_with_the_way_to_it(tmp_path: Any) -> None:
    from catlets import write_pool

    pool = write_pool(
        tmp_path,
        {"acme/base/1.0": {"catlet.yaml": caps("secure_boot"), "os_type": "linux"}},
    )
    result = build("parent: acme/base/1.0\n", pool)
    fault = result.only("E0704")
    assert fault.primary is not None
    assert fault.primary.span.source.name.endswith("acme/base/1.0/catlet.yaml")
    assert fault.primary.span.line == 2
    assert [label.span.source.name for label in related(fault)] == ["spec.yaml"]


def test_a_guest_that_nobody_named_may_be_windows() -> None:
    result = build(caps("secure_boot"), guest=None)
    assert result.built is not None
    assert "E0704" not in result.codes()


def test_sizes_of_one_document_are_judged_once() -> None:
    result = build("memory: {startup: 2048, maximum: 1024}\n")
    assert result.shown(Level.ERROR) == ["E0206 spec.yaml:1:34"]


def test_inherited_sizes_that_do_not_fit(tmp_path: Any) -> None:
    from catlets import write_pool

    pool = write_pool(tmp_path, {"acme/base/1.0": {"catlet.yaml": "memory: {startup: 4096}\n"}})
    result = build("parent: acme/base/1.0\nmemory: {maximum: 2048}\n", pool)
    assert result.built is None
    assert result.shown(Level.ERROR) == ["E0701 spec.yaml:2:19"]


NESTED = caps("nested_virtualization") + "memory: 4096\n"
ADAPTERS = {
    "none said": ("networks: [{name: default}]\n", True),
    "one that may not": ("network_adapters: [{name: eth0, mac_address_spoofing: false}]\n", True),
    "one that may": ("network_adapters: [{name: eth0, mac_address_spoofing: true}]\n", False),
    "one of two": (
        "network_adapters: [{name: eth0}, {name: eth1, mac_address_spoofing: true}]\n",
        False,
    ),
}


@pytest.mark.parametrize(("adapters", "told"), ADAPTERS.values(), ids=ADAPTERS)
def test_machines_inside_need_other_addresses_or_a_nat(adapters: str, told: bool) -> None:  # noqa: FBT001
    assert ("N0722" in build(NESTED + adapters).codes()) == told
    assert "N0722" not in build(adapters).codes()
