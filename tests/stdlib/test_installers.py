"""The Linux installers do their work: run for real, against a server that plays the publisher."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stdlib.shipped import standard_genes, text_of, used

pytestmark = pytest.mark.integration


class Quiet(SimpleHTTPRequestHandler):
    """Serves files; `/releases/latest` leads to a tag, as on the publisher's page."""

    def do_GET(self) -> None:
        if self.path == "/releases/latest":
            self.send_response(302)
            self.send_header("Location", "/releases/tag/v7.5.3")
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "site"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", folder
        finally:
            server.shutdown()
            thread.join()


def archive(*names: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as packed:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 4
            packed.addfile(member, io.BytesIO(b"text"))
    return stream.getvalue()


def run(script: str, *, replaced: dict[str, str], where: Path) -> subprocess.CompletedProcess[str]:
    """Runs the part of a script up to the end of its program, with its places replaced."""
    text = script.split("\nPROGRAM\n")[0] + "\nPROGRAM\n"
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    path = where / "install.sh"
    path.write_text(text, "utf-8")
    return subprocess.run(
        ["sh", path], capture_output=True, text=True, check=False, cwd=where, timeout=60
    )


def script(gene: str, fodder_name: str, **values: str) -> str:
    (fodder,) = [
        fodder for fodder in standard_genes()[gene].fodder or () if fodder.name == fodder_name
    ]
    return text_of(fodder, {name: values.get(name, "") for name in used(fodder)})


class TestPowerShell:
    name = "powershell-7.5.3-linux-x64.tar.gz"

    def install(
        self, version: str, site: tuple[str, Path], tmp_path: Path, *, digest: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        url, folder = site
        release = folder / "releases" / "download" / "v7.5.3"
        release.mkdir(parents=True)
        tag = folder / "releases" / "tag" / "v7.5.3"
        tag.parent.mkdir()
        tag.write_text("the release page", "utf-8")
        packed = archive("pwsh", "en/help.txt")
        (release / self.name).write_bytes(packed)
        listed = digest or hashlib.sha256(packed).hexdigest().upper()
        (release / "hashes.sha256").write_bytes(
            b"\xef\xbb\xbf" + f"{'0' * 64} *other.msi\r\n{listed} *{self.name}\r\n".encode()
        )
        return run(
            script("powershell:linux-install", "install-pwsh", pwshversion=version),
            replaced={
                "https://github.com/PowerShell/PowerShell/releases": f"{url}/releases",
                "/opt/microsoft/powershell/7": f"{tmp_path}/pwsh",
                "platform.machine()": "'x86_64'",
            },
            where=tmp_path,
        )

    @pytest.mark.parametrize("version", ["latest", "7.5.3", "v7.5.3"])
    def test_a_release_is_installed(
        self, version: str, site: tuple[str, Path], tmp_path: Path
    ) -> None:
        result = self.install(version, site, tmp_path)
        assert (result.returncode, result.stderr) == (0, "")
        assert (tmp_path / "pwsh" / "pwsh").read_text("utf-8") == "text"
        assert (tmp_path / "pwsh" / "en" / "help.txt").is_file()

    def test_an_archive_that_is_not_the_listed_one_is_refused(
        self, site: tuple[str, Path], tmp_path: Path
    ) -> None:
        result = self.install("7.5.3", site, tmp_path, digest="1" * 64)
        assert result.returncode == 1
        assert result.stderr == f"PowerShell: {self.name} is not what its release lists\n"
        assert not (tmp_path / "pwsh").exists()

    @pytest.mark.parametrize(
        ("version", "message"),
        [
            ("7.9.9", "PowerShell: cannot fetch"),
            ("../../x", "PowerShell: '../../x' is no version of PowerShell 7"),
            ("'; exit 7 #", 'PowerShell: "\'; exit 7 #" is no version of PowerShell 7'),
        ],
    )
    def test_a_version_that_is_none_is_refused(
        self, version: str, message: str, site: tuple[str, Path], tmp_path: Path
    ) -> None:
        result = self.install(version, site, tmp_path)
        assert result.returncode == 1
        assert result.stderr.startswith(message)


class TestGuestServices:
    def install(
        self, site: tuple[str, Path], tmp_path: Path, *members: str, **values: str
    ) -> subprocess.CompletedProcess[str]:
        url, folder = site
        (folder / "egs.tar.gz").write_bytes(archive(*members))
        file = {"filename": "egs_1", "os": "linux", "arch": "amd64", "url": f"{url}/egs.tar.gz"}
        other = {"filename": "egs_1", "os": "windows", "arch": "amd64", "url": f"{url}/no"}
        index = {
            "latestVersion": "2.0-rc",
            "stableVersion": "1.0",
            "versions": {"1.0": {"files": [other, file]}, "2.0-rc": {"files": [other]}},
        }
        (folder / "index.json").write_text(json.dumps(index), "utf-8")
        return run(
            script("guest-services:linux-install", "install-egs", **values),
            replaced={
                "https://releases.dbosoft.eu/eryph/guest-services": url,
                "/opt/eryph/guest-services": f"{tmp_path}/egs",
                "platform.machine(), platform": "'x86_64', platform",
            },
            where=tmp_path,
        )

    @pytest.mark.parametrize("version", ["latest", "1.0"])
    def test_a_version_is_installed(
        self, version: str, site: tuple[str, Path], tmp_path: Path
    ) -> None:
        result = self.install(site, tmp_path, "bin/egs-service", version=version)
        assert (result.returncode, result.stderr) == (0, "")
        assert (tmp_path / "egs" / "bin" / "egs-service").is_file()

    def test_an_address_of_ones_own_goes_before_the_index(
        self, site: tuple[str, Path], tmp_path: Path
    ) -> None:
        own = f"{site[0]}/egs.tar.gz"
        result = self.install(site, tmp_path, "bin/egs-service", version="9", downloadurl=own)
        assert (result.returncode, result.stderr) == (0, "")
        assert (tmp_path / "egs" / "bin" / "egs-service").is_file()

    @pytest.mark.parametrize(
        ("version", "message"),
        [
            ("9", "guest services: there is no version '9'\n"),
            ("prerelease", "guest services: version 2.0-rc is not made for amd64\n"),
        ],
    )
    def test_what_the_index_lacks_is_refused(
        self, version: str, message: str, site: tuple[str, Path], tmp_path: Path
    ) -> None:
        result = self.install(site, tmp_path, "bin/egs-service", version=version)
        assert (result.returncode, result.stderr) == (1, message)

    def test_an_archive_cannot_write_outside(self, site: tuple[str, Path], tmp_path: Path) -> None:
        if not hasattr(tarfile, "data_filter"):
            pytest.skip("this Python unpacks without a filter")
        result = self.install(site, tmp_path, "../outside", version="1.0")
        assert result.returncode != 0
        assert not (tmp_path / "outside").exists()
