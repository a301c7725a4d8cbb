"""The pipelines of docs/ci.md: they can be read, and every command in them is one."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from doc_pages import headings
from eryphc.cli.app import root

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "ci.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
HOOKS: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def loaded() -> Iterator[Any]:
    for language, text in BLOCKS:
        yield json.loads(text) if language == "json" else yaml.safe_load(text)


def commands() -> list[str]:
    """The command lines in pipelines, tasks and indented examples."""
    found = [text for block in loaded() for text in texts(block) if text.startswith("eryphc ")]
    found += re.findall(r"^    (eryphc .+)$", TEXT, re.MULTILINE)
    return sorted(set(found))


def parse(line: str) -> click.Context:
    """The line as click takes it. Raises UsageError."""
    words = shlex.split(line.partition(" > ")[0])[1:]
    command: click.Command = root
    context = click.Context(root)
    while isinstance(command, click.Group):
        name = words.pop(0)
        inner = command.get_command(context, name)
        assert inner is not None, f"no command `{name}`"
        command = inner
    return command.make_context(command.name, words)


def test_there_is_something_to_look_at() -> None:
    assert len(BLOCKS) > 4
    assert len(commands()) > 8


@pytest.mark.parametrize("line", commands())
def test_a_command_and_its_options_are_there(line: str) -> None:
    parse(line)


def test_an_option_that_is_none_would_be_seen() -> None:
    with pytest.raises(click.UsageError):
        parse("eryphc build web.yaml --target cloud-init --no-such-option")


def test_the_hooks_are_those_of_the_page() -> None:
    (configuration,) = (each for each in loaded() if isinstance(each, dict) and "repos" in each)
    named = [hook["id"] for hook in configuration["repos"][0]["hooks"]]
    assert named == [hook["id"] for hook in HOOKS]
    assert "pre-commit" in headings(PAGE)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_is_a_command(hook: dict[str, Any]) -> None:
    arguments = "" if hook.get("pass_filenames") is False else " specs/web.yaml"
    parse(hook["entry"] + arguments)
    assert set(hook) <= {
        "id",
        "name",
        "description",
        "entry",
        "language",
        "files",
        "pass_filenames",
    }
    assert hook["language"] == "python"


@pytest.mark.parametrize(
    ("hook", "path", "runs"),
    [
        ("eryphc-check", "specs/web.yaml", True),
        ("eryphc-check", "infra/specs/deep/web.yml", True),
        ("eryphc-check", "machines/web/catlet.yaml", True),
        ("eryphc-check", "docs/specs.yaml", False),
        ("eryphc-check", "genes/acme/motd/1.0/fodder/motd.yaml", False),
        ("eryphc-check", "my-specs/web.yaml", False),
        ("eryphc-lock", "eryph.lock", True),
        ("eryphc-lock", "eryphc.yaml", True),
        ("eryphc-lock", "genes/acme/motd/1.0/fodder/motd.yaml", True),
        ("eryphc-lock", "readme.md", False),
        ("eryphc-lock", "my-eryph.lock", False),
    ],
)
def test_a_hook_runs_for_a_path(hook: str, path: str, *, runs: bool) -> None:
    (files,) = (each["files"] for each in HOOKS if each["id"] == hook)
    assert (re.search(files, path) is not None) is runs


def test_renovate_finds_fixed_tags() -> None:
    (configuration,) = (each for each in loaded() if "customManagers" in each)
    manager = configuration["customManagers"][0]
    (pattern,) = manager["matchStrings"]
    found = re.compile(pattern.replace("(?<", "(?P<"))
    match = found.search("- source: gene:acme/motd/1.0:motd")
    assert match is not None
    assert (match["depName"], match["currentValue"]) == ("acme/motd", "1.0")
    match = found.search("parent: acme/base/20260115")
    assert match is not None
    assert (match["depName"], match["currentValue"]) == ("acme/base", "20260115")
    assert found.search("- source: gene:acme/motd/latest:motd") is None
    (files,) = manager["managerFilePatterns"]
    assert re.search(files.strip("/"), "specs/web.yaml")
