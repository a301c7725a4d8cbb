"""What is certain of a Jinja cloud-config before the guest renders it."""

from __future__ import annotations

import pytest

from eryphc.diagnostics.model import Diagnostic
from eryphc.guest.compose import compose
from eryphc.guest.model import MergeMode
from guest.conftest import Reader
from guest.feeding import codes, fodder, request, seed
from saying import said

HEAD = "## template: jinja\n#cloud-config\n"


def found(text: str, mode: MergeMode = MergeMode.MERGED) -> tuple[Diagnostic, ...]:
    return compose(request(fodder(HEAD + text), merge=mode)).diagnostics


REFUSED = [
    pytest.param("hostname: one\t# set\n", "E0501", "\t", id="a tab before a comment"),
    pytest.param("hostname: {{ v1.x }}\t# set\n", "E0501", "\t", id="a tab behind an expression"),
    pytest.param('hostname: "{{ v1.x }}"\t# set\n', "E0501", "\t", id="a tab behind a quote"),
    pytest.param("packages: [jq](x)\nruncmd: [a]\n", "E0501", "(", id="behind a list"),
    pytest.param("a: {{ v1.x }}\npackages: [jq](x)\n", "E0501", "(", id="after an expression"),
    pytest.param("l: [{a: why?}]\n", "E0501", "?", id="a question mark"),
    pytest.param("l: [{{ v1.distro }}?]\n", "E0501", "?", id="a question mark behind a word"),
    pytest.param("a: {{ v1.distro }}: b\n", "E0501", ":", id="a colon behind a word"),
    pytest.param("a: '\x07'\n", "E0501", "\x07", id="a control character"),
    pytest.param("a: '\x80'\n", "E0501", "\x80", id="another control character"),
    pytest.param("a: &x 1\nb: &x 2\n", "E0501", "&", id="an anchor twice"),
    pytest.param("- a\n- '{{ v1.x }}'\n", "E0502", "-", id="a list"),
    pytest.param("only words\n", "E0502", "o", id="text"),
    pytest.param("a: !!int x\n", "E0503", "!", id="a value of another type"),
    pytest.param("{% set a = 1 %}\nb: [a](x)\n", "E0501", "(", id="after an assignment"),
    pytest.param(
        "{% if v1.x %}\na: 1\n{% endif %}\nb: [a](x)\n", "E0501", "(", id="after a branch"
    ),
    pytest.param("{% if v1.x %}\n- a\n{% else %}\n- b\n{% endif %}\n", "E0502", "-", id="both"),
    pytest.param("{% for i in l %}\na{{ i }}: 1\n{% endfor %}\nb: '\n", "E0501", "'", id="a loop"),
    pytest.param("{% raw %}\na: {{ b }\n{% endraw %}\n", "E0501", "{", id="raw text"),
]

TAKEN = [
    pytest.param("{{ v1.x }}\n", id="one expression"),
    pytest.param("{% set distro = '# ' %}\na: {{ distro }}: b\n", id="a word of its own"),
    pytest.param("a: {{ v1.x }}\n{{ b }}: {{ c | tojson }}\n", id="keys and values"),
    pytest.param("a: {{ '[' }}\nb: {{ ']' }}\n", id="constants"),
    pytest.param("a: {{ '[b' if c else '[d' }}]\n", id="constants of a condition"),
    pytest.param("a: [{{ v1.x }}\n", id="an expression that may end a list"),
    pytest.param("a: {{ v1.x }}: [\nb: 1\n", id="an expression that may begin a comment"),
    pytest.param("{% if v1.x %}\na: [\n{% else %}\nb: 1\n{% endif %}\n", id="one branch"),
    pytest.param(
        "{% if v1.x %}\na: |\n{% endif %}\n  b: c: d\n", id="a branch that begins a block"
    ),
    pytest.param(
        "l: [{% for i in m %}{{ i }}{% if not loop.last %},{% endif %}{% endfor %}]\n", id="a"
    ),
    pytest.param("r:\n{% for i in m %}\n- {{ i }}\n{% endfor %}\n", id="a list made by a loop"),
    pytest.param("{% macro m() %}\na: [\n{% endmacro %}\nb: 1\n", id="a macro"),
    pytest.param("{% include 'x' %}\na: [](x)\n", id="an include"),
    pytest.param("{% do x.append(1) %}\na: 1\n", id="a statement that does something"),
    pytest.param("a: 1\n{# b: [ #}\nc: 1\n", id="a comment"),
    pytest.param("{{ a }}: 1\n{{ b }}: 2\n", id="two keys that are not known"),
    pytest.param("a: |\n  \tx\n  {{ v1.x }}\ty\n", id="tabs in a block"),
]


@pytest.mark.parametrize(("text", "code", "sign"), REFUSED)
def test_what_no_guest_could_load(text: str, code: str, sign: str) -> None:
    [error] = found(text)
    assert error.code.number == code
    assert error.primary is not None
    span = error.primary.span
    assert span.source.text.startswith(sign, span.start)
    [warning] = found(text, MergeMode.PARTS)
    assert (warning.code.number, warning.level.value) == (code, "warning")


@pytest.mark.parametrize("text", TAKEN)
@pytest.mark.parametrize("mode", list(MergeMode))
def test_what_a_guest_may_load(text: str, mode: MergeMode) -> None:
    assert [each.code.number for each in found(text, mode)] == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("a: 1\na: 2\n", "W0505", id="a key twice"),
        pytest.param("# nothing\n", "W0506", id="comments"),
        pytest.param("", "W0506", id="nothing"),
    ],
)
@pytest.mark.parametrize("mode", list(MergeMode))
def test_what_a_guest_takes_up_all_the_same(text: str, code: str, mode: MergeMode) -> None:
    assert [each.code.number for each in found(text, mode)] == [code]


def test_the_whole_message() -> None:
    [error] = found("hostname: one\t# set\n")
    shown = said(error)
    assert shown.message == (
        "the cloud-config of fodder entry `food` cannot be read: a tab may not be used here"
    )
    assert shown.notes == ("a guest drops such a part whole and boots without it",)


def test_work_is_bounded() -> None:
    many = "{% if a %}\nx: [\n{% endif %}\n" * 200 + "b: [a](x)\n"
    assert found(many) == ()
    always = "".join(each.code.number for each in found(many + "c: '\x07'\n"))
    assert always == "E0501"


def test_other_texts_are_no_cloud_configs() -> None:
    script = "## template: jinja\n#!/bin/sh\necho [a](x)\t# b\n"
    assert codes(fodder(script, "shellscript")) == []


@pytest.mark.integration
@pytest.mark.parametrize(("text", "code", "sign"), REFUSED)
def test_cloud_init_drops_them(read_as_linux: Reader, text: str, code: str, sign: str) -> None:
    assert code
    assert sign
    made = seed(fodder(HEAD + text, None, "t"), merge=MergeMode.PARTS)
    read = read_as_linux(made.user_data.data)
    assert read["config"] == {}
    assert read["warnings"]


@pytest.mark.integration
def test_cloud_init_has_the_extension_for_statements(read_as_linux: Reader) -> None:
    text = "{% set l = [] %}{% do l.append('x') %}\npackages: {{ l }}\n"
    read = read_as_linux(seed(fodder(HEAD + text)).user_data.data)
    assert read["config"] == {"packages": ["x"]}
