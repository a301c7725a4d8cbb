"""How a build treats a registry that wants to be left alone, that has news, or that is down."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.command_line import CommandLine, Done
from eryphc.genepool.image import Image, manifest_of
from genepool.oci.fake import OCI, Fake, digest_of, faking
from net.server import says
from sharing.publishing import image

MOTD = "name: motd\nfodder:\n- name: motd\n  content: |\n    timezone: UTC\n"
BUILD = ("build", "web.yaml", "--guest", "linux", "--target", "user-data", "-o", "out")


def put(fake: Fake, repository: str, tag: str, made: Image) -> str:
    """Put an image into the fake; gives the digest of its manifest."""
    data = manifest_of(made)
    for blob in (made.config, made.layer):
        fake.blobs[repository, digest_of(blob)] = blob
    for reference in (tag, digest_of(data)):
        fake.manifests[repository, reference] = (f"{OCI}manifest.v1+json", data)
    return digest_of(data)


@pytest.fixture
def fake() -> Iterator[Fake]:
    with faking() as found:
        put(found, "genes/acme/motd", "1.0", image("acme/motd/1.0", {"fodder/motd.yaml": MOTD}))
        yield found


@pytest.fixture
def team(eryphc: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    eryphc.write("web.yaml", "name: web\nfodder:\n- source: gene:acme/motd/1.0:motd\n")
    return eryphc


def host_of(fake: Fake) -> str:
    return fake.server.address.removeprefix("http://")


def build(team: CommandLine, fake: Fake, *options: str) -> Done:
    return team(*BUILD, "--genepool", f"oci://{host_of(fake)}/genes?orgs=acme", *options)


def test_a_registry_that_had_enough_is_left_alone(team: CommandLine, fake: Fake) -> None:
    fake.fault("GET .*manifests", says(429, b"slow down", Retry_After="3000"))
    assert "error[E1011]" in build(team, fake).err
    asked = len(fake.server.asked)
    done = build(team, fake)
    assert "error[E1011]" in done.err
    assert re.search(r"it answers again in (29\d\d|3000) seconds", done.err)
    assert done.code == 3
    assert len(fake.server.asked) == asked


def test_news_of_a_registry_are_shown_once(team: CommandLine, fake: Fake) -> None:
    fake.warning = '299 - "moves on Monday\x1b[31m"'
    done = build(team, fake)
    assert done.code == 0
    assert done.err.count("note[N1037]") == 1
    assert "moves on Monday" in done.err
    assert "\x1b" not in done.err


def test_a_mirror_that_fails_is_left_out(team: CommandLine, fake: Fake, tmp_path: Path) -> None:
    # A second set, so that the mirror could be asked twice.
    other = MOTD.replace("motd", "zone")
    put(fake, "genes/acme/zone", "1.0", image("acme/zone/1.0", {"fodder/zone.yaml": other}))
    team.write(
        "web.yaml",
        "name: web\nfodder:\n- source: gene:acme/motd/1.0:motd\n"
        "- source: gene:acme/zone/1.0:zone\n",
    )
    with faking() as mirror:
        mirror.server.otherwise = says(403, b"no")
        team.write(
            "eryphc.yaml",
            f"pools:\n- name: corp\n  type: oci\n  prefix: {host_of(fake)}/genes\n"
            f"  orgs: [acme]\n  mirrors: [{host_of(mirror)}/genes]\n",
        )
        assert team("lock", "web.yaml").code == 0
        shutil.rmtree(tmp_path / "cache")
        done = team(*BUILD, "--locked", "-v")
        assert done.code == 0, done.err
        # Two sets are fetched at once, so both may ask it before one of them has its answer.
        assert 1 <= done.err.count(f"the mirror {host_of(mirror)} is left out: ") <= 2
        pulled = [asked for asked in fake.server.paths() if "/manifests/" in asked]
        assert len(pulled) >= 4


def test_the_lock_says_which_manifest(team: CommandLine, fake: Fake) -> None:
    team.write(
        "eryphc.yaml",
        f"pools:\n- type: oci\n  prefix: {host_of(fake)}/genes\n  orgs: [acme]\n",
    )
    assert team("lock", "web.yaml").code == 0
    entry = json.loads((team.folder / "eryph.lock").read_text())["sets"]["acme/motd/1.0"]
    made = image("acme/motd/1.0", {"fodder/motd.yaml": MOTD})
    assert entry["manifest"] == digest_of(manifest_of(made))


def test_a_login_that_cannot_be_read_is_named(
    team: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`gene show` says why there was no login, and that the fault lies outside."""
    for name in ("ERYPHC_REGISTRY_USER", "DOCKER_AUTH_CONFIG", "DOCKER_CONFIG", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text('{"auths": [')
    with faking("gitlab") as fake:
        done = team(
            "gene", "show", "acme/motd/1.0", "--genepool", f"oci://{host_of(fake)}/genes?orgs=acme"
        )
    assert (done.code, done.out) == (3, "")
    assert "warning[W1021]: the credentials of" in done.err
    assert "error[E1003]" in done.err


def test_a_cache_that_cannot_be_written(
    team: CommandLine, fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for users without a home: what helps is said, and the fault lies outside."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file/cache"))
    done = build(team, fake)
    assert (done.code, "error[E0914]" in done.err) == (3, True)
    assert "help: name a folder of your own with `--cache-dir` or `ERYPHC_CACHE_DIR`" in done.err
    assert not (team.folder / "out").exists()
