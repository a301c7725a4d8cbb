"""`eryphc gene diff`: two tags, by their ids or by their folders."""

from __future__ import annotations

import json

import pytest

from catlets import write_pool
from cli.command_line import CommandLine, Done

OLD = "name: motd\nvariables: [{name: text, value: Welcome}]\nfodder: [{name: motd, content: a}]\n"
NEW = "name: motd\nvariables: [{name: text, value: Hello}]\nfodder: [{name: motd, content: a}]\n"
BROKEN = "name: motd\nfodder: [{name: motd, content: a}]\n"


@pytest.fixture
def pool(eryphc: CommandLine) -> CommandLine:
    write_pool(
        eryphc.folder / "genes",
        {
            "acme/motd/1.0": {"fodder/motd.yaml": OLD, "os_type": "linux"},
            "acme/motd/1.1": {"fodder/motd.yaml": NEW, "os_type": "linux"},
            "acme/motd/2.0": {"fodder/motd.yaml": BROKEN, "os_type": "linux"},
            "acme/motd/latest": {"ref": "acme/motd/1.1"},
        },
    )
    write_pool(
        eryphc.folder / "other",
        {"acme/motd/1.0": {"fodder/motd.yaml": NEW, "os_type": "windows"}},
    )
    return eryphc


DIFFERS = 'acme/motd  1.0 → 1.1\n  motd: `text`: default "Welcome" → "Hello"\n'


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param("acme/motd/1.0", "acme/motd/1.1", DIFFERS, id="two ids"),
        pytest.param("acme/motd/1.0", "Acme/Motd", DIFFERS, id="a reference in any case"),
        pytest.param("genes/acme/motd/1.0", "genes/acme/motd/1.1/", DIFFERS, id="two folders"),
        pytest.param("./genes/acme/motd/1.0", "acme/motd/1.1", DIFFERS, id="a folder and an id"),
        pytest.param("acme/motd/1.1", "acme/motd/latest", "1 gene set unchanged\n", id="the same"),
        pytest.param(
            "acme/motd/1.0",
            "./other/acme/motd/1.0",
            'acme/motd  1.0\n  metadata `_os_type`: "linux" → "windows"\n'
            '  motd: `text`: default "Welcome" → "Hello"\n',
            id="one id with two contents",
        ),
        pytest.param(
            "genes/acme/motd/latest",
            "acme/motd/1.1",
            "acme/motd  latest → 1.1\n"
            '  reference is gone, was "acme/motd/1.1"\n'
            '  metadata `_os_type` is new: "linux"\n'
            "  motd: the fodder gene is new\n",
            id="the folder of a reference is that reference",
        ),
    ],
)
def test_text(pool: CommandLine, before: str, after: str, expected: str) -> None:
    done = pool("gene", "diff", before, after, "--genepool", "genes")
    assert (done.code, done.out, done.err) == (0, expected, "")


def diff(pool: CommandLine, before: str, after: str, *more: str) -> Done:
    return pool("gene", "diff", before, after, "--genepool", "genes", *more)


def test_json(pool: CommandLine) -> None:
    done = diff(pool, "acme/motd/1.0", "acme/motd/1.1", "--format", "json")
    assert json.loads(done.out) == {
        "changed": True,
        "sets": [
            {
                "id": "acme/motd",
                "kind": "changed",
                "before": "acme/motd/1.0",
                "after": "acme/motd/1.1",
                "pool_before": None,
                "pool_after": None,
                "used_by": [],
                "changes": [],
                "genes": [
                    {
                        "name": "motd",
                        "type": "fodder",
                        "architectures": ["any"],
                        "changes": [
                            {
                                "part": "variable",
                                "kind": "changed",
                                "name": "text",
                                "key": "default",
                                "before": "Welcome",
                                "after": "Hello",
                                "lines": [],
                                "more": 0,
                                "secret": False,
                            }
                        ],
                    }
                ],
                "breaks": [],
            }
        ],
        "unchanged": 0,
    }


def test_markdown(pool: CommandLine) -> None:
    done = diff(pool, "acme/motd/1.0", "acme/motd/1.1", "--format", "markdown")
    assert done.out == f"### Gene sets: 1 changed\n\n```text\n{DIFFERS}```\n"


@pytest.mark.parametrize(
    ("before", "after", "fail_on", "reason"),
    [
        ("acme/motd/1.0", "acme/motd/1.1", "any", "the tags differ"),
        ("acme/motd/1.1", "acme/motd/latest", "any", None),
        ("acme/motd/1.0", "acme/motd/1.1", "breaking", None),
        (
            "acme/motd/1.1",
            "acme/motd/2.0",
            "breaking",
            "`acme/motd/2.0` breaks what uses it: motd: the variable `text` is gone",
        ),
        (
            "acme/motd/1.1",
            "acme/motd/2.0",
            "major",
            "`acme/motd/2.0` goes from version 1 to version 2 (`acme/motd/1.1` to `acme/motd/2.0`)",
        ),
        ("acme/motd/1.0", "acme/motd/1.1", "major", None),
        (
            "acme/motd/1.1",
            "acme/motd/1.0",
            "older",
            "`acme/motd/1.0` goes back from `acme/motd/1.1` to the older `acme/motd/1.0`",
        ),
        (
            "acme/motd/1.0",
            "./other/acme/motd/1.0",
            "other-os",
            "`_os_type` of `acme/motd/1.0` was `linux` and is `windows`",
        ),
        (
            "acme/motd/1.0",
            "./other/acme/motd/1.0",
            "changed-tag",
            "the fixed tag `acme/motd/1.0` has other content than before",
        ),
    ],
)
def test_fail_on(
    pool: CommandLine, before: str, after: str, fail_on: str, reason: str | None
) -> None:
    done = diff(pool, before, after, "--fail-on", fail_on)
    assert done.code == (0 if reason is None else 1)
    assert done.err == ("" if reason is None else f"--fail-on {fail_on}: {reason}\n")
    assert done.out


def test_one_of_several_reasons_is_enough(pool: CommandLine) -> None:
    words = ("--fail-on", "major", "--fail-on", "any", "-q")
    done = diff(pool, "acme/motd/1.0", "acme/motd/1.1", *words)
    assert (done.code, done.out, done.err) == (1, DIFFERS, "")


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        pytest.param(
            "acme/none/1.0", "E0302", "no gene pool has the gene set `acme/none/1.0`", id="an id"
        ),
        pytest.param(
            "./none", "E0902", "`./none`: it is neither a gene set nor a folder", id="a folder"
        ),
        pytest.param(
            "genes",
            "E0902",
            "`genes`: it is not the folder of a tag: it holds no `geneset-tag.json`",
            id="a folder that is no tag",
        ),
        pytest.param(
            "gene:acme/motd/1.0:motd",
            "E0912",
            "`gene:acme/motd/1.0:motd`: in `gene:acme/motd/1.0:motd`: `gene:acme` is not a valid "
            "organization: `:` is not allowed; it may hold letters a to z, digits, `.` and `-`",
            id="a gene",
        ),
    ],
)
def test_what_is_no_tag(pool: CommandLine, name: str, code: str, message: str) -> None:
    for words in ((name, "acme/motd/1.0"), ("acme/motd/1.0", name)):
        done = diff(pool, *words, "--diagnostics", "json")
        (found,) = json.loads(done.err)
        assert (done.code, done.out) == (1, "")
        assert (found["code"], found["message"]) == (code, message)


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        pytest.param("{", "E0308", id="no JSON"),
        pytest.param('{"version": "1.1"}', "E0308", id="no name"),
        pytest.param('{"geneset": "x"}', "E0308", id="no gene set"),
        pytest.param('{"geneset": 3}', "E0308", id="no text"),
        pytest.param("[]", "E0308", id="no object"),
    ],
)
def test_a_folder_whose_manifest_is_wrong(pool: CommandLine, manifest: str, code: str) -> None:
    pool.write("mine/geneset-tag.json", manifest)
    done = diff(pool, "./mine", "acme/motd/1.0", "--diagnostics", "json")
    (found,) = json.loads(done.err)
    assert (done.code, found["code"], found["file"]) == (1, code, "mine/geneset-tag.json")


def test_a_folder_elsewhere_is_called_by_its_manifest(pool: CommandLine) -> None:
    pool.write("copy/geneset-tag.json", '{"geneset": "acme/motd/1.1"}')
    pool.write("copy/fodder/any-name.yaml", NEW)
    assert diff(pool, "acme/motd/1.0", "./copy").out.startswith("acme/motd  1.0 → 1.1\n")


def test_a_link_out_of_a_folder_is_not_followed(pool: CommandLine) -> None:
    pool.write("copy/geneset-tag.json", '{"geneset": "acme/motd/1.1"}')
    secret = pool.write("secret.yaml", "name: catlet\ncpu: 77\n")
    (pool.folder / "copy/catlet.yaml").symlink_to(secret)
    done = diff(pool, "acme/motd/1.0", "./copy", "--diagnostics", "json")
    assert (done.code, done.out) == (1, "")
    assert {found["code"] for found in json.loads(done.err)} == {"E0312"}
