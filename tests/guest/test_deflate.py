"""gzip of our own: every reader gets the data back, and the bytes never change."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from hashlib import sha256
from heapq import heapify, heappop, heapreplace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eryphc import Session, Target
from eryphc.guest import deflate

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]


def noise(size: int, seed: str = "") -> bytes:
    """Bytes in which nothing can be saved; the same with every Python."""
    digests = (sha256(f"{seed}{number}".encode()).digest() for number in range(size // 32 + 1))
    return b"".join(digests)[:size]


def drawn(size: int, letters: bytes, seed: str = "") -> bytes:
    return bytes(letters[byte % len(letters)] for byte in noise(size, seed))


def users(count: int) -> bytes:
    """A cloud-config as a generator would write it."""
    lines = ["#cloud-config\n", "users:\n"]
    for number, byte in enumerate(noise(count)):
        lines += [
            f"  - name: user{number:03d}\n",
            f"    gecos: User {byte} of the team\n",
            "    groups: [adm, sudo]\n",
            f"    lock_passwd: {'true' if byte % 3 else 'false'}\n",
            "    ssh_authorized_keys:\n",
            f"      - ssh-ed25519 {noise(24, str(number)).hex()} user{number}@example.org\n",
        ]
    return "".join(lines).encode()


def assert_read_again(data: bytes) -> None:
    packed = deflate.gzip(data)
    # As zlib reads gzip, with nothing left over behind it.
    reader = zlib.decompressobj(31)
    assert reader.decompress(packed) == data
    assert (reader.eof, reader.unused_data) == (True, b"")
    assert gzip.decompress(packed) == data


repeated = st.lists(
    st.tuples(st.binary(max_size=40), st.integers(1, 300)).map(lambda each: each[0] * each[1]),
    max_size=12,
).map(b"".join)
lines_of_text = st.lists(
    st.sampled_from(
        ["users:\n", "  - name: ", "web", "runcmd:\n", "    ", "ü", "systemctl ", "\n"]
    ),
    max_size=400,
).map(lambda words: "".join(words).encode())
runs = st.lists(st.tuples(st.integers(0, 255), st.integers(1, 1_000)), max_size=20).map(
    lambda each: b"".join(bytes([byte]) * length for byte, length in each)
)
of_few_letters = st.builds(
    lambda size, kinds, seed: drawn(size, bytes(range(kinds)), str(seed)),
    st.integers(0, 20_000),
    st.integers(1, 256),
    st.integers(0, 1_000),
)


@given(st.binary(max_size=2_000) | repeated | lines_of_text | runs | of_few_letters)
@example(b"")
@example(bytes(range(256)) * 2)
def test_every_reader_gets_the_data_back(data: bytes) -> None:
    assert_read_again(data)


@pytest.mark.parametrize("size", [16_383, 16_384, 16_385, 65_535, 65_536, 100_000])
def test_data_of_several_blocks_comes_back(size: int) -> None:
    for data in (noise(size), drawn(size, b"abcdefgh"), users(size // 150)):
        assert_read_again(data)


@pytest.mark.parametrize(
    "length", [2, 3, 4, 10, 11, 12, 114, 115, 226, 227, 256, 257, 258, 259, 516]
)
def test_matches_of_any_length_come_back(length: int) -> None:
    needle = noise(length, "needle")
    assert_read_again(needle + b"<->" + needle + b".")
    assert_read_again(b"-" * (length + 1))


@pytest.mark.parametrize(
    ("distance", "found"),
    [
        pytest.param(32_767, True, id="within the window"),
        pytest.param(32_768, True, id="at its edge"),
        pytest.param(32_769, False, id="outside"),
    ],
)
def test_matches_lie_in_the_window(distance: int, *, found: bool) -> None:
    needle = noise(258, "needle")
    data = needle + noise(distance - 258) + needle
    assert_read_again(data)
    assert (len(deflate.gzip(data)) < len(data) - 100) is found


@given(st.integers(1, 33_000), st.integers(3, 300))
@settings(max_examples=40)
def test_matches_of_any_distance_come_back(distance: int, length: int) -> None:
    text = noise(distance)
    assert_read_again((text * (length // distance + 2))[: distance + length])


def test_the_bytes_of_nothing() -> None:
    """Header, one block of fixed codes that ends at once, and zeros for checksum and size.

    Sources: RFC 1952 2.3; RFC 1951 3.2.6.
    """
    assert deflate.gzip(b"").hex(" ") == (
        "1f 8b 08 00 00 00 00 00 02 ff 03 00 00 00 00 00 00 00 00 00"
    )


def test_header_and_trailer_say_nothing_of_the_machine() -> None:
    packed = deflate.gzip(users(10))
    assert packed[:10].hex(" ") == "1f 8b 08 00 00 00 00 00 02 ff"
    assert packed[-8:-4] == zlib.crc32(users(10)).to_bytes(4, "little")
    assert packed[-4:] == len(users(10)).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(noise(500), 0, id="noise is stored"),
        pytest.param(b"hostname: web\n", 1, id="a few words have fixed codes"),
        pytest.param(users(20), 2, id="text has codes of its own"),
    ],
)
def test_a_block_has_the_shortest_form(data: bytes, kind: int) -> None:
    """Of the first bits the lowest says that the block is the last; its kind is two bits.

    Source: RFC 1951 3.2.3.
    """
    first = deflate.gzip(data)[10]
    assert (first & 1, first >> 1 & 3) == (1, kind)


def test_noise_grows_by_little() -> None:
    """18 bytes around, and 5 for each stored block."""
    assert len(deflate.gzip(noise(100_000))) <= 100_000 + 18 + 7 * 6


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        pytest.param(
            b"hostname: web\n",
            "36aa33f874f078e9e4b30faa3455488b91cd0f76d9731e536eab4c26b70539e1",
            id="a line",
        ),
        pytest.param(
            users(300),
            "71093a9c06e0274c312a0a13be703ed343cddab8e330a0fed92de1f866c19ef4",
            id="a long cloud-config",
        ),
        pytest.param(
            noise(40_000),
            "1201132954f2f57a0d6cd7266821801f6b3312722347eb99ed43e2fb272517f1",
            id="noise",
        ),
        pytest.param(
            drawn(40_000, b"abcdefgh"),
            "0ccf3802e5ec55808348c33070d9afd0fa2ee945d93ac0aad6b0026e8d5710e0",
            id="few letters",
        ),
        pytest.param(
            drawn(2_000, b" ,8D"),
            "59c1c545289e3fffd1fba0caa0f25630c4dd8c6fa323f0eb1729f972cbe59040",
            id="letters with eleven others between them",
        ),
        pytest.param(
            b"-" * 100_000,
            "856ddff3e181bdc7771819b0952f028c8178643908125473d445e942a4af016f",
            id="one letter",
        ),
        pytest.param(
            users(30) + noise(20_000) + users(60),
            "21c746880145f910e37c1c10cc6bfd3734e05ce81f50f8bdb0f90a39f436064a",
            id="text around noise",
        ),
    ],
)
def test_the_bytes_never_change(data: bytes, digest: str) -> None:
    """A new digest here is new custom data for every machine: platforms make them anew."""
    assert sha256(deflate.gzip(data)).hexdigest() == digest


EXAMPLES = ["web-config", "dev-server", "prod-server", "fleet/web-prod"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_user_data_of_examples_is_as_small_as_zlib_makes_it(name: str) -> None:
    spec = ROOT / f"examples/{name}.yaml"
    built = Session(spec.parent, environment={}).build(spec, Target.CLOUD_INIT)
    data = built.files["nocloud/user-data"].content
    assert isinstance(data, bytes)
    assert data
    assert_small(data)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: users(200), id="users"),
        pytest.param(
            lambda: b"".join(
                path.read_bytes() for path in sorted((ROOT / "stdlib-genes").rglob("*.yaml"))
            ),
            id="all standard genes",
        ),
        pytest.param(lambda: (ROOT / "docs/reference/language.md").read_bytes(), id="prose"),
        pytest.param(lambda: Path(deflate.__file__).read_bytes(), id="a script"),
    ],
)
def test_texts_are_as_small_as_zlib_makes_them(make: Callable[[], bytes]) -> None:
    assert_small(make())


def assert_small(data: bytes) -> None:
    assert_read_again(data)
    assert len(deflate.gzip(data)) <= 1.05 * len(gzip.compress(data, 9, mtime=0))


class Counted(bytes):
    """Counts how often it is looked into."""

    looks = 0

    def __getitem__(self, key: Any) -> Any:
        self.looks += 1
        return super().__getitem__(key)

    def startswith(self, *arguments: Any) -> bool:
        self.looks += 1
        return super().startswith(*arguments)


def looks(data: bytes) -> int:
    counted = Counted(data)
    assert zlib.decompress(deflate.gzip(counted), 31) == data
    return counted.looks


HOSTILE: dict[str, Callable[[int], bytes]] = {
    "one letter": lambda size: b"a" * size,
    "noise": noise,
    "few letters": lambda size: drawn(size, b"abcd"),
    "the same three bytes everywhere": lambda size: b"".join(
        b"abc%c" % byte for byte in noise(size // 4)
    ),
    "long matches that differ at their ends": lambda size: b"".join(
        b"a" * (byte + 1) + b"b" for byte in noise(size // 128)
    )[:size],
    "three bytes that share a place of the hash": lambda size: drawn(size, b"\x00\x40\x80\xc0"),
    "text": lambda size: users(size // 150)[:size],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_work_grows_as_the_data_does(name: str) -> None:
    """No step is timed: what is counted is each look into the data."""
    few, many = (looks(HOSTILE[name](size)) for size in (20_000, 80_000))
    assert many <= 5 * few
    assert many <= 80_000 * 70


def huffman(counts: list[int]) -> int:
    """Bits of the best code without a limit."""
    heap = [count for count in counts if count]
    heapify(heap)
    bits = 0
    while len(heap) > 1:
        bits += (pair := heappop(heap) + heap[0])
        heapreplace(heap, pair)
    return bits


@given(st.lists(st.integers(0, 16_384), min_size=2, max_size=286), st.sampled_from([9, 15]))
@example([1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181], 15)
@example([0, 0], 7)
@example([0, 0, 5], 7)
def test_codes_are_the_shortest_that_the_limit_allows(counts: list[int], limit: int) -> None:
    lengths = deflate._code_lengths(counts, limit)
    assert max(lengths) <= limit
    # No code is left unused, which readers refuse.
    assert sum(2**-length for length in lengths if length) == 1
    assert all(length for length, count in zip(lengths, counts, strict=True) if count)
    bits = sum(length * count for length, count in zip(lengths, counts, strict=True))
    if len([count for count in counts if count]) > 1:
        assert bits >= huffman(counts)
        # Where the best code keeps to the limit, it is the one.
        if max(deflate._code_lengths(counts, 60)) <= limit:
            assert bits == huffman(counts)
