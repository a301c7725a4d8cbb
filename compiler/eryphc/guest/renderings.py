"""What a Jinja cloud-config can become in the guest, as far as that is certain before it renders.

A guest gets the text as it is, renders it, and loads the result as any cloud-config. What its
expressions give is not known, so words stand in for them; of its statements each branch is tried. A
text is refused only if no guest could load it, whatever it renders to.
Source: docs/reference/cloud-init.md, "Jinja templates".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, product
from typing import Any, Final, TypeAlias

from eryphc.frozen import NamedTuple, replace
from eryphc.guest.cloudconfig.tree import (
    LONGEST_READ_TWICE,
    Fault,
    Reading,
    config_of,
    data_of,
    loaded_syntax_of,
    syntax_of,
)
from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content, Insertion, Substituted
from eryphc.syntax.yaml_nodes import printable

# What an expression may give; the number keeps two of them apart. Messages are about the first.
_STAND_INS: Final = (
    *("x{0}", "", "1", "[x{0}]", "{{x{0}: 1}}", "x{0}: 1", "- x{0}"),
    *("[", "]", "{{", "}}", "#"),
)
# What is one plain word in every guest, however it is reached.
_WORDS: Final = ("local_hostname", "distro", "platform", "cloud_name", "machine", "kernel_release")
# Nobody gives a comment to have another one behind it.
_END_OF_LINE: Final = re.compile(r"[ \t]*(?:#[^\n]*)?\n")
_MOST_WAYS: Final = 64
_MOST_CHARACTERS: Final = 512 * 1024
_LONGEST_GUESS: Final = 4 * 1024


class Rendered(NamedTuple):
    """A template as if it were rendered, and why a guest that renders it cannot load it.

    `fodder` has the text that the places of `faults` are in; it knows its places in the template.
    """

    fodder: Fodder
    faults: tuple[Fault, ...] = ()


class _Text(NamedTuple):
    """Text that is rendered as it is; where it stands in the template."""

    text: str
    start: int


class _Given(NamedTuple):
    """What a constant gives."""

    text: str


class _Unknown(NamedTuple):
    """What any other expression gives.

    `word`: that is one plain word. `last`: nothing but a comment follows it on its line.
    """

    number: int
    word: bool = False
    last: bool = False


class _Choice(NamedTuple):
    """A statement that renders one of these. It is the `number`th of the template."""

    number: int
    ways: tuple[_Items, ...]


_Piece: TypeAlias = "_Text | _Given | _Unknown"
_Items: TypeAlias = "tuple[_Piece | _Choice, ...]"


class _UndecidableError(Exception):
    """The template does what only the guest knows."""


def environment() -> Any:
    """Jinja as cloud-init sets it up. Templates are parsed, and nothing of them is run."""
    from jinja2 import Environment

    extensions = ["jinja2.ext.do"]
    return Environment(autoescape=False, trim_blocks=True, extensions=extensions)  # noqa: S701


def render(fodder: Fodder, content: Content) -> Rendered:
    """What is certain of a Jinja cloud-config. A text that is no template has no faults here."""
    from jinja2 import TemplateSyntaxError

    try:
        template = _Template(content.text)
    except (TemplateSyntaxError, _UndecidableError, RecursionError):
        return Rendered(fodder)
    return _judged(fodder, content, template)


def _judged(fodder: Fodder, content: Content, template: _Template) -> Rendered:
    """The faults of the first way to render, if no other gives what a guest can load."""
    ways = list(islice(product(*map(range, template.choices)), _MOST_WAYS + 1))
    stand_ins = _STAND_INS if template.expressions else _STAND_INS[:1]
    tries = [(stand_in, way) for stand_in in stand_ins for way in ways]
    first = Rendered(fodder)
    spent = 0
    for number, (stand_in, way) in enumerate(tries):
        pieces = list(_chosen(template.items, way))
        text = "".join(_written(piece, stand_in) for piece in pieces)
        reading = _loaded(text) if number == 0 else _loaded(text, _LONGEST_GUESS)
        if number == 0:
            placed = replace(fodder, content=_placed(content, pieces, stand_in))
            first = Rendered(placed, reading.faults)
            if reading.root is not None and not template.choices:
                return first
        if reading.root is not None:
            return Rendered(fodder)
        spent += len(text)
        if len(ways) > _MOST_WAYS or (spent > _MOST_CHARACTERS and number + 1 < len(tries)):
            # Too much to try it all. What is always rendered may still hold what nobody reads.
            return first if template.unprintable else Rendered(fodder)
    return first


def _loaded(text: str, longest: int = LONGEST_READ_TWICE) -> Reading:
    return config_of(text, data_of(text, loaded_syntax_of(text, syntax_of(text, longest))))


def _chosen(items: _Items, way: tuple[int, ...]) -> Iterator[_Piece]:
    for item in items:
        if isinstance(item, _Choice):
            yield from _chosen(item.ways[way[item.number]], way)
        else:
            yield item


def _written(piece: _Piece, stand_in: str) -> str:
    if not isinstance(piece, _Unknown):
        return piece.text
    is_word = piece.word or (piece.last and stand_in == "#")
    return (_STAND_INS[0] if is_word else stand_in).format(piece.number)


def _placed(content: Content, pieces: Iterable[_Piece], stand_in: str) -> Content:
    """The rendered text, which knows the places of what stands in the template."""
    insertions: list[Insertion] = []
    written: list[str] = []
    new = old = begun = 0
    for piece in pieces:
        text = _written(piece, stand_in)
        if isinstance(piece, _Text):
            insertions.append(Insertion(begun, new, old, piece.start))
            old = piece.start + len(text)
        written.append(text)
        new += len(text)
        if isinstance(piece, _Text):
            begun = new
    insertions.append(Insertion(begun, new, old, len(content.text)))
    return Content("".join(written), Substituted(content, tuple(insertions)))


class _Template:
    """A template as what it renders, in order.

    `choices` has of each statement how many ways it has. Raises what Jinja raises for text that is
    no template, and `_UndecidableError`.
    """

    def __init__(self, text: str) -> None:
        from jinja2 import nodes

        self._nodes: Any = nodes
        head = text.find("\n") + 1 or len(text)
        # A lone carriage return is a line end to Jinja as it is to YAML.
        body = text[head:].replace("\r", "\n")
        jinja = environment()
        tree = jinja.parse(body)
        self._starts = _starts(jinja, body, head, tree.find_all(nodes.TemplateData))
        self._own = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
        self.choices: list[int] = []
        self.expressions = 0
        self.items: _Items = (*self._statements(tree.body), _Given("\n"))

    @property
    def unprintable(self) -> bool:
        """Whether what is always rendered holds a character that no reader of YAML takes."""
        texts = (item.text for item in self.items if isinstance(item, _Text))
        return not all(printable(character) for text in texts for character in text)

    def _statements(self, statements: Iterable[Any]) -> _Items:
        return tuple([item for each in statements for item in self._statement(each)])

    def _statement(self, node: Any) -> _Items:
        nodes = self._nodes
        if isinstance(node, nodes.Output):
            return _with_ends([item for each in node.nodes for item in self._output(each)])
        if isinstance(node, nodes.If):
            number = self._choice()
            bodies = [node.body, *(each.body for each in node.elif_), node.else_]
            return (self._chosen(number, [self._statements(body) for body in bodies]),)
        if isinstance(node, nodes.For):
            number = self._choice()
            body, never = self._statements(node.body), self._statements(node.else_)
            return (self._chosen(number, [body, never, (*body, *body)]),)
        if isinstance(node, nodes.With):
            return self._statements(node.body)
        if isinstance(node, (nodes.CallBlock, nodes.FilterBlock)):
            return (self._unknown(),)
        if isinstance(node, (nodes.Assign, nodes.AssignBlock, nodes.Macro, nodes.ExprStmt)):
            return ()
        raise _UndecidableError

    def _output(self, node: Any) -> _Items:
        nodes = self._nodes
        if isinstance(node, nodes.TemplateData):
            return (_Text(node.data, self._starts[id(node)]),)
        if isinstance(node, nodes.Const):
            return (_Given(str(node.value)),)
        if isinstance(node, nodes.CondExpr):
            number = self._choice()
            others = self._output(node.expr2) if node.expr2 is not None else (self._unknown(),)
            return (self._chosen(number, [self._output(node.expr1), others]),)
        return (self._unknown(word=self._is_word(node)),)

    def _is_word(self, node: Any) -> bool:
        """`v1.distro`, `distro` and the like, and nothing made of it."""
        nodes = self._nodes
        if isinstance(node, nodes.Name):
            return node.name in _WORDS and node.name not in self._own
        if not isinstance(node, nodes.Getattr) or node.attr not in _WORDS:
            return False
        return isinstance(node.node, nodes.Name) and node.node.name == "v1"

    def _choice(self) -> int:
        self.choices.append(0)
        return len(self.choices) - 1

    def _chosen(self, number: int, ways: list[_Items]) -> _Choice:
        self.choices[number] = len(ways)
        return _Choice(number, tuple(ways))

    def _unknown(self, *, word: bool = False) -> _Unknown:
        self.expressions += 1
        return _Unknown(self.expressions, word)


def _with_ends(items: list[_Piece | _Choice]) -> _Items:
    for number, item in enumerate(items):
        if isinstance(item, _Unknown):
            after = items[number + 1] if number + 1 < len(items) else _Given("")
            text = "" if isinstance(after, (_Unknown, _Choice)) else after.text
            if number + 2 >= len(items) and not isinstance(after, _Unknown):
                text += "\n"
            items[number] = item._replace(last=_END_OF_LINE.match(text) is not None)
    return tuple(items)


def _starts(jinja: Any, body: str, head: int, found: Iterable[Any]) -> Mapping[int, int]:
    """Where each text of a template stands in it, by the identity of its node.

    Jinja tells lines alone, but leaves out nothing besides blanks before a tag.
    """
    places: list[tuple[str, int]] = []
    at = 0
    for _, kind, value in jinja.lex(body):
        start = body.find(value, at)
        if start == -1:
            raise _UndecidableError
        if kind == "data":
            places.append((value, head + start))
        at = start + len(value)
    nodes = list(found)
    if [node.data for node in nodes] != [value for value, _ in places]:
        raise _UndecidableError
    return {id(node): start for node, (_, start) in zip(nodes, places, strict=True)}
