"""Any one-line text given to a gene arrives as it was written: the scripts' own lines that take
the values run in real shells."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from library.genes import gene, linux_sets, texts

NASTY = (
    "plain",
    "p a:s#s '\"{}\\ $HOME `id` $(id) %PATH% !x",
    "  both ends  ",
    "# no comment",
    "- no: list",
    "VALUE",
    "END-OF-PAGE",
    ">",
    "*",
    "-n",
    "\\c\\n\\0\\",
    "{{ not }} {% this %}",
    "tab\there",
    "äöü 你好 😀 \x85 \u2028",
    "",
)
ONE_LINE = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\n\r\0"),
    max_size=40,
)
TAKEN = re.compile(
    r"^IFS= read -r (\w+) <<'VALUE'\n>\{\{ (\w+) \}\}\nVALUE\n\1=\$\{\1#>\}$", re.MULTILINE
)
KEPT = re.compile(r"^sed '1s/\^>//' >\S+ <<'([\w-]+)'\n>\{\{ (\w+) \}\}\n\1$", re.MULTILINE)
# Their lines are of a grammar, and go into a here-document with others.
LINES = {
    "audit": {"rules"},
    "ca-certificates": {"certificates"},
    "sysctl-hardening": {"settings"},
}
SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]


def takers(name: str) -> dict[str, str]:
    """For each text variable the script that takes it and prints it, with `VALUE` for the value."""
    found = {}
    for fodder in gene(name).fodder or ():
        assert fodder.content is not None
        for match in TAKEN.finditer(fodder.content.text):
            show = f"printf '%s\\n' \"${match[1]}\"\n"
            found[match[2]] = match[0].replace(f"{{{{ {match[2]} }}}}", "\0") + "\n" + show
        for match in KEPT.finditer(fodder.content.text):
            text = re.sub(r" >\S+ <<", " <<", match[0], count=1)
            found[match[2]] = text.replace(f"{{{{ {match[2]} }}}}", "\0") + "\n"
    return found


WITH_TEXTS = [name for name in linux_sets() if set(texts(name)) - LINES.get(name, set())]


@pytest.mark.parametrize("name", WITH_TEXTS)
def test_a_nasty_text_arrives(name: str, tmp_path: Path) -> None:
    scripts = takers(name)
    assert scripts.keys() == set(texts(name)) - LINES.get(name, set())
    program = tmp_path / "take.sh"
    lines = [script.replace("\0", value) for script in scripts.values() for value in NASTY]
    program.write_bytes("".join(lines).encode())
    for shell in SHELLS:
        run = subprocess.run([shell, program], capture_output=True, check=True, cwd=tmp_path)
        assert run.stderr == b""
        assert run.stdout.decode() == "".join(f"{value}\n" for value in NASTY) * len(scripts)


@given(values=st.lists(ONE_LINE, min_size=1, max_size=30))
@settings(max_examples=15)
def test_any_text_arrives(values: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    (title,) = [text for key, text in takers("motd").items() if key == "text"]
    program = tmp_path_factory.mktemp("any") / "take.sh"
    scripts = (takers("users")["groups"], title)
    program.write_bytes("".join(s.replace("\0", v) for s in scripts for v in values).encode())
    for shell in SHELLS:
        run = subprocess.run([shell, program], capture_output=True, check=True)
        assert run.stdout.decode() == "".join(f"{value}\n" for value in values) * len(scripts)
