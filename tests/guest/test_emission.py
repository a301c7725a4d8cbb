"""What each agent of a guest gets: names, order, what is opened, dropped or refused."""

from __future__ import annotations

import gzip
from base64 import b64encode
from typing import Any

import pytest
import yaml

from catlets import shown_code
from eryphc.guest.compose import compose
from eryphc.guest.model import AgentFrom, GuestAgent, GuestKind, MergeMode, Reader
from eryphc.source import SourceText
from guest import feeding
from guest.feeding import fodder
from saying import handed_out

CBI = Reader(GuestAgent.CLOUDBASE_INIT, AgentFrom.OPTION)
EGS = Reader(GuestAgent.EGS, AgentFrom.OPTION)
ASSUMED = Reader(GuestAgent.CLOUDBASE_INIT, AgentFrom.ASSUMED)
NUAGEINIT = Reader(GuestAgent.NUAGEINIT, AgentFrom.OPTION)
FREEBSD = Reader(GuestAgent.NUAGEINIT, AgentFrom.ASSUMED)
WINDOWS: dict[str, Any] = {"guest": GuestKind.WINDOWS}
PS, SH = "#ps1\nWrite-Host hi\n", "#!/bin/sh\necho hi\n"
CONFIG = "runcmd: [dir]\n"


def names(agent: Reader, *entries: Any) -> list[str]:
    return [part.name for part in feeding.parts(*entries, agent=agent, **WINDOWS)]


def codes(agent: Reader, *entries: Any, **more: Any) -> list[str]:
    asked = {**(WINDOWS if agent.word in (CBI.word, EGS.word) else {}), **more}
    return feeding.codes(*entries, agent=agent, **asked)


@pytest.mark.parametrize(
    ("text", "filename", "cbi", "egs", "assumed"),
    [
        pytest.param("rem cmd\n", "spät.cmd", "spät.cmd", "spat.cmd", "spat.cmd", id="marks"),
        pytest.param(PS, "日本.ps1", "日本.ps1", "__.ps1", "__.ps1", id="no Latin letters"),
        pytest.param(PS, "a;b.ps1", "a;b.ps1", "a_b.ps1", "a_b.ps1", id="semicolon"),
        pytest.param(PS, 'a"b.ps1', "a_b.ps1", "a_b.ps1", "a_b.ps1", id="quote"),
        pytest.param("#ps1_x86\nx\n", None, "food", "food.ps1", "food", id="32 bits"),
        pytest.param("Write-Host\n", None, "food", "food.ps1", "food", id="no interpreter"),
        pytest.param("rem cmd\necho\n", None, "food.cmd", "food.cmd", "food.cmd", id="batch"),
        pytest.param("echo\n", "a.bat", "a.bat.cmd", "a.bat", "a.bat.cmd", id=".bat"),
        pytest.param(SH, None, "food", "food", "food", id="a shell"),
    ],
)
def test_names(text: str, filename: str | None, cbi: str, egs: str, assumed: str) -> None:
    entry = fodder(text, "shellscript", filename=filename)
    assert [names(agent, entry) for agent in (CBI, EGS, ASSUMED)] == [[cbi], [egs], [assumed]]


def test_names_that_become_equal_are_told_apart() -> None:
    entries = (fodder(PS, "shellscript", filename=name) for name in ("ä.ps1", "a.ps1", "á.ps1"))
    assert names(EGS, *entries) == ["a.ps1", "a-2.ps1", "a-3.ps1"]


def test_what_is_32_bit_for_cloudbase_init_gets_its_mark_for_the_services_of_eryph() -> None:
    [part] = feeding.parts(fodder("#ps1_x86\n'ü'\n", "shellscript"), agent=EGS, **WINDOWS)
    assert feeding.text_of(part).startswith("\ufeff#ps1_x86")


def test_the_services_of_eryph_get_cloud_configs_first() -> None:
    entries = [fodder(PS, "shellscript", "one"), fodder(CONFIG, None, "two")]
    assert names(EGS, *entries) == ["two", "one.ps1"]
    assert names(ASSUMED, *entries) == names(CBI, *entries) == ["one.ps1", "two"]


@pytest.mark.parametrize("agent", [CBI, EGS, ASSUMED])
def test_archives_are_opened(agent: Reader) -> None:
    archive = f"- content: '{CONFIG.strip()}'\n- {{type: text/x-shellscript, content: '#ps1'}}\n"
    entries = [fodder(archive, "cloud-config-archive", "a")]
    assert names(agent, *entries) == ["a-1", "a-2.ps1"]


@pytest.mark.parametrize("agent", [CBI, EGS, ASSUMED])
@pytest.mark.parametrize("text", ["", "# only this\n", "{}\n", "#cloud-config\n", "null\n"])
def test_cloud_configs_without_keys_are_dropped(agent: Reader, text: str) -> None:
    entries = [fodder(text, None, "empty"), fodder(PS, "shellscript", "one")]
    assert names(agent, *entries) == ["one.ps1"]
    assert codes(agent, *entries) == ["W0554"]


@pytest.mark.parametrize(("agent", "code"), [(EGS, "error[W0554]"), (ASSUMED, "W0554")])
def test_they_stay_where_parts_are_asked_for(agent: Reader, code: str) -> None:
    entry = fodder("# only this\n", None, "empty")
    assert codes(agent, entry, merge=MergeMode.PARTS) == [code]


JINJA = fodder("## template: jinja\nruncmd: [x]\n")
INCLUDE = fodder("http://x", "include-url")
HANDLER = fodder("def list_types(): pass\n", "part-handler")
SCRIPT = fodder(PS, "shellscript")


@pytest.mark.parametrize(
    ("entries", "cbi", "egs", "assumed"),
    [
        pytest.param([JINJA], [], ["E0557"], ["W0570"], id="a template alone"),
        pytest.param([JINJA, SCRIPT], ["W0570"], ["E0557"], ["W0570"], id="a template with more"),
        pytest.param([INCLUDE], ["W0570"], [], ["W0570"], id="an include alone"),
        pytest.param([INCLUDE, SCRIPT], ["W0570"], [], ["note[W0570]"], id="an include with more"),
        pytest.param([HANDLER], [], ["W0570"], ["W0570"], id="a part-handler alone"),
        pytest.param([HANDLER, SCRIPT], [], ["W0570"], ["note[W0570]"], id="one with more"),
        pytest.param(
            [fodder("x", "cloud-boothook")], ["W0570"], ["W0570"], ["W0570"], id="a boothook"
        ),
    ],
)
def test_parts_that_an_agent_ignores(
    entries: list[Any], cbi: list[str], egs: list[str], assumed: list[str]
) -> None:
    found = [codes(agent, *entries) for agent in (CBI, EGS, ASSUMED)]
    parts = [[code for code in each if "W0570" in code or "E0557" in code] for each in found]
    assert parts == [cbi, egs, assumed]


# --- nuageinit -----------------------------------------------------------------------------------


def test_nuageinit_gets_one_plain_cloud_config() -> None:
    made = feeding.seed(
        fodder("runcmd: [[echo, a b], ls]\n", None, "a"),
        fodder(SH, "shellscript", "one"),
        fodder("runcmd: [last]\npackages: [x]\n", None, "c"),
        agent=NUAGEINIT,
    )
    data = made.user_data.data
    assert data.startswith(b"#cloud-config\n")
    path = "/var/lib/eryphc/scripts/002-one"
    assert yaml.safe_load(data) == {
        "packages": ["x"],
        "write_files": [{"path": path, "permissions": "0700", "content": SH}],
        "runcmd": ["echo 'a b'", "ls", path, "last"],
    }
    assert made.document.parts[0].entries == (0, 1, 2)


def test_a_secret_script_stays_secret() -> None:
    [part] = feeding.parts(fodder(SH, "shellscript", secret=True), agent=NUAGEINIT)
    assert part.secret


@pytest.mark.parametrize(
    "entry", [JINJA, INCLUDE, fodder(f"#cloud-boothook\n{SH}", "cloud-boothook")]
)
def test_what_does_not_fit_is_an_error_or_sent_as_cloud_init_takes_it(entry: Any) -> None:
    stated = compose(feeding.request(entry, agent=NUAGEINIT))
    assert shown_code(stated.diagnostics[0]) == "E0591"
    assert stated.value is None
    assumed = compose(feeding.request(entry, agent=FREEBSD))
    assert shown_code(assumed.diagnostics[0]) == "warning[E0591]"
    assert assumed.value is not None
    names = [(part.name, feeding.text_of(part)) for part in assumed.value.parts]
    assert names == [(part.name, feeding.text_of(part)) for part in feeding.document(entry).parts]


ENTRY = "eth0: {match: {macaddress: '52:54:00:00:00:01'}, dhcp4: true"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"version: 2\nethernets: {{{ENTRY}}}}}\n", [], id="plain"),
        pytest.param(
            f"network:\n  version: 2\n  ethernets: {{{ENTRY}}}}}\n", ["E0591"], id="a key around"
        ),
        pytest.param(
            f"version: 2\nethernets: {{{ENTRY}, routes: [{{to: 0.0.0.0/0, via: 10.0.0.1}}]}}}}\n",
            ["E0591"],
            id="routes",
        ),
        pytest.param("version: 1\nconfig: []\n", ["E0591"], id="version 1"),
    ],
)
def test_a_network_config_of_another_form(text: str, expected: list[str]) -> None:
    file, user = SourceText("net.yaml", text), fodder("users: [{name: a, lock_passwd: false}]\n")
    assert codes(NUAGEINIT, user, network_file=file) == expected
    assert codes(FREEBSD, user, network_file=file) == [f"warning[{code}]" for code in expected]
    assert codes(Reader(GuestAgent.CLOUD_INIT, AgentFrom.OPTION), user, network_file=file) == []


# --- host names and passwords --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hostname", "cbi", "egs"),
    [
        ("averyverylongname", ["W0557"], ["W0557"]),
        ("averyverylongn-ame", ["W0557"], ["error[W0557]"]),
        ("12345", ["W0558"], ["error[W0558]"]),
        ("web01", [], []),
    ],
)
def test_host_names(hostname: str, cbi: list[str], egs: list[str]) -> None:
    found = [codes(agent, hostname=hostname) for agent in (CBI, EGS, ASSUMED)]
    assert found == [cbi, egs, cbi]


@pytest.mark.parametrize("length", [20, 21])
def test_cloudbase_init_makes_no_user_of_a_long_password(length: int) -> None:
    password = "Ab1-5" * 4 + "x" * (length - 20)
    entry = fodder(f"users: [{{name: bob, passwd: {password}}}]\n")
    assert codes(CBI, entry) == (["W0546"] if length > 20 else [])
    assert codes(EGS, entry) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("runcmd: [x]\n", ["W0548"], id="no users"),
        pytest.param("users: [default, {name: a}]\n", ["W0548"], id="default"),
        pytest.param("users: [{name: a}]\n", [], id="others"),
    ],
)
def test_the_account_that_nuageinit_makes(text: str, expected: list[str]) -> None:
    assert [code for code in codes(NUAGEINIT, fodder(text)) if "W0548" in code] == expected
    assert [code for code in codes(FREEBSD, fodder(text)) if "W0548" in code] == [
        f"note[{code}]" for code in expected
    ]


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        *((zone, []) for zone in ("Europe/Berlin", "Etc/GMT+1", "UTC", "UTC-02", "Japan")),
        ("W. Europe Standard Time", []),
        *((zone, ["E0596"]) for zone in ("Berlin", "CEST", "Europe/", "GMT+01:00")),
    ],
)
def test_time_zones(zone: str, expected: list[str]) -> None:
    entry = fodder(f"timezone: '{zone}'\n")
    assert codes(EGS, entry) == expected
    assert codes(ASSUMED, entry) == [f"warning[{code}]" for code in expected]
    assert codes(CBI, entry) == []


def packed(data: bytes) -> str:
    return b64encode(gzip.compress(data, mtime=0)).decode()


@pytest.mark.parametrize(
    ("encoding", "content", "expected"),
    [
        ("b64", "aGVsbG8=", []),
        ("b64", "no base64!", ["E0597"]),
        ("gz+b64", packed(b"hello"), []),
        ("gz+b64", packed(bytes(64 * 1024 * 1024)), []),
        ("gz+b64", packed(b"hello")[:-8], ["E0597"]),
        ("gz+b64", "aGVsbG8=", ["E0597"]),
        ("text/plain", "no base64!", []),
    ],
)
def test_content_that_does_not_decode(encoding: str, content: str, expected: list[str]) -> None:
    text = f"write_files: [{{path: 'C:\\x', encoding: {encoding}, content: '{content}'}}]\n"
    assert codes(EGS, fodder(text)) == expected
    assert codes(ASSUMED, fodder(text)) == [f"note[{code}]" for code in expected]
    assert codes(CBI, fodder(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "timezone: hidden\n",
        "locale: hidden_DE\n",
        "users: [hidden]\n",
        "chpasswd: {expire: false, list: 'hidden:x'}\n",
        "runcmd: [[echo, hidden], set hidden=1, x]\n",
        "users: [{name: bob, passwd: hidden}]\n",
        "write_files: [{path: 'C:\\x', encoding: b64, content: hidden!}]\n",
        "users: [{name: bob, passwd: hidden-and-far-too-long-for-one}]\n",
    ],
)
@pytest.mark.parametrize("agent", [CBI, EGS, ASSUMED])
def test_values_of_secret_entries_are_not_shown(agent: Reader, text: str) -> None:
    entry = fodder(text, secret=True)
    found = compose(feeding.request(entry, agent=agent, **WINDOWS)).diagnostics
    assert "hidden" not in repr(handed_out(found, entry))
