"""Options about the guest: what is refused, and what diagnostics point at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.command_line import CommandLine


@pytest.mark.parametrize("word", ["", " ", ".", "..", "a\nb", "x" * 256])
def test_an_instance_id_that_is_no_name_of_a_folder_is_refused(
    eryphc: CommandLine, word: str
) -> None:
    eryphc.write("web.yaml", "name: web\n")
    done = eryphc("build", "web.yaml", "--target", "cloud-init", "--instance-id", word)
    assert done.code == 1
    assert "E0904" in done.err
    assert not Path(eryphc.folder, "build").exists()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        pytest.param((), 2, id="written"),
        pytest.param(("--hostname", "_b"), None, id="an option's"),
        pytest.param(("--name", "b", "--hostname", "_b"), None, id="with a name"),
    ],
)
def test_the_host_name_is_pointed_at_where_it_was_written(
    eryphc: CommandLine, options: tuple[str, ...], line: int | None
) -> None:
    eryphc.write("web.yaml", "name: web\nhostname: _a\n")
    done = eryphc("check", "web.yaml", "--diagnostics", "json", *options)
    (found,) = (each for each in json.loads(done.out) if each["code"] == "W0555")
    assert found["line"] == line


def test_a_secret_variable_of_a_gene_with_a_default_shows_that_it_has_one(
    eryphc: CommandLine,
) -> None:
    pool = "genes/acme/kit/1.0"
    eryphc.write(f"{pool}/geneset-tag.json", '{"version": "1.1", "geneset": "acme/kit/1.0"}')
    variables = "- {name: with, value: hush, secret: true}\n- {name: without, secret: true}\n"
    eryphc.write(
        f"{pool}/fodder/key.yaml",
        f"name: key\nvariables:\n{variables}fodder:\n- name: a\n  content: 'a: 1'\n",
    )
    show = ("gene", "show", "gene:acme/kit/1.0:key", "--genepool", "genes")
    shown = json.loads(eryphc(*show, "--format", "json").out)["genes"][0]["variables"]
    assert [each["default"] for each in shown] == ["#REDACTED", None]
    assert "hush" not in eryphc(*show).out


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        pytest.param(
            "name: web\ncpu: many\nparent: acme/nowhere\n", ["E0115", "E0302"], id="no number"
        ),
        pytest.param(
            "name: web\nvariables: [{name: n, type: number, value: x}]\n"
            "fodder: [{name: a, content: 'final_message: {{ n }}'}]\n",
            ["E0220"],
            id="a value that fits nowhere",
        ),
    ],
)
def test_independent_faults_are_all_said_once(
    eryphc: CommandLine, text: str, codes: list[str]
) -> None:
    eryphc.write("web.yaml", text)
    done = eryphc("check", "web.yaml", "--guest", "linux", "--diagnostics", "json")
    assert [each["code"] for each in json.loads(done.out)] == codes
