"""W0422 to W0429 and E0575: values that do not arrive as the one value that they are.

Source: docs/reference/language.md, "Values in context".
"""

from __future__ import annotations

from eryphc.diagnostics.model import Code, Diagnostic, Label, finding, wording
from eryphc.diagnostics.said import Words
from eryphc.source import Span

VALUE_BREAKS_OUT = Code("E0575", "value-breaks-out", soft=True)
VALUE_CHANGES_TYPE = Code("W0422", "value-changes-type")
VALUE_BREAKS_QUOTING = Code("W0423", "value-breaks-quoting")
VALUE_NOT_HELD = Code("W0428", "value-not-held")
REFERENCE_NOT_REPLACED = Code("W0425", "reference-not-replaced")
TEMPLATE_MARKER_WRONG = Code("W0429", "template-marker-wrong")


@wording
def value_breaks_out(
    variable: Words,
    fodder: Words,
    read: Words,
    holds: Words,
    span: Span | None,
    related: tuple[Label, ...],
    came: Words | None = None,
    *,
    quoted: bool = False,
) -> Diagnostic:
    """`read` says what the guest reads then, `holds` which quoting takes the value.

    `quoted`: the reference stands in quotes of YAML.
    """
    return finding(
        VALUE_BREAKS_OUT,
        f"the value of `{variable}` breaks out of its place in `{fodder}`: {read}",
        span,
        "the quotes do not hold it" if quoted else "does not stay one value",
        related=related,
        notes=() if came is None else (came,),
        help=holds,
    )


@wording
def value_changes_type(
    variable: Words,
    fodder: Words,
    read: Words,
    span: Span | None,
    related: tuple[Label, ...],
    came: Words | None = None,
) -> Diagnostic:
    return finding(
        VALUE_CHANGES_TYPE,
        f"the value of `{variable}` does not arrive as its text in `{fodder}`: {read}",
        span,
        "not read as text",
        related=related,
        notes=() if came is None else (came,),
        help=f"write `'{{{{ {variable} }}}}'` where text is meant",
    )


@wording
def value_breaks_quoting(
    variable: Words,
    fodder: Words,
    holds: Words,
    place: Words,
    remedy: Words,
    span: Span | None,
    related: tuple[Label, ...],
    came: Words | None = None,
) -> Diagnostic:
    """`holds` names the kind of character and what it does in its `place`."""
    return finding(
        VALUE_BREAKS_QUOTING,
        f"the value of `{variable}` does not stay one value in the script `{fodder}`: "
        f"it holds {holds}",
        span,
        place,
        related=related,
        notes=() if came is None else (came,),
        help=remedy,
    )


@wording
def value_not_held(
    variable: Words, fodder: Words, signs: Words, remedy: Words, span: Span | None
) -> Diagnostic:
    """`signs` are kinds of characters, of which each would break the place."""
    return finding(
        VALUE_NOT_HELD,
        f"a value of `{variable}` with {signs} would not stay one value in `{fodder}`",
        span,
        "does not hold every value",
        help=remedy,
    )


@wording
def filter_not_applied(variable: Words, where: Words, span: Span | None) -> Diagnostic:
    return finding(
        REFERENCE_NOT_REPLACED,
        f"{where} refers to `{variable}` with more than its name, so nothing is replaced there",
        span,
        "reaches the guest as text",
        notes=("a reference is a name alone; there are no filters and no expressions",),
        help=f"write `{{{{ {variable} }}}}`",
    )


@wording
def template_marker_wrong(where: Words, span: Span | None) -> Diagnostic:
    return finding(
        TEMPLATE_MARKER_WRONG,
        f"the first line of {where} does not make its text a template",
        span,
        "an ordinary comment",
        notes=("no guest renders the text: references in it are those of variables",),
        help="write `## template: jinja`, with these blanks and nothing behind them",
    )


@wording
def key_not_replaced(reference: Words, key: Words, span: Span | None) -> Diagnostic:
    return finding(
        REFERENCE_NOT_REPLACED,
        f"`{reference}` is not replaced in the key `{key}`, where it is text like any other",
        span,
        "stays as it is",
        notes=("variables are replaced in `content` of fodder, and in values that are bound",),
    )


@wording
def value_not_replaced(
    reference: Words, variable: Words, where: Words, span: Span | None, value: Span | None
) -> Diagnostic:
    return finding(
        REFERENCE_NOT_REPLACED,
        f"the value of `{variable}` holds `{reference}`, which is not replaced: "
        f"it reaches {where} as text",
        span,
        "inserted as it is",
        related=(Label(value, "the value"),) if value is not None and value != span else (),
        notes=("the text of a value is inserted once, and not searched for references again",),
    )
