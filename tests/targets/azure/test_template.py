"""The template of a machine: published schemas, the real engine, and what a catlet becomes."""

from __future__ import annotations

import json
import shutil
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from catlets import run
from eryphc import (
    BuildRequest,
    GuestKind,
    GuestOptions,
    MergeMode,
    Session,
    Source,
    Target,
    target_options,
)
from eryphc.ir.stages import Substituted
from eryphc.ir.volume import DiskImage, Firmware
from eryphc.targets.azure.disks import Disks
from golden import Golden
from saying import said
from targets.azure.engine import diagnostics, evaluated
from targets.azure.schemas import faults

pytestmark = pytest.mark.once

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
VALUES: dict[str, object] = {
    "adminUsername": "operator",
    "adminPublicKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@home",
    "adminPassword": "unused-Password-1",
    "customData": "aGVsbG8=",
    "imageId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/eryphc"
    "/images/debian/versions/1.2.3",
}
EVERYTHING_ON: dict[str, object] = {
    **VALUES,
    "zone": "2",
    "adminSources": ["192.0.2.0/24", "2001:db8::/32"],
    "publicIp": True,
    "outbound": "natGateway",
    "osDiskType": "Premium_LRS",
    "tags": {"team": "web", "eryphc-catlet": "not ours"},
}
EVERYTHING = """
name: everything
project: demo
environment: stage
hostname: everything-01
store: fast
cpu: {count: 4}
memory: {startup: 8192, minimum: 1024, maximum: 16384}
drives:
- name: sda
  size: 200
- name: data
  size: 100
- name: logs
  size: 33
- name: tray
  type: dvd
capabilities: [tpm, secure_boot, dynamic_memory]
network_adapters:
- name: eth0
  mac_address: '02:00:00:00:00:01'
  dhcp_guard: true
- name: eth1
  mac_address_spoofing: true
networks:
- {name: backend, adapter_name: eth0}
- {name: default, adapter_name: eth1}
fodder:
- name: base
  content: |
    packages: [nginx]
- name: setup
  type: shellscript
  content: |
    #!/bin/sh
    echo "[evil('x')]"
"""
HOSTILE = (
    "[evil('x')]",
    "[parameters('customData')]",
    "parameters('x')",
    "it's ${x} and %{x}",
    "[[x]",
    "]x[",
)


def build(spec: str | Path, *flags: str, agent: str | None = None, **more: Any) -> Any:
    words: dict[str, list[str]] = {}
    for flag, value in zip(flags[::2], flags[1::2], strict=True):
        words.setdefault(flag, []).append(value)
    options = target_options(Target.AZURE, words)
    source = Source("spec.yaml", spec) if isinstance(spec, str) else spec
    if agent is not None:
        more = {"guest": GuestOptions(agent=agent), "other_values": False, **more}
    request = BuildRequest(**{"targets": (options,), "other_values": True, **more})
    return Session(EXAMPLES, environment={}).build(source, Target.AZURE, request)


def template(built: Any, name: str = "main.json") -> bytes:
    assert built.ok, [(d.code, d.message) for d in built.diagnostics]
    content = built.files[name].content
    assert isinstance(content, bytes)
    return content


SPECS: dict[str, str | Path] = {
    "web-config": EXAMPLES / "web-config.yaml",
    "dev-server": EXAMPLES / "dev-server.yaml",
    "prod-server": EXAMPLES / "prod-server.yaml",
    "everything": EVERYTHING,
    "bare": "name: web\n",
    **{path.stem: path for path in sorted((EXAMPLES / "fleet").glob("*.yaml"))},
}


def spec_of(name: str) -> Any:
    values = {"apiKey": "k", "dbPassword": "longenough", "databasePassword": "longenough"}
    return build(SPECS[name], values=values)


@pytest.mark.parametrize("name", SPECS)
def test_the_published_schemas_have_nothing_against_it(name: str) -> None:
    assert faults(json.loads(template(spec_of(name)))) == []


@pytest.mark.parametrize("name", ["prod-server", "everything", "bare", "web-prod"])
def test_the_compiler_says_nothing(name: str, tmp_path: Path) -> None:
    assert diagnostics(tmp_path, template(spec_of(name))) == []


def test_the_compiler_would_say_something(tmp_path: Path) -> None:
    broken = template(spec_of("bare")).replace(b'"securityType"', b'"securityTyp"')
    assert diagnostics(tmp_path, broken) != []
    assert faults(json.loads(broken)) != []


@pytest.mark.parametrize(
    "values",
    [pytest.param(VALUES, id="defaults"), pytest.param(EVERYTHING_ON, id="everything")],
)
def test_the_resources(
    values: dict[str, object], tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    found = evaluated(tmp_path, template(build(EVERYTHING)), values)
    shown = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    assert shown == snapshot(extension_class=Golden)


def test_what_the_defaults_leave_out(tmp_path: Path) -> None:
    found = evaluated(tmp_path, template(build("name: web\n")), VALUES)
    kinds = sorted(key.split()[0].rpartition("/")[2] for key in found)
    assert kinds == [
        "networkInterfaces", "networkSecurityGroups", "virtualMachines", "virtualNetworks",
    ]  # fmt: skip
    machine = found["Microsoft.Compute/virtualMachines web"]
    assert "zones" not in machine
    assert "customData" not in machine["properties"]["osProfile"]
    assert machine["properties"]["securityProfile"] == {"securityType": "Standard"}
    group = found["Microsoft.Network/networkSecurityGroups web-nsg"]
    assert group["properties"]["securityRules"] == []


def test_subnets_that_are_there_replace_the_network(tmp_path: Path) -> None:
    subnet = (
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets"
    )
    values = {
        **VALUES,
        "subnetIds": {"backend": f"{subnet}/b", "default": f"{subnet}/d"},
        "outbound": "natGateway",
    }
    found = evaluated(tmp_path, template(build(EVERYTHING)), values)
    assert not any("virtualNetworks" in key.split()[0] for key in found)
    assert not any("natGateways" in key for key in found)
    addresses = [
        found[f"Microsoft.Network/networkInterfaces everything-{name}"]["properties"][
            "ipConfigurations"
        ][0]["properties"]["subnet"]["id"]
        for name in ("eth0", "eth1")
    ]
    assert addresses == [f"{subnet}/b", f"{subnet}/d"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_catlet_becomes_an_expression(text: str, tmp_path: Path) -> None:
    spec = f"""
name: web
fodder:
- name: hostile
  content: |
    write_files: [{{path: /etc/x, content: {json.dumps(text)}}}]
"""
    plain = json.loads(
        template(build("name: web\nfodder:\n- {name: x, content: 'packages: [a]'}\n"))
    )
    hostile = json.loads(template(build(spec)))
    assert expressions(hostile) == expressions(plain)
    (tmp_path / "eryphc.yaml").write_text(f"azure: {{tags: {{team: {json.dumps(text)}}}}}\n")
    (tmp_path / "web.yaml").write_text("name: web\n")
    session = Session(tmp_path, environment={})
    built = session.build(tmp_path / "web.yaml", Target.AZURE, BuildRequest())
    made = template(built)
    assert expressions(json.loads(made)) == expressions(json.loads(template(build("name: web\n"))))
    found = evaluated(tmp_path, made, VALUES)
    assert found["Microsoft.Compute/virtualMachines web"]["tags"]["team"] == text


def expressions(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {each for pair in value.items() for part in pair for each in expressions(part)}
    if isinstance(value, list):
        return {each for part in value for each in expressions(part)}
    is_one = isinstance(value, str) and value[:1] == "[" and value[-1:] == "]"
    return {value} if is_one and not value.startswith("[[") else set()


def test_the_template_is_the_same_whatever_the_secrets_are() -> None:
    spec = """
name: web
variables: [{name: token, required: true, secret: true}]
fodder:
- name: token
  secret: true
  content: |
    write_files: [{path: /etc/token, content: '{{ token }}'}]
"""
    one = build(spec, values={"token": "canary-4711"})
    other = build(spec, values={"token": "another"})
    assert template(one) == template(other)
    for name, file in one.files.items():
        content = bytes(file.content)
        hidden = file.secret or file.tells
        assert hidden or b"canary-4711" not in content, name
    assert one.files["secrets.parameters.json"].secret
    assert "customData" not in json.loads(template(one, "main.parameters.json"))["parameters"]
    data = json.loads(template(one, "secrets.parameters.json"))["parameters"]["customData"]["value"]
    assert b"canary-4711" in b64decode(data, validate=True)
    assert "eryphc-custom-data" not in template(one).decode()


def test_custom_data_is_the_user_data_of_the_iso() -> None:
    session = Session(EXAMPLES, environment={})
    spec = EXAMPLES / "prod-server.yaml"
    iso = session.build(spec, Target.CLOUD_INIT, BuildRequest())
    built = build(spec)
    values = json.loads(template(built, "main.parameters.json"))["parameters"]
    data = b64decode(values["customData"]["value"], validate=True)
    assert data == iso.files["nocloud/user-data"].content == built.files["user-data"].content


def test_windows_always_gets_custom_data() -> None:
    built = build("name: web\n", guest=GuestOptions(kind=GuestKind.WINDOWS))
    values = json.loads(template(built, "main.parameters.json"))["parameters"]
    assert b64decode(values["customData"]["value"]) == b"#cloud-config\n"
    made = json.loads(template(built))
    assert "adminPassword" in made["parameters"]
    assert "adminPublicKey" not in made["parameters"]
    assert faults(made) == []


def test_a_marketplace_image_needs_no_id(tmp_path: Path) -> None:
    built = build(EVERYTHING, "--azure-image", "Debian:debian-12:12-gen2:0.20260101.1")
    made = template(built)
    assert "imageId" not in json.loads(made)["parameters"]
    found = evaluated(tmp_path, made, VALUES)
    profile = found["Microsoft.Compute/virtualMachines everything"]["properties"]["storageProfile"]
    assert profile["imageReference"] == {
        "publisher": "Debian",
        "offer": "debian-12",
        "sku": "12-gen2",
        "version": "0.20260101.1",
    }
    assert profile["osDisk"]["diskSizeGB"] == 200


def codes(built: Any) -> list[str]:
    """What counts, but for the warning that the kind of the guest is assumed."""
    return [d.code for d in built.diagnostics if d.level.value != "note" and d.code != "N0551"]


def test_a_machine_that_nobody_could_log_in_to_is_an_error() -> None:
    users = "name: web\nfodder:\n- name: u\n  content: |\n    users: [{name: web%s}]\n"
    built = build(users % "")
    (found,) = (d for d in built.diagnostics if d.code == "W0540")
    assert (found.level.value, found.line) == ("error", 5)
    assert "W0540" not in codes(build(users % ", ssh_authorized_keys: [ssh-ed25519 A]"))
    with_default = "name: web\nfodder:\n- name: u\n  content: 'users: [default, {name: web}]'\n"
    assert "W0540" not in codes(build(with_default))


@pytest.mark.parametrize(
    ("config", "locked"),
    [
        ("users: web", True),
        ("users: default", False),
        ("users: null", True),
        ("{users: [{name: a}], user: null}", True),
        ("{users: [{name: a}], user: {name: b}}", False),
        ("users: [{name: a, passwd: $6$x, lock_passwd: false}]", False),
        ("users: [{name: a, passwd: $6$x}]", True),
        ("users: {default: {}}", False),
    ],
)
def test_who_can_log_in(config: str, *, locked: bool) -> None:
    spec = f"name: web\nfodder: [{{name: u, content: '{config}'}}]\n"
    assert ("W0540" in codes(build(spec))) is locked
    options = target_options(Target.USER_DATA, {"--platform": ["gce"]})
    session = Session(EXAMPLES, environment={})
    request = BuildRequest(targets=(options,))
    checked = session.check(Source("spec.yaml", spec), (Target.USER_DATA,), request)
    assert ("W0540" in codes(checked)) is locked
    # Null makes no user at all, which is an error of its own (E0567).
    assert checked.ok is (config != "users: null")


def test_parts_that_lock_out_are_found() -> None:
    spec = "name: web\nfodder: [{name: u, content: 'users: [{name: a}]'}]\n"
    assert "W0540" in codes(build(spec, guest=GuestOptions(merge=MergeMode.PARTS)))


SETTINGS = {
    "os_disk_type: Premium_LRS": None,
    "outbound: natGateway": None,
    "zone: 2": None,
    "zone: b'2": "no zone",
    "location: westeurope": None,
    "location: '[x]'": "no region",
    "admin_sources: [192.0.2.0/24, '2001:db8::/32', 192.0.2.7]": None,
    "admin_sources: [1.2.3.4/0]": "anyone",
    "admin_sources: ['::/00']": "anyone",
    "admin_sources: ['*']": "no range",
    "admin_sources: [Internet]": "no range",
    "admin_sources: [0.0.0.0/1, 128.0.0.0/1]": "anyone",
    "tags: {A: x, a: y}": "letter case",
    "tags: {microsoft-x: y}": "begins like",
    "size: ''": None,
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_project_file(setting: str, tmp_path: Path) -> None:
    (tmp_path / "eryphc.yaml").write_text(f"azure:\n  {setting}\n")
    (tmp_path / "web.yaml").write_text("name: web\n")
    checked = Session(tmp_path, environment={}).check(tmp_path / "web.yaml", (Target.AZURE,))
    errors = [d.message for d in checked.diagnostics if d.level.value == "error"]
    words = SETTINGS[setting]
    assert errors == [] if words is None else words in errors[0], errors


def test_a_machine_never_has_more_than_fifty_tags(tmp_path: Path) -> None:
    tags = ", ".join(f"t{number}: x" for number in range(25))
    (tmp_path / "eryphc.yaml").write_text(f"azure: {{tags: {{{tags}}}}}\n")
    genes = []
    for number in range(30):
        folder = tmp_path / "genes" / "acme" / f"kit{number}" / "1.0"
        (folder / "fodder").mkdir(parents=True)
        (folder / "geneset-tag.json").write_text(
            json.dumps({"version": "1.1", "geneset": f"acme/kit{number}/1.0"})
        )
        (folder / "fodder" / "f.yaml").write_text(
            f"name: f\nfodder: [{{name: f{number}, content: 'packages: [a{number}]'}}]\n"
        )
        genes.append(f"- source: gene:acme/kit{number}/1.0:f\n")
    (tmp_path / "web.yaml").write_text("name: web\nfodder:\n" + "".join(genes))
    built = Session(tmp_path, environment={}).build(tmp_path / "web.yaml", Target.AZURE)
    made = json.loads(template(built))
    user = made["parameters"]["tags"]["defaultValue"]
    assert len(user) + len(made["variables"]["machineTags"]) <= 50


def test_the_digest_of_a_gene_with_a_secret_stays_out_of_the_template(tmp_path: Path) -> None:
    folder = tmp_path / "genes" / "acme" / "kit" / "1.0"
    (folder / "fodder").mkdir(parents=True)
    (folder / "geneset-tag.json").write_text('{"version": "1.1", "geneset": "acme/kit/1.0"}')
    (tmp_path / "web.yaml").write_text("name: web\nfodder: [{source: 'gene:acme/kit/1.0:f'}]\n")
    made = []
    for word in ("canary-1", "canary-2"):
        (folder / "fodder" / "f.yaml").write_text(
            f"name: f\nfodder: [{{name: f, secret: true, content: 'password: {word}'}}]\n"
        )
        session = Session(tmp_path, environment={})
        made.append(template(session.build(tmp_path / "web.yaml", Target.AZURE)))
    assert made[0] == made[1]


def test_an_unknown_size_says_nothing_of_its_interfaces() -> None:
    built = build(EVERYTHING, "--azure-size", "Standard_D4s_v99")
    assert b"enableAcceleratedNetworking" not in template(built)
    assert b"enableAcceleratedNetworking" in template(build(EVERYTHING))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("apt: {sources: {x: {source: deb http://x y z}}}", True),
        ("runcmd: [[wget, https://example.org]]", True),
        ("runcmd: [apt-get -y install nginx]", True),
        ("runcmd: [git clone https://example.org]", True),
        ("runcmd: [[systemctl, restart, nginx]]", False),
        ("write_files: [{path: /a, content: curl x}]", False),
    ],
)
def test_what_fetches_without_a_way_out(content: str, *, found: bool, tmp_path: Path) -> None:
    (tmp_path / "eryphc.yaml").write_text("azure: {outbound: none}\n")
    spec = tmp_path / "web.yaml"
    spec.write_text(f"name: web\nfodder: [{{name: n, content: '{content}'}}]\n")
    checked = Session(tmp_path, environment={}).check(spec, (Target.AZURE,))
    assert ("W1407" in codes(checked)) is found


def test_generation_one_has_no_vendors_image() -> None:
    spec = "name: w\nparent: dbosoft/debian-12/std-1.0\n"
    spec += "capabilities: [{name: secure_boot, mutation: remove}]\n"
    built = build(spec, "--azure-image", "auto", "--azure-generation", "1")
    assert "E1403" in codes(built)


def test_a_partition_of_a_device_is_found() -> None:
    spec = "name: web\nfodder: [{name: n, content: 'mounts: [[/dev/sdb1, /data]]'}]\n"
    assert "W1406" in codes(build(spec))


def test_the_primary_interface_is_that_of_the_network_default() -> None:
    made = json.loads(template(build(EVERYTHING)))
    machine = made["resources"][-1]["properties"]["networkProfile"]["networkInterfaces"]
    assert [each["properties"]["primary"] for each in machine] == [False, True]


def test_two_builds_are_the_same_bytes() -> None:
    one, other = build(EVERYTHING), build(EVERYTHING)
    assert {n: f.content for n, f in one.files.items()} == {
        n: f.content for n, f in other.files.items()
    }


# --- disks -------------------------------------------------------------------------------------


def substituted(text: str) -> Substituted:
    done = run(text).done
    assert done is not None
    return done


def disk(path: Path, size: int, text: bytes = b"x") -> Path:
    with path.open("wb") as file:
        file.truncate(size)
        file.seek(1_000_000)
        file.write(text)
    return path


def own_image(tmp_path: Path, *flags: str, spec: str = EVERYTHING) -> Any:
    system = disk(tmp_path / "system.raw", 64 * 1024**2)
    return build(spec, "--volume", f"sda={system}", *flags)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if shutil.which("qemu-img") is None:
        pytest.skip("qemu-img is not installed: apt-get install qemu-utils")
    monkeypatch.setenv("ERYPHC_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.usefixtures("cache")
def test_an_image_of_ones_own_becomes_a_vhd_and_a_gallery_image(tmp_path: Path) -> None:
    data = disk(tmp_path / "data.raw", 30 * 1024**2, b"y")
    built = own_image(tmp_path, "--volume", f"data={data}")
    made = template(built, "image.json")
    assert faults(json.loads(made)) == []
    assert diagnostics(tmp_path, made) == []
    values = {"storageAccountId": "/subscriptions/s/a", "blobPrefix": "https://a.example/c/"}
    found = evaluated(tmp_path, made, values)
    (version,) = (each for key, each in found.items() if "versions" in key)
    assert version["properties"]["storageProfile"]["osDiskImage"]["source"]["uri"].startswith(
        "https://a.example/c/"
    )
    assert version["properties"]["publishingProfile"]["excludeFromLatest"] is True
    written = built.write(tmp_path / "out")
    disks = {file.path: file.size for file in written if file.path.startswith("disks/")}
    assert disks == {
        "disks/data.vhd": 30 * 1024**2 + 512,
        "disks/sda.vhd": 64 * 1024**2 + 512,
    }
    machine = json.loads(template(built))
    assert faults(machine) == []
    (imported,) = (
        each["properties"]["creationData"]
        for each in machine["resources"]
        if each["name"] == "everything-data"
    )
    assert imported["createOption"] == "Import"
    assert machine["parameters"].keys() >= {"storageAccountId", "blobPrefix"}


@pytest.mark.usefixtures("cache")
def test_the_same_disk_is_the_same_image_in_every_catlet(tmp_path: Path) -> None:
    one = own_image(tmp_path)
    other = own_image(tmp_path, spec="name: other\ndrives: [{name: sda}]\n")
    assert template(one, "image.json") == template(other, "image.json")


@pytest.mark.usefixtures("cache")
def test_check_converts_nothing(tmp_path: Path) -> None:
    system = disk(tmp_path / "system.raw", 64 * 1024**2)
    options = target_options(Target.AZURE, {"--volume": [f"sda={system}"]})
    session = Session(EXAMPLES, environment={})
    checked = session.check(
        Source("spec.yaml", EVERYTHING), (Target.AZURE,), BuildRequest(targets=(options,))
    )
    assert checked.ok
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("size", "words"), [(1024**2, "smaller than 20 MiB"), (3 * 1024**4, "at most 2,047")]
)
def test_a_disk_that_azure_refuses_is_refused(size: int, words: str, tmp_path: Path) -> None:
    path = tmp_path / "system.raw"
    read = DiskImage("raw", "0" * 64, size, size)
    found = Disks(
        substituted("name: web\ndrives: [{name: sda}]\n"),
        {"sda": str(path)},
        {path: read},
        2,
        own_image=True,
    ).found
    assert [each.code.number for each in found] == ["E1408"]
    assert words in said(found[0]).message


@pytest.mark.parametrize(
    ("boots", "generation", "code"),
    [
        (frozenset({Firmware.UEFI}), 2, None),
        (frozenset({Firmware.UEFI}), 1, "E1403"),
        (frozenset({Firmware.BIOS}), 2, "E1403"),
        (frozenset({Firmware.BIOS, Firmware.UEFI}), 1, None),
        (None, 1, None),
        (frozenset(), 2, None),
    ],
)
def test_an_image_must_boot_as_its_machine_does(
    boots: frozenset[Firmware] | None, generation: int, code: str | None
) -> None:
    path = Path("system.raw")
    read = DiskImage("raw", "0" * 64, 1024**3, 1024**3, boots=boots)
    found = Disks(
        substituted("name: web\ndrives: [{name: sda}]\n"),
        {"sda": str(path)},
        {path: read},
        generation,
        own_image=True,
    ).found
    assert [each.code.number for each in found] == ([] if code is None else [code])


# --- who reads custom data -----------------------------------------------------------------------

FODDER = "name: web\nfodder: [{name: n, content: 'packages: [nginx]'}]\n"


@pytest.mark.parametrize("agent", ["azure-init", "none"])
def test_fodder_that_nobody_reads_is_an_error(agent: str) -> None:
    assert codes(build(FODDER, agent=agent)) == ["E1506"]
    assert build("name: web\n", agent=agent).ok


@pytest.mark.parametrize(("agent", "code"), [("egs", "E1507"), ("cloud-init", None)])
def test_an_agent_must_run_in_the_guest(agent: str, code: str | None) -> None:
    assert codes(build(FODDER, agent=agent)) == ([] if code is None else [code])


def test_a_volume_for_a_drive_that_is_not_there_is_an_error() -> None:
    built = build(EVERYTHING, "--volume", "sdx=disk.raw")
    (found,) = (each for each in built.diagnostics if each.code == "E1414")
    assert "`sda`, `data`, `logs`" in found.notes[0]


def test_the_vendors_windows_applies_no_fodder() -> None:
    spec = "name: w\nparent: dbosoft/winsrv2022-standard/std-1.0\n"
    fodder = "fodder: [{name: n, content: 'set_timezone: UTC'}]\n"
    assert "E1506" in codes(build(spec + fodder, "--azure-image", "auto"))
    assert build(spec, "--azure-image", "auto").ok
    assert build(spec + fodder, "--azure-image", "auto", agent="egs").ok
