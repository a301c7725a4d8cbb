"""`build` and `check` without SPEC: what the project file lists, else the folder's own catlet."""

from __future__ import annotations

import pytest

from cli.command_line import CommandLine

BUILD = ("build", "--target", "user-data", "--guest", "linux")


@pytest.fixture
def project(eryphc: CommandLine) -> CommandLine:
    eryphc.write("specs/a.yaml", "name: a\n")
    eryphc.write("specs/b.yaml", "name: b\n")
    eryphc.write("other.yaml", "name: other\n")
    eryphc.write("eryphc.yaml", "specs: ['specs/*.yaml']\n")
    return eryphc


def test_what_the_project_lists(project: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "2 specs: nothing to report" in project("check", "--guest", "linux").err
    monkeypatch.chdir(project.folder / "specs")
    done = project(*BUILD)
    assert done.code == 0, done.err
    assert [line.split("/")[1] for line in done.out.splitlines()] == ["a", "a", "b", "b"]


def test_a_fault_is_shown_where_it_is(project: CommandLine) -> None:
    project.write("specs/b.yaml", "name: b\nparent: acme/nothing/1.0\n")
    done = project("check", "--guest", "linux")
    assert done.code == 1
    assert "specs/b.yaml:2:9" in done.out


@pytest.mark.parametrize("command", [BUILD, ("check",), ("lock",)])
def test_a_list_without_files(project: CommandLine, command: tuple[str, ...]) -> None:
    project.write("eryphc.yaml", "specs: ['machines/*.yaml']\n")
    done = project(*command)
    assert done.code == 1
    assert "`machines/*.yaml` (entry 1) matches no file" in done.err + done.out


def test_the_catlet_of_the_folder(eryphc: CommandLine) -> None:
    assert "error[E0902]: `.`: the folder holds no `catlet.yaml`" in eryphc(*BUILD).err
    eryphc.write("catlet.yaml", "name: here\n")
    done = eryphc(*BUILD)
    assert (done.code, done.out.splitlines()[0]) == (0, "build/here/user-data/report.json")
