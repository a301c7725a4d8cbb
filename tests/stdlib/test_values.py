"""Any one-line text given to a gene arrives in the guest as it was written."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from eryphc.ir.catlet import Fodder, VariableType
from stdlib.shipped import standard_genes, text_of, used

pytestmark = pytest.mark.once

NASTY = (
    "plain",
    "p a:s#s '\"{}\\ $HOME `id` $(id) %PATH% !x",
    "  both ends  ",
    "# no comment",
    "- no: list",
    "|2-",
    "'@",
    "'@.Substring(1); exit 9 #",
    "\u2018@ \u2019 \u201a \u201b \u201cx\u201d",
    "VALUE",
    "*",
    "&x !!int 1",
    "0x1f",
    "no",
    "null",
    "---",
    "\u00e4\u00f6\u00fc \u4f60\u597d \U0001f600",
    "tab\there",
    "{{ not }} {% this %}",
    "\\n\\0\\",
    "",
)
# Line breaks of YAML 1.1 and of shells; what no file of a guest can hold; what YAML refuses.
ONE_LINE = st.text(
    st.characters(
        codec="utf-8",
        exclude_categories=("Cc", "Cs", "Cn", "Co"),
        exclude_characters="\x85\u2028\u2029\ufeff\ufffe\uffff",
    ),
    max_size=40,
)


def fodder_entries(kind: str, start: str = "") -> list[tuple[str, Fodder]]:
    return [
        (f"{name}.{fodder.name}", fodder)
        for name, gene in sorted(standard_genes().items())
        for fodder in gene.fodder or ()
        if fodder.type == kind and used(fodder) and fodder.content is not None
        if fodder.content.text.startswith(start)
    ]


def texts(name: str) -> set[str]:
    """The fodder entry's variables that are text."""
    gene = standard_genes()[name.split(".")[0]]
    return {
        (variable.name or "").lower()
        for variable in gene.variables or ()
        if variable.type in (None, VariableType.STRING)
    }


def given_values(name: str, fodder: Fodder, value: str) -> dict[str, str]:
    return {variable: value if variable in texts(name) else "true" for variable in used(fodder)}


def leaves(node: object) -> Iterator[object]:
    match node:
        case dict():
            for value in node.values():
                yield from leaves(value)
        case list():
            for value in node:
                yield from leaves(value)
        case _:
            yield node


def arrives_in_cloud_config(name: str, fodder: Fodder, value: str) -> None:
    values = given_values(name, fodder, value)
    document = yaml.safe_load(text_of(fodder, values))
    plain = yaml.safe_load(text_of(fodder, given_values(name, fodder, "PLAIN")))
    assert list(leaves(document)) == [value if leaf == "PLAIN" else leaf for leaf in leaves(plain)]
    assert list(leaves(plain)).count("PLAIN") == len(texts(name) & used(fodder))


CLOUD_CONFIGS = fodder_entries("cloud-config")
by_name = pytest.mark.parametrize(
    ("name", "fodder"), CLOUD_CONFIGS, ids=[n for n, _ in CLOUD_CONFIGS]
)


@by_name
@pytest.mark.parametrize("value", NASTY)
def test_a_nasty_text_arrives_in_a_cloud_config(name: str, fodder: Fodder, value: str) -> None:
    arrives_in_cloud_config(name, fodder, value)


@by_name
@given(value=ONE_LINE)
@settings(max_examples=60)
def test_any_text_arrives_in_a_cloud_config(name: str, fodder: Fodder, value: str) -> None:
    arrives_in_cloud_config(name, fodder, value)


SHELLS = fodder_entries("shellscript", "#!/bin/sh")


@pytest.mark.parametrize(("name", "fodder"), SHELLS, ids=[n for n, _ in SHELLS])
def test_texts_arrive_in_a_shell_script(name: str, fodder: Fodder, tmp_path: Path) -> None:
    """The script's own lines that take the values run in a real shell, up to where it uses them."""
    for value in NASTY:
        text = text_of(fodder, given_values(name, fodder, value))
        head = text[: text.index("\nexport ")]
        assert head.count("IFS= read -r") == len(texts(name) & used(fodder))
        program = tmp_path / "head.sh"
        shown = [line.split("=")[0] for line in head.splitlines() if "=${" in line]
        program.write_text(
            head + "\n" + "".join(f"printf '%s\\n' \"${name}\"\n" for name in shown), "utf-8"
        )
        for shell in ("dash", "bash"):
            if shutil.which(shell) is None:
                continue
            run = subprocess.run([shell, program], capture_output=True, cwd=tmp_path, check=True)
            assert run.stdout.decode("utf-8") == f"{value}\n" * len(shown)
            assert run.stderr == b""


POWERSHELLS = fodder_entries("shellscript", "#ps1")


@pytest.mark.integration
@pytest.mark.parametrize(("name", "fodder"), POWERSHELLS, ids=[n for n, _ in POWERSHELLS])
def test_texts_arrive_in_a_powershell_script(
    name: str, fodder: Fodder, pslite: str, tmp_path: Path
) -> None:
    """The script's own here-strings run in the real engine."""
    taken = texts(name) & used(fodder)
    program = []
    for value in NASTY:
        lines = text_of(fodder, given_values(name, fodder, value)).split("\n")
        starts = [at for at, line in enumerate(lines) if line.endswith("= @'")]
        assert len(starts) == len(taken)
        for at in starts:
            assert lines[at + 2].startswith("'@.Substring(1)")
            # Trim is the gene's decision, where blanks around a value can mean nothing.
            program += [lines[at], lines[at + 1], "'@.Substring(1)"]
            program += [f"[Console]::Out.WriteLine({lines[at].split()[0]})"]
    script = tmp_path / "values.ps1"
    script.write_text("\ufeff" + "\n".join(program) + "\n", "utf-8")
    run = subprocess.run(
        [pslite, "-NoProfile", "-File", script], capture_output=True, check=False, timeout=60
    )
    assert run.stderr == b""
    expected = "".join(f"{value}\n" * len(taken) for value in NASTY)
    assert run.stdout.decode("utf-8").replace("\r\n", "\n") == expected


@pytest.mark.integration
def test_every_powershell_script_is_sound(pslite: str, tmp_path: Path) -> None:
    """No fault of syntax, of a parameter, or of what Windows PowerShell 5.1 lacks."""
    paths = []
    for name, gene in sorted(standard_genes().items()):
        for fodder in gene.fodder or ():
            if fodder.type != "shellscript" or not (fodder.filename or "").endswith(".ps1"):
                continue
            values = given_values(f"{name}.{fodder.name}", fodder, "'@ \u2018 $(exit 9) \"`#")
            path = tmp_path / f"{name.replace(':', '-')}-{fodder.name}.ps1"
            path.write_text("\ufeff" + text_of(fodder, values), "utf-8")
            paths.append(path)
    assert len(paths) > 10
    run = subprocess.run(
        [pslite, "-Parse", "-Ast", "-Check51", *paths],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout[:3000]


@pytest.mark.parametrize("gene", sorted(standard_genes()))
def test_every_variable_is_used(gene: str) -> None:
    definition = standard_genes()[gene]
    names = {(variable.name or "").lower() for variable in definition.variables or ()}
    assert set().union(*(used(fodder) for fodder in definition.fodder or ())) == names
