"""Specs of a command line through the front end, with their values: what commands share."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import click

from eryphc.cli.console import Console
from eryphc.cli.options import Given
from eryphc.diagnostics import language
from eryphc.genepool.model import GenePool
from eryphc.ir.stages import Bred, Document, Fed
from eryphc.specs import InputMissingError, Pools, Spec, read_spec
from eryphc.syntax.names import blank

if TYPE_CHECKING:
    from eryphc.driver import FrontOptions


class Values:
    """The given values, and which of them a spec has declared so far.

    `left_open` are those that the deployment supplies: nobody is asked for them.
    """

    def __init__(
        self, given: Given, *, several: bool, ask: bool, left_open: frozenset[str] = frozenset()
    ) -> None:
        self.given = given
        self.declared: set[str] = set()
        self.several = several
        self.ask = ask
        self.left_open = left_open

    def for_catlet(self, bred: Bred, *, ask: bool = True) -> Mapping[str, str]:
        """What this catlet is given. What is missing is asked for at a terminal."""
        variables = bred.catlet.variables or ()
        names = {(variable.name or "").lower(): variable.name or "" for variable in variables}
        self.declared |= names.keys()
        values = dict(self.given.values)
        if self.several:
            values = {name: text for name, text in values.items() if name.lower() in names}
        lower = {name.lower() for name in values} | self.left_open
        for name, text in self.given.environment.items():
            if name.lower() in names and name.lower() not in lower:
                values[names[name.lower()]] = text
                lower.add(name.lower())
        if self.ask and ask:
            for variable in variables:
                name = variable.name or ""
                if variable.required and blank(variable.value) and name.lower() not in lower:
                    values[name] = click.prompt(
                        name,
                        hide_input=bool(variable.secret),
                        err=True,
                        default="",
                        show_default=False,
                    )
        return values

    def undeclared(self, console: Console) -> None:
        """Report values that no spec declares, where there are several."""
        if self.several:
            for name in self.given.values:
                if name.lower() not in self.declared:
                    console.add((language.given_unknown(name, tuple(sorted(self.declared))),))


def values_of(
    given: Given, *, several: bool, no_input: bool, left_open: Iterable[str] = ()
) -> Values:
    ask = not no_input and sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    open_names = frozenset(name.lower() for name in left_open)
    return Values(given, several=several, ask=ask, left_open=open_names)


def read_one(
    name: str, front: FrontOptions, console: Console
) -> tuple[tuple[Spec, Document] | None, int]:
    """A spec and its document, or None and the exit code that this means."""
    from eryphc.driver import read_document

    try:
        spec = read_spec(name)
    except InputMissingError as missing:
        console.add((missing.diagnostic,))
        return None, missing.exit_code
    console.add(spec.diagnostics)
    if spec.value is None:
        return None, 1
    document = read_document(spec.value, front)
    console.add(document.diagnostics)
    return ((spec.value, document.value) if document.value is not None else None), 1


def bred_of(
    spec: Spec,
    document: Document,
    pools: Pools,
    front: FrontOptions,
    values: Values,
    console: Console,
) -> tuple[Bred, FrontOptions] | None:
    """The bred catlet and the options with its values; None after errors."""
    from eryphc.driver import to_bred

    chain = pools.chain(spec.folder)
    console.add(chain.diagnostics)
    if chain.value is None:
        return None
    bred = to_bred(document, chain.value)
    console.add(bred.diagnostics)
    if bred.value is None:
        return None
    given = values.for_catlet(bred.value, ask=not document.partial)
    return bred.value, front._replace(values=given)


def say_sources(chain: GenePool, fed: Fed, console: Console) -> None:
    """With `-v`: the folder that each gene set of the closure came from."""
    if not console.verbose:
        return
    sets = sorted({gene.id.geneset for gene in fed.genes})
    for geneset in sets:
        found = chain.find(geneset)
        if found is not None and found.value is not None:
            folder = found.value.manifest.source.name.rpartition("/")[0]
            console.say(f"{geneset} from {folder or 'the working folder'}")
