"""The guards of pins: what stops each, and what does not."""

from __future__ import annotations

import pytest

from changes.tags import catlet, fodder, gene, tag
from eryphc.changes.guards import Guard, Move, Pin, stops
from eryphc.changes.interface import GeneKey
from eryphc.frozen import FrozenMap
from eryphc.genepool.contents import TagContents
from eryphc.identifiers import GeneSetId, GeneType

LATEST = GeneSetId("acme", "kit", "latest")
ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def geneset(name: str) -> GeneSetId:
    organization, geneset, tag_name = name.split("/")
    return GeneSetId(organization, geneset, tag_name)


def pin(
    final: str = "acme/kit/1.0",
    *,
    id_: str = "acme/kit/latest",
    pool: str = "corp",
    digest: str | None = ONE,
    file: str | None = ONE,
    signed: str | None = None,
) -> Pin:
    files = FrozenMap({} if file is None else {"fodder/motd.yaml": file})
    return Pin(geneset(id_), geneset(final), pool, digest, files, signed=signed)


CI = "ci@acme.example SHA256:abc"
ROWS = [
    ("nothing moves", pin(), pin(), {}),
    ("a newer tag", pin(), pin("acme/kit/1.1", digest=TWO), {}),
    # other-set
    (
        "another set",
        pin(),
        pin("acme/kat/1.0"),
        {"other-set": "`acme/kit/latest` led to `acme/kit/1.0` and now leads to `acme/kat/1.0`"},
    ),
    (
        "another organization",
        pin(),
        pin("acne/kit/2.0"),
        {"other-set": "`acme/kit/latest` led to `acme/kit/1.0` and now leads to `acne/kit/2.0`"},
    ),
    # major
    (
        "the next major",
        pin("acme/kit/1.9"),
        pin("acme/kit/2.0"),
        {
            "major": "`acme/kit/latest` goes from version 1 to version 2 "
            "(`acme/kit/1.9` to `acme/kit/2.0`)"
        },
    ),
    ("tags that cannot be compared", pin("acme/kit/1.9"), pin("acme/kit/std-2.0"), {}),
    ("a later date", pin("acme/kit/20260115"), pin("acme/kit/20270115"), {}),
    (
        "the next major behind a word",
        pin("acme/kit/std-1.9"),
        pin("acme/kit/std-2.0.1"),
        {
            "major": "`acme/kit/latest` goes from version 1 to version 2 "
            "(`acme/kit/std-1.9` to `acme/kit/std-2.0.1`)"
        },
    ),
    # older
    (
        "back",
        pin("acme/kit/1.1"),
        pin("acme/kit/1.0"),
        {"older": "`acme/kit/latest` goes back from `acme/kit/1.1` to the older `acme/kit/1.0`"},
    ),
    (
        "an earlier date",
        pin("acme/kit/20260115"),
        pin("acme/kit/20250115"),
        {
            "older": "`acme/kit/latest` goes back from `acme/kit/20260115` to the older "
            "`acme/kit/20250115`"
        },
    ),
    # changed-tag
    (
        "a fixed tag with another identity",
        pin(id_="acme/kit/1.0"),
        pin(id_="acme/kit/1.0", digest=TWO),
        {"changed-tag": "the fixed tag `acme/kit/1.0` has other content than before"},
    ),
    (
        "a moving tag to a fixed one with another identity",
        pin(),
        pin(digest=TWO),
        {"changed-tag": "the fixed tag `acme/kit/1.0` has other content than before"},
    ),
    (
        "other files in a folder",
        pin(digest=None),
        pin(digest=None, file=TWO),
        {"changed-tag": "the fixed tag `acme/kit/1.0` has other content than before"},
    ),
    ("the same files in a folder and an image", pin(digest=None), pin(), {}),
    (
        "an image whose files nobody knows any more",
        pin(file=None),
        pin(digest=None, file=None),
        {"changed-tag": "the fixed tag `acme/kit/1.0` has other content than before"},
    ),
    ("local genes", pin(digest=None, file=None), pin(digest=None, file=None), {}),
    (
        "another identity of a tag that moves",
        pin("acme/kit/dev"),
        pin("acme/kit/dev", digest=TWO),
        {},
    ),
    (
        "a tag of one number moves",
        pin(id_="acme/kit/1"),
        pin("acme/kit/1.1", id_="acme/kit/1"),
        {},
    ),
    (
        "a fixed tag that leads elsewhere",
        pin(id_="acme/kit/1.x-1.0"),
        pin("acme/kit/1.1", id_="acme/kit/1.x-1.0"),
        {
            "changed-tag": "the fixed tag `acme/kit/1.x-1.0` led to `acme/kit/1.0` "
            "and now leads to `acme/kit/1.1`"
        },
    ),
    (
        "two fixed tags are compared",
        pin(id_="acme/kit/1.0"),
        pin("acme/kit/1.1", id_="acme/kit/1.1"),
        {},
    ),
    # other-pool
    (
        "another pool",
        pin(),
        pin(pool="hub"),
        {"other-pool": "`acme/kit/latest` came from the pool `corp` and now comes from `hub`"},
    ),
    # unsigned
    (
        "no signature any more",
        pin(signed=CI),
        pin(),
        {
            "unsigned": "`acme/kit/latest` was signed by `ci@acme.example` "
            "and is not signed any more"
        },
    ),
    (
        "signed by another",
        pin(signed=CI),
        pin(signed="eve@acme.example SHA256:abc"),
        {
            "unsigned": "`acme/kit/latest` was signed by `ci@acme.example` "
            "and is now signed by `eve@acme.example`"
        },
    ),
    (
        "another key of the same principal",
        pin(signed=CI),
        pin(signed="ci@acme.example SHA256:d"),
        {},
    ),
    ("a signature where there was none", pin(), pin(signed=CI), {}),
    # several
    (
        "everything at once",
        pin("acme/kit/1.1", signed=CI),
        pin("acme/kit/0.9", pool="hub"),
        {
            "older": "`acme/kit/latest` goes back from `acme/kit/1.1` to the older `acme/kit/0.9`",
            "other-pool": "`acme/kit/latest` came from the pool `corp` and now comes from `hub`",
            "unsigned": "`acme/kit/latest` was signed by `ci@acme.example` "
            "and is not signed any more",
        },
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), [pytest.param(*row, id=name) for name, *row in ROWS]
)
def test_guards_of_pins(old: Pin, new: Pin, expected: dict[str, str]) -> None:
    found = stops(Move(old, new))
    assert {each.guard.value: each.sentence for each in found} == expected
    assert {each.id for each in found} <= {new.id}


GUEST = [
    ("the same", {"_os_type": "linux"}, {"_os_type": "linux", "build_date": "x"}, None),
    (
        "another kind",
        {"_os_type": "linux"},
        {"_os_type": "windows"},
        "`_os_type` of `acme/kit/latest` was `linux` and is `windows`",
    ),
    (
        "another name",
        {"_os_type": "linux", "_os_name": "Ubuntu 22.04"},
        {"_os_type": "linux", "_os_name": "Ubuntu 24.04"},
        "`_os_name` of `acme/kit/latest` was `Ubuntu 22.04` and is `Ubuntu 24.04`",
    ),
    (
        "none any more",
        {"_os_type": "windows"},
        {},
        "`_os_type` of `acme/kit/latest` was `windows` and is not given",
    ),
    ("blank is none", {"_os_type": ""}, {}, None),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), [pytest.param(*row, id=name) for name, *row in GUEST]
)
def test_other_os(old: dict[str, str], new: dict[str, str], expected: str | None) -> None:
    found = stops(Move(pin(), pin(), tag(metadata=old), tag(metadata=new)))
    assert [each.sentence for each in found] == ([] if expected is None else [expected])
    assert {each.guard for each in found} <= {Guard.OTHER_OS}


OLD = tag(gene(fodder("- {name: a}\n- {name: b}")), catlet("name: x\nvariables: [{name: c}]\n"))
NEW = tag(gene(fodder()), catlet("name: x\n"))
MOTD = GeneKey(GeneType.FODDER, "motd")


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        pytest.param(None, "catlet: the variable `c` is gone, and 2 more", id="all genes"),
        pytest.param({MOTD}, "motd: the variable `a` is gone, and 1 more", id="a gene in use"),
        pytest.param({GeneKey(GeneType.VOLUME, "motd")}, None, id="a gene of another type"),
        pytest.param(set(), None, id="no gene in use"),
    ],
)
def test_breaking(used: set[GeneKey] | None, expected: str | None) -> None:
    found = stops(Move(pin(), pin(), OLD, NEW, used))
    if expected is None:
        assert found == ()
    else:
        (stop,) = found
        assert stop.guard is Guard.BREAKING
        assert stop.sentence == f"`acme/kit/latest` breaks what uses it: {expected}"


@pytest.mark.parametrize(("before", "after"), [(OLD, None), (None, NEW), (None, None)])
def test_without_texts_nothing_is_said_of_them(
    before: TagContents | None, after: TagContents | None
) -> None:
    assert stops(Move(pin(), pin(), before, after)) == ()


def test_a_pool_says_which_tags_are_fixed() -> None:
    moved = Move(pin("acme/kit/dev"), pin("acme/kit/dev", digest=TWO), fixed=lambda _: True)
    assert [each.guard for each in stops(moved)] == [Guard.CHANGED_TAG]
    moved = Move(pin(), pin(digest=TWO), fixed=lambda _: False)
    assert stops(moved) == ()
