"""The words of errors that PowerShell writes as CLIXML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eryph_runtime.clixml import error_words, words

HEAD = "#< CLIXML\r\n"
PROGRESS = (
    '<Obj S="progress" RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCustomObject</T>'
    '</TN><MS><PR N="Record"><AV>Preparing modules</AV></PR></MS></Obj>'
)


def objs(*parts: str) -> str:
    inside = "".join(parts)
    return (
        f'<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
        f"{inside}</Objs>"
    )


def error(text: str) -> str:
    return f'<S S="Error">{text}_x000D__x000A_</S>'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param(
            "Permission denied (publickey).\r\n", "Permission denied (publickey).", id="plain"
        ),
        pytest.param(HEAD + objs(PROGRESS), "", id="progress alone"),
        pytest.param(HEAD + objs(PROGRESS, error("No.")), "No.", id="an error after progress"),
        pytest.param(
            "** WARNING: x\n" + HEAD + objs(error("No.")), "** WARNING: x No.", id="text before"
        ),
        pytest.param(
            HEAD + objs(error("One.")) + "\nbetween\n" + HEAD + objs(error("Two.")) + "after",
            "between after One. Two.",
            id="several",
        ),
        pytest.param(
            HEAD + objs(error("long"), error("words"), error("    + CategoryInfo : x")),
            "long words",
            id="an error over several lines, in PowerShell's frame",
        ),
        pytest.param(
            HEAD + objs(error("a &lt;b&gt; &amp; &#x27;c&#39; _x005F_x0041_")),
            "a <b> & 'c' _x0041_",
            id="escapes of both kinds",
        ),
        pytest.param(
            HEAD + objs(error("_xD83D__xDE00_ _xD83D_")), "\U0001f600 \ufffd", id="halves"
        ),
        pytest.param(HEAD + objs('<S S="Warning">w</S>', error("e")), "e", id="other streams"),
        pytest.param(
            HEAD + objs('<Obj S="Error" RefId="0"><ToString>No.</ToString><MS></MS></Obj>'),
            "No.",
            id="an error as an object",
        ),
        pytest.param((HEAD + objs(error("cut")))[:-11], "cut", id="cut at the end"),
        pytest.param(objs(error("cut"))[40:] + "after", "after cut", id="cut at the beginning"),
        pytest.param(
            "".join(f"{each}\0" for each in HEAD + objs(error("wide"))), "wide", id="UTF-16"
        ),
    ],
)
def test_words(text: str, said: str) -> None:
    assert words(text) == said


def test_a_long_error_keeps_its_beginning_and_a_long_text_its_end() -> None:
    text = "begin " + "x" * 2000 + " end\n" + HEAD + objs(error("cause " + "y" * 2000))
    said = words(text)
    assert " end cause " in said
    assert len(said) <= 1201


@given(st.text(max_size=200), st.sampled_from(["", HEAD, "<Objs", "</Objs>", '<S S="Error">']))
def test_any_text_gives_a_line(text: str, part: str) -> None:
    assert "\n" not in words(text + part + text)


def test_a_message_that_is_no_clixml_stays() -> None:
    assert error_words("first\r\n  + second") == "first + second"
    assert error_words(HEAD + objs(error("No."))) == "No."
