"""Disks in a lock: `lock --disks`, dated images, and what `volume fetch` takes then."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from cli.command_line import CommandLine, Done
from volumes.images import disk, needs_qemu_img
from volumes.publisher import Publisher

SDA = "volumes/hyperv/amd64/sda.yaml"
# The mark of a boot sector makes them disks.
OLD, NEW = (bytes(502) + name + b"\x55\xaa" for name in (b"old disk", b"new disk"))


def sha512(data: bytes) -> str:
    return f"sha512:{hashlib.sha512(data).hexdigest()}"


class Shop:
    """A project whose parent lies in a pool elsewhere and describes the newest disk."""

    def __init__(self, run: CommandLine, publisher: Publisher) -> None:
        self.run = run
        self.publisher = publisher
        self.newest(OLD)
        self.set("1.0")
        run.write("team/acme/base/latest/geneset-tag.json", _tag("latest", ref="acme/base/1.0"))
        run.write("project/eryphc.yaml", "pools:\n- {name: team, path: ../team}\n")
        run.write("project/web.yaml", "name: web\nparent: acme/base\n")

    def set(self, tag: str, more: str = "") -> None:
        folder = f"team/acme/base/{tag}"
        self.run.write(f"{folder}/geneset-tag.json", _tag(tag))
        self.run.write(f"{folder}/catlet.yaml", "drives:\n- name: sda\n  size: 20\n")
        address = self.publisher.address
        self.run.write(
            f"{folder}/{SDA}",
            f"format: raw\nurl: {address}/disk\nchecksums_url: {address}/SUMS\nfile: disk\n{more}",
        )

    def newest(self, data: bytes) -> None:
        self.publisher.put("disk", data)
        self.publisher.put("SUMS", f"{hashlib.sha512(data).hexdigest()}  disk\n".encode())

    def dated(self, data: bytes, day: str) -> str:
        url = self.publisher.put(f"disk-{day}", data)
        return f"dated:\n  url: {url}\n  digest: {sha512(data)}\n  file: disk-{day}\n"

    def __call__(self, *words: str) -> Done:
        return self.run(*words)

    def fetch(self) -> Done:
        return self("volume", "fetch", "web.yaml", "--allow-http", "--cache-dir", "cache")

    def disks(self, tag: str = "1.0") -> Any:
        data = json.loads(Path("eryph.lock").read_text())
        return data["sets"][f"acme/base/{tag}"].get("disks")

    def asked(self) -> list[str]:
        found = [path for path, _ in self.publisher.asked]
        self.publisher.asked.clear()
        return found


def _tag(tag: str, **more: str) -> str:
    return json.dumps({"version": "1.1", "geneset": f"acme/base/{tag}", **more})


@pytest.fixture
def shop(eryphc: CommandLine, publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop(eryphc, publisher)
    monkeypatch.chdir(eryphc.folder / "project")
    return shop


def codes(done: Done) -> list[str]:
    return [line.partition("[")[2][:5] for line in done.err.splitlines() if "]: " in line]


def test_without_disks_nobody_is_asked(shop: Shop) -> None:
    assert shop("lock", "web.yaml").code == 0
    assert shop.disks() is None
    assert shop.asked() == []


def test_what_the_list_says_is_pinned(shop: Shop) -> None:
    done = shop("lock", "web.yaml", "--disks")
    assert done.code == 0, done.err
    assert shop.disks() == {SDA: {"digest": sha512(OLD)}}
    assert shop.asked() == ["/SUMS"]
    # A pin stays, and nobody is asked for it.
    shop.newest(NEW)
    assert shop("lock", "--disks").code == 0
    assert shop.disks() == {SDA: {"digest": sha512(OLD)}}
    assert shop.asked() == []
    # A lock with disks keeps having them.
    done = shop("update")
    assert done.code == 0, done.err
    assert shop.disks() == {SDA: {"digest": sha512(NEW)}}
    assert f"disk hyperv/amd64 {sha512(OLD)[:11]}" in done.out


def test_the_project_asks_for_disks(shop: Shop) -> None:
    text = Path("eryphc.yaml").read_text()
    Path("eryphc.yaml").write_text(f"{text}lock:\n  disks: true\n")
    assert shop("lock", "web.yaml").code == 0
    assert shop.disks() == {SDA: {"digest": sha512(OLD)}}


def test_disks_of_pins_that_were_there(shop: Shop) -> None:
    assert shop("lock", "web.yaml").code == 0
    assert shop("lock", "--disks").code == 0
    assert shop.disks() == {SDA: {"digest": sha512(OLD)}}


def test_a_description_with_a_digest_needs_none(shop: Shop) -> None:
    path = shop.run.folder / "team/acme/base/1.0" / SDA
    digest = hashlib.sha256(OLD).hexdigest()
    path.write_text(f"format: raw\nurl: {shop.publisher.address}/disk\nsha256: {digest}\n")
    assert shop("lock", "web.yaml", "--disks").code == 0
    assert shop.disks() is None


def test_a_dated_image_is_taken(shop: Shop) -> None:
    shop.set("1.0", shop.dated(OLD, "20260101"))
    shop.newest(NEW)
    assert shop("lock", "web.yaml", "--disks", "--offline").code == 0
    url = f"{shop.publisher.address}/disk-20260101"
    assert shop.disks() == {SDA: {"digest": sha512(OLD), "url": url}}
    assert shop.asked() == []
    done = shop.fetch()
    assert (done.code, codes(done)) == (0, ["N0803"]), done.err
    assert Path(done.out.strip()).read_bytes() == OLD
    assert "/disk-20260101" in shop.asked()
    # It is in the cache now: the publisher is not asked.
    assert codes(shop.fetch()) == []
    assert shop.asked() == []
    # A newer tag brings a newer image.
    shop.set("1.1", shop.dated(NEW, "20260201"))
    (shop.run.folder / "team/acme/base/latest/geneset-tag.json").write_text(
        _tag("latest", ref="acme/base/1.1")
    )
    done = shop("update")
    assert done.code == 0
    assert shop.disks("1.1")[SDA]["digest"] == sha512(NEW)
    assert f"{sha512(OLD)[:11]}" in done.out


def test_the_newest_is_taken_while_it_is_the_pinned_one(shop: Shop) -> None:
    shop.set("1.0", shop.dated(OLD, "20260101"))
    assert shop("lock", "web.yaml", "--disks").code == 0
    shop.asked()
    done = shop.fetch()
    assert (done.code, codes(done)) == (0, [])
    assert shop.asked() == ["/SUMS", "/disk"]


def test_a_dated_image_without_the_list(shop: Shop) -> None:
    shop.set("1.0", shop.dated(OLD, "20260101"))
    assert shop("lock", "web.yaml", "--disks").code == 0
    del shop.publisher.files["/SUMS"]
    done = shop.fetch()
    assert done.code == 0
    assert Path(done.out.strip()).read_bytes() == OLD


def test_a_publisher_that_moved_on(shop: Shop) -> None:
    assert shop("lock", "web.yaml", "--disks").code == 0
    shop.newest(NEW)
    done = shop.fetch()
    assert (done.code, codes(done)) == (3, ["E0815"])
    assert sha512(OLD) in done.err
    assert sha512(NEW) in done.err
    assert "gene:acme/base/1.0:sda" in done.err
    # Without the lock the newest is as good as any.
    Path("eryph.lock").unlink()
    done = shop.fetch()
    assert done.code == 0
    assert Path(done.out.strip()).read_bytes() == NEW


def test_a_dated_address_with_another_disk(shop: Shop) -> None:
    shop.set("1.0", shop.dated(OLD, "20260101"))
    assert shop("lock", "web.yaml", "--disks").code == 0
    shop.newest(NEW)
    shop.publisher.put("disk-20260101", NEW)
    done = shop.fetch()
    assert (done.code, codes(done)) == (3, ["E0801"])
    assert "the lock says" in done.err


def test_a_list_that_cannot_be_had(shop: Shop) -> None:
    del shop.publisher.files["/SUMS"]
    done = shop("lock", "web.yaml", "--disks")
    assert (done.code, codes(done)) == (1, ["E0802"])
    assert not Path("eryph.lock").exists()
    done = shop("lock", "web.yaml", "--disks", "--offline")
    assert (done.code, codes(done)) == (1, ["E1025"])
    assert not Path("eryph.lock").exists()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("dated: today\n", "`dated` is no mapping"),
        ("dated:\n  url: https://x.example/y\n", "`digest` of `dated` is missing"),
        (f"dated:\n  url: ftp://x/y\n  digest: {sha512(OLD)}\n", "`url` of `dated`"),
        ("dated:\n  url: https://x.example/y\n  digest: md5:0\n", "`digest` of `dated`"),
        (
            f"dated:\n  url: https://x.example/y\n  digest: {sha512(OLD)}\n  file: a/b\n",
            "`file` of `dated`",
        ),
    ],
)
def test_a_description_that_is_wrong(shop: Shop, more: str, says: str) -> None:
    shop.set("1.0", more)
    done = shop("lock", "web.yaml", "--disks")
    assert done.code == 1
    assert says in done.err
    assert not Path("eryph.lock").exists()


class TestFiles:
    """Disks that lie in a pool elsewhere, without a description."""

    VHDX = "volumes/hyperv/amd64/sda.vhdx"

    @pytest.fixture
    def file(self, shop: Shop) -> Path:
        folder = shop.run.folder / "team/acme/base/1.0"
        (folder / SDA).unlink()
        path = folder / self.VHDX
        path.write_bytes(OLD)
        return path

    def test_the_lock_pins_them(self, shop: Shop, file: Path) -> None:
        assert shop("lock", "web.yaml").code == 0
        digest = f"sha256:{hashlib.sha256(OLD).hexdigest()}"
        assert shop.disks() == {self.VHDX: {"digest": digest}}
        assert shop("lock", "--check").code == 0
        # They ask for no disks that are only described.
        shop.set("1.0")
        shop.run.write("project/db.yaml", "name: db\nparent: acme/base/1.0\n")
        assert shop("lock", "db.yaml").code == 0
        assert shop.asked() == []
        assert file.is_file()

    def test_another_disk_under_a_fixed_tag_is_guarded(self, shop: Shop, file: Path) -> None:
        assert shop("lock", "web.yaml").code == 0
        file.write_bytes(NEW)
        assert "nothing changes" in shop("lock").err
        done = shop("update")
        assert (done.code, codes(done)) == (1, ["E1107"])
        assert "--accept changed-tag" in done.err
        assert "disk hyperv/amd64 sha256:" in done.out
        assert shop("update", "--accept", "changed-tag").code == 0
        digest = f"sha256:{hashlib.sha256(NEW).hexdigest()}"
        assert shop.disks() == {self.VHDX: {"digest": digest}}

    def test_those_beside_the_lock_are_local(self, shop: Shop, file: Path) -> None:
        assert file.is_file()
        (shop.run.folder / "team").rename("team")
        Path("eryphc.yaml").write_text("pools:\n- {name: team, path: team}\n")
        assert shop("lock", "web.yaml").code == 0
        assert shop.disks() is None

    def test_fetch_refuses_another_one(self, shop: Shop, file: Path) -> None:
        assert shop("lock", "web.yaml").code == 0
        file.write_bytes(NEW)
        done = shop.fetch()
        assert (done.code, codes(done)) == (1, ["E0801"])

    @pytest.mark.integration
    @needs_qemu_img
    def test_a_build_refuses_another_one(self, shop: Shop, file: Path) -> None:
        file.write_bytes(disk(shop.run.folder / "one", "vhdx").read_bytes())
        assert shop("lock", "web.yaml").code == 0
        build = ("build", "web.yaml", "--target", "hyperv", "--guest", "linux")
        assert shop(*build).code == 0
        assert shop(*build, "--locked").code == 0
        data = bytearray(file.read_bytes())
        data[-1] ^= 1
        file.write_bytes(data)
        for words in (build, (*build, "--locked")):
            done = shop(*words)
            assert (done.code, codes(done)) == (1, ["E1109"]), done.err
            assert self.VHDX in done.err


def test_what_a_description_says_beside_is_passed_over(shop: Shop) -> None:
    shop.set("1.0", f"{shop.dated(OLD, '20260101')}  size: 1\n")
    done = shop("lock", "web.yaml", "--disks")
    assert (done.code, codes(done)) == (0, ["W0320"])
    assert shop.disks()[SDA]["digest"] == sha512(OLD)
