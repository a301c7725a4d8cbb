"""User-data bytes: plain, or MIME that a mail parser takes apart into the same parts."""

from __future__ import annotations

import email
import email.policy
from email.message import Message

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eryphc.guest import mime
from eryphc.guest.mime import user_data
from eryphc.guest.model import Part

CONFIG = Part(name="001-a", media_type="text/cloud-config", text="#cloud-config\na: ü\n")
SCRIPT = Part(name="002-b.sh", media_type="text/x-shellscript", text="#!/bin/sh\necho ü\n")


def read(data: bytes) -> list[tuple[str, str | None, str]]:
    # As text, because that is how both guests hand it to the parser.
    message: Message = email.message_from_string(data.decode("utf-8"))
    assert message.get_content_type() == "multipart/mixed"
    assert message.defects == []
    result = []
    for part in message.get_payload():
        assert isinstance(part, Message)
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        result.append((part.get_content_type(), part.get_filename(), payload.decode("utf-8")))
    return result


def test_the_bytes_of_two_parts() -> None:
    assert user_data((CONFIG, SCRIPT)).decode("ascii") == (
        "MIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="==eryphc-03baef0d0e38ab6e96d993d9=="\n'
        "\n"
        "--==eryphc-03baef0d0e38ab6e96d993d9==\n"
        'Content-Type: text/cloud-config; charset="utf-8"\n'
        "MIME-Version: 1.0\n"
        "Content-Transfer-Encoding: base64\n"
        'Content-Disposition: attachment; filename="001-a"\n'
        "\n"
        "I2Nsb3VkLWNvbmZpZwphOiDDvAo=\n"
        "--==eryphc-03baef0d0e38ab6e96d993d9==\n"
        'Content-Type: text/x-shellscript; charset="utf-8"\n'
        "MIME-Version: 1.0\n"
        "Content-Transfer-Encoding: base64\n"
        'Content-Disposition: attachment; filename="002-b.sh"\n'
        "\n"
        "IyEvYmluL3NoCmVjaG8gw7wK\n"
        "--==eryphc-03baef0d0e38ab6e96d993d9==--\n"
    )


def test_nothing_is_an_empty_file() -> None:
    assert user_data(()) == b""


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        pytest.param("#cloud-config\na: ü\n", True, id="a cloud-config"),
        pytest.param("#cloud-config\n# mime-version\n", True, id="the words without the colon"),
        pytest.param("#cloud-config\n# MIME-Version: 1\n", False, id="looks like mail"),
        pytest.param("#cloud-config\n# " + "x" * 5000 + "mime-version:", True, id="far enough"),
        pytest.param("#cloud-config\n" + "x" * 4069 + "mime-version:", False, id="just inside"),
        pytest.param("#cloud-config\n" + "x" * 4070 + "mime-version:", True, id="just outside"),
        pytest.param("#cloud-config\nContent-Type: multipart\n", False, id="mail for Windows"),
        pytest.param("a: 1\n", False, id="no marker to be known by"),
        pytest.param("#cloud-config-archive\n", False, id="another marker"),
    ],
)
def test_a_cloud_config_alone(text: str, plain: bool) -> None:  # noqa: FBT001
    data = user_data((Part(name="a", media_type="text/cloud-config", text=text),))
    assert (data == text.encode()) is plain
    if not plain:
        assert read(data) == [("text/cloud-config", "a", text)]


def test_a_script_alone_is_a_part() -> None:
    assert read(user_data((SCRIPT,))) == [("text/x-shellscript", "002-b.sh", SCRIPT.text)]


def test_a_header_makes_it_a_part() -> None:
    part = Part(
        name="a",
        media_type="text/jinja2",
        text="## template: jinja\n#cloud-config\n",
        headers=(("X-Merge-Type", "list(append)"),),
    )
    message = email.message_from_bytes(user_data((part,)))
    payload = message.get_payload()
    assert isinstance(payload, list)
    [inner] = payload
    assert isinstance(inner, Message)
    assert inner["X-Merge-Type"] == "list(append)"


def test_a_boundary_never_stands_in_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    first = mime._boundary([b"body"])
    digest = first[9:33]
    # The digest is over the bodies, so a body with its own boundary has to be made up.
    monkeypatch.setattr(mime, "sha256", lambda _: type("D", (), {"hexdigest": digest.decode})())
    assert mime._boundary([b"x " + first]) == b"==eryphc-" + digest + b"-1=="


names = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='"<>|:*?\\/'), min_size=1
).filter(lambda name: name == name.strip())


@settings(max_examples=60)
@given(st.lists(st.tuples(names, st.text()), min_size=2, max_size=4))
def test_every_part_survives(contents: list[tuple[str, str]]) -> None:
    parts = tuple(
        Part(
            name=name,
            media_type="text/x-shellscript",
            text=text.encode("utf-8", "replace").decode(),
        )
        for name, text in contents
    )
    data = user_data(parts)
    assert data.isascii()
    assert max(map(len, data.split(b"\n"))) < 998
    assert read(data) == [(part.media_type, part.name, part.text) for part in parts]


def test_a_name_too_long_for_a_line_of_mail_goes_on_in_the_next() -> None:
    part = Part(name="ü" * 255 + ".sh", media_type="text/x-shellscript", text="#!/bin/sh\n")
    data = user_data((part, part))
    assert max(map(len, data.split(b"\n"))) < 998
    assert read(data) == [(part.media_type, part.name, part.text)] * 2
