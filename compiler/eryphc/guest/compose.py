"""A request to the files of a NoCloud seed.

Source: cli.md ("The guest's configuration, for every target"), cloud-init.md 8.
"""

from __future__ import annotations

from eryphc.diagnostics.model import Diagnostic, Level, Outcome, is_blocked
from eryphc.guest.metadata import check_hostname, content_instance_id, meta_data
from eryphc.guest.mime import user_data
from eryphc.guest.model import GuestKind, GuestRequest, Part, Seed
from eryphc.guest.network import network_config


def compose(request: GuestRequest) -> Outcome[Seed]:
    """The seed of a guest, and what the guest would lose of it or do otherwise than written.

    Without an instance id in the request it comes from the content of this very seed. The value
    is None where something would be lost that the catlet says.
    """
    parts = _parts(request)
    found: list[Diagnostic] = [*parts.diagnostics, *check_hostname(request)]
    network, network_found = network_config(request)
    found += network_found
    if parts.value is None or is_blocked(found):
        return Outcome(None, tuple(found))
    return Outcome(_seed(request, parts.value, network), tuple(found))


def sealed(request: GuestRequest) -> Outcome[Seed]:
    """The same seed without secret foods, for a machine that has been configured already.

    It has the id of the unsealed seed, so that nothing runs a second time. Only errors are
    reported: the rest has been said of the unsealed seed.
    """
    instance_id = request.instance_id
    if instance_id is None:
        whole = compose(request)
        if whole.value is None:
            return Outcome(None, _errors(whole.diagnostics))
        instance_id = whole.value.instance_id
    public = request._replace(
        foods=tuple(food for food in request.foods if not food.secret),
        instance_id=instance_id,
    )
    outcome = compose(public)
    return Outcome(outcome.value, _errors(outcome.diagnostics))


def _errors(found: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    return tuple(diagnostic for diagnostic in found if diagnostic.level is Level.ERROR)


def _seed(request: GuestRequest, parts: tuple[Part, ...], network: bytes | None) -> Seed:
    data = user_data(parts)
    instance_id = request.instance_id
    if instance_id is None:
        instance_id = content_instance_id(data, network, request.hostname)
    return Seed(
        user_data=data,
        meta_data=meta_data(instance_id, request.hostname),
        network_config=network,
        instance_id=instance_id,
        parts=parts,
        secret=any(part.secret for part in parts),
    )


def _parts(request: GuestRequest) -> Outcome[tuple[Part, ...]]:
    match request.guest:
        case GuestKind.LINUX:
            from eryphc.guest.parts import linux_parts

            return linux_parts(request)
        case GuestKind.WINDOWS:
            from eryphc.guest.windows import windows_parts

            return windows_parts(request)
