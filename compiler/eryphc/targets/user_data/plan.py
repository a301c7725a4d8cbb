"""The plan of the `user-data` target: every decision about its files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from eryphc.diagnostics import platforms as wording
from eryphc.diagnostics.cloudconfig_lint import DEFAULT_USER_MISSING
from eryphc.diagnostics.model import Diagnostic, Level, Outcome
from eryphc.diagnostics.said import Own
from eryphc.frozen import NamedTuple
from eryphc.guest.compose import compose
from eryphc.guest.pieces import said_entry
from eryphc.guest.platforms import (
    BY_NAME,
    GENERIC,
    PLATFORMS,
    Payload,
    budget,
    encodings,
    payload,
    sizes,
)
from eryphc.lint.engine import Rule, judge
from eryphc.targets import login, shared_rules
from eryphc.targets.user_data.losses import LOSSES

if TYPE_CHECKING:
    from eryphc.diagnostics.losses import Loss
    from eryphc.targets.definition import TargetInput
    from eryphc.targets.user_data.options import UserDataOptions


class UserDataPlan(NamedTuple):
    """User-data in the form of its platform.

    Where no platform was chosen, `fits` are the platforms that would take it, each with the form
    that it would get. `losses` is what does not travel.
    """

    payload: Payload
    secret: bool
    fits: tuple[tuple[str, str], ...] = ()
    losses: tuple[Loss, ...] = ()

    def __repr__(self) -> str:
        return f"UserDataPlan({self.payload.platform.name!r}, {self.payload.form.value!r})"


def plan(inputs: TargetInput[UserDataOptions]) -> Outcome[UserDataPlan]:
    """Compose what the guest reads, and choose its form.

    Reports what `compose` does, N0610, E1501, W1502 and W1503.
    """
    composed = compose(inputs.request, inputs.reader)
    rules = (*shared_rules.RULES, *RULES)
    found = [*composed.diagnostics, *judge(rules, inputs)]
    document = composed.value
    if document is None:
        return Outcome(None, tuple(found))
    platform = BY_NAME[inputs.options.platform]
    if platform is not GENERIC:
        locked_out = judge(login.RULES, login.Login(document, Own(platform.title), Level.WARNING))
        if locked_out:
            found = [each for each in found if each.code != DEFAULT_USER_MISSING]
        found += locked_out
    forms = encodings(document)
    made = payload(document, forms, platform, inputs.request.reader)
    found += LOSSES.findings(inputs)
    found += budget(made, inputs.catlet.catlet.at("fodder"))
    fits: list[tuple[str, str]] = []
    if platform is GENERIC:
        others = [payload(document, forms, each) for each in PLATFORMS if each is not GENERIC]
        fits = [(each.platform.name, each.form.value) for each in others if each.fits]
    planned = UserDataPlan(made, document.secret, tuple(fits), inputs.losses)
    return Outcome(planned, tuple(found))


def details(made: UserDataPlan) -> Iterator[str]:
    """The sizes of user-data: its forms, and the fodder entries with the most text."""
    yield from sizes(made.payload)


def _readable_secrets(inputs: TargetInput[UserDataOptions]) -> Iterator[Diagnostic]:
    """The warning of secrets that do not stay secret in the machine."""
    platform = BY_NAME[inputs.options.platform]
    secret = [entry for entry in inputs.request.fodder_entries if entry.secret]
    if secret and platform.readable:
        names = tuple(map(said_entry, secret))
        place = secret[0].place("name") or secret[0].at()
        yield wording.secret_in_user_data(Own(platform.title), names, place)


RULES: Final[tuple[Rule[TargetInput[UserDataOptions]], ...]] = (
    Rule(wording.SECRET_IN_USER_DATA, _readable_secrets),
)
