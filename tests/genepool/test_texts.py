"""Texts of genes: the name that a fodder gene gives itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from catlets import write_pool
from eryphc.genepool.files import own_name
from eryphc.identifiers import GeneType
from eryphc.source import SourceText
from eryphc.syntax.yaml_nodes import compose
from genepool.pools import fodder, tag_of, variants


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("name: TLS\n", "tls", id="a name"),
        pytest.param("version: '1'\n", None, id="no name"),
        pytest.param("name: [a]\n", None, id="a list for a name"),
        pytest.param("- name: tls\n", None, id="a list for a gene"),
        pytest.param("tls\n", None, id="a text for a gene"),
    ],
)
def test_own_name(text: str, name: str | None) -> None:
    root = compose(SourceText("a.yaml", text)).value
    assert root is not None
    assert own_name(root) == name


def test_a_file_that_is_a_list_hides_no_other_gene(tmp_path: Path) -> None:
    files = {"fodder/list.yaml": "- a\n", "fodder/tls.yaml": fodder("tls")}
    tag = tag_of(write_pool(tmp_path, {"acme/kit/1.0": files}))
    assert variants(tag, GeneType.FODDER, "tls") == {"any": "tls.yaml"}
    assert variants(tag, GeneType.FODDER, "tsl") == {}
