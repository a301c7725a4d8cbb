"""E03xx: what is wrong with gene pools, gene sets and the genes they hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from eryphc.diagnostics.model import Code, Diagnostic, Label, Level, wording
from eryphc.diagnostics.said import Words
from eryphc.diagnostics.words import did_you_mean, listed
from eryphc.frozen import NamedTuple
from eryphc.identifiers import Architecture, GeneId, GeneSetId, GeneType
from eryphc.source import Span

GENE_NOT_FOUND = Code("E0301", "gene-not-found")
GENE_SET_NOT_FOUND = Code("E0302", "gene-set-not-found")
IDENTIFIER_MALFORMED = Code("E0303", "identifier-malformed")
REFERENCE_LOOP = Code("E0304", "reference-loop")
REFERENCES_TOO_MANY = Code("E0305", "references-too-many")
GENE_NOT_FOR_HYPERVISOR = Code("E0306", "gene-not-for-hypervisor")
GENE_NOT_FOR_PROCESSOR = Code("E0307", "gene-not-for-processor")
MANIFEST_INVALID = Code("E0308", "manifest-invalid")
MANIFEST_MISPLACED = Code("E0309", "manifest-misplaced")
GENE_INCOMPLETE = Code("E0310", "gene-incomplete")
GENE_DAMAGED = Code("E0311", "gene-damaged")
OUTSIDE_POOL = Code("E0312", "outside-pool")
FILE_UNREADABLE = Code("E0313", "pool-file-unreadable")
GENE_TOO_LARGE = Code("E0314", "gene-too-large")
GENE_NOT_UTF8 = Code("W0315", "gene-not-utf8")
SOURCE_UNCLEAR = Code("E0316", "source-unclear")
VOLUME_DESCRIPTOR = Code("E0317", "volume-descriptor-invalid")
GENE_TWICE = Code("W0318", "gene-twice")
CATLET_GENE_MISSING = Code("E0319", "catlet-gene-missing")
VOLUME_DESCRIPTOR_KEY = Code("W0320", "volume-descriptor-key")
MANIFEST_SAYS_OTHER = Code("W0321", "manifest-says-other")

_MOST_PASSED = 10
_KINDS = {GeneType.CATLET: "catlet", GeneType.FODDER: "fodder", GeneType.VOLUME: "volume"}


def _place(span: Span | None, message: str = "") -> Label | None:
    return Label(span, message) if span is not None else None


class Neighbours(NamedTuple):
    """What else there is near a gene set that was not found.

    `tags` are those of the same gene set, `sets` the other gene sets of the organization. `hosts`
    are registries without a login that show nothing of it: there it may exist and not be visible.
    """

    tags: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


NO_NEIGHBOURS = Neighbours()


@wording
def gene_not_found(
    gene: GeneId,
    gene_type: GeneType,
    span: Span | None,
    known: Collection[str],
    passed: Sequence[Words] = (),
) -> Diagnostic:
    """`passed` says which files were passed over, and why."""
    kind = _KINDS[gene_type]
    return Diagnostic(
        code=GENE_NOT_FOUND,
        level=Level.ERROR,
        message=f"the gene set `{gene.geneset}` has no {kind} gene `{gene.name}` (`{gene}`)",
        primary=_place(span, "not in the gene set"),
        notes=(
            *((f"its {kind} genes are {listed(sorted(known))}",) if known else ()),
            *passed[:_MOST_PASSED],
        ),
        help=did_you_mean(gene.name, known),
    )


@wording
def gene_set_not_found(
    geneset: GeneSetId,
    span: Span | None,
    near: Neighbours,
    pools: Sequence[str],
    notes: Sequence[str] = (),
) -> Diagnostic:
    """`pools` are the labels of those that were asked."""
    facts = list(notes)
    hint = None
    tags, sets, hosts = near
    if tags:
        facts.append(f"`{geneset.without_tag}` has the tags {listed(sorted(tags))}")
        hint = did_you_mean(geneset.tag, tags)
        if geneset.tag == "latest":
            hint = "name one of these tags; without a tag `latest` is meant"
    elif sets:
        hint = did_you_mean(geneset.geneset, sets)
    if hosts:
        facts.append(
            f"or no access: nobody is signed in to {', '.join(f'`{host}`' for host in hosts)}, and "
            "registries answer the same where a gene set is missing and where one may not see it"
        )
        hint = hint or f"check the name, or sign in: `docker login {hosts[0]}` or the like"
    if pools:
        facts.append(f"looked in {', '.join(f'`{pool}`' for pool in pools)}")
    return Diagnostic(
        code=GENE_SET_NOT_FOUND,
        level=Level.ERROR,
        message=f"no gene pool has the gene set `{geneset}`",
        primary=_place(span, "not found"),
        notes=tuple(facts),
        help=hint,
    )


@wording
def identifier_malformed(message: str, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code=IDENTIFIER_MALFORMED, level=Level.ERROR, message=message, primary=_place(span)
    )


@wording
def reference_loop(chain: Sequence[GeneSetId], span: Span | None) -> Diagnostic:
    shown = " → ".join(f"`{geneset}`" for geneset in chain)
    return Diagnostic(
        code=REFERENCE_LOOP,
        level=Level.ERROR,
        message=f"the tag `{chain[0]}` refers to itself: {shown}",
        primary=_place(span, "this reference closes the loop"),
    )


@wording
def references_too_many(chain: Sequence[GeneSetId], limit: int, span: Span | None) -> Diagnostic:
    shown = " → ".join(f"`{geneset}`" for geneset in chain)
    return Diagnostic(
        code=REFERENCES_TOO_MANY,
        level=Level.ERROR,
        message=f"the tag `{chain[0]}` is more than {limit - 1} references away from its gene set: "
        f"{shown}",
        primary=_place(span, "one reference too many"),
        notes=(f"a chain of references may name at most {limit} gene sets",),
    )


@wording
def gene_not_for_hypervisor(
    gene: GeneId, wanted: Architecture, present: Sequence[Architecture], span: Span | None
) -> Diagnostic:
    return Diagnostic(
        code=GENE_NOT_FOR_HYPERVISOR,
        level=Level.ERROR,
        message=f"the gene `{gene}` is not made for the hypervisor of `{wanted}`",
        primary=_place(span, "no fitting variant"),
        notes=(f"it exists for {', '.join(f'`{a}`' for a in present)}",),
        help="choose another architecture with --arch",
    )


@wording
def gene_not_for_processor(
    gene: GeneId, wanted: Architecture, present: Sequence[Architecture], span: Span | None
) -> Diagnostic:
    return Diagnostic(
        code=GENE_NOT_FOR_PROCESSOR,
        level=Level.ERROR,
        message=f"the gene `{gene}` is not made for the processor of `{wanted}`",
        primary=_place(span, "no fitting variant"),
        notes=(f"it exists for {', '.join(f'`{a}`' for a in present)}",),
        help="choose another architecture with --arch",
    )


@wording
def manifest_invalid(geneset: GeneSetId, problem: str, span: Span) -> Diagnostic:
    return Diagnostic(
        code=MANIFEST_INVALID,
        level=Level.ERROR,
        message=f"the manifest of the gene set `{geneset}` is not valid: {problem}",
        primary=Label(span),
    )


@wording
def manifest_misplaced(geneset: GeneSetId, written: str, span: Span) -> Diagnostic:
    return Diagnostic(
        code=MANIFEST_MISPLACED,
        level=Level.ERROR,
        message=f"the manifest in the folder of `{geneset}` says that it is `{written}`",
        primary=Label(span, "another gene set"),
        help=f"write `{geneset}` here, or move the folder to where it belongs",
    )


@wording
def manifest_says_other(geneset: GeneSetId, written: str, span: Span) -> Diagnostic:
    return Diagnostic(
        code=MANIFEST_SAYS_OTHER,
        level=Level.WARNING,
        message=f"the manifest in the folder of `{geneset}` says that it is `{written}`",
        primary=Label(span, "another gene set"),
        help=f"write `{geneset}` here",
    )


@wording
def gene_incomplete(gene: GeneId, missing: str, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code=GENE_INCOMPLETE,
        level=Level.ERROR,
        message=f"the gene `{gene}` is listed in its gene set but not complete in the pool: "
        f"{missing}",
        primary=_place(span, "not complete"),
        help="download the gene set again",
    )


@wording
def gene_damaged(gene: GeneId, problem: str, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code=GENE_DAMAGED,
        level=Level.ERROR,
        message=f"the packed gene `{gene}` is damaged: {problem}",
        primary=_place(span),
        help="download the gene set again",
    )


@wording
def outside_pool(shown: str, pool: str, span: Span) -> Diagnostic:
    return Diagnostic(
        code=OUTSIDE_POOL,
        level=Level.ERROR,
        message=f"`{shown}` leads out of the gene pool `{pool}` and is not read",
        primary=Label(span, "a link to a place outside the pool"),
    )


@wording
def file_unreadable(shown: str, reason: str, span: Span) -> Diagnostic:
    return Diagnostic(
        code=FILE_UNREADABLE,
        level=Level.ERROR,
        message=f"`{shown}` cannot be read: {reason}",
        primary=Label(span),
    )


@wording
def gene_too_large(shown: str, limit: int, span: Span) -> Diagnostic:
    return Diagnostic(
        code=GENE_TOO_LARGE,
        level=Level.ERROR,
        message=f"`{shown}` is larger than {limit // (1024 * 1024)} MiB, the most that is read",
        primary=Label(span),
    )


@wording
def gene_not_utf8(shown: str, span: Span) -> Diagnostic:
    return Diagnostic(
        code=GENE_NOT_UTF8,
        level=Level.WARNING,
        message=f"`{shown}` holds bytes that are no text; each was read as U+FFFD",
        primary=Label(span, "the first one"),
        help="save the file as UTF-8",
    )


@wording
def source_unclear(
    geneset: GeneSetId,
    final: GeneSetId,
    choices: Collection[str],
    span: Span | None,
    passed: Sequence[Words] = (),
) -> Diagnostic:
    """`passed` says which files were passed over, and why."""
    if not choices:
        return Diagnostic(
            code=SOURCE_UNCLEAR,
            level=Level.ERROR,
            message=f"the gene set `{final}` holds no fodder gene that `gene:{geneset}` could mean",
            primary=_place(span, "no fodder gene"),
            notes=tuple(passed[:_MOST_PASSED]),
        )
    first = min(choices)
    return Diagnostic(
        code=SOURCE_UNCLEAR,
        level=Level.ERROR,
        message=f"`gene:{geneset}` does not say which of the fodder genes of `{final}` is meant: "
        f"{listed(sorted(choices), 100)}",
        primary=_place(span, "which gene?"),
        help=f"name the gene, as in `gene:{geneset.without_tag}/{geneset.tag}:{first}`",
    )


@wording
def volume_descriptor_invalid(problem: str, span: Span) -> Diagnostic:
    return Diagnostic(
        code=VOLUME_DESCRIPTOR,
        level=Level.ERROR,
        message=f"the description of the volume is not valid: {problem}",
        primary=Label(span),
    )


@wording
def volume_descriptor_key(key: str, known: Collection[str], span: Span) -> Diagnostic:
    return Diagnostic(
        code=VOLUME_DESCRIPTOR_KEY,
        level=Level.WARNING,
        message=f"`{key}` means nothing in the description of a volume",
        primary=Label(span, "ignored"),
        help=did_you_mean(key, known),
    )


@wording
def gene_twice(name: str, architecture: Architecture, used: Span, ignored: Span) -> Diagnostic:
    return Diagnostic(
        code=GENE_TWICE,
        level=Level.WARNING,
        message=f"two files of one gene set hold the fodder gene `{name}` for `{architecture}`; "
        "the later one by file name counts",
        primary=Label(used, "this one counts"),
        related=(Label(ignored, "this one is ignored"),),
        help="give one of them another `name`",
    )


@wording
def catlet_gene_missing(final: GeneSetId, span: Span | None, known: Collection[str]) -> Diagnostic:
    return Diagnostic(
        code=CATLET_GENE_MISSING,
        level=Level.ERROR,
        message=f"the gene set `{final}` has no catlet gene, so it cannot be a parent",
        primary=_place(span, "holds no catlet"),
        notes=(f"it has the fodder genes {listed(sorted(known))}",) if known else (),
        help="use it as the `source` of a fodder entry instead" if known else None,
    )
