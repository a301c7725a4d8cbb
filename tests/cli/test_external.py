"""`eryphc external`: the contract of the data source `external`, from both sides."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.command_line import CommandLine, child_environment
from eryphc import Session, Target
from eryphc.cli.console import OK, WRONG_INPUT

pytestmark = pytest.mark.once

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CANARY = "canary-4711"
KEYS = {"user_data", "user_data_base64", "sha256", "form", "bytes"}
SECRET = f"""\
name: web
fodder:
- name: token
  secret: true
  content: |
    write_files: [{{path: /etc/token, content: {CANARY}, permissions: '0600'}}]
- name: open
  content: |
    packages: [nginx]
"""
PLAIN = """\
name: web
variables:
- {name: greeting, value: hello}
fodder:
- name: motd
  content: |
    write_files:
    - path: /etc/motd
      content: "{{ greeting }}"
"""


@dataclass(frozen=True)
class Read:
    """What the data source would have: a result, or the text of its error."""

    result: dict[str, str]
    error: str = ""


def data_source(query: dict[str, str | None], folder: Path, program: tuple[str, ...]) -> Read:
    """What the provider `external` does with a program, written by hand.

    So does `Read` of its data source (internal/provider/data_source.go, version 2.3): a value that
    is null is left out, the program gets the query as JSON, any exit code but 0 is an error with
    what stands on stderr, and stdout has to be one JSON object of texts.
    """
    asked = {key: text for key, text in query.items() if text is not None}
    done = subprocess.run(
        program,
        input=json.dumps(asked).encode(),
        cwd=folder,
        env=child_environment(),
        capture_output=True,
        check=False,
        timeout=60,
    )
    if done.returncode:
        assert done.stdout == b""
        return Read({}, done.stderr.decode())
    result = json.loads(done.stdout)
    assert isinstance(result, dict)
    assert {type(each) for each in (*result, *result.values())} == {str}
    return Read(result)


PROGRAM = (sys.executable, "-m", "eryphc", "external")


def test_the_data_source_gets_the_bytes_of_a_build(tmp_path: Path) -> None:
    read = data_source({"spec": "prod-server.yaml", "platform": "ec2"}, EXAMPLES, PROGRAM)
    assert read.error == ""
    built = Session(EXAMPLES).build(EXAMPLES / "prod-server.yaml", Target.USER_DATA)
    data = built.files["user-data"].content
    assert isinstance(data, bytes)
    assert read.result == {
        "user_data": data.decode(),
        "user_data_base64": read.result["user_data_base64"],
        "sha256": hashlib.sha256(data).hexdigest(),
        "form": "seed",
        "bytes": str(len(data)),
    }
    assert b64decode(read.result["user_data_base64"], validate=True) == data


def test_the_data_source_shows_the_findings_of_a_failure(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text("name: web\nmemory: 2000\n")
    read = data_source({"spec": "web.yaml", "name": None}, tmp_path, PROGRAM)
    assert read.result == {}
    assert "error[E0205]: `memory startup` is 2000" in read.error
    assert "\x1b" not in read.error


def ask(
    eryphc: CommandLine, request: object, *words: str, environment: dict[str, str] | None = None
) -> tuple[int, str, str]:
    data = request if isinstance(request, bytes) else json.dumps(request).encode()
    done = eryphc.spawn("external", *words, stdin=data, environment=environment)
    return done.code, done.out, done.err


def answer(eryphc: CommandLine, request: object, *words: str) -> dict[str, str]:
    code, out, _ = ask(eryphc, request, *words)
    assert code == OK
    found = json.loads(out)
    assert set(found) == KEYS
    assert out.endswith("}\n")
    return {str(key): str(text) for key, text in found.items()}


def refused(eryphc: CommandLine, request: object, *words: str) -> str:
    code, out, err = ask(eryphc, request, *words)
    assert (code, out) == (WRONG_INPUT, "")
    return err


def test_a_request_has_what_a_build_has(eryphc: CommandLine) -> None:
    eryphc.write("specs/web.yaml", "name: web\nfodder:\n- source: gene:acme/kit/1.0:motd\n")
    for pool in ("one", "two"):
        eryphc.write(f"{pool}/acme/kit/1.0/geneset-tag.json", '{"geneset": "acme/kit/1.0"}')
        gene = f"name: motd\nfodder:\n- name: motd\n  content: |\n    packages: [{pool}]\n"
        eryphc.write(f"{pool}/acme/kit/1.0/fodder/motd.yaml", gene)
    request = {"spec": "specs/web.yaml", "genepool": os.pathsep.join(("", "two", "one"))}
    found = answer(eryphc, {**request, "arch": "kvm/amd64", "name": "shop", "guest": "linux"})
    assert found["user_data"] == "#cloud-config\npackages:\n- two\n"


def test_values_are_taken_as_they_stand(eryphc: CommandLine) -> None:
    eryphc.write("web.yaml", PLAIN)
    for text in ("@web.yaml", "env:HOME", "@@", "", "Grüße ☃"):
        found = answer(eryphc, {"spec": "web.yaml", "var.greeting": text})
        assert (
            f'content: "{text}"' in found["user_data"] or f"content: {text}" in found["user_data"]
        )


def test_a_byte_order_mark_does_no_harm(eryphc: CommandLine) -> None:
    eryphc.write("web.yaml", PLAIN)
    answer(eryphc, b'\xef\xbb\xbf{"spec": "web.yaml"}')


def test_the_text_is_empty_where_it_is_gzip(eryphc: CommandLine) -> None:
    noise = "".join(
        f"    : {hashlib.sha256(bytes([n % 256, n // 256])).hexdigest()}\n" for n in range(400)
    )
    entry = "- name: noise\n  type: shellscript\n  content: |\n    #!/bin/sh\n"
    eryphc.write("web.yaml", f"name: web\nfodder:\n{entry}{noise}")
    found = answer(eryphc, {"spec": "web.yaml", "platform": "ec2"})
    assert (found["user_data"], found["form"]) == ("", "gzip")
    data = b64decode(found["user_data_base64"], validate=True)
    assert found["bytes"] == str(len(data))
    assert b"#!/bin/sh" in gzip.decompress(data)


def test_warnings_are_talk_and_no_failure(eryphc: CommandLine) -> None:
    eryphc.write("web.yaml", SECRET)
    request = {"spec": "web.yaml", "platform": "ec2", "allow_secrets": "true", "guest": "linux"}
    code, out, err = ask(eryphc, request)
    assert code == OK
    assert CANARY in json.loads(out)["user_data"]
    assert err.startswith("warning[W1503]: on EC2")
    assert CANARY not in err
    assert "W1503" in refused(eryphc, request, "--strict")
    assert ask(eryphc, request, "--allow", "secret-in-user-data") == (OK, out, "")


@pytest.mark.parametrize("more", [{}, {"allow_secrets": "false"}], ids=["left open", "false"])
def test_secrets_are_refused(eryphc: CommandLine, more: dict[str, str]) -> None:
    eryphc.write("web.yaml", SECRET)
    assert refused(eryphc, {"spec": "web.yaml", "guest": "linux", **more}) == (
        "error[E1505]: the user-data of `web` holds secrets, "
        "and the result of a data source lies in the state in clear\n"
        "  = note: the secret fodder entries are `token`\n"
        '  = help: let a script of the machine fetch the secret, or say `"allow_secrets": "true"`\n'
        "\n"
        "1 error; `eryphc explain E1505` says more\n"
    )


def test_a_value_that_is_secret_is_refused_too(eryphc: CommandLine) -> None:
    spec = PLAIN.replace("value: hello", "secret: true")
    eryphc.write("web.yaml", spec)
    err = refused(eryphc, {"spec": "web.yaml", "var.greeting": CANARY})
    assert "error[E1505]" in err
    assert CANARY not in err


def test_all_that_is_wrong_with_a_request_is_told_at_once(eryphc: CommandLine) -> None:
    request = b'{"platfrom": "ec2", "name": 3, "var.a": null, "guest": "window", "guest": "linux"}'
    err = refused(eryphc, request, "--diagnostics", "json")
    found = json.loads(err)
    assert {each["code"] for each in found} == {"E1504"}
    assert {each["message"] for each in found} == {
        "`platfrom` is no key of a request",
        "`name` of the request is a number, and its values are texts",
        "`var.a` of the request is null, and its values are texts",
        "`guest` of the request is `window`, and is to be one of `linux`, `windows`",
        "the request has `guest` twice",
        "the request has no `spec`, which names the specification",
    }
    assert {each["help"] for each in found} >= {
        "did you mean `platform`?",
        "did you mean `windows`?",
    }


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "it is empty", id="nothing"),
        pytest.param(b"spec: web.yaml", "it is no JSON", id="YAML"),
        pytest.param(b'{"spec": "web.yaml"} {}', "it is no JSON", id="two objects"),
        pytest.param(b'{"spec": "\xff"}', "it is no JSON", id="another encoding"),
        pytest.param(b"[" * 200_000, "it is no JSON", id="too deep"),
        pytest.param(b"9" * 9_000, "it is no JSON", id="a number without end"),
        pytest.param(b"[]", "it is an array", id="an array"),
        pytest.param(b'"x"', "it is a text", id="a text"),
        pytest.param(b"NaN", "it is a number", id="a number"),
        pytest.param(b"null", "it is null", id="null"),
        pytest.param(b" " * (1024 * 1024 + 1), "it has more than 1 MiB", id="too large"),
    ],
)
def test_what_is_no_request(eryphc: CommandLine, data: bytes, reason: str) -> None:
    err = refused(eryphc, data)
    assert err.startswith(f"error[E1504]: standard input holds no request: {reason}\n")


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        pytest.param({"spec": "-"}, "`spec` of the request is `-`", id="standard input"),
        pytest.param({"spec": ["w"]}, "`spec` of the request is an array", id="an array"),
        pytest.param({"spec": {}}, "`spec` of the request is an object", id="an object"),
        pytest.param({"spec": "w", "name": True}, "`name` of the request is a flag", id="a flag"),
        pytest.param({"spec": "w\ud800"}, "`spec` of the request is half", id="half a character"),
        pytest.param({"spec": "w", "var.": "x"}, "`var.` is no key", id="no name"),
        pytest.param({"spec": "w", "Spec": "x"}, "did you mean `spec`?", id="another case"),
        pytest.param(
            {"spec": "w", "platform": "EC2"}, "did you mean `ec2`?", id="a platform in capitals"
        ),
        pytest.param(
            {"spec": "w", "allow_secrets": "1"}, "one of `true`, `false`", id="a flag as a number"
        ),
    ],
)
def test_what_a_request_does_not_take(
    eryphc: CommandLine, request_: dict[str, object], message: str
) -> None:
    assert message in refused(eryphc, request_)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        pytest.param({"spec": "gone.yaml"}, "E0902", id="a file that is not there"),
        pytest.param({"spec": "web.yaml\0"}, "E0902", id="no path"),
        pytest.param({"spec": "web.yaml", "genepool": "gone"}, "E0905", id="a pool"),
        pytest.param({"spec": "web.yaml", "name": ""}, "E0904", id="an empty name"),
        pytest.param({"spec": "web.yaml", "arch": "x"}, "E0904", id="an architecture"),
        pytest.param({"spec": "web.yaml", "var.port": "1"}, "E0415", id="an unknown variable"),
    ],
)
def test_what_a_request_names_wrongly_is_wrong_input(
    eryphc: CommandLine, request_: dict[str, str], code: str
) -> None:
    eryphc.write("web.yaml", "name: web\n")
    assert f"error[{code}]" in refused(eryphc, request_)


def test_a_request_of_many_faults_tells_some_of_them(eryphc: CommandLine) -> None:
    faults = {f"platform{number}": "x" for number in range(40_000)}
    assert refused(eryphc, {"y" * 100_000: "z", **faults}).count("E1504") == 101


def test_values_of_a_wrong_request_are_not_shown(eryphc: CommandLine) -> None:
    request = {"spec": "w", "passwort": CANARY, "var.pw": [CANARY], "var.pq": CANARY}
    assert CANARY not in refused(eryphc, request)


def test_nothing_is_written_and_nobody_is_asked(eryphc: CommandLine) -> None:
    eryphc.write("web.yaml", PLAIN.replace("value: hello", "required: true"))
    before = sorted(eryphc.folder.rglob("*"))
    assert "E0413" in refused(eryphc, {"spec": "web.yaml"})
    answer(eryphc, {"spec": "web.yaml", "var.greeting": "x"})
    assert sorted(eryphc.folder.rglob("*")) == before


def test_a_terminal_sends_no_request(eryphc: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    done = eryphc("external")
    assert (done.code, done.out) == (WRONG_INPUT, "")
    assert "standard input holds no request: it is a terminal" in done.err


def test_a_closed_standard_input(eryphc: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert "it is closed" in eryphc("external").err
