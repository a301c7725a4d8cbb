"""E10xx: what registries answer, and what keeps them from being asked.

Words of a registry enter a message as a `Remark`, which is cleaned and cut.
"""

from __future__ import annotations

from collections.abc import Sequence

from eryphc.diagnostics.model import Code, Diagnostic, finding
from eryphc.diagnostics.words import cleaned, clipped, listed
from eryphc.frozen import NamedTuple

UNREACHABLE = Code("E1001", "registry-unreachable")
TOO_SLOW = Code("E1002", "registry-too-slow")
NOT_SIGNED_IN = Code("E1003", "not-signed-in")
NO_ACCESS = Code("E1004", "no-access")
REPOSITORY_MISSING = Code("E1005", "repository-missing")
FORM_REFUSED = Code("E1007", "form-refused")
TAG_IMMUTABLE = Code("E1008", "tag-immutable")
OVERTAKEN = Code("E1010", "overtaken")
RATE_LIMITED = Code("E1011", "rate-limited")
REGISTRY_POLICY = Code("E1012", "registry-policy")
TOO_LARGE = Code("E1013", "too-large")
NOT_A_REGISTRY = Code("E1014", "not-a-registry")
DIGEST_MISMATCH = Code("E1015", "digest-mismatch")
REDIRECT_REFUSED = Code("E1020", "redirect-refused")
CREDENTIALS_UNREADABLE = Code("W1021", "credentials-unreadable")
OFFLINE = Code("E1025", "offline")
WITHOUT_EMBEDDED_COPIES = Code("N1031", "without-embedded-copies")
REGISTRY_NOTICE = Code("N1037", "registry-notice")

ONE_REPOSITORY = (
    'put all gene sets into one repository: `repository: genes`, `tag: "{org}_{set}_{tag}"`'
)


class Place(NamedTuple):
    """Where a registry was asked: the name of the pool, the host, and the repository if one was."""

    pool: str
    host: str
    repository: str = ""

    @property
    def words(self) -> str:
        path = f"{self.host}/{self.repository}" if self.repository else self.host
        return f"`{clipped(path, 300)}` (pool `{clipped(self.pool)}`)"


class Remark(NamedTuple):
    """What a registry itself says of a fault: its code, its message and further detail."""

    code: str = ""
    message: str = ""
    detail: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """The remark as a note, with nothing that a terminal acts on; none where it is empty."""
        words = [cleaned(each) for each in (self.code, self.message, self.detail)]
        code, *rest = words
        said = " ".join(dict.fromkeys(each for each in rest if each))
        text = f"{code}: {said}" if code and said else code or said
        return (f"the registry says: {clipped(text, 400)}",) if text else ()


NO_REMARK = Remark()


def unreachable(
    place: Place, reason: str, help_text: str | None = None, remark: Remark = NO_REMARK
) -> Diagnostic:
    """`reason` continues "cannot be asked:"."""
    message = f"{place.words} cannot be asked: {reason}"
    return finding(UNREACHABLE, message, notes=remark.notes, help=help_text)


def too_slow(place: Place) -> Diagnostic:
    return finding(
        TOO_SLOW,
        f"{place.words} did not answer in the time that one operation may take",
        help="`--timeout SECONDS` allows more",
    )


def not_signed_in(
    place: Place, action: str, sources: Sequence[str], remark: Remark, help_text: str | None = None
) -> Diagnostic:
    """`action` continues "wants a login before it lets anybody"; `sources` were looked at."""
    looked = f"credentials were looked for in {listed(sources)}" if sources else ""
    login = " or ".join(
        f"`{program} login {place.host}`" for program in ("docker", "podman", "skopeo", "oras")
    )
    return finding(
        NOT_SIGNED_IN,
        f"{place.words} wants a login before it lets anybody {action}",
        notes=(*remark.notes, *((looked,) if looked else ())),
        help=help_text
        or f"{login}, or set `ERYPHC_REGISTRY_HOST`, `ERYPHC_REGISTRY_USER` and "
        "`ERYPHC_REGISTRY_PASSWORD`",
    )


def no_access(
    place: Place, action: str, source: str, remark: Remark, help_text: str | None = None
) -> Diagnostic:
    """`action` continues "may not"; `source` is where the credentials came from."""
    return finding(
        NO_ACCESS,
        f"the credentials of `{clipped(source, 300)}` may not {action} {place.words}",
        notes=remark.notes,
        help=help_text,
    )


def login_refused(place: Place, source: str, remark: Remark) -> Diagnostic:
    """The user or the password is wrong; `source` is where they came from."""
    return finding(
        NO_ACCESS,
        f"{place.words} does not accept the credentials of `{clipped(source, 300)}`",
        notes=remark.notes,
        help="look at user and password there; tokens expire",
    )


def repository_missing(place: Place, remark: Remark) -> Diagnostic:
    return finding(
        REPOSITORY_MISSING,
        f"{place.words} does not exist, and the registry does not make it by itself",
        notes=remark.notes,
        help=f"create it in the registry, or {ONE_REPOSITORY}",
    )


def form_refused(place: Place, remark: Remark) -> Diagnostic:
    return finding(
        FORM_REFUSED,
        f"{place.words} refuses the manifest: this registry takes no ordinary image",
        notes=remark.notes,
    )


def tag_immutable(place: Place, tag: str, remark: Remark) -> Diagnostic:
    return finding(
        TAG_IMMUTABLE,
        f"{place.words} does not let the tag `{clipped(tag)}` be replaced",
        notes=remark.notes,
        help="publish under a new tag; a tag that moves needs an exception in the registry's rule",
    )


def overtaken(place: Place, tag: str) -> Diagnostic:
    return finding(
        OVERTAKEN,
        f"the tag `{clipped(tag)}` of {place.words} has other content than was just published",
        notes=("somebody else published under the same tag at the same time",),
        help="look at what is there, and publish again under a new tag",
    )


def rate_limited(
    place: Place, seconds: float | None, remark: Remark, *, anonymous: bool
) -> Diagnostic:
    """`seconds` until the registry answers again, where it says so."""
    until = "" if seconds is None else f"; it answers again in {seconds:.0f} seconds"
    sign_in = f"sign in: `docker login {place.host}`; and " if anonymous else ""
    return finding(
        RATE_LIMITED,
        f"{place.words} refuses further requests for now{until}",
        notes=remark.notes,
        help=f"{sign_in}let CI read from a lock and an export: `eryphc lock`, `eryphc gene export`",
    )


def registry_policy(place: Place, remark: Remark) -> Diagnostic:
    return finding(
        REGISTRY_POLICY,
        f"a policy of the registry forbids what was asked of {place.words}",
        notes=remark.notes,
        help="let the registry scan the image, or exempt the project from the policy",
    )


def too_large(place: Place, remark: Remark) -> Diagnostic:
    return finding(
        TOO_LARGE,
        f"{place.words} takes nothing of this size",
        notes=remark.notes,
        help="look at the quota of the project, and at the limit of a proxy before the registry",
    )


def not_a_registry(
    place: Place, what: str, remark: Remark = NO_REMARK, kind: str = "a registry"
) -> Diagnostic:
    """`what` continues "does not answer as a registry:", or as another `kind`."""
    return finding(
        NOT_A_REGISTRY,
        f"{place.words} does not answer as {kind}: {what}",
        notes=remark.notes,
        help="look at the address of the pool, and whether a proxy or a login page answers instead",
    )


def digest_mismatch(place: Place, what: str, wanted: str, found: str) -> Diagnostic:
    """`what` names the content; `found` is a digest or what else is wrong with it."""
    return finding(
        DIGEST_MISMATCH,
        f"{what} of {place.words} is not what was asked for, also when it was fetched again",
        notes=(f"asked for {cleaned(wanted)}", f"there is  {cleaned(found)}"),
    )


def redirect_refused(
    place: Place, to: str, reason: str, help_text: str | None = None
) -> Diagnostic:
    """`to` is the shown address, `reason` continues "is not followed:"."""
    return finding(
        REDIRECT_REFUSED,
        f"{place.words} leads to `{cleaned(to, 300)}`, which is not followed: {reason}",
        help=help_text,
    )


def credentials_unreadable(source: str, reason: str) -> Diagnostic:
    """`source` is a file, a variable or a helper program; none of its words are shown."""
    return finding(
        CREDENTIALS_UNREADABLE,
        f"the credentials of `{clipped(source, 300)}` cannot be used: {reason}",
        notes=("the next place is looked at",),
    )


FETCH_FIRST = "fetch it before with `eryphc volume fetch`, or leave `--offline` out"
LOCK_FIRST = (
    "pin it with `eryphc lock` and fetch it with `eryphc gene pull --lock` before, or leave "
    "`--offline` out"
)


def offline(what: str, help_text: str = "leave `--offline` out") -> Diagnostic:
    """`what` needs the network."""
    return finding(
        OFFLINE,
        f"{clipped(what, 300)} can only be had over the network, which `--offline` forbids",
        help=help_text,
    )


def without_embedded_copies(place: Place) -> Diagnostic:
    return finding(
        WITHOUT_EMBEDDED_COPIES,
        f"{place.words} takes no manifest with embedded copies, so it was published without them",
        notes=("a pull takes two requests more; nothing else differs",),
    )


def registry_notice(host: str, text: str) -> Diagnostic:
    """`text` is what the registry wants its users to know."""
    return finding(REGISTRY_NOTICE, f"`{clipped(host)}` says: {clipped(cleaned(text), 200)}")
