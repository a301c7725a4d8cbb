"""`gene export`: what a registry has and a lock pins, as an image layout."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from genepool.oci.real import program
from sharing.projects import codes
from sharing.publishing import image, motd
from sharing.test_pull import Team, team

__all__ = ["team"]

pytestmark = pytest.mark.integration


def references(folder: Path) -> dict[str, str]:
    """The digests of manifests in a layout, by what they are there for."""
    index: dict[str, Any] = json.loads((folder / "index.json").read_text())
    name = "org.opencontainers.image.ref.name"
    return {each["annotations"][name]: each["digest"] for each in index["manifests"]}


def identity(folder: Path, reference: str) -> str:
    digits = references(folder)[reference].removeprefix("sha256:")
    manifest: dict[str, Any] = json.loads((folder / "blobs/sha256" / digits).read_text())
    found: str = manifest["config"]["digest"]
    return found


def test_sets_of_a_registry(team: Team) -> None:
    done = team("gene", "export", "acme/base/1.0", "-o", "layout", "-v")
    assert done.code == 0, done.err
    assert any(line.startswith("GET ") for line in done.err.splitlines())
    layout = team.eryphc.folder / "layout"
    assert sorted(references(layout)) == ["acme/base:1.0", "acme/motd:1.0", "acme/motd:latest"]
    assert identity(layout, "acme/motd:1.0") == motd("UTC").identity
    (team.eryphc.folder / "eryphc.yaml").unlink()
    assert "UTC" in team.user_data("--genepool", "oci-layout:layout")


def test_a_lock(team: Team, host: str) -> None:
    """Its content is what is exported, wherever tags have moved, and makes a build possible."""
    assert team("lock", "web.yaml").code == 0
    team.publish("acme/motd/1.1", motd("CET", "1.1"), "1.1", "latest")
    done = team("gene", "export", "--lock", "-o", "layout")
    assert done.code == 0, done.err
    layout = team.eryphc.folder / "layout"
    assert sorted(references(layout)) == ["acme/base:1.0", "acme/motd:1.0", "acme/motd:latest"]
    for reference in ("acme/motd:1.0", "acme/motd:latest"):
        assert identity(layout, reference) == motd("UTC").identity
    shutil.rmtree(team.cache)
    assert "UTC" in team.user_data("--frozen", "--genepool", "oci-layout:layout")
    copied = f"docker://{host}/copied/acme/motd:1.0"
    subprocess.run(
        [program("skopeo"), "copy", "--quiet", "--preserve-digests", "--dest-tls-verify=false",
         f"oci:{layout}:acme/motd:1.0", copied],
        check=True,
    )  # fmt: skip
    told = subprocess.run(
        [program("skopeo"), "inspect", "--raw", "--tls-verify=false", copied],
        check=True,
        capture_output=True,
    )
    assert json.loads(told.stdout)["config"]["digest"] == motd("UTC").identity


def test_signatures_are_carried_over(team: Team) -> None:
    """They stand in the manifest, whoever made them."""
    signature = {"dev.eryphc.signature.1": "-----BEGIN SSH SIGNATURE-----"}
    team.publish("acme/motd/1.0", motd("UTC"), "1.0", "latest", annotations=signature)
    layout = team.eryphc.folder / "layout"
    assert team("lock", "web.yaml").code == 0
    for what in ("acme/motd/1.0", "--lock"):
        assert team("gene", "export", what, "-o", "layout").code == 0
        digits = references(layout)["acme/motd:1.0"].removeprefix("sha256:")
        manifest = json.loads((layout / "blobs/sha256" / digits).read_text())
        assert manifest["annotations"].items() >= signature.items()


def test_a_lock_with_sets_beside_it(team: Team) -> None:
    """What is committed with the lock is no part of it; what that needs is."""
    team.eryphc.write(
        "genes/mine/app/1.0/geneset-tag.json", '{"version":"1.1","geneset":"mine/app/1.0"}'
    )
    team.eryphc.write("genes/mine/app/1.0/catlet.yaml", "parent: acme/base/1.0\n")
    team.eryphc.write("web.yaml", "name: web\nparent: mine/app/1.0\n")
    assert team("lock", "web.yaml").code == 0
    assert team("gene", "export", "--lock", "-o", "layout").code == 0
    found = sorted(references(team.eryphc.folder / "layout"))
    assert found == ["acme/base:1.0", "acme/motd:1.0", "acme/motd:latest"]
    shutil.rmtree(team.cache)
    assert "UTC" in team.user_data("--frozen", "--genepool", "oci-layout:layout")


def test_another_content_in_the_way(team: Team) -> None:
    """A pool of higher priority is not what the lock pins."""
    assert team("lock", "web.yaml").code == 0
    text = "name: motd\nfodder:\n- name: motd\n  content: |\n    timezone: WET\n"
    name = "acme/motd/1.0"
    folder = f"genes/{name}"
    team.eryphc.write(f"{folder}/geneset-tag.json", json.dumps({"geneset": name}))
    team.eryphc.write(f"{folder}/fodder/motd.yaml", text)
    done = team("gene", "export", "--lock", "-o", "layout")
    assert (done.code, codes(done)) == (1, ["E1109"])
    assert not (team.eryphc.folder / "layout").exists()


def test_content_that_is_gone(team: Team) -> None:
    assert team("lock", "web.yaml").code == 0
    shutil.rmtree(team.cache)
    done = team("gene", "export", "--lock", "-o", "layout", "--offline")
    assert (done.code, set(codes(done))) == (3, {"E1106"})
    assert not (team.eryphc.folder / "layout").exists()


def test_usage(team: Team) -> None:
    assert team("gene", "export", "-o", "layout").code == 2
    assert team("gene", "export", "acme/motd", "--lock", "-o", "layout").code == 2
    done = team("gene", "export", "--lock", "-o", "layout")
    assert (done.code, codes(done)) == (1, ["E1101"])


def test_an_archive_of_a_lock(team: Team) -> None:
    assert team("lock", "web.yaml").code == 0
    assert team("gene", "export", "--lock", "-o", "layout").code == 0
    assert team("gene", "export", "--lock", "--archive", "-o", "layout.tar").code == 0
    listed = subprocess.run(
        ["tar", "tf", "layout.tar"], check=True, capture_output=True, text=True,
        cwd=team.eryphc.folder,
    ).stdout.splitlines()  # fmt: skip
    layout = team.eryphc.folder / "layout"
    files = [path for path in layout.rglob("*") if path.is_file()]
    assert sorted(listed) == sorted(path.relative_to(layout).as_posix() for path in files)


def test_a_pointer_to_another_set(team: Team) -> None:
    team.publish("acme/hello/latest", image("acme/hello/latest", ref="acme/motd/1.0"))
    team.eryphc.write("web.yaml", "name: web\nfodder:\n- source: gene:acme/hello:motd\n")
    assert team("lock", "web.yaml").code == 0
    assert team("gene", "export", "--lock", "-o", "layout").code == 0
    shutil.rmtree(team.cache)
    assert "UTC" in team.user_data("--frozen", "--genepool", "oci-layout:layout")
