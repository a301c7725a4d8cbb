"""From bytes to gzip that depends on nothing but these bytes.

zlib, zlib-ng and each level of them give different bytes, and Python has what its machine has. But
Azure refuses custom data that has changed, and Terraform replaces a machine for it. So this encoder
is our own, and its bytes are a promise: whoever finds better matches changes artifacts.
Sources: RFC 1951; RFC 1952; docs/reference/reproducible-builds.md, "Compressed user-data".
"""

from __future__ import annotations

from binascii import crc32
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Final

# Deflate without flags and time; "maximum compression" by an "unknown" system (RFC 1952 2.3.1).
_HEADER: Final = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"

_WINDOW: Final = 32_768
_SHORTEST: Final = 3
_LONGEST: Final = 258
# From further away a match of 3 bytes mostly takes more bits than the bytes themselves.
_NEAR: Final = 4_096
# Places that one place is compared with. Without a bound a hostile text takes minutes.
_TRIES: Final = 64
# A block has so many symbols. A text that changes gets new codes, and each block has a header.
_BLOCK: Final = 16_384
# What a stored block can hold (RFC 1951 3.2.4). With more bytes a block is shorter in other forms.
_STORED: Final = 0xFFFF

# One list holds all symbols of a block: literals below the end, then lengths, and distances behind
# the 288 that the fixed code has for the two (RFC 1951 3.2.5, 3.2.6).
_END: Final = 256
_LENGTHS: Final = 257
_DISTANCES: Final = 288
_SYMBOLS: Final = _DISTANCES + 30
# In this order the lengths of the codes for lengths of codes are written (RFC 1951 3.2.7).
_ORDER: Final = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)


def gzip(data: bytes) -> bytes:
    """`data` as one gzip member. Twice the length takes at most about twice the time.

    Source: RFC 1952 2.3.
    """
    size = len(data) % 2**32
    return _HEADER + _deflate(data) + crc32(data).to_bytes(4, "little") + size.to_bytes(4, "little")


def _deflate(data: bytes) -> bytes:
    """Until the last line bits are texts of `0` and `1` in their order, which Python joins fast."""
    blocks: list[str] = []
    symbols: list[int] = []
    extras: list[str] = []
    begin = end = written = 0
    for length, distance in _matches(data):
        if len(symbols) >= _BLOCK:
            blocks.append("0" + _block(symbols, extras, data[begin:end], written + 1))
            written += len(blocks[-1])
            begin, symbols, extras = end, [], []
        if distance:
            # The greatest length has a symbol of its own (RFC 1951 3.2.5).
            symbol, extra = (28, "") if length == _LONGEST else _split(length - _SHORTEST, 2)
            back, back_extra = _split(distance - 1, 1)
            symbols += (_LENGTHS + symbol, _DISTANCES + back)
            extras += (extra, back_extra)
        else:
            symbols.append(data[end])
            extras.append("")
        end += length
    blocks.append("1" + _block(symbols, extras, data[begin:], written + 1))
    text = "".join(blocks)
    # The first bit is the lowest of the first byte (RFC 1951 3.1.1).
    return int(text[::-1], 2).to_bytes(-(-len(text) // 8), "little")


def _matches(data: bytes) -> Iterator[tuple[int, int]]:
    """The lengths and distances of matches; a literal has length 1 and distance 0.

    A match gives way where a longer one begins at the next byte. No place is searched from twice.
    """
    before = _before(data)
    at = 0
    length, distance = _longest(data, before, at, _SHORTEST - 1)
    while at < len(data):
        longer, its_distance = _longest(data, before, at + 1, length)
        if distance and not its_distance:
            yield length, distance
            at += length
            length, distance = _longest(data, before, at, _SHORTEST - 1)
        else:
            yield 1, 0
            at += 1
            length, distance = longer, its_distance


def _before(data: bytes) -> list[int]:
    """For each place the last one before it with the same three bytes, else -1.

    Places of a few other three bytes are among them, so whoever follows these has to compare.
    """
    before: list[int] = []
    last = [-1] * (1 << 18)
    key = 0
    for place, byte in enumerate(data, -2):
        # Six bits a step: what came three steps ago is shifted out.
        key = (key << 6 ^ byte) & 0x3FFFF
        if place >= 0:
            before.append(last[key])
            last[key] = place
    return before


def _longest(data: bytes, before: list[int], at: int, least: int) -> tuple[int, int]:
    """Length and distance of the longest match that is longer than `least`; else that and 0.

    Of equally long ones the nearest, which has the fewest bits.
    """
    limit = min(_LONGEST, len(data) - at)
    if limit <= least:
        return least, 0
    length, distance = least, 0
    wanted = data[at : at + length + 1]
    first = max(at - _WINDOW, 0)
    place = before[at]
    for _ in range(_TRIES):
        if place < first:
            break
        if data.startswith(wanted, place):
            distance = at - place
            length += 1
            while length < limit and data[place + length] == data[at + length]:
                length += 1
            if length == limit:
                break
            wanted = data[at : at + length + 1]
        place = before[place]
    if length == _SHORTEST and distance > _NEAR:
        return least, 0
    return length, distance


def _split(value: int, kept: int) -> tuple[int, str]:
    """Symbol and extra bits of a length less 3 (`kept` 2) or of a distance less 1 (`kept` 1).

    The symbol tells the place of the highest bit, and the bits `kept` after it.
    Source: RFC 1951 3.2.5.
    """
    count = max(value.bit_length() - kept - 1, 0)
    return (count << kept) + (value >> count), _bits(value & (1 << count) - 1, count)


def _bits(value: int, count: int) -> str:
    """A number that is no Huffman code: its lowest bit comes first (RFC 1951 3.1.1)."""
    return f"{value:0{count}b}"[::-1] if count else ""


def _block(symbols: list[int], extras: list[str], raw: bytes, at: int) -> str:
    """The shortest of three forms from their second bit on, which is bit `at` of all.

    Source: RFC 1951 3.2.3 to 3.2.7.
    """
    symbols.append(_END)
    extras.append("")
    counts = Counter(symbols)
    literals = _code_lengths([counts[symbol] for symbol in range(_DISTANCES)], 15)
    distances = _code_lengths([counts[symbol] for symbol in range(_DISTANCES, _SYMBOLS)], 15)
    forms = [
        head
        + "".join([codes[symbol] + extra for symbol, extra in zip(symbols, extras, strict=True)])
        for head, codes in (
            (_bits(1, 2), _FIXED),
            (_bits(2, 2) + _described(literals, distances), _codes(literals) + _codes(distances)),
        )
    ]
    if len(raw) <= _STORED:
        head = _bits(0, 2) + "0" * (-(at + 2) % 8)
        size = _bits(len(raw), 16) + _bits(len(raw) ^ _STORED, 16)
        forms.append(head + size + _bits(int.from_bytes(raw, "little"), 8 * len(raw)))
    return min(forms, key=len)


def _described(literals: list[int], distances: list[int]) -> str:
    """The lengths of a block's codes, which are coded themselves.

    Source: RFC 1951 3.2.7.
    """
    literals, distances = _trimmed(literals, 257), _trimmed(distances, 1)
    runs = [*_runs(literals + distances)]
    counts = Counter(symbol for symbol, _ in runs)
    lengths = _code_lengths([counts[symbol] for symbol in range(len(_ORDER))], 7)
    ordered = _trimmed([lengths[symbol] for symbol in _ORDER], 4)
    codes = _codes(lengths)
    return "".join(
        (
            _bits(len(literals) - 257, 5),
            _bits(len(distances) - 1, 5),
            _bits(len(ordered) - 4, 4),
            *(_bits(length, 3) for length in ordered),
            *(codes[symbol] + extra for symbol, extra in runs),
        )
    )


def _trimmed(lengths: list[int], least: int) -> list[int]:
    """Without the zeros at the end, but no shorter than `least`."""
    used = max(number for number, length in enumerate(lengths, 1) if length)
    return lengths[: max(used, least)]


def _runs(lengths: list[int]) -> Iterator[tuple[int, str]]:
    """A symbol and its extra bits for each length or run of equal ones (RFC 1951 3.2.7)."""
    for length, group in groupby(lengths):
        run = len([*group])
        if length:
            # What 16 repeats has to stand before it; 17 and 18 are zeros by themselves.
            yield length, ""
            run -= 1
        while run >= 3:
            if length:
                symbol, fewest, most, count = 16, 3, 6, 2
            elif run <= 10:
                symbol, fewest, most, count = 17, 3, 10, 3
            else:
                symbol, fewest, most, count = 18, 11, 138, 7
            taken = min(run, most)
            yield symbol, _bits(taken - fewest, count)
            run -= taken
        yield from [(length, "")] * run


def _code_lengths(counts: list[int], limit: int) -> list[int]:
    """The lengths of codes, none above `limit`, by which symbols that occur so often get shortest.

    This is package-merge: each row has the symbols, and pairs of neighbours of the row before. Two
    symbols get a code in any case, as those of zlib do: readers need not know a lone code.
    """
    leaves = [(count, (symbol,)) for symbol, count in enumerate(counts) if count]
    unused = [(0, (symbol,)) for symbol, count in enumerate(counts) if not count]
    leaves = sorted(unused[: max(0, 2 - len(leaves))] + leaves)
    row: list[tuple[int, tuple[int, ...]]] = [*leaves]
    for _ in range(limit - 1):
        pairs = zip(row[::2], row[1::2], strict=False)
        packages = [(one[0] + two[0], one[1] + two[1]) for one, two in pairs]
        # Sorting keeps the order of equal ones: the result is the same everywhere.
        row = sorted([*leaves, *packages], key=lambda item: item[0])
    lengths = [0] * len(counts)
    for _, symbols in row[: 2 * len(leaves) - 2]:
        for symbol in symbols:
            lengths[symbol] += 1
    return lengths


def _codes(lengths: list[int]) -> list[str]:
    """The codes that follow from their lengths (RFC 1951 3.2.2), the highest bit first."""
    codes = [""] * len(lengths)
    code = before = 0
    for length, symbol in sorted(
        (length, symbol) for symbol, length in enumerate(lengths) if length
    ):
        code <<= length - before
        codes[symbol] = f"{code:0{length}b}"
        code += 1
        before = length
    return codes


_FIXED: Final = _codes([8] * 144 + [9] * 112 + [7] * 24 + [8] * 8) + _codes([5] * 30)
