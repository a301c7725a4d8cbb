"""`gene index`, `gene list`, `gene show` and `gene deprecate` against a real registry."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from authoring.sets import MOTD_SET
from sharing.author import IDENTITY, MOTD_TEXT, Author, codes

pytestmark = pytest.mark.integration


def listed(author: Author, *words: str) -> list[dict[str, Any]]:
    pool = ("--genepool", author.pool)
    done = author.eryphc("gene", "list", "acme", "--format", "json", *pool, *words)
    assert done.code == 0, done.err
    found: list[dict[str, Any]] = json.loads(done.out)
    return found


def shown(author: Author, name: str) -> dict[str, Any]:
    done = author.eryphc("gene", "show", name, "--format", "json", "--genepool", author.pool)
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_what_is_pushed_is_listed(author: Author) -> None:
    assert listed(author) == []
    author.alias("latest", "acme/motd/1.0")
    author.push(author.tag("1.0"))
    assert listed(author) == [
        {
            "id": "acme/motd",
            "tags": ["1.0", "latest"],
            "description": "A message of the day",
            "pool": author.to,
        }
    ]


def test_a_list_is_remembered_for_minutes(author: Author, monkeypatch: pytest.MonkeyPatch) -> None:
    author.push(author.tag("1.0"))
    words = ("gene", "list", "acme", "--genepool", author.pool, "-v")
    assert [len(author.eryphc(*words).err.splitlines()) for _ in range(2)] == [1, 0]
    assert "acme/motd" in author.eryphc(*words, "--offline").out
    monkeypatch.setenv("ERYPHC_FRESH", "0")
    assert len(author.eryphc(*words).err.splitlines()) == 1


def test_a_lost_entry_heals_at_the_next_push(author: Author) -> None:
    author.push(author.tag("1.0"), "--no-index")
    assert listed(author) == []
    author.push(author.tag("1.1"))
    assert listed(author)[0]["tags"] == ["1.0", "1.1"]


def test_the_command_mends_the_list(author: Author) -> None:
    author.push(author.tag("1.0"), "--no-index")
    words = ("gene", "index", author.pool)
    assert author.eryphc(*words).out == ""
    done = author.eryphc(*words, "--add", "acme/motd")
    assert (done.code, done.out) == (0, "acme/motd  1.0\n")
    author.push(author.tag("1.1"), "--no-index")
    assert author.eryphc(*words).out == "acme/motd  1.0, 1.1\n"
    assert author.eryphc(*words, "--add", "acme/gone").out == "acme/motd  1.0, 1.1\n"


def test_an_index_is_made_anew_of_source_trees(author: Author) -> None:
    tag = author.tag("1.0")
    author.push(tag)
    author.eryphc.write("old/1.0/geneset-tag.json", '{"geneset":"acme/old/1.0"}')
    author.push("old")
    assert [each["id"] for each in listed(author)] == ["acme/motd", "acme/old"]
    tree = author.eryphc.folder / "tree/acme/motd"
    shutil.copytree(author.eryphc.folder / "motd", tree)
    facts = {**MOTD_SET, "short_description": "Other words", "deprecated": {"1.0": {"reason": "x"}}}
    (tree / "geneset.json").write_text(json.dumps(facts))
    done = author.eryphc("gene", "index", author.pool, "--rebuild", "tree")
    assert (done.code, done.out) == (0, "acme/motd  1.0\n")
    (found,) = listed(author)
    assert (found["description"], found["deprecated"]) == ("Other words", ["1.0"])
    done = author.eryphc("gene", "index", author.pool, "--rebuild", "old")
    assert (done.code, codes(done)) == (1, ["E0902"])


def test_a_set_that_no_index_lists(author: Author) -> None:
    author.push(author.tag("1.0"), "--no-index")
    done = author.eryphc("gene", "list", "acme/motd", "--genepool", author.pool)
    assert (done.code, done.out) == (0, "acme/motd  (1.0)\n")


def test_a_misspelt_set_is_guessed_from_the_index(author: Author) -> None:
    author.push(author.tag("1.0"))
    author.eryphc.write("web.yaml", "name: web\nfodder:\n- source: gene:acme/mitd/1.0:motd\n")
    done = author.eryphc("check", "web.yaml", "--genepool", author.pool)
    assert (done.code, "did you mean `motd`" in done.out + done.err) == (1, True), done.out
    done = author.eryphc("gene", "pull", "acme/mitd/1.0", "--genepool", author.pool)
    assert (done.code, codes(done)) == (1, ["E0302"])
    assert "did you mean `motd`" in done.err


def test_two_published_tags_are_compared(author: Author) -> None:
    author.push(author.tag("1.0"))
    author.push(author.tag("1.1", MOTD_TEXT.replace("Welcome", "Hello")))
    words = ("gene", "diff", "acme/motd/1.0", "acme/motd/1.1", "--genepool", author.pool)
    assert 'default "Welcome" → "Hello"' in author.eryphc(*words).out


def test_a_registry_that_does_not_answer(author: Author) -> None:
    pool = "oci://127.0.0.1:1/x?orgs=acme"
    done = author.eryphc("gene", "list", "--genepool", pool, "--timeout", "1")
    assert (done.code, codes(done)) == (0, ["E1001"])
    assert "warning[E1001]" in done.err
    assert "eryphc/nginx" in done.out


def test_an_index_that_is_none_fails_no_push(author: Author) -> None:
    author.eryphc.write(
        "eryphc.yaml",
        f"pools:\n- {{name: corp, type: oci, prefix: {author.host}/{author.prefix},"
        ' orgs: [acme], index: "acme/motd:1.0"}\n',
    )
    author.push(author.tag("1.0"), "--no-index")
    # A set is not published where the index lies.
    assert codes(author.eryphc("gene", "push", "motd/1.0")) == ["E1026"]
    author.eryphc.write("web/1.0/geneset-tag.json", '{"geneset":"acme/web/1.0"}')
    done = author.eryphc("gene", "push", "web")
    assert (done.code, codes(done)) == (0, ["W1030"])
    assert done.out.endswith("/acme/web:1.0\n")
    assert "not an index of gene sets" in done.err


def test_what_is_shown_of_a_published_set(author: Author) -> None:
    author.alias("latest", "acme/motd/1.0")
    (pushed,) = author.pushed(author.tag("1.0"))
    found = shown(author, "acme/motd")
    assert found["id"] == "acme/motd/1.0"
    assert (found["digest"], found["manifest"]) == (IDENTITY, pushed["manifest"])
    assert (found["pool"], found["tags"]) == (author.to, ["1.0", "latest"])
    done = author.eryphc("gene", "show", "acme/motd", "--genepool", author.pool)
    assert f"  digest {IDENTITY}\n" in done.out


def test_deprecation(author: Author) -> None:
    author.alias("latest", "acme/motd/1.0")
    author.push(author.tag("1.0"))
    author.push(author.tag("1.1", MOTD_TEXT.replace("Welcome", "Hello")))
    author.eryphc.write("web.yaml", "name: web\nfodder:\n- source: gene:acme/motd/1.0:motd\n")
    pool = ("--genepool", author.pool)
    assert codes(author.eryphc("lock", "web.yaml", *pool)) == []
    words = ("--use", "acme/motd/1.1", "--reason", "It is \x1b[31mold", "--to", author.to)
    done = author.eryphc("gene", "deprecate", "acme/motd/1.0", *words)
    assert done.code == 0, done.err
    place = f"{author.host}/{author.prefix}/acme/motd:st-4ca146e853dc79ff50f80d357d34e85e\n"
    assert (done.out, done.err) == (place, "acme/motd/1.0 is deprecated\n")
    for line in (("lock", "web.yaml"), ("update",), ("gene", "show", "acme/motd/1.0")):
        done = author.eryphc(*line, *pool)
        assert (done.code, codes(done)) == (0, ["W1029"])
        assert "reason: It is [31mold" in done.err
        assert "use `acme/motd/1.1` instead" in done.err
    assert shown(author, "acme/motd")["deprecated"] == {
        "reason": "It is [31mold",
        "use": "acme/motd/1.1",
    }
    assert listed(author)[0]["deprecated"] == ["1.0"]
    done = author.eryphc("gene", "list", "acme", *pool)
    assert "(1.0 deprecated, 1.1, latest)" in done.out
    # A locked build asks nobody.
    build = ("build", "web.yaml", "--target", "user-data", "--guest", "linux", "--locked")
    assert codes(author.eryphc(*build, *pool)) == []
    done = author.eryphc("gene", "deprecate", "acme/motd/1.0", *words)
    assert done.err == "it said so before\n"


def test_an_answer_is_kept_for_a_day(author: Author) -> None:
    author.push(author.tag("1.0"))
    author.eryphc.write("web.yaml", "name: web\nfodder:\n- source: gene:acme/motd/1.0:motd\n")
    words = ("gene", "show", "acme/motd/1.0", "--genepool", author.pool, "-v")
    asked = [author.eryphc(*words).err.count("/manifests/st-") for _ in range(2)]
    assert asked == [1, 0]


def test_source_trees_deprecate_too(author: Author) -> None:
    author.push(author.tag("1.0"))
    author.tag("1.1", MOTD_TEXT.replace("Welcome", "Hello"))
    said = {"1.0": {"use": "acme/motd/1.1", "reason": "old"}}
    facts = json.dumps({**MOTD_SET, "deprecated": said})
    author.eryphc.write("motd/geneset.json", facts)
    assert author.push("motd/1.1").code == 0
    assert shown(author, "acme/motd/1.0")["deprecated"] == said["1.0"]
    assert listed(author)[0]["deprecated"] == ["1.0"]
    # The folder itself as a pool says so too.
    shutil.copytree(author.eryphc.folder / "motd", author.eryphc.folder / "genes/acme/motd")
    done = author.eryphc("gene", "show", "acme/motd/1.0")
    assert codes(done) == ["W1029"]
    author.eryphc.write("web.yaml", "name: web\nfodder:\n- source: gene:acme/motd/1.0:motd\n")
    assert codes(author.eryphc("lock", "web.yaml")) == ["W1029"]
    assert "1.0 deprecated" in author.eryphc("gene", "list", "acme").out


@pytest.mark.parametrize(
    "said", ['{"1.0": "old"}', '{"1.0": {"use": "acme/motd"}}', '{"..": {"reason": "x"}}', "[]"]
)
def test_malformed_words_are_not_published(author: Author, said: str) -> None:
    tag = author.tag("1.0")
    author.eryphc.write(
        "motd/geneset.json", json.dumps({**MOTD_SET, "deprecated": json.loads(said)})
    )
    assert codes(author.push(tag)) == ["E1033"]


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("acme/motd/9.9", "--reason", "x"), "E0302", 1),
        (("acme/motd/latest", "--reason", "x"), "E0912", 1),
        (("acme/motd", "--reason", "x"), "E0912", 2),
        (("acme/motd/1.0", "--reason", " "), "E0904", 2),
        (("acme/motd/1.0", "--reason", "x", "--use", "acme/motd/1.0"), "E0904", 2),
        (("acme/motd/1.0", "--reason", "x", "--use", "acme/motd"), "E0912", 2),
        (("acme/motd/1.0", "--reason", "x", "--use", "acme/gone/1.0"), "E0302", 0),
    ],
)
def test_faults(author: Author, words: tuple[str, ...], code: str, exit_code: int) -> None:
    author.alias("latest", "acme/motd/1.0")
    author.push(author.tag("1.0"))
    done = author.eryphc("gene", "deprecate", *words, "--to", author.to)
    assert (done.code, codes(done)) == (exit_code, [code])
