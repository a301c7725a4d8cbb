"""The interface of a gene, and what breaks it."""

from __future__ import annotations

import pytest

from changes.tags import ARM, HYPERV, HYPERV_ANY, catlet, fodder, gene, tag, volume
from eryphc.changes.interface import GeneKey, breaks, genes_of, interface_of
from eryphc.genepool.contents import ContentFile
from eryphc.identifiers import ANY, Architecture, GeneType
from eryphc.ir.catlet import VariableType

DISK = "format: vhdx\nurl: https://example.com/a.vhdx\nsha256: " + "0" * 64 + "\n"


def test_the_interface_of_a_gene() -> None:
    text = fodder(
        "- {name: Text, value: Welcome}\n- {name: n, type: number, required: true}\n"
        "- {name: pw, secret: true, value: geheim}\n- {name: empty, value: ''}",
        "- {name: motd, content: hello}\n"
        "- {name: Run, type: shellscript, filename: a.sh, secret: true, content: '#!/bin/sh'}",
    )
    found = interface_of(gene(text))
    assert found is not None
    assert [
        (each.name, each.type, each.default, each.required, each.secret, each.shown_default)
        for each in found.variables
    ] == [
        ("Text", VariableType.STRING, "Welcome", False, False, "Welcome"),
        ("n", VariableType.NUMBER, None, True, False, None),
        ("pw", VariableType.STRING, "geheim", False, True, "#REDACTED"),
        ("empty", VariableType.STRING, "", False, False, ""),
    ]
    assert [
        (each.key, each.type, each.filename, each.secret, each.content) for each in found.fodder
    ] == [
        ("motd", "cloud-config", None, False, "hello"),
        ("run", "shellscript", "a.sh", True, "#!/bin/sh"),
    ]
    assert "geheim" not in repr(found)
    assert "#!/bin/sh" not in repr(found)


def test_a_packed_gene_is_read_as_json() -> None:
    text = '{"name":"motd","variables":[{"name":"a"}],"fodder":[{"name":"x","content":"y"}]}\n'
    found = interface_of(gene(text, form="json"))
    assert found is not None
    assert [each.name for each in found.variables] == ["a"]


@pytest.mark.parametrize("text", ["[", "a: 1\n", "", "- x\n", "name: motd\nfodder: 3\n"])
def test_what_cannot_be_read_has_no_interface(text: str) -> None:
    assert interface_of(gene(text)) is None


def test_genes_of_a_tag_are_in_order() -> None:
    found = genes_of(
        tag(volume(DISK), gene(fodder(), architecture=HYPERV), gene(fodder()), catlet("name: x\n"))
    )
    assert {key: tuple(variants) for key, variants in found.items()} == {
        GeneKey(GeneType.CATLET, "catlet"): (ANY,),
        GeneKey(GeneType.FODDER, "motd"): (ANY, HYPERV),
        GeneKey(GeneType.VOLUME, "sda"): (HYPERV,),
    }
    assert list(found) == sorted(found)


def variable(rest: str) -> str:
    return fodder(f"- {{name: text{rest}}}")


ROWS = [
    # What becomes of a variable.
    ("nothing", variable(""), variable(""), []),
    ("a variable is gone", variable(""), fodder(), ["motd: the variable `text` is gone"]),
    ("another case is the same", variable(""), fodder("- {name: TEXT}"), []),
    (
        "newly required",
        variable(", value: a"),
        variable(", value: a, required: true"),
        ["motd: the variable `text` is required now"],
    ),
    ("no more required", variable(", required: true"), variable(""), []),
    (
        "the default is gone",
        variable(", value: a"),
        variable(""),
        ["motd: the variable `text` has no default any more"],
    ),
    (
        "a blank default is none",
        variable(", value: a"),
        variable(", value: ''"),
        ["motd: the variable `text` has no default any more"],
    ),
    ("another default", variable(", value: a"), variable(", value: b"), []),
    ("a new default", variable(""), variable(", value: b"), []),
    (
        "from text to a number",
        variable(""),
        variable(", type: number"),
        ["motd: the variable `text` was a string and is a number"],
    ),
    (
        "from a number to a boolean",
        variable(", type: number"),
        variable(", type: boolean"),
        ["motd: the variable `text` was a number and is a boolean"],
    ),
    ("from a number to text", variable(", type: number"), variable(", type: string"), []),
    ("the type is written out", variable(""), variable(", type: string"), []),
    ("a secret", variable(""), variable(", secret: true"), []),
    ("a new variable", fodder(), variable(""), []),
    ("a new variable with a default", fodder(), variable(", required: true, value: a"), []),
    (
        "a new variable that is required",
        fodder(),
        variable(", required: true"),
        ["motd: the new variable `text` is required and has no default"],
    ),
    (
        "several",
        variable(", value: a"),
        variable(", type: number, required: true"),
        [
            "motd: the variable `text` is required now",
            "motd: the variable `text` has no default any more",
            "motd: the variable `text` was a string and is a number",
        ],
    ),
    # What becomes of fodder.
    (
        "fodder is gone",
        fodder(entries="- {name: a, content: x}\n- {name: b, content: x}"),
        fodder(entries="- {name: B, content: x}"),
        ["motd: the fodder entry `a` is gone"],
    ),
    ("new fodder", fodder(), fodder(entries="- {name: motd, content: x}\n- {name: b}"), []),
    ("another content", fodder(), fodder(entries="- {name: motd, content: x}"), []),
    # What can be read.
    ("no more readable", fodder(), "[", ["motd: its text cannot be read any more"]),
    ("readable again", "[", fodder(), []),
    ("never readable", "[", "{", []),
]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [pytest.param(before, after, expected, id=name) for name, before, after, expected in ROWS],
)
def test_a_gene(before: str, after: str, expected: list[str]) -> None:
    found = breaks(tag(gene(before)), tag(gene(after)))
    assert [each.sentence for each in found] == expected


OTHER = fodder("- {name: more}")
TAGS = [
    ("a gene is gone", [gene(fodder())], [], ["motd: the fodder gene is gone"]),
    ("a gene is new", [], [gene(fodder())], []),
    (
        "a volume is gone",
        [volume(DISK)],
        [gene(fodder(), "sda")],
        ["sda [hyperv/amd64]: the volume gene is gone"],
    ),
    ("another disk", [volume(DISK)], [volume(DISK.replace("0", "1"))], []),
    (
        "an architecture is gone",
        [gene(fodder()), gene(fodder(), architecture=HYPERV)],
        [gene(fodder(), architecture=HYPERV)],
        ["motd: the fodder gene is no more there for any"],
    ),
    (
        "a more general text serves it",
        [gene(fodder(), architecture=HYPERV)],
        [gene(fodder(), architecture=HYPERV_ANY)],
        [],
    ),
    (
        "a narrower one does not",
        [gene(fodder(), architecture=HYPERV_ANY)],
        [gene(fodder(), architecture=HYPERV)],
        ["motd [hyperv/any]: the fodder gene is no more there for hyperv/any"],
    ),
    (
        "a general text that serves it takes something away",
        [gene(OTHER, architecture=HYPERV)],
        [gene(fodder())],
        ["motd [hyperv/amd64]: the variable `more` is gone"],
    ),
    (
        "a new text for one architecture takes something away",
        [gene(OTHER)],
        [gene(OTHER), gene(fodder(), architecture=ARM)],
        ["motd [any/arm64]: the variable `more` is gone"],
    ),
    (
        "the same for several architectures is said once",
        [gene(OTHER, architecture=HYPERV), gene(OTHER, architecture=ARM)],
        [gene(fodder(), architecture=HYPERV), gene(fodder(), architecture=ARM)],
        ["motd [any/arm64, hyperv/amd64]: the variable `more` is gone"],
    ),
    (
        "a variable of a catlet is gone",
        [catlet("name: x\nvariables:\n- {name: a}\n")],
        [catlet("name: x\n")],
        ["catlet: the variable `a` is gone"],
    ),
    (
        "a reference to another tag is still there",
        [catlet("name: x\nfodder:\n- {source: 'gene:acme/kit/1.0:a'}\n")],
        [catlet("name: x\nfodder:\n- {source: 'gene:acme/kit/1.1:a'}\n")],
        [],
    ),
    (
        "a reference is gone",
        [catlet("name: x\nfodder:\n- {source: 'gene:acme/kit/1.0:a'}\n")],
        [catlet("name: x\nfodder:\n- {source: 'gene:acme/kit/1.0:b'}\n")],
        ["catlet: the fodder entry `gene:acme/kit/1.0:a` is gone"],
    ),
]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [pytest.param(before, after, expected, id=name) for name, before, after, expected in TAGS],
)
def test_a_tag(before: list[ContentFile], after: list[ContentFile], expected: list[str]) -> None:
    assert [each.sentence for each in breaks(tag(*before), tag(*after))] == expected


def test_a_break_is_data() -> None:
    (found,) = breaks(tag(gene(variable(""))), tag(gene(fodder())))
    assert (found.kind, found.gene, found.architectures, found.name) == (
        "variable-gone",
        GeneKey(GeneType.FODDER, "motd"),
        (Architecture("any", "any"),),
        "text",
    )


def test_a_tag_does_not_break_itself() -> None:
    every = tag(gene(variable(", value: a, required: true")), volume(DISK), catlet("name: x\n"))
    assert breaks(every, every) == ()
