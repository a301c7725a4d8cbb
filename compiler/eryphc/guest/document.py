"""The typed guest document: all that a guest reads, before any target encodes it."""

from __future__ import annotations

from typing import Final, TypeAlias

from eryphc.diagnostics.model import Diagnostic
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import MappingNode, Node
from eryphc.guest.cloudconfig.provenance import Provenance
from eryphc.guest.cloudconfig.tree import Reading
from eryphc.guest.model import INVENTED, Adapter, GuestKind, GuestRequest, NetworkConfigMode
from eryphc.guest.pieces import Piece, marker_line, with_marker
from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content
from eryphc.origin import DEFAULTED, Origin
from eryphc.source import SourceText


class ConfigTree(NamedTuple):
    """A cloud-config as data. The encoder writes its text."""

    root: MappingNode
    provenance: Provenance

    def __repr__(self) -> str:
        # What is printed ends in logs.
        return f"ConfigTree({len(self.root.entries)} keys)"


class KeptText(NamedTuple):
    """A text as its author wrote it, made fit for the guest.

    `content` is the author's text and knows its places. Its lines are those of `text`, except for
    the line number `added`, which the compiler added. `reading` is the data of a cloud-config, also
    of one that is a template.
    """

    text: str
    content: Content
    added: int | None = None
    reading: Reading | None = None

    def __repr__(self) -> str:
        return f"KeptText({len(self.text)} characters)"


def kept_config(piece: Piece) -> KeptText:
    """A cloud-config that reaches the guest as its author wrote it, with its marker."""
    text = piece.text
    return KeptText(with_marker(text), piece.content, marker_line(text), piece.reading)


class UserDataPart(NamedTuple):
    """One part of user-data.

    `entries` are the fodder entries it was made of, by their position in the request. It is
    `secret` when any of them is.
    """

    name: str
    media_type: str
    body: ConfigTree | KeptText
    entries: tuple[int, ...]
    secret: bool = False
    headers: tuple[tuple[str, str], ...] = ()


class AdapterNetwork(NamedTuple):
    """A network configuration in which each adapter asks DHCP, known by its address."""

    version: int
    adapters: tuple[Adapter, ...]


class NetworkFile(NamedTuple):
    """The user's own network configuration.

    `root` is its data. `added` are the nodes that are not in the file, each with the adapter whose
    address it adds. If there are any, the compiler writes the file anew.
    """

    source: SourceText
    root: MappingNode
    added: tuple[tuple[Node, Adapter], ...] = ()

    def __repr__(self) -> str:
        return f"NetworkFile({self.source!r})"


NetworkConfig: TypeAlias = AdapterNetwork | NetworkFile


class GuestDocument(NamedTuple):
    """What one guest reads.

    `fodder` is that of the request, which the parts name by position. `slots` are the stand-ins
    that stand in texts for values that only the deployment knows.
    """

    guest: GuestKind
    hostname: str
    instance_id: str
    parts: tuple[UserDataPart, ...]
    network: NetworkConfig | None
    fodder: tuple[Fodder, ...]
    slots: tuple[str, ...] = ()
    hostname_origin: Origin = DEFAULTED
    instance_id_origin: Origin = INVENTED

    @property
    def secret(self) -> bool:
        return any(part.secret for part in self.parts)

    def __repr__(self) -> str:
        return f"GuestDocument({self.hostname!r}, {len(self.parts)} parts)"


Network = tuple[NetworkConfig | None, tuple[Diagnostic, ...]]
"""The configuration and findings on it; None where the guest shall ask DHCP by itself."""

LONGEST_NAME: Final = 15
"""Bytes of an adapter's name in a Linux kernel (IFNAMSIZ without its end)."""

OLD_WINDOWS: Final = (
    "version 2 of the network-config is not read by cloudbase-init up to its release 1.1.4"
)


def known_adapters(request: GuestRequest) -> tuple[Adapter, ...]:
    """The adapters that will have the address they have here."""
    match request.network:
        case NetworkConfigMode.ALWAYS:
            return request.adapters
        case NetworkConfigMode.GIVEN:
            return tuple(adapter for adapter in request.adapters if adapter.given)
        case NetworkConfigMode.NEVER:
            return ()
