"""Tags as authors keep them: a folder of a tag, or of a set with its tags, and what it says of
itself.

Source: docs/reference/genes-and-pools.md, "The source layout", "The gene set manifest".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from eryphc.canonical import read_json
from eryphc.diagnostics import command, sharing
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.diagnostics.pools import Neighbours
from eryphc.frozen import NamedTuple
from eryphc.genepool.contents import ContentFile
from eryphc.genepool.files import PoolFiles, canonical_text
from eryphc.genepool.folder import MANIFEST, tag_in
from eryphc.genepool.model import GeneSetTag
from eryphc.genepool.source_tree import SourceTag
from eryphc.identifiers import GeneSetId
from eryphc.source import shown_path

SET_FILE: Final = "geneset.json"
_README: Final = "readme.md"
_CHANGELOG: Final = "changelog.md"
_MOST_TEXT: Final = 2 * 1024 * 1024


class SetFacts(NamedTuple):
    """What `geneset.json` says of a set. `path` is the file, None where there is none; `data` its
    members, empty where it cannot be read.
    """

    path: Path | None
    data: Mapping[str, Any]

    def text(self, key: str) -> str | None:
        """A member that is a text, None where it is empty or something else."""
        value = self.data.get(key)
        return value if isinstance(value, str) and value.strip() else None

    def metadata(self, key: str) -> str | None:
        """A text of the member `metadata`."""
        metadata = self.data.get("metadata")
        value = metadata.get(key) if isinstance(metadata, dict) else None
        return value if isinstance(value, str) and value.strip() else None


NO_FACTS: Final = SetFacts(None, {})


class AuthoredTag(NamedTuple):
    """A tag in the folder of its author. `documents` are its readme and its list of changes."""

    folder: Path
    tag: GeneSetTag
    facts: SetFacts
    documents: tuple[ContentFile, ...]

    @property
    def id(self) -> GeneSetId:
        return self.tag.id


def tags_in(folder: Path) -> Outcome[tuple[AuthoredTag, ...]]:
    """The tag that lies in `folder`, or all tags of the set that does, sorted by name.

    Errors: no such folder, no tag in it, manifests and texts that cannot be read.
    """
    if not folder.is_dir():
        reason = "there is no such folder"
        return Outcome(None, (command.file_not_found(shown_path(folder), reason, ()),))
    if (folder / MANIFEST).is_file():
        folders = [folder]
    else:
        folders = sorted(path.parent for path in folder.glob(f"*/{MANIFEST}") if path.is_file())
    if not folders:
        reason = f"it holds no `{MANIFEST}`, and no folder in it does"
        return Outcome(None, (command.file_not_found(shown_path(folder), reason, ()),))
    found: list[Diagnostic] = []
    tags: list[AuthoredTag] = []
    for each in folders:
        tag = authored(each)
        found += tag.diagnostics
        if tag.value is not None:
            tags.append(tag.value)
    found += claimed_twice(tags)
    return Outcome(None if has_errors(found) else tuple(tags), tuple(found))


def claimed_twice(tags: Iterable[AuthoredTag]) -> Iterator[Diagnostic]:
    """Folders whose manifests name the tag of another folder: a copy that was not finished."""
    folders: dict[GeneSetId, Path] = {}
    for each in tags:
        first = folders.setdefault(each.id, each.folder)
        if first != each.folder:
            shown = (shown_path(first), shown_path(each.folder))
            yield sharing.tag_claimed_twice(each.id, shown, each.folder / MANIFEST)


def authored(folder: Path) -> Outcome[AuthoredTag]:
    """The tag in a folder that holds its manifest."""
    opened = tag_in(folder)
    if opened is None or opened.value is None:
        return Outcome(None, () if opened is None else opened.diagnostics)
    described = described_tag(opened.value)
    found = (*opened.diagnostics, *described.diagnostics)
    return Outcome(None if has_errors(found) else described.value, found)


def described_tag(tag: GeneSetTag) -> Outcome[AuthoredTag]:
    """A tag of a pool with what its set says of itself, where it lies in a source tree."""
    if not isinstance(tag, SourceTag):
        return Outcome(AuthoredTag(Path(), tag, NO_FACTS, ()))
    folder = tag.folder
    if not folder.name:
        folder = folder.absolute()
    facts = read_facts(folder.parent)
    found = [*facts.diagnostics]
    documents: list[ContentFile] = []
    if facts.value is not None and tag.manifest.ref is None:
        named = facts.value.text("description_markdown_file")
        wanted = (("readme", _README, named), ("changelog", _CHANGELOG, None))
        for kind, name, other in wanted:
            text = _document(folder, name, other)
            found += text.diagnostics
            if text.value is not None:
                documents.append(ContentFile(name, kind, text.value))
    if facts.value is None or has_errors(found):
        return Outcome(None, tuple(found))
    return Outcome(AuthoredTag(tag.folder, tag, facts.value, tuple(documents)), tuple(found))


def read_facts(folder: Path) -> Outcome[SetFacts]:
    """`geneset.json` of a set's folder. Errors: it cannot be read, or is no JSON object."""
    path = folder / SET_FILE
    if not path.is_file():
        return Outcome(NO_FACTS)
    read = PoolFiles(folder, shown_path(folder)).read(path, _MOST_TEXT)
    if read.value is None:
        return Outcome(None, read.diagnostics)
    try:
        data = read_json(read.value.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        data = None
    if not isinstance(data, dict):
        fault = sharing.not_publishable(folder.name, f"`{SET_FILE}` is no JSON object", path)
        return Outcome(None, (fault,))
    return Outcome(SetFacts(path, data))


def _document(folder: Path, name: str, named: str | None) -> Outcome[bytes]:
    """A text for people: that of the tag, else that of its set, where it may be `named`."""
    for place, wanted in ((folder, name), (folder.parent, named or name)):
        files = PoolFiles(place, shown_path(place))
        entries = files.entries(place).value or ()
        # It is one of the names in the folder, so that no path leads anywhere else.
        path = next(
            (e.path for e in entries if not e.folder and e.name.lower() == wanted.lower()), None
        )
        if path is None:
            continue
        read = files.read_text(path)
        if read.value is None:
            return Outcome(None, read.diagnostics)
        return Outcome(canonical_text(read.value), read.diagnostics)
    return Outcome(None)


class AuthoredPool:
    """The tags of an author as a pool, wherever their folders lie."""

    label = "the tags at hand"

    def __init__(self, tags: Iterable[AuthoredTag]) -> None:
        self._tags: dict[GeneSetId, Outcome[GeneSetTag]] = {
            each.id: Outcome(each.tag) for each in tags
        }

    def labels(self) -> tuple[str, ...]:
        return ()

    def find(self, geneset: GeneSetId) -> Outcome[GeneSetTag] | None:
        return self._tags.get(geneset)

    def neighbours(self, geneset: GeneSetId) -> Neighbours:
        same = [each for each in self._tags if each.organization == geneset.organization]
        return Neighbours(
            tuple(sorted(each.tag for each in same if each.geneset == geneset.geneset)),
            tuple(sorted({each.geneset for each in same})),
        )
