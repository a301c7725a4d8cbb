"""The order of the rooms: from a spec to its effective catlet and to the files of a target.

Everything a command does, a program can do with these functions. Nothing here prints or exits.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from eryphc import __version__
from eryphc.diagnostics import command, language, rules
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.genepool.model import GenePool
from eryphc.identifiers import DEFAULT_ARCHITECTURE, Architecture
from eryphc.ir.catlet import Catlet
from eryphc.ir.stages import Bred, Document, Fed, Substituted
from eryphc.passes.breed import breed
from eryphc.passes.check import check_catlet
from eryphc.passes.feed import Compat, feed
from eryphc.passes.given import give
from eryphc.passes.pedigree import read_pedigree
from eryphc.passes.read import is_partial, read_catlet
from eryphc.passes.substitute import substitute
from eryphc.specs import Spec
from eryphc.syntax.names import blank

if TYPE_CHECKING:
    from eryphc.artifacts.file import ArtifactFile
    from eryphc.artifacts.manifest import Manifest
    from eryphc.guestconfig.model import GuestKind, GuestRequest, MergeMode, NetworkConfigMode
    from eryphc.ir.volume import ReadDisk
    from eryphc.project import HyperVDefaults
    from eryphc.source import SourceText

CATLET_NAMESPACE = uuid.UUID("d2034611-3c44-4aa1-811b-e5f58b5a4416")
TOOL = f"eryphc {__version__}"


class Stage(StrEnum):
    BREED = "breed"
    FEED = "feed"
    SUBSTITUTE = "substitute"


class Target(StrEnum):
    CLOUD_INIT = "cloud-init"
    HYPERV = "hyperv"


class FrontOptions(NamedTuple):
    """What decides the effective catlet, besides spec and pools.

    `name` and `hostname` replace the author's (`name` alone sets both). `values` are those given
    for variables. Without `vm_id` the text `#vmId` stands for it.
    """

    architecture: Architecture = DEFAULT_ARCHITECTURE
    compat: Compat = Compat.ERYPHC
    name: str | None = None
    hostname: str | None = None
    catlet_id: str | None = None
    vm_id: str | None = None
    values: Mapping[str, str] = MappingProxyType({})

    def __repr__(self) -> str:
        # Values may be secret, and what is printed ends in logs.
        return f"FrontOptions({self.architecture}, {self.name!r}, values of {sorted(self.values)})"


class TargetOptions(NamedTuple):
    """What decides the files of a target. `instance_id`: None the catlet id, `content`, or it."""

    guest: GuestKind | None
    merge: MergeMode
    network: NetworkConfigMode
    epoch: int
    instance_id: str | None = None
    network_version: int | None = None
    network_file: SourceText | None = None
    sealed: bool = False
    hyperv: HyperVDefaults | None = None
    open_slots: Mapping[str, int] = MappingProxyType({})
    volumes: Mapping[str, str] = MappingProxyType({})
    read_disk: ReadDisk | None = None


class Built(NamedTuple):
    """The files of one target, and what its manifest says of them."""

    files: Mapping[str, ArtifactFile]
    manifest: Manifest


def read_document(spec: Spec, options: FrontOptions) -> Outcome[Document]:
    """The author's document with the names that options replace.

    It may come with errors, and is then only good for finding more.
    """
    read = read_catlet(spec.source, notation=spec.notation)
    if read.value is None:
        return Outcome(None, read.diagnostics)
    catlet = read.value
    found = list(read.diagnostics)
    if options.name is not None or options.hostname is not None:
        catlet = replace(
            catlet,
            name=options.name if options.name is not None else catlet.name,
            hostname=options.hostname or options.name or catlet.hostname,
            # What an option says was not written in the document.
            places={
                key: place
                for key, place in catlet.places.items()
                if key not in ("name", "hostname")
            },
        )
        found += [
            command.bad_option_value("--name", fault.message)
            for fault in check_catlet(Catlet(name=options.name))
        ]
    if blank(catlet.name):
        found.append(rules.name_missing(catlet.at()))
    partial = is_partial(read.diagnostics)
    document = Document(catlet=catlet, source=spec.source, depth=0, partial=partial)
    return Outcome(document, tuple(found))


def catlet_name(document: Document) -> str:
    """The normalised name that the catlet will have."""
    name = document.catlet.name
    return "catlet" if name is None or blank(name) else name.lower()


def to_bred(document: Document, pools: GenePool) -> Outcome[Bred]:
    """Ancestors read and inherited from, the result normalised and with its defaults."""
    pedigree = read_pedigree(document, pools)
    if pedigree.value is None:
        return Outcome(None, pedigree.diagnostics)
    bred = breed(pedigree.value)
    found = bred.diagnostics
    if document.partial:
        # A name that is missing could not be read, which was reported.
        found = tuple(d for d in found if d.code not in language.NAMELESS)
    return Outcome(bred.value, (*pedigree.diagnostics, *found))


def with_values(bred: Bred, options: FrontOptions) -> Outcome[Bred]:
    """The given values in the variables, as the stages before substitution show them."""
    given = give(bred.catlet, options.values)
    if given.value is None:
        return Outcome(None, given.diagnostics)
    return Outcome(bred._replace(catlet=given.value), given.diagnostics)


def to_fed(bred: Bred, pools: GenePool, options: FrontOptions) -> Outcome[Fed]:
    return feed(bred, pools, options.architecture, options.compat)


def to_substituted(fed: Fed, options: FrontOptions) -> Outcome[Substituted]:
    """Every food with the text a guest gets."""
    catlet_id = options.catlet_id or default_catlet_id(fed.catlet)
    vm_id = options.vm_id or "#vmId"
    return substitute(fed, options.values, catlet_id, vm_id)


def default_catlet_id(catlet: Catlet) -> str:
    """The id that a rebuild gives again. Source: cli.md, "System variables"."""
    parts = (catlet.project, catlet.environment, catlet.name)
    defaults = ("default", "default", "catlet")
    names = [
        default if part is None or blank(part) else part.lower()
        for part, default in zip(parts, defaults, strict=True)
    ]
    return str(uuid.uuid5(CATLET_NAMESPACE, "catlet:" + "/".join(names)))


def invented_mac(catlet_id: str, adapter: str) -> str:
    """The address of an adapter to which nobody gave one. Source: cli.md, "MAC addresses"."""
    digest = hashlib.sha256(f"{catlet_id}/{adapter}".encode()).hexdigest()
    return ":".join(("d2", "ab", *(digest[at : at + 2] for at in range(0, 8, 2))))


def build_target(
    fed: Fed, target: Target, front: FrontOptions, options: TargetOptions
) -> Outcome[Built]:
    """The files of one target for a fed catlet."""
    match target:
        case Target.CLOUD_INIT:
            return _build_cloud_init(fed, front, options)
        case Target.HYPERV:
            from eryphc.driver_hyperv import build_hyperv

            return build_hyperv(fed, front, options)


def _build_cloud_init(fed: Fed, front: FrontOptions, options: TargetOptions) -> Outcome[Built]:
    from eryphc.backends.cloudinit import CloudInitSettings, emit, plan
    from eryphc.backends.describe import manifest_of

    catlet_id = front.catlet_id or default_catlet_id(fed.catlet)
    vm_id = front.vm_id or catlet_id
    done = substitute(fed, front.values, catlet_id, vm_id)
    if done.value is None:
        return Outcome(None, done.diagnostics)
    request, found = guest_request(done.value, catlet_id, options)
    name = done.value.catlet.name or "catlet"
    settings = CloudInitSettings(
        name=name,
        request=request,
        epoch=options.epoch,
        sealed=options.sealed,
        vm_id_given=front.vm_id is not None,
    )
    planned = plan(done.value, settings)
    found = (*done.diagnostics, *found, *planned.diagnostics)
    if planned.value is None:
        return Outcome(None, found)
    manifest = manifest_of(
        done.value,
        request,
        name=name,
        catlet_id=catlet_id,
        target=Target.CLOUD_INIT.value,
        architecture=front.architecture,
        tool=TOOL,
    )
    return Outcome(Built(emit(planned.value), manifest), found)


def guest_request(
    catlet: Substituted, catlet_id: str, options: TargetOptions
) -> tuple[GuestRequest, tuple[Diagnostic, ...]]:
    """What decides the guest's configuration, from the catlet and the options."""
    from eryphc.guestconfig.kind import decide_guest
    from eryphc.guestconfig.model import Adapter, GuestRequest

    foods = catlet.catlet.fodder or ()
    guest, found = decide_guest(options.guest, catlet.pedigree.os_types, foods)
    adapters = tuple(
        Adapter(
            name=adapter.name or "",
            mac_address=adapter.mac_address or invented_mac(catlet_id, adapter.name or ""),
            given=adapter.mac_address is not None,
            place=adapter.at("mac_address"),
        )
        for adapter in catlet.catlet.network_adapters or ()
    )
    instance_id = {None: catlet_id, "content": None}.get(options.instance_id, options.instance_id)
    own = catlet.catlet
    request = GuestRequest(
        foods=foods,
        guest=guest,
        hostname=own.hostname or own.name or "catlet",
        hostname_span=own.place("hostname") or own.place("name"),
        instance_id=instance_id,
        adapters=adapters,
        merge=options.merge,
        network=options.network,
        network_version=options.network_version,
        network_file=options.network_file,
    )
    return request, found
