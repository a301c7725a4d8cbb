"""Identifiers: the patterns that read them take exactly what the grammars take."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eryphc.identifiers import Architecture, GeneId, GeneSetId
from eryphc.syntax.grammars import refused_at
from eryphc.syntax.identifiers import (
    parse_architecture,
    parse_gene,
    parse_gene_set,
    parse_set_source,
)
from eryphc.syntax.names import (
    NameFault,
    mac_address,
)

pytestmark = pytest.mark.once

words = st.text("aZ9.-_ /:\u00e9\u212a\n", max_size=8)
parts = st.one_of(
    words,
    st.text("aZ9", min_size=1, max_size=45),
    st.from_regex(r"[a-z0-9]+([.-][a-z0-9]+){0,3}", fullmatch=True),
)
sets = st.one_of(
    st.builds("/".join, st.lists(parts, min_size=1, max_size=4)),
    st.builds("{}/{}".format, st.just("acme"), parts),
)
genes = st.one_of(
    st.builds("gene:{}:{}".format, sets, parts),
    st.builds("{}:{}:{}".format, words, sets, parts),
    st.builds("gene:{}".format, sets),
)
some = settings(max_examples=300)


@some
@given(sets)
@example("acme/kit\n")
@example("acme/kit/")
def test_gene_sets(text: str) -> None:
    accepted = isinstance(parse_gene_set(text), GeneSetId)
    assert accepted == (refused_at("identifiers", "gene_set", text) is None)


@some
@given(genes)
@example("gene:acme/kit:tls\n")
@example("GENE:acme/kit:tls")
def test_genes(text: str) -> None:
    accepted = isinstance(parse_gene(text), GeneId)
    assert accepted == (refused_at("identifiers", "gene", text) is None)
    assert (parse_set_source(text) is not None) == (
        refused_at("identifiers", "set_source", text) is None
    )


@some
@given(
    st.one_of(
        words,
        st.builds(
            "{}/{}".format,
            st.sampled_from(
                ["any", "ANY", "hyperv", "HyperV", "kvm", "\u212avm", "azure", "ec2", "x"]
            ),
            st.sampled_from(["any", "amd64", "AMD64", "arm64", "x86", ""]),
        ),
        st.sampled_from(["any", "Any", "any/", "anyx"]),
    )
)
def test_architectures(text: str) -> None:
    accepted = isinstance(parse_architecture(text), Architecture)
    assert accepted == (refused_at("identifiers", "architecture", text) is None)


@some
@given(sets, genes)
def test_a_fault_lies_in_its_text(geneset: str, gene: str) -> None:
    for text, parsed in ((geneset, parse_gene_set(geneset)), (gene, parse_gene(gene))):
        if isinstance(parsed, NameFault):
            assert 0 <= parsed.start <= parsed.end <= len(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("1A-2b3c:4D5e6F", "1a:2b:3c:4d:5e:6f", id="mixed separators"),
        pytest.param("1a2b3c4d5e6f", "1a:2b:3c:4d:5e:6f", id="no separators"),
        pytest.param("1a:2b:3c:4d:5e:6f\n", "1a:2b:3c:4d:5e:6f", id="a line feed"),
        pytest.param("1a:2b:3c:4d:5e", None, id="five pairs"),
        pytest.param("1a:2b:3c:4d:5e:6f:", None, id="a separator at its end"),
        pytest.param("1a::2b:3c:4d:5e:6f", None, id="two separators"),
        pytest.param("1g:2b:3c:4d:5e:6f", None, id="no hexadecimal digit"),
    ],
)
def test_mac_addresses(text: str, address: str | None) -> None:
    assert mac_address(text) == address


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        pytest.param("acme/kit", "acme/kit/latest", id="latest is meant"),
        pytest.param("ACME/Kit/1.0", "acme/kit/1.0", id="letter case"),
        pytest.param("acme/a.-b/1.0", "acme/a.-b/1.0", id="different separators"),
    ],
)
def test_normal_form_of_gene_sets(text: str, normal: str) -> None:
    assert str(parse_gene_set(text)) == normal
