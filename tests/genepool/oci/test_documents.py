"""The index and statements in a registry: several who write, and what is no index."""

from __future__ import annotations

import pytest

from eryphc.canonical import digest_of
from eryphc.frozen import FrozenMap
from eryphc.genepool.image import ImageType, document_image, manifest_of
from eryphc.genepool.image_reader import ImageError
from eryphc.genepool.oci.client import Registry
from eryphc.genepool.oci.copies import Copy
from eryphc.genepool.oci.documents import (
    IndexOvertakenError,
    found_document,
    listed_set,
    update_pool_index,
)
from eryphc.genepool.oci.publishing import send
from eryphc.genepool.oci.statements import (
    deprecation_image,
    found_deprecation,
    put_deprecation,
    statement_tag,
)
from eryphc.genepool.pool_index import (
    Deprecation,
    IndexedSet,
    IndexedTag,
    PoolIndex,
    read_index,
    write_index,
)
from eryphc.genepool.registry_names import NO_RULES, RegistryName, names_of
from genepool.images import MOTD, motd, pointer
from genepool.oci.fake import Fake
from net.server import Handler

SET = IndexedSet(FrozenMap({"1.0": IndexedTag(digest=motd().identity)}))
NAME = RegistryName("acme/motd", "1.0")


@pytest.fixture
def copy(registry: Registry) -> Copy:
    return Copy(names_of(registry.site.host, ("acme",), index="index:latest"), registry)


def put_index(fake: Fake, index: PoolIndex) -> None:
    """Another writer, who gets in between."""
    image = document_image(ImageType.INDEX, write_index(index))
    manifest = manifest_of(image)
    for blob in (image.config, image.layer):
        fake.blobs["index", digest_of(blob)] = blob
    kind = "application/vnd.oci.image.manifest.v1+json"
    fake.manifests["index", "latest"] = (kind, manifest)


def index_in(copy: Copy) -> dict[str, IndexedSet]:
    found = found_document(copy, RegistryName("index", "latest"), ImageType.INDEX)
    return {} if found is None else dict(read_index(found.document.text))


def add(copy: Copy, name: str) -> PoolIndex:
    return update_pool_index(copy, lambda known: FrozenMap({**known, name: SET}))


def test_an_index_is_made_and_grows(copy: Copy) -> None:
    assert index_in(copy) == {}
    add(copy, "acme/motd")
    add(copy, "acme/web")
    assert index_in(copy) == {"acme/motd": SET, "acme/web": SET}


def overtaking(fake: Fake, *names: str) -> None:
    """Others write the index each time before it is read back."""
    rest = list(names)

    def overtake(handler: Handler) -> None:
        fake.route(handler)
        put_index(fake, FrozenMap({rest.pop(0): SET}))
        if rest:
            fake.fault("PUT /v2/index/manifests/latest", overtake)

    fake.fault("PUT /v2/index/manifests/latest", overtake)


def test_others_who_write_lose_nothing(fake: Fake, copy: Copy) -> None:
    overtaking(fake, "acme/one", "acme/two")
    assert add(copy, "acme/motd") == {"acme/motd": SET, "acme/two": SET}
    assert index_in(copy) == {"acme/motd": SET, "acme/two": SET}


def test_three_rounds_are_enough(fake: Fake, copy: Copy) -> None:
    overtaking(fake, "acme/one", "acme/two", "acme/six")
    with pytest.raises(IndexOvertakenError):
        add(copy, "acme/motd")
    assert index_in(copy) == {"acme/six": SET}


def test_what_is_no_index_stays(fake: Fake, copy: Copy) -> None:
    send(copy.registry, RegistryName("index", "latest"), motd(), manifest_of(motd()))
    before = dict(fake.manifests)
    with pytest.raises(ImageError) as caught:
        add(copy, "acme/motd")
    assert caught.value.diagnostic.code.number == "E1016"
    assert fake.manifests == before


def test_a_set_as_the_registry_has_it(copy: Copy) -> None:
    assert listed_set(copy, "acme/motd", NO_RULES, None) is None
    for tag in ("1.0", "latest"):
        send(copy.registry, NAME._replace(tag=tag), motd(), manifest_of(motd()))
    send(copy.registry, RegistryName("acme/web", "latest"), pointer(), manifest_of(pointer()))
    put_deprecation(copy, NAME, MOTD, motd().identity, Deprecation(reason="old"))
    # Images of other people, and a gene set under the fixed tag of another one.
    for tag in ("9.9", "sha256-" + "0" * 64):
        send(copy.registry, NAME._replace(tag=tag), motd(), manifest_of(motd()))
    found = listed_set(copy, "acme/motd", NO_RULES, None)
    assert found is not None
    assert found.data == {
        "about": "A message of the day",
        "tags": {"1.0": {"digest": motd().identity}, "latest": {"alias": "1.0"}},
    }
    web = listed_set(copy, "acme/web", NO_RULES, None)
    assert web is not None
    assert web.data == {"tags": {"latest": {"ref": "acme/motd/1.0"}}}


def test_known_fixed_tags_are_not_read_again(fake: Fake, copy: Copy) -> None:
    send(copy.registry, NAME, motd(), manifest_of(motd()))
    known = SET._replace(
        tags=FrozenMap({**SET.tags, "0.9": IndexedTag(digest=motd().identity)}),
        deprecated=FrozenMap({"1.0": Deprecation(reason="x"), "0.9": Deprecation(reason="y")}),
    )
    fake.fault("GET /v2/acme/motd/manifests", lambda handler: handler.answer(500))
    found = listed_set(copy, "acme/motd", NO_RULES, known)
    assert found is not None
    # What the registry does not have any more is gone from the list.
    assert (list(found.tags), list(found.deprecated)) == (["1.0"], ["1.0"])
    assert len(fake.faults) == 1


def test_a_statement_is_found_by_the_identity(copy: Copy) -> None:
    identity, said = motd().identity, Deprecation("acme/motd/1.1", "It is old")
    assert found_deprecation(copy, NAME, identity) is None
    assert put_deprecation(copy, NAME, MOTD, identity, said)
    assert not put_deprecation(copy, NAME, MOTD, identity, said)
    assert found_deprecation(copy, NAME, identity) == said
    place = NAME._replace(tag=statement_tag(identity))
    assert place.tag == "st-4ca146e853dc79ff50f80d357d34e85e"
    found = found_document(copy, place, ImageType.DEPRECATION)
    assert found is not None
    assert found.document.text == b'{"reason":"It is old","use":"acme/motd/1.1"}'
    assert found.document.about["subject"] == {
        "geneset": "acme/motd",
        "tag": "1.0",
        "identity": identity,
    }
    later = Deprecation(reason="Another word")
    assert put_deprecation(copy, NAME, MOTD, identity, later)
    assert found_deprecation(copy, NAME, identity) == later


def test_a_statement_on_something_else_is_none(copy: Copy) -> None:
    """The tag has only half of the identity, and anybody may push there."""
    identity = motd().identity
    other = identity[:-32] + "0" * 32
    image = deprecation_image(MOTD, other, Deprecation(reason="x"))
    place = NAME._replace(tag=statement_tag(identity))
    send(copy.registry, place, image, manifest_of(image))
    assert found_deprecation(copy, NAME, identity) is None
    assert put_deprecation(copy, NAME, MOTD, identity, Deprecation(reason="y"))
    assert found_deprecation(copy, NAME, identity) == Deprecation(reason="y")


def test_a_gene_set_in_place_of_a_statement(copy: Copy) -> None:
    place = NAME._replace(tag=statement_tag(motd().identity))
    send(copy.registry, place, motd(), manifest_of(motd()))
    with pytest.raises(ImageError):
        found_deprecation(copy, NAME, motd().identity)
