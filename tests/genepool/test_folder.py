"""Folder pools in the published layout: what is found, what is refused, what is read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from catlets import write_pool
from eryphc.genepool.folder import FolderPool
from eryphc.identifiers import GeneType
from genepool.pools import KIT, fodder, tag_of, variants


def test_a_link_out_of_the_pool_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("name: tls\nfodder: [{name: a, content: secret}]\n", encoding="utf-8")
    root = tmp_path / "genes"
    pool = write_pool(root, {"acme/kit/1.0": {"fodder/own.yaml": fodder("own")}})
    (root / "acme/kit/1.0/fodder/tls.yaml").symlink_to(secret)
    (root / "acme/kit/1.0/catlet.yaml").symlink_to(secret)
    tag = tag_of(pool)
    found = tag.variants(GeneType.FODDER, "tls")
    assert not found.value
    assert [d.code.number for d in found.diagnostics] == ["E0312"]
    variant = (tag.variants(GeneType.CATLET, "catlet").value or ())[0]
    assert [d.code.number for d in tag.read(variant).diagnostics] == ["E0312"]
    assert variants(tag, GeneType.FODDER, "own") == {"any": "own.yaml"}


def test_a_tag_folder_that_is_a_link_out_is_refused(tmp_path: Path) -> None:
    write_pool(tmp_path / "other", {"acme/kit/1.0": {"catlet.yaml": "cpu: 2\n"}})
    root = tmp_path / "genes"
    (root / "acme/kit").mkdir(parents=True)
    (root / "acme/kit/1.0").symlink_to(tmp_path / "other/acme/kit/1.0")
    found = FolderPool(root).find(KIT)
    assert found is not None
    assert [d.code.number for d in found.diagnostics] == ["E0312"]


def test_links_inside_the_pool_are_followed(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {"fodder/tls.yaml": fodder("tls")}})
    (tmp_path / "acme/kit/1.0/catlet.yaml").write_text("cpu: 2\n", encoding="utf-8")
    (tmp_path / "acme/kit/1.0/fodder/again.yaml").symlink_to("tls.yaml")
    assert variants(tag_of(pool), GeneType.FODDER, "tls") == {"any": "tls.yaml"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {"fodder/tls.yaml": fodder("tls")}})
    os.mkfifo(tmp_path / "acme/kit/1.0/fodder/pipe.yaml")
    assert variants(tag_of(pool), GeneType.FODDER, "tls") == {"any": "tls.yaml"}
