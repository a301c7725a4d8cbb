"""What Jinja fodder entries set, as far as it can be read before they are rendered.

A guest adds a template to the merged part; of a scalar that both have the first wins, so a
template's would be lost. Source: docs/reference/guest-configuration.md, "Jinja fodder".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic, trail
from eryphc.diagnostics.said import Own, Said, Words, joined, own
from eryphc.guest.cloudconfig.nodes import EMPTY, MappingNode, Scalar
from eryphc.guest.cloudconfig.nodes import Sequence as ListNode
from eryphc.guest.cloudconfig.saying import key_said
from eryphc.guest.pieces import Piece, without_expressions
from eryphc.source import Span

KINDS: Final = (
    wording.TEMPLATE_SHARES_VALUE,
    wording.TEMPLATES_SHARE_VALUE,
    wording.TEMPLATE_COMES_LATER,
)
_TOP_LEVEL: Final = re.compile(r"^([A-Za-z_][\w-]*):[ \t]+(?![|>&\[{#])\S", re.MULTILINE)


def shared_values(templates: Sequence[Piece], merged: MappingNode | None) -> list[Diagnostic]:
    """An error for each value that a template and the merged part both set.

    Of two templates it is a warning: only the guest knows what they render to.
    """
    found: list[Diagnostic] = []
    ours = EMPTY if merged is None else merged
    before: list[tuple[Piece, MappingNode]] = []
    for piece in templates:
        root = _root(piece)
        clashing = set()
        for path, key in _clashes(root, ours):
            clashing.add(path)
            place = piece.span(key.start, key.end)
            found.append(
                wording.template_shares_value(
                    piece.said, _path(piece, path, place), place, trail(piece.fodder.text_origin)
                )
            )
        for other, other_root in before:
            for path, key in _clashes(root, other_root):
                if path not in clashing:
                    clashing.add(path)
                    place = piece.span(key.start, key.end)
                    found.append(
                        wording.templates_share_value(
                            piece.said,
                            other.said,
                            _path(piece, path, place),
                            place,
                            trail(piece.fodder.text_origin),
                        )
                    )
        before.append((piece, root))
    return found


def come_later(
    pieces: Sequence[Piece], templates: Sequence[int], static: Sequence[int]
) -> list[Diagnostic]:
    """A note for each template whose lists come behind those of a fodder entry that follows it."""
    found: list[Diagnostic] = []
    for number in templates:
        piece = pieces[number]
        root = _root(piece)
        for index in static:
            plain = pieces[index].root if index > number else None
            if plain is not None and not root.entries.keys().isdisjoint(plain.entries):
                found.append(
                    wording.template_comes_later(
                        piece.said,
                        pieces[index].said,
                        piece.first_line,
                        trail(piece.fodder.text_origin),
                    )
                )
                break
    return found


def template_fault(text: str) -> tuple[Words, int, int] | None:
    """Why the text is no Jinja template, and where; None where it is one.

    Guests render with the same library and drop a template that it refuses.
    """
    from jinja2 import TemplateSyntaxError

    from eryphc.guest.renderings import environment

    try:
        environment().parse(text)
    except TemplateSyntaxError as error:
        lines = text.split("\n")
        number = min(max(error.lineno, 1), len(lines))
        start = sum(len(line) + 1 for line in lines[: number - 1])
        return (
            Said((error.message or "it cannot be read").rstrip(".")),
            start,
            start + len(lines[number - 1]),
        )
    except RecursionError:
        return own("it nests too deeply"), 0, 0
    return None


def _root(piece: Piece) -> MappingNode:
    """What a template sets; where it is no YAML, only the scalars that begin a line are known."""
    if piece.root is not None:
        return piece.root
    keys = {
        match[1]: Scalar(match[1], match.start(1), match.end(1))
        for match in _TOP_LEVEL.finditer(without_expressions(piece.text))
    }
    return MappingNode(dict.fromkeys(keys, Scalar("", 0, 0)), dict(keys))


def _path(piece: Piece, path: str, place: Span) -> Own:
    return joined(
        (key_said(key, place, secret=bool(piece.fodder.secret)) for key in path.split(".")), "."
    )


def _clashes(
    template: MappingNode, ours: MappingNode, path: str = ""
) -> Iterator[tuple[str, Scalar]]:
    """Each key of `template` whose value does not simply add to that of `ours`."""
    for key, value in template.entries.items():
        other = ours.entries.get(key)
        if other is None:
            continue
        here = f"{path}{key!s}"
        if isinstance(value, MappingNode) and isinstance(other, MappingNode):
            yield from _clashes(value, other, f"{here}.")
        elif not (isinstance(value, ListNode) and isinstance(other, ListNode)):
            yield here, template.keys[key]
