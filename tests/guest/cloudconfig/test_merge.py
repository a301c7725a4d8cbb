"""The rules of merging, one row a rule."""

from __future__ import annotations

import pytest
import yaml

from eryphc.diagnostics.model import Diagnostic, Level
from eryphc.guest.cloudconfig.emit import write
from eryphc.guest.cloudconfig.nodes import plain
from eryphc.identifiers import GeneId, GeneSetId
from guest.cloudconfig.entries import fodder, fodder_entries, merge
from saying import handed_out, said


def merged(*texts: str) -> tuple[object, list[str]]:
    outcome = merge(fodder_entries(*texts))
    assert outcome.value is not None, outcome.diagnostics
    return plain(outcome.value.root), [each.code.number for each in outcome.diagnostics]


def place(diagnostic: Diagnostic) -> str:
    assert diagnostic.primary is not None
    span = diagnostic.primary.span
    return f"{span.source.name}:{span.line}:{span.column} {span.text}"


@pytest.mark.parametrize(
    ("one", "two", "expected", "codes"),
    [
        pytest.param(
            "runcmd: [a, b]", "runcmd: [a, c]", {"runcmd": ["a", "b", "a", "c"]}, [], id="runcmd"
        ),
        pytest.param(
            "packages: [a, [b, '1']]",
            "packages: [b, a, [b, '1']]",
            {"packages": ["a", ["b", "1"], "b"]},
            [],
            id="packages are a set",
        ),
        pytest.param(
            "ntp: {enabled: true, servers: [x]}",
            "ntp: {servers: [y, x], pools: [p]}",
            {"ntp": {"enabled": True, "servers": ["x", "y"], "pools": ["p"]}},
            [],
            id="maps recurse",
        ),
        pytest.param(
            "hostname: a", "hostname: b", {"hostname": "b"}, ["W0509"], id="the last scalar wins"
        ),
        pytest.param("hostname: a", "hostname: a", {"hostname": "a"}, [], id="equal says nothing"),
        pytest.param(
            "package_update: true",
            "package_update: 1",
            {"package_update": 1},
            ["W0509"],
            id="true and one differ",
        ),
        pytest.param("hostname: a", "hostname:", {}, ["N0513"], id="null unsets"),
        pytest.param("hostname:", "hostname: a", {"hostname": "a"}, [], id="null first"),
        pytest.param(
            "ssh_pwauth:",
            "hostname: a",
            {"hostname": "a", "ssh_pwauth": None},
            [],
            id="null alone stays",
        ),
        pytest.param(
            "mount_default_fields: [a]",
            "mount_default_fields: [b]",
            {"mount_default_fields": ["b"]},
            ["W0511"],
            id="an atomic list is replaced",
        ),
        pytest.param(
            "power_state: {condition: [a]}",
            "power_state: {condition: [b], mode: reboot}",
            {"power_state": {"condition": ["b"], "mode": "reboot"}},
            ["W0511"],
            id="lists in power_state are atomic",
        ),
        pytest.param(
            "frob: [a]", "frob: [b]", {"frob": ["a", "b"]}, ["N0514"], id="unknown lists append"
        ),
        pytest.param(
            "groups: a, b", "groups: [b, c]", {"groups": ["a", "b", "c"]}, [], id="comma text"
        ),
        pytest.param(
            "users: [alice, default]",
            "users: [bob, default]",
            {"users": ["default", "alice", "bob"]},
            [],
            id="default once and in front",
        ),
        pytest.param(
            "users: [{name: alice, groups: 'adm, sudo', shell: /bin/sh, sudo: X}]",
            "users: [{name: bob}, {name: alice, groups: [sudo, www], shell: /bin/bash, sudo: [Y]}]",
            {
                "users": [
                    {
                        "name": "alice",
                        "groups": ["adm", "sudo", "www"],
                        "shell": "/bin/bash",
                        "sudo": ["X", "Y"],
                    },
                    {"name": "bob"},
                ]
            },
            ["W0509"],
            id="users by name",
        ),
        pytest.param(
            "users: [alice]",
            "users: [{name: alice, uid: 5}]",
            {"users": [{"name": "alice", "uid": 5}]},
            [],
            id="a user's name and the user",
        ),
        pytest.param(
            "users: [{name: a, lock-passwd: true}]",
            "users: [{name: a, lock_passwd: true}]",
            {"users": [{"name": "a", "lock_passwd": True}]},
            [],
            id="old spellings are one key with the new",
        ),
        pytest.param(
            "apt_update: true\nca-certs: {trusted: [a], remove-defaults: true}",
            "package_update: true\nca_certs: {trusted: [b]}",
            {
                "ca_certs": {"trusted": ["a", "b"], "remove_defaults": True},
                "package_update": True,
            },
            [],
            id="old top-level names",
        ),
        pytest.param(
            "ubuntu_advantage: {enable: [a]}",
            "ubuntu_pro: {enable: [b]}",
            {"ubuntu_advantage": {"enable": ["a", "b"]}},
            [],
            id="names that old guests lack are not introduced",
        ),
        pytest.param(
            "write_files: [{path: /a, content: x}, {path: /b}]",
            "write_files: [{path: /c}, {path: /a, content: y}]",
            {"write_files": [{"path": "/b"}, {"path": "/c"}, {"path": "/a", "content": "y"}]},
            ["W0510"],
            id="the later file at the later place",
        ),
        pytest.param(
            "write_files: [{path: /a, content: x}]",
            "write_files: [{path: /a, content: y, append: true}]",
            {
                "write_files": [
                    {"path": "/a", "content": "x"},
                    {"path": "/a", "content": "y", "append": True},
                ]
            },
            [],
            id="an appending file is kept",
        ),
        pytest.param(
            "write_files: [{path: /a, content: x}]",
            "write_files: [{content: x, path: /a}]",
            {"write_files": [{"path": "/a", "content": "x"}]},
            [],
            id="the same file twice is one",
        ),
        pytest.param(
            "chpasswd: {expire: false, users: [{name: a, type: RANDOM}]}",
            "chpasswd: {users: [{name: a, type: text, password: x}, {name: b}]}",
            {
                "chpasswd": {
                    "expire": False,
                    "users": [{"name": "a", "type": "text", "password": "x"}, {"name": "b"}],
                }
            },
            ["W0509"],
            id="chpasswd by name",
        ),
        pytest.param(
            "apt: {sources: {s: {source: x}, t: {source: z}}}",
            "apt: {sources: {s: {keyid: y}, t: {source: z}}}",
            {"apt": {"sources": {"s": {"source": "x", "keyid": "y"}, "t": {"source": "z"}}}},
            ["W0512"],
            id="one source defined twice",
        ),
        pytest.param(
            "frob: [a]", "frob: text", {"frob": "text"}, ["W0509"], id="text against a list"
        ),
        pytest.param(
            "runcmd: [a]\nhostname: a",
            "merge_how: dict(recurse_list)+list(append)\nruncmd: [b]\nhostname: b",
            {"hostname": "a", "runcmd": ["a", "b"]},
            ["N0516"],
            id="merge_how is cloud-init's own",
        ),
        pytest.param(
            "runcmd: []\npackages: [a]",
            "users: []",
            {"users": [], "packages": ["a"]},
            ["N0515"],
            id="empty lists",
        ),
        pytest.param("#cloud-config", "hostname: a", {"hostname": "a"}, ["W0506"], id="empty"),
    ],
)
def test_two_fodder_entries(one: str, two: str, expected: object, codes: list[str]) -> None:
    data, found = merged(one, two)
    assert data == expected
    assert found == codes


def test_keys_come_in_the_order_of_the_modules() -> None:
    data, _ = merged("zeta: 1\nruncmd: [a]\npackages: [b]\nwrite_files: [{path: /a}]", "users: [x]")
    assert isinstance(data, dict)
    assert list(data) == ["write_files", "users", "runcmd", "packages", "zeta"]


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        pytest.param("a: b: c", "E0501", "b.yaml:1:5 :", id="not yaml"),
        pytest.param("a:\n\t- b", "E0501", "b.yaml:2:1 \t", id="tab"),
        pytest.param("a: 1\n---\nb: 1", "E0501", "b.yaml:2:1 ---", id="two documents"),
        pytest.param("- a", "E0502", "b.yaml:1:1 - a", id="a list"),
        pytest.param("just text", "E0502", "b.yaml:1:1 just text", id="a text"),
        pytest.param("a: 2024-13-45", "E0503", "b.yaml:1:4 2024-13-45", id="no date"),
        pytest.param("a: !x b", "E0503", "b.yaml:1:4 !x b", id="tag"),
        pytest.param("a: &a [*a]", "E0504", "b.yaml:1:8 *a", id="alias in itself"),
        pytest.param("ntp: [x]", "E0507", "b.yaml:1:6 [x]", id="map against list"),
        pytest.param(
            "merge_how: list[append]\na: 1", "E0508", "b.yaml:1:1 merge_how", id="strategy"
        ),
    ],
)
def test_errors_point_into_the_fodder(text: str, code: str, where: str) -> None:
    outcome = merge(fodder_entries("ntp: {enabled: true}", text))
    assert outcome.value is None
    assert [each.code.number for each in outcome.diagnostics] == [code]
    assert place(outcome.diagnostics[0]) == where


GENE = GeneId(GeneSetId("acme", "kit", "1.0"), "tls")


def test_a_nearer_fodder_is_only_noted() -> None:
    texts = "users: [{name: a, shell: x}]", "users: [{name: a, shell: y}]"
    nearer = merge([fodder(texts[0], "far", depth=1), fodder(texts[1], "near")])
    assert [each.level for each in nearer.diagnostics] == [Level.NOTE]
    farther = merge([fodder(texts[0], "near"), fodder(texts[1], "far", gene=GENE)])
    assert [each.level for each in farther.diagnostics] == [Level.WARNING]
    found = farther.diagnostics[0]
    assert said(found).message == "`users[a].shell` is set again, and this later value is used"
    assert place(found) == "far.yaml:1:26 y"
    assert [label.span.source.name for label in found.related] == ["near.yaml"]


def test_a_secret_tells_names_but_no_keys_that_the_schema_does_not_know() -> None:
    one = fodder("users: [{name: hunter2, shell: x, 'p w': 1}]", "a", secret=True)
    two = fodder("users: [{name: hunter2, shell: y, 'p w': 2}]", "b", secret=True)
    outcome = merge([one, two])
    assert outcome.value is not None
    assert outcome.value.secret
    assert [each.message.split("`")[1] for each in handed_out(outcome.diagnostics, one, two)] == [
        "users[hunter2].shell",
        "users[hunter2].…",
    ]


def test_duplicate_keys_are_told_and_the_last_counts() -> None:
    outcome = merge(fodder_entries("a:\n  b: 1\n  b: 2\n"))
    assert outcome.value is not None
    assert plain(outcome.value.root) == {"a": {"b": 2}}
    (found,) = outcome.diagnostics
    assert found.code.number == "W0505"
    assert place(found) == "a.yaml:3:3 b"


@pytest.mark.parametrize(
    "text",
    [
        "users: [a, default, a]\npackages: [x, x]\nwrite_files: [{path: /a}, {path: /a}]",
        "a: &x {b: 1}\nc: {<<: *x, d: 2}\nruncmd: [[a, 1], null, 'b: c']\n",
        "yes: no\n2: 3\n2024-01-01: x\n~: y",
    ],
)
def test_one_fodder_alone_is_itself(text: str) -> None:
    data, codes = merged(text)
    assert data == yaml.safe_load(text)
    assert codes == []


def test_merging_the_result_again_changes_nothing() -> None:
    outcome = merge(
        fodder_entries(
            "users: [default, {name: a, groups: 'x, y'}]\nruncmd: [a]\npackages: [b]",
            "users: [{name: a, groups: [z]}]\nwrite_files: [{path: /a, content: 'x\n'}]",
        )
    )
    assert outcome.value is not None
    text = write(outcome.value.root).text
    again = merge(fodder_entries(text))
    assert again.value is not None
    assert write(again.value.root).text == text
