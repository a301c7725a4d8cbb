"""Builds, locks and pulls that take gene sets from eryph's gene pool API."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.command_line import CommandLine
from eryphc.canonical import canonical, digest_of
from genepool.eryph_api.fake import (
    FakeApi,
    PackedTag,
    fake_api,
    packed_folder,
    packed_gene,
    packed_tag,
)
from genepool.original import folders
from net.server import says
from sharing.projects import Project, codes


def motd(zone: str, tag: str = "1.0", form: str = "plain") -> PackedTag:
    content = f"timezone: {zone}\n"
    fodder = [{"name": "motd", "type": "cloud-config", "content": content}]
    gene = packed_gene("fodder", "motd", {"name": "motd", "fodder": fodder}, form=form)
    return packed_tag(f"acme/motd/{tag}", [gene], metadata={"_os_type": "linux"})


def base() -> PackedTag:
    catlet = {"parent": None, "fodder": [{"source": "gene:acme/motd:motd"}]}
    return packed_tag("acme/base/1.0", [packed_gene("catlet", "catlet", catlet)])


@dataclass(frozen=True)
class Team(Project):
    """A project with a pool behind an API."""

    api: FakeApi

    def pool(self, url: str, *lines: str) -> None:
        more = "".join(f"  {line}\n" for line in lines)
        text = f"pools:\n- name: public\n  type: genepool\n  url: {url}\n  orgs: [acme]\n{more}"
        self.eryphc.write("eryphc.yaml", text)


@pytest.fixture
def team(eryphc: CommandLine, own_folders: None) -> Iterator[Team]:
    with fake_api() as api:
        api.publish(motd("UTC"), packed_tag("acme/motd/latest", ref="acme/motd/1.0"), base())
        team = Team(eryphc, api)
        team.pool(api.url)
        eryphc.write("web.yaml", "name: web\nparent: acme/base/1.0\n")
        yield team


@pytest.mark.parametrize("way", ["links", "inline", "bare", "gz"])
def test_a_build_takes_what_the_api_has(team: Team, way: str) -> None:
    team.api.inline, team.api.bare = way == "inline", way == "bare"
    if way == "gz":
        team.api.publish(motd("UTC", form="gz"))
    assert "UTC" in team.user_data()
    assert bool(team.api.parts.asked) == (way != "inline")


def test_a_project_that_asks_for_signatures_uses_none_of_it(team: Team) -> None:
    """In this form nothing can be signed; neither before nor after it came into the store."""
    key = "AAAAC3NzaC1lZDI1NTE5AAAAIGkHWLrGQ9Xe8SzGXkkzQ0WRJ9r3yAAhkVG5UAEpQ2rW"
    team.eryphc.write("allowed_signers", f"ci@acme.example ssh-ed25519 {key}\n")
    team.user_data()
    rule = "trust:\n- {orgs: [acme], require: signature, keys: allowed_signers}\n"
    team.eryphc.write(
        "eryphc.yaml",
        f"pools:\n- {{name: public, type: genepool, url: '{team.api.url}', orgs: [acme]}}\n{rule}",
    )
    done = team("build", "web.yaml", "--guest", "linux", "--target", "user-data")
    assert done.code == 1
    assert set(codes(done)) == {"E1022"}


def test_a_lock_keeps_the_content(team: Team) -> None:
    assert team("lock", "web.yaml").code == 0
    entry = team.lock()["sets"]["acme/motd/1.0"]
    assert entry["form"] == "eryph"
    assert entry["pool"] == "public"
    assert entry["digest"] == digest_of(canonical(motd("UTC").manifest))
    assert sorted(entry["files"]) == ["fodder/motd.json", "geneset-tag.json"]
    assert team.lock()["sets"]["acme/motd/latest"] == {"ref": "acme/motd/1.0"}
    assert team.lock()["sets"]["acme/base/1.0"]["requires"] == ["acme/motd/latest"]
    team.api.publish(motd("CET", "1.1"), packed_tag("acme/motd/latest", ref="acme/motd/1.1"))
    asked = len(team.api.server.asked)
    for options in ((), ("--locked",), ("--offline",), ("--frozen",)):
        assert "UTC" in team.user_data(*options)
    assert len(team.api.server.asked) == asked
    assert team("lock", "--check").code == 0
    done = team("update")
    assert "acme/motd/latest  1.0 → 1.1   public   used by web.yaml" in done.out
    assert "CET" in team.user_data("--frozen")


def test_a_colleague_gets_the_same_bytes(team: Team) -> None:
    team.is_the_same_for_a_colleague()


def test_a_tag_that_was_replaced(team: Team) -> None:
    assert team("lock", "web.yaml").code == 0
    team.api.publish(motd("WET"))
    assert "UTC" in team.user_data("--locked")
    shutil.rmtree(team.cache)
    done = team("build", "web.yaml", "--target", "user-data", "--locked")
    assert (done.code, codes(done)) == (3, ["E1106"])


def test_the_same_texts_in_another_packing_are_another_identity(team: Team) -> None:
    assert team("lock", "web.yaml").code == 0
    team.api.publish(motd("UTC", form="gz"))
    shutil.rmtree(team.cache)
    done = team("build", "web.yaml", "--target", "user-data", "--locked")
    assert (done.code, codes(done)) == (3, ["E1106"])


def test_collecting_keeps_what_a_lock_pins(team: Team) -> None:
    assert team("lock", "web.yaml").code == 0
    for path in team.cache.rglob("*"):
        if path.is_file():
            os.utime(path, (1, 1))
    assert team("cache", "prune").code == 0
    assert team("cache", "verify").code == 0
    assert "UTC" in team.user_data("--frozen")


def test_pull_show_and_export(team: Team) -> None:
    done = team("gene", "pull", "acme/base/1.0", "-o", "vendored")
    assert done.code == 0, done.err
    assert [line.split()[0] for line in done.out.splitlines()] == [
        "acme/base/1.0",
        "acme/motd/1.0",
        "acme/motd/latest",
    ]
    shown = team("gene", "show", "acme/motd")
    assert "gene:acme/motd/1.0:motd" in shown.out
    assert team("gene", "export", "acme/base/1.0", "-o", "layout").code == 0
    (team.eryphc.folder / "eryphc.yaml").unlink()
    assert "UTC" in team.user_data("--genepool", "oci-layout:layout")
    assert "UTC" in team.user_data("--genepool", "vendored")


def test_what_was_pulled_serves_a_lock(team: Team) -> None:
    assert team("lock", "web.yaml").code == 0
    assert team("gene", "pull", "--lock", "-o", "vendored").code == 0
    shutil.rmtree(team.cache)
    assert "UTC" in team.user_data("--frozen", "--genepool", "vendored")


def test_an_export_serves_a_lock(team: Team) -> None:
    assert team("lock", "web.yaml").code == 0
    assert team("gene", "export", "acme/base/1.0", "-o", "layout").code == 0
    shutil.rmtree(team.cache)
    assert "UTC" in team.user_data("--frozen", "--genepool", "oci-layout:layout")


def test_what_is_not_there(team: Team) -> None:
    team.eryphc.write("web.yaml", "name: web\nparent: acme/base/2.0\n")
    done = team("build", "web.yaml", "--target", "user-data")
    assert (done.code, codes(done)) == (1, ["E0302"])
    assert "`acme/base` has the tags `1.0`" in done.err
    assert codes(team("build", "web.yaml", "--target", "user-data", "--offline")) == ["E1025"]


def test_links_lead_to_another_host_without_the_key(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.api.key = "the-key"
    done = team("build", "web.yaml", "--target", "user-data")
    assert (done.code, codes(done)) == (3, ["E1003"])
    assert "ERYPHC_GENEPOOL_API_KEY" in done.err
    monkeypatch.setenv("ERYPHC_GENEPOOL_API_KEY", "the-key")
    # A project may name any host: the key is not for this one.
    assert codes(team("build", "web.yaml", "--target", "user-data")) == ["E1003"]
    assert not any("x-api-key" in each.headers for each in team.api.server.asked)
    host = team.api.server.address.partition("://")[2]
    monkeypatch.setenv("ERYPHC_GENEPOOL_API_HOST", host)
    assert "UTC" in team.user_data("-v")
    assert team.api.parts.asked
    assert not any("x-api-key" in each.headers for each in team.api.parts.asked)
    monkeypatch.setenv("ERYPHC_GENEPOOL_API_KEY", "another")
    done = team("build", "web.yaml", "--target", "user-data")
    assert (done.code, codes(done)) == (3, ["E1004"])
    assert "another" not in done.err
    assert "an API key is needed" in done.err


def test_a_redirect_does_not_take_the_key_along(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = team.api.server.address.partition("://")[2]
    monkeypatch.setenv("ERYPHC_GENEPOOL_API_HOST", host)
    monkeypatch.setenv("ERYPHC_GENEPOOL_API_KEY", "the-key")
    team.api.parts.otherwise = team.api.route
    there = f"{team.api.parts.address}/v1/genesets/acme/base/download/1.0"
    team.api.faults.append(("acme/base/download", says(302, Location=there)))
    assert "UTC" in team.user_data()
    led = [each for each in team.api.parts.asked if "download" in each.path]
    assert led
    assert "x-api-key" not in led[0].headers


def test_a_key_from_a_file(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.api.key = "the-key"
    host = team.api.server.address.partition("://")[2]
    monkeypatch.setenv("ERYPHC_GENEPOOL_API_HOST", host)
    path = team.eryphc.write("key", "the-key\n")
    monkeypatch.setenv("ERYPHC_GENEPOOL_API_KEY_FILE", str(path))
    assert "UTC" in team.user_data()
    path.write_bytes(b"two words\n")
    done = team("build", "web.yaml", "--target", "user-data")
    assert set(codes(done)) == {"W1021", "E1003"}
    assert "two words" not in done.err


def test_links_that_are_too_old_are_asked_for_again(team: Team) -> None:
    team.api.expires = ["2000-01-01T00:00:00Z", "2000-01-01T00:00:00Z", "2099-01-01T00:00:00Z"]
    assert "UTC" in team.user_data()
    team.api.expires = ["2000-01-01T00:00:00Z"]
    done = team("build", "web.yaml", "--target", "user-data")
    assert set(codes(done)) == {"E1014"}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (says(200, b"<html><title>Sign in</title>", Content_Type="text/html"), "E1014"),
        (says(200, b""), "E1014"),
        (says(200, b"[1]"), "E1014"),
        (says(200, b'{"value": 1}'), "E1014"),
        (says(400, b"{}"), "E1014"),
        (says(429, b'{"message": "slow down"}', Retry_After="3600"), "E1011"),
    ],
)
def test_answers_that_are_none(team: Team, fault: Any, code: str) -> None:
    team.api.faults += [("download", fault)] * 8
    done = team("build", "web.yaml", "--target", "user-data")
    assert (done.code, set(codes(done))) == (3, {code}), done.err
    assert not (team.eryphc.folder / "build").exists()


@pytest.mark.parametrize(
    ("url", "more", "code"),
    [
        ("http://pool.example/v1", [], "E0908"),
        ("ftp://pool.example/v1", [], "E0908"),
        ("https://me:secret@pool.example/v1", [], "E0908"),
        ("https://pool.example/v1?x=1", [], "E0908"),
        ("https:///v1", [], "E0908"),
        ("https://pool.example:x/v1", [], "E0908"),
    ],
)
def test_settings_of_a_pool(team: Team, url: str, more: list[str], code: str) -> None:
    team.pool(url, *more)
    done = team("build", "web.yaml", "--target", "user-data")
    assert (done.code, codes(done)) == (1, [code]), done.err


def _changed(**members: Any) -> PackedTag:
    tag = motd("UTC")
    tag.manifest |= members
    return tag


def _other_manifest(**members: Any) -> PackedTag:
    tag = motd("UTC")
    (gene,) = tag.genes.values()
    gene.manifest |= members
    return tag


def _listed_as_fodder(**members: Any) -> PackedTag:
    tag = _consistent(**members)
    entry = {"name": "motd", "hash": tag.manifest.pop("catlet"), "arch": "any"}
    tag.manifest["fodder"] = [entry]
    return tag


def _consistent(**members: Any) -> PackedTag:
    """The hash is that of the changed manifest."""
    (gene,) = motd("UTC").genes.values()
    gene.manifest |= members
    return packed_tag("acme/motd/1.0", [gene])


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        (_changed(geneset="acme/other/1.0"), "E1017"),
        (_changed(fodder=[{"name": "motd", "hash": "sha256:1", "arch": "any"}]), "E0308"),
        (_changed(metadata={"x": 1}), "E0308"),
        (_changed(metadata={"x\ny": "1"}), "E1019"),
        (_changed(fodder=motd("UTC").manifest["fodder"] * 2), "E1019"),
        (_changed(version=1.5), "E1019"),
        (_other_manifest(size=1), "E1019"),
        (_consistent(size=1), "E1014"),
        (_consistent(size=10**9), "E1019"),
        (_consistent(original_size=1), "E1019"),
        (_listed_as_fodder(type="catlet"), "E1019"),
        (_consistent(format="gz"), "E1019"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_gene_set(team: Team, tag: PackedTag, code: str) -> None:
    team.api.publish(tag)
    team.api.tags["acme/motd/1.0"] = tag
    done = team("build", "web.yaml", "--target", "user-data")
    assert set(codes(done)) == {code}, done.err
    assert done.code in (1, 3)
    assert not (team.eryphc.folder / "build").exists()


@pytest.mark.parametrize(
    "folder",
    [each for each in folders("tags/*/*/*/packed") if each.parts[-3] != "reference"],
    ids=lambda path: "/".join(path.parts[-4:-1]),
)
def test_tags_of_the_original_packer(team: Team, folder: Path) -> None:
    """What comes over the API is what a folder with the same packed tag gives."""
    tag = packed_folder(folder)
    name = tag.manifest["geneset"]
    team.pool(team.api.url)
    text = (team.eryphc.folder / "eryphc.yaml").read_text().replace("[acme]", "[acme, dbosoft]")
    team.eryphc.write("eryphc.yaml", text)
    team.api.publish(tag)
    done = team("gene", "pull", name, "-o", "pulled")
    if done.code != 0:
        # Its catlet names sets that this API does not have.
        assert codes(done) == ["E0302"] * len(codes(done)), done.err
        return
    pulled = team.eryphc.folder / "pulled" / name
    for path in sorted((folder.parent / "json").glob("*.json")):
        kind, gene = path.stem.split("-")[0], path.stem
        found = [file for file in pulled.rglob("*.json") if file.name != "geneset-tag.json"]
        assert any(file.read_bytes() == path.read_bytes() for file in found), (kind, gene)


def test_a_policy_asks_for_signatures_that_packed_sets_do_not_have(team: Team) -> None:
    path = team.eryphc.folder / "eryphc.yaml"
    key = "AAAAC3NzaC1lZDI1NTE5AAAAIJxD4uYbwVfbmYbT7NSFKBvz3rVWmlFfNdSbm5aPdAEi"
    team.eryphc.write("allowed_signers", f"ci@acme.example ssh-ed25519 {key}\n")
    trust = "trust:\n- {orgs: [acme], require: signature, keys: allowed_signers}\n"
    path.write_text(path.read_text() + trust)
    done = team("build", "web.yaml", "--target", "user-data")
    assert (done.code, set(codes(done))) == (1, {"E1022"}), done.err
    assert not any(path.is_file() for path in (team.cache / "blobs").rglob("*"))


def test_a_disk_in_such_a_pool_is_known_by_name_alone(team: Team) -> None:
    disk = packed_gene("volume", "sda", {}, arch="hyperv/amd64")
    catlet = packed_gene("catlet", "catlet", {"drives": [{"name": "sda", "size": 20}]})
    team.api.publish(packed_tag("acme/system/1.0", [catlet, disk]))
    team.eryphc.write("web.yaml", "name: web\nparent: acme/system/1.0\n")
    assert team("lock", "web.yaml").code == 0
    assert (
        "gene:acme/system/1.0:sda [hyperv/amd64]  (volume)"
        in team("gene", "show", "acme/system/1.0").out
    )
    assert not any(part in path for part in disk.parts for path in team.api.parts.paths())
    done = team("build", "web.yaml", "--guest", "linux", "--target", "hyperv", "--locked")
    assert done.code == 0, done.err
    done = team("volume", "fetch", "gene:acme/system/1.0:sda")
    assert (done.code, codes(done)) == (1, ["E0806"])
    done = team("gene", "export", "--lock", "-o", "layout")
    assert (done.code, codes(done)) == (1, ["E1033"])
    assert "lies packed in its pool" in done.err
