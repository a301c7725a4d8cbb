"""A secret goes through every diagnostic and appears in none.

Generated over all codes: every wrong example of every page is made secret, and a canary is put
into each of its places in turn. What is handed out is looked at as data and text, of a program
and of the command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from diagnostics.test_pages import NUMBERS, PAGES, Example, Page
from eryphc import BuildRequest, EryphcError, GuestKind, GuestOptions, MergeMode, Session, Target
from eryphc.cli.app import run
from eryphc.diagnostics.data import as_github, as_json, as_sarif
from eryphc.diagnostics.printing import text as as_text

pytestmark = pytest.mark.once

CANARY = "canary4711"
# As a secret may be written: what YAML takes for something else is quoted by its own words.
SPELLINGS = (CANARY, f"*{CANARY}", f"!{CANARY} x", f"&{CANARY}", f"{{{CANARY}: 1}}", f'"{CANARY}')
# These name an entry of a cloud-config, which secret fodder may show, as it may its keys.
IDENTITIES = re.compile(
    r"(?:name|path|packages|groups|primary_group|owner|unit|runcmd|bootcmd|snap)\b|- [\w./-]+$"
)
WORD = re.compile(r"[A-Za-z0-9][\w./-]{2,}")
MOST = 24
DECLARED = f'- {{name: canary, secret: true, value: "{CANARY}"}}'


@dataclass(frozen=True)
class Mutant:
    """One file of an example with the canary in it; `values` are given from outside."""

    text: str
    values: tuple[tuple[str, str], ...] = ()


def span(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.index, node.end_mark.index


def pairs(node: yaml.Node | None) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    """The entries of a mapping by their keys."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {str(key.value): (key, value) for key, value in node.value}


def items(node: yaml.Node | None) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def with_secrets(text: str) -> str:
    """The document, in which every variable and all fodder says that it is secret."""
    root = yaml.compose(text)
    places: list[tuple[int, str]] = []

    def mark(record: yaml.Node) -> None:
        entries = pairs(record)
        if not entries or {"secret", "remove"} & set(entries):
            return
        key = next(iter(entries.values()))[0]
        start, _ = span(key)
        if isinstance(record, yaml.MappingNode) and record.flow_style:
            places.append((start, "secret: true, "))
        else:
            places.append((start, "secret: true\n" + " " * key.start_mark.column))

    top = pairs(root)
    for variable in items(top["variables"][1] if "variables" in top else None):
        mark(variable)
    for fodder in items(top["fodder"][1] if "fodder" in top else None):
        entries = pairs(fodder)
        if "source" not in entries:
            mark(fodder)
        for binding in items(entries["variables"][1] if "variables" in entries else None):
            mark(binding)
    for at, words in sorted(places, reverse=True):
        text = text[:at] + words + text[at:]
    return text


def with_variable(text: str, declaration: str) -> str:
    """The document with one more variable."""
    match = re.search(r"^variables:[ \t]*\n( *)-", text, re.MULTILINE)
    if match is not None:
        at = match.start(1)
        return f"{text[:at]}{match[1]}{declaration}\n{text[at:]}"
    return f"{text.rstrip()}\nvariables:\n{declaration}\n"


def contents(root: yaml.Node) -> Iterator[tuple[int, int]]:
    """The stretches that hold the content of fodder."""
    top = pairs(root)
    for fodder in items(top["fodder"][1] if "fodder" in top else None):
        entries = pairs(fodder)
        if "content" in entries:
            key, value = entries["content"]
            yield span(key)[1] + 1, span(value)[1]


def values(root: yaml.Node) -> Iterator[tuple[int, int]]:
    """The stretches that hold values of variables and bindings."""
    top = pairs(root)
    records = items(top["variables"][1] if "variables" in top else None)
    for fodder in items(top["fodder"][1] if "fodder" in top else None):
        entries = pairs(fodder)
        records += items(entries["variables"][1] if "variables" in entries else None)
    for record in records:
        entries = pairs(record)
        if "value" in entries:
            yield span(entries["value"][1])


def mutants(text: str, number: int) -> Iterator[Mutant]:
    """The document with the canary in each place where it is secret."""
    try:
        secret = with_secrets(text)
        root = yaml.compose(secret)
    except (yaml.YAMLError, ValueError):
        # Of what cannot be read nothing is public.
        for match in spread(WORD.finditer(text)):
            broken = text[: match.start()] + CANARY + text[match.end() :]
            if not is_yaml(broken):
                yield Mutant(broken)
        return
    if root is None:
        return
    places = [match for start, end in contents(root) for match in WORD.finditer(secret, start, end)]
    for count, match in enumerate(spread(places)):
        before, after = secret[: match.start()], secret[match.end() :]
        # Made by a secret variable it is hidden wherever it stands.
        if count % 2:
            inserted = with_variable(f"{before}{{{{ canary }}}}{after}", DECLARED)
            yield Mutant(inserted)
        else:
            declared = with_variable(
                f"{before}{{{{ canary }}}}{after}", "- {name: canary, secret: true}"
            )
            yield Mutant(declared, (("canary", CANARY),))
        line = before.rpartition("\n")[2]
        is_key = after[:1] == ":"
        if not is_key and not IDENTITIES.search(line + match[0]):
            yield Mutant(before + SPELLINGS[(count + number) % len(SPELLINGS)] + after)
    for start, end in values(root):
        for spelling in SPELLINGS:
            yield Mutant(secret[:start] + spelling + secret[end:])
            yield Mutant(f"{secret[:start]}\n      {spelling}{secret[end:]}")
    # A key that nobody knows, of a record that says it is secret.
    for match in list(re.finditer(r"^( *)(?:- )?secret: true\n( +)", secret, re.MULTILINE))[:2]:
        yield Mutant(
            f"{secret[: match.end()]}{CANARY}: {CANARY}\n{match[2]}{secret[match.end() :]}"
        )


def spread(matches: Iterable[re.Match[str]]) -> list[re.Match[str]]:
    """At most `MOST` of them, from the beginning to the end."""
    found = list(matches)
    step = max(1, -(-len(found) // MOST))
    return found[::step]


def is_yaml(text: str) -> bool:
    try:
        yaml.compose(text)
    except (yaml.YAMLError, ValueError):
        return False
    return True


CONFIGURATIONS = (
    GuestOptions(kind=GuestKind.LINUX),
    GuestOptions(kind=GuestKind.LINUX, merge=MergeMode.PARTS),
    GuestOptions(kind=GuestKind.WINDOWS, sealed=True),
)


def told_to_a_program(given: dict[str, str], guest: GuestOptions) -> str:
    """All that a program is told of `spec.yaml`."""
    told: list[str] = []
    try:
        session = Session(".", environment={})
        request = BuildRequest(values=given, guest=guest, name="web")
        read = session.read("spec.yaml", request)
        checked = session.check(read, (Target.CLOUD_INIT, Target.HYPERV), request)
        compiled = session.compile(read, request)
        expanded = session.expand(read, "feed", request)
        told += [repr(each) for each in (session, request, read, read.__dict__, checked)]
        told += [repr(checked.__dict__), repr(compiled), repr(compiled.__dict__)]
        told += [repr(compiled.catlet), repr(expanded.yaml()), repr(expanded.data())]
        found = checked.diagnostics + compiled.diagnostics + expanded.diagnostics
    except EryphcError as error:
        found = error.diagnostics
        told += [str(error), repr(error), repr(error.__dict__)]
    told += [as_text(found), as_json(found), as_sarif(found, "0"), as_github(found), repr(found)]
    return "\n".join(told)


@pytest.mark.parametrize("number", NUMBERS)
def test_no_canary_is_told(
    number: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = Page.read(PAGES / f"{number}.md")
    if "## Wrong" not in page.text:
        return
    example = page.example("Wrong")
    for name in ("ERYPHC_GENEPOOL", "SOURCE_DATE_EPOCH", "ERYPHC_VAR_canary"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    write(tmp_path, example)
    order = int(number[1:])
    for name, text in example.files.items():
        if not name.endswith((".yaml", ".yml")) or name == "eryphc.yaml":
            continue
        for count, mutant in enumerate(mutants(text, order)):
            (tmp_path / name).write_text(mutant.text, encoding="utf-8", newline="\n")
            given = dict(mutant.values)
            guest = CONFIGURATIONS[(order + count) % len(CONFIGURATIONS)]
            where = f"{name}, {guest}, {given}:\n{mutant.text}"
            assert CANARY not in told_to_a_program(given, guest), where
            if count % 3 == 0 and example.command.startswith("eryphc "):
                assert CANARY not in told_on_the_command_line(example, given, capsys, count), where
        (tmp_path / name).write_text(text, encoding="utf-8", newline="\n")


def write(folder: Path, example: Example) -> None:
    for name, text in example.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


FORMATS = ("text", "json", "sarif", "github")


def told_on_the_command_line(
    example: Example, given: dict[str, str], capsys: pytest.CaptureFixture[str], count: int
) -> str:
    if re.fullmatch(r"eryphc [\w@=:/., +-]*", example.command) is None:
        return ""
    style = FORMATS[count // 3 % len(FORMATS)]
    words = [*example.command.split()[1:], "--diagnostics", style]
    if words[0] in ("build", "check", "expand"):
        words += ["--no-input"]
        for name, value in given.items():
            words += ["--var", f"{name}={value}"]
    if words[0] == "build":
        words += ["-v"]
    capsys.readouterr()
    run(words)
    out, err = capsys.readouterr()
    return out + err


def test_a_canary_that_is_no_secret_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the tests above look at would tell a canary, were it not secret."""
    monkeypatch.chdir(tmp_path)
    text = f"name: web\nfodder:\n- name: a\n  content: |\n    {CANARY}: 1\n"
    (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")
    assert CANARY in told_to_a_program({}, CONFIGURATIONS[0])
