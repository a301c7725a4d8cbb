"""Publishers' lists of digests, in both styles."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from eryphc.volumes.checksums import Digest, digest_of, find_digest, hash_file

A, B = "a" * 64, "b" * 64
LONG = "c" * 128
WITHOUT_NAME = (
    "has a digest and no name, so it may be that of another file: if it is the image's, write it "
    "as `sha256` into the description"
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(f"{A}  image.img\n{B}  other.img\n", Digest("sha256", A), id="coreutils"),
        pytest.param(f"{A} *image.img\r\n", Digest("sha256", A), id="binary mark and CR LF"),
        pytest.param(f"{A.upper()}  ./image.img\n", Digest("sha256", A), id="here, upper case"),
        pytest.param(f"{LONG}  image.img\n", Digest("sha512", LONG), id="SHA-512 by its length"),
        pytest.param(f"SHA256 (image.img) = {A}\n", Digest("sha256", A), id="BSD"),
        pytest.param(
            f"# image.img: 9 bytes\nSHA256 (image.img) = {A}\n", Digest("sha256", A), id="comments"
        ),
        pytest.param(
            f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{A}  image.img\n"
            "-----BEGIN PGP SIGNATURE-----\niQEz\n",
            Digest("sha256", A),
            id="signed",
        ),
        pytest.param(
            f"{A}  image.img\nSHA512 (image.img) = {LONG}\n", Digest("sha512", LONG), id="longest"
        ),
        pytest.param(f"{A}  image.img\n{A}  image.img\n", Digest("sha256", A), id="twice the same"),
        pytest.param(f"{A}  image.img.asc\n", "does not name `image.img`", id="a longer name"),
        pytest.param(f"\ufeff{A}  image.img\n", Digest("sha256", A), id="byte order mark"),
        pytest.param(f"SHA2-256(image.img)= {A}\n", Digest("sha256", A), id="openssl"),
        pytest.param(
            f"SHA256:\n {A}   123 image.img\nSHA512:\n {LONG}   123 image.img\n",
            Digest("sha512", LONG),
            id="sections of a release file",
        ),
        pytest.param(
            f"Algorithm       Hash       Path\n---------       ----       ----\n"
            f"SHA256          {A.upper()}       C:\\Images\\image.img\n",
            Digest("sha256", A),
            id="the table of Get-FileHash",
        ),
        pytest.param(
            f"\nAlgorithm : SHA256\nHash      : {A.upper()}\nPath      : C:\\a\\image.img\n\n",
            Digest("sha256", A),
            id="the list of Get-FileHash",
        ),
        pytest.param(
            f"SHA256 hash of file image.img:\n{' '.join([A[:2]] * 32)}\nCertUtil: done\n",
            Digest("sha256", A),
            id="certutil",
        ),
        pytest.param(f"{A}\n", WITHOUT_NAME, id="a digest alone"),
        pytest.param(f"SHA256: {A}\n", WITHOUT_NAME, id="a digest with its algorithm"),
        pytest.param(f"{A}\n{B}  other.img\n", "does not name `image.img`", id="others named"),
        pytest.param(f"{A}  dir/image.img\n", "does not name `image.img`", id="another folder"),
        pytest.param(
            f"{A}  image.img\n{B}  image.img\n",
            "names `image.img` twice, with different digests",
            id="contradiction",
        ),
        pytest.param(
            f"{'d' * 32}  image.img\n{'d' * 40}  image.img\n",
            "has only MD5 and SHA-1 of `image.img`, which proves nothing",
            id="weak ones",
        ),
        pytest.param("<html>not found</html>", "does not name `image.img`", id="no list"),
    ],
)
def test_find_digest(text: str, found: Digest | str) -> None:
    assert find_digest(text, "image.img") == found


def test_long_lines_of_blanks_cost_no_more_than_they_are_long() -> None:
    """Looking for the end of each line at each of its blanks would take hours."""
    line = f"{A}  image.img{' ' * 1_000_000}x\nPath : a{' ' * 1_000_000}b\n"
    assert find_digest(line + f"{B}  other\n", "other") == Digest("sha256", B)


@pytest.mark.parametrize(
    ("text", "digest"),
    [(f" {A.upper()}\n", Digest("sha256", A)), ("z" * 64, None), ("a" * 63, None), ("", None)],
)
def test_digest_of(text: str, digest: Digest | None) -> None:
    assert digest_of(text) == digest


def test_a_file_is_hashed_as_a_whole(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "file").write_bytes(content)
    heard: list[int] = []
    hashes = hash_file(tmp_path / "file", "sha512", heard.append)
    assert hashes["sha256"] == hashlib.sha256(content).hexdigest()
    assert hashes["sha512"] == hashlib.sha512(content).hexdigest()
    assert heard[-1] == len(content)
