"""What cloud-init's JSON Schema finds in a configuration, in words and with places.

All are warnings: a guest reports such a finding and still hands the data to its module.
Source: docs/reference/cloud-init.md, "The schema".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from eryphc.diagnostics import cloudconfig as wording
from eryphc.diagnostics.model import Diagnostic, Label, trail
from eryphc.diagnostics.said import NO_WORDS, Own, Words, own
from eryphc.diagnostics.secrecy import EVERYTHING_PUBLIC
from eryphc.guest.cloudconfig.canonical import Respelled
from eryphc.guest.cloudconfig.lint import Config
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, Sequence, kind
from eryphc.guest.cloudconfig.provenance import Provenance, content_label
from eryphc.guest.cloudconfig.saying import Names, below
from eryphc.guest.cloudconfig.verdict import MARKS, VALID, is_date, schema, verdict
from eryphc.ir.catlet import Fodder
from eryphc.lint.engine import Rule

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

MAX_FINDINGS = 100
"""No one reads more, and a hostile text could have any number of them."""

_KINDS = {
    "object": "a map",
    "array": "a list",
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "null": "null",
}

# Deprecated where the new form is younger than guests that are in use: they know the old one alone.
_NEW_FORMS = {
    "24.1": ("ubuntu_advantage",),
    "25.2": ("ansible",),
    "25.3": ("rh_subscription",),
}
# Keys that the schema lacks. Where the guest finds its data is decided before this configuration is
# there; the others are read when it is.
READ_EARLY = frozenset(("datasource", "datasource_list", "datasource_pkg_list"))
READ_ANYWAY = frozenset(
    (
        *("manual_cache_clean", "unverified_modules", "syslog_fix_perms", "add_apt_repo_match"),
        *("def_log_file", "log_basic", "logcfg", "log_cfgs"),
        *("apt_sources", "apt_mirror", "apt_mirror_search", "apt_mirror_search_dns"),
        *("apt_proxy", "apt_http_proxy", "apt_ftp_proxy", "apt_https_proxy"),
        *("apt_preserve_sources_list", "apt_custom_sources_list"),
    )
)
# Keys that cloud-init 22.4 takes and 25.1 does not know.
KNOWN_BEFORE = {"ssh_keys": ("dsa_private", "dsa_public", "dsa_certificate")}


def check(root: MappingNode, provenance: Provenance) -> tuple[Diagnostic, ...]:
    """Warnings for what the schema does not allow or marks as deprecated, at most about 100."""
    if verdict(root) == VALID:
        return ()
    found: dict[tuple[str, object], Diagnostic] = {}
    for error in _errors(root):
        for diagnostic in _said(root, provenance, error):
            path = diagnostic.primary.path if diagnostic.primary else ()
            # These words are never shown: they only tell one finding from another.
            found.setdefault((EVERYTHING_PUBLIC.formed(diagnostic).message, path), diagnostic)
        if len(found) >= MAX_FINDINGS:
            break
    return tuple(found.values())


def _by_schema(config: Config) -> Iterable[Diagnostic]:
    return check(config.root, config.provenance)


RULES: Final[tuple[Rule[Config], ...]] = (
    Rule(
        wording.KEY_UNKNOWN,
        _by_schema,
        more=(wording.VALUE_INVALID, wording.DEPRECATED, wording.KEY_READ_EARLY),
    ),
)
KINDS: Final = (wording.RESPELLED,)


def respellings(respelled: Iterable[tuple[Fodder, Respelled]]) -> tuple[Diagnostic, ...]:
    """Notes for the old names that a merge replaced."""
    return tuple(
        wording.respelled(
            Own(each.old),
            Own(each.new),
            Own(each.version),
            content_label(fodder, each.start, each.end),
            trail(fodder.text_origin),
        )
        for fodder, each in respelled
    )


def library_errors(root: MappingNode) -> Iterator[ValidationError]:
    """All that jsonschema finds, choices as wholes; what is deprecated is an error of that name."""
    return _validator().iter_errors(_instance(root))


def _errors(root: MappingNode) -> Iterator[ValidationError]:
    for error in library_errors(root):
        yield from _narrowed(error)


def _narrowed(error: ValidationError) -> Iterator[ValidationError]:
    """If no alternative fits, the findings of the alternative that was probably meant."""
    if error.validator not in ("oneOf", "anyOf") or not error.context:
        yield error
        return
    chosen = _chosen(error)
    if chosen is not None and not isinstance(chosen, int):
        yield chosen
        return
    branches: dict[Any, list[ValidationError]] = {}
    for each in error.context:
        if each.validator not in MARKS and (chosen is None or each.schema_path[0] == chosen):
            branches.setdefault(each.schema_path[0], []).append(each)
    # A branch for another kind of value was not meant.
    meant = {
        number: found
        for number, found in branches.items()
        if not any(each.validator == "type" and not each.path for each in found)
    }
    if not meant:
        yield error
        return
    best = min(
        meant.values(), key=lambda found: (-max(len(each.path) for each in found), len(found))
    )
    for each in best:
        yield from _narrowed(each)


def _chosen(error: ValidationError) -> int | ValidationError | None:
    """The alternative that a word of the map chooses, as `type` does for reporters.

    What is wrong with this word, where it chooses none; None where no word chooses.
    """
    from jsonschema.exceptions import ValidationError

    instance: Any = error.instance
    alternatives: Any = error.validator_value
    words = [
        {key: rule["enum"] for key, rule in each.get("properties", {}).items() if "enum" in rule}
        for each in alternatives
    ]
    key = next((key for key in words[0] if all(key in each for each in words)), None)
    if key is None or not isinstance(instance, dict):
        return None
    wrong = ValidationError("", instance=instance, schema=error.schema, parent=error.parent)
    wrong.relative_path.extend(error.relative_path)
    if key not in instance:
        wrong.validator, wrong.validator_value = "required", [key]
        return wrong
    for number, each in enumerate(words):
        if instance[key] in each[key]:
            return number
    wrong.validator = "enum"
    wrong.validator_value = [word for each in words for word in each[key]]
    wrong.relative_path.append(key)
    return wrong


@cache
def _validator() -> Validator:
    from jsonschema import Draft4Validator, FormatChecker, validators
    from jsonschema.exceptions import ValidationError

    def fits(found: list[ValidationError]) -> bool:
        return all(each.validator in MARKS for each in found)

    def marked(
        _validator: Any, value: Any, _instance: Any, _below: Any
    ) -> Iterator[ValidationError]:
        if value is True:
            yield ValidationError("deprecated")

    def one_of(validator: Any, value: Any, instance: Any, _below: Any) -> Iterator[ValidationError]:
        branches = [
            list(validator.descend(instance, each, schema_path=number))
            for number, each in enumerate(value)
        ]
        fitting = [found for found in branches if fits(found)]
        if len(fitting) == 1:
            yield from fitting[0]
        else:
            context = [each for found in branches if not fits(found) for each in found]
            yield ValidationError("choice", context=() if fitting else context)

    def any_of(validator: Any, value: Any, instance: Any, _below: Any) -> Iterator[ValidationError]:
        context: list[ValidationError] = []
        for number, each in enumerate(value):
            found = list(validator.descend(instance, each, schema_path=number))
            if fits(found):
                yield from found
                return
            context += found
        yield ValidationError("choice", context=context)

    def negated(
        validator: Any, value: Any, instance: Any, _below: Any
    ) -> Iterator[ValidationError]:
        if fits(list(validator.descend(instance, value))):
            yield ValidationError("negated")

    def pattern(validator: Any, value: Any, instance: Any, _below: Any) -> Iterator[Any]:
        if isinstance(instance, str):
            yield from Draft4Validator.VALIDATORS["pattern"](validator, value, instance, _below)

    formats = FormatChecker(formats=())
    formats.checks("date")(is_date)
    extended = validators.extend(  # type: ignore[no-untyped-call]
        Draft4Validator,
        {
            **dict.fromkeys(MARKS, marked),
            "oneOf": one_of,
            "anyOf": any_of,
            "not": negated,
            "pattern": pattern,
        },
        # cloud-init counts `!!binary` as text too.
        type_checker=Draft4Validator.TYPE_CHECKER.redefine(
            "string", lambda _checker, value: isinstance(value, (str, bytes))
        ),
    )
    built: Validator = extended(_marked(schema()), format_checker=formats)
    return built


def _marked(below: Any) -> Any:
    """The schema with the deprecation marks beside references moved to where draft 4 reads them."""
    if isinstance(below, list):
        return [_marked(each) for each in below]
    if not isinstance(below, dict):
        return below
    marked = {key: _marked(value) for key, value in below.items()}
    if isinstance(marked.get("$ref"), str) and any(marked.get(mark) is True for mark in MARKS):
        reference = {"$ref": marked.pop("$ref")}
        marks = {key: value for key, value in marked.items() if key.startswith(MARKS)}
        return {**marks, "allOf": [reference]}
    return marked


def _instance(node: Node) -> Any:
    """The data as JSON has it: all keys are text."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [_instance(item) for item in node.items]
    return {
        key if isinstance(key, str) else str(key): _instance(value)
        for key, value in node.entries.items()
    }


def _said(
    root: MappingNode, provenance: Provenance, error: ValidationError
) -> Iterator[Diagnostic]:
    node, path, label = _place(root, provenance, error.absolute_path)
    rules: Any = error.schema
    if error.validator in MARKS:
        advice = str(rules.get(f"{error.validator}_description", ""))
        advice = advice.replace("**", "`").replace("``", "`")
        version = str(rules.get(f"{error.validator}_version", ""))
        older = version in _NEW_FORMS and error.absolute_path[0] in _NEW_FORMS[version]
        chain = provenance.chain(node)
        yield wording.deprecated(path, Own(version), Own(advice), label, chain, alone=older)
    elif error.validator == "additionalProperties" and isinstance(node, MappingNode):
        yield from _unknown(provenance, node, path, rules, label.path)
    else:
        problem = _problem(node, str(error.validator), error.validator_value)
        yield wording.value_invalid(path, Own(problem), label, provenance.chain(node))


def _problem(node: Node, keyword: str, rule: Any) -> str:
    """What is wrong, as the end of a sentence; never with the value itself."""
    match keyword:
        case "required" if isinstance(node, MappingNode):
            return "lacks " + ", ".join(f"`{key}`" for key in rule if key not in node.entries)
        case "type":
            kinds = [rule] if isinstance(rule, str) else rule
            return f"is {kind(node)}, and has to be {_one_of(kinds)}"
        case "enum":
            return "has to be one of " + ", ".join(f"`{each}`" for each in rule)
        case "minItems" | "minProperties":
            return "is empty" if rule == 1 else f"has fewer than {rule} entries"
        case "maxItems":
            return f"has more than {rule} entries"
        case "minimum":
            return f"is less than {rule}"
        case "pattern":
            return f"does not match the pattern `{rule}`"
        case "format":
            return "is no date of the form `YYYY-MM-DD`"
        case "uniqueItems":
            return "holds an item twice"
        case "oneOf" | "anyOf":
            kinds = [each["type"] for each in rule if isinstance(each.get("type"), str)]
            if kinds and len(kinds) == len(rule):
                return f"is {kind(node)}, and has to be {_one_of(kinds)}"
            return "has none of the forms that are allowed"
        case _:
            return "is not allowed as it is"


def _one_of(kinds: Iterable[str]) -> str:
    names = list(dict.fromkeys(_KINDS.get(each, each) for each in kinds))
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]


def _unknown(
    provenance: Provenance,
    node: MappingNode,
    path: Words,
    schema: Any,
    steps: tuple[str | int, ...],
) -> Iterator[Diagnostic]:
    properties: dict[str, Any] = schema.get("properties", {})
    patterns = [re.compile(each) for each in schema.get("patternProperties", {})]
    known = [key for key, each in properties.items() if not each.get("deprecated")]
    for key, value in node.entries.items():
        name = key if isinstance(key, str) else str(key)
        if name in properties or any(each.search(name) for each in patterns):
            continue
        said = Names(provenance).key(node, key)
        place = provenance.key_label(node, key).at(*steps, name)
        if not steps and name in READ_EARLY:
            yield wording.key_read_early(said, place, provenance.chain(value))
            continue
        if not steps and name in READ_ANYWAY:
            yield wording.key_read_anyway(said, place, provenance.chain(value))
            continue
        yield wording.key_unknown(
            below(path, said),
            said,
            tuple(map(Own, known)),
            place,
            provenance.chain(value),
            before=len(steps) == 1 and name in KNOWN_BEFORE.get(str(steps[0]), ()),
        )


def _place(
    root: MappingNode, provenance: Provenance, steps: Iterable[str | int]
) -> tuple[Node, Words, Label]:
    """The node at the end of a path, the path as printed, and the place of its key or item."""
    node: Node = root
    path: Words = NO_WORDS
    names = Names(provenance)
    label = provenance.label(root)
    steps = tuple(steps)
    for step in steps:
        if isinstance(node, Sequence) and isinstance(step, int):
            node = node.items[step]
            path = own("{}[{}]", path, step)
            label = provenance.label(node)
        elif isinstance(node, MappingNode):
            key = next(key for key in node.entries if key == step or str(key) == step)
            value = node.entries[key]
            path = below(path, names.key(node, key))
            label = (
                provenance.label(value)
                if isinstance(value, Scalar) and value.value is not None
                else provenance.key_label(node, key)
            )
            node = value
    return node, path, label.at(*steps)
