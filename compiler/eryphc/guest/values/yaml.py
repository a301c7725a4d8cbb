"""What a guest reads of a YAML text with values, against what it reads with stand-ins.

With the values in, the tree has to be the same but for the scalars that hold them, and each of
these has to be what stood around the places plus the values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from eryphc.frozen import NamedTuple
from eryphc.guest.values.places import Placed
from eryphc.syntax.nodes import AliasNode, MappingNode, Node, ScalarNode, SequenceNode, Style


class Broken(NamedTuple):
    """A place where the trees differ: which values may be the cause, and what is read there.

    `places` are numbers of them. `scalar` is the one with stand-ins, None where another part of
    the tree differs. `read` is the node in its place, and `more` are keys that only the text with
    the values has.
    """

    places: tuple[int, ...]
    scalar: ScalarNode | None
    read: Node | None = None
    more: tuple[str, ...] = ()


def suspicious(placed: Placed) -> bool:
    """Whether some value may be anything else than a piece of its scalar."""
    return "\\" in placed.marked or any(map(placed.is_suspicious, range(len(placed.places))))


def differences(placed: Placed, marked: Node, read: Node, seen: int = -1) -> Iterator[Broken]:
    """Where the tree of the text differs from that of the marked text, in document order.

    Behind a part that is not aligned any more nothing is compared. `seen` is the last place
    before these nodes.
    """
    stack: list[tuple[Node, Node]] = [(marked, read)]
    while stack:
        one, other = stack.pop()
        if isinstance(one, ScalarNode):
            numbers = placed.numbers(one.value)
            seen = max((seen, *numbers))
            if not _same_scalar(placed, one, other):
                yield Broken(_causes(placed, numbers, seen), one if numbers else None, other)
            continue
        if isinstance(one, AliasNode) or isinstance(other, (ScalarNode, AliasNode)):
            if not (isinstance(one, AliasNode) and _same_alias(one, other)):
                yield Broken(_causes(placed, (), seen), None, other)
                return
            continue
        if one.tag != other.tag or one.anchor != other.anchor or one.flow != other.flow:
            yield Broken(_causes(placed, (), seen), None, other)
            return
        if isinstance(one, SequenceNode) and isinstance(other, SequenceNode):
            pairs = list(zip(one.items, other.items, strict=False))
            same = len(one.items) == len(other.items)
            more: tuple[str, ...] = ()
        elif isinstance(one, MappingNode) and isinstance(other, MappingNode):
            pairs = [
                pair
                for here, there in zip(one.entries, other.entries, strict=False)
                for pair in zip(here, there, strict=True)
            ]
            same = len(one.entries) == len(other.entries)
            more = () if same else _more(placed, one, other)
        else:
            yield Broken(_causes(placed, (), seen), None, other)
            return
        if not same:
            # Scalars say more than that a collection has other entries.
            scalars: list[Broken] = []
            whole = Broken(_causes(placed, (), len(placed.places)), None, other)
            for here, there in pairs:
                found = list(differences(placed, here, there, seen))
                scalars += [each for each in found if each.scalar is not None]
                if any(each.scalar is None for each in found):
                    whole = found[-1]
                    break
            yield from scalars[:-1]
            last = scalars[-1] if scalars else whole
            yield last._replace(more=last.more or more)
            return
        stack += reversed(pairs)


def _same_scalar(placed: Placed, one: ScalarNode, other: Node) -> bool:
    if not isinstance(other, ScalarNode):
        return False
    if one.tag != other.tag or one.anchor != other.anchor:
        return False
    expected = placed.filled(one.value)
    if expected == other.value:
        return one.style is other.style
    # What ends with line feeds loses them where a plain scalar ends, and nothing else.
    return (
        one.style is other.style is Style.PLAIN
        and expected.endswith("\n")
        and expected.rstrip("\n") == other.value
    )


def _same_alias(one: AliasNode, other: Node) -> bool:
    return isinstance(other, AliasNode) and one.anchor == other.anchor


def _causes(placed: Placed, numbers: Sequence[int], seen: int) -> tuple[int, ...]:
    """The values that can have caused a difference: those of the scalar, else the last before."""
    places = placed.places
    causes = [number for number in numbers if placed.is_suspicious(number)]
    if not causes:
        for number in (*range(min(seen + 1, len(places) - 1), -1, -1), *range(len(places))):
            if placed.is_suspicious(number):
                return (number,)
    return tuple(causes or numbers or (0,))


def _more(placed: Placed, one: MappingNode, other: MappingNode) -> tuple[str, ...]:
    """Keys that are more often in `other`."""
    known = Counter(placed.filled(key.value) for key, _ in one.entries if type(key) is ScalarNode)
    read = Counter(key.value for key, _ in other.entries if type(key) is ScalarNode)
    return tuple(read - known)
