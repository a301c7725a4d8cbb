"""The rules of the language on a document as written.

Source: docs/reference/language.md, "Rules of a catlet".

Every independent fault is reported, in the order of the tables of the language.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eryphc.diagnostics import rules
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import Own, Said, Words, named, own
from eryphc.diagnostics.values import key_not_replaced
from eryphc.diagnostics.words import clipped
from eryphc.ir.catlet import (
    WHOLE,
    Catlet,
    ConfigType,
    Drive,
    DriveType,
    Fodder,
    Record,
    Subnet,
    Variable,
)
from eryphc.passes.check_fodder import FodderCheck, part_at
from eryphc.source import Span
from eryphc.syntax import names
from eryphc.syntax.identifiers import parse_gene, parse_gene_set
from eryphc.syntax.interpolation import ReferenceKind, scan
from eryphc.syntax.names import NameFault, blank, windows_path_fault

MAX_DRIVES, MAX_NETWORKS, MAX_ADAPTERS = 64, 8, 8
MAX_CPUS, MAX_DRIVE_GIB = 240, 65536
MIN_MEMORY, MEMORY_STEP, MAX_MEMORY = 128, 128, 12_582_912


def check_catlet(catlet: Catlet, unread: tuple[Diagnostic, ...] = ()) -> tuple[Diagnostic, ...]:
    """What breaks the rules. A fault that only follows from one in `unread` is not reported."""
    rule_check = _CatletCheck(unread)
    rule_check.catlet(catlet)
    return tuple(rule_check.found)


def check_sizes(catlet: Catlet) -> tuple[Diagnostic, ...]:
    """Only the rules on numbers and counts, which also apply to the result of breeding."""
    rule_check = _CatletCheck(())
    rule_check.counts(catlet)
    for drive in catlet.drives or ():
        rule_check.drive_size(drive)
    rule_check.cpu(catlet)
    rule_check.memory(catlet)
    return tuple(rule_check.found)


def _records(catlet: Catlet) -> Iterator[Record]:
    """The catlet and the records in it."""
    yield catlet
    for records in (
        catlet.drives,
        catlet.network_adapters,
        catlet.capabilities,
        catlet.networks,
        catlet.variables,
        catlet.fodder,
    ):
        for each in records or ():
            yield each
            if isinstance(each, Fodder):
                yield from each.variables or ()


class _CatletCheck(FodderCheck):
    def catlet(self, catlet: Catlet) -> None:
        self.name(catlet, "name", names.CATLET, catlet.name)
        self.project(catlet)
        self.name(catlet, "store", names.DATA_STORE, catlet.store)
        self.name(catlet, "environment", names.ENVIRONMENT, catlet.environment)
        self.parent(catlet)
        self.name(catlet, "location", names.STORAGE, catlet.location)
        self.counts(catlet)
        self.entries("drive", catlet.drives, self.drive, lambda drive: drive.name)
        self.cpu(catlet)
        self.memory(catlet)
        self.entries(
            "capability",
            catlet.capabilities,
            lambda item: self.required_name(item, "capability", names.CAPABILITY, item.name),
            lambda item: item.name,
        )
        for network in catlet.networks or ():
            self.required_name(network, "network", names.NETWORK, network.name)
            self.name(network, "adapter_name", names.ADAPTER, network.adapter_name)
            for subnet in (network.subnet_v4, network.subnet_v6):
                self.subnet(subnet)
        if not any(d.primary and _within(d.primary.span, catlet.networks) for d in self.found):
            self.unique("network", ((n, n.name) for n in catlet.networks or ()))
        for adapter in catlet.network_adapters or ():
            self.required_name(adapter, "network adapter", names.ADAPTER, adapter.name)
            self.mac(adapter, adapter.mac_address)
        if not any(
            d.primary and _within(d.primary.span, catlet.network_adapters) for d in self.found
        ):
            self.unique("network adapter", ((n, n.name) for n in catlet.network_adapters or ()))
        specification = catlet.config_type in (ConfigType.SPECIFICATION, ConfigType.INSTANCE)
        self.fodder(catlet.fodder or (), specification=specification)
        self.variables(catlet.variables or (), reserved=not specification)
        self.references(catlet)

    def references(self, catlet: Catlet) -> None:
        """References in keys whose text is not searched for them."""
        whole = catlet.at()
        if whole is None or "{{" not in whole.source.text:
            return
        for record in _records(catlet):
            for key in record.places:
                text = getattr(record, key, None)
                if not isinstance(text, str) or "{{" not in text:
                    continue
                reads_references = isinstance(record, Variable) and key == "value"
                span = record.at(key)
                if reads_references or self.told_of(span):
                    continue
                for each in scan(text):
                    if each.kind is ReferenceKind.VARIABLE:
                        said = Said(text[each.start : each.end], span)
                        self.found.append(key_not_replaced(said, Own(key), span))
                        break

    def told_of(self, span: Span | None) -> bool:
        """Whether something was found in a value."""
        return span is not None and any(
            span.start <= each.primary.span.start <= span.end
            for each in self.found
            if each.primary is not None and each.primary.span.source is span.source
        )

    def project(self, catlet: Catlet) -> None:
        self.name(catlet, "project", names.PROJECT, catlet.project)
        text = catlet.project
        if text is not None and text[:2].lower() == "p_":
            self.found.append(
                rules.bad_name(
                    own("project"),
                    own(
                        "`{}` begins with `p_`, as only projects of the system do",
                        named(clipped(text)),
                    ),
                    catlet.at("project"),
                )
            )

    def parent(self, catlet: Catlet) -> None:
        text = catlet.parent
        if text is None or blank(text):
            return
        parsed = parse_gene_set(text)
        if isinstance(parsed, NameFault):
            help_text: Words | None = None
            if text.startswith("gene:") and not isinstance(parse_gene_set(text[5:]), NameFault):
                help_text = own(
                    "write `{}`; a parent is a gene set, without `gene:`", named(text[5:])
                )
            span = part_at(catlet, "parent", text, parsed)
            self.found.append(
                rules.bad_gene_set(own("parent"), Said(parsed.message), span, help_text)
            )

    def counts(self, catlet: Catlet) -> None:
        for key, items, limit in (
            ("drives", catlet.drives, MAX_DRIVES),
            ("networks", catlet.networks, MAX_NETWORKS),
            ("network_adapters", catlet.network_adapters, MAX_ADAPTERS),
        ):
            if items is not None and len(items) > limit:
                self.found.append(
                    rules.too_many(own("`{}`", Own(key)), limit, len(items), catlet.at(key))
                )

    def drive(self, drive: Drive) -> None:
        self.required_name(drive, "drive", names.DRIVE, drive.name)
        self.name(drive, "store", names.DATA_STORE, drive.store)
        self.name(drive, "location", names.STORAGE, drive.location)
        self.drive_size(drive)
        source = drive.source
        if source is None or blank(source):
            return
        if source.startswith("gene:"):
            if drive.type not in (None, DriveType.VHD):
                self.found.append(
                    rules.gene_needs_vhd(named(source), Own(str(drive.type)), drive.at("source"))
                )
            parsed = parse_gene(source)
            if isinstance(parsed, NameFault):
                span = part_at(drive, "source", source, parsed)
                self.found.append(rules.bad_gene(own("source"), Said(parsed.message), span, None))
            return
        reason = windows_path_fault(source)
        if reason is not None:
            self.found.append(rules.bad_path(named(source), Said(reason), drive.at("source")))

    def drive_size(self, drive: Drive) -> None:
        if drive.size is None:
            return
        at = drive.at("size")
        if drive.size <= 0:
            rule = "a size in GiB must be positive"
            self.found.append(rules.out_of_range(own("size"), drive.size, Own(rule), at))
        elif drive.size > MAX_DRIVE_GIB:
            rule = f"a drive has at most {MAX_DRIVE_GIB} GiB (64 TiB)"
            self.found.append(rules.out_of_range(own("size"), drive.size, Own(rule), at))

    def cpu(self, catlet: Catlet) -> None:
        if catlet.cpu is None or catlet.cpu.count is None:
            return
        count, at = catlet.cpu.count, catlet.cpu.at("count")
        if count <= 0:
            rule = "the number of processors must be positive"
            self.found.append(rules.out_of_range(own("cpu count"), count, Own(rule), at))
        elif count > MAX_CPUS:
            rule = f"a catlet has at most {MAX_CPUS} processors"
            self.found.append(rules.out_of_range(own("cpu count"), count, Own(rule), at))

    def memory(self, catlet: Catlet) -> None:
        memory = catlet.memory
        if memory is None:
            return
        for key, size in (
            ("maximum", memory.maximum),
            ("minimum", memory.minimum),
            ("startup", memory.startup),
        ):
            if size is None:
                continue
            at = memory.at(key)
            label = f"memory {key}"
            if size < MIN_MEMORY:
                rule = f"memory is at least {MIN_MEMORY} MiB"
                self.found.append(rules.out_of_range(Own(label), size, Own(rule), at))
            if size % MEMORY_STEP:
                rule = f"memory is a multiple of {MEMORY_STEP} MiB"
                self.found.append(rules.out_of_range(Own(label), size, Own(rule), at))
            if size > MAX_MEMORY:
                rule = f"memory is at most {MAX_MEMORY} MiB (12 TiB)"
                self.found.append(rules.out_of_range(Own(label), size, Own(rule), at))
        startup, minimum, maximum = memory.startup, memory.minimum, memory.maximum
        for key, value, other, limit, wrong in (
            ("maximum", maximum, "startup", startup, "less"),
            ("minimum", minimum, "startup", startup, "more"),
            ("minimum", minimum, "maximum", maximum, "more"),
        ):
            if value is None or limit is None:
                continue
            if (value < limit) if wrong == "less" else (value > limit):
                self.found.append(
                    rules.memory_relation(
                        Own(key), value, Own(wrong), Own(other), limit, memory.at(key)
                    )
                )

    def subnet(self, subnet: Subnet | None) -> None:
        if subnet is not None:
            self.name(subnet, "name", names.SUBNET, subnet.name)
            self.name(subnet, "ip_pool", names.IP_POOL, subnet.ip_pool)

    def mac(self, record: Record, text: str | None) -> None:
        if text is None or blank(text):
            return
        if names.mac_address(text) is None:
            self.found.append(rules.bad_mac(named(text), record.at("mac_address")))
        elif text.endswith("\n"):
            self.found.append(
                rules.line_feed_tolerated(own("the MAC address"), record.at("mac_address"))
            )


def _within(span: Span, records: Sequence[Record] | None) -> bool:
    return any(
        whole.source is span.source and whole.start <= span.start < whole.end
        for record in records or ()
        if (whole := record.place(WHOLE)) is not None
    )
