"""The description of a volume that lies elsewhere: `<gene>.yaml` below `volumes/`.

Keys: `format`, `url`, then `sha256`, or `checksums_url` and `file`; `size` in bytes.
"""

from __future__ import annotations

import re

from eryphc.diagnostics import pools
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.genepool.model import Volume
from eryphc.source import SourceText, Span
from eryphc.syntax.nodes import MappingNode, ScalarNode
from eryphc.syntax.yaml_nodes import compose

FORMATS = ("img", "qcow2", "raw", "vhd", "vhdx")
KEYS = ("checksums_url", "file", "format", "sha256", "size", "url")
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}\Z")
_SIZE = re.compile(r"[1-9][0-9]{0,17}\Z")
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[A-Za-z0-9._~%/+-]*)?\Z")
"""What nearly every address is, and what the library takes too; it decides about the rest."""
_FILE = re.compile(r"[^\x00-\x20/\\\x7f]{1,255}\Z")


def read_descriptor(source: SourceText) -> Outcome[Volume]:
    composed = compose(source)
    root = composed.value
    if root is None:
        return Outcome(None, composed.diagnostics)
    if not isinstance(root, MappingNode):
        span = Span(source, root.start, root.end)
        return Outcome(None, (pools.volume_descriptor_invalid("it is no mapping", span),))
    found: list[Diagnostic] = []
    values: dict[str, tuple[str, Span]] = {}
    for key, value in root.entries:
        span = Span(source, key.start, key.end)
        if not isinstance(key, ScalarNode) or key.value not in KEYS:
            name = key.value if isinstance(key, ScalarNode) else span.text
            found.append(pools.volume_descriptor_key(name, KEYS, span))
        elif not isinstance(value, ScalarNode):
            found.append(pools.volume_descriptor_invalid(f"`{key.value}` is no text", span))
        else:
            values[key.value] = (value.value, Span(source, value.start, value.end))
    whole = Span(source, root.start, min(root.start + 1, len(source.text)))
    found.extend(_faults(values, whole))
    if has_errors(found):
        return Outcome(None, tuple(found))

    def text(key: str) -> str | None:
        return values[key][0] if key in values else None

    digest, size = text("sha256"), text("size")
    return Outcome(
        Volume(
            format=text("format"),
            url=text("url"),
            sha256=digest.lower() if digest else None,
            checksums_url=text("checksums_url"),
            file=text("file"),
            size=int(size) if size else None,
        ),
        tuple(found),
    )


def _faults(values: dict[str, tuple[str, Span]], whole: Span) -> list[Diagnostic]:
    faults: list[Diagnostic] = []

    def check(key: str, wrong: bool, problem: str) -> None:  # noqa: FBT001
        if key in values and wrong:
            faults.append(pools.volume_descriptor_invalid(problem, values[key][1]))

    faults.extend(
        pools.volume_descriptor_invalid(f"`{key}` is missing", whole)
        for key in ("format", "url")
        if key not in values
    )
    listed = {"checksums_url", "file"} & values.keys()
    if "sha256" not in values and len(listed) < 2:
        faults.append(
            pools.volume_descriptor_invalid(
                "it needs `sha256`, or `checksums_url` and `file`", whole
            )
        )
    given = {key: value for key, (value, _) in values.items()}
    check(
        "format",
        given.get("format") not in FORMATS,
        f"`format` is one of {', '.join(f'`{name}`' for name in FORMATS)}",
    )
    for key in ("url", "checksums_url"):
        wrong = key in given and not _is_url(given[key])
        check(key, wrong, f"`{key}` is no http or https address")
    check("sha256", not _SHA256.match(given.get("sha256", "")), "`sha256` is 64 hex digits")
    check("size", not _SIZE.match(given.get("size", "")), "`size` is a number of bytes")
    check("file", not _FILE.match(given.get("file", "")), "`file` is a plain file name")
    return faults


def _is_url(text: str) -> bool:
    if _PLAIN_URL.match(text):
        return True
    # Takes longer to import than a descriptor to read, and since Python 3.13 no library of a
    # build imports it either.
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and text.isprintable()
