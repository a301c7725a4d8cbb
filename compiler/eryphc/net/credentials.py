"""Logins for registries, from where docker and podman keep them; nothing is stored or shown.

Sources: https://docs.docker.com/reference/cli/docker/login;
https://manpages.debian.org/bookworm/containers-auth.json.5;
https://github.com/docker/docker-credential-helpers.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import signal
import stat
import subprocess
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

from eryphc.canonical import read_json
from eryphc.diagnostics import registry as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.words import os_reason
from eryphc.frozen import NamedTuple
from eryphc.source import shown_path

HELPER_SECONDS = 10.0
HELPER_OUTPUT = 64 * 1024
_FILE_LIMIT = 1024 * 1024

USER, PASSWORD, HOST = "ERYPHC_REGISTRY_USER", "ERYPHC_REGISTRY_PASSWORD", "ERYPHC_REGISTRY_HOST"
DOCUMENT = "DOCKER_AUTH_CONFIG"
HUB = "docker.io"
_HUB_SERVER = "https://index.docker.io/v1/"
_HUB_HOSTS = frozenset({HUB, "index.docker.io", "registry-1.docker.io"})
_HELPER = re.compile(r"[A-Za-z0-9._-]+")
_TOKEN_USER = "<token>"  # noqa: S105 - what helpers print in place of a user
_BEARER = re.compile(r"[!-~]+")


class Login(NamedTuple):
    """A user with a password, a refresh token, or a bearer token. Its `repr` shows none of them.

    `source` is where it was found, for messages.
    """

    source: str
    user: str = ""
    password: str = ""
    refresh: str = ""
    bearer: str = ""

    def __repr__(self) -> str:
        return f"Login({self.source})"


class Looked(NamedTuple):
    """What was found for a repository. `sources` were looked at; `help` says what would help."""

    login: Login | None
    sources: tuple[str, ...]
    help: str | None = None


class Keychain:
    """Finds logins. `hosts` are the registries that are configured, each `host[:port]`.

    `hear` hears a warning (W1021) once, `trace` hears why a helper gave nothing. Several threads
    may use it.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        hosts: Collection[str],
        *,
        hear: Callable[[Diagnostic], None],
        trace: Callable[[str], None] | None = None,
        seconds: float = HELPER_SECONDS,
    ) -> None:
        self._environment = dict(environment)
        self._hosts = {_one_name(host) for host in hosts}
        self._hear = hear
        self._trace = trace
        self._seconds = seconds
        self._found: dict[tuple[str, str], Looked] = {}
        self._documents: dict[str, Mapping[str, Any] | None] = {}
        self._answers: dict[tuple[str, str], Login | None] = {}
        self._warned: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def find(self, host: str, repository: str) -> Looked:
        """The login for a repository of a host, from the first source that has a usable one."""
        with self._lock:
            key = _one_name(host), repository
            if key not in self._found:
                self._found[key] = self._look(*key)
            return self._found[key]

    def _look(self, host: str, repository: str) -> Looked:
        sources: list[str] = []
        login, help_text = self._of_variables(host)
        if USER in self._environment or PASSWORD in self._environment:
            sources.append(USER)
        if login is None:
            for source, document in self._all_documents():
                sources.append(source)
                if document is not None:
                    login = self._in_document(document, source, host, repository)
                if login is not None:
                    break
        return Looked(login, tuple(sources), help_text)

    # -- variables ----------------------------------------------------------------------------

    def _of_variables(self, host: str) -> tuple[Login | None, str | None]:
        user, password = self._environment.get(USER, ""), self._environment.get(PASSWORD, "")
        if not user or not password:
            return None, None
        named = self._environment.get(HOST)
        if named:
            return (Login(USER, user, password) if _one_name(named) == host else None), None
        if self._hosts == {host}:
            return Login(USER, user, password), None
        return None, (
            f"say with `{HOST}` which registry `{USER}` and `{PASSWORD}` are for: there are several"
        )

    # -- documents ----------------------------------------------------------------------------

    def _all_documents(self) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
        """The documents by the name of their source; None for one that is not there."""
        text = self._environment.get(DOCUMENT)
        if text:
            yield DOCUMENT, self._read(DOCUMENT, text.encode)
        for path in self._files():
            source = shown_path(path)
            yield source, self._read(source, partial(_content, path))

    def _files(self) -> Iterator[Path]:
        known = self._environment
        home = known.get("HOME") or known.get("USERPROFILE")
        if named := known.get("REGISTRY_AUTH_FILE"):
            yield Path(named)
        if runtime := known.get("XDG_RUNTIME_DIR"):
            yield Path(runtime, "containers/auth.json")
        if home:
            yield Path(home, ".config/containers/auth.json")
        if folder := known.get("DOCKER_CONFIG"):
            yield Path(folder, "config.json")
        elif home:
            yield Path(home, ".docker/config.json")

    def _read(self, source: str, content: Callable[[], bytes | None]) -> Mapping[str, Any] | None:
        if source not in self._documents:
            self._documents[source] = self._parsed(source, content)
        return self._documents[source]

    def _parsed(self, source: str, content: Callable[[], bytes | None]) -> Mapping[str, Any] | None:
        try:
            data = content()
            if data is None:
                return None
            found = read_json(data)
        except OSError as error:
            self._warn(source, os_reason(error, "it cannot be read"))
            return None
        except ValueError as error:
            self._warn(source, str(error))
            return None
        if not isinstance(found, dict):
            self._warn(source, "it is no JSON object")
            return None
        return found

    def _in_document(
        self, document: Mapping[str, Any], source: str, host: str, repository: str
    ) -> Login | None:
        helpers = _mapping(document.get("credHelpers"))
        for key, helper in helpers.items():
            if _one_name(key) == host:
                # Who names a helper for a host keeps its login nowhere else.
                return self._from_helper(helper, host, source)
        for entry in _entries(_mapping(document.get("auths")), host, repository):
            login = self._from_entry(entry, source)
            if login is not None:
                return login
        store = document.get("credsStore")
        return self._from_helper(store, host, source) if store else None

    def _from_entry(self, entry: Any, source: str) -> Login | None:
        """The login of an entry; an empty one, as Docker Desktop writes them, has none."""
        entry = _mapping(entry)
        values = {
            name: found if isinstance(found := entry.get(name), str) else ""
            for name in ("auth", "username", "password", "identitytoken", "registrytoken")
        }
        user, password = values["username"], values["password"]
        if values["auth"]:
            try:
                user, password = _account(values["auth"])
            except ValueError:
                self._warn(source, "an `auth` in it is no base64 of a user and a password")
                return None
        if user and password:
            return Login(source, user, password)
        if values["identitytoken"]:
            return Login(source, refresh=values["identitytoken"])
        if values["registrytoken"]:
            if _BEARER.fullmatch(values["registrytoken"]):
                return Login(source, bearer=values["registrytoken"])
            self._warn(source, "a `registrytoken` in it is no token")
        return None

    # -- helper programs ----------------------------------------------------------------------

    def _from_helper(self, name: Any, host: str, source: str) -> Login | None:
        if not isinstance(name, str) or not _HELPER.fullmatch(name):
            self._warn(source, "it names a helper that cannot be one")
            return None
        program = f"docker-credential-{name}"
        key = program, _HUB_SERVER if host == HUB else host
        if key not in self._answers:
            self._answers[key] = self._asked(*key)
        return self._answers[key]

    def _asked(self, program: str, server: str) -> Login | None:
        path = _on_path(program, self._environment)
        if path is None:
            self._tell(f"there is no program `{program}`")
            return None
        try:
            output = _output(path, server, self._environment, self._seconds)
        except _NoLoginError as error:
            self._tell(f"`{program}` has nothing for {server}: {error}")
            return None
        except _HelperError as error:
            self._warn(program, str(error))
            return None
        except OSError as error:
            self._warn(program, os_reason(error, "it cannot be run"))
            return None
        try:
            found = read_json(output)
            user, secret = found["Username"], found["Secret"]
            if not isinstance(user, str) or not isinstance(secret, str):
                raise TypeError
        except (ValueError, TypeError, KeyError):
            self._warn(program, "it prints no user and secret in JSON")
            return None
        if not user or not secret:
            return None
        if user == _TOKEN_USER:
            return Login(program, refresh=secret)
        return Login(program, user, secret)

    # -- what is said -------------------------------------------------------------------------

    def _warn(self, source: str, reason: str) -> None:
        if (source, reason) not in self._warned:
            self._warned.add((source, reason))
            self._hear(wording.credentials_unreadable(source, reason))

    def _tell(self, line: str) -> None:
        if self._trace is not None:
            self._trace(line)


# -- names of hosts ---------------------------------------------------------------------------


def _one_name(key: str) -> str:
    """A key of a document as `host[:port][/path]`, with one name for Docker Hub."""
    plain = re.sub(r"^https?://", "", key.strip(), flags=re.IGNORECASE).strip("/")
    plain = re.sub(r"/v[12]$", "", plain)
    host, slash, path = plain.partition("/")
    host = host.lower()
    return (HUB if host in _HUB_HOSTS else host) + slash + path


def _entries(auths: Mapping[str, Any], host: str, repository: str) -> Iterator[Any]:
    """The entries for a repository, those of its longest namespace first."""
    names = [_one_name(key) for key in auths]
    wanted = f"{host}/{repository}" if repository else host
    while True:
        for name, entry in zip(names, auths.values(), strict=True):
            if name == wanted:
                yield entry
        if wanted == host:
            return
        wanted = wanted.rpartition("/")[0]


def _mapping(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _account(text: str) -> tuple[str, str]:
    """User and password. Raises ValueError."""
    try:
        plain = base64.b64decode(text.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise ValueError from None
    user, colon, password = plain.partition(":")
    if not colon:
        raise ValueError
    # docker pads what it writes with zero bytes.
    return user, password.rstrip("\0")


def _content(path: Path) -> bytes | None:
    """The bytes of a file; None where there is none. Raises OSError, ValueError."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    with path.open("rb") as file:
        data = file.read(_FILE_LIMIT + 1)
    if len(data) > _FILE_LIMIT:
        raise ValueError("it is larger than 1 MiB")
    return data


# -- running a helper -------------------------------------------------------------------------


class _HelperError(Exception):
    """The helper does not do what helpers do."""


class _NoLoginError(Exception):
    """The helper says that it has none."""


def _on_path(program: str, environment: Mapping[str, str]) -> Path | None:
    """The program in the folders of PATH, never in the working folder."""
    name = f"{program}.exe" if os.name == "nt" else program
    for folder in environment.get("PATH", "").split(os.pathsep):
        path = Path(folder, name)
        if path.is_absolute() and path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def _output(path: Path, server: str, environment: Mapping[str, str], seconds: float) -> bytes:
    """What a helper prints for a server. Raises _NoLoginError, _HelperError, OSError."""
    process = subprocess.Popen(  # noqa: S603 - a program that the user's own file names
        [str(path), "get"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(environment),
        # Whatever the helper starts in turn ends with it.
        start_new_session=os.name == "posix",
    )
    assert process.stdin is not None  # noqa: S101 - a pipe was asked for
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    output = process.stdout
    read: list[bytes] = []
    # A thread of its own: what holds the pipe open may outlive the helper.
    reading = threading.Thread(target=lambda: read.append(_limited(output)), daemon=True)
    reading.start()
    try:
        with suppress(OSError):
            process.stdin.write(server.encode())
            process.stdin.close()
        reading.join(seconds)
        if not read:
            raise _HelperError(f"it did not answer within {seconds:g} seconds")
        if len(read[0]) > HELPER_OUTPUT:
            raise _HelperError("it prints too much")
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise _HelperError(f"it did not end within {seconds:g} seconds") from None
        if code:
            raise _NoLoginError(f"it ended with {code}")
        return read[0]
    finally:
        _end(process)


def _limited(output: IO[bytes]) -> bytes:
    with output:
        return output.read(HELPER_OUTPUT + 1)


def _end(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
