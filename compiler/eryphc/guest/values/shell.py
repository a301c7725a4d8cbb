"""How the shell quotes the places of a script, and what a value there would end or begin.

A scanner for the quoting of POSIX shells and bash, not a parser. It reads each character once.
Source: Shell Command Language of POSIX.1-2017 (quoting, word expansions, here-documents),
https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from eryphc.diagnostics.said import Own, own
from eryphc.frozen import NamedTuple
from eryphc.guest.values.quoting import Context, Marks, Quoting

_SHEBANG: Final = re.compile(r"#![ \t]*\S*?(?:/env[ \t]+(?:-S[ \t]+)?)?(?:\S*/)?(\w+)(?=\s|$)")
SHELLS: Final = frozenset(("sh", "bash", "dash", "ash", "ksh", "zsh"))
_RUN: Final = re.compile(r"[^\\'\"`$#<\n()]+")
_RUN_DOUBLE: Final = re.compile(r"[^\\\"`$]+")
_RUN_BRACES: Final = re.compile(r"[^\\'\"`$}]+")
_HERE: Final = re.compile(r"<<(-?)[ \t]*((?:'[^'\n]*'|\"[^\"\n]*\"|\\.|[^\s'\"\\;&|<>()])+)")
_BEFORE_COMMENT: Final = " \t\n;&|()"


def is_shell(text: str) -> bool:
    """Whether the first line of a script names a shell."""
    match = _SHEBANG.match(text)
    return match is not None and match[1] in SHELLS


class _Here(NamedTuple):
    end: str
    tabs: bool
    literal: bool


class _Scanner:
    def __init__(self, text: str, marks: Sequence[tuple[int, int]]) -> None:
        self.text = text
        self.marks = Marks(text, marks)
        self.take = self.marks.take

    def scan(self) -> list[Context]:
        text, size = self.text, len(self.text)
        # What is open: `(` and `$(` end at `)`, the others at themselves; `{` is `${`.
        open_ = [""]
        pending: list[_Here] = []
        at = 0
        while at < size and self.marks.left:
            top, here = open_[-1], text[at]
            if here == "\\":
                at = self.take(min(at + 2, size), _QUOTING.get(top, Quoting.BARE))
                continue
            if here == "`":
                if top == "`":
                    open_.pop()
                else:
                    open_.append("`")
                at += 1
                continue
            if here == "$":
                at = self.dollar(at, open_)
                continue
            if top == '"':
                if here == '"':
                    open_.pop()
                    at += 1
                else:
                    at = self.take(_end(_RUN_DOUBLE, text, at), Quoting.DOUBLE)
                continue
            if here == '"':
                open_.append('"')
                at += 1
                continue
            if top == "{":
                if here == "}":
                    open_.pop()
                    at += 1
                elif here == "'" and '"' not in open_:
                    at = self.single(at)
                else:
                    quoting = Quoting.DOUBLE if '"' in open_ else Quoting.BARE
                    at = self.take(_end(_RUN_BRACES, text, at), quoting)
                continue
            if here == "'":
                at = self.single(at)
            elif here == "#" and (at == 0 or text[at - 1] in _BEFORE_COMMENT):
                end = text.find("\n", at)
                at = self.take(size if end == -1 else end, Quoting.COMMENT)
            elif here == "<":
                at = self.less(at, pending)
            elif here == "\n":
                at += 1
                for each in pending:
                    at = self.body(at, each)
                pending.clear()
            elif here == "(":
                open_.append("(")
                at += 1
            elif here == ")":
                if top == "(":
                    open_.pop()
                at += 1
            else:
                at = self.take(_end(_RUN, text, at), Quoting.BARE)
        self.take(size + 1, Quoting.BARE)
        return self.marks.found

    def single(self, at: int) -> int:
        end = self.text.find("'", at + 1)
        return self.take(len(self.text) if end == -1 else end + 1, Quoting.SINGLE)

    def dollar(self, at: int, open_: list[str]) -> int:
        text = self.text
        following = text[at + 1 : at + 2]
        if following == "'" and open_[-1] != '"':
            end = at + 2
            while end < len(text) and text[end] != "'":
                end += 2 if text[end] == "\\" else 1
            return self.take(min(end + 1, len(text)), Quoting.ESCAPED)
        if following in ("(", "{"):
            open_.append(following)
            return at + 2
        return at + 1

    def less(self, at: int, pending: list[_Here]) -> int:
        if self.text.startswith("<<<", at):
            return at + 3
        match = _HERE.match(self.text, at)
        if match is None:
            return at + 1
        word = match[2]
        literal = any(sign in word for sign in "'\"\\")
        pending.append(_Here(re.sub(r"['\"\\]", "", word), bool(match[1]), literal))
        return match.end()

    def body(self, at: int, here: _Here) -> int:
        """Behind a here-document."""
        text, start = self.text, at
        quoting = Quoting.HERE_LITERAL if here.literal else Quoting.HERE
        while at < len(text):
            end = text.find("\n", at)
            end = len(text) if end == -1 else end
            line = text[at:end].lstrip("\t") if here.tabs else text[at:end]
            if line == here.end:
                break
            at = end + 1
        at = min(at, len(text))
        self.take(max(start, at), quoting, here.end, tabs=here.tabs)
        end = text.find("\n", at)
        return len(text) if end == -1 else end


_QUOTING: Final = {'"': Quoting.DOUBLE}


def _end(run: re.Pattern[str], text: str, at: int) -> int:
    match = run.match(text, at)
    return at + 1 if match is None else match.end()


def contexts(text: str, marks: Sequence[tuple[int, int]]) -> list[Context]:
    """How each of the stretches `marks` of a script is quoted; they are in order."""
    return _Scanner(text, marks).scan()


_LINE: Final = (re.compile(r"[\n\r]"), own("a line break"))
_DOLLAR: Final = (
    re.compile(r"`|\$(?=[A-Za-z_0-9{(@*#?$!-])"),
    own("a `$` or a backquote, which starts a substitution"),
)
_BACKSLASH: Final = (
    re.compile(r"\\(?=[$`\"\\]|$)"),
    own("a backslash, which the shell takes for an escape"),
)
_BROKEN: Final = {
    Quoting.BARE: (
        _LINE,
        (re.compile(r"['\"]"), own("a quote, which begins quoted text")),
        (re.compile(r"[$`]"), own("a `$` or a backquote, which starts a substitution")),
        (re.compile(r"[;&|<>()]"), own("an operator of the shell, which ends the word")),
        (re.compile(r"[ \t]"), own("a blank, which splits it into words")),
        (re.compile(r"\\"), own("a backslash, which the shell takes for an escape")),
    ),
    Quoting.SINGLE: (
        (re.compile("'"), own("a single quote, which ends the quoted text")),
        _LINE,
    ),
    Quoting.DOUBLE: (
        (re.compile('"'), own("a double quote, which ends the quoted text")),
        _DOLLAR,
        _BACKSLASH,
        _LINE,
    ),
    Quoting.ESCAPED: (
        (re.compile("'"), own("a single quote, which ends the quoted text")),
        (re.compile(r"\\"), own("a backslash, which the shell takes for an escape")),
        _LINE,
    ),
    Quoting.HERE: (
        _DOLLAR,
        (re.compile(r"\\(?=[$`\\\n]|$)"), own("a backslash, which the shell takes for an escape")),
    ),
    Quoting.HERE_LITERAL: (),
    Quoting.COMMENT: (_LINE,),
}
_PATTERN: Final = re.compile(r"[*?\[]")
_ASSIGNED: Final = re.compile(r"(?:^|[\s;&|(])\w+=\S*$")


def broken(context: Context, value: str) -> Own | None:
    """The kind of character in a value that does something else there; None where none does."""
    if context.end and _ends_here(context, value):
        return own("a line that ends the here-document")
    for pattern, words in _BROKEN.get(context.quoting, ()):
        if pattern.search(value):
            return words
    if context.quoting is not Quoting.BARE:
        return None
    if value.startswith("#") and (not context.before or context.before[-1] in _BEFORE_COMMENT):
        return own("a `#` at its beginning, which starts a comment")
    if _PATTERN.search(value) and not _ASSIGNED.search(context.before):
        return own("a sign of a pattern, which names of files may replace")
    return None


def _ends_here(context: Context, value: str) -> bool:
    lines = (context.before + value + context.after).split("\n")
    return any((line.lstrip("\t") if context.tabs else line) == context.end for line in lines)


def remedy(context: Context, value: str) -> Own:
    """What holds the value."""
    if context.quoting is Quoting.BARE and not re.search(r"['\n\r]", value):
        return own("put the reference in single quotes")
    if context.quoting is Quoting.COMMENT:
        return own("leave the reference out of the comment")
    if context.end:
        return own("take another word for the end, and write it in quotes: `<<'OTHER-END'`")
    return own("read the value from a here-document whose end is in quotes; it takes any text")
