"""Every gene set of the library has what a reader and a build rely on."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from eryphc.guest.model import GuestKind
from eryphc.ir.catlet import Variable
from library.genes import (
    CHECKOUT,
    GIVEN,
    PLACEHOLDER,
    compiled,
    filled,
    for_windows,
    gene,
    gene_file,
    geneset,
    library,
    linux_sets,
    sets,
    spec_of,
    texts,
    variables,
)

LINUX = {
    "debian-12": "Debian 12",
    "ubuntu-22.04": "Ubuntu 22.04",
    "ubuntu-24.04": "Ubuntu 24.04",
    "almalinux-9": "AlmaLinux 9",
}
WINDOWS = {
    "winsrv2022": "Windows Server 2022",
    "winsrv2025": "Windows Server 2025",
    "win11": "Windows 11",
}
# What a name that says so in a variable must be.
SECRET = re.compile(r"password|environment|^users$", re.IGNORECASE)
OPEN = {"passwordLogin", "docker.users", "podman.users"}

each = pytest.mark.parametrize("name", sets())
each_linux = pytest.mark.parametrize("name", linux_sets())


def readme(name: str) -> str:
    return (library() / name / "README.md").read_text("utf-8")


def section(name: str, title: str) -> str:
    return readme(name).split(f"\n## {title}\n", 1)[1].split("\n## ")[0].strip()


def fenced(text: str) -> str:
    match = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert match is not None
    return match[1]


def kind(name: str) -> GuestKind:
    return GuestKind.WINDOWS if for_windows(name) else GuestKind.LINUX


def test_there_is_what_the_library_promises() -> None:
    assert len(linux_sets()) >= 29
    assert len(sets()) - len(linux_sets()) >= 7


@each
def test_a_set_has_one_gene_of_its_own_name(name: str) -> None:
    manifests = {
        path.parent.name: json.loads(path.read_text("utf-8"))
        for path in (library() / name).glob("*/geneset-tag.json")
    }
    newest = manifests["latest"]["ref"].split("/")[-1]
    for tag, manifest in manifests.items():
        assert manifest["geneset"] == f"eryphc/{name}/{tag}"
    assert [path.name for path in (library() / name / newest).rglob("*.yaml")] == [f"{name}.yaml"]
    assert gene(name).name == name
    assert len(name) <= 20


def shown(variable: Variable) -> str:
    """A variable's row in the table of its README, but for its meaning."""
    marks = [word for word in ("required", "secret") if getattr(variable, word)]
    written = ", ".join((variable.type.value if variable.type else "string", *marks))
    default = f"`{variable.value}`".replace("|", "\\|") if variable.value else ""
    return f"| `{variable.name}` | {written} | {default} |"


@each
def test_the_table_of_variables_is_that_of_the_gene(name: str) -> None:
    if not variables(name):
        assert section(name, "Variables") == "None."
        return
    head, _, *rows = section(name, "Variables").splitlines()
    assert head == "| variable | type | default | meaning |"
    assert [row[: row.rindex("|", 0, -1) + 1] for row in rows] == [
        shown(variable) for variable in variables(name).values()
    ]
    assert all(row.rsplit("|", 2)[1].strip() for row in rows)


@each
def test_the_guests_in_the_readme_are_those_of_the_metadata(name: str) -> None:
    metadata = geneset(name)["metadata"]
    assert isinstance(metadata, dict)
    known = WINDOWS if for_windows(name) else LINUX
    states: dict[str, str] = {}
    for key, state in (("guests_run", "run"), ("guests_declared", "declared")):
        states |= {guest: state for guest in metadata[key].split(", ") if guest}
    assert states.keys() <= known.keys()
    rows = section(name, "Guests").splitlines()[2 : 2 + len(known)]
    assert rows == [
        f"| {title} | {states.get(guest, 'not for this guest')} |" for guest, title in known.items()
    ]


@each
def test_the_example_compiles_without_a_word(name: str) -> None:
    example = fenced(section(name, "Example"))
    assert f"gene:eryphc/{name}" in example
    built = compiled(example, kind(name))
    assert built.diagnostics == ()
    assert built.files
    assert section(name, "See that it works")


@each
def test_it_compiles_with_its_defaults_and_with_odd_values(name: str) -> None:
    odd = dict.fromkeys(texts(name), 'it\'s "odd": {a} [b] # c \\ $HOME `id` %PATH% ü')
    for values in (GIVEN.get(name, {}), odd):
        built = compiled(spec_of([name], {name: values}), kind(name))
        assert (built.diagnostics, bool(built.files)) == ((), True)


@each
def test_what_is_secret_says_so(name: str) -> None:
    for variable, definition in variables(name).items():
        if SECRET.search(variable) and not {variable, f"{name}.{variable}"} & OPEN:
            assert definition.secret is True, variable
            # There is no default of what must not be known.
            assert not definition.value


@each
def test_no_fodder_needs_merging(name: str) -> None:
    """Scripts and boothooks reach a guest as they are, in every tool that knows catlets; there is
    no cloud-config in which another's list could take the place of this one."""
    types = {fodder.type for fodder in gene(name).fodder or ()}
    assert types <= ({"shellscript"} if for_windows(name) else {"shellscript", "cloud-boothook"})


FUNCTION = re.compile(r"^(\w+)\(\) \{.*?^\}$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("function", ["packages", "let_through"])
def test_a_function_that_genes_share_is_one(function: str) -> None:
    bodies = {
        match[0]
        for name in linux_sets()
        for fodder in gene(name).fodder or ()
        if fodder.content is not None
        for match in FUNCTION.finditer(fodder.content.text)
        if match[1] == function
    }
    assert len(bodies) == 1


@each_linux
def test_a_text_stands_alone_in_a_quoted_here_document(name: str) -> None:
    """There, and nowhere else in a shell's script, any text is safe."""
    for fodder in gene(name).fodder or ():
        assert fodder.content is not None
        inside: str | None = None
        for line in fodder.content.text.splitlines():
            words = {match[1] for match in PLACEHOLDER.finditer(line)} & set(texts(name))
            if words:
                assert line in [f"{mark}{{{{ {word} }}}}" for word in words for mark in (">", "")]
                assert inside is not None
            opened = re.search(r"<<'([\w-]+)'", line)
            if inside is None and opened:
                inside = opened[1]
            elif line == inside:
                inside = None
        assert inside is None


@each_linux
def test_nothing_is_fetched_but_packages(name: str) -> None:
    text = gene_file(name).read_text("utf-8")
    assert not re.search(r"\b(curl|wget|git clone|urlopen|npm|apt-key|add-apt-repository)\b", text)
    # pip takes what is pinned, and nothing else.
    assert all("--require-hashes" in line for line in text.splitlines() if "pip install" in line)


@each_linux
def test_the_scripts_are_sound_shell(name: str, tmp_path: Path) -> None:
    for fodder in gene(name).fodder or ():
        text = filled(name, GIVEN.get(name, {}), fodder)
        assert text.startswith("#!/bin/sh\nset -eu\n")
        path = tmp_path / "script.sh"
        path.write_text(text, "utf-8")
        for shell in ("dash", "bash"):
            if shutil.which(shell):
                subprocess.run([shell, "-n", path], check=True)


@pytest.mark.integration
def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed: apt-get install shellcheck")
    paths = []
    for name in linux_sets():
        for at, fodder in enumerate(gene(name).fodder or ()):
            paths.append(tmp_path / f"{name}-{at}.sh")
            paths[-1].write_text(filled(name, GIVEN.get(name, {}), fodder), "utf-8")
    # SC2050: a boolean that was pasted is a constant. SC2016: dollars that are meant for another.
    check = [
        "shellcheck",
        "--shell=sh",
        "--severity=warning",
        "--exclude=SC2016,SC2050,SC2100,SC2154",
    ]
    found = subprocess.run([*check, *paths], capture_output=True, text=True, check=False)
    assert found.stdout == ""


def test_the_page_of_the_library_lists_every_gene() -> None:
    page = (CHECKOUT / "docs" / "genes" / "README.md").read_text("utf-8")
    listed = re.findall(r"^\| `eryphc/([\w-]+)` \| (.*?) \|", page, re.MULTILINE)
    assert dict(listed) == {name: geneset(name)["short_description"] for name in sets()}
    assert len(yaml.safe_load(fenced(page))["fodder"]) >= 3
    built = compiled(fenced(page))
    assert (built.diagnostics, bool(built.files)) == ((), True)
