"""Which size of machine is chosen, and what is said of one that was named."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eryphc.diagnostics import azure as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import Own, Said
from eryphc.targets.azure.sizes import (
    Chosen,
    Lack,
    Need,
    NoneFits,
    Size,
    SizeRequest,
    TooSmall,
    UnknownSize,
    default_size,
    lacks,
    named_size,
    size_list,
)
from places import NO_SIZES, SIZES
from saying import said
from targets.azure.renew_sizes import PACKAGED, packaged

GIB = 1024
BY_NAME = {size.name: size for size in size_list().sizes}

REQUESTS = st.builds(
    SizeRequest,
    cpus=st.integers(1, 240),
    memory_mib=st.integers(1, 12_582_912 // 128).map(lambda blocks: blocks * 128),
    data_disks=st.integers(0, 64),
    interfaces=st.integers(0, 8),
    generation=st.sampled_from((1, 2)),
    trusted_launch=st.booleans(),
    nested_virtualization=st.booleans(),
    architecture=st.sampled_from(("x64", "Arm64")),
)


def chosen(request: SizeRequest) -> Size:
    answer = default_size(request)
    assert isinstance(answer, Chosen)
    return answer.size


@pytest.mark.parametrize(
    ("cpus", "gib", "name", "vcpus", "has_gib"),
    [
        (1, 1, "Standard_B2ts_v2", 2, 1),
        (1, 2, "Standard_B2ls_v2", 2, 4),
        (1, 4, "Standard_B2ls_v2", 2, 4),
        (2, 2, "Standard_B2ls_v2", 2, 4),
        (2, 4, "Standard_B2ls_v2", 2, 4),
        (2, 16, "Standard_E2s_v5", 2, 16),
        (4, 16, "Standard_B4s_v2", 4, 16),
        (6, 12, "Standard_B8ls_v2", 8, 16),
        (6, 16, "Standard_B8ls_v2", 8, 16),
        (8, 12, "Standard_B8ls_v2", 8, 16),
        (8, 16, "Standard_B8ls_v2", 8, 16),
        (8, 32, "Standard_B8s_v2", 8, 32),
        (8, 64, "Standard_E8s_v5", 8, 64),
        (16, 128, "Standard_E16s_v5", 16, 128),
        (48, 96, "Standard_D48ls_v5", 48, 96),
        (96, 512, "Standard_E96s_v5", 96, 672),
    ],
)
def test_the_published_table(cpus: int, gib: int, name: str, vcpus: int, has_gib: int) -> None:
    size = chosen(SizeRequest(cpus, gib * GIB))
    assert (size.name, size.vcpus, size.memory_mib) == (name, vcpus, has_gib * GIB)


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        pytest.param(SizeRequest(1, GIB + 128), "Standard_B2ls_v2", id="memory in parts of a GiB"),
        pytest.param(SizeRequest(1, GIB, data_disks=5), "Standard_B4ls_v2", id="data disks"),
        pytest.param(SizeRequest(1, GIB, interfaces=3), "Standard_D8ls_v5", id="interfaces"),
        pytest.param(
            SizeRequest(1, GIB, nested_virtualization=True), "Standard_D2ls_v5", id="nested"
        ),
        pytest.param(SizeRequest(1, GIB, generation=1), "Standard_B2ts_v2", id="generation 1"),
        pytest.param(SizeRequest(1, GIB, trusted_launch=True), "Standard_B2ts_v2", id="tpm"),
    ],
)
def test_what_a_catlet_needs_besides(request_: SizeRequest, name: str) -> None:
    assert chosen(request_).name == name


def test_none_fits() -> None:
    answer = default_size(SizeRequest(100, 128 * GIB))
    assert isinstance(answer, NoneFits)
    assert answer.nearest.name == "Standard_D96ls_v5"
    assert answer.lacks == (Lack(Need.VCPUS, 100, 96),)
    assert answer.other is not None
    assert (answer.other.name, answer.other.nvme_only) == ("Standard_D128as_v7", True)
    nothing = default_size(SizeRequest(4, 4 * GIB, architecture="Arm64"))
    assert isinstance(nothing, NoneFits)
    assert nothing.nearest.name == "Standard_B4ls_v2"
    assert nothing.lacks == (Lack(Need.ARCHITECTURE, 1, 0),)
    assert nothing.other is None


@given(REQUESTS)
def test_the_choice_is_the_first_that_holds_the_request(request_: SizeRequest) -> None:
    answer = default_size(request_)
    fits = [size for size in size_list().by_default if not lacks(size, request_)]
    if isinstance(answer, Chosen):
        assert answer.size == fits[0]
        assert (answer.size.vcpus, answer.size.memory_mib) == min(
            (size.vcpus, size.memory_mib) for size in fits
        )
        assert named_size(answer.size.name, request_) == answer
    else:
        assert not fits
        assert answer.lacks == lacks(answer.nearest, request_) != ()
        if answer.other is not None:
            assert named_size(answer.other.name, request_) == Chosen(answer.other)


@given(st.sampled_from(size_list().sizes), REQUESTS)
def test_a_figure_is_told_exactly_when_it_is_too_small(size: Size, request_: SizeRequest) -> None:
    found = {lack.need for lack in lacks(size, request_)}
    assert (Need.VCPUS in found) == (size.vcpus < request_.cpus)
    assert (Need.MEMORY in found) == (size.memory_mib < request_.memory_mib)
    assert (Need.DATA_DISKS in found) == (size.max_data_disks < request_.data_disks)
    assert (Need.INTERFACES in found) == (size.max_interfaces < request_.interfaces)
    assert (Need.GENERATION in found) == (request_.generation not in size.generations)


def test_a_name_is_known_in_any_letter_case() -> None:
    answer = named_size("STANDARD_b4S_V2", SizeRequest(4, GIB))
    assert answer == Chosen(BY_NAME["Standard_B4s_v2"])


def test_a_named_size_may_retire_or_have_nvme_alone() -> None:
    for name in ("Standard_B2s", "Standard_D2s_v6"):
        assert named_size(name, SizeRequest(2, GIB)) == Chosen(BY_NAME[name])


def test_a_named_size_that_is_too_small() -> None:
    request_ = SizeRequest(4, 12 * GIB, data_disks=5, interfaces=3, nested_virtualization=True)
    answer = named_size("standard_b2s_v2", request_)
    assert answer == TooSmall(
        BY_NAME["Standard_B2s_v2"],
        (
            Lack(Need.VCPUS, 4, 2),
            Lack(Need.MEMORY, 12 * GIB, 8 * GIB),
            Lack(Need.DATA_DISKS, 5, 4),
            Lack(Need.INTERFACES, 3, 2),
            Lack(Need.NESTED_VIRTUALIZATION, 1, 0),
        ),
    )
    assert named_size("Standard_D2s_v6", SizeRequest(1, GIB, generation=1)) == TooSmall(
        BY_NAME["Standard_D2s_v6"], (Lack(Need.GENERATION, 1, 2),)
    )


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        pytest.param("Standard_D4s_v9", None, id="a size of another day"),
        pytest.param("B2s_V2", "Standard_B2s_v2", id="without its first word"),
        pytest.param("", None, id="nothing"),
        pytest.param("\u017ftandard_B2s_v2", None, id="a letter that only looks like one"),
        pytest.param("[evil('x')]", None, id="an expression"),
    ],
)
def test_a_name_that_the_list_lacks(name: str, meant: str | None) -> None:
    assert named_size(name, SizeRequest(1, GIB)) == UnknownSize(name, "2026-03-10", meant)


def test_the_list() -> None:
    sizes = size_list().sizes
    assert len(sizes) == 106
    assert {size.series for size in size_list().by_default} == {"Bsv2", "Dlsv5", "Dsv5", "Esv5"}
    for size in size_list().by_default:
        assert not size.nvme_only
        assert size.generations == (1, 2)
        assert size.retires is None
    assert {size.series for size in sizes if size.needs_accelerated_networking} == {
        "Dlsv5", "Dsv5", "Esv5",
    }  # fmt: skip
    assert {size.generations for size in sizes if size.nvme_only} == {(2,)}
    assert {size.retires for size in sizes if size.series == "Bv1"} == {"2028-11-15"}


def test_the_packaged_list_is_the_collected_one() -> None:
    if not SIZES.is_file():
        pytest.skip(NO_SIZES)
    made = packaged(json.loads(SIZES.read_text("utf-8")))
    assert PACKAGED.read_bytes() == made.encode("ascii")


def text(diagnostic: Diagnostic) -> list[str]:
    told = said(diagnostic)
    return [told.message, *told.notes, *([told.help] if told.help else [])]


def test_what_is_said() -> None:
    none = default_size(SizeRequest(100, 700 * GIB + 128))
    assert isinstance(none, NoneFits)
    assert none.other is not None
    assert text(
        wording.azure_size_none(
            Own(none.nearest.name),
            none.lacks,
            Own(none.other.name),
            Own(size_list().date),
            None,
            other_is_nvme=none.other.nvme_only,
        )
    ) == [
        "none of the sizes that are chosen by default can hold the catlet",
        (
            "the nearest is `Standard_E96s_v5`: it has 96 vcpus, and 100 are asked for; "
            "it has 672 GiB of memory, and 716,928 MiB are asked for"
        ),
        "the list of sizes is of 2026-03-10",
        "the image must have NVMe drivers for `Standard_D192s_v6`",
        "`--azure-size Standard_D192s_v6` would hold it",
    ]
    small = named_size("standard_b2s_v2", SizeRequest(1, GIB, nested_virtualization=True))
    assert isinstance(small, TooSmall)
    assert text(
        wording.azure_size_too_small(
            Own(small.size.name), small.lacks, Own("Standard_D2ls_v5"), None
        )
    ) == [
        "the size `Standard_B2s_v2` cannot hold the catlet: no virtual machine can run in it",
        "`Standard_D2ls_v5` holds it, and is chosen when none is named",
    ]
    assert text(
        wording.azure_size_unknown(Said("b2s_v2"), Own("2026-03-10"), Own("Standard_B2s_v2"), None)
    ) == [
        "the list of Azure's sizes of 2026-03-10 has no `b2s_v2`",
        "the size is used as it is written, and nobody checks what it can hold",
        "did you mean `Standard_B2s_v2`?",
    ]


@given(st.sampled_from(size_list().sizes), REQUESTS)
def test_every_lack_has_words(size: Size, request_: SizeRequest) -> None:
    found = lacks(size, request_)
    message = said(wording.azure_size_too_small(Own(size.name), found, None, None)).message
    assert message.count(";") == max(0, len(found) - 1)
