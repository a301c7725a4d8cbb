"""A volume that is only described, to a verified file in the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from eryphc.diagnostics import registry as registry_wording
from eryphc.diagnostics import volumes as wording
from eryphc.diagnostics.model import Outcome
from eryphc.digests import Digest, Hashes
from eryphc.frozen import NamedTuple
from eryphc.ir.volume import Volume
from eryphc.lockfile.model import LockedDisk
from eryphc.net.addresses import is_loopback, read_address, shown_url
from eryphc.net.client import Client
from eryphc.net.download import LIST_LIMIT, Policy, client_for, fetch_file, fetch_list
from eryphc.net.faults import NetError
from eryphc.source import shown_path
from eryphc.volumes.checksums import find_digest, hash_file
from eryphc.volumes.faults import VolumeError, stated_format
from eryphc.volumes.headers import format_of_name
from eryphc.volumes.places import locked, opened, private_parent, stored

__all__ = ("Desk", "Heard", "Image", "Policy", "image_of", "published_disk", "wanted_digest")

Heard = Callable[[str, int, int | None], None]
"""Hears of a file how many bytes of how many have arrived."""


class Desk(NamedTuple):
    """What fetching needs: the cache, what may be fetched, and where progress is reported.

    `environment` names proxies and further certificates.
    """

    environment: Mapping[str, str]
    cache: Path
    policy: Policy
    heard: Heard
    waiting: Callable[[], None]


class Image(NamedTuple):
    """A disk image at hand. `fetched`: it came over the network in this run. `dated` is the address
    of one day that it came from, because the publisher has a newer one."""

    path: Path
    format: str
    sha256: str
    size: int
    fetched: bool
    dated: str | None = None


def wanted_digest(
    volume: Volume, policy: Policy, environment: Mapping[str, str]
) -> tuple[Digest, str]:
    """The digest that the publisher gives, and who says it. May ask the network.

    Raises VolumeError.
    """
    if volume.sha256 is not None:
        return Digest("sha256", volume.sha256.lower()), "the description"
    assert volume.checksums_url is not None  # noqa: S101 - a description has one of the two
    with _asking(environment) as client:
        text = fetch_list(client, volume.checksums_url, policy)
    shown = shown_url(volume.checksums_url)
    found = find_digest(text, volume.file or "")
    if isinstance(found, str):
        raise VolumeError(wording.checksum_list(shown, found), outside=True)
    return found, f"the list `{shown}`"


def published_disk(
    environment: Mapping[str, str], *, offline: bool
) -> Callable[[Volume], Outcome[LockedDisk]]:
    """Gives the digest that a publisher's list has for a described disk, each list asked once."""
    known: dict[tuple[str | None, str | None], Outcome[LockedDisk]] = {}

    def published(volume: Volume) -> Outcome[LockedDisk]:
        key = (volume.checksums_url, volume.file)
        if key not in known:
            known[key] = asked(volume)
        return known[key]

    def asked(volume: Volume) -> Outcome[LockedDisk]:
        url = volume.checksums_url or ""
        if offline:
            return Outcome(None, (registry_wording.offline(f"the list `{shown_url(url)}`"),))
        # This machine is asked over plain http, as registries on it are.
        policy = Policy(LIST_LIMIT, "any list of checksums", allow_http=_is_here(url))
        try:
            digest, _ = wanted_digest(volume, policy, environment)
        except VolumeError as fault:
            return Outcome(None, (fault.diagnostic,))
        return Outcome(LockedDisk(f"{digest.algorithm}:{digest.hex}"))

    return published


def _is_here(url: str) -> bool:
    try:
        return is_loopback(read_address(url).host)
    except ValueError:
        return False


def image_of(gene: str, volume: Volume, desk: Desk, pinned: LockedDisk | None = None) -> Image:
    """The pool's file, else the publisher's, verified. `pinned` is what a lock says of it.

    Raises VolumeError.
    """
    if volume.path is not None:
        return _at_hand(volume.path, volume.format, pinned)
    if volume.url is None:
        raise VolumeError(wording.no_source(gene), outside=False)
    if pinned is None:
        digest, said = wanted_digest(volume, desk.policy, desk.environment)
        return _fetched(volume, volume.url, digest, said, desk)
    digest = _digest(pinned)
    kept = _kept(volume, digest, desk)
    if kept is not None:
        return kept
    url = _address_now(gene, volume, pinned, desk)
    image = _fetched(volume, url, digest, "the lock", desk)
    return image if url == volume.url else image._replace(dated=url)


def _digest(pinned: LockedDisk) -> Digest:
    algorithm, _, digits = pinned.digest.partition(":")
    return Digest(algorithm, digits)


def _at_hand(path: Path, said: str | None, pinned: LockedDisk | None) -> Image:
    """The file of a pool; `said` is the format that its description says."""
    if not path.is_file():
        reason = "it is no plain file" if path.exists() else "there is no such file"
        raise VolumeError(wording.unreadable(shown_path(path), reason), outside=False)
    wanted = None if pinned is None else _digest(pinned)
    hashes = hash_file(path, "sha256" if wanted is None else wanted.algorithm)
    if wanted is not None and hashes[wanted.algorithm] != wanted.hex:
        found = hashes[wanted.algorithm]
        fault = wording.digest_differs(
            shown_path(path), wanted.algorithm, wanted.hex, found, "the lock"
        )
        raise VolumeError(fault, outside=False)
    kind = stated_format(path, shown_path(path), format_of_name(path) or said)
    return Image(path, kind, hashes["sha256"], path.stat().st_size, fetched=False)


def _address_now(gene: str, volume: Volume, pinned: LockedDisk, desk: Desk) -> str:
    """Where a pinned image can be had: the newest where it still is that, else the dated one."""
    assert volume.url is not None  # noqa: S101 - callers have looked
    wanted = _digest(pinned)
    try:
        newest, said = wanted_digest(volume, desk.policy, desk.environment)
    except VolumeError:
        if pinned.url is None:
            raise
        return pinned.url
    if newest == wanted:
        return volume.url
    if pinned.url is not None:
        return pinned.url
    if newest.algorithm != wanted.algorithm:
        # Which image that is shows only when it is here.
        return volume.url
    raise VolumeError(wording.moved_on(gene, said, pinned.digest, newest), outside=True)


def _kept(volume: Volume, digest: Digest, desk: Desk) -> Image | None:
    """What the cache has with this digest, without asking anybody."""
    place = stored(opened(desk.cache).root, digest)
    if not place.is_file():
        return None
    hashes = hash_file(place, digest.algorithm)
    if hashes[digest.algorithm] != digest.hex:
        return None
    return _image(volume, place, hashes, fetched=False)


def _fetched(volume: Volume, url: str, digest: Digest, said: str, desk: Desk) -> Image:
    policy = desk.policy
    if volume.size is not None:
        policy = policy._replace(
            limit=min(policy.limit, volume.size),
            limit_said=policy.limit_said if policy.limit < volume.size else "the description",
        )
    cache = opened(desk.cache)
    place = stored(cache.root, digest)
    private_parent(cache, place)
    with locked(cache, place, desk.waiting):
        hashes = hash_file(place, digest.algorithm) if place.is_file() else None
        fetched = hashes is None or hashes[digest.algorithm] != digest.hex
        if hashes is None or fetched:
            # A file of the cache whose digest is no longer the one in its name was damaged.
            place.unlink(missing_ok=True)
            name = url.rpartition("/")[2].partition("?")[0]
            with _asking(desk.environment) as client:
                hashes = fetch_file(
                    client,
                    url,
                    place,
                    digest,
                    said,
                    policy,
                    lambda done, total: desk.heard(name, done, total),
                )
    return _image(volume, place, hashes, fetched=fetched)


def _image(volume: Volume, place: Path, hashes: Hashes, *, fetched: bool) -> Image:
    name = shown_url(volume.url) if volume.url is not None else shown_path(place)
    kind = stated_format(place, name, volume.format)
    return Image(place, kind, hashes["sha256"], place.stat().st_size, fetched)


@contextmanager
def _asking(environment: Mapping[str, str]) -> Iterator[Client]:
    """A client for one file. What ends its work ends the work on the image."""
    client = client_for(environment)
    try:
        yield client
    except NetError as error:
        raise VolumeError(error.diagnostic, outside=error.outside) from None
    finally:
        client.close()
