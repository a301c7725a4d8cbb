"""Values from outside into the catlet's variables, and those that are made where nobody gave one.

Source: docs/reference/language.md, "Values from outside".
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from eryphc.diagnostics import language
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.diagnostics.said import Own, Said, name_of, named
from eryphc.frozen import replace
from eryphc.ir.catlet import Catlet, Variable, VariableType
from eryphc.origin import Outside, Step, placeless
from eryphc.passes.check_fodder import value_fits
from eryphc.source import SourceText, Span
from eryphc.syntax.names import blank

SYSTEM_VARIABLES = ("catletId", "vmId")
_SYSTEM = tuple(name.lower() for name in SYSTEM_VARIABLES)


# What is said of a value that was given is no text of the document that the finding points at.
_NOWHERE = Span(SourceText("", ""), 0, 0)
_NOT_KNOWN: Mapping[str, Outside] = MappingProxyType({})


def give(
    catlet: Catlet, values: Mapping[str, str], outside: Mapping[str, Outside] = _NOT_KNOWN
) -> Outcome[Catlet]:
    """The catlet of any stage with the given values, as `expand` shows it before substitution."""
    if not values:
        return Outcome(catlet)
    given = give_values(catlet.variables or (), values, outside=outside)
    if given.value is None:
        return Outcome(None, given.diagnostics)
    return Outcome(replace(catlet, variables=given.value), given.diagnostics)


def give_values(
    variables: Sequence[Variable],
    values: Mapping[str, str],
    steps: Mapping[str, Step] = MappingProxyType({}),
    outside: Mapping[str, Outside] = _NOT_KNOWN,
) -> Outcome[tuple[Variable, ...]]:
    """The variables with the given values, which replace their own; letter case is ignored.

    `steps` tells, by names in lower case, what made a value that was not simply given, `outside`
    how values were given.

    Each of these is an error: a name that no variable has, a name given twice, a system variable,
    a value that is not of the variable's type (an empty text is no boolean and no number).
    """
    faults: list[Diagnostic] = []
    spellings: dict[str, list[str]] = {}
    for name in values:
        spellings.setdefault(name.lower(), []).append(name)
    known = {(variable.name or "").lower(): variable.name or "" for variable in variables}
    given: dict[str, str] = {}
    for lower, names in spellings.items():
        if len(names) > 1:
            faults.append(language.given_twice(tuple(map(named, names))))
        if lower in known:
            given[lower] = values[names[0]]
        elif lower in _SYSTEM:
            faults.append(language.given_system(named(names[0])))
        else:
            faults.append(
                language.given_unknown(
                    named(names[0], _NOWHERE),
                    tuple(named(each, _NOWHERE) for each in known.values()),
                    outside.get(lower),
                )
            )
    result: list[Variable] = []
    for variable in variables:
        value = given.get((variable.name or "").lower())
        if value is None:
            result.append(variable)
            continue
        step = steps.get((variable.name or "").lower(), Step.GIVEN)
        places = {**variable.places, "value": placeless(step)}
        result.append(replace(variable, value=value, places=places))
        typed = variable.type in (VariableType.BOOLEAN, VariableType.NUMBER)
        if (typed and blank(value)) or not value_fits(variable.type, value):
            faults.append(
                language.given_unfit(
                    name_of(variable),
                    Own(str(variable.type)),
                    None if variable.secret else Said(value, _NOWHERE),
                    variable.at("name"),
                    outside.get((variable.name or "").lower()),
                )
            )
    return Outcome(None if faults else tuple(result), tuple(faults))


CATLET_NAMESPACE = uuid.UUID("d2034611-3c44-4aa1-811b-e5f58b5a4416")


def default_catlet_id(catlet: Catlet) -> str:
    """The catlet id; a rebuild gives the same.

    Source: docs/reference/language.md, "System variables".
    """
    parts = (catlet.project, catlet.environment, catlet.name)
    defaults = ("default", "default", "catlet")
    names = [
        default if part is None or blank(part) else part.lower()
        for part, default in zip(parts, defaults, strict=True)
    ]
    return str(uuid.uuid5(CATLET_NAMESPACE, "catlet:" + "/".join(names)))


def invented_mac(catlet_id: str, adapter: str) -> str:
    """The address of an adapter without an address of its own.

    Source: docs/reference/command-line.md, "MAC addresses".
    """
    digest = hashlib.sha256(f"{catlet_id}/{adapter}".encode()).hexdigest()
    return ":".join(("d2", "ab", *(digest[at : at + 2] for at in range(0, 8, 2))))
