"""A signature for what a registry has: which tags get it, and what is said where that fails."""

from __future__ import annotations

import json
from typing import Any

import pytest

from eryphc.canonical import canonical, digest_of
from eryphc.genepool.image import Image, manifest_of
from eryphc.genepool.image_reader import ImageError
from eryphc.genepool.oci.client import Registry
from eryphc.genepool.oci.copies import Copy
from eryphc.genepool.oci.faults import NotThereError, RegistryError
from eryphc.genepool.oci.publishing import send
from eryphc.genepool.oci.resigning import Signed, put_signed, sign_there
from eryphc.genepool.oci.statements import (
    UnbelievedError,
    found_deprecation,
    put_deprecation,
)
from eryphc.genepool.pool_index import Deprecation
from eryphc.genepool.registry_names import RegistryName, TagRules, names_of
from eryphc.identifiers import GeneSetId
from genepool.images import MOTD, MOTD_TEXT, motd
from genepool.oci.fake import Fake, Profile
from net.server import Handler
from sharing.publishing import image

NAME = RegistryName("acme/motd", "1.0")
ANNOTATION = "dev.eryphc.signature.1"


@pytest.fixture
def copy(registry: Registry) -> Copy:
    return Copy(names_of(registry.site.host, ("acme",)), registry)


def newer() -> Image:
    return image("acme/motd/1.1", {"fodder/motd.yaml": MOTD_TEXT.decode()})


def publish(copy: Copy, made: Image, *tags: str, **more: str) -> None:
    for tag in tags:
        send(copy.registry, NAME._replace(tag=tag), made, manifest_of(made, more))


def mark(manifest: bytes, config: bytes) -> bytes:
    """Something that stands for a signature."""
    data = json.loads(manifest)
    data["annotations"][ANNOTATION] = f"over {digest_of(config)}"
    return canonical(data)


def sign(copy: Copy, geneset: GeneSetId = MOTD, rules: TagRules = TagRules()) -> Signed:  # noqa: B008
    return sign_there(copy, rules, geneset, mark)


def noted(fake: Fake, tag: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(fake.manifests["acme/motd", tag][1])["annotations"]
    return found


def test_other_names_follow(fake: Fake, copy: Copy) -> None:
    publish(copy, motd(), "1.0", "latest", "stable")
    publish(copy, newer(), "1.1", "next")
    done = sign(copy)
    assert [each.tag for each in done.tags] == ["1.0", "latest", "stable"]
    assert done.sent == done.tags
    assert done.name == NAME
    for tag in ("1.0", "latest", "stable"):
        assert noted(fake, tag)[ANNOTATION] == f"over {motd().identity}"
    for tag in ("1.1", "next"):
        assert ANNOTATION not in noted(fake, tag)
    assert sign(copy).sent == ()


def test_an_alias_with_another_manifest_gets_the_same(fake: Fake, copy: Copy) -> None:
    publish(copy, motd(), "1.0")
    publish(copy, motd(), "latest", **{"org.opencontainers.image.revision": "abc"})
    sign(copy)
    assert fake.manifests["acme/motd", "latest"] == fake.manifests["acme/motd", "1.0"]


def test_the_pool_says_which_tags_move(copy: Copy) -> None:
    publish(copy, motd(), "1.0", "latest", "stable", "1.0-dev")
    rules = TagRules(moving=("*-dev",), fixed=("latest",))
    assert [each.tag for each in sign(copy, rules=rules).tags] == ["1.0", "1.0-dev", "stable"]


def test_tags_that_are_no_gene_sets_are_passed_over(fake: Fake, copy: Copy) -> None:
    publish(copy, motd(), "1.0")
    data = canonical({"schemaVersion": 2, "config": json.loads(manifest_of(motd()))["config"]})
    kind = "application/vnd.oci.image.manifest.v1+json"
    fake.manifests["acme/motd", "latest"] = (kind, data.replace(b"config", b"konfig"))
    fake.manifests["acme/motd", "st-" + "0" * 32] = (kind, manifest_of(motd()))
    assert [each.tag for each in sign(copy).tags] == ["1.0"]


def test_what_is_not_there(copy: Copy) -> None:
    with pytest.raises(NotThereError):
        sign(copy)
    publish(copy, motd(), "2.0")
    with pytest.raises(ImageError) as caught:
        sign(copy, MOTD._replace(tag="2.0"))
    assert caught.value.diagnostic.code.number == "E1017"


def test_a_config_that_is_gone(fake: Fake, copy: Copy) -> None:
    publish(copy, motd(), "1.0")
    plain = manifest_of(motd(), embed=False)
    fake.manifests["acme/motd", "1.0"] = (fake.manifests["acme/motd", "1.0"][0], plain)
    del fake.blobs["acme/motd", motd().identity]
    with pytest.raises(ImageError) as caught:
        sign(copy)
    assert caught.value.diagnostic.code.number == "E1019"


def test_somebody_publishes_meanwhile(fake: Fake, copy: Copy) -> None:
    publish(copy, motd(), "1.0")
    publish(copy, newer(), "1.1")

    def overtake(handler: Handler) -> None:
        fake.route(handler)
        fake.manifests["acme/motd", "1.0"] = fake.manifests["acme/motd", "1.1"]

    fake.fault("PUT /v2/acme/motd/manifests/1.0", overtake)
    with pytest.raises(RegistryError) as caught:
        sign(copy)
    assert caught.value.diagnostic.code.number == "E1010"


def test_a_registry_that_keeps_tags(fake: Fake, copy: Copy) -> None:
    """The same content is no success here: it lacks the signature."""
    publish(copy, motd(), "1.0")
    fake.profile, fake.immutable = Profile(replaced=(412, "PRECONDITION")), True
    with pytest.raises(RegistryError) as caught:
        put_signed(copy, NAME, mark(manifest_of(motd()), motd().config))
    assert caught.value.diagnostic.code.number == "E1008"
    assert "sign when you push" in str(caught.value.diagnostic.help)


def test_whether_a_statement_is_believed(copy: Copy) -> None:
    said = Deprecation(reason="too old")
    asked: list[tuple[str, bool]] = []

    def believe(config: bytes, manifest: bytes, where: str) -> bool:
        marked = f"over {digest_of(config)}".encode() in manifest
        asked.append((where.rpartition(":")[2][:3], marked))
        return marked

    assert found_deprecation(copy, NAME, motd().identity, believe) is None
    assert put_deprecation(copy, NAME, MOTD, motd().identity, said)
    with pytest.raises(UnbelievedError):
        found_deprecation(copy, NAME, motd().identity, believe)
    assert put_deprecation(copy, NAME, MOTD, motd().identity, said, mark)
    assert found_deprecation(copy, NAME, motd().identity, believe) == said
    assert asked == [("st-", False), ("st-", True)]
    assert not put_deprecation(copy, NAME, MOTD, motd().identity, said, mark)
