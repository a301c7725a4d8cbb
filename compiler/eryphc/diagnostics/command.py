"""E09xx: what is wrong with the command line, the files it names and the project file."""

from __future__ import annotations

from collections.abc import Collection

from eryphc.diagnostics.model import Code, Diagnostic, finding
from eryphc.diagnostics.words import clipped, close_matches, without_login
from eryphc.source import Span

USAGE = Code("E0901", "usage")
SPEC_NOT_FOUND = Code("E0902", "file-not-found")
FILE_UNREADABLE = Code("E0903", "file-unreadable")
BAD_OPTION_VALUE = Code("E0904", "bad-option-value")
POOL_NOT_FOUND = Code("E0905", "pool-not-found")
SPECS_OF_ONE_NAME = Code("E0906", "specs-of-one-name")
UNKNOWN_CODE = Code("E0907", "unknown-code")
PROJECT_VALUE = Code("E0908", "project-value")
POOL_UNSUPPORTED = Code("E0909", "pool-type-unsupported")
VARIABLE_SOURCE = Code("E0910", "variable-source")
FILE_EXISTS = Code("E0911", "file-exists")
GENE_UNKNOWN = Code("E0912", "gene-unknown")
PROJECT_TYPE_NEEDS = Code("E0913", "pool-needs")
FILE_UNWRITABLE = Code("E0914", "file-unwritable")
UNKNOWN_SCHEMA = Code("E0915", "unknown-schema")
OUTSIDE_FAILED = Code("E0916", "outside-failed")
INTERNAL_FAULT = Code("E0917", "internal-fault")
PROJECT_WITHOUT_EFFECT = Code("W0918", "project-without-effect")
VALUE_ENDS_WITH_CR = Code("W0919", "value-ends-with-cr")


def usage(message: str, help_text: str | None) -> Diagnostic:
    return finding(USAGE, message, help=help_text)


def spec_not_found(spec: str, reason: str, near: Collection[str]) -> Diagnostic:
    close = close_matches(spec, near)
    return finding(
        SPEC_NOT_FOUND,
        f"`{clipped(spec)}`: {reason}",
        help=f"did you mean `{close[0]}`?"
        if close
        else "a SPEC is a file, a folder that holds `catlet.yaml`, or `-` for standard input",
    )


def file_not_found(path: str, reason: str, near: Collection[str]) -> Diagnostic:
    close = close_matches(path, near)
    return finding(
        SPEC_NOT_FOUND,
        f"`{clipped(path)}`: {reason}",
        help=f"did you mean `{close[0]}`?" if close else None,
    )


def file_unreadable(path: str, reason: str) -> Diagnostic:
    return finding(FILE_UNREADABLE, f"`{clipped(path)}` cannot be read: {reason}")


def bad_option_value(option: str, message: str, help_text: str | None = None) -> Diagnostic:
    return finding(BAD_OPTION_VALUE, f"{option}: {message}", help=help_text)


def pool_not_found(path: str, where: str, span: Span | None = None) -> Diagnostic:
    return finding(
        POOL_NOT_FOUND,
        f"the gene pool `{path}` of {where} is not a folder",
        span,
        help="name a folder that holds gene sets as ORGANIZATION/SET/TAG",
    )


def pool_no_layout(path: str, where: str, span: Span | None = None) -> Diagnostic:
    return finding(
        POOL_NOT_FOUND,
        f"the gene pool `{path}` of {where} is no OCI image layout: it has no file `oci-layout`",
        span,
        help="name a folder that `eryphc gene export` made, or that `skopeo copy` filled",
    )


def specs_of_one_name(name: str, specs: tuple[str, str]) -> Diagnostic:
    return finding(
        SPECS_OF_ONE_NAME,
        f"`{specs[0]}` and `{specs[1]}` are both catlets named `{name}`, "
        "and their outputs would be one folder",
        help="build them one at a time, or give one another `name`",
    )


def unknown_code(code: str, known: Collection[str]) -> Diagnostic:
    close = close_matches(code.upper(), known)
    return finding(
        UNKNOWN_CODE,
        f"`{code}` is not a diagnostic of eryphc",
        help=f"did you mean `{close[0]}`?" if close else None,
    )


def pool_value(message: str, span: Span | None) -> Diagnostic:
    """A pool of the project file. The line is not shown where a login seems to stand in it."""
    fault = project_value("pools", message, span)
    if span is None or "@" not in span.source.text[span.start : span.end]:
        return fault
    return fault._replace(
        secret=True, help="log in with `docker login HOST` or the like, not in the address"
    )


def project_value(
    key: str, message: str, span: Span | None, help_text: str | None = None
) -> Diagnostic:
    return finding(PROJECT_VALUE, f"`{key}` of the project file: {message}", span, help=help_text)


def project_without_effect(key: str, span: Span | None) -> Diagnostic:
    message = f"`{key}` of the project file has no effect in this version"
    return finding(PROJECT_WITHOUT_EFFECT, message, span, "not used")


def pool_unsupported(kind: str, where: str) -> Diagnostic:
    """`kind` is what stands before `://`, `where` the option or variable that names the pool."""
    return finding(
        POOL_UNSUPPORTED,
        f"{where}: gene pools of type `{kind}` are not supported by this version",
        help="name a folder, `oci-layout:FOLDER` or `oci://HOST/PREFIX?orgs=ORG`; "
        "other pools stand in `eryphc.yaml`",
    )


def pool_needs(kind: str, key: str, span: Span | None) -> Diagnostic:
    return finding(
        PROJECT_TYPE_NEEDS, f"a gene pool of type `{kind}` needs `{key}`", span, f"no `{key}`"
    )


def variable_source(name: str, reason: str, sign: str) -> Diagnostic:
    """The text after the `sign` is not repeated: it may be a password that begins with the sign."""
    return finding(
        VARIABLE_SOURCE,
        f"--var {name}: {reason}",
        help=f"a value that itself begins with `{sign}` is written with `{sign}{sign[-1]}`",
    )


def value_ends_with_cr(name: str) -> Diagnostic:
    return finding(
        VALUE_ENDS_WITH_CR,
        f"--var {name}: the value ends with a carriage return (U+000D), "
        "as its file has line ends of Windows; only the line feed after it is dropped",
        help="save the file without a line end, or with line ends of Unix",
    )


def file_exists(path: str, command: str) -> Diagnostic:
    return finding(
        FILE_EXISTS,
        f"`{path}` exists already and is not overwritten",
        help=f"name another folder: `{command} DIR`",
    )


def not_replaced(path: str, mark: str) -> Diagnostic:
    """`mark` is the file by which a folder of the wanted kind is known."""
    return finding(
        FILE_EXISTS,
        f"`{path}` exists already and is not replaced: it is no folder with a file `{mark}`",
        help="name another folder",
    )


def gene_unknown(text: str, reason: str, meant: str | None = None) -> Diagnostic:
    return finding(
        GENE_UNKNOWN, f"`{text}`: {reason}", help=f"did you mean `{meant}`?" if meant else None
    )


def file_unwritable(path: str, reason: str) -> Diagnostic:
    return finding(FILE_UNWRITABLE, f"`{path}` cannot be written: {reason}")


def unknown_schema(name: str, known: Collection[str]) -> Diagnostic:
    close = close_matches(name, known)
    return finding(
        UNKNOWN_SCHEMA,
        f"there is no schema `{name}`",
        help=f"did you mean `{close[0]}`?" if close else None,
        notes=(f"schemas are {', '.join(f'`{schema}`' for schema in known)}",),
    )


def outside_failed(reason: str, path: str | None) -> Diagnostic:
    """The machine refused something: a disk, memory, the working folder."""
    where = f" (`{clipped(path)}`)" if path else ""
    return finding(OUTSIDE_FAILED, f"the system refused to go on: {reason}{where}")


def internal_fault(kind: str, place: str) -> Diagnostic:
    """`kind` is the class of the exception; its text is left out, it could hold a secret."""
    return finding(
        INTERNAL_FAULT,
        f"this is a fault of eryphc, not of the input: {kind} at {place}",
        help="please report it; with ERYPHC_DEBUG=1 in the environment it says more",
    )


def pool_location(location: str, reason: str, where: str) -> Diagnostic:
    """`where` names the option or the variable. A login in the location is not shown."""
    shown = without_login(location)
    help_text = "a registry is written `oci://HOST/PREFIX?orgs=ORG`"
    if shown != location:
        help_text += "; log in with `docker login HOST` or the like, not in the address"
    return finding(
        BAD_OPTION_VALUE,
        f"{where}: `{clipped(shown, 200)}` is no gene pool: {reason}",
        help=help_text,
    )
