"""`eryphc explain`: what a diagnostic code means, with a wrong and a right example."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from eryphc.cli.completing import completes
from eryphc.cli.console import WRONG_INPUT, Console, speaking, write
from eryphc.diagnostics import command as wording
from eryphc.diagnostics.codes import KINDS, Kind, kind_of, known_words

PAGES = Path(__file__).parent.parent / "diagnostics" / "pages"


@click.command("explain")
@click.argument("what", metavar="[CODE]", required=False, shell_complete=completes("code"))
@speaking()
def command(what: str | None, *, console: Console) -> int:
    """Explain what the diagnostic CODE means; without CODE list all codes.

    CODE is a number such as E0301, or its name.
    """
    if what is None:
        write(sys.stdout, "".join(f"{line}\n" for line in sorted(_listed())))
        return console.finish()
    kind = kind_of(what)
    if kind is None:
        console.add((wording.unknown_code(what, known_words()),))
        return console.finish(WRONG_INPUT)
    text = (PAGES / f"{kind.number}.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("<!--")]
    write(sys.stdout, "\n".join(lines).strip() + "\n\n" + _level(kind) + "\n")
    return console.finish()


def _listed() -> Iterator[str]:
    for kind in KINDS:
        yield f"{kind.number}  {kind.name}{' (hard)' if kind.hard else ''}"
        for alias in kind.aliases:
            yield f"{alias}  {kind.name} (now {kind.number})"


def _level(kind: Kind) -> str:
    """What is to be known of the level of this kind, as the end of its page."""
    sentences = [f"The default level is {kind.level.value}."]
    if kind.hard:
        sentences.append("This kind is hard: an error of it cannot be lowered.")
        if kind.varies:
            sentences.append(f"Where it is no error, `--allow {kind.name}` silences it.")
    else:
        sentences.append(f"`--allow {kind.name}` silences it; `--warn` and `--deny` set its level.")
    if kind.security:
        sentences.append(
            "It is a security rule: a comment in a gene outside the project does not silence it."
        )
    if kind.aliases:
        sentences.append(f"It was also called {', '.join(kind.aliases)}.")
    return "\n".join(("## Level", "", *sentences))
