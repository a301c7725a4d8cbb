"""What a command line names: files, standard input, values; and data that is safe to print."""

from __future__ import annotations

import json
import re

import pytest

from cli.command_line import CommandLine

VALUED = "name: web\nvariables:\n- name: v\n"


class TestStandardInput:
    @pytest.mark.parametrize("command", ["build", "check"])
    def test_is_one_spec(self, eryphc: CommandLine, command: str) -> None:
        done = eryphc.spawn(command, "-", "-", "--target", "cloud-init", stdin=b"name: web\n")
        assert (done.code, done.out) == (2, "")
        assert "E0901" in done.err


class TestValuesOfFiles:
    @pytest.mark.parametrize(
        ("data", "value"),
        [
            pytest.param(b"a\n", "a", id="one line feed goes"),
            pytest.param(b"a\n\n", "a\n", id="only one"),
            pytest.param(b"a", "a", id="none"),
            pytest.param(b"a\r\n", "a\r", id="nothing else goes"),
        ],
    )
    def test_the_end_of_the_file(self, eryphc: CommandLine, data: bytes, value: str) -> None:
        eryphc.write("web.yaml", VALUED)
        (eryphc.folder / "v.txt").write_bytes(data)
        done = eryphc("expand", "web.yaml", "--format", "json", "--var", "v=@v.txt")
        assert json.loads(done.out)["variables"][0]["value"] == value
        assert ("W0919" in done.err) == value.endswith("\r")


class TestTerminals:
    HOSTILE = "a\u009b31mb\u202ec\u2028"

    @pytest.mark.parametrize("kind", ["json", "sarif", "github", "text"])
    def test_diagnostics_hold_no_control_characters(self, eryphc: CommandLine, kind: str) -> None:
        eryphc.write("web.yaml", f"name: {json.dumps(self.HOSTILE)}\n")
        done = eryphc("check", "web.yaml", "--diagnostics", kind)
        assert "E0201" in done.out
        assert not set(done.out) & set("\u009b\u202e\u2028")
        if kind == "json":
            assert any(self.HOSTILE in found["message"] for found in json.loads(done.out))

    def test_data_neither(self, eryphc: CommandLine) -> None:
        eryphc.write("web.yaml", f"hostname: {json.dumps(self.HOSTILE)}\n")
        done = eryphc("expand", "web.yaml", "--format", "json")
        assert not set(done.out) & set("\u009b\u202e\u2028")
        assert json.loads(done.out)["hostname"] == self.HOSTILE


class TestOneRun:
    """What is wrong behind a key or a value that cannot be read is said in the same run."""

    REFERENCES = (
        "- source: gene:acme/kit/1.0:missing\n- source: gene:acme/none/1.0:a\n  secret: true\n"
    )

    @pytest.mark.parametrize(
        ("spec", "codes"),
        [
            pytest.param(f"cpuu: 2\nfodder:\n{REFERENCES}", "E0113 E0214 E0302", id="a key"),
            pytest.param("cpu:\nparent: acme/none\n", "E0123 E0302", id="a short form"),
            pytest.param("drives: sda\nparent: acme/none\n", "E0112 E0302", id="a list"),
            pytest.param(
                "parent: acme/base/1.0\nmemory: much\n", "E0113 E0115 E0302", id="behind a parent"
            ),
            pytest.param(
                "variables:\n- nmae: x\nfodder:\n- name: a\n  content: '{{ x }}'\n",
                "E0113",
                id="no echo of a variable",
            ),
            pytest.param(
                "networks:\n- name: a\n  subnet_v4: {nmae: x}\n", "E0113", id="nor of a subnet"
            ),
            pytest.param(
                "parent: acme/kit/1.0\ndrives:\n- nmae: x\n", "E0113", id="nor of a drive"
            ),
            pytest.param(
                "fodder:\n- {name: a, type: shell, content: x}\n", "E0215", id="nor of a type"
            ),
            pytest.param("fodder:\n- name: a\n", "E0217", id="nor of a food without content"),
        ],
    )
    @pytest.mark.parametrize("command", ["build", "expand"])
    def test_errors_behind_it(
        self, eryphc: CommandLine, command: str, spec: str, codes: str
    ) -> None:
        for tag, catlet in (
            ("kit", "cpu: 2\n"),
            ("base", "colour: red\nparent: acme/none/1.0\n"),
        ):
            eryphc.write(
                f"genes/acme/{tag}/1.0/geneset-tag.json", f'{{"geneset": "acme/{tag}/1.0"}}'
            )
            eryphc.write(f"genes/acme/{tag}/1.0/catlet.yaml", catlet)
        eryphc.write("web.yaml", f"name: web\n{spec}")
        target = ("--target", "cloud-init") if command == "build" else ()
        done = eryphc(command, "web.yaml", *target)
        assert done.code == 1
        assert sorted(re.findall(r"\[([EW]\w+)\]", done.err)) == codes.split()


def test_a_limit_of_ours_is_not_said_to_be_the_guests(eryphc: CommandLine) -> None:
    deep = "[" * 101 + "]" * 101
    for content, is_limit in ((f"a: {deep}", True), ("a: [", False)):
        eryphc.write("web.yaml", f"name: web\nfodder:\n- name: a\n  content: |\n    {content}\n")
        done = eryphc("check", "web.yaml")
        assert "E0501" in done.out
        assert ("this is a limit of eryphc" in done.out) is is_limit
        assert ("a guest drops such a part" in done.out) is not is_limit


def test_a_blank_type_is_none(eryphc: CommandLine) -> None:
    eryphc.write("web.yaml", "name: web\nfodder:\n- {name: a, type: ' ', content: 'a: b'}\n")
    assert eryphc("check", "web.yaml").code == 0


PLACES = [
    pytest.param('name: "web\ncpu: 2\n', "web.yaml:1:7", "E0101", id="a quote not closed"),
    pytest.param("name: web\n\tcpu: 2\n", "web.yaml:2:1", "E0103", id="a tab as indentation"),
    pytest.param("name: web\n parent: x\n", "web.yaml:2:8", "E0101", id="indented too far"),
    pytest.param(
        "name: web\nfodder:\n- name: a\n  content: |\n  x\n",
        "web.yaml:5:3",
        "E0101",
        id="too little",
    ),
]


@pytest.mark.parametrize(("spec", "place", "code"), PLACES)
def test_broken_yaml_is_shown_where_it_breaks(
    eryphc: CommandLine, spec: str, place: str, code: str
) -> None:
    eryphc.write("web.yaml", spec)
    done = eryphc("check", "web.yaml")
    assert f"error[{code}]" in done.out
    assert f"--> {place}\n" in done.out


@pytest.mark.parametrize("text", ["a\r\nb", "a\x85b", "a\x85b\n", "a\u2028b", "a\u2029 b\n\n"])
def test_printed_yaml_means_what_was_read(eryphc: CommandLine, text: str) -> None:
    eryphc.write("web.yaml", f"name: web\nvariables:\n- {{name: v, value: {json.dumps(text)}}}\n")
    eryphc.write("again.yaml", eryphc("expand", "web.yaml", "--stage", "breed").out)
    done = eryphc("expand", "again.yaml", "--stage", "breed", "--format", "json")
    assert json.loads(done.out)["variables"][0]["value"] == text
