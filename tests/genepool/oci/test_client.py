"""The client against the rules of other registries, and against hostile ones."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from eryphc.diagnostics.model import Diagnostic
from eryphc.genepool.oci import uploads
from eryphc.genepool.oci.client import OCI_MANIFEST, Registry
from eryphc.genepool.oci.content import Memory
from eryphc.genepool.oci.endpoint import Site, client_for
from eryphc.genepool.oci.faults import (
    FormRefusedError,
    NotThereError,
    RegistryError,
    SeveralManifestsError,
    TagImmutableError,
)
from eryphc.net.credentials import Keychain
from genepool.oci.fake import (
    PASSWORD,
    USER,
    Fake,
    basic,
    digest_of,
    errors,
    faking,
)
from genepool.oci.test_contract import INDEX, LOGIN, REPOSITORY, publish
from net.clocks import TestClock
from net.server import Handler, Route, Server, cuts, says, serving

ACCOUNT = basic(USER, PASSWORD)


class Pool:
    """A fake registry, the client for it, and what the client says."""

    def __init__(self, fake: Fake, **site: Any) -> None:
        self.fake = fake
        self.clock = TestClock()
        self.environment: dict[str, str] = dict(LOGIN)
        self.heard: list[Diagnostic] = []
        self.notices: list[str] = []
        self.lines: list[str] = []
        self.site = Site("corp", fake.server.address.removeprefix("http://"), **site)
        self._registry: Registry | None = None

    @property
    def registry(self) -> Registry:
        if self._registry is None:
            client = client_for(
                self.site, self.environment, trace=self.lines.append, clock=self.clock.clock
            )
            keychain = Keychain(self.environment, (self.site.host,), hear=self.heard.append)
            self._registry = Registry(self.site, client, keychain, hear=self.notices.append)
        return self._registry

    def at(self, site: Site) -> Registry:
        """Another client, of somebody without a login."""
        return Registry(site, client_for(site, {}), Keychain({}, (), hear=print))

    def failure(self, work: Any) -> Diagnostic:
        with pytest.raises(RegistryError) as caught:
            work()
        return caught.value.diagnostic

    def pull(self, tag: str = "1.0") -> Any:
        return self.registry.get_manifest(REPOSITORY, tag)

    def pull_fails(self, number: str, tag: str = "1.0") -> Diagnostic:
        diagnostic = self.failure(lambda: self.pull(tag))
        assert diagnostic.code.number == number, diagnostic.message
        assert "`corp`" in diagnostic.message
        return diagnostic

    def authorizations(self) -> list[str | None]:
        return [each.headers.get("authorization") for each in self.fake.server.asked]


@pytest.fixture(params=["plain"])
def pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    with faking(request.param) as fake:
        found = Pool(fake)
        yield found
        if found._registry is not None:
            found._registry.close()


def profile(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("pool", [name], indirect=True)


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    with serving() as server:
        yield server


# -- logins -----------------------------------------------------------------------------------


class TestLogins:
    @profile("quay")
    def test_one_token_serves_all_requests_of_a_push(self, pool: Pool) -> None:
        publish(pool.registry, "1.0")
        sent = pool.authorizations()
        assert sent[:2] == [None, ACCOUNT]
        assert set(sent[2:]) == {"Bearer token0"}
        assert pool.fake.tokens == {"token0": f"repository:{REPOSITORY}:pull,push"}
        pool.pull()
        assert pool.fake.tokens["token1"] == f"repository:{REPOSITORY}:pull"

    @profile("quay")
    def test_a_token_ends(self, pool: Pool) -> None:
        publish(pool.registry, "1.0")
        pool.clock.seconds += 300
        publish(pool.registry, "1.1")
        assert len(pool.fake.tokens) == 2

    @profile("quay")
    def test_one_that_is_taken_back_is_asked_for_anew(self, pool: Pool) -> None:
        publish(pool.registry, "1.0")
        pool.fake.tokens.clear()
        publish(pool.registry, "1.1", b"other")
        assert len(pool.fake.tokens) == 1

    @profile("ecr")
    def test_basic_goes_to_the_registry_alone(self, pool: Pool, elsewhere: Server) -> None:
        pool.fake.blob_host = pool.fake.upload_host = elsewhere
        data = publish(pool.registry, "1.0", b"text")
        assert pool.pull().data == data
        assert pool.registry.get_blob(REPOSITORY, digest_of(b"text"), 4) == b"text"
        assert [each.method for each in elsewhere.asked] == ["PUT", "PUT", "GET"]
        assert all("authorization" not in each.headers for each in elsewhere.asked)
        assert pool.authorizations()[0] is None
        assert set(pool.authorizations()[1:]) == {None, ACCOUNT}

    @profile("gitlab")
    def test_a_refresh_token(self, pool: Pool) -> None:
        pool.fake.refresh_token = "r1"  # noqa: S105 - a test's
        entry = {pool.site.host: {"identitytoken": "r1"}}
        pool.environment = {"DOCKER_AUTH_CONFIG": json.dumps({"auths": entry})}
        publish(pool.registry, "1.0")
        assert ("POST", "/token") in [(each.method, each.path) for each in pool.fake.server.asked]

    @profile("gitlab")
    def test_several_challenges(self, pool: Pool) -> None:
        pool.fake.challenges = ('Basic realm="x", Negotiate', "Digest nonce=y")
        publish(pool.registry, "1.0")
        assert ACCOUNT in pool.authorizations()
        assert "Bearer token0" in pool.authorizations()

    @profile("gitlab")
    @pytest.mark.parametrize(
        "realm", ["https://evil.example/token", "http://evil.example/token", "http://[::1]:1/token"]
    )
    def test_a_foreign_realm_is_sent_nothing(self, pool: Pool, realm: str) -> None:
        pool.fake.realm = realm
        diagnostic = pool.pull_fails("E1020")
        assert pool.authorizations() == [None]
        assert "token_hosts" in (diagnostic.help or "")
        assert len(pool.lines) == 1

    def test_one_that_is_named_is_asked(self, elsewhere: Server) -> None:
        with faking("gitlab") as fake:
            pool = Pool(fake, token_hosts=("localhost",))
            fake.realm = elsewhere.address.replace("127.0.0.1", "localhost") + "/token"
            elsewhere.otherwise = fake.route
            publish(pool.registry, "1.0")
            assert elsewhere.asked[0].headers["authorization"] == ACCOUNT
            pool.registry.close()

    @profile("gitlab")
    def test_not_signed_in(self, pool: Pool) -> None:
        pool.environment = {"DOCKER_AUTH_CONFIG": "{}"}
        diagnostic = pool.pull_fails("E1003")
        host = pool.site.host
        assert diagnostic.message == (
            f"`{host}/acme/motd` (pool `corp`) wants a login before it lets anybody pull"
        )
        assert f"`docker login {host}`" in (diagnostic.help or "")
        assert any("`DOCKER_AUTH_CONFIG`" in each for each in diagnostic.notes)

    @profile("gitlab")
    def test_no_access(self, pool: Pool) -> None:
        pool.environment["ERYPHC_REGISTRY_PASSWORD"] = "canary4711"  # noqa: S105 - a test's
        diagnostic = pool.failure(
            lambda: pool.registry.push_blob(REPOSITORY, digest_of(b"x"), Memory(b"x"))
        )
        assert diagnostic.code.number == "E1004"
        assert "does not accept the credentials of `ERYPHC_REGISTRY_USER`" in diagnostic.message
        assert diagnostic.help == "look at user and password there; tokens expire"
        shown = f"{diagnostic.message} {diagnostic.notes} {diagnostic.help} {pool.lines}"
        assert "canary4711" not in shown
        assert "incorrect username or password" in shown

    @profile("gitlab")
    def test_a_second_401_ends_it(self, pool: Pool) -> None:
        pool.fake.fault("GET /v2", *[says(401, errors("UNAUTHORIZED"), WWW_Authenticate=(
            f'Bearer realm="{pool.fake.server.address}/token"'))] * 9)  # fmt: skip
        pool.pull_fails("E1004")
        assert len(pool.fake.server.asked) == 3

    @profile("dockerhub")
    def test_too_many_levels(self, pool: Pool) -> None:
        diagnostic = pool.failure(
            lambda: pool.registry.push_blob("a/b/c", digest_of(b"x"), Memory(b"x"))
        )
        assert diagnostic.code.number == "E1004"

    @profile("harbor")
    def test_a_project_that_is_missing(self, pool: Pool) -> None:
        diagnostic = pool.failure(
            lambda: pool.registry.push_blob("other/motd", digest_of(b"x"), Memory(b"x"))
        )
        assert diagnostic.code.number == "E1004"
        assert "project" in (diagnostic.help or "")

    @profile("gitlab")
    def test_several_threads_share_a_registry(self, pool: Pool) -> None:
        data = [publish(pool.registry, f"1.{number}", b"x" * number) for number in range(4)]
        found: list[tuple[int, bytes]] = []

        def work(number: int) -> None:
            found.append((number, pool.pull(f"1.{number}").data))

        threads = [threading.Thread(target=work, args=(each % 4,)) for each in range(12)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert sorted(found) == sorted((number, data[number]) for number in range(4) for _ in "123")
        assert pool.fake.server.connections <= 4


# -- what other registries refuse -------------------------------------------------------------


class TestRules:
    @pytest.mark.parametrize("pool", ["gitlab", "quay"], indirect=True)
    def test_a_form_that_is_refused(self, pool: Pool) -> None:
        data = publish(pool.registry, "1.0")
        document = json.loads(data)
        document["layers"][0]["mediaType"] = "application/vnd.example"
        with pytest.raises(FormRefusedError) as caught:
            pool.registry.put_manifest(REPOSITORY, "1.1", json.dumps(document).encode())
        assert caught.value.diagnostic.code.number == "E1007"
        assert "unknown media type: application/vnd.example" in caught.value.diagnostic.notes[0]

    def test_embedded_copies_that_are_refused(self, pool: Pool) -> None:
        document = json.loads(publish(pool.registry, "1.0"))
        document["config"]["data"] = "e30="
        pool.fake.data_refused = True
        with pytest.raises(FormRefusedError):
            pool.registry.put_manifest(REPOSITORY, "1.1", json.dumps(document).encode())

    @pytest.mark.parametrize("pool", ["quay", "harbor", "ecr"], indirect=True)
    def test_a_tag_that_stays(self, pool: Pool) -> None:
        pool.fake.immutable = True
        data = publish(pool.registry, "1.0")
        assert pool.registry.put_manifest(REPOSITORY, "1.0", data) == digest_of(data)
        with pytest.raises(TagImmutableError) as caught:
            publish(pool.registry, "1.0", b"other")
        assert "`1.0`" in caught.value.diagnostic.message

    @profile("ecr")
    def test_a_repository_that_is_missing(self, pool: Pool) -> None:
        diagnostic = pool.failure(
            lambda: pool.registry.push_blob("acme/web", digest_of(b"x"), Memory(b"x"))
        )
        # The first look, a HEAD, tells no reason; sending tells it.
        assert diagnostic.code.number == "E1005"
        assert "does not exist" in diagnostic.notes[0]

    @profile("dockerhub")
    def test_too_many_pulls(self, pool: Pool) -> None:
        publish(pool.registry, "1.0")
        pool.fake.profile = pool.fake.profile.__class__(auth="bearer", most_pulls=2)
        pool.pull()
        pool.pull()
        diagnostic = pool.pull_fails("E1011")
        assert "answers again in 21600 seconds" in diagnostic.message
        assert pool.clock.waits == []

    def test_in_plain_text_too(self, pool: Pool) -> None:
        pool.fake.fault("manifests", *[says(429, b"toomanyrequests: slow")] * 4)
        diagnostic = pool.pull_fails("E1011")
        assert "toomanyrequests: slow" in diagnostic.notes[0]
        assert len(pool.clock.waits) == 3

    @profile("harbor")
    def test_a_policy(self, pool: Pool) -> None:
        publish(pool.registry, "1.0")
        pool.fake.policy = True
        pool.pull_fails("E1012")

    def test_a_quota(self, pool: Pool) -> None:
        pool.fake.profile = pool.fake.profile.__class__(quota=10)
        diagnostic = pool.failure(
            lambda: pool.registry.push_blob(REPOSITORY, digest_of(b"x" * 20), Memory(b"x" * 20))
        )
        assert diagnostic.code.number == "E1013"

    @profile("quay")
    def test_a_manifest_under_a_tag_outlives_a_collection(self, pool: Pool) -> None:
        data = publish(pool.registry, "1.0")
        publish(pool.registry, "1.1", b"other")
        del pool.fake.manifests[REPOSITORY, "1.1"]
        pool.fake.collect()
        assert pool.registry.get_manifest(REPOSITORY, digest_of(data)) == pool.pull()
        assert len(pool.fake.manifests) == 2

    @profile("quay")
    def test_the_types_of_oci_are_named(self, pool: Pool) -> None:
        publish(pool.registry, "1.0")
        assert pool.pull().media_type == OCI_MANIFEST

    def test_an_index_of_several_images(self, pool: Pool) -> None:
        data = publish(pool.registry, "1.0")
        entry = {"mediaType": OCI_MANIFEST, "digest": digest_of(data), "size": len(data)}
        unknown = {**entry, "platform": {"os": "unknown", "architecture": "unknown"}}

        def put(tag: str, *entries: Any) -> None:
            index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
            pool.registry.put_manifest(REPOSITORY, tag, json.dumps(index).encode(), INDEX)

        put("one", entry, unknown)
        put("two", entry, entry)
        put("none", unknown)
        put("broken", 1, "x")
        assert pool.pull("one").data == data
        for tag in ("two", "none", "broken"):
            with pytest.raises(SeveralManifestsError):
                pool.pull(tag)
        nested = pool.registry.head_manifest(REPOSITORY, "one").digest
        put("nested", {**entry, "digest": nested})
        with pytest.raises(SeveralManifestsError):
            pool.pull("nested")
        put("nodigest", {**entry, "digest": "../../x"})
        pool.pull_fails("E1014", "nodigest")

    def test_what_a_registry_wants_to_be_known(self, pool: Pool) -> None:
        publish(pool.registry, "1.0")
        pool.fake.warning = '299 - "moves \\"soon\\" \x1b[31m", 199 - "no", 299 x "second"'
        pool.pull()
        pool.pull()
        assert pool.notices == ['moves "soon" [31m', "second"]
        for number in range(9):
            pool.fake.warning = f'299 - "{number}"'
            pool.pull()
        assert len(pool.notices) == 5


# -- uploads ----------------------------------------------------------------------------------

DATA = bytes(range(256)) * 900


class TestUploads:
    def push(self, pool: Pool, data: bytes = DATA) -> bool:
        return pool.registry.push_blob(REPOSITORY, digest_of(data), Memory(data))

    @pytest.fixture
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(uploads, "WHOLE", 100_000)
        monkeypatch.setattr(uploads, "CHUNK", 70_000)

    @pytest.mark.parametrize("location", ["absolute", "relative"])
    def test_where_it_goes(self, pool: Pool, location: str) -> None:
        pool.fake.location = location
        assert self.push(pool)
        (put,) = [each for each in pool.fake.server.asked if each.method == "PUT"]
        assert put.path.endswith(f"?_state=a%2Bb&digest={digest_of(DATA)}")

    def test_to_another_host_without_a_login(self, pool: Pool, elsewhere: Server) -> None:
        pool.fake.profile = pool.fake.profile.__class__(auth="basic")
        pool.fake.upload_host = elsewhere
        assert self.push(pool)
        assert "authorization" not in elsewhere.asked[0].headers

    @pytest.mark.usefixtures("small")
    def test_in_pieces(self, pool: Pool) -> None:
        assert self.push(pool)
        ranges = [
            each.headers["content-range"]
            for each in pool.fake.server.asked
            if each.method == "PATCH"
        ]
        assert ranges == ["0-69999", "70000-139999", "140000-209999", "210000-230399"]
        assert pool.fake.blobs[REPOSITORY, digest_of(DATA)] == DATA

    @pytest.mark.usefixtures("small")
    def test_in_pieces_of_the_size_that_is_wanted(self, pool: Pool) -> None:
        pool.fake.least_chunk = 120_000
        assert self.push(pool)
        sizes = [len(each.body) for each in pool.fake.server.asked if each.method == "PATCH"]
        assert sizes == [120_000, 110_400]

    @pytest.mark.usefixtures("small")
    @pytest.mark.parametrize("status", [404, 416, 503])
    def test_what_is_lost_begins_anew(self, pool: Pool, status: int) -> None:
        """The second piece of the first attempt fails."""
        pool.fake.fault("PATCH .*/u0$", self._through(pool), says(status))
        assert self.push(pool)
        assert len(pool.fake.uploads) == 2
        assert pool.fake.blobs[REPOSITORY, digest_of(DATA)] == DATA

    def _through(self, pool: Pool) -> Route:
        return lambda handler: pool.fake.route(handler)

    def test_a_connection_that_breaks(self, pool: Pool) -> None:
        def breaks(handler: Handler) -> None:
            handler.close_connection = True

        pool.fake.fault("PUT .*/u0$", breaks)
        assert self.push(pool)
        assert len(pool.fake.uploads) == 2

    def test_one_that_never_holds(self, pool: Pool) -> None:
        pool.fake.fault("PUT", *[says(503)] * 9)
        diagnostic = pool.failure(lambda: self.push(pool))
        assert diagnostic.code.number == "E1001"
        assert len(pool.fake.uploads) == 4

    @pytest.mark.parametrize(
        ("location", "number"),
        [
            ("ftp://x/", "E1020"),
            ("http://user:pw@127.0.0.1/", "E1020"),
            ("http://[", "E1020"),
            (None, "E1014"),
        ],
    )
    def test_to_nowhere(self, pool: Pool, location: str | None, number: str) -> None:
        route = says(202) if location is None else says(202, Location=location)
        pool.fake.fault("POST", route)
        diagnostic = pool.failure(lambda: self.push(pool))
        assert diagnostic.code.number == number
        assert "pw" not in diagnostic.message

    def test_a_manifest_is_sent_again_only_if_it_did_not_arrive(self, pool: Pool) -> None:
        data = publish(pool.registry, "1.0")

        def arrives(handler: Handler) -> None:
            pool.fake.manifests[REPOSITORY, "1.1"] = (OCI_MANIFEST, handler.body)
            handler.close_connection = True

        pool.fake.server.asked.clear()
        pool.fake.fault("PUT", arrives)
        pool.registry.put_manifest(REPOSITORY, "1.1", data)
        assert [each.method for each in pool.fake.server.asked] == ["PUT", "HEAD"]
        pool.fake.server.asked.clear()
        pool.fake.fault("PUT", says(503))
        pool.registry.put_manifest(REPOSITORY, "1.2", data)
        assert [each.method for each in pool.fake.server.asked] == ["PUT", "HEAD", "PUT"]


# -- hostile registries -----------------------------------------------------------------------


class TestHostile:
    @pytest.fixture(autouse=True)
    def published(self, pool: Pool) -> None:
        publish(pool.registry, "1.0", DATA)
        pool.fake.server.asked.clear()
        pool.clock.waits.clear()

    def blob(self, pool: Pool) -> bytes:
        return pool.registry.get_blob(REPOSITORY, digest_of(DATA), len(DATA))

    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
    def test_what_passes_is_waited_out(self, pool: Pool, status: int) -> None:
        pool.fake.fault("manifests", says(status), says(status, Retry_After="3"))
        assert pool.pull() is not None
        assert pool.clock.waits == [0.5, 3.0]

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_long_pause_is_named_at_once(self, pool: Pool, status: int) -> None:
        pool.fake.fault("manifests", says(status, Retry_After="3600"))
        assert "in 3600 seconds" in pool.pull_fails("E1011").message
        assert pool.clock.waits == []

    def test_a_registry_that_is_down(self, pool: Pool) -> None:
        pool.fake.fault("manifests", *[says(500, b"oops")] * 4)
        diagnostic = pool.pull_fails("E1001")
        assert "it answers 500" in diagnostic.message
        assert diagnostic.notes == ("the registry says: oops",)

    @pytest.mark.parametrize(
        "headers", [{"Content_Type": "text/html"}, {"Content_Type": "application/json"}]
    )
    def test_a_page_for_people(self, pool: Pool, headers: dict[str, str]) -> None:
        page = b"<!DOCTYPE html><title>Sign in to\x1b[31m Wifi</title>"
        pool.fake.fault("manifests", says(200, page, **headers))
        diagnostic = pool.pull_fails("E1014")
        assert "titled `Sign in to [31m Wifi`" in diagnostic.message
        pool.fake.fault("blobs", *[says(200, page.ljust(len(DATA)), **headers)] * 2)
        assert pool.failure(lambda: self.blob(pool)).code.number in ("E1014", "E1015")

    @pytest.mark.parametrize("speaks", [True, False])
    def test_whether_it_is_a_registry_is_asked_once(self, pool: Pool, *, speaks: bool) -> None:
        pool.fake.server.otherwise = lambda handler: handler.answer(
            200 if speaks and handler.path == "/v2/" else 404
        )
        for _ in range(3):
            if speaks:
                with pytest.raises(NotThereError):
                    pool.pull()
            else:
                pool.pull_fails("E1014")
        assert pool.fake.server.paths().count("/v2/") == 1
        assert len(pool.fake.server.asked) == 4

    @pytest.mark.parametrize(
        ("base", "number"),
        [
            pytest.param(lambda _: None, None, id="breaks off"),
            pytest.param(says(307, Location="http://user:x@127.0.0.1/"), None, id="leads away"),
            pytest.param(says(200, b"{}" + b" " * 70_000), "E1014", id="is long"),
            pytest.param(says(200, b"\x1f\x8b", Content_Encoding="gzip"), "E1014", id="is packed"),
        ],
    )
    def test_what_does_not_say_whether_it_is_one(
        self, pool: Pool, base: Route, number: str | None
    ) -> None:
        def route(handler: Handler) -> None:
            handler.close_connection = True
            if handler.path == "/v2/":
                base(handler)
            else:
                handler.answer(404)

        pool.fake.server.otherwise = route
        if number is None:
            with pytest.raises(NotThereError):
                pool.pull()
        else:
            pool.pull_fails(number)

    def test_whether_it_is_one_is_not_waited_for(self, pool: Pool) -> None:
        def route(handler: Handler) -> None:
            pool.clock.seconds += 40
            handler.answer(404 if handler.path != "/v2/" else 307, Location="/v2/")

        pool.fake.server.otherwise = route
        pool.pull_fails("E1002")

    @pytest.mark.parametrize(
        "body", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 9999, b'{"a": NaN}']
    )
    def test_no_json_where_that_is_due(self, pool: Pool, body: bytes) -> None:
        pool.fake.fault("manifests", *[says(200, body)] * 2)
        pool.pull_fails("E1014")
        pool.fake.fault("tags", *[says(200, body)] * 2)
        work = lambda: pool.registry.list_tags(REPOSITORY)  # noqa: E731
        assert pool.failure(work).code.number == "E1014"

    @pytest.mark.parametrize("announced", ["sha256:" + "0" * 64, "md5:0", "nonsense"])
    def test_a_digest_that_is_announced_wrong(self, pool: Pool, announced: str) -> None:
        _, data = pool.fake.manifests[REPOSITORY, "1.0"]
        route = says(200, data, Docker_Content_Digest=announced)
        pool.fake.fault("manifests", route, route)
        pool.pull_fails("E1015")
        pool.fake.fault("manifests", route)
        assert pool.pull().data == data

    def test_another_manifest_than_asked_for_by_digest(self, pool: Pool) -> None:
        digest = pool.pull().digest
        pool.fake.fault("manifests", *[says(200, b"{}")] * 2)
        diagnostic = pool.pull_fails("E1015", digest)
        assert diagnostic.notes[0].endswith(digest)

    def test_other_content_than_asked_for(self, pool: Pool) -> None:
        other = bytes(reversed(DATA))
        pool.fake.fault("blobs", says(200, other))
        assert self.blob(pool) == DATA
        pool.fake.fault("blobs", *[says(200, other)] * 2)
        diagnostic = pool.failure(lambda: self.blob(pool))
        assert diagnostic.code.number == "E1015"
        assert diagnostic.notes[1].endswith(digest_of(other))

    @pytest.mark.parametrize("body", [DATA + b"x", DATA[:-1], b""])
    def test_content_of_another_size(self, pool: Pool, body: bytes) -> None:
        pool.fake.fault("blobs", *[says(200, body)] * 9)
        assert pool.failure(lambda: self.blob(pool)).code.number == "E1015"

    def test_content_that_is_cut(self, pool: Pool) -> None:
        pool.fake.fault("blobs", cuts(DATA, 1000, ETag=f'"{digest_of(DATA)}"'))
        assert self.blob(pool) == DATA
        assert pool.fake.server.asked[-1].headers["range"] == "bytes=1000-"
        pool.fake.fault("blobs", *[cuts(DATA, 7)] * 4)
        assert pool.failure(lambda: self.blob(pool)).code.number == "E1001"

    def test_a_push_that_nobody_answers_is_not_told_of_locks(self, pool: Pool) -> None:
        def breaks(handler: Handler) -> None:
            handler.close_connection = True

        pool.fake.fault(".", *[breaks] * 99)
        digest = digest_of(DATA)
        pushed = pool.failure(lambda: pool.registry.push_blob(REPOSITORY, digest, Memory(DATA)))
        pulled = pool.failure(lambda: self.blob(pool))
        assert (pushed.code.number, pulled.code.number) == ("E1001", "E1001")
        assert pushed.help == "a push that stopped can be repeated"
        assert "--offline" in (pulled.help or "")

    @pytest.mark.parametrize("what", ["manifests", "blobs", "tags"])
    def test_what_is_compressed(self, pool: Pool, what: str) -> None:
        pool.fake.fault(what, says(200, b"\x1f\x8b", Content_Encoding="gzip"))
        works = {
            "manifests": pool.pull,
            "blobs": lambda: self.blob(pool),
            "tags": lambda: pool.registry.list_tags(REPOSITORY),
        }
        assert pool.failure(works[what]).code.number == "E1014"

    @pytest.mark.parametrize("what", ["manifests", "tags"])
    def test_an_answer_without_end(self, pool: Pool, what: str) -> None:
        def endless(handler: Handler) -> None:
            handler.close_connection = True
            handler.head(200, Transfer_Encoding="chunked")
            while True:
                handler.wfile.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")

        pool.fake.fault(what, endless)
        work = pool.pull if what == "manifests" else lambda: pool.registry.list_tags(REPOSITORY)
        assert "more than 4194304 bytes" in pool.failure(work).message

    @pytest.mark.parametrize(
        "location",
        ["http://user:pw@127.0.0.1/", "ftp://x/", "http://["],
    )
    def test_a_redirect_to_where_nobody_goes(self, pool: Pool, location: str) -> None:
        pool.fake.fault("manifests", says(307, Location=location))
        diagnostic = pool.pull_fails("E1020")
        assert "pw" not in diagnostic.message

    def test_a_redirect_loop(self, pool: Pool) -> None:
        pool.fake.fault("manifests", *[says(307, Location="1.0")] * 20)
        assert "more than 5 times" in pool.pull_fails("E1020").message
        assert len(pool.fake.server.asked) == 6

    def test_a_second_host_sees_no_login(self, pool: Pool, elsewhere: Server) -> None:
        pool.fake.profile = pool.fake.profile.__class__(auth="basic")
        pool.fake.blob_host = elsewhere
        assert self.blob(pool) == DATA
        assert [each.path for each in elsewhere.asked] == [
            f"/storage/{digest_of(DATA)}?signature=s3cret"
        ]
        assert "authorization" not in elsewhere.asked[0].headers
        assert all("s3cret" not in each for each in pool.lines)

    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_a_second_host_that_refuses(self, pool: Pool, elsewhere: Server, status: int) -> None:
        pool.fake.fault("blobs", says(307, Location=f"{elsewhere.address}/x?sig=s3cret"))
        elsewhere.routes["/x"] = says(status, b"<Error/>", WWW_Authenticate='Basic realm="x"')
        diagnostic = pool.failure(lambda: self.blob(pool))
        assert diagnostic.code.number == "E1001"
        assert f"where it keeps content, answers {status}" in diagnostic.message
        assert "s3cret" not in f"{diagnostic.message}{diagnostic.notes}"
        assert len(elsewhere.asked) == 1

    def test_nothing_of_a_registry_reaches_the_terminal(self, pool: Pool) -> None:
        body = errors("X\x1b]0;t\x07", "\x9b31m\u202e" + "y" * 5000, "\r\nfake: line")
        pool.fake.fault("manifests", says(400, body))
        diagnostic = pool.pull_fails("E1014")
        (note,) = diagnostic.notes
        assert note.isprintable()
        assert len(note) < 500

    def test_more_than_was_announced(self, pool: Pool) -> None:
        """What is left over is not taken for the next answer."""
        _, data = pool.fake.manifests[REPOSITORY, "1.0"]
        smuggled = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

        def route(handler: Handler) -> None:
            handler.answer(200, data + smuggled, Content_Length=str(len(data)))

        pool.fake.fault("manifests", *[route] * 2)
        for _ in range(3):
            assert pool.pull().data == data

    def test_too_slow(self, pool: Pool) -> None:
        def route(handler: Handler) -> None:
            pool.clock.seconds += 61
            handler.answer(307, Location="1.0")

        pool.fake.fault("manifests", route)
        assert "--timeout" in (pool.pull_fails("E1002").help or "")

    def test_nobody_there(self) -> None:
        with faking() as fake:
            pool = Pool(fake)
        diagnostic = pool.pull_fails("E1001")
        assert "connection refused" in diagnostic.message


# -- tags -------------------------------------------------------------------------------------


class TestTags:
    @pytest.fixture(autouse=True)
    def published(self, pool: Pool) -> None:
        data = publish(pool.registry, "1.0")
        for number in range(25):
            pool.fake.manifests[REPOSITORY, f"t{number:02}"] = (OCI_MANIFEST, data)

    def tags(self, pool: Pool) -> tuple[str, ...]:
        return pool.registry.list_tags(REPOSITORY)

    @pytest.mark.parametrize("page", [1, 7, 26, 1000])
    def test_over_pages(self, pool: Pool, page: int) -> None:
        pool.fake.page = page
        assert self.tags(pool) == ("1.0", *(f"t{number:02}" for number in range(25)))

    def test_none(self, pool: Pool) -> None:
        with pytest.raises(NotThereError):
            pool.registry.list_tags("acme/none")
        for body in (b'{"tags": null}', b"{}", b'{"tags": []}'):
            pool.fake.fault("tags", says(200, body))
            assert self.tags(pool) == ()

    def test_what_is_no_tag_is_left_out(self, pool: Pool) -> None:
        names = ["ok", 1, None, "../x", "", "-x", "x" * 129, "a b", "\x1b", ["ok"]]
        pool.fake.fault("tags", says(200, json.dumps({"tags": names}).encode()))
        assert self.tags(pool) == ("ok",)

    def test_pages_without_end(self, pool: Pool) -> None:
        link = f'</v2/{REPOSITORY}/tags/list?last=x>; rel="next"'
        pool.fake.fault("tags", *[says(200, b'{"tags": ["x"]}', Link=link)] * 200)
        pool.fake.server.asked.clear()
        diagnostic = pool.failure(lambda: self.tags(pool))
        assert diagnostic.code.number == "E1014"
        assert len(pool.fake.server.asked) == 100

    def test_too_many_tags(self, pool: Pool) -> None:
        body = json.dumps({"tags": [f"t{number}" for number in range(10_001)]}).encode()
        pool.fake.fault("tags", says(200, body))
        assert pool.failure(lambda: self.tags(pool)).code.number == "E1014"

    def test_the_next_page_is_on_the_same_origin(self, pool: Pool, elsewhere: Server) -> None:
        link = f'<{elsewhere.address}/v2/x/tags/list>; rel="next"'
        pool.fake.fault("tags", says(200, b'{"tags": ["x"]}', Link=link))
        assert pool.failure(lambda: self.tags(pool)).code.number == "E1020"
        assert elsewhere.asked == []


# -- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["", "A", "a//b", "../a", "a/", "a b", "a%2fb", "a\r\nb", "x" * 256]
)
def test_only_repositories_are_asked_for(pool: Pool, name: str) -> None:
    with pytest.raises(ValueError, match="repository"):
        pool.registry.list_tags(name)
    assert pool.fake.server.asked == []


@pytest.mark.parametrize("name", ["", "-x", "a/b", "a b", "x" * 129, "sha256:0", "a\n", "?x"])
def test_only_tags_are_asked_for(pool: Pool, name: str) -> None:
    with pytest.raises(ValueError, match="tag"):
        pool.registry.get_manifest("acme/motd", name)
    with pytest.raises(ValueError, match="tag"):
        pool.registry.put_manifest("acme/motd", name, b"{}")
    with pytest.raises(ValueError, match="digest"):
        pool.registry.get_blob("acme/motd", name, 1)
    assert pool.fake.server.asked == []


@pytest.mark.parametrize(
    "host", ["", "a b", "a\\b", "user@host", "host:", "[::1", "h:1:2", "h:99999"]
)
def test_only_hosts_are_asked(pool: Pool, host: str) -> None:
    with pytest.raises(ValueError, match=r"host|[Pp]ort"):
        pool.at(Site("corp", host))


def test_a_prefix_has_a_path(pool: Pool) -> None:
    site = pool.site._replace(prefix=f"{pool.site.host}/group/project")
    registry = pool.at(site)
    with pytest.raises(NotThereError) as caught:
        registry.get_manifest("acme/motd", "1.0")
    assert caught.value.place.repository == "group/project/acme/motd"
    assert pool.fake.server.asked[0].path == "/v2/group/project/acme/motd/manifests/1.0"


def test_docker_hub_is_asked_by_its_own_name() -> None:
    """Through a proxy that answers for it, so that no name is looked up."""
    with serving() as proxy:
        environment = {"HTTPS_PROXY": proxy.address}
        site = Site("hub", "docker.io/acme")
        lines: list[str] = []
        client = client_for(site, environment, trace=lines.append, clock=TestClock().clock)
        registry = Registry(site, client, Keychain(environment, (), hear=print))
        with pytest.raises(RegistryError) as caught:
            registry.get_manifest("motd", "1.0")
        said = caught.value.diagnostic
        assert f"the proxy `{proxy.address}` refuses to connect" in said.message
        assert "`no_proxy`" in str(said.help)
        assert len(lines) == 1
        assert lines[0].startswith("GET registry-1.docker.io /v2/acme/motd/manifests/1.0 failed")


@pytest.mark.parametrize("what", ["manifests", "uploads"])
def test_another_machine_does_not_lead_into_this_one(what: str) -> None:
    """The proxy answers for a registry that is not this machine, over plain http."""
    with serving() as proxy:
        place = "http://169.254.169.254/latest"
        proxy.otherwise = says(307, Location=place)
        if what == "uploads":
            proxy.otherwise = lambda handler: handler.answer(
                404 if handler.command == "HEAD" else 202, Location=place
            )
        environment = {"HTTP_PROXY": proxy.address, "HTTPS_PROXY": proxy.address}
        site = Site("corp", "reg.invalid", insecure=True)
        client = client_for(site, environment, clock=TestClock().clock)
        registry = Registry(site, client, Keychain(environment, (), hear=print))
        works: dict[str, Callable[[], object]] = {
            "uploads": lambda: registry.push_blob(REPOSITORY, digest_of(b"x"), Memory(b"x")),
            "manifests": lambda: registry.get_manifest(REPOSITORY, "1.0"),
        }
        with pytest.raises(RegistryError) as caught:
            works[what]()
        client.close()
        assert caught.value.diagnostic.code.number == "E1020"
        assert all("169.254" not in each.path for each in proxy.asked)


def test_an_insecure_registry_speaks_either(pool: Pool) -> None:
    publish(pool.registry, "1.0")
    site = pool.site._replace(insecure=True)
    client = client_for(site, {}, clock=TestClock().clock)
    registry = Registry(site, client, Keychain({}, (), hear=print))
    assert registry.get_manifest(REPOSITORY, "1.0") is not None
    client.close()
