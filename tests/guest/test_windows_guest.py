"""Windows guests: names, texts and everything that cloudbase-init drops."""

from __future__ import annotations

from functools import partial

import pytest

from eryphc.guest.compose import compose
from eryphc.guest.model import GuestKind
from eryphc.guest.windows_names import unique
from eryphc.ir.catlet import Fodder
from guest import feeding
from guest.feeding import fodder
from saying import handed_out
from work import grows_evenly

parts = partial(feeding.parts, guest=GuestKind.WINDOWS)
codes = partial(feeding.codes, guest=GuestKind.WINDOWS)

PS = "#ps1\nWrite-Host hi\n"


@pytest.mark.parametrize(
    ("text", "filename", "expected"),
    [
        pytest.param(PS, None, "setup.ps1", id="the marker gives the extension"),
        pytest.param("#ps1_sysnative\r\nx\r\n", None, "setup.ps1", id="64-bit marker, CR LF"),
        pytest.param("rem cmd\necho\n", None, "setup.cmd", id="batch marker"),
        pytest.param("#!/usr/bin/env python\nx\n", None, "setup.py", id="python marker"),
        pytest.param("#ps1_x86\nx\n", None, "setup", id="32 bits need a name without extension"),
        pytest.param("#ps1", None, "setup.ps1", id="marker without line feed"),
        pytest.param("Write-Host", "Enable RD.PS1", "Enable RD.PS1", id="the author's name stays"),
        pytest.param(PS, "grün.ps1", "grün.ps1", id="non-ASCII name stays"),
        pytest.param(PS, "setup.txt", "setup.txt.ps1", id="unknown extension gets one"),
        pytest.param("echo\n", "run.bat", "run.bat.cmd", id=".bat is no extension there"),
        pytest.param("rem cmd\necho\n", "run.txt", "run.txt.cmd", id="batch by its marker"),
        pytest.param("echo\n", "run.txt", "run.txt", id="nothing to choose by"),
        pytest.param("<powershell>x</powershell>", None, "setup", id="tags choose by themselves"),
    ],
)
def test_names(text: str, filename: str | None, expected: str) -> None:
    [part] = parts(fodder(text, "shellscript", "setup", filename=filename))
    assert part.name == expected
    assert part.media_type == "text/x-shellscript"


def test_equal_names_are_told_apart() -> None:
    names = [
        part.name
        for part in parts(
            fodder(PS, "shellscript", "a", filename="setup.ps1"),
            fodder(PS, "shellscript", "b", filename="Setup.ps1"),
            fodder(PS, "shellscript", "c", filename="setup-2.ps1"),
        )
    ]
    assert names == ["setup.ps1", "Setup-2.ps1", "setup-2-2.ps1"]


def test_one_part_a_fodder_in_order() -> None:
    made = parts(
        fodder("users: []\n", None, "a"),
        fodder(PS, "shellscript", "b"),
        fodder("runcmd: [dir]\n", "cloud-config", "c"),
    )
    assert [(part.name, part.media_type) for part in made] == [
        ("a", "text/cloud-config"),
        ("b.ps1", "text/x-shellscript"),
        ("c", "text/cloud-config"),
    ]
    assert feeding.text_of(made[0]) == "#cloud-config\nusers: []\n"
    assert [part.entries for part in made] == [(0,), (1,), (2,)]


@pytest.mark.parametrize(
    ("text", "filename", "expected"),
    [
        pytest.param("a\r\nb\n\0\0", "x.ps1", "a\nb\n", id="LF, no trailing NUL"),
        pytest.param("a\nb\r\nc", "x.cmd", "a\r\nb\r\nc", id="CR LF in a batch"),
        pytest.param("rem cmd\n", "x.bat", "rem cmd\r\n", id="CR LF in a .bat"),
        pytest.param("'grün'\n", "x.PS1", "\ufeff'grün'\n", id="byte order mark for PowerShell"),
        pytest.param("\ufeff'grün'\n", "x.ps1", "\ufeff'grün'\n", id="only one mark"),
        pytest.param("\ufeffx\n", "x.ps1", "x\n", id="no mark for ASCII"),
        pytest.param("#ps1_x86\n'ü'\n", None, "#ps1_x86\n'ü'\n", id="none before a marker"),
    ],
)
def test_texts(text: str, filename: str | None, expected: str) -> None:
    [part] = parts(fodder(text, "shellscript", filename=filename))
    assert feeding.text_of(part) == expected


@pytest.mark.parametrize(
    ("fodder_entries", "expected"),
    [
        pytest.param([fodder(PS, "shellscript")], [], id="a script of PowerShell"),
        pytest.param([fodder("x", "cloud-boothook")], ["W0570"], id="boothook"),
        pytest.param([fodder("- 'a: b'", "cloud-config-archive")], ["W0571"], id="archive"),
        pytest.param([fodder("http://x", "include-url")], ["W0570"], id="include"),
        pytest.param([fodder("http://x", "include-once-url")], ["W0570"], id="include once"),
        pytest.param([fodder("x", "upstart-job")], ["W0570"], id="upstart"),
        pytest.param(
            [fodder("## template: jinja\nhostname: x"), fodder(PS, "shellscript")],
            ["W0570"],
            id="template among others",
        ),
        pytest.param([fodder("## template: jinja\nusers: []\n")], [], id="template alone"),
        pytest.param(
            [fodder("import os\nimport pwd\n", "part-handler")],
            ["W0574"],
            id="part-handler for Linux",
        ),
        pytest.param([fodder("echo", "shellscript")], ["W0573"], id="no interpreter"),
        pytest.param([fodder("echo", "shellscript", filename="a.bat")], [], id=".bat alone"),
        pytest.param([fodder("#!/bin/sh\n", "shellscript")], ["W0574"], id="#! script"),
        pytest.param([fodder("ls", "shellscript", filename="a.sh")], ["W0574"], id=".sh"),
        pytest.param([fodder("#!/bin/sh\n", "shellscript", filename="a.ps1")], [], id="#! as .ps1"),
        pytest.param([fodder("x", "shellscript", filename="nul.ps1")], ["W0579"], id="device name"),
        pytest.param(
            [fodder("#ps1_x86\n", "shellscript", filename="a.ps1")], ["W0580"], id="32 bits lost"
        ),
        pytest.param([fodder("packages: [a]\n")], ["W0571"], id="key without support"),
        pytest.param([fodder("users: [{name: a, sudo: x}]\n")], ["W0571"], id="user key"),
        pytest.param([fodder("users: [default, {name: a, passwd: x}]\n")], [], id="user"),
        pytest.param([fodder("users: [{name: a, passwd: $6$s$x}]\n")], ["W0572"], id="hash"),
        pytest.param([fodder("hostname: x\n")], ["W0575"], id="host name"),
        pytest.param(
            [fodder("write_files: [{path: /etc/x, owner: a, defer: true}]\n")],
            ["W0571", "W0571", "W0578"],
            id="file of Linux",
        ),
        pytest.param(
            [fodder("write_files: [{path: /ProgramData/x, content: a}]\n")], [], id="rooted file"
        ),
        pytest.param(
            [fodder("write_files: [{path: '/program files (x86)/x', content: a}]\n")],
            [],
            id="rooted file with blanks",
        ),
        pytest.param([fodder(r"write_files: [{path: 'C:\x', content: a}]")], [], id="file"),
        pytest.param([fodder("ntp: {servers: [a], peers: [b]}\n")], ["W0571"], id="ntp"),
        pytest.param([fodder("runcmd: [[exit, 1003]]\n")], ["W0576"], id="exit in runcmd"),
        pytest.param([fodder("runcmd: [shutdown /r /t 0]\n")], ["W0577"], id="restart in runcmd"),
        pytest.param([fodder("exit 1001", "shellscript", filename="a.cmd")], [], id="1001 at last"),
        pytest.param(
            [fodder("exit 1001", "shellscript", filename="a.cmd"), fodder(PS, "shellscript")],
            ["W0576"],
            id="1001 before others",
        ),
        pytest.param(
            [fodder("exit 1003", "shellscript", filename="a.cmd"), fodder(PS, "shellscript")],
            ["N0552"],
            id="1003 before others",
        ),
        pytest.param(
            [
                fodder("# exit 1001\n$x = 1001", "shellscript", filename="a.ps1"),
                fodder(PS, "shellscript"),
            ],
            [],
            id="1001 in a comment",
        ),
        pytest.param(
            [fodder("Restart-Computer -Force", "shellscript", filename="a.ps1")],
            ["W0577"],
            id="restart",
        ),
        pytest.param(
            [fodder("runcmd: [a, b: c]\n")], ["warning[E0530]"], id="a map among commands"
        ),
        pytest.param([fodder("runcmd: [a, null]\n")], ["warning[E0530]"], id="nothing among them"),
        pytest.param([fodder("runcmd: a\n")], ["warning[E0530]"], id="one command as text"),
        pytest.param([fodder("runcmd: [a, [b, 1]]\n")], [], id="words of a command"),
        pytest.param([fodder("- a\n")], ["warning[E0502]"], id="no map of settings"),
        pytest.param([fodder("runcmd: [a]\na: b: c\n")], ["warning[E0501]"], id="no YAML"),
        pytest.param([fodder("runcmd: [a]\nruncmd: [b]\n")], ["W0505"], id="a key twice"),
        pytest.param([fodder("", "shellscript", filename="a.ps1")], ["W0554"], id="empty"),
    ],
)
def test_findings(fodder_entries: list[Fodder], expected: list[str]) -> None:
    assert codes(*fodder_entries) == expected


def test_no_secret_in_a_message() -> None:
    text = "write_files: [{path: /x, content: hidden}]\nusers: [{name: a, passwd: $6$hidden$x}]\n"
    one = fodder(text, secret=True)
    outcome = compose(feeding.request(one, guest=GuestKind.WINDOWS))
    assert len(outcome.diagnostics) == 2
    assert "hidden" not in repr(handed_out(outcome.diagnostics, one))


def test_names_are_told_apart_by_numbers() -> None:
    assert unique(["a.ps1", "A.ps1", "a-3.ps1", "a.ps1", "a.ps1", "b", "B"]) == [
        *("a.ps1", "A-2.ps1", "a-3.ps1", "a-4.ps1", "a-5.ps1", "b", "B-2"),
    ]


def test_thousands_of_equal_names_are_tried_once_each() -> None:
    assert grows_evenly(lambda count: unique(["a.ps1"] * count), 1_000)
    assert unique(["a.ps1"] * 20_000)[-1] == "a-20000.ps1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("hostname: one\t# set\n", False, id="a tab that libyaml takes"),
        pytest.param("groups: [a, why?]\n", False, id="a question mark that libyaml takes"),
        pytest.param("%FOO bar\n---\ngroups: [a]\n", True, id="a directive"),
        pytest.param('groups: ["\\ud83d"]\n', True, id="half a surrogate pair"),
    ],
)
def test_yaml_is_that_of_libyaml(text: str, expected: bool) -> None:  # noqa: FBT001
    """cloudbase-init asks PyYAML for `CLoader`."""
    found = codes(fodder(text), guest=GuestKind.WINDOWS)
    assert ("warning[E0501]" in found) == expected
