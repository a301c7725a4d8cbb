"""`gene index`: the list of the gene sets of a registry, kept by those who publish.

Source: docs/reference/gene-set-images.md, "The index of a pool".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eryphc.answers import Result
from eryphc.diagnostics import command
from eryphc.diagnostics import publishing as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.shown import show
from eryphc.errors import EryphcError, Failure
from eryphc.frozen import FrozenMap
from eryphc.genepool.folder import MANIFEST
from eryphc.genepool.image_reader import ImageError
from eryphc.genepool.oci.copies import Copy
from eryphc.genepool.oci.documents import IndexOvertakenError, listed_set, update_pool_index
from eryphc.genepool.oci.faults import RegistryError
from eryphc.genepool.pool_index import IndexedSet, PoolIndex, PoolIndexError, is_set
from eryphc.identifiers import GeneSetId
from eryphc.sharing.registries import Target, target_of
from eryphc.source import shown_path

if TYPE_CHECKING:
    from eryphc.session import Session

Enter = Callable[[str, IndexedSet | None], IndexedSet | None]
"""Adds what is known beside the registry to the entry of a set, by its name."""


class Indexed(Result):
    """What `gene index` did: `reference` of the index, and its sets with their tags."""

    def __init__(
        self, reference: str, index: PoolIndex | None, found: Iterable[Diagnostic]
    ) -> None:
        super().__init__(show(found))
        self.reference = reference
        self.sets: Mapping[str, tuple[str, ...]] = {
            name: tuple(each.tags) for name, each in sorted((index or {}).items())
        }


def index(
    session: Session,
    pool: str | None = None,
    *,
    add: Sequence[str] = (),
    rebuild: str | os.PathLike[str] | None = None,
) -> Indexed:
    """Bring the index of a pool up to date with the tags that the registry has.

    `add` are further sets, as `ORG/SET`. `rebuild` is a folder with source trees `ORG/SET`: the
    index is made anew of these sets. `pool` as `to` of `push`. Raises `EryphcError`.
    """
    added = [_set(name) for name in add]
    trees = {} if rebuild is None else _trees(Path(rebuild))
    wanted = [*added, *(_set(name) for name in trees)]
    target = target_of(session, pool, wanted)
    for each in wanted:
        fault = target.not_for(each)
        if fault is not None:
            raise EryphcError.of(Failure.INPUT, fault)
    names = {each.without_tag for each in wanted}
    written, found = None, list[Diagnostic]()
    try:
        written = _updated(
            target,
            lambda known: names | (set() if trees else known.keys()),
            anew=bool(trees),
            enter=lambda name, entry: _with_tree(name, entry, trees.get(name)),
        )
    except IndexOvertakenError:
        found.append(_overtaken(target))
    except (RegistryError, ImageError) as fault:
        raise EryphcError.of(Failure.OUTSIDE, fault.diagnostic) from None
    except PoolIndexError as fault:
        found.append(wording.index_not_updated(reference_of(target), str(fault)))
    return Indexed(reference_of(target), written, (*session.overheard(), *found))


def entered(target: Target, names: Iterable[str], enter: Enter) -> Diagnostic | None:
    """Bring the entries of some sets up to date; what kept it from that, where something did."""
    try:
        _updated(target, lambda _known: set(names), anew=False, enter=enter)
    except IndexOvertakenError:
        return _overtaken(target)
    except (RegistryError, ImageError) as fault:
        help_text = "`--no-index` leaves it alone; `index` of the pool says where it lies"
        reason = fault.diagnostic.message
        return wording.index_not_updated(reference_of(target), reason, help_text)
    except PoolIndexError as fault:
        return wording.index_not_updated(reference_of(target), str(fault))
    return None


def _overtaken(target: Target) -> Diagnostic:
    return wording.index_not_updated(reference_of(target), "others write it at the same time")


def reference_of(target: Target) -> str:
    """Where the index of a pool lies."""
    name = target.settings.names.index_name
    return target.settings.label if name is None else target.settings.names.reference(name)


def _updated(
    target: Target, concerned: Callable[[PoolIndex], set[str]], *, anew: bool, enter: Enter
) -> PoolIndex:
    copy = Copy(target.settings.names, target.registry)

    def change(known: PoolIndex) -> PoolIndex:
        sets = {} if anew else dict(known)
        for name in sorted(concerned(known)):
            before = known.get(name)
            entry = enter(name, listed_set(copy, name, target.settings.rules, before))
            if entry is None:
                sets.pop(name, None)
            else:
                sets[name] = entry
        return FrozenMap(sorted(sets.items()))

    written = update_pool_index(copy, change)
    target.pool.notices.forget_index()
    return written


def _with_tree(name: str, entry: IndexedSet | None, folder: Path | None) -> IndexedSet | None:
    from eryphc.authoring.indexing import deprecations_of
    from eryphc.authoring.sources import read_facts

    facts = None if folder is None else read_facts(folder).value
    if entry is None or facts is None:
        return entry
    deprecated = {
        tag: each for tag, each in deprecations_of(name, facts).items() if tag in entry.tags
    }
    about = facts.text("short_description") or entry.about
    return entry._replace(about=about, deprecated=FrozenMap({**entry.deprecated, **deprecated}))


def _trees(folder: Path) -> dict[str, Path]:
    """The sets of a folder in the source layout. Raises EryphcError."""
    try:
        tags = sorted(folder.glob(f"*/*/*/{MANIFEST}"))
    except OSError:
        tags = []
    found = {"/".join(path.parts[-4:-2]).lower(): path.parents[1] for path in tags}
    found = {name: path for name, path in found.items() if is_set(name)}
    if not found:
        reason = "no gene set lies in it as ORGANIZATION/SET/TAG"
        fault = command.file_not_found(shown_path(folder), reason, ())
        raise EryphcError.of(Failure.INPUT, fault)
    return found


def _set(name: str) -> GeneSetId:
    lower = name.lower()
    if not is_set(lower):
        reason = "a gene set is given as ORGANIZATION/SET"
        raise EryphcError.of(Failure.USAGE, command.gene_unknown(name, reason))
    organization, _, geneset = lower.partition("/")
    return GeneSetId(organization, geneset, "latest")
