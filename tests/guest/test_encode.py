"""User-data bytes: plain, or MIME that a mail parser takes apart into the same parts."""

from __future__ import annotations

import email
import email.policy
import gzip
from base64 import b64decode
from email.message import Message

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eryphc.guest import encode
from eryphc.guest.document import KeptText, UserDataPart
from eryphc.guest.encode import Form
from eryphc.guest.pieces import NO_CONTENT


def part(
    name: str, media_type: str, text: str, headers: tuple[tuple[str, str], ...] = ()
) -> UserDataPart:
    return UserDataPart(
        name=name,
        media_type=media_type,
        body=KeptText(text, NO_CONTENT),
        entries=(0,),
        headers=headers,
    )


def text_of(made: UserDataPart) -> str:
    return encode.part_text(made).text


def user_data(parts: tuple[UserDataPart, ...]) -> bytes:
    return encode.user_data(parts).data


CONFIG = part("001-a", "text/cloud-config", "#cloud-config\na: ü\n")
SCRIPT = part("002-b.sh", "text/x-shellscript", "#!/bin/sh\necho ü\n")


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
    data = user_data((part("a", "text/cloud-config", text),))
    assert (data == text.encode()) is plain
    if not plain:
        assert read(data) == [("text/cloud-config", "a", text)]


def test_a_script_alone_is_a_part() -> None:
    assert read(user_data((SCRIPT,))) == [("text/x-shellscript", "002-b.sh", text_of(SCRIPT))]


def test_a_header_makes_it_a_part() -> None:
    made = part(
        "a",
        "text/jinja2",
        "## template: jinja\n#cloud-config\n",
        headers=(("X-Merge-Type", "list(append)"),),
    )
    message = email.message_from_bytes(user_data((made,)))
    payload = message.get_payload()
    assert isinstance(payload, list)
    [inner] = payload
    assert isinstance(inner, Message)
    assert inner["X-Merge-Type"] == "list(append)"


def test_a_boundary_never_stands_in_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    first = encode._boundary([b"body"])
    digest = first[9:33]
    # The digest is over the bodies, so a body with its own boundary has to be made up.
    monkeypatch.setattr(encode, "sha256", lambda _: type("D", (), {"hexdigest": digest.decode})())
    assert encode._boundary([b"x " + first]) == b"==eryphc-" + digest + b"-1=="


names = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='"<>|:*?\\/'), min_size=1
).filter(lambda name: name == name.strip())


@settings(max_examples=60)
@given(st.lists(st.tuples(names, st.text()), min_size=2, max_size=4))
def test_every_part_survives(contents: list[tuple[str, str]]) -> None:
    parts = tuple(
        part(name, "text/x-shellscript", text.encode("utf-8", "replace").decode())
        for name, text in contents
    )
    data = user_data(parts)
    assert data.isascii()
    assert max(map(len, data.split(b"\n"))) < 998
    assert read(data) == [(each.media_type, each.name, text_of(each)) for each in parts]


lines = st.lists(
    st.text(st.characters(max_codepoint=127)) | st.integers(990, 1010).map("x".__mul__), max_size=4
).map("\n".join)


@settings(max_examples=150)
@given(st.lists(lines | st.text(), min_size=2, max_size=4))
def test_every_part_survives_in_the_compact_form(texts: list[str]) -> None:
    parts = tuple(
        part(f"{number:03}", "text/x-shellscript", text.encode("utf-8", "replace").decode())
        for number, text in enumerate(texts)
    )
    made = encode.user_data(parts, form=Form.COMPACT)
    assert made.data.isascii()
    assert max(map(len, made.data.split(b"\n"))) <= 998
    assert read(made.data) == [(each.media_type, each.name, text_of(each)) for each in parts]


def test_the_compact_form_writes_mail_text_as_it_is() -> None:
    texts = {
        "#!/bin/sh\n": "7bit",
        "": "7bit",
        "\n\n": "7bit",
        "x" * 998 + "\n": "7bit",
        "x" * 999: "base64",
        "ü\n": "base64",
        "a\r\nb\n": "base64",
        "a\0": "base64",
    }
    parts = tuple(part("n", "text/x-shellscript", text) for text in texts)
    message = email.message_from_bytes(encode.user_data(parts, form=Form.COMPACT).data)
    found = message.get_payload()
    assert isinstance(found, list)
    encodings = [each["Content-Transfer-Encoding"] for each in found if isinstance(each, Message)]
    assert encodings == list(texts.values())


def test_one_cloud_config_is_the_same_in_the_compact_form() -> None:
    assert encode.user_data((CONFIG,), form=Form.COMPACT) == encode.user_data((CONFIG,))


def test_gzip_is_the_compact_form_compressed() -> None:
    compact = encode.user_data((CONFIG, SCRIPT), form=Form.COMPACT)
    made = encode.user_data((CONFIG, SCRIPT), form=Form.GZIP)
    assert gzip.decompress(made.data) == compact.data
    assert made.media_type == "application/gzip"


def test_the_encoder_tells_the_places_of_slots_in_the_compact_form() -> None:
    slot = "SLOT-0123456789"
    parts = (CONFIG, part("s", "text/x-shellscript", f"#!/bin/sh\necho {slot} {slot}\n"))
    made = encode.user_data(parts, (slot,), Form.COMPACT)
    assert [made.data[p.offset + p.at :].startswith(slot.encode()) for p in made.slots] == [
        True
    ] * 2


def test_a_name_too_long_for_a_line_of_mail_goes_on_in_the_next() -> None:
    made = part("ü" * 255 + ".sh", "text/x-shellscript", "#!/bin/sh\n")
    data = user_data((made, made))
    assert max(map(len, data.split(b"\n"))) < 998
    assert read(data) == [(made.media_type, made.name, text_of(made))] * 2


SLOT = "qslotqslot"
slot_texts = st.lists(st.sampled_from([SLOT, "a", "ü", "\n", '"']), max_size=30).map("".join)


def filled(found: encode.Encoded, value: bytes) -> bytes:
    """The file with `value` at each of its places."""
    data = bytearray(found.data)
    for place in found.slots:
        assert place.slot == SLOT
        region = data[place.offset : place.offset + place.length]
        if place.encoding is encode.Encoding.BASE64:
            decoded = bytearray(b64decode(bytes(region)))
            decoded[place.at : place.at + len(value)] = value
            region = bytearray(encode._base64(bytes(decoded)))
        else:
            assert place.at == 0
            region[:] = value
        data[place.offset : place.offset + place.length] = region
    return bytes(data)


@settings(max_examples=60)
@given(st.lists(slot_texts, min_size=1, max_size=3))
def test_the_encoder_tells_each_place_of_a_slot(texts: list[str]) -> None:
    kinds = ("text/cloud-config", "text/x-shellscript", "text/jinja2")
    parts = tuple(
        part(f"{number}-a", kind, "#cloud-config\n" + text)
        for number, (kind, text) in enumerate(zip(kinds, texts, strict=False))
    )
    found = encode.user_data(parts, (SLOT,))
    value = "0123456789"
    wanted = tuple(
        each._replace(body=KeptText(text_of(each).replace(SLOT, value), NO_CONTENT))
        for each in parts
    )
    if len(parts) == 1:
        assert filled(found, value.encode()) == encode.user_data(wanted).data
    else:
        # But for the boundary, which depends on the texts.
        assert read(filled(found, value.encode())) == read(encode.user_data(wanted).data)


def test_a_slot_stands_only_in_texts() -> None:
    named = CONFIG._replace(name=SLOT)
    with pytest.raises(RuntimeError, match="slot"):
        encode.user_data((named, SCRIPT), (SLOT,))


@pytest.mark.parametrize(
    ("parts", "media_type"),
    [
        pytest.param((), "text/plain", id="nothing"),
        pytest.param((CONFIG,), "text/cloud-config", id="a cloud-config"),
        pytest.param(
            (part("a", "text/jinja2", "## template: jinja\n#cloud-config\n"),),
            "text/plain",
            id="a template",
        ),
        pytest.param((SCRIPT,), "multipart/mixed", id="a script"),
    ],
)
def test_the_media_type(parts: tuple[UserDataPart, ...], media_type: str) -> None:
    assert encode.user_data(parts).media_type == media_type
