"""Values that do not arrive as the one value that they are, and those that do."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from eryphc import BuildRequest, GuestKind, GuestOptions, Session, Source, Target
from eryphc.diagnostics.shown import ShownDiagnostic
from eryphc.guest.values import powershell, shell
from eryphc.guest.values.quoting import Quoting
from guest.feeding import fodder
from work import grows_evenly

KINDS = {"E0575", "W0422", "W0423", "W0425", "W0429"}


def spec(content: str, values: Mapping[str, str], kind: str = "cloud-config") -> str:
    return json.dumps(
        {
            "name": "web",
            "variables": [{"name": name, "value": text} for name, text in values.items()],
            "fodder": [{"name": "food", "type": kind, "content": content}],
        }
    )


def checked(
    text: str, guest: GuestKind = GuestKind.LINUX, *, name: str = "web.json"
) -> list[ShownDiagnostic]:
    request = BuildRequest(guest=GuestOptions(kind=guest))
    answer = Session(environment={}).check(Source(name, text), (Target.CLOUD_INIT,), request)
    return [each for each in answer.diagnostics if each.code in KINDS]


def found(content: str, kind: str = "cloud-config", **values: str) -> list[str]:
    return [f"{each.code} {each.message}" for each in checked(spec(content, values, kind))]


def config(lines: str) -> str:
    return f"#cloud-config\n{lines}\n"


BREAKS = {
    "a comment begins": (
        "final_message: {{ v }}",
        "hunter2 #1",
        "reads `hunter2`, not `hunter2 #1`",
    ),
    "a comment begins behind text": ("x: pw={{ v }}", "a #1", "reads `pw=a`, not `pw=a #1`"),
    "a line feed adds keys": ("timezone: {{ v }}", "UTC\nruncmd: [x]", "and also `runcmd`"),
    "a colon makes a map": ("final_message: {{ v }}", "a: b", "cannot read the text at all"),
    "a colon makes a map in a list": ("packages: [{{ v }}]", "a: b", "a map"),
    "a comma in a list": ("packages: [{{ v }}]", "a, b", "reads `a`, not `a, b`"),
    "a list": ("hostname: {{ v }}", "[a, b]", "a list"),
    "a quote": ("final_message: {{ v }}", "'a", "cannot read the text at all"),
    "quotes of its own": ("final_message: {{ v }}", '"a b"', 'reads `a b`, not `"a b"`'),
    "a quote in single quotes": ("final_message: '{{ v }}'", "it's", "cannot read the text at all"),
    "a doubled quote in single quotes": ("final_message: '{{ v }}'", "it''s", "reads `it's`"),
    "a backslash in double quotes": ('final_message: "{{ v }}"', "a\\tb", "reads `a\tb`"),
    "blanks at an end": ("final_message: {{ v }}", "a ", "reads `a`, not `a `"),
    "a line feed in quotes": ("final_message: '{{ v }}'", "a\nb", "reads `a b`"),
    "an alias": ("final_message: {{ v }}", "*a", "cannot read the text at all"),
    "a tag": ("final_message: {{ v }}", "!a b", "reads `b`"),
    "an anchor": ("final_message: {{ v }}", "&a b", "reads `b`"),
    "a line feed in a block": (
        "x: |\n  a={{ v }}\n  b",
        "1\nruncmd: [x]",
        "cannot read the text at all",
    ),
    "a line feed in a comment": ("# {{ v }}\nhostname: a", "1\nruncmd: [x]", "other data"),
    "a key": ("{{ v }}: a", "a: b", ""),
}


@pytest.mark.parametrize(("lines", "value", "words"), BREAKS.values(), ids=BREAKS)
def test_a_value_breaks_out(lines: str, value: str, words: str) -> None:
    said = [each for each in found(config(lines), v=value) if each.startswith("E0575")]
    assert len(said) == 1
    assert words in said[0]
    # The guest's own loader says the same.
    text = config(lines).replace("{{ v }}", value)
    harmless = yaml.safe_load(config(lines).replace("{{ v }}", "Zv"))
    meant = json.loads(json.dumps(harmless).replace("Zv", json.dumps(value)[1:-1]))
    with suppress(yaml.YAMLError):
        assert yaml.safe_load(text) != meant


HOLDS = {
    "plain": ("password: {{ v }}", "hunter2#1"),
    "an address": ("x: {{ v }}", "http://proxy:3128/a?b=c"),
    "a colon in the middle": ("x: {{ v }}", "a:b"),
    "single quotes": ("password: '{{ v }}'", 'hunter2 #1: "x" \\'),
    "double quotes": ('password: "{{ v }}"', "it's #1: x"),
    "a block": ("x: |\n  pw={{ v }}\n", "hunter2 #1: 'x' \"y\" \\ *a"),
    "a folded block": ("x: >\n  pw={{ v }}\n", "hunter2 #1"),
    "a comment": ("# {{ v }}\nhostname: a", "anything: 'x"),
    "an ssh key": ("ssh_authorized_keys: [{{ v }}]", "ssh-ed25519 AAAAC3Nz+/= me@host"),
    "a hash": ("x: {{ v }}", "$6$rounds=4096$abc$def./"),
    "a line feed at the end": ("ssh_authorized_keys:\n- {{ v }}", "ssh-rsa AAAA\n"),
    "a list of lines in its own place": ("runcmd:\n{{ v }}", "- a\n- b"),
    "a whole document": ("{{ v }}", "hostname: a"),
}


@pytest.mark.parametrize(("lines", "value"), HOLDS.values(), ids=HOLDS)
def test_a_value_holds(lines: str, value: str) -> None:
    assert found(config(lines), v=value) == []


SOURCES = st.sampled_from(
    [
        "password: {{ v }}",
        "password: '{{ v }}'",
        'password: "{{ v }}"',
        "x: |\n  a={{ v }}\n  b",
        "x: [a, {{ v }}, b]",
        "x: {a: {{ v }}, b: c}",
        "x:\n- {{ v }}\n- b",
        "x: a {{ v }} b",
    ]
)


@given(lines=SOURCES, value=st.text("ab1 #:'\"\\\n-[]{},&*!|>%@`?~=.", min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_what_is_not_reported_arrives(lines: str, value: str) -> None:
    said = found(config(lines), v=value)
    if any(each.startswith("E0575") for each in said):
        return
    text = config(lines)
    harmless = yaml.safe_load(text.replace("{{ v }}", "Zv"))
    meant = json.loads(json.dumps(harmless).replace("Zv", json.dumps(value)[1:-1]))
    # What a merge has read is written anew, so that the guest's own scanner does not count.
    read = yaml.load(text.replace("{{ v }}", value), Loader=yaml.CBaseLoader)  # noqa: S506
    if isinstance(read, dict) and json.dumps(read) != json.dumps(meant):
        # Of a plain scalar only line feeds at the end get lost.
        assert value.endswith("\n")
        assert json.dumps(read) == json.dumps(meant).replace(
            json.dumps(value)[1:-1], json.dumps(value.rstrip("\n"))[1:-1]
        )


CHANGES = {
    "octal": ("hostname: {{ v }}", "012", "`012` as the number 10"),
    "a version": ("final_message: {{ v }}", "1.10", "`1.10` as the number 1.1"),
    "a word for true": ("final_message: {{ v }}", "on", "`on` as true"),
    "no": ("final_message: {{ v }}", "no", "`no` as false"),
    "a date": ("final_message: {{ v }}", "2024-01-01", "as a date"),
    "null": ("final_message: {{ v }}", "null", "null"),
    "nothing": ("final_message: {{ v }}", "", "null"),
    "an exponent": ("final_message: {{ v }}", "1e3", "some readers"),
    "base sixty": ("final_message: {{ v }}", "1:30", "`1:30` as the number 90"),
    "a number where text is wanted": ("hostname: {{ v }}", "12", "the number `12`"),
    "a list of commands": ("runcmd: [[sleep, {{ v }}]]", "010", "`010` as the number 8"),
}


@pytest.mark.parametrize(("lines", "value", "words"), CHANGES.values(), ids=CHANGES)
def test_a_value_changes_its_type(lines: str, value: str, words: str) -> None:
    said = [each for each in found(config(lines), v=value) if each.startswith("W0422")]
    assert len(said) == 1
    assert words in said[0]


STAYS = {
    "a number where one is welcome": ("power_state: {mode: reboot, timeout: {{ v }}}", "30"),
    "a flag where one is welcome": ("ssh_pwauth: {{ v }}", "true"),
    "a flag in other words": ("package_update: {{ v }}", "yes"),
    "in quotes": ("hostname: '{{ v }}'", "012"),
    "beside text": ("hostname: web{{ v }}", "012"),
    "in a block": ("x: |\n  {{ v }}\n", "012"),
    "a number of an unknown key": ("x: {{ v }}", "12"),
    "a word": ("hostname: {{ v }}", "onward"),
}


@pytest.mark.parametrize(("lines", "value"), STAYS.values(), ids=STAYS)
def test_a_value_keeps_its_type(lines: str, value: str) -> None:
    assert found(config(lines), v=value) == []


QUOTING = {
    "single quotes": ("echo '{{ v }}'", "it's", "a single quote"),
    "double quotes": ('echo "{{ v }}"', 'a"b', "a double quote"),
    "a substitution": ('echo "{{ v }}"', "a$(id)", "starts a substitution"),
    "a variable": ('echo "{{ v }}"', "a$HOME", "starts a substitution"),
    "a backquote": ('echo "{{ v }}"', "a`id`", "starts a substitution"),
    "a backslash": ('echo "{{ v }}"', "a\\", "a backslash"),
    "words": ("echo {{ v }}", "a b", "splits it into words"),
    "words of an assignment": ("x={{ v }}", "a b", "splits it into words"),
    "an operator": ("echo {{ v }}", "a;id", "an operator"),
    "a pattern": ("echo {{ v }}", "a*", "a pattern"),
    "a comment": ("echo {{ v }}", "#a", "starts a comment"),
    "a line break": ("echo {{ v }}", "a\nb", "a line break"),
    "a line break in quotes": ('echo "{{ v }}"', "a\nb", "a line break"),
    "a line break in a comment": ("# for {{ v }}", "a\nb", "a line break"),
    "the end": ("cat <<'END'\n{{ v }}\nEND", "a\nEND\nid", "ends the here-document"),
    "the end behind tabs": ("cat <<-END\n\t{{ v }}\n\tEND", "a\n\tEND", "ends the here-document"),
    "a substitution in a document": ("cat <<END\n{{ v }}\nEND", "$HOME", "starts a substitution"),
    "inside a substitution": ('x="$(echo {{ v }})"', "a b", "splits it into words"),
    "quotes inside a substitution": ('x="$(echo "{{ v }}")"', 'a"b', "a double quote"),
    "escapes": ("echo $'{{ v }}'", "a\\n", "a backslash"),
}


@pytest.mark.parametrize(("line", "value", "words"), QUOTING.values(), ids=QUOTING)
def test_a_value_breaks_the_quoting_of_a_shell(line: str, value: str, words: str) -> None:
    (said,) = found(f"#!/bin/sh\n{line}\n", "shellscript", v=value)
    assert said.startswith("W0423")
    assert words in said


QUOTED = {
    "single quotes": ("echo '{{ v }}'", 'a "b" $HOME `id` \\ #;*'),
    "double quotes": ('echo "{{ v }}"', "it's a;b #c *d \\n"),
    "a quoted document": ("cat <<'END'\n{{ v }}\nEND", "a 'b\" $HOME `id` \\\nEND.\n"),
    "a document": ("cat <<END\n{{ v }}\nEND", "a 'b\" ; # x\ny"),
    "bare": ("echo {{ v }}", "a-b.c_d/e:f@g+h,i"),
    "a comment": ("# for {{ v }}", "a 'b"),
    "a line of its own": ("{{ v }}", "apt-get update && id"),
    "a sharp sign inside": ("echo \"a#b\" '{{ v }}'", "a b"),
    "a document after a document": (
        "cat <<'A' <<'B'\nit's\nA\n{{ v }}\nB",
        "a 'b",
    ),
    "a pattern of case": ("case $1 in a) echo '{{ v }}';; esac", "a b"),
    "a length": ("x=${#y} # '\necho '{{ v }}'", "a b"),
    "a shift": ("x=$((1 << 2))\necho '{{ v }}'", "a b"),
    "not a shell": ("import x\n'{{ v }}'", "it's"),
}


@pytest.mark.parametrize(("line", "value"), QUOTED.values(), ids=QUOTED)
def test_a_value_holds_in_a_shell(line: str, value: str) -> None:
    first = "#!/usr/bin/env python3" if line.startswith("import") else "#!/bin/bash"
    assert found(f"{first}\n{line}\n", "shellscript", v=value) == []


ONE_LINE = st.text("ab '\"$`\\;#*&|<>()~=-", min_size=1, max_size=6)
PRINTING = st.sampled_from(["'{{ v }}'", '"{{ v }}"', "a'{{ v }}'b", 'a"{{ v }}"', "{{ v }}"])


@given(word=PRINTING, value=ONE_LINE)
@settings(max_examples=60, deadline=None)
def test_what_a_shell_does_to_unreported_values(word: str, value: str) -> None:
    if found(f"#!/bin/sh\nprintf %s {word}\n", "shellscript", v=value):
        return
    script = f"printf '%s|' {word.replace('{{ v }}', value)}"
    plain = word.replace("'", "").replace('"', "").replace("{{ v }}", value)
    run = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    # A tilde in front is a home folder, and an option is one.
    if not plain.startswith("~"):
        assert run.stdout == f"{plain}|"


def test_commands_and_files_of_a_cloud_config_are_scripts_too() -> None:
    assert found(config("runcmd:\n- echo {{ v }}"), v="a b")[0].startswith("W0423")
    assert found(config("bootcmd:\n- [sh, -c, 'echo {{ v }}']"), v="a b")[0].startswith("W0423")
    assert found(config("runcmd:\n- [echo, '{{ v }}']"), v="a b") == []
    file = "write_files:\n- path: /x.{}\n  content: |\n    {}\n"
    script = file.format("sh", "echo '{{ v }}'")
    assert found(config(script), v="it's")[0].startswith("W0423")
    assert found(config(file.format("txt", "echo '{{ v }}'")), v="it's") == []


def test_json_in_a_file() -> None:
    file = "write_files:\n- path: /etc/x.json\n  content: |\n    {}\n"
    quoted = config(file.format('{"a": "{{ v }}"}'))
    bare = config(file.format('{"a": {{ v }}}'))
    assert found(quoted, v='a"b')[0].startswith("E0575")
    assert found(quoted, v="a\\b")[0].startswith("E0575")
    assert found(quoted, v="a 'b") == []
    assert found(bare, v="12") == []
    assert found(bare, v='["a b"]') == []
    assert found(bare, v="a b")[0].startswith("E0575")


POWERSHELL = {
    "single quotes": ("'{{ v }}'", "it's", "a single quote"),
    "curly quotes": ("'{{ v }}'", "it\u2019s", "a single quote"),
    "a substitution": ('"{{ v }}"', "$env:x", "starts a substitution"),
    "a backtick": ('"{{ v }}"', "a`n", "a backtick"),
    "words": ("net user {{ v }}", "a b", "splits it into words"),
    "the end": ("@'\n{{ v }}\n'@", "a\n'@; id", "ends the here-string"),
    "a line break": ("'{{ v }}'", "a\nb", "a line break"),
}


@pytest.mark.parametrize(("line", "value", "words"), POWERSHELL.values(), ids=POWERSHELL)
def test_a_value_breaks_the_quoting_of_powershell(line: str, value: str, words: str) -> None:
    text = spec(f"#ps1_sysnative\n{line}\n", {"v": value}, "shellscript")
    (said,) = checked(text, GuestKind.WINDOWS)
    assert said.code == "W0423"
    assert words in said.message


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("'{{ v }}'", 'a "b" $x `n'),
        ('"{{ v }}"', "it's"),
        ("@'\n{{ v }}\n'@", 'it\'s\n"$x"'),
        ("x # '\n'{{ v }}'", "a b"),
        ("<# ' #> '{{ v }}'", "a b"),
    ],
)
def test_a_value_holds_in_powershell(line: str, value: str) -> None:
    text = spec(f"#ps1_sysnative\n{line}\n", {"v": value}, "shellscript")
    assert checked(text, GuestKind.WINDOWS) == []


def test_a_finding_says_where_the_value_came_from() -> None:
    text = (
        "name: web\nvariables:\n- name: pw\n  value: 'hunter2 #1'\nfodder:\n- name: food\n"
        "  content: |\n    #cloud-config\n    password: {{ pw }}\n"
    )
    request = BuildRequest(guest=GuestOptions(kind=GuestKind.LINUX))
    answer = Session(environment={}).check(Source("web.yaml", text), (Target.CLOUD_INIT,), request)
    (said,) = [each for each in answer.diagnostics if each.code == "E0575"]
    assert said.place is not None
    assert said.place.line == 9
    assert [(each.place.line, each.message) for each in said.related] == [(4, "its value")]
    assert said.help == "put all of it in single quotes: `'{{ pw }}'`"


def test_a_secret_value_is_not_shown() -> None:
    text = json.dumps(
        {
            "name": "web",
            "variables": [{"name": "pw", "value": "hunter2 #1", "secret": True}],
            "fodder": [{"name": "food", "content": "#cloud-config\npassword: {{ pw }}\n"}],
        }
    )
    (said,) = checked(text)
    assert said.code == "E0575"
    assert "hunter2" not in repr(said)


def test_check_stands_in_for_what_it_does_not_have() -> None:
    text = (
        "name: web\nvariables: [{name: pw, required: true}]\nfodder:\n- name: food\n"
        "  content: |\n    #cloud-config\n    users:\n    - name: a\n      passwd: {{ pw }}\n"
        "    hostnam: b\n"
    )
    session = Session(environment={})
    request = BuildRequest(guest=GuestOptions(kind=GuestKind.LINUX))
    source = Source("web.yaml", text)
    answer = session.check(source, (Target.CLOUD_INIT,), request)
    codes = {each.code for each in answer.diagnostics}
    assert "N0424" in codes
    # That the stand-in is no hash is nobody's fault; the rest is said.
    assert "W0587" not in codes
    assert {"W0522"} <= codes
    assert {each.level for each in answer.diagnostics} <= {"note", "warning"}
    built = session.build(source, Target.CLOUD_INIT, request)
    assert "E0413" in {each.code for each in built.diagnostics}
    assert not built.files


NOT_REPLACED = {
    "a filter": ("x: {{ v | upper }}", "a", "refers to `v` with more than its name"),
    "an expression": ("x: {{ v + 1 }}", "a", "refers to `v` with more than its name"),
    "a reference in a value": ("x: '{{ v }}'", "a {{ w }}", "holds `{{ w }}`"),
}


@pytest.mark.parametrize(("lines", "value", "words"), NOT_REPLACED.values(), ids=NOT_REPLACED)
def test_what_is_not_replaced(lines: str, value: str, words: str) -> None:
    said = [each for each in found(config(lines), v=value) if each.startswith("W0425")]
    assert len(said) == 1
    assert words in said[0]


def test_a_filter_in_a_template_is_not_replaced_either() -> None:
    text = "## template: jinja\n#cloud-config\nx: {{v|upper}} {{ ds.meta_data.x | upper }}\n"
    assert [each[:5] for each in found(text, v="a")] == ["W0425"]


@pytest.mark.parametrize(
    "marker", ["## template:jinja", "##template: jinja", "# Template: Jinja", "## template: jinja2"]
)
def test_what_is_nearly_the_marker_of_a_template_is_told_apart(marker: str) -> None:
    """Without references and without a fault elsewhere too, at the place of the line."""
    text = f"name: web\nfodder:\n- name: food\n  content: |\n    {marker}\n    x: a\n"
    (said,) = checked(text, name="web.yaml")
    assert (said.code, said.line, said.column) == ("W0429", 5, 5)


@pytest.mark.parametrize("line", ["## template: jinja", "## TEMPLATE: JINJA  ", "# templates"])
def test_the_marker_itself_and_other_comments_are_not_spoken_of(line: str) -> None:
    assert found(f"{line}\n#cloud-config\nx: a\n") == []


def test_a_key_of_the_catlet_is_not_replaced() -> None:
    text = json.dumps({"name": "web", "hostname": "{{ v }}", "variables": [{"name": "v"}]})
    assert [each.code for each in checked(text)] == ["W0425"]


def test_text_of_others_is_no_reference() -> None:
    text = "#!/bin/sh\ndocker ps --format '{{ .Names | upper }}'\necho '{{ range .x }}'\n"
    assert found(text, "shellscript", v="a") == []


@pytest.mark.parametrize("language", [shell, powershell])
def test_one_look_at_each_character(language: Any) -> None:
    """Four times the text takes four times the steps."""

    def scan(times: int) -> None:
        text = "x='a' \"$(echo b)\" {{ # c\n<<'E' (\n" * times
        marks = [(at, at + 1) for at in range(0, len(text), 16)]
        found = language.contexts(text, marks)
        assert len(found) == len(marks)
        assert isinstance(found[0].quoting, Quoting)

    assert grows_evenly(scan, 100)


@pytest.mark.parametrize("value", ["a", "a #1", "it's", "12"])
def test_values_cost_what_they_are(value: str) -> None:
    def check(times: int) -> None:
        lines = "".join(f"- echo '{{{{ v }}}}' {number} {{{{ v }}}}\n" for number in range(times))
        found(config(f"runcmd:\n{lines}"), v=value)

    assert grows_evenly(check, 100)


def test_a_text_without_values_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    from guest.feeding import document

    def refused(*_: object) -> None:
        raise AssertionError("looked at")

    monkeypatch.setattr("eryphc.guest.values.lint.lint", refused)
    document(fodder("#cloud-config\nhostname: a\n"))
