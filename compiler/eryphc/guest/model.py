"""What may be asked of a guest's configuration, and the request that decides it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from eryphc.diagnostics.model import Level
from eryphc.frozen import NamedTuple
from eryphc.ir.catlet import Fodder
from eryphc.origin import DEFAULTED, Origin, Step, placeless
from eryphc.source import SourceText, Span

INVENTED: Final = placeless(Step.INVENTED)
GIVEN: Final = placeless(Step.GIVEN)


class GuestKind(StrEnum):
    LINUX = "linux"
    WINDOWS = "windows"


class GuestAgent(StrEnum):
    """The program in the guest that reads user-data. The last two apply none of it."""

    CLOUD_INIT = "cloud-init"
    CLOUDBASE_INIT = "cloudbase-init"
    EGS = "egs"
    NUAGEINIT = "nuageinit"
    AZURE_INIT = "azure-init"
    NONE = "none"


class AgentFrom(StrEnum):
    """Who said which agent a guest has; `assumed`: nobody did."""

    OPTION = "option"
    PROJECT = "project"
    METADATA = "metadata"
    ASSUMED = "assumed"


_OTHERS: Final = {
    GuestAgent.CLOUDBASE_INIT: GuestAgent.EGS,
    GuestAgent.EGS: GuestAgent.CLOUDBASE_INIT,
    GuestAgent.NUAGEINIT: GuestAgent.CLOUD_INIT,
}


class Reader(NamedTuple):
    """The agent that reads what is built. `version` None: the one that the rules know."""

    word: GuestAgent
    origin: AgentFrom
    version: str | None = None

    @property
    def stated(self) -> bool:
        return self.origin is not AgentFrom.ASSUMED

    @property
    def other(self) -> GuestAgent | None:
        """The agent that may read it as well, because the other one is only assumed."""
        return None if self.stated else _OTHERS.get(self.word)

    def may_be(self, agent: GuestAgent) -> bool:
        return agent in (self.word, self.other)

    def only(self, agent: GuestAgent) -> bool:
        return self.word is agent and self.other is None

    @property
    def after_0_5_0(self) -> bool:
        """Whether the version that was stated of eryph's guest services is above 0.5.0."""
        numbers = re.match(r"v?(\d+)\.(\d+)(?:\.(\d+))?", self.version or "")
        return numbers is not None and tuple(int(n or 0) for n in numbers.groups()) > (0, 5, 0)

    def level(self, agent: GuestAgent, stated: Level, assumed: Level = Level.NOTE) -> Level | None:
        """What a finding about `agent` alone counts as; None where it cannot be the reader."""
        if not self.may_be(agent):
            return None
        return stated if self.stated else assumed


class MergeMode(StrEnum):
    """How the cloud-configs reach a Linux guest: merged into one part, or one part each."""

    MERGED = "merged"
    PARTS = "parts"


class NetworkConfigMode(StrEnum):
    """Which adapters the network-config names: those with a given address, or all."""

    GIVEN = "given"
    ALWAYS = "always"
    NEVER = "never"


class Adapter(NamedTuple):
    """One network adapter; `given` tells an address of the catlet from an invented one.

    `place` is where the adapter (or its address) was written, None if no document has it.
    `origin` is that of the address.
    """

    name: str
    mac_address: str
    given: bool
    place: Span | None = None
    origin: Origin = INVENTED


class GuestRequest(NamedTuple):
    """All that decides what a guest reads.

    `fodder_entries` are substituted and in order. `instance_id` None means: from the content.
    `network_file` is the user's own network-config. `hostname_span` is where the name was
    written, None if no document has it. `hostname_origin` and `instance_id_origin` are the
    origins of the values. `agent` None: the one that its kind of guest always had, as if it was
    stated.
    """

    fodder_entries: tuple[Fodder, ...]
    guest: GuestKind
    hostname: str
    instance_id: str | None
    adapters: tuple[Adapter, ...] = ()
    merge: MergeMode = MergeMode.MERGED
    network: NetworkConfigMode = NetworkConfigMode.GIVEN
    network_version: int | None = None
    network_file: SourceText | None = None
    slots: tuple[str, ...] = ()
    hostname_span: Span | None = None
    hostname_origin: Origin = DEFAULTED
    instance_id_origin: Origin = INVENTED
    agent: Reader | None = None

    @property
    def reader(self) -> Reader:
        if self.agent is not None:
            return self.agent
        is_windows = self.guest is GuestKind.WINDOWS
        word = GuestAgent.CLOUDBASE_INIT if is_windows else GuestAgent.CLOUD_INIT
        return Reader(word, AgentFrom.OPTION)


class GuestOptions(NamedTuple):
    """`kind` None: the gene sets of the pedigree say it. `instance_id` None: the catlet id;
    `content`: derived from what the guest reads; else the id itself. `network_file` is the user's
    own network-config. `sealed`: also what a machine may keep once it has been configured,
    without secret fodder. `agent` is the program in the guest that reads user-data, `WORD` or
    `WORD@VERSION`; None: the project, the gene sets or the kind of guest say it.
    """

    kind: GuestKind | None = None
    merge: MergeMode = MergeMode.MERGED
    network: NetworkConfigMode = NetworkConfigMode.GIVEN
    network_version: int | None = None
    network_file: SourceText | None = None
    instance_id: str | None = None
    sealed: bool = False
    agent: str | None = None
