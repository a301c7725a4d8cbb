"""The grammars as parsers. Lark is imported only here, and only when something is refused:
what is well-formed is recognised by regular expressions that a test holds to the grammars.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lark import Lark

# No rule accepts more characters, so a longer text leaves its rule before this point.
_LONGEST = 1_000
GRAMMARS = {
    "identifiers": ("gene_set", "gene", "set_source", "architecture"),
    "interpolation": ("reference",),
}


@cache
def grammar(name: str) -> Lark:
    """The LALR parser of `<name>.lark`, with all its start rules."""
    from lark import Lark

    text = Path(__file__).with_name(f"{name}.lark").read_text(encoding="utf-8")
    return Lark(text, start=list(GRAMMARS[name]), parser="lalr", maybe_placeholders=True)


def refused_at(name: str, start: str, text: str) -> int | None:
    """The offset at which `text` leaves the rule `start`; None where it is well-formed."""
    from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput

    try:
        grammar(name).parse(text[:_LONGEST], start=start)
    except UnexpectedEOF:
        return len(text)
    except UnexpectedCharacters as error:
        return error.pos_in_stream
    except UnexpectedInput as error:
        at = getattr(error, "pos_in_stream", None)
        # At the end of the text Lark reports no place of its own.
        return at if isinstance(at, int) and at >= 0 else len(text)
    return None
