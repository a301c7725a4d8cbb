"""Logins as users keep them, from the file to the registry: who gets which, and who gets none."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cli.command_line import CommandLine
from genepool.oci.fake import PASSWORD, USER, Fake, basic, faking
from net.server import says
from sharing.projects import Project, codes
from sharing.publishing import image
from sharing.test_pull_contract import home
from sharing.test_registry_manners import put

__all__ = ["home"]

MOTD = "name: motd\nfodder:\n- name: motd\n  content: |\n    timezone: UTC\n"


def host_of(fake: Fake) -> str:
    return fake.server.address.removeprefix("http://")


def auth(user: str = USER, password: str = PASSWORD) -> dict[str, Any]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


class Keeping(NamedTuple):
    """A home folder where logins are kept, and one registry that wants one."""

    project: Project
    fake: Fake

    @property
    def host(self) -> str:
        return host_of(self.fake)

    @property
    def folder(self) -> Path:
        return self.project.eryphc.folder

    def docker(self, document: Any) -> None:
        text = document if isinstance(document, str) else json.dumps(document)
        self.project.eryphc.write(".docker/config.json", text)

    def helper(self, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
        path = self.folder / f"bin/docker-credential-{name}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\necho "$1 $(cat)" >> "{self.folder}/asked"\n{script}\n')
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")

    def pull(self, *options: str) -> Any:
        pool = f"oci://{self.host}/genes?orgs=acme"
        return self.project("gene", "pull", "acme/motd/1.0", "--genepool", pool, *options)


@pytest.fixture(params=["gitlab"])
def keeping(home: CommandLine, request: pytest.FixtureRequest) -> Iterator[Keeping]:
    with faking(request.param) as fake:
        put(fake, "genes/acme/motd", "1.0", image("acme/motd/1.0", {"fodder/motd.yaml": MOTD}))
        yield Keeping(Project(home), fake)


KEYS: dict[str, Callable[[str], str]] = {
    "host and port": lambda host: host,
    "scheme": lambda host: f"https://{host}",
    "scheme and path": lambda host: f"http://{host}/v2/",
    "namespace": lambda host: f"{host}/genes",
    "namespace of the set": lambda host: f"https://{host}/genes/acme/motd",
}


@pytest.mark.parametrize("keeping", ["gitlab", "quay"], indirect=True)
@pytest.mark.parametrize("key", KEYS)
def test_a_key_of_docker_and_podman(keeping: Keeping, key: str) -> None:
    """The password holds a colon and a letter that is not ASCII."""
    keeping.docker({"auths": {KEYS[key](keeping.host): auth()}})
    done = keeping.pull()
    assert (done.code, codes(done)) == (0, []), done.err


def test_basic(keeping: Keeping) -> None:
    keeping.fake.profile = keeping.fake.profile.__class__(auth="basic")
    keeping.docker({"auths": {keeping.host: auth()}})
    assert keeping.pull().code == 0
    sent = {each.headers.get("authorization") for each in keeping.fake.server.asked}
    assert sent == {None, basic(USER, PASSWORD)}


@pytest.mark.parametrize("entry", [{}, {"email": "x@y"}], ids=["empty", "only email"])
def test_an_empty_entry_is_no_login(keeping: Keeping, entry: dict[str, Any]) -> None:
    """What anybody may pull is pulled without one; what nobody may needs one."""
    keeping.docker({"auths": {keeping.host: entry}})
    done = keeping.pull()
    assert (done.code, codes(done)) == (3, ["E1003"])
    keeping.fake.anonymous = True
    done = keeping.pull()
    assert (done.code, codes(done)) == (0, []), done.err
    sent = [each.headers.get("authorization", "") for each in keeping.fake.server.asked]
    assert not [each for each in sent if each.startswith("Basic")]


def test_no_file_at_all(keeping: Keeping) -> None:
    keeping.fake.anonymous = True
    assert not (keeping.folder / ".docker").exists()
    done = keeping.pull()
    assert (done.code, codes(done)) == (0, [])


def test_a_broken_file_and_the_next_one(keeping: Keeping) -> None:
    keeping.docker({"auths": {keeping.host: auth()}})
    keeping.project.eryphc.write(".config/containers/auth.json", '{"auths": {')
    done = keeping.pull()
    assert (done.code, codes(done)) == (0, ["W1021"])
    assert ".config/containers/auth.json` cannot be used: it is no JSON" in done.err


@pytest.mark.parametrize("way", ["identitytoken", "helper"])
def test_a_refresh_token(keeping: Keeping, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keeping.fake.refresh_token = "r1"  # noqa: S105 - a test's
    if way == "helper":
        keeping.docker({"credsStore": "desk", "auths": {keeping.host: {}}})
        keeping.helper("desk", """echo '{"Username": "<token>", "Secret": "r1"}'""", monkeypatch)
    else:
        keeping.docker({"auths": {keeping.host: {"identitytoken": "r1"}}})
    done = keeping.pull()
    assert (done.code, codes(done)) == (0, []), done.err
    assert [each.method for each in keeping.fake.server.asked if each.path == "/token"] == ["POST"]


def test_a_bearer_token(keeping: Keeping) -> None:
    keeping.docker({"auths": {keeping.host: {"registrytoken": "given"}}})
    keeping.fake.tokens["given"] = "repository:genes/acme/motd:pull"
    done = keeping.pull()
    assert (done.code, codes(done)) == (0, []), done.err
    assert "/token" not in {each.path.partition("?")[0] for each in keeping.fake.server.asked}


@pytest.mark.parametrize("key", ["credsStore", "credHelpers"])
def test_a_helper(keeping: Keeping, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keeping.docker({key: "desk" if key == "credsStore" else {keeping.host: "desk"}})
    answer = json.dumps({"Username": USER, "Secret": PASSWORD})
    keeping.helper("desk", f"cat <<'END'\n{answer}\nEND", monkeypatch)
    done = keeping.pull("-v")
    assert (done.code, codes(done)) == (0, []), done.err
    assert (keeping.folder / "asked").read_text() == f"get {keeping.host}\n"
    assert PASSWORD not in done.err


HELPERS = {
    "missing": (None, [], "there is no program `docker-credential-desk`"),
    "without a login": ("echo not found; exit 1", [], "`docker-credential-desk` has nothing for"),
    "garbage": ("echo hunter2", ["W1021"], "it prints no user and secret in JSON"),
    "10 MB": ("head -c 10000000 /dev/zero", ["W1021"], "it prints too much"),
}


@pytest.mark.parametrize("name", HELPERS)
def test_a_helper_that_gives_nothing(
    keeping: Keeping, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, warned, told = HELPERS[name]
    if script is not None:
        keeping.helper("desk", script, monkeypatch)
    keeping.docker({"credsStore": "desk"})
    done = keeping.pull("-v")
    assert (done.code, codes(done)) == (3, ["E1003", *warned]), done.err
    assert told in done.err
    assert "hunter2" not in done.err
    # Without -v only what is a fault is told.
    assert (told in keeping.pull().err) == bool(warned)


def test_variables_that_could_be_for_either(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERYPHC_REGISTRY_USER", USER)
    monkeypatch.setenv("ERYPHC_REGISTRY_PASSWORD", PASSWORD)
    assert keeping.pull().code == 0
    other = ("--genepool", "oci://other.invalid/x?orgs=other")
    shutil.rmtree(keeping.project.cache)
    done = keeping.pull(*other)
    assert (done.code, codes(done)) == (3, ["E1003"])
    assert "help: say with `ERYPHC_REGISTRY_HOST` which registry" in done.err
    monkeypatch.setenv("ERYPHC_REGISTRY_HOST", keeping.host)
    assert keeping.pull(*other).code == 0


def test_two_registries_in_one_lock(keeping: Keeping, tmp_path: Path) -> None:
    """Each gets its own login, and neither sees that of the other."""
    project, fake = keeping.project, keeping.fake
    with faking("gitlab") as other:
        other.profile = other.profile.__class__(auth="basic")
        fake.account, other.account = basic("one", "canary1:ä"), basic("two", "canary2")
        put(other, "x/team/zone", "1.0", image("team/zone/1.0", {
            "fodder/zone.yaml": MOTD.replace("motd", "zone").replace("timezone: UTC", "locale: C"),
        }))  # fmt: skip
        project.eryphc.write(
            "eryphc.yaml",
            f"pools:\n- {{name: corp, type: oci, prefix: {keeping.host}/genes, orgs: [acme]}}\n"
            f"- {{name: team, type: oci, prefix: {host_of(other)}/x, orgs: [team]}}\n",
        )
        project.eryphc.write(
            "web.yaml",
            "name: web\nfodder:\n- source: gene:acme/motd/1.0:motd\n"
            "- source: gene:team/zone/1.0:zone\n",
        )
        keeping.docker({"auths": {
            f"https://{keeping.host}/v2/": auth("one", "canary1:ä"),
            host_of(other): auth("two", "canary2"),
        }})  # fmt: skip
        done = project("lock", "web.yaml", "-v")
        assert (done.code, codes(done)) == (0, []), done.err
        assert "canary" not in done.err + json.dumps(project.lock())
        assert {each["pool"] for each in project.lock()["sets"].values()} == {"corp", "team"}
        shutil.rmtree(project.cache)
        text = project.user_data("--locked")
        assert "timezone: UTC" in text
        assert "locale: C" in text
        for one, own, tokens in ((fake, fake.account, True), (other, other.account, False)):
            sent = {each.headers.get("authorization") for each in one.server.asked} - {None}
            bearers = {each for each in sent if each and each.startswith("Bearer ")}
            assert sent - bearers == {own}
            assert bool(bearers) == tokens
        # A login for one alone is none for the other.
        keeping.docker({"auths": {host_of(other): auth("two", "canary2")}})
        shutil.rmtree(project.cache)
        before = len(fake.server.asked)
        done = project.build("--locked")
        assert (done.code, codes(done)) == (3, ["E1003"]), done.err
        sent = {each.headers.get("authorization") for each in fake.server.asked[before:]}
        assert sent == {None}
    assert all(b"canary" not in path.read_bytes() for path in files(tmp_path / "cache"))


def test_a_mirror_gets_no_login_of_the_pool(keeping: Keeping) -> None:
    """It is another host, which may ask for one as the pool does."""
    project = keeping.project
    with faking("gitlab") as mirror:
        mirror.server.otherwise = says(401, b"", WWW_Authenticate='Basic realm="x"')
        project.eryphc.write(
            "eryphc.yaml",
            f"pools:\n- {{name: corp, type: oci, prefix: {keeping.host}/genes, orgs: [acme],"
            f" mirrors: [{host_of(mirror)}/genes]}}\n",
        )
        project.eryphc.write("web.yaml", "name: web\nfodder:\n- source: gene:acme/motd/1.0:motd\n")
        keeping.docker({"auths": {keeping.host: auth()}})
        assert project("lock", "web.yaml").code == 0
        shutil.rmtree(project.cache)
        assert "UTC" in project.user_data("--locked")
        assert mirror.server.asked
        assert all("authorization" not in each.headers for each in mirror.server.asked)


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
