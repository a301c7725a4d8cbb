"""The rules of the language on names, variables, fodder and fodder genes.

Source: docs/reference/language.md, "Rules of fodder", "Rules of variables",
"Rules of a fodder gene".
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from eryphc.diagnostics import rules
from eryphc.diagnostics.findings import Findings
from eryphc.diagnostics.model import Diagnostic, Level
from eryphc.diagnostics.said import Own, Said, Words, joined, name_of, named, own
from eryphc.identifiers import GeneId, GeneSetId
from eryphc.ir.catlet import (
    FODDER_TYPES,
    WHOLE,
    Fodder,
    FodderGene,
    Record,
    Variable,
    VariableType,
)
from eryphc.source import Span
from eryphc.syntax import names
from eryphc.syntax.identifiers import parse_gene, parse_set_source
from eryphc.syntax.names import (
    NameFault,
    NameKind,
    blank,
    file_name_fault,
    name_faults,
    variable_name_fault,
)

R = TypeVar("R", bound=Record)

_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{0,3})?\n?\Z")


def check_fodder_gene(
    gene: FodderGene, unread: tuple[Diagnostic, ...] = ()
) -> tuple[Diagnostic, ...]:
    """What breaks the rules of a fodder gene."""
    rule_check = FodderCheck(unread)
    rule_check.fodder_gene(gene)
    return tuple(rule_check.found)


def value_fits(kind: VariableType | None, value: str) -> bool:
    """Whether a value that is not blank is one of `kind`."""
    match kind:
        case VariableType.BOOLEAN:
            return value.removesuffix("\n") in ("true", "false")
        case VariableType.NUMBER:
            return _NUMBER.match(value) is not None
        case VariableType.STRING | None:
            return True


class FodderCheck:
    """One check of a document: what was found, and where reading has failed."""

    def __init__(self, unread: tuple[Diagnostic, ...]) -> None:
        self.found = Findings()
        self._unread = sorted(
            d.primary.span.start for d in unread if d.primary is not None and d.level is Level.ERROR
        )

    def _could_not_be_read(self, record: Record) -> bool:
        """Whether reading found a fault in `record`; faults that follow from it stay unreported."""
        whole = record.place(WHOLE)
        if whole is None or not self._unread:
            return False
        at = bisect_left(self._unread, whole.start)
        return at < len(self._unread) and self._unread[at] < whole.end

    # -- names ------------------------------------------------------------------------------

    def name(self, record: Record, key: str, kind: NameKind, text: str | None) -> None:
        if text is None or blank(text):
            return
        for fault in name_faults(kind, text):
            self.found.append(
                rules.bad_name(Own(key), Said(fault.message), part_at(record, key, text, fault))
            )

    def required_name(self, record: Record, what: str, kind: NameKind, text: str | None) -> None:
        if blank(text):
            if not self._could_not_be_read(record):
                self.found.append(rules.required(own("name"), Own(what), record.at("name")))
            return
        self.name(record, "name", kind, text)

    def entries(
        self,
        what: str,
        items: Sequence[R] | None,
        check: Callable[[R], None],
        name: Callable[[R], str | None],
    ) -> None:
        """Each entry by itself, then that names are unique, if all entries are well."""
        before = len(self.found)
        for item in items or ():
            check(item)
        if len(self.found) == before:
            self.unique(what, ((item, name(item)) for item in items or ()))

    def unique(self, what: str, entries: Iterable[tuple[Record, str | None]]) -> None:
        first: dict[str, Record] = {}
        reported: set[str] = set()
        for record, name in entries:
            if name is None:
                continue
            key = name.lower()
            if key in first and key not in reported:
                reported.add(key)
                self.found.append(
                    rules.not_unique(
                        Own(what), named(name), record.at("name"), first[key].at("name")
                    )
                )
            first.setdefault(key, record)

    # -- variables --------------------------------------------------------------------------

    def variables(self, variables: Sequence[Variable], *, reserved: bool = True) -> None:
        before = len(self.found)
        for variable in variables:
            self.variable(variable, reserved=reserved)
        if not any(d.level is Level.ERROR for d in self.found[before:]):
            self.unique("variable", ((v, v.name) for v in variables))

    def variable(self, variable: Variable, *, reserved: bool) -> None:
        name = variable.name
        if name is None or blank(name):
            if not self._could_not_be_read(variable):
                self.found.append(rules.required(own("name"), own("variable"), variable.at("name")))
        else:
            fault = variable_name_fault(name)
            if fault is not None:
                span = part_at(variable, "name", name, fault)
                self.found.append(rules.bad_name(own("name"), Said(fault.message), span))
            elif reserved and name.lower() in ("catletid", "vmid"):
                self.found.append(rules.reserved_variable(named(name), variable.at("name")))
        value = variable.value
        if value is None or blank(value):
            return
        if not value_fits(variable.type, value):
            secret = bool(variable.secret)
            self.found.append(
                rules.value_does_not_fit(
                    name_of(variable, default="?"),
                    None if variable.secret else Said(value),
                    Own(str(variable.type)),
                    variable.at("value"),
                    secret=secret,
                )
            )
        elif variable.type in (VariableType.BOOLEAN, VariableType.NUMBER) and (
            value.endswith("\n") or not value.isascii()
        ):
            what = f"the value of variable `{name}`"
            self.found.append(rules.line_feed_tolerated(Own(what), variable.at("value")))

    # -- fodder -----------------------------------------------------------------------------

    def fodder(self, fodder_entries: Sequence[Fodder], *, specification: bool) -> None:
        before = len(self.found)
        for fodder in fodder_entries:
            self.entry(fodder, specification=specification)
            if (
                not fodder.remove
                and blank(fodder.source)
                and _blank_content(fodder)
                and not self._could_not_be_read(fodder)
                and not blank(fodder.name)
            ):
                self.found.append(
                    rules.no_content(name_of(fodder), fodder.at("name"), in_gene=False)
                )
        if not any(d.level is Level.ERROR for d in self.found[before:]):
            if not specification:
                self.unique_keys(fodder_entries)
            self.one_tag(fodder_entries)

    def entry(self, fodder: Fodder, *, specification: bool = False) -> None:
        self.name(fodder, "name", names.FODDER, fodder.name)
        source = None if blank(fodder.source) else fodder.source
        if source is not None:
            self.fodder_source(fodder, source)
        if blank(fodder.name) and source is None and not self._could_not_be_read(fodder):
            self.found.append(rules.nothing_named(fodder.at()))
        given = [
            key
            for key, is_given in (
                ("type", not blank(fodder.type)),
                ("content", not _blank_content(fodder)),
                ("filename", not blank(fodder.filename)),
                ("secret", fodder.secret is not None),
            )
            if is_given
        ]
        if fodder.remove:
            for key in given:
                self.found.append(rules.not_on_removal(Own(key), fodder.at(key)))
        elif source is not None and not specification:
            for key in given:
                self.found.append(
                    rules.not_on_reference(
                        Own(key), named(source, fodder.place("source")), fodder.at(key)
                    )
                )
        if fodder.type is not None and not blank(fodder.type) and fodder.type not in FODDER_TYPES:
            self.found.append(
                rules.unknown_fodder_type(
                    named(fodder.type), tuple(map(Own, FODDER_TYPES)), fodder.at("type")
                )
            )
        if fodder.filename is not None and not blank(fodder.filename):
            reason = file_name_fault(fodder.filename)
            if reason is not None:
                self.found.append(
                    rules.bad_file_name(named(fodder.filename), Said(reason), fodder.at("filename"))
                )
        if fodder.remove and fodder.variables:
            self.found.append(rules.not_on_removal(own("variables"), fodder.at("variables")))
        self.variables(fodder.variables or (), reserved=not specification)
        if source is not None and not specification:
            for variable in fodder.variables or ():
                if variable.required is not None:
                    at = variable.at("required")
                    self.found.append(
                        rules.not_on_reference(
                            own("required"), named(source, fodder.place("source")), at
                        )
                    )
                if variable.type is not None:
                    at = variable.at("type")
                    self.found.append(
                        rules.not_on_reference(
                            own("type"), named(source, fodder.place("source")), at
                        )
                    )

    def fodder_source(self, fodder: Fodder, source: str) -> None:
        if parse_set_source(source) is not None:
            return
        parsed = parse_gene(source)
        if isinstance(parsed, NameFault):
            help_text: Words | None = None
            if not source.startswith("gene:"):
                fixed = "gene:" + source[5:] if source[:5].lower() == "gene:" else "gene:" + source
                if not isinstance(parse_gene(fixed), NameFault) or parse_set_source(fixed):
                    help_text = own("write `{}`", named(fixed))
            span = part_at(fodder, "source", source, parsed)
            self.found.append(rules.bad_gene(own("source"), Said(parsed.message), span, help_text))

    def unique_keys(self, fodder_entries: Sequence[Fodder]) -> None:
        seen: dict[tuple[str | None, str | None], Fodder] = {}
        for fodder in fodder_entries:
            name = None if blank(fodder.name) else (fodder.name or "").lower()
            source = _key_source(fodder)
            if name is None and blank(fodder.source):
                # Its fault was reported by reading, or as one of the entry itself.
                continue
            if name is None and source is None:
                self.found.append(
                    rules.catlet_source_unnamed(name_of(fodder, "source"), fodder.at("source"))
                )
                continue
            first = seen.get((name, source))
            if first is None:
                seen[name, source] = fodder
            else:
                keys = [key for key in ("name", "source") if getattr(fodder, key)]
                shown = joined((name_of(fodder, each) for each in keys), " of ")
                key = "name" if fodder.name else "source"
                self.found.append(
                    rules.not_unique(own("fodder"), shown, fodder.at(key), first.at(key))
                )

    def one_tag(self, fodder_entries: Sequence[Fodder]) -> None:
        first: dict[str, tuple[GeneSetId, Fodder]] = {}
        for fodder in fodder_entries:
            geneset = _gene_set(fodder)
            if geneset is None:
                continue
            known, where = first.setdefault(geneset.without_tag, (geneset, fodder))
            if known.tag != geneset.tag:
                self.found.append(
                    rules.two_tags(
                        named(geneset.without_tag),
                        (named(known.tag, where.place("source")), named(geneset.tag)),
                        fodder.at("source"),
                        where.at("source"),
                    )
                )

    # -- the fodder gene --------------------------------------------------------------------

    def fodder_gene(self, gene: FodderGene) -> None:
        self.required_name(gene, "fodder gene", names.GENE, gene.name)
        if gene.name is not None and gene.name.lower() == "catlet":
            self.found.append(rules.reserved_gene_name(gene.at("name")))
        if not gene.fodder and not self._unread:
            self.found.append(rules.gene_without_fodder(gene.at("fodder")))
        before = len(self.found)
        for fodder in gene.fodder or ():
            self.gene_fodder(fodder)
        if not any(d.level is Level.ERROR for d in self.found[before:]):
            self.unique("fodder", ((fodder, fodder.name) for fodder in gene.fodder or ()))
        self.variables(gene.variables or ())

    def gene_fodder(self, fodder: Fodder) -> None:
        if blank(fodder.name) and not self._could_not_be_read(fodder):
            self.found.append(
                rules.required(own("name"), own("fodder entry of a gene"), fodder.at("name"))
            )
        if not blank(fodder.source):
            at = fodder.at("source")
            self.found.append(
                rules.gene_fodder_source(name_of(fodder), name_of(fodder, "source"), at)
            )
            return
        if fodder.variables is not None:
            self.found.append(rules.gene_fodder_variables(name_of(fodder), fodder.at("variables")))
        if fodder.remove:
            self.found.append(rules.remove_in_gene(name_of(fodder), fodder.at("remove")))
        if blank(fodder.name):
            return
        self.entry(fodder)
        if not fodder.remove and _blank_content(fodder) and not self._could_not_be_read(fodder):
            self.found.append(rules.no_content(name_of(fodder), fodder.at("name"), in_gene=True))


def _blank_content(fodder: Fodder) -> bool:
    return fodder.content is None or blank(fodder.content.text)


def _gene_set(fodder: Fodder) -> GeneSetId | None:
    if fodder.source is None or blank(fodder.source):
        return None
    parsed = parse_gene(fodder.source)
    return parsed.geneset if isinstance(parsed, GeneId) else parse_set_source(fodder.source)


def _key_source(fodder: Fodder) -> str | None:
    """The part of the fodder key that is a source: none for a catlet gene."""
    if fodder.source is None or blank(fodder.source):
        return None
    parsed = parse_gene(fodder.source)
    if isinstance(parsed, GeneId):
        return None if parsed.name == "catlet" else str(parsed)
    geneset = parse_set_source(fodder.source)
    return f"gene:{geneset}" if geneset is not None else None


def part_at(record: Record, key: str, text: str, fault: NameFault) -> Span | None:
    """The characters at fault where the value is written as it is read, else all of it."""
    span = record.at(key)
    if span is None:
        return None
    at = span.text.find(text)
    if at == -1 or fault.end <= fault.start:
        return span
    return Span(span.source, span.start + at + fault.start, span.start + at + fault.end)
