"""What ships: the genes of the standard pool and of the examples, as the compiler reads them."""

from __future__ import annotations

import re
from pathlib import Path

from eryphc.diagnostics.model import Diagnostic
from eryphc.genepool.folder import standard_folder
from eryphc.ir.catlet import Fodder, FodderGene
from eryphc.passes.read import decode, gene_source, notation_of, read_fodder_gene

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLES = CHECKOUT / "examples"

_PLACEHOLDER = re.compile(r"\{\{\s*(\S*?)\s*\}\}")


def standard() -> Path:
    folder = standard_folder()
    assert folder is not None
    return folder


def pools() -> tuple[Path, ...]:
    return (standard(), EXAMPLES / "genes")


def label(path: Path) -> str:
    """A readable test id: the path below the pool."""
    return "/".join(path.parts[-6:])


def tag_folders(pool: Path) -> list[Path]:
    return sorted(path.parent for path in pool.glob("*/*/*/geneset-tag.json"))


def fodder_files(pool: Path) -> list[Path]:
    return sorted(pool.glob("*/*/*/fodder/**/*.y*ml"))


def catlet_files(pool: Path) -> list[Path]:
    return sorted(pool.glob("*/*/*/catlet.yaml"))


def read_gene(path: Path) -> tuple[FodderGene, tuple[Diagnostic, ...]]:
    source = gene_source(path.name, decode(path.read_bytes()))
    outcome = read_fodder_gene(source, notation=notation_of(path.name))
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value, outcome.diagnostics


def standard_genes() -> dict[str, FodderGene]:
    """The fodder genes that published specs name, as `set:gene`; tests/library has the others."""
    return {
        f"{path.parts[-4]}:{gene.name}": gene
        for path in fodder_files(standard())
        if path.parts[-5] == "dbosoft"
        for gene, _ in (read_gene(path),)
    }


def text_of(fodder: Fodder, values: dict[str, str]) -> str:
    """The fodder entry's content with its placeholders replaced, as the language says."""
    assert fodder.content is not None
    return _PLACEHOLDER.sub(lambda match: values[match[1].lower()], fodder.content.text)


def used(fodder: Fodder) -> set[str]:
    assert fodder.content is not None
    return {match[1].lower() for match in _PLACEHOLDER.finditer(fodder.content.text)}
