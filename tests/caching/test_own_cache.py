"""The user's own cache: what is taken, what has to be made, and that both are the same."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from caching.projects import GENE, SPEC, TAG, tree, write_project
from caching.wheel import Wheel
from cli.command_line import Done

Build = Callable[..., tuple[Done, bool]]


def test_an_output_that_is_taken_is_the_one_that_was_made(project: Build, tmp_path: Path) -> None:
    spec = SPEC + "- name: own\n  type: cloud-config\n  content: |\n    timezone: CET\n"
    (tmp_path / "web.yaml").write_text(spec)
    targets = ("--target", "cloud-init", "--target", "hyperv", "--target", "user-data")
    first, was_there = project(*targets, "--platform", "ec2", "--provenance", "--sbom")
    assert first.code == 0
    assert "note[N0" in first.err or "warning[W" in first.err
    assert not was_there
    made = tree(tmp_path / "build")
    shutil.rmtree(tmp_path / "build")
    second, was_there = project(*targets, "--platform", "ec2", "--provenance", "--sbom")
    assert was_there
    assert second.out == first.out
    assert second.err.replace("web from the cache\n", "") == first.err
    assert tree(tmp_path / "build") == made
    assert any(name.endswith(".provenance.json") for name in made)


def test_nothing_is_compiled_for_an_output_that_is_taken(
    project: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    project()
    monkeypatch.setattr("eryphc.session.Session.read", None)
    assert project()[1]


def test_a_folder_that_is_the_same_stays_untouched(project: Build, tmp_path: Path) -> None:
    project()
    place = tmp_path / "build/web/cloud-init"
    before = place.stat().st_ino
    assert project()[1]
    assert place.stat().st_ino == before
    (place / "web.iso").chmod(0o600)
    assert project()[1]
    assert place.stat().st_ino != before
    assert (place / "web.iso").stat().st_mode & 0o777 == 0o644


def test_a_strange_folder_is_refused(project: Build, tmp_path: Path) -> None:
    project()
    (tmp_path / "build/web/cloud-init/mine.txt").touch()
    done, _ = project()
    assert done.code == 2
    assert "mine.txt" in done.err


@pytest.mark.parametrize("options", [(), ("--cache", "--no-cache")])
def test_off_unless_asked_for(project: Build, tmp_path: Path, options: tuple[str, ...]) -> None:
    project()
    assert not project(options=options)[1]


def test_the_project_can_ask(project: Build, tmp_path: Path) -> None:
    (tmp_path / "eryphc.yaml").write_text("cache: true\n")
    assert not project(options=())[1]
    assert project(options=())[1]
    assert not project(options=("--no-cache",))[1]


def write(name: str, text: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)

    return change


MOTD = "genes/acme/motd/1.0"
CHANGES: dict[str, Callable[[Path], object]] = {
    "the specification": write("web.yaml", SPEC + "# more\n"),
    "the project": write("eryphc.yaml", "epoch: 400000001\n"),
    "no project": lambda folder: (folder / "eryphc.yaml").unlink(),
    "a nearer project": write("sub/eryphc.yaml", ""),
    "a gene": write(f"{MOTD}/fodder/motd.yaml", GENE.replace("Welcome", "Hello")),
    "a new gene beside it": write(f"{MOTD}/fodder/other.yaml", GENE.replace("motd", "other")),
    "a new architecture": write(f"{MOTD}/fodder/hyperv/amd64/motd.yaml", GENE),
    "the tag": write(f"{MOTD}/geneset-tag.json", TAG.replace("1.1", "1.0")),
    "a licence of the set": write("genes/acme/motd/geneset.json", "{}"),
    "a tag beside the specification": write("geneset-tag.json", TAG),
    "a lock": write("eryph.lock", '{"language":1,"lock_version":1,"sets":{},"specs":{}}'),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_kind_of_change_is_a_miss(
    project: Build, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    if change is CHANGES["a nearer project"]:
        (tmp_path / "sub").mkdir()
        (tmp_path / "web.yaml").rename(tmp_path / "sub/web.yaml")
        (tmp_path / "genes").rename(tmp_path / "sub/genes")
        words: tuple[str, ...] = ("sub/web.yaml",)
    else:
        words = ()
    project(*words)
    assert project(*words)[1]
    change(tmp_path)
    done, was_there = project(*words)
    assert not was_there
    made = tree(tmp_path / "build")
    plain, _ = project(*words, options=())
    assert tree(tmp_path / "build") == made
    assert plain.code == done.code


OPTIONS = (
    ("--var", "zone=CET"),
    ("--name", "other"),
    ("--hostname", "other"),
    ("--catlet-id", "01234567-89ab-cdef-0123-456789abcdef"),
    ("--arch", "kvm/amd64"),
    ("--compat", "eryph"),
    ("--epoch", "500000000"),
    ("--guest", "linux"),
    ("--merge", "parts"),
    ("--instance-id", "content"),
    ("--network-config", "always"),
    ("--sealed",),
    ("--allow", "W0510"),
    ("--genepool", "."),
)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option[0])
def test_every_option_is_a_miss(project: Build, tmp_path: Path, option: tuple[str, ...]) -> None:
    project()
    assert not project(*option)[1]
    assert project(*option)[1]
    assert project()[1]


VARIABLES = {
    "ERYPHC_VAR_ZONE": "CET",
    "SOURCE_DATE_EPOCH": "500000000",
    "ERYPHC_GENEPOOL": ".",
}


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_that_counts_is_a_miss(
    project: Build, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    project()
    monkeypatch.setenv(name, VARIABLES[name])
    assert not project()[1]
    assert project()[1]
    monkeypatch.setenv("ERYPHC_VAR_OTHER", "of another specification")
    assert project()[1]


def test_a_value_of_another_specification_is_no_miss(project: Build, tmp_path: Path) -> None:
    (tmp_path / "db.yaml").write_text("name: db\nvariables:\n- {name: disk, required: true}\n")
    both = ("web.yaml", "db.yaml")
    project(*both, "--var", "disk=one")
    done, _ = project(*both, "--var", "disk=two")
    assert [line for line in done.err.splitlines() if "from the cache" in line] == [
        "web from the cache"
    ]


def test_from_another_folder_is_another_output(
    project: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same text under the same name, beside other genes."""
    project()
    (tmp_path / "sub").mkdir()
    shutil.copy(tmp_path / "web.yaml", tmp_path / "sub")
    monkeypatch.chdir(tmp_path / "sub")
    done, was_there = project()
    assert not was_there
    assert "E0302" in done.err


def test_findings_name_files_as_seen_from_the_working_folder(
    project: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "web.yaml").write_text(SPEC + "- {name: own, content: 'hostnam: x'}\n")
    words = (str(tmp_path / "web.yaml"), "--output", str(tmp_path / "out"))
    first, _ = project(*words)
    assert " --> web.yaml:" in first.err
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    second, was_there = project(*words)
    assert not was_there
    assert f" --> {tmp_path}/web.yaml:" in second.err


def test_touching_is_a_hit(project: Build, tmp_path: Path) -> None:
    project()
    for path in tmp_path.rglob("*"):
        os.utime(path, (1, 1))
    assert project()[1]


def test_another_tool_is_a_miss(project: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    project()
    monkeypatch.setattr("eryphc.sharing.outputs.code_digest", lambda: "sha256:" + "8" * 64)
    assert not project()[1]


def test_another_key_is_a_miss_without_a_word(
    project: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    project()
    monkeypatch.setenv("ERYPHC_CACHE_KEY", "ab" * 32)
    done, was_there = project()
    assert not was_there
    assert "N1204" not in done.err
    assert project()[1]


def test_a_build_with_errors_is_not_kept(project: Build, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text("name: web\nfodder: 1\n")
    assert project()[0].code == 1
    done, was_there = project()
    assert done.code == 1
    assert not was_there


def test_strict_is_as_strict_with_a_cache(project: Build, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(
        "name: web\nfodder:\n- {name: a, type: cloud-config, content: 'hostnam: x'}\n"
    )
    assert project()[0].code == 0
    done, was_there = project("--strict")
    assert was_there
    assert done.code == 1


def test_standard_input_is_compiled(project: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    (web, db) = (f"name: {name}\n".encode() for name in ("web", "db"))
    project()
    for text, name in ((web, "web"), (db, "db")):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
        done, _ = project("-")
        assert f"build/{name}/cloud-init/{name}.iso" in done.out


def test_static_addresses_of_what_is_taken_are_compared_too(project: Build, tmp_path: Path) -> None:
    """One network-config that gives one address to two machines, which are not compiled again."""
    (tmp_path / "db.yaml").write_text(SPEC.replace("name: web", "name: db"))
    (tmp_path / "net.yaml").write_text(
        "version: 2\nethernets: {eth0: {addresses: [192.0.2.10/24]}}\n"
    )
    words = ("web.yaml", "db.yaml", "--network-config", "net.yaml", "--target", "hyperv")
    for is_there in (False, True):
        done, was_there = project(*words)
        assert (done.code, was_there) == (0, is_there)
        assert "the machines `web` and `db` get the same static address 192.0.2.10" in done.err


def test_a_cache_that_an_option_names(project: Build, tmp_path: Path) -> None:
    named = ("--cache", "--cache-dir", str(tmp_path / "named"))
    assert not project(options=named)[1]
    assert project(options=named)[1]
    assert (tmp_path / "named/index/cache.db").exists()
    assert not project()[1]


def test_a_project_that_trusts_takes_its_outputs(project: Build, tmp_path: Path) -> None:
    """The keys that it names are an input, and so are folders where nothing can be signed."""
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFWVTdA6QV9yzTW4a6cyYzGqC4L1hbvMiBYkBJ9yAEXE"
    (tmp_path / "signers").write_text(f"ci@acme.example {key}\n")
    (tmp_path / "eryphc.yaml").write_text(
        "trust:\n- {orgs: [other], require: signature, keys: signers}\n"
    )
    pool = ("--genepool", str(tmp_path.parent))
    done, _ = project(*pool)
    assert done.code == 0, done.err
    assert project(*pool)[1]
    (tmp_path / "signers").write_text(f"cd@acme.example {key}\n")
    assert not project(*pool)[1]


def test_a_checkout_keeps_nothing(project: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eryphc.sharing.outputs.code_digest", lambda: None)
    done, _ = project()
    assert done.code == 0
    assert "note[N1206]: outputs are not cached: this is a checkout of eryphc" in done.err
    assert not project()[1]


def test_a_wheel_takes_what_it_kept(wheel: Wheel, tmp_path: Path) -> None:
    write_project(tmp_path)
    words = ("build", "web.yaml", "--target", "cloud-init", "--cache", "-v")
    first = wheel.run(tmp_path, *words)
    made = tree(tmp_path / "build")
    second = wheel.run(tmp_path, *words)
    assert second.err.replace("web from the cache\n", "") == first.err != second.err
    assert tree(tmp_path / "build") == made


WATCH = """
import atexit
names = ("diskcache", "sqlite3", "eryphc.caching", "eryphc.sharing", "eryphc.store")
atexit.register(lambda: print([name for name in names if name in sys.modules]))
"""


@pytest.mark.parametrize("words", [(), ("--no-cache", "--cache")], ids=["not asked", "no cache"])
def test_a_build_without_a_cache_imports_nothing_of_it(
    wheel: Wheel, tmp_path: Path, words: tuple[str, ...]
) -> None:
    write_project(tmp_path)
    build = ("build", "web.yaml", "--target", "cloud-init")
    assert wheel.run(tmp_path, *build, *words, program=WATCH).out.endswith("[]\n")
    assert "diskcache" in wheel.run(tmp_path, *build, "--cache", program=WATCH).out


READING = """
import atexit
names = ("yaml", "lark", "jsonschema", "eryphc.session", "eryphc.genepool.folder")
atexit.register(lambda: print([name for name in names if name in sys.modules]))
"""


def test_outputs_are_taken_without_what_reads_yaml(wheel: Wheel, tmp_path: Path) -> None:
    write_project(tmp_path)
    build = ("build", "web.yaml", "--target", "cloud-init", "--cache")
    assert "yaml" in wheel.run(tmp_path, *build, program=READING).out
    assert wheel.run(tmp_path, *build, program=READING).out.endswith("[]\n")


SECRET = "k7Q-secret-canary-9x"  # noqa: S105 - it is looked for


def with_fodder(more: str) -> str:
    return "name: web\nfodder:\n- {name: a, type: cloud-config, " + more + "}\n"


KEY = "variables:\n- {name: key, secret: true, required: true}\n"
BOUND = """
name: web
variables:
- {name: key, required: true}
fodder:
- source: gene:acme/secret/1.0:secret
  variables:
  - {name: word, value: '{{ key }}'}
"""
GIVEN = ("--var", f"key={SECRET}")
SECRETS: dict[str, tuple[str, tuple[str, ...]]] = {
    "a secret variable": (with_fodder("content: 'timezone: {{ key }}'") + KEY, GIVEN),
    "one that nothing uses": ("name: web\n" + KEY, GIVEN),
    "a default": ("name: web\n" + KEY.replace("required: true", f"value: {SECRET}"), ()),
    "secret fodder": (with_fodder(f"secret: true, content: 'timezone: {SECRET}'"), ()),
    "a value that goes into a secret of a gene": (BOUND, GIVEN),
}


@pytest.mark.parametrize(("text", "words"), SECRETS.values(), ids=SECRETS)
def test_secrets_never_enter(
    project: Build, tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    """Neither the bytes, nor a hash of the value, nor a record; with another specification that
    is kept beside it."""
    tag = tmp_path / "genes/acme/secret/1.0"
    (tag / "fodder").mkdir(parents=True)
    (tag / "geneset-tag.json").write_text(TAG.replace("motd", "secret"))
    (tag / "fodder/secret.yaml").write_text(
        "name: secret\nvariables:\n- {name: word, secret: true}\nfodder:\n"
        "- {name: a, type: cloud-config, content: 'timezone: {{ word }}'}\n"
    )
    (tmp_path / "other.yaml").write_text(SPEC.replace("name: web", "name: other"))
    (tmp_path / "secret.yaml").write_text(text)
    cache = tmp_path.parent / f"{tmp_path.name}-cache"
    for specs in (("secret.yaml",), ("secret.yaml", "other.yaml")):
        done, _ = project(*specs, *words)
        assert done.code == 0, done.err
        done, was_there = project(*specs, *words)
        assert was_there == (len(specs) == 2)
        assert "web from the cache" not in done.err
    hashed = hashlib.sha256(SECRET.encode()).hexdigest()
    found = tree(cache)
    assert any(name.endswith("index/cache.db") for name in found)
    for name, (_, data) in found.items():
        assert SECRET.encode() not in data, name
        assert hashed.encode() not in data, name
