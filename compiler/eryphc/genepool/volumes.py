"""The description of a volume that lies elsewhere: `<gene>.yaml` below `volumes/`.

Keys: `format`, `url`, then `sha256`, or `checksums_url` and `file`; `size` in bytes; `dated` with
`url`, `digest` and `file`. Source: docs/reference/genes-and-pools.md, "Volume genes".
"""

from __future__ import annotations

import re

from eryphc.diagnostics import pools
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.genepool.model import Volume
from eryphc.ir.volume import DatedImage
from eryphc.source import SourceText, Span
from eryphc.syntax.nodes import MappingNode, ScalarNode
from eryphc.syntax.yaml_nodes import compose

FORMATS = ("img", "qcow2", "raw", "vhd", "vhdx")
KEYS = ("checksums_url", "dated", "file", "format", "sha256", "size", "url")
DATED_KEYS = ("digest", "file", "url")
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}\Z")
_DIGEST = re.compile(r"sha(?:256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128})\Z")
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
    dated: dict[str, _Value] | None = None
    for key, value in root.entries:
        if isinstance(key, ScalarNode) and key.value == "dated" and isinstance(value, MappingNode):
            dated = _values(source, value, DATED_KEYS, found)
            found.extend(_dated_faults(dated, Span(source, key.start, key.end)))
    values = _values(source, root, KEYS, found)
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
            dated=None if dated is None else _dated(dated),
        ),
        tuple(found),
    )


_Value = tuple[str, Span]


def _values(
    source: SourceText, root: MappingNode, known: tuple[str, ...], found: list[Diagnostic]
) -> dict[str, _Value]:
    """The texts of a mapping by key; `dated` is a mapping of its own."""
    values: dict[str, _Value] = {}
    for key, value in root.entries:
        span = Span(source, key.start, key.end)
        if not isinstance(key, ScalarNode) or key.value not in known:
            name = key.value if isinstance(key, ScalarNode) else span.text
            found.append(pools.volume_descriptor_key(name, known, span))
        elif key.value == "dated":
            if not isinstance(value, MappingNode):
                found.append(pools.volume_descriptor_invalid("`dated` is no mapping", span))
        elif not isinstance(value, ScalarNode):
            found.append(pools.volume_descriptor_invalid(f"`{key.value}` is no text", span))
        else:
            values[key.value] = (value.value, Span(source, value.start, value.end))
    return values


def _dated(values: dict[str, _Value]) -> DatedImage:
    file = values["file"][0] if "file" in values else None
    return DatedImage(values["url"][0], values["digest"][0], file)


def _dated_faults(values: dict[str, _Value], place: Span) -> list[Diagnostic]:
    faults = [
        pools.volume_descriptor_invalid(f"`{key}` of `dated` is missing", place)
        for key in ("url", "digest")
        if key not in values
    ]
    rules = (
        ("url", _is_url, "`url` of `dated` is no http or https address"),
        ("digest", _is_digest, "`digest` of `dated` is an algorithm and its digits: `sha256:...`"),
        ("file", _is_file, "`file` of `dated` is a plain file name"),
    )
    for key, is_right, problem in rules:
        if key in values and not is_right(values[key][0]):
            faults.append(pools.volume_descriptor_invalid(problem, values[key][1]))
    return faults


def _is_digest(text: str) -> bool:
    return _DIGEST.match(text) is not None


def _is_file(text: str) -> bool:
    return _FILE.match(text) is not None


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
    check("file", not _is_file(given.get("file", "")), "`file` is a plain file name")
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
