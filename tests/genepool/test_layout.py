"""Image layouts as pools: what is written is read, other tools move it, nothing else is opened."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from eryphc.canonical import digest_of
from eryphc.genepool import layout as layouts
from eryphc.genepool.contents import TagContents
from eryphc.genepool.image import Descriptor, Details, image_of, manifest_of
from eryphc.genepool.image_reader import (
    ImageError,
    ImageManifest,
    read_config,
    read_manifest,
    read_texts,
)
from eryphc.genepool.layout import (
    LayoutEntry,
    OciLayout,
    archive_of,
    is_layout,
    layout_files,
    layout_pool,
    read_set,
)
from eryphc.genepool.registry_names import TagRules
from eryphc.identifiers import GeneSetId
from genepool import images
from genepool.images import MOTD, WEB, layout_of, motd, motd_entry, pointer_entry
from genepool.registries import running_registry

RULES = TagRules()
LATEST = MOTD._replace(tag="latest")


def refused(layout: OciLayout, geneset: GeneSetId = MOTD, rules: TagRules = RULES) -> str:
    with pytest.raises(ImageError) as caught:
        read_set(layout, geneset, rules)
    found = caught.value.diagnostic
    return f"{found.code.number} {found.message}"


# --- what is written is read -----------------------------------------------------------------


@settings(max_examples=25)
@given(images.contents(), images.details())
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, contents: TagContents, details: Details
) -> None:
    made = image_of(contents, details)
    entry = LayoutEntry((contents.id,), made, manifest_of(made))
    layout = layout_of(tmp_path_factory.mktemp("layout"), entry)
    found = read_set(layout, contents.id, RULES)
    assert found is not None
    assert found.contents == contents
    assert found.config.identity == made.identity
    assert found.data == entry.manifest
    assert layout.genesets() == (contents.id,)


def test_an_alias_and_a_pointer(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, motd_entry(), pointer_entry())
    assert is_layout(tmp_path)
    assert layout.genesets() == (MOTD, LATEST, WEB)
    alias, target = read_set(layout, LATEST, RULES), read_set(layout, MOTD, RULES)
    assert alias is not None
    assert alias == target
    web = read_set(layout, WEB, RULES)
    assert web is not None
    assert web.config.ref == "acme/motd/1.0"
    assert read_set(layout, MOTD._replace(tag="9.9"), RULES) is None


def test_a_pool_says_that_a_tag_is_fixed(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, motd_entry())
    assert refused(layout, LATEST, TagRules(fixed=("late*",))).startswith("E1017 ")


def test_the_same_images_give_the_same_files() -> None:
    files = layout_files([motd_entry(), pointer_entry()])
    assert files == layout_files([pointer_entry(), motd_entry()])
    assert list(files) == sorted(files)
    assert files["oci-layout"] == b'{"imageLayoutVersion":"1.0.0"}'
    assert all(
        path == f"blobs/{digest_of(data).replace(':', '/')}"
        for path, data in files.items()
        if path.startswith("blobs/")
    )


def test_an_archive_holds_the_same_tree() -> None:
    files = layout_files([motd_entry()])
    data = b"".join(archive_of(files))
    assert digest_of(data) == digest_of(b"".join(archive_of(dict(reversed(files.items())))))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {each.name: archive.extractfile(each) for each in archive.getmembers()}
        assert {name: file.read() for name, file in found.items() if file} == files


# --- what is not taken -----------------------------------------------------------------------


def test_every_kind_of_file_damaged_or_gone(tmp_path: Path) -> None:
    entry = motd_entry()
    files = layout_files([entry])
    for name, data in files.items():
        if not name.startswith("blobs/"):
            continue
        renamed = data.replace(b"geneset", b"genesot")
        for at, other in enumerate((b"", data[:-1], data + b"\0", renamed)):
            root = tmp_path / name.rpartition("/")[2][:8] / str(at)
            layout = layout_of(root, entry)
            (root / name).write_bytes(other)
            assert refused(layout).startswith("E1019 `vendored:acme/motd/1.0` is no image")
            (root / name).unlink()
            assert "is not there" in refused(OciLayout(root, "vendored"))


def changed_index(root: Path, **changes: object) -> OciLayout:
    layout_of(root, motd_entry())
    index = json.loads((root / "index.json").read_bytes())
    index["manifests"][0] |= changes
    (root / "index.json").write_text(json.dumps(index), encoding="utf-8")
    return OciLayout(root, "vendored")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"digest": "sha256:../../../etc/passwd"}, "E1019 `vendored` is no image"),
        ({"digest": "md5:" + "0" * 32}, "`manifests[0].digest` is no sha256 digest"),
        ({"digest": "sha256:" + "0" * 64}, "is not there"),
        ({"size": 10**12}, "does not have the size and digest"),
        ({"size": 5}, "bytes, more than the 5 that it may have"),
        ({"annotations": {"a": 1}}, "`manifests[0].annotations` holds what is no text"),
    ],
)
def test_hostile_indexes(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    assert said in refused(changed_index(tmp_path, **changes))


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"{" * 100, b'{"schemaVersion":2}'])
def test_what_is_no_index(tmp_path: Path, data: bytes) -> None:
    layout = layout_of(tmp_path, motd_entry())
    (tmp_path / "index.json").write_bytes(data)
    assert refused(layout)[:5] in ("E1016", "E1019")
    # A list for people is empty then; who asks for a set is told why.
    pool = layout_pool(layout, RULES)
    assert pool.genesets() == ()
    found = pool.find(MOTD)
    assert found is not None
    assert found.value is None


def test_no_index(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, motd_entry())
    (tmp_path / "index.json").unlink()
    assert "`index.json` is not there" in refused(layout)


def test_two_images_of_one_name(tmp_path: Path) -> None:
    entry, other = motd_entry(), pointer_entry()._replace(names=(MOTD,))
    assert "names two images `acme/motd:1.0`" in refused(layout_of(tmp_path, entry, other))


def test_other_images_lie_beside(tmp_path: Path) -> None:
    layout_of(tmp_path, motd_entry())
    index = json.loads((tmp_path / "index.json").read_bytes())
    index["manifests"] += [
        index["manifests"][0] | {"annotations": {layouts.REFERENCE: name}}
        for name in ("latest", "docker.io/library/debian:12", "a/b:1.0", "acme/motd:" + "x" * 500)
    ]
    del index["manifests"][-1]["annotations"]
    (tmp_path / "index.json").write_text(json.dumps(index), encoding="utf-8")
    assert OciLayout(tmp_path, "vendored").genesets() == (MOTD, LATEST)


def test_no_link_leads_out(tmp_path: Path) -> None:
    root = tmp_path / "layout"
    layout = layout_of(root, motd_entry())
    name = f"blobs/{motd().identity.replace(':', '/')}"
    elsewhere = tmp_path / "elsewhere"
    (root / name).rename(elsewhere)
    (root / name).symlink_to(elsewhere)
    assert refused(layout).startswith("E0312 ")


def test_a_pipe_is_no_blob(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, motd_entry())
    path = tmp_path / f"blobs/{motd().identity.replace(':', '/')}"
    path.unlink()
    os.mkfifo(path)
    assert "is not there" in refused(layout)


def test_nothing_else_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = layout_of(tmp_path, motd_entry(), pointer_entry())
    opened: list[str] = []
    real = Path.open

    def noting(self: Path, *arguments: object, **options: object) -> object:
        opened.append(self.relative_to(tmp_path).as_posix())
        return real(self, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", noting)
    assert read_set(layout, LATEST, RULES) is not None
    made = motd_entry()
    blobs = (made.manifest, made.image.config, made.image.layer)
    assert opened == [
        "index.json",
        *(f"blobs/{digest_of(blob).replace(':', '/')}" for blob in blobs),
    ]


def test_an_index_of_one_manifest_is_followed_once(tmp_path: Path) -> None:
    layout_of(tmp_path, motd_entry())
    outer = json.loads((tmp_path / "index.json").read_bytes())
    inner = json.dumps({**outer, "manifests": outer["manifests"][:1]}).encode()
    digest = digest_of(inner)
    (tmp_path / f"blobs/{digest.replace(':', '/')}").write_bytes(inner)
    outer["manifests"][0] |= {
        "digest": digest, "size": len(inner), "mediaType": outer["mediaType"]
    }  # fmt: skip
    (tmp_path / "index.json").write_text(json.dumps(outer), encoding="utf-8")
    layout = OciLayout(tmp_path, "vendored")
    assert read_set(layout, MOTD, RULES) == read_set(layout, LATEST, RULES)


def test_a_file_with_a_hole_costs_no_memory(tmp_path: Path) -> None:
    """The index and the file agree on a size that no manifest has."""
    size = 1 << 40
    layout = changed_index(tmp_path, size=size)
    path = tmp_path / f"blobs/{digest_of(motd_entry().manifest).replace(':', '/')}"
    with path.open("r+b") as file:
        file.truncate(size)
    assert f"has {size} bytes, more than the {4 * 1024 * 1024}" in refused(layout)


def test_blobs_of_other_algorithms_are_not_looked_for(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, motd_entry())
    with pytest.raises(ImageError):
        layout.blob(Descriptor("x", "../../index.json", 1), "here", 100)


# --- real tools ------------------------------------------------------------------------------


def tool(*words: str, folder: Path) -> str:
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {words[0]}")
    done = subprocess.run(words, cwd=folder, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def skopeo(folder: Path, *words: str) -> None:
    tool("skopeo", "--insecure-policy", "copy", *words, folder=folder)


def identity_in(root: Path, geneset: GeneSetId = MOTD) -> tuple[str, str]:
    found = read_set(OciLayout(root, "copy"), geneset, RULES)
    assert found is not None
    return found.config.identity, found.manifest.digest


@pytest.mark.integration
def test_skopeo_copies_a_layout(tmp_path: Path) -> None:
    entry = motd_entry()
    layout_of(tmp_path / "a", entry, pointer_entry())
    skopeo(tmp_path, "--preserve-digests", "oci:a:acme/motd:1.0", "oci:b:acme/motd:1.0")
    skopeo(tmp_path, "oci:a:acme/motd:latest", "oci:b:acme/motd:latest")
    skopeo(tmp_path, "oci:a:acme/web:latest", "oci:b:acme/web:latest")
    assert identity_in(tmp_path / "b") == (entry.image.identity, digest_of(entry.manifest))
    assert identity_in(tmp_path / "b", LATEST)[0] == entry.image.identity
    assert identity_in(tmp_path / "b", WEB)[0] == pointer_entry().image.identity


def in_folder(folder: Path) -> tuple[str, str, TagContents]:
    """Identity, manifest digest and contents of an image that skopeo wrote as plain files."""
    manifest = read_manifest((folder / "manifest.json").read_bytes(), "copy")
    assert isinstance(manifest, ImageManifest)

    def blob(described: Descriptor) -> bytes:
        return (folder / described.digest.removeprefix("sha256:")).read_bytes()

    config = read_config(blob(manifest.config), manifest, "copy", asked=MOTD)
    layer = manifest.layers[0]
    contents = read_texts(blob(layer), layer, config, "copy")
    return config.identity, manifest.digest, contents


@pytest.mark.integration
def test_conversions_to_dockers_forms(tmp_path: Path) -> None:
    """Another manifest, another compression, the same identity and contents."""
    entry = motd_entry()
    layout = layout_of(tmp_path / "a", entry)
    source = "oci:a:acme/motd:1.0"
    skopeo(tmp_path, "--format", "v2s2", source, "dir:docker")
    skopeo(tmp_path, source, "docker-archive:saved.tar:acme/motd:1.0")
    skopeo(tmp_path, "--dest-compress", "docker-archive:saved.tar", "dir:loaded")
    skopeo(tmp_path, "--dest-compress", source, "dir:compressed")
    original = read_set(layout, MOTD, RULES)
    assert original is not None
    for copy in ("docker", "loaded", "compressed"):
        identity, manifest, contents = in_folder(tmp_path / copy)
        assert identity == entry.image.identity
        assert manifest != digest_of(entry.manifest)
        assert contents == original.contents
    manifest_text = (tmp_path / "loaded/manifest.json").read_text(encoding="utf-8")
    assert "diff.tar.gzip" in manifest_text


@pytest.mark.integration
def test_a_copy_from_dockers_form_into_oci_form_loses_the_gene_set(tmp_path: Path) -> None:
    """skopeo makes a new config then. It is refused, and the message says what it is."""
    layout_of(tmp_path / "a", motd_entry())
    skopeo(tmp_path, "--format", "v2s2", "oci:a:acme/motd:1.0", "dir:docker")
    skopeo(tmp_path, "dir:docker", "oci:b:acme/motd:1.0")
    said = refused(OciLayout(tmp_path / "b", "copy"))
    assert said == (
        "E1016 `copy:acme/motd/1.0` is not a gene set: it is an image of something else"
    )


@pytest.mark.integration
def test_skopeo_reads_an_archive(tmp_path: Path) -> None:
    entry = motd_entry()
    with (tmp_path / "a.tar").open("wb") as file:
        file.writelines(archive_of(layout_files([entry])))
    skopeo(tmp_path, "--preserve-digests", "oci-archive:a.tar:acme/motd:1.0", "oci:b:acme/motd:1.0")
    assert identity_in(tmp_path / "b") == (entry.image.identity, digest_of(entry.manifest))


@pytest.mark.integration
def test_umoci_unpacks_the_folder_of_the_tag(tmp_path: Path) -> None:
    layout_of(tmp_path / "a", motd_entry()._replace(names=(MOTD,)))
    # umoci takes no reference with a slash.
    index = (tmp_path / "a/index.json").read_text(encoding="utf-8")
    (tmp_path / "a/index.json").write_text(index.replace("acme/motd:1.0", "motd"), encoding="utf-8")
    tool("umoci", "unpack", "--rootless", "--image", "a:motd", "unpacked", folder=tmp_path)
    rootfs = tmp_path / "unpacked" / "rootfs"
    files = {
        path.relative_to(rootfs).as_posix(): path.read_bytes()
        for path in rootfs.rglob("*")
        if path.is_file()
    }
    assert files == {
        "fodder/motd.yaml": images.MOTD_TEXT,
        "geneset-tag.json": b'{"geneset":"acme/motd/1.0","metadata":{"_os_type":"linux"},'
        b'"version":"1.1"}\n',
    }


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


OPEN = ("--dest-tls-verify=false", "--src-tls-verify=false")


@pytest.mark.integration
def test_a_registry_and_back(tmp_path: Path, registry: str) -> None:
    entry = motd_entry()
    layout_of(tmp_path / "a", entry, pointer_entry())
    for geneset in (MOTD, LATEST, WEB):
        name = f"{geneset.without_tag}:{geneset.tag}"
        there = f"docker://{registry}/{name}"
        skopeo(tmp_path, *OPEN, "--preserve-digests", f"oci:a:{name}", there)
        skopeo(tmp_path, *OPEN, "--preserve-digests", there, f"oci:b:{name}")
    expected = (entry.image.identity, digest_of(entry.manifest))
    assert identity_in(tmp_path / "b") == identity_in(tmp_path / "b", LATEST) == expected
    assert identity_in(tmp_path / "b", WEB)[0] == pointer_entry().image.identity


@pytest.mark.integration
def test_saved_by_docker_and_pushed(tmp_path: Path, registry: str) -> None:
    entry = motd_entry()
    layout = layout_of(tmp_path / "a", entry)
    there = f"docker://{registry}/saved/motd:1.0"
    skopeo(tmp_path, "oci:a:acme/motd:1.0", "docker-archive:saved.tar:acme/motd:1.0")
    skopeo(tmp_path, *OPEN, "docker-archive:saved.tar", there)
    skopeo(tmp_path, *OPEN, "--preserve-digests", there, "dir:pulled")
    identity, manifest, contents = in_folder(tmp_path / "pulled")
    original = read_set(layout, MOTD, RULES)
    assert original is not None
    assert (identity, contents) == (entry.image.identity, original.contents)
    assert manifest != digest_of(entry.manifest)


@pytest.mark.integration
def test_the_storage_of_podman(tmp_path: Path, registry: str) -> None:
    """Layers are unpacked there: the file is the gene."""
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    if "/" not in mounted:
        pytest.skip("the storage of podman unpacks where `/` is mounted, and here it is a folder")
    entry = motd_entry()
    layout_of(tmp_path / "a", entry)
    store = f"containers-storage:[vfs@{tmp_path}/store+{tmp_path}/run]localhost/acme/motd:1.0"
    there = f"docker://{registry}/podman/motd:1.0"
    skopeo(tmp_path, "--preserve-digests", "oci:a:acme/motd:1.0", store)
    stored = list((tmp_path / "store/vfs").rglob("fodder/motd.yaml"))
    assert [path.read_bytes() for path in stored] == [images.MOTD_TEXT]
    skopeo(tmp_path, *OPEN, "--preserve-digests", store, there)
    skopeo(tmp_path, *OPEN, "--preserve-digests", there, "dir:pulled")
    assert in_folder(tmp_path / "pulled")[0] == entry.image.identity
