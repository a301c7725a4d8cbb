"""Gene sets as images: the published bytes, and what other tools make of the form."""

from __future__ import annotations

import json

import pytest

from eryphc.canonical import digest_of
from eryphc.genepool import image
from eryphc.genepool.contents import TagContents, manifest_file
from eryphc.genepool.image import (
    Details,
    Image,
    ImageType,
    document_image,
    image_of,
    manifest_of,
    part_size,
    signature_annotations,
)
from genepool.images import MOTD, MOTD_TEXT, disk, motd, pointer

INDEX = (
    b'{"sets":{"acme/motd":{"about":"A message of the day","tags":{"1.0":{"digest":"sha256:'
    b'4ca146e853dc79ff50f80d357d34e85ef4b60e5c448884edf3b102c8f124ed34"},"latest":{"alias":"1.0"}}}'
    b',"acme/web":{"tags":{"latest":{"ref":"acme/motd/1.0"}}}},"version":1}\n'
)
CONFIG = (
    '{"architecture":"amd64","config":{"Labels":{"org.opencontainers.image.description":"A message '
    'of the day","org.opencontainers.image.title":"acme/motd","org.opencontainers.image.version":'
    '"1.0"}},"created":"1980-01-01T00:00:00Z","dev.eryphc.geneset":{"about":"A message of the day",'
    '"files":[{"arch":"any","digest":"sha256:8923d2f6198d6727a996453bd70a21a2dbb38edaafd09dd67983dc'
    '6b762b478f","name":"motd","path":"fodder/motd.yaml","size":174,"type":"fodder"},{"digest":'
    '"sha256:d3ac9822083acb16c707fdd0c646eb9d5bd774a21dd0df952ad3f85410244806","path":'
    '"geneset-tag.json","size":76,"type":"manifest"}],"geneset":"acme/motd","language":1,"metadata":'
    '{"_os_type":"linux"},"tag":"1.0","version":1},"os":"linux","rootfs":{"diff_ids":["sha256:'
    'bd5f450b4603a38a6b8fbb0a42a2c2575f5d8825fa3786005ed51616fe0e24b4"],"type":"layers"}}'
)
MANIFEST = (
    '{"annotations":{"dev.eryphc.geneset":"acme/motd/1.0","dev.eryphc.type":"geneset"},"config":'
    '{"digest":"sha256:4ca146e853dc79ff50f80d357d34e85ef4b60e5c448884edf3b102c8f124ed34",'
    '"mediaType":"application/vnd.oci.image.config.v1+json","size":813},"layers":[{"digest":'
    '"sha256:bd5f450b4603a38a6b8fbb0a42a2c2575f5d8825fa3786005ed51616fe0e24b4","mediaType":'
    '"application/vnd.oci.image.layer.v1.tar","size":3072}],"mediaType":'
    '"application/vnd.oci.image.manifest.v1+json","schemaVersion":2}'
)


def test_the_published_example() -> None:
    made = motd()
    assert made.config == CONFIG.encode()
    assert manifest_of(made, embed=False) == MANIFEST.encode()


@pytest.mark.parametrize(
    ("made", "layer", "config", "identity", "manifest", "embedded"),
    [
        pytest.param(
            motd(),
            3072,
            813,
            "4ca146e853dc79ff50f80d357d34e85ef4b60e5c448884edf3b102c8f124ed34",
            "1e0544f7d0564ca03363b883db0cbd965804eea3e6843942a21f02c8c1c3d61a",
            "b14e0c0e36da6a0fe6000a4205ff5b117b8e1e08c6677f2c8588d85254b6b270",
            id="a gene set",
        ),
        pytest.param(
            pointer(),
            2048,
            549,
            "ee6584675e35f530b91cc877d85bbe661c850ac8a9e7ab218836af9a71022fa7",
            "687f14a8ca8d61464b405e7495363dd46adcef478720f9c65a863a31e5d9e4d3",
            None,
            id="a pointer",
        ),
        pytest.param(
            document_image(ImageType.INDEX, INDEX),
            2048,
            343,
            "ccffc6ca1f8245b6ca11e74b0a9d900bf05311120eefdd52bf6e4717f360a3c5",
            "e44f666503a4b5e409b9e328d462d2d0f2b52831f54ae474ed701d050ee172ee",
            None,
            id="an index",
        ),
    ],
)
def test_published_digests(
    made: Image, layer: int, config: int, identity: str, manifest: str, embedded: str | None
) -> None:
    assert (len(made.layer), len(made.config)) == (layer, config)
    assert made.identity == f"sha256:{identity}"
    assert digest_of(manifest_of(made, embed=False)) == f"sha256:{manifest}"
    if embedded is not None:
        assert digest_of(manifest_of(made)) == f"sha256:{embedded}"


def test_what_is_too_large_is_not_embedded() -> None:
    files = (manifest_file(MOTD, None, ()),)
    text = files[0]._replace(path="readme.md", type="readme", text=b"x" * 50_000 + b"\n")
    large = image_of(TagContents(MOTD, None, (), (*files, text)), Details())
    assert not large.embeddable
    assert b'"data"' not in manifest_of(large)
    assert manifest_of(large) == manifest_of(large, embed=False)


def test_annotations_change_the_manifest_and_not_the_identity() -> None:
    made = motd()
    signed = json.loads(manifest_of(made, signature_annotations(["one", "two"])))
    assert signed["annotations"] == {
        "dev.eryphc.geneset": "acme/motd/1.0",
        "dev.eryphc.type": "geneset",
        "dev.eryphc.signature.1": "one",
        "dev.eryphc.signature.2": "two",
    }
    assert signed["config"]["digest"] == made.identity


def test_nobody_can_annotate_what_an_image_is() -> None:
    annotations = json.loads(manifest_of(motd(), {image.TYPE: "index"}))["annotations"]
    assert annotations[image.TYPE] == "geneset"


MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("size", "part", "parts"),
    [
        (0, 256 * MIB, 1),
        (1, 256 * MIB, 1),
        (256 * MIB, 256 * MIB, 1),
        (256 * MIB + 1, 256 * MIB, 2),
        (25_600 * MIB, 256 * MIB, 100),
        (25_600 * MIB + 1, 512 * MIB, 51),
        (512 * 1024 * MIB, 5376 * MIB, 98),
    ],
)
def test_a_disk_has_at_most_a_hundred_parts(size: int, part: int, parts: int) -> None:
    assert part_size(size) == part
    assert disk("sda", size).parts == parts


def test_the_example_is_what_authors_wrote() -> None:
    assert len(MOTD_TEXT) == 174
