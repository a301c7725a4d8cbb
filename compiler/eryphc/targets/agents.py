"""Rules of the program in the guest that was named: does it read what this machine gets?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from eryphc.diagnostics import platforms
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import Own
from eryphc.guest.model import GuestAgent, GuestKind
from eryphc.lint.engine import Rule
from eryphc.targets.definition import TargetInput

_OF_KIND: Final = {
    GuestAgent.CLOUD_INIT: GuestKind.LINUX,
    GuestAgent.CLOUDBASE_INIT: GuestKind.WINDOWS,
    GuestAgent.EGS: GuestKind.WINDOWS,
}


def _agents(inputs: TargetInput[Any]) -> Iterator[Diagnostic]:
    """What the agent that was named does not read."""
    word = inputs.options.guest_agent
    if word is None:
        return
    agent = GuestAgent(word)
    kind = _OF_KIND.get(agent)
    if kind is not None and kind is not inputs.request.guest:
        yield platforms.agent_of_another_guest(Own(agent.value), Own(inputs.request.guest.value))
    elif kind is None:
        yield from ignored(inputs, agent)


def ignored(inputs: TargetInput[Any], agent: GuestAgent) -> Iterator[Diagnostic]:
    """The error of fodder that `agent` does not apply."""
    if inputs.request.fodder_entries:
        fodder = inputs.request.fodder_entries[0]
        at = inputs.catlet.catlet.at("fodder") or fodder.at("name")
        yield platforms.agent_ignores_user_data(Own(agent.value), at)


RULES: Final[tuple[Rule[TargetInput[Any]], ...]] = (
    Rule(platforms.AGENT_IGNORES, _agents, (platforms.AGENT_OF_ANOTHER_GUEST,)),
)
"""For targets with the option `--guest-agent`."""
