"""Inheritance: what a child takes over, what it replaces, what it removes."""

from __future__ import annotations

from pathlib import Path

import pytest

from catlets import Result, run, write_pool
from eryphc.diagnostics.model import Level, related
from eryphc.ir.compat import Compat

KIT = (
    "name: tls\nvariables: [{name: days}]\nfodder: [{name: a, content: x}, {name: b, content: y}]\n"
)


def bred(tmp_path: Path, parent: str, child: str) -> Result:
    pool = write_pool(
        tmp_path, {"acme/base/1.0": {"catlet.yaml": parent}, "acme/kit/1.0": {"fodder/a.yaml": KIT}}
    )
    return run(f"parent: acme/base/1.0\n{child}", pool, until="breed")


@pytest.mark.parametrize(
    ("parent", "child", "expected"),
    [
        pytest.param("memory: 2048\n", "memory: 512\n", (512, None, None), id="replaced"),
        pytest.param(
            "memory: {startup: 2048, minimum: 1024}\n",
            "memory: {maximum: 4096}\n",
            (2048, 1024, 4096),
            id="field by field",
        ),
        pytest.param("cpu: 2\n", "memory: {}\n", (1024, None, None), id="the default comes last"),
    ],
)
def test_memory(tmp_path: Path, parent: str, child: str, expected: tuple[int | None, ...]) -> None:
    memory = bred(tmp_path, parent, child).value.memory
    assert memory is not None
    assert (memory.startup, memory.minimum, memory.maximum) == expected


def test_sizes_that_no_longer_fit_each_other_are_a_warning(tmp_path: Path) -> None:
    result = bred(tmp_path, "memory: {startup: 2048, minimum: 1024}\n", "memory: 512\n")
    assert result.errors() == []
    (found,) = result.diagnostics
    assert found.level is Level.WARNING
    assert found.primary is not None
    assert Path(found.primary.span.source.name).name == "catlet.yaml"


@pytest.mark.parametrize(
    ("parent", "child", "expected"),
    [
        pytest.param("size: 20", "size: 40", {"size": 40}, id="size replaced"),
        pytest.param("size: 20", "store: fast", {"size": 20, "store": "fast"}, id="size kept"),
        pytest.param(
            "source: 'C:\\a.vhdx'", "source: ''", {"source": None}, id="an empty source clears"
        ),
        pytest.param("type: dvd", "size: 1", {"type": "dvd"}, id="type kept"),
        pytest.param(
            "size: 20, store: fast",
            "mutation: overwrite, type: phd",
            {"size": None, "store": "default", "type": "phd"},
            id="overwritten",
        ),
    ],
)
def test_drives(tmp_path: Path, parent: str, child: str, expected: dict[str, object]) -> None:
    result = bred(
        tmp_path,
        f"drives:\n- {{name: sda, {parent}}}\n",
        f"drives:\n- {{name: SDA, {child}}}\n",
    )
    (drive,) = result.value.drives or ()
    assert {key: getattr(drive, key) for key in expected} == expected


def test_a_type_that_does_not_fit_an_inherited_source(tmp_path: Path) -> None:
    parent = "drives: [{name: sda, source: 'gene:acme/kit/1.0:disk'}]\n"
    result = bred(tmp_path, parent, "drives:\n- name: sda\n  type: phd\n")
    assert result.errors() == [
        (
            "E0406 spec.yaml:4: the drive `sda` inherits the source `gene:acme/kit/1.0:disk`, "
            "which needs the type `vhd`, not `phd`"
        )
    ]


def test_lists_are_sorted_as_if_in_capitals(tmp_path: Path) -> None:
    result = bred(
        tmp_path,
        "variables: [{name: ab_c}, {name: abcd}]\n",
        "variables: [{name: Ab2}]\n",
    )
    assert [v.name for v in result.value.variables or ()] == ["ab2", "abcd", "ab_c"]


def test_a_catlet_without_parent_keeps_its_order() -> None:
    result = run("variables: [{name: b}, {name: a}]\n", until="breed")
    assert [v.name for v in result.value.variables or ()] == ["b", "a"]


def test_one_gene_set_with_two_tags(tmp_path: Path) -> None:
    pool = write_pool(
        tmp_path,
        {
            "acme/base/1.0": {"catlet.yaml": "fodder:\n- source: gene:acme/kit/1.0:tls\n"},
            "acme/kit/1.0": {"fodder/a.yaml": KIT},
            "acme/kit/2.0": {"fodder/a.yaml": KIT},
            "acme/kit/latest": {"ref": "acme/kit/2.0"},
        },
    )
    result = run("parent: acme/base/1.0\nfodder:\n- source: gene:acme/kit:tls\n", pool)
    found = result.only("E0218")
    assert found.message == (
        "the gene set `acme/kit` is used with two tags in one pedigree: `1.0` and `2.0`"
    )
    assert [Path(label.span.source.name).name for label in related(found)] == ["catlet.yaml"]


REFERENCE = "fodder:\n- source: gene:acme/kit/1.0:tls\n"
FODDER_A = "fodder:\n- {name: a, source: 'gene:acme/kit/1.0:tls'}\n"


@pytest.mark.parametrize(
    ("grandparent", "parent", "child", "ours", "as_built"),
    [
        pytest.param(
            "", REFERENCE, FODDER_A + "  remove: true\n", ["b"], ["a", "b"], id="one food of a gene"
        ),
        pytest.param(
            "", FODDER_A, REFERENCE + "  remove: true\n", [], ["a"], id="the gene of one food"
        ),
        pytest.param("", REFERENCE, REFERENCE + "  remove: true\n", [], [], id="the same key"),
        pytest.param(
            "", REFERENCE + "  remove: true\n", FODDER_A, ["a"], ["a"], id="a younger food stays"
        ),
        pytest.param(
            REFERENCE,
            FODDER_A + "  remove: true\n",
            REFERENCE,
            ["a", "b"],
            ["a", "b"],
            id="named again by a younger document",
        ),
        pytest.param(
            FODDER_A,
            REFERENCE + "  remove: true\n",
            "fodder:\n- {name: b, source: 'gene:acme/kit/1.0:tls'}\n",
            ["b"],
            ["a", "b"],
            id="only what is older",
        ),
        pytest.param(
            REFERENCE,
            REFERENCE + "  remove: true\n",
            REFERENCE + "  remove: false\n",
            ["a", "b"],
            ["a", "b"],
            id="brought back",
        ),
        pytest.param(
            REFERENCE, REFERENCE + "  remove: true\n", REFERENCE, [], [], id="stays removed"
        ),
        pytest.param(
            "",
            "",
            REFERENCE + FODDER_A.removeprefix("fodder:\n") + "  remove: true\n",
            ["b"],
            ["a", "b"],
            id="in one document",
        ),
    ],
)
def test_removals_act_on_their_own_and_on_older_documents(
    tmp_path: Path,
    grandparent: str,
    parent: str,
    child: str,
    ours: list[str],
    as_built: list[str],
) -> None:
    def flow(text: str) -> str:
        return (
            text.replace("'}\n  remove", "',\n   remove").replace(
                "remove: true\n", "remove: true}\n"
            )
            if "{name" in text and "remove" in text
            else text
        )

    pool = write_pool(
        tmp_path,
        {
            "acme/old/1.0": {"catlet.yaml": f"cpu: 1\n{flow(grandparent)}"},
            "acme/base/1.0": {"catlet.yaml": f"parent: acme/old/1.0\n{flow(parent)}"},
            "acme/kit/1.0": {"fodder/a.yaml": KIT},
        },
    )
    spec = f"parent: acme/base/1.0\n{flow(child)}"
    result = run(spec, pool, until="feed")
    assert [fodder.name for fodder in result.fodder_entries] == ours, result.shown()
    original = run(spec, pool, until="feed", compat=Compat.ERYPH)
    assert [fodder.name for fodder in original.fodder_entries] == as_built
    notes = [d.code.number for d in result.diagnostics if d.code.number == "N0420"]
    assert bool(notes) == (ours != as_built)


BASE = (
    "drives: [{name: data}]\nnetwork_adapters: [{name: eth0}]\ncapabilities: [secure_boot]\n"
    "fodder: [{name: motd, content: x}, {source: 'gene:acme/kit/1.0:tls'}]\n"
)


@pytest.mark.parametrize(
    ("child", "help_text"),
    [
        ("drives: [{name: dat, mutation: remove}]", "did you mean `data`?"),
        ("network_adapters: [{name: eth1, mutation: remove}]", "did you mean `eth0`?"),
        ("capabilities: [{name: secureboot, mutation: remove}]", "did you mean `secure_boot`?"),
        ("fodder: [{name: mtd, remove: true}]", "did you mean `motd`?"),
        (
            "fodder: [{source: 'gene:acme/kit/1.0:tlz', remove: true}]",
            "did you mean `gene:acme/kit/1.0:tls`?",
        ),
        (
            "fodder: [{source: 'gene:acme/kit/1.0:tls', name: bb, remove: true}]",
            "did you mean `b`?",
        ),
        ("fodder: [{name: nothing, remove: true}]", None),
    ],
)
@pytest.mark.parametrize("compat", Compat)
def test_a_removal_that_removes_nothing(
    tmp_path: Path, child: str, help_text: str | None, compat: Compat
) -> None:
    pool = write_pool(
        tmp_path,
        {"acme/base/1.0": {"catlet.yaml": BASE}, "acme/kit/1.0": {"fodder/a.yaml": KIT}},
    )
    found = run(f"parent: acme/base/1.0\n{child}\n", pool, compat=compat).only("W0426")
    assert found.level is Level.WARNING
    assert found.help == help_text
    assert found.primary is not None
    assert found.primary.span.line == 2


@pytest.mark.parametrize(
    "child",
    [
        "drives: [{name: DATA, mutation: remove}]",
        "network_adapters: [{name: eth0, mutation: remove}]",
        "capabilities: [{name: secure_boot, mutation: remove}]",
        "fodder: [{name: motd, remove: true}]",
        "fodder: [{source: 'gene:acme/kit/1.0:tls', remove: true}]",
        "fodder: [{source: 'gene:acme/kit/1.0:tls', name: b, remove: true}]",
        "networks: [{name: default, mutation: remove}]",
    ],
)
def test_a_removal_that_removes_something(tmp_path: Path, child: str) -> None:
    pool = write_pool(
        tmp_path,
        {"acme/base/1.0": {"catlet.yaml": BASE}, "acme/kit/1.0": {"fodder/a.yaml": KIT}},
    )
    result = run(f"parent: acme/base/1.0\n{child}\n", pool)
    assert "W0426" not in [each.code.number for each in result.diagnostics]


def test_a_removal_without_a_parent_removes_nothing() -> None:
    assert run("drives: [{name: a, mutation: remove}]\n").only("W0426")
    assert run("fodder: [{name: a, remove: true}]\n").only("W0426")


BOUND = "fodder: [{source: 'gene:acme/kit/1.0:tls', variables: [{name: days, value: x}]}]\n"


@pytest.mark.parametrize(
    ("child", "drops"),
    [
        ("", False),
        ("fodder: [{source: 'gene:acme/kit/1.0:tls'}]\n", True),
        (
            "fodder: [{source: 'gene:acme/kit/1.0:tls', variables: [{name: more, value: y}]}]\n",
            True,
        ),
        (
            "fodder: [{source: 'gene:acme/kit/1.0:tls', variables: [{name: Days, value: y}]}]\n",
            False,
        ),
        ("fodder: [{source: 'gene:acme/kit/1.0:tls', remove: true}]\n", False),
    ],
)
def test_bindings_that_are_dropped(tmp_path: Path, child: str, drops: bool) -> None:  # noqa: FBT001
    kit = KIT.replace("[{name: days}]", "[{name: days, required: true}, {name: more}]")
    pool = write_pool(
        tmp_path, {"acme/base/1.0": {"catlet.yaml": BOUND}, "acme/kit/1.0": {"fodder/a.yaml": kit}}
    )
    result = run(f"parent: acme/base/1.0\n{child}", pool)
    codes = [each.code.number for each in result.diagnostics]
    assert codes == (["N0427", "E0413"] if drops else [])
    if drops:
        note, missing = result.only("N0427"), result.only("E0413")
        assert [each.message for each in note.related] == ["was bound here"]
        assert "an ancestor binds it here" in missing.related[-1].message


def test_a_removal_that_is_inherited_is_a_warning(tmp_path: Path) -> None:
    pool = write_pool(
        tmp_path,
        {
            "acme/base/1.0": {"catlet.yaml": REFERENCE + "  remove: true\n"},
            "acme/kit/1.0": {"fodder/a.yaml": KIT},
        },
    )
    found = run(f"parent: acme/base/1.0\n{REFERENCE}", pool).only("W0421")
    assert found.help == "write `remove: false` to bring it back"
    assert found.primary is not None
    assert found.primary.span.line == 3


@pytest.mark.parametrize(
    ("parent", "child", "expected"),
    [
        pytest.param(
            "{name: m, type: shellscript, content: old, filename: a.sh}",
            "{name: M, content: new}",
            ("shellscript", "new", "a.sh", None),
            id="content alone",
        ),
        pytest.param(
            "{name: m, content: old}",
            "{name: m, source: 'gene:acme/base/1.0:catlet'}",
            (None, "old", None, "gene:acme/base/1.0:catlet"),
            id="through its source",
        ),
    ],
)
def test_fodder_is_merged(
    tmp_path: Path, parent: str, child: str, expected: tuple[str | None, ...]
) -> None:
    (fodder,) = bred(tmp_path, f"fodder:\n- {parent}\n", f"fodder:\n- {child}\n").fodder_entries
    text = fodder.content.text if fodder.content else None
    assert (fodder.type, text, fodder.filename, fodder.source) == expected


def test_a_merged_value_keeps_its_place(tmp_path: Path) -> None:
    result = bred(
        tmp_path, "drives:\n- name: sda\n  size: 20\n", "drives: [{name: sda, store: s}]\n"
    )
    (drive,) = result.value.drives or ()
    size, store = drive.at("size"), drive.at("store")
    assert size is not None
    assert store is not None
    assert (Path(size.source.name).name, size.line) == ("catlet.yaml", 3)
    assert (store.source.name, store.text) == ("spec.yaml", "s")
