"""Which kinds of findings were looked for in a catlet that a target was planned for."""

from __future__ import annotations

from eryphc.diagnostics.codes import KINDS
from eryphc.guest.model import GuestRequest
from eryphc.guest.ruling import guest_kinds
from eryphc.targets import Target
from eryphc.targets.definition import definition_of

# Areas of codes: reading, rules, pools, inheriting and feeding.
_OF_LANGUAGE = frozenset(("01", "02", "03", "04"))


def kinds_judged(target: Target, request: GuestRequest) -> frozenset[str]:
    """The numbers of these kinds; `request` is what the target has asked of the guest."""
    areas = _OF_LANGUAGE | {definition_of(target).area}
    return guest_kinds(request).union(kind.number for kind in KINDS if kind.number[1:3] in areas)
