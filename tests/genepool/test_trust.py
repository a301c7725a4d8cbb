"""Policies by themselves, with a real store, real seals and the real `ssh-keygen`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from catlets import write_pool
from eryphc.diagnostics.store import store_damaged
from eryphc.genepool.image import ImageType, document_image, manifest_of
from eryphc.genepool.image_reader import ImageError, stored_config
from eryphc.genepool.signatures import signed_manifest
from eryphc.genepool.trust import Notes, NotTrustedError, Policy, Rule, admit_all
from eryphc.store.content import Store
from eryphc.store.faults import StoreError
from eryphc.store.folder import open_folder
from eryphc.store.seals import Seals
from genepool.images import MOTD, motd
from genepool.pools import KIT
from signers import signer

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="no ssh-keygen")

CI, EVE = "ci@acme.example", "eve@other.example"
PLAIN = manifest_of(motd())
CONFIG = stored_config(motd().config, "here")
OWN = Seals(b"own" * 20, shared=False)


def signed(*who: str) -> bytes:
    manifest = PLAIN
    for each in who:
        manifest = signed_manifest(manifest, CONFIG.data, signer(each).key, "here")
    return manifest


def by_ci() -> Rule:
    return Rule(("acme",), signer(CI).line().encode())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(open_folder(tmp_path / "cache", lambda _damage: None))


def policy(store: Store, *rules: Rule, seals: Seals = OWN) -> Policy:
    return Policy(store.folder.root.parent, rules, Notes(lambda: store, lambda: seals))


def test_who_signed(store: Store) -> None:
    found = policy(store, by_ci()).admit(CONFIG, signed(CI), "here")
    assert found == f"{CI} {signer(CI).fingerprint}"
    assert admit_all(CONFIG, PLAIN, "here") is None


def test_a_note_stands_for_a_signature(store: Store) -> None:
    mine = policy(store, by_ci())
    first = mine.admit(CONFIG, signed(CI), "here")
    for manifest in (signed(CI), PLAIN, b"", None):
        assert policy(store, by_ci()).admit(CONFIG, manifest, "here") == first
    note = store.note(CONFIG.identity, by_ci().digest)
    assert note is not None
    assert OWN.opened("eryphc-trust/1", note) is not None


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda: by_ci()._replace(organizations=("acme", "x")), id="organizations"),
        pytest.param(lambda: by_ci()._replace(signers=("*@acme.example",)), id="signers"),
        pytest.param(lambda: by_ci()._replace(keys=signer(CI).line().encode() + b"#"), id="keys"),
    ],
)
def test_a_note_of_another_policy(store: Store, other: Callable[[], Rule]) -> None:
    policy(store, by_ci()).admit(CONFIG, signed(CI), "here")
    with pytest.raises(NotTrustedError, match="not signed"):
        policy(store, other()).admit(CONFIG, PLAIN, "here")
    assert other().digest != by_ci().digest


def test_what_does_not_change_a_policy() -> None:
    assert by_ci()._replace(called="x", place=None).digest == by_ci().digest


def test_a_note_with_another_seal(store: Store) -> None:
    foreign = Seals(b"foreign" * 9, shared=True)
    policy(store, by_ci(), seals=foreign).admit(CONFIG, signed(CI), "here")
    with pytest.raises(NotTrustedError, match="not signed"):
        policy(store, by_ci()).admit(CONFIG, PLAIN, "here")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"identity":1}',
        b"not json",
        b'{"identity":"x","key":"k","policy":"p","principal":"ci"}',
        b'{"identity": "x"}',
    ],
)
def test_sealed_notes_that_say_something_else(store: Store, body: bytes) -> None:
    store.put_note(CONFIG.identity, by_ci().digest, OWN.sealed("eryphc-trust/1", body))
    with pytest.raises(NotTrustedError, match="not signed"):
        policy(store, by_ci()).admit(CONFIG, PLAIN, "here")


def test_a_note_under_the_name_of_another(store: Store) -> None:
    policy(store, by_ci()).admit(CONFIG, signed(CI), "here")
    note = store.note(CONFIG.identity, by_ci().digest)
    assert note is not None
    wider = by_ci()._replace(organizations=("*",))
    store.put_note(CONFIG.identity, wider.digest, note)
    with pytest.raises(NotTrustedError):
        policy(store, wider).admit(CONFIG, PLAIN, "here")


def test_without_a_store_everything_is_checked_each_time() -> None:
    def none() -> Store:
        raise StoreError(store_damaged("all of it"))

    mine = Policy(Path(), (by_ci(),), Notes(none, lambda: OWN))
    assert mine.admit(CONFIG, signed(CI), "here") is not None
    with pytest.raises(NotTrustedError):
        mine.admit(CONFIG, PLAIN, "here")


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ((), "is not signed, and the project asks"),
        ((EVE,), "is signed by nobody whom the project trusts"),
    ],
)
def test_nobody_who_is_trusted(store: Store, who: tuple[str, ...], says: str) -> None:
    with pytest.raises(NotTrustedError, match=says) as refused:
        policy(store, by_ci()).admit(CONFIG, signed(*who), "corp:acme/motd/1.0")
    assert refused.value.diagnostic.code.number == "E1022"
    assert store.note(CONFIG.identity, by_ci().digest) is None


def test_a_form_without_signatures(store: Store) -> None:
    with pytest.raises(NotTrustedError, match="holds no signatures"):
        policy(store, by_ci()).admit(CONFIG, None, "public:acme/motd/1.0")


def test_what_is_no_manifest(store: Store) -> None:
    with pytest.raises(ImageError):
        policy(store, by_ci()).admit(CONFIG, b"{}", "here")


@pytest.mark.parametrize(
    ("rules", "asked"),
    [
        pytest.param([("acme", True)], True, id="its organization"),
        pytest.param([("*", True)], True, id="all"),
        pytest.param([("a?me", True)], True, id="a pattern"),
        pytest.param([("ACME", True)], True, id="capitals"),
        pytest.param([("acm", True)], False, id="a part of it"),
        pytest.param([], False, id="no rule"),
        pytest.param([("acme", False), ("*", True)], False, id="nothing first"),
        pytest.param([("*", True), ("acme", False)], True, id="nothing later"),
        pytest.param([("other", False), ("acme", True)], True, id="others first"),
    ],
)
def test_the_first_rule_counts(store: Store, rules: list[tuple[str, bool]], asked: object) -> None:
    made = [Rule((glob,), b"keys" if signature else None) for glob, signature in rules]
    assert (policy(store, *made).rule(MOTD) is not None) == asked


def test_documents_are_signed_for_themselves(store: Store) -> None:
    mine = policy(store, by_ci())
    for type_ in (ImageType.INDEX, ImageType.DEPRECATION):
        image = document_image(type_, b"{}\n")
        plain = manifest_of(image)
        good = signed_manifest(plain, image.config, signer(CI).key, "here", type_)
        other = signed_manifest(plain, image.config, signer(CI).key, "here")
        assert mine.believes(MOTD, type_, image.config, good, "here")
        assert not mine.believes(MOTD, type_, image.config, plain, "here")
        assert not mine.believes(MOTD, type_, image.config, other, "here")
        assert policy(store).believes(MOTD, type_, image.config, plain, "here")


def test_folders(tmp_path: Path, store: Store) -> None:
    """Those of the project are used, others only where nothing is asked."""
    project = store.folder.root.parent / "project"
    elsewhere = tmp_path / "elsewhere"
    sets = {"acme/kit/1.0": {"catlet.yaml": "cpu: 2\n"}, "free/kit/1.0": {"catlet.yaml": "cpu: 2"}}
    own, other = write_pool(project / "genes", sets), write_pool(elsewhere, sets)
    mine = Policy(project, (by_ci(),), Notes(lambda: store, lambda: OWN))
    assert mine.folder_pool(own) is own
    guarded = mine.folder_pool(other)
    refused = guarded.find(KIT)
    assert refused is not None
    assert [each.code.number for each in refused.diagnostics] == ["E1022"]
    free = guarded.find(KIT._replace(organization="free"))
    assert free is not None
    assert free.value is not None
    assert guarded.find(KIT._replace(tag="2.0")) is None
    assert guarded.label == other.label
