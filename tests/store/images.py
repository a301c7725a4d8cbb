"""Configs and manifests of gene sets, as far as the store looks into them."""

from __future__ import annotations

from collections.abc import Iterable

from eryphc.canonical import Json, canonical, digest_of

SIGNATURE = "a.signature"


def config(*texts: bytes) -> bytes:
    files: list[Json] = [{"digest": digest_of(text), "size": len(text)} for text in texts]
    return canonical({"files": files})


def manifest(config: bytes, *, signed: bool = False, words: Iterable[str] = ()) -> bytes:
    annotations = dict.fromkeys(words, "") | ({SIGNATURE: "good"} if signed else {})
    return canonical({"annotations": annotations, "config": {"digest": digest_of(config)}})


def is_signed(manifest: bytes) -> bool:
    return SIGNATURE.encode() in manifest
