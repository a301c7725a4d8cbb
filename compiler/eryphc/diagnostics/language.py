"""E04xx: what is wrong with inheritance, feeding and the values of variables."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from eryphc.diagnostics.model import Code, Diagnostic, Label, Level, wording
from eryphc.diagnostics.rules import TWO_TAGS
from eryphc.diagnostics.said import Own, Words
from eryphc.diagnostics.words import did_you_mean, listed
from eryphc.origin import Outside
from eryphc.source import Span

PEDIGREE_CIRCLE = Code("E0401", "pedigree-circle")
PEDIGREE_TOO_LONG = Code("E0402", "pedigree-too-long")
NAME_TWICE = Code("E0403", "name-twice")
NAME_MISSING = Code("E0404", "name-missing")
GENE_DRIVE_TYPE = Code("E0406", "gene-drive-type")
ADAPTER_CLASH = Code("E0407", "adapter-clash")
SUBNET_UNNAMED = Code("E0408", "subnet-unnamed")
FODDER_NOT_FOUND = Code("E0409", "food-not-found")
BINDING_UNKNOWN = Code("E0410", "binding-unknown")
VARIABLE_UNKNOWN = Code("E0411", "variable-unknown")
REFERENCE_INVALID = Code("E0412", "reference-invalid")
VALUE_MISSING = Code("E0413", "value-missing")
VALUE_UNFIT = Code("E0414", "value-unfit")
GIVEN_UNKNOWN = Code("E0415", "given-unknown")
GIVEN_TWICE = Code("E0416", "given-twice")
GIVEN_SYSTEM = Code("E0417", "given-system")
GIVEN_UNFIT = Code("E0418", "given-unfit")
FODDER_UNNAMED = Code("E0419", "food-unnamed")
REMOVAL_APPLIED = Code("N0420", "removal-applied")
REMOVAL_INHERITED = Code("W0421", "removal-inherited")
VALUE_STOOD_IN = Code("N0424", "value-stood-in")
REMOVAL_WITHOUT_EFFECT = Code("W0426", "removal-without-effect")
BINDINGS_DROPPED = Code("N0427", "bindings-dropped")
SUBSTITUTED_TOO_LARGE = Code("E0422", "substituted-too-large")

NAMELESS = (NAME_MISSING, FODDER_UNNAMED, SUBNET_UNNAMED)
_RULES = {
    "boolean": "a boolean is exactly `true` or `false`",
    "number": "a number has one to nine digits, a `-` in front and three decimals at most",
}
ESCAPE = "{{ '{{' }}"


def _place(span: Span | None, message: str = "") -> Label | None:
    return Label(span, message) if span is not None else None


@wording
def pedigree_circle(chain: Sequence[Words], span: Span | None) -> Diagnostic:
    return Diagnostic(
        code=PEDIGREE_CIRCLE,
        level=Level.ERROR,
        message=f"a catlet is its own ancestor: {' → '.join(f'`{name}`' for name in chain)}",
        primary=_place(span, "this parent closes the circle"),
    )


@wording
def pedigree_too_long(chain: Sequence[Words], limit: int, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code=PEDIGREE_TOO_LONG,
        level=Level.ERROR,
        message=f"a catlet has at most {limit} ancestors, and this is one more: "
        + " → ".join(f"`{name}`" for name in chain),
        primary=_place(span, "one ancestor too many"),
    )


@wording
def name_twice(kind: Words, name: Words, span: Span | None, first: Span | None) -> Diagnostic:
    return Diagnostic(
        code=NAME_TWICE,
        level=Level.ERROR,
        message=f"two entries of `{kind}` are called `{name}`",
        primary=_place(span, "the second"),
        related=(Label(first, "the first"),) if first is not None else (),
    )


@wording
def name_missing(kind: Words, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code=NAME_MISSING,
        level=Level.ERROR,
        message=f"an entry of `{kind}` has no name",
        primary=_place(span, "needs a `name`"),
    )


@wording
def two_tags(
    geneset: Words, tags: tuple[Words, Words], span: Span | None, first: Span | None
) -> Diagnostic:
    return Diagnostic(
        code=TWO_TAGS,
        level=Level.ERROR,
        message=f"the gene set `{geneset}` is used with two tags in one pedigree: "
        f"`{tags[0]}` and `{tags[1]}`",
        primary=_place(span, f"`{tags[1]}` here"),
        related=(Label(first, f"`{tags[0]}` here"),) if first is not None else (),
        help=f"use one tag of `{geneset}` everywhere",
    )


@wording
def gene_drive_type(name: Words, source: Words, kind: Words, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code=GENE_DRIVE_TYPE,
        level=Level.ERROR,
        message=f"the drive `{name}` inherits the source `{source}`, which needs the type `vhd`, "
        f"not `{kind}`",
        primary=_place(span, "not `vhd`"),
        help="`mutation: overwrite` drops what is inherited, the source too",
    )


@wording
def adapter_clash(
    adapter: Words,
    networks: tuple[Words, Words],
    span: Span | None,
    first: Span | None,
    free: Words,
) -> Diagnostic:
    return Diagnostic(
        code=ADAPTER_CLASH,
        level=Level.ERROR,
        message=f"the networks `{networks[0]}` and `{networks[1]}` use the same adapter "
        f"`{adapter}`; adapter names are unique (`adapter_name`)",
        primary=_place(span, f"gets `{adapter}`"),
        related=(Label(first, f"has `{adapter}`"),) if first is not None else (),
        notes=("a network without `adapter_name` gets `eth` and its place in the list, from 0",),
        help=f"`adapter_name: {free}` is free",
    )


@wording
def subnet_unnamed(network: Words, key: Words, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code=SUBNET_UNNAMED,
        level=Level.ERROR,
        message=f"the subnet `{key}` of the network `{network}` has no name",
        primary=_place(span, "needs a `name`"),
        help="name the subnet, which an `ip_pool` belongs to; the usual one is `default`",
    )


@wording
def fodder_not_found(
    fodder: Words, gene: Words, span: Span | None, known: Sequence[Words]
) -> Diagnostic:
    return Diagnostic(
        code=FODDER_NOT_FOUND,
        level=Level.ERROR,
        message=f"the gene `{gene}` has no fodder entry `{fodder}`",
        primary=_place(span, "not in the gene"),
        notes=(f"its fodder entries are {listed(known)}",) if known else (),
        help=did_you_mean(fodder, known),
    )


@wording
def binding_unknown(
    variable: Words, gene: Words, fodder: Words | None, span: Span | None, known: Sequence[Words]
) -> Diagnostic:
    asked = f" (fodder entry `{fodder}`)" if fodder else ""
    return Diagnostic(
        code=BINDING_UNKNOWN,
        level=Level.ERROR,
        message=f"the gene `{gene}`{asked} has no variable `{variable}`",
        primary=_place(span, "bound here"),
        notes=(f"its variables are {listed(known)}" if known else "it has no variables",),
        help=did_you_mean(variable, known),
    )


@wording
def variable_unknown(
    variable: Words,
    where: Words,
    span: Span | None,
    known: Collection[Words],
    *,
    in_value: Words | None,
    secret: bool,
) -> Diagnostic:
    """`in_value` names the variable whose value holds the reference, if one does.

    `secret` says that the text around the reference may not be shown.
    """
    place = f"the value of `{in_value}`, {where}" if in_value else where
    only = "a value may use variables of the catlet only" if in_value else None
    return Diagnostic(
        code=VARIABLE_UNKNOWN,
        level=Level.ERROR,
        message=f"there is no variable `{variable}`, which {place} refers to",
        primary=_place(span, "no such variable"),
        notes=(only,) if only else (),
        help=did_you_mean(variable, known)
        or f"declare it under `variables`, or write `{ESCAPE}` for a `{{{{` of the text",
        secret=secret,
    )


@wording
def reference_invalid(
    run: Words, where: Words, span: Span | None, *, in_value: Words | None, secret: bool
) -> Diagnostic:
    """`secret` says that the text around the reference may not be shown."""
    place = f"the value of `{in_value}`, {where}" if in_value else where
    if secret and in_value:
        what = "what stands between the braces is no variable name"
    elif run:
        what = f"`{run}` is no variable name"
    else:
        what = "there is no name between the braces"
    return Diagnostic(
        code=REFERENCE_INVALID,
        level=Level.ERROR,
        message=f"{place} holds an invalid reference: {what}",
        primary=_place(span, "read as a reference to a variable"),
        notes=("every `{{ word }}` is read as a variable, whatever language it is meant for",),
        help=f"write `{ESCAPE}` where the text shall have `{{{{`",
        secret=secret,
    )


@wording
def value_missing(
    variable: Words,
    where: Words | None,
    span: Span | None,
    declared: Span | None,
    dropped: Span | None = None,
) -> Diagnostic:
    """`dropped` is where an ancestor binds it, in a reference that a younger one replaces."""
    of = f" of {where}" if where else ""
    related: list[Label] = []
    if declared and declared != span:
        related.append(Label(declared, "required here"))
    if dropped is not None:
        words = "an ancestor binds it here, and this reference drops that"
        related.append(Label(dropped, words))
    if span is not None and span.text.lower() == variable:
        variable = Own(span.text)  # as its author spells it
    if where:
        hint = f"bind `{variable}` under `variables` of the reference"
    else:
        hint = f"give it with `--var {variable}=...`"
    return Diagnostic(
        code=VALUE_MISSING,
        level=Level.ERROR,
        message=f"the required variable `{variable}`{of} has no value",
        primary=_place(span, "needs a value"),
        related=tuple(related),
        help=hint,
    )


@wording
def value_stood_in(variable: Words, span: Span | None) -> Diagnostic:
    if span is not None and span.text.lower() == variable:
        variable = Own(span.text)  # as its author spells it
    return Diagnostic(
        code=VALUE_STOOD_IN,
        level=Level.NOTE,
        message=f"the required variable `{variable}` has no value; a stand-in is checked instead",
        primary=_place(span, "a build needs a value"),
        notes=("what is found about the stand-in is not reported",),
        help=f"give it with `--var {variable}=...`",
    )


@wording
def value_unfit(
    variable: Words,
    where: Words | None,
    kind: Words,
    value: Words | None,
    span: Span | None,
    declared: Span | None = None,
) -> Diagnostic:
    """`value` is None where it is secret and so may not be shown."""
    of = f" of {where}" if where else ""
    shown = f" `{value}`" if value is not None else ""
    rule = _RULES.get(kind)
    related = (Label(declared, f"declared as {kind} here"),) if declared else ()
    return Diagnostic(
        code=VALUE_UNFIT,
        level=Level.ERROR,
        message=f"the value{shown} of the variable `{variable}`{of} is no {kind}",
        primary=_place(span, f"not a {kind}"),
        related=related,
        notes=(rule,) if rule else (),
    )


@wording
def given_unknown(
    variable: Words, known: Collection[Words], outside: Outside | None = None
) -> Diagnostic:
    return Diagnostic(
        code=GIVEN_UNKNOWN,
        level=Level.ERROR,
        message=f"a value is given for `{variable}`, but the catlet has no such variable",
        primary=None if outside is None else _place(outside.span, "given here"),
        notes=(f"its variables are {listed(sorted(known))}",) if known else (),
        help=did_you_mean(variable, known),
    )


@wording
def given_twice(names: Sequence[Words]) -> Diagnostic:
    return Diagnostic(
        code=GIVEN_TWICE,
        level=Level.ERROR,
        message=f"values are given for {listed(names)}, which are the same variable",
        help="the letter case of a name does not matter; give one value",
    )


@wording
def given_system(variable: Words) -> Diagnostic:
    option = "--catlet-id" if variable.lower() == "catletid" else "--vm-id"
    return Diagnostic(
        code=GIVEN_SYSTEM,
        level=Level.ERROR,
        message=f"`{variable}` is a system variable and cannot be given a value",
        help=f"use {option}",
    )


@wording
def given_unfit(
    variable: Words,
    kind: Words,
    value: Words | None,
    declared: Span | None,
    outside: Outside | None = None,
) -> Diagnostic:
    """`value` is None where it is secret and so may not be shown. `outside` is how it was given."""
    shown = f" `{value}`" if value is not None else ""
    label = _place(declared, f"declared as {kind}")
    by = f" by {outside.name}" if outside is not None and outside.span is None else ""
    given = None if outside is None else _place(outside.span, f"no {kind}")
    return Diagnostic(
        code=GIVEN_UNFIT,
        level=Level.ERROR,
        message=f"the value{shown} given{by} for the variable `{variable}` is no {kind}",
        primary=given if outside is not None else label,
        related=() if outside is None or label is None else (label,),
        notes=(_RULES[kind],) if kind in _RULES else (),
    )


@wording
def fodder_unnamed(source: Words, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code=FODDER_UNNAMED,
        level=Level.ERROR,
        message=f"a fodder entry with the catlet gene `{source}` as source needs a name",
        primary=_place(span, "which fodder entry?"),
    )


@wording
def removal_applied(
    removal: Words, fodder_entries: Sequence[Words], span: Span | None
) -> Diagnostic:
    noun = "the fodder entries" if len(fodder_entries) > 1 else "the fodder entry"
    what = f"{noun} {listed(fodder_entries)}"
    return Diagnostic(
        code=REMOVAL_APPLIED,
        level=Level.NOTE,
        message=f"the removal of `{removal}` takes out {what}, which another entry asks for",
        primary=_place(span, "removes it"),
        notes=("eryph itself keeps it, as its removals only meet entries with the same key",),
        help="`--compat eryph` gives that result",
    )


@wording
def removal_inherited(reference: Words, span: Span | None, removed: Span | None) -> Diagnostic:
    return Diagnostic(
        code=REMOVAL_INHERITED,
        level=Level.WARNING,
        message=f"`{reference}` stays removed, as an ancestor removes it",
        primary=_place(span, "has no effect"),
        related=(Label(removed, "removed here"),) if removed is not None else (),
        help="write `remove: false` to bring it back",
    )


@wording
def removal_without_effect(
    kind: Words, removal: Words, span: Span | None, known: Sequence[Words]
) -> Diagnostic:
    """`known` is what could have been removed."""
    return Diagnostic(
        code=REMOVAL_WITHOUT_EFFECT,
        level=Level.WARNING,
        message=f"the removal of the {kind} `{removal}` removes nothing: there is no such {kind}",
        primary=_place(span, "removes nothing"),
        notes=(f"what is inherited or fed is {listed(known)}",) if known else (),
        help=did_you_mean(removal, known),
    )


@wording
def bindings_dropped(
    reference: Words, names: Sequence[Words], span: Span | None, bound: Sequence[Span | None]
) -> Diagnostic:
    """`bound` is where an ancestor binds each of `names`."""
    noun = "the binding" if len(names) == 1 else "the bindings"
    return Diagnostic(
        code=BINDINGS_DROPPED,
        level=Level.NOTE,
        message=f"this reference to `{reference}` drops {noun} {listed(names)} of its parent",
        primary=_place(span, "replaces the parent's `variables`"),
        related=tuple(Label(place, "was bound here") for place in bound if place is not None),
        notes=("a reference takes its own `variables` whole, and none of an ancestor",),
        help="bind them here again, if they are meant to stay",
    )


@wording
def substituted_too_large(name: Words, where: Words, limit: int, span: Span | None) -> Diagnostic:
    """`name` is the variable whose value was one too many."""
    return Diagnostic(
        code=SUBSTITUTED_TOO_LARGE,
        level=Level.ERROR,
        message=f"with the values of variables inserted the fodder is larger than "
        f"{limit // (1024 * 1024)} MiB, at `{name}` in {where}",
        primary=_place(span),
    )
