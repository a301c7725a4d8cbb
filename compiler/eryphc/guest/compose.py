"""From a request to the document of a guest.

Source: docs/reference/guest-configuration.md, "user-data", "meta-data", "network-config".
"""

from __future__ import annotations

from collections.abc import Sequence

from eryphc.diagnostics.model import Diagnostic, Level, Outcome, is_blocked
from eryphc.guest.cloudconfig.reader import TextReader
from eryphc.guest.document import GuestDocument, NetworkConfig, UserDataPart
from eryphc.guest.encode import content_instance_id, user_data
from eryphc.guest.encode import network_config as encoded_network
from eryphc.guest.hostname_lint import check_hostname
from eryphc.guest.model import GuestAgent, GuestKind, GuestRequest
from eryphc.guest.network import network_config
from eryphc.guest.pieces import Piece, piece_of
from eryphc.ir.content import Substituted


def compose(request: GuestRequest, reader: TextReader | None = None) -> Outcome[GuestDocument]:
    """What a guest reads, and findings on what it would lose or do differently.

    `reader` is that of the session. Without an instance id in the request, the id comes from the
    content of the document. The value is None if the guest would lose something of the catlet.
    """
    return _composed(request, range(len(request.fodder_entries)), reader or TextReader())


def sealed(
    request: GuestRequest, whole: GuestDocument, reader: TextReader | None = None
) -> Outcome[GuestDocument]:
    """`whole`, composed without secret fodder, for a machine that has been configured already.

    It has the same instance id, so that nothing runs a second time. Only errors are reported:
    composing `whole` has reported the rest.
    """
    outcome = _composed(
        request._replace(instance_id=whole.instance_id),
        [number for number, fodder in enumerate(request.fodder_entries) if not fodder.secret],
        reader or TextReader(),
    )
    errors = (found for found in outcome.diagnostics if found.level is Level.ERROR)
    return Outcome(outcome.value, tuple(errors))


def _composed(
    request: GuestRequest, entries: Sequence[int], reader: TextReader
) -> Outcome[GuestDocument]:
    """The document of the fodder at the positions `entries`."""
    pieces = [piece_of(request.fodder_entries[entry], entry, reader) for entry in entries]
    parts = _parts(request, pieces)
    found: list[Diagnostic] = [*_values(pieces, request), *parts.diagnostics]
    found += check_hostname(request)
    network, network_found = network_config(request, reader)
    found += network_found
    if parts.value is None or is_blocked(found):
        return Outcome(None, tuple(found))
    document = GuestDocument(
        guest=request.guest,
        hostname=request.hostname,
        hostname_origin=request.hostname_origin,
        instance_id_origin=request.instance_id_origin,
        instance_id=_instance_id(request, parts.value, network),
        parts=parts.value,
        network=network,
        fodder=request.fodder_entries,
        slots=request.slots,
    )
    return Outcome(document, tuple(found))


def _values(pieces: Sequence[Piece], request: GuestRequest) -> Sequence[Diagnostic]:
    """What is found of the values in the texts; most texts have none."""
    if not any(isinstance(piece.content.origin, Substituted) for piece in pieces):
        return ()
    from eryphc.guest.values.lint import lint

    return lint(pieces, request.guest, request.reader)


def _instance_id(
    request: GuestRequest, parts: tuple[UserDataPart, ...], network: NetworkConfig | None
) -> str:
    if request.instance_id is not None:
        return request.instance_id
    return content_instance_id(
        user_data(parts, request.slots).data,
        None if network is None else encoded_network(network),
        request.hostname,
    )


def _parts(request: GuestRequest, pieces: Sequence[Piece]) -> Outcome[tuple[UserDataPart, ...]]:
    match request.guest:
        case GuestKind.LINUX:
            if request.reader.word is GuestAgent.NUAGEINIT:
                from eryphc.guest.freebsd import freebsd_parts

                return freebsd_parts(request, pieces)
            from eryphc.guest.parts import linux_parts

            return linux_parts(request, pieces)
        case GuestKind.WINDOWS:
            from eryphc.guest.windows import windows_parts

            return windows_parts(request, pieces)
