"""E16xx: statements of builds and lists of their parts, and builds that differ from them."""

from __future__ import annotations

from eryphc.diagnostics.model import Code, Diagnostic, finding
from eryphc.diagnostics.words import clipped

NO_BUILD = Code("E1601", "verify-no-build")
ARTIFACT_DIFFERS = Code("E1602", "artifact-differs")
ARTIFACT_UNLISTED = Code("E1603", "artifact-unlisted")
ARTIFACT_SECRET = Code("E1604", "artifact-secret")
GENE_DIFFERS = Code("E1605", "gene-differs")
STATEMENT_MALFORMED = Code("E1606", "statement-malformed")
STATEMENT_DIFFERS = Code("E1607", "statement-differs")
STATEMENT_UNSIGNED = Code("E1608", "statement-unsigned")
SIGNATURE_NOT_CHECKED = Code("N1609", "signature-not-checked")
NOTHING_TO_TELL = Code("W1610", "statement-without-subject")
SIGNING_FAILED = Code("E1611", "signing-failed")


def no_build(path: str, reason: str, help_text: str | None = None) -> Diagnostic:
    """`reason` follows the path."""
    return finding(NO_BUILD, f"`{clipped(path)}` cannot be verified: {reason}", help=help_text)


def artifact_differs(path: str, reason: str) -> Diagnostic:
    """`reason` follows the path: "is missing", "has 5 bytes, the manifest says 6"."""
    return finding(ARTIFACT_DIFFERS, f"`{clipped(path, 300)}` {reason}")


def artifact_unlisted(path: str) -> Diagnostic:
    return finding(
        ARTIFACT_UNLISTED,
        f"`{clipped(path, 300)}` is not listed in the manifest",
        help="remove it, or build again",
    )


def artifact_secret(path: str) -> Diagnostic:
    return finding(
        ARTIFACT_SECRET,
        f"`{clipped(path, 300)}` holds secrets",
        help="build machines with secrets in the job that deploys them",
    )


def gene_differs(gene: str, build: str, reason: str, found: str | None = None) -> Diagnostic:
    """`reason` follows the gene and the build: "is not pinned by the lock"."""
    notes = () if found is None else (found,)
    return finding(GENE_DIFFERS, f"`{clipped(gene)}` of `{clipped(build)}` {reason}", notes=notes)


def statement_malformed(path: str, reason: str) -> Diagnostic:
    return finding(STATEMENT_MALFORMED, f"`{clipped(path)}` is no statement of a build: {reason}")


def statement_differs(path: str, reason: str) -> Diagnostic:
    return finding(
        STATEMENT_DIFFERS,
        f"the statement `{clipped(path)}` is not about this build: {reason}",
        help="build again with `--provenance`, or remove the statement",
    )


def statement_unsigned(path: str, reason: str, help_text: str | None = None) -> Diagnostic:
    return finding(
        STATEMENT_UNSIGNED,
        f"the statement `{clipped(path)}` is not signed as asked: {reason}",
        help=help_text,
    )


def signature_not_checked(path: str) -> Diagnostic:
    return finding(
        SIGNATURE_NOT_CHECKED,
        f"`{clipped(path)}` is an envelope, and its signature was not checked",
        help="check it with the tool of your signer, such as `cosign verify-blob-attestation`",
    )


def nothing_to_tell(catlet: str, target: str) -> Diagnostic:
    return finding(
        NOTHING_TO_TELL,
        f"no statement is written for `{clipped(catlet)}` and the target `{target}`: "
        "each of its files holds secrets or their digests",
    )


def signing_failed(key: str, reason: str) -> Diagnostic:
    return finding(
        SIGNING_FAILED,
        f"nothing was signed with `{clipped(key)}`: {clipped(reason, 300)}",
        help="name a private key without a passphrase, or the `.pub` file of a key in an agent",
    )
