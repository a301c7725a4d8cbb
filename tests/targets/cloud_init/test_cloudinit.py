"""The target from substituted fodder entries to files on disk, and back through the readers."""

import email
import hashlib
import json
import shutil
import stat
import subprocess
from importlib.resources import files as resources
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from eryphc.artifacts.epoch import DEFAULT_EPOCH
from eryphc.artifacts.file import ArtifactFile
from eryphc.artifacts.folder import TargetFolders
from eryphc.artifacts.iso_reader import read_iso
from eryphc.guest.cloudconfig.reader import TextReader
from eryphc.guest.model import Adapter, GuestKind, GuestOptions, GuestRequest, NetworkConfigMode
from eryphc.identifiers import ANY, DEFAULT_ARCHITECTURE, GeneId, GeneSetId, GeneType
from eryphc.ir.catlet import Catlet, Fodder
from eryphc.ir.content import Content, Written
from eryphc.ir.stages import Pedigree, PinnedGene, Substituted
from eryphc.pipeline import manifest_of
from eryphc.source import SourceText, Span
from eryphc.targets import Target
from eryphc.targets.cloud_init.emit import emit
from eryphc.targets.cloud_init.options import CloudInitOptions
from eryphc.targets.cloud_init.plan import plan
from eryphc.targets.definition import TargetInput

CATLET_ID = "d2034611-3c44-5aa1-811b-e5f58b5a4416"
CANARY = "canary-4711"


def _content(text: str) -> Content:
    span = Span(SourceText("spec.yaml", text), 0, len(text))
    return Content(text, Written(span))


def _fodder(name: str, text: str, *, kind: str = "cloud-config", secret: bool = False) -> Fodder:
    return Fodder(name=name, type=kind, content=_content(text), secret=secret or None)


PUBLIC = _fodder("packages", "packages:\n  - nginx\n")
SECRET = _fodder("password", f"chpasswd:\n  list: web:{CANARY}\n", secret=True)
SCRIPT = _fodder("hello", "#!/bin/sh\necho 'grüß dich'\n", kind="shellscript")
GENE = PinnedGene(
    type=GeneType.FODDER,
    id=GeneId(GeneSetId("acme", "kit", "1.0"), "tls"),
    architecture=ANY,
    sha256="0" * 64,
)


def _request(
    *fodder_entries: Fodder, network: NetworkConfigMode = NetworkConfigMode.GIVEN
) -> GuestRequest:
    return GuestRequest(
        fodder_entries=fodder_entries,
        guest=GuestKind.LINUX,
        hostname="web",
        instance_id=CATLET_ID,
        adapters=(Adapter(name="eth0", mac_address="d2:ab:01:02:03:04", given=False),),
        network=network,
    )


def _substituted(*, uses_vm_id: tuple[str, ...] = ()) -> Substituted:
    return Substituted(
        catlet=Catlet(name="web"),
        pedigree=Pedigree(documents=(), resolved={}),
        genes=(GENE,),
        uses_vm_id=uses_vm_id,
    )


def _inputs(
    request: GuestRequest,
    *,
    sealed: bool = False,
    uses_vm_id: tuple[str, ...] = (),
    vm_id_given: bool = False,
) -> TargetInput[CloudInitOptions]:
    return TargetInput(
        catlet=_substituted(uses_vm_id=uses_vm_id),
        name="web",
        catlet_id=CATLET_ID,
        architecture=DEFAULT_ARCHITECTURE,
        request=request,
        guest_assumed=False,
        vm_id_given=vm_id_given,
        sealed=sealed,
        epoch=DEFAULT_EPOCH,
        tool="eryphc 0.1.0",
        reader=TextReader(),
        guest=GuestOptions(sealed=sealed),
        options=CloudInitOptions(),
    )


def _emit(inputs: TargetInput[CloudInitOptions]) -> dict[str, ArtifactFile]:
    planned = plan(inputs)
    assert planned.value is not None
    return {str(path): file for path, file in emit(planned.value).items()}


def _bytes(file: ArtifactFile) -> bytes:
    assert isinstance(file.content, bytes)
    return file.content


def test_without_fodder_there_is_an_empty_user_data() -> None:
    files = _emit(_inputs(_request()))
    assert sorted(files) == ["nocloud/meta-data", "nocloud/user-data", "web.iso"]
    assert _bytes(files["nocloud/user-data"]) == b""
    assert read_iso(_bytes(files["web.iso"])).joliet["user-data"] == b""
    assert {path: file.media_type for path, file in files.items()} == {
        "nocloud/meta-data": "application/yaml",
        "nocloud/user-data": "text/plain",
        "web.iso": "application/vnd.efi.iso",
    }


@pytest.mark.parametrize(
    ("fodder_entries", "media_type"),
    [
        pytest.param((PUBLIC,), "text/cloud-config", id="one cloud-config is plain"),
        pytest.param((PUBLIC, SCRIPT), "multipart/mixed", id="two kinds are parts"),
    ],
)
def test_media_type_of_user_data(fodder_entries: tuple[Fodder, ...], media_type: str) -> None:
    files = _emit(_inputs(_request(*fodder_entries)))
    assert files["nocloud/user-data"].media_type == media_type


def test_the_image_and_the_plain_files_are_the_same() -> None:
    files = _emit(_inputs(_request(PUBLIC, SCRIPT, network=NetworkConfigMode.ALWAYS)))
    image = read_iso(_bytes(files["web.iso"]))
    plain = {
        path.removeprefix("nocloud/"): _bytes(file)
        for path, file in files.items()
        if path.startswith("nocloud/")
    }
    assert sorted(plain) == ["meta-data", "network-config", "user-data"]
    assert image.rock_ridge == image.joliet == plain
    assert image.label == image.joliet_label == "cidata"
    parts = [
        part
        for part in email.message_from_bytes(plain["user-data"]).walk()
        if not part.is_multipart()
    ]
    script = parts[-1].get_payload(decode=True)
    assert isinstance(script, bytes)
    assert script.decode() == "#!/bin/sh\necho 'grüß dich'\n"


def test_secrets_are_marked_and_only_where_they_are() -> None:
    files = _emit(_inputs(_request(PUBLIC, SECRET), sealed=True))
    assert {path: file.secret for path, file in files.items()} == {
        "web.iso": True,
        "web.sealed.iso": False,
        "nocloud/user-data": True,
        "nocloud/meta-data": False,
    }
    for file in files.values():
        assert (CANARY.encode() in _bytes(file)) == file.secret


@pytest.mark.parametrize("instance_id", [CATLET_ID, None], ids=["catlet id", "content"])
def test_the_sealed_image_keeps_the_instance_id(instance_id: str | None) -> None:
    request = _request(PUBLIC, SECRET)._replace(instance_id=instance_id)
    files = _emit(_inputs(request, sealed=True))
    full = read_iso(_bytes(files["web.iso"])).joliet
    rest = read_iso(_bytes(files["web.sealed.iso"])).joliet
    assert full["meta-data"] == rest["meta-data"]
    assert full["user-data"] != rest["user-data"]
    assert b"nginx" in rest["user-data"]


def test_the_sealed_image_of_a_catlet_without_secrets_is_the_same() -> None:
    files = _emit(_inputs(_request(PUBLIC), sealed=True))
    assert _bytes(files["web.iso"]) == _bytes(files["web.sealed.iso"])


@pytest.mark.parametrize(("given", "codes"), [(False, ["N0610"]), (True, [])])
def test_a_fodder_that_uses_the_vm_id(given: bool, codes: list[str]) -> None:  # noqa: FBT001
    asked = _inputs(_request(PUBLIC), uses_vm_id=("join",), vm_id_given=given)
    found = plan(asked).diagnostics
    assert [diagnostic.code.number for diagnostic in found] == codes


def test_what_compose_refuses_is_refused() -> None:
    broken = _fodder("list", "- a\n")
    planned = plan(_inputs(_request(broken)))
    assert planned.value is None
    assert planned.diagnostics


def test_a_plan_never_prints_secrets() -> None:
    planned = plan(_inputs(_request(SECRET), sealed=True))
    assert planned.value is not None
    assert CANARY not in repr(planned.value)


def test_on_disk(tmp_path: Path) -> None:
    inputs = _inputs(_request(PUBLIC, SECRET))
    planned = plan(inputs)
    assert planned.value is not None
    place = tmp_path / "build/web/cloud-init"
    manifest = manifest_of(inputs, Target.CLOUD_INIT)
    with TargetFolders([place]) as folders:
        folders.stage(place, emit(planned.value), manifest)
        folders.commit()
    text = (place / "manifest.json").read_bytes()
    value: dict[str, Any] = json.loads(text)
    schema = json.loads(resources("eryphc").joinpath("schemas/manifest.schema.json").read_bytes())
    Draft202012Validator(schema).validate(value)
    assert CANARY.encode() not in text
    assert value["genes"] == [
        {"id": "gene:acme/kit/1.0:tls", "type": "fodder", "arch": "any", "sha256": "0" * 64}
    ]
    assert value["network_adapters"] == [{"name": "eth0", "mac_address": "d2:ab:01:02:03:04"}]
    on_disk = sorted(
        path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()
    )
    assert on_disk == sorted([entry["path"] for entry in value["artifacts"]] + ["manifest.json"])
    for entry in value["artifacts"]:
        file = place / PurePosixPath(entry["path"])
        assert hashlib.sha256(file.read_bytes()).hexdigest() == entry["sha256"]
        assert file.stat().st_size == entry["size"]
        assert stat.S_IMODE(file.stat().st_mode) == (0o600 if entry["secret"] else 0o644)


@pytest.mark.integration
@pytest.mark.skipif(
    shutil.which("isoinfo") is None, reason="isoinfo is not installed: apt-get install genisoimage"
)
def test_isoinfo_finds_the_files_in_both_trees(tmp_path: Path) -> None:
    files = _emit(_inputs(_request(PUBLIC, network=NetworkConfigMode.ALWAYS)))
    image = tmp_path / "web.iso"
    image.write_bytes(_bytes(files["web.iso"]))
    for tree in ("-R", "-J"):
        listing = subprocess.run(
            ["isoinfo", "-f", tree, "-i", str(image)], check=True, capture_output=True, text=True
        ).stdout.split()
        assert sorted(listing) == ["/meta-data", "/network-config", "/user-data"]
