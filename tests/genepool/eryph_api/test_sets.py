"""Gene sets of an API: what is asked for again, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.genepool.contents import TagContents
from eryphc.genepool.eryph_api.client import Api, Service
from eryphc.genepool.eryph_api.keys import ApiKey, api_key
from eryphc.genepool.eryph_api.sets import ATTEMPTS, PAUSE, PackedSets
from eryphc.genepool.remote import Fetched
from eryphc.genepool.trust import admit_all
from eryphc.identifiers import GeneSetId
from eryphc.net.addresses import read_address
from eryphc.net.client import Client
from eryphc.net.timing import Clock
from eryphc.store.content import Store
from eryphc.store.folder import open_folder
from genepool.eryph_api.fake import FakeApi, fake_api, packed_gene, packed_tag
from net.server import says

MOTD = GeneSetId("acme", "motd", "1.0")
GENE = {"name": "motd", "fodder": [{"name": "motd", "content": "x"}]}


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as found:
        found.publish(packed_tag("acme/motd/1.0", [packed_gene("fodder", "motd", GENE)]))
        yield found


class Fetcher:
    """Fetches from `api` with a clock that notes pauses and does not wait."""

    def __init__(self, api: FakeApi, folder: Path) -> None:
        self.pauses: list[float] = []
        self._store = Store(open_folder(folder / "cache", lambda _: None))
        clock = Clock(now=lambda: 4e9, sleep=self.pauses.append, chance=lambda: 0.5)
        client = Client({}, clock=clock)
        service = Service("public", read_address(api.url))
        self._sets = PackedSets(
            "public",
            lambda: self._store,
            lambda: Api(service, client, None),
            _nothing,
            admit_all,
            offline=False,
        )

    def __call__(self) -> Outcome[Fetched] | None:
        return self._sets.by_tag(MOTD)

    def refused(self) -> Diagnostic:
        found = self()
        assert found is not None
        assert found.value is None
        assert not list(self._store.folder.files("blobs"))
        return found.diagnostics[0]


def _nothing(_contents: TagContents) -> Outcome[tuple[GeneSetId, ...]]:
    return Outcome(())


@pytest.fixture
def fetch(api: FakeApi, tmp_path: Path) -> Fetcher:
    api.expires = ["2099-01-01T00:00:00+00:00"]
    return Fetcher(api, tmp_path)


def part_of(api: FakeApi) -> str:
    (gene,) = api.tags[str(MOTD)].genes.values()
    (name,) = gene.parts
    return f"/parts/{name}"


def test_a_damaged_part_is_fetched_again(api: FakeApi, fetch: Fetcher) -> None:
    right = api.parts.routes[part_of(api)]
    assert not isinstance(right, list)
    api.parts.routes[part_of(api)] = [says(200, b"x"), says(200, b""), right]
    found = fetch()
    assert found is not None
    assert found.value is not None
    # First at once, then after a while.
    assert fetch.pauses == [PAUSE]


def test_a_part_that_stays_damaged(api: FakeApi, fetch: Fetcher) -> None:
    api.parts.routes[part_of(api)] = says(200, b"x")
    refused = fetch.refused()
    assert refused.code.number == "E1015"
    assert len(api.parts.asked) == ATTEMPTS
    assert "s3cret" not in str(refused)


def test_a_part_larger_than_its_manifest_says(api: FakeApi, fetch: Fetcher) -> None:
    api.parts.routes[part_of(api)] = says(200, b"x" * 10_000)
    assert fetch.refused().code.number == "E1014"


def test_links_that_expire_soon_are_not_used(api: FakeApi, fetch: Fetcher) -> None:
    # The clock says 2096-10-02T07:06:40.
    api.expires = ["2096-10-02T07:11:40Z", "2096-10-02T07:11:41Z"]
    assert fetch() is not None
    asked = [path for path in api.server.paths() if "/genes/" in path]
    assert len(asked) == 1


def test_links_that_never_last(api: FakeApi, fetch: Fetcher) -> None:
    api.expires = ["2096-10-02T07:11:40"]
    assert fetch.refused().code.number == "E1014"
    asked = [path for path in api.server.paths() if "/genes/" in path]
    assert len(asked) == ATTEMPTS
    assert not api.parts.asked


@pytest.mark.parametrize(
    "link",
    [
        "ftp://parts.example/x",
        "https://me:s3cret@parts.example/x",
        "https://exa mple/x",
        "",
    ],
)
def test_links_that_nobody_follows(api: FakeApi, fetch: Fetcher, link: str) -> None:
    api.link = link
    refused = fetch.refused()
    assert refused.code.number == "E1020"
    assert "s3cret" not in refused.message


def test_inline_content_counts_only_with_its_hash(api: FakeApi, fetch: Fetcher) -> None:
    api.inline = True
    (gene,) = api.tags[str(MOTD)].genes.values()
    gene.content = gene.content.replace('"x"', '"evil"')
    found = fetch()
    assert found is not None
    assert found.value is not None
    assert len(api.parts.asked) == 1


def test_a_busy_api_is_asked_again(api: FakeApi, fetch: Fetcher) -> None:
    api.faults += [("download", says(503))] * 2
    assert fetch() is not None
    assert fetch.pauses == [0.5, 1.0]


def test_an_api_that_stays_busy(api: FakeApi, fetch: Fetcher) -> None:
    api.faults += [("download", says(503))] * 4
    assert fetch.refused().code.number == "E1001"


def test_which_host_gets_the_key() -> None:
    heard: list[Diagnostic] = []
    key = {"ERYPHC_GENEPOOL_API_KEY": " word "}
    assert api_key(key, "genepool-api.eryph.io", heard.append) == ApiKey(
        "word", "ERYPHC_GENEPOOL_API_KEY"
    )
    assert api_key(key, "evil.example", heard.append) is None
    named = {**key, "ERYPHC_GENEPOOL_API_HOST": "pool.example:8443"}
    assert api_key(named, "pool.example:8443", heard.append) is not None
    assert api_key(named, "genepool-api.eryph.io", heard.append) is None
    assert not heard
    assert "word" not in repr(api_key(key, "genepool-api.eryph.io", heard.append))
    missing = {"ERYPHC_GENEPOOL_API_KEY_FILE": "/nowhere/key"}
    assert api_key(missing, "genepool-api.eryph.io", heard.append) is None
    assert [each.code.number for each in heard] == ["W1021"]
