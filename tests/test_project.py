"""The project's own files: one version, one address, tools pinned."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import eryph_runtime
import eryphc

ROOT = Path(__file__).parents[1]
PYPROJECT_TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads(PYPROJECT_TEXT)
LOCK = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
PINS = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", LOCK, re.MULTILINE))
WANTED = sorted(
    {
        text
        for group in (
            PYPROJECT["build-system"]["requires"],
            PYPROJECT["project"]["dependencies"],
            PYPROJECT["project"]["optional-dependencies"]["test"],
            PYPROJECT["project"]["optional-dependencies"]["dev"],
        )
        for text in group
        if not text.startswith("eryphc")
    }
)
LINK = re.compile(r"\]\(([^)]+)\)")


def test_the_version_is_the_same_everywhere() -> None:
    # The runtime and the PowerShell module are used without the compiler, so each has its own.
    module = (ROOT / "runtime/powershell/Eryphc/Eryphc.psd1").read_text(encoding="utf-8")
    assert eryph_runtime.__version__ == eryphc.__version__
    assert f"ModuleVersion = '{eryphc.__version__}'" in module
    assert "version" not in PYPROJECT["project"]


def test_the_address_is_the_same_everywhere() -> None:
    home = PYPROJECT["project"]["urls"]["Homepage"]
    addresses = re.findall(r"https?://[^\"'\s\\]+", PYPROJECT_TEXT)
    assert len(addresses) > 1
    assert [each for each in addresses if each != home and not each.startswith(f"{home}/")] == []


def test_links_of_the_readme_lead_somewhere() -> None:
    """Relative links name files of the repository; where the package is published they get the
    address in front, which the substitution in pyproject.toml does.
    """
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    home = PYPROJECT["project"]["urls"]["Homepage"]
    (rule,) = PYPROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]
    relative = [link for link in LINK.findall(text) if not link.startswith(("http", "#"))]
    assert relative
    for link in relative:
        assert (ROOT / link.partition("#")[0]).exists(), link
    published = re.sub(rule["pattern"], rule["replacement"], text)
    assert LINK.findall(published) == [
        f"{home}/{link}" if link in relative else link for link in LINK.findall(text)
    ]


@pytest.mark.parametrize("text", WANTED)
def test_the_lock_pins_what_the_project_asks_for(text: str) -> None:
    requirement = Requirement(text)
    assert requirement.specifier.contains(PINS[canonicalize_name(requirement.name)])


def test_the_lock_pins_everything_and_names_no_host() -> None:
    lines = [line for line in LOCK.splitlines() if not line.lstrip().startswith("#")]
    assert len(lines) == len(PINS)
    assert "//" not in LOCK
