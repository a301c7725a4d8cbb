"""What is said against gene sets, asked for many of them at once and remembered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eryphc.genepool.oci.client import Registry
from eryphc.genepool.oci.copies import Copy
from eryphc.genepool.oci.notices import RegistryNotices
from eryphc.genepool.oci.statements import put_deprecation
from eryphc.genepool.pool_index import Deprecation
from eryphc.genepool.registry_names import names_of
from eryphc.identifiers import GeneSetId
from eryphc.store.content import Store
from eryphc.store.folder import open_folder
from eryphc.store.index import Index
from eryphc.store.metadata import Metadata
from genepool.oci.fake import Fake

MANY = {GeneSetId("acme", f"set{at}", "1.0"): f"sha256:{at:064}" for at in range(12)}
SAID = {geneset: Deprecation(reason=geneset.geneset) for geneset in list(MANY)[::2]}


@pytest.fixture
def notices(fake: Fake, registry: Registry, tmp_path: Path) -> Iterator[RegistryNotices]:
    names = names_of(registry.site.host, ("acme",), index="index:latest")
    copy = Copy(names, registry)
    for geneset, said in SAID.items():
        put_deprecation(copy, names.name(geneset), geneset, MANY[geneset], said)
    fake.server.asked.clear()
    store = Store(open_folder(tmp_path / "cache"))
    metadata = Metadata(Index(store.folder))
    yield RegistryNotices(names, lambda: store, lambda: (copy,), lambda: metadata, offline=False)
    metadata.close()


def test_many_are_asked_for_and_remembered(fake: Fake, notices: RegistryNotices) -> None:
    for _ in range(2):
        assert notices.deprecations(MANY) == SAID
        assert len(fake.server.asked) == len(MANY)
    first, *_ = MANY
    notices.forget(first, MANY[first])
    assert notices.deprecations(MANY) == SAID
    assert len(fake.server.asked) == len(MANY) + 1


def test_a_registry_that_fails_is_asked_no_more(fake: Fake, notices: RegistryNotices) -> None:
    fake.fault("GET", *[lambda handler: handler.answer(403)] * 100)
    assert notices.deprecations(MANY) == {}
    assert len(fake.server.asked) == 1


def test_what_came_before_a_fault_counts(fake: Fake, notices: RegistryNotices) -> None:
    fake.fault("GET /v2/acme/set11/", *[lambda handler: handler.answer(403)] * 100)
    assert notices.deprecations(MANY) == SAID


def test_nothing_is_asked_for_nothing(fake: Fake, notices: RegistryNotices) -> None:
    assert notices.deprecations({}) == {}
    assert fake.server.asked == []
