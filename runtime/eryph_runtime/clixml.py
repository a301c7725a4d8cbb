"""The words in what PowerShell writes to a standard error that is no console. Pure.

There it writes CLIXML: a line `#< CLIXML`, then one XML document a message, with errors, warnings
and progress in it. ssh and native programs write plain text between them. No XML parser reads it:
it is a stranger's text, it may be cut anywhere, and only the texts of errors are wanted.
Source: [MS-PSRP] 2.2.5.1.1 (characters written as `_xHHHH_`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

LONGEST = 600
_HEAD = re.compile(r"#< CLIXML\s*")
_DOCUMENT = re.compile(r"<Objs\b.*?(?:</Objs>|\Z)", re.DOTALL)
# A message whose beginning was cut off.
_CUT = re.compile(r"\A.*?</Objs>", re.DOTALL)
_ERROR = re.compile(
    r'<S\b[^<>]{0,200}\bS="Error"[^<>]{0,200}>(?P<text>[^<]*)'
    r'|<Obj\b[^<>]{0,200}\bS="Error"[^<>]{0,200}>.*?<ToString>(?P<shown>[^<]*)',
    re.DOTALL | re.IGNORECASE,
)
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def words(text: str) -> str:
    """What a standard error says, on one line: its plain text, then the texts of its errors.

    Of the plain text the end is kept and of the errors the beginning, where the cause stands.
    """
    text = text.replace("\0", "")
    cut = _CUT.match(text)
    if cut is not None and "<Objs" not in cut[0]:
        text = f"<Objs>{text}"
    plain = _line(_HEAD.sub("", _DOCUMENT.sub("\n", text)))[-LONGEST:]
    errors = _line("".join(_errors(text)))[:LONGEST]
    return " ".join(filter(None, (plain, errors)))


def error_words(text: str) -> str:
    """A message on one line; what is CLIXML in it becomes its words."""
    return words(text) if "<Objs" in text else " ".join(text.split())


def _errors(text: str) -> Iterator[str]:
    for document in _DOCUMENT.finditer(text):
        for match in _ERROR.finditer(document[0]):
            if match["text"] is not None:
                yield _characters(match["text"])
            else:
                # An error as an object has no line feed at its end.
                yield f"{_characters(match['shown'])}\n"


def _characters(text: str | None) -> str:
    """The text of an element: entities and `_xHHHH_` become what they stand for."""
    units = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), html.unescape(text or ""))
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _line(text: str) -> str:
    """One line; PowerShell's own frame (`At line`, marks, `+ CategoryInfo`) begins with a sign."""
    lines = (each.strip() for each in text.splitlines())
    return " ".join(each for each in lines if each and not each.startswith("+ "))
