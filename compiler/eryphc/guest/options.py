"""The options of a guest's configuration, for all targets."""

from __future__ import annotations

from typing import NamedTuple

from eryphc.guest.model import GuestKind, MergeMode, NetworkConfigMode
from eryphc.source import SourceText


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
