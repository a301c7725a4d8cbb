"""The plan of the `azure` target: every decision about the machine and its files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from eryphc.artifacts.manifest import ManifestGene, canonical_json, gene_entry, manifest_genes
from eryphc.diagnostics import azure as wording
from eryphc.diagnostics.cloudconfig_lint import DEFAULT_USER_MISSING
from eryphc.diagnostics.model import Diagnostic, Outcome, is_blocked
from eryphc.diagnostics.platforms import SECRET_IN_USER_DATA, secret_in_user_data
from eryphc.diagnostics.said import Own, Said, name_of, named, own
from eryphc.frozen import FrozenMap
from eryphc.guest.compose import compose
from eryphc.guest.document import GuestDocument
from eryphc.guest.model import (
    AgentFrom,
    GuestAgent,
    GuestKind,
    GuestOptions,
    NetworkConfigMode,
    Reader,
)
from eryphc.guest.pieces import said_entry
from eryphc.guest.platforms import AZURE, Payload, budget, encodings, payload, sizes
from eryphc.guest.request import ignored
from eryphc.ir.catlet import Catlet
from eryphc.lint.engine import Rule, judge
from eryphc.passes.places import in_documents, rooted
from eryphc.source import Span
from eryphc.targets import shared_rules
from eryphc.targets.azure import guest as guest_rules
from eryphc.targets.azure.disks import Disk, Disks
from eryphc.targets.azure.images import PARENTS, is_image_id, marketplace_image
from eryphc.targets.azure.losses import LOSSES
from eryphc.targets.azure.model import (
    CUSTOM_DATA_TAG,
    AzurePlan,
    DataDisk,
    Defaults,
    GalleryImage,
    Interface,
    MarketplaceImage,
)
from eryphc.targets.azure.names import (
    COMPUTER_NAME_LONGEST,
    computer_name_refused,
    image_names,
    machine_names,
)
from eryphc.targets.azure.options import AzureOptions
from eryphc.targets.azure.settings import AzureDefaults
from eryphc.targets.azure.sizes import (
    Chosen,
    NoneFits,
    Size,
    SizeRequest,
    TooSmall,
    UnknownSize,
    default_size,
    named_size,
    size_list,
)
from eryphc.targets.capabilities import Capabilities

if TYPE_CHECKING:
    from eryphc.targets.definition import TargetInput

_EMPTY_GIB: Final = 1
_DEFAULT_MEMORY: Final = 1024
_MACHINE_TAGS: Final = 1_500
_MOST_GENE_TAGS: Final = 19
"""With five tags on every resource, that of custom data, and 25 of the user's own: 50."""
_LONGEST_TAG: Final = 256
_HASH_DIGITS: Final = 12
_EMPTY_FOR_WINDOWS: Final = b"#cloud-config\n"
KINDS: Final = (wording.AZURE_SIZE_UNKNOWN, wording.IMAGE_MISSING, wording.IMAGE_MOVES)


def guest_options(options: GuestOptions) -> tuple[GuestOptions, tuple[Diagnostic, ...]]:
    """Azure configures the network: no network-config travels, so nothing is said of one."""
    return options._replace(network=NetworkConfigMode.NEVER, network_file=None), ()


def plan(inputs: TargetInput[AzureOptions]) -> Outcome[AzurePlan]:
    """Decide everything. Reports what Azure cannot do (E14xx) and what `compose` reports."""
    composed = compose(inputs.request, inputs.reader)
    document = composed.value
    machine = _Machine(inputs)
    found = [
        *machine.found,
        *judge(RULES, inputs),
        *judge(shared_rules.RULES, inputs),
    ]
    found = list(
        rooted(in_documents(found, inputs.catlet.pedigree.documents), inputs.catlet.pedigree.root)
    )
    found += [*LOSSES.findings(inputs), *composed.diagnostics]
    if document is None:
        return Outcome(None, tuple(found))
    of_guest = guest_rules.findings(document, machine.defaults.outbound)
    if any(each.code == DEFAULT_USER_MISSING for each in of_guest):
        found = [each for each in found if each.code != DEFAULT_USER_MISSING]
    found += of_guest
    made = payload(document, encodings(document), AZURE, inputs.request.reader)
    found += budget(made, inputs.catlet.catlet.at("fodder"))
    if is_blocked(found):
        return Outcome(None, tuple(found))
    data: bytes | None = made.encoded.data or None
    if data is None and machine.windows:
        data = _EMPTY_FOR_WINDOWS
    return Outcome(machine.plan(made, data, document), tuple(found))


class _Machine:
    """Decides about one machine; `found` is what is wrong with it."""

    def __init__(self, inputs: TargetInput[AzureOptions]) -> None:
        self.inputs = inputs
        self.catlet: Catlet = inputs.catlet.catlet
        self.found: list[Diagnostic] = []
        self.settings = inputs.settings or AzureDefaults()
        self.windows = inputs.request.guest is GuestKind.WINDOWS
        self.defaults = _defaults(self.settings)
        self.capabilities = Capabilities(self.catlet)
        self.secure_boot = self.capabilities.on("secure_boot")
        self.tpm = self.capabilities.on("tpm")
        self.generation = inputs.options.generation or int(self.settings.generation or 2)
        if self.generation == 1:
            for name in ("secure_boot", "tpm"):
                if self.capabilities.on(name):
                    at = self.capabilities.at(name)
                    self.found.append(wording.generation_one(Own(name), at))
        self.image_id: str | None = None
        self.image = self._image()
        self.disks = Disks(
            inputs.catlet,
            inputs.options.volumes,
            inputs.disks,
            self.generation,
            own_image=self.image is None and self.image_id is None,
        )
        self.found += self.disks.found
        self._say_missing()
        self.networks, self.interfaces = self._interfaces()
        self.names = machine_names(
            inputs.name,
            adapters=[name for name, _, _ in self.interfaces],
            data_drives=[disk.drive.name or "" for disk in self.disks.data],
            networks=self.networks,
        )
        self.size, self.facts = self._size()
        refused = computer_name_refused(inputs.request.hostname, inputs.request.guest)
        if refused is not None:
            span = inputs.request.hostname_span
            self.found.append(
                wording.azure_name(
                    named(inputs.request.hostname, span),
                    refused.faults,
                    COMPUTER_NAME_LONGEST[inputs.request.guest],
                    named(refused.proposal, span),
                    span,
                    windows=self.windows,
                )
            )

    # --- the image -----------------------------------------------------------------------------

    def _image(self) -> MarketplaceImage | None:
        """The publisher's image, None where the machine boots one of one's own."""
        text = self.inputs.options.image or self.settings.image or None
        place = None if self.inputs.options.image else self.settings.at("image")
        if text is None:
            return None
        if text == "auto":
            return self._of_parent(place)
        if is_image_id(text):
            self.image_id = text
            return None
        image = marketplace_image(text)
        if image is None:
            self.found.append(wording.image_malformed(named(text), place))
        elif image.version.lower() == "latest":
            self.found.append(wording.image_moves(named(text), place))
        return image

    def _of_parent(self, place: Span | None) -> MarketplaceImage | None:
        found = self._offer()
        if found is None:
            parent = named(self.catlet.parent or "none", self.catlet.place("parent"))
            known = tuple(map(Own, PARENTS))
            at = self.catlet.at("parent") or place
            self.found.append(wording.image_unknown(parent, known, at))
            return None
        self.found.append(wording.image_moves(Own(":".join(found)), place))
        if self.generation == 1:
            parent = named(self.catlet.parent or "", self.catlet.place("parent"))
            self.found.append(wording.image_of_generation_two(parent, place))
        if self.windows and not self.inputs.request.reader.stated:
            # Nothing in the vendor's images of Windows runs custom data.
            nobody = Reader(GuestAgent.NONE, AgentFrom.ASSUMED)
            self.found += ignored(self.inputs.catlet.catlet, nobody)
        return found

    def _offer(self) -> MarketplaceImage | None:
        """What the nearest ancestor with an entry in the table has there."""
        for document in self.inputs.catlet.pedigree.documents:
            geneset = document.geneset
            if geneset is not None:
                image = PARENTS.get(f"{geneset.organization}/{geneset.geneset}")
                if image is not None:
                    return image
        return None

    def _say_missing(self) -> None:
        offer = self._offer()
        entry = None if offer is None else Own(":".join(offer))
        if self.disks.has_no_image:
            self.found.append(wording.image_unnamed(self.catlet.at()))
        for drive in self.disks.missing():
            at = drive.at("source") or drive.at("name")
            self.found.append(wording.image_missing(name_of(drive), entry, at))

    # --- networks and size ---------------------------------------------------------------------

    def _interfaces(self) -> tuple[tuple[str, ...], list[tuple[str, int, bool]]]:
        """The networks, and of each interface its name, its network and whether it is primary."""
        of_adapter = {
            network.adapter_name or "": network.name or "" for network in self.catlet.networks or ()
        }
        adapters = [adapter.name or "" for adapter in self.catlet.network_adapters or ()]
        adapters = adapters or ["eth0"]
        wanted = [of_adapter.get(name, "default") for name in adapters]
        networks = tuple(dict.fromkeys(wanted))
        primary = wanted.index("default") if "default" in wanted else 0
        return networks, [
            (name, networks.index(network), number == primary)
            for number, (name, network) in enumerate(zip(adapters, wanted, strict=True))
        ]

    def _size(self) -> tuple[str, Size | None]:
        request = self.request
        chosen = default_size(request)
        fitting = Own(chosen.size.name) if isinstance(chosen, Chosen) else None
        text = self.inputs.options.size or self.settings.size or None
        if text is None:
            if isinstance(chosen, Chosen):
                return chosen.size.name, chosen.size
            self.found.append(self._none_fits(chosen))
            return chosen.nearest.name, chosen.nearest
        place = None if self.inputs.options.size else self.settings.at("size")
        match named_size(text, request):
            case Chosen(size):
                return size.name, size
            case TooSmall(size, lacking):
                self.found.append(
                    wording.azure_size_too_small(Own(size.name), lacking, fitting, place)
                )
                return size.name, size
            case UnknownSize(name, date, meant):
                known = None if meant is None else Own(meant)
                self.found.append(wording.azure_size_unknown(named(name), Own(date), known, place))
                return name, None

    def _none_fits(self, answer: NoneFits) -> Diagnostic:
        other = answer.other
        return wording.azure_size_none(
            Own(answer.nearest.name),
            answer.lacks,
            None if other is None else Own(other.name),
            Own(size_list().date),
            self.catlet.at("cpu") or self.catlet.at(),
            other_is_nvme=other is not None and other.nvme_only,
        )

    @property
    def request(self) -> SizeRequest:
        """What the size of the machine must hold."""
        catlet = self.catlet
        memory = None if catlet.memory is None else catlet.memory.startup
        return SizeRequest(
            cpus=(None if catlet.cpu is None else catlet.cpu.count) or 1,
            memory_mib=memory or _DEFAULT_MEMORY,
            data_disks=len(self.disks.data),
            interfaces=len(self.interfaces),
            generation=self.generation,
            trusted_launch=self.secure_boot or self.tpm,
            nested_virtualization=self.capabilities.on("nested_virtualization"),
        )

    # --- the plan ------------------------------------------------------------------------------

    def plan(self, made: Payload, data: bytes | None, document: GuestDocument) -> AzurePlan:
        inputs = self.inputs
        genes = _without_secret_digests(inputs)
        tags = _tags(self.catlet, inputs, genes)
        machine_tags: dict[str, str] = {}
        if data is not None and not document.secret:
            machine_tags[CUSTOM_DATA_TAG] = f"sha256:{hashlib.sha256(data).hexdigest()}"
        machine_tags |= _gene_tags(genes, {**tags, **machine_tags})
        request = self.request
        return AzurePlan(
            tool=inputs.tool,
            catlet=inputs.name,
            catlet_id=inputs.catlet_id,
            windows=self.windows,
            names=self.names,
            computer_name=inputs.request.hostname,
            size=self.size,
            size_asked={
                "cpus": request.cpus,
                "memory_mib": request.memory_mib,
                "data_disks": request.data_disks,
                "interfaces": request.interfaces,
            },
            trusted_launch=self.secure_boot or self.tpm,
            secure_boot=self.secure_boot,
            tpm=self.tpm,
            generation=self.generation,
            nvme=self.facts is not None and self.facts.nvme_only,
            accelerated=None if self.facts is None else self.facts.needs_accelerated_networking,
            image=self.image,
            image_id=self.image_id,
            os_disk_gib=self.disks.system_gib(inputs.request.guest),
            disks=tuple(
                _data_disk(name, lun, disk)
                for lun, (name, disk) in enumerate(
                    zip(self.names.disks.values(), self.disks.data, strict=True)
                )
            ),
            images=tuple(self.disks.images()),
            gallery=self._gallery(),
            losses=inputs.losses,
            networks=self.networks,
            interfaces=tuple(
                Interface(name, network, primary)
                for name, (_, network, primary) in zip(
                    self.names.interfaces.values(), self.interfaces, strict=True
                )
            ),
            defaults=self.defaults,
            payload=made,
            custom_data=data,
            secret=document.secret,
            genes=genes,
            tags=tags,
            machine_tags=machine_tags,
        )

    def _gallery(self) -> GalleryImage | None:
        """The image that the VHD of the system drive becomes."""
        image = None if self.disks.system is None else self.disks.system.image
        if image is None:
            return None
        nvme = self.facts is not None and self.facts.nvme_only
        return GalleryImage(
            names=image_names(image.gene, image.key, self.generation, nvme=nvme),
            generation=self.generation,
            windows=self.windows,
            nvme=nvme,
        )


def _without_secret_digests(inputs: TargetInput[AzureOptions]) -> tuple[ManifestGene, ...]:
    """The genes of the manifest. Of one with secret fodder the digest is left out, because a short
    secret in it could be guessed by that."""
    secret = {
        str(fodder.document.gene)
        for fodder in inputs.request.fodder_entries
        if fodder.secret and fodder.document is not None
    }
    return tuple(
        gene._replace(sha256=None) if gene.id in secret else gene
        for gene in manifest_genes(inputs.catlet.genes)
    )


def _data_disk(name: str, lun: int, disk: Disk) -> DataDisk:
    """An empty disk has the size that was asked for, one with an image only where that is more."""
    asked, image = disk.drive.size, disk.image
    if image is None:
        return DataDisk(name, lun, asked or _EMPTY_GIB)
    grown = asked if asked is not None and asked > image.gib else None
    return DataDisk(name, lun, grown, image.blob)


def _defaults(settings: AzureDefaults) -> Defaults:
    plain = Defaults()
    return Defaults(
        location=settings.location,
        zone=settings.zone or plain.zone,
        outbound=settings.outbound or plain.outbound,
        os_disk_type=settings.os_disk_type or plain.os_disk_type,
        admin_sources=settings.admin_sources or (),
        tags=FrozenMap(settings.tags or ()),
    )


def _tags(
    catlet: Catlet, inputs: TargetInput[AzureOptions], genes: tuple[ManifestGene, ...]
) -> Mapping[str, str]:
    """The tags of every resource. Source: docs/reference/azure.md, "Tags"."""
    digest = hashlib.sha256(canonical_json([gene_entry(gene) for gene in genes])).hexdigest()
    return {
        "eryphc-catlet": inputs.name,
        "eryphc-catlet-id": inputs.catlet_id,
        "eryphc-project": (catlet.project or "default")[:_LONGEST_TAG],
        "eryphc-environment": (catlet.environment or "default")[:_LONGEST_TAG],
        "eryphc-genes": f"sha256:{digest}",
    }


def _gene_tags(genes: tuple[ManifestGene, ...], others: Mapping[str, str]) -> Mapping[str, str]:
    """A tag for each gene, as long as all tags of the machine stay below what it may have."""
    length = sum(len(name) + len(value) for name, value in others.items())
    found: dict[str, str] = {}
    for number, gene in enumerate(genes, start=1):
        name = f"eryphc-gene-{number:02}"
        value = gene.id.removeprefix("gene:")
        if gene.sha256 is not None:
            value += f"@{gene.sha256[:_HASH_DIGITS]}"
        length += len(name) + len(value)
        full = number > _MOST_GENE_TAGS or length > _MACHINE_TAGS
        if full or len(value) > _LONGEST_TAG:
            break
        found[name] = value
    return found


def _secrets(inputs: TargetInput[AzureOptions]) -> Iterator[Diagnostic]:
    """Custom data stays in the guest."""
    secret = [entry for entry in inputs.request.fodder_entries if entry.secret]
    if secret:
        names = tuple(map(said_entry, secret))
        place = secret[0].place("name") or secret[0].at()
        yield secret_in_user_data(own("Azure"), names, place, kept=True)


_DEVICE: Final = re.compile(r"/dev/sd[b-z][0-9]*\b")


def _device_names(inputs: TargetInput[AzureOptions]) -> Iterator[Diagnostic]:
    for entry in inputs.request.fodder_entries:
        content = entry.content
        match = None if content is None else _DEVICE.search(content.text)
        if content is not None and match is not None:
            span = content.span(match.start(), match.end())
            yield wording.device_name(said_entry(entry), Said(match[0], span), span)


def _kvm(inputs: TargetInput[AzureOptions]) -> Iterator[Diagnostic]:
    if str(inputs.architecture).startswith("kvm/"):
        yield wording.base_for_kvm(named(str(inputs.architecture)))


RULES: Final[tuple[Rule[TargetInput[AzureOptions]], ...]] = (
    Rule(SECRET_IN_USER_DATA, _secrets),
    Rule(wording.DEVICE_NAME, _device_names),
    Rule(wording.BASE_FOR_KVM, _kvm),
)


def details(made: AzurePlan) -> Iterator[str]:
    """The size of the machine, and what takes up the bytes of custom data."""
    yield f"the machine has the size {made.size}"
    yield from sizes(made.payload)
