"""Texts that YAML readers may or may not take: pieces of its syntax, put together at random."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

PIECES: Final = (
    *("a", "b", "0", "u", " ", "  ", "\n", "\n", ":", "-", "?", "#", "|", ">", "!", "&", "*", "%"),
    *("{", "}", "[", "]", ",", '"', "'", "\\", "\t", "\r", "\x85", "\u2028", "\ufeff", "@", "~"),
    *("a: ", "b: ", "- ", "? ", ": ", " # c", "\t# c", "\n  ", "\n\n", "a: 1\n", "b: x\n", "...\n"),
    *("--- ", "\n---\n", "a:\n  ", "- - ", "[a, b]", "{a: b}", "{a: b?}", "{a:}", "[? a : b]"),
    *("&x ", "*x", "!!str ", "!!set ", "!!omap ", "!!binary ", "!foo ", "! ", "<<: ", "=", "why?"),
    *("|\n", ">\n  ", "|2\n ", ">-1", "|#", "|-\n", "a: |\n  x\n", "b: >\n  a\n   \tb\n\n"),
    *("a: |\n  \tx\n  y\tz\n", '"a b\n\n  c"', '"a\t b\n \tc"', '"it\\\'s"', '"\\ud83d\\ude00"'),
    *(
        "%FOO bar\n---\n",
        "%YAML 1.1\n---\n",
        "%TAG !e! tag:e,2000:\n---\n",
        "\n    \tx",
        "yes",
        "0x",
    ),
)

texts: Final = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
"""Any text. Most are no YAML, and most readers agree on that."""
