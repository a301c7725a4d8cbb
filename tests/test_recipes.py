"""Recipes for tools that make machines: what they show is what these tools take.

None of the tools is at hand. Their languages are parsed, and each name is compared with a table
from the documentation of the provider or plugin that owns it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import pytest
import yaml
from hcl2.api import loads

from eryphc import Session, Target
from eryphc.cli.app import run

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
RECIPES = ROOT / "docs" / "recipes"
PAGES = (*sorted(RECIPES.glob("*.md")), ROOT / "docs" / "user-data.md")
BLOCK = re.compile(r"^```(hcl|python|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TOOLS = ("ansible", "packer", "pulumi", "terraform")


class Documented(NamedTuple):
    """The page that documents a block, and the fields that recipes use of it.

    A field in a field is written behind it, `*` stands for any.
    """

    page: str
    fields: str


KNOWN = {
    "data external": Documented(
        page="hashicorp/external: docs/data-sources/external.md", fields="program query query.*"
    ),
    "resource aws_instance": Documented(
        page="hashicorp/aws: website/docs/r/instance.html.markdown",
        fields="ami instance_type user_data_base64 user_data_replace_on_change",
    ),
    "resource azurerm_linux_virtual_machine": Documented(
        page="hashicorp/azurerm: website/docs/r/linux_virtual_machine.html.markdown",
        fields="""
        name resource_group_name location size admin_username network_interface_ids custom_data
        admin_ssh_key admin_ssh_key.username admin_ssh_key.public_key
        os_disk os_disk.caching os_disk.storage_account_type
        source_image_reference source_image_reference.publisher source_image_reference.offer
        source_image_reference.sku source_image_reference.version
        """,
    ),
    "resource hcloud_server": Documented(
        page="hetznercloud/hcloud: docs/resources/server.md",
        fields="name server_type image user_data",
    ),
    "resource libvirt_volume": Documented(
        page="dmacvicar/libvirt 0.9: docs/resources/volume.md",
        fields="""
        name pool capacity target target.format target.format.type
        create create.content create.content.url
        backing_store backing_store.path backing_store.format backing_store.format.type
        """,
    ),
    # The fields of `devices` are those of examples/two_vms_with_cloudinit.tf.
    "resource libvirt_domain": Documented(
        page="dmacvicar/libvirt 0.9: docs/resources/domain.md",
        fields="""
        name type memory memory_unit vcpu running os os.type os.type_arch os.type_machine
        devices devices.disks devices.disks.device devices.disks.source
        devices.disks.source.volume devices.disks.source.volume.pool
        devices.disks.source.volume.volume devices.disks.target devices.disks.target.bus
        devices.disks.target.dev devices.disks.driver devices.disks.driver.type
        devices.interfaces devices.interfaces.type devices.interfaces.model
        devices.interfaces.model.type devices.interfaces.source
        devices.interfaces.source.network devices.interfaces.source.network.network
        """,
    ),
    "resource proxmox_virtual_environment_file": Documented(
        page="bpg/proxmox: docs/resources/virtual_environment_file.md",
        fields="""
        content_type datastore_id node_name source_file source_file.path source_file.file_name
        """,
    ),
    "resource proxmox_virtual_environment_vm": Documented(
        page="bpg/proxmox: docs/resources/virtual_environment_vm.md",
        fields="""
        name node_name cpu cpu.cores cpu.type memory memory.dedicated
        disk disk.datastore_id disk.import_from disk.interface disk.size
        cdrom cdrom.file_id cdrom.interface network_device network_device.bridge
        operating_system operating_system.type serial_device
        """,
    ),
    # The fields of the CD are those of multistep/commonsteps/extra_iso_config.go in Packer's SDK.
    "source qemu": Documented(
        page="hashicorp/packer-plugin-qemu: docs/builders/qemu.mdx",
        fields="""
        iso_url iso_checksum disk_image disk_size format accelerator memory headless
        cd_files cd_label ssh_username ssh_private_key_file shutdown_command
        """,
    ),
    "source amazon-ebs": Documented(
        page="hashicorp/packer-plugin-amazon: docs-partials/builder/common",
        fields="region source_ami instance_type ami_name user_data_file ssh_username",
    ),
}


def blocks(language: str, *stems: str) -> list[Any]:
    return [
        pytest.param(text, id=f"{page.stem}-{number}")
        for page in PAGES
        if not stems or page.stem in stems
        for number, (found, text) in enumerate(BLOCK.findall(page.read_text("utf-8")))
        if found == language
    ]


def plain(value: Any) -> Any:
    """What the parser gives, without the quotation marks of texts and the marks of blocks."""
    if isinstance(value, dict):
        return {plain(key): plain(v) for key, v in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.strip('"') if isinstance(value, str) else value


def fields(value: Any, before: str = "") -> Iterator[str]:
    """The names in a block, with those around them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield before + key
            yield from fields(inner, f"{before}{key}.")
    elif isinstance(value, list):
        for each in value:
            yield from fields(each, before)


def labelled(parsed: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for word in ("data", "resource", "source"):
        for block in parsed.get(word, ()):
            for kind, named in block.items():
                for body in named.values():
                    yield f"{word} {kind}", body


def unknown(text: str) -> list[str]:
    """The fields that the documentation of their block does not have."""
    found: list[str] = []
    for kind, body in labelled(plain(loads(text))):
        known = KNOWN[kind].fields.split()
        found += (
            f"{kind}: {field}"
            for field in fields(body)
            if field not in known and f"{field.rpartition('.')[0]}.*" not in known
        )
    return found


def test_there_are_recipes() -> None:
    assert set(TOOLS) <= {page.stem for page in PAGES}
    assert len(blocks("hcl")) >= 8


@pytest.mark.parametrize("text", blocks("hcl"))
def test_the_names_are_those_of_the_documentation(text: str) -> None:
    assert unknown(text) == []


def test_a_wrong_name_is_found() -> None:
    text = 'resource "hcloud_server" "x" {\n  userdata = "x"\n  image = "y"\n}\n'
    assert unknown(text) == ["resource hcloud_server: userdata"]


def test_the_table_names_nothing_that_no_recipe_uses() -> None:
    used: dict[str, set[str]] = {}
    for page in PAGES:
        for language, text in BLOCK.findall(page.read_text("utf-8")):
            if language == "hcl":
                for kind, body in labelled(plain(loads(text))):
                    used.setdefault(kind, set()).update(fields(body))
    for kind, documented in KNOWN.items():
        names = {name for name in documented.fields.split() if not name.endswith("*")}
        assert names <= used[kind], kind


def queries() -> list[Any]:
    found = []
    for page in PAGES:
        for language, text in BLOCK.findall(page.read_text("utf-8")):
            if language == "hcl":
                for kind, body in labelled(plain(loads(text))):
                    if kind == "data external":
                        found.append(pytest.param(body, id=page.stem))
    return found


@pytest.mark.parametrize("body", queries())
def test_the_query_of_a_recipe_is_answered(body: dict[str, Any]) -> None:
    assert body["program"] == ["eryphc", "external"]
    done = subprocess.run(
        [sys.executable, "-m", *body["program"]],
        input=json.dumps(body["query"]).encode(),
        cwd=EXAMPLES,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["user_data"].startswith("#cloud-config\n")


@pytest.mark.parametrize("text", blocks("hcl", "terraform"))
def test_results_that_a_recipe_reads_are_given(text: str) -> None:
    given = {"user_data", "user_data_base64", "sha256", "form", "bytes"}
    assert set(re.findall(r"\.result\.(\w+)", text)) <= given


@pytest.mark.parametrize("text", blocks("yaml", "ansible"))
def test_plays_build_what_they_hand_over(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = yaml.safe_load(text)
    assert all(isinstance(each, dict) and each["name"] for each in parsed)
    monkeypatch.chdir(shutil.copytree(EXAMPLES, tmp_path / "examples"))
    for task in (task for play in parsed for task in play.get("tasks", ())):
        if "ansible.builtin.command" in task:
            name, *words = task["ansible.builtin.command"]["argv"]
            assert name == "eryphc"
            assert run(words) == 0
    for path in re.findall(r"build/web/[\w.-]+", text if "argv" in text else ""):
        assert Path(path).is_file()


def test_the_catlet_of_packer_is_sound(tmp_path: Path) -> None:
    (block,) = blocks("yaml", "packer")
    spec = tmp_path / "web-image.yaml"
    spec.write_text(block.values[0], encoding="utf-8")
    checked = Session(genepools=[EXAMPLES / "genes"], environment={}).check(
        spec, (Target.CLOUD_INIT, Target.USER_DATA)
    )
    assert [each.message for each in checked.diagnostics] == []


def test_the_program_for_pulumi_hands_over_the_bytes_of_a_build(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: dict[str, dict[str, Any]] = {}

    def maker(kind: str) -> Any:
        def make(name: str, **fields: Any) -> SimpleNamespace:
            made[kind] = fields
            return SimpleNamespace(public_ip="192.0.2.1")

        return make

    stands: dict[str, dict[str, Any]] = {
        "pulumi": {"RunError": RuntimeError, "export": lambda *_: None},
        "pulumi_aws": {"ec2": SimpleNamespace(Instance=maker("aws"))},
        "pulumi_hcloud": {"Server": maker("hcloud")},
    }
    for name, content in stands.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.chdir(EXAMPLES)
    program = "\n".join(block.values[0] for block in blocks("python", "pulumi"))
    exec(compile(program, "pulumi.md", "exec"), {"__name__": "__main__"})  # noqa: S102
    built = Session(EXAMPLES).build(EXAMPLES / "prod-server.yaml", Target.USER_DATA)
    data = built.files["user-data"].content
    assert b64decode(made["aws"]["user_data_base64"]) == data
    assert made["hcloud"]["user_data"].encode() == data


@pytest.mark.parametrize("stem", TOOLS)
def test_a_recipe_says_what_was_not_tried(stem: str) -> None:
    text = (RECIPES / f"{stem}.md").read_text("utf-8")
    tried = text.partition("\n## What was tried\n")[2]
    assert re.search(r"ran against an\s+account", tried)
