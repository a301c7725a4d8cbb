"""Images of others: what is written is read, and nothing that differs is taken."""

from __future__ import annotations

import base64
import gzip
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eryphc.canonical import canonical, digest_of
from eryphc.genepool import image
from eryphc.genepool.contents import ContentFile, TagContents, manifest_file
from eryphc.genepool.image import (
    CONFIG_MEDIA,
    LAYER_MEDIA,
    Descriptor,
    Details,
    Image,
    ImageType,
    VolumePart,
    document_image,
    image_of,
    manifest_of,
    signature_annotations,
)
from eryphc.genepool.image_config import GeneSetConfig
from eryphc.genepool.image_reader import (
    Document,
    ImageError,
    ImageManifest,
    contents_with,
    read_config,
    read_document,
    read_manifest,
    read_texts,
    stored_config,
)
from eryphc.genepool.text_layer import write_layer
from eryphc.identifiers import ANY, Architecture, GeneSetId
from genepool import images
from genepool.images import MOTD, motd, pointer

WHERE = "registry.example.com/acme/motd:1.0"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"


def manifest_in(data: bytes) -> ImageManifest:
    found = read_manifest(data, WHERE)
    assert isinstance(found, ImageManifest)
    return found


def manifest_for(
    config: bytes,
    layer: bytes,
    media: str = LAYER_MEDIA,
    config_media: str = CONFIG_MEDIA,
    more: tuple[Descriptor, ...] = (),
) -> ImageManifest:
    layers = (Descriptor(media, digest_of(layer), len(layer)), *more)
    described = Descriptor(config_media, digest_of(config), len(config))
    return ImageManifest(digest_of(config), described, layers, manifest_in(MANIFEST).annotations)


MANIFEST = manifest_of(motd())


def pulled(made: Image, *, embed: bool = True) -> TagContents:
    """What a reader that trusts nobody makes of an image."""
    manifest = manifest_in(manifest_of(made, embed=embed))
    config = read_config(manifest.config.data or made.config, manifest, WHERE)
    layer = manifest.layers[0]
    return read_texts(layer.data or made.layer, layer, config, WHERE)


def refused(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ImageError) as caught:
        call()
    found = caught.value.diagnostic
    assert WHERE in found.message
    return found.code.number, found.message.removeprefix(f"`{WHERE}` ")


def problem_of(message: str) -> str:
    return message.partition(": ")[2]


# --- what is written is read -----------------------------------------------------------------


@given(images.contents(), images.details(), st.booleans())
def test_what_is_written_is_read(contents: TagContents, details: Details, embed: bool) -> None:  # noqa: FBT001
    made = image_of(contents, details)
    assert pulled(made, embed=embed) == contents
    config = stored_config(made.config, WHERE)
    assert config.details == details
    assert config.identity == made.identity
    assert (config.id, config.ref, config.metadata) == contents[:3]
    assert image_of(contents_with(config, (f.text for f in contents.files), WHERE), details) == made


def test_disks_in_an_image() -> None:
    disks = (images.disk("a", 300 * 1024 * 1024), images.disk("b", 5, "vhdx"))
    parts = tuple(
        VolumePart(
            digest_of(word), Descriptor(f"{LAYER_MEDIA}+gzip", digest_of(word + b"z"), len(word))
        )
        for word in (b"one", b"two", b"three")
    )
    files = (manifest_file(MOTD, None, ()),)
    made = image_of(TagContents(MOTD, None, (), files), Details(volumes=disks), parts)
    manifest = manifest_in(manifest_of(made))
    config = read_config(made.config, manifest, WHERE)
    assert config.details.volumes == disks
    assert config.diff_ids[1:] == tuple(part.diff_id for part in parts)
    assert manifest.layers[1:] == tuple(part.layer for part in parts)


def test_the_bytes_of_a_layer_decide_how_it_is_unpacked() -> None:
    """skopeo calls a layer gzip that the registry has already, however it is compressed."""
    made = motd()
    config = stored_config(made.config, WHERE)
    for sent in (made.layer, gzip.compress(made.layer, mtime=0)):
        for media in (LAYER_MEDIA, f"{LAYER_MEDIA}+gzip", f"{DOCKER_LAYER}.gzip"):
            described = Descriptor(media, digest_of(sent), len(sent))
            assert read_texts(sent, described, config, WHERE) == pulled(made)


@pytest.mark.parametrize("level", [1, 9])
@pytest.mark.parametrize("media", [LAYER_MEDIA, DOCKER_LAYER])
def test_other_compressions(media: str, level: int) -> None:
    made = motd()
    suffix = "+gzip" if media == LAYER_MEDIA else ".gzip"
    layer = gzip.compress(made.layer, level, mtime=0)
    two = gzip.compress(made.layer[:700], mtime=0) + gzip.compress(made.layer[700:], mtime=1)
    for sent in (layer, two):
        manifest = manifest_for(made.config, sent, media + suffix, DOCKER_CONFIG)
        config = read_config(made.config, manifest, WHERE, asked=MOTD)
        assert config.identity == made.identity
        assert read_texts(sent, manifest.layers[0], config, WHERE) == pulled(made)


def test_a_manifest_of_others() -> None:
    """Docker's own form: other members, white space, no annotations."""
    made = motd()
    data = json.loads(manifest_of(made, embed=False))
    data["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json"
    data["config"]["mediaType"] = DOCKER_CONFIG
    data["layers"][0]["mediaType"] = DOCKER_LAYER
    del data["annotations"]
    data["weight"] = 1.5
    manifest = manifest_in(json.dumps(data, indent=3).encode())
    config = read_config(made.config, manifest, WHERE, asked=MOTD)
    assert read_texts(made.layer, manifest.layers[0], config, WHERE) == pulled(made)


def test_signatures_stand_in_the_order_of_their_numbers() -> None:
    texts = [f"signature {number}" for number in range(12)]
    annotations = signature_annotations(texts) | {"dev.eryphc.signature.x": "none"}
    assert manifest_in(manifest_of(motd(), annotations)).signatures == tuple(texts)


def test_unknown_members_are_passed_over() -> None:
    data = json.loads(motd().config)
    data["history"] = [{"created_by": "nobody"}]
    data["dev.eryphc.geneset"]["later"] = {"a": [1]}
    data["dev.eryphc.geneset"]["files"][0]["later"] = True
    config = canonical(data)
    read = read_config(config, manifest_for(config, motd().layer), WHERE, asked=MOTD)
    assert read_texts(motd().layer, manifest_for(config, motd().layer).layers[0], read, WHERE)


# --- nothing that differs is taken -----------------------------------------------------------


def test_every_byte_of_a_config() -> None:
    made = motd()
    manifest = manifest_in(MANIFEST)
    for at in range(len(made.config)):
        changed = bytearray(made.config)
        changed[at] ^= 1
        number, _ = refused(lambda: read_config(bytes(changed), manifest, WHERE))  # noqa: B023
        assert number == "E1019"


def test_every_byte_of_a_config_that_its_manifest_describes() -> None:
    """Whoever writes both can write any gene set, but none that has this identity too."""
    made = motd()
    good = stored_config(made.config, WHERE)
    taken = 0
    for at in range(len(made.config)):
        changed = bytearray(made.config)
        changed[at] ^= 1
        manifest = manifest_for(bytes(changed), made.layer)
        try:
            config = read_config(bytes(changed), manifest, WHERE, asked=MOTD)
            read_texts(made.layer, manifest.layers[0], config, WHERE)
        except ImageError:
            continue
        taken += 1
        assert config.identity != made.identity
        said = (config.id, config.ref, config.metadata, config.files, config.diff_ids)
        assert said == (good.id, good.ref, good.metadata, good.files, good.diff_ids)
    # Labels, dates and the description are no contents.
    assert 0 < taken < len(made.config) // 2


@pytest.mark.parametrize("sent", [motd().layer, gzip.compress(motd().layer, mtime=0)])
def test_every_byte_of_a_layer(sent: bytes) -> None:
    made = motd()
    media = LAYER_MEDIA if sent == made.layer else f"{LAYER_MEDIA}+gzip"
    config = stored_config(made.config, WHERE)
    codes: set[str] = set()
    for at in range(len(sent)):
        changed = bytearray(sent)
        changed[at] ^= 1
        described = Descriptor(media, digest_of(bytes(changed)), len(changed))
        try:
            found = read_texts(bytes(changed), described, config, WHERE)
        except ImageError as error:
            codes.add(error.diagnostic.code.number)
        else:
            # The header of gzip holds a date and the name of a system.
            assert sent != made.layer
            assert found == pulled(made)
    assert codes == {"E1019"}
    honest = Descriptor(media, digest_of(sent), len(sent))
    for other in (sent[:-1], sent + b"\0", b""):
        assert refused(lambda: read_texts(other, honest, config, WHERE))[0] == "E1019"  # noqa: B023


def test_every_byte_of_an_embedded_copy() -> None:
    """A copy that is not the blob counts as none, so that the blob is fetched."""
    data = json.loads(MANIFEST)
    copy = data["config"]["data"]
    for at in range(0, len(copy), 7):
        other = "A" if copy[at] != "A" else "B"
        data["config"]["data"] = copy[:at] + other + copy[at + 1 :]
        found = manifest_in(json.dumps(data).encode()).config
        assert found.data is None
        assert found.digest == motd().identity
    for wrong in ("", "%%%", copy + "AAAA", base64.b64encode(b"x").decode(), "ä"):
        data["config"]["data"] = wrong
        assert manifest_in(json.dumps(data).encode()).config.data is None


@settings(max_examples=300)
@given(st.integers(0, len(MANIFEST) - 1), st.integers(0, 255))
def test_a_byte_of_a_manifest(at: int, value: int) -> None:
    changed = bytearray(MANIFEST)
    changed[at] = value
    made = motd()
    try:
        manifest = manifest_in(bytes(changed))
        config = read_config(manifest.config.data or made.config, manifest, WHERE, asked=MOTD)
        layer = manifest.layers[0]
        found = read_texts(layer.data or made.layer, layer, config, WHERE)
    except ImageError:
        return
    assert found == pulled(made)


# --- what is something else ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"mediaType": "application/vnd.oci.artifact"}, "it is a `application/vnd.oci.artifact`"),
        ({"mediaType": "bad\x1b[31m"}, "it is a `?`"),
        ({"mediaType": 5}, "it is a `?`"),
        ({"schemaVersion": 1}, "it is no manifest of an OCI image"),
        ({"config": None}, "it is a manifest without a config"),
    ],
)
def test_other_manifests(change: dict[str, Any], found: str) -> None:
    data = json.loads(MANIFEST) | change
    number, message = refused(lambda: read_manifest(json.dumps(data).encode(), WHERE))
    assert (number, problem_of(message)) == ("E1016", found)


INDEX_MEDIA = "application/vnd.oci.image.index.v1+json"
ENTRY = {"mediaType": image.MANIFEST_MEDIA, "digest": digest_of(MANIFEST), "size": len(MANIFEST)}
ATTESTATION = ENTRY | {"platform": {"os": "unknown", "architecture": "unknown"}}


def test_an_index_of_one_manifest_leads_to_it() -> None:
    for media in ({"mediaType": INDEX_MEDIA}, {}):
        data = {"schemaVersion": 2, **media, "manifests": [ATTESTATION, ENTRY]}
        found = read_manifest(json.dumps(data).encode(), WHERE)
        assert found == Descriptor(image.MANIFEST_MEDIA, digest_of(MANIFEST), len(MANIFEST))


@pytest.mark.parametrize(
    "entries", [[], [ATTESTATION], [ENTRY, ENTRY], [ENTRY | {"mediaType": INDEX_MEDIA}]]
)
def test_other_indexes(entries: list[object]) -> None:
    data = json.dumps({"schemaVersion": 2, "mediaType": INDEX_MEDIA, "manifests": entries})
    assert refused(lambda: read_manifest(data.encode(), WHERE)) == (
        "E1016",
        "is not a gene set: it is a multi-platform image",
    )


@pytest.mark.parametrize(
    ("config", "media", "found"),
    [
        pytest.param(b"{}", "application/vnd.cncf.helm.config.v1+json",
                     "it is an artifact with a config of type "
                     "`application/vnd.cncf.helm.config.v1+json`", id="helm"),
        pytest.param(b'{ "os": "linux" }', CONFIG_MEDIA, "it is an image of something else",
                     id="an application"),
        pytest.param(document_image(ImageType.INDEX, b"{}\n").config,
                     CONFIG_MEDIA, "it is an index of gene sets", id="an index"),
        pytest.param(document_image(ImageType.DEPRECATION, b"{}\n").config,
                     CONFIG_MEDIA, "it is a statement on a gene set", id="a statement"),
    ],
)  # fmt: skip
def test_other_images(config: bytes, media: str, found: str) -> None:
    manifest = manifest_for(config, b"", config_media=media)
    number, message = refused(lambda: read_config(config, manifest, WHERE))
    assert (number, problem_of(message)) == ("E1016", found)


@pytest.mark.parametrize(
    ("asked", "moves", "fits"),
    [
        pytest.param("acme/motd/1.0", False, True, id="the tag itself"),
        pytest.param("acme/motd/latest", True, True, id="an alias"),
        pytest.param("acme/motd/1.1", False, False, id="another fixed tag"),
        pytest.param("acme/other/latest", True, False, id="another set"),
        pytest.param("evil/motd/1.0", False, False, id="another organization"),
    ],
)
def test_the_set_that_was_asked_for(asked: str, moves: bool, fits: bool) -> None:  # noqa: FBT001
    made, geneset = motd(), GeneSetId(*asked.split("/"))

    def read() -> GeneSetConfig:
        return read_config(made.config, manifest_in(MANIFEST), WHERE, asked=geneset, moves=moves)

    if fits:
        assert read().id == MOTD
    else:
        assert refused(read) == (
            "E1017",
            f"should be `{asked}`, and is another gene set: `acme/motd/1.0`",
        )


def test_a_pointer_stands_for_another_set() -> None:
    config = stored_config(pointer().config, WHERE)
    assert (config.id, config.ref) == (images.WEB, "acme/motd/1.0")


# --- hostile configs -------------------------------------------------------------------------


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[], object]:
    """Reads the example after a change of its member `dev.eryphc.geneset`."""
    data = json.loads(motd().config)
    change(data["dev.eryphc.geneset"])
    config = canonical(data)
    return lambda: read_config(config, manifest_for(config, motd().layer), WHERE)


def entry(**changes: object) -> Callable[[dict[str, Any]], object]:
    """Changes the gene; None takes a member away."""

    def change(own: dict[str, Any]) -> None:
        own["files"][0] |= changes
        own["files"][0] = {k: v for k, v in own["files"][0].items() if v is not None}

    return change


def member(key: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda own: own.__setitem__(key, value)


FILE = {
    "arch": "any",
    "digest": f"sha256:{'0' * 64}",
    "name": "zz",
    "path": "fodder/zz.yaml",
    "size": 1,
    "type": "fodder",
}
VOLUME = {
    "arch": "any",
    "digest": f"sha256:{'0' * 64}",
    "format": "vhdx",
    "name": "sda",
    "part": 256 * 1024 * 1024,
    "path": "volumes/sda.vhdx",
    "size": 1,
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(entry(path="../motd.yaml"), "`files[0].path` does not follow", id="climbing"),
        pytest.param(entry(path="/etc/passwd"), "`files[0].path` does not follow", id="absolute"),
        pytest.param(entry(path="fodder\\motd.yaml"), "`files[0].path` does", id="backslash"),
        pytest.param(entry(path="fodder/motd.yaml\0"), "`files[0].path` does", id="NUL"),
        pytest.param(entry(path=5), "`files[0].path` is no text", id="a number as path"),
        pytest.param(entry(path=None), "`files[0].path` is no text", id="no path"),
        pytest.param(entry(name="../x"), "`files[0].name` is no name", id="climbing name"),
        pytest.param(entry(name="Motd"), "`files[0].name` is no name", id="upper case"),
        pytest.param(entry(name="con\n"), "`files[0].name` is no name", id="line feed"),
        pytest.param(entry(name="x" * 100_000), "`files[0].name` is no name", id="long name"),
        pytest.param(entry(name="catlet", path="fodder/catlet.yaml"), "`files[0].name` is `catlet`",
                     id="fodder called catlet"),
        pytest.param(entry(type="catlet", path="catlet.yaml"), "`files[0].name` is `catlet`",
                     id="catlet of another name"),
        pytest.param(entry(type="catlet", name="catlet", path="catlet.yaml", arch="hyperv/any"),
                     "`files[0].arch` is `any`", id="catlet for a hypervisor"),
        pytest.param(entry(type="program"), "`files[0].type` is none", id="unknown type"),
        pytest.param(entry(type="manifest"), "`files[0].path` does not", id="two manifests"),
        pytest.param(entry(type="readme"), "`files[0].path` does not", id="misplaced readme"),
        pytest.param(entry(arch="any/any"), "`files[0].arch` is no", id="any/any"),
        pytest.param(entry(arch="hyperv/x99"), "`files[0].arch` is no", id="unknown processor"),
        pytest.param(entry(arch="../any"), "`files[0].arch` is no", id="climbing architecture"),
        pytest.param(entry(arch="a/b/c"), "`files[0].arch` is no", id="three words"),
        pytest.param(entry(arch=None), "`files[0].arch` is no text", id="no architecture"),
        pytest.param(entry(size=-1), "`files[0].size` is no size", id="negative size"),
        pytest.param(entry(size=True), "`files[0].size` is no size", id="true as size"),
        pytest.param(entry(size="174"), "`files[0].size` is no size", id="text as size"),
        pytest.param(entry(size=2**62), "`files[0].size` is larger", id="huge size"),
        pytest.param(entry(digest="sha256:0"), "`files[0].digest` is no", id="short digest"),
        pytest.param(entry(digest="md5:" + "0" * 32), "`files[0].digest` is no", id="md5"),
        pytest.param(entry(form="xml"), "`files[0].form` is `json`", id="unknown form"),
        pytest.param(member("files", {}), "`files` is no list", id="files as an object"),
        pytest.param(member("files", []), "`files` have no `geneset-tag.json`", id="no files"),
        pytest.param(member("files", [7]), "`files[0]` is no object", id="a number as a file"),
        pytest.param(lambda own: own["files"].reverse(), "`files` are not sorted", id="unsorted"),
        pytest.param(lambda own: own["files"].insert(0, own["files"][0]), "`files` are not sorted",
                     id="one path twice"),
        pytest.param(member("files", [FILE] * 5000), "`files` are more than 400", id="many files"),
        pytest.param(lambda own: own["files"].extend(
            FILE | {"name": f"z{n:03}", "path": f"volumes/z{n:03}.yaml", "type": "volume"}
            for n in range(101)), "`files` are more than 100 of type `volume`", id="many genes"),
        pytest.param(lambda own: own["files"].extend(
            FILE | {"name": f"z{n:03}", "path": f"volumes/z{n:03}.yaml", "type": "volume",
                    "size": 2 * 1024 * 1024} for n in range(9)), "`files` are larger than",
            id="large together"),
        pytest.param(member("geneset", "acme"), "`geneset` is no gene set", id="half a set"),
        pytest.param(member("geneset", "Acme/motd"), "`geneset` is no gene set", id="upper set"),
        pytest.param(member("tag", "../1.0"), "`geneset` is no gene set", id="climbing tag"),
        pytest.param(member("tag", "a" * 500_000), "`geneset` is no gene set", id="long tag"),
        pytest.param(member("tag", None), "`tag` is no text", id="no tag"),
        pytest.param(member("ref", "acme/other/1.0"), "`ref` stands beside genes", id="ref"),
        pytest.param(member("ref", "acme/other"), "`ref` is no gene set", id="half a ref"),
        pytest.param(member("about", "two\nlines"), "`about` is no line", id="two lines"),
        pytest.param(member("about", "x" * 201), "`about` is no line", id="long description"),
        pytest.param(member("metadata", {"a": 1}), "`metadata` holds what is", id="number"),
        pytest.param(member("metadata", {"a\x1b": "b"}), "`metadata` holds control", id="escape"),
        pytest.param(member("metadata", {"a" * 41: ""}), "`metadata` has keys that", id="long key"),
        pytest.param(member("metadata", {str(n): "" for n in range(51)}), "`metadata` has more",
                     id="many keys"),
        pytest.param(member("requires", ["b-b/bbb/ccc", "a-a/bbb/ccc"]), "`requires` is not sorted",
                     id="unsorted requires"),
        pytest.param(member("requires", ["acme/base"]), "`requires[0]` is no", id="no tag"),
        pytest.param(member("parent", "acme/base/1.0"), "`parent` is not among", id="parent"),
        pytest.param(member("volumes", [VOLUME]), "`rootfs.diff_ids` are not one", id="no parts"),
        pytest.param(member("volumes", [VOLUME | {"format": "iso"}]), "`volumes[0].format` is no",
                     id="format of a disk"),
        pytest.param(member("volumes", [VOLUME | {"path": "volumes/../x.vhdx"}]),
                     "`volumes[0].path` does", id="climbing disk"),
        pytest.param(member("volumes", [VOLUME | {"part": 1}]), "`volumes[0].part` does",
                     id="small parts"),
        pytest.param(member("volumes", [VOLUME | {"size": 2**40}]), "`volumes[0].size` is larger",
                     id="huge disk"),
        pytest.param(member("version", 0), "`dev.eryphc.geneset.version` is no version", id="0"),
        pytest.param(member("version", "1"), "`dev.eryphc.geneset.version` is no size", id="text"),
    ],
)  # fmt: skip
def test_hostile_configs(change: Callable[[dict[str, Any]], object], said: str) -> None:
    number, message = refused(edited(change))
    assert number == "E1019"
    assert said in message
    assert len(message) < 400


@pytest.mark.parametrize(
    ("key", "said"), [("version", "its form has version 2"), ("language", "its language has")]
)
def test_newer_forms(key: str, said: str) -> None:
    number, message = refused(edited(member(key, 2)))
    assert number == "E1018"
    assert said in message


def test_architectures_of_later_versions_are_read() -> None:
    read = edited(entry(arch="vmware/riscv64", path="fodder/vmware/riscv64/motd.yaml"))()
    assert isinstance(read, GeneSetConfig)
    assert read.files[0].architecture == Architecture("vmware", "riscv64")


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(b'{"a":' * 5000 + b"1" + b"}" * 5000, id="deep objects"),
        pytest.param(b"[" * 1_000_000, id="a million brackets"),
        pytest.param(b'"' + b"[" * 1_000_000, id="a text that does not end"),
        pytest.param(b"1" * 1_000_000, id="a long number"),
        pytest.param(b'{"a":1,"a":2}', id="a key twice"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"", id="nothing"),
        pytest.param(b" " * (image.MOST_CONFIG + 1), id="a byte more than 1 MiB"),
        pytest.param(motd().config + b"\n", id="a line feed behind it"),
        pytest.param(json.dumps(json.loads(motd().config)).encode(), id="white space"),
        pytest.param(motd().config.replace(b"A message", b"\\u0041 message"), id="an escape"),
        pytest.param(
            motd().config.replace(b"A message", b"\\ud800 message"), id="half a character"
        ),
        pytest.param(motd().config.replace(b'"size":76', b'"size":76.0'), id="a fraction"),
    ],
)
def test_configs_in_no_form_of_ours(config: bytes) -> None:
    manifest = manifest_for(config, motd().layer)
    assert refused(lambda: read_config(config, manifest, WHERE))[0] == "E1019"


def test_no_parts_and_no_layers_more() -> None:
    made = motd()
    more = Descriptor(LAYER_MEDIA, digest_of(b"x"), 1)
    for manifest in (
        manifest_for(made.config, made.layer, more=(more,)),
        manifest_for(made.config, made.layer)._replace(layers=()),
    ):
        number, message = refused(lambda: read_config(made.config, manifest, WHERE))  # noqa: B023
        assert (number, "`layers` are not those" in message) == ("E1019", True)


# --- hostile texts ---------------------------------------------------------------------------


def set_with(text: bytes, type_: str = "fodder") -> Image:
    gene = ContentFile("fodder/motd.yaml", type_, text, "motd", ANY)
    return image_of(TagContents(MOTD, None, (), (gene, manifest_file(MOTD, None, ()))), Details())


@pytest.mark.parametrize(
    "text",
    [b"\xff\n", b"a", b"a\n\n", b"a\r\n", b"\xef\xbb\xbfa\n", b"\xed\xa0\x80\n", b""],
    ids=["no UTF-8", "no line feed", "two", "CRLF", "a byte order mark", "half a pair", "empty"],
)
def test_texts_in_no_form_of_ours(text: bytes) -> None:
    made = set_with(text)
    config = stored_config(made.config, WHERE)
    layer = Descriptor(LAYER_MEDIA, digest_of(made.layer), len(made.layer))
    number, message = refused(lambda: read_texts(made.layer, layer, config, WHERE))
    assert number == "E1019"
    assert "`fodder/motd.yaml`" in message


def test_a_manifest_of_the_tag_that_says_something_else() -> None:
    other = manifest_file(GeneSetId("acme", "motd", "9.9"), None, ())
    made = image_of(TagContents(MOTD, None, (), (other,)), Details())
    config = stored_config(made.config, WHERE)
    layer = Descriptor(LAYER_MEDIA, digest_of(made.layer), len(made.layer))
    _, message = refused(lambda: read_texts(made.layer, layer, config, WHERE))
    assert "`geneset-tag.json` says something else than the config" in message


def test_a_bomb_costs_no_memory() -> None:
    made = motd()
    config = stored_config(made.config, WHERE)
    bomb = gzip.compress(bytes(200 * 1024 * 1024), 9, mtime=0)
    streams = gzip.compress(b"", mtime=0) * 100_000
    trailing = gzip.compress(made.layer, mtime=0) + b"more"
    for blob in (bomb, streams, trailing, b"\x1f\x8b" + b"\0" * 50, b""):
        layer = Descriptor(f"{LAYER_MEDIA}+gzip", digest_of(blob), len(blob))
        tracemalloc.start()
        try:
            assert refused(lambda: read_texts(blob, layer, config, WHERE))[0] == "E1019"  # noqa: B023
            assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
        finally:
            tracemalloc.stop()


def test_layers_that_are_no_archive() -> None:
    made = motd()
    config = stored_config(made.config, WHERE)
    layer = Descriptor("application/octet-stream", digest_of(made.layer), len(made.layer))
    assert refused(lambda: read_texts(made.layer, layer, config, WHERE))[0] == "E1019"


def test_zstd_is_read_or_explained() -> None:
    made = motd()
    config = stored_config(made.config, WHERE)
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        frame = b"\x28\xb5\x2f\xfd"
        layer = Descriptor(f"{LAYER_MEDIA}+zstd", digest_of(frame), len(frame))
        with pytest.raises(ImageError) as caught:
            read_texts(frame, layer, config, WHERE)
        assert "dest-compress-format gzip" in (caught.value.diagnostic.help or "")
        return
    for plain, good in ((made.layer, True), (bytes(50 * 1024 * 1024), False)):
        blob = zstd.compress(plain)
        layer = Descriptor(f"{LAYER_MEDIA}+zstd", digest_of(blob), len(blob))
        if good:
            assert read_texts(blob, layer, config, WHERE) == pulled(made)
        else:
            assert refused(lambda: read_texts(blob, layer, config, WHERE))[0] == "E1019"  # noqa: B023


def test_a_layer_with_other_files() -> None:
    made = motd()
    config = stored_config(made.config, WHERE)
    for files in ([("../x", b"x")], [("fodder/motd.yaml", images.MOTD_TEXT)], []):
        blob = write_layer(files)
        layer = Descriptor(LAYER_MEDIA, digest_of(blob), len(blob))
        assert refused(lambda: read_texts(blob, layer, config, WHERE))[0] == "E1019"  # noqa: B023


# --- documents -------------------------------------------------------------------------------

SUBJECT = {"subject": {"geneset": "acme/motd", "tag": "1.0", "identity": motd().identity}}


def document(made: Image, type_: ImageType, layer: bytes | None = None) -> Document:
    manifest = manifest_in(manifest_of(made))
    return read_document(made.config, layer or made.layer, manifest, type_, WHERE)


def test_documents() -> None:
    text = b'{"reason":"old","use":"acme/motd/1.1"}\n'
    made = document_image(ImageType.DEPRECATION, text, SUBJECT, "acme/motd/1.0")
    found = document(made, ImageType.DEPRECATION)
    assert (found.text, found.identity) == (text, made.identity)
    assert found.about["subject"] == SUBJECT["subject"]
    assert refused(lambda: document(made, ImageType.INDEX)) == (
        "E1016",
        "is not an index of gene sets: it is a statement on a gene set",
    )
    assert refused(lambda: document(motd(), ImageType.INDEX)) == (
        "E1016",
        "is not an index of gene sets: it is a gene set",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"path": "../index.json"},
        {"size": 5 * 1024 * 1024},
        {"size": 4},
        {"digest": f"sha256:{'0' * 64}"},
        {"version": 0},
    ],
)
def test_hostile_documents(change: dict[str, object]) -> None:
    made = document_image(ImageType.INDEX, b"{}\n")
    data = json.loads(made.config)
    data["dev.eryphc.index"] |= change
    other = made._replace(config=canonical(data))
    assert refused(lambda: document(other, ImageType.INDEX))[0] == "E1019"


def test_documents_of_later_versions() -> None:
    made = document_image(ImageType.INDEX, b"{}\n", {"version": 2})
    assert refused(lambda: document(made, ImageType.INDEX))[0] == "E1018"
