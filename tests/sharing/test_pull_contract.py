"""What a pull says of each answer that registries give: code, exit code, and what would help.

`test_push_contract.py` has the same for pushes. Answers are data here, from what the registries
document; the fake gives them.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cli.command_line import CommandLine, Done
from eryphc.genepool.image import Image, manifest_of
from genepool.images import motd
from genepool.oci.fake import OCI, PASSWORD, PROFILES, USER, Fake, digest_of, errors, faking
from net.conftest import certificate, secure
from net.server import Handler, Route, Server, says, serving
from sharing.projects import codes
from sharing.publishing import image
from sharing.test_registry_manners import MOTD, put
from store.test_folder import small_disk

pytestmark = pytest.mark.once

__all__ = ["certificate", "secure", "small_disk"]

MANIFEST = "GET .*/manifests/1.0"
ANY = "GET /v2/genes"
TOKENS = "GET /token"


class Case(NamedTuple):
    """What a registry answers, by its profile and what is switched, and what is said of it."""

    code: str
    exit: int
    switch: Callable[[Fake], None]
    says: tuple[str, ...] = ()
    profile: str = "plain"
    login: bool = True
    silent: tuple[str, ...] = ()


def fault(pattern: str, *routes: Route) -> Callable[[Fake], None]:
    return lambda fake: fake.fault(pattern, *routes)


def always(pattern: str, route: Route) -> Callable[[Fake], None]:
    return fault(pattern, *[route] * 20)


def missing(route: Route) -> Callable[[Fake], None]:
    """The tag is not there, which the registry says in its own way."""

    def switch(fake: Fake) -> None:
        del fake.manifests["genes/acme/motd", "1.0"]
        always(MANIFEST, route)(fake)

    return switch


def is_web_server(route: Route) -> Callable[[Fake], None]:
    """No registry at all: whatever is asked for, there is one answer."""

    def switch(fake: Fake) -> None:
        fake.server.otherwise = route

    return switch


def has(made: Image, manifest: Callable[[dict[str, Any]], object] = bool) -> Callable[[Fake], None]:
    """The tag leads to another image, whose manifest may be changed."""

    def switch(fake: Fake) -> None:
        put(fake, "genes/acme/motd", "1.0", made)
        data = json.loads(manifest_of(made))
        manifest(data)
        fake.manifests["genes/acme/motd", "1.0"] = (
            f"{OCI}manifest.v1+json",
            json.dumps(data).encode(),
        )

    return switch


def with_config(change: Callable[[dict[str, Any]], object]) -> Callable[[Fake], None]:
    """The gene set with another config, which all digests agree with."""
    made = motd()
    config = json.loads(made.config)
    change(config["dev.eryphc.geneset"])
    data = json.dumps(config, separators=(",", ":"), sort_keys=True).encode()
    return has(made._replace(config=data))


def without_copies(data: dict[str, Any]) -> None:
    for each in (data["config"], *data["layers"]):
        each.pop("data", None)


def wrong(body: bytes, times: int = 2) -> Callable[[Fake], None]:
    """The config is another one each time."""

    def switch(fake: Fake) -> None:
        has(motd(), without_copies)(fake)
        fake.fault("GET .*/blobs/", *[says(200, body)] * times)

    return switch


def without_content(fake: Fake) -> None:
    """Somebody removed what the manifest describes."""
    has(motd(), without_copies)(fake)
    fake.blobs.clear()


CONFIG = motd().config
BEARER = 'Bearer realm="http://{host}/token",service="fake"'
HTML = b"<!DOCTYPE html>\n<html><head><title>Welcome to nginx!</title></head></html>"
LOGINS = ("docker", "podman", "skopeo", "oras")
HIDDEN = "or no access: nobody is signed in to"
RATE_HELP = ("let CI read from a lock and an export: `eryphc lock`, `eryphc gene export`",)

CASES = {
    # -- nobody is signed in, or may not -----------------------------------------------------
    "401 without a login": Case(
        "E1003", 3, lambda _: None, profile="gitlab", login=False,
        says=(
            "wants a login before it lets anybody pull", "credentials were looked for in",
            ".docker/config.json", "ERYPHC_REGISTRY_HOST", "ERYPHC_REGISTRY_USER",
            "ERYPHC_REGISTRY_PASSWORD", *(f"`{each} login 127.0.0.1:" for each in LOGINS),
        ),
    ),
    "403 without a login": Case(
        "E1003", 3, always(ANY, says(403, errors("DENIED", "access forbidden"))), login=False,
        says=("wants a login before it lets anybody pull", "DENIED: access forbidden"),
    ),
    "401 with a login, for the repository": Case(
        "E1004", 3, lambda fake: always(ANY, says(
            401, errors("UNAUTHORIZED", "authentication required"),
            WWW_Authenticate=BEARER.format(host=fake.server.address[7:])))(fake), profile="quay",
        says=(
            "the credentials of `ERYPHC_REGISTRY_USER` may not pull from `127.0.0.1:",
            "/genes/acme/motd`", "UNAUTHORIZED: authentication required",
        ),
    ),
    "401 with a login, for a scope": Case(
        "E1004", 3, lambda fake: always(ANY, says(
            401, b"", WWW_Authenticate=BEARER.format(host=fake.server.address[7:])
            + ',error="insufficient_scope"'))(fake), profile="quay",
        says=("may not pull from `127.0.0.1:",),
    ),
    "403 with a login": Case(
        "E1004", 3, always(ANY, says(403, errors("DENIED", "requested access is denied"))),
        says=("may not pull from `127.0.0.1:", "DENIED: requested access is denied"),
    ),
    "403 of the server of tokens": Case(
        "E1004", 3, always(TOKENS, says(403, errors("DENIED", "access forbidden"))),
        profile="gitlab",
        says=("may not pull from `127.0.0.1:", "DENIED: access forbidden"),
    ),
    "401 of the server of tokens": Case(
        "E1004", 3, always(TOKENS, says(401, errors("UNAUTHORIZED", "bad password"))),
        profile="gitlab",
        says=(
            "does not accept the credentials of `ERYPHC_REGISTRY_USER`", "bad password",
            "look at user and password there",
        ),
    ),
    # -- not there ----------------------------------------------------------------------------
    **{
        f"404 {name}": Case(
            "E0302", 1, missing(says(404, body)), login=False,
            says=("has the gene set `acme/motd/1.0`", "`acme/motd` has the tags `2.0`"),
            silent=(HIDDEN,),
        )
        for name, body in {
            "NAME_UNKNOWN": errors("NAME_UNKNOWN", "repository name not known to registry"),
            "MANIFEST_UNKNOWN": errors("MANIFEST_UNKNOWN", "manifest unknown"),
            "TAG_EXPIRED": errors("TAG_EXPIRED", "Tag 1.0 was deleted or has expired"),
            "in plain text": b"404 page not found\n",
            "in HTML": HTML,
            "without a word": b"",
        }.items()
    },
    "404 to everybody": Case(
        "E0302", 1, always(ANY, says(404, errors("NAME_UNKNOWN"))), login=False,
        says=(HIDDEN, "sign in: `docker login 127.0.0.1:"),
    ),
    "404 in plain text to everybody": Case(
        "E0302", 1, always(ANY, says(404, b"404 page not found\n")), login=False, says=(HIDDEN,),
    ),
    "404 in plain text, of a registry behind a login": Case(
        "E0302", 1, always("GET /v2/.*manifests|tags", says(404, b"not found\n")),
        profile="gitlab", silent=(HIDDEN,),
    ),
    "404 to somebody": Case(
        "E0302", 1, always(ANY, says(404, errors("NAME_UNKNOWN"))), silent=(HIDDEN,),
    ),
    # -- no registry --------------------------------------------------------------------------
    "a web server, 404 in HTML": Case(
        "E1014", 3, is_web_server(says(404, HTML, Content_Type="text/html")),
        says=("it answers 404, and there is no registry at its `/v2/`", "Welcome to nginx!",
              "look at the address of the pool"),
    ),
    "a web server, 404 in plain text": Case(
        "E1014", 3, is_web_server(says(404, b"404 page not found\n")), login=False,
        says=("there is no registry at its `/v2/`", "404 page not found"),
    ),
    "a web server, 404 without a word": Case("E1014", 3, is_web_server(says(404))),
    "a web server with one page for all": Case(
        "E1014", 3, is_web_server(says(200, HTML)), says=("titled `Welcome to nginx!`",),
    ),
    "a page for the missing, and another one at the base": Case(
        "E1014", 3, is_web_server(lambda handler: handler.answer(
            200 if handler.path == "/v2/" else 404, HTML)),
    ),
    "a login page": Case(
        "E1014", 3,
        fault(MANIFEST, says(200, b"<html><title>Sign in to Wifi</title>")),
        says=("a page answers, titled `Sign in to Wifi`", "a login page answers instead"),
    ),
    "no JSON": Case(
        "E1014", 3, fault(MANIFEST, says(200, b"welcome", Content_Type="text/plain")),
        says=("does not answer as a registry: it is no JSON",),
    ),
    "a login page in place of content": Case(
        "E1014", 3, wrong(HTML, times=4), says=("titled `Welcome to nginx!`",),
    ),
    "a long login page in place of content": Case(
        "E1014", 3, wrong(HTML + b" " * 9000, times=1), says=("titled `Welcome to nginx!`",),
    ),
    # -- too many requests, faults ------------------------------------------------------------
    "429": Case(
        "E1011", 3, fault(MANIFEST, *[says(429, errors("TOOMANYREQUESTS", "slow down"),
                                           Retry_After="0")] * 4), login=False,
        says=("TOOMANYREQUESTS: slow down", "sign in: `docker login 127.0.0.1:", *RATE_HELP),
    ),
    "429 in plain text, with a login": Case(
        "E1011", 3, fault(MANIFEST, *[says(429, b"toomanyrequests: wait", Retry_After="0")] * 4),
        says=("toomanyrequests: wait", *RATE_HELP), silent=("sign in",),
    ),
    "too many requests under another status": Case(
        "E1011", 3, fault(MANIFEST, says(400, errors("TOOMANYREQUESTS", "limit"))),
        says=("TOOMANYREQUESTS: limit", *RATE_HELP),
    ),
    **{
        str(status): Case(
            "E1001", 3, fault(MANIFEST, *[says(status, b"upstream", Retry_After="0")] * 4),
            says=(f"cannot be asked: it answers {status}", "the registry says: upstream"),
        )
        for status in (500, 502, 503, 504)
    },
    "a policy": Case(
        "E1012", 3, fault(MANIFEST, says(412, errors("PROJECTPOLICYVIOLATION", "not scanned"))),
        says=("PROJECTPOLICYVIOLATION: not scanned", "scan the image", "exempt the project"),
    ),
    # -- wrong content ------------------------------------------------------------------------
    "another config": Case(
        "E1015", 3, wrong(CONFIG[::-1]),
        says=(f"asked for {digest_of(CONFIG)}", f"there is  {digest_of(CONFIG[::-1])}",
              "of `127.0.0.1:", "also when it was fetched again"),
    ),
    "a config of another size": Case(
        "E1015", 3, wrong(CONFIG + b" "),
        says=(f"asked for {digest_of(CONFIG)}", f"has more than the {len(CONFIG)} bytes"),
    ),
    "another manifest than is announced": Case(
        "E1015", 3,
        fault(MANIFEST, *[says(200, manifest_of(motd()),
                               Docker_Content_Digest=digest_of(b"x"))] * 2),
        says=(f"asked for {digest_of(b'x')}", f"there is  {digest_of(manifest_of(motd()))}"),
    ),
    # -- something else -----------------------------------------------------------------------
    "an image of something else": Case(
        "E1016", 1, has(motd()._replace(config=b'{"os": "linux"}')),
        says=("is not a gene set: it is an image of something else",),
    ),
    "another gene set": Case(
        "E1017", 3, has(image("acme/other/1.0")),
        says=("should be `acme/motd/1.0`, and is another gene set: `acme/other/1.0`",),
    ),
    "a newer form": Case(
        "E1018", 1, with_config(lambda data: data.update(version=2)),
        says=("its form has version 2",),
    ),
    "a malformed config": Case(
        "E1019", 3, with_config(lambda data: data["files"][0].update(path="../../evil")),
        says=("`files[0].path` does not follow",),
    ),
    "a manifest without its content": Case(
        "E1019", 3, without_content, says=(f"{digest_of(CONFIG)}", "is not there"),
    ),
    "a redirect to where nobody goes": Case(
        "E1020", 3, fault(MANIFEST, says(307, Location="http://user:canary@127.0.0.1/x")),
        says=("which is not followed",), silent=("canary",),
    ),
    "a foreign server of tokens": Case(
        "E1020", 3, lambda fake: setattr(fake, "realm", "https://evil.example/token"),
        profile="gitlab", says=("`https://evil.example/token`", "token_hosts"),
    ),
}  # fmt: skip


@pytest.fixture
def home(eryphc: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    for name in ("CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [*os.environ]:
        if name.lower().endswith("_proxy") or name.startswith(("DOCKER_", "REGISTRY_", "ERYPHC_")):
            monkeypatch.delenv(name)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    return eryphc


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERYPHC_REGISTRY_USER", USER)
    monkeypatch.setenv("ERYPHC_REGISTRY_PASSWORD", PASSWORD)


def pull(home: CommandLine, host: str, *options: str) -> Done:
    pool = f"oci://{host}/genes?orgs=acme"
    return home("gene", "pull", "acme/motd/1.0", "--genepool", pool, *options)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_a_registry_answers(
    home: CommandLine, case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if case.login:
        monkeypatch.setenv("ERYPHC_REGISTRY_USER", USER)
        monkeypatch.setenv("ERYPHC_REGISTRY_PASSWORD", PASSWORD)
    with faking(case.profile) as fake:
        host = fake.server.address.removeprefix("http://")
        for tag in ("1.0", "2.0"):
            put(fake, "genes/acme/motd", tag, motd())
        case.switch(fake)
        done = pull(home, host)
        found = [code for code in codes(done) if code[0] == "E"]
        assert (done.code, found, done.out) == (case.exit, [case.code], ""), done.err
        for words in (*case.says, f"{host}/genes"):
            assert words in done.err
        assert f"`oci://{host}/genes`" in done.err
        for words in (*case.silent, PASSWORD):
            assert words not in done.err
        # Nothing that a registry serves so is kept.
        kept = tmp_path / "cache/eryphc/blobs"
        assert not [path for path in kept.rglob("*") if path.is_file()]


def test_what_is_right_is_pulled(home: CommandLine) -> None:
    """The answers above are the only reason for the faults there."""
    with faking() as fake:
        put(fake, "genes/acme/motd", "1.0", motd())
        host = fake.server.address.removeprefix("http://")
        has(motd(), without_copies)(fake)
        with_config(lambda _: None)(fake)
        done = pull(home, host)
        assert (done.code, codes(done)) == (0, [])
        assert motd().identity in done.out
        # A registry that speaks as one is not asked whether it is one.
        assert pull(home, host, "--quiet").code == 0
        done = home("gene", "pull", "acme/motd/3.0", "--genepool", f"oci://{host}/genes?orgs=acme")
        assert codes(done) == ["E0302"]
        assert "/v2/" not in fake.server.paths()


def test_whether_it_is_a_registry_is_asked_once(home: CommandLine) -> None:
    with faking() as fake:
        fake.server.otherwise = lambda handler: handler.answer(
            200 if handler.path == "/v2/" else 404, b""
        )
        done = pull(home, fake.server.address.removeprefix("http://"))
        assert codes(done) == ["E0302"]
        assert fake.server.paths().count("/v2/") == 1


# -- what a lock pins ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "gone", [errors("MANIFEST_UNKNOWN"), b"404 page not found\n"], ids=["in JSON", "in plain text"]
)
def test_a_locked_manifest_that_is_gone(home: CommandLine, tmp_path: Path, gone: bytes) -> None:
    """The tag has the same content under another manifest, then another content, then none."""
    made = image("acme/motd/1.0", {"fodder/motd.yaml": MOTD})
    with faking() as fake:
        host = fake.server.address.removeprefix("http://")
        pinned = put(fake, "genes/acme/motd", "1.0", made)
        home.write(
            "eryphc.yaml",
            f"pools:\n- {{name: corp, type: oci, prefix: {host}/genes, orgs: [acme]}}\n",
        )
        home.write("web.yaml", "name: web\nfodder:\n- source: gene:acme/motd/1.0:motd\n")
        assert home("lock", "web.yaml").code == 0
        build = ("build", "web.yaml", "--guest", "linux", "--target", "user-data", "--locked")

        def built() -> Done:
            shutil.rmtree(tmp_path / "cache")
            fake.server.asked.clear()
            always(f"GET .*/{pinned}", says(404, gone))(fake)
            return home(*build)

        has(made, without_copies)(fake)
        del fake.manifests["genes/acme/motd", pinned]
        assert (done := built()).code == 0, done.err
        asked = [path.rpartition("/")[2] for path in fake.server.paths() if "manifests" in path]
        assert asked == [pinned, "1.0"]
        for tag in ("another content", "no tag"):
            if tag == "no tag":
                del fake.manifests["genes/acme/motd", "1.0"]
            else:
                put(fake, "genes/acme/motd", "1.0", motd())
            done = built()
            assert (done.code, codes(done)) == (3, ["E1106"]), done.err
            assert "`acme/motd/1.0` is not to be had: it came from `corp`" in done.err
            assert "looked in `corp`" in done.err
            assert "hand it on with `eryphc gene export`" in done.err


# -- the store ----------------------------------------------------------------------------------


def test_a_store_that_others_can_write(home: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "cache/eryphc"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    with faking() as fake:
        put(fake, "genes/acme/motd", "1.0", motd())
        done = pull(home, fake.server.address.removeprefix("http://"))
    assert (done.code, codes(done), done.out) == (3, ["E1201"], "")
    assert "it can be written by other users" in done.err
    assert "help: name a folder of your own with `--cache-dir` or `ERYPHC_CACHE_DIR`" in done.err


def test_a_full_disk(home: CommandLine, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERYPHC_CACHE_DIR", str(small_disk / "cache"))
    with faking() as fake:
        put(fake, "genes/acme/motd", "1.0", motd())
        host = fake.server.address.removeprefix("http://")
        with pytest.raises(OSError, match="space"):  # noqa: PT012
            for number in range(4096):
                (small_disk / f"{number}").write_bytes(bytes(4096))
        done = pull(home, host)
        assert (done.code, codes(done), done.out) == (3, ["E1202"], "")
        assert "is full" in done.err
        assert "help: free some space, run `eryphc cache prune`" in done.err
        for number in range(99):
            (small_disk / f"{number}").unlink()
        assert pull(home, host).code == 0


# -- no answer at all ---------------------------------------------------------------------------


OFFLINE = "help: with a lock and a full store, `--offline` needs no registry"


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("127.0.0.1:1", "cannot be asked: connection refused"),
        ("nowhere.invalid", "cannot be asked"),
    ],
    ids=["refused", "no name"],
)
def test_nobody_answers(home: CommandLine, host: str, says: str) -> None:
    done = pull(home, host, "--timeout", "2")
    assert (done.code, codes(done), done.out) == (3, ["E1001"], "")
    assert f"`{host}/genes/acme/motd` (pool `oci://{host}/genes`) {says}" in done.err
    assert OFFLINE in done.err


SLOW = {
    "the manifest": ("plain", MANIFEST),
    "the server of tokens": ("gitlab", TOKENS),
    "content": ("plain", "GET .*/blobs/"),
    "its base": ("plain", "GET /v2/$"),
}


@pytest.mark.parametrize("what", SLOW)
def test_a_registry_that_takes_too_long(home: CommandLine, what: str) -> None:
    def hangs(handler: Handler) -> None:
        handler.place.ended.wait(60)

    profile, place = SLOW[what]
    with faking(profile) as fake:
        host = fake.server.address.removeprefix("http://")
        if what == "content":
            has(motd(), without_copies)(fake)
        if what == "its base":
            always(MANIFEST, says(404, b"not found"))(fake)
        fake.fault(place, hangs)
        begin = time.monotonic()
        done = pull(home, host, "--timeout", "1")
        assert time.monotonic() - begin < 20
        fake.server.ended.set()
    assert (done.code, codes(done), done.out) == (3, ["E1002"], "")
    assert f"`{host}/genes/acme/motd` (pool `oci://{host}/genes`) did not answer" in done.err
    assert "help: `--timeout SECONDS` allows more" in done.err


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch, home: CommandLine) -> Iterator[Server]:
    """Answers for hosts that are not this machine, so that no name is looked up."""
    with serving() as server:
        monkeypatch.setenv("HTTPS_PROXY", server.address)
        monkeypatch.setenv("HTTP_PROXY", server.address)
        yield server


def in_project(home: CommandLine, *lines: str) -> Done:
    more = "".join(f"  {line}\n" for line in lines)
    home.write(
        "eryphc.yaml",
        f"pools:\n- name: corp\n  type: oci\n  prefix: somewhere.invalid/genes\n"
        f"  orgs: [acme]\n{more}",
    )
    return home("gene", "pull", "acme/motd/1.0", "--timeout", "5")


def test_a_certificate_that_nobody_vouches_for(
    home: CommandLine, proxy: Server, secure: Server, certificate: Path
) -> None:
    fake = Fake(secure, PROFILES["plain"])
    secure.otherwise = fake.route
    put(fake, "genes/acme/motd", "1.0", motd())
    proxy.tunnel = ("127.0.0.1", secure.port)
    done = in_project(home)
    assert (done.code, codes(done)) == (3, ["E1001"])
    assert "`somewhere.invalid/genes/acme/motd` (pool `corp`) cannot be asked" in done.err
    assert "help: name the file of its authority as `ca` of the pool" in done.err
    # What the help says is enough.
    done = in_project(home, f"ca: {certificate}")
    assert (done.code, codes(done)) == (0, []), done.err


def test_plain_http_where_tls_is_due(home: CommandLine, proxy: Server) -> None:
    with faking() as fake:
        put(fake, "genes/acme/motd", "1.0", motd())
        proxy.tunnel = ("127.0.0.1", fake.server.port)
        proxy.otherwise = fake.route
        done = in_project(home)
        assert (done.code, codes(done)) == (3, ["E1001"])
        assert "help: `insecure: true` of the pool allows plain http" in done.err
        done = in_project(home, "insecure: true")
        assert (done.code, codes(done)) == (0, []), done.err
