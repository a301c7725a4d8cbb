"""What authors keep to images: the same texts give the same identity, wherever they lie."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from authoring.sets import MOTD_SET, MOTD_TAG, tag_json, tags_of, write_set
from eryphc.authoring.packing import Packed, packed, packed_all
from eryphc.authoring.sources import tags_in
from eryphc.canonical import digest_of, read_json
from eryphc.diagnostics.shown import show
from eryphc.genepool.image_reader import stored_config
from eryphc.identifiers import GeneSetId
from genepool.images import MOTD, MOTD_TEXT, motd

LATEST = MOTD._replace(tag="latest")


def pack(folder: Path) -> Packed:
    (tag,) = tags_of(folder)
    made = packed(tag)
    assert made.value is not None, show(made.diagnostics)
    return made.value


def test_the_published_example(tmp_path: Path) -> None:
    made = pack(write_set(tmp_path))
    assert made.image == motd()
    assert digest_of(made.manifest).startswith("sha256:b14e0c0e36da")


def test_form_of_the_folder_does_not_matter(tmp_path: Path) -> None:
    """Names of files, line ends, byte order marks, order and spelling of members are no content."""
    other = {
        "1.0/fodder/motd.yaml": None,
        "1.0/fodder/some name.YML": b"\xef\xbb\xbf" + MOTD_TEXT.replace(b"\n", b"\r\n") + b"\r\n",
        "1.0/geneset-tag.json": json.dumps(dict(reversed(MOTD_TAG.items())) | {"x": 1}, indent=3),
        "1.0/notes.txt": "not packed",
        "1.0/.packed/x": "not packed",
    }
    made = pack(write_set(tmp_path / "elsewhere", other))
    assert made.image.identity == motd().identity


def test_what_a_set_says_of_itself(tmp_path: Path) -> None:
    source = "https://git.example.com/genes"
    facts = MOTD_SET | {
        "description_markdown_file": "About.md",
        "metadata": {"licenses": "MIT", "source": source, "other": "x"},
    }
    files = {
        "geneset.json": json.dumps(facts),
        "about.MD": "# About\r\n",
        "1.0/Changelog.md": "- first\n",
        "changelog.md": "of the set",
        "readme.md": "not this one",
    }
    made = pack(write_set(tmp_path, files))
    texts = {file.path: file.text for file in made.contents.files}
    assert texts["readme.md"] == b"# About\n"
    assert texts["changelog.md"] == b"- first\n"
    assert list(texts) == sorted(texts)
    details = stored_config(made.image.config, "here").details
    assert (details.about, details.licenses, details.source) == (
        "A message of the day",
        "MIT",
        source,
    )
    annotations = read_json(made.manifest)["annotations"]
    assert annotations["org.opencontainers.image.source"] == source


def test_a_readme_of_the_tag_comes_first(tmp_path: Path) -> None:
    made = pack(write_set(tmp_path, {"1.0/readme.md": "its own\n", "readme.md": "of the set\n"}))
    assert {f.path: f.text for f in made.contents.files}["readme.md"] == b"its own\n"


@pytest.mark.parametrize("name", ["../secret.md", "/etc/hostname", "..", "a/../../secret.md"])
def test_no_name_of_a_readme_leads_out(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.md").write_text("secret", encoding="utf-8")
    facts = MOTD_SET | {"description_markdown_file": name}
    made = pack(write_set(tmp_path / "motd", {"geneset.json": json.dumps(facts)}))
    assert [file.path for file in made.contents.files] == ["fodder/motd.yaml", "geneset-tag.json"]


def test_no_link_of_a_readme_leads_out(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("secret", encoding="utf-8")
    folder = write_set(tmp_path / "motd")
    (folder / "readme.md").symlink_to(tmp_path / "secret.md")
    found = tags_in(folder)
    assert found.value is None
    assert [each.code.number for each in found.diagnostics] == ["E0312"]


def test_all_that_a_catlet_names(tmp_path: Path) -> None:
    catlet = (
        "parent: DBOsoft/ubuntu-24.04\n"
        "drives:\n- {name: sdb, source: 'gene:acme/data/1.0:disk'}\n"
        "fodder:\n- source: gene:acme/kit:one\n- source: gene:acme/motd/1.0:motd\n"
    )
    made = pack(write_set(tmp_path, {"1.0/catlet.yaml": catlet}))
    details = stored_config(made.image.config, "here").details
    assert str(details.parent) == "dbosoft/ubuntu-24.04/latest"
    assert [str(each) for each in details.requires] == [
        "acme/data/1.0",
        "acme/kit/latest",
        "dbosoft/ubuntu-24.04/latest",
    ]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        pytest.param({f"1.0/fodder/{n}.yaml": f"name: g{n}\nfodder: [{{name: a, content: x}}]\n"
                      for n in range(100)}, "`files` are more than 100 of type `fodder`",
                     id="many genes"),
        pytest.param({"1.0/readme.md": "x" * (2 * 1024 * 1024)}, "is larger than 2097152",
                     id="a long text"),
        pytest.param({"1.0/geneset-tag.json": tag_json("1.0", metadata={"a" * 41: "b"})},
                     "characters, or values of more than 500", id="a long key"),
        pytest.param({"geneset.json": json.dumps(MOTD_SET | {"short_description": "x" * 201})},
                     "`about` is no line of 1 to 200 characters", id="a long description"),
        pytest.param({"1.0/volumes/sda.vhdx": "x"}, "the disk `sda` for `any` has no description",
                     id="a disk"),
        pytest.param({"1.0/geneset-tag.json": tag_json("1.0", ref="acme/other/1.0")},
                     "`ref` stands beside genes", id="a reference with genes"),
        pytest.param({"1.0/fodder/motd.yaml": b"name: motd\nfodder: [{name: a, content: \xff}]\n"},
                     None, id="bytes that are no text"),
    ],
)  # fmt: skip
def test_what_cannot_be_published(
    tmp_path: Path, files: dict[str, str | bytes], said: str | None
) -> None:
    (tag,) = tags_of(write_set(tmp_path, files))
    made = packed(tag)
    if said is None:
        # It was read as U+FFFD, and says so.
        assert made.value is not None
        assert [each.code.number for each in made.diagnostics] == ["W0315"]
        return
    assert made.value is None
    (fault,) = show(made.diagnostics)
    assert fault.code == "E1033"
    assert fault.message.startswith("`acme/motd/1.0` cannot be published: ")
    assert said in fault.message


# --- aliases ---------------------------------------------------------------------------------


def test_aliases_and_pointers(tmp_path: Path) -> None:
    files = {
        "latest/geneset-tag.json": tag_json("latest", ref="acme/motd/stable"),
        "stable/geneset-tag.json": tag_json("stable", ref="ACME/motd/1.0"),
        "other/geneset-tag.json": tag_json("other", ref="acme/web/1.0"),
    }
    made = packed_all(tags_of(write_set(tmp_path, files))).value
    assert made is not None
    assert [(each.id.tag, [alias.tag for alias in each.aliases]) for each in made] == [
        ("1.0", ["latest", "stable"]),
        ("other", []),
    ]
    assert made[0].entry.names == (MOTD, LATEST, MOTD._replace(tag="stable"))
    assert stored_config(made[1].image.config, "here").ref == "acme/web/1.0"


@pytest.mark.parametrize("target", ["2.0", "latest"])
def test_aliases_of_nothing(tmp_path: Path, target: str) -> None:
    files = {"latest/geneset-tag.json": tag_json("latest", ref=f"acme/motd/{target}")}
    made = packed_all(tags_of(write_set(tmp_path, files)))
    assert made.value is None
    (fault,) = show(made.diagnostics)
    assert fault.message == (
        f"`acme/motd/latest` cannot be published: it refers to `acme/motd/{target}`, "
        "which is not there"
    )


# --- folders ---------------------------------------------------------------------------------


def test_folders_of_tags_and_sets(tmp_path: Path) -> None:
    folder = write_set(tmp_path, {"latest/geneset-tag.json": tag_json("latest", ref="acme/motd")})
    assert [tag.id for tag in tags_of(folder)] == [MOTD, LATEST]
    assert [tag.id for tag in tags_of(folder / "1.0")] == [MOTD]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        pytest.param({"1.0/geneset-tag.json": None}, "E0902", id="no tag"),
        pytest.param({"1.0/geneset-tag.json": "{"}, "E0308", id="a manifest that is no JSON"),
        pytest.param({"geneset.json": "[]"}, "E1033", id="a list"),
        pytest.param({"geneset.json": '{"a": 1, "a": 2}'}, "E1033", id="a key twice"),
        pytest.param({"geneset.json": "{" * 100}, "E1033", id="no JSON"),
    ],
)
def test_folders_that_hold_no_set(tmp_path: Path, files: dict[str, str | None], code: str) -> None:
    found = tags_in(write_set(tmp_path, files))
    assert found.value is None
    assert [each.code.number for each in found.diagnostics] == [code]


def test_no_folder(tmp_path: Path) -> None:
    found = tags_in(tmp_path / "nowhere")
    assert [each.code.number for each in found.diagnostics] == ["E0902"]


def test_a_name_of_the_set_is_its_manifests(tmp_path: Path) -> None:
    """Wherever the folder lies."""
    made = pack(write_set(tmp_path / "any" / "where"))
    assert made.id == GeneSetId("acme", "motd", "1.0")
