"""Values into fodder.

Source: docs/reference/language.md, "System variables", "Placeholders", "Substitution".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TypeAlias

from eryphc.diagnostics import language
from eryphc.diagnostics import values as wording
from eryphc.diagnostics.findings import MOST
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.diagnostics.said import Own, Said, joined, name_of, named, own
from eryphc.frozen import NamedTuple, replace
from eryphc.ir import content as ir_content
from eryphc.ir.catlet import Fodder, Variable, VariableType
from eryphc.ir.content import Content, Insertion, Written
from eryphc.ir.stages import Fed, Pedigree, Substituted
from eryphc.origin import DEFAULTED, Origin, Outside, Step, placeless
from eryphc.origin import rooted as rooted_origin
from eryphc.passes.check_fodder import value_fits
from eryphc.passes.fodder_keys import key_of
from eryphc.passes.given import SYSTEM_VARIABLES, give_values
from eryphc.passes.places import chained, defaulted, part, rooted
from eryphc.source import SourceText, Span
from eryphc.syntax.interpolation import Reference, ReferenceKind, scan
from eryphc.syntax.names import blank
from eryphc.syntax.nodes import MAX_EXPANDED

_JINJA = "## template: jinja"
# It is compiled where it is used, which few texts need.
_NEARLY_JINJA = r"#+\s*template\s*:\s*jinja2?"
_BRACES = "{{"
_OVERFLOW = "overflow"
# A name with more than blanks behind it.
_WITH_MORE = re.compile(r"\{\{\s*([A-Za-z_]\w*)(?:\s*\||\s+[^\s{}])[^{}\n]*\}\}")


class _Value:
    """What a reference inserts. Text that uses a `faulty` value is not checked: it was reported.

    `made_of` are the values that went into the value of a variable of a fodder entry. The braces
    that an escape inserts belong to no variable.
    """

    __slots__ = ("_origin", "faulty", "made_of", "secret", "text", "variable", "vm_id")

    def __init__(
        self,
        text: str,
        variable: Variable | None = None,
        made_of: tuple[Insertion, ...] = (),
        *,
        secret: bool = False,
        vm_id: bool = False,
        faulty: bool = False,
    ) -> None:
        self.text = text
        self.variable = variable
        self.made_of = made_of
        self.secret = secret
        self.vm_id = vm_id
        self.faulty = faulty
        self._origin: Origin | None = None

    def origin(self, root: Origin | None) -> Origin | None:
        """Where the value comes from, looked up when it is first used."""
        if self._origin is None and self.variable is not None:
            self._origin = rooted_origin(self._found(self.variable), root)
        return self._origin

    def _found(self, variable: Variable) -> Origin:
        if blank(variable.value):
            # The language has a value for each type.
            span = variable.place("value")
            return Origin(
                span, Step.DEFAULTED, variable.name, via=variable.document, secret=self.secret
            )
        origin = variable.origin("value")
        if not self.made_of and origin.secret == self.secret:
            return origin
        via = self.made_of[-1].value if self.made_of else origin.via
        return origin._replace(via=via or origin.via, secret=self.secret)


class _Filled(NamedTuple):
    """A text with its references replaced, and what the inserted values were."""

    text: str
    insertions: tuple[Insertion, ...] = ()
    secret: bool = False
    vm_id: bool = False
    faulty: bool = False
    overflow: Reference | None = None


_ESCAPED = _Value(_BRACES)
_Scope: TypeAlias = Mapping[str, _Value]
# Makes the words of a fault from the words for its place ("the fodder entry `x` of ...").
_Build: TypeAlias = Callable[[Own], Diagnostic]


class _Faults:
    """What was found. A fault that several fodder entries of one reference share is reported once.

    The `root` of the pedigree is where the spec names its parent.
    """

    def __init__(self, pedigree: Pedigree) -> None:
        root = pedigree.root
        self.root = root
        self._pedigree = pedigree
        self._builds: dict[object, _Build] = {}
        self._fodder_entries: dict[object, list[Fodder]] = {}
        # Characters that may still be made of values, over all texts of the catlet.
        self.room = MAX_EXPANDED

    @property
    def full(self) -> bool:
        """Whether there are enough faults: a hostile text can have any number of them."""
        return len(self._builds) >= MOST

    def dropped(self, fodder: Fodder, variable: str) -> Span | None:
        """Where an ancestor binds a variable in a reference that a younger one replaces."""
        source = key_of(fodder).source
        for document in self._pedigree.documents:
            for other in document.catlet.fodder or ():
                if document.depth > fodder.depth and key_of(other).source == source:
                    for binding in other.variables or ():
                        if (binding.name or "").lower() == variable.lower():
                            return binding.at("name")
        return None

    def add(self, fodder: Fodder, build: _Build, shared: object = None) -> None:
        key = shared if shared is not None else len(self._builds)
        self._builds.setdefault(key, build)
        self._fodder_entries.setdefault(key, []).append(fodder)

    def diagnostics(self) -> list[Diagnostic]:
        found: list[Diagnostic] = []
        for key, build in self._builds.items():
            fodder_entries = self._fodder_entries[key]
            found.extend(chained((build(_where(fodder_entries)),), fodder_entries[0].text_origin))
        return found


def _where(fodder_entries: Sequence[Fodder]) -> Own:
    names = joined(own("`{}`", name_of(fodder)) for fodder in fodder_entries)
    what = own(
        "the fodder entry {}" if len(fodder_entries) == 1 else "the fodder entries {}", names
    )
    source = fodder_entries[0].source
    if source is None or blank(source):
        return what
    return own("{} of `{}`", what, named(source, fodder_entries[0].at()))


def is_jinja(text: str) -> bool:
    """Whether cloud-init will render the text as a Jinja template."""
    return text.startswith("#") and text.split("\n", 1)[0].rstrip().lower() == _JINJA


def substitute(
    fed: Fed,
    values: Mapping[str, str],
    catlet_id: str,
    vm_id: str,
    steps: Mapping[str, Step] = MappingProxyType({}),
    *,
    outside: Mapping[str, Outside] = MappingProxyType({}),
    stand_in: bool = False,
) -> Outcome[Substituted]:
    """Put the values of variables into every fodder entry.

    `values` are those given for the catlet's variables, by name. The system variables are
    appended to the catlet's. `steps` tells, by names in lower case, what made a value: else those
    of `values` are given, and those of system variables invented. `outside` tells how values were
    given. A fodder entry is secret if it says so or uses a secret variable. With `stand_in` a
    harmless word stands for the value of each required variable that has none, and a note says so.
    Warnings: what looks like a reference and is not replaced. Errors, all in one go: what
    `give_values` finds, values of the wrong kind, required variables without a value, unknown
    variables, references that are none.
    """
    declared = fed.catlet.variables or ()
    given = give_values(declared, values, steps, outside)
    found = list(given.diagnostics)
    variables = given.value if given.value is not None else declared
    if stand_in:
        variables = tuple(_stood_in(variable, found) for variable in variables)
    system = tuple(
        _system_variable(name, value, steps.get(name.lower(), Step.INVENTED))
        for name, value in zip(SYSTEM_VARIABLES, (catlet_id, vm_id), strict=True)
    )
    # Variables whose given value was refused have been reported.
    refused = {name.lower() for name in values} if given.value is None else set[str]()
    scope = _catlet_scope(variables, system, refused, found)
    root = fed.pedigree.root
    faults = _Faults(fed.pedigree)
    fodder_entries: list[Fodder] = []
    uses_vm_id: list[str] = []
    for fodder in fed.catlet.fodder or ():
        filled, used = _fodder(fodder, scope, faults)
        fodder_entries.append(filled)
        if used:
            uses_vm_id.append(fodder.name or "")
    found.extend(rooted(faults.diagnostics(), root))
    if has_errors(found):
        return Outcome(None, tuple(found))
    catlet = replace(
        fed.catlet,
        variables=(*variables, *system),
        places=fed.catlet.places
        if fed.catlet.variables is not None
        else defaulted(fed.catlet, "variables"),
        fodder=None if fed.catlet.fodder is None else tuple(fodder_entries),
    )
    return Outcome(
        Substituted(
            catlet=catlet, pedigree=fed.pedigree, genes=fed.genes, uses_vm_id=tuple(uses_vm_id)
        ),
        tuple(found),
    )


# No text of people, and a value of its type.
_STAND_INS = {VariableType.BOOLEAN: "true", VariableType.NUMBER: "1"}


def _stood_in(variable: Variable, found: list[Diagnostic]) -> Variable:
    """The variable, with a stand-in where it needs a value and has none."""
    if not variable.required or not blank(variable.value):
        return variable
    found.append(language.value_stood_in(name_of(variable), variable.at("name")))
    kind = variable.type or VariableType.STRING
    places = {**variable.places, "value": placeless(Step.STAND_IN)}
    return replace(variable, value=_STAND_INS.get(kind, "stand-in"), places=places)


def _system_variable(name: str, value: str, step: Step) -> Variable:
    places = {
        **dict.fromkeys(("", "name", "type"), DEFAULTED),
        "value": placeless(step),
    }
    return Variable(name=name, type=VariableType.STRING, value=value, places=places)


def _catlet_scope(
    variables: Sequence[Variable],
    system: Sequence[Variable],
    refused: set[str],
    found: list[Diagnostic],
) -> dict[str, _Value]:
    """The catlet's variables, checked. Of equal names the first counts."""
    scope: dict[str, _Value] = {}
    for variable in (*variables, *system):
        name = (variable.name or "").lower()
        value = variable.value or ""
        fault: Diagnostic | None = None
        if blank(value):
            if variable.required:
                fault = language.value_missing(
                    name_of(variable), None, variable.at("name"), variable.at("required")
                )
        elif not value_fits(variable.type, value):
            shown = None if variable.secret else Said(value)
            fault = language.value_unfit(
                name_of(variable), None, Own(str(variable.type)), shown, variable.at("value")
            )
        if fault is not None and name not in refused:
            found.append(fault)
        scope.setdefault(
            name,
            _Value(
                _inserted(variable.type, value),
                variable,
                secret=bool(variable.secret),
                vm_id=variable is system[1],
                faulty=fault is not None or name in refused,
            ),
        )
    return scope


def _inserted(kind: VariableType | None, value: str) -> str:
    """What a value inserts: a blank boolean is `false`, a blank number `0`."""
    if not blank(value):
        return value
    match kind:
        case VariableType.BOOLEAN:
            return "false"
        case VariableType.NUMBER:
            return "0"
        case VariableType.STRING | None:
            return value


def _fodder(fodder: Fodder, catlet: _Scope, faults: _Faults) -> tuple[Fodder, bool]:
    """The fodder entry with its content filled, and whether that uses the id of the VM."""
    own: dict[str, _Value] = {}
    for variable in fodder.variables or ():
        value = _variable(fodder, variable, catlet, faults)
        own.setdefault((variable.name or "").lower(), value)
    content = fodder.content or _no_content(fodder)
    _nearly_jinja(fodder, content, faults)
    if _BRACES not in content.text:
        return _finished(fodder, content, root=faults.root, secret=bool(fodder.secret)), False
    scope = {**catlet, **own}
    hidden = bool(fodder.secret)
    jinja = is_jinja(content.text)

    def unknown(reference: Reference) -> None:
        if not jinja and not faults.full:
            start, end = _name_place(content.text, reference)
            span = content.span(start, end)
            faults.add(fodder, _unknown(reference, span, scope, inside=None, hidden=hidden))

    filled = _fill(content.text, scope, unknown, faults, keep_escapes=jinja)
    if filled.overflow is not None:
        last, at = filled.overflow.name, content.span(filled.overflow.start, filled.overflow.end)
        faults.add(
            fodder,
            lambda where: language.substituted_too_large(named(last), where, MAX_EXPANDED, at),
            shared=_OVERFLOW,
        )
    if filled.insertions:
        content = Content(filled.text, ir_content.Substituted(content, filled.insertions))
    _not_replaced(fodder, content, scope, faults, jinja=jinja)
    secret = bool(fodder.secret) or filled.secret
    by = next((each.value for each in filled.insertions if each.value and each.value.secret), None)
    return _finished(fodder, content, root=faults.root, secret=secret, by=by), filled.vm_id


def _nearly_jinja(fodder: Fodder, content: Content, faults: _Faults) -> None:
    """A first line that people take for the marker of a template and cloud-init does not."""
    if not content.text.startswith("#"):
        return
    line = content.text.partition("\n")[0].rstrip()
    lower = line.lower()
    if "jinja" in lower and lower != _JINJA and re.fullmatch(_NEARLY_JINJA, lower):
        span = content.span(0, len(line))
        faults.add(fodder, lambda where: wording.template_marker_wrong(where, span))


def _not_replaced(
    fodder: Fodder, content: Content, scope: _Scope, faults: _Faults, *, jinja: bool
) -> None:
    """What looks like a reference to a variable and reaches the guest as text."""
    document = fodder.document
    reference = document.via.span if document and document.via else fodder.at()
    origin = content.origin
    base, insertions = (
        (origin.base, origin.insertions)
        if isinstance(origin, ir_content.Substituted)
        else (content, ())
    )
    starts = {each.start for each in scan(base.text)} if not jinja else set[int]()
    for match in _WITH_MORE.finditer(base.text):
        name = match[1].lower()
        if name not in scope or match.start() in starts or faults.full:
            continue
        span = base.span(*match.span())
        said = named(match[1], span)
        faults.add(
            fodder,
            partial(_filter_not_applied, said, span),
            shared=(_WITH_MORE, reference, fodder.name, name),
        )
    for each in insertions:
        if each.variable is None or "{{" not in content.text[each.start : each.end]:
            continue
        value = content.text[each.start : each.end]
        held = [found for found in scan(value) if found.kind is ReferenceKind.VARIABLE]
        if not held or faults.full:
            continue
        span = base.span(each.old_start, each.old_end)
        hidden = bool(fodder.secret) or (each.value is not None and each.value.secret)
        word = Said(value[held[0].start : held[0].end], span, secret=hidden)
        at = each.value.span if each.value is not None else None
        name = each.variable
        faults.add(
            fodder,
            partial(_value_not_replaced, word, named(name, span), span, at),
            shared=(_value_not_replaced, reference, fodder.name, name.lower()),
        )


def _value_not_replaced(
    word: Said, variable: Said, span: Span, at: Span | None, where: Own
) -> Diagnostic:
    return wording.value_not_replaced(word, variable, where, span, at)


def _filter_not_applied(variable: Said, span: Span, where: Own) -> Diagnostic:
    return wording.filter_not_applied(variable, where, span)


def _finished(
    fodder: Fodder,
    content: Content,
    *,
    root: Origin | None,
    secret: bool,
    by: Origin | None = None,
) -> Fodder:
    """The fodder entry with its text, and whether a value in `by` makes it secret."""
    lacked = [key for key in ("content", "secret") if getattr(fodder, key) is None]
    places = defaulted(fodder, *lacked) if lacked else fodder.places
    if secret and not fodder.secret:
        places = {**places, "secret": placeless(Step.DEFAULTED, by)}
    return replace(fodder, content=content, secret=secret, places=places, root=root)


def _no_content(fodder: Fodder) -> Content:
    span = fodder.at() or Span(SourceText("", ""), 0, 0)
    return Content("", Written(span))


def _variable(fodder: Fodder, variable: Variable, catlet: _Scope, faults: _Faults) -> _Value:
    """The value of a variable of a fodder entry; it may use variables of the catlet."""
    name, said = variable.name or "", name_of(variable)
    # One reference gives all its fodder entries the same variables.
    document = fodder.document
    fed = document is not None and document.step is Step.FED
    reference = document.via.span if document and document.via and fed else fodder.at()
    written = variable.value or ""

    def report(build: _Build, at: int = -1) -> None:
        problem = build(own("")).code
        faults.add(fodder, build, shared=(reference, fodder.source, name.lower(), problem, at))

    def unknown(found: Reference) -> None:
        if faults.full:
            return
        start, end = _name_place(written, found)
        span = part(variable, "value", written, written[start:end])
        hidden = bool(variable.secret)
        report(_unknown(found, span, catlet, inside=said, hidden=hidden), found.start)

    filled = _fill(written, catlet, unknown, faults)
    if filled.overflow is not None:
        last, whole = filled.overflow.name, variable.at("value")
        faults.add(
            fodder,
            lambda where: language.substituted_too_large(named(last), where, MAX_EXPANDED, whole),
            shared=_OVERFLOW,
        )
    secret = bool(variable.secret) or filled.secret
    value = _Value(
        _inserted(variable.type, filled.text),
        variable,
        filled.insertions,
        secret=secret,
        vm_id=filled.vm_id,
        faulty=filled.faulty,
    )
    if filled.faulty:
        return value
    if blank(filled.text):
        if not variable.required:
            return value
        at = _needed_at(fodder, variable, reference)
        lost = faults.dropped(fodder, name)
        required = variable.at("required")
        report(lambda where: language.value_missing(said, where, at, required, lost))
    elif value_fits(variable.type, filled.text):
        return value
    else:
        shown = None if secret else Said(filled.text)
        at = variable.at("value")
        kind, typed = str(variable.type), variable.at("type")
        report(lambda where: language.value_unfit(said, where, Own(kind), shown, at, typed))
    value.faulty = True
    return value


def _needed_at(fodder: Fodder, variable: Variable, reference: Span | None) -> Span | None:
    """Where a value is missing: at the binding, else at the reference that has none."""
    value, declared = variable.place("value"), variable.at("name")
    if fodder.gene is None:
        return value or declared
    bound = value is not None and declared is not None and value.source is not declared.source
    return value if bound else reference


def _fill(
    text: str,
    scope: _Scope,
    unknown: Callable[[Reference], None],
    faults: _Faults,
    *,
    keep_escapes: bool = False,
) -> _Filled:
    """Replace the references of `text` once, from left to right; `unknown` gets the others."""
    references = scan(text)
    if not references:
        return _Filled(text=text)
    pieces: list[str] = []
    insertions: list[Insertion] = []
    secret = vm_id = faulty = False
    written = length = 0
    for reference in references:
        value = _value_of(reference, scope)
        if value is None:
            faulty = True
            unknown(reference)
            continue
        if keep_escapes and reference.kind is ReferenceKind.ESCAPE:
            continue
        faults.room -= len(value.text)
        if faults.room < 0:
            return _Filled(text="", secret=secret, faulty=True, overflow=reference)
        kept = text[written : reference.start]
        pieces.extend((kept, value.text))
        start = length + len(kept)
        length = start + len(value.text)
        variable = value.variable
        insertions.append(
            Insertion(
                start,
                length,
                reference.start,
                reference.end,
                variable.name if variable is not None else None,
                value.origin(faults.root),
            )
        )
        written = reference.end
        secret, vm_id = secret or value.secret, vm_id or value.vm_id
        faulty = faulty or value.faulty
    pieces.append(text[written:])
    return _Filled(
        text="".join(pieces),
        insertions=tuple(insertions),
        secret=secret,
        vm_id=vm_id,
        faulty=faulty,
    )


def _value_of(reference: Reference, scope: _Scope) -> _Value | None:
    match reference.kind:
        case ReferenceKind.VARIABLE:
            return scope.get(reference.name.lower())
        case ReferenceKind.ESCAPE:
            return _ESCAPED
        case ReferenceKind.INVALID:
            return None


def _unknown(
    reference: Reference, span: Span | None, scope: _Scope, *, inside: Said | None, hidden: bool
) -> _Build:
    name, known = reference.name, tuple(scope)
    if reference.kind is ReferenceKind.VARIABLE:
        return lambda where: language.variable_unknown(
            Said(name),
            where,
            span,
            tuple(map(named, known)),
            in_value=inside,
            secret=hidden,
        )
    return lambda where: language.reference_invalid(
        Said(name), where, span, in_value=inside, secret=hidden
    )


def _name_place(text: str, reference: Reference) -> tuple[int, int]:
    if not reference.name:
        return reference.start, reference.end
    start = text.index(reference.name, reference.start)
    return start, start + len(reference.name)
