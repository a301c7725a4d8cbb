"""`gene sign` in a real registry."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from eryphc.genepool.image import manifest_of
from genepool.oci.fake import Profile, digest_of, faking
from sharing.projects import codes
from sharing.publishing import MOTD, base, image, motd, signatures
from sharing.test_trust import CI, EVE, Team, team
from signers import made, run, signer

__all__ = ["team"]

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="no ssh-keygen"),
]


def in_registry(team: Team, tag: str, name: str = "acme/motd") -> dict[str, Any]:
    place = f"docker://{team.publish.host}/genes/{name}:{tag}"
    found: dict[str, Any] = json.loads(
        run("skopeo", "inspect", "--tls-verify=false", "--raw", place)
    )
    return found


def signed_by(team: Team, tag: str, name: str = "acme/motd") -> int:
    annotations = in_registry(team, tag, name)["annotations"]
    return sum(1 for key in annotations if key.startswith("dev.eryphc.signature."))


def sign(team: Team, name: str = "acme/motd/1.0", who: str = CI, *options: str) -> Any:
    return team("gene", "sign", name, "--key", str(signer(who).key), *options)


def test_what_is_signed_is_trusted(team: Team) -> None:
    team.publishes()
    assert team.refused() == (1, ["E1022"])
    done = sign(team)
    assert done.code == 0, done.err
    assert done.out == f"{team.publish.host}/genes/acme/motd:1.0\n"
    assert f"acme/motd/1.0: signed, also latest, {motd().identity}" in done.err
    assert "UTC" in team.user_data()
    assert in_registry(team, "1.0") == in_registry(team, "latest")


def test_signing_again_changes_nothing(team: Team) -> None:
    team.publishes()
    first = json.loads(sign(team, "acme/motd/1.0", CI, "--format", "json").out)
    again = json.loads(sign(team, "acme/motd/latest", CI, "--format", "json").out)
    assert first == {
        "geneset": "acme/motd",
        "tag": "1.0",
        "reference": f"{team.publish.host}/genes/acme/motd:1.0",
        "manifest": first["manifest"],
        "digest": motd().identity,
        "status": "signed",
        "aliases": ["latest"],
    }
    assert again == {**first, "status": "unchanged"}


def test_the_identity_and_the_lock_stay(team: Team) -> None:
    team.publishes()
    team.asks("")
    assert team("lock", "web.yaml").code == 0
    before = team.lock()
    assert sign(team).code == 0
    shutil.rmtree(team.cache)
    team.asks()
    assert "UTC" in team.user_data("--locked")
    assert team.lock() == before


def test_a_second_person_signs_too(team: Team) -> None:
    team.publishes(signer(EVE))
    assert signed_by(team, "1.0") == 1
    assert sign(team).code == 0
    assert signed_by(team, "1.0") == signed_by(team, "latest") == 2
    assert "UTC" in team.user_data()
    team.asks(keys=signer(EVE).line())
    assert codes(team.build()) == ["E1022"]  # acme/base is signed by CI alone


def test_other_content_is_left_alone(team: Team) -> None:
    team.publish("acme/kit/1.0", image("acme/kit/1.0"), "1.0", "stable")
    newer = image("acme/kit/1.1", {"fodder/motd.yaml": MOTD.format("CET")})
    team.publish("acme/kit/1.1", newer, "1.1", "latest")
    assert sign(team, "acme/kit/1.0").code == 0
    assert [signed_by(team, tag, "acme/kit") for tag in ("1.0", "stable", "1.1", "latest")] == [
        1, 1, 0, 0,
    ]  # fmt: skip


def test_signing_by_a_moving_tag_signs_what_it_stands_for(team: Team) -> None:
    team.publish("acme/kit/1.0", image("acme/kit/1.0"), "1.0", "latest")
    done = sign(team, "acme/kit")
    assert (done.code, done.out) == (0, f"{team.publish.host}/genes/acme/kit:1.0\n")
    assert signed_by(team, "1.0", "acme/kit") == 1


def test_a_fixed_tag_that_has_other_content_by_now(team: Team) -> None:
    """The alias has what nobody can get under its own tag any more."""
    old = image("acme/old/1.0", {"fodder/motd.yaml": MOTD.format("UTC")})
    team.publish("acme/old/1.0", old, "latest")
    team.publish("acme/old/1.0", image("acme/old/1.0"), "1.0")
    done = sign(team, "acme/old")
    assert (done.code, done.out) == (0, f"{team.publish.host}/genes/acme/old:latest\n")
    assert signed_by(team, "1.0", "acme/old") == 0


def test_what_cannot_be_signed(team: Team, tmp_path: Path) -> None:
    team.publishes()
    key = made(tmp_path, CI).key
    key.chmod(0o644)
    for arguments, code, kind in (
        (["acme/motd/1.0", "--key", str(key)], 1, "E1032"),
        (["acme/motd/1.0", "--key", str(tmp_path / "none")], 1, "E1611"),
        (["acme/motd/1.0", "--key", str(tmp_path)], 1, "E1611"),
        (["acme/none/1.0", "--key", str(signer(CI).key)], 1, "E0302"),
        (["other/motd/1.0", "--key", str(signer(CI).key)], 2, "E0904"),
        (["acme/motd/1.0", "--to", "none", "--key", str(signer(CI).key)], 2, "E0904"),
        (["acme", "--key", str(signer(CI).key)], 2, "E0912"),
        (["acme/motd/1.0", "--offline", "--key", str(signer(CI).key)], 1, "E1025"),
    ):
        done = team("gene", "sign", *arguments)
        assert (done.code, codes(done)) == (code, [kind]), done.err
    assert team("gene", "sign", "acme/motd/1.0").code == 2
    assert signed_by(team, "1.0") == 0


def test_the_key_is_not_told(team: Team, tmp_path: Path) -> None:
    """What stands in a private key gets into no output, file or manifest."""
    team.publishes()
    key = made(tmp_path, CI).key
    secret = "".join(key.read_text().splitlines()[1:-1])[60:100]
    done = team("gene", "sign", "acme/motd/1.0", "--key", str(key), "-v")
    assert done.code == 0
    assert secret not in done.out + done.err + json.dumps(in_registry(team, "1.0"))
    files = [path for path in team.cache.rglob("*") if path.is_file()]
    assert all(secret.encode() not in path.read_bytes() for path in files)


def test_v_tells_each_request(team: Team) -> None:
    team.publishes()
    done = sign(team, "acme/motd/1.0", CI, "-v", "--timeout", "30")
    lines = [line for line in done.err.splitlines() if line.startswith(("GET", "PUT"))]
    assert sum(line.startswith("PUT") for line in lines) == 2


def test_gene_show_tells_the_signer(team: Team) -> None:
    team.publishes(signer(CI))
    done = team("gene", "show", "acme/motd/1.0")
    assert f"signed {CI} {signer(CI).fingerprint}" in done.out
    data = json.loads(team("gene", "show", "acme/motd/1.0", "--format", "json").out)
    assert data["signed"] == f"{CI} {signer(CI).fingerprint}"
    team.asks("")
    data = json.loads(team("gene", "show", "acme/motd/1.0", "--format", "json").out)
    assert "signed" not in data


def test_a_registry_that_keeps_tags(team: Team) -> None:
    with faking("quay") as fake:
        fake.profile = Profile(replaced=(409, "TAG_IMMUTABLE"))
        team.publish.host = fake.server.address.removeprefix("http://")
        team.asks()
        manifest = ("application/vnd.oci.image.manifest.v1+json", manifest_of(motd()))
        fake.manifests["genes/acme/motd", "1.0"] = manifest
        for blob in (motd().config, motd().layer):
            fake.blobs["genes/acme/motd", digest_of(blob)] = blob
        fake.immutable = True
        done = sign(team)
    assert (done.code, codes(done)) == (3, ["E1008"])
    assert "sign when you push: `eryphc gene push PATH --sign KEY`" in done.err


def test_a_manifest_in_the_form_of_docker(team: Team) -> None:
    """What skopeo made of a gene set can be signed; the manifest becomes one of OCI."""
    team.publishes()
    place = f"docker://{team.publish.host}/genes/acme/motd:1.0"
    flags = ("--src-tls-verify=false", "--dest-tls-verify=false")
    run("skopeo", "copy", "--format", "v2s2", *flags, place, place)
    assert "annotations" not in in_registry(team, "1.0")
    assert sign(team).code == 0
    assert signed_by(team, "1.0") == 1
    assert "UTC" in team.user_data()


# -- what is signed when it is published ------------------------------------------------------


def key_of(who: str = CI) -> tuple[str, str]:
    return ("--sign", str(signer(who).key))


def writes(team: Team, zone: str = "UTC") -> None:
    """The sources of acme/motd/1.0, with `latest` as its other name."""
    for tag, ref in (("1.0", None), ("latest", "acme/motd/1.0")):
        manifest = {
            "version": "1.1",
            "geneset": f"acme/motd/{tag}",
            **({"ref": ref} if ref else {}),
        }
        team.eryphc.write(f"src/acme/motd/{tag}/geneset-tag.json", json.dumps(manifest))
    team.eryphc.write("src/acme/motd/1.0/fodder/motd.yaml", MOTD.format(zone))


def test_push_signs(team: Team) -> None:
    writes(team, "WET")
    pushed = team("gene", "push", "src/acme/motd", "--replace", *key_of())
    assert pushed.code == 0, pushed.err
    assert signed_by(team, "1.0") == signed_by(team, "latest") == 1
    assert "WET" in team.user_data()
    # What is there and lacks the signature gets it, and the second of another key.
    for who, count in ((CI, 1), (EVE, 2)):
        assert team("gene", "push", "src/acme/motd", *key_of(who)).code == 0
        assert signed_by(team, "1.0") == signed_by(team, "latest") == count


def test_push_with_a_key_that_signs_nothing_sends_nothing(team: Team, tmp_path: Path) -> None:
    writes(team, "EET")
    key = made(tmp_path, CI).key
    key.chmod(0o640)
    team.publishes()
    before = in_registry(team, "1.0")
    done = team("gene", "push", "src/acme/motd", "--replace", "--sign", str(key), "-v")
    assert (done.code, codes(done)) == (1, ["E1032"])
    assert "PUT" not in done.err
    assert in_registry(team, "1.0") == before


def test_a_word_against_a_tag_is_believed_if_it_is_signed(team: Team) -> None:
    team.publish("acme/base/1.0", base(), annotations=signatures(base(), signer(CI)))
    writes(team, "MET")
    assert team("gene", "push", "src/acme/motd", "--replace", *key_of()).code == 0
    words = ("acme/motd/1.0", "--reason", "too old")
    warned = {}
    for name, key in (("nobody", ()), ("another", key_of(EVE)), ("own", key_of())):
        done = team("gene", "deprecate", *words, *key)
        assert done.code == 0, done.err
        # Without a policy every word counts, and is remembered; that is no reason to believe it.
        team.asks("")
        assert codes(team("gene", "show", "acme/motd/1.0")) == ["W1029"]
        team.asks()
        warned[name] = codes(team("gene", "show", "acme/motd/1.0"))
    assert warned == {"nobody": [], "another": [], "own": ["W1029"]}
    assert codes(team("lock", "web.yaml")) == ["W1029"]
    # The second time the answer is remembered.
    done = team("gene", "show", "acme/motd/1.0", "-v")
    assert codes(done) == ["W1029"]
    assert "manifests/st-" not in done.err


def test_a_registry_that_keeps_tags_does_not_take_a_signature_quietly(team: Team) -> None:
    with faking("quay") as fake:
        fake.profile = Profile(replaced=(409, "TAG_IMMUTABLE"))
        team.publish.host = fake.server.address.removeprefix("http://")
        team.asks()
        writes(team)
        pushed = team("gene", "push", "src/acme/motd/1.0", "--no-index")
        assert pushed.code == 0, pushed.err
        fake.immutable = True
        done = team("gene", "push", "src/acme/motd/1.0", "--no-index", *key_of())
    assert (done.code, codes(done)) == (3, ["E1008"])
