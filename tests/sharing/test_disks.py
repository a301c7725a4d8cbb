"""Disks that are published with their gene sets: packed in parts, copied, fetched and exported."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cli.command_line import CommandLine, Done
from eryphc import Session
from eryphc.genepool import image
from eryphc.sharing import push
from genepool.oci.real import program
from sharing.projects import codes

pytestmark = pytest.mark.integration

PART = 64 * 1024
SDA = "volumes/hyperv/amd64/sda.vhdx"
SDB = "volumes/kvm/sdb.qcow2"
DISK = hashlib.shake_256(b"a disk").digest(PART) + bytes(PART) + b"the end" * 100
SMALL = hashlib.shake_256(b"a small disk").digest(1000)


class Team(NamedTuple):
    """An author with a set that has two disks, and a registry."""

    eryphc: CommandLine
    host: str

    @property
    def folder(self) -> Path:
        return self.eryphc.folder

    @property
    def cache(self) -> Path:
        return self.folder / "cache" / "eryphc"

    def __call__(self, *arguments: str) -> Done:
        return self.eryphc(*arguments)

    def pack(self) -> Path:
        done = self("gene", "pack", "genes/acme/base", "-o", "layout")
        assert done.code == 0, done.err
        return self.folder / "layout"

    def pool(self) -> None:
        self.eryphc.write(
            "eryphc.yaml",
            f"pools:\n- name: corp\n  type: oci\n  prefix: {self.host}/genes\n  orgs: [acme]\n",
        )

    def copy(self) -> None:
        """The layout into the registry, by skopeo."""
        subprocess.run(
            [program("skopeo"), "copy", "--quiet", "--preserve-digests",
             "--dest-tls-verify=false", f"oci:{self.pack()}:acme/base:1.0",
             f"docker://{self.host}/genes/acme/base:1.0"],
            check=True,
        )  # fmt: skip

    def cached(self, data: bytes) -> Path:
        return self.cache / "volumes/sha256" / hashlib.sha256(data).hexdigest()


@pytest.fixture
def team(
    eryphc: CommandLine, host: str, own_folders: None, monkeypatch: pytest.MonkeyPatch
) -> Team:
    # A disk of several parts need not be large.
    monkeypatch.setattr(image, "_SMALLEST_PART", PART)
    base = "genes/acme/base/1.0"
    eryphc.write(f"{base}/geneset-tag.json", '{"version":"1.1","geneset":"acme/base/1.0"}')
    eryphc.write(f"{base}/catlet.yaml", "drives:\n- name: sda\n  size: 20\n")
    for path, data in ((SDA, DISK), (SDB, SMALL)):
        file = eryphc.folder / base / path
        file.parent.mkdir(parents=True)
        file.write_bytes(data)
    return Team(eryphc, host)


@pytest.fixture
def user(team: Team) -> Team:
    """Somebody who has the set in a registry alone."""
    team.copy()
    shutil.rmtree(team.folder / "layout")
    shutil.rmtree(team.folder / "genes")
    team.pool()
    team.eryphc.write("web.yaml", "name: web\nparent: acme/base/1.0\n")
    return team


def config_of(layout: Path) -> dict[str, Any]:
    index = json.loads((layout / "index.json").read_text())
    manifest = json.loads(blob(layout, index["manifests"][0]["digest"]))
    config: dict[str, Any] = json.loads(blob(layout, manifest["config"]["digest"]))
    return {"manifest": manifest, **config}


def blob(layout: Path, digest: str) -> bytes:
    return (layout / "blobs" / digest.replace(":", "/")).read_bytes()


def test_a_disk_is_cut_into_parts(team: Team) -> None:
    config = config_of(team.pack())
    sda, sdb = config["dev.eryphc.geneset"]["volumes"]
    assert sda == {
        "name": "sda", "arch": "hyperv/amd64", "format": "vhdx", "path": SDA, "part": PART,
        "digest": f"sha256:{hashlib.sha256(DISK).hexdigest()}", "size": len(DISK),
    }  # fmt: skip
    assert (sdb["path"], sdb["size"]) == (SDB, len(SMALL))
    assert len(config["rootfs"]["diff_ids"]) == 1 + 3 + 1
    kinds = [layer["mediaType"].rpartition(".")[2] for layer in config["manifest"]["layers"]]
    assert kinds == ["tar", "tar+gzip", "tar+gzip", "tar+gzip", "tar"]
    # Nothing of the work is left behind.
    assert sorted(path.name for path in team.folder.iterdir()) == ["genes", "layout"]


def test_the_identity_does_not_depend_on_the_compressor(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = team("gene", "pack", "genes/acme/base", "-o", "layout", "--format", "json")
    monkeypatch.setattr("eryphc.genepool.disk_layers._LEVEL", 9)
    second = team("gene", "pack", "genes/acme/base", "-o", "layout", "--format", "json")
    (one,), (other,) = json.loads(first.out), json.loads(second.out)
    assert one["digest"] == other["digest"]
    assert one["manifest"] != other["manifest"]


def test_an_unpacker_of_others_gives_the_disk(team: Team) -> None:
    team.pack()
    subprocess.run(
        [program("umoci"), "unpack", "--rootless", "--image", "layout:acme/base:1.0", "unpacked"],
        check=True,
        cwd=team.folder,
        capture_output=True,
    )
    root = team.folder / "unpacked/rootfs"
    parts = sorted((root / "volumes/hyperv/amd64").iterdir())
    assert [path.name for path in parts] == ["sda.vhdx.001", "sda.vhdx.002", "sda.vhdx.003"]
    assert b"".join(path.read_bytes() for path in parts) == DISK
    assert (root / SDB).read_bytes() == SMALL


def test_without_a_place_disks_are_not_packed(team: Team) -> None:
    done = team("gene", "pack", "genes/acme/base")
    assert (done.code, codes(done)) == (1, ["E1033", "E1033"])
    assert "pack it with `gene pack -o`" in done.err


def test_volume_fetch_takes_it_from_the_registry(user: Team) -> None:
    done = user("volume", "fetch", "gene:acme/base/1.0:sda")
    assert done.code == 0, done.err
    path = Path(done.out.strip())
    assert path.read_bytes() == DISK
    assert path.samefile(user.cached(DISK))
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name]
    done = user("volume", "fetch", "gene:acme/base/1.0:sdb", "--arch", "kvm/amd64")
    assert done.code == 0, done.err
    assert Path(done.out.strip()).read_bytes() == SMALL


def test_a_pull_brings_disks_only_if_asked(user: Team) -> None:
    assert user("gene", "pull", "acme/base/1.0").code == 0
    assert not user.cached(DISK).exists()
    assert user("gene", "pull", "acme/base/1.0", "--volumes").code == 0
    assert user.cached(DISK).read_bytes() == DISK
    assert user.cached(SMALL).read_bytes() == SMALL


def test_what_a_lock_pins_brings_its_disks(user: Team) -> None:
    assert user("lock", "web.yaml").code == 0
    shutil.rmtree(user.cache)
    assert user("gene", "pull", "--lock", "--volumes").code == 0
    assert user.cached(DISK).read_bytes() == DISK


def test_a_layout_is_as_good_as_a_registry(team: Team) -> None:
    team.pack()
    shutil.rmtree(team.folder / "genes")
    pool = ("--genepool", "oci-layout:layout")
    done = team("volume", "fetch", "gene:acme/base/1.0:sda", *pool)
    assert done.code == 0, done.err
    assert Path(done.out.strip()).read_bytes() == DISK


def test_parts_that_arrived_are_not_fetched_again(team: Team) -> None:
    layout = team.pack()
    shutil.rmtree(team.folder / "genes")
    pool = ("--genepool", "oci-layout:layout")
    layers = config_of(layout)["manifest"]["layers"]
    last = layout / "blobs" / layers[3]["digest"].replace(":", "/")
    kept = last.read_bytes()
    last.unlink()
    done = team("volume", "fetch", "gene:acme/base/1.0:sda", *pool)
    assert (done.code, codes(done)) == (3, ["E1019"])
    arrived = team.cached(DISK).with_name(f"{team.cached(DISK).name}.parts")
    assert arrived.read_bytes() == DISK[: 2 * PART]
    # They are not even looked at.
    (layout / "blobs" / layers[1]["digest"].replace(":", "/")).unlink()
    last.write_bytes(kept)
    done = team("volume", "fetch", "gene:acme/base/1.0:sda", *pool)
    assert done.code == 0, done.err
    assert Path(done.out.strip()).read_bytes() == DISK
    assert not arrived.exists()


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_layer_that_was_changed(team: Team, at: int) -> None:
    layout = team.pack()
    shutil.rmtree(team.folder / "genes")
    layers = config_of(layout)["manifest"]["layers"]
    path = layout / "blobs" / layers[at]["digest"].replace(":", "/")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    done = team("volume", "fetch", "gene:acme/base/1.0:sda", "--genepool", "oci-layout:layout")
    assert (done.code, codes(done)) == (3, ["E1019"])
    assert not team.cached(DISK).exists()


def test_rests_of_another_disk_are_noticed(user: Team) -> None:
    place = user.cached(DISK)
    assert user("gene", "pull", "acme/base/1.0").code == 0
    place.parent.mkdir(parents=True)
    place.with_name(f"{place.name}.parts").write_bytes(b"x" * PART * 2)
    done = user("volume", "fetch", "gene:acme/base/1.0:sda")
    assert done.code == 0, done.err
    assert place.read_bytes() == DISK


def test_a_limit(user: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eryphc.cli.volume_fetch._GIB", 1000)
    done = user("volume", "fetch", "gene:acme/base/1.0:sda", "--max-size", "1")
    assert (done.code, codes(done)) == (1, ["E0804"])
    assert not user.cached(DISK).exists()


def test_formats_that_no_image_has(team: Team) -> None:
    path = team.folder / "genes/acme/base/1.0" / SDA
    path.rename(path.with_suffix(".img"))
    done = team("gene", "pack", "genes/acme/base", "-o", "layout")
    assert (done.code, codes(done)) == (1, ["E1033"])
    assert "is none of qcow2, raw, vhd, vhdx" in done.err
    assert not (team.folder / "layout").exists()


FOREIGN = {
    "a VMDK": (b"KDMV" + bytes(600), "but a VMDK image (VMware)"),
    "an archive": (b"\xfd7zXZ\0" + bytes(600), "but compressed by xz"),
    "a qcow2": (b"QFI\xfb\0\0\0\3" + bytes(600), "it is a qcow2 file"),
    "a page": (b"<html><body>gone</body></html>", "but an HTML page"),
}


@pytest.mark.parametrize(("content", "words"), FOREIGN.values(), ids=FOREIGN)
def test_a_disk_that_is_not_what_its_name_says(team: Team, content: bytes, words: str) -> None:
    (team.folder / "genes/acme/base/1.0" / SDA).write_bytes(content)
    for command in (("check", "genes/acme/base"), ("pack", "genes/acme/base", "-o", "layout")):
        done = team("gene", *command)
        assert (done.code, "E1033" in done.err + done.out) == (1, True)
        assert words in done.err + done.out
    assert not (team.folder / "layout").exists()


def test_an_export_with_disks(user: Team, team: Team) -> None:
    assert user("lock", "web.yaml").code == 0
    assert user("gene", "export", "acme/base/1.0", "-o", "without").code == 0
    for what in ("acme/base/1.0", "--lock"):
        done = user("gene", "export", what, "--volumes", "-o", "with")
        assert done.code == 0, done.err
        assert f"  {SDA}  sha256:" in done.out
        subprocess.run(
            [program("skopeo"), "copy", "--quiet", "--dest-tls-verify=false",
             f"oci:{user.folder / 'with'}:acme/base:1.0",
             f"docker://{team.host}/copied/acme/base:1.0"],
            check=True,
        )  # fmt: skip
    shutil.rmtree(user.cache)
    (user.folder / "eryphc.yaml").unlink()
    done = user("volume", "fetch", "gene:acme/base/1.0:sda", "--genepool", "oci-layout:with")
    assert done.code == 0, done.err
    assert Path(done.out.strip()).read_bytes() == DISK
    shutil.rmtree(user.cache)
    done = user("volume", "fetch", "gene:acme/base/1.0:sda", "--genepool", "oci-layout:without")
    assert (done.code, codes(done)) == (3, ["E1019"])


def test_an_export_of_a_folder_with_disks(team: Team) -> None:
    done = team("gene", "export", "acme/base/1.0", "--genepool", "genes", "-o", "with")
    assert (done.code, codes(done)) == (1, ["E1033", "E1033"])
    words = ("gene", "export", "acme/base/1.0", "--genepool", "genes", "--volumes")
    assert team(*words, "-o", "with").code == 0
    assert team(*words, "--archive", "-o", "with.tar").code == 0
    shutil.rmtree(team.folder / "genes")
    listed = subprocess.run(
        ["tar", "tf", "with.tar"], check=True, capture_output=True, text=True, cwd=team.folder
    ).stdout.splitlines()
    layout = team.folder / "with"
    files = [path for path in layout.rglob("*") if path.is_file()]
    assert sorted(listed) == sorted(path.relative_to(layout).as_posix() for path in files)
    done = team("volume", "fetch", "gene:acme/base/1.0:sda", "--genepool", "oci-layout:with")
    assert Path(done.out.strip()).read_bytes() == DISK


def test_a_layout_with_disks_is_pushed(team: Team) -> None:
    layout = team.pack()
    team.pool()
    text = (team.folder / "eryphc.yaml").read_text()
    (team.folder / "eryphc.yaml").write_text(text.replace("/genes", "/pushed"))
    done = team("gene", "push", "layout", "--no-index")
    assert done.code == 0, done.err
    assert team("gene", "push", "layout", "--no-index").code == 0
    shutil.rmtree(layout)
    shutil.rmtree(team.folder / "genes")
    done = team("volume", "fetch", "gene:acme/base/1.0:sda")
    assert done.code == 0, done.err
    assert Path(done.out.strip()).read_bytes() == DISK


def test_a_push_tells_how_much_of_the_disks_is_there(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = config_of(team.pack())["manifest"]["layers"][1:]
    heard: list[tuple[str, int, int]] = []
    monkeypatch.chdir(team.folder)
    pushed = push(
        Session(),
        ["layout"],
        to=f"oci://{team.host}/told",
        index=False,
        progress=lambda *told: heard.append(told),
    )
    assert pushed.ok
    sizes = [layer["size"] for layer in layers]
    assert heard == [("acme/base/1.0", sum(sizes[:at]), sum(sizes)) for at in range(len(sizes))]


def test_a_layout_that_lacks_a_layer_is_not_pushed(team: Team) -> None:
    layout = team.pack()
    team.pool()
    text = (team.folder / "eryphc.yaml").read_text()
    (team.folder / "eryphc.yaml").write_text(text.replace("/genes", "/lacking"))
    digest = config_of(layout)["manifest"]["layers"][2]["digest"]
    (layout / "blobs" / digest.replace(":", "/")).unlink()
    done = team("gene", "push", "layout", "--no-index")
    assert (done.code, codes(done)) == (3, ["E1019"])
    done = team("gene", "push", "genes/acme/base", "--no-index")
    assert (done.code, codes(done)) == (1, ["E1033", "E1033"])
