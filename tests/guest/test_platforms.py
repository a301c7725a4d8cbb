"""What each platform takes: the form of user-data, its limit, and guests that read it back."""

from __future__ import annotations

import json
import random
import subprocess
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest

from eryphc import BuildRequest, Session, Target, target_options
from eryphc.diagnostics.model import Level
from eryphc.guest import model
from eryphc.guest.document import GuestDocument
from eryphc.guest.encode import PLAIN, Encoded, Form
from eryphc.guest.model import GuestKind
from eryphc.guest.platforms import (
    BY_NAME,
    PLATFORMS,
    Counts,
    Platform,
    budget,
    encodings,
    payload,
)
from eryphc.targets.user_data.options import NAMES
from guest.conftest import READERS, SYSTEM_PYTHON, Reader
from guest.feeding import document, fodder
from saying import said

LIMITED = [platform for platform in PLATFORMS if platform.limit is not None]
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

EGS = model.Reader(model.GuestAgent.EGS, model.AgentFrom.OPTION)


def raw(size: int) -> Encoded:
    return Encoded(b"x" * size, PLAIN)


def largest(platform: Platform) -> int:
    """The bytes of the largest user-data that fits as text."""
    assert platform.limit is not None
    in_base64 = platform.base64 and platform.counts is Counts.TEXT
    return platform.limit // 4 * 3 if in_base64 else platform.limit


def made(platform: Platform, size: int, guest: GuestKind = GuestKind.LINUX) -> list[Level]:
    """The levels of what is said of a payload of one size in each form."""
    of = document(fodder("packages: [a]\n"))._replace(guest=guest)
    found = payload(of, {form: raw(size) for form in Form}, platform)
    return [each.level for each in budget(found, None)]


def test_the_command_line_knows_the_platforms() -> None:
    assert tuple(BY_NAME) == NAMES


@pytest.mark.parametrize("platform", LIMITED, ids=lambda platform: platform.name)
def test_a_limit_is_exact(platform: Platform) -> None:
    most = largest(platform)
    over = Level.ERROR if platform.firm else Level.WARNING
    assert made(platform, most) == [Level.NOTE]
    assert made(platform, most + 1) == [over]
    assert made(platform, most * 9 // 10 + 3) == [Level.NOTE]
    assert made(platform, most * 89 // 100) == []


def test_base64_is_counted_where_it_stands_in_the_field() -> None:
    for size in (0, 1, 2, 3, 4, 1000, 1001):
        text = len(b64encode(b"x" * size))
        assert BY_NAME["openstack"].counted(Form.SEED, size) == text
        assert BY_NAME["hetzner"].counted(Form.SEED, size) == size
        assert BY_NAME["hetzner"].counted(Form.GZIP, size) == text
        assert BY_NAME["azure"].counted(Form.GZIP, size) == size


def test_the_first_form_that_fits_is_taken() -> None:
    of = document(fodder("packages: [a]\n"))
    forms = {Form.SEED: raw(20_000), Form.COMPACT: raw(16_384), Form.GZIP: raw(5_000)}
    assert payload(of, forms, BY_NAME["azure"]).form is Form.SEED
    assert payload(of, forms, BY_NAME["ec2"]).form is Form.COMPACT
    assert payload(of, {**forms, Form.COMPACT: raw(16_385)}, BY_NAME["ec2"]).form is Form.GZIP


def test_where_none_fits_it_is_the_smallest() -> None:
    of = document(fodder("packages: [a]\n"))
    forms = {Form.SEED: raw(90_000), Form.COMPACT: raw(80_000), Form.GZIP: raw(5_000)}
    found = payload(of, forms, BY_NAME["digitalocean"])
    assert (found.form, found.fits) == (Form.COMPACT, False)


def test_a_form_that_is_not_the_first_is_told() -> None:
    of = document(fodder("packages: [a]\n"))
    forms = {Form.SEED: raw(20_000), Form.COMPACT: raw(9_000), Form.GZIP: raw(5_000)}
    (note,) = budget(payload(of, forms, BY_NAME["ec2"]), None)
    assert note.level is Level.NOTE
    assert "in the form `compact`" in said(note).message


def test_windows_on_azure_never_gets_gzip() -> None:
    assert made(BY_NAME["azure"], 65_536, GuestKind.WINDOWS) == [Level.ERROR]
    of = document(fodder("packages: [a]\n"))
    forms = {Form.SEED: raw(70_000), Form.COMPACT: raw(70_000), Form.GZIP: raw(5_000)}
    windows = payload(of._replace(guest=GuestKind.WINDOWS), forms, BY_NAME["azure"])
    assert (windows.form, windows.fits) == (Form.SEED, False)
    assert payload(of, forms, BY_NAME["azure"]).form is Form.GZIP
    services = payload(of._replace(guest=GuestKind.WINDOWS), forms, BY_NAME["azure"], EGS)
    assert services.form is Form.GZIP
    assert payload(of._replace(guest=GuestKind.WINDOWS), forms, BY_NAME["ec2"]).form is Form.GZIP


def test_entries_and_the_rest_make_the_bytes_of_the_seed() -> None:
    of = document(
        fodder("packages: [a]\n", None, "one"),
        fodder("#!/bin/sh\necho ü\n", "shellscript", "two"),
    )
    found = payload(of, encodings(of), BY_NAME["generic"])
    assert [entry.size for entry in found.entries] == [14, 18]
    assert 14 + 18 + found.other == found.sizes[Form.SEED]


def test_the_largest_entries_are_named() -> None:
    entries = [fodder(f"# {'x' * size}\npackages: [a]\n", None, f"f{size}") for size in range(9)]
    of = document(*entries)
    (error,) = budget(payload(of, {form: raw(70_000) for form in Form}, BY_NAME["ec2"]), None)
    assert "`f8` 25, `f7` 24, `f6` 23, `f5` 22, `f4` 21" in said(error).notes[1]
    assert "`f3`" not in said(error).notes[1]


def _mixed() -> GuestDocument:
    noise = random.Random(7)  # noqa: S311
    text = "".join(noise.choices("abcdefghij klmnop\n", k=3000))
    return document(
        fodder("packages: [a]\nruncmd:\n- echo ü\n", None, "one"),
        fodder(f"#!/bin/sh\n: <<'X'\n{text}\nX\n", "shellscript", "ascii"),
        fodder("#!/bin/sh\necho grün\n", "shellscript", "umlaut", filename="10 grü.sh"),
        fodder(f"#!/bin/sh\necho {'y' * 2000}\n", "shellscript", "long"),
        fodder("#cloud-boothook\n#!/bin/sh\necho\n", "cloud-boothook", "hook"),
        fodder("#!/bin/sh\necho end without a line feed", "shellscript", "last"),
    )


@pytest.mark.integration
def test_cloud_init_reads_the_same_from_each_form(read_as_linux: Reader) -> None:
    forms = encodings(_mixed())
    read = {form: read_as_linux(encoded.data) for form, encoded in forms.items()}
    assert read[Form.SEED]["warnings"] == []
    assert len(read[Form.SEED]["scripts"]) == 4
    assert read[Form.COMPACT] == read[Form.SEED]
    assert read[Form.GZIP] == read[Form.SEED]
    assert b"7bit" in forms[Form.COMPACT].data


@pytest.mark.integration
def test_cloudbase_init_reads_the_same_from_the_compact_form(read_as_windows: Reader) -> None:
    of = document(
        fodder("#ps1_sysnative\nWrite-Output 1\n", "shellscript", "one"),
        fodder("#cloud-config\nset_timezone: UTC\n", None, "two"),
        guest=GuestKind.WINDOWS,
    )
    forms = encodings(of)
    assert read_as_windows(forms[Form.COMPACT].data) == read_as_windows(forms[Form.SEED].data)


@pytest.mark.integration
@pytest.mark.parametrize("spec", ["prod-server.yaml", "fleet/web-prod.yaml"])
@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
def test_a_guest_of_each_platform_gets_what_the_iso_holds(
    platform: Platform, spec: str, read_as_linux: Reader
) -> None:
    session = Session(EXAMPLES)
    request = BuildRequest(
        values={"apiKey": "k", "dbPassword": "longenough"},
        other_values=True,
        targets=(target_options(Target.USER_DATA, {"--platform": [platform.name]}),),
    )
    iso = session.build(EXAMPLES / spec, Target.CLOUD_INIT, request)
    built = session.build(EXAMPLES / spec, Target.USER_DATA, request)
    assert iso.ok, iso.diagnostics
    assert built.ok, built.diagnostics
    data = built.files["user-data"].content
    assert isinstance(data, bytes)
    assert platform.limit is None or platform.takes(
        Form.GZIP if data.startswith(b"\x1f\x8b") else Form.SEED, len(data)
    )
    in_base64 = built.files.get("user-data.b64")
    if in_base64 is not None:
        assert isinstance(in_base64.content, bytes)
        assert b64decode(in_base64.content, validate=True) == data
    seed = iso.files["nocloud/user-data"].content
    assert isinstance(seed, bytes)
    assert read_as_linux(data) == read_as_linux(seed)


@pytest.mark.integration
@pytest.mark.parametrize("spec", ["prod-server.yaml", "fleet/web-prod.yaml"])
def test_cloud_inits_azure_source_gives_back_custom_data(
    spec: str, read_as_linux: Reader, tmp_path: Path
) -> None:
    session = Session(EXAMPLES)
    request = BuildRequest(
        values={"apiKey": "k", "databasePassword": "longenough"}, other_values=True
    )
    built = session.build(EXAMPLES / spec, Target.AZURE, request)
    iso = session.build(EXAMPLES / spec, Target.CLOUD_INIT, request)
    assert built.ok, built.diagnostics
    name = next(name for name in PARAMETERS if b"customData" in data_of(built, name))
    value = json.loads(data_of(built, name))["parameters"]["customData"]["value"]
    file = tmp_path / "custom-data"
    file.write_text(value, encoding="ascii")
    reader = READERS / "read_custom_data_with_cloud_init.py"
    done = subprocess.run(
        [SYSTEM_PYTHON, reader, file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    given = b64decode(done.stdout)
    assert given == data_of(built, "user-data")
    assert read_as_linux(given) == read_as_linux(data_of(iso, "nocloud/user-data"))


def data_of(built: Any, name: str) -> bytes:
    data = built.files[name].content if name in built.files else b""
    assert isinstance(data, bytes)
    return data


PARAMETERS = ("main.parameters.json", "secrets.parameters.json")
