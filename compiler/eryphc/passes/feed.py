"""Replaces references to fodder genes by the fodder entries of these genes.

Removals act on the references of their own and of older documents.
Source: docs/reference/language.md, "Feeding", "Removals".
"""

from __future__ import annotations

from collections.abc import Sequence

from eryphc.diagnostics import language
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.diagnostics.said import name_of, named, own
from eryphc.frozen import replace
from eryphc.genepool.model import GenePool
from eryphc.identifiers import Architecture, GeneId
from eryphc.ir.catlet import ConfigType, Fodder, FodderGene, Places, Variable
from eryphc.ir.compat import Compat
from eryphc.ir.stages import Bred, Fed
from eryphc.origin import DEFAULTED, Origin, Step
from eryphc.passes.collect import collect
from eryphc.passes.fodder_keys import FodderKey, gene_of, key_of, merge_fodder
from eryphc.passes.genes import ReadGene
from eryphc.passes.memory import PassMemory
from eryphc.passes.places import chained, defaulted, part, rooted
from eryphc.source import Span
from eryphc.syntax.names import blank


def feed(
    bred: Bred,
    pools: GenePool,
    architecture: Architecture,
    compat: Compat = Compat.ERYPHC,
    memory: PassMemory | None = None,
) -> Outcome[Fed]:
    """Expand every reference and pin the closure.

    Fodder entries of genes keep the spelling of their author. Errors: genes that are missing or do
    not fit the architecture, what reading them finds, fodder entries and variables that a gene does
    not have.
    """
    if bred.catlet.config_type in (ConfigType.SPECIFICATION, ConfigType.INSTANCE):
        return Outcome(Fed(catlet=bred.catlet, pedigree=bred.pedigree, genes=()))
    root = bred.pedigree.root
    memory = memory or PassMemory()
    closure = collect(bred, pools, architecture, memory)
    found = list(closure.diagnostics)
    if closure.value is None:
        return Outcome(None, rooted(found, root))
    fodder_entries: list[Fodder] = []
    for entry in bred.catlet.fodder or ():
        gene = gene_of(entry)
        text = closure.value.fodder.get(gene) if gene is not None else None
        if gene is None or text is None:
            fodder_entries.append(entry)
        else:
            read = memory.fodder_gene(text)
            fodder_entries.extend(_expand(entry, gene, read, found))
    _report_idle(bred, fodder_entries, compat, found)
    if compat is Compat.ERYPHC:
        fodder_entries = _without_removed(fodder_entries, bred.removals, found)
    if has_errors(found):
        return Outcome(None, rooted(found, root))
    catlet = replace(
        bred.catlet,
        config_type=ConfigType.SPECIFICATION,
        places=defaulted(bred.catlet, "config_type"),
        fodder=None if bred.catlet.fodder is None else _merged(fodder_entries),
    )
    fed = Fed(catlet=catlet, pedigree=bred.pedigree, genes=closure.value.genes)
    return Outcome(fed, rooted(found, root))


def _expand(
    entry: Fodder, gene: GeneId, text: ReadGene[FodderGene], found: list[Diagnostic]
) -> list[Fodder]:
    """The fodder entries that `entry` asks for, bound."""
    reference = entry.origin("source")
    whole = Span(text.source, 0, len(text.source.text))
    document = Origin(whole, Step.FED, gene=gene, via=reference)
    read = text.outcome
    found.extend(chained(read.diagnostics, document))
    if read.value is None:
        return []
    faults: list[Diagnostic] = []
    variables = _bind(entry, gene, read.value, document, faults)
    # The reference names the gene, and the gene has the variables of its fodder entries.
    places: Places = {
        "source": reference,
        "variables": read.value.places.get("variables", DEFAULTED),
    }
    fodder_entries = _chosen(entry, gene, read.value, faults)
    if faults:
        found.extend(chained(faults, entry.text_origin))
    return [
        replace(
            fodder,
            source=str(gene),
            variables=variables,
            depth=entry.depth,
            document=document,
            places={**fodder.places, **places},
        )
        for fodder in fodder_entries
    ]


def _chosen(
    entry: Fodder, gene: GeneId, document: FodderGene, faults: list[Diagnostic]
) -> Sequence[Fodder]:
    fodder_entries = document.fodder or ()
    name = entry.name
    if name is None or blank(name):
        return fodder_entries
    for fodder in fodder_entries:
        if (fodder.name or "").lower() == name.lower():
            return (fodder,)
    known = [fodder.name for fodder in fodder_entries if fodder.name]
    span = part(entry, "name", name, name)
    faults.append(
        language.fodder_not_found(name_of(entry), named(str(gene)), span, tuple(map(named, known)))
    )
    return ()


def _bind(
    entry: Fodder, gene: GeneId, read: FodderGene, document: Origin, faults: list[Diagnostic]
) -> tuple[Variable, ...]:
    """The variables of the gene with the values of the reference. Every binding must fit one."""
    declared = {(v.name or "").lower(): v for v in read.variables or ()}
    bindings: dict[str, Variable] = {}
    for binding in entry.variables or ():
        name = (binding.name or "").lower()
        if name in declared:
            bindings.setdefault(name, binding)
            continue
        if blank(binding.name):
            # Reading has said that it has no name.
            continue
        known = [v.name for v in read.variables or () if v.name]
        # A name that an option gives stands in no document.
        written = binding.place("name")
        faults.append(
            language.binding_unknown(
                named(written.text.strip("'\"") if written is not None else binding.name or ""),
                named(str(gene)),
                name_of(entry) if entry.name else None,
                binding.at("name"),
                tuple(map(named, known)),
            )
        )
    return tuple(
        _bound(variable, bindings.get((variable.name or "").lower()), document)
        for variable in read.variables or ()
    )


def _bound(variable: Variable, binding: Variable | None, document: Origin) -> Variable:
    if binding is None:
        return replace(variable, document=document)
    secret: bool | None = None
    if variable.secret or binding.secret:
        secret = True
    elif variable.secret is False and binding.secret is False:
        secret = False
    places = dict(variable.places)
    if binding.secret and not variable.secret:
        places["secret"] = binding.origin("secret")
    value = variable.value
    if binding.value is not None:
        value, places["value"] = binding.value, _bound_value(binding)
    return replace(variable, value=value, secret=secret, places=places, document=document)


def _bound_value(binding: Variable) -> Origin:
    """The origin of a value that a reference gives; via the binding where an ancestor wrote it."""
    origin = binding.origin("value")
    if origin.span is None:
        return origin
    via = None if binding.document is None else binding.origin()
    return origin._replace(step=Step.BOUND, via=via)


def _report_idle(
    bred: Bred, fodder_entries: Sequence[Fodder], compat: Compat, found: list[Diagnostic]
) -> None:
    """Warn of removals that remove nothing: no older entry has their key, and none was fed."""
    for removal in bred.removals:
        key = key_of(removal)
        if compat is Compat.ERYPHC and any(
            _removes(key, removal.depth, fodder) for fodder in fodder_entries
        ):
            continue
        older = (
            fodder
            for document in bred.pedigree.documents
            if document.depth > removal.depth
            for fodder in document.catlet.fodder or ()
        )
        if any(key_of(fodder) == key and not fodder.remove for fodder in older):
            continue
        fed = [fodder for fodder in fodder_entries if gene_of(fodder) is not None]
        if key.name is None:
            kind, said = own("gene"), named(key.source or "", removal.at("source"))
            known = dict.fromkeys(str(gene_of(fodder)) for fodder in fed)
        else:
            kind, said = own("fodder entry"), name_of(removal)
            known = dict.fromkeys(
                fodder.name or "" for fodder in fed if key_of(fodder).source == key.source
            )
        warning = language.removal_without_effect(
            kind, said, removal.at("remove"), tuple(map(named, known))
        )
        found.extend(chained((warning,), removal.text_origin))


def _without_removed(
    fodder_entries: Sequence[Fodder], removals: Sequence[Fodder], found: list[Diagnostic]
) -> list[Fodder]:
    """Drop the entries that a removal of the same or of a younger document names, and report it."""
    left = list(fodder_entries)
    for removal in removals:
        key = key_of(removal)
        taken = [fodder for fodder in left if _removes(key, removal.depth, fodder)]
        if not taken:
            continue
        left = [fodder for fodder in left if not _removes(key, removal.depth, fodder)]
        names = [name_of(fodder) for fodder in taken]
        span = removal.at("remove")
        found.extend(
            chained(
                (language.removal_applied(named(str(key), removal.at()), names, span),),
                removal.text_origin,
            )
        )
    return left


def _removes(removal: FodderKey, depth: int, fodder: Fodder) -> bool:
    other = key_of(fodder)
    return (
        fodder.depth >= depth
        and other.source == removal.source
        and removal.name in (None, other.name)
    )


def _merged(fodder_entries: Sequence[Fodder]) -> tuple[Fodder, ...]:
    """Fodder entries with one key become one, where the first of them stands."""
    merged: dict[FodderKey, Fodder] = {}
    for fodder in fodder_entries:
        key = key_of(fodder)
        merged[key] = merge_fodder(merged[key], fodder) if key in merged else fodder
    return tuple(merged.values())
