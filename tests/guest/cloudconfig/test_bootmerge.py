"""What a guest drops, held to what the installed cloud-init really drops."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import saying
from eryphc.diagnostics.model import Level
from eryphc.guest.cloudconfig.emit import write
from eryphc.guest.cloudconfig.nodes import plain
from guest.cloudconfig.entries import boot, fodder, fodder_entries, merge
from saying import opened
from work import grows_evenly

pytestmark = pytest.mark.once

PACKAGE = Path("/usr/lib/python3/dist-packages/cloudinit")
SCRIPT = Path(__file__).with_name("real_cloud_init.py")

cloud_init = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not PACKAGE.is_dir(), reason="cloud-init is not installed: apt-get install cloud-init"
    ),
]


def real(cases: list[list[str]]) -> list[dict[str, Any]]:
    done = subprocess.run(
        ["/usr/bin/python3", str(SCRIPT)],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


A = """\
runcmd: [a1, a2]
packages: [a1, a2]
write_files: [{path: /a}]
users: [default, {name: alice}]
hostname: host-a
ntp: {enabled: true, servers: [ntp-a], pools: [pa]}
chpasswd: {expire: false, list: a}
apt: {sources: {s1: {source: x}}}
package_update: true
"""
B = """\
runcmd: [b1]
packages: [b1]
write_files: [{path: /b}]
users: [{name: bob}]
hostname: host-b
ntp: {servers: [ntp-b]}
chpasswd: {list: b}
apt: {sources: {s2: {source: x}}}
timezone: UTC
"""


def dropped(*texts: str) -> list[tuple[int, int, tuple[str, ...]]]:
    return [
        (each.loser, each.winner, opened(each.paths))
        for each in boot(fodder_entries(*texts)).dropped
    ]


def test_the_default_drops_whole_keys() -> None:
    assert dropped(A, B) == [
        (0, 1, ("runcmd[0]", "runcmd[1]")),
        (0, 1, ("packages[0]", "packages[1]")),
        (0, 1, ("write_files[/a]",)),
        (0, 1, ("users[default]", "users[alice]")),
        (0, 1, ("hostname",)),
        (0, 1, ("ntp.enabled", "ntp.servers[0]", "ntp.pools")),
        (0, 1, ("chpasswd.expire", "chpasswd.list")),
        (0, 1, ("apt.sources.s1",)),
    ]


def test_append_drops_the_later_scalars() -> None:
    how = "merge_how: list(append)+dict(no_replace,recurse_list)+str()\n"
    assert dropped(A, how + B) == [(1, 0, ("hostname",)), (1, 0, ("chpasswd.list",))]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        pytest.param(("a: 1", "a: 1"), [], id="equal is not lost"),
        pytest.param(("a: [x, y]", "a: [y, z]"), [(0, 1, ("a[0]",))], id="only what is missing"),
        pytest.param(("a: 1", "a: 2", "a: 1"), [(1, 2, ("a",))], id="what comes back is not lost"),
        pytest.param(
            ("a: 1", "a: 2", "a: 3"), [(0, 1, ("a",)), (1, 2, ("a",))], id="each by the next"
        ),
        pytest.param(("a: 1", "merge_how: dict(allow_delete)\na:"), [(0, 1, ("a",))], id="deleted"),
        pytest.param(("a: 1", "merge_how: list()\nb: 1"), [(1, 1, ("b",))], id="no map merger"),
    ],
)
def test_drops(texts: tuple[str, ...], expected: list[object]) -> None:
    assert dropped(*texts) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("a: b: c", "E0501", id="not yaml"),
        pytest.param("- a", "E0502", id="a list"),
        pytest.param("a: 0b_", "E0503", id="no number"),
        pytest.param("#cloud-config", "W0506", id="empty"),
        pytest.param("merge_how: list[append]\nb: 1", "E0508", id="malformed"),
        pytest.param("merge_how: nonsense()\nb: 1", "E0508", id="unknown merger"),
        pytest.param("merge_how: str()\nb: 1", "W0520", id="no merger for maps"),
    ],
)
def test_lost_parts(text: str, code: str) -> None:
    found = boot(fodder_entries("a: 1", text))
    assert [each.code.number for each in found.diagnostics] == [code]
    assert [each.level for each in found.diagnostics] == [Level.WARNING]
    assert plain(found.root) == {"a": 1}


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        pytest.param(("a: [x]", "a: [y]"), "leave out `--merge parts`", id="lists would join"),
        pytest.param(("a: {x: 1}", "a: {y: 1}"), "leave out `--merge parts`", id="maps would join"),
        pytest.param(("a: [x]", "a: {y: 1}"), "both as lists or both as maps", id="nothing joins"),
        pytest.param(("a: x", "a: y"), None, id="one value can only win"),
        pytest.param(
            ("a: x", "merge_how: dict()+list()+str()\na: y"), None, id="the first value wins"
        ),
        pytest.param(("a: 1", "merge_how: list()\nb: 1"), "joins lists and maps", id="no mergers"),
    ],
)
def test_the_help_would_help(texts: tuple[str, ...], said: str | None) -> None:
    found = saying.said(*boot(fodder_entries(*texts)).diagnostics)
    assert found.code.number == "W0520"
    assert found.help is None if said is None else said in str(found.help)


# The corpus: keys and values that meet often, and strategies of every form.
VALUES = st.recursive(
    st.sampled_from(["x", "y", "", 1, 2, True, None, 1.5]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("kmn"), inner, max_size=3)
    ),
    max_leaves=5,
)
OPTIONS = st.lists(
    st.sampled_from(
        [
            *("replace", "no_replace", "append", "prepend", "recurse_list", "recurse_array"),
            *("recurse_dict", "recurse_str", "allow_delete", "nonsense"),
        ]
    ),
    max_size=3,
)
MERGERS = st.tuples(st.sampled_from(["list", "dict", "str", "List", "m_dict", "set"]), OPTIONS)
COMMON = st.sampled_from(
    [
        "list(append)+dict(no_replace,recurse_list)+str()",
        "dict(recurse_array)+list(append)",
        "list()+dict()+str()",
        "dict(recurse_array)+list()",
        "list(append)+dict(recurse_array,recurse_str,allow_delete)+str(append)",
        "list(append)+dict(replace)",
        "list[append]",
        "",
    ]
)
HOWS = st.one_of(
    COMMON,
    st.lists(MERGERS, max_size=3).map(
        lambda found: "+".join(f"{name}({','.join(options)})" for name, options in found)
    ),
    st.lists(MERGERS.map(lambda found: {"name": found[0], "settings": found[1]}), max_size=3),
    st.lists(MERGERS.map(lambda found: [found[0], *found[1]]), max_size=3),
    st.sampled_from(
        [None, 1, {"name": "list"}, [["list"], "dict"], [{"name": "list"}], ["str", []]]
    ),
)


@st.composite
def parts(draw: st.DrawFn) -> str:
    data: dict[str, Any] = draw(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3))
    for key in ("merge_how", "merge_type"):
        if draw(st.integers(0, 3)) == 0:
            data[key] = draw(HOWS)
    return (
        json.dumps(data)
        if draw(st.integers(0, 15))
        else draw(st.sampled_from(["- a", "a: b: c", "a: {", "", "text", "a: =\nb: 1"]))
    )


# Many parts a run of cloud-init, so that few runs see many; a failure tells its texts itself.
BOUNDED: Any = {
    "database": None,
    "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": list(HealthCheck),
}


def lost(before: Any, after: Any, path: str) -> Iterator[str]:
    """The definition of a loss, over plain data and by canonical JSON."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if key in after:
                yield from lost(value, after[key], f"{path}.{key}")
            elif value is not None:
                yield f"{path}.{key}"
    elif isinstance(before, list) and isinstance(after, list):
        left = [json.dumps(item, sort_keys=True) for item in after]
        for number, item in enumerate(before):
            text = json.dumps(item, sort_keys=True)
            if text in left:
                left.remove(text)
            else:
                yield f"{path}[{number}]"
    elif json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True):
        yield path


def all_lost(texts: list[str], answer: dict[str, Any]) -> set[tuple[int, str]]:
    found: set[tuple[int, str]] = set()
    for number, text in enumerate(texts):
        if number in answer["failed"]:
            continue
        data = json.loads(text)
        stripped = ["merge_how"] if data.get("merge_how") is not None else []
        stripped += ["merge_how", "merge_type"] if not stripped else []
        for key, value in data.items():
            if key in stripped or key == "merge_type":
                continue
            if key not in answer["root"]:
                found.update((number, key) for each in (value,) if each is not None)
            else:
                found.update((number, path) for path in lost(value, answer["root"][key], key))
    return found


def winner(boots: list[Any], number: int, path: str, stripped: dict[str, Any]) -> int:
    """The definition of a winner: the part since which the piece is lost in every state."""
    found = len(boots)
    while found > number and path in set(lost(stripped, boots[found - 1], "")):
        found -= 1
    return found


@settings(max_examples=300, **BOUNDED)
@given(st.lists(parts().filter(lambda text: "merge_" not in text), min_size=2, max_size=6))
def test_each_piece_is_blamed_on_the_part_since_which_it_is_gone(texts: list[str]) -> None:
    ours = boot(fodder_entries(*texts))
    failed = {number for number, _ in ours.failed}
    states = [plain(boot(fodder_entries(*texts[: count + 1])).root) for count in range(len(texts))]
    for drop in ours.dropped:
        data = json.loads(texts[drop.loser])
        assert drop.loser not in failed
        for path in opened(drop.paths):
            assert drop.winner == winner(states, drop.loser, f".{path}", data), (texts, drop)


def test_no_part_of_thousands_is_compared_with_all_others() -> None:
    many = [
        fodder(f"runcmd: [c{number}]\nntp: {{servers: [s{number}]}}") for number in range(3_000)
    ]
    assert grows_evenly(lambda count: boot(many[:count]), 300)
    found = boot(many)
    assert [drop.winner for drop in found.dropped[:4]] == [1, 1, 2, 2]
    assert len(found.dropped) == 2 * 2_999


class TestAgainstCloudInit:
    pytestmark = cloud_init

    @settings(max_examples=12, **BOUNDED)
    @given(st.lists(st.lists(parts(), min_size=1, max_size=4), min_size=60, max_size=60))
    def test_the_list_is_what_is_dropped(self, cases: list[list[str]]) -> None:
        for texts, answer in zip(cases, real(cases), strict=True):
            ours = boot(fodder_entries(*texts))
            assert plain(ours.root) == answer["root"], texts
            assert [number for number, _ in ours.failed] == answer["failed"], texts
            told = {
                (drop.loser, path)
                for drop in ours.dropped
                for path in opened(drop.paths)
                if drop.key != "merge_type"
            }
            assert told == all_lost(texts, answer), texts
            for drop in ours.dropped:
                assert drop.winner not in answer["failed"]

    @settings(max_examples=4, **BOUNDED)
    @given(st.lists(st.lists(parts(), min_size=1, max_size=3), min_size=60, max_size=60))
    def test_merge_how_is_laid_the_same_in_the_merged_part(self, cases: list[list[str]]) -> None:
        """With a strategy in every part the merged part is the guest's own result."""
        told = [[with_strategy(text) for text in texts] for texts in cases]
        answers = real([*told, *[[written(texts)] for texts in told]])
        for texts, answer, again in zip(
            told, answers[: len(told)], answers[len(told) :], strict=True
        ):
            outcome = merge(fodder_entries(*texts))
            if outcome.value is None:
                assert answer["failed"], texts
            elif not answer["failed"]:
                # Beside a `merge_how` cloud-init leaves the other spelling behind as a key.
                answer["root"].pop("merge_type", None)
                assert plain(outcome.value.root) == answer["root"], texts
                assert again["root"] == answer["root"], texts

    def test_the_table_of_the_guests(self) -> None:
        how = "merge_how: list(append)+dict(no_replace,recurse_list)+str()\n"
        for texts in ([A, B], [A, how + B], [A, how + B, B]):
            (answer,) = real([texts])
            assert plain(boot(fodder_entries(*texts)).root) == answer["root"]


def with_strategy(text: str) -> str:
    if "merge_" in text or not text.startswith("{"):
        return text
    return json.dumps({**json.loads(text), "merge_how": "dict(recurse_list)+list(append)"})


def written(texts: list[str]) -> str:
    outcome = merge(fodder_entries(*texts))
    return "{}" if outcome.value is None else write(outcome.value.root).text
