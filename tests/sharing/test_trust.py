"""What a project trusts: signed gene sets in a real registry, checked before they are used."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.command_line import CommandLine, child_environment
from eryphc.genepool.image import signature_annotations
from eryphc.signing import sign
from sharing.projects import Project, codes
from sharing.publishing import BASE, Publisher, base, image, motd, signatures, write_layout
from signers import Signer, run, signer

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="no ssh-keygen"),
]

CI = "ci@acme.example"
EVE = "eve@other.example"
ASKED = "trust:\n- {orgs: [acme], require: signature, keys: allowed_signers}\n"


@dataclass(frozen=True)
class Team(Project):
    """A project with a pool in a registry, and a policy."""

    publish: Publisher

    def asks(self, trust: str = ASKED, keys: str | None = None) -> None:
        host = self.publish.host
        pool = f"pools:\n- name: corp\n  type: oci\n  prefix: {host}/genes\n  orgs: [acme]\n"
        self.eryphc.write("eryphc.yaml", pool + trust)
        self.eryphc.write("allowed_signers", signer(CI).line() if keys is None else keys)

    def publishes(self, *signers: Signer, zone: str = "UTC") -> None:
        made = motd(zone)
        self.publish("acme/motd/1.0", made, "1.0", "latest", annotations=signatures(made, *signers))

    def refused(self, *options: str) -> tuple[int, list[str]]:
        done = self.build(*options)
        return done.code, codes(done)

    def notes(self) -> list[Path]:
        return sorted(path for path in (self.cache / "trust").rglob("*") if path.is_file())


@pytest.fixture
def team(eryphc: CommandLine, host: str, tmp_path: Path, own_folders: None) -> Team:
    publish = Publisher(host, tmp_path / "images")
    found = Team(eryphc, publish)
    publish("acme/base/1.0", base(), annotations=signatures(base(), signer(CI)))
    eryphc.write("web.yaml", "name: web\nparent: acme/base/1.0\n")
    found.asks()
    return found


def without_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")


# -- what is signed --------------------------------------------------------------------------


def test_a_build_takes_what_is_signed(team: Team) -> None:
    team.publishes(signer(CI))
    assert "UTC" in team.user_data()


def test_what_is_not_signed_is_refused(team: Team) -> None:
    team.publishes()
    done = team.build()
    assert (done.code, codes(done)) == (1, ["E1022"])
    assert "acme/motd:latest` is not signed, and the project asks" in done.err
    assert "eryphc.yaml:7:" in done.err
    assert "eryphc gene sign acme/motd/1.0 --key KEY" in done.err
    assert "copy it with `skopeo copy --preserve-digests`" in done.err
    assert not (team.eryphc.folder / "build").exists()


def test_whole_messages(team: Team) -> None:
    team.publishes(signer(EVE))
    where, key = f"{team.publish.host}/genes/acme/motd:latest", signer(EVE).fingerprint
    team.eryphc.write("web.yaml", "name: web\nfodder:\n- source: gene:acme/motd:motd\n")
    assert (
        team.build().err.split("\n\n")[0]
        == f"""\
error[E1022]: `{where}` is signed by nobody whom the project trusts
 --> eryphc.yaml:7:27
  |
7 | - {{orgs: [acme], require: signature, keys: allowed_signers}}
  |                           ^^^^^^^^^ asked for here
 ::: web.yaml:3:16: `acme/motd/latest` is named here
  = note: signature 1: {key}: its key is not in `allowed_signers`, or not for today
  = help: add a key to `keys` or a name to `signers` if you trust who signed"""
    )
    publish_as(team, signature_annotations(["trust me"]))
    told = team("lock", "web.yaml").err
    assert "has a signature that is not one of its content" in told
    assert "= note: signature 1: it is a signature of other content, or damaged" in told


def test_nothing_refused_enters_the_store(team: Team) -> None:
    team.publishes()
    assert team.refused()[0] == 1
    texts = [path.read_bytes() for path in (team.cache / "blobs").rglob("*") if path.is_file()]
    assert any(BASE.encode() in text for text in texts)
    assert not any(b"timezone" in text for text in texts)
    assert team("gene", "pull", "acme/motd/1.0").code == 1
    assert team("lock", "web.yaml").code == 1
    assert not (team.eryphc.folder / "eryph.lock").exists()


def test_somebody_whom_nobody_knows(team: Team) -> None:
    team.publishes(signer(EVE))
    done = team.build()
    assert (done.code, codes(done)) == (1, ["E1022"])
    assert f"{signer(EVE).fingerprint}: its key is not in `allowed_signers`" in done.err


def test_one_good_signature_is_enough(team: Team) -> None:
    team.publishes(signer(EVE), signer(CI))
    assert "UTC" in team.user_data()


@pytest.mark.parametrize(
    ("signature", "code"),
    [
        ("another identity", "E1023"),
        ("another use", "E1023"),
        ("a damaged one", "E1023"),
        ("no signature", "E1023"),
    ],
)
def test_signatures_that_are_none(team: Team, signature: str, code: str) -> None:
    key, made = signer(CI).key, motd()
    good = sign(made.config, key, "eryphc-geneset")
    text = {
        "another identity": sign(base().config, key, "eryphc-geneset"),
        "another use": sign(made.config, key, "eryphc-index"),
        "a damaged one": good.replace("AAAAB3", "AAAAB4", 1) if "AAAAB3" in good else good[:-60],
        "no signature": "trust me\x1b[2J",
    }[signature]
    publish_as(team, signature_annotations([text]))
    done = team.build()
    assert (done.code, codes(done)) == (1, [code])
    assert "\x1b" not in done.err


def publish_as(team: Team, annotations: dict[str, str]) -> None:
    team.publish("acme/motd/1.0", motd(), "1.0", "latest", annotations=annotations)


@pytest.mark.parametrize(
    ("keys", "trust"),
    [
        pytest.param(lambda: signer(CI).line('valid-before="20200101"'), ASKED, id="expired"),
        pytest.param(lambda: signer(CI).line('valid-after="20990101"'), ASKED, id="too early"),
        pytest.param(lambda: signer(CI).line('namespaces="git"'), ASKED, id="for git alone"),
        pytest.param(lambda: "# nobody\n", ASKED, id="nobody is known"),
        pytest.param(
            lambda: signer(CI).line() + signer(EVE).line(),
            ASKED.replace("keys:", "signers: ['*@other.example'], keys:"),
            id="another principal",
        ),
    ],
)
def test_keys_that_do_not_count(team: Team, keys: Any, trust: str) -> None:
    team.publishes(signer(CI))
    team.asks(trust, keys())
    assert team.refused() == (1, ["E1022"])


@pytest.mark.parametrize(
    ("trust", "built"),
    [
        ("trust:\n- {orgs: [acme], require: none}\n", True),
        ("trust:\n- {orgs: [acme], require: none}\n" + ASKED.partition("\n")[2], True),
        (ASKED + "- {orgs: ['*'], require: none}\n", False),
        (ASKED.replace("[acme]", "['*']"), False),
        (ASKED.replace("[acme]", "['ac*', other]"), False),
        (ASKED.replace("[acme]", "[ACME]"), False),
        (ASKED.replace("[acme]", "[acm]"), True),
        (ASKED.replace("[acme]", "[acme-]"), True),
        ("trust: []\n", True),
    ],
)
def test_the_first_entry_that_matches_counts(team: Team, trust: str, built: object) -> None:
    team.publishes()
    team.asks(trust)
    assert (team.build().code == 0) == built


def test_the_standard_genes_and_those_of_the_project_are_exempt(team: Team) -> None:
    team.asks(ASKED.replace("[acme]", "['*']"))
    text = "name: web\nparent: dbosoft/ubuntu-22.04\nfodder:\n- source: gene:own/kit/1.0:kit\n"
    team.eryphc.write("web.yaml", text)
    tag = "genes/own/kit/1.0"
    team.eryphc.write(f"{tag}/geneset-tag.json", '{"version":"1.1","geneset":"own/kit/1.0"}')
    team.eryphc.write(f"{tag}/fodder/kit.yaml", "name: kit\nfodder:\n- name: k\n  content: x\n")
    assert team("expand", "web.yaml").code == 0


def test_other_folders_are_refused(team: Team, tmp_path_factory: pytest.TempPathFactory) -> None:
    team.publishes(signer(CI))
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert team("gene", "pull", "acme/base/1.0", "-o", str(elsewhere)).code == 0
    done = team.build("--genepool", str(elsewhere))
    assert (done.code, codes(done)) == (1, ["E1022"])
    assert "lies in the folder" in done.err
    # A link does not make it one of the project.
    (team.eryphc.folder / "genes").symlink_to(elsewhere)
    assert team.refused() == (1, ["E1022"])


def test_a_pool_by_its_address_is_checked_too(team: Team) -> None:
    team.publishes()
    (team.eryphc.folder / "eryphc.yaml").write_text(ASKED)
    pool = ("--genepool", f"oci://{team.publish.host}/genes?orgs=acme")
    assert team.refused(*pool) == (1, ["E1022"])
    team.publishes(signer(CI))
    assert "UTC" in team.user_data(*pool)


def test_each_project_has_its_own_policy(team: Team) -> None:
    """A pool that is named for all specifications is checked for those that ask."""
    team.publishes()
    (team.eryphc.folder / "eryphc.yaml").unlink()
    team.eryphc.write("strict/eryphc.yaml", ASKED)
    team.eryphc.write("strict/allowed_signers", signer(CI).line())
    team.eryphc.write("strict/db.yaml", "name: db\nparent: acme/base/1.0\n")
    pool = ("--genepool", f"oci://{team.publish.host}/genes?orgs=acme")
    for specs in (("web.yaml", "strict/db.yaml"), ("strict/db.yaml", "web.yaml")):
        done = team("check", *specs, "--guest", "linux", *pool)
        assert (done.code, done.out.count("E1022]: ")) == (1, 1), done.out + done.err
        assert "strict/eryphc.yaml:2:" in done.out
    assert "UTC" in team.user_data(*pool)


def test_a_layout_is_checked_too(team: Team) -> None:
    folder = team.eryphc.folder / "vendored"
    for name, made in (("acme/base/1.0", base()), ("acme/motd/1.0", motd())):
        write_layout(folder / name, name, made, signatures(made, signer(CI)))
    write_layout(folder / "acme/plain", "acme/motd/1.0", motd())
    team.eryphc.write("web.yaml", "name: web\nfodder:\n- source: gene:acme/motd/1.0:motd\n")
    layout = ("--genepool", "oci-layout:vendored/acme/motd/1.0")
    assert "UTC" in team.user_data(*layout)
    # The note of the same content counts for every copy.
    plain = ("--genepool", "oci-layout:vendored/acme/plain")
    assert "UTC" in team.user_data(*plain)
    shutil.rmtree(team.cache)
    assert team.refused(*plain) == (1, ["E1022"])


def test_an_export_has_the_signatures(team: Team) -> None:
    team.publishes(signer(CI))
    assert team("gene", "export", "acme/base/1.0", "-o", "vendored").code == 0
    (team.eryphc.folder / "eryphc.yaml").write_text(ASKED)
    shutil.rmtree(team.cache)
    assert "UTC" in team.user_data("--genepool", "oci-layout:vendored")


def test_a_pointer_is_checked_like_a_set(team: Team) -> None:
    team.publishes(signer(CI))
    team.eryphc.write("web.yaml", "name: web\nfodder:\n- source: gene:acme/link:motd\n")
    pointer = image("acme/link/latest", ref="acme/motd/1.0")
    team.publish("acme/link/latest", pointer)
    assert team.refused() == (1, ["E1022"])
    team.publish("acme/link/latest", pointer, annotations=signatures(pointer, signer(CI)))
    assert "UTC" in team.user_data()


# -- with a lock -----------------------------------------------------------------------------


def test_a_lock_names_the_signer(team: Team) -> None:
    team.publishes(signer(CI))
    assert team("lock", "web.yaml").code == 0
    entry = team.lock()["sets"]["acme/motd/1.0"]
    assert entry["signed"] == f"{CI} {signer(CI).fingerprint}"


def test_a_lock_brings_in_nothing_unsigned(team: Team) -> None:
    """Whoever edits the lock in a pull request cannot get round the policy."""
    team.publishes(signer(CI))
    assert team("lock", "web.yaml").code == 0
    shutil.rmtree(team.cache)
    team.publishes(zone="CET")
    other = motd("CET")
    data = team.lock()
    data["sets"]["acme/motd/1.0"] |= {
        "digest": other.identity,
        "files": {"fodder/motd.yaml": "sha256:" + "0" * 64},
    }
    del data["sets"]["acme/motd/1.0"]["manifest"]
    team.eryphc.write("eryph.lock", json.dumps(data))
    assert team.refused("--locked") == (1, ["E1022"])


def test_pulled_without_a_policy_and_built_with_one(team: Team) -> None:
    team.publishes(signer(CI))
    team.asks("")
    assert team("lock", "web.yaml").code == 0
    assert "signed" not in team.lock()["sets"]["acme/motd/1.0"]
    assert team.notes() == []
    team.asks()
    assert "UTC" in team.user_data("--frozen")
    assert len(team.notes()) == 2


def test_pulled_unsigned_without_a_policy_and_built_with_one(team: Team) -> None:
    team.publishes()
    team.asks("")
    assert team("lock", "web.yaml").code == 0
    team.asks()
    assert team.refused("--frozen") == (1, ["E1022"])
    assert team.refused("--locked") == (1, ["E1022"])
    # That it is not signed is what has to be said, also where the registry is away.
    prefix = f"{team.publish.host}/genes"
    file = team.eryphc.folder / "eryphc.yaml"
    file.write_text(file.read_text().replace(prefix, "127.0.0.1:9/genes"))
    assert team.refused("--locked") == (1, ["E1022"])
    team.asks()
    # It is signed now: the manifest that the lock names is not, the tag's is.
    team.publishes(signer(CI))
    assert team.refused("--frozen") == (1, ["E1022"])
    assert "UTC" in team.user_data("--locked")
    assert "UTC" in team.user_data("--frozen")


def test_a_refused_folder_that_comes_later_does_not_stand_in_the_way(
    team: Team, tmp_path_factory: pytest.TempPathFactory
) -> None:
    team.publishes(signer(CI))
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert team("gene", "pull", "acme/base/1.0", "-o", str(elsewhere)).code == 0
    folder = f"  fallback: true\n- {{path: '{elsewhere}', orgs: [acme]}}\n"
    team.asks(folder + ASKED)
    assert team("lock", "web.yaml").code == 0
    assert "UTC" in team.user_data("--frozen")
    shutil.rmtree(team.cache)
    assert team.refused("--frozen") == (1, ["E1022"])
    assert "UTC" in team.user_data("--locked")


def test_a_mirror_that_lost_the_signatures(team: Team) -> None:
    """What a conversion left there has the identity that is asked for, and is passed over."""
    team.publishes(signer(CI))
    for name in ("acme/motd", "acme/base"):
        places = [f"docker://{team.publish.host}/{at}/{name}:1.0" for at in ("genes", "mirror")]
        flags = ("--src-tls-verify=false", "--dest-tls-verify=false", "--format", "v2s2")
        run("skopeo", "copy", *flags, *places)
    assert team("lock", "web.yaml").code == 0
    shutil.rmtree(team.cache)
    team.asks(f"  mirrors: ['{team.publish.host}/mirror']\n{ASKED}")
    done = team.build("--locked", "-v")
    assert done.code == 0, done.err
    assert any("/mirror/acme/motd/manifests/1.0" in line for line in done.err.splitlines())
    assert "UTC" in team.user_data("--frozen")


def test_an_update_to_something_unsigned_is_stopped(team: Team) -> None:
    team.publishes(signer(CI))
    assert team("lock", "web.yaml").code == 0
    team.asks("")
    newer = motd("CET", "1.1")
    team.publish("acme/motd/1.1", newer, "1.1", "latest")
    done = team("update")
    assert (done.code, codes(done)) == (1, ["E1107", "E1107"])
    assert "--accept unsigned" in done.err
    team.asks(keys=signer(CI).line() + signer(EVE).line())
    team.publish("acme/motd/1.1", newer, "1.1", annotations=signatures(newer, signer(EVE)))
    team.publish("acme/motd/1.1", newer, "latest", annotations=signatures(newer, signer(EVE)))
    done = team("update")
    assert (done.code, codes(done)) == (1, ["E1107"])
    assert EVE in done.err
    assert team("update", "--accept", "unsigned").code == 0
    assert team.lock()["sets"]["acme/motd/1.1"]["signed"].startswith(f"{EVE} SHA256:")


# -- notes -----------------------------------------------------------------------------------


def test_a_note_spares_the_program(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.publishes(signer(CI))
    assert team("lock", "web.yaml").code == 0
    without_programs(monkeypatch)
    assert "UTC" in team.user_data("--frozen")
    for note in team.notes():
        note.unlink()
    done = team.build("--frozen")
    assert (done.code, codes(done)) == (3, ["E1024"])


def test_notes_hold_for_their_policy_alone(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.publishes(signer(CI))
    assert team("lock", "web.yaml").code == 0
    without_programs(monkeypatch)
    for trust, keys in (
        (ASKED, signer(CI).line() + signer(EVE).line()),
        (ASKED.replace("keys:", "signers: ['*@acme.example'], keys:"), None),
        (ASKED.replace("[acme]", "[acme, other]"), None),
    ):
        team.asks(trust, keys)
        assert team.refused("--frozen") == (3, ["E1024"])
    team.asks()
    assert "UTC" in team.user_data("--frozen")


def test_a_key_that_is_taken_out_counts_no_more(team: Team) -> None:
    team.publishes(signer(CI))
    assert team("lock", "web.yaml").code == 0
    team.asks(keys=signer(EVE).line())
    assert team.refused("--frozen") == (1, ["E1022"])


def test_forged_notes(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes of unsigned content: changed, of another content, with another key."""
    team.publishes(signer(CI))
    assert team("lock", "web.yaml").code == 0
    good = {path: path.read_bytes() for path in team.notes()}
    assert len(good) == 2
    first, second = sorted(good)
    without_programs(monkeypatch)
    assert "UTC" in team.user_data("--frozen")
    forged = [
        good[second],
        good[first].replace(CI.encode(), EVE.encode()),
        good[first].partition(b"\n")[2],
        b"",
        good[first][:-1] + b"!",
        b"eryphc-trust/1 " + b"0" * 64 + b"\n" + good[first].partition(b"\n")[2],
    ]
    for data in forged:
        first.write_bytes(data)
        assert team.refused("--frozen") == (3, ["E1024"]), data
    first.write_bytes(good[first])
    assert "UTC" in team.user_data("--frozen")
    monkeypatch.setenv("ERYPHC_CACHE_KEY", "ab" * 32)
    assert team.refused("--frozen") == (3, ["E1024"])


def test_a_forged_note_does_not_help_what_is_unsigned(team: Team) -> None:
    team.publishes()
    team.asks("")
    assert team("lock", "web.yaml").code == 0
    team.asks()
    assert team.refused("--frozen") == (1, ["E1022"])
    (note,) = team.notes()
    identity = base().identity.encode()
    assert identity in note.read_bytes()
    body = note.read_bytes().replace(identity, motd().identity.encode())
    note.write_bytes(body)
    assert team.refused("--frozen") == (1, ["E1022"])


# -- cache verify ----------------------------------------------------------------------------


def test_cache_verify_checks_signatures(team: Team) -> None:
    """What a registry served without a policy, signed by nobody at all, is removed."""
    text = sign(motd().config, signer(CI).key, "eryphc-index")
    publish_as(team, signature_annotations([text.replace("U1NI", "U1NJ")]))
    team.asks("")
    assert team("lock", "web.yaml").code == 0
    done = team("cache", "verify")
    assert (done.code, codes(done)) == (1, ["W1203"])
    assert "manifests/" in done.err
    assert team("cache", "verify").code == 0
    team.publishes(signer(CI))
    assert team("update").code == 0
    assert team("cache", "verify").code == 0


def test_cache_verify_without_the_program(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.publishes(signer(CI))
    assert team("lock", "web.yaml").code == 0
    assert team("cache", "verify").code == 0
    without_programs(monkeypatch)
    done = team("cache", "verify")
    assert (done.code, codes(done)) == (3, ["E1024"])
    assert "none damaged" in done.out
    note = team.notes()[0]
    note.write_bytes(note.read_bytes()[:-1] + b"!")
    done = team("cache", "verify")
    assert (done.code, sorted(codes(done))) == (1, ["E1024", "W1203"])
    assert "1 damaged" in done.out


# -- what a build pays -----------------------------------------------------------------------


@pytest.mark.parametrize("trust", ["", ASKED])
def test_a_build_imports_no_more_than_it_needs(team: Team, trust: str) -> None:
    """Without a policy nothing of signatures, and with one and good notes no program."""
    team.publishes(signer(CI))
    team.asks(trust)
    assert team("lock", "web.yaml").code == 0
    program = (
        "import sys; from eryphc.cli.app import run; "
        "code = run(['build', 'web.yaml', '--target', 'user-data', '--locked']); "
        "never = {'subprocess', 'tempfile', 'eryphc.genepool.signatures', 'eryphc.net'}; "
        "policy = {'eryphc.signing', 'eryphc.project.trusting', 'eryphc.store.seals'}; "
        "print(code, sorted(never & set(sys.modules)), len(policy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=team.eryphc.folder,
        env=child_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    policies = 3 if trust else 0
    assert done.stdout.splitlines()[-1] == f"0 [] {policies}", done.stderr


# -- settings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("{require: none}", "`orgs`"),
        ("{orgs: [], require: none}", "`orgs`"),
        ("{orgs: [acme]}", "`require: signature`"),
        ("{orgs: [acme], require: }", "`require: signature`"),
        ("{orgs: [acme], require: signature}", "`keys`"),
        ("{orgs: [acme], require: signature, keys: ''}", "`keys`"),
        ("{orgs: [acme], require: signature, keys: none}", "no such file"),
        ("{orgs: [acme], require: signature, keys: .}", "no plain file"),
        ("{orgs: [acme], require: signature, keys: ../allowed_signers}", "below the project"),
        ("{orgs: [acme], require: signature, keys: /etc/passwd}", "below the project"),
        ("{orgs: [acme], require: signature, keys: outside}", "below the project"),
        ("{orgs: [acme], require: signature, keys: loop}", "cannot be used"),
        ('{orgs: [acme], require: signature, keys: "a\\0b"}', "cannot be used"),
        ("{orgs: [acme], require: signature, keys: allowed_signers, signers: []}", "nobody"),
    ],
)
def test_faults_of_the_policy(team: Team, entry: str, says: str) -> None:
    folder = team.eryphc.folder
    (folder / "outside").symlink_to("/etc/passwd")
    (folder / "loop").symlink_to("loop")
    team.asks(f"trust:\n- {entry}\n")
    done = team.build()
    assert (done.code, codes(done)) == (1, ["E0908"]), done.err
    assert says in done.err
    assert "eryphc.yaml:7:" in done.err
    assert "root:" not in done.err


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ("{orgs: [acme], require: signatures, keys: allowed_signers}", "E0111"),
        ("{orgs: acme, require: none}", "E0110"),
        ("{orgs: [acme], require: none, key: x}", "E0108"),
    ],
)
def test_entries_of_another_form(team: Team, entry: str, code: str) -> None:
    team.asks(f"trust:\n- {entry}\n")
    done = team.build()
    assert done.code == 1
    assert "eryphc.yaml:7:" in done.err


def test_signatures_can_be_checked_by_hand(team: Team, tmp_path: Path) -> None:
    team.publishes(signer(CI))
    place = f"docker://{team.publish.host}/genes/acme/motd:1.0"
    raw = json.loads(run("skopeo", "inspect", "--tls-verify=false", "--raw", place))
    config = run("skopeo", "inspect", "--tls-verify=false", "--config", "--raw", place)
    (tmp_path / "signature").write_text(raw["annotations"]["dev.eryphc.signature.1"])
    (tmp_path / "keys").write_text(signer(CI).line())
    said = run(
        "ssh-keygen", "-Y", "verify", "-n", "eryphc-geneset", "-I", CI,
        "-f", str(tmp_path / "keys"), "-s", str(tmp_path / "signature"),
        stdin=config.encode(),
    )  # fmt: skip
    assert "Good" in said
