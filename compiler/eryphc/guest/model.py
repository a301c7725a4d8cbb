"""What may be asked of a guest's configuration, and the request that decides it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

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
    AZURE_INIT = "azure-init"
    NONE = "none"


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
    origins of the values.
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


class GuestOptions(NamedTuple):
    """`kind` None: the gene sets of the pedigree say it. `instance_id` None: the catlet id;
    `content`: derived from what the guest reads; else the id itself. `network_file` is the user's
    own network-config. `sealed`: also what a machine may keep once it has been configured,
    without secret fodder.
    """

    kind: GuestKind | None = None
    merge: MergeMode = MergeMode.MERGED
    network: NetworkConfigMode = NetworkConfigMode.GIVEN
    network_version: int | None = None
    network_file: SourceText | None = None
    instance_id: str | None = None
    sealed: bool = False
