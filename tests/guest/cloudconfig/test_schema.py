"""The quick verdict holds to jsonschema, and findings have words and places."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import saying
from eryphc.guest.cloudconfig import verdict as own
from eryphc.guest.cloudconfig.nodes import MappingNode
from eryphc.guest.cloudconfig.provenance import Provenance
from eryphc.guest.cloudconfig.schema import check, library_errors
from eryphc.guest.cloudconfig.tree import read
from guest.cloudconfig.entries import fodder, merge
from places import PUBLISHED


def tree(text: str) -> MappingNode:
    root = read(text).root
    assert root is not None, text
    return root


def jsonschema_verdict(root: MappingNode) -> int:
    """What `verdict` has to answer, by the library."""
    found = own.VALID
    for error in library_errors(root):
        found |= own.DEPRECATED if error.validator in own.MARKS else own.INVALID
    return found


def agree(text: str) -> int:
    root = tree(text)
    ours, theirs = own.verdict(root), jsonschema_verdict(root)
    assert ours & own.INVALID == theirs & own.INVALID, text
    if not ours & own.INVALID:
        assert ours == theirs, text
    return ours


VALID, DEPRECATED, INVALID = own.VALID, own.DEPRECATED, own.INVALID
TABLE = [
    ("{}", VALID),
    ("runcmd: [a, [b, c], null]", VALID),
    ("runcmd: []", INVALID),
    ("runcmd:", INVALID),
    ("runcmd: [{a: b}]", INVALID),
    ("runcmd: [[echo, 1]]", INVALID),
    ("bootcmd: [a]", VALID),
    ("typo: 1", INVALID),
    ("1: 2", INVALID),
    ("users: [default, {name: a, sudo: [x]}]", VALID),
    ("users: [{name: a, lock-passwd: true}]", DEPRECATED),
    ("users: [{name: a, sudo: false}]", DEPRECATED),
    ("users: [{name: a, groups: {x: null}}]", DEPRECATED),
    ("users: [{name: a, expiredate: '2024-01-01'}]", VALID),
    ("users: [{name: a, expiredate: '2024-13-01'}]", INVALID),
    ("users: [{name: a, expiredate: 2024-01-01}]", INVALID),
    ("users: [{name: a, frob: 1}]", INVALID),
    ("users: {name: a}", VALID),
    ("groups: [a, {b: [c]}]", VALID),
    ("groups: {a: b}", VALID),
    ("write_files: [{path: /a, permissions: '0644'}]", VALID),
    ("write_files: [{path: /a, permissions: 0644}]", INVALID),
    ("write_files: [{content: a}]", INVALID),
    ("ca-certs: {trusted: [a]}", DEPRECATED),
    ("ca_certs: {remove-defaults: true}", DEPRECATED),
    ("apt_update: true", DEPRECATED),
    ("apt: {sources: {1: {source: a}}}", VALID),
    ("ntp: {servers: [a, a]}", INVALID),
    ("ntp:", VALID),
    ("chpasswd: {list: 'a:b'}", DEPRECATED),
    ("chpasswd: {users: [{name: a, type: RANDOM}]}", VALID),
    ("chpasswd: {users: [{name: a, type: RANDOM, password: x}]}", INVALID),
    ("power_state: {mode: reboot, delay: 1}", VALID),
    ("power_state: {mode: reboot, delay: '1'}", DEPRECATED),
    ("power_state: {mode: reboot, delay: true}", INVALID),
    ("rh_subscription: {activation-key: a, org: b}", DEPRECATED),
    ("rh_subscription: {activation-key: a, activation_key: b}", INVALID),
    ("yum_repos: {a: {name: x}}", INVALID),
    ("yum_repos: {a: {name: x, baseurl: y}}", VALID),
    ("ubuntu_advantage: {token: a}", DEPRECATED),
    ("disk_setup: {/dev/a: {layout: [50, [50, 82]]}}", VALID),
    ("packages: [a, [b, '1'], {apt: [c]}]", VALID),
    ("autoinstall: {version: 1, anything: true}", VALID),
    ("mounts: [[a, b]]\nswap: {size: 1G}", VALID),
    ("hostname: 1", INVALID),
    ("write_files: [{path: /a, content: !!binary aGk=}]", VALID),
    ("locale: !!binary aGk=\nswap: {size: !!binary aGk=}", VALID),
    ("write_files: [{path: /a, encoding: !!binary aGk=}]", INVALID),
    ("network: {}", INVALID),
]


@pytest.mark.parametrize(("text", "expected"), TABLE, ids=[text for text, _ in TABLE])
def test_the_verdict(text: str, expected: int) -> None:
    found = agree(text)
    assert found & own.INVALID if expected == INVALID else found == expected


def published() -> list[str]:
    """The cloud-configs of the published genes, with words for their references."""
    found = []
    for path in sorted(PUBLISHED.glob("**/fodder/*.yaml")):
        text = re.sub(r"\{\{.*?\}\}", "word", path.read_text("utf-8", "replace"))
        try:
            gene = yaml.safe_load(text)
        except yaml.YAMLError:
            continue
        for each in gene.get("fodder") or []:
            if each.get("type") in ("cloud-config", None):
                content = each.get("content")
                found.append(content if isinstance(content, str) else json.dumps(content))
    return found


def test_the_published_genes() -> None:
    texts = [text for text in published() if read(text).root is not None]
    assert len(texts) > 10
    for text in texts:
        agree(text)


SEEDS = [yaml.safe_load(text) for text, _ in TABLE]
SCALARS: list[Any] = [
    *("a", b"a", "", 1, -1, 1.5, True, False, None),
    *([], {}, ["a"], {"a": "b"}, [["a"]]),
]


@st.composite
def damaged(draw: st.DrawFn) -> dict[Any, Any]:
    """Two documents of the table in one, with a value or a key changed somewhere."""
    data = copy.deepcopy({**draw(st.sampled_from(SEEDS)), **draw(st.sampled_from(SEEDS))})
    for _ in range(draw(st.integers(0, 2))):
        spots: list[tuple[Any, Any]] = []
        stack: list[Any] = [data]
        while stack:
            here = stack.pop()
            for key in here if isinstance(here, dict) else range(len(here)):
                spots.append((here, key))
                if isinstance(here[key], (dict, list)):
                    stack.append(here[key])
        if not spots:
            break
        holder, key = draw(st.sampled_from(spots))
        if isinstance(holder, dict) and draw(st.booleans()):
            holder[draw(st.sampled_from(["name", "x", "path", "list", "type"]))] = holder.pop(key)
        else:
            # A copy: the list put in must never be the one it is put into.
            holder[key] = copy.deepcopy(draw(st.sampled_from(SCALARS)))
    return data


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(damaged())
def test_damaged_documents(data: dict[Any, Any]) -> None:
    agree(yaml.safe_dump(data))


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(
        st.sampled_from(sorted(own.schema()["properties"])), st.sampled_from(SCALARS), max_size=3
    )
)
def test_generated_documents(data: dict[str, Any]) -> None:
    agree(yaml.safe_dump(data))


def test_every_keyword_of_the_schema_is_known() -> None:
    """A keyword that a newer schema uses must not pass unseen."""
    words = {
        *("$schema", "$defs", "$ref", "default", "description", "label", "hidden"),
        *("deprecated", "deprecated_version", "deprecated_description"),
        *("changed", "changed_version", "changed_description"),
        # Without meaning in draft 4, or beside an `items` that is a single schema.
        *("prefixItems", "additionalItems"),
        *own._KEYWORDS,
    }
    maps = ("properties", "patternProperties", "$defs")
    stack: list[Any] = [own.schema()]
    seen = 0
    while stack:
        below = stack.pop()
        if isinstance(below, list):
            stack += below
        if not isinstance(below, dict):
            continue
        for key, value in below.items():
            seen += 1
            assert key in words, key
            if key in maps:
                stack += value.values()
            elif key not in ("enum", "default", "required", "prefixItems"):
                stack.append(value)
    assert seen > 1000


def said(text: str, *, secret: bool = False) -> list[str]:
    one = fodder(text, secret=secret)
    root = tree(text)
    found = check(root, Provenance([(one, root)]))
    return [
        f"{told.code} {told.message} | {each.primary.span.text if each.primary else ''}"
        for each, told in zip(found, saying.handed_out(found, one), strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("packges: [a]", "W0522 cloud-init knows no key `packges` | packges"),
        ("runcmd:", "W0523 `runcmd` is null, and has to be a list | runcmd"),
        (
            "power_state: {mode: sleep}",
            "W0523 `power_state.mode` has to be one of `poweroff`, `reboot`, `halt` | sleep",
        ),
        (
            "users: [{name: a, groups: 'b', frob: 1}]",
            "W0522 cloud-init knows no key `users[0].frob` | frob",
        ),
        ("write_files: [{content: a}]", "W0523 `write_files[0]` lacks `path` | {content: a}"),
        (
            "chpasswd: {list: 'a:b'}",
            (
                "W0524 `chpasswd.list` is deprecated since cloud-init 22.2, "
                "and newer guests report it | 'a:b'"
            ),
        ),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert said(text) == [expected]


def test_no_word_of_a_secret() -> None:
    found = said("users: [{name: hunter2, 'hunter2 key': 1, uid: [hunter2]}]", secret=True)
    assert len(found) == 2
    assert all("hunter2" not in each.split("|")[0] for each in found)


def test_the_shipped_schema_is_the_published_one() -> None:
    # Of cloud-init 26.2 at commit 04eacd06ee60; the order of its keys does not count.
    published = "328b182abae1d84aab32fc3ec08b4433cd27fe0fb0f31c1b44f573a65c50c56c"
    canonical = json.dumps(own.schema(), sort_keys=True)
    assert hashlib.sha256(canonical.encode()).hexdigest() == published


def test_the_library_is_not_asked_about_valid_configurations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "jsonschema", None)
    outcome = merge([fodder("runcmd: [a]")])
    assert outcome.value is not None
    assert check(outcome.value.root, outcome.value.provenance) == ()
