"""`build --check-reproducible`: a second build in another process, compared byte by byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.command_line import CommandLine

pytestmark = pytest.mark.once

SPEC = """\
name: web
variables:
- {name: zone, required: true}
- {name: word, value: x}
fodder:
- name: own
  type: cloud-config
  content: |
    timezone: "{{ zone }}"
    locale: "{{ word }}"
"""
BUILD = ("build", "web.yaml", "--target", "cloud-init", "--target", "hyperv", "--guest", "linux")
CHECK = (*BUILD, "--check-reproducible")


@pytest.fixture(autouse=True)
def spec(eryphc: CommandLine) -> None:
    eryphc.write("web.yaml", SPEC)
    eryphc.write("zone.txt", "UTC\n")
    eryphc.write("values.yaml", "word: de_DE.UTF-8\n")


def test_both_builds_are_the_same(eryphc: CommandLine) -> None:
    """Paths in options are found from the other folder, too."""
    eryphc.write("net.yaml", "network: {version: 2, ethernets: {eth0: {dhcp4: true}}}\n")
    values = ("--var", "zone=@zone.txt", "--var-file", "values.yaml", "--genepool", ".")
    more = ("--provenance", "--sbom", "--network-config", "net.yaml", "--allow", "N0551")
    done = eryphc(*CHECK, *values, *more)
    assert done.code == 0, done.err
    assert "web.iso" in done.out
    assert "E1205" not in done.err


def test_several_specs_and_a_folder_of_ones_own(eryphc: CommandLine) -> None:
    eryphc.write("db.yaml", "name: db\n")
    done = eryphc(*CHECK, "db.yaml", "--var", "zone=CET", "-o", "out")
    assert done.code == 0, done.err


def test_pools_of_the_environment(eryphc: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    tag = "pool/acme/own/1.0"
    eryphc.write(f"{tag}/geneset-tag.json", '{"geneset":"acme/own/1.0","version":"1.1"}')
    eryphc.write(f"{tag}/fodder/own.yaml", "name: own\nfodder:\n- {name: a, content: 'a: b'}\n")
    eryphc.write("web.yaml", "name: web\nfodder:\n- source: gene:acme/own/1.0:own\n")
    monkeypatch.setenv("ERYPHC_GENEPOOL", "pool")
    monkeypatch.setenv("ERYPHC_CACHE_DIR", "cache")
    done = eryphc(*CHECK)
    assert done.code == 0, done.err


def test_other_bytes(eryphc: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first build is made to differ; the second one runs as it is."""
    monkeypatch.setattr("eryphc.pipeline.__version__", "0.0.0", raising=False)
    monkeypatch.setattr("eryphc.artifacts.manifest.MANIFEST_SCHEMA", "eryphc/manifest/v0")
    done = eryphc(*CHECK, "--var", "zone=CET")
    assert done.code == 1
    assert "error[E1205]: a second build gave another `build/web/" in done.err
    assert "manifest.json`: byte " in done.err
    assert Path("build/web/cloud-init/web.iso").exists()


def test_another_mode(eryphc: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eryphc.artifacts.staging._FILE_MODE", 0o640)
    done = eryphc(*CHECK, "--var", "zone=CET")
    assert done.code == 1
    assert "mode 0644 instead of 0640" in done.err


def test_a_file_more(eryphc: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eryphc.cli.build.Outputs", more_files(eryphc.folder))
    done = eryphc(*CHECK, "--var", "zone=CET")
    assert done.code == 1
    assert "web/cloud-init/more`: only the first has it" in done.err


def more_files(folder: Path) -> type:
    from eryphc import Outputs

    class More(Outputs):
        def commit(self) -> None:
            super().commit()
            (folder / "build/web/cloud-init/more").touch()

    return More


def test_a_second_build_that_fails(eryphc: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    done = eryphc(*CHECK, "--var", "zone=CET")
    assert done.code == 1
    assert "E1205" in done.err
    assert "exit code 1" in done.err


def test_standard_input_can_be_read_once(eryphc: CommandLine) -> None:
    done = eryphc("build", "-", "--target", "cloud-init", "--check-reproducible")
    assert done.code == 2
    assert "standard input only once" in done.err


def test_answers_go_along(eryphc: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eryphc.cli.options._is_terminal", lambda _stream: True)
    monkeypatch.setattr("eryphc.cli.options._ask", lambda _name, _secret: "CET")
    done = eryphc(*CHECK)
    assert done.code == 0, done.err
    assert "CET" in Path("build/web/cloud-init/nocloud/user-data").read_text()
