"""What a shell is offered for a word that is being typed. Imported only when a shell asks."""

from __future__ import annotations

from pathlib import Path

from click import Context
from click.shell_completion import CompletionItem

from eryphc.cli.groups import Offer


def offered(offer: Offer, context: Context, word: str) -> list[CompletionItem]:
    """The candidates for `word`; files and folders are left to the shell itself."""
    match offer:
        case "file":
            return [CompletionItem(word, type="file")]
        case "folder":
            return [CompletionItem(word, type="dir")]
        case "target":
            from eryphc.cli.compiling import TARGETS

            return _beginning(word, TARGETS)
        case "network":
            known = _beginning(word, ("given", "always", "never"))
            return known or [CompletionItem(word, type="file")]
        case "instance":
            return _beginning(word, ("content",))
        case "schema":
            from eryphc.cli.schema import schema_names

            return _beginning(word, schema_names())
        case "code":
            from eryphc.cli.explain import PAGES

            return _beginning(word.upper(), sorted(path.stem for path in PAGES.glob("*.md")))
        case "gene-set":
            return _beginning(word, _gene_sets(context))


def _beginning(word: str, known: tuple[str, ...] | list[str]) -> list[CompletionItem]:
    return [CompletionItem(name) for name in known if name.startswith(word)]


def _gene_sets(context: Context) -> list[str]:
    """Those of the pools that the words before name; none where a pool is amiss."""
    import os

    from eryphc.genepool.listing import gene_sets
    from eryphc.specs import Pools

    locations = tuple(context.params.get("genepools") or ())
    environment = os.environ.get("ERYPHC_GENEPOOL")
    if Pools.refused(locations, environment) is not None:
        return []
    chain = Pools(locations, environment).chain(Path()).value
    return [] if chain is None else [listed.id for listed in gene_sets(chain)]
