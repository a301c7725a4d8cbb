"""What a gene offers to those who use it, and what another tag takes away from them.

Source: docs/reference/genes-and-pools.md, "The interface of a gene".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import Final, TypeAlias

from eryphc.diagnostics.words import clipped
from eryphc.frozen import NamedTuple
from eryphc.genepool.contents import ContentFile, TagContents
from eryphc.genepool.files import gene_source
from eryphc.identifiers import ANY, Architecture, GeneType
from eryphc.ir.catlet import Catlet, FodderGene, VariableType
from eryphc.passes.collect import choices
from eryphc.passes.fodder_keys import key_of
from eryphc.passes.read import Notation, read_catlet, read_fodder_gene
from eryphc.passes.redact import REDACTED
from eryphc.source import SourceText
from eryphc.syntax.names import blank

Gene: TypeAlias = Catlet | FodderGene
DEFAULT_FODDER_TYPE: Final = "cloud-config"
_TAG_OF_REFERENCE: Final = re.compile(r"^(gene:[^/:]+/[^/:]+)/[^/:]+(?=:)")


class GeneKey(NamedTuple):
    """One gene of a set, for whatever architecture. A gene set may call two of its genes, a volume
    and a fodder gene, the same."""

    type: GeneType
    name: str

    def __str__(self) -> str:
        return self.name


class OfferedVariable(NamedTuple):
    """A variable of a gene. `default` is None where it has none; an empty text is one."""

    name: str
    type: VariableType
    default: str | None
    required: bool
    secret: bool

    def __repr__(self) -> str:
        """Its name alone: the default may be secret."""
        return f"OfferedVariable({self.name!r})"

    @property
    def key(self) -> str:
        """What the variable is found by: letter case does not count."""
        return self.name.lower()

    @property
    def has_default(self) -> bool:
        """Whether a default says something; blank texts do not."""
        return not blank(self.default)

    @property
    def shown_default(self) -> str | None:
        """The default as it may be shown."""
        return REDACTED if self.secret and self.has_default else self.default


class OfferedFodder(NamedTuple):
    """An entry of fodder. `key` is what removals and merges find it by. An entry with a `source`
    is a reference, `bindings` are the values that it gives. `content` has LF line ends."""

    key: str
    type: str
    source: str | None
    filename: str | None
    secret: bool
    removes: bool
    content: str | None
    bindings: tuple[tuple[str, str | None], ...]

    def __repr__(self) -> str:
        """Its key alone: the rest may be secret."""
        return f"OfferedFodder({self.key!r})"


class Interface(NamedTuple):
    """What a gene offers, in the order of its text. Keys are unique: of equal ones the last counts.

    `digest` is that of the text.
    """

    variables: tuple[OfferedVariable, ...]
    fodder: tuple[OfferedFodder, ...]
    digest: str


class BreakKind(StrEnum):
    """How an interface can break."""

    GENE_GONE = "gene-gone"
    ARCHITECTURE_GONE = "architecture-gone"
    UNREADABLE = "unreadable"
    VARIABLE_GONE = "variable-gone"
    VARIABLE_REQUIRED = "variable-required"
    DEFAULT_GONE = "default-gone"
    TYPE_NARROWED = "type-narrowed"
    FODDER_GONE = "fodder-gone"


class Break(NamedTuple):
    """One thing that users of a gene rely on and another tag does not have.

    `architectures` are those it is true of. `name` is that of the variable or the entry of fodder.
    `words` say what is wrong with the gene.
    """

    kind: BreakKind
    gene: GeneKey
    architectures: tuple[Architecture, ...]
    name: str | None
    words: str

    @property
    def sentence(self) -> str:
        return f"{titled(self.gene, self.architectures)}: {self.words}"


def titled(gene: GeneKey, architectures: Collection[Architecture]) -> str:
    """The gene, with its architectures where it is not for any."""
    if not architectures or ANY in architectures:
        return str(gene)
    return f"{gene} [{', '.join(map(str, architectures))}]"


def read_gene(file: ContentFile) -> Gene | None:
    """The document of a catlet or fodder gene; None where it cannot be read.

    What breaks a rule does not count here: a build decides whether it takes the gene.
    """
    text = file.text.decode("utf-8", "surrogatepass")
    notation = Notation.JSON if file.form == "json" else Notation.YAML
    source = SourceText(file.path, text) if file.form == "json" else gene_source(file.path, text)
    if file.type == GeneType.CATLET:
        return read_catlet(source, notation=notation, strict=False).value
    return read_fodder_gene(source, notation=notation, strict=False).value


def interface_of(file: ContentFile) -> Interface | None:
    """What a gene offers; None where its text cannot be read.

    The description of a volume offers nothing but itself.
    """
    if file.type == GeneType.VOLUME:
        return Interface((), (), file.digest)
    gene = read_gene(file)
    return None if gene is None else offered(gene, file.digest)


def offered(gene: Gene, digest: str) -> Interface:
    """The interface of a document whose text has this digest."""
    variables: dict[str, OfferedVariable] = {}
    for variable in gene.variables or ():
        found = OfferedVariable(
            name=variable.name or "",
            type=variable.type or VariableType.STRING,
            default=variable.value,
            required=bool(variable.required),
            secret=bool(variable.secret),
        )
        variables[found.key] = found
    fodder: dict[str, OfferedFodder] = {}
    for entry in gene.fodder or ():
        # A reference that is malformed is none, and may have no name either.
        key = str(key_of(entry)) or (entry.source or "").lower()
        fodder[key] = OfferedFodder(
            key=key,
            type=entry.type or DEFAULT_FODDER_TYPE,
            source=None if blank(entry.source) else entry.source,
            filename=entry.filename,
            secret=bool(entry.secret),
            removes=bool(entry.remove),
            content=None if entry.content is None else entry.content.text,
            bindings=tuple((each.name or "", each.value) for each in entry.variables or ()),
        )
    return Interface(tuple(variables.values()), tuple(fodder.values()), digest)


def genes_of(contents: TagContents) -> dict[GeneKey, dict[Architecture, ContentFile]]:
    """The genes of a tag, each with its texts by architecture; both in order."""
    found: dict[GeneKey, dict[Architecture, ContentFile]] = {}
    for file in contents.files:
        if file.name is not None and file.type in tuple(GeneType):
            key = GeneKey(GeneType(file.type), file.name)
            found.setdefault(key, {})[file.architecture or ANY] = file
    return {
        key: dict(sorted(variants.items(), key=lambda each: each[0]))
        for key, variants in sorted(found.items())
    }


class Pair(NamedTuple):
    """The texts that a build takes before and after, for these architectures; None: there is none.

    No two pairs of a gene have the same two texts.
    """

    architectures: tuple[Architecture, ...]
    before: ContentFile | None
    after: ContentFile | None


def pairs(
    before: dict[Architecture, ContentFile], after: dict[Architecture, ContentFile]
) -> tuple[Pair, ...]:
    """The texts of one gene in two tags as builds would choose them, by architecture.

    A text that one tag has for an architecture of its own is compared with the one that the other
    tag would serve there.
    """
    found: dict[tuple[str | None, str | None], Pair] = {}
    for architecture in sorted({*before, *after}):
        old, new = _chosen(before, architecture), _chosen(after, architecture)
        key = (None if old is None else old.digest, None if new is None else new.digest)
        known = found.get(key)
        served = (architecture,) if known is None else (*known.architectures, architecture)
        found[key] = Pair(served, old, new)
    return tuple(found.values())


def _chosen(variants: dict[Architecture, ContentFile], wanted: Architecture) -> ContentFile | None:
    return next((variants[each] for each in choices(wanted) if each in variants), None)


def breaks(before: TagContents, after: TagContents) -> tuple[Break, ...]:
    """All that users of a tag rely on and another one does not have, by gene."""
    old, new = genes_of(before), genes_of(after)
    found: list[Break] = []
    for gene, variants in old.items():
        if gene not in new:
            words = f"the {gene.type} gene is gone"
            found.append(Break(BreakKind.GENE_GONE, gene, tuple(variants), None, words))
            continue
        for pair in pairs(variants, new[gene]):
            found += _broken(gene, pair)
    return tuple(found)


def _broken(gene: GeneKey, pair: Pair) -> Iterator[Break]:
    if pair.before is None or (pair.after and pair.before.digest == pair.after.digest):
        return
    where = pair.architectures

    def broken(kind: BreakKind, name: str | None, words: str) -> Break:
        return Break(kind, gene, where, name, words)

    if pair.after is None:
        listed = ", ".join(map(str, where))
        words = f"the {gene.type} gene is no more there for {listed}"
        yield broken(BreakKind.ARCHITECTURE_GONE, None, words)
        return
    old, new = interface_of(pair.before), interface_of(pair.after)
    if old is None:
        return
    if new is None:
        yield broken(BreakKind.UNREADABLE, None, "its text cannot be read any more")
        return
    for kind, name, words in (*_variables(old, new), *_fodder(old, new)):
        yield broken(kind, name, words)


def _variables(old: Interface, new: Interface) -> Iterator[tuple[BreakKind, str, str]]:
    before = {variable.key: variable for variable in old.variables}
    after = {variable.key: variable for variable in new.variables}
    for key, was in before.items():
        now = after.get(key)
        name = clipped(was.name)
        if now is None:
            yield BreakKind.VARIABLE_GONE, was.name, f"the variable `{name}` is gone"
            continue
        if now.required and not was.required:
            words = f"the variable `{name}` is required now"
            yield BreakKind.VARIABLE_REQUIRED, was.name, words
        if was.has_default and not now.has_default:
            words = f"the variable `{name}` has no default any more"
            yield BreakKind.DEFAULT_GONE, was.name, words
        if now.type not in (was.type, VariableType.STRING):
            words = f"the variable `{name}` was a {was.type} and is a {now.type}"
            yield BreakKind.TYPE_NARROWED, was.name, words
    for key, now in after.items():
        if key not in before and now.required and not now.has_default:
            words = f"the new variable `{clipped(now.name)}` is required and has no default"
            yield BreakKind.VARIABLE_REQUIRED, now.name, words


def _fodder(old: Interface, new: Interface) -> Iterator[tuple[BreakKind, str, str]]:
    kept = {without_tag(entry.key) for entry in new.fodder}
    for entry in old.fodder:
        if without_tag(entry.key) not in kept:
            words = f"the fodder entry `{clipped(entry.key)}` is gone"
            yield BreakKind.FODDER_GONE, entry.key, words


def without_tag(key: str) -> str:
    """The key of an entry, in which a reference names its gene set without the tag.

    A reference to another tag of the same gene is still there.
    """
    return _TAG_OF_REFERENCE.sub(r"\1", key)
