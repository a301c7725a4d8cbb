"""Which kinds of findings were looked for in a catlet that a target was planned for."""

from __future__ import annotations

from eryphc.diagnostics.codes import KINDS
from eryphc.guest.model import GuestRequest
from eryphc.guest.ruling import guest_kinds
from eryphc.lint.engine import kinds
from eryphc.targets import Target
from eryphc.targets.definition import definition_of

# Reading, rules, pools, inheriting and feeding: no target changes what is looked for there.
_AREAS_OF_LANGUAGE = ("01", "02", "03", "04")


def kinds_judged(target: Target, request: GuestRequest) -> frozenset[str]:
    """The numbers of these kinds; `request` is what the target has asked of the guest."""
    of_language = (kind.number for kind in KINDS if kind.number[1:3] in _AREAS_OF_LANGUAGE)
    own = kinds(*definition_of(target).backend().declared)
    return guest_kinds(request).union(own, of_language)
