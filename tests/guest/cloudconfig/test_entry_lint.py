"""Entries at which a module of cloud-init ends: the real modules and `useradd` end there too."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from eryphc.diagnostics.model import Level
from eryphc.guest.cloudconfig.examine import examine
from guest.cloudconfig.entries import examine_parts, fodder, fodder_entries, merge
from guest.cloudconfig.test_consequences import SCRIPT
from guest.installed import SYSTEM_PYTHON, needs_measured_cloud_init
from saying import handed_out

B64 = base64.b64encode(b"hello").decode()
GZ64 = base64.b64encode(gzip.compress(b"hello")).decode()
CUT = base64.b64encode(gzip.compress(b"hello" * 99)[:-9]).decode()


def found(text: str) -> list[str]:
    outcome = merge(fodder_entries(text))
    assert outcome.value is not None, outcome.diagnostics
    numbers = ("E0568", "E0569", "W0567", "W0568", "W0569")
    return [each.code.number for each in examine(outcome.value) if each.code.number in numbers]


def users(*entries: str, groups: str = "[]") -> str:
    return f"groups: {groups}\nusers: [default, {', '.join(entries)}]"


def file(**keys: object) -> str:
    return "write_files: " + json.dumps([{"path": "/one", **keys}, {"path": "/two"}])


AFTER = "{name: after}"
# What ends its module in every guest: the module, and the configuration.
ENDS = {
    "own group": ("users_groups", users("{name: app}", AFTER, groups="[app]")),
    "own group in a map": ("users_groups", users("{name: app}", AFTER, groups="{app: [root]}")),
    "own group with members": ("users_groups", users("{name: app}", groups="[{app: [root]}]")),
    "own group in a text": (
        "users_groups",
        users("{name: b}", AFTER, groups="'a,b'"),
    ),
    "own group among his groups": (
        "users_groups",
        users("{name: bob, groups: [bob, sudo]}", AFTER),
    ),
    "own group of a text": ("users_groups", users("{name: bob, groups: 'sudo, bob'}", AFTER)),
    "group of another user": ("users_groups", users("{name: a, groups: [b]}", "{name: b}")),
    "main group of another user": (
        "users_groups",
        users("{name: a, groups: [sudo], primary_group: b}", "{name: b}"),
    ),
    "a name alone": ("users_groups", users("app", groups="[app]")),
    "a home that is not made": (
        "users_groups",
        users("{name: a, no_create_home: true, ssh_authorized_keys: [k]}", AFTER),
    ),
    "a system user with keys": (
        "users_groups",
        users("{name: a, system: true, ssh_import_id: [k]}", AFTER),
    ),
    "redirected with keys": (
        "users_groups",
        users("{name: a, ssh_redirect_user: true, ssh_authorized_keys: [k]}", AFTER),
    ),
    "redirected to a name": ("users_groups", users("{name: a, ssh_redirect_user: bob}", AFTER)),
    "no base64": ("write_files", file(encoding="b64", content="a")),
    "base64 without its end": ("write_files", file(encoding="base64", content="aGVsbG8")),
    "base64 with an umlaut": ("write_files", file(encoding="B64 ", content="aGVsbG8\u00fc")),
    "base64 but no gzip": ("write_files", file(encoding="gz+b64", content=B64)),
    "gzip but no base64": ("write_files", file(encoding="gzip+base64", content="abc")),
    "no gzip": ("write_files", file(encoding="gz", content="text")),
    "no gzip by another name": ("write_files", file(encoding="gzip", content="text")),
    "half of a gzip": ("write_files", file(encoding="gz+base64", content=CUT)),
}
# What no module ends at.
GOES_ON = {
    "his main group": users("{name: app, primary_group: app}", AFTER, groups="[app]"),
    "no group of his own": users("{name: app, no_user_group: true}", AFTER, groups="[app]"),
    "a user of the image": users("{name: root}", AFTER, groups="[root]"),
    "his group after him": users("{name: b}", "{name: a, groups: [b]}"),
    "no group is created": users("{name: a, groups: [sudo], create_groups: false}", AFTER),
    "redirected": users("{name: a, ssh_redirect_user: true}", AFTER),
    "redirected to the default": users("{name: a, ssh_redirect_user: default}", AFTER),
    "his main group is created": users("{name: a, groups: [x], primary_group: y}", AFTER),
    "base64": file(encoding="b64", content=B64),
    "base64 in lines": file(encoding="base64", content=f"{B64[:4]}\n  {B64[4:]}\n"),
    "gzip in base64": file(encoding="gz+b64", content=GZ64),
    "two of them": file(
        encoding="gzip+b64",
        content=base64.b64encode(gzip.compress(b"a") + gzip.compress(b"b") + b"\0\0").decode(),
    ),
    "an empty text": file(encoding="gz", content=""),
    "a text": file(encoding="text/plain", content="a"),
    "an unknown encoding": file(encoding="rot13", content="a"),
    "no content": file(encoding="gz+b64"),
    "no path": "write_files: [{encoding: b64, content: a}]",
}


def carried_out(*texts: str) -> list[dict[str, Any]]:
    needs_measured_cloud_init()
    done = subprocess.run(
        [SYSTEM_PYTHON, SCRIPT], input=json.dumps(texts), capture_output=True, check=True, text=True
    )
    result: list[dict[str, Any]] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("name", ENDS)
def test_what_takes_others_along_is_an_error(name: str) -> None:
    module, text = ENDS[name]
    assert found(text) == ["E0568" if module == "users_groups" else "E0569"]


@pytest.mark.parametrize("name", GOES_ON)
def test_what_does_not_is_no_error(name: str) -> None:
    assert found(GOES_ON[name]) == []


@pytest.mark.integration
def test_the_modules_of_a_guest_end_there_and_nowhere_else() -> None:
    seen = carried_out(*(text for _, text in ENDS.values()), *GOES_ON.values())
    for (name, (module, _)), each in zip(ENDS.items(), seen, strict=False):
        assert module in each["failed"], (name, each)
        after = [line for line in each["done"] if "after" in line or "/two" in line]
        assert not after, (name, each)
    for name, each in zip(GOES_ON, seen[len(ENDS) :], strict=True):
        assert not each["failed"], (name, each)


OTHERS = {
    "set_passwords": (
        "chpasswd: {list: [a:b, c]}",
        'chpasswd: {list: "a:b\\nc"}',
        "chpasswd: {users: [{password: x, type: text}]}",
    ),
    "mounts": ("mounts: [[], ['host:/x', /x]]", "mount_default_fields: [null, null, auto]"),
    "package_update_upgrade_install": (
        "packages: [[a, '1', b], c]",
        "packages: [[], c]",
        "packages: [{apt: [a]}, c]",
    ),
    "snap": ("snap: {commands: [[], 'install a']}",),
    "keyboard": ("keyboard: {model: pc105}",),
}


@pytest.mark.parametrize("text", [text for texts in OTHERS.values() for text in texts])
def test_what_ends_another_module_is_warned_of(text: str) -> None:
    assert found(text) == ["W0568"]


@pytest.mark.integration
def test_the_other_modules_end_there() -> None:
    cases = [(module, text) for module, texts in OTHERS.items() for text in texts]
    for (module, text), seen in zip(cases, carried_out(*(t for _, t in cases)), strict=True):
        assert list(seen["failed"]) == [module], (text, seen)


def test_a_user_without_a_name_is_warned_of() -> None:
    assert found("users: [{nmae: x}]") == ["W0568"]
    assert found("users: [{name: x}, x]") == []
    assert found("users: [{snapuser: joe@joeuser.io}]") == []


@pytest.mark.integration
def test_a_user_without_a_name_is_the_default_user() -> None:
    [seen] = carried_out("users: [{nmae: x, shell: /bin/x}]")
    made = [line for line in seen["done"] if line.startswith("useradd")]
    assert made == ["useradd debian --groups sudo --shell /bin/bash -m"]


# --- what useradd refuses ----------------------------------------------------------------------

# A key, its option, and values that are refused and taken.
OPTIONS = [
    ("gecos", "--comment", ("a:b", "a\nb"), ("Bob B.,,,",)),
    ("homedir", "--home", ("rel", "a:b"), ("/srv/bob",)),
    ("shell", "--shell", ("bash",), ("/bin/sh", "/no/such")),
    ("passwd", "--password", ("a:b",), ("$6$x$y", "!")),
    ("uid", "--uid", ("bob",), ("5005",)),
    ("inactive", "--inactive", ("never",), ("7", "-1")),
    ("expiredate", "--expiredate", ("never",), ("2030-01-31", "2030/01/31", "20000")),
]
NAMES = (("a b", "a:b", "a,b", "-a", "+a", "~a", "a" * 33), ("bob", "Bob", "a.b", "a@b", "bob$"))


def user(name: str = "bob", **keys: str) -> str:
    return "users: " + json.dumps(["default", {"name": name, **keys}])


@pytest.mark.parametrize(("key", "option", "refused", "taken"), OPTIONS)
def test_options_that_useradd_refuses(
    key: str, option: str, refused: tuple[str, ...], taken: tuple[str, ...]
) -> None:
    assert option.startswith("--")
    assert [found(user(**{key: value})) for value in refused] == [["E0568"]] * len(refused)
    assert [found(user(**{key: value})) for value in taken] == [[]] * len(taken)


def test_names_that_useradd_refuses() -> None:
    assert [found(user(name)) for name in NAMES[0]] == [["E0568"]] * len(NAMES[0])
    assert [found(user(name)) for name in NAMES[1]] == [[]] * len(NAMES[1])
    assert found(user(groups="sudo docker")) == ["E0568"]
    assert found(user(plain_text_passwd="one\ntwo")) == ["E0568"]  # noqa: S106
    assert found(users("{name: a, uid: 1001}", "{name: b, uid: 1001}")) == ["E0568"]


@pytest.mark.integration
def test_useradd_refuses_them(tmp_path: Path) -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin")
    needs_measured_cloud_init()
    if useradd is None or os.geteuid() != 0:
        pytest.skip("useradd asks for root")
    folder = tmp_path / "etc"
    folder.mkdir()
    for name in ("passwd", "group", "login.defs"):
        shutil.copy(Path("/etc") / name, folder / name)
    for name in ("shadow", "gshadow"):
        (folder / name).touch()

    def code(*words: str) -> int:
        command = [str(useradd), "--prefix", str(tmp_path), "-M", *words]
        return subprocess.run(command, capture_output=True, check=False).returncode

    for number, (_, option, refused, taken) in enumerate(OPTIONS):
        for each, value in enumerate((*refused, *taken)):
            ended = code(option, value, f"u{number}-{each}")
            assert bool(ended) is (each < len(refused)), (option, value, ended)
    assert all(code("--", name) for name in NAMES[0])
    assert not any(code("--", name) for name in NAMES[1])
    assert code("--groups", "sudo docker", "u1") == 6
    assert code("sudo") == 9
    assert [code("-u", "6001", "u2"), code("-u", "6001", "u3")] == [0, 4]
    assert code("-g", "nosuch", "u4") == 6


# --- what depends on the image, and how it is said ---------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(users("{name: sudo}"), ["W0567"], id="a group of images"),
        pytest.param(users("{name: a, primary_group: web}"), ["W0567"], id="no main group"),
        pytest.param(users("{name: a, primary_group: users}"), [], id="a main group of images"),
        pytest.param(users("{name: a, primary_group: '100'}"), [], id="a main group by number"),
        pytest.param(
            users("{name: web}", "{name: a, primary_group: web}"), [], id="that of another user"
        ),
        pytest.param(users("{name: www-data}", groups="[www-data]"), [], id="a user of images"),
        pytest.param(file(encoding="b64", content="aGV*sbG8="), ["W0569"], id="not of base64"),
        pytest.param(
            "write_files: [{path: /etc/a}, {path: /etc/a/b}]", ["E0569"], id="below a file"
        ),
        pytest.param("write_files: [{path: /etc/a}, {path: /etc/ab}]", [], id="beside a file"),
    ],
)
def test_what_depends_on_the_image(text: str, expected: list[str]) -> None:
    assert found(text) == expected


def test_the_way_out_is_named() -> None:
    outcome = merge(fodder_entries(users("{name: app}", groups="[app]")))
    assert outcome.value is not None
    [each] = handed_out(examine(outcome.value))
    assert each.level is Level.ERROR
    assert each.message == (
        "`users[app]` cannot be made: `groups` makes a group of this name before him"
    )
    assert each.help == (
        "`primary_group: app` gives him that group, `no_user_group: true` gives him none of his own"
    )


def test_a_password_is_never_told() -> None:
    secret = fodder(
        'users: [{name: hunter2, passwd: "hunter3:x", lock_passwd: false}]', secret=True
    )
    outcome = merge([secret])
    assert outcome.value is not None
    [each] = handed_out(examine(outcome.value), secret)
    assert "hunter3" not in f"{each}"


def test_parts_of_their_own_are_warned_of() -> None:
    [each] = examine_parts([fodder(file(encoding="b64", content="a"))])
    assert (each.code.number, each.level) == ("E0569", Level.WARNING)


def test_a_bomb_is_not_unpacked() -> None:
    bomb = base64.b64encode(gzip.compress(bytes(200_000_000), 9)).decode()
    assert found(file(encoding="gz+b64", content=bomb)) == []
