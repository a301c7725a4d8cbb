"""Options for what a deployment supplies later say so where no deployment is built."""

from __future__ import annotations

import json

import pytest

from cli.command_line import CommandLine


@pytest.mark.parametrize("name", ["build", "check"])
@pytest.mark.parametrize(
    "option", [("--open", "token=24"), ("--volume", "sda=base.vhdx")], ids=lambda option: option[0]
)
def test_they_are_not_passed_over_in_silence(
    eryphc: CommandLine, name: str, option: tuple[str, str]
) -> None:
    eryphc.write("web.yaml", "name: web\nvariables:\n- name: token\n")
    done = eryphc(name, "web.yaml", "--target", "cloud-init", *option, "--diagnostics", "json")
    assert done.code == 2
    (found,) = json.loads(done.err)
    others = " or `--target azure`" if option[0] == "--volume" else ""
    assert found["message"] == f"`{option[0]}` has no effect without `--target hyperv`{others}"
    assert not (eryphc.folder / "build").exists()


def test_with_a_deployment_among_the_targets_they_count(eryphc: CommandLine) -> None:
    eryphc.write("web.yaml", "name: web\nvariables:\n- name: token\n")
    targets = ("--target", "cloud-init", "--target", "hyperv")
    assert eryphc("build", "web.yaml", *targets, "--open", "token=24").code == 0
