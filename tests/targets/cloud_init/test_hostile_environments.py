"""The same inputs give the same bytes, whatever surrounds the build.

Every variant runs the real command in a process of its own: other clocks, zones, locales,
masks, hash seeds, folders, orders of directory entries, Pythons and ways of installing.
"""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]
SPECS = ("web-config.yaml", "dev-server.yaml", "prod-server.yaml", "mixed.yaml")
OTHER_PYTHONS = tuple(
    version
    for version in ("3.11", "3.12", "3.13")
    if version != f"{sys.version_info.major}.{sys.version_info.minor}"
)

MIXED = """\
name: mixed
variables:
- name: greeting
  value: grüß göttin – 你好 😀
- name: password
  value: canary-4711
  secret: true
network_adapters:
- name: eth1
- name: eth0
  mac_address: "02:00:00:00:00:01"
fodder:
- name: words
  type: cloud-config
  content: |
    write_files:
    - path: /etc/greeting
      content: "{{ greeting }}"
    zebra: {b: 1, a: 2}
- name: script
  type: shellscript
  content: |
    #!/bin/sh
    echo '{{ greeting }}'
- name: login
  type: cloud-config
  secret: true
  content: |
    chpasswd: {list: "root:{{ password }}", expire: false}
"""

HOSTILE_SITE = """\
import os, time
if "HOSTILE_CLOCK" in os.environ:
    shift = float(os.environ["HOSTILE_CLOCK"])
    genuine_time, genuine_ns = time.time, time.time_ns
    time.time = lambda: genuine_time() + shift
    time.time_ns = lambda: genuine_ns() + int(shift * 1e9)
if "HOSTILE_LISTING" in os.environ:
    genuine_listdir, genuine_scandir = os.listdir, os.scandir
    class Backwards:
        def __init__(self, path="."):
            with genuine_scandir(path) as entries:
                self.entries = sorted(entries, key=lambda entry: entry.name, reverse=True)
        def __enter__(self):
            return self
        def __exit__(self, *error):
            pass
        def __iter__(self):
            return iter(self.entries)
        def __next__(self):
            return next(iter(self.entries))
        def close(self):
            pass
    os.listdir = lambda path=".": sorted(genuine_listdir(path), reverse=True)
    os.scandir = Backwards
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """How a build differs from the plain one. `project` names the folder of the specs."""

    environment: Mapping[str, str] = field(default_factory=dict)
    project: str = "project"
    umask: int = 0o022
    from_elsewhere: bool = False
    one_by_one: bool = False


def _project(folder: Path, *, backwards: bool = False) -> Path:
    folder.mkdir(parents=True)
    sources = sorted((ROOT / "examples").rglob("*"), reverse=backwards)
    for source in sources:
        if source.is_file():
            target = folder / source.relative_to(ROOT / "examples")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    (folder / "mixed.yaml").write_text(MIXED, encoding="utf-8")
    return folder


def _build(command: list[str], around: Surroundings, tmp_path: Path) -> dict[str, tuple[str, int]]:
    """Path → digest and mode of all that the build of all specs wrote."""
    project = _project(tmp_path / around.project, backwards=around.umask != 0o022)
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(HOSTILE_SITE, encoding="utf-8")
    output = tmp_path / "out"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(site),
        "PYTHONWARNDEFAULTENCODING": "1",
        **around.environment,
    }
    folder = tmp_path if around.from_elsewhere else project
    specs = [
        str((project / spec).relative_to(folder)) if around.from_elsewhere else spec
        for spec in SPECS
    ]
    runs = [[spec] for spec in specs] if around.one_by_one else [specs]
    for run in runs:
        target = output / Path(run[0]).stem / "cloud-init" if around.one_by_one else output
        done = subprocess.run(
            [*command, "build", *run, "--target", "cloud-init", "--output", str(target)],
            cwd=folder,
            env=environment,
            umask=around.umask,
            check=False,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        # A library of the tests (regex, which lark imports where it is there) has one of its own.
        warned = [line for line in done.stderr.splitlines() if "EncodingWarning" in line]
        assert [line for line in warned if "/regex/" not in line] == []
    if around.one_by_one:
        # The folders then bear the names of the files; the manifests tell those of the catlets.
        for target in sorted(output.iterdir()):
            manifest = json.loads((target / "cloud-init/manifest.json").read_bytes())
            target.rename(target.with_name(f".{manifest['catlet']}"))
        for target in sorted(output.iterdir()):
            target.rename(target.with_name(target.name[1:]))
    return {
        path.relative_to(output).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            stat.S_IMODE(path.stat().st_mode),
        )
        for path in sorted(output.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, int]]:
    result = _build(
        [sys.executable, "-m", "eryphc"], Surroundings(), tmp_path_factory.mktemp("plain")
    )
    assert len([path for path in result if path.endswith(".iso")]) == len(SPECS)
    assert result["mixed/cloud-init/mixed.iso"][1] == 0o600
    assert result["mixed/cloud-init/nocloud/user-data"][1] == 0o600
    assert result["mixed/cloud-init/nocloud/meta-data"][1] == 0o644
    return result


@pytest.mark.parametrize(
    "around",
    [
        pytest.param(
            Surroundings(environment={"TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "0"}),
            id="east, hash seed 0",
        ),
        pytest.param(
            Surroundings(environment={"TZ": "<-08>8", "PYTHONHASHSEED": "1"}),
            id="west, hash seed 1",
        ),
        pytest.param(
            Surroundings(
                environment={"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
            ),
            id="a locale without UTF-8",
        ),
        pytest.param(
            Surroundings(environment={"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}),
            id="a Turkish locale",
        ),
        pytest.param(Surroundings(umask=0o077), id="umask 077"),
        pytest.param(Surroundings(umask=0), id="umask 000"),
        pytest.param(Surroundings(project="über den Bergen/a b"), id="a folder of another name"),
        pytest.param(Surroundings(from_elsewhere=True), id="started elsewhere"),
        pytest.param(Surroundings(one_by_one=True), id="one spec a command"),
        pytest.param(Surroundings(environment={"HOSTILE_CLOCK": "-700000000"}), id="22 years ago"),
        pytest.param(Surroundings(environment={"HOSTILE_CLOCK": "3000000000"}), id="in 95 years"),
        pytest.param(
            Surroundings(environment={"HOSTILE_LISTING": "1"}), id="directories backwards"
        ),
        pytest.param(Surroundings(environment={"PYTHONOPTIMIZE": "2"}), id="without assertions"),
        pytest.param(
            Surroundings(environment={"SOURCE_DATE_EPOCH": "315532800"}), id="the epoch given"
        ),
    ],
)
def test_same_bytes(
    around: Surroundings, plain: dict[str, tuple[str, int]], tmp_path: Path
) -> None:
    assert _build([sys.executable, "-m", "eryphc"], around, tmp_path) == plain


def test_another_epoch_changes_the_images_and_nothing_else(
    plain: dict[str, tuple[str, int]], tmp_path: Path
) -> None:
    around = Surroundings(environment={"SOURCE_DATE_EPOCH": "1700000000", "TZ": "Asia/Tokyo"})
    found = _build([sys.executable, "-m", "eryphc"], around, tmp_path)
    assert found.keys() == plain.keys()
    changed = {path for path in plain if found[path] != plain[path]}
    assert changed == {path for path in plain if path.endswith((".iso", "manifest.json"))}


@pytest.mark.parametrize("version", OTHER_PYTHONS)
def test_same_bytes_from_an_installed_wheel_under_another_python(
    version: str,
    plain: dict[str, tuple[str, int]],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    cache = request.config.cache
    assert cache is not None
    command = _installed(version, cache.mkdir("pythons"))
    assert _build([str(command)], Surroundings(), tmp_path) == plain


def _installed(version: str, cache: Path) -> Path:
    """The `eryphc` of an environment with that Python and a wheel of this checkout."""
    python = _find_python(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = sorted([*project["project"]["dependencies"], *project["build-system"]["requires"]])
    key = hashlib.sha256("\n".join([str(python), *wanted]).encode()).hexdigest()[:16]
    environment = cache / f"{version}-{key}"
    scripts = environment / "bin"
    if not (environment / "ready").exists():
        shutil.rmtree(environment, ignore_errors=True)
        _tool(str(python), "-m", "venv", str(environment))
        _tool(str(scripts / "python"), "-m", "pip", "install", "-q", "--no-compile", *wanted)
        (environment / "ready").touch()
    install = ("install", "-q", "--no-deps", "--no-build-isolation", "--force-reinstall")
    _tool(str(scripts / "python"), "-m", "pip", *install, str(ROOT), skip=False)
    return scripts / "eryphc"


def _find_python(version: str) -> Path | None:
    """An interpreter of that version: in the search path, or where version managers keep them."""
    home = Path.home()
    places = [
        *filter(None, [shutil.which(f"python{version}")]),
        *sorted(
            str(path)
            for root in (
                Path(os.environ.get("PYENV_ROOT", home / ".pyenv")) / "versions",
                home / ".local/share/uv/python",
                home / ".local/share/mise/installs/python",
                Path("/opt/hostedtoolcache/Python"),
            )
            if root.is_dir()
            for path in root.glob(f"*/**/bin/python{version}")
        ),
    ]
    for place in places:
        # A version manager's shim exists for versions that are not switched on, too.
        asked = subprocess.run(
            [place, "-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"],
            check=False,
            capture_output=True,
            text=True,
        )
        if asked.returncode == 0 and asked.stdout.strip() == version:
            return Path(place)
    return None


def _tool(*command: str, skip: bool = True) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        fail: Callable[[str], object] = pytest.skip if skip else pytest.fail
        fail(f"{command[:4]} failed: {done.stderr[-500:]}")
