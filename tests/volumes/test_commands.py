"""`eryphc volume` as a user meets it: a publisher, a pool that describes its image, a build."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from cli.command_line import CommandLine, child_environment
from volumes.images import disk, needs_qemu_img, qemu_img, raw_disk, same_content
from volumes.publisher import Publisher, sha256

pytestmark = [needs_qemu_img, pytest.mark.integration]
GENE = "gene:acme/base/1.0:sda"
SDA = "genes/acme/base/1.0/volumes/hyperv/amd64/sda"


class Shop:
    """A spec whose parent has a described volume, and a pool and a publisher for it."""

    def __init__(self, run: CommandLine, publisher: Publisher) -> None:
        self.run = run
        self.publisher = publisher
        self.image = disk(run.folder / "image", "qcow2", "-c").read_bytes()
        run.write("web.yaml", "name: web\nparent: acme/base\n")
        run.write("team/acme/base/latest/geneset-tag.json", _tag("latest", ref="acme/base/1.0"))
        run.write("team/acme/base/1.0/geneset-tag.json", _tag("1.0"))
        run.write("team/acme/base/1.0/catlet.yaml", "drives:\n- name: sda\n  size: 20\n")
        run.write(
            "team/acme/base/1.0/fodder/tls.yaml", "name: tls\nfodder:\n- name: a\n  content: b\n"
        )
        self.url = publisher.put("base.qcow2", self.image)
        self.describe()

    def describe(self, more: str | None = None, list_of: bytes | None = None) -> None:
        digest = hashlib.sha512(list_of or self.image).hexdigest()
        sums = self.publisher.put("SUMS", f"{digest}  base.qcow2\n".encode())
        more = more or f"checksums_url: {sums}\nfile: base.qcow2\n"
        self.run.write(
            "team/acme/base/1.0/volumes/hyperv/amd64/sda.yaml",
            f"format: qcow2\nurl: {self.url}\n{more}",
        )

    def fetch(self, *words: str, code: int = 0, spec: str = "web.yaml") -> Any:
        common = ("--allow-http", "--genepool", "team", "--cache-dir", "cache")
        done = self.run("volume", "fetch", spec, *common, *words)
        assert done.code == code, done.err
        return done


def _tag(tag: str, **more: str) -> str:
    return json.dumps({"version": "1.1", "geneset": f"acme/base/{tag}", **more})


@pytest.fixture
def shop(eryphc: CommandLine, publisher: Publisher) -> Shop:
    return Shop(eryphc, publisher)


def volumes_of(run: CommandLine, *words: str) -> list[dict[str, Any]]:
    done = run("build", "web.yaml", "--target", "hyperv", *words)
    assert done.code == 0, done.err
    path = run.folder / "build/web/hyperv/deployment.json"
    return json.loads(path.read_text())["volumes"]  # type: ignore[no-any-return]


class TestFetch:
    def test_into_the_cache(self, shop: Shop) -> None:
        path = shop.run.folder / shop.fetch().out.strip()
        assert path.read_bytes() == shop.image
        assert path.is_relative_to(shop.run.folder / "cache")
        asked = len(shop.publisher.ranges("base.qcow2"))
        assert shop.fetch(spec=GENE).out.strip() == str(path.relative_to(shop.run.folder))
        assert len(shop.publisher.ranges("base.qcow2")) == asked

    def test_a_damaged_cache_is_mended(self, shop: Shop) -> None:
        path = shop.run.folder / shop.fetch().out.strip()
        path.write_bytes(b"rotten")
        shop.fetch()
        assert path.read_bytes() == shop.image

    def test_to_a_folder_and_the_line_for_the_build(self, shop: Shop) -> None:
        done = shop.fetch("--convert", "vhdx", "-o", "disks")
        path = "disks/acme-base-1.0-sda.vhdx"
        assert done.out == f"{path}\n"
        line = f"eryphc build web.yaml --target hyperv --volume sda={path} --genepool team"
        assert f"next: {line}\n" in done.err
        (shop.run.folder / "image").write_bytes(shop.image)
        assert same_content(shop.run.folder / "image", "qcow2", shop.run.folder / path, "vhdx")
        (volume,) = volumes_of(shop.run, "--genepool", "team", "--volume", f"sda={path}")
        assert volume["sha256"] == sha256((shop.run.folder / path).read_bytes())

    def test_into_a_pool_and_the_build_finds_it(self, shop: Shop) -> None:
        done = shop.fetch("--into", "genes")
        assert done.out == f"{SDA}.vhdx\n"
        line = "eryphc build web.yaml --target hyperv --genepool genes --genepool team"
        assert f"next: {line}\n" in done.err
        # The tag came along; `latest`, which stands for it, is still the other pool's.
        assert (shop.run.folder / "genes/acme/base/1.0/fodder/tls.yaml").is_file()
        (volume,) = volumes_of(shop.run, "--genepool", "genes", "--genepool", "team")
        assert volume["sha256"] == sha256((shop.run.folder / f"{SDA}.vhdx").read_bytes())
        assert [source["kind"] for source in volume["sources"]] == ["pool", "parameter"]
        assert volume["sources"][0]["path"] == SDA.removeprefix("genes/") + ".vhdx"

    def test_the_pool_that_described_it(self, shop: Shop) -> None:
        done = shop.fetch("--into", "team")
        assert done.out == f"{SDA.replace('genes', 'team', 1)}.vhdx\n"
        assert "--genepool team" in done.err
        before = volumes_of(shop.run, "--genepool", "team")
        assert before[0]["sources"][0]["kind"] == "pool"

    def test_again_and_elsewhere_it_is_the_same_file(self, shop: Shop) -> None:
        shop.fetch("--into", "team")
        path = shop.run.folder / f"{SDA.replace('genes', 'team', 1)}.vhdx"
        first, changed = sha256(path.read_bytes()), path.stat().st_mtime_ns
        shop.fetch("--into", "team")
        assert path.stat().st_mtime_ns == changed
        path.unlink()
        shop.fetch("--into", "team", "--cache-dir", "another")
        assert sha256(path.read_bytes()) == first

    def test_a_build_never_looks_into_the_cache(self, shop: Shop) -> None:
        before = volumes_of(shop.run, "--genepool", "team")
        shop.fetch()
        assert volumes_of(shop.run, "--genepool", "team") == before

    def test_a_pool_with_its_own_tag(self, shop: Shop) -> None:
        shop.run.write("genes/acme/base/1.0/geneset-tag.json", _tag("1.0"))
        assert "E0813" in shop.fetch("--into", "genes", code=1).err
        assert not (shop.run.folder / "genes/acme/base/1.0/volumes").exists()

    def test_a_wrong_digest_is_named_and_leaves_nothing(self, shop: Shop) -> None:
        shop.describe(list_of=b"another image")
        done = shop.fetch("-o", "disks", code=3)
        assert "E0801" in done.err
        assert hashlib.sha512(shop.image).hexdigest() in done.err
        assert hashlib.sha512(b"another image").hexdigest() in done.err
        assert done.out == ""
        assert not (shop.run.folder / "disks").exists()
        images = shop.run.folder / "cache/volumes"
        assert not [path for path in images.rglob("*") if path.is_file()]

    def test_a_pinned_digest_asks_for_no_list(self, shop: Shop) -> None:
        shop.describe(f"sha256: {sha256(shop.image)}\n")
        shop.fetch()
        assert not shop.publisher.ranges("SUMS")

    def test_more_than_was_described(self, shop: Shop) -> None:
        shop.describe(f"sha256: {sha256(shop.image)}\nsize: 1000\n")
        assert "more than the 1000 of the description" in shop.fetch(code=3).err

    def test_a_hostile_image_is_not_converted(self, shop: Shop) -> None:
        path = shop.run.folder / "hostile"
        qemu_img("create", "-q", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", "-u", path, "8M")
        shop.url = shop.publisher.put("base.qcow2", path.read_bytes())
        shop.describe(f"sha256: {sha256(path.read_bytes())}\n")
        assert "E0809" in shop.fetch("--into", "team", code=1).err
        assert not (shop.run.folder / f"{SDA.replace('genes', 'team', 1)}.vhdx").exists()

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            pytest.param(b"\x1f\x8b\x08" + bytes(600), "compressed by gzip", id="an archive"),
            pytest.param(b"KDMV" + bytes(600), "a VMDK image", id="an image of another program"),
            pytest.param(b"<!DOCTYPE html>\n", "an HTML page", id="a page of the server"),
            pytest.param(b"vhdxfile" + bytes(600), "is a vhdx file", id="another of our formats"),
        ],
    )
    @pytest.mark.parametrize("words_of_command", [(), ("--into", "team"), ("-o", "out")], ids=str)
    def test_what_is_not_what_was_described(
        self, shop: Shop, content: bytes, words: str, words_of_command: tuple[str, ...]
    ) -> None:
        shop.url = shop.publisher.put("base.qcow2", content)
        shop.describe(f"sha256: {sha256(content)}\n")
        done = shop.fetch(*words_of_command, code=1)
        assert "E0820" in done.err
        assert words in done.err
        assert not (shop.run.folder / "out").exists()
        assert not (shop.run.folder / f"{SDA.replace('genes', 'team', 1)}.vhdx").exists()

    def test_a_foreign_file_stays(self, shop: Shop) -> None:
        shop.run.write("disks/mine.vhdx", "mine")
        words = ("--convert", "vhdx", "-o", "disks/mine.vhdx")
        assert "E0812" in shop.fetch(*words, code=1).err
        assert (shop.run.folder / "disks/mine.vhdx").read_text() == "mine"
        shop.fetch(*words, "--force")
        assert (shop.run.folder / "disks/mine.vhdx").read_bytes().startswith(b"vhdxfile")

    def test_as_data(self, shop: Shop) -> None:
        (entry,) = json.loads(shop.fetch("--format", "json", "-o", "disks").out)
        assert (entry["gene"], entry["drives"], entry["fetched"]) == (GENE, ["sda"], True)
        assert (entry["format"], entry["sha256"]) == ("qcow2", sha256(shop.image))

    def test_nothing_to_fetch(self, shop: Shop) -> None:
        shop.run.write("bare.yaml", "name: bare\n")
        assert "N0801" in shop.fetch(spec="bare.yaml").err

    @pytest.mark.parametrize(
        ("words", "code"),
        [
            pytest.param(("gene:acme/base/1.0:sdx",), 1, id="no such volume"),
            pytest.param(("gene:acme/base",), 1, id="no gene"),
            pytest.param(("nope.yaml",), 1, id="no spec"),
            pytest.param((GENE, "-o", "a", "--into", "b"), 2, id="two places"),
            pytest.param((GENE, "--max-size", "0"), 2, id="no size"),
            pytest.param((GENE, "--arch", "kvm/amd64"), 1, id="another architecture"),
            pytest.param((), 2, id="nothing"),
        ],
    )
    def test_exit_codes(self, shop: Shop, words: tuple[str, ...], code: int) -> None:
        assert shop.run("volume", "fetch", *words, "--genepool", "team").code == code

    def test_two_runs_at_once(self, shop: Shop) -> None:
        words = ("volume", "fetch", GENE, "--allow-http", "--genepool", "team")
        command = [sys.executable, "-m", "eryphc", *words, "--cache-dir", "cache", "--into", "team"]
        runs = [
            subprocess.Popen(
                command, cwd=shop.run.folder, env=child_environment(), stderr=subprocess.PIPE
            )
            for _ in range(2)
        ]
        for each in runs:
            _, err = each.communicate(timeout=60)
            assert each.returncode == 0, err
        assert len(shop.publisher.ranges("base.qcow2")) == 1
        names = sorted(
            path.name
            for path in (shop.run.folder / SDA.replace("genes", "team", 1)).parent.iterdir()
        )
        assert names == ["sda.vhdx", "sda.yaml"]


class TestFiles:
    def test_info(self, eryphc: CommandLine) -> None:
        disk(eryphc.folder / "a.vhdx", "vhdx")
        raw_disk(eryphc.folder / "b.raw")
        done = eryphc("volume", "info", "a.vhdx", "b.raw")
        assert "format:       vhdx (dynamic)\nvirtual size: 8388608 (8.0 MiB)\n" in done.out
        found = json.loads(eryphc("volume", "info", "a.vhdx", "--format", "json").out)
        assert found[0]["virtual_size"] == 8388608

    @pytest.mark.parametrize(("name", "code"), [("absent.raw", 1), ("text.qcow2", 1), (".", 1)])
    def test_info_of_what_is_no_image(self, eryphc: CommandLine, name: str, code: int) -> None:
        eryphc.write("text.qcow2", "text")
        assert eryphc("volume", "info", name).code == code

    def test_verify(self, eryphc: CommandLine) -> None:
        path = disk(eryphc.folder / "a.qcow2", "qcow2")
        right = sha256(path.read_bytes())
        assert eryphc("volume", "verify", "a.qcow2", "--sha256", right.upper()).code == 0
        wrong = eryphc("volume", "verify", "a.qcow2", "--sha256", "0" * 64)
        assert (wrong.code, wrong.out) == (1, "")
        assert right in wrong.err
        assert eryphc("volume", "verify", "a.qcow2", "--sha256", "12").code == 1
        os.truncate(path, path.stat().st_size - 65536)
        assert "E0811" in eryphc("volume", "verify", "a.qcow2").err

    def test_verify_against_the_publisher(self, shop: Shop) -> None:
        (shop.run.folder / "mine.qcow2").write_bytes(shop.image)
        words = ("--gene", GENE, "--genepool", "team", "--allow-http")
        assert shop.run("volume", "verify", "mine.qcow2", *words).code == 0
        shop.describe(list_of=b"another")
        assert "E0801" in shop.run("volume", "verify", "mine.qcow2", *words).err

    def test_convert(self, eryphc: CommandLine) -> None:
        disk(eryphc.folder / "a.img", "qcow2")
        assert eryphc("volume", "convert", "a.img").out == "a.vhdx\n"
        assert eryphc("volume", "convert", "a.img", "-o", "x/b.vhd").out == "x/b.vhd\n"
        assert eryphc("volume", "convert", "a.img", "--to", "raw", "-o", "x").out == "x/a.raw\n"
        assert eryphc("volume", "convert", "a.img").code == 1
        assert eryphc("volume", "convert", "a.vhdx", "--force").code == 1
        assert eryphc("volume", "convert", "a.img", "--force").code == 0

    def test_without_qemu_img(self, eryphc: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        disk(eryphc.folder / "a.qcow2", "qcow2")
        monkeypatch.setenv("PATH", "")
        done = eryphc("volume", "convert", "a.qcow2")
        assert (done.code, "E0807" in done.err) == (3, True)
        assert eryphc("volume", "info", "a.qcow2").code == 0
        assert "N0802" in eryphc("volume", "verify", "a.qcow2").err


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_conversion_that_is_asked_to_end_leaves_nothing(eryphc: CommandLine, name: str) -> None:
    tools = eryphc.folder / "bin"
    tools.mkdir()
    script = (
        '#!/bin/sh\ncase "$1" in\nconvert) : > begun; exec sleep 60;;\n*) exec REAL "$@";;\nesac\n'
    )
    real = shutil.which("qemu-img")
    (tools / "qemu-img").write_text(script.replace("REAL", str(real)), encoding="utf-8")
    (tools / "qemu-img").chmod(0o755)
    disk(eryphc.folder / "a.qcow2", "qcow2")
    environment = child_environment()
    environment["PATH"] = f"{tools}{os.pathsep}{environment['PATH']}"
    process = subprocess.Popen(
        [sys.executable, "-m", "eryphc", "volume", "convert", "a.qcow2", "-o", "out/a.vhdx"],
        cwd=eryphc.folder,
        env=environment,
        stderr=subprocess.PIPE,
    )
    for _ in range(2_000):
        if (eryphc.folder / "begun").exists() or process.poll() is not None:
            break
        time.sleep(0.005)
    process.send_signal(getattr(signal, name))
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err.strip()) == (130, b"interrupted")
    assert list((eryphc.folder / "out").iterdir()) == []


def test_a_build_imports_none_of_it() -> None:
    program = (
        "import sys\nfrom eryphc.cli.app import run\nrun(['version'])\n"
        "assert not [m for m in sys.modules if 'volume' in m or 'urllib.request' in m]"
    )
    subprocess.run(
        [sys.executable, "-c", program], env=child_environment(), check=True, capture_output=True
    )
