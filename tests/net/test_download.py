"""Downloads from a real server: verified, resumed, bounded, and gone where they are wrong."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from eryphc.digests import Digest
from eryphc.net.download import Policy, client_for, fetch_file, fetch_list
from eryphc.net.faults import NetError
from net.clocks import TestClock
from net.server import Server, says
from volumes.publisher import Publisher, sha256

IMAGE = random.Random(7).randbytes(3_000_000)  # noqa: S311
OPEN = Policy(limit=10_000_000, limit_said="--max-size", allow_http=True)


def fetched(url: str, target: Path, policy: Policy = OPEN, wanted: str | None = None) -> bytes:
    digest = Digest("sha256", wanted or sha256(IMAGE))
    client = client_for({}, clock=TestClock().clock)
    try:
        fetch_file(client, url, target, digest, "the description", policy, lambda *_: None)
    finally:
        client.close()
    return target.read_bytes()


def refused(url: str, target: Path, policy: Policy = OPEN, wanted: str | None = None) -> NetError:
    with pytest.raises(NetError) as caught:
        fetched(url, target, policy, wanted)
    assert not target.exists()
    return caught.value


def test_a_whole_download_gets_its_name(publisher: Publisher, tmp_path: Path) -> None:
    url = publisher.put("image", IMAGE)
    assert fetched(url, tmp_path / "image") == IMAGE
    assert [path.name for path in tmp_path.iterdir()] == ["image"]


def test_without_a_length_the_digest_still_decides(publisher: Publisher, tmp_path: Path) -> None:
    url = publisher.put("image", IMAGE, chunked=True)
    assert fetched(url, tmp_path / "image") == IMAGE


def test_a_broken_download_goes_on_where_it_stopped(publisher: Publisher, tmp_path: Path) -> None:
    url = publisher.put("image", IMAGE, cut=[1_000_000, 500_000])
    assert fetched(url, tmp_path / "image") == IMAGE
    assert publisher.ranges("image") == [None, "bytes=1000000-", "bytes=1500000-"]


def test_the_next_run_goes_on_too(publisher: Publisher, tmp_path: Path) -> None:
    url = publisher.put("image", IMAGE, cut=[1_000_000, 0, 0, 0])
    failure = refused(url, tmp_path / "image")
    assert "the connection ended after 1000000 of 3000000 bytes" in failure.diagnostic.message
    assert failure.outside
    assert fetched(url, tmp_path / "image") == IMAGE
    assert publisher.ranges("image")[-1] == "bytes=1000000-"
    assert [path.name for path in tmp_path.iterdir()] == ["image"]


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param({"etag": '"2"'}, id="another file by its tag"),
        pytest.param({"etag": None}, id="a server that names no tag any more"),
        pytest.param({"ranges": False}, id="a server without ranges"),
    ],
)
def test_what_may_have_changed_is_fetched_whole(
    publisher: Publisher, tmp_path: Path, faults: dict[str, object]
) -> None:
    other = bytes(reversed(IMAGE))
    url = publisher.put("image", other, cut=[1_000_000, 0, 0, 0])
    refused(url, tmp_path / "image")
    publisher.put("image", IMAGE, **faults)
    assert fetched(url, tmp_path / "image") == IMAGE


@pytest.mark.parametrize("etag", [None, 'W/"1"'])
def test_without_a_strong_tag_nothing_is_resumed(
    publisher: Publisher, tmp_path: Path, etag: str | None
) -> None:
    url = publisher.put("image", IMAGE, cut=[1_000_000], etag=etag)
    assert fetched(url, tmp_path / "image") == IMAGE
    assert publisher.ranges("image") == [None, None]


def test_a_server_that_lies_about_its_tag(publisher: Publisher, tmp_path: Path) -> None:
    """The beginning is of another file than the end: fetched once more, as a whole."""
    other = bytes(reversed(IMAGE))
    url = publisher.put("image", other, cut=[1_000_000, 0, 0, 0])
    refused(url, tmp_path / "image")
    publisher.put("image", IMAGE)
    assert fetched(url, tmp_path / "image") == IMAGE
    assert publisher.ranges("image")[-2:] == ["bytes=1000000-", None]


def test_a_wrong_digest_leaves_nothing_and_names_both(publisher: Publisher, tmp_path: Path) -> None:
    url = publisher.put("image", IMAGE)
    failure = refused(url, tmp_path / "image", wanted="0" * 64)
    assert failure.diagnostic.code.number == "E0801"
    assert failure.diagnostic.notes == (
        f"the description says  {'0' * 64}",
        f"the file has {sha256(IMAGE)}",
    )
    assert list(tmp_path.iterdir()) == []


def test_failures_that_pass_are_waited_out(publisher: Publisher, tmp_path: Path) -> None:
    url = publisher.put("image", IMAGE, failures=[503, 429, 500])
    assert fetched(url, tmp_path / "image") == IMAGE


@pytest.mark.parametrize(
    ("status", "words"),
    [
        pytest.param(404, "moved the image", id="gone"),
        pytest.param(403, "needs a login", id="forbidden"),
    ],
)
def test_failures_that_stay_are_said_at_once(
    publisher: Publisher, tmp_path: Path, status: int, words: str
) -> None:
    url = publisher.put("image", IMAGE, failures=[status])
    failure = refused(url, tmp_path / "image")
    assert f"the server answers {status}" in failure.diagnostic.message
    assert words in (failure.diagnostic.help or "")
    assert len(publisher.asked) == 1


def test_no_server(publisher: Publisher, tmp_path: Path) -> None:
    failure = refused("http://127.0.0.1:9/image", tmp_path / "image")
    assert "connection refused" in failure.diagnostic.message
    assert failure.diagnostic.help == "run the same command again: what has arrived is kept"


def test_what_does_not_pass_is_never_to_be_repeated(secure: Server, tmp_path: Path) -> None:
    failure = refused(f"{secure.address}/image", tmp_path / "image")
    assert "its certificate is not accepted" in failure.diagnostic.message
    assert "`SSL_CERT_FILE=FILE`" in str(failure.diagnostic.help)
    assert "again" not in str(failure.diagnostic.help)


@pytest.mark.parametrize("length", [None, 0], ids=["by its length", "as it comes"])
def test_a_download_that_is_too_large(
    publisher: Publisher, tmp_path: Path, length: int | None
) -> None:
    url = publisher.put("image", IMAGE, chunked=length == 0)
    failure = refused(url, tmp_path / "image", OPEN._replace(limit=1_000_000))
    assert failure.diagnostic.code.number == "E0804"
    assert not (tmp_path / "image.part").exists()


class TestAddresses:
    def test_redirects_are_followed(self, publisher: Publisher, tmp_path: Path) -> None:
        publisher.put("image", IMAGE)
        url = publisher.put("moved", status=302, location="/image")
        assert fetched(url, tmp_path / "image") == IMAGE

    def test_not_for_ever(self, publisher: Publisher, tmp_path: Path) -> None:
        for number in range(9):
            publisher.put(f"hop{number}", status=302, location=f"/hop{number + 1}")
        failure = refused(f"{publisher.address}/hop0", tmp_path / "image")
        assert "redirects more than 5 times" in failure.diagnostic.message

    @pytest.mark.parametrize(
        "location", ["file:///etc/passwd", "ftp://127.0.0.1/image", "http://user:s3cret@127.0.0.1/"]
    )
    def test_not_to_everywhere(self, publisher: Publisher, tmp_path: Path, location: str) -> None:
        url = publisher.put("moved", status=302, location=location)
        failure = refused(url, tmp_path / "image")
        assert failure.diagnostic.code.number == "E0803"
        assert "redirects there" in failure.diagnostic.message
        assert "s3cret" not in failure.diagnostic.message

    @pytest.mark.parametrize(
        "url",
        ["http://127.0.0.1:9/x", "file:///etc/passwd", "https://", "https://u:w@host/", "data:,x"],
    )
    def test_only_tls_without_the_flag(self, tmp_path: Path, url: str) -> None:
        failure = refused(url, tmp_path / "image", OPEN._replace(allow_http=False))
        assert failure.diagnostic.code.number == "E0803"
        assert not failure.outside

    def test_not_into_this_machine_from_elsewhere(self, server: Server) -> None:
        """The proxy answers for a publisher that is not this machine."""
        server.otherwise = says(302, Location="http://169.254.169.254/latest")
        client = client_for({"http_proxy": server.address}, clock=TestClock().clock)
        with pytest.raises(NetError) as caught:
            fetch_list(client, "http://publisher.invalid/LIST", OPEN)
        client.close()
        assert caught.value.diagnostic.code.number == "E0803"
        assert "`http://publisher.invalid/LIST` redirects there" in caught.value.diagnostic.message
        assert len(server.asked) == 1

    def test_a_query_is_no_part_of_a_message(self, publisher: Publisher, tmp_path: Path) -> None:
        failure = refused(f"{publisher.address}/image?sig=s3cret", tmp_path / "image")
        assert "s3cret" not in str(failure.diagnostic)


def test_a_list_is_bounded(publisher: Publisher) -> None:
    url = publisher.put("LIST", b"x" * (5 * 1024 * 1024), chunked=True)
    client = client_for({}, clock=TestClock().clock)
    with pytest.raises(NetError) as caught:
        fetch_list(client, url, OPEN)
    client.close()
    assert caught.value.diagnostic.code.number == "E0804"


def test_a_list_that_is_cut(publisher: Publisher) -> None:
    url = publisher.put("LIST", b"x" * 1000, cut=[500])
    client = client_for({}, clock=TestClock().clock)
    assert fetch_list(client, url, OPEN) == "x" * 1000
    client.close()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_lists_of_windows(publisher: Publisher, encoding: str) -> None:
    """PowerShell writes UTF-16 with a byte order mark, or UTF-8 with one."""
    text = f"{'a' * 64}  größe.img\r\n"
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    url = publisher.put("SUMS", mark + text.encode(encoding))
    client = client_for({}, clock=TestClock().clock)
    try:
        assert fetch_list(client, url, OPEN) == text
    finally:
        client.close()
