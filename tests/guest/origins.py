"""Walks every node, part and line of a document and asks each where it came from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from eryphc.guest import encode, linemap
from eryphc.guest.cloudconfig.nodes import Scalar, descendants
from eryphc.guest.document import ConfigTree, GuestDocument
from eryphc.ir.content import Content, Substituted
from eryphc.origin import Origin, Step

AS_WRITTEN = (Step.WRITTEN, Step.INHERITED, Step.FED)
_WORD = re.compile(r"\w+")
_ESCAPED = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)")


def check(document: GuestDocument) -> int:
    """Assert that all of it has an origin that leads to its text; gives how many were asked."""
    asked = 0
    # What stands in the place of references is not written where they are.
    values = frozenset(
        word
        for fodder in document.fodder
        for value in _inserted(fodder.content)
        for word in _WORD.findall(value)
    )
    for made in encode.user_data(document.parts).texts:
        part = made.part
        origin = linemap.origin_of_part(document, part)
        _check_way(origin)
        assert origin.secret == part.secret
        if isinstance(part.body, ConfigTree):
            asked += _check_tree(part.body, values)
        asked += _check_lines(document, made, values)
    for found in (linemap.map_of_meta_data(document), linemap.map_of_network_config(document)):
        if found is not None:
            _check_whole(found, found.lines[-1].last)
            for run in found.lines:
                _check_way(run.origin)
            asked += found.lines[-1].last
    return asked


def _inserted(content: Content | None) -> Iterator[str]:
    while content is not None and isinstance(content.origin, Substituted):
        for each in content.origin.insertions:
            yield content.text[each.start : each.end]
        content = content.origin.base


def _check_way(origin: Origin) -> None:
    """The way of a value leads on until somebody wrote or gave it."""
    for each in origin.chain():
        leads_on = (Step.INHERITED, Step.FED, Step.SUBSTITUTED, Step.MERGED)
        assert (each.via is not None) or each.step not in leads_on
        assert each.step is not Step.FED or each.gene is not None
        assert each.step is not Step.SUBSTITUTED or each.variable is not None


def _check_tree(tree: ConfigTree, values: frozenset[str]) -> int:
    nodes = list(descendants(tree.root))
    for node in nodes:
        origin = tree.provenance.origin(node)
        _check_way(origin)
        assert origin.secret == tree.provenance.secret(node)
        if isinstance(node, Scalar) and isinstance(node.value, str):
            if origin.step in AS_WRITTEN:
                assert origin.span is not None
                assert _words(node.value, values) <= _written(origin.span.text), node.value
            else:
                assert origin.step in (Step.MERGED, Step.SUBSTITUTED)
    return len(nodes)


def _check_lines(document: GuestDocument, made: encode.PartText, values: frozenset[str]) -> int:
    found = linemap.map_of_part(document, made)
    shown = made.text.split("\n")
    if not shown[-1]:
        shown.pop()
    _check_whole(found, len(shown))
    for number, origin, source_line in _each(found):
        _check_way(origin)
        line = shown[number - 1]
        other = [each for each in found.stretches if each.line == number]
        for each in sorted(other, reverse=True):
            assert 1 <= each.first < each.last <= len(line) + 1
            assert not each.origin.secret
            _check_way(each.origin)
            line = line[: each.first - 1] + " " + line[each.last - 1 :]
        if origin.step in AS_WRITTEN:
            assert origin.span is not None
            assert origin.span.line <= source_line
            source = origin.span.source
            near = source.line(source_line)
            if source_line == origin.span.line:
                # A folded or escaped text has one place for all its lines.
                near = origin.span.text
            assert _words(line, values) <= _written(near), (line, near)
    return len(shown)


def _each(found: linemap.LineMap) -> Iterator[tuple[int, Origin, int]]:
    for run in found.lines:
        for number in range(run.first, run.last + 1):
            yield number, run.origin, run.source_line + (number - run.first) * run.step


def _check_whole(found: linemap.LineMap, count: int) -> None:
    """No line is without origin, none has two."""
    assert [number for number, _, _ in _each(found)] == list(range(1, count + 1))


def _words(text: str, values: frozenset[str]) -> set[str]:
    return set(_WORD.findall(_ESCAPED.sub(" ", text))) - values


def _written(text: str) -> set[str]:
    return set(_WORD.findall(_ESCAPED.sub(" ", text)))
