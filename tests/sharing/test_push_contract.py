"""Push and pull with the rules of the registries that people use: real ones here, others as fakes.

Each profile is reached by the templates that docs/sharing.md gives for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from cli.command_line import CommandLine
from eryphc.genepool.image import without_copies
from genepool.oci.fake import PASSWORD, PROFILES, USER, Fake, faking
from genepool.oci.test_contract import REAL
from net.server import Handler
from sharing.author import IDENTITY, MOTD_TEXT, Author, codes

pytestmark = pytest.mark.integration

PLACES = {
    "plain": ("", "genes"),
    "gitlab": ("", "group/project"),
    "quay": ("", "acme"),
    "dockerhub": ("&repository={org}_{set}", "acme"),
    "ecr": ("&repository=motd&tag={org}_{set}_{tag}&index=motd:_index", "acme"),
    "harbor": ("", "acme"),
}


class Templated(Author):
    """An author whose pool has templates."""

    options = ""

    @property
    def pool(self) -> str:
        return f"{self.to.partition('?')[0]}?orgs=acme{self.options}"

    @property
    def to(self) -> str:
        return f"oci://{self.host}/{self.prefix}?orgs=acme{self.options}"


class Opened(NamedTuple):
    author: Author
    fake: Fake | None


@pytest.fixture
def home(eryphc: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    for name in ("CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ERYPHC_REGISTRY_USER", USER)
    monkeypatch.setenv("ERYPHC_REGISTRY_PASSWORD", PASSWORD)
    return eryphc


def author_of(home: CommandLine, host: str, profile: str = "plain") -> Author:
    options, prefix = PLACES[profile]

    class Here(Templated):
        pass

    Here.options = options
    return Here(home, host, prefix)


@pytest.fixture(params=[*REAL, *(f"fake {name}" for name in PROFILES)])
def opened(request: pytest.FixtureRequest, home: CommandLine, tmp_path: Path) -> Iterator[Opened]:
    name: str = request.param
    if name in REAL:
        folder = tmp_path / "registry"
        folder.mkdir()
        with REAL[name](folder) as host:
            yield Opened(author_of(home, host), None)
    else:
        profile = name.removeprefix("fake ")
        with faking(profile) as fake:
            host = fake.server.address.removeprefix("http://")
            yield Opened(author_of(home, host, profile), fake)


def identity_of(author: Author, name: str) -> str:
    done = author.eryphc("gene", "pull", name, "--genepool", author.pool, "--format", "json")
    assert done.code == 0, done.err
    found = {each["geneset"]: each["digest"] for each in json.loads(done.out)}
    return str(found["acme/motd/1.0"])


def test_what_is_pushed_comes_back(opened: Opened) -> None:
    author = opened.author
    author.alias("latest", "acme/motd/1.0")
    tag = author.tag("1.0")
    (pushed,) = author.pushed(tag)
    assert (pushed["status"], pushed["digest"], pushed["aliases"]) == (
        "pushed", IDENTITY, ["latest"],
    )  # fmt: skip
    assert identity_of(author, "acme/motd") == IDENTITY
    done = author.eryphc("gene", "list", "acme", "--genepool", author.pool)
    assert done.out == "acme/motd  A message of the day (1.0, latest)\n"
    assert author.pushed(tag)[0]["status"] == "unchanged"
    # A new version, a fixed tag that is taken, a word against the old one.
    (pushed,) = author.pushed(author.tag("1.1", MOTD_TEXT.replace("Welcome", "Hello")))
    assert pushed["status"] == "pushed"
    assert codes(author.push(author.tag("1.0", MOTD_TEXT + "# more\n"))) == ["E1009"]
    words = ("--reason", "old", "--to", author.to)
    assert author.eryphc("gene", "deprecate", "acme/motd/1.0", *words).code == 0
    done = author.eryphc("gene", "show", "acme/motd/1.0", "--genepool", author.pool)
    assert (done.code, codes(done)) == (0, ["W1029"])
    if opened.fake is not None:
        opened.fake.collect()
        assert identity_of(author, "acme/motd") == IDENTITY


def test_without_a_login(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    author, fake = opened
    tag = author.tag("1.0")
    with_login = author.push(tag, "--dry-run")
    assert with_login.code == 0, with_login.err
    is_open = fake is not None and fake.profile.auth == "none"
    monkeypatch.setenv("ERYPHC_REGISTRY_PASSWORD", "canary4711")
    done = author.push(tag)
    assert "canary4711" not in done.err + done.out
    if is_open or done.code == 0:
        return
    assert (done.code, codes(done), done.out) == (3, ["E1004"], "")
    for name in ("USER", "PASSWORD"):
        monkeypatch.delenv(f"ERYPHC_REGISTRY_{name}")
    done = author.push(tag)
    assert (done.code, codes(done), done.out) == (3, ["E1003"], "")
    assert f"{author.host}/" in done.err
    assert "wants a login before it lets anybody push" in done.err
    for program in ("docker", "podman", "skopeo", "oras"):
        assert f"`{program} login {author.host}`" in done.err
    assert "ERYPHC_REGISTRY_HOST" in done.err


class Case(NamedTuple):
    """What a registry refuses: its profile, what is switched, where the tag goes, the code."""

    profile: str
    code: str
    switch: Callable[[Fake], None] | None = None
    options: str | None = None
    prefix: str | None = None
    says: tuple[str, ...] = ()


def answer(status: int, body: bytes = b"", **headers: str) -> Callable[[Handler], None]:
    return lambda handler: handler.answer(status, body, **headers)


def fault(pattern: str, *routes: Callable[[Handler], None]) -> Callable[[Fake], None]:
    return lambda fake: fake.fault(pattern, *routes)


def error(code: str, message: str = "") -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


def is_web_server(status: int, page: bytes) -> Callable[[Fake], None]:
    """No registry at all. Only what reads gets 404."""

    def switch(fake: Fake) -> None:
        fake.server.otherwise = lambda handler: handler.answer(
            404 if handler.command in ("GET", "HEAD") else status, page, Content_Type="text/html"
        )

    return switch


MANIFEST = "PUT .*/manifests/"
ARTIFACT_REGISTRY = 'Repository "genes" not found'
CREATE_IT = (
    "create it in the registry, or put all gene sets into one repository",
    '`repository: genes`, `tag: "{org}_{set}_{tag}"`',
)
LARGE = ("the quota of the project", "the limit of a proxy before the registry")
IMMUTABLE = (
    "help: publish under a new tag; a tag that moves needs an exception in the registry's rule"
)
CASES = {
    "gitlab: a path that is too deep": Case(
        "gitlab", "E1004", prefix="group/project/deep/deeper"
    ),
    "docker hub: three levels": Case("dockerhub", "E1004", options=""),
    "ecr: a repository that is not there": Case(
        "ecr", "E1005", options="", prefix="other",
        says=("The repository with name 'other/acme/motd' does not exist", *CREATE_IT),
    ),
    "artifact registry: a repository that is not there": Case(
        "plain", "E1005",
        fault("POST .*/uploads/", answer(404, error("NAME_UNKNOWN", ARTIFACT_REGISTRY))),
        says=(f"NAME_UNKNOWN: {ARTIFACT_REGISTRY}", *CREATE_IT),
    ),
    "a repository that is not there, in plain text": Case(
        "plain", "E1005", fault("POST .*/uploads/", answer(404, b"no such repository")),
        says=("no such repository", *CREATE_IT),
    ),
    "uploads that are lost for ever": Case(
        "plain", "E1014",
        fault("PUT .*/uploads/", *[answer(404, error("BLOB_UPLOAD_UNKNOWN"), Retry_After="0")] * 4),
        says=("it answers 404 to what is published", "BLOB_UPLOAD_UNKNOWN"),
    ),
    "a web server": Case(
        "plain", "E1014", is_web_server(404, b"<html><title>It works!</title></html>"),
        says=("there is no registry at its `/v2/`", "It works!"),
    ),
    "a web server that does not know POST": Case(
        "plain", "E1014", is_web_server(501, b"<html><title>Not implemented</title></html>"),
    ),
    "harbor: a project that is not there": Case(
        "harbor", "E1004", prefix="other",
        says=("may not push to `127.0.0.1:", "/other/acme/motd`", "on Harbor the project"),
    ),
    "quay: an organisation that is not there": Case(
        "plain", "E1004", fault("POST .*/uploads/", answer(403, error("UNAUTHORIZED", "no"))),
        says=("may not push to `127.0.0.1:", "UNAUTHORIZED: no", "on Quay the organisation"),
    ),
    "harbor: the quota": Case(
        "harbor", "E1013",
        fault("POST .*/uploads/", answer(403, error("DENIED", "will exceed the configured upper "
                                                              "limit of 1 MiB"))),
        says=("upper limit of 1 MiB", *LARGE),
    ),
    "a size that is too large": Case(
        "plain", "E1013", fault("PUT .*/uploads/", answer(400, error("SIZE_INVALID", "big"))),
        says=("SIZE_INVALID: big", *LARGE),
    ),
    "a quota": Case(
        "plain", "E1013", fault(MANIFEST, answer(403, error("QUOTA_EXCEEDED", "full"))),
        says=("QUOTA_EXCEEDED: full", *LARGE),
    ),
    "harbor: a policy": Case(
        "harbor", "E1012", fault(MANIFEST, answer(412, error("PROJECTPOLICYVIOLATION"))),
        says=("PROJECTPOLICYVIOLATION", "scan the image, or exempt the project"),
    ),
    "github: no right to write": Case(
        "plain", "E1004",
        fault("POST .*/uploads/", answer(403, error("DENIED", "permission_denied: write_package"))),
        says=("may not push to `127.0.0.1:", "permission_denied: write_package",
              "Manage Actions access"),
    ),
    "a registry that takes no image": Case(
        "plain", "E1007",
        fault(MANIFEST, *[answer(400, error("MANIFEST_INVALID", "unknown media type"))] * 2),
        says=("MANIFEST_INVALID: unknown media type", "this registry takes no ordinary image"),
    ),
    "a type that is not taken": Case(
        "plain", "E1007", fault(MANIFEST, *[answer(415, b"unsupported")] * 2),
        says=("the registry says: unsupported", "this registry takes no ordinary image"),
    ),
    "too large for a proxy": Case(
        "plain", "E1013", fault("PUT .*/uploads/", answer(413)), says=LARGE
    ),
    "too many requests": Case(
        "plain", "E1011",
        fault("HEAD .*/manifests/", answer(429, error("TOOMANYREQUESTS"), Retry_After="3600")),
        says=("it answers again in 3600 seconds", "`eryphc lock`, `eryphc gene export`"),
    ),
    "too many requests, in plain text and after all attempts": Case(
        "plain", "E1011",
        fault(MANIFEST, *[answer(429, b"toomanyrequests: wait", Retry_After="0")] * 4),
        says=("toomanyrequests: wait",),
    ),
    "a place of an upload where nobody goes": Case(
        "plain", "E1020", fault("POST .*/uploads/", answer(202, Location="ftp://x/")),
        says=("`ftp://x/`, which is not followed",),
    ),
    "a login page": Case(
        "plain", "E1014",
        fault("GET .*/tags/list", answer(200, b"<html><title>Sign in</title></html>")),
        says=("titled `Sign in`",),
    ),
    "a server that fails": Case(
        "plain", "E1001", fault(MANIFEST, *[answer(503, Retry_After="0")] * 4),
        says=("it answers 503",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_a_registry_refuses(home: CommandLine, case: Case) -> None:
    with faking(case.profile) as fake:
        host = fake.server.address.removeprefix("http://")
        author = author_of(home, host, case.profile)
        if case.options is not None:
            type(author).options = case.options  # type: ignore[attr-defined]
        if case.prefix is not None:
            author = author._replace(prefix=case.prefix)
        if case.switch is not None:
            case.switch(fake)
        done = author.push(author.tag("1.0"))
        found = [code for code in codes(done) if code[0] == "E"]
        assert (done.code, found, done.out) == (3, [case.code], ""), done.err
        for words in (*case.says, f"{host}/", "(pool `oci://"):
            assert words in done.err
        # The tag is as it was: there is none.
        assert not [tag for _, tag in fake.manifests if tag.endswith("1.0")]
        assert PASSWORD not in done.err


@pytest.mark.parametrize("profile", ["quay", "ecr", "harbor"])
def test_a_tag_that_the_registry_protects(home: CommandLine, profile: str) -> None:
    with faking(profile) as fake:
        author = author_of(home, fake.server.address.removeprefix("http://"), profile)
        author.push(author.tag("1.0"))
        fake.immutable = True
        done = author.push(author.tag("1.0", MOTD_TEXT + "# more\n"), "--replace")
        assert (done.code, codes(done), done.out) == (3, ["E1008"], "")
        assert "does not let the tag `" in done.err
        assert IMMUTABLE in done.err
        # The index is a tag that moves, and may be protected too.
        done = author.push(author.tag("1.1", MOTD_TEXT + "# more\n"))
        assert (done.code, codes(done)) == (0, ["W1030"])


@pytest.mark.parametrize("profile", ["quay", "ecr", "harbor"])
@pytest.mark.parametrize("copies", [True, False], ids=["same bytes", "same identity"])
def test_a_protected_tag_that_has_the_same_by_now(
    home: CommandLine, profile: str, *, copies: bool
) -> None:
    """Somebody else published the same set a moment before us."""
    with faking(profile) as fake:
        author = author_of(home, fake.server.address.removeprefix("http://"), profile)
        fake.immutable = True
        assert fake.profile.replaced is not None
        status, code = fake.profile.replaced

        def overtake(handler: Handler) -> None:
            body = handler.body if copies else without_copies(handler.body)
            repository, tag = handler.path.removeprefix("/v2/").split("/manifests/")
            fake.manifests[repository, tag] = (handler.headers["Content-Type"], body)
            handler.answer(status, error(code, "the tag is immutable"))

        fake.fault(MANIFEST, overtake)
        (pushed,) = author.pushed(author.tag("1.0"))
        assert (pushed["status"], pushed["digest"]) == ("pushed", IDENTITY)


def test_levels_of_docker_hub(home: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    with faking("dockerhub") as fake:
        as_proxy(monkeypatch, fake)
        fake.realm = "http://auth.docker.io/token"
        fake.location = "relative"
        author = Author(home, "docker.io", "acme")
        done = author._replace(prefix="acme?insecure=true").push(author.tag("1.0"))
        assert (done.code, codes(done), done.out) == (3, ["E1004"], ""), done.err
        assert "may not push to `docker.io/acme/acme/motd`" in done.err
        assert 'Docker Hub has two levels: `repository: "{org}_{set}"`' in done.err
        # What the help says is enough.
        prefix = "acme?insecure=true&repository={org}_{set}"
        assert author._replace(prefix=prefix).push("motd/1.0").code == 0
        assert ("acme/acme_motd", "1.0") in fake.manifests
        hosts = {each.path.split("/")[2] for each in fake.server.asked if "://" in each.path}
        assert hosts == {"registry-1.docker.io", "auth.docker.io"}


@pytest.mark.parametrize("answers", ["the registry", "the server of tokens"])
def test_a_job_token_of_gitlab(
    home: CommandLine, monkeypatch: pytest.MonkeyPatch, answers: str
) -> None:
    with faking("gitlab") as fake:
        as_proxy(monkeypatch, fake)
        fake.realm = "http://gitlab.com/token"
        place = "GET /token" if answers == "the server of tokens" else "POST .*/uploads/"
        fake.fault(place, *[answer(403, error("DENIED", "access forbidden"))] * 9)
        author = Author(home, "registry.gitlab.com", "group/other?insecure=true")
        done = author.push(author.tag("1.0"))
        assert (done.code, codes(done), done.out) == (3, ["E1004"], ""), done.err
        assert "may not push to `registry.gitlab.com/group/other/acme/motd`" in done.err
        assert "DENIED: access forbidden" in done.err
        assert "a job token of GitLab reaches only the registry of its own project" in done.err


def as_proxy(monkeypatch: pytest.MonkeyPatch, fake: Fake) -> None:
    """Let the fake answer for hosts that are not this machine."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, fake.server.address)


def test_a_registry_that_takes_too_long(home: CommandLine) -> None:
    with faking() as fake:
        author = author_of(home, fake.server.address.removeprefix("http://"))

        def hangs(handler: Handler) -> None:
            handler.place.ended.wait(60)

        fake.fault(MANIFEST, hangs)
        tag = author.tag("1.0")
        done = author.push(tag, "--timeout", "1")
        fake.server.ended.set()
        assert (done.code, codes(done), done.out) == (3, ["E1002"], "")
        assert "help: `--timeout SECONDS` allows more" in done.err


def test_a_type_that_is_taken_without_copies(home: CommandLine) -> None:
    """415 says the same as 400 with a code."""
    with faking() as fake:
        author = author_of(home, fake.server.address.removeprefix("http://"))
        fake.fault(MANIFEST, answer(415))
        done = author.push(author.tag("1.0"))
        assert (done.code, codes(done)) == (0, ["N1031"])


def test_a_registry_that_takes_no_copies(home: CommandLine) -> None:
    with faking("gitlab") as fake:
        fake.data_refused = True
        author = author_of(home, fake.server.address.removeprefix("http://"), "gitlab")
        done = author.push(author.tag("1.0"))
        assert (done.code, codes(done)) == (0, ["N1031"])
        assert identity_of(author, "acme/motd/1.0") == IDENTITY
        assert author.pushed("motd/1.0")[0]["status"] == "unchanged"


def test_somebody_else_at_the_same_moment(home: CommandLine) -> None:
    """After our manifest another one is put under the tag, before we read it back."""
    with faking() as fake:
        author = author_of(home, fake.server.address.removeprefix("http://"))
        author.push(author.tag("2.0", MOTD_TEXT + "# other\n"))
        other = fake.manifests["genes/acme/motd", "2.0"]

        def overtake(handler: Handler) -> None:
            fake.route(handler)
            fake.manifests["genes/acme/motd", "1.0"] = other

        fake.fault("PUT .*/manifests/1.0", overtake)
        done = author.push(author.tag("1.0"))
        assert (done.code, codes(done), done.out) == (3, ["E1010"], "")


def test_a_fault_in_the_second_tag_keeps_the_first(home: CommandLine) -> None:
    with faking() as fake:
        author = author_of(home, fake.server.address.removeprefix("http://"))
        author.tag("1.0")
        author.eryphc.write("motd/1.1/geneset-tag.json", '{"geneset":"acme/motd/1.1"}')
        author.eryphc.write("motd/1.1/fodder/motd.yaml", MOTD_TEXT)
        fake.fault("PUT .*/manifests/1.1", lambda handler: handler.answer(413))
        done = author.push("motd")
        assert (done.code, codes(done)) == (3, ["E1013"])
        assert done.out == f"{author.host}/genes/acme/motd:1.0\n"
        assert codes(author.push("motd")) == []


def test_an_answer_that_is_lost_is_no_fault(home: CommandLine) -> None:
    """The manifest arrived and the answer did not: it is read, and not sent again."""
    with faking() as fake:
        author = author_of(home, fake.server.address.removeprefix("http://"))
        tag = author.tag("1.0")

        def lose(handler: Handler) -> None:
            fake.manifests["genes/acme/motd", "1.0"] = (
                handler.headers["Content-Type"], handler.body,
            )  # fmt: skip
            handler.answer(502)

        fake.fault("PUT .*/manifests/1.0", lose)
        assert author.push(tag).code == 0
        assert [each.method for each in fake.server.asked].count("PUT") >= 3
        sent = [each for each in fake.server.asked if each.path.endswith("/manifests/1.0")]
        assert [each.method for each in sent].count("PUT") == 1
