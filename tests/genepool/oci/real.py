"""Debian's docker-registry as a child process: open, with passwords, with a server of tokens."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from genepool.oci.fake import PASSWORD, USER, basic
from net.server import Handler, serving

_CONFIGURATION = """\
version: 0.1
log:
  level: info
  formatter: json
  accesslog: {disabled: true}
storage:
  filesystem:
    rootdirectory: @FOLDER@/data
  delete:
    enabled: true
  maintenance:
    uploadpurging: {enabled: false}
http:
  addr: 127.0.0.1:0
  secret: tests-only
"""


def program(name: str) -> str:
    """The path of a program; the test is skipped where it is missing."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name}")
    return found


@contextmanager
def registry(folder: Path, auth: str = "") -> Iterator[str]:
    """A registry; gives `host:port`."""
    path = folder / "config.yml"
    path.write_text(_CONFIGURATION.replace("@FOLDER@", str(folder)) + auth)
    process = subprocess.Popen(
        [program("docker-registry"), "serve", str(path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines = process.stderr
    try:
        for line in lines:
            found = json.loads(line).get("msg", "") if line.startswith("{") else ""
            if found.startswith("listening on "):
                break
        else:
            pytest.fail("docker-registry did not start")
        # What it says further is read, so that it never waits for us.
        draining = threading.Thread(target=lambda: list(lines))
        draining.start()
        try:
            yield found.removeprefix("listening on ").partition(",")[0]
        finally:
            process.terminate()
            process.wait()
            draining.join()
    finally:
        process.kill()
        process.wait()
        lines.close()


@contextmanager
def with_passwords(folder: Path) -> Iterator[str]:
    # Cost 4 keeps it fast.
    line = subprocess.run(
        [program("htpasswd"), "-Bbn", "-C", "4", USER, PASSWORD],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    (folder / "htpasswd").write_text(line.strip() + "\n")
    auth = f"auth:\n  htpasswd:\n    realm: test\n    path: {folder}/htpasswd\n"
    with registry(folder, auth) as host:
        yield host


@contextmanager
def with_tokens(folder: Path) -> Iterator[str]:
    """A registry that trusts the tokens of a small server of ours."""
    openssl = program("openssl")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
         "-subj", "/CN=tokens", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    pem = certificate.read_text().split("-----")[2]
    x5c = "".join(pem.split())

    def token(handler: Handler) -> None:
        if handler.headers.get("Authorization") != basic(USER, PASSWORD):
            handler.answer(401)
            return
        query = parse_qs(urlsplit(handler.path).query)
        kind, name, actions = query["scope"][0].split(":")
        access = [{"type": kind, "name": name, "actions": actions.split(",")}]
        header = {"typ": "JWT", "alg": "RS256", "x5c": [x5c]}
        claims = {
            "iss": "tests", "sub": USER, "aud": query["service"][0], "jti": "1",
            "nbf": 0, "iat": 0, "exp": 4_000_000_000, "access": access,
        }  # fmt: skip
        signed = ".".join(_base64(json.dumps(each).encode()) for each in (header, claims))
        signature = subprocess.run(
            [openssl, "dgst", "-sha256", "-sign", str(key)],
            input=signed.encode(),
            capture_output=True,
            check=True,
        ).stdout
        body = json.dumps({"token": f"{signed}.{_base64(signature)}", "expires_in": 300})
        handler.answer(200, body.encode())

    with serving() as server:
        server.routes["/token"] = token
        auth = (
            f"auth:\n  token:\n    realm: {server.address}/token\n    service: tests\n"
            f"    issuer: tests\n    rootcertbundle: {certificate}\n"
        )
        with registry(folder, auth) as host:
            yield host


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
