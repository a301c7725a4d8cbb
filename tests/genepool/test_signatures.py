"""Signatures in manifests."""

from __future__ import annotations

import json
import shutil

import pytest

from eryphc.canonical import canonical
from eryphc.genepool.image import ImageType, manifest_of, signature_annotations
from eryphc.genepool.image_reader import ImageError, ImageManifest, read_config, read_manifest
from eryphc.genepool.signatures import (
    MOST,
    namespace,
    signatures_of,
    signed_manifest,
    with_signature,
)
from eryphc.signing import check_intact
from genepool.images import MOTD, motd
from signers import signer

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="no ssh-keygen")

PLAIN = manifest_of(motd())
CONFIG = motd().config
CI, EVE = "ci@acme.example", "eve@other.example"


def signed(manifest: bytes, who: str = CI, kind: str = "ed25519") -> bytes:
    return signed_manifest(manifest, CONFIG, signer(who, kind).key, "here")


def test_the_identity_stays() -> None:
    found = read_manifest(signed(PLAIN), "here")
    assert isinstance(found, ImageManifest)
    assert found.config.digest == motd().identity
    assert read_config(CONFIG, found, "here", asked=MOTD).identity == motd().identity
    without = json.loads(signed(PLAIN))
    del without["annotations"]["dev.eryphc.signature.1"]
    assert canonical(without) == PLAIN


def test_the_config_is_what_is_signed() -> None:
    (signature,) = signatures_of(signed(PLAIN), "here")
    assert check_intact(CONFIG, signature, "eryphc-geneset") == signer(CI).fingerprint
    assert check_intact(PLAIN, signature, "eryphc-geneset") is None


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_key_signs_once(kind: str) -> None:
    once = signed(PLAIN, kind=kind)
    assert signed(once, kind=kind) == once


def test_several_people_sign() -> None:
    both = signed(signed(PLAIN), EVE)
    first, second = signatures_of(both, "here")
    assert check_intact(CONFIG, first, namespace(ImageType.GENE_SET)) == signer(CI).fingerprint
    assert check_intact(CONFIG, second, namespace(ImageType.GENE_SET)) == signer(EVE).fingerprint


def test_a_damaged_signature_of_the_same_key_is_replaced() -> None:
    (wrong,) = signatures_of(
        signed_manifest(PLAIN, CONFIG, signer(CI).key, "here", ImageType.INDEX), "here"
    )
    damaged = manifest_of(motd(), signature_annotations([wrong.decode()]))
    assert signed(damaged) == signed(PLAIN)


def test_free_numbers_are_taken() -> None:
    made = manifest_of(motd(), {"dev.eryphc.signature.2": "x", "dev.eryphc.signature.x": "y"})
    found = read_manifest(signed(made), "here")
    assert isinstance(found, ImageManifest)
    assert found.annotations["dev.eryphc.signature.1"].startswith("-----BEGIN SSH SIGNATURE")
    assert found.annotations["dev.eryphc.signature.2"] == "x"


def test_there_are_only_so_many() -> None:
    full = manifest_of(motd(), signature_annotations(map(str, range(MOST + 5))))
    assert len(signatures_of(full, "here")) == MOST
    with pytest.raises(ImageError, match="more than 16 signatures"):
        with_signature(full, b"x", "here")


def test_a_manifest_in_the_form_of_docker_becomes_one_of_oci() -> None:
    data = json.loads(PLAIN)
    docker = "application/vnd.docker"
    data["mediaType"] = f"{docker}.distribution.manifest.v2+json"
    data["config"]["mediaType"] = f"{docker}.container.image.v1+json"
    data["layers"][0]["mediaType"] = f"{docker}.image.rootfs.diff.tar"
    assert signed(json.dumps(data).encode()) == signed(PLAIN)


def test_what_is_no_manifest_of_this_config() -> None:
    with pytest.raises(ValueError, match="config"):
        signed_manifest(PLAIN, CONFIG + b" ", signer(CI).key, "here")
    index = canonical({"schemaVersion": 2, "manifests": [json.loads(PLAIN)["config"]]})
    for other in (b"", b"{}", index, PLAIN.replace(b'"annotations":{', b'"annotations":{"a":1,')):
        with pytest.raises(ImageError):
            with_signature(other, b"x", "here")
    surrogate = PLAIN.replace(b'"annotations":{', b'"annotations":{"a":"\\ud800",')
    with pytest.raises(ImageError, match="no text"):
        with_signature(surrogate, b"x", "here")


def test_uses() -> None:
    names = {namespace(each) for each in ImageType}
    assert names == {"eryphc-geneset", "eryphc-index", "eryphc-statement"}
