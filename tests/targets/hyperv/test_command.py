"""`eryphc build --target hyperv` as a user types it: options, exit codes, what is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eryphc.cli.app import run
from targets.hyperv.test_storage import vhdx

CANARY = "c4nary-Never-Shown"
SPEC = f"""
name: web
variables:
- {{name: token}}
- {{name: password, secret: true, value: {CANARY}}}
drives:
- name: sda
fodder:
- name: join
  content:
    runcmd: ["join {{{{ token }}}} {{{{ vmId }}}} {{{{ password }}}}"]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ERYPHC_GENEPOOL", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "text.vhdx").write_text("no disk", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    vhdx(tmp_path / "base.vhdx")
    vhdx(tmp_path / "other.vhdx", virtual_size=5 * 1024**3)
    return tmp_path


def build(*options: str) -> int:
    return run(["build", "spec.yaml", "--target", "hyperv", "--no-input", *options])


ENDS = {
    "a volume": (["--volume", "sda=base.vhdx"], 0),
    "upper case": (["--volume", "SDA=base.vhdx"], 0),
    "the same twice": (["--volume", "sda=base.vhdx", "--volume", "sda=base.vhdx"], 0),
    "open": (["--open", "token=24"], 0),
    "no file": (["--volume", "sda=absent.vhdx"], 1),
    "no VHDX": (["--volume", "sda=text.vhdx"], 1),
    "no drive": (["--volume", "sdb=base.vhdx"], 1),
    "two files": (["--volume", "sda=base.vhdx", "--volume", "sda=other.vhdx"], 1),
    "no path": (["--volume", "sda"], 1),
    "unreadable": (["--volume", "sda=folder"], 3),
    "no length": (["--open", "token"], 1),
    "zero": (["--open", "token=0"], 1),
    "no number": (["--open", "token=x"], 1),
    "too long": (["--open", "token=5000"], 1),
    "short": (["--open", "token=4"], 1),
    "unknown": (["--open", "tokn=24"], 1),
    "two lengths": (["--open", "token=24", "--open", "token=25"], 1),
    "open and given": (["--open", "token=24", "--var", "token=x"], 1),
}


@pytest.mark.parametrize(("options", "code"), ENDS.values(), ids=ENDS)
def test_exit_codes(
    folder: Path, options: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(*options) == code, capsys.readouterr().err
    assert (folder / "build").exists() == (code == 0)


def test_what_is_written_holds_no_secret_and_no_place_of_this_machine(folder: Path) -> None:
    assert build("--open", "token=24", "--volume", "sda=base.vhdx") == 0
    written = folder / "build/web/hyperv"
    names = ["deploy.ps1", "deployment.json", "manifest.json", "web.iso", "web.sealed.iso"]
    assert sorted(path.name for path in written.iterdir()) == names
    holders = [name for name in names if CANARY.encode() in (written / name).read_bytes()]
    assert holders == ["web.iso"]
    modes = {name: (written / name).stat().st_mode & 0o777 for name in names}
    # The digest of the image stands in the others, and a short secret can be guessed by it.
    private = ["deploy.ps1", "deployment.json", "manifest.json", "web.iso"]
    assert [name for name, mode in modes.items() if mode == 0o600] == private
    for name in names:
        assert str(folder).encode() not in (written / name).read_bytes()
    manifest = json.loads((written / "manifest.json").read_text("utf-8"))
    assert [entry["path"] for entry in manifest["artifacts"] if entry["secret"]] == ["web.iso"]


def test_two_builds_give_the_same_bytes(folder: Path) -> None:
    for output in ("one", "two"):
        assert build("--open", "token=24", "--output", output) == 0
    files = sorted(path.name for path in (folder / "one").iterdir())
    assert files == sorted(path.name for path in (folder / "two").iterdir())
    for name in files:
        assert (folder / "one" / name).read_bytes() == (folder / "two" / name).read_bytes()


def test_no_value_is_asked_for_that_is_left_open(folder: Path) -> None:
    text = SPEC.replace("{name: token}", "{name: token, required: true}")
    (folder / "spec.yaml").write_text(text, encoding="utf-8")
    assert build() == 1
    assert build("--open", "token=24") == 0


def test_hashing_a_large_disk_shows_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    volume = ("--volume", "sda=base.vhdx", "--progress", "plain")
    assert build(*volume) == 0
    assert "hashing" not in capsys.readouterr().err, "a small file takes no time"
    monkeypatch.setattr("eryphc.cli.build._LARGE", 1)
    assert build(*volume) == 0
    assert "hashing base.vhdx: 100 %\n" in capsys.readouterr().err
    assert build(*volume[:2], "--progress", "none") == 0
    assert "hashing" not in capsys.readouterr().err
