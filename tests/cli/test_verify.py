"""`eryphc build --provenance --sbom` and `eryphc verify`: what was built is what lies there."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catlets import write_pool
from cli.command_line import CommandLine
from provenance.referees import read_sbom, read_statement

CANARY = "CaNaRy4711"
SPEC = """\
name: web
variables:
- name: text
  value: hello
- name: pw
  secret: true
fodder:
- source: gene:acme/motd/1.0:motd
  variables:
  - {name: text, value: "{{ text }}"}
"""
SECRET = SPEC + "- name: own\n  content: 'password: {{ pw }}'\n"
MOTD = """\
name: motd
variables:
- name: text
fodder:
- name: motd
  content: 'hostname: {{ text }}'
"""


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def project(eryphc: CommandLine) -> CommandLine:
    write_pool(eryphc.folder / "genes", {"acme/motd/1.0": {"fodder/motd.yaml": MOTD}})
    eryphc.write("web.yaml", SPEC)
    eryphc.write("secret.yaml", SECRET.replace("name: web", "name: secret", 1))
    return eryphc


def build(project: CommandLine, *more: str, spec: str = "web.yaml") -> None:
    words = ("build", spec, "--target", "cloud-init", *more)
    done = project(*words)
    assert done.code == 0, done.err


@pytest.fixture
def built(project: CommandLine) -> CommandLine:
    build(project, "--provenance", "--sbom")
    return project


FOLDER = "build/web/cloud-init"
STATEMENT = f"{FOLDER}.provenance.json"


def codes(done: Any) -> list[str]:
    """What was found, beside the note that the guest is taken for Linux."""
    found = [each["code"] for each in json.loads(done.err)]
    return [code for code in found if code != "N0551"]


def verify(project: CommandLine, *words: str) -> Any:
    return project("verify", *words, "--diagnostics", "json")


# -- what is written ------------------------------------------------------------------------------


def test_both_files_lie_beside_the_folder(built: CommandLine) -> None:
    names = sorted(path.name for path in (built.folder / "build/web").iterdir())
    assert names == ["cloud-init", "cloud-init.cdx.json", "cloud-init.provenance.json"]
    read_sbom((built.folder / f"{FOLDER}.cdx.json").read_bytes())
    statement = read_statement((built.folder / STATEMENT).read_bytes())
    subjects = {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}
    folder = built.folder / FOLDER
    assert subjects == {
        path.relative_to(folder).as_posix(): digest(path)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("words", [(), ("--provenance",), ("--sbom",)])
def test_only_what_was_asked_for_is_written(project: CommandLine, words: tuple[str, ...]) -> None:
    build(project, *words)
    found = {path.suffixes[0] for path in (project.folder / "build/web").glob("*.*")}
    assert found == {{"--provenance": ".provenance", "--sbom": ".cdx"}[word] for word in words}


def test_the_artifacts_are_the_same_without(project: CommandLine) -> None:
    build(project, "-o", "one")
    build(project, "-o", "two", "--provenance", "--sbom")
    for path in sorted((project.folder / "one").rglob("*")):
        other = project.folder / "two" / path.relative_to(project.folder / "one")
        assert path.is_dir() or path.read_bytes() == other.read_bytes()


def test_equal_inputs_give_equal_bytes_elsewhere(
    built: CommandLine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    for name in ("web.yaml", "genes"):
        source = built.folder / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, other / name)
    environment = {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    there = CommandLine(other, built.capsys)
    words = ("--target", "cloud-init", "--provenance", "--sbom")
    done = there.spawn("build", "web.yaml", *words, environment=environment)
    assert done.code == 0, done.err
    for suffix in ("provenance.json", "cdx.json"):
        name = f"{FOLDER}.{suffix}"
        assert (other / name).read_bytes() == (built.folder / name).read_bytes()


def test_a_builder_and_times(project: CommandLine) -> None:
    build(project, "--provenance", "--builder-id", "https://ci.example/1", "--with-times")
    run = read_statement((project.folder / STATEMENT).read_bytes())["predicate"]["runDetails"]
    assert run["builder"]["id"] == "https://ci.example/1"
    assert run["metadata"]["startedOn"] <= run["metadata"]["finishedOn"]
    assert run["metadata"]["startedOn"].endswith("Z")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--builder-id", "https://ci.example/1"), "E0901"),
        (("--with-times",), "E0901"),
        (("--sign", "key"), "E0901"),
        (("--provenance", "--builder-id", "me"), "E0904"),
    ],
)
def test_wrong_usage(project: CommandLine, words: tuple[str, ...], code: str) -> None:
    done = project("build", "web.yaml", "--target", "cloud-init", *words, "--diagnostics", "json")
    assert (done.code, codes(done)) == (2, [code])
    assert not (project.folder / "build").exists()


def test_a_file_of_somebody_else_stays(project: CommandLine) -> None:
    mine = project.write(STATEMENT, "mine")
    words = ("--target", "cloud-init", "--provenance", "--diagnostics", "json")
    done = project("build", "web.yaml", *words)
    assert (done.code, codes(done)) == (2, ["E0611"])
    assert mine.read_text(encoding="utf-8") == "mine"
    assert not (project.folder / FOLDER).exists()


def test_a_fault_in_the_last_specification_writes_nothing(project: CommandLine) -> None:
    project.write("wrong.yaml", "name: wrong\nmemory: 1000\n")
    words = ("--target", "cloud-init", "--provenance", "--sbom")
    assert project("build", "web.yaml", "wrong.yaml", *words).code == 1
    assert not (project.folder / "build").exists()


def test_a_build_again_replaces_them(built: CommandLine) -> None:
    before = (built.folder / STATEMENT).read_bytes()
    built.write("web.yaml", SPEC.replace("hello", "hullo"))
    build(built, "--provenance", "--sbom")
    assert (built.folder / STATEMENT).read_bytes() != before
    assert verify(built, "build").code == 0


# -- secrets --------------------------------------------------------------------------------------


def test_no_secret_is_in_any_of_the_files(project: CommandLine) -> None:
    project.write("values.yaml", f"pw: {CANARY}\n")
    for number, given in enumerate((("--var", f"pw={CANARY}"), ("--var-file", "values.yaml"))):
        out = f"out{number}"
        words = ("--target", "cloud-init", "--target", "hyperv", "--provenance", "--sbom", "-v")
        done = project("build", "secret.yaml", "-o", out, *words, *given)
        assert done.code == 0, done.err
        assert CANARY not in done.out + done.err
        beside = sorted((project.folder / out).glob("*.json"))
        assert len(beside) == 4
        secret = {
            digest(path)
            for path in (project.folder / out).rglob("*")
            if path.is_file() and path.stat().st_mode & 0o077 == 0
        }
        secret.add(hashlib.sha256(f"pw: {CANARY}\n".encode()).hexdigest())
        assert len(secret) > 3
        for path in beside:
            text = path.read_text(encoding="utf-8")
            assert CANARY not in text
            assert base64.b64encode(CANARY.encode()).decode() not in text
            assert [each for each in secret if each in text] == []


@pytest.mark.skipif(os.name == "nt", reason="needs modes")
def test_a_manifest_with_digests_of_secrets_is_private(project: CommandLine) -> None:
    build(project, "--var", f"pw={CANARY}", spec="secret.yaml")
    build(project)
    modes = {
        name: (project.folder / f"build/{name}/cloud-init/manifest.json").stat().st_mode & 0o777
        for name in ("secret", "web")
    }
    assert modes == {"secret": 0o600, "web": 0o644}


def test_where_all_is_secret_there_is_no_statement(project: CommandLine) -> None:
    words = ("--target", "user-data", "--provenance", "--sbom", "--diagnostics", "json")
    done = project("build", "secret.yaml", *words, "--var", f"pw={CANARY}")
    assert (done.code, "W1610" in codes(done)) == (0, True)
    names = sorted(path.name for path in (project.folder / "build/secret").iterdir())
    assert names == ["user-data", "user-data.cdx.json"]


def test_secrets_are_found_before_an_upload(project: CommandLine) -> None:
    build(project)
    assert verify(project, "--no-secrets", "build").code == 0
    build(project, "--var", f"pw={CANARY}", spec="secret.yaml")
    done = verify(project, "--no-secrets", "build")
    assert (done.code, set(codes(done))) == (1, {"E1604"})
    assert verify(project, "build").code == 0


# -- what is verified -----------------------------------------------------------------------------


def test_a_build_as_it_was_made(built: CommandLine) -> None:
    for path in ("build", "build/web", FOLDER, f"{FOLDER}/", f"{FOLDER}/web.iso"):
        done = built("verify", path)
        assert (done.code, done.out, done.err) == (
            0,
            f"{FOLDER}: 3 artifacts, 1 genes, its statement\n",
            "",
        )


def test_json(built: CommandLine) -> None:
    assert json.loads(built("verify", "build", "--format", "json").out) == {
        "ok": True,
        "builds": [
            {
                "path": FOLDER,
                "catlet": "web",
                "target": "cloud-init",
                "artifacts": 3,
                "genes": 1,
                "statement": STATEMENT,
                "signer": None,
            }
        ],
        "genes": [],
    }


def _append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _linked(path: Path) -> None:
    path.rename(path.with_name("m"))
    path.symlink_to("m")


def _signed_as_another_thing(folder: Path) -> None:
    (folder / f"{STATEMENT}.sig").unlink()
    command = f"ssh-keygen -q -Y sign -n file -f key {STATEMENT}".split()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def _link(folder: Path) -> None:
    path = folder / "nocloud/user-data"
    copy = folder.parent.parent / "copy"
    shutil.move(path, copy)
    path.symlink_to(copy)


TAMPERED: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "an artifact is longer": (lambda f: _append(f / "web.iso"), {"E1602"}),
    "a bit of an artifact is another": (lambda f: _flip(f / "web.iso"), {"E1602"}),
    "an artifact below is another": (lambda f: _flip(f / "nocloud/user-data"), {"E1602"}),
    "an artifact is missing": (lambda f: (f / "web.iso").unlink(), {"E1602"}),
    "a file is more": (lambda f: (f / "x.sh").write_bytes(b""), {"E1603"}),
    "a file below is more": (lambda f: (f / "nocloud/x").write_bytes(b""), {"E1603"}),
    "a link is more": (lambda f: (f / "x").symlink_to("web.iso"), {"E1603"}),
    "an artifact is a link to the same": (_link, {"E1602", "E1603"}),
    "the manifest is another": (lambda f: _append(f / "manifest.json"), {"E1607"}),
    "the manifest is no JSON": (lambda f: (f / "manifest.json").write_bytes(b"{"), {"E1601"}),
    "the manifest is none of ours": (lambda f: (f / "manifest.json").write_bytes(b"{}"), {"E1601"}),
    "the manifest is a link": (lambda f: _linked(f / "manifest.json"), {"E0903"}),
    "the statement is another build's": (
        lambda f: _replaced(f.parent / "cloud-init.provenance.json", '"cloud-init"', '"hyperv"'),
        {"E1607"},
    ),
    "the statement is cut off": (
        lambda f: (f.parent / "cloud-init.provenance.json").write_bytes(b'{"_type":'),
        {"E1606"},
    ),
}


def _replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("name", TAMPERED)
def test_what_differs_is_found(built: CommandLine, name: str) -> None:
    tamper, expected = TAMPERED[name]
    tamper(built.folder / FOLDER)
    done = verify(built, "build")
    assert (done.code != 0, set(codes(done))) == (True, expected)
    assert done.out == ""


def manifest_with(**more: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data.update(more)


HOSTILE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a path out": lambda d: d["artifacts"][0].update(path="../../web.yaml"),
    "an absolute path": lambda d: d["artifacts"][0].update(path="/etc/passwd"),
    "no path": lambda d: d["artifacts"][0].pop("path"),
    "a path twice": lambda d: d["artifacts"].append(d["artifacts"][0]),
    "a digest that is none": lambda d: d["artifacts"][0].update(sha256="x"),
    "a size that is none": lambda d: d["artifacts"][0].update(size="3"),
    "a size that is a flag": lambda d: d["artifacts"][0].update(size=True),
    "nothing of secrets": lambda d: d["artifacts"][0].pop("secret"),
    "artifacts that are no list": manifest_with(artifacts={}),
    "artifacts that are no objects": manifest_with(artifacts=[1]),
    "no genes": lambda d: d.pop("genes"),
    "a gene that is none": lambda d: d["genes"][0].update(id="gene:\x1b[2J"),
    "a gene's digest that is none": lambda d: d["genes"][0].update(sha256=3),
    "a target that is no text": manifest_with(target=3),
    "another schema": manifest_with(schema="eryphc/manifest/v2"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_manifest_is_refused(built: CommandLine, name: str) -> None:
    path = built.folder / FOLDER / "manifest.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    HOSTILE[name](data)
    path.write_text(json.dumps(data), encoding="utf-8")
    done = verify(built, "build")
    assert (done.code, codes(done)) == (1, ["E1601"])
    assert "\x1b" not in done.err


def test_one_build_that_cannot_be_read_hides_none_of_the_others(built: CommandLine) -> None:
    for name in ("a", "b", "c", "d"):
        built.write(f"{name}.yaml", f"name: {name}\n")
        build(built, spec=f"{name}.yaml")
    folder = built.folder / "build"
    (folder / "a/cloud-init/manifest.json").write_text("{}")
    (folder / "b/cloud-init/manifest.json").write_bytes(b"[" * 100_000)
    manifest = folder / "c/cloud-init/manifest.json"
    manifest.unlink()
    manifest.symlink_to("web.iso")
    (folder / "d/cloud-init/d.iso").write_bytes(b"other")
    iso = folder / "web/cloud-init/web.iso"
    iso.write_bytes(iso.read_bytes() + b"!")
    done = verify(built, "build")
    found = [(each["code"], each["message"].split("`")[1]) for each in json.loads(done.err)]
    assert done.code == 1
    assert sorted(found) == [
        ("E0903", "build/c/cloud-init/manifest.json"),
        ("E1601", "build/a/cloud-init/manifest.json"),
        ("E1601", "build/b/cloud-init/manifest.json"),
        ("E1602", "build/d/cloud-init/d.iso"),
        ("E1602", "build/web/cloud-init/web.iso"),
    ]
    done = verify(built, FOLDER, "--same-genes", "build")
    assert [code for code in codes(done) if code == "E1601"] == ["E1601"] * 2


@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may do anything")
def test_one_artifact_that_cannot_be_read_hides_none_of_the_others(built: CommandLine) -> None:
    folder = built.folder / FOLDER
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path for path in paths if path.name != "manifest.json"][:2]
    names[0].chmod(0)
    names[1].write_bytes(b"")
    assert codes(verify(built, "build")) == ["E0903", "E1602"]


def test_deep_json_is_refused(built: CommandLine) -> None:
    (built.folder / FOLDER / "manifest.json").write_bytes(b"[" * 100_000)
    assert codes(verify(built, "build")) == ["E1601"]
    build(built, "--provenance", "-o", "again")
    (built.folder / "again.provenance.json").write_bytes(b"[" * 100_000)
    assert codes(verify(built, "again")) == ["E1606"]


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("nothing",), "E0902", 1),
        (("genes",), "E1601", 1),
        (("web.yaml",), "E1601", 1),
        (("web.yaml", "--manifest", f"{FOLDER}/manifest.json"), "E1601", 1),
        (("build", "--lock", "none.lock"), "E0902", 1),
        (("build", "--provenance", "none.json"), "E0902", 1),
        (("build", "--same-genes", "nothing"), "E0902", 1),
        (("build", "--genes", "x"), "E0904", 2),
        (("build", "--genes", "acme/motd/1.0:motd=zz"), "E0904", 2),
        (("build", "--signer", "x"), "E0901", 2),
        (("build", "genes", "--provenance", STATEMENT), "E0901", 2),
        (("build", "genes", "--manifest", STATEMENT), "E0901", 2),
    ],
)
def test_what_cannot_be_verified(
    built: CommandLine, words: tuple[str, ...], code: str, exit_code: int
) -> None:
    done = verify(built, *words)
    assert (done.code, codes(done)) == (exit_code, [code])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(built: CommandLine) -> None:
    path = built.folder / FOLDER / "web.iso"
    path.unlink()
    os.mkfifo(path)
    assert set(codes(verify(built, "build"))) == {"E1602", "E1603"}


def test_an_artifact_that_lies_elsewhere(built: CommandLine) -> None:
    shutil.copy(built.folder / FOLDER / "web.iso", built.folder / "web.iso")
    words = ("--manifest", f"{FOLDER}/manifest.json")
    assert verify(built, "web.iso", *words).code == 0
    # Of the rest of the build nothing is asked.
    (built.folder / FOLDER / "nocloud/user-data").unlink()
    assert verify(built, "web.iso", *words).code == 0
    _flip(built.folder / "web.iso")
    assert codes(verify(built, "web.iso", *words)) == ["E1602"]


# -- genes and locks ------------------------------------------------------------------------------


def test_required_genes(built: CommandLine) -> None:
    (gene,) = json.loads((built.folder / FOLDER / "manifest.json").read_bytes())["genes"]
    name, good = gene["id"], gene["sha256"]
    for word in (f"{name}={good}", f"{name[5:]}=sha256:{good.upper()}"):
        assert verify(built, "build", "--genes", word).code == 0
    for word in (f"{name}={'0' * 64}", f"gene:acme/other/1.0:x={good}"):
        assert codes(verify(built, "build", "--genes", word)) == ["E1605"]


def test_the_lock(built: CommandLine) -> None:
    """The genes lie outside the folder of the lock, so that it pins them."""
    write_pool(built.folder / "pool", {"acme/motd/1.0": {"fodder/motd.yaml": MOTD}})
    (built.folder / "inner").mkdir()
    shutil.copy(built.folder / "web.yaml", built.folder / "inner/web.yaml")
    pool = ("--genepool", "pool")
    assert built("lock", "inner/web.yaml", *pool).code == 0
    build(built, "--provenance", "-o", "out", *pool, spec="inner/web.yaml")
    words = ("out", "--lock", "inner/eryph.lock")
    assert verify(built, *words).code == 0, verify(built, *words).err
    lock = built.folder / "inner/eryph.lock"
    text = lock.read_text(encoding="utf-8")
    # The statement names the lock by its digest.
    lock.write_text(text + "\n", encoding="utf-8")
    assert codes(verify(built, *words)) == ["E1607"]
    (built.folder / "out.provenance.json").unlink()
    assert verify(built, *words).code == 0
    data = json.loads(text)
    sets = data["sets"]
    files = sets["acme/motd/1.0"]["files"]
    changes: tuple[Callable[[], object], ...] = (
        lambda: files.update({"fodder/motd.yaml": f"sha256:{'0' * 64}"}),
        lambda: files.pop("fodder/motd.yaml"),
        lambda: sets.update({"acme/motd/1.0": {"ref": "acme/motd/1.1"}}),
        lambda: sets.pop("acme/motd/1.0"),
    )
    for change in changes:
        change()
        lock.write_text(json.dumps(data), encoding="utf-8")
        assert codes(verify(built, *words)) == ["E1605"]
    data["sets"]["acme/motd/1.0"] = {"pool": "./genes"}
    lock.write_text(json.dumps(data), encoding="utf-8")
    assert verify(built, *words).code == 0, "of a local set the lock has no content"


def test_the_genes_of_two_builds(built: CommandLine) -> None:
    build(built, "-o", "same")
    (built.folder / "genes/acme/motd/1.0/fodder/motd.yaml").write_text(
        MOTD + "# changed\n", encoding="utf-8"
    )
    build(built, "-o", "other")
    built.write("bare.yaml", "name: bare\n")
    build(built, "-o", "bare", spec="bare.yaml")

    def compared(there: str) -> tuple[int, list[list[str]]]:
        done = built("verify", FOLDER, "--same-genes", there)
        rows = [line.split("  ") for line in done.out.splitlines()[1:]]
        return done.code, [[word.strip() for word in row if word.strip()] for row in rows]

    gene = "gene:acme/motd/1.0:motd"
    code, ((state, kind, name, value),) = compared("same")
    assert (code, state, kind, name) == (0, "same", "fodder", gene)
    assert value.startswith("sha256:")
    code, ((state, _, _, value),) = compared("other")
    assert (code, state, value.count("sha256:")) == (1, "differs", 2)
    code, ((state, *_),) = compared("bare")
    assert (code, state) == (1, "only here")
    done = built("verify", "bare", "--same-genes", FOLDER, "--format", "json")
    (row,) = json.loads(done.out)["genes"]
    assert (done.code, row["state"], row["here"]) == (1, "only there", [])


# -- statements -----------------------------------------------------------------------------------


def _member(data: Any, *path: str | int) -> Any:
    for key in path:
        data = data[key]
    return data


DEFINITION = ("predicate", "buildDefinition")
PARAMETERS = (*DEFINITION, "externalParameters")
CHANGED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "an unknown member": (lambda d: d.update(extra=1), "E1606"),
    "an unknown parameter": (lambda d: _member(d, *PARAMETERS).update(repo="x"), "E1606"),
    "an unknown member of the run": (
        lambda d: _member(d, "predicate", "runDetails").update(x=1),
        "E1606",
    ),
    "no parameters": (lambda d: _member(d, *DEFINITION).pop("externalParameters"), "E1606"),
    "another build type": (
        lambda d: _member(d, *DEFINITION).update(buildType="https://x.example/v1"),
        "E1606",
    ),
    "another predicate": (lambda d: d.update(predicateType="https://x.example/v1"), "E1606"),
    "subjects that are no list": (lambda d: d.update(subject={}), "E1606"),
    "a subject twice": (lambda d: d["subject"].append(d["subject"][0]), "E1606"),
    "a subject without digest": (lambda d: d["subject"][0].update(digest={}), "E1606"),
    "a digest that is none": (
        lambda d: d["subject"][0].update(digest={"sha256": "x" * 64}),
        "E1606",
    ),
    "a subject is missing": (lambda d: d["subject"].pop(0), "E1607"),
    "a subject is more": (
        lambda d: d["subject"].append({"name": "x", "digest": {"sha256": "0" * 64}}),
        "E1607",
    ),
    "a subject's digest is another": (
        lambda d: d["subject"][0]["digest"].update(sha256="0" * 64),
        "E1607",
    ),
    "a public artifact is called secret": (
        lambda d: _member(d, *PARAMETERS).update(secret_artifacts=["x"]),
        "E1607",
    ),
    "another target": (lambda d: _member(d, *PARAMETERS).update(target="hyperv"), "E1607"),
    "another version of the tool": (
        lambda d: _member(d, "predicate", "runDetails", "builder", "version").update(eryphc="9.9"),
        "E1607",
    ),
    "no gene": (lambda d: _member(d, *DEFINITION, "resolvedDependencies").pop(0), "E1607"),
    "a gene is more": (
        lambda d: _member(d, *DEFINITION, "resolvedDependencies").append(
            {"name": "gene:a/b/c:d", "uri": "gene:a/b/c:d"}
        ),
        "E1607",
    ),
    "a gene's digest is another": (
        lambda d: _member(d, *DEFINITION, "resolvedDependencies", 0, "digest").update(
            sha256="0" * 64
        ),
        "E1607",
    ),
    "no tool": (
        lambda d: _member(d, *DEFINITION, "resolvedDependencies").pop(1),
        "E1607",
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_statement_that_says_another_thing(built: CommandLine, name: str) -> None:
    path = built.folder / STATEMENT
    data = json.loads(path.read_bytes())
    change, code = CHANGED[name]
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    done = verify(built, "build")
    assert (done.code, codes(done)) == (1, [code])


def test_a_key_twice_is_refused(built: CommandLine) -> None:
    path = built.folder / STATEMENT
    path.write_bytes(path.read_bytes().replace(b'{"_type"', b'{"subject":[],"_type"', 1))
    assert codes(verify(built, "build")) == ["E1606"]


def test_a_statement_that_lies_elsewhere(built: CommandLine) -> None:
    shutil.move(built.folder / STATEMENT, built.folder / "s.json")
    assert "its statement" not in built("verify", "build").out
    assert built("verify", "build", "--provenance", "s.json").out.endswith(", its statement\n")
    build(built, "-o", "build/web/other")
    done = verify(built, "build", "--provenance", "s.json")
    assert (done.code, codes(done)) == (2, ["E0904"])


def envelope(payload: bytes, kind: str = "application/vnd.in-toto+json") -> dict[str, Any]:
    return {
        "payloadType": kind,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"sig": "AAAA"}],
    }


def test_an_envelope(built: CommandLine) -> None:
    path = built.folder / STATEMENT
    text = path.read_bytes()
    for good in (envelope(text), {"mediaType": "x", "dsseEnvelope": envelope(text)}):
        path.write_text(json.dumps(good), encoding="utf-8")
        done = verify(built, "build")
        assert (done.code, codes(done)) == (0, ["N1609"])
    wrongs: tuple[dict[str, Any], ...] = (
        envelope(text, "text/plain"),
        {**envelope(text), "payload": "?"},
        envelope(b"{"),
        envelope(text.replace(b"cloud-init", b"hyperv")),
        {"dsseEnvelope": {}},
    )
    for wrong in wrongs:
        path.write_text(json.dumps(wrong), encoding="utf-8")
        assert verify(built, "build").code == 1


def test_an_envelope_of_another_library(built: CommandLine) -> None:
    """What a signer of the CI makes of our statement."""
    from securesystemslib.dsse import Envelope

    path = built.folder / STATEMENT
    made = Envelope(path.read_bytes(), "application/vnd.in-toto+json", {})
    path.write_text(json.dumps(made.to_dict()), encoding="utf-8")
    assert codes(verify(built, "build")) == ["N1609"]


# -- signatures -----------------------------------------------------------------------------------

needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")


def key(folder: Path, name: str = "key") -> Path:
    path = folder / name
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
    subprocess.run(command, check=True)
    return path


@pytest.fixture
def signed(project: CommandLine) -> CommandLine:
    made = key(project.folder)
    public = made.with_suffix(".pub").read_text(encoding="utf-8")
    project.write("allowed", f"ci@acme.example {public}")
    build(project, "--provenance", "--sign", "key")
    return project


KEYS = ("--keys", "allowed")


@needs_ssh
def test_a_signature_is_accepted(signed: CommandLine) -> None:
    for more in ((), ("--signer", "ci@acme.example"), ("--signer", "*@acme.example")):
        done = signed("verify", "build", *KEYS, *more)
        assert (done.code, done.err) == (0, "")
        assert done.out.endswith(", its statement signed by ci@acme.example\n")


@needs_ssh
def test_another_tool_accepts_it_too(signed: CommandLine) -> None:
    folder = signed.folder
    with (folder / STATEMENT).open("rb") as text:
        done = subprocess.run(
            f"ssh-keygen -Y verify -f allowed -I ci@acme.example -n eryphc-provenance "
            f"-s {STATEMENT}.sig".split(),
            cwd=folder,
            stdin=text,
            capture_output=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr


UNSIGNED: dict[str, Callable[[Path], object]] = {
    "no signature": lambda f: (f / f"{STATEMENT}.sig").unlink(),
    "no statement": lambda f: (f / STATEMENT).unlink(),
    "no signature at all": lambda f: (f / f"{STATEMENT}.sig").write_bytes(b"x"),
    "a long one": lambda f: (f / f"{STATEMENT}.sig").write_bytes(b"x" * 70_000),
    "another statement": lambda f: _append(f / STATEMENT),
    "an unknown key": lambda f: (f / "allowed").write_text(
        "eve@acme.example " + key(f, "eve").with_suffix(".pub").read_text("utf-8"), "utf-8"
    ),
    "another thing was signed": _signed_as_another_thing,
}


@needs_ssh
@pytest.mark.parametrize("name", UNSIGNED)
def test_a_signature_is_refused(signed: CommandLine, name: str) -> None:
    UNSIGNED[name](signed.folder)
    done = verify(signed, "build", *KEYS)
    assert done.code == 1
    assert codes(done) == ["E1608"]
    assert "signed by" not in done.out


@needs_ssh
def test_a_signer_who_is_not_asked_for(signed: CommandLine) -> None:
    done = verify(signed, "build", *KEYS, "--signer", "bob@*")
    assert (done.code, codes(done)) == (1, ["E1608"])


@needs_ssh
def test_without_keys_nobody_asks_for_a_signature(signed: CommandLine) -> None:
    (signed.folder / f"{STATEMENT}.sig").unlink()
    assert verify(signed, "build").code == 0


@needs_ssh
def test_a_key_that_cannot_sign(project: CommandLine) -> None:
    key(project.folder)
    locked = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "word", "-f", "locked"]
    subprocess.run(locked, cwd=project.folder, check=True)
    project.write("nothing", "x")
    (project.folder / "open").write_bytes((project.folder / "key").read_bytes())
    (project.folder / "open").chmod(0o644)
    for name, code in (
        ("none", "E1611"),
        ("nothing", "E1611"),
        ("locked", "E1611"),
        ("open", "E1032"),
    ):
        words = ("--target", "cloud-init", "--provenance", "--sign", name)
        done = project("build", "web.yaml", *words, "--diagnostics", "json")
        assert (done.code, codes(done)) == (1, [code]), name
        assert not (project.folder / "build").exists()


@needs_ssh
@pytest.mark.skipif(shutil.which("ssh-agent") is None, reason="needs ssh-agent")
def test_a_key_in_an_agent(signed: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = signed.folder
    with tempfile.TemporaryDirectory() as short:
        # The path of a socket must be short.
        socket = f"{short}/agent"
        done = subprocess.run(
            ["ssh-agent", "-s", "-a", socket], capture_output=True, check=True, text=True
        )
        process = int(re.findall(r"SSH_AGENT_PID=(\d+)", done.stdout)[0])
        try:
            monkeypatch.setenv("SSH_AUTH_SOCK", socket)
            subprocess.run(["ssh-add", "-q", "key"], cwd=folder, check=True, capture_output=True)
            (folder / "key").unlink()
            build(signed, "--provenance", "--sign", "key.pub")
        finally:
            os.kill(process, signal.SIGTERM)
    assert signed("verify", "build", *KEYS).out.endswith("signed by ci@acme.example\n")


def test_without_the_program(
    project: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project.write("key", "x")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    words = ("--target", "cloud-init", "--provenance", "--sign", "key", "--diagnostics", "json")
    done = project("build", "web.yaml", *words)
    assert (done.code, codes(done)) == (3, ["E1024"])
