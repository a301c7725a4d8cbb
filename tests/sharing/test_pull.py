"""Gene sets in a real registry: builds, locks and pulls that use them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.command_line import CommandLine
from sharing.projects import Project, codes
from sharing.publishing import Publisher, base, image, motd, write_layout

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Team(Project):
    """A project with a pool in a registry."""

    publish: Publisher


@pytest.fixture
def team(eryphc: CommandLine, host: str, tmp_path: Path, own_folders: None) -> Team:
    publish = Publisher(host, tmp_path / "images")
    publish("acme/motd/1.0", motd("UTC"), "1.0", "latest")
    publish("acme/base/1.0", base())
    pool = f"pools:\n- name: corp\n  type: oci\n  prefix: {host}/genes\n  orgs: [acme]\n"
    eryphc.write("eryphc.yaml", pool)
    eryphc.write("web.yaml", "name: web\nparent: acme/base/1.0\n")
    return Team(eryphc, publish)


def test_a_build_takes_what_the_registry_has(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "UTC" in team.user_data()
    team.publish("acme/motd/1.1", motd("CET", "1.1"), "1.1", "latest")
    # For five minutes a tag stands for what it stood for, and no request is sent.
    again = team("build", "web.yaml", "--guest", "linux", "--target", "user-data", "-v")
    assert "GET" not in again.err
    assert "UTC" in team.user_data()
    monkeypatch.setenv("ERYPHC_FRESH", "0")
    assert "CET" in team.user_data()


def test_update_always_asks(team: Team) -> None:
    assert team("lock", "web.yaml").code == 0
    team.publish("acme/motd/1.1", motd("CET", "1.1"), "1.1", "latest")
    assert team("lock", "web.yaml").err.endswith("nothing changes (3 gene sets)\n")
    done = team("update", "web.yaml", "-v")
    assert "GET" in done.err
    assert team.lock()["sets"]["acme/motd/latest"] == {"ref": "acme/motd/1.1"}
    # What it heard counts for a build, too.
    (team.eryphc.folder / "eryph.lock").unlink()
    assert "CET" in team.user_data()


def test_what_is_wrong_with_the_memory_of_registries(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERYPHC_FRESH", "soon")
    done = team("build", "web.yaml", "--guest", "linux", "--target", "user-data")
    assert done.code == 1
    assert "ERYPHC_FRESH: it is no number of seconds" in done.err
    # A wrong word of it makes a build ask.
    monkeypatch.delenv("ERYPHC_FRESH")
    team.user_data()
    for path in (team.cache / "index").iterdir():
        path.write_bytes(b"no database")
    assert "UTC" in team.user_data()


def test_a_lock_keeps_the_content(team: Team) -> None:
    assert team("lock", "web.yaml").code == 0
    entry = team.lock()["sets"]["acme/motd/1.0"]
    assert entry["digest"] == motd("UTC").identity
    assert team.lock()["sets"]["acme/motd/latest"] == {"ref": "acme/motd/1.0"}
    assert team.lock()["sets"]["acme/base/1.0"]["requires"] == ["acme/motd/latest"]
    team.publish("acme/motd/1.1", motd("CET", "1.1"), "1.1", "latest")
    for options in ((), ("--locked",), ("--offline",), ("--frozen",)):
        assert "UTC" in team.user_data(*options)
    assert team("lock", "--check").code == 0
    done = team("update")
    assert "acme/motd/latest  1.0 → 1.1   corp   used by web.yaml" in done.out
    assert "    - timezone: UTC" in done.out
    assert "CET" in team.user_data("--frozen")


def test_a_colleague_gets_the_same_bytes(team: Team) -> None:
    team.is_the_same_for_a_colleague()


def test_a_fixed_tag_that_was_replaced(team: Team) -> None:
    """The pinned content is found by its manifest, also after its tag has moved away."""
    assert team("lock", "web.yaml").code == 0
    team.publish("acme/motd/1.0", motd("WET"), "1.0", "latest")
    shutil.rmtree(team.cache)
    assert "UTC" in team.user_data("--locked")
    done = team("update")
    assert (done.code, codes(done)) == (1, ["E1107"])
    assert "--accept changed-tag" in done.err
    assert team("update", "--accept", "changed-tag").code == 0
    assert "WET" in team.user_data("--locked")


def test_content_that_is_nowhere_any_more(team: Team) -> None:
    assert team("lock", "web.yaml").code == 0
    shutil.rmtree(team.cache)
    data = team.lock()
    wrong = "sha256:" + "0" * 64
    data["sets"]["acme/motd/1.0"] |= {"digest": wrong, "manifest": wrong}
    team.eryphc.write("eryph.lock", json.dumps(data))
    done = team("build", "web.yaml", "--target", "user-data", "--locked")
    assert (done.code, codes(done)) == (3, ["E1106"])
    assert "acme/motd/1.0" in done.err


def test_a_pool_that_has_another_name_by_now(team: Team) -> None:
    assert team("lock", "web.yaml").code == 0
    path = team.eryphc.folder / "eryphc.yaml"
    path.write_text(path.read_text().replace("name: corp", "name: firm"))
    for options in ((), ("--locked",), ("--frozen",)):
        done = team.build(*options)
        assert (done.code, set(codes(done))) == (3, {"E1106"})
        assert "the pool `corp` of the lock is not in `eryphc.yaml` any more" in done.err
        assert "`oci:" not in done.err
        assert "help: if it has another name now, `eryphc lock` takes the new name" in done.err
    # What the help says is enough.
    done = team("lock", "--check")
    assert (done.code, codes(done)) == (1, ["E1102"])
    assert "the pool `corp` of the lock is not in `eryphc.yaml` any more; `firm` has" in done.err
    identities = {name: each.get("digest") for name, each in team.lock()["sets"].items()}
    done = team("lock")
    assert (done.code, codes(done)) == (0, [])
    assert team("lock", "--check").code == 0
    assert identities == {name: each.get("digest") for name, each in team.lock()["sets"].items()}
    assert {each.get("pool") for each in team.lock()["sets"].values()} == {"firm", None}
    assert "UTC" in team.user_data("--locked")


def test_an_image_layout_at_hand_has_it_too(team: Team) -> None:
    assert team("lock", "web.yaml").code == 0
    shutil.rmtree(team.cache)
    write_layout(team.eryphc.folder / "base", "acme/base/1.0", base())
    write_layout(team.eryphc.folder / "motd", "acme/motd/1.0", motd("UTC"))
    pools = ("--genepool", "oci-layout:base", "--genepool", "oci-layout:motd")
    assert "UTC" in team.user_data("--frozen", *pools)


def test_offline(team: Team) -> None:
    done = team("build", "web.yaml", "--target", "user-data", "--offline")
    assert (done.code, codes(done)) == (1, ["E1025"])
    assert "web.yaml:2:9" in done.err
    assert not (team.eryphc.folder / "build").exists()
    # What the message says is enough.
    assert "help: pin it with `eryphc lock` and fetch it with `eryphc gene pull --lock`" in done.err
    assert (team("lock", "web.yaml").code, team("gene", "pull", "--lock").code) == (0, 0)
    assert "UTC" in team.user_data("--offline")


def test_what_is_damaged_in_the_store_is_fetched_again(team: Team) -> None:
    assert team("lock", "web.yaml").code == 0
    for path in sorted((team.cache / "blobs").rglob("*")):
        if path.is_file():
            path.chmod(0o600)
            path.write_bytes(path.read_bytes()[:-1] + b"!")
    done = team.build("--locked")
    assert (done.code, set(codes(done))) == (0, {"W1203"})
    assert "of the cache was damaged and has been removed" in done.err
    assert "UTC" in team.user_data("--locked")
    done = team("build", "web.yaml", "--target", "user-data", "--frozen")
    assert done.code == 0, done.err


def test_a_set_that_the_registry_does_not_have(team: Team) -> None:
    team.eryphc.write("web.yaml", "name: web\nparent: acme/base/2.0\n")
    done = team("build", "web.yaml", "--target", "user-data")
    assert (done.code, codes(done)) == (1, ["E0302"])
    assert "`acme/base` has the tags `1.0`" in done.err
    team.eryphc.write("web.yaml", "name: web\nparent: acme/none/2.0\n")
    assert codes(team("build", "web.yaml", "--target", "user-data")) == ["E0302"]


def test_without_a_login_a_missing_set_may_also_be_hidden(
    team: Team, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = f"or no access: nobody is signed in to `{host}`"
    team.eryphc.write("web.yaml", "name: web\nparent: acme/none/2.0\n")
    for command in (
        ("build", "web.yaml", "--target", "user-data"),
        ("lock", "web.yaml"),
        ("gene", "pull", "acme/none/2.0"),
    ):
        done = team(*command)
        assert (done.code, codes(done)) == (1, ["E0302"])
        assert hidden in done.err
        assert f"sign in: `docker login {host}`" in done.err
    # Here the registry shows the set, so only the tag is missing.
    assert hidden not in team("gene", "pull", "acme/base/2.0").err
    login = {"auths": {host: {"username": "me", "password": "correct-horse"}}}
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps(login))
    done = team("gene", "pull", "acme/none/2.0")
    assert codes(done) == ["E0302"]
    assert hidden not in done.err
    assert "correct-horse" not in done.err


@pytest.mark.parametrize("orgs", ["['*']", "['*', dbosoft]"])
def test_patterns_do_not_own_the_standard_genes(team: Team, orgs: str, host: str) -> None:
    team.publish(
        "dbosoft/ubuntu-22.04/std-1.0",
        image("dbosoft/ubuntu-22.04/std-1.0", {"catlet.yaml": "cpu: 7\n"}),
        "std-1.0",
        "latest",
    )
    pool = f"pools:\n- name: corp\n  type: oci\n  prefix: {host}/genes\n  orgs: {orgs}\n"
    team.eryphc.write("eryphc.yaml", pool)
    team.eryphc.write("web.yaml", "name: web\nparent: dbosoft/ubuntu-22.04\n")
    done = team("expand", "web.yaml", "--format", "json")
    assert done.code == 0, done.err
    assert (json.loads(done.out)["cpu"]["count"] == 7) == ("dbosoft" in orgs)


def test_a_pool_by_its_address(team: Team, host: str) -> None:
    (team.eryphc.folder / "eryphc.yaml").unlink()
    done = team("build", "web.yaml", "--target", "user-data")
    assert codes(done) == ["E0302"]
    assert "UTC" in team.user_data("--genepool", f"oci://{host}/genes?orgs=acme")
    for wrong, says in (
        (f"oci://{host}/genes", "orgs"),
        (f"oci://{host}/genes?orgs=acme&tags=x", "tags"),
        (f"oci://{host}/Genes?orgs=acme", "prefix"),
        (f"oci://{host}/genes?orgs=acme&repository=genes", "`repository`"),
        ("oci://?orgs=acme", "prefix"),
    ):
        done = team("build", "web.yaml", "--target", "user-data", "--genepool", wrong)
        assert (done.code, codes(done)) == (2, ["E0904"]), done.err
        assert says in done.err


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ("  orgs: []\n", "E0913"),
        ("  orgs: [acme]\n  repository: x\n", "E0908"),
        ("  orgs: [acme]\n  prefix: 'no host'\n", "E0908"),
        ("  orgs: [acme]\n  mirrors: ['a b']\n", "E0908"),
        ("  orgs: [acme]\n  name: standard\n", "E0908"),
        ("  orgs: [acme]\n  name: ./genes\n", "E0908"),
    ],
)
def test_settings_of_a_pool(team: Team, lines: str, code: str) -> None:
    text = "pools:\n- type: oci\n" + lines
    if "prefix" not in lines:
        text += "  prefix: registry.example/genes\n"
    team.eryphc.write("eryphc.yaml", text)
    done = team("build", "web.yaml", "--target", "user-data")
    assert (done.code, codes(done)) == (1, [code]), done.err
    assert "eryphc.yaml:" in done.err


def test_a_registry_that_does_not_answer(team: Team) -> None:
    pool = "pools:\n- name: corp\n  type: oci\n  prefix: 127.0.0.1:9\n  orgs: [acme]\n"
    team.eryphc.write("eryphc.yaml", pool)
    done = team("build", "web.yaml", "--target", "user-data")
    assert (done.code, codes(done)) == (3, ["E1001"])


def test_a_mirror_has_what_is_pinned(team: Team, host: str) -> None:
    assert team("lock", "web.yaml").code == 0
    shutil.rmtree(team.cache)
    pool = "pools:\n- name: corp\n  type: oci\n  prefix: 127.0.0.1:9/genes\n  orgs: [acme]\n"
    team.eryphc.write("eryphc.yaml", f"{pool}  mirrors: ['127.0.0.1:9/x', '{host}/genes']\n")
    assert "UTC" in team.user_data("--locked")


def test_what_pull_prints_and_writes(team: Team) -> None:
    done = team("gene", "pull", "acme/base/1.0", "-o", "vendored", "-v")
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()] == [
        "acme/base/1.0",
        "acme/motd/1.0",
        "acme/motd/latest",
    ]
    assert motd("UTC").identity in done.out
    requests = [line for line in done.err.splitlines() if line.startswith("GET ")]
    # Both are so small that their manifests hold them.
    assert len(requests) == 2
    (team.eryphc.folder / "eryphc.yaml").unlink()
    assert "UTC" in team.user_data("--genepool", "vendored")
    data = json.loads(
        team("gene", "pull", "--genepool", "vendored", "acme/motd", "--format", "json").out
    )
    assert [each["ref"] for each in data] == [None, "acme/motd/1.0"]
    assert team("gene", "pull").code == 2
    assert team("gene", "pull", "acme/none").code == 1


def test_gene_show_asks_the_registry(team: Team) -> None:
    done = team("gene", "show", "acme/motd")
    assert done.code == 0
    assert "gene:acme/motd/1.0:motd" in done.out


def test_a_locked_build_with_a_full_store_needs_no_network(team: Team) -> None:
    assert team("lock", "web.yaml").code == 0
    program = (
        "import sys; from eryphc.cli.app import run; "
        "code = run(['build', 'web.yaml', '--target', 'user-data', '--locked']); "
        "far = ('urllib3', 'truststore', 'diskcache'); "
        "far += ('eryphc.net', 'eryphc.genepool.oci.client'); "
        "bad = [m for m in sys.modules if m in far or m.split('.')[0] in far]; "
        "print(code, bad)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=team.eryphc.folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr


def test_a_lock_that_contradicts_itself(team: Team) -> None:
    """Somebody edited the digest of a text and left the identity: neither is believed."""
    assert team("lock", "web.yaml").code == 0
    path = team.eryphc.folder / "eryph.lock"
    digest = team.lock()["sets"]["acme/motd/1.0"]["files"]["fodder/motd.yaml"]
    path.write_text(path.read_text().replace(digest, f"sha256:{'0' * 64}"), newline="\n")
    for options in ((), ("--locked",)):
        done = team("build", "web.yaml", "--guest", "linux", "--target", "user-data", *options)
        assert (done.code, codes(done)) == (1, ["E1109"]), done.err
        assert "what differs: `fodder/motd.yaml`" in done.err
        assert "--> eryph.lock:" in done.err
    assert team("update", "web.yaml", "--accept", "changed-tag").code == 0
    assert team.lock()["sets"]["acme/motd/1.0"]["files"]["fodder/motd.yaml"] == digest
    assert "UTC" in team.user_data("--locked")


def test_a_password_in_the_project_file_is_not_shown(team: Team) -> None:
    text = (team.eryphc.folder / "eryphc.yaml").read_text()
    team.eryphc.write("eryphc.yaml", text.replace("prefix: ", "prefix: joe:canary4711@"))
    done = team("build", "web.yaml", "--target", "user-data")
    assert (done.code, codes(done), "canary" in done.err) == (1, ["E0908"], False)
    assert "eryphc.yaml:4:11" in done.err
    assert "log in with `docker login HOST`" in done.err


def test_who_looks_sees_what_was_published_a_moment_ago(team: Team) -> None:
    assert "UTC" in team.user_data()
    assert "acme/motd/1.0" in team("gene", "show", "acme/motd").out
    team.publish("acme/motd/1.1", motd("CET", "1.1"), "1.1", "latest")
    assert team("gene", "show", "acme/motd").out.startswith("acme/motd/1.1\n")
    done = team("gene", "diff", "acme/motd/1.0", "acme/motd/latest")
    assert "1.0 → 1.1" in done.out + done.err


def test_what_is_missing_without_a_network_is_pulled_before(team: Team) -> None:
    assert team("lock", "web.yaml").code == 0
    shutil.rmtree(team.cache)
    build = ("build", "web.yaml", "--guest", "linux", "--target", "user-data", "--frozen")
    done = team(*build)
    assert (done.code, set(codes(done))) == (3, {"E1106"})
    assert "is not at hand, and `--offline` or `--frozen` forbids to ask `corp` for it" in done.err
    assert "help: `eryphc gene pull --lock` fetches all that the lock pins" in done.err
    assert team("gene", "pull", "--lock").code == 0
    assert team(*build).code == 0
