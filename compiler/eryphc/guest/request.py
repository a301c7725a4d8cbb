"""A substituted catlet and the options of a guest to the request that decides what it reads.

The kind of guest is decided here, too: linux or windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.guest_agents import (
    EVALUATION_RESTART,
    NETWORK_CONFIG_IGNORED,
    evaluation_restart,
    network_config_ignored,
)
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import Own, named, own
from eryphc.guest import agents
from eryphc.guest.agents import AgentSources, decide_agent
from eryphc.guest.document import known_adapters
from eryphc.guest.model import (
    GIVEN,
    INVENTED,
    Adapter,
    GuestAgent,
    GuestKind,
    GuestOptions,
    GuestRequest,
    Reader,
)
from eryphc.ir.catlet import Catlet, Fodder
from eryphc.ir.stages import Substituted
from eryphc.passes.given import invented_mac
from eryphc.source import Span

KINDS: Final = (
    wording.GUEST_COUNTS_AS_LINUX,
    wording.GUEST_ASSUMED_LINUX,
    NETWORK_CONFIG_IGNORED,
    EVALUATION_RESTART,
)


def decide_guest(
    chosen: GuestKind | None, os_types: Sequence[str], fodder_entries: Iterable[Fodder]
) -> tuple[GuestKind, tuple[Diagnostic, ...]]:
    """The guest's kind: `chosen`, else that of the nearest gene set that names one, else the one
    that the fodder entries show.

    `os_types` is `Pedigree.os_types`, nearest first. Gives notes only.
    """
    if chosen is not None:
        return chosen, ()
    if os_types:
        nearest = os_types[0].strip().lower()
        if nearest == "windows":
            return GuestKind.WINDOWS, ()
        if nearest == "linux":
            return GuestKind.LINUX, ()
        return GuestKind.LINUX, (wording.guest_counts_as_linux(named(os_types[0])),)
    if any(is_windows_script(fodder) for fodder in fodder_entries):
        return GuestKind.WINDOWS, ()
    return GuestKind.LINUX, (wording.guest_assumed_linux(),)


def is_windows_script(fodder: Fodder) -> bool:
    """Whether a fodder entry is a part that only Windows runs: `#ps1...`, or a `.ps1` file.

    A `.ps1` that begins with `#!` is for PowerShell on Linux.
    """
    if fodder.content is None:
        return False
    text = fodder.content.text.lstrip("\ufeff")
    if text.lower().startswith("#ps1"):
        return True
    name = (fodder.filename or "").strip().lower()
    return name.endswith(".ps1") and not text.startswith("#!")


def _hostname_span(catlet: Catlet) -> Span | None:
    """Where the host name was written, or the name that it was made of."""
    origin = catlet.origin("hostname")
    return origin.span or (None if origin.via is None else origin.via.span)


# Images of eryph in which cloud-init leaves the network alone.
_WITHOUT_NETWORK: Final = {"oraclelinux": own("Oracle Linux"), "azurelinux": own("Azure Linux")}


def _of_base(
    catlet: Catlet, request: GuestRequest, sources: AgentSources
) -> tuple[Diagnostic, ...]:
    """What follows from the gene set that the catlet comes from."""
    return (
        *_unread_network(catlet, request, sources),
        *_evaluation(catlet, request, sources),
    )


def _evaluation(
    catlet: Catlet, request: GuestRequest, sources: AgentSources
) -> tuple[Diagnostic, ...]:
    if request.guest is not GuestKind.WINDOWS or not request.reader.may_be(GuestAgent.EGS):
        return ()
    edition = next(filter(None, (each.of_tag.get("os_edition", "") for each in sources.bases)), "")
    has_scripts = any(fodder.type == "shellscript" for fodder in request.fodder_entries)
    if "eval" not in edition.lower() or not has_scripts:
        return ()
    return (evaluation_restart(catlet.at("parent")),)


def _unread_network(
    catlet: Catlet, request: GuestRequest, sources: AgentSources
) -> tuple[Diagnostic, ...]:
    if request.network_file is None and not known_adapters(request):
        return ()
    for base in sources.bases:
        owner, _, rest = base.name.partition("/")
        system = _WITHOUT_NETWORK.get(rest.partition("/")[0].partition("-")[0])
        if owner == "dbosoft" and system is not None:
            return (network_config_ignored(system, catlet.at("parent")),)
    return ()


def ignored(catlet: Catlet, reader: Reader) -> tuple[Diagnostic, ...]:
    """The error of fodder for a guest in which nothing applies any."""
    if not catlet.fodder or reader.word not in (GuestAgent.AZURE_INIT, GuestAgent.NONE):
        return ()
    at = catlet.at("fodder") or catlet.fodder[0].at("name")
    from eryphc.diagnostics import platforms

    return (platforms.agent_ignores_user_data(Own(reader.word.value), at),)


def guest_request(
    catlet: Substituted,
    catlet_id: str,
    options: GuestOptions,
    sources: AgentSources | None = None,
) -> tuple[GuestRequest, tuple[Diagnostic, ...]]:
    """All that decides what the guest reads, and findings on its kind and its agent."""
    fodder_entries = catlet.catlet.fodder or ()
    guest, found = decide_guest(options.kind, catlet.pedigree.os_types, fodder_entries)
    sources = sources or AgentSources()
    freebsd = options.kind is None and sources.os_type == agents.FREEBSD
    reader, more = decide_agent(options.agent, guest, sources, freebsd=freebsd)
    if reader.word is GuestAgent.NUAGEINIT:
        found = tuple(note for note in found if note.code != wording.GUEST_COUNTS_AS_LINUX)
    found = (*found, *more, *ignored(catlet.catlet, reader))
    adapters = tuple(
        Adapter(
            name=adapter.name or "",
            mac_address=adapter.mac_address or invented_mac(catlet_id, adapter.name or ""),
            given=adapter.mac_address is not None,
            place=adapter.at("mac_address"),
            origin=INVENTED
            if adapter.mac_address is None
            else catlet.origin(adapter, "mac_address"),
        )
        for adapter in catlet.catlet.network_adapters or ()
    )
    instance_id = {None: catlet_id, "content": None}.get(options.instance_id, options.instance_id)
    own = catlet.catlet
    request = GuestRequest(
        fodder_entries=fodder_entries,
        guest=guest,
        hostname=own.hostname or own.name or "catlet",
        hostname_origin=catlet.origin(own, "hostname"),
        hostname_span=_hostname_span(own),
        instance_id_origin=INVENTED if options.instance_id in (None, "content") else GIVEN,
        instance_id=instance_id,
        adapters=adapters,
        merge=options.merge,
        network=options.network,
        network_version=options.network_version,
        network_file=options.network_file,
        agent=reader,
    )
    return request, (*found, *_of_base(catlet.catlet, request, sources))
