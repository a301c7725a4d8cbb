"""How PowerShell quotes the places of a script, and what a value there would end or begin.

Source: about_Quoting_Rules,
https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from eryphc.diagnostics.said import Own, own
from eryphc.guest.values.quoting import Context, Marks, Quoting

_SINGLE: Final = "'\u2018\u2019\u201a\u201b"
_DOUBLE: Final = '"\u201c\u201d\u201e'
_RUN: Final = re.compile(f"[^{_SINGLE}{_DOUBLE}`#<@()\n]+")
_RUN_DOUBLE: Final = re.compile(f"[^{_DOUBLE}`$]+")
_HERE: Final = re.compile(f"@([{_SINGLE}{_DOUBLE}])[ \t]*\n")
_HERE_ENDS: Final = {True: re.compile(f"\n[{_SINGLE}]@"), False: re.compile(f"\n[{_DOUBLE}]@")}
_SINGLE_END: Final = re.compile(f"[{_SINGLE}]")
_BEFORE_COMMENT: Final = " \t\n;|(){}"


class _Scanner:
    def __init__(self, text: str, marks: Sequence[tuple[int, int]]) -> None:
        self.text = text
        self.marks = Marks(text, marks)
        self.take = self.marks.take

    def scan(self) -> list[Context]:
        text, size = self.text, len(self.text)
        open_ = [""]
        at = 0
        while at < size and self.marks.left:
            top, here = open_[-1], text[at]
            if here == "`":
                at = self.take(min(at + 2, size), Quoting.DOUBLE if top == '"' else Quoting.BARE)
            elif top == '"':
                if here in _DOUBLE:
                    open_.pop()
                    at += 1
                elif text.startswith("$(", at):
                    open_.append("(")
                    at += 2
                elif here == "$":
                    at += 1
                else:
                    match = _RUN_DOUBLE.match(text, at)
                    at = self.take(match.end() if match else at + 1, Quoting.DOUBLE)
            elif here == "@" and (start := _HERE.match(text, at)) is not None:
                at = self.here(start)
            elif here in _DOUBLE:
                open_.append('"')
                at += 1
            elif here in _SINGLE:
                end = _SINGLE_END.search(text, at + 1)
                at = self.take(size if end is None else end.end(), Quoting.SINGLE)
            elif text.startswith("<#", at):
                close = text.find("#>", at)
                at = self.take(size if close == -1 else close + 2, Quoting.BLOCK_COMMENT)
            elif here == "#" and (at == 0 or text[at - 1] in _BEFORE_COMMENT):
                close = text.find("\n", at)
                at = self.take(size if close == -1 else close, Quoting.COMMENT)
            elif here == "(":
                open_.append("(")
                at += 1
            elif here == ")":
                if top == "(":
                    open_.pop()
                at += 1
            else:
                match = _RUN.match(text, at)
                at = self.take(match.end() if match else at + 1, Quoting.BARE)
        self.take(size + 1, Quoting.BARE)
        return self.marks.found

    def here(self, start: re.Match[str]) -> int:
        literal = start[1] in _SINGLE
        end = _HERE_ENDS[literal].search(self.text, start.end() - 1)
        to = len(self.text) if end is None else end.end()
        quoting = Quoting.HERE_LITERAL if literal else Quoting.HERE
        return self.take(to, quoting, "'@" if literal else '"@')


def contexts(text: str, marks: Sequence[tuple[int, int]]) -> list[Context]:
    """How each of the stretches `marks` of a script is quoted; they are in order."""
    return _Scanner(text, marks).scan()


_LINE: Final = (re.compile(r"[\n\r]"), own("a line break"))
_DOLLAR: Final = (
    re.compile(r"\$(?=[A-Za-z_0-9{(?^$:])"),
    own("a `$`, which starts a substitution"),
)
_BACKTICK: Final = (re.compile("`"), own("a backtick, which PowerShell takes for an escape"))
_BROKEN: Final = {
    Quoting.BARE: (
        _LINE,
        (re.compile(f"[{_SINGLE}{_DOUBLE}]"), own("a quote, which begins quoted text")),
        (re.compile(r"\$"), own("a `$`, which starts a substitution")),
        (re.compile(r"[;&|<>(){},]"), own("an operator of PowerShell, which ends the word")),
        (re.compile(r"[ \t]"), own("a blank, which splits it into words")),
        _BACKTICK,
    ),
    Quoting.SINGLE: (
        (re.compile(f"[{_SINGLE}]"), own("a single quote, which ends the quoted text")),
        _LINE,
    ),
    Quoting.DOUBLE: (
        (re.compile(f"[{_DOUBLE}]"), own("a double quote, which ends the quoted text")),
        _DOLLAR,
        _BACKTICK,
        _LINE,
    ),
    Quoting.HERE: (_DOLLAR, _BACKTICK),
    Quoting.COMMENT: (_LINE,),
    Quoting.BLOCK_COMMENT: ((re.compile("#>"), own("the end of a block comment")),),
}


def broken(context: Context, value: str) -> Own | None:
    """The kind of character in a value that does something else there; None where none does."""
    if context.end:
        lines = (context.before + value + context.after).split("\n")
        quotes = _SINGLE if context.end == "'@" else _DOUBLE
        if any(line[:1] and line[0] in quotes and line[1:2] == "@" for line in lines):
            return own("a line that ends the here-string")
    for pattern, words in _BROKEN.get(context.quoting, ()):
        if pattern.search(value):
            return words
    if context.quoting is Quoting.BARE and value.startswith(("#", "@")):
        return own("a sign at its beginning that has a meaning of its own")
    return None


def remedy(context: Context, value: str) -> Own:
    """What holds the value."""
    if context.quoting is Quoting.BARE and not re.search(f"[{_SINGLE}\n\r]", value):
        return own("put the reference in single quotes")
    if context.quoting in (Quoting.COMMENT, Quoting.BLOCK_COMMENT):
        return own("leave the reference out of the comment")
    return own("read the value from a here-string in single quotes, with a sign before it: `@'`")
