"""The change log: each kind of change in words, and nothing secret in any form of it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from changes.tags import HYPERV, KIT, NEXT, catlet, fodder, gene, tag, volume
from eryphc.changes import written
from eryphc.changes.guards import Pin
from eryphc.changes.log import NOTHING, ChangeLog, Side, change_log, set_changes
from eryphc.diagnostics.words import json_text
from eryphc.frozen import FrozenMap
from eryphc.genepool.contents import ContentFile, TagContents
from eryphc.identifiers import Architecture, GeneSetId

LATEST = GeneSetId("acme", "kit", "latest")
KVM = Architecture("kvm", "amd64")


def compared(before: TagContents | None, after: TagContents | None) -> ChangeLog:
    return change_log([set_changes("acme/kit/latest", Side(before), Side(after))])


def lines(before: Sequence[ContentFile], after: Sequence[ContentFile]) -> list[str]:
    """The text of what differs, without its head and what breaks."""
    found = written.text(compared(tag(*before), tag(*after, id_=NEXT))).splitlines()
    return [line for line in found[1:] if not line.startswith("  breaking:")]


# -- variables, fodder and settings ---------------------------------------------------------------


def variable(rest: str) -> str:
    return fodder(f"- {{name: text{rest}}}")


VARIABLES = [
    ("new", fodder(), variable(""), ["  motd: new variable `text` (string)"]),
    (
        "new, with all it can say",
        fodder(),
        variable(", type: number, value: 1, required: true, secret: false"),
        ['  motd: new variable `text` (number, default "1", required)'],
    ),
    (
        "new and secret",
        fodder(),
        variable(", value: geheim, secret: true"),
        ['  motd: new variable `text` (string, default "#REDACTED", secret)'],
    ),
    ("gone", variable(""), fodder(), ["  motd: variable `text` is gone"]),
    (
        "another default",
        variable(", value: Welcome"),
        variable(", value: Hello"),
        ['  motd: `text`: default "Welcome" → "Hello"'],
    ),
    (
        "no default any more",
        variable(", value: a"),
        variable(""),
        ['  motd: `text`: default "a" → none'],
    ),
    (
        "another type",
        variable(""),
        variable(", type: boolean"),
        ["  motd: `text`: type string → boolean"],
    ),
    (
        "required and secret",
        variable(""),
        variable(", required: true, secret: true"),
        ["  motd: `text`: required now, secret now"],
    ),
    (
        "no more required",
        variable(", required: true"),
        variable(""),
        ["  motd: `text`: not required any more"],
    ),
    (
        "another secret default",
        variable(", secret: true, value: geheim1"),
        variable(", secret: true, value: geheim2"),
        ["  motd: `text`: another default (secret)"],
    ),
    (
        "what was secret stays hidden",
        variable(", secret: true, value: geheim1"),
        variable(", value: geheim1"),
        ["  motd: `text`: not secret any more"],
    ),
    (
        "what becomes secret was secret",
        variable(", value: geheim1"),
        variable(", secret: true, value: geheim2"),
        ["  motd: `text`: secret now, another default (secret)"],
    ),
    (
        "several in one line",
        fodder("- {name: a}\n- {name: b, value: x}\n- {name: c}"),
        fodder("- {name: b, value: y}\n- {name: c, required: true}\n- {name: d}"),
        [
            (
                "  motd: new variable `d` (string); variable `a` is gone; "
                '`b`: default "x" → "y"; `c`: required now'
            )
        ],
    ),
    (
        "spelled otherwise",
        variable(""),
        fodder("- {name: TEXT}"),
        [TEXT := "  motd: its text changed, but nothing that it says"],
    ),
    ("a comment", fodder(), fodder() + "# more\n", [TEXT]),
]
FODDER = [
    (
        "content",
        fodder(entries="- name: motd\n  content: |\n    a:\n      one\n    b: 1"),
        fodder(entries="- name: motd\n  content: |\n    a:\n      two\n    b: 1"),
        ["  motd: fodder `motd`, 2 lines", "    -   one", "    +   two"],
    ),
    (
        "new",
        fodder(),
        fodder(
            entries="- {name: motd, content: hello}\n- {name: b, type: shellscript, content: x}"
        ),
        ["  motd: new fodder `b` (shellscript)", "    + x"],
    ),
    (
        "gone",
        fodder(entries="- {name: motd, content: hello}\n- {name: b, content: x}"),
        fodder(),
        ["  motd: fodder `b` is gone", "    - x"],
    ),
    (
        "another type and file name",
        fodder(),
        fodder(entries="- {name: motd, content: hello, type: shellscript, filename: a.sh}"),
        [
            '  motd: fodder `motd`: filename is new: "a.sh"',
            '  motd: fodder `motd`: type: "cloud-config" → "shellscript"',
        ],
    ),
    (
        "a line end at the end",
        fodder(entries="- name: motd\n  content: |\n    a\n- {name: b, content: x}"),
        fodder(entries="- name: motd\n  content: |-\n    a\n- {name: b, content: x}"),
        ["  motd: fodder `motd`, the line end at its end"],
    ),
    (
        "secret content",
        fodder(entries="- {name: motd, secret: true, content: geheim1}"),
        fodder(entries="- {name: motd, secret: true, content: geheim2}"),
        ["  motd: fodder `motd`: other content (secret)"],
    ),
    (
        "content that was secret",
        fodder(entries="- {name: motd, secret: true, content: geheim1}"),
        fodder(entries="- {name: motd, content: geheim2}"),
        [
            "  motd: fodder `motd`: not secret any more",
            "  motd: fodder `motd`: other content (secret)",
        ],
    ),
    (
        "new secret fodder",
        fodder(),
        fodder(
            entries="- {name: motd, content: hello}\n- {name: b, secret: true, content: geheim}"
        ),
        ["  motd: new fodder `b` (cloud-config, secret)"],
    ),
    (
        "order",
        fodder(entries="- {name: a, content: x}\n- {name: b, content: y}"),
        fodder(entries="- {name: b, content: y}\n- {name: a, content: x}"),
        ["  motd: its fodder is in another order"],
    ),
    (
        "no more readable",
        fodder(),
        "[geheim",
        ["  motd: its text cannot be read any more"],
    ),
    ("readable now", "[geheim", fodder(), ["  motd: its text can be read now"]),
    (
        "never readable",
        "[geheim",
        "{geheim",
        ["  motd: its text changed, and it cannot be read"],
    ),
]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [pytest.param(*row, id=name) for name, *row in (*VARIABLES, *FODDER)],
)
def test_a_fodder_gene(before: str, after: str, expected: list[str]) -> None:
    assert lines([gene(before)], [gene(after)]) == expected


CATLETS = [
    (
        "settings",
        "name: x\ncpu: 2\nmemory: {startup: 1024}\nparent: acme/base/1.0\n",
        "name: x\ncpu: 4\nmemory: {startup: 1024, maximum: 2048}\n",
        [
            (
                "  catlet: cpu.count: 2 → 4; memory.maximum is new: 2048; "
                'parent is gone, was "acme/base/1.0"'
            )
        ],
    ),
    (
        "entries by name",
        "name: x\ndrives:\n- {name: sda, size: 10}\ncapabilities: [tpm]\n",
        (
            "name: x\ndrives:\n- {name: sda, size: 20}\n- {name: sdb}\ncapabilities:\n"
            "- {name: tpm, details: [a, b]}\n"
        ),
        [
            (
                '  catlet: capabilities[tpm].details is new: "a, b"; drives[sda].size: 10 → 20; '
                'drives[sdb].name is new: "sdb"'
            )
        ],
    ),
    (
        "references and what they give",
        (
            "name: x\nfodder:\n- source: gene:acme/aaa/1.0:x\n  variables:\n"
            "  - {name: one, value: geheim1}\n  - {name: two, value: geheim2}\n"
        ),
        (
            "name: x\nfodder:\n- source: gene:acme/aaa/1.0:x\n  variables:\n"
            "  - {name: one, value: geheim3}\n  - {name: three, value: geheim4}\n"
            "- source: gene:acme/bbb/1.0:x\n- source: gene:no\n"
        ),
        [
            "  catlet: new fodder `gene:acme/bbb/1.0:x` (a reference)",
            "  catlet: new fodder `gene:no` (a reference)",
            "  catlet: fodder `gene:acme/aaa/1.0:x` gives `one` another value",
            "  catlet: fodder `gene:acme/aaa/1.0:x` gives `three` too",
            "  catlet: fodder `gene:acme/aaa/1.0:x` does not give `two` any more",
        ],
    ),
]


@pytest.mark.parametrize(
    ("before", "after", "expected"), [pytest.param(*row, id=name) for name, *row in CATLETS]
)
def test_a_catlet_gene(before: str, after: str, expected: list[str]) -> None:
    assert lines([catlet(before)], [catlet(after)]) == expected


def disk(digit: str, more: str = "") -> str:
    return f"format: qcow2\nurl: https://example.com/disk\nsha256: {digit * 64}\n{more}"


GENES = [
    ("new", [], [gene(fodder())], ["  motd: the fodder gene is new"]),
    (
        "gone",
        [gene(fodder(), architecture=HYPERV)],
        [],
        ["  motd [hyperv/amd64]: the fodder gene is gone"],
    ),
    (
        "for one more architecture",
        [gene(fodder(), architecture=HYPERV)],
        [gene(fodder(), architecture=HYPERV), gene(fodder(), architecture=KVM)],
        ["  motd [kvm/amd64]: the fodder gene is new"],
    ),
    (
        "a disk, the same for two architectures",
        [volume(disk("0")), volume(disk("0"), KVM)],
        [volume(disk("1")), volume(disk("1"), KVM)],
        ["  sda [hyperv/amd64, kvm/amd64]: disk sha256:000000000000… → sha256:111111111111…"],
    ),
    (
        "a disk from elsewhere",
        [volume(disk("0"))],
        [volume(disk("0", "size: 5\n").replace("com/disk", "com/other"))],
        [
            (
                "  sda [hyperv/amd64]: disk size is new: 5; "
                "disk url https://example.com/disk → https://example.com/other"
            )
        ],
    ),
    (
        "texts for people",
        [ContentFile("readme.md", "readme", b"a\n")],
        [
            ContentFile("changelog.md", "changelog", b"a\n"),
            ContentFile("readme.md", "readme", b"b\n"),
        ],
        ["  changelog.md is new", "  readme.md changed"],
    ),
]


@pytest.mark.parametrize(
    ("before", "after", "expected"), [pytest.param(*row, id=name) for name, *row in GENES]
)
def test_genes(before: list[ContentFile], after: list[ContentFile], expected: list[str]) -> None:
    assert lines(before, after) == expected


# -- gene sets ------------------------------------------------------------------------------------


def pin(final: GeneSetId = KIT, pool: str = "corp", **more: str) -> Pin:
    return Pin(
        LATEST,
        final,
        pool,
        digest=more.get("digest"),
        files=FrozenMap({"fodder/motd.yaml": more["file"]} if "file" in more else {}),
        disks=FrozenMap({"volumes/hyperv/amd64/sda.yaml": more["disk"]} if "disk" in more else {}),
        signed=more.get("signed"),
    )


OTHER = GeneSetId("acme", "other", "2.0")
ZEROS, ONES = "sha256:" + "0" * 64, "sha256:" + "1" * 64
SETS = [
    ("moved", pin(), pin(NEXT), "acme/kit/latest  1.0 → 1.1   corp"),
    ("to another set", pin(), pin(OTHER), "acme/kit/latest  acme/kit/1.0 → acme/other/2.0   corp"),
    ("from another pool", pin(), pin(pool="hub"), "acme/kit/latest  1.0   corp → hub"),
    ("added", None, pin(), "acme/kit/latest  new (1.0)   corp"),
    ("gone", pin(), None, "acme/kit/latest  gone (1.0)   corp"),
    (
        "another disk",
        pin(disk=ZEROS),
        pin(disk=ONES),
        (
            "acme/kit/latest  1.0   corp   "
            "disk hyperv/amd64 sha256:000000000000… → sha256:111111111111…"
        ),
    ),
    (
        "signed",
        pin(),
        pin(signed="a@b SHA256:x"),
        "acme/kit/latest  1.0   corp\n  signed now, by a@b SHA256:x",
    ),
    (
        "signed by another",
        pin(signed="a@b SHA256:x"),
        pin(signed="c@d SHA256:x"),
        "acme/kit/latest  1.0   corp\n  signed by a@b SHA256:x → c@d SHA256:x",
    ),
    (
        "not signed any more",
        pin(signed="a@b SHA256:x"),
        pin(),
        "acme/kit/latest  1.0   corp\n  not signed any more, was by a@b SHA256:x",
    ),
    (
        "texts that are not at hand",
        pin(file=ZEROS),
        pin(file=ONES),
        "acme/kit/latest  1.0   corp\n  fodder/motd.yaml changed",
    ),
    ("the same", pin(file=ZEROS), pin(file=ZEROS), "1 gene set unchanged"),
]


@pytest.mark.parametrize(
    ("before", "after", "expected"), [pytest.param(*row, id=name) for name, *row in SETS]
)
def test_a_gene_set_by_its_pins(before: Pin | None, after: Pin | None, expected: str) -> None:
    log = change_log([set_changes("acme/kit/latest", Side(pin=before), Side(pin=after))])
    assert written.text(log) == f"{expected}\n"


def test_metadata_and_reference() -> None:
    old = tag(metadata={"_os_type": "linux", "a": "1"}, ref="acme/kit/1.0", id_=LATEST)
    new = tag(metadata={"_os_type": "windows", "b": "2"}, ref="acme/kit/1.1", id_=LATEST)
    assert written.text(compared(old, new)) == (
        "acme/kit/latest\n"
        '  reference: "acme/kit/1.0" → "acme/kit/1.1"\n'
        '  metadata `_os_type`: "linux" → "windows"\n'
        '  metadata `a` is gone, was "1"\n'
        '  metadata `b` is new: "2"\n'
    )


def test_a_set_that_is_new_names_its_genes() -> None:
    whole = tag(gene(fodder()), catlet("name: x\n"), volume(disk("0")))
    new = change_log([set_changes("acme/kit/1.0", NOTHING, Side(whole), ["b.yaml", "a.yaml"])])
    assert written.text(new) == (
        "acme/kit/1.0  new   used by a.yaml, b.yaml\n  genes: catlet, motd, sda [hyperv/amd64]\n"
    )
    assert written.text(compared(whole, None)).startswith("acme/kit/latest  gone (1.0)\n  genes:")


def test_the_log_of_the_documentation() -> None:
    """What the issue shows: one paragraph a set, and the number of the others."""
    was = fodder(
        "- {name: text, value: Welcome}",
        '- name: motd\n  content: |\n    - path: /etc/x\n      content: "{{ text }}"',
    )
    now = fodder(
        "- {name: text, value: Hello}\n- {name: colour, value: none}",
        '- name: motd\n  content: |\n    - path: /etc/x\n      content: "{{ colour }} {{ text }}"',
    )
    one = set_changes(
        "acme/motd/latest",
        Side(tag(gene(was)), pin()._replace(final=GeneSetId("acme", "motd", "1.0"))),
        Side(tag(gene(now)), pin()._replace(final=GeneSetId("acme", "motd", "1.1"))),
        ["prod.yaml", "dev.yaml"],
    )
    same = [set_changes(f"acme/s{n}/1.0", Side(tag()), Side(tag())) for n in range(11)]
    assert written.text(change_log([*same, one])) == (
        "acme/motd/latest  1.0 → 1.1   corp   used by dev.yaml, prod.yaml\n"
        '  motd: new variable `colour` (string, default "none"); '
        '`text`: default "Welcome" → "Hello"\n'
        "  motd: fodder `motd`, 2 lines\n"
        '    -   content: "{{ text }}"\n'
        '    +   content: "{{ colour }} {{ text }}"\n'
        "11 gene sets unchanged\n"
    )


def test_sets_stand_in_order() -> None:
    both = [set_changes(name, NOTHING, Side(tag())) for name in ("b/b/1.0", "a/a/1.0")]
    assert [each.id for each in change_log(both).sets] == ["a/a/1.0", "b/b/1.0"]


def test_many_specs_are_counted() -> None:
    names = [f"s{number}.yaml" for number in range(8)]
    log = change_log([set_changes("acme/kit/1.0", NOTHING, Side(tag()), names)])
    assert "used by s0.yaml, s1.yaml, s2.yaml, s3.yaml, s4.yaml and 3 more\n" in written.text(log)


def test_what_breaks_is_named() -> None:
    log = compared(tag(gene(variable(""))), tag(gene(fodder()), id_=NEXT))
    assert written.text(log).endswith("  breaking: motd: the variable `text` is gone\n")
    (found,) = written.data(log)["sets"][0]["breaks"]
    assert found == {
        "kind": "variable-gone",
        "gene": "motd",
        "type": "fodder",
        "architectures": ["any"],
        "name": "text",
        "message": "motd: the variable `text` is gone",
    }


# -- how much is shown, and what is not -----------------------------------------------------------


def long_text(word: str) -> str:
    inner = "".join(f"    {word} {number}\n" for number in range(30))
    return fodder(entries=f"- name: motd\n  content: |\n{inner}".rstrip())


def test_long_entries_are_cut() -> None:
    log = compared(tag(gene(long_text("old"))), tag(gene(long_text("new")), id_=NEXT))
    short = written.text(log).splitlines()
    assert short[1] == "  motd: fodder `motd`, 60 lines"
    assert len(short) == 2 + written.MOST_LINES + 1
    assert short[-1] == "    … 40 more lines"
    whole = written.text(log, verbose=True).splitlines()
    assert len(whole) == 2 + 60
    assert whole[-1] == "    + new 29"
    (change,) = written.data(log)["sets"][0]["genes"][0]["changes"]
    assert (len(change["lines"]), change["more"]) == (20, 40)
    (change,) = written.data(log, verbose=True)["sets"][0]["genes"][0]["changes"]
    assert (len(change["lines"]), change["more"]) == (60, 0)


def test_long_lines_and_values_are_cut() -> None:
    old = fodder("- {name: a, value: x}", "- {name: motd, content: x}")
    new = fodder(
        "- {name: a, value: " + "y" * 500 + "}", "- {name: motd, content: " + "z" * 500 + "}"
    )
    log = compared(tag(gene(old)), tag(gene(new), id_=NEXT))
    assert max(map(len, written.text(log).splitlines())) < 250
    assert "z" * 500 in written.text(log, verbose=True)


def test_control_characters_are_escaped() -> None:
    hostile = 'name: motd\nvariables:\n- {name: a, value: "\\e[31m\\tx\\u202e"}\nfodder:\n'
    hostile += '- {name: motd, content: "\\e]0;x\\a\\n\\tb"}\n'
    log = compared(
        tag(gene(fodder())), tag(gene(hostile), id_=NEXT, metadata={"_os_name": "\x1b[2Jx\ny"})
    )
    for shown in (written.text(log), written.markdown(log), json_text(written.data(log))):
        assert not set(shown) & {"\x1b", "\x07", "\t", "\u202e"}
    text = written.text(log)
    assert r'default "\u001b[31m\tx\u202e"' in text
    assert r"    + \u001b]0;x\u0007" in text
    assert r'metadata `_os_name` is new: "\u001b[2Jx\u000ay"' in text


def test_markdown_cannot_be_left() -> None:
    text = "- name: motd\n  content: |\n    ```\n    ## @everyone <b>\n    `````\n    x"
    log = compared(tag(gene(fodder())), tag(gene(fodder(entries=text)), id_=NEXT))
    shown = written.markdown(log).splitlines()
    assert shown[:3] == ["### Gene sets: 1 changed", "", "``````text"]
    assert shown[-1] == "``````"
    assert [line for line in shown[3:-1] if line.lstrip(" +-").startswith("``````")] == []


def test_markdown_fits_into_a_pull_request() -> None:
    sets = [
        set_changes(
            f"acme/s{number}/1.0",
            Side(tag(gene(long_text("old")))),
            Side(tag(gene(long_text("new")))),
        )
        for number in range(200)
    ]
    shown = written.markdown(change_log(sets))
    assert 50_000 < len(shown) < 61_000
    assert shown.splitlines()[-1] == "```"
    assert "more lines" in shown.splitlines()[-2]


def test_no_change_is_said() -> None:
    log = compared(tag(), tag())
    assert not log.changed
    assert written.text(log) == "1 gene set unchanged\n"
    assert written.markdown(log).startswith("### Gene sets: nothing changed\n")
    assert written.data(log) == {"changed": False, "sets": [], "unchanged": 1}


@pytest.mark.parametrize(
    ("before", "after"),
    [pytest.param(*row[:2], id=name) for name, *row in (*VARIABLES, *FODDER)],
)
def test_no_form_holds_a_secret(before: str, after: str) -> None:
    """Every secret of these tables is called `geheim`."""
    for log in (
        compared(tag(gene(before)), tag(gene(after), id_=NEXT)),
        compared(tag(gene(after)), tag(gene(before), id_=NEXT)),
    ):
        for shown in (
            written.text(log, verbose=True),
            written.markdown(log, verbose=True),
            json.dumps(written.data(log, verbose=True)),
            repr(log),
        ):
            assert "geheim" not in shown


def test_the_log_is_the_same_every_time() -> None:
    sides = (tag(gene(long_text("old")), volume(disk("0"))), tag(gene(variable("")), id_=NEXT))
    assert written.data(compared(*sides)) == written.data(compared(*sides))


def test_a_text_that_was_made_to_take_long_does_not() -> None:
    """Two texts of many lines are told apart as a whole."""
    words = [
        fodder(
            entries="- name: motd\n  content: |\n"
            + "".join(f"    x\n    {word}{n}\n" for n in range(2000))
        )
        for word in "ab"
    ]
    log = compared(tag(gene(words[0])), tag(gene(words[1]), id_=NEXT))
    (change,) = log.sets[0].genes[0].changes
    assert len(change.lines) == 2 * (2 * 2000 - 1)
