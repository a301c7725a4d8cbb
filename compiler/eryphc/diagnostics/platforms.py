"""E15xx: what the platform that a machine goes to does with what the guest shall read."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from eryphc.diagnostics.cloudconfig_lint import DEFAULT_USER_MISSING
from eryphc.diagnostics.model import Code, Diagnostic, Label, Level, finding, wording
from eryphc.diagnostics.said import Own, Words
from eryphc.diagnostics.words import clipped, did_you_mean, listed
from eryphc.source import Span

USER_DATA_BUDGET = Code("E1501", "user-data-budget", soft=True)
TARGET_LOSS = Code("W1502", "target-loss")
SECRET_IN_USER_DATA = Code("W1503", "secret-in-user-data")
EXTERNAL_REQUEST = Code("E1504", "external-request")
EXTERNAL_SECRET = Code("E1505", "external-secret")
AGENT_IGNORES = Code("E1506", "agent-ignores-user-data")
AGENT_OF_ANOTHER_GUEST = Code("E1507", "agent-of-another-guest")


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
    *,
    in_base64: bool,
) -> Diagnostic:
    """`counted` is how much of `limit` user-data takes up in its `form`; `forms` and `largest`
    have sizes in bytes."""
    what = "user-data in base64" if in_base64 else "user-data"
    if level is Level.NOTE:
        message = (
            f"{what} takes {counted:,} of the {limit:,} bytes of {title}, in the form `{form}`"
        )
    else:
        message = f"{what} takes {counted:,} bytes, and {title} has {limit:,} for it"
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
def target_loss(
    path: Words, target: Own, loss: Words, level: Level, span: Span | None
) -> Diagnostic:
    """`path` is what was asked for, `loss` what becomes of it."""
    message = f"`{path}` is lost with the target `{target}`: {loss}"
    return finding(TARGET_LOSS, message, span)._replace(level=level)


@wording
def secret_in_user_data(
    title: Own, entries: Sequence[Words], span: Span | None, *, kept: bool = False
) -> Diagnostic:
    """`kept`: only the administrator can read them, in files that stay."""
    names = ", ".join(f"`{name}`" for name in entries)
    message = f"on {title}, every process of the machine can read the secrets of {names}"
    note = "user-data stays readable as long as the machine exists"
    if kept:
        message = f"on {title}, the secrets of {names} stay in files of the machine"
        note = "the platform hands them to the guest, which keeps them for its administrator"
    return finding(
        SECRET_IN_USER_DATA,
        message,
        span,
        notes=(note,),
        help="let a script of the machine fetch the secret from a secret store, with the identity "
        "that the platform gives the machine",
    )


def external_no_request(reason: str) -> Diagnostic:
    return finding(
        EXTERNAL_REQUEST,
        f"standard input holds no request: {reason}",
        notes=('a request is one JSON object, such as `{"spec": "web.yaml"}`',),
    )


def external_no_spec() -> Diagnostic:
    message = "the request has no `spec`, which names the specification"
    return finding(EXTERNAL_REQUEST, message)


def external_spec_is_input() -> Diagnostic:
    message = "`spec` of the request is `-`, and standard input holds the request itself"
    return finding(EXTERNAL_REQUEST, message, help="name a file, or a folder with `catlet.yaml`")


def external_unknown_key(key: str, known: Collection[str]) -> Diagnostic:
    shown = clipped(key)
    return finding(
        EXTERNAL_REQUEST,
        f"`{shown}` is no key of a request",
        notes=(f"its keys are {listed(known)}",),
        help=did_you_mean(shown, known),
    )


def external_key_twice(key: str) -> Diagnostic:
    return finding(EXTERNAL_REQUEST, f"the request has `{clipped(key)}` twice")


def external_no_text(key: str, kind: str) -> Diagnostic:
    message = f"`{clipped(key)}` of the request is {kind}, and its values are texts"
    return finding(EXTERNAL_REQUEST, message, help="write the value between quotation marks")


def external_unknown_word(key: str, word: str, known: Collection[str]) -> Diagnostic:
    shown = clipped(word)
    return finding(
        EXTERNAL_REQUEST,
        f"`{key}` of the request is `{shown}`, and is to be one of {listed(known)}",
        help=did_you_mean(shown, known),
    )


@wording
def external_secret(catlet: Words, entries: Sequence[Words]) -> Diagnostic:
    names = ", ".join(f"`{name}`" for name in entries)
    return finding(
        EXTERNAL_SECRET,
        f"the user-data of `{catlet}` holds secrets, "
        "and the result of a data source lies in the state in clear",
        notes=(f"the secret fodder entries are {names}",) if names else (),
        help='let a script of the machine fetch the secret, or say `"allow_secrets": "true"`',
    )


@wording
def agent_ignores_user_data(agent: Own, span: Span | None) -> Diagnostic:
    reads = "nothing in the guest reads user-data"
    if agent != "none":
        reads = f"`{agent}` makes the administrator and reads no user-data"
    return finding(
        AGENT_IGNORES,
        f"{reads}, so no fodder is applied",
        span,
        help="use an image with cloud-init, or with eryph's guest services for Windows",
    )


@wording
def agent_of_another_guest(agent: Own, guest: Own) -> Diagnostic:
    return finding(
        AGENT_OF_ANOTHER_GUEST,
        f"`{agent}` does not run in a {guest} guest",
        help="leave `--guest-agent` out, or say `--guest`",
    )


@wording
def locked_out(
    title: Own, place: Label | None, related: tuple[Label, ...], level: Level
) -> Diagnostic:
    """Nobody can log in: the platform's administrator is the default user, which is not made."""
    return finding(
        DEFAULT_USER_MISSING,
        f"cloud-init makes no default user, which gets the key of {title}: `users` lacks `default`",
        None if place is None else place.span,
        notes=("no other user can log in either, so nobody reaches the machine",),
        help="add `- default` to `users`, or a user with `ssh_authorized_keys`",
        related=related,
    )._replace(level=level)
