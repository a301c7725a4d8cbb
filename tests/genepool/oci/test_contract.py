"""What every registry does, asked of the real one and of the fake with each of its profiles."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from eryphc.genepool.oci import uploads
from eryphc.genepool.oci.client import OCI_MANIFEST, Registry
from eryphc.genepool.oci.content import Memory
from eryphc.genepool.oci.endpoint import Site, client_for
from eryphc.genepool.oci.faults import NotThereError, RegistryError
from eryphc.net.credentials import Keychain
from genepool.oci import real
from genepool.oci.fake import PASSWORD, PROFILES, USER, digest_of, faking

LOGIN = {"ERYPHC_REGISTRY_USER": USER, "ERYPHC_REGISTRY_PASSWORD": PASSWORD}
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
REPOSITORY = "acme/motd"
_NUMBERS = count()


@contextmanager
def fake(profile: str) -> Iterator[str]:
    with faking(profile) as found:
        yield found.server.address.removeprefix("http://")


Opened = Callable[[Path], AbstractContextManager[str]]
REAL: dict[str, Opened] = {
    "docker-registry": real.registry,
    "docker-registry with passwords": real.with_passwords,
    "docker-registry with tokens": real.with_tokens,
}
FAKES: dict[str, Opened] = {
    f"fake {name}": lambda _, name=name: fake(name)  # type: ignore[misc]
    for name in PROFILES
}
ANY = {**REAL, **FAKES}


@pytest.fixture(scope="module", params=ANY)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Host and name of a registry; one serves all tests here."""
    folder = tmp_path_factory.mktemp("registry")
    with ANY[request.param](folder) as host:
        yield host, request.param


def opened(host: str, prefix: str = "", environment: dict[str, str] | None = None) -> Registry:
    environment = LOGIN if environment is None else environment
    site = Site("corp", f"{host}/{prefix}".rstrip("/"))
    keychain = Keychain(environment, (host,), hear=print)
    return Registry(site, client_for(site, environment), keychain)


@pytest.fixture
def registry(place: tuple[str, str]) -> Iterator[Registry]:
    """Repositories are free but where a profile knows only some; tags differ by test."""
    found = opened(place[0])
    yield found
    found.close()


@pytest.fixture
def tag() -> str:
    return f"1.{next(_NUMBERS)}"


def publish(
    registry: Registry, tag: str, text: bytes = b"text", repository: str = REPOSITORY
) -> bytes:
    """An image of one layer; gives its manifest."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "tag": tag}).encode()
    descriptors = []
    for kind, data in ((CONFIG, config), (LAYER, text)):
        registry.push_blob(repository, digest_of(data), Memory(data))
        descriptors.append({"mediaType": kind, "digest": digest_of(data), "size": len(data)})
    manifest = {
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": descriptors[0], "layers": descriptors[1:],
    }  # fmt: skip
    data = json.dumps(manifest).encode()
    assert registry.put_manifest(repository, tag, data) == digest_of(data)
    return data


def test_what_is_published_comes_back(registry: Registry, tag: str) -> None:
    text = tag.encode() * 1000
    data = publish(registry, tag, text)
    found = registry.get_manifest(REPOSITORY, tag)
    assert found is not None
    assert found == (data, digest_of(data), OCI_MANIFEST, digest_of(data))
    assert registry.get_manifest(REPOSITORY, found.digest) == found
    assert registry.get_blob(REPOSITORY, digest_of(text), len(text)) == text
    head = registry.head_manifest(REPOSITORY, tag)
    assert head == (found.digest, OCI_MANIFEST, len(data))
    assert registry.head_manifest(REPOSITORY, tag, push=True) == head
    assert tag in registry.list_tags(REPOSITORY)


def test_content_is_sent_once(registry: Registry, tag: str) -> None:
    data = tag.encode() * 7
    assert registry.push_blob(REPOSITORY, digest_of(data), Memory(data))
    assert not registry.push_blob(REPOSITORY, digest_of(data), Memory(data))


def test_the_same_manifest_under_another_tag(registry: Registry, tag: str) -> None:
    data = publish(registry, tag)
    registry.put_manifest(REPOSITORY, f"{tag}-alias", data)
    assert registry.get_manifest(REPOSITORY, f"{tag}-alias") == registry.get_manifest(
        REPOSITORY, tag
    )
    assert {tag, f"{tag}-alias"} <= set(registry.list_tags(REPOSITORY))


def test_large_content_goes_in_pieces(
    registry: Registry, tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "WHOLE", 100_000)
    monkeypatch.setattr(uploads, "CHUNK", 70_000)
    data = bytes(range(256)) * 900 + tag.encode()
    assert registry.push_blob(REPOSITORY, digest_of(data), Memory(data))
    assert registry.get_blob(REPOSITORY, digest_of(data), len(data)) == data


def test_what_is_not_there(registry: Registry, tag: str) -> None:
    publish(registry, tag)
    with pytest.raises(NotThereError) as caught:
        registry.get_manifest(REPOSITORY, "9.9")
    assert caught.value.remark.code in ("MANIFEST_UNKNOWN", "NAME_UNKNOWN")
    with pytest.raises(NotThereError):
        registry.head_manifest(REPOSITORY, "9.9", push=True)
    with pytest.raises(NotThereError):
        registry.get_manifest(REPOSITORY, digest_of(b"no such"))
    with pytest.raises(NotThereError):
        registry.get_blob(REPOSITORY, digest_of(b"no such"), 7)


def test_content_of_another_size(registry: Registry, tag: str) -> None:
    data = tag.encode() * 50
    registry.push_blob(REPOSITORY, digest_of(data), Memory(data))
    with pytest.raises(RegistryError) as caught:
        registry.get_blob(REPOSITORY, digest_of(data), len(data) - 1)
    assert caught.value.diagnostic.code.number == "E1015"


def test_a_digest_that_is_not_that_of_the_content(registry: Registry) -> None:
    with pytest.raises(RegistryError) as caught:
        registry.push_blob(REPOSITORY, digest_of(b"other"), Memory(b"data"))
    assert "DIGEST_INVALID" in str(caught.value.diagnostic.notes)


def test_a_manifest_of_content_that_is_missing(registry: Registry, tag: str) -> None:
    part = {"mediaType": CONFIG, "digest": digest_of(b"gone"), "size": 4}
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": part, "layers": []}
    with pytest.raises(RegistryError):
        registry.put_manifest(REPOSITORY, tag, json.dumps(manifest).encode())


def test_an_index_of_one_image_leads_to_it(place: tuple[str, str], tag: str) -> None:
    registry = opened(place[0])
    data = publish(registry, f"{tag}-amd64")
    entry = {"mediaType": OCI_MANIFEST, "digest": digest_of(data), "size": len(data)}
    index = json.dumps(
        {"schemaVersion": 2, "mediaType": INDEX, "manifests": [{**entry, "platform": AMD64}]}
    ).encode()
    registry.put_manifest(REPOSITORY, tag, index, INDEX)
    found = registry.get_manifest(REPOSITORY, tag)
    assert found == (data, digest_of(data), OCI_MANIFEST, digest_of(index))
    registry.close()


INDEX = "application/vnd.oci.image.index.v1+json"
AMD64 = {"os": "linux", "architecture": "amd64"}


@pytest.mark.parametrize("way", ["none", "wrong"])
def test_without_the_right_login(place: tuple[str, str], way: str) -> None:
    host, name = place
    if name in ("docker-registry", "fake plain"):
        return
    environment = {} if way == "none" else {**LOGIN, "ERYPHC_REGISTRY_PASSWORD": "canary4711"}
    registry = opened(host, environment=environment)
    for attempt in (
        lambda: registry.get_manifest(REPOSITORY, "1.0"),
        lambda: registry.list_tags(REPOSITORY),
        lambda: registry.push_blob(REPOSITORY, digest_of(b"x"), Memory(b"x")),
    ):
        with pytest.raises(RegistryError) as caught:
            attempt()
        diagnostic = caught.value.diagnostic
        assert diagnostic.code.number == ("E1003" if way == "none" else "E1004")
        assert "canary4711" not in f"{diagnostic} {diagnostic.message} {diagnostic.notes}"
    registry.close()


def test_another_tool_sees_the_same(place: tuple[str, str], tag: str, tmp_path: Path) -> None:
    """skopeo reads what we publish, and we read what skopeo publishes."""
    host, name = place
    skopeo = real.program("skopeo")
    registry = opened(host)
    data = publish(registry, tag)
    account = [] if name in ("docker-registry", "fake plain") else [f"{USER}:{PASSWORD}"]
    source, target = (f"docker://{host}/{REPOSITORY}:{each}" for each in (tag, f"{tag}-copy"))
    ways: list[list[str]] = [
        ["--src-tls-verify=false", *(["--src-creds", *account] if account else []), source,
         f"dir:{tmp_path}"],
        ["--dest-tls-verify=false", *(["--dest-creds", *account] if account else []),
         f"dir:{tmp_path}", target],
    ]  # fmt: skip
    for way in ways:
        command = [skopeo, "--insecure-policy", "copy", "--preserve-digests", *way]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "manifest.json").read_bytes() == data
    found = registry.get_manifest(REPOSITORY, f"{tag}-copy")
    assert found is not None
    assert found.data == data
    registry.close()
