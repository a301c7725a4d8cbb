"""From faults of a text to diagnostics in the author's document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from eryphc.diagnostics import cloudconfig as wording
from eryphc.diagnostics import reading
from eryphc.diagnostics.model import Diagnostic, Label, Level, trail
from eryphc.diagnostics.said import Said
from eryphc.guest.cloudconfig.provenance import content_label, fodder_said
from eryphc.guest.cloudconfig.saying import key_said
from eryphc.guest.cloudconfig.tree import Fault, FaultKind
from eryphc.ir.catlet import Fodder

KINDS: Final = (
    wording.UNREADABLE,
    wording.NOT_A_MAP,
    wording.VALUE_UNREADABLE,
    wording.EXPANDS_TOO_FAR,
    wording.DUPLICATE_KEY,
)
# A Windows guest loses nothing by an empty text.
LINUX_KINDS: Final = (*KINDS, wording.EMPTY)


def report(
    fodder: Fodder, faults: Iterable[Fault], level: Level, *, is_archive: bool = False
) -> list[Diagnostic]:
    """One diagnostic a fault; `level` is that of a fault that loses the part."""
    return [_report(fodder, fault, level, is_archive=is_archive) for fault in faults]


def _report(fodder: Fodder, fault: Fault, level: Level, *, is_archive: bool) -> Diagnostic:
    name = fodder_said(fodder)
    place = content_label(fodder, fault.start, fault.end)
    chain = trail(fodder.text_origin)
    match fault.kind:
        case FaultKind.UNREADABLE:
            related = chain
            is_limit = False
            if fault.inner is not None:
                is_limit = fault.inner.code in reading.LIMITS
                related += tuple(
                    content_label(
                        fodder,
                        label.span.start + fault.shift,
                        label.span.end + fault.shift,
                        label.message,
                    )
                    for label in fault.inner.related
                )
            return wording.unreadable(
                name,
                fault.problem,
                place,
                level,
                related,
                is_limit=is_limit,
                is_archive=is_archive,
            )
        case FaultKind.NOT_A_MAPPING:
            return wording.not_a_map(name, fault.words, place, level, chain)
        case FaultKind.VALUE:
            return wording.value_unreadable(name, fault.words, place, level, chain)
        case FaultKind.EXPANDED:
            return wording.expands_too_far(name, fault.words, place, level, chain)
        case FaultKind.DUPLICATE_KEY:
            first: tuple[Label, ...] = ()
            if fault.first is not None:
                first = (content_label(fodder, *fault.first, "it stands here first"),)
            key = fault.words.words if isinstance(fault.words, Said) else fault.words
            return wording.duplicate_key(
                name, key_said(key, place.span, secret=bool(fodder.secret)), place, chain + first
            )
        case FaultKind.EMPTY:
            return wording.empty(name, place, chain)
