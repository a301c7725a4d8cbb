"""A target is one folder and one line: a toy target is added that way to a copy of the package."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from targets.attaching import ROOT, package_with, run

pytestmark = pytest.mark.once

TOY = {
    "__init__.py": """
from eryphc.frozen import NamedTuple
from eryphc.targets.definition import Backend, Flag, OptionRefused, TargetDefinition


class ToyOptions(NamedTuple):
    colour: str = "red"


def read(words):
    if words[-1] not in ("red", "blue"):
        raise OptionRefused(f"`{words[-1]}` is no colour of toys")
    return words[-1]


def backend():
    from eryphc.targets.toy_box.plan import emit, plan

    return Backend(plan=plan, emit=emit)


def section():
    from eryphc.targets.toy_box.plan import SECTION

    return SECTION


DEFINITION = TargetDefinition(
    options=ToyOptions,
    flags=(
        Flag(
            name="--toy-colour",
            field="colour",
            metavar="COLOUR",
            help="The colour of the toy",
            read=read,
        ),
    ),
    left_open=lambda options: ("Size",) if options.colour == "blue" else (),
    backend=backend,
    section_name="toy_box",
    section=section,
    section_schema=lambda: {"type": "object", "description": "The toy of a catlet."},
)
""",
    "plan.py": """
from dataclasses import dataclass

from eryphc.artifacts.file import ArtifactFile
from eryphc.diagnostics import command
from eryphc.diagnostics.model import Outcome
from eryphc.passes.values import Shape
from eryphc.project.file import TEXT, Section, Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class ToySettings(Setting):
    size: str | None = None


def faults(settings):
    if settings.size == "0":
        yield command.project_value("toy_box", "`0` is no size", settings.at("size"))


SECTION = Section(shape=Shape("toy section", ToySettings, {"size": TEXT}), faults=faults)


def plan(inputs):
    size = inputs.settings.size if inputs.settings is not None else "small"
    return Outcome(f"{size} {inputs.options.colour} {inputs.name}\\n")


def emit(plan):
    return {"toy.txt": ArtifactFile(content=plan.encode(), media_type="text/plain")}
""",
}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package_with(tmp_path_factory.mktemp("package"), TOY)


def test_it_builds_with_its_option_and_its_project_setting(package: Path, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text("name: web\n", encoding="utf-8")
    (tmp_path / "eryphc.yaml").write_text("toy_box: {size: large}\n", encoding="utf-8")
    built = run(package, tmp_path, "build", "web.yaml", "--target", "toy-box", "--toy-colour=blue")
    assert (built.returncode, built.stdout) == (0, "build/web/toy-box/toy.txt\n"), built.stderr
    place = tmp_path / "build" / "web" / "toy-box"
    assert (place / "toy.txt").read_text("utf-8") == "large blue web\n"
    manifest = json.loads((place / "manifest.json").read_text("utf-8"))
    assert (manifest["target"], len(manifest["artifacts"])) == ("toy-box", 1)


def test_nobody_is_asked_for_what_it_leaves_open(package: Path, tmp_path: Path) -> None:
    (tmp_path / "asked.py").write_text(
        """
from eryphc import BuildRequest, Session, Source
from eryphc.targets.toy_box import ToyOptions

spec = Source("web.yaml", "variables: [{name: size, required: true}, {name: x, required: true}]")
for colour in ("red", "blue"):
    asked = []
    request = BuildRequest(targets=(ToyOptions(colour=colour),))
    Session(ask=lambda name, secret: asked.append(name)).check(spec, request=request)
    print(colour, *asked)
""",
        encoding="utf-8",
    )
    paths = [str(package), *(str(ROOT / each) for each in ("runtime", "stdlib-genes"))]
    code = f"import sys; sys.path[:0] = {paths!r}; import runpy; runpy.run_path('asked.py')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "red size x\nblue x\n", done.stderr


def test_its_faults_are_reported(package: Path, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text("name: web\n", encoding="utf-8")
    check = ("check", "web.yaml", "--target", "toy-box")
    assert run(package, tmp_path, *check).returncode == 0
    wrong = run(package, tmp_path, *check, "--toy-colour=green")
    assert (wrong.returncode, "`green` is no colour of toys" in wrong.stdout) == (1, True)
    without = run(package, tmp_path, "check", "web.yaml", "--toy-colour=blue")
    assert without.returncode == 2
    assert "has no effect without `--target toy-box`" in without.stderr
    (tmp_path / "eryphc.yaml").write_text("toy_box: {size: 0}\n", encoding="utf-8")
    setting = run(package, tmp_path, *check)
    assert (setting.returncode, "`0` is no size" in setting.stdout) == (1, True)
    (tmp_path / "eryphc.yaml").write_text("toy_box: {sise: 1}\n", encoding="utf-8")
    assert "did you mean `size`?" in run(package, tmp_path, *check).stdout


def test_help_messages_and_schema_know_it(package: Path, tmp_path: Path) -> None:
    for command in ("build", "check"):
        shown = run(package, tmp_path, command, "--help").stdout
        assert "toy-box" in shown
        assert "--toy-colour COLOUR" in shown
    unknown = run(package, tmp_path, "build", "web.yaml", "--target", "toy-bok")
    assert "did you mean `toy-box`?" in unknown.stderr
    schema = json.loads(run(package, tmp_path, "schema", "project").stdout)
    assert schema["properties"]["toy_box"]["description"] == "The toy of a catlet."
    assert set(schema["properties"]) > {"pools", "hyperv"}
