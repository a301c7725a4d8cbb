"""Names in their normal form, and defaults."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catlets import run, write_pool
from eryphc.ir.catlet import Catlet, Fodder, Network, Variable
from eryphc.passes.normalize import normalize, with_defaults


@pytest.mark.parametrize(
    ("networks", "expected"),
    [
        pytest.param("", ["default", "lan"], id="none written: default is added to the parent's"),
        pytest.param("networks: []\n", ["default", "lan"], id="an empty list is none written"),
        pytest.param("networks: [{name: dmz}]\n", ["dmz", "lan"], id="one written: no default"),
        pytest.param(
            "networks: [{name: default, mutation: remove}]\n", ["lan"], id="default declined"
        ),
    ],
)
def test_the_default_network(tmp_path: Path, networks: str, expected: list[str]) -> None:
    pool = write_pool(tmp_path, {"acme/base/1.0": {"catlet.yaml": "networks: [{name: lan}]\n"}})
    result = run(f"parent: acme/base/1.0\n{networks}", pool)
    assert [network.name for network in result.value.networks or ()] == expected


def test_adapters_that_clash_get_a_suggestion() -> None:
    spec = "networks:\n- {name: a, adapter_name: eth1}\n- name: b\n- name: c\n"
    result = run(spec, until="breed")
    found = result.only("E0407")
    assert found.message.startswith("the networks `a` and `b` use the same adapter `eth1`")
    assert found.help == "`adapter_name: eth0` is free"
    assert found.primary is not None
    assert found.primary.span.line == 3


def test_a_subnet_needs_a_name() -> None:
    result = run("networks:\n- name: a\n  subnet_v4:\n    ip_pool: p1\n", until="breed")
    assert result.errors() == [
        "E0408 spec.yaml:4: the subnet `subnet_v4` of the network `a` has no name"
    ]


names = st.from_regex(r"[A-Za-z][A-Za-z0-9]{2,9}", fullmatch=True)
catlets = st.builds(
    # Hypothesis fills every field of a tuple that is not named; here they stay as they are.
    lambda **said: Catlet(**said),
    name=st.none() | names,
    hostname=st.none() | names,
    store=st.none() | st.just(" ") | names,
    networks=st.none()
    | st.lists(
        names.map(lambda name: Network(name=name)),
        max_size=4,
        unique_by=lambda n: (n.name or "").lower(),
    ).map(tuple),
    variables=st.none()
    | st.lists(names.map(lambda name: Variable(name=name)), max_size=3).map(tuple),
    fodder=st.none() | st.lists(names.map(lambda name: Fodder(name=name)), max_size=3).map(tuple),
)


@settings(max_examples=60)
@given(catlets)
def test_normalizing_again_changes_nothing(catlet: Catlet) -> None:
    once = normalize(catlet).value
    assert once is not None
    again = normalize(once[0])
    assert again.value == once
    assert with_defaults(with_defaults(once[0])) == with_defaults(once[0])
