"""Volumes of a tag: files, or descriptions of them."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catlets import write_pool
from eryphc.genepool.volumes import read_descriptor
from eryphc.identifiers import Architecture, GeneType
from eryphc.source import SourceText
from genepool.pools import tag_of
from saying import said

DESCRIPTOR = f"format: qcow2\nurl: https://example.org/a.img\nsha256: {'AB' * 32}\nsize: 12\n"


def test_volumes_are_files_or_descriptions(tmp_path: Path) -> None:
    pool = write_pool(
        tmp_path,
        {
            "acme/kit/1.0": {
                "volumes/sda.yaml": DESCRIPTOR,
                "volumes/hyperv/amd64/sda.vhdx": "",
                "volumes/kvm/SDA.qcow2": "",
                "volumes/notes.txt": "",
            }
        },
    )
    tag = tag_of(pool)
    assert tag.names(GeneType.VOLUME) == ("sda",)
    found = {v.architecture: v.volume for v in tag.variants(GeneType.VOLUME, "sda").value or ()}
    described = found[Architecture("any", "any")]
    assert described is not None
    assert (described.path, described.sha256, described.size) == (None, "ab" * 32, 12)
    at_hand = found[Architecture("hyperv", "amd64")]
    assert at_hand is not None
    assert at_hand.path is not None
    assert at_hand.format == "vhdx"
    assert Architecture("kvm", "any") in found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("url: https://e.org/a\nsha256: " + "0" * 64, "`format`", id="no format"),
        pytest.param("format: raw\nsha256: " + "0" * 64, "`url`", id="no address"),
        pytest.param("format: raw\nurl: https://e.org/a\n", "`sha256`", id="no digest"),
        pytest.param(
            "format: raw\nurl: https://e.org/a\nchecksums_url: https://e.org/SUMS\n",
            "`file`",
            id="a list without the file's name",
        ),
        pytest.param("format: iso\nurl: https://e.org/a\nsha256: " + "0" * 64, "one of", id="kind"),
        pytest.param("format: raw\nurl: file:///etc/a\nsha256: " + "0" * 64, "http", id="scheme"),
        pytest.param("format: raw\nurl: https://e.org/a\nsha256: 12", "64 hex", id="short digest"),
        pytest.param(DESCRIPTOR.replace("12", "-1"), "bytes", id="size"),
        pytest.param("- a\n", "no mapping", id="a list"),
    ],
)
def test_a_description_that_is_wrong(tmp_path: Path, text: str, problem: str) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {"volumes/sda.yaml": text}})
    found = tag_of(pool).variants(GeneType.VOLUME, "sda")
    assert found.value is None
    assert [d.code.number for d in found.diagnostics] == ["E0317"]
    assert problem in said(found.diagnostics[0]).message


@given(
    st.sampled_from(["http://", "https://", "HTTPS://", "ftp://", "https:", "//", ""]),
    st.text("aZ09.-_~%+/:?#@[]\\ \t\nü", max_size=12),
)
def test_an_address_is_what_the_library_says(scheme: str, rest: str) -> None:
    """Plain ones are judged without it."""
    url = scheme + rest
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.netloc) and url.isprintable()
    except ValueError:
        right = False
    text = f"format: raw\nurl: {json.dumps(url)}\nsha256: {'0' * 64}\n"
    assert (read_descriptor(SourceText("sda.yaml", text)).value is not None) == right


def test_an_unknown_key_of_a_description_is_a_warning(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {"volumes/sda.yaml": DESCRIPTOR + "sise: 1\n"}})
    found = tag_of(pool).variants(GeneType.VOLUME, "sda")
    assert found.value
    assert [(d.code.number, said(d).help) for d in found.diagnostics] == [
        ("W0320", "did you mean `size`?")
    ]
