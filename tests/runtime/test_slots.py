"""Filling slots: plain, inside base64, several in one part; and what is refused."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eryph_runtime.deployment import Encoding, Relocation, Seed, Slot, SlotKind
from eryph_runtime.slots import SlotError, patch, value_fault

MACHINE = "1c3e5f70-0a1b-4c2d-8e3f-a0b1c2d3e4f5"
VALUE = st.text("ABCxyz019-._~+/=", min_size=1, max_size=80)
FILLER = st.binary(max_size=200)


def seed(iso: bytes, slots: tuple[Slot, ...], places: tuple[Relocation, ...]) -> Seed:
    return Seed(
        file="web.iso",
        sha256=hashlib.sha256(iso).hexdigest(),
        size=len(iso),
        instance_id="i",
        slots=slots,
        relocations=places,
    )


def slot(name: str, length: int) -> Slot:
    return Slot(name=name, kind=SlotKind.VALUE, length=length, description=None)


def place(name: str, offset: int, length: int, *, at: int = 0, plain: bool = False) -> Relocation:
    encoding = Encoding.PLAIN if plain else Encoding.BASE64
    return Relocation(
        slot=name, file="user-data", offset=offset, length=length, encoding=encoding, at=at
    )


def wrap(data: bytes, width: int, end: bytes) -> bytes:
    text = base64.b64encode(data)
    return b"".join(text[start : start + width] + end for start in range(0, len(text), width))


@given(
    value=VALUE,
    before=FILLER,
    after=FILLER,
    width=st.integers(4, 80),
    end=st.sampled_from((b"\n", b"\r\n", b"")),
)
def test_a_slot_in_base64_reads_as_its_value(
    value: str, before: bytes, after: bytes, width: int, end: bytes
) -> None:
    part = wrap(before + b"@" * len(value) + after, width, end)
    iso = b"head" + part + b"tail"
    made = seed(iso, (slot("token", len(value)),), (place("token", 4, len(part), at=len(before)),))
    patched = patch(made, iso, MACHINE, {"token": value})
    assert patched == b"head" + wrap(before + value.encode() + after, width, end) + b"tail"


@given(first=VALUE, second=VALUE)
def test_slots_of_one_part_do_not_disturb_each_other(first: str, second: str) -> None:
    content = b"a " + b"@" * len(first) + b" b " + b"@" * len(second)
    part = wrap(content, 76, b"\n")
    slots = (slot("one", len(first)), slot("two", len(second)))
    places = (
        place("one", 0, len(part), at=2),
        place("two", 0, len(part), at=5 + len(first)),
    )
    patched = patch(seed(part, slots, places), part, MACHINE, {"one": first, "two": second})
    assert base64.b64decode(patched) == f"a {first} b {second}".encode()


def test_the_machines_id_is_written_in_lower_case() -> None:
    iso = b"id " + b"0" * 36 + b"\n"
    made = seed(
        iso,
        (Slot(name="vmId", kind=SlotKind.VM_ID, length=36, description=None),),
        (place("vmId", 3, 36, plain=True),),
    )
    assert patch(made, iso, MACHINE.upper(), {}) == f"id {MACHINE}\n".encode()


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        pytest.param("short", "`token` must have exactly 8 characters, not 5", id="length"),
        pytest.param("secret\n!", "`token` may hold only letters, digits and -._~+/=", id="line"),
        pytest.param('secret"!', "`token` may hold only letters, digits and -._~+/=", id="quote"),
        pytest.param("sécret12", "`token` may hold only letters, digits and -._~+/=", id="accent"),
        pytest.param("secret-1", None, id="fits"),
    ],
)
def test_values(value: str, fault: str | None) -> None:
    told = value_fault(slot("token", 8), value)
    assert told == fault
    assert told is None or "secret" not in told


@pytest.mark.parametrize(
    ("iso", "values", "fault"),
    [
        pytest.param(b"@@@@x", {"token": "abcd"}, "not the file that was built", id="other file"),
        pytest.param(b"@@@@", {}, "no value for the open slot `token`", id="no value"),
        pytest.param(b"@@@@", {"token": "abc"}, "exactly 4 characters", id="too short"),
    ],
)
def test_refused(iso: bytes, values: dict[str, str], fault: str) -> None:
    made = seed(b"@@@@", (slot("token", 4),), (place("token", 0, 4, plain=True),))
    with pytest.raises(SlotError, match=fault):
        patch(made, iso, MACHINE, values)


@pytest.mark.parametrize(
    ("iso", "at", "fault"),
    [
        pytest.param(b"!!!!", 0, "no base64", id="no base64"),
        pytest.param(b"YWJj", 1, "lies outside its part", id="outside"),
    ],
)
def test_a_table_that_lies_is_refused(iso: bytes, at: int, fault: str) -> None:
    made = seed(iso, (slot("token", 3),), (place("token", 0, 4, at=at),))
    with pytest.raises(SlotError, match=fault):
        patch(made, iso, MACHINE, {"token": "abc"})
