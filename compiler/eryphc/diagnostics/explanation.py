"""What a kind of finding means: its page, and a note on its level."""

from __future__ import annotations

from pathlib import Path

from eryphc.diagnostics.codes import Kind, kind_of

PAGES = Path(__file__).parent / "pages"


def explain(word: str) -> str | None:
    """The page of a code such as E0301, or of its name, as Markdown; None for an unknown word."""
    if not isinstance(word, str):
        raise TypeError(f"a code or a name is to be str, not {type(word).__name__}")
    kind = kind_of(word)
    if kind is None:
        return None
    text = (PAGES / f"{kind.number}.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("<!--")]
    return "\n".join(lines).strip() + "\n\n" + _level(kind) + "\n"


def _level(kind: Kind) -> str:
    """The note on the level of this kind, for the end of its page."""
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
