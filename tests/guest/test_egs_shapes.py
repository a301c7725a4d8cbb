"""Which values make eryph's guest services apply nothing: the table, and how a text is judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from eryphc import BuildRequest, GuestOptions, Session, Source, Target
from eryphc.guest.compose import compose
from eryphc.guest.egs_shapes import Shape, refusals, table
from eryphc.guest.model import AgentFrom, GuestAgent, GuestKind, Reader
from guest import feeding
from guest.feeding import fodder
from saying import handed_out
from work import grows_evenly

SAMPLES: dict[str, dict[str, list[Any]]] = yaml.load(
    Path(__file__).with_name("egs-shapes.yaml").read_text(encoding="utf-8"),
    yaml.BaseLoader,  # noqa: S506 - it makes texts alone
)
EGS = Reader(GuestAgent.EGS, AgentFrom.OPTION)
CBI = Reader(GuestAgent.CLOUDBASE_INIT, AgentFrom.OPTION)
ASSUMED = Reader(GuestAgent.CLOUDBASE_INIT, AgentFrom.ASSUMED)


def word(shape: Shape) -> str:
    return shape if isinstance(shape, str) else next(iter(shape))


def typed(known: Any, around: str = "{}") -> Iterator[tuple[str, str]]:
    """Every typed place, as YAML with a hole, with the word of its shape."""
    for key, shape in known.items():
        yield from places(shape, around.replace("{}", f"{key}: {{}}"))


def places(shape: Any, around: str) -> Iterator[tuple[str, str]]:
    kind = word(shape)
    if kind == "either":
        # A text is taken in its place, so only what lies in it is of one shape.
        yield from typed(shape["either"][1]["fields"], around.replace("{}", "{{}}"))
        return
    yield around, kind
    if kind == "list":
        yield from places(shape["list"], around.replace("{}", "[{}]"))
    elif kind == "map":
        yield from places(shape["map"], around.replace("{}", "{any: {}}"))
    elif kind == "fields":
        yield from typed(shape["fields"], around.replace("{}", "{{}}"))


PLACES = tuple(typed(table()))


def filled(around: str, sample: str) -> str:
    return around.replace("{}", sample, 1) + "\n"


def test_the_table_has_every_key() -> None:
    assert len(table()) == 63
    assert len(PLACES) > 250
    assert {kind for _, kind in PLACES} == set(SAMPLES) - {"document"}


@pytest.mark.parametrize("kind", sorted(set(SAMPLES) - {"document"}))
def test_every_place_takes_and_refuses_what_its_shape_does(kind: str) -> None:
    for around, shape in PLACES:
        if shape != kind:
            continue
        for sample in SAMPLES[kind]["takes"]:
            assert list(refusals(filled(around, sample))) == [], (around, sample)
        for sample in SAMPLES[kind]["refuses"]:
            assert list(refusals(filled(around, sample))), (around, sample)


@pytest.mark.parametrize("text", SAMPLES["document"]["takes"])
def test_documents_that_are_taken(text: str) -> None:
    found = [each for each in refusals(text) if each.path]
    assert found == []


@pytest.mark.parametrize("text", SAMPLES["document"]["refuses"])
def test_documents_that_are_refused(text: str) -> None:
    assert list(refusals(text))


def test_the_place_is_that_of_the_value() -> None:
    text = "hostname: x\nusers:\n- name: bob\n  lock_passwd: maybe\n"
    [refusal] = refusals(text)
    assert [step.name for step in refusal.path] == ["users", 0, "lock_passwd"]
    assert text[refusal.start : refusal.end] == "maybe"


def test_aliases_are_judged_once() -> None:
    def laughs(count: int) -> str:
        lines = ["a0: &a0 [x]"]
        lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, count)]
        return "\n".join((*lines, f"runcmd: *a{count - 1}")) + "\n"

    assert grows_evenly(lambda count: list(refusals(laughs(count))), 20)


@pytest.mark.parametrize("text", ["users: &a [*a]\n", "a: &a {<<: *a, runcmd: [x]}\n"])
def test_a_value_inside_itself_ends(text: str) -> None:
    list(refusals(text))


# --- as findings ---------------------------------------------------------------------------------


def codes(agent: Reader, *entries: Any) -> list[str]:
    return feeding.codes(*entries, guest=GuestKind.WINDOWS, agent=agent)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("groups: [ops]\nruncmd: [r]\n", id="13"),
        pytest.param("ssh_pwauth: unchanged\nruncmd: [r]\n", id="17"),
        pytest.param("write_files: {path: 'C:\\x', content: x}\n", id="23"),
        pytest.param("runcmd: [echo a, {echo: b}]\n", id="48b"),
        pytest.param("snap: {commands: {0: a}}\nruncmd: [r]\n", id="51f"),
        pytest.param("write_files: [{path: 'C:\\x', content: !!binary aGk=}]\n", id="51m"),
        pytest.param("runcmd: [a\n", id="51n"),
        pytest.param("ntp: {servers: a}\n", id="51v"),
    ],
)
def test_what_loses_everything_is_an_error_or_a_warning(text: str) -> None:
    assert "E0592" in codes(EGS, fodder(text), fodder("#ps1\n", "shellscript"))
    assert "warning[E0592]" in codes(ASSUMED, fodder(text))
    assert not [code for code in codes(CBI, fodder(text)) if "E0592" in code]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("groups: [{ops: [bob]}]\n", id="14"),
        pytest.param("groups: [{name: ops}]\n", id="15b"),
        pytest.param("runcmd: [a]\nruncmd: [b]\n", id="26"),
        pytest.param("runcmd: [[echo, 1, true], null, echo b]\n", id="48"),
        pytest.param("runcmd: echo a\n", id="48c"),
        pytest.param("hostname: NO\nusers: ['on', {name: x, passwd: 12345678}]\n", id="51p"),
        pytest.param("Runcmd: [a]\nHOSTNAME: x\n", id="51z"),
        pytest.param("", id="51r"),
    ],
)
def test_what_is_taken_is_no_finding(text: str) -> None:
    assert not [code for code in codes(EGS, fodder(text)) if "E0592" in code]


def test_a_secret_is_not_shown() -> None:
    entry = fodder("users: [{name: bob, passwd: [hidden]}]\n", secret=True)
    found = compose(feeding.request(entry, guest=GuestKind.WINDOWS, agent=EGS)).diagnostics
    [shape] = [each for each in handed_out(found, entry) if each.code == "E0592"]
    assert "`users[0].passwd`" in shape.message
    assert "hidden" not in repr(shape)


def test_a_key_that_is_a_secret_value_is_not_shown() -> None:
    text = "name: web\nvariables: [{name: key, secret: true, value: hidden4711}]\n"
    text += "fodder:\n- name: a\n  content: |\n    yum_repos: {'{{ key }}': x}\n"
    options = GuestOptions(kind=GuestKind.WINDOWS, agent="egs")
    built = Session(environment={}).build(
        Source("spec.yaml", text), Target.CLOUD_INIT, BuildRequest(guest=options)
    )
    assert "E0592" in [each.code for each in built.diagnostics]
    assert "hidden4711" not in repr(built.diagnostics)
