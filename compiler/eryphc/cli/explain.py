"""`eryphc explain`: what a diagnostic code means, with a wrong and a right example."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from eryphc.cli.console import WRONG_INPUT, Console, speaking, write
from eryphc.cli.groups import completes
from eryphc.diagnostics import command as wording

PAGES = Path(__file__).parent.parent / "diagnostics" / "pages"


@click.command("explain")
@click.argument("what", metavar="[CODE]", required=False, shell_complete=completes("code"))
@speaking()
def command(what: str | None, *, console: Console) -> int:
    """Explain what the diagnostic CODE means; without CODE list all codes.

    CODE is a number such as E0301, or its name.
    """
    titles = {path.stem: _title(path) for path in sorted(PAGES.glob("*.md"))}
    if what is None:
        write(sys.stdout, "".join(f"{code}  {name}\n" for code, name in titles.items()))
        return console.finish()
    wanted = what.upper()
    for code, name in titles.items():
        if wanted == code or what.lower() == name:
            text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
            lines = [line for line in text.splitlines() if not line.startswith("<!--")]
            write(sys.stdout, "\n".join(lines).strip() + "\n")
            return console.finish()
    console.add((wording.unknown_code(what, (*titles, *titles.values())),))
    return console.finish(WRONG_INPUT)


def _title(page: Path) -> str:
    with page.open(encoding="utf-8") as file:
        return file.readline().partition(": ")[2].strip()
