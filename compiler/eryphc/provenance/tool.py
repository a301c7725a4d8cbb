"""The digest of the installed tool, by which two runs of one version can be told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from eryphc.canonical import digest_of
from eryphc.version import __version__

_PACKAGES: Final = ("eryphc/", "eryph_runtime/", "eryph_stdlib_genes/")
_MODULE: Final = "eryphc/version.py,"


def tool_digest() -> str | None:
    """The SHA-256 of what the wheel's RECORD says of its packages; None in an editable install.

    An installer adds lines for scripts, compiled files and itself, so only the lines of the
    packages count: sorted, each with a line feed.
    Source: docs/build-type.md, "The digest of the tool".
    """
    # It takes longer to import than a small build to run.
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        record = distribution("eryphc").read_text("RECORD")
    except PackageNotFoundError:
        return None
    return record_digest(record)


def code_digest(beside: Path | None = None) -> str | None:
    """The same digest, of the wheel whose files this process runs.

    `beside` is the folder of its packages, where installers put its RECORD. None for a checkout,
    whose files can change at any time.
    """
    folder = Path(__file__).resolve().parents[2] if beside is None else beside
    path = folder / f"eryphc-{__version__}.dist-info" / "RECORD"
    try:
        return record_digest(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def record_digest(record: str | None) -> str | None:
    """The digest of the lines of our packages; None where no module is among them."""
    lines = sorted(
        line
        for line in (record or "").splitlines()
        if line.startswith(_PACKAGES) and "/__pycache__/" not in line
    )
    if not any(line.startswith(_MODULE) for line in lines):
        # An editable install lists no modules.
        return None
    return digest_of("".join(f"{line}\n" for line in lines).encode())
