"""Where logins are found, with real helper programs; and that nothing of them is shown."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from eryphc.diagnostics.model import Diagnostic
from eryphc.net.credentials import HELPER_SECONDS, Keychain, Login, Looked

HOST = "registry.example.com"
SECRET = "hunter2:ä€"  # noqa: S105 - it stands for one


def auth(user: str, password: str) -> dict[str, Any]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


class Home:
    """A home folder, an environment with it, and what a keychain says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.environment = {"HOME": str(folder), "PATH": f"{self.bin}:/usr/bin:/bin"}
        self.hosts: Collection[str] = (HOST,)
        self.heard: list[Diagnostic] = []
        self.traced: list[str] = []
        self.seconds = 10.0

    def docker(self, document: Any) -> Path:
        return self.write(".docker/config.json", document)

    def write(self, name: str, document: Any) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    def helper(self, name: str, script: str) -> Path:
        """A helper program; the server name that it reads is kept in `asked`."""
        path = self.bin / f"docker-credential-{name}"
        path.write_text(f'#!/bin/sh\necho "$1 $(cat)" >> "{self.folder}/asked"\n{script}\n')
        path.chmod(0o755)
        return path

    def gives(self, name: str, user: str, secret: str) -> None:
        text = json.dumps({"ServerURL": "x", "Username": user, "Secret": secret})
        self.helper(name, f"cat <<'END'\n{text}\nEND")

    @property
    def asked(self) -> list[str]:
        return (self.folder / "asked").read_text().splitlines()

    def keychain(self) -> Keychain:
        return Keychain(
            self.environment,
            self.hosts,
            hear=self.heard.append,
            trace=self.traced.append,
            seconds=self.seconds,
        )

    def look(self, host: str = HOST, repository: str = "acme/motd") -> Looked:
        return self.keychain().find(host, repository)

    def found(self, host: str = HOST, repository: str = "acme/motd") -> Login:
        login = self.look(host, repository).login
        assert login is not None
        return login

    def reasons(self) -> list[str]:
        assert {each.code.number for each in self.heard} <= {"W1021"}
        return [each.message.partition("cannot be used: ")[2] for each in self.heard]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_nothing_is_there(home: Home) -> None:
    looked = home.look()
    assert looked.login is None
    assert [Path(each).name for each in looked.sources] == ["auth.json", "config.json"]
    assert home.heard == []


def test_no_environment_at_all() -> None:
    keychain = Keychain({}, (HOST,), hear=lambda _: None)
    assert keychain.find(HOST, "x") == Looked(None, ())


# -- variables --------------------------------------------------------------------------------


class TestVariables:
    @pytest.fixture(autouse=True)
    def given(self, home: Home) -> None:
        home.environment |= {"ERYPHC_REGISTRY_USER": "ci", "ERYPHC_REGISTRY_PASSWORD": SECRET}

    def test_for_the_host_that_is_named(self, home: Home) -> None:
        home.environment["ERYPHC_REGISTRY_HOST"] = HOST.upper()
        home.hosts = (HOST, "other.example.com")
        assert home.found() == Login("ERYPHC_REGISTRY_USER", "ci", SECRET)
        assert home.look("other.example.com").login is None

    def test_for_the_only_host(self, home: Home) -> None:
        assert home.found().password == SECRET
        assert home.look("mirror.lan").login is None

    def test_for_none_of_several(self, home: Home) -> None:
        home.hosts = (HOST, "other.example.com")
        looked = home.look()
        assert looked.login is None
        assert looked.help is not None
        assert "ERYPHC_REGISTRY_HOST" in looked.help

    def test_they_come_first(self, home: Home) -> None:
        home.docker({"auths": {HOST: auth("me", "other")}})
        assert home.found().user == "ci"

    def test_a_user_alone_is_no_login(self, home: Home) -> None:
        del home.environment["ERYPHC_REGISTRY_PASSWORD"]
        home.docker({"auths": {HOST: auth("me", "mine")}})
        assert home.found().user == "me"

    def test_docker_hub_has_one_name(self, home: Home) -> None:
        home.environment["ERYPHC_REGISTRY_HOST"] = "index.docker.io"
        assert home.found("registry-1.docker.io").user == "ci"


# -- order of the documents -------------------------------------------------------------------


def test_the_order_of_documents(home: Home) -> None:
    """Each is taken away in turn, and the next one answers."""
    runtime, config = home.folder / "run", home.folder / "docker"
    home.environment |= {
        "DOCKER_AUTH_CONFIG": json.dumps({"auths": {HOST: auth("1", "x")}}),
        "REGISTRY_AUTH_FILE": str(home.write("named.json", {"auths": {HOST: auth("2", "x")}})),
        "XDG_RUNTIME_DIR": str(runtime),
        "DOCKER_CONFIG": str(config),
    }
    files = [
        home.folder / "named.json",
        home.write("run/containers/auth.json", {"auths": {HOST: auth("3", "x")}}),
        home.write(".config/containers/auth.json", {"auths": {HOST: auth("4", "x")}}),
        home.write("docker/config.json", {"auths": {HOST: auth("5", "x")}}),
    ]
    home.docker({"auths": {HOST: auth("6", "x")}})
    assert home.found().user == "1"
    del home.environment["DOCKER_AUTH_CONFIG"]
    for user, path in zip("2345", files, strict=True):
        assert home.found().user == user
        path.unlink()
    # With DOCKER_CONFIG set, docker's usual folder is not looked into.
    assert home.look().login is None
    del home.environment["DOCKER_CONFIG"]
    assert home.found().user == "6"


def test_the_next_source_where_one_has_nothing(home: Home) -> None:
    home.environment["DOCKER_AUTH_CONFIG"] = json.dumps({"auths": {HOST: {}}})
    home.docker({"auths": {HOST: auth("me", "mine")}})
    assert home.found().user == "me"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "it is no JSON"),
        ("[" * 100 + "]" * 100, "it nests deeper than 64 levels"),
        ("[]", "it is no JSON object"),
        (" " * 1_100_000, "it is larger than 1 MiB"),
    ],
    ids=["broken", "deep", "a list", "large"],
)
def test_a_file_that_cannot_be_used(home: Home, text: str, reason: str) -> None:
    home.write(".config/containers/auth.json", text)
    home.docker({"auths": {HOST: auth("me", "mine")}})
    keychain = home.keychain()
    for repository in ("acme/a", "acme/b"):
        login = keychain.find(HOST, repository).login
        assert login is not None
        assert login.user == "me"
    assert home.reasons() == [reason]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may do anything")
def test_a_file_that_may_not_be_read(home: Home) -> None:
    home.docker({}).chmod(0)
    assert home.look().login is None
    assert home.reasons() == ["permission denied"]


def test_no_pipe_is_waited_for(home: Home) -> None:
    (home.folder / ".docker").mkdir()
    os.mkfifo(home.folder / ".docker/config.json")
    assert home.look().login is None


# -- keys and entries -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [HOST, f"https://{HOST}", f"http://{HOST}/", f"https://{HOST}/v1/", f"{HOST}/v2/",
     f"{HOST}/acme", f"https://{HOST}/acme/motd", HOST.upper()],
)  # fmt: skip
def test_spellings_of_a_key(home: Home, key: str) -> None:
    home.docker({"auths": {key: auth("me", SECRET)}})
    assert home.found() == Login(home.look().sources[-1], "me", SECRET)


@pytest.mark.parametrize(
    "key",
    ["registry.example.com:443", "example.com", f"{HOST}/acm", f"{HOST}/acme/motd/x", f"x{HOST}"],
)
def test_keys_of_something_else(home: Home, key: str) -> None:
    home.docker({"auths": {key: auth("me", SECRET)}})
    assert home.look().login is None


def test_a_port_is_part_of_the_host(home: Home) -> None:
    home.docker({"auths": {"https://localhost:5000/v2/": auth("me", SECRET)}})
    assert home.found("localhost:5000").user == "me"
    assert home.look("localhost:5001").login is None


def test_the_longest_namespace_wins(home: Home) -> None:
    auths = {HOST: auth("all", "x"), f"{HOST}/acme": auth("org", "x")}
    home.docker({"auths": {**auths, f"{HOST}/acme/motd": auth("set", "x")}})
    assert home.found(repository="acme/motd").user == "set"
    assert home.found(repository="acme/web").user == "org"
    assert home.found(repository="other/web").user == "all"


def test_an_empty_entry_is_passed_over(home: Home) -> None:
    home.docker(
        {"auths": {f"{HOST}/acme": {}, HOST: {"email": "x@y"}, f"https://{HOST}": auth("me", "x")}}
    )
    assert home.found().user == "me"


@pytest.mark.parametrize(
    "key", ["https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io"]
)
@pytest.mark.parametrize("host", ["docker.io", "registry-1.docker.io"])
def test_docker_hub_has_four_names(home: Home, key: str, host: str) -> None:
    home.docker({"auths": {key: auth("me", "x")}})
    assert home.found(host).user == "me"


@pytest.mark.parametrize(
    ("entry", "login"),
    [
        pytest.param(auth("me", SECRET), Login("", "me", SECRET), id="auth"),
        pytest.param(auth("me", f"{SECRET}\0\0"), Login("", "me", SECRET), id="auth with zeros"),
        pytest.param(
            {"username": "me", "password": SECRET}, Login("", "me", SECRET), id="user and password"
        ),
        pytest.param({"identitytoken": "t"}, Login("", refresh="t"), id="refresh token"),
        pytest.param(
            {**auth("00000000", ""), "identitytoken": "t"},
            Login("", refresh="t"),
            id="refresh token beside an empty password",
        ),
        pytest.param({"registrytoken": "t"}, Login("", bearer="t"), id="bearer token"),
        pytest.param(
            {**auth("me", SECRET), "username": "x", "password": "x", "identitytoken": "x"},
            Login("", "me", SECRET),
            id="auth first",
        ),
        pytest.param(
            {"username": "me", "password": SECRET, "identitytoken": "x", "registrytoken": "x"},
            Login("", "me", SECRET),
            id="user and password second",
        ),
        pytest.param(
            {"identitytoken": "t", "registrytoken": "x", "email": "x@y"},
            Login("", refresh="t"),
            id="refresh token third",
        ),
    ],
)
def test_what_an_entry_holds(home: Home, entry: dict[str, Any], login: Login) -> None:
    path = home.docker({"auths": {HOST: entry}})
    assert home.found()._replace(source="") == login
    assert home.found().source.endswith(path.name)


@pytest.mark.parametrize(
    "entry",
    [
        {"auth": "???"},
        {"auth": base64.b64encode(b"nocolon").decode()},
        {"auth": base64.b64encode(b"\xff:\xff").decode()},
        {"registrytoken": "two words\r\nX: y"},
    ],
    ids=["no base64", "no colon", "no UTF-8", "no token"],
)
def test_an_entry_that_is_malformed(home: Home, entry: dict[str, Any]) -> None:
    home.write(".config/containers/auth.json", {"auths": {HOST: entry}})
    home.docker({"auths": {HOST: auth("me", "x")}})
    assert home.found().user == "me"
    assert len(home.reasons()) == 1


@pytest.mark.parametrize("entry", [{}, {"email": "x@y"}, {"auth": "", "username": "me"}])
def test_an_entry_without_a_login_and_no_store(home: Home, entry: dict[str, Any]) -> None:
    """Nobody is signed in, which is no fault of the file."""
    path = home.docker({"auths": {HOST: entry}})
    looked = home.look()
    assert looked.login is None
    assert looked.sources[-1].endswith(path.name)
    assert (home.heard, home.traced) == ([], [])


@pytest.mark.parametrize("document", [{"auths": 1}, {"auths": {HOST: 1}}, {"credHelpers": []}])
def test_members_of_another_kind(home: Home, document: Any) -> None:
    home.docker(document)
    assert home.look().login is None


# -- helpers ----------------------------------------------------------------------------------


class TestHelpers:
    def test_for_one_host(self, home: Home) -> None:
        home.gives("one", "me", SECRET)
        home.docker({"credHelpers": {HOST: "one"}, "auths": {HOST: auth("other", "x")}})
        assert home.found() == Login("docker-credential-one", "me", SECRET)
        assert home.asked == [f"get {HOST}"]

    def test_for_all_hosts(self, home: Home) -> None:
        """Docker Desktop writes an empty entry beside it."""
        home.gives("store", "me", SECRET)
        home.docker({"credsStore": "store", "auths": {HOST: {}}})
        assert home.found() == Login("docker-credential-store", "me", SECRET)
        assert home.asked == [f"get {HOST}"]

    def test_an_entry_comes_before_the_store(self, home: Home) -> None:
        home.gives("store", "other", "x")
        home.docker({"credsStore": "store", "auths": {HOST: auth("me", "x")}})
        assert home.found().user == "me"

    def test_docker_hub_is_asked_for_by_its_old_name(self, home: Home) -> None:
        home.gives("store", "me", "x")
        home.docker({"credsStore": "store"})
        assert home.found("docker.io").user == "me"
        assert home.asked == ["get https://index.docker.io/v1/"]

    def test_a_refresh_token(self, home: Home) -> None:
        home.gives("store", "<token>", "t")
        home.docker({"credsStore": "store"})
        assert home.found() == Login("docker-credential-store", refresh="t")

    def test_it_is_asked_once(self, home: Home) -> None:
        home.gives("store", "me", "x")
        home.docker({"credsStore": "store"})
        keychain = home.keychain()
        for repository in ("acme/a", "acme/b", "acme/a"):
            assert keychain.find(HOST, repository).login is not None
        assert len(home.asked) == 1

    def test_one_that_fails_ends_its_document_and_no_more(self, home: Home) -> None:
        home.helper("one", "echo not found; exit 1")
        home.gives("store", "never", "x")
        document = {"credHelpers": {HOST: "one"}, "credsStore": "store"}
        home.write(
            ".config/containers/auth.json", {**document, "auths": {HOST: auth("other", "x")}}
        )
        home.docker({"auths": {HOST: auth("me", "x")}})
        assert home.found().user == "me"
        assert home.heard == []
        told = f"`docker-credential-one` has nothing for {HOST}: it ended with 1"
        assert home.traced == [told]

    @pytest.mark.parametrize("script", ["echo garbage", "head -c 10000000 /dev/zero", "sleep 60"])
    def test_one_that_misbehaves_ends_its_document_too(self, home: Home, script: str) -> None:
        home.seconds = 0.5
        home.helper("one", script)
        home.gives("store", "never", "x")
        document = {"credHelpers": {HOST: "one"}, "credsStore": "store"}
        home.write(
            ".config/containers/auth.json", {**document, "auths": {HOST: auth("other", "x")}}
        )
        home.docker({"auths": {HOST: auth("me", "x")}})
        assert home.found().user == "me"
        assert len(home.reasons()) == 1

    @pytest.mark.parametrize(("more", "found"), [(0, True), (1, False)])
    def test_how_much_it_may_print(self, home: Home, more: int, *, found: bool) -> None:
        text = json.dumps({"Username": "me", "Secret": "x"})
        home.write("printed", text.ljust(64 * 1024 + more))
        home.helper("long", f"cat '{home.folder}/printed'")
        home.docker({"credsStore": "long"})
        assert (home.look().login is not None) == found
        assert home.reasons() == ([] if found else ["it prints too much"])

    def test_how_long_it_may_take(self) -> None:
        assert HELPER_SECONDS == 10

    def test_one_that_is_not_there(self, home: Home) -> None:
        home.docker({"credsStore": "gone"})
        assert home.look().login is None
        assert home.heard == []
        assert home.traced == ["there is no program `docker-credential-gone`"]

    @pytest.mark.parametrize(
        ("script", "reason"),
        [
            pytest.param("exec sleep 60", "it did not answer within 0.5 seconds", id="hangs"),
            pytest.param("sleep 60 & wait", "it did not answer within 0.5 seconds", id="child"),
            pytest.param(
                "setsid sleep 3 & exit 0", "it did not answer within 0.5 seconds", id="escaped"
            ),
            pytest.param("head -c 10000000 /dev/zero", "it prints too much", id="prints 10 MB"),
            pytest.param("yes", "it prints too much", id="prints for ever"),
            pytest.param("echo nonsense", "it prints no user and secret in JSON", id="garbage"),
            pytest.param("echo '[]'", "it prints no user and secret in JSON", id="a list"),
            pytest.param(
                """echo '{"Username": 1, "Secret": 2}'""",
                "it prints no user and secret in JSON",
                id="numbers",
            ),
            pytest.param(
                "exec >&-; sleep 60", "it did not end within 0.5 seconds", id="does not end"
            ),
        ],
    )
    def test_one_that_misbehaves(self, home: Home, script: str, reason: str) -> None:
        home.seconds = 0.5
        home.helper("bad", script)
        home.docker({"credsStore": "bad"})
        begin = time.monotonic()
        assert home.look().login is None
        assert home.reasons() == [reason]
        assert time.monotonic() - begin < 5

    def test_what_it_started_ends_with_it(self, home: Home) -> None:
        home.seconds = 0.5
        home.helper("bad", f"sleep 60 & echo $! > '{home.folder}/child'; wait")
        home.docker({"credsStore": "bad"})
        assert home.look().login is None
        child = Path("/proc", (home.folder / "child").read_text().strip(), "stat")
        limit = time.monotonic() + 5
        while is_running(child):
            assert time.monotonic() < limit

    def test_one_that_does_not_read(self, home: Home) -> None:
        path = home.bin / "docker-credential-deaf"
        path.write_text('#!/bin/sh\necho \'{"Username": "me", "Secret": "x"}\'\n')
        path.chmod(0o755)
        home.docker({"credsStore": "deaf"})
        assert home.found().user == "me"

    @pytest.mark.parametrize("name", ["../evil", "a b", "a;b", "", 7, None, "/bin/sh"])
    def test_only_a_name_is_one(self, home: Home, name: Any) -> None:
        home.docker({"credHelpers": {HOST: name}})
        assert home.look().login is None
        assert home.reasons() == ["it names a helper that cannot be one"]

    def test_none_of_the_working_folder(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        home.gives("here", "me", "x")
        monkeypatch.chdir(home.bin)
        home.environment["PATH"] = ":.:/usr/bin"
        home.docker({"credsStore": "here"})
        assert home.look().login is None

    def test_one_that_is_no_program(self, home: Home) -> None:
        path = home.bin / "docker-credential-bad"
        path.write_bytes(b"\x7fELFgarbage")
        path.chmod(0o755)
        home.docker({"credsStore": "bad"})
        assert home.look().login is None
        assert home.reasons() == ["exec format error"]


def is_running(stat: Path) -> bool:
    """Whether a process runs; one that has ended may wait to be asked for its result."""
    try:
        return stat.read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def test_nothing_of_a_login_is_shown(home: Home) -> None:
    secret = "hunter2"  # noqa: S105 - it stands for one
    home.environment["DOCKER_AUTH_CONFIG"] = f'{{"auths": {{"{HOST}": "{secret}'
    home.write(".config/containers/auth.json", {"auths": {HOST: {"auth": secret}}})
    home.helper("bad", f"echo {secret}; echo {secret} >&2; exit 3")
    home.docker({"credsStore": "bad", "auths": {HOST: {}}})
    looked = home.look()
    home.docker({"auths": {HOST: auth("me", secret)}})
    shown = [repr(looked), repr(home.found()), repr(home.keychain()), *home.traced]
    shown += [f"{each.message} {each.notes} {each.help}" for each in home.heard]
    assert len(home.heard) == 4
    assert all(secret not in each for each in shown)
