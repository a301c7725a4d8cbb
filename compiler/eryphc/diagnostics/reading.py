"""E01xx: what is wrong with a document as text, YAML or JSON, and with its shape."""

from __future__ import annotations

from collections.abc import Collection

from eryphc.diagnostics.model import Code, Diagnostic, Label, finding, wording
from eryphc.diagnostics.said import Words
from eryphc.diagnostics.words import clipped, close_matches
from eryphc.source import Span

NOT_YAML = Code("E0101", "not-yaml")
CHARACTER_REFUSED = Code("E0102", "character-refused")
TAB_REFUSED = Code("E0103", "tab-refused")
SECOND_DOCUMENT = Code("E0104", "second-document")
ALIAS_UNKNOWN = Code("E0105", "alias-unknown")
DOCUMENT_TOO_LARGE = Code("E0106", "document-too-large")
TOO_DEEP = Code("E0107", "too-deep")
TOO_MANY_ENTRIES = Code("E0108", "too-many-entries")
TOO_MANY_ALIASES = Code("E0109", "too-many-aliases")


@wording
def not_yaml(
    problem: Words, span: Span, context: Words | None = None, context_span: Span | None = None
) -> Diagnostic:
    message = f"the document is not valid YAML: {problem}"
    related = (Label(context_span, context),) if context and context_span else ()
    help_text = None
    if problem.startswith("mapping values are not allowed"):
        help_text = "a line may be indented too far, or a text that holds `: ` needs quotes"
    if context and context_span and not span.source.text[span.start :].strip():
        # The end of the text has no line to show; the cause is the sign that was not closed.
        ended = (Label(span, "the text ends here"),)
        return finding(NOT_YAML, message, context_span, context, related=ended, help=help_text)
    return finding(NOT_YAML, message, span, "here", related=related, help=help_text)


@wording
def character_refused(code: int, span: Span) -> Diagnostic:
    """`code` is the number of a character that cannot be printed: no word of the document."""
    name = f"U+{code:04X}"
    return finding(
        CHARACTER_REFUSED,
        f"the character {name} may not stand in a document as it is",
        span,
        "this character",
        help=f'write it inside double quotes as "\\u{code:04X}", or remove it'
        if code <= 0xFFFF
        else "remove it",
    )


@wording
def tab_refused(span: Span) -> Diagnostic:
    return finding(
        TAB_REFUSED,
        "a tab may not be used here",
        span,
        "this tab",
        help="use spaces; a tab is kept only inside quotes and literal blocks",
    )


@wording
def second_document(span: Span) -> Diagnostic:
    return finding(
        SECOND_DOCUMENT,
        "a second document begins here, and a file holds exactly one",
        span,
        "after the end of the first document",
        help="move it to a file of its own, or remove the `---` or `...` in front of it",
    )


@wording
def alias_unknown(name: Words, span: Span, known: Collection[Words]) -> Diagnostic:
    close = close_matches(name, known)
    return finding(
        ALIAS_UNKNOWN,
        f"the alias `*{name}` has no anchor `&{name}` before it",
        span,
        "no such anchor",
        help=f"did you mean `*{close[0]}`?" if close else None,
    )


@wording
def document_too_large(span: Span) -> Diagnostic:
    return finding(
        DOCUMENT_TOO_LARGE, "the document is larger than 2 MiB, the most that is read", span
    )


@wording
def too_deep(limit: int, span: Span) -> Diagnostic:
    return finding(
        TOO_DEEP, f"the document nests deeper than {limit} levels", span, "one level too deep"
    )


@wording
def too_many_entries(limit: int, span: Span) -> Diagnostic:
    return finding(
        TOO_MANY_ENTRIES, f"more than {limit:,} entries in one list or mapping", span, "too many"
    )


@wording
def too_many_aliases(limit: int, span: Span) -> Diagnostic:
    return finding(TOO_MANY_ALIASES, f"more than {limit:,} aliases in one document", span)


@wording
def too_many_directives(limit: int, span: Span) -> Diagnostic:
    return finding(
        TOO_MANY_DIRECTIVES,
        f"more than {limit} lines begin with `%`, as directives of YAML do",
        span,
    )


NOT_JSON = Code("E0110", "not-json")
EMPTY_DOCUMENT = Code("E0111", "empty-document")
WRONG_KIND = Code("E0112", "wrong-kind")
UNKNOWN_KEY = Code("E0113", "unknown-key")
KEY_NOT_TEXT = Code("E0114", "key-not-text")
NOT_A_NUMBER = Code("E0115", "not-a-number")
NOT_A_FLAG = Code("E0116", "not-a-flag")
UNKNOWN_WORD = Code("E0117", "unknown-word")
FLOW_CONTENT = Code("E0118", "flow-content")
CONTENT_DECORATED = Code("E0119", "content-decorated")
TAG_REFUSED = Code("E0120", "tag-refused")
ALIAS_REFUSED = Code("E0121", "alias-refused")
NULL_ENTRY = Code("E0122", "null-entry")
SHORTHAND_EMPTY = Code("E0123", "shorthand-empty")
EXPANDED_TOO_LARGE = Code("E0124", "expanded-too-large")
NOT_TEXT = Code("E0125", "not-text")
TOO_MANY_DIRECTIVES = Code("E0126", "too-many-directives")
OTHER_DOCUMENT = Code("E0127", "not-a-catlet")
DUPLICATE_KEY = Code("W0101", "duplicate-key")
COMMENT_IN_CONTENT = Code("W0102", "comment-in-content")
COMMENT_LOST = Code("W0103", "comment-lost")
BLANK_LINES_CHANGED = Code("N0101", "blank-lines-changed")

# What is refused for its size, and might be read elsewhere.
LIMITS = frozenset(
    (DOCUMENT_TOO_LARGE, TOO_DEEP, TOO_MANY_ENTRIES, TOO_MANY_ALIASES, TOO_MANY_DIRECTIVES)
)
# What makes single values of a document unreadable, and leaves the others as they are.
PARTS_UNREAD = frozenset(
    (
        WRONG_KIND,
        UNKNOWN_KEY,
        KEY_NOT_TEXT,
        NOT_A_FLAG,
        UNKNOWN_WORD,
        FLOW_CONTENT,
        CONTENT_DECORATED,
        TAG_REFUSED,
        ALIAS_REFUSED,
        NULL_ENTRY,
        SHORTHAND_EMPTY,
    )
)


@wording
def not_json(problem: Words, span: Span) -> Diagnostic:
    return finding(NOT_JSON, f"the document is not valid JSON: {problem}", span, "here")


@wording
def empty_document(what: Words, span: Span) -> Diagnostic:
    return finding(
        EMPTY_DOCUMENT,
        f"the document is empty, and a {what} is expected",
        span,
        help="the smallest catlet is one line: `name: my-machine`" if what == "catlet" else None,
    )


@wording
def wrong_kind(what: Words, expected: Words, found: Words, span: Span) -> Diagnostic:
    help_text = None
    if what == "`variables`" and found == "a mapping":
        help_text = "write `- name: NAME` for each, and its value after `value:` on the next line"
    elif expected == "a list":
        help_text = "write each entry on lines of its own after `- `"
    elif expected.startswith("text") and span.text == "{":
        help_text = 'a text that begins with `{` needs quotes: "{{ name }}"'
    return finding(
        WRONG_KIND,
        f"{what} must be {expected}, and here is {found}",
        span,
        f"not {expected}",
        help=help_text,
    )


@wording
def other_document(what: Words, kind: Words, span: Span) -> Diagnostic:
    """`kind` is the type that fodder with this text has."""
    typed = "" if kind == "cloud-config" else f" `type: {kind}`,"
    return finding(
        OTHER_DOCUMENT,
        f"this is {what}, which a guest reads, and no catlet",
        span,
        "says what it is",
        notes=("a catlet describes a machine, and feeds such a text to it",),
        help="write a catlet with `name: web`, and below `fodder:` an entry "
        f"`- name: config`,{typed} `content: |` and this text, indented",
    )


@wording
def unknown_key(
    key: Words,
    record: Words,
    known: Collection[Words],
    span: Span,
    folded: Words | None,
    *,
    unnamed: bool = False,
) -> Diagnostic:
    """`unnamed`: the record needs a name and has none, so that the key may be meant as one."""
    shown = clipped(key, 60)
    close = [folded] if folded else close_matches(key.lower(), known)
    if key == "<<":
        help_text: str | None = "merge keys are not part of the language; write the values out"
    elif close and close[0] is not None:
        help_text = f"did you mean `{close[0]}`?"
    elif unnamed and record == "variable":
        help_text = f"write `- name: {shown}`, and its value after `value:` on the next line"
    else:
        help_text = None
    return finding(
        UNKNOWN_KEY,
        f"`{shown}` is not a key of a {record}",
        span,
        "unknown key",
        notes=(f"a {record} has {', '.join(f'`{name}`' for name in known)}",),
        help=help_text,
    )


@wording
def key_not_text(record: Words, span: Span) -> Diagnostic:
    return finding(
        KEY_NOT_TEXT,
        f"a key of a {record} must be a plain word",
        span,
        "not a word",
        help='a text that begins with `{` needs quotes: "{{ name }}"',
    )


_UNITS = dict.fromkeys(("memory", "startup", "minimum", "maximum"), "MiB") | {"size": "GiB"}


@wording
def not_a_number(key: Words, text: Words, reason: Words, span: Span) -> Diagnostic:
    shown = clipped(text, 60)
    unit = _UNITS.get(key)
    return finding(
        NOT_A_NUMBER,
        f"`{shown}` is not a whole number for `{key}`: {reason}",
        span,
        help=f"the number counts {unit} and is written without a unit" if unit else None,
    )


@wording
def not_a_flag(key: Words, text: Words, span: Span) -> Diagnostic:
    shown = clipped(text, 60)
    return finding(
        NOT_A_FLAG,
        f"`{shown}` is not a boolean for `{key}`",
        span,
        "neither true nor false",
        help="write `true` or `false`",
    )


@wording
def unknown_word(key: Words, text: Words, words: Collection[Words], span: Span) -> Diagnostic:
    shown = clipped(text, 60)
    close = close_matches(text.lower(), words)
    return finding(
        UNKNOWN_WORD,
        f"`{shown}` is not one of the values of `{key}`",
        span,
        "unknown value",
        notes=(f"`{key}` is one of {', '.join(f'`{word}`' for word in words)}",),
        help=f"did you mean `{close[0]}`?" if close else None,
    )


@wording
def flow_content(span: Span) -> Diagnostic:
    return finding(
        FLOW_CONTENT,
        "`content` in braces or brackets is not supported",
        span,
        "only content by indentation is",
        help="write the content on lines of its own, indented, or as a text after `|`; "
        "a text that begins with a brace needs quotes",
    )


@wording
def content_decorated(span: Span) -> Diagnostic:
    return finding(
        CONTENT_DECORATED,
        "`content` that is a mapping or a list may have no anchor, tag or alias",
        span,
        "its text would become part of the content",
        help="remove the anchor or tag, or write the content as a text after `|`",
    )


@wording
def tag_refused(tag: Words, key: Words, span: Span) -> Diagnostic:
    shown = tag.replace("tag:yaml.org,2002:", "!!")
    return finding(
        TAG_REFUSED,
        f"the YAML tag `{shown}` is not allowed on `{key}`",
        span,
        help="remove the tag; the language knows the type of every value",
    )


@wording
def alias_refused(name: Words, key: Words, reason: Words, span: Span) -> Diagnostic:
    return finding(ALIAS_REFUSED, f"the alias `*{name}` cannot be used as `{key}`: {reason}", span)


@wording
def null_entry(what: Words, span: Span) -> Diagnostic:
    return finding(
        NULL_ENTRY,
        f"an entry of `{what}` is empty (null)",
        span,
        "no entry here",
        help="remove the entry, or write what it should be",
    )


@wording
def shorthand_empty(key: Words, unit: Words, span: Span) -> Diagnostic:
    return finding(
        SHORTHAND_EMPTY,
        f"`{key}` has no value, which the language reads as 0",
        span,
        "no value",
        help=f"give {unit}, or remove `{key}` to inherit it",
    )


@wording
def expanded_too_large(span: Span) -> Diagnostic:
    return finding(
        EXPANDED_TOO_LARGE, "with its aliases expanded the document is larger than 16 MiB", span
    )


@wording
def not_text(span: Span, encoding_problem: Words) -> Diagnostic:
    return finding(
        NOT_TEXT,
        f"the file is not readable as UTF-8 text: {encoding_problem}",
        span,
        help="save the file as UTF-8",
    )


@wording
def duplicate_key(key: Words, record: Words, span: Span, first: Span) -> Diagnostic:
    return finding(
        DUPLICATE_KEY,
        f"`{key}` is given twice in one {record}; the later one counts, all of it",
        span,
        "this one counts",
        related=(Label(first, "this one is ignored"),),
    )


@wording
def comment_in_content(span: Span) -> Diagnostic:
    return finding(
        COMMENT_IN_CONTENT,
        "this comment becomes part of the content above it",
        span,
        "belongs to the content",
        help="move it in front of `content`, or write the content as a text after `|`",
    )


@wording
def comment_lost(span: Span) -> Diagnostic:
    return finding(
        COMMENT_LOST,
        "this comment line stands before the first key of the content and is not part of it",
        span,
        "not in the content",
        help="a `#cloud-config` line is added where it is needed; to keep a first line such as "
        "`#ps1` or `## template: jinja`, write the content as a text after `|`",
    )


@wording
def blank_lines_changed(span: Span) -> Diagnostic:
    return finding(
        BLANK_LINES_CHANGED,
        "lines of only spaces inside this content become empty lines",
        span,
        help="write the content as a text after `|` to keep them",
    )
