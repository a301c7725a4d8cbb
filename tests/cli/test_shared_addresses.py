"""One MAC address in several specs of a run."""

from __future__ import annotations

import json

import pytest

from cli.command_line import CommandLine

SPEC = "name: {}\nnetwork_adapters:\n- {{name: eth0, mac_address: '52:54:00:00:00:{}'}}\n"


@pytest.mark.parametrize("words", [("check",), ("build", "-o", "out", "--target", "cloud-init")])
@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param("01", [("W0582", "b.yaml", 3)], id="the same"),
        pytest.param("02", [], id="another"),
    ],
)
def test_an_address_of_two_catlets_is_warned_of(
    eryphc: CommandLine, words: tuple[str, ...], second: str, expected: list[tuple[str, str, int]]
) -> None:
    eryphc.write("a.yaml", SPEC.format("a", "01"))
    eryphc.write("b.yaml", SPEC.format("b", second))
    command = (*words, "--guest", "linux", "--diagnostics", "json")
    done = eryphc(*command, "a.yaml", "b.yaml")
    assert done.code == 0
    found = json.loads(done.out if words == ("check",) else done.err)
    assert [(each["code"], each["file"], each["line"]) for each in found] == expected


def test_the_project_and_a_comment_choose_its_level(eryphc: CommandLine) -> None:
    eryphc.write("a.yaml", SPEC.format("a", "01"))
    eryphc.write("b.yaml", SPEC.format("b", "01"))
    command = ("check", "a.yaml", "b.yaml", "--guest", "linux")
    eryphc.write("eryphc.yaml", "lint: {deny: [address-in-two-specs]}\n")
    assert eryphc(*command).code == 1
    eryphc.write("eryphc.yaml", "lint: {allow: [address-in-two-specs]}\n")
    assert eryphc(*command).code == 0
    assert "W0582" not in eryphc(*command).err
    eryphc.write("eryphc.yaml", "{}\n")
    assert "W0582" in eryphc(*command).err
    comment = "# eryphc: allow address-in-two-specs -- two networks\n"
    eryphc.write("b.yaml", SPEC.format("b", "01").replace("- {", f"{comment}- {{"))
    assert "W0582" not in eryphc(*command).err


def test_one_catlet_alone_and_addresses_that_nobody_gave_are_fine(eryphc: CommandLine) -> None:
    eryphc.write("a.yaml", SPEC.format("a", "01"))
    for name in ("b", "c"):
        eryphc.write(f"{name}.yaml", f"name: {name}\nnetwork_adapters: [{{name: eth0}}]\n")
    specs = ("a.yaml", "b.yaml", "c.yaml")
    assert (
        json.loads(eryphc("check", *specs, "--guest", "linux", "--diagnostics", "json").out) == []
    )
