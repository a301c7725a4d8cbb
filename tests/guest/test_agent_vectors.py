"""Small inputs that agents of Windows guests read in different ways, and what is said of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from eryphc.guest.model import AgentFrom, GuestAgent, GuestKind, Reader
from eryphc.ir.catlet import Fodder
from eryphc.source import SourceText
from guest import feeding
from guest.feeding import fodder

VECTORS: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("agent-vectors.yaml").read_text(encoding="utf-8")
)
AGENTS = {
    "egs": Reader(GuestAgent.EGS, AgentFrom.OPTION),
    "cbi": Reader(GuestAgent.CLOUDBASE_INIT, AgentFrom.OPTION),
    "assumed": Reader(GuestAgent.CLOUDBASE_INIT, AgentFrom.ASSUMED),
}


def entry(number: int, written: dict[str, str]) -> Fodder:
    name = f"f{number}"
    if "config" in written:
        return fodder(written["config"], "cloud-config", name)
    if "script" in written:
        return fodder(written["script"], "shellscript", name, filename=written.get("filename"))
    return fodder(written["text"], written["type"], name)


def found(vector: dict[str, Any], agent: Reader) -> list[str]:
    more: dict[str, Any] = {}
    if "hostname" in vector:
        more["hostname"] = vector["hostname"]
    if "network" in vector:
        more["network_file"] = SourceText("net.yaml", vector["network"])
    entries = [entry(*each) for each in enumerate(vector.get("fodder", ()))]
    return feeding.codes(*entries, guest=GuestKind.WINDOWS, agent=agent, **more)


@pytest.mark.parametrize("name", AGENTS)
@pytest.mark.parametrize(
    "vector", [pytest.param(each, id=each["id"]) for each in VECTORS if "not_built" not in each]
)
def test_what_is_said(vector: dict[str, Any], name: str) -> None:
    assert found(vector, AGENTS[name]) == vector[name]


def test_every_input_is_there_or_says_why_not() -> None:
    assert len(VECTORS) == len({each["id"] for each in VECTORS}) == 91
    assert all(each["not_built"] for each in VECTORS if "egs" not in each)


def test_where_the_agent_is_assumed_nothing_is_an_error_that_one_of_them_takes() -> None:
    """An error for one agent alone would refuse what the other one carries out."""
    for vector in VECTORS:
        if "not_built" in vector:
            continue
        errors = [code for code in found(vector, AGENTS["assumed"]) if code.startswith("E")]
        assert set(errors) <= set(vector["cbi"]) & set(vector["egs"]), vector["id"]
