"""Folder pools in the published layout: what is found, what is refused, what is read."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catlets import write_pool
from eryphc.genepool.chain import PoolChain, ProjectPool, ProjectPools
from eryphc.genepool.files import decode
from eryphc.genepool.folder import FolderPool
from eryphc.genepool.model import GeneSetTag
from eryphc.genepool.volumes import read_descriptor
from eryphc.identifiers import Architecture, GeneSetId, GeneType
from eryphc.source import SourceText, shown_path

KIT = GeneSetId("acme", "kit", "1.0")
FODDER = "name: {name}\nfodder:\n- {{name: a, content: {content}}}\n"


def fodder(name: str, content: str = "x") -> str:
    return FODDER.format(name=name, content=content)


def tag_of(pool: FolderPool, geneset: GeneSetId = KIT) -> GeneSetTag:
    found = pool.find(geneset)
    assert found is not None
    assert found.value is not None, found.diagnostics
    return found.value


def variants(tag: GeneSetTag, kind: GeneType, name: str) -> dict[str, str]:
    found = tag.variants(kind, name)
    return {
        str(variant.architecture): variant.path.name if variant.path else "-"
        for variant in found.value or ()
    }


def test_a_gene_is_found_by_the_name_in_its_file(tmp_path: Path) -> None:
    pool = write_pool(
        tmp_path,
        {"acme/kit/1.0": {"fodder/one.yaml": fodder("TLS"), "fodder/tls.yaml": fodder("other")}},
    )
    tag = tag_of(pool)
    assert variants(tag, GeneType.FODDER, "tls") == {"any": "one.yaml"}
    assert tag.names(GeneType.FODDER) == ("other", "tls")


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("name: tls", id="plain"),
        pytest.param('"na\\x6de": "\\x74ls"', id="escaped"),
        pytest.param("name: other\nName: tls", id="the last of two"),
        pytest.param("version: &n tls\nname: *n", id="by an alias"),
        pytest.param("? name\n: tls", id="as an explicit key"),
    ],
)
def test_every_spelling_of_a_name_is_read(tmp_path: Path, written: str) -> None:
    text = f"{written}\nfodder:\n- {{name: a, content: x}}\n"
    pool = write_pool(tmp_path, {"acme/kit/1.0": {"fodder/x.yaml": text}})
    assert variants(tag_of(pool), GeneType.FODDER, "tls") == {"any": "x.yaml"}


def test_a_name_inside_content_is_no_name(tmp_path: Path) -> None:
    text = "name: other\nfodder:\n- name: a\n  content: |\n    name: tls\n"
    pool = write_pool(tmp_path, {"acme/kit/1.0": {"fodder/x.yaml": text}})
    assert variants(tag_of(pool), GeneType.FODDER, "tls") == {}


def test_folders_give_the_architecture_in_any_letter_case(tmp_path: Path) -> None:
    files = {
        "fodder/tls.YML": fodder("tls"),
        "fodder/HyperV/tls.yaml": fodder("tls"),
        "fodder/HyperV/AMD64/tls.yaml": fodder("tls"),
        "fodder/kvm/tls.yaml": fodder("tls"),
        "fodder/any/amd64/tls.yaml": fodder("tls"),
        "fodder/any/tls.yaml": fodder("tls"),
        "fodder/xen/tls.yaml": fodder("tls"),
        "fodder/kvm/sparc/tls.yaml": fodder("tls"),
        "fodder/tls.txt": fodder("tls"),
    }
    pool = write_pool(tmp_path, {"acme/kit/1.0": files})
    assert list(variants(tag_of(pool), GeneType.FODDER, "tls")) == [
        "any/amd64",
        "any",
        "hyperv/amd64",
        "hyperv/any",
        "kvm/any",
    ]


def test_of_two_files_with_one_name_the_later_counts(tmp_path: Path) -> None:
    pool = write_pool(
        tmp_path,
        {"acme/kit/1.0": {"fodder/a.yaml": fodder("tls"), "fodder/b.yaml": fodder("tls")}},
    )
    found = tag_of(pool).variants(GeneType.FODDER, "tls")
    assert [v.path.name for v in found.value or () if v.path] == ["b.yaml"]
    assert [d.code.number for d in found.diagnostics] == ["W0318"]


def test_a_broken_file_matters_only_where_it_is_meant(tmp_path: Path) -> None:
    pool = write_pool(
        tmp_path,
        {
            "acme/kit/1.0": {
                "fodder/good.yaml": fodder("good"),
                "fodder/bad.yaml": "name: bad\nfodder: [good\n",
            }
        },
    )
    tag = tag_of(pool)
    assert variants(tag, GeneType.FODDER, "good") == {"any": "good.yaml"}
    assert variants(tag, GeneType.FODDER, "bad") == {"any": "bad.yaml"}


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        pytest.param(b"name: a\n", "name: a\n", id="as it is"),
        pytest.param(b"name: a", "name: a\n", id="a final line feed is added"),
        pytest.param(b"name: a\n\n\n", "name: a\n", id="others are dropped"),
        pytest.param(b"name: a\r\nx: y\r\n", "name: a\nx: y\n", id="CR LF becomes LF"),
        pytest.param("\ufeffname: ä\n".encode(), "name: ä\n", id="no byte order mark"),
        pytest.param("name: ä\n".encode("utf-16"), "name: ä\n", id="from UTF-16"),
    ],
)
def test_the_digest_is_over_normal_text(tmp_path: Path, written: bytes, normal: str) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {}})
    (tmp_path / "acme/kit/1.0/catlet.yaml").write_bytes(written)
    tag = tag_of(pool)
    variant = (tag.variants(GeneType.CATLET, "catlet").value or ())[0]
    text = tag.read(variant).value
    assert text is not None
    assert text.sha256 == hashlib.sha256(normal.encode()).hexdigest()
    assert text.form is None


def test_bytes_that_are_no_text_are_replaced_and_reported(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {}})
    (tmp_path / "acme/kit/1.0/catlet.yaml").write_bytes(b"name: x\nhostname: a\xff\n")
    tag = tag_of(pool)
    variant = (tag.variants(GeneType.CATLET, "catlet").value or ())[0]
    read = tag.read(variant)
    assert read.value is not None
    assert read.value.source.text == "name: x\nhostname: a\ufffd"
    (found,) = read.diagnostics
    assert found.code.number == "W0315"
    assert found.primary is not None
    assert found.primary.span.line == 2


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbfa", b"\xff\xfea\x00", b"\xfe\xff\x00a", b"a"], ids=repr
)
def test_byte_order_marks_decide_the_encoding(data: bytes) -> None:
    assert decode(data) == ("a", False)


def test_a_link_out_of_the_pool_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("name: tls\nfodder: [{name: a, content: secret}]\n", encoding="utf-8")
    root = tmp_path / "genes"
    pool = write_pool(root, {"acme/kit/1.0": {"fodder/own.yaml": fodder("own")}})
    (root / "acme/kit/1.0/fodder/tls.yaml").symlink_to(secret)
    (root / "acme/kit/1.0/catlet.yaml").symlink_to(secret)
    tag = tag_of(pool)
    found = tag.variants(GeneType.FODDER, "tls")
    assert not found.value
    assert [d.code.number for d in found.diagnostics] == ["E0312"]
    variant = (tag.variants(GeneType.CATLET, "catlet").value or ())[0]
    assert [d.code.number for d in tag.read(variant).diagnostics] == ["E0312"]
    assert variants(tag, GeneType.FODDER, "own") == {"any": "own.yaml"}


def test_a_tag_folder_that_is_a_link_out_is_refused(tmp_path: Path) -> None:
    write_pool(tmp_path / "other", {"acme/kit/1.0": {"catlet.yaml": "cpu: 2\n"}})
    root = tmp_path / "genes"
    (root / "acme/kit").mkdir(parents=True)
    (root / "acme/kit/1.0").symlink_to(tmp_path / "other/acme/kit/1.0")
    found = FolderPool(root).find(KIT)
    assert found is not None
    assert [d.code.number for d in found.diagnostics] == ["E0312"]


def test_links_inside_the_pool_are_followed(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {"fodder/tls.yaml": fodder("tls")}})
    (tmp_path / "acme/kit/1.0/catlet.yaml").write_text("cpu: 2\n", encoding="utf-8")
    (tmp_path / "acme/kit/1.0/fodder/again.yaml").symlink_to("tls.yaml")
    assert variants(tag_of(pool), GeneType.FODDER, "tls") == {"any": "tls.yaml"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {"fodder/tls.yaml": fodder("tls")}})
    os.mkfifo(tmp_path / "acme/kit/1.0/fodder/pipe.yaml")
    assert variants(tag_of(pool), GeneType.FODDER, "tls") == {"any": "tls.yaml"}


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {}})
    with (tmp_path / "acme/kit/1.0/catlet.yaml").open("wb") as file:
        file.truncate(6 * 1024 * 1024)
    tag = tag_of(pool)
    variant = (tag.variants(GeneType.CATLET, "catlet").value or ())[0]
    assert [d.code.number for d in tag.read(variant).diagnostics] == ["E0314"]


def test_other_tags_are_never_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = write_pool(
        tmp_path,
        {
            "acme/kit/1.0": {"fodder/tls.yaml": fodder("tls")},
            "acme/kit/2.0": {"fodder/tls.yaml": fodder("tls")},
            "acme/other/1.0": {"catlet.yaml": "cpu: 1\n"},
        },
    )
    listed: list[str] = []
    scandir = os.scandir

    def watched(path: str) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
        listed.append(Path(path).relative_to(tmp_path).as_posix())
        return scandir(path)

    monkeypatch.setattr(os, "scandir", watched)
    variants(tag_of(pool), GeneType.FODDER, "tls")
    assert set(listed) <= {"acme/kit/1.0", "acme/kit/1.0/fodder"}
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        pytest.param("{", "E0308", id="no JSON"),
        pytest.param("[]", "E0308", id="no object"),
        pytest.param('{"version": "1.1"}', "E0308", id="no gene set"),
        pytest.param('{"geneset": "acme/kit/1.0", "ref": 1}', "E0308", id="a ref that is no text"),
        pytest.param('{"geneset": "acme/kit/1.0", "metadata": []}', "E0308", id="metadata a list"),
        pytest.param('{"geneset": "acme/kit/2.0"}', "E0309", id="another gene set"),
        pytest.param('{"geneset": "acme/kit/2.0", "ref": "a-b/c-d"}', "W0321", id="in an alias"),
        pytest.param(
            '{"geneset": "acme/kit/1.0", "fodder": [{"name": "a", "hash": "sha256:'
            + "0" * 64
            + '", "arch": "hyperv/x86"}]}',
            "E0308",
            id="an unknown processor of a known hypervisor",
        ),
    ],
)
def test_a_manifest_that_is_wrong(tmp_path: Path, manifest: str, code: str) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {}})
    (tmp_path / "acme/kit/1.0/geneset-tag.json").write_text(manifest, encoding="utf-8")
    found = pool.find(KIT)
    assert found is not None
    assert [d.code.number for d in found.diagnostics] == [code]
    assert (found.value is None) == code.startswith("E")


def test_a_gene_for_an_unknown_hypervisor_is_skipped(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {}})
    digest = "sha256:" + "0" * 64
    (tmp_path / "acme/kit/1.0/geneset-tag.json").write_text(
        '{"geneset": "acme/kit/1.0", "fodder": ['
        f'{{"name": "a", "hash": "{digest}", "arch": "vmware/amd64"}},'
        f'{{"name": "a", "hash": "{digest}"}}]}}',
        encoding="utf-8",
    )
    assert [str(g.architecture) for g in tag_of(pool).manifest.genes] == ["any"]


# -- several pools -----------------------------------------------------------------------------


def test_the_first_pool_with_the_tag_gives_all_of_it(tmp_path: Path) -> None:
    first = write_pool(tmp_path / "a", {"acme/kit/1.0": {"fodder/own.yaml": fodder("own")}})
    second = write_pool(
        tmp_path / "b",
        {"acme/kit/1.0": {"fodder/tls.yaml": fodder("tls")}, "acme/kit/2.0": {}},
    )
    chain = PoolChain([first, second])
    found = chain.find(KIT)
    assert found is not None
    assert found.value is not None
    assert found.value.names(GeneType.FODDER) == ("own",)
    assert chain.find(GeneSetId("acme", "kit", "2.0")) is not None
    assert chain.find(GeneSetId("acme", "kit", "3.0")) is None
    assert chain.neighbours(KIT) == (("1.0", "2.0"), ("kit",))


@pytest.mark.parametrize(
    ("organizations", "fallback", "found"),
    [
        pytest.param((), False, False, id="owns all and decides"),
        pytest.param((), True, True, id="lets the next one try"),
        pytest.param(("ac*",), False, False, id="owns it by a pattern"),
        pytest.param(("lumen",), False, True, id="does not own it"),
    ],
)
def test_pools_of_a_project(
    tmp_path: Path, organizations: tuple[str, ...], *, fallback: bool, found: bool
) -> None:
    empty = FolderPool(tmp_path / "a")
    full = write_pool(tmp_path / "b", {"acme/kit/1.0": {}})
    pools = ProjectPools(
        [
            ProjectPool(pool=empty, organizations=organizations, fallback=fallback),
            ProjectPool(pool=full),
        ]
    )
    assert (pools.find(KIT) is not None) == found


# -- volumes -----------------------------------------------------------------------------------

DESCRIPTOR = f"format: qcow2\nurl: https://example.org/a.img\nsha256: {'AB' * 32}\nsize: 12\n"


def test_volumes_are_files_or_descriptions(tmp_path: Path) -> None:
    pool = write_pool(
        tmp_path,
        {
            "acme/kit/1.0": {
                "volumes/sda.yaml": DESCRIPTOR,
                "volumes/hyperv/amd64/sda.vhdx": "",
                "volumes/kvm/SDA.qcow2": "",
                "volumes/notes.txt": "",
            }
        },
    )
    tag = tag_of(pool)
    assert tag.names(GeneType.VOLUME) == ("sda",)
    found = {v.architecture: v.volume for v in tag.variants(GeneType.VOLUME, "sda").value or ()}
    described = found[Architecture("any", "any")]
    assert described is not None
    assert (described.path, described.sha256, described.size) == (None, "ab" * 32, 12)
    at_hand = found[Architecture("hyperv", "amd64")]
    assert at_hand is not None
    assert at_hand.path is not None
    assert at_hand.format == "vhdx"
    assert Architecture("kvm", "any") in found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("url: https://e.org/a\nsha256: " + "0" * 64, "`format`", id="no format"),
        pytest.param("format: raw\nsha256: " + "0" * 64, "`url`", id="no address"),
        pytest.param("format: raw\nurl: https://e.org/a\n", "`sha256`", id="no digest"),
        pytest.param(
            "format: raw\nurl: https://e.org/a\nchecksums_url: https://e.org/SUMS\n",
            "`file`",
            id="a list without the file's name",
        ),
        pytest.param("format: iso\nurl: https://e.org/a\nsha256: " + "0" * 64, "one of", id="kind"),
        pytest.param("format: raw\nurl: file:///etc/a\nsha256: " + "0" * 64, "http", id="scheme"),
        pytest.param("format: raw\nurl: https://e.org/a\nsha256: 12", "64 hex", id="short digest"),
        pytest.param(DESCRIPTOR.replace("12", "-1"), "bytes", id="size"),
        pytest.param("- a\n", "no mapping", id="a list"),
    ],
)
def test_a_description_that_is_wrong(tmp_path: Path, text: str, problem: str) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {"volumes/sda.yaml": text}})
    found = tag_of(pool).variants(GeneType.VOLUME, "sda")
    assert found.value is None
    assert [d.code.number for d in found.diagnostics] == ["E0317"]
    assert problem in found.diagnostics[0].message


@given(
    st.sampled_from(["http://", "https://", "HTTPS://", "ftp://", "https:", "//", ""]),
    st.text("aZ09.-_~%+/:?#@[]\\ \t\nü", max_size=12),
)
def test_an_address_is_what_the_library_says(scheme: str, rest: str) -> None:
    """Plain ones are judged without it."""
    url = scheme + rest
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.netloc) and url.isprintable()
    except ValueError:
        right = False
    text = f"format: raw\nurl: {json.dumps(url)}\nsha256: {'0' * 64}\n"
    assert (read_descriptor(SourceText("sda.yaml", text)).value is not None) == right


def test_an_unknown_key_of_a_description_is_a_warning(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {"volumes/sda.yaml": DESCRIPTOR + "sise: 1\n"}})
    found = tag_of(pool).variants(GeneType.VOLUME, "sda")
    assert found.value
    assert [(d.code.number, d.help) for d in found.diagnostics] == [
        ("W0320", "did you mean `size`?")
    ]


# -- paths in messages -------------------------------------------------------------------------


def test_paths_are_shown_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown_path(tmp_path / "genes" / "a.yaml") == "genes/a.yaml"
    assert shown_path(Path("genes/../b.yaml")) == "b.yaml"
    assert shown_path(Path("/elsewhere/a.yaml")) == "/elsewhere/a.yaml"
