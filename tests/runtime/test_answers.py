"""Answers are found in whatever a host's shell prints around them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eryph_runtime import answers as answers_module
from eryph_runtime import session as session_module
from eryph_runtime.answers import Answer, Answers, Event
from eryph_runtime.faults import HostFailure
from eryph_runtime.session import PROTOCOL, Session

NONCE = "0123456789abcdef" * 2
OTHER = NONCE[::-1]
CLIXML = '#< CLIXML\r\n<Objs Version="1.1.0.1"><Obj S="progress" RefId="0"></Obj></Objs>'
# What profiles, shells and their children were seen to print; none ends in a line feed.
NOISE = {
    "nothing": "",
    "a line": "Welcome to HOST\r\n",
    "no line feed": "hello",
    "a prompt": "PS C:\\Users\\Administrator> ",
    "a title": "\x1b]0;HOST\x07",
    "colours": "\x1b[32;1mready\x1b[0m \x1b[?25h",
    "CLIXML": CLIXML,
    "marks of another request": f"==eryph-begin {OTHER}==\n{{}}\n==eryph-end {OTHER}==",
    "half a mark": f"==eryph-begin {NONCE[:9]}",
    "letters of other scripts": "Grüße, 你好",
}


def answer(value: Any, *events: int) -> str:
    text = "".join(f'==eryph-event {NONCE}== {{"percent": {each}}}\n' for each in events)
    text += f"==eryph-alive {NONCE}==\r\n"
    return f"{text}==eryph-begin {NONCE}==\n{json.dumps(value)}\n==eryph-end {NONCE}==\n"


def found(data: bytes, step: int) -> list[Any]:
    answers = Answers(NONCE)
    parts = [data[start : start + step] for start in range(0, len(data), step)]
    return [each for part in parts for each in answers.feed(part)]


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE.keys())
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("step", [1, 13, 100_000])
def test_the_answer_is_found(noise: str, encoding: str, step: int) -> None:
    text = noise + answer({"value": "x"}, 5, 90) + noise
    assert found(text.encode(encoding), step) == [
        Event(data={"percent": 5}),
        Event(data={"percent": 90}),
        Answer(data={"value": "x"}),
    ]


def test_noise_in_one_encoding_and_the_answer_in_another() -> None:
    data = "wsl\r\n".encode("utf-16") + b"\x81hello" + answer({"a": 1}).encode("ascii")
    assert found(data, 7) == [Answer(data={"a": 1})]


def test_escape_codes_and_line_breaks_inside_an_answer() -> None:
    text = (
        f'==eryph-begin {NONCE}==\r\n{{"a": \x1b[0m"b\r\nc"}}\x1b]0;t\x07\r\n==eryph-end {NONCE}=='
    )
    assert found(text.encode("ascii"), 3) == [Answer(data={"a": "bc"})]


@given(st.binary(max_size=300), st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_around_an_answer(before: bytes, after: bytes, step: int) -> None:
    assert found(before + answer({"a": 1}).encode("ascii") + after, step) == [Answer(data={"a": 1})]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="no JSON"),
        pytest.param("[1]", id="no object"),
        pytest.param("[" * 100_000, id="nested too deeply"),
        pytest.param("\xff", id="no ASCII"),
    ],
)
def test_an_answer_that_is_none(text: str) -> None:
    data = f"==eryph-begin {NONCE}==\n{text}\n==eryph-end {NONCE}==\n".encode("latin-1")
    with pytest.raises(HostFailure, match="gave an answer"):
        found(data, 1000)


def test_a_damaged_event_tells_nothing() -> None:
    told = {"percent": 1e9, "message": ["x"], "action": "a" * 1000, "more": {}}
    data = f"==eryph-event {NONCE}== {json.dumps(told)}\n==eryph-event {NONCE}== {{\n"
    assert found(data.encode("ascii"), 9) == [Event(data={"action": "a" * 300}), Event(data={})]


def test_output_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers_module, "MOST_NOISE", 10_000)
    monkeypatch.setattr(answers_module, "LARGEST_ANSWER", 10_000)
    monkeypatch.setattr(answers_module, "LARGEST_EVENT", 10_000)
    flood = b"x" * 20_000
    with pytest.raises(HostFailure, match="printed more than 10000 bytes"):
        found(flood, 100)
    for kind in ("begin", "event"):
        with pytest.raises(HostFailure, match="an answer of more than 10000 bytes"):
            found(f"==eryph-{kind} {NONCE}==".encode() + flood, 100)


def test_what_was_noise_can_be_told() -> None:
    answers = Answers(NONCE)
    answers.feed(b"first " * 1000 + b"\x1b[31mlast words")
    assert answers.noise.endswith("first last words")
    assert len(answers.noise) <= 2000


# A real child process in place of PowerShell.

HOST = f'''
import base64, json, os, sys, time
def block():
    text = ""
    for line in sys.stdin:
        if line.strip() == ".":
            return base64.b64decode(text)
        text += line.strip()
    sys.exit(0)
def say(text):
    sys.stdout.write(text); sys.stdout.flush()
def answered(request, value):
    answer = {{"protocol": "{PROTOCOL}", "ok": True, "value": value, "error": None}}
    say("\\x1b[0mPS> ==eryph-begin %s==\\n" % request["nonce"])
    say("%s\\n==eryph-end %s==" % (json.dumps(answer), request["nonce"]))
'''


def session(tmp_path: Path, program: str, silence: float = 60) -> Session:
    file = tmp_path / "host.py"
    file.write_text(HOST + program, encoding="utf-8")
    return Session("ssh://h", [sys.executable, str(file)], remote=True, silence=silence)


def test_requests_one_after_the_other(tmp_path: Path) -> None:
    program = "block()\nwhile True:\n    request = json.loads(block())\n"
    program += "    answered(request, request['arguments'])\n"
    host = session(tmp_path, program)
    for number in range(3):
        assert host.request("x", {"n": number}) == {"n": number}
    host.close()


def test_a_large_payload_and_a_host_that_answers_before_it_reads_it(tmp_path: Path) -> None:
    """Input and output are served at the same time, so neither side waits for the other."""
    program = "block()\nrequest = json.loads(block())\nsay('x' * 500_000)\ndata = block()\n"
    program += "answered(request, len(data))\n"
    host = session(tmp_path, program)
    assert host.request("receive", {}, payload=b"z" * 3_000_000) == 3_000_000
    host.close()


@pytest.mark.parametrize(
    ("program", "why"),
    [
        pytest.param("time.sleep(600)", "ssh may wait for a password", id="reads nothing"),
        pytest.param("block(); block(); time.sleep(600)", "ssh may wait", id="answers nothing"),
        pytest.param(
            "block(); request = json.loads(block()); say('==eryph-event %s== {}\\n' % "
            "request['nonce']); time.sleep(600)",
            "PowerShell on the host hangs",
            id="falls silent",
        ),
    ],
)
def test_a_host_that_says_nothing_is_given_up(tmp_path: Path, program: str, why: str) -> None:
    host = session(tmp_path, program, silence=0.5)
    with pytest.raises(HostFailure, match=r"said nothing for .* s: .*" + why):
        host.request("read", {}, payload=b"x" * 1_000_000, seconds=1800)


def test_long_work_that_shows_signs_of_life_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "_TOLD_EVERY", 0.5)
    told: list[dict[str, Any]] = []
    program = "block()\nrequest = json.loads(block())\nfor _ in range(8):\n"
    program += "    say('==eryph-alive %s==\\n' % request['nonce']); time.sleep(0.25)\n"
    program += "answered(request, 'done')\n"
    host = session(tmp_path, program, silence=1.5)
    assert host.request("run", {}, seconds=1800, events=told.append) == "done"
    host.close()
    assert told
    assert all(each["message"].startswith("the host is still at work (") for each in told)


def test_signs_of_life_do_not_last_for_ever(tmp_path: Path) -> None:
    program = "block()\nrequest = json.loads(block())\nwhile True:\n"
    program += "    say('==eryph-alive %s==\\n' % request['nonce']); time.sleep(0.05)\n"
    host = session(tmp_path, program)
    with pytest.raises(HostFailure, match="did not finish `run` within 1 s"):
        host.request("run", {}, seconds=1)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        pytest.param("{'hresult': '1', 'message': 7, 'step': []}", "`run` failed", id="types"),
        pytest.param("'text'", "`run` failed", id="no object"),
        pytest.param("None", "`run` failed", id="nothing"),
    ],
)
def test_errors_of_any_shape_are_failures(tmp_path: Path, error: str, told: str) -> None:
    program = f"block()\nrequest = json.loads(block())\nanswer = {{'protocol': '{PROTOCOL}',"
    program += f" 'ok': False, 'error': {error}}}\n"
    program += "say('==eryph-begin %s==%s==eryph-end %s==' % (request['nonce'],"
    program += " json.dumps(answer), request['nonce']))\n"
    host = session(tmp_path, program)
    with pytest.raises(HostFailure, match=told) as caught:
        host.request("run", {})
    assert caught.value.hint is None
    host.close()


def test_the_cause_is_told_when_the_program_ends(tmp_path: Path) -> None:
    said = CLIXML + '<Objs><S S="Error">X is not recognized_x000D__x000A_</S></Objs>'
    program = f"sys.stdin.readline()\nsys.stderr.write({said!r})\nsys.exit(1)"
    with pytest.raises(HostFailure) as caught:
        session(tmp_path, program).request("read", {})
    assert str(caught.value) == (
        "the connection to ssh://h ended (exit code 1): X is not recognized"
    )


def test_what_stands_on_standard_output_is_told_where_nothing_else_is(tmp_path: Path) -> None:
    program = "sys.stdin.readline()\nsay('This account is currently not available.')\nsys.exit(1)"
    with pytest.raises(HostFailure, match=r"\(exit code 1\): This account is currently not"):
        session(tmp_path, program).request("read", {})
