"""Mistakes that people make, as they type them, and the words that lead them on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eryphc.cli.app import run

KIT = Path("genes/acme/kit/1.0")
BROKEN = "name: hello\nfodder:\n- name: a\n  content: [\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ERYPHC_GENEPOOL", raising=False)


def write(path: str | Path, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = run(list(arguments))
    return code, "".join(capsys.readouterr())


def kit(**files: str) -> None:
    write(KIT / "geneset-tag.json", json.dumps({"geneset": "acme/kit/1.0"}))
    for name, text in files.items():
        write(KIT / name.replace("__", "/").replace("_yaml", ".yaml"), text)


# --- broken genes --------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["gene:acme/kit/1.0:hello", "gene:acme/kit/1.0"])
@pytest.mark.parametrize("text", [BROKEN, BROKEN.replace("name: hello", "  name: hello")])
def test_a_broken_gene_is_named_as_broken(
    source: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kit(fodder__hello_yaml=text)
    write("web.yaml", f"name: web\nfodder:\n- source: {source}\n")
    code, words = said(capsys, "check", "web.yaml")
    assert code == 1
    assert "E0101" in words or "E0103" in words
    assert "fodder/hello.yaml:" in words
    assert "E0301" not in words
    assert "E0316" not in words


@pytest.mark.parametrize("id_", ["acme/kit/1.0", "gene:acme/kit/1.0:hello"])
def test_show_of_a_broken_gene_fails(id_: str, capsys: pytest.CaptureFixture[str]) -> None:
    kit(fodder__hello_yaml=BROKEN)
    code, words = said(capsys, "gene", "show", id_)
    assert code == 1
    assert "E0101" in words


def test_another_gene_is_not_taken_along(capsys: pytest.CaptureFixture[str]) -> None:
    kit(
        fodder__hello_yaml=BROKEN,
        fodder__b_yaml="name: b\nfodder: [{name: a, content: 'hostname: x'}]\n",
    )
    write("web.yaml", "name: web\nfodder:\n- source: gene:acme/kit/1.0:b\n")
    code, words = said(capsys, "check", "web.yaml", "--guest", "linux")
    assert (code, words) == (0, "1 spec: nothing to report\n")
    write("web.yaml", "name: web\nfodder:\n- source: gene:acme/kit/1.0:c\n")
    code, words = said(capsys, "check", "web.yaml")
    assert "E0301" in words
    assert "`fodder/hello.yaml` was passed over: it is not valid YAML" in words


def test_files_in_the_wrong_place_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    kit(hello_yaml="name: hello\nfodder: [{name: a, content: x}]\n")
    write(KIT / "fodder/more.txt", "x")
    write(KIT / "fodder/unnamed.yaml", "fodder: []\n")
    for source in ("gene:acme/kit/1.0:hello", "gene:acme/kit/1.0"):
        write("web.yaml", f"name: web\nfodder:\n- source: {source}\n")
        code, words = said(capsys, "check", "web.yaml")
        assert code == 1
        assert "`hello.yaml` was passed over: fodder genes lie in the folder `fodder`" in words
        assert "`fodder/more.txt` was passed over: its name does not end in `.yaml`" in words
        assert "`fodder/unnamed.yaml` was passed over: it says no `name`" in words


def test_a_file_that_cannot_be_opened_is_a_fault_of_the_outside(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs the tests as root can open anything."""
    kit(fodder__hello_yaml="name: hello\nfodder: [{name: a, content: x}]\n")
    opened = Path.open

    def refused(path: Path, *arguments: object, **options: object) -> object:
        if path.name == "hello.yaml":
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refused)
    for source in ("gene:acme/kit/1.0:hello", "gene:acme/kit/1.0"):
        write("web.yaml", f"name: web\nfodder:\n- source: {source}\n")
        code, words = said(capsys, "check", "web.yaml")
        assert code == 3
        assert "E0313" in words
    assert said(capsys, "gene", "show", "acme/kit/1.0")[0] == 3


# --- the form of variables ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("variables: [{page: x}]", "write `- name: page`, and its value after `value:`"),
        ("variables: {page: x}", "write `- name: NAME` for each, and its value after `value:`"),
        (
            "fodder: [{source: 'gene:acme/kit/1.0:b', variables: [{page: x}]}]",
            "write `- name: page`, and its value after `value:`",
        ),
        (
            "fodder: [{source: 'gene:acme/kit/1.0:b', variables: {page: x}}]",
            "write `- name: NAME` for each, and its value after `value:`",
        ),
    ],
)
def test_variables_in_another_form(
    text: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kit(fodder__b_yaml="name: b\nvariables: [{name: page}]\nfodder: [{name: a, content: 'x: y'}]\n")
    write("web.yaml", f"name: web\n{text}\n")
    code, words = said(capsys, "check", "web.yaml", "--diagnostics", "json")
    assert code == 1
    found = json.loads(words)
    errors = [each for each in found if each["level"] == "error"]
    assert len(errors) == 1
    assert form in errors[0]["help"]


# --- a text of a guest for a catlet --------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("#cloud-config\nhostname: a\nusers: []\nruncmd: []\n", "a cloud-config"),
        ("#cloud-config-archive\n- hostname: a\n", "a cloud-config archive"),
        ("#!/bin/sh\necho a: b\n", "a script"),
        ("## template: jinja\n#cloud-config\n{% if x %}\n", "a template"),
    ],
)
def test_a_text_of_a_guest_is_no_catlet(
    text: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write("web.yaml", text)
    code, words = said(capsys, "check", "web.yaml", "--diagnostics", "json")
    assert code == 1
    (found,) = json.loads(words)
    assert found["code"] == "E0127"
    assert kind in found["message"]
    assert "content: |" in found["help"]


def test_a_catlet_may_begin_with_any_comment(capsys: pytest.CaptureFixture[str]) -> None:
    write("web.yaml", "#!shebang-like\nname: web\nparent: nothing\n")
    assert "E0127" not in said(capsys, "check", "web.yaml")[1]
    write("web.yaml", "#cloud-config\nname: web\n")
    assert said(capsys, "check", "web.yaml", "--guest", "linux")[0] == 0


# --- names of keys in secret fodder ---------------------------------------------------------------


def test_known_keys_of_secret_fodder_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """In JSON all places are one, and all of it is closed where a secret stands in it."""
    spec = {
        "name": "web",
        "variables": [{"name": "pw", "value": "correct-horse", "secret": True}],
        "fodder": [
            {"name": name, "content": f"final_message: '{name} {{{{ pw }}}}'\nmine: {name}\n"}
            for name in ("a", "b")
        ],
    }
    write("web.json", json.dumps(spec))
    _, words = said(capsys, "check", "web.json", "--guest", "linux", "--diagnostics", "json")
    messages = [each["message"] for each in json.loads(words) if each["code"] == "W0509"]
    assert sorted(messages) == [
        "`final_message` is set again, and this later value is used",
        "`…` is set again, and this later value is used",
    ]
    assert "correct-horse" not in words


# --- values from outside -------------------------------------------------------------------------


NUMBERS = (
    "name: web\nvariables:\n- {name: n, type: number}\n- {name: s, type: number, secret: true}\n"
)


def wrong_value(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    write("web.yaml", NUMBERS)
    _, words = said(capsys, "check", "web.yaml", *arguments, "--diagnostics", "json")
    (found,) = [each for each in json.loads(words) if each["level"] == "error"]
    assert isinstance(found, dict)
    return found


def test_a_wrong_value_of_a_file_has_its_place_there(capsys: pytest.CaptureFixture[str]) -> None:
    write("values.yaml", "# numbers\nn:   foo\n")
    found = wrong_value(capsys, "--var-file", "values.yaml")
    assert found["message"] == "the value `foo` given for the variable `n` is no number"
    assert (found["file"], found["line"], found["column"]) == ("values.yaml", 2, 6)


def test_a_secret_of_a_file_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    write("values.yaml", "s: correct-horse\n")
    found = wrong_value(capsys, "--var-file", "values.yaml")
    assert (found["file"], found["line"]) == ("values.yaml", 1)
    assert "correct" not in json.dumps(found)


def test_an_unknown_name_of_a_file_has_its_place_there(capsys: pytest.CaptureFixture[str]) -> None:
    write("values.yaml", "m: 1\n")
    found = wrong_value(capsys, "--var-file", "values.yaml")
    assert found["message"] == "a value is given for `m`, but the catlet has no such variable"
    assert (found["file"], found["line"]) == ("values.yaml", 1)


def test_a_wrong_value_of_the_environment_names_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERYPHC_VAR_N", "foo")
    found = wrong_value(capsys)
    assert "given by `ERYPHC_VAR_N` for" in str(found["message"])
    monkeypatch.delenv("ERYPHC_VAR_N")
    monkeypatch.setenv("OTHER", "foo")
    assert "given by `--var n=env:OTHER` for" in str(
        wrong_value(capsys, "--var", "n=env:OTHER")["message"]
    )
    assert "given by `--var n` for" in str(wrong_value(capsys, "--var", "n=foo")["message"])
