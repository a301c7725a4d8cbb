"""Which program in the guest reads what is built, and who says so.

Source: docs/reference/guest-agents.md, "Which agent".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import Own
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.guest.model import AgentFrom, GuestAgent, GuestKind, Reader

KINDS: Final = (wording.AGENT_ASSUMED,)
ANY_GUEST: Final = "*"
"""The key of the project's word for all guests."""
FREEBSD: Final = "freebsd"
_OF_KIND: Final = {
    GuestKind.LINUX: (
        *(GuestAgent.CLOUD_INIT, GuestAgent.NUAGEINIT),
        *(GuestAgent.AZURE_INIT, GuestAgent.NONE),
    ),
    GuestKind.WINDOWS: (
        *(GuestAgent.CLOUDBASE_INIT, GuestAgent.EGS),
        *(GuestAgent.AZURE_INIT, GuestAgent.NONE),
    ),
}
# eryph builds its own Windows images with its guest services since that day.
_ERYPH: Final = "dbosoft"
_EGS_SINCE: Final = "2026-05-25"


class Base(NamedTuple):
    """A gene set of the pedigree: `ORG/SET/TAG`, the metadata of the tag, and those of the set."""

    name: str
    of_tag: Mapping[str, str] = FrozenMap()
    of_set: Mapping[str, str] = FrozenMap()

    @property
    def stated(self) -> tuple[str, str | None] | None:
        """The word for the agent and its version, the tag before the set."""
        for metadata in (self.of_tag, self.of_set):
            for key in ("guest_agent", "_guest_agent"):
                word = metadata.get(key, "").strip().lower()
                if word:
                    return word, metadata.get(f"{key}_version", "").strip() or None
        return None


class AgentSources(NamedTuple):
    """Who may say which agent a guest has, besides the request.

    `project` has words by gene set (with or without tag), by kind, or for `ANY_GUEST`. `bases` are
    the gene sets of the pedigree, nearest first. `several`: the request is for several
    specifications, so that its word need not fit all of their guests.
    """

    project: Mapping[str, str] = FrozenMap()
    bases: tuple[Base, ...] = ()
    several: bool = False

    @property
    def os_type(self) -> str | None:
        """The kind of guest that the nearest gene set states."""
        found = (base.of_tag.get("_os_type", "").strip().lower() for base in self.bases)
        return next(filter(None, found), None)


def split_word(text: str) -> tuple[GuestAgent, str | None]:
    """`WORD[@VERSION]`. Raises ValueError for another word."""
    word, _, version = text.strip().partition("@")
    return GuestAgent(word.lower()), version.strip() or None


def decide_agent(
    asked: str | None, guest: GuestKind, sources: AgentSources, *, freebsd: bool = False
) -> tuple[Reader, tuple[Diagnostic, ...]]:
    """The agent of a guest: by the request, the project, the gene sets, else assumed.

    `asked` is `WORD[@VERSION]` of the request. The error is that it does not fit the guest; any
    other word that does not is passed over.
    """
    if asked is not None:
        word, version = split_word(asked)
        if word in _OF_KIND[guest]:
            return Reader(word, AgentFrom.OPTION, version), ()
        if not sources.several:
            from eryphc.diagnostics import platforms

            error = platforms.agent_of_another_guest(Own(word.value), Own(guest.value))
            return Reader(word, AgentFrom.OPTION, version), (error,)
    for origin, word_of, version in _stated(guest, sources, freebsd=freebsd):
        if word_of in _OF_KIND[guest]:
            return Reader(word_of, origin, version), ()
    reader = _assumed(guest, sources, freebsd=freebsd)
    other = reader.other
    if other is None:
        return reader, ()
    return reader, (wording.agent_assumed(Own(reader.word.value), Own(other.value)),)


def _stated(
    guest: GuestKind, sources: AgentSources, *, freebsd: bool
) -> Iterator[tuple[AgentFrom, GuestAgent, str | None]]:
    for key in _keys(guest, sources, freebsd=freebsd):
        if key in sources.project:
            yield AgentFrom.PROJECT, *split_word(sources.project[key])
    for base in sources.bases:
        stated = base.stated
        if stated is not None and stated[0] in tuple(GuestAgent):
            yield AgentFrom.METADATA, GuestAgent(stated[0]), stated[1]


def _keys(guest: GuestKind, sources: AgentSources, *, freebsd: bool) -> Iterator[str]:
    """What the project may call a guest, the most specific first."""
    for base in sources.bases:
        yield base.name
        yield base.name.rpartition("/")[0]
    yield FREEBSD if freebsd else guest.value
    yield ANY_GUEST


def _assumed(guest: GuestKind, sources: AgentSources, *, freebsd: bool) -> Reader:
    if guest is GuestKind.LINUX:
        word = GuestAgent.NUAGEINIT if freebsd else GuestAgent.CLOUD_INIT
        return Reader(word, AgentFrom.ASSUMED)
    for base in sources.bases:
        built = base.of_tag.get("build_date", "")
        if built and base.name.partition("/")[0] == _ERYPH:
            if built[: len(_EGS_SINCE)] >= _EGS_SINCE:
                return Reader(GuestAgent.EGS, AgentFrom.ASSUMED)
            break
    return Reader(GuestAgent.CLOUDBASE_INIT, AgentFrom.ASSUMED)
