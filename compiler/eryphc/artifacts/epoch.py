"""The one time that outputs may hold: where it is taken from, and its limits.

The clock is never read. Source: docs/reference/reproducible-builds.md,
"The time inside artifacts".
"""

from __future__ import annotations

from eryphc.diagnostics.model import Outcome
from eryphc.diagnostics.output import epoch_malformed, epoch_out_of_range
from eryphc.frozen import NamedTuple
from eryphc.source import Span

DEFAULT_EPOCH = 315_532_800
"""1980-01-01: the first time that FAT and zip can hold."""

LAST_EPOCH = 5_869_583_999
"""The last second of 2155, where the dates of ISO 9660 end."""

EPOCH_VARIABLE = "SOURCE_DATE_EPOCH"

_DIGITS = frozenset("0123456789")
_LONGEST = 20


class EpochSource(NamedTuple):
    """One place that may give the time; `value` None: it says nothing."""

    name: str
    value: str | None
    span: Span | None = None


def resolve_epoch(
    *, option: str | None = None, project: EpochSource | None = None, environment: str | None = None
) -> Outcome[int]:
    """Seconds since 1970 UTC, from `--epoch`, the project, `SOURCE_DATE_EPOCH`, else 1980-01-01.

    Reports E0601 for what is no decimal number and E0602 for what lies outside 1980 to 2155.
    Only the first source that says something is looked at.
    """
    sources = (
        EpochSource(name="--epoch", value=option),
        project or EpochSource(name="epoch", value=None),
        EpochSource(name=EPOCH_VARIABLE, value=environment),
    )
    for source in sources:
        if source.value is not None:
            return _read(source, source.value)
    return Outcome(DEFAULT_EPOCH)


def _read(source: EpochSource, value: str) -> Outcome[int]:
    digits = value.removeprefix("-")
    if not digits or not _DIGITS.issuperset(digits):
        return Outcome(None, (epoch_malformed(source.name, value, source.span),))
    # The length first: Python refuses to read numbers of thousands of digits.
    if len(value) <= _LONGEST and DEFAULT_EPOCH <= int(value) <= LAST_EPOCH:
        return Outcome(int(value))
    fault = epoch_out_of_range(source.name, value, DEFAULT_EPOCH, LAST_EPOCH, source.span)
    return Outcome(None, (fault,))
