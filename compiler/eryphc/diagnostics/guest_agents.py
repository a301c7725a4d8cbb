"""What single agents of guests make of their configuration: eryph's guest services, nuageinit.

The level of a finding depends on whether the agent was stated, so each function takes it.
Source: docs/reference/guest-agents.md.
"""

from __future__ import annotations

from eryphc.diagnostics.model import Code, Diagnostic, Label, Level, finding, wording
from eryphc.diagnostics.said import Own, Words
from eryphc.source import Span

NUAGEINIT_FORM = Code("E0591", "nuageinit-form")
EGS_SHAPE_REFUSED = Code("E0592", "egs-shape-refused")


@wording
def nuageinit_form(
    what: Words,
    lost: Own,
    level: Level,
    span: Span | None,
    related: tuple[Label, ...] = (),
) -> Diagnostic:
    return finding(
        NUAGEINIT_FORM,
        f"nuageinit of a FreeBSD guest takes one plain cloud-config, and {what}",
        span,
        lost,
        related=related,
        help="say `--guest-agent cloud-init` if the image has the port of cloud-init",
    )._replace(level=level)


@wording
def egs_shape_refused(
    fodder: Words,
    key: Words,
    wanted: Own,
    level: Level,
    place: Label | None,
    related: tuple[Label, ...],
) -> Diagnostic:
    """`key` is empty where the text as a whole is refused."""
    what = f"`{key}` of `{fodder}`" if key else f"the text of `{fodder}`"
    return finding(
        EGS_SHAPE_REFUSED,
        f"eryph's guest services refuse {what} and then apply nothing of the user-data",
        None if place is None else place.span,
        f"expected {wanted}",
        related=related,
        notes=("no other part is carried out either, and each boot tries again",),
    )._replace(level=level)
