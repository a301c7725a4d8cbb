"""Published specs find in our genes the names and variables that they know."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eryphc.ir.catlet import FodderGene, VariableType
from eryphc.passes.read import decode, gene_source, notation_of, read_fodder_gene
from places import PUBLISHED
from stdlib.shipped import fodder_files, standard_genes, tag_folders

# What older published tags have and the newest one has given up.
GIVEN_UP = {
    "hyperv/1.1:eryph",
    "windomain/1.0:first-dc domain_admin_password",
    "guest-services/0.1:linux-install sshpublickey required",
    "guest-services/0.1:win-install sshpublickey required",
    "guest-services/0.2:linux-install sshpublickey required",
    "guest-services/0.2:win-install sshpublickey required",
}


def published(path: Path) -> FodderGene:
    source = gene_source(path.name, decode(path.read_bytes()))
    outcome = read_fodder_gene(source, notation=notation_of(path.name), strict=False)
    assert outcome.value is not None
    return outcome.value


def newest(geneset: str) -> str:
    manifest = PUBLISHED / "dbosoft" / geneset / "latest" / "geneset-tag.json"
    return str(json.loads(manifest.read_text(encoding="utf-8"))["ref"]).rsplit("/", 1)[1]


def interface(gene: FodderGene) -> dict[str, tuple[VariableType, str, bool, bool]]:
    return {
        (variable.name or "").lower(): (
            variable.type or VariableType.STRING,
            variable.value or "",
            variable.required or False,
            variable.secret or False,
        )
        for variable in gene.variables or ()
    }


def fodder_entries(gene: FodderGene) -> list[tuple[str | None, bool]]:
    """Names, because a spec can pick or remove one; how a fodder entry does its work is its own
    affair.
    """
    return [(fodder.name, fodder.secret or False) for fodder in gene.fodder or ()]


OURS = standard_genes()
SETS = sorted({name.split(":", maxsplit=1)[0] for name in OURS})
TAGS = [
    folder
    for folder in tag_folders(PUBLISHED)
    if folder.parent.name in SETS and (folder / "fodder").is_dir()
]


@pytest.mark.parametrize("geneset", SETS)
def test_the_newest_tag_has_the_interface_of_the_newest_published_one(geneset: str) -> None:
    theirs = {
        f"{geneset}:{gene.name}": gene
        for path in fodder_files(PUBLISHED)
        if path.parts[-4] == geneset and path.parts[-3] == newest(geneset)
        for gene in (published(path),)
    }
    ours = {name: gene for name, gene in OURS.items() if name.startswith(f"{geneset}:")}
    assert {name: interface(gene) for name, gene in ours.items()} == {
        name: interface(gene) for name, gene in theirs.items()
    }
    assert {name: fodder_entries(gene) for name, gene in ours.items()} == {
        name: fodder_entries(gene) for name, gene in theirs.items()
    }


def missing(folder: Path) -> set[str]:
    """What a published tag has and our gene of the same name has not."""
    found = set()
    for path in sorted((folder / "fodder").rglob("*.y*ml")):
        gene = published(path)
        name = f"{folder.parent.name}/{folder.name}:{gene.name}"
        own = OURS.get(f"{folder.parent.name}:{gene.name}")
        if own is None:
            found.add(name)
            continue
        known = interface(own)
        for variable, (kind, value, required, secret) in interface(gene).items():
            if variable not in known:
                found.add(f"{name} {variable}")
                continue
            new_kind, new_value, new_required, new_secret = known[variable]
            if (kind, value, secret) != (new_kind, new_value, new_secret):
                found.add(f"{name} {variable} type, default or secret")
            if required != new_required:
                found.add(f"{name} {variable} required")
    return found


def test_older_tags_lack_nothing_but_what_the_newest_gave_up() -> None:
    assert set().union(*(missing(folder) for folder in TAGS)) == GIVEN_UP


def test_no_text_of_the_published_pool_was_taken() -> None:
    """No run of three lines that say anything is the same in ours and in theirs."""

    def runs(gene: FodderGene) -> set[tuple[str, ...]]:
        found: set[tuple[str, ...]] = set()
        for fodder in gene.fodder or ():
            if fodder.content is None:
                continue
            lines = [line.strip() for line in fodder.content.text.splitlines()]
            lines = [line for line in lines if len(line) > 12]
            found.update(zip(lines, lines[1:], lines[2:], strict=False))
        return found

    ours = set().union(*(runs(gene) for gene in OURS.values()))
    paths = [path for folder in TAGS for path in (folder / "fodder").rglob("*.y*ml")]
    theirs = set().union(*(runs(published(path)) for path in paths))
    assert ours
    assert theirs
    assert ours & theirs == set()
