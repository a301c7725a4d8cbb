"""Names of gene sets in registries lead there and back; tags are fixed or move."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eryphc.genepool.registry_names import (
    NameFaultError,
    RegistryName,
    RegistryNames,
    TagRules,
    TemplateError,
    is_fixed,
    names_of,
    shown_tags,
)
from eryphc.identifiers import GeneSetId
from genepool.images import MOTD

pytestmark = pytest.mark.once

ANY_ORG = ("*",)
NAMES = st.from_regex(r"[a-z0-9]{3,5}(?:(?:\.-?|-\.?)[a-z0-9]{1,5}){0,2}", fullmatch=True)
SETS = st.builds(GeneSetId, NAMES, NAMES, NAMES)


@pytest.mark.parametrize(
    ("prefix", "repository", "tag", "orgs", "made"),
    [
        ("registry.example.com", "{org}/{set}", "{tag}", ANY_ORG, "acme/motd:1.0"),
        ("registry.example.com/genes", "{org}/{set}", "{tag}", ANY_ORG, "genes/acme/motd:1.0"),
        ("[::1]:5000/a/b/", "{org}_{set}", "{tag}", ANY_ORG, "a/b/acme_motd:1.0"),
        ("docker.io/acme", "{set}", "{tag}", ("Acme",), "acme/motd:1.0"),
        ("localhost:5000", "genes", "{org}_{set}_{tag}", ANY_ORG, "genes:acme_motd_1.0"),
        ("localhost:5000", "x/{org}", "v-{set}_{tag}", ANY_ORG, "x/acme:v-motd_1.0"),
        ("localhost:5000", "genes/{set}/g", "{tag}.gene", ("acme",), "genes/motd/g:1.0.gene"),
    ],
)
def test_templates(prefix: str, repository: str, tag: str, orgs: tuple[str], made: str) -> None:
    names = names_of(prefix, orgs, repository=repository, tag=tag)
    found = names.name(MOTD)
    assert f"{found.repository}:{found.tag}" == made
    assert names.geneset(found) == MOTD
    assert names.reference(found) == f"{prefix.partition('/')[0]}/{made}"


TEMPLATES = (
    ("{org}/{set}", "{tag}"),
    ("{org}_{set}", "{tag}"),
    ("{set}/of/{org}", "x{tag}"),
    ("genes", "{org}_{set}_{tag}"),
    ("a/{set}", "{tag}_{org}"),
    ("{org}", "{tag}-_-{set}"),
)


@given(SETS, st.sampled_from(TEMPLATES), st.sampled_from(["", "/genes/of_all"]))
def test_each_name_leads_back(geneset: GeneSetId, template: tuple[str, str], path: str) -> None:
    names = names_of(f"localhost:5000{path}", ANY_ORG, repository=template[0], tag=template[1])
    try:
        found = names.name(geneset)
    except NameFaultError:
        inside = [value for key, value in zip(("{org}", "{set}", "{tag}"), geneset, strict=True)
                  if key in template[0]]  # fmt: skip
        assert any(".-" in value or "-." in value for value in inside)
        return
    assert names.geneset(found) == geneset


@given(SETS, SETS, st.sampled_from(TEMPLATES))
def test_no_two_sets_have_one_name(
    one: GeneSetId, two: GeneSetId, template: tuple[str, str]
) -> None:
    assume(one != two)
    names = names_of("localhost", ANY_ORG, repository=template[0], tag=template[1])
    with suppress(NameFaultError):
        assert names.name(one) != names.name(two)


ONE = names_of("localhost:5000/p", ANY_ORG, index="index:latest")


@pytest.mark.parametrize(
    ("repository", "tag"),
    [
        ("p/acme", "1.0"),
        ("p/acme/motd/x", "1.0"),
        ("acme/motd", "1.0"),
        ("pp/acme/motd", "1.0"),
        ("p/acme/motd", "1_0"),
        ("p/Acme/motd", "1.0"),
        ("p/acme/motd", "V1.0"),
        ("p/acme/motd", "10"),
        ("p/acme/motd", "sha256-" + "0" * 64),
        ("p/acme/motd", "sha256-" + "0" * 64 + ".sig"),
        ("p/acme/motd", "st-" + "0" * 32),
        ("p/acme/mo\ntd", "1.0"),
        ("p/" + "a/" * 5000, "1.0"),
        ("p/index", "latest"),
    ],
)
def test_names_of_nothing(repository: str, tag: str) -> None:
    assert ONE.geneset(RegistryName(repository, tag)) is None


@pytest.mark.parametrize(
    ("names", "geneset", "reason"),
    [
        pytest.param(ONE, "acme/a.-b/1.0", "`.-` and `-.` cannot stand", id="mixed separators"),
        pytest.param(names_of("localhost", ("acme",), repository="{set}"), "other/motd/1.0",
                     "the organization, which is `acme`", id="another organization"),
        pytest.param(names_of("localhost", ("acme",), repository="{set}", index="index:latest"),
                     "acme/index/1.0", "where the index", id="the index as a set"),
        pytest.param(names_of("localhost/" + "a" * 230, ANY_ORG), "acme/" + "b" * 20 + "/1.0",
                     "more than 255", id="long"),
    ],
)  # fmt: skip
def test_sets_without_a_name(names: RegistryNames, geneset: str, reason: str) -> None:
    with pytest.raises(NameFaultError) as caught:
        names.name(GeneSetId(*geneset.split("/")))
    assert caught.value.diagnostic.code.number == "E1026"
    assert f"`{geneset}` has no name in this pool" in caught.value.diagnostic.message
    assert reason in caught.value.diagnostic.message


def test_mixed_separators_fit_into_a_tag() -> None:
    names = names_of("localhost", ANY_ORG, repository="genes", tag="{org}_{set}_{tag}")
    geneset = GeneSetId("acme", "a.-b", "1.-0")
    assert names.geneset(names.name(geneset)) == geneset


def test_an_index_beside_the_sets_of_one_repository() -> None:
    names = names_of(
        "docker.io/acme",
        ANY_ORG,
        repository="genes",
        tag="{org}_{set}_{tag}",
        index="genes:_index",
    )
    assert names.index_name == RegistryName("acme/genes", "_index")
    assert names.name(MOTD) == RegistryName("acme/genes", "acme_motd_1.0")
    assert names.geneset(RegistryName("acme/genes", "_index")) is None


@pytest.mark.parametrize(
    ("changes", "key", "problem"),
    [
        ({"prefix": "https://registry.example.com"}, "prefix", "HOST"),
        ({"prefix": ""}, "prefix", "HOST"),
        ({"prefix": "user@host"}, "prefix", "HOST"),
        ({"prefix": "host/../x"}, "prefix", "lower case"),
        ({"prefix": "host/Genes"}, "prefix", "lower case"),
        ({"repository": "{org}/{name}"}, "repository", "`{name}`, which means nothing"),
        ({"repository": "{org}"}, "repository", "lacks `{set}`"),
        ({"tag": "latest"}, "tag", "lacks `{tag}`"),
        ({"repository": "{org}/{set}/{tag}", "tag": "x"}, "tag", "lacks `{tag}`"),
        ({"tag": "{set}_{tag}"}, "repository", "once"),
        ({"repository": "{org}{set}"}, "repository", "needs `/` or `_`"),
        ({"repository": "{org}-{set}"}, "repository", "needs `/` or `_`"),
        ({"repository": "{set}", "tag": "{org}-{tag}"}, "tag", "needs `_`"),
        ({"repository": "{set}"}, "repository", "lacks `{org}`"),
        (
            {"repository": "{set}", "organizations": ("acme", "other")},
            "repository",
            "lacks `{org}`",
        ),
        ({"repository": "/{org}/{set}"}, "repository", "no registry takes"),
        ({"repository": "{org}/_{set}"}, "repository", "no registry takes"),
        ({"repository": "X/{org}/{set}"}, "repository", "no registry takes"),
        ({"tag": "a/{tag}"}, "tag", "no registry takes"),
        ({"index": "index"}, "index", "REPOSITORY:TAG"),
        ({"index": "../index:latest"}, "index", "REPOSITORY:TAG"),
        ({"index": f"{'x' * 246}:latest"}, "index", "more than 255"),
    ],
)
def test_refused_settings(changes: dict[str, str], key: str, problem: str) -> None:
    given_: dict[str, object] = {"prefix": "localhost", "organizations": ANY_ORG, **changes}
    with pytest.raises(TemplateError) as caught:
        names_of(**given_)  # type: ignore[arg-type]
    assert caught.value.key == key
    assert problem in caught.value.problem


FIXED = ("1.0", "std-1.0-starter", "20260115", "v1.2", "a20260115b", "0.1")
MOVING = ("latest", "stable", "starter", "1", "v2", "2024", "next", "1-0", "2026011", "a.1")


def test_fixed_and_moving_tags() -> None:
    assert [tag for tag in (*FIXED, *MOVING) if is_fixed(tag)] == [*FIXED]
    rules = TagRules()
    assert [tag for tag in (*FIXED, *MOVING) if rules.moves(tag)] == [*MOVING]


def test_a_pool_says_which_tags_move() -> None:
    rules = TagRules(moving=("*-DEV", "1.0"), fixed=("v*",))
    assert rules.moves("1.0-dev")
    assert rules.moves("1.0")
    assert not rules.moves("v2")
    assert not rules.moves("v2-dev")
    assert not rules.moves("1.1")


def test_hidden_tags() -> None:
    tags = ["1.0", "sha256-" + "a" * 64, "sha256-" + "a" * 64 + ".att", "st-" + "b" * 32, "st-b"]
    assert list(shown_tags(tags)) == ["1.0", "st-b"]
