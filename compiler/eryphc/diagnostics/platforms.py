"""E15xx: what the platform that a machine goes to does with what the guest shall read."""

from __future__ import annotations

from collections.abc import Sequence

from eryphc.diagnostics.model import Code, Diagnostic, Level, finding, wording
from eryphc.diagnostics.said import Own, Words
from eryphc.source import Span

USER_DATA_BUDGET = Code("E1501", "user-data-budget", soft=True)
SECRET_IN_USER_DATA = Code("W1503", "secret-in-user-data")


@wording
def user_data_budget(
    title: Own,
    form: Own,
    counted: int,
    limit: int,
    forms: Sequence[tuple[Own, int]],
    largest: Sequence[tuple[Words, int]],
    level: Level,
    span: Span | None,
) -> Diagnostic:
    """`counted` is how much of `limit` user-data takes up in its `form`; `forms` and `largest`
    have sizes in bytes."""
    if level is Level.NOTE:
        message = (
            f"user-data takes {counted:,} of the {limit:,} bytes of {title}, in the form `{form}`"
        )
    else:
        message = f"user-data takes {counted:,} bytes, and {title} has {limit:,} for it"
    sizes = ", ".join(f"`{name}` {size:,}" for name, size in forms)
    entries = ", ".join(f"`{name}` {size:,}" for name, size in largest)
    return finding(
        USER_DATA_BUDGET,
        message,
        span,
        notes=(f"in bytes, its forms are {sizes}", f"its largest fodder entries are {entries}"),
        help=None
        if level is Level.NOTE
        else "put large files into an image or a data disk, or behind an `#include` of a URL",
    )._replace(level=level)


@wording
def secret_in_user_data(title: Own, entries: Sequence[Words], span: Span | None) -> Diagnostic:
    names = ", ".join(f"`{name}`" for name in entries)
    return finding(
        SECRET_IN_USER_DATA,
        f"on {title}, every process of the machine can read the secrets of {names}",
        span,
        notes=("user-data stays readable as long as the machine exists",),
        help="let a script of the machine fetch the secret from a secret store",
    )
