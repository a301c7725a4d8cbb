"""A volume that is only described, to a verified file in the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from eryphc.diagnostics import volumes as wording
from eryphc.digests import Digest
from eryphc.frozen import NamedTuple
from eryphc.ir.volume import DiskFault, Volume
from eryphc.net.addresses import shown_url
from eryphc.net.client import Client
from eryphc.net.download import Policy, client_for, fetch_file, fetch_list
from eryphc.net.faults import NetError
from eryphc.source import shown_path
from eryphc.volumes.checksums import find_digest, hash_file
from eryphc.volumes.faults import VolumeError
from eryphc.volumes.headers import read_header
from eryphc.volumes.places import locked, opened, private_parent, stored

__all__ = ("Desk", "Heard", "Image", "Policy", "image_of", "wanted_digest")

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
    """A disk image at hand. `fetched`: it came over the network in this run."""

    path: Path
    format: str
    sha256: str
    size: int
    fetched: bool


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


def image_of(gene: str, volume: Volume, desk: Desk) -> Image:
    """The pool's file, else the publisher's, verified. Raises VolumeError."""
    if volume.path is not None:
        header = read_header(volume.path)
        if isinstance(header, DiskFault):
            diagnostic = wording.unreadable(shown_path(volume.path), header.reason)
            raise VolumeError(diagnostic, outside=False)
        sha256 = hash_file(volume.path)["sha256"]
        return Image(volume.path, header.format, sha256, header.size, fetched=False)
    if volume.url is None:
        raise VolumeError(wording.no_source(gene), outside=False)
    policy = desk.policy
    if volume.size is not None:
        policy = policy._replace(
            limit=min(policy.limit, volume.size),
            limit_said=policy.limit_said if policy.limit < volume.size else "the description",
        )
    digest, said = wanted_digest(volume, desk.policy, desk.environment)
    cache = opened(desk.cache)
    place = stored(cache.root, digest)
    private_parent(cache, place)
    with locked(cache, place, desk.waiting):
        hashes = hash_file(place, digest.algorithm) if place.is_file() else None
        fetched = hashes is None or hashes[digest.algorithm] != digest.hex
        if hashes is None or fetched:
            # A file of the cache whose digest is no longer the one in its name was damaged.
            place.unlink(missing_ok=True)
            name = volume.url.rpartition("/")[2].partition("?")[0]
            with _asking(desk.environment) as client:
                hashes = fetch_file(
                    client,
                    volume.url,
                    place,
                    digest,
                    said,
                    policy,
                    lambda done, total: desk.heard(name, done, total),
                )
    kind = volume.format
    if kind in (None, "img"):
        header = read_header(place)
        kind = "raw" if isinstance(header, DiskFault) else header.format
    return Image(place, str(kind), hashes["sha256"], place.stat().st_size, fetched)


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
