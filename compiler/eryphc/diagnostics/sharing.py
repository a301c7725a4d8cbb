"""E10xx: gene sets as images, what pools serve, what is published, signatures.

`where` names the copy that a message speaks of: a reference of a registry, or a place in a folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eryphc.diagnostics.model import Code, Diagnostic, finding, wording
from eryphc.diagnostics.said import Said
from eryphc.diagnostics.words import cleaned, clipped
from eryphc.identifiers import GeneId, GeneSetId
from eryphc.source import SourceText, Span, shown_path

NOT_A_GENE_SET = Code("E1016", "not-a-gene-set")
WRONG_GENE_SET = Code("E1017", "wrong-gene-set")
FORMAT_TOO_NEW = Code("E1018", "format-too-new")
MALFORMED_ARTIFACT = Code("E1019", "malformed-artifact")
SIGNATURE_MISSING = Code("E1022", "signature-missing")
SIGNATURE_WRONG = Code("E1023", "signature-wrong")
NO_SSH_KEYGEN = Code("E1024", "no-ssh-keygen")
NAME_NOT_EXPRESSIBLE = Code("E1026", "name-not-expressible")
MOVING_TAG_CONTENT = Code("E1028", "moving-tag-content")
SIGNING_KEY_TOO_OPEN = Code("E1032", "signing-key-too-open")
NOT_PUBLISHABLE = Code("E1033", "gene-set-not-publishable")
RESERVED_FILE_NAME = Code("W1034", "reserved-file-name")
VARIABLE_UNUSED = Code("W1035", "gene-variable-unused")
FILE_PASSED_OVER = Code("W1036", "gene-file-passed-over")


def not_a_gene_set(where: str, found: str, wanted: str = "a gene set") -> Diagnostic:
    """`found` says what is there: "an image of something else"."""
    return finding(
        NOT_A_GENE_SET,
        f"`{clipped(where, 300)}` is not {wanted}: it is {clipped(found, 300)}",
        help="look whether the pool's address and names lead to images of gene sets",
    )


def wrong_gene_set(where: str, asked: GeneSetId, served: GeneSetId) -> Diagnostic:
    why = "the image was pushed under the name of another gene set"
    if asked.without_tag == served.without_tag:
        why = "only a moving tag, such as `latest`, may be another name of a tag"
    return finding(
        WRONG_GENE_SET,
        f"`{clipped(where, 300)}` should be `{asked}`, and is another gene set: `{served}`",
        notes=(why,),
    )


def format_too_new(where: str, what: str, found: int, known: int) -> Diagnostic:
    """`what` has the version `found`, of which this version knows all up to `known`."""
    return finding(
        FORMAT_TOO_NEW,
        f"`{clipped(where, 300)}` needs a newer eryphc: {what} has version {found}, "
        f"this eryphc knows {known}",
        help="update eryphc, or take an older tag of the gene set",
    )


def malformed_artifact(where: str, member: str, problem: str) -> Diagnostic:
    """`member` is what is at fault, `problem` continues it: "is no text"."""
    return finding(
        MALFORMED_ARTIFACT,
        f"`{clipped(where, 300)}` is no image of a gene set as it should be: "
        f"`{clipped(member)}` {clipped(problem, 300)}",
        notes=("nothing of it is used",),
    )


def of_pool(found: Diagnostic, pool: str) -> Diagnostic:
    """What is wrong with an image, and the pool that it is in."""
    return found._replace(notes=(*found.notes, f"it is in the pool `{clipped(pool)}`"))


def malformed_set(where: str, problem: str) -> Diagnostic:
    """`where` is a gene set in the original's packed form, `problem` a sentence about it."""
    return finding(
        MALFORMED_ARTIFACT,
        f"`{clipped(where, 300)}` is no packed gene set as it should be: {clipped(problem, 300)}",
        notes=("nothing of it is used",),
    )


def zstd_unreadable(where: str) -> Diagnostic:
    return finding(
        MALFORMED_ARTIFACT,
        f"`{clipped(where, 300)}` has a layer that is compressed with zstd, "
        "which this Python cannot unpack",
        help="copy it with `skopeo copy --dest-compress-format gzip`, or use Python 3.14 or newer",
    )


def name_not_expressible(geneset: str, reason: str) -> Diagnostic:
    return finding(
        NAME_NOT_EXPRESSIBLE,
        f"`{geneset}` has no name in this pool: {reason}",
        help="change `repository` and `tag` of the pool, or rename the gene set",
    )


def moving_tag_content(geneset: GeneSetId, example: str) -> Diagnostic:
    return finding(
        MOVING_TAG_CONTENT,
        f"`{geneset}` holds genes, but its tag moves: what is built with it would change",
        notes=("a tag is fixed if it holds digit, dot, digit, or eight digits in a row",),
        help=f"publish the genes as `{geneset.without_tag}/{example}` and let "
        f"`{geneset.tag}` refer to it",
    )


def signature_missing(where: str, geneset: GeneSetId, asked: Span | None) -> Diagnostic:
    """`asked` is the place in the project file that asks for signatures."""
    return finding(
        SIGNATURE_MISSING,
        f"`{clipped(where, 300)}` is not signed, and the project asks for a signature",
        asked,
        "asked for here",
        notes=("a conversion to docker's schema 2 loses signatures",),
        help=f"sign it with `eryphc gene sign {geneset} --key KEY`, or copy it with "
        "`skopeo copy --preserve-digests`",
    )


def signature_impossible(where: str, asked: Span | None) -> Diagnostic:
    return finding(
        SIGNATURE_MISSING,
        f"`{clipped(where, 300)}` comes in a form that holds no signatures, and the project asks "
        "for one",
        asked,
        "asked for here",
        help="push it to a registry of your own and sign it there",
    )


def signature_untrusted(where: str, reasons: Sequence[str], asked: Span | None) -> Diagnostic:
    """`reasons` say of each signature why it does not count: "its key is not in `keys`"."""
    return finding(
        SIGNATURE_MISSING,
        f"`{clipped(where, 300)}` is signed by nobody whom the project trusts",
        asked,
        "asked for here",
        notes=_reasons(reasons),
        help="add a key to `keys` or a name to `signers` if you trust who signed",
    )


def folder_unsigned(geneset: GeneSetId, folder: str, asked: Span | None) -> Diagnostic:
    return finding(
        SIGNATURE_MISSING,
        f"`{geneset}` lies in the folder `{clipped(folder, 300)}`, where nothing is signed, and "
        "the project asks for a signature",
        asked,
        "asked for here",
        help="take it from a registry or an image layout, or commit the folder below the "
        "project file",
    )


def signature_wrong(where: str, reasons: Sequence[str], asked: Span | None) -> Diagnostic:
    """`reasons` say of each signature why it does not count."""
    return finding(
        SIGNATURE_WRONG,
        f"`{clipped(where, 300)}` has a signature that is not one of its content",
        asked,
        "asked for here",
        notes=_reasons(reasons),
        help="nothing of it is used; ask who published it",
    )


def _reasons(reasons: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"signature {at}: {cleaned(each, 300)}" for at, each in enumerate(reasons, 1))


def no_ssh_keygen() -> Diagnostic:
    return finding(
        NO_SSH_KEYGEN,
        "signatures are made and checked by `ssh-keygen`, which is not on the PATH",
        help="install it: `apt install openssh-client`, `dnf install openssh`, or the OpenSSH "
        "client of Windows",
    )


def signing_key_too_open(path: str) -> Diagnostic:
    return finding(
        SIGNING_KEY_TOO_OPEN,
        f"`{clipped(path)}` is a private key that others can read",
        help=f"`chmod 600 {clipped(path)}`, and think of a new key",
    )


def not_publishable(geneset: str, problem: str, file: Path | None = None) -> Diagnostic:
    """`problem` is a whole clause; `file` is where it stands, if that is one file."""
    span = None if file is None else Span(SourceText(shown_path(file), ""), 0, 0)
    return finding(
        NOT_PUBLISHABLE, f"`{geneset}` cannot be published: {clipped(problem, 300)}", span
    )


def tag_claimed_twice(geneset: GeneSetId, folders: tuple[str, str], file: Path) -> Diagnostic:
    """`folders` both have a manifest for the gene set; `file` is the manifest of the second."""
    first, second = folders
    problem = f"both `{clipped(first)}` and `{clipped(second)}` say that they are it"
    help_text = f"each folder names its own tag as `geneset` of its `{file.name}`"
    return not_publishable(str(geneset), problem, file)._replace(help=help_text)


def reserved_file_name(geneset: GeneSetId, path: str) -> Diagnostic:
    return finding(
        RESERVED_FILE_NAME,
        f"`{geneset}` has the file `{path}`, and Windows takes such a name for a device",
        help="call the gene something else, so that the set can be unpacked there",
    )


@wording
def variable_unused(gene: GeneId, variable: Said, span: Span | None) -> Diagnostic:
    return finding(
        VARIABLE_UNUSED,
        f"`{gene}` declares the variable `{variable}`, and no content of it holds "
        f"`{{{{ {variable} }}}}`",
        span,
        "not used",
    )


def file_passed_over(path: str) -> Diagnostic:
    return finding(
        FILE_PASSED_OVER,
        f"`{path}` is no gene: it lies in no folder of an architecture",
        help="folders are HYPERVISOR and below it PROCESSOR, such as `hyperv/amd64`",
    )
