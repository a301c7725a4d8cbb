"""`deploy.ps1`: the constant program with one deployment in it as inert text.

The program is `deploy_program.ps1` around the text that it has in common with the runtime's host
program, whatever the catlet. The document stands at its end in a single-quoted here-string, as JSON
of printable ASCII in which the single quote is written `\\u0027`: no kind of quote can end the
literal, nothing in it is expanded, and it can still be read in a review.
Source: docs/reference/hyperv.md, "Passing values safely".
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

_PROGRAM = "deploy_program.ps1"
# What both programs do is written once, where the runtime can be copied with it.
_SHARED = "powershell/shared.ps1"
_SHARED_PLACE = "# ==== shared.ps1 stands here ====\n"
# What both programs say in the same words.
_SAID = "powershell/said.json"
_SAID_PLACE = "==== said.json stands here ====\n"
# In the program the document is empty; this place is there exactly once.
_PLACE = "\n$document = @'\n{}\n'@\n"


def deploy_script(document: str) -> str:
    """The text of `deploy.ps1` for the text of a deployment document, which is ASCII.

    ASCII with LF line ends; the same but for the literal for every document.
    """
    before, after = program_parts()
    return f"{before}{literal(document)}{after}"


@cache
def program_parts() -> tuple[str, str]:
    """What stands before and after the document, with the marks of its literal."""
    text = files(__package__ or "").joinpath(_PROGRAM).read_text(encoding="ascii")
    for path, mark in ((_SHARED, _SHARED_PLACE), (_SAID, _SAID_PLACE)):
        text = text.replace(mark, files("eryph_runtime").joinpath(path).read_text(encoding="ascii"))
    before, place, after = text.partition(_PLACE)
    opening, closing = place.split("{}")
    return before + opening, closing + after


def literal(document: str) -> str:
    """A document as the text of the literal: without single quotes and without a last line feed."""
    # Outside of strings JSON has neither quote nor control character, so this changes strings only.
    return document.removesuffix("\n").replace("'", "\\u0027")
