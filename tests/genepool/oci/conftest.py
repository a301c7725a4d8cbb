"""A registry that can be told how to answer, and a client of somebody without a login."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from eryphc.genepool.oci.client import Registry
from eryphc.genepool.oci.endpoint import Site, client_for
from eryphc.net.credentials import Keychain
from genepool.oci.fake import Fake, faking


@pytest.fixture
def fake() -> Iterator[Fake]:
    with faking() as found:
        yield found


@pytest.fixture
def registry(fake: Fake) -> Iterator[Registry]:
    site = Site("corp", fake.server.address.removeprefix("http://"))
    found = Registry(site, client_for(site, {}), Keychain({}, (site.host,), hear=print), seconds=5)
    yield found
    found.close()
