"""E02xx: which rule of the language a catlet or a fodder gene breaks."""

from __future__ import annotations

from collections.abc import Collection

from eryphc.diagnostics.model import Code, Diagnostic, Label, finding, wording
from eryphc.diagnostics.reading import NOT_A_NUMBER
from eryphc.diagnostics.said import Words
from eryphc.diagnostics.words import clipped, close_matches
from eryphc.source import Span

BAD_NAME = Code("E0201", "bad-name")
REQUIRED = Code("E0202", "required")
NOT_UNIQUE = Code("E0203", "not-unique")
TOO_MANY = Code("E0204", "too-many")
OUT_OF_RANGE = Code("E0205", "out-of-range")
MEMORY_RELATION = Code("E0206", "memory-relation")
BAD_GENE_SET = Code("E0207", "bad-gene-set")
BAD_GENE = Code("E0208", "bad-gene")
BAD_PATH = Code("E0209", "bad-path")
GENE_NEEDS_VHD = Code("E0210", "gene-needs-vhd")
BAD_MAC = Code("E0211", "bad-mac-address")
NOTHING_NAMED = Code("E0212", "fodder-names-nothing")
NOT_ON_REMOVAL = Code("E0213", "not-on-a-removal")
NOT_ON_REFERENCE = Code("E0214", "not-on-a-reference")
UNKNOWN_FODDER_TYPE = Code("E0215", "unknown-fodder-type")
BAD_FILE_NAME = Code("E0216", "bad-file-name")
NO_CONTENT = Code("E0217", "no-content")
TWO_TAGS = Code("E0218", "two-tags")
RESERVED_VARIABLE = Code("E0219", "reserved-variable")
VALUE_DOES_NOT_FIT = Code("E0220", "value-does-not-fit")
CATLET_SOURCE_UNNAMED = Code("E0221", "catlet-source-unnamed")
GENE_FODDER_SOURCE = Code("E0222", "source-inside-a-gene")
GENE_FODDER_VARIABLES = Code("E0223", "variables-inside-a-gene")
GENE_WITHOUT_FODDER = Code("E0224", "gene-without-food")
RESERVED_GENE_NAME = Code("E0225", "reserved-gene-name")
LINE_FEED_TOLERATED = Code("W0201", "line-feed-tolerated")
REMOVE_IN_GENE = Code("W0202", "remove-inside-a-gene")
CATLET_UNNAMED = Code("W0203", "catlet-unnamed")

# Later passes can go on in spite of these faults, to find others.
HARMLESS_LATER = frozenset(
    (
        BAD_NAME,
        NOT_A_NUMBER,
        TOO_MANY,
        OUT_OF_RANGE,
        MEMORY_RELATION,
        BAD_PATH,
        BAD_MAC,
        NOT_ON_REMOVAL,
        NOT_ON_REFERENCE,
        BAD_FILE_NAME,
        NO_CONTENT,
        VALUE_DOES_NOT_FIT,
    )
)


@wording
def bad_name(key: Words, message: Words, span: Span | None) -> Diagnostic:
    return finding(BAD_NAME, f"`{key}`: {message}", span)


@wording
def required(key: Words, record: Words, span: Span | None) -> Diagnostic:
    return finding(
        REQUIRED,
        f"`{key}` is required for every {record}",
        span,
        f"this {record} has no `{key}`",
        help=f"add `{key}:`",
    )


@wording
def not_unique(what: Words, name: Words, span: Span | None, first: Span | None) -> Diagnostic:
    related = (Label(first, "given here first"),) if first is not None else ()
    return finding(
        NOT_UNIQUE,
        f"{what} `{clipped(name)}` is given more than once (letter case does not matter)",
        span,
        "given again",
        related=related,
    )


@wording
def too_many(what: Words, limit: int, count: int, span: Span | None) -> Diagnostic:
    return finding(TOO_MANY, f"{count} {what} are given, at most {limit} are allowed", span)


@wording
def out_of_range(key: Words, value: int, rule: Words, span: Span | None) -> Diagnostic:
    return finding(OUT_OF_RANGE, f"`{key}` is {value}, and {rule}", span)


@wording
def memory_relation(
    key: Words, value: int, relation: Words, other: Words, limit: int, span: Span | None
) -> Diagnostic:
    return finding(
        MEMORY_RELATION,
        f"`memory` {key} is {value} MiB, {relation} than {other}, which is {limit} MiB",
        span,
    )


@wording
def bad_gene_set(
    key: Words, message: Words, span: Span | None, help_text: Words | None
) -> Diagnostic:
    return finding(BAD_GENE_SET, f"`{key}`: {message}", span, help=help_text)


@wording
def bad_gene(key: Words, message: Words, span: Span | None, help_text: Words | None) -> Diagnostic:
    return finding(BAD_GENE, f"`{key}`: {message}", span, help=help_text)


@wording
def bad_path(text: Words, reason: Words, span: Span | None) -> Diagnostic:
    return finding(
        BAD_PATH,
        f"the drive source `{clipped(text)}` is neither a gene (`gene:...`) nor a Windows path: "
        f"{reason}",
        span,
    )


@wording
def gene_needs_vhd(text: Words, kind: Words, span: Span | None) -> Diagnostic:
    return finding(
        GENE_NEEDS_VHD,
        f"the drive source `{clipped(text)}` is a gene, which needs a plain `vhd` drive, "
        f"not `{kind}`",
        span,
        f"this drive is a `{kind}`",
        help="remove `type`, or give a path as `source`",
    )


@wording
def bad_mac(text: Words, span: Span | None) -> Diagnostic:
    return finding(
        BAD_MAC,
        f"`{clipped(text)}` is not a MAC address: it has six pairs of hexadecimal digits",
        span,
        help="write it as 02:00:00:ab:cd:ef",
    )


@wording
def nothing_named(span: Span | None) -> Diagnostic:
    return finding(
        NOTHING_NAMED,
        "a fodder entry needs a `name` or a `source`",
        span,
        help="give it a `name` and `content`, or the `source` of a gene",
    )


@wording
def not_on_removal(key: Words, span: Span | None) -> Diagnostic:
    return finding(
        NOT_ON_REMOVAL,
        f"`{key}` must not be specified beside `remove: true`",
        span,
        "a removal only names what goes",
    )


@wording
def not_on_reference(key: Words, source: Words, span: Span | None) -> Diagnostic:
    return finding(
        NOT_ON_REFERENCE,
        f"`{key}` must not be specified on a reference: `{clipped(source)}` provides it",
        span,
        help="bind values with `variables`, each with `name` and `value` only"
        if key in ("type", "required")
        else None,
    )


@wording
def unknown_fodder_type(text: Words, known: Collection[Words], span: Span | None) -> Diagnostic:
    close = close_matches(text.lower(), known)
    return finding(
        UNKNOWN_FODDER_TYPE,
        f"`{clipped(text)}` is not a type of fodder",
        span,
        "unknown type",
        help=f"did you mean `{close[0]}`?" if close else None,
        notes=(f"types are {', '.join(f'`{name}`' for name in known)}",),
    )


@wording
def bad_file_name(text: Words, reason: Words, span: Span | None) -> Diagnostic:
    return finding(
        BAD_FILE_NAME,
        f"`filename`: `{clipped(text)}` is not a file name: {reason}",
        span,
    )


@wording
def no_content(name: Words, span: Span | None, *, in_gene: bool) -> Diagnostic:
    need = "`content`" if in_gene else "`content` or a `source`"
    return finding(NO_CONTENT, f"fodder `{clipped(name)}` has no content: it needs {need}", span)


@wording
def two_tags(
    geneset: Words, tags: tuple[Words, Words], span: Span | None, first: Span | None
) -> Diagnostic:
    related = (Label(first, f"tag `{tags[0]}` here"),) if first is not None else ()
    return finding(
        TWO_TAGS,
        f"gene set `{geneset}` is used with two tags, `{tags[0]}` and `{tags[1]}`",
        span,
        f"tag `{tags[1]}` here",
        help="use one tag of it in a document; without a tag `latest` is meant",
        related=related,
    )


@wording
def reserved_variable(name: Words, span: Span | None) -> Diagnostic:
    return finding(
        RESERVED_VARIABLE,
        f"`{name}` is a system variable and cannot be declared or bound",
        span,
        "reserved",
        help="choose another name; `{{ catletId }}` and `{{ vmId }}` can be used as they are",
    )


@wording
def value_does_not_fit(
    name: Words, value: Words | None, kind: Words, span: Span | None, *, secret: bool = False
) -> Diagnostic:
    shown = "the value" if secret or value is None else f"the value `{clipped(value)}`"
    form = (
        "exactly `true` or `false`"
        if kind == "boolean"
        else "an optional `-`, up to nine digits and at most three decimals"
    )
    return finding(
        VALUE_DOES_NOT_FIT,
        f"{shown} of variable `{clipped(name)}` is not a {kind}: a {kind} is {form}",
        span,
        f"not a {kind}",
    )


@wording
def catlet_source_unnamed(source: Words, span: Span | None) -> Diagnostic:
    return finding(
        CATLET_SOURCE_UNNAMED,
        f"`{clipped(source)}` is a catlet, so the fodder entry needs the `name` of one of its "
        "fodder entries",
        span,
        help="add `name:`, or name a fodder gene as `source`",
    )


@wording
def gene_fodder_source(name: Words, source: Words, span: Span | None) -> Diagnostic:
    return finding(
        GENE_FODDER_SOURCE,
        f"fodder `{clipped(name)}` inside a gene must not have a `source` (`{clipped(source)}`)",
        span,
        "genes do not refer to other genes",
    )


@wording
def gene_fodder_variables(name: Words, span: Span | None) -> Diagnostic:
    return finding(
        GENE_FODDER_VARIABLES,
        f"fodder `{clipped(name)}` inside a gene must not have `variables` of its own",
        span,
        help="declare them under `variables` of the gene",
    )


@wording
def gene_without_fodder(span: Span | None) -> Diagnostic:
    return finding(GENE_WITHOUT_FODDER, "a fodder gene needs at least one entry of `fodder`", span)


@wording
def reserved_gene_name(span: Span | None) -> Diagnostic:
    return finding(
        RESERVED_GENE_NAME,
        "a fodder gene must not be named `catlet`; that is the catlet gene of a gene set",
        span,
    )


@wording
def line_feed_tolerated(what: Words, span: Span | None) -> Diagnostic:
    return finding(
        LINE_FEED_TOLERATED,
        f"{what} is accepted, but it is not written in plain ASCII digits and letters on one line",
        span,
        help="a block text ends with a line feed; write the value on the line of its key",
    )


@wording
def remove_in_gene(name: Words, span: Span | None) -> Diagnostic:
    return finding(
        REMOVE_IN_GENE,
        f"`remove: true` on fodder `{clipped(name)}` inside a gene has no effect",
        span,
        help="remove the entry from the gene",
    )


@wording
def catlet_unnamed(span: Span | None) -> Diagnostic:
    return finding(
        CATLET_UNNAMED,
        "the catlet has no `name` and is called `catlet`",
        span,
        help="add `name:`, or give one with `--name`",
    )
