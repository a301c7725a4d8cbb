"""Two jobs of a pipeline: clones of one repository, homes of their own, a folder between them.

The genes come from a real registry, which only the first job reaches.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from caching.projects import TAG, tree
from caching.wheel import Ran, Wheel
from eryphc.canonical import digest_of
from eryphc.genepool.layout import OciLayout
from eryphc.store.seals import OUTPUT_RECORD, Seals
from genepool.oci.real import registry
from sharing.publishing import Publisher, image

pytestmark = pytest.mark.integration

KEY = "ab" * 32
NO_NETWORK = """
import socket
def refused(*_, **__):
    raise AssertionError("a socket")
socket.socket = socket.create_connection = refused
"""
BASE = """\
name: base
fodder:
- name: base
  type: cloud-config
  content: |
    timezone: UTC
"""
MOTD = """\
name: motd
variables:
- {name: text, value: Welcome}
fodder:
- name: motd
  type: cloud-config
  content: |
    locale: "{{ text }}"
"""
SPEC = """\
name: web
parent: acme/base/1.0
fodder:
- source: gene:eryphc/nginx/1.0:nginx
- source: gene:acme/motd/latest:motd
- source: gene:local/own/1.0:own
"""
PROJECT = """\
pools:
- {name: corp, type: oci, prefix: HOST/genes, orgs: [acme], insecure: true}
guest: linux
"""
NAMES = ("cloud-init", "hyperv", "azure", "user-data")
TARGETS = (*(f"--target={name}" for name in NAMES), "--platform", "ec2")
BUILD = ("build", "--locked", "web.yaml", *TARGETS, "-v")


class Pipeline:
    """A repository, its registry, and jobs. `cache` is the folder that jobs hand on."""

    def __init__(self, folder: Path, wheel: Wheel, host: str) -> None:
        self.folder = folder
        self.wheel = wheel
        self.cache = folder / "handed-on"
        publisher = Publisher(host, folder / "published")
        publisher("acme/base/1.0", image("acme/base/1.0", {"catlet.yaml": BASE}))
        motd = image("acme/motd/1.0", {"fodder/motd.yaml": MOTD})
        publisher("acme/motd/1.0", motd, "1.0", "latest")
        repository = folder / "repository"
        own = repository / "genes/local/own/1.0"
        (own / "fodder").mkdir(parents=True)
        (own / "geneset-tag.json").write_text(TAG.replace("acme/motd", "local/own"))
        (own / "fodder/own.yaml").write_text(BASE.replace("base", "own"))
        (repository / "web.yaml").write_text(SPEC)
        (repository / "eryphc.yaml").write_text(PROJECT.replace("HOST", host))
        wheel.run(repository, "lock", "web.yaml", home=folder / "home of the author")
        self.git(repository, "init", "-q")
        self.git(repository, "add", ".")
        self.git(repository, "commit", "-qm", "The first machine")
        self.repository = repository

    @staticmethod
    def git(folder: Path, *words: str) -> None:
        who = ("-c", "user.name=t", "-c", "user.email=t@example.com")
        subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)

    def job(self, name: str) -> Path:
        """A clone for one job."""
        self.git(self.folder, "clone", "-q", str(self.repository), name)
        return self.folder / name

    def run(
        self,
        job: Path,
        *words: str,
        key: str | None = KEY,
        online: bool = False,
        check: bool = True,
    ) -> Ran:
        """Run `eryphc` in a job. Unless it is `online` it can open no socket."""
        return self.wheel.run(
            job,
            *words,
            home=self.folder / f"home of {job.name}",
            environment={} if key is None else {"ERYPHC_CACHE_KEY": key},
            program="" if online else NO_NETWORK,
            check=check,
        )

    def first(self) -> Path:
        """The job that fills the folder."""
        job = self.job("first")
        self.run(job, "lock", "--check")
        ran = self.run(job, *BUILD, "--cache-to", str(self.cache), online=True)
        assert "N1206" not in ran.err
        return job


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registry(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture
def pipeline(tmp_path: Path, wheel: Wheel, host: str) -> Pipeline:
    return Pipeline(tmp_path, wheel, host)


def from_cache(ran: Ran) -> bool:
    return "web from the cache\n" in ran.err


def test_a_second_job_takes_what_the_first_one_built(pipeline: Pipeline) -> None:
    made = tree(pipeline.first() / "build")
    assert {path.split("/")[1] for path in made} == set(NAMES)
    second = pipeline.job("second")
    ran = pipeline.run(second, *BUILD, "--offline", "--cache-from", str(pipeline.cache))
    assert from_cache(ran)
    assert tree(second / "build") == made
    assert not (pipeline.folder / "home of second/cache").exists()


def test_it_hands_on_what_it_took(pipeline: Pipeline) -> None:
    made = tree(pipeline.first() / "build")
    before = tree(pipeline.cache)
    second = pipeline.job("second")
    both = ("--cache-from", str(pipeline.cache), "--cache-to", str(pipeline.cache))
    ran = pipeline.run(second, *BUILD, "--offline", *both)
    assert from_cache(ran)
    assert tree(pipeline.cache) == before
    third = pipeline.job("third")
    assert from_cache(pipeline.run(third, *BUILD, "--frozen", "--cache-from", str(pipeline.cache)))
    assert tree(third / "build") == made


def test_the_folder_is_a_pool_and_holds_only_what_is_named(pipeline: Pipeline) -> None:
    pipeline.first()
    sets = [str(each) for each in OciLayout(pipeline.cache, "cache").genesets()]
    of_registry = ["acme/base/1.0", "acme/motd/1.0", "acme/motd/latest"]
    assert sets == [*of_registry, "eryphc/nginx/1.0"]
    outputs = sorted((pipeline.cache / "outputs").iterdir())
    assert len(outputs) == 4
    named = [digest_of(path.read_bytes()) for path in (pipeline.cache / "blobs/sha256").iterdir()]
    assert [each.removeprefix("sha256:") for each in named] == [
        path.name for path in (pipeline.cache / "blobs/sha256").iterdir()
    ]
    where = str(pipeline.folder).encode()
    assert not [path for path, (_, data) in tree(pipeline.cache).items() if where in data]
    text = json.dumps([path.read_text() for path in outputs])
    assert pipeline.folder.name not in text


def test_a_job_without_the_key_compiles_with_the_genes_of_the_folder(pipeline: Pipeline) -> None:
    """The registry is out of reach, and the store of the job is empty."""
    made = tree(pipeline.first() / "build")
    job = pipeline.job("pull request")
    ran = pipeline.run(job, *BUILD, "--offline", "--cache-from", str(pipeline.cache), key=None)
    assert not from_cache(ran)
    assert ran.err.count("note[N1204]") == 1
    assert tree(job / "build") == made


def test_without_the_key_only_genes_are_written(pipeline: Pipeline) -> None:
    job = pipeline.job("first")
    ran = pipeline.run(job, *BUILD, "--cache-to", str(pipeline.cache), online=True, key=None)
    assert ran.err.count("note[N1206]") == 1
    assert f"are not kept in `{pipeline.cache}`, only genes: `ERYPHC_CACHE_KEY` is not" in ran.err
    assert not (pipeline.cache / "outputs").exists()
    second = pipeline.job("second")
    ran = pipeline.run(second, *BUILD, "--frozen", "--cache-from", str(pipeline.cache))
    assert not from_cache(ran)
    assert "N1204" not in ran.err
    assert tree(second / "build") == tree(job / "build")


def test_without_outputs_the_genes_of_the_folder_are_taken(pipeline: Pipeline) -> None:
    """`--no-cache` is about outputs. A gene is what the lock pins, whoever keeps it."""
    made = tree(pipeline.first() / "build")
    job = pipeline.job("second")
    words = ("--frozen", "--no-cache", "--cache-from", str(pipeline.cache))
    ran = pipeline.run(job, *BUILD, *words)
    assert not from_cache(ran)
    assert tree(job / "build") == made
    ran = pipeline.run(pipeline.job("third"), *BUILD, "--frozen", "--no-cache", check=False)
    assert "error[E1106]" in ran.err


def test_another_key_is_said_once_and_compiles(pipeline: Pipeline) -> None:
    made = tree(pipeline.first() / "build")
    job = pipeline.job("second")
    other = "cd" * 32
    ran = pipeline.run(job, *BUILD, "--frozen", "--cache-from", str(pipeline.cache), key=other)
    assert not from_cache(ran)
    assert f"note[N1204]: an output in `{pipeline.cache}` is not used" in ran.err
    assert tree(job / "build") == made


def test_a_poisoned_record_is_a_miss(pipeline: Pipeline) -> None:
    """Somebody without the key writes outputs of their own in place of ours."""
    made = tree(pipeline.first() / "build")
    evil = Seals(b"e" * 32, shared=True)
    blobs = pipeline.cache / "blobs/sha256"
    for path in (pipeline.cache / "outputs").iterdir():
        body = path.read_bytes().partition(b"\n")[2]
        record = json.loads(body)
        name, old, _, mode = record["files"][0]
        data = b"#!/bin/sh\nevil\n"
        new = digest_of(data).removeprefix("sha256:")
        (blobs / new).write_bytes(data)
        manifest = (blobs / record["manifest"]).read_bytes().replace(old.encode(), new.encode())
        record["manifest"] = digest_of(manifest).removeprefix("sha256:")
        (blobs / record["manifest"]).write_bytes(manifest)
        record["files"][0] = [name, new, len(data), mode]
        text = json.dumps(record, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        path.write_bytes(evil.sealed(OUTPUT_RECORD, text.encode(), path.name))
    job = pipeline.job("second")
    ran = pipeline.run(job, *BUILD, "--frozen", "--cache-from", str(pipeline.cache))
    assert not from_cache(ran)
    assert "note[N1204]" in ran.err
    assert tree(job / "build") == made


def test_a_poisoned_gene_is_as_good_as_missing(pipeline: Pipeline) -> None:
    pipeline.first()
    shutil.rmtree(pipeline.cache / "outputs")
    for path in (pipeline.cache / "blobs/sha256").iterdir():
        data = path.read_bytes()
        if b"locale" in data:
            path.write_bytes(data.replace(b"locale", b"LOCALE"))
    job = pipeline.job("second")
    ran = pipeline.run(job, *BUILD, "--frozen", "--cache-from", str(pipeline.cache), check=False)
    assert "error[E1106]" in ran.err
    ran = pipeline.run(job, *BUILD, "--cache-from", str(pipeline.cache), online=True)
    assert (job / "build/web/cloud-init/web.iso").exists()


def test_a_new_lock_is_a_miss(pipeline: Pipeline) -> None:
    """The same specification, another pin: the old output lies beside the new one."""
    pipeline.first()
    job = pipeline.job("second")
    spec = (job / "web.yaml").read_text()
    (job / "web.yaml").write_text(spec.replace("motd/latest", "motd/1.0"))
    pipeline.run(job, "lock", "web.yaml", online=True)
    (job / "web.yaml").write_text(spec)
    pipeline.run(job, "lock", "web.yaml", online=True)
    assert from_cache(pipeline.run(job, *BUILD, "--cache-from", str(pipeline.cache)))
    lock = json.loads((job / "eryph.lock").read_text())
    lock["sets"]["acme/motd/1.0"]["digest"] = "sha256:" + "0" * 64
    (job / "eryph.lock").write_text(json.dumps(lock, indent=2, sort_keys=True) + "\n")
    ran = pipeline.run(job, *BUILD, "--offline", "--cache-from", str(pipeline.cache), check=False)
    assert "error[E1106]" in ran.err


def test_standard_genes_come_from_the_folder_where_the_tool_has_others(
    pipeline: Pipeline, tmp_path: Path, wheel: Wheel
) -> None:
    """The lock pins those of an earlier version of the tool."""
    made = tree(pipeline.first() / "build")
    site = tmp_path / "later"
    shutil.copytree(wheel.site, site)
    shutil.rmtree(site / "eryph_stdlib_genes/eryphc/nginx/1.0")
    pipeline.wheel = Wheel(site)
    job = pipeline.job("second")
    words = ("--frozen", "--cache-from", str(pipeline.cache))
    ran = pipeline.run(job, *BUILD, *words, key=None)
    assert tree(job / "build") == made
    ran = pipeline.run(job, *BUILD, "--frozen", check=False)
    assert "error[E1106]" in ran.err


def test_the_first_run_finds_no_folder(pipeline: Pipeline) -> None:
    job = pipeline.job("first")
    both = ("--cache-from", ".cache", "--cache-to", ".cache")
    assert not from_cache(pipeline.run(job, *BUILD, *both, online=True))
    assert from_cache(pipeline.run(job, *BUILD, *both))


def test_the_folder_is_replaced_and_never_grows(pipeline: Pipeline) -> None:
    job = pipeline.first()
    before = tree(pipeline.cache)
    (pipeline.cache / "rest").write_text("of an earlier job")
    pipeline.run(job, *BUILD, "--cache-to", str(pipeline.cache))
    assert tree(pipeline.cache) == before
    pipeline.run(job, *BUILD, "--var", "none=1", "--cache-to", str(pipeline.cache), check=False)
    assert tree(pipeline.cache) == before


@pytest.mark.parametrize("option", ["--cache-from", "--cache-to"])
def test_a_strange_folder_is_refused(wheel: Wheel, tmp_path: Path, option: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter").write_text("dear")
    (tmp_path / "web.yaml").write_text("name: web\n")
    words = ("build", "web.yaml", "--target", "cloud-init", option, "mine")
    ran = wheel.run(tmp_path, *words, check=False)
    assert ran.code == 2
    assert "mine" in ran.err
    assert not (tmp_path / "build").exists()
    assert (tmp_path / "mine/letter").read_text() == "dear"


def test_what_was_read_outside_the_project_is_not_handed_on(wheel: Wheel, tmp_path: Path) -> None:
    job, outside = tmp_path / "job", tmp_path / "outside"
    tag = outside / "acme/own/1.0"
    (tag / "fodder").mkdir(parents=True)
    (tag / "geneset-tag.json").write_text(TAG.replace("motd", "own"))
    (tag / "fodder/own.yaml").write_text(BASE.replace("base", "own"))
    job.mkdir()
    (job / "eryphc.yaml").touch()
    (job / "in.yaml").write_text("name: in\n")
    (job / "out.yaml").write_text("name: out\nfodder:\n- source: gene:acme/own/1.0:own\n")
    cache = tmp_path / "cache"
    for pools, count in (((), 1), (("--genepool", str(outside)), 0)):
        specs = ("in.yaml", "out.yaml") if pools else ("in.yaml",)
        words = ("build", *specs, "--target", "cloud-init", *pools, "--cache-to", str(cache))
        wheel.run(job, *words, environment={"ERYPHC_CACHE_KEY": KEY})
        found = [*(cache / "outputs").iterdir()] if (cache / "outputs").exists() else []
        assert len(found) == count


def test_what_the_lock_does_not_pin_is_not_kept(pipeline: Pipeline) -> None:
    """What a tag means in a registry can change from one minute to the next."""
    job = pipeline.job("first")
    words = ("build", "web.yaml", "--target", "cloud-init", "--cache", "-v")
    assert not from_cache(pipeline.run(job, *words, online=True))
    assert from_cache(pipeline.run(job, *words))
    (job / "eryph.lock").unlink()
    assert not from_cache(pipeline.run(job, *words, online=True))
    assert not from_cache(pipeline.run(job, *words, online=True))


def test_an_entry_of_the_lock_that_was_looked_up_is_an_input(pipeline: Pipeline) -> None:
    """Also for a specification that the lock does not name, so that no pins are in its key."""
    job = pipeline.job("first")
    (job / "other.yaml").write_text(SPEC.replace("name: web", "name: other"))
    words = ("build", "other.yaml", "--target", "cloud-init", "--cache", "-v")
    pipeline.run(job, *words, online=True)
    assert "other from the cache\n" in pipeline.run(job, *words).err
    lock = json.loads((job / "eryph.lock").read_text())
    lock["sets"]["acme/motd/1.0"]["digest"] = "sha256:" + "0" * 64
    (job / "eryph.lock").write_text(json.dumps(lock, indent=2, sort_keys=True) + "\n")
    ran = pipeline.run(job, *words, "--offline", check=False)
    assert "error[E1106]" in ran.err
