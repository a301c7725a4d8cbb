"""What a shell is offered for a word that is being typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import click
from click import Context

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Offer = Literal[
    "file",
    "folder",
    "target",
    "checked-target",
    "network",
    "instance",
    "agent",
    "schema",
    "code",
    "gene-set",
]


def completes(
    offer: Offer,
) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """For an argument's or an option's `shell_complete`."""

    def complete(
        context: click.Context,
        parameter: click.Parameter,  # noqa: ARG001
        word: str,
    ) -> list[CompletionItem]:
        return offered(offer, context, word)

    return complete


def offered(offer: Offer, context: Context, word: str) -> list[CompletionItem]:
    """The candidates for `word`; files and folders are left to the shell itself."""
    from click.shell_completion import CompletionItem

    match offer:
        case "file":
            return [CompletionItem(word, type="file")]
        case "folder":
            return [CompletionItem(word, type="dir")]
        case "target":
            from eryphc import Target

            return _beginning(word, tuple(Target))
        case "checked-target":
            from eryphc import Target

            return _beginning(word, (*Target, "all"))
        case "network":
            known = _beginning(word, ("given", "always", "never"))
            return known or [CompletionItem(word, type="file")]
        case "instance":
            return _beginning(word, ("content",))
        case "agent":
            from eryphc import GuestAgent

            return _beginning(word, tuple(GuestAgent))
        case "schema":
            from eryphc import schema_names

            return _beginning(word, schema_names())
        case "code":
            from eryphc.diagnostics.codes import KINDS

            numbers = _beginning(word.upper(), sorted(kind.number for kind in KINDS))
            return numbers + _beginning(word.lower(), sorted(kind.name for kind in KINDS))
        case "gene-set":
            return _beginning(word, _gene_sets(context))


def _beginning(word: str, known: tuple[str, ...] | list[str]) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in known if name.startswith(word)]


def _gene_sets(context: Context) -> list[str]:
    """Those of the pools that the earlier words name; none if a pool is faulty."""
    from eryphc import EryphcError, Session
    from eryphc.gallery import listed_sets

    try:
        return [
            listed.id
            for listed in listed_sets(Session(genepools=context.params["genepools"] or ()))
        ]
    except (EryphcError, KeyError):
        return []
