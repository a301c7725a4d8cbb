"""What cloudbase-init's own code makes of our user-data for Windows guests."""

from __future__ import annotations

import base64
from functools import partial

import pytest

from eryphc.guest.model import GuestKind
from guest import feeding
from guest.conftest import Reader
from guest.feeding import fodder

pytestmark = pytest.mark.integration

seed = partial(feeding.seed, guest=GuestKind.WINDOWS)


def test_parts_names_and_order(read_as_windows: Reader) -> None:
    made = seed(
        fodder("users:\n- name: Ädmin\n  passwd: Päss1\n", None, "admin", secret=True),
        fodder("#ps1\n'grün'\n", "shellscript", "greet"),
        fodder("rem cmd\necho ü\n", "shellscript", "batch", filename="späte datei.cmd"),
        fodder("Write-Host\n", "shellscript", "rd", filename="enable_rd.ps1"),
        fodder("#ps1_x86\n'x'\n", "shellscript", "old"),
        fodder("runcmd:\n- echo 1\n- [echo, '2']\n", None, "commands"),
        fodder("#cloud-boothook\n", "cloud-boothook", "hook"),
        fodder("Write-Host\n", "shellscript", "rd2", filename="enable_rd.ps1"),
    )
    events = read_as_windows(made.user_data.data)["events"]
    done = [event for event in events if event[0] in ("user", "run")]
    assert done[0] == ["user", "Ädmin", "Päss1"]
    runs = done[1:]
    assert [run[1:3] for run in runs] == [
        ["powershell", "greet.ps1"],
        ["cmd", "späte datei.cmd"],
        ["powershell", "enable_rd.ps1"],
        ["powershell-32", "(temporary).ps1"],
        ["cmd", "(temporary).cmd"],
        ["powershell", "enable_rd-2.ps1"],
    ]
    assert runs[0][3] == "\ufeff#ps1\n'grün'\n"
    assert runs[1][3] == "rem cmd\r\necho ü\r\n"
    assert runs[3][3] == "#ps1_x86\n'x'\n"
    assert runs[4][3] == "rem cmd\necho 1\necho 2\n"


def test_one_cloud_config_is_plain(read_as_windows: Reader) -> None:
    made = seed(fodder("\ufeff\r\nwrite_files:\r\n- path: C:\\x\r\n  content: ü\r\n"))
    assert made.user_data.data.startswith(b"#cloud-config\n")
    assert read_as_windows(made.user_data.data)["events"] == [["file", "C:\\x", "ü"]]


def test_one_template_is_rendered(read_as_windows: Reader) -> None:
    text = "## template: jinja\nwrite_files:\n- path: C:\\x\n  content: '{{ v1.local_hostname }}'\n"
    assert read_as_windows(seed(fodder(text)).user_data.data)["events"] == [
        ["file", "C:\\x", "rendered-host"]
    ]


@pytest.mark.parametrize("header", ["MIME-Version: 1.0", "Content-Type: multipart/mixed"])
def test_what_looks_like_mail_is_sent_as_a_part(read_as_windows: Reader, header: str) -> None:
    made = seed(fodder(f"# {header}\nwrite_files:\n- path: C:\\x\n  content: ü\n"))
    assert read_as_windows(made.user_data.data)["events"] == [["file", "C:\\x", "ü"]]


def test_nothing(read_as_windows: Reader) -> None:
    assert seed().user_data.data == b""
    assert read_as_windows(b"")["events"] == []


@pytest.mark.parametrize(("length", "made"), [(20, True), (21, False)])
def test_a_long_password_makes_no_user(
    read_as_windows: Reader,
    length: int,
    made: bool,  # noqa: FBT001
) -> None:
    text = f"users:\n- name: bob\n  passwd: {'x' * length}\nruncmd: [rest]\n"
    entry = fodder(text)
    events = read_as_windows(seed(entry).user_data.data)["events"]
    assert (["user", "bob", "x" * length] in events) is made
    assert events[-1][0] == "run"
    found = feeding.codes(entry, guest=GuestKind.WINDOWS)
    assert found == ([] if made else ["W0546"])


@pytest.mark.parametrize(
    ("code", "ran", "reported", "warned"),
    [
        pytest.param(1001, ["a.ps1"], (True, False), "W0576", id="1001 never runs the rest"),
        pytest.param(1003, ["a.ps1"], (True, True), "N0552", id="1003 runs all again"),
        pytest.param(1002, ["a.ps1", "b.ps1"], (False, False), "N0552", id="1002 has no effect"),
    ],
)
def test_exit_codes_are_as_warned(
    read_as_windows: Reader, code: int, ran: list[str], reported: tuple[bool, bool], warned: str
) -> None:
    fodder_entries = (
        fodder(f"#ps1\nexit {code}\n", "shellscript", "a"),
        fodder("#ps1\n", "shellscript", "b"),
    )
    assert feeding.codes(*fodder_entries, guest=GuestKind.WINDOWS) == [warned]
    result = read_as_windows(seed(*fodder_entries).user_data.data, {"a.ps1": code})
    assert [event[2] for event in result["events"]] == ran
    assert (result["reboot"], result["again"]) == reported


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: 1\n- b\n", "warning[E0501]"),
        ("- a\n", "warning[E0502]"),
        ("a: 0b_\n", "warning[E0503]"),
        ("a: =\n", "warning[E0503]"),
        ("timezone: UTC\n", None),
    ],
)
def test_a_cloud_config_that_cannot_be_loaded_is_dropped_whole(
    read_as_windows: Reader, text: str, code: str | None
) -> None:
    broken = fodder(text, None, "broken")
    other = fodder("write_files: [{path: 'C:\\x', content: x}]\n", None, "other")
    assert feeding.codes(broken, guest=GuestKind.WINDOWS) == ([code] if code else [])
    events = read_as_windows(seed(broken, other).user_data.data)["events"]
    assert events[-1] == ["file", "C:\\x", "x"]
    assert (len(events) == 1) is bool(code)


@pytest.mark.parametrize("marker", ["## template:jinja", "##template: jinja"])
def test_what_is_nearly_the_marker_of_a_template_is_rendered_by_nobody(
    read_as_windows: Reader, marker: str
) -> None:
    """cloudbase-init would take such a line, but the build begins with a marker of its own."""
    rest = "#cloud-config\nwrite_files: [{path: 'C:\\x', content: '{{ v1.local_hostname }}'}]\n"
    read = read_as_windows(seed(fodder(f"{marker}\n{rest}", None, "food")).user_data.data)
    assert read["events"] == [["file", "C:\\x", "{{ v1.local_hostname }}"]]
    read = read_as_windows(seed(fodder(f"## template: jinja\n{rest}", None, "food")).user_data.data)
    assert read["events"] == [["file", "C:\\x", "rendered-host"]]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I2Nsb3VkLWNvbmZpZwpydW5jbWQ6\nIFtkYXRlXQo=\n", "E0562"),
        (
            (
                'Content-Type: multipart/mixed; boundary="=="\nMIME-Version: 1.0\n\n'
                "--==\nContent-Type: text/cloud-config\n\n#cloud-config\nruncmd: [date]\n--==--\n"
            ),
            "E0563",
        ),
    ],
)
def test_what_is_encoded_is_taken_apart_by_nobody(
    read_as_windows: Reader, text: str, code: str
) -> None:
    """The build refuses it, so another part is exchanged for it."""
    assert feeding.codes(fodder(text), guest=GuestKind.WINDOWS) == [code]
    plain = "runcmd: [date]\n"
    data = seed(fodder(plain), fodder("timezone: UTC\n", None, "other")).user_data.data
    assert any(event[0] == "run" for event in read_as_windows(data)["events"])
    part = base64.b64encode(f"#cloud-config\n{plain}".encode())
    assert data.count(part) == 1
    data = data.replace(part, base64.b64encode(text.encode()))
    events = read_as_windows(data)["events"]
    assert not any(event[0] == "run" for event in events)
