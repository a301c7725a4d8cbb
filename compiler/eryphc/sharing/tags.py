"""What differs between two tags of a gene set."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from eryphc.answers import Result
from eryphc.changes.guards import Move, Pin, Stop, stops
from eryphc.changes.log import ChangeLog, Side, change_log, set_changes
from eryphc.diagnostics import command as wording
from eryphc.diagnostics.model import Diagnostic, has_errors
from eryphc.diagnostics.shown import show
from eryphc.errors import EryphcError, Failure
from eryphc.frozen import FrozenMap
from eryphc.gallery import resolved_tag
from eryphc.genepool.contents import TagContents, contents_of
from eryphc.genepool.folder import MANIFEST, tag_in
from eryphc.genepool.model import GeneSetTag
from eryphc.identifiers import GeneSetId
from eryphc.request import must_be
from eryphc.session import Session
from eryphc.syntax.identifiers import parse_gene_set


class TagComparison(Result):
    """What differs between two tags, and the guards that would stop such a change in a lock.

    `log` is None after an error.
    """

    def __init__(
        self, log: ChangeLog, guards: tuple[Stop, ...], found: Iterable[Diagnostic]
    ) -> None:
        super().__init__(show(found))
        self.log = log if self.ok else None
        self.stops = guards if self.ok else ()


def compared_tags(session: Session, before: str, after: str) -> TagComparison:
    """Compare two tags, each given as `ORGANIZATION/SET[/TAG]` or as the folder of a tag.

    What is a well-formed gene set is looked up in the session's pools; a folder of such a name is
    written with `./`. Raises `EryphcError` where there is no such tag or its texts cannot be read.
    """
    must_be("the first tag", before, str)
    must_be("the second tag", after, str)
    found: list[Diagnostic] = []
    old, new = (contents_named(session, name, found) for name in (before, after))
    same_set = old.id.without_tag == new.id.without_tag
    asked = new.id.without_tag if same_set else str(new.id)
    log = change_log([set_changes(asked, Side(old), Side(new))])
    return TagComparison(log, stops(Move(_pin(old), _pin(new), old, new)), found)


def _pin(contents: TagContents) -> Pin:
    """A tag as a lock would hold it, from no pool in particular."""
    files = FrozenMap((file.path, file.digest) for file in contents.files)
    return Pin(contents.id, contents.id, "", files=files)


def contents_named(session: Session, name: str, found: list[Diagnostic]) -> TagContents:
    """The texts of a tag, given as `ORGANIZATION/SET[/TAG]` or as its folder.

    `found` gets what is said of it. Raises `EryphcError`.
    """
    tag = _tag(session, name, found)
    read = contents_of(tag)
    found += read.diagnostics
    if read.value is None:
        raise EryphcError.of(Failure.INPUT, *found)
    return read.value


def _tag(session: Session, name: str, found: list[Diagnostic]) -> GeneSetTag:
    parsed = parse_gene_set(name)
    if isinstance(parsed, GeneSetId):
        session.opener.ask_anew()
        pools = session.pools()
        session.opener.acquire((parsed,), pools)
        return resolved_tag(pools, parsed, found)
    folder = Path(name)
    if not folder.is_dir():
        if name.count("/") in (1, 2) and not name.startswith((".", "/")):
            raise EryphcError.of(Failure.INPUT, wording.gene_unknown(name, parsed.message))
        reason = "it is neither a gene set nor a folder"
        raise EryphcError.of(Failure.INPUT, wording.file_not_found(name, reason, ()))
    opened = tag_in(folder)
    if opened is None:
        reason = f"it is not the folder of a tag: it holds no `{MANIFEST}`"
        raise EryphcError.of(Failure.INPUT, wording.file_not_found(name, reason, ()))
    found += opened.diagnostics
    if opened.value is None or has_errors(opened.diagnostics):
        raise EryphcError.of(Failure.INPUT, *found)
    return opened.value
