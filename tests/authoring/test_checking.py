"""What `gene check` finds in the texts of a tag."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from authoring.sets import MOTD_SET, tag_json, write_set
from eryphc import Session
from eryphc.sharing import CheckedSets, checked_sets

GENE = "name: motd\nfodder:\n- {name: a, content: x}\n"


def check(folder: Path) -> CheckedSets:
    return checked_sets(Session(folder, environment={}), [folder])


def found(folder: Path) -> list[str]:
    """Code and message of each finding."""
    return [f"{each.code} {each.message}" for each in check(folder).diagnostics]


def test_the_example_has_no_fault(tmp_path: Path) -> None:
    checked = check(write_set(tmp_path))
    assert (checked.ok, checked.diagnostics) == (True, ())
    assert checked.genesets == ("acme/motd/1.0",)


def facts(**changes: object) -> dict[str, str]:
    return {"geneset.json": json.dumps(MOTD_SET | changes)}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        pytest.param(facts(geneset="acme/other"), "E1033 `acme/motd` cannot be published: "
                     "`geneset` of `geneset.json` is not `acme/motd`", id="another set"),
        pytest.param(facts(short_description=None), "E1033 `acme/motd` cannot be published: "
                     "`short_description` of `geneset.json` is no line of 1 to 90 characters",
                     id="no description"),
        pytest.param(facts(short_description="x" * 91), "E1033 `acme/motd` cannot be published: "
                     "`short_description` of `geneset.json` is no line of 1 to 90 characters",
                     id="a long description"),
        pytest.param(facts(description="two\nlines"), "E1033 `acme/motd` cannot be published: "
                     "`description` of `geneset.json` is no line of 1 to 200 characters",
                     id="two lines"),
        pytest.param(facts(metadata={"a": 1}), "E1033 `acme/motd` cannot be published: "
                     "`metadata` of `geneset.json` is no object of texts", id="a number"),
        pytest.param(facts(metadata={"_tags": "a, b, c, d"}), "E1033 `acme/motd` cannot be "
                     "published: `_tags` of `geneset.json` lists more than 3", id="four tags"),
        pytest.param(facts(metadata={"_os_types": "linux,dos"}), "E1033 `acme/motd` cannot be "
                     "published: `_os_types` of `geneset.json` lists what is none of windows, "
                     "linux, freebsd", id="an unknown system"),
        pytest.param({"1.0/geneset-tag.json": tag_json("1.0", metadata={"_os_type": "dos"})},
                     "E1033 `acme/motd/1.0` cannot be published: `_os_type` of its manifest is "
                     "none of windows, linux, freebsd", id="a system of the tag"),
        pytest.param({"1.0/geneset-tag.json": None,
                      "latest/geneset-tag.json": tag_json("latest"),
                      "1.0/fodder/motd.yaml": None, "latest/fodder/motd.yaml": GENE},
                     "E1028 `acme/motd/latest` holds genes, but its tag moves: what is built with "
                     "it would change", id="a moving tag"),
        pytest.param({"1.0/fodder/con.yaml": GENE.replace("motd", "con")},
                     "W1034 `acme/motd/1.0` has the file `fodder/con.yaml`, and Windows takes such "
                     "a name for a device", id="a device"),
        pytest.param({"1.0/fodder/x.yaml": f"{GENE.replace('motd', 'x')}variables: [{{name: no}}]"},
                     "W1035 `gene:acme/motd/1.0:x` declares the variable `no`, and no content of "
                     "it holds `{{ no }}`", id="an unused variable"),
        pytest.param({"1.0/fodder/hyprev/x.yaml": GENE}, "W1036 `1.0/fodder/hyprev/x.yaml` is no "
                     "gene: it lies in no folder of an architecture", id="a misspelt folder"),
        pytest.param({"1.0/fodder/hyperv/x86/x.yaml": GENE}, "W1036 `1.0/fodder/hyperv/x86/x.yaml` "
                     "is no gene: it lies in no folder of an architecture", id="a processor"),
        pytest.param({"1.0/fodder/any/x.yaml": GENE}, "W1036 `1.0/fodder/any/x.yaml` is no gene: "
                     "it lies in no folder of an architecture", id="a folder any"),
        pytest.param({"1.0/fodder/two.yaml": GENE}, "W0318 two files of one gene set hold the "
                     "fodder gene `motd` for `any`; the later one by file name counts",
                     id="one gene twice"),
        pytest.param({"1.0/volumes/sda.yaml": "format: iso\n"}, "E0317 the description of the "
                     "volume is not valid: `url` is missing", id="a volume"),
    ],
)  # fmt: skip
def test_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str | None], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert said in found(write_set(tmp_path, files))


def codes(folder: Path) -> list[str]:
    return [each.code for each in check(folder).diagnostics]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("fodder:\n- {name: a, content: x}\n", "E0202", id="no name"),
        pytest.param("name: [motd\n", "E0101", id="no YAML"),
        pytest.param(f"{GENE}frob: 1\n", "E0113", id="an unknown key"),
        pytest.param("name: motd\nfodder:\n- {name: a, content: '{{ nope }}'}\n", "E0411",
                     id="a variable that is not declared"),
    ],
)  # fmt: skip
def test_texts_are_read_and_compiled(tmp_path: Path, text: str, code: str) -> None:
    folder = write_set(tmp_path, {"1.0/fodder/motd.yaml": text})
    assert code in codes(folder), codes(folder)


def test_genes_of_each_architecture_are_compiled(tmp_path: Path) -> None:
    wrong = "name: motd\nfodder:\n- {name: a, content: '{{ nope }}'}\n"
    folder = write_set(tmp_path, {"1.0/fodder/kvm/amd64/motd.yaml": wrong})
    (fault,) = check(folder).diagnostics
    assert fault.file is not None
    assert fault.file.endswith("1.0/fodder/kvm/amd64/motd.yaml")


def test_required_values_are_made_up(tmp_path: Path) -> None:
    gene = (
        "name: motd\nvariables:\n"
        "- {name: one, required: true}\n"
        "- {name: two, type: number, required: true}\n"
        "- {name: three, type: boolean, required: true, secret: true}\n"
        "fodder:\n- {name: a, content: '{{ one }} {{ two }} {{ three }}'}\n"
    )
    catlet = "variables: [{name: four, required: true}]\nfodder: [{name: b, content: '{{ four }}'}]"
    files = {"1.0/fodder/motd.yaml": gene, "1.0/catlet.yaml": catlet}
    assert found(write_set(tmp_path, files)) == []


def test_catlets_are_bred_with_what_lies_beside(tmp_path: Path) -> None:
    files = {
        "1.1/geneset-tag.json": tag_json("1.1"),
        "1.1/catlet.yaml": "fodder:\n- source: gene:acme/motd/1.0:motd\n"
        "- source: gene:acme/motd/1.0:other\n",
    }
    (fault,) = check(write_set(tmp_path, files)).diagnostics
    assert (fault.code, "`other`" in fault.message) == ("E0301", True)


def test_what_lies_in_a_registry_perhaps_is_a_warning(tmp_path: Path) -> None:
    catlet = "parent: acme/elsewhere/1.0\n"
    checked = check(write_set(tmp_path, {"1.0/catlet.yaml": catlet}))
    assert checked.ok
    assert [each.code for each in checked.diagnostics] == ["E0302"]
    assert [each.level.value for each in checked.diagnostics] == ["warning"]


def test_tags_at_hand_come_before_all_pools(tmp_path: Path) -> None:
    """Another version of the set, in a pool that an option names, is not what is compiled."""
    write_set(tmp_path / "genes/acme/motd")
    gene = "name: motd\nfodder:\n- {name: a, content: '{{ nope }}'}\n"
    folder = write_set(tmp_path / "work", {"1.0/fodder/motd.yaml": gene})
    session = Session(tmp_path, environment={}, genepools=[tmp_path / "genes"])
    checked = checked_sets(session, [folder])
    assert [each.code for each in checked.diagnostics] == ["E0411"]


def test_an_alias_has_no_faults_of_its_own(tmp_path: Path) -> None:
    files = {"latest/geneset-tag.json": tag_json("latest", ref="acme/motd/1.0")}
    checked = check(write_set(tmp_path, files))
    assert checked.diagnostics == ()
    assert checked.genesets == ("acme/motd/1.0", "acme/motd/latest")


def test_secret_values_are_not_told(tmp_path: Path) -> None:
    gene = (
        "name: motd\nvariables:\n- name: pw\n  secret: true\n  value: hunter2\n"
        "fodder:\n- {name: a, content: x}\n"
    )
    checked = check(write_set(tmp_path, {"1.0/fodder/motd.yaml": gene}))
    assert [each.code for each in checked.diagnostics] == ["W1035"]
    assert "hunter2" not in repr(checked.diagnostics)


def test_a_fault_of_a_catlet_is_told_once_and_where_it_stands(tmp_path: Path) -> None:
    (fault,) = check(write_set(tmp_path, {"1.0/catlet.yaml": "frob: 1\n"})).diagnostics
    assert fault.file is not None
    assert fault.file.endswith("1.0/catlet.yaml")


def test_a_copy_that_says_it_is_the_first(tmp_path: Path) -> None:
    """Else one of the two would go nowhere, without a word."""
    write_set(tmp_path / "motd", {"1.1/geneset-tag.json": tag_json("1.0")})
    (fault,) = check(tmp_path / "motd").diagnostics
    assert (fault.code, fault.message.partition(":")[0]) == (
        "E1033",
        "`acme/motd/1.0` cannot be published",
    )
    assert fault.message.endswith("motd/1.1` say that they are it")
    assert fault.help == "each folder names its own tag as `geneset` of its `geneset-tag.json`"
