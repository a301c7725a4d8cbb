"""The digest of the installed tool, by which two runs of one version can be told apart."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from typing import Final

from eryphc.canonical import digest_of

_PACKAGES: Final = ("eryphc/", "eryph_runtime/", "eryph_stdlib_genes/")
_MODULE: Final = "eryphc/version.py,"


def tool_digest() -> str | None:
    """The SHA-256 of what the wheel's RECORD says of its packages; None in an editable install.

    An installer adds lines for scripts, compiled files and itself, so only the lines of the
    packages count: sorted, each with a line feed.
    Source: docs/build-type.md, "The digest of the tool".
    """
    try:
        record = distribution("eryphc").read_text("RECORD")
    except PackageNotFoundError:
        return None
    lines = sorted(
        line
        for line in (record or "").splitlines()
        if line.startswith(_PACKAGES) and "/__pycache__/" not in line
    )
    if not any(line.startswith(_MODULE) for line in lines):
        # An editable install lists no modules.
        return None
    return digest_of("".join(f"{line}\n" for line in lines).encode())
