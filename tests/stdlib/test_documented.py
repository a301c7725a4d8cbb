"""The page on the standard genes names what there is."""

from __future__ import annotations

from stdlib.shipped import CHECKOUT, standard, standard_genes


def test_every_gene_and_variable_is_on_the_page() -> None:
    page = (CHECKOUT / "docs" / "standard-genes.md").read_text(encoding="utf-8")
    lines = page.splitlines()
    for name, gene in standard_genes().items():
        (line,) = [line for line in lines if f"`dbosoft/{name}`" in line]
        for variable in gene.variables or ():
            shown = f"`{variable.name}`"
            if variable.required and not variable.value:
                shown = f"**{shown}**"
            assert shown in line
            if variable.value:
                assert f"{shown} = {variable.value}" in line.replace("= `", "= ")
            assert ("(secret)" in line.split(shown)[1].split(",")[0]) == bool(variable.secret)


def test_every_gene_set_is_on_the_page() -> None:
    page = (CHECKOUT / "docs" / "standard-genes.md").read_text(encoding="utf-8")
    for folder in sorted((standard() / "dbosoft").iterdir()):
        assert f"`dbosoft/{folder.name}" in page
