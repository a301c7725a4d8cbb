"""`lock`, `lock --check`, `update`, and builds under a lock."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from cli.command_line import CommandLine
from eryphc.changes.guards import Guard
from eryphc.cli.locking import GUARDS

MOTD = "name: motd\nfodder:\n- name: motd\n  content: |\n    timezone: {}\n"


def gene_set(root: Path, name: str, *, ref: str | None = None, **files: str) -> None:
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    manifest: dict[str, Any] = {"version": "1.1", "geneset": name}
    if ref:
        manifest["ref"] = ref
    (folder / "geneset-tag.json").write_text(json.dumps(manifest))
    for path, text in files.items():
        file = folder / f"{path.replace('__', '/')}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, newline="\n")


@pytest.fixture
def project(eryphc: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A project with a local base and a pool of somebody else's beside it."""
    pool = eryphc.folder / "pool"
    gene_set(pool, "acme/motd/1.0", fodder__motd=MOTD.format("UTC"))
    gene_set(pool, "acme/motd/1.1", fodder__motd=MOTD.format("CET"))
    gene_set(pool, "acme/motd/latest", ref="acme/motd/1.0")
    gene_set(
        eryphc.folder / "project/genes",
        "mine/base/1.0",
        catlet="fodder:\n- source: gene:acme/motd:motd\n",
    )
    eryphc.write(
        "project/eryphc.yaml",
        "pools:\n- {path: genes, orgs: [mine]}\n- {path: ../pool, name: corp}\n",
    )
    eryphc.write("project/dev.yaml", "name: dev\nparent: mine/base/1.0\n")
    eryphc.write("project/prod.yaml", "name: prod\nparent: mine/base/1.0\n")
    monkeypatch.chdir(eryphc.folder / "project")
    return eryphc


def lock(project: CommandLine) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((project.folder / "project/eryph.lock").read_text())
    return data


def move_latest(project: CommandLine) -> None:
    gene_set(project.folder / "pool", "acme/motd/latest", ref="acme/motd/1.1")


def user_data(project: CommandLine, *options: str) -> str:
    done = project("build", "dev.yaml", "--target", "user-data", *options)
    assert done.code == 0, done.err
    return (project.folder / "project/build/dev/user-data/user-data").read_text()


def codes(text: str) -> list[str]:
    return [
        line[line.index("[") + 1 : line.index("]")]
        for line in text.splitlines()
        if "[" in line and "]:" in line and "N0551" not in line
    ]


def test_lock_pins_and_the_build_keeps_to_it(project: CommandLine) -> None:
    assert project("lock", "dev.yaml", "prod.yaml").code == 0
    assert lock(project)["sets"]["acme/motd/latest"] == {"ref": "acme/motd/1.0"}
    assert lock(project)["sets"]["mine/base/1.0"] == {
        "pool": "./genes",
        "requires": ["acme/motd/latest"],
    }
    assert lock(project)["sets"]["acme/motd/1.0"]["pool"] == "corp"
    assert lock(project)["specs"] == {"dev.yaml": ["mine/base/1.0"], "prod.yaml": ["mine/base/1.0"]}
    move_latest(project)
    for options in ((), ("--locked",)):
        assert "UTC" in user_data(project, *options)
    assert project("lock").code == 0
    assert "UTC" in user_data(project)
    assert project("update").code == 0
    assert "CET" in user_data(project, "--locked")
    assert sorted(lock(project)["sets"]) == ["acme/motd/1.1", "acme/motd/latest", "mine/base/1.0"]


def test_order_of_the_specs_and_where_one_stands_do_not_matter(
    project: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = set()
    for names in (("dev.yaml", "prod.yaml"), ("prod.yaml", "dev.yaml", "dev.yaml")):
        assert project("lock", *names).code == 0
        texts.add((project.folder / "project/eryph.lock").read_bytes())
        (project.folder / "project/eryph.lock").unlink()
    monkeypatch.chdir(project.folder)
    assert project("lock", "project/prod.yaml", "project/dev.yaml").code == 0
    texts.add((project.folder / "project/eryph.lock").read_bytes())
    assert len(texts) == 1


def test_nothing_is_written_where_nothing_changes(project: CommandLine) -> None:
    assert project("lock", "dev.yaml").code == 0
    path = project.folder / "project/eryph.lock"
    os.utime(path, (1, 1))
    assert project("lock").code == 0
    assert project("update", "--dry-run").code == 0
    assert path.stat().st_mtime == 1
    move_latest(project)
    assert project("update", "--dry-run").code == 0
    assert path.stat().st_mtime == 1
    assert project("lock", "prod.yaml", "--dry-run").code == 0
    assert path.stat().st_mtime == 1


def test_a_lock_of_one_spec_keeps_the_others(project: CommandLine) -> None:
    assert project("lock", "dev.yaml", "prod.yaml").code == 0
    project.write("project/dev.yaml", "name: dev\n")
    assert project("lock", "dev.yaml").code == 0
    assert lock(project)["specs"] == {"dev.yaml": [], "prod.yaml": ["mine/base/1.0"]}
    (project.folder / "project/prod.yaml").unlink()
    assert project("lock").code == 0
    assert lock(project) == {
        "language": 1,
        "lock_version": 1,
        "sets": {},
        "specs": {"dev.yaml": []},
    }


def test_specs_of_the_project(project: CommandLine) -> None:
    text = "specs: ['*.yaml']\npools:\n- {path: genes, orgs: [mine]}\n- path: ../pool\n"
    project.write("project/eryphc.yaml", text.replace("*", "[dp]*"))
    assert project("lock").code == 0
    assert sorted(lock(project)["specs"]) == ["dev.yaml", "prod.yaml"]
    for wrong in ("../*.yaml", "/x.yaml", "none/*.yaml"):
        project.write("project/eryphc.yaml", text.replace("*.yaml", wrong))
        done = project("lock")
        assert (done.code, codes(done.err)) == (1, ["E0908"])


def test_update_of_one_gene_set(project: CommandLine) -> None:
    gene_set(project.folder / "pool", "acme/other/1.0", fodder__other=MOTD.replace("motd", "other"))
    gene_set(project.folder / "pool", "acme/other/2.0", fodder__other=MOTD.replace("motd", "other"))
    gene_set(project.folder / "pool", "acme/other/latest", ref="acme/other/1.0")
    project.write(
        "project/dev.yaml",
        "name: dev\nparent: mine/base/1.0\nfodder:\n- source: gene:acme/other:other\n",
    )
    assert project("lock", "dev.yaml").code == 0
    move_latest(project)
    gene_set(project.folder / "pool", "acme/other/latest", ref="acme/other/2.0")
    assert project("update", "--gene", "acme/motd").code == 0
    assert lock(project)["sets"]["acme/motd/latest"] == {"ref": "acme/motd/1.1"}
    assert lock(project)["sets"]["acme/other/latest"] == {"ref": "acme/other/1.0"}
    done = project("update", "--gene", "acme/moto")
    assert (done.code, codes(done.err), "acme/motd" in done.err) == (1, ["E1102"], True)
    assert project("update", "--gene", "no").code == 2


# -- checks ---------------------------------------------------------------------------------


def test_check_needs_no_pinned_content(project: CommandLine) -> None:
    assert project("lock", "dev.yaml", "prod.yaml").code == 0
    shutil.rmtree(project.folder / "pool/acme")
    done = project("lock", "--check")
    assert (done.code, done.out) == (0, ""), done.err


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (
            lambda p: p.write("project/dev.yaml", "name: dev\n"),
            "E1102",
            "`dev.yaml` no longer names `mine/base/1.0`",
        ),
        (
            lambda p: p.write("project/dev.yaml", "name: dev\nparent: mine/new/1.0\n"),
            "E1102",
            "`mine/new/1.0`",
        ),
        (
            lambda p: gene_set(
                p.folder / "project/genes",
                "mine/base/1.0",
                catlet="parent: dbosoft/ubuntu-22.04\n",
            ),
            "E1102",
            "the local gene set `mine/base/1.0`",
        ),
        (lambda p: (p.folder / "project/prod.yaml").unlink(), "E1111", "`prod.yaml`"),
        (
            lambda p: p.write(
                "project/eryph.lock",
                json.dumps(
                    lock(p) | {"sets": lock(p)["sets"] | {"acme/bee/1.0": {"ref": "acme/bee/1.1"}}}
                ),
            ),
            "E1111",
            "`acme/bee/1.0`",
        ),
        (lambda p: (p.folder / "project/eryph.lock").unlink(), "E1101", "eryph.lock"),
    ],
)
def test_check_finds(project: CommandLine, change: Any, code: str, says: str) -> None:
    assert project("lock", "dev.yaml", "prod.yaml").code == 0
    change(project)
    before = (project.folder / "project").rglob("*")
    files = {path: path.read_bytes() for path in before if path.is_file()}
    done = project("lock", "--check", "dev.yaml") if code == "E1101" else project("lock", "--check")
    assert done.code == 1
    assert code in codes(done.err)
    assert says in done.err
    assert {path: path.read_bytes() for path in files} == files


def test_check_of_a_new_spec(project: CommandLine) -> None:
    assert project("lock", "dev.yaml").code == 0
    done = project("lock", "--check", "prod.yaml")
    assert (done.code, codes(done.err)) == (1, ["E1102"])


# -- builds under a lock --------------------------------------------------------------------


def test_locked_without_a_lock(project: CommandLine) -> None:
    done = project("build", "dev.yaml", "--target", "user-data", "--locked")
    assert (done.code, codes(done.err)) == (1, ["E1101"])
    assert not (project.folder / "project/build").exists()


def test_what_the_lock_does_not_have(project: CommandLine) -> None:
    project.write("project/other.yaml", "name: other\n")
    assert project("lock", "other.yaml").code == 0
    done = project("build", "dev.yaml", "--target", "user-data")
    assert (done.code, codes(done.err)) == (0, ["W1110"]), done.err
    done = project("build", "dev.yaml", "--target", "user-data", "--locked")
    assert done.code == 1
    assert set(codes(done.err)) == {"E1102"}
    assert "dev.yaml:2:9" in done.err


def test_content_that_changed(project: CommandLine) -> None:
    assert project("lock", "dev.yaml").code == 0
    gene_set(project.folder / "pool", "acme/motd/1.0", fodder__motd=MOTD.format("WET"))
    for options in ((), ("--locked",)):
        done = project("build", "dev.yaml", "--target", "user-data", *options)
        assert (done.code, codes(done.err)) == (1, ["E1109"])
        assert "fodder/motd.yaml" in done.err
        assert "eryph.lock:" in done.err
    # Another architecture's gene is content, too.
    gene_set(project.folder / "pool", "acme/motd/1.0", fodder__motd=MOTD.format("UTC"))
    assert project("build", "dev.yaml", "--target", "user-data").code == 0
    gene_set(project.folder / "pool", "acme/motd/1.0", fodder__any__arm64__motd=MOTD.format("UTC"))
    assert codes(project("build", "dev.yaml", "--target", "user-data").err) == ["E1109"]


def test_content_that_is_gone(project: CommandLine) -> None:
    assert project("lock", "dev.yaml").code == 0
    shutil.rmtree(project.folder / "pool/acme")
    done = project("build", "dev.yaml", "--target", "user-data")
    assert (done.code, codes(done.err)) == (3, ["E1106"])
    assert "the locked content of `acme/motd/1.0` is not to be had: it came from `corp`" in done.err
    assert "looked in `" in done.err
    assert "/pool`, " in done.err
    assert "someone who has it can hand it on with `eryphc gene export`" in done.err
    assert "`eryphc update --gene acme/motd/1.0` takes what there is now" in done.err


def test_the_same_content_from_another_pool(project: CommandLine) -> None:
    assert project("lock", "dev.yaml").code == 0
    (project.folder / "pool").rename(project.folder / "mirror")
    gene_set(project.folder / "pool", "acme/x/1.0")
    assert "UTC" in user_data(project, "--locked", "--genepool", "../mirror")


def test_what_the_author_just_put_beside_the_spec(project: CommandLine) -> None:
    assert project("lock", "dev.yaml").code == 0
    gene_set(project.folder / "project/genes", "acme/motd/1.0", fodder__motd=MOTD.format("WET"))
    done = project("build", "dev.yaml", "--target", "user-data")
    assert (done.code, codes(done.err)) == (0, ["E1109"])
    assert "note[E1109]" in done.err
    assert "WET" in user_data(project)
    done = project("build", "dev.yaml", "--target", "user-data", "--locked")
    assert (done.code, codes(done.err)) == (1, ["E1109"])


def test_local_sets_are_what_they_are_now(project: CommandLine) -> None:
    assert project("lock", "dev.yaml").code == 0
    gene_set(
        project.folder / "project/genes",
        "mine/base/1.0",
        catlet="fodder:\n- name: x\n  content:\n    timezone: MET\n",
    )
    assert "MET" in user_data(project, "--locked")


def test_two_pools_for_one_gene_set(project: CommandLine) -> None:
    for name in ("a", "b"):
        gene_set(
            project.folder / f"project/{name}/genes",
            "mine/own/1.0",
            fodder__own=MOTD.replace("motd", "own"),
        )
        project.write(
            f"project/{name}/spec.yaml", f"name: {name}\nfodder:\n- source: gene:mine/own/1.0:own\n"
        )
    done = project("lock", "a/spec.yaml", "b/spec.yaml")
    assert (done.code, codes(done.err)) == (1, ["E1108"])
    assert not (project.folder / "project/eryph.lock").exists()


def test_a_set_that_nobody_has(project: CommandLine) -> None:
    project.write("project/dev.yaml", "name: dev\nfodder:\n- source: gene:acme/mott/1.0:motd\n")
    done = project("lock", "dev.yaml")
    assert (done.code, codes(done.err)) == (1, ["E0302"])
    assert "dev.yaml:3:16" in done.err


def test_after_a_merge(project: CommandLine) -> None:
    """`lock` goes on from a conflict; nothing else does."""
    assert project("lock", "dev.yaml").code == 0
    path = project.folder / "project/eryph.lock"
    line = '    "dev.yaml": [\n'
    assert line in path.read_text()
    marks = f"<<<<<<< HEAD\n{line}=======\n{line}>>>>>>> other\n"
    path.write_text(path.read_text().replace(line, marks))
    done = project("build", "dev.yaml", "--target", "user-data")
    assert (done.code, codes(done.err)) == (1, ["E1105"])
    assert project("lock").code == 0
    assert "<<<" not in path.read_text()
    assert "UTC" in user_data(project, "--locked")


@pytest.mark.parametrize("key", ["lock_version", "language"])
def test_a_lock_of_a_newer_tool(project: CommandLine, key: str) -> None:
    assert project("lock", "dev.yaml").code == 0
    path = project.folder / "project/eryph.lock"
    path.write_text(json.dumps(lock(project) | {key: 2}))
    before = path.read_bytes()
    for words in (("build", "dev.yaml", "--target", "user-data"), ("lock",), ("update",)):
        done = project(*words)
        assert (done.code, codes(done.err)) == (1, ["E1104"])
        assert f"the lock has `{key}` 2; this eryphc knows 1" in done.err
        assert "help: use a newer eryphc" in done.err
    assert path.read_bytes() == before


NO_FILES: dict[str, tuple[Any, str]] = {
    "folder": (Path.mkdir, "it is a folder, not a file"),
    "broken link": (lambda path: path.symlink_to("nowhere"), "it is a link that leads nowhere"),
}
if hasattr(os, "mkfifo"):
    NO_FILES["pipe"] = (os.mkfifo, "it is no plain file")


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_is_no_missing_lock(
    project: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Else a build would take whatever the pools have, or wait for ever."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    make, says = NO_FILES[kind]
    path = project.folder / "project/eryph.lock"
    make(path)
    build = ("build", "dev.yaml", "--target", "user-data")
    for words in (
        build,
        (*build, "--locked"),
        (*build, "--cache"),
        ("check", "dev.yaml"),
        ("lock", "dev.yaml"),
        ("lock",),
        ("lock", "--check", "dev.yaml"),
        ("update", "dev.yaml"),
        ("gene", "pull", "--lock"),
        ("gene", "export", "--lock", "-o", "layout"),
    ):
        if kind == "broken link" and words[0] in ("lock", "update") and len(words) > 1:
            # These follow the link and write the file that it leads to.
            continue
        done = project(*words)
        shown = done.err + done.out
        assert (done.code, f"error[E1105]: the lock cannot be used: {says}" in shown) == (
            1,
            True,
        ), (words, shown)
        assert "eryph.lock" in shown
    assert not (project.folder / "project/build").exists()
    assert not path.is_file()


def test_standard_genes_are_pinned(eryphc: CommandLine) -> None:
    eryphc.write("web.yaml", "name: web\nparent: dbosoft/ubuntu-22.04\n")
    assert eryphc("lock", "web.yaml").code == 0
    data = json.loads((eryphc.folder / "eryph.lock").read_text())
    assert data["sets"]["dbosoft/ubuntu-22.04/std-1.0"]["pool"] == "standard"
    assert eryphc("build", "web.yaml", "--target", "cloud-init", "--locked").code == 0
    files = data["sets"]["dbosoft/ubuntu-22.04/std-1.0"]["files"]
    files["catlet.yaml"] = "sha256:" + "0" * 64
    eryphc.write("eryph.lock", json.dumps(data))
    done = eryphc("build", "web.yaml", "--target", "cloud-init")
    assert (done.code, codes(done.err)) == (1, ["E1109"])


def test_standard_input_has_no_lock(eryphc: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    done = eryphc.spawn("lock", "-", stdin=b"name: web\n")
    assert (done.code, codes(done.err)) == (2, ["E0901"])


def test_damaged_locks_give_no_traceback(project: CommandLine) -> None:
    assert project("lock", "dev.yaml", "prod.yaml").code == 0
    path = project.folder / "project/eryph.lock"
    good = path.read_bytes()
    chance = random.Random(13)  # noqa: S311 - only damage
    for _ in range(20):
        damaged = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        for command in (("check", "dev.yaml"), ("lock", "--check"), ("lock",)):
            done = project(*command)
            assert done.code in (0, 1, 3)
            assert "E0917" not in done.out + done.err


def test_the_disk_of_a_standard_base(eryphc: CommandLine) -> None:
    eryphc.write("catlet.yaml", "name: web\nparent: dbosoft/ubuntu-24.04/std-1.1\n")
    done = eryphc("lock", "catlet.yaml", "--disks", "--offline")
    assert done.code == 0, done.err
    data = json.loads((eryphc.folder / "eryph.lock").read_text())
    disks = data["sets"]["dbosoft/ubuntu-24.04/std-1.1"]["disks"]
    assert sorted(disks) == ["volumes/hyperv/amd64/sda.yaml", "volumes/kvm/amd64/sda.yaml"]
    assert all("/release-20260826/" in disk["url"] for disk in disks.values())


# -- what changes, and what may not change unseen -------------------------------------------


def test_the_change_log(project: CommandLine) -> None:
    done = project("lock", "dev.yaml", "prod.yaml")
    assert "acme/motd/latest  new (1.0)   corp   used by dev.yaml, prod.yaml" in done.out
    move_latest(project)
    for options in ((), ("--dry-run",)):
        done = project("update", "--dry-run", *options)
        assert "acme/motd/latest  1.0 → 1.1   corp   used by dev.yaml, prod.yaml" in done.out
        assert "    - timezone: UTC" in done.out
        assert "    + timezone: CET" in done.out
        assert "eryph.lock would be written" in done.err
    data = json.loads(project("update", "--dry-run", "--format", "json").out)
    assert [each["id"] for each in data["sets"]] == ["acme/motd/latest"]
    assert project("update", "--dry-run", "--format", "markdown").out.startswith("### Gene sets: 1")
    assert project("update").code == 0
    data = json.loads(project("update", "--format", "json").out)
    assert data == {"changed": False, "sets": [], "unchanged": 1}


@pytest.mark.parametrize(
    ("change", "guards"),
    [
        (
            lambda pool: gene_set(pool, "acme/motd/1.0", fodder__motd=MOTD.format("WET")),
            ["changed-tag"],
        ),
        (lambda pool: gene_set(pool, "acme/motd/latest", ref="acme/motd/2.0"), ["major"]),
        (lambda pool: gene_set(pool, "acme/motd/latest", ref="acme/motd/0.9"), ["older"]),
        (lambda pool: gene_set(pool, "acme/motd/latest", ref="acme/hello/1.0"), ["other-set"]),
        (lambda pool: gene_set(pool, "acme/motd/latest", ref="acme/motd/1.2"), ["breaking"]),
    ],
)
def test_guards(project: CommandLine, change: Any, guards: list[str]) -> None:
    pool = project.folder / "pool"
    for name in ("acme/motd/2.0", "acme/motd/0.9", "acme/hello/1.0"):
        gene_set(pool, name, fodder__motd=MOTD.format("UTC"))
    more = "name: motd\nvariables:\n- name: zone\n  required: true\n"
    gene_set(pool, "acme/motd/1.2", fodder__motd=more + MOTD.format("UTC").partition("\n")[2])
    assert project("lock", "dev.yaml").code == 0
    path = project.folder / "project/eryph.lock"
    before = path.read_bytes()
    change(pool)
    done = project("update")
    assert (done.code, codes(done.err)) == (1, ["E1107"] * len(guards))
    assert all(f"--accept {guard}" in done.err for guard in guards)
    assert "acme/motd/latest" in done.out
    assert path.read_bytes() == before
    done = project("update", *(word for guard in guards for word in ("--accept", guard)))
    assert done.code == 0, done.err
    assert path.read_bytes() != before


def test_another_pool_is_guarded(project: CommandLine) -> None:
    assert project("lock", "dev.yaml").code == 0
    (project.folder / "pool").rename(project.folder / "mirror")
    gene_set(project.folder / "pool", "acme/xxx/1.0")
    done = project("update", "--genepool", "../mirror")
    assert (done.code, codes(done.err)) == (1, ["E1107"])
    assert "`corp` and now comes from `../mirror`" in done.err


def test_every_guard_can_be_accepted() -> None:
    assert tuple(Guard) == GUARDS


def test_check_sees_marks_of_a_merge(project: CommandLine) -> None:
    """Also where both sides say the same: a build refuses the file."""
    project("lock", "dev.yaml")
    path = project.folder / "project/eryph.lock"
    text = path.read_text()
    path.write_text(f"<<<<<<< ours\n{text}=======\n{text}>>>>>>> theirs\n", newline="\n")
    done = project("lock", "--check")
    assert (done.code, "error[E1105]: the lock cannot be used: a merge left" in done.err) == (
        1,
        True,
    )
    assert "--> eryph.lock:1:1" in done.err
    done = project("lock")
    assert done.code == 0
    assert " is written (3 gene sets); what is pinned stays the same" in done.err
    assert project("lock", "--check").code == 0
