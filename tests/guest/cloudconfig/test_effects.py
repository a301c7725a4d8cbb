"""What messages say of a cloud-config in a Linux guest is what cloud-init's modules do.

Each test has an input of which the message is said and one of which it is not.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from eryphc.guest.cloudconfig.emit import write
from eryphc.guest.cloudconfig.examine import examine
from guest.cloudconfig.entries import fodder_entries, merge
from guest.cloudconfig.test_consequences import SCRIPT
from guest.feeding import codes, fodder
from guest.installed import SYSTEM_PYTHON, needs_measured_cloud_init

pytestmark = pytest.mark.integration

REAL_FILES = Path(__file__).with_name("real_files.py")


def said(*texts: str) -> set[str]:
    """The codes of what is said of fodder entries with these texts, and of their merging."""
    outcome = merge(fodder_entries(*texts))
    assert outcome.value is not None, outcome.diagnostics
    return {each.code.number for each in (*outcome.diagnostics, *examine(outcome.value))}


def merged(*texts: str) -> str:
    """The one cloud-config that the guest gets of them."""
    outcome = merge(fodder_entries(*texts))
    assert outcome.value is not None, outcome.diagnostics
    return write(outcome.value.root).text


def carried_out(*configs: str) -> list[dict[str, Any]]:
    """What the modules of the guest do with each cloud-config."""
    needs_measured_cloud_init()
    done = subprocess.run(
        [SYSTEM_PYTHON, SCRIPT],
        input=json.dumps(configs),
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result: list[dict[str, Any]] = json.loads(done.stdout)
    return result


def file_of(seen: dict[str, Any], ending: str) -> str | None:
    """The last text that was written to the file."""
    return next((text for path, text in reversed(seen["files"]) if path.endswith(ending)), None)


def lines(seen: dict[str, Any], *beginnings: str) -> list[str]:
    return [line for line in seen["done"] if line.startswith(beginnings)]


def settings(seen: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """What depends on the configuration alone, and neither on the time nor on what was asked."""
    done = [line for line in seen["done"] if not line.startswith("systemd-detect-virt")]
    return done, [each for each in seen["files"] if each[0].startswith("/etc/")]


# --- commands ----------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["{echo a: b}", "true", "7"])
def test_with_one_command_that_is_none_no_command_runs(wrong: str) -> None:
    run, boot, good = f"runcmd: [date, {wrong}]", f"bootcmd: [date, {wrong}]", "[date, [date, a]]"
    right = f"runcmd: {good}\nbootcmd: {good}"
    assert (said(run), said(boot), said(right)) == ({"E0530"}, {"E0530"}, set())
    of_run, of_boot, of_right = carried_out(run, boot, right)
    assert list(of_run["failed"]) == ["runcmd"]
    assert file_of(of_run, "/runcmd") is None
    assert list(of_boot["failed"]) == ["bootcmd"]
    assert not lines(of_boot, "/bin/sh")
    assert not of_right["failed"]
    assert file_of(of_right, "/runcmd") == "#!/bin/sh\ndate\n'date' 'a'\n"
    assert len(lines(of_right, "/bin/sh")) == 1


def test_an_empty_command_is_passed_over_since_21_4() -> None:
    """Before, it ended all: https://github.com/canonical/cloud-init/issues/3498."""
    empty = "runcmd: [date, null]"
    assert said(empty) == {"N0531"}
    [seen] = carried_out(empty)
    assert (seen["failed"], file_of(seen, "/runcmd")) == ({}, "#!/bin/sh\ndate\n")


@pytest.mark.parametrize(
    ("command", "code", "printed"),
    [
        ("exit 0", "W0542", "one\n"),
        ("exec true", "W0542", "one\n"),
        ("set -e", "W0542", "one\ntwo\n"),
        ("cd /", "W0542", "one\ntwo\n/\n"),
        ("( exit 0 )", None, None),
        ("( cd / )", None, None),
    ],
)
def test_commands_reach_those_of_others(
    command: str, code: str | None, printed: str | None, tmp_path: Path
) -> None:
    texts = (f"runcmd: [echo one, {command}]", "runcmd: [echo two, 'false', pwd]")
    assert said(*texts) == ({code} if code else set())
    [seen] = carried_out(merged(*texts))
    script = tmp_path / "runcmd"
    script.write_text(file_of(seen, "/runcmd") or "")
    done = subprocess.run(["sh", script], cwd=tmp_path, capture_output=True, check=False, text=True)
    assert done.stdout == (f"one\ntwo\n{tmp_path}\n" if printed is None else printed)


def test_a_restart_for_packages_comes_before_commands() -> None:
    power = "package_reboot_if_required: true\npower_state: {mode: reboot}\n"
    packages, upgrade = f"{power}packages: [a]", f"{power}package_upgrade: true"
    assert (said(packages), said(upgrade), said(power)) == ({"W0589"}, {"W0589"}, set())
    *restarting, without = carried_out(packages, upgrade, power)
    for seen in restarting:
        done = seen["done"]
        first = done.index("/sbin/reboot")
        assert first < done.index("[write_files_deferred]") < done.index("[power_state_change]")
    assert not lines(without, "/sbin/reboot")
    modules = yaml.safe_load(Path("/etc/cloud/cloud.cfg").read_text())["cloud_final_modules"]
    assert modules.index("package-update-upgrade-install") < modules.index("scripts-user")
    assert modules.index("scripts-user") < modules.index("power-state-change")


def test_a_restart_among_commands_stands_before_those_of_others(tmp_path: Path) -> None:
    texts = ("runcmd: [echo one, reboot]", "runcmd: [echo two]")
    assert (said(*texts), said(*reversed(texts))) == ({"W0589"}, set())
    [seen] = carried_out(merged(*texts))
    # A reboot is asked for where the script stands, and ends it when the machine goes down.
    script = (file_of(seen, "/runcmd") or "").replace("reboot", "kill $$")
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, capture_output=True, check=False, text=True
    )
    assert done.stdout == "one\n"


# --- files -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("makes", "owner"), [("users: [default, {name: web}]", "web"), ("groups: [web]", "root:web")]
)
def test_an_owner_that_is_made_later_ends_the_files(makes: str, owner: str) -> None:
    early = f"{makes}\nwrite_files: [{{path: /one, owner: '{owner}'}}, {{path: /two}}]"
    late = early.replace("path: /one,", "path: /one, defer: true,")
    assert (said(early), said(late)) == ({"W0532"}, set())
    of_early, of_late = carried_out(early, late)
    assert list(of_early["failed"]) == ["write_files"]
    assert "write /two" not in of_early["done"]
    assert not of_late["failed"]
    assert of_late["done"].index("write /two") < of_late["done"].index("write /one")


def test_a_home_that_a_file_makes_belongs_to_root(tmp_path: Path) -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin")
    if useradd is None or os.geteuid() != 0:
        pytest.skip("useradd asks for root")
    text = "users: [{name: web}]\nwrite_files: [{path: /home/web/x}]"
    assert (said(text), said(text.replace("/home/web", "/srv"))) == ({"W0533"}, set())
    modes(f"write_files: [{{path: '{tmp_path}/home/web/x', owner: 'root:root'}}]")
    (tmp_path / "etc").mkdir()
    for name in ("passwd", "group", "login.defs"):
        shutil.copy(Path("/etc") / name, tmp_path / "etc" / name)
    for name in ("shadow", "gshadow"):
        (tmp_path / "etc" / name).touch()
    for name, uid in (("web", "4711"), ("other", "4712")):
        made: list[str | Path] = [
            useradd,
            "--prefix",
            tmp_path,
            "-m",
            "-u",
            uid,
            "-b",
            "/home",
            name,
        ]
        subprocess.run(made, check=True, capture_output=True)
    owners = [(tmp_path / "home" / name).stat().st_uid for name in ("web", "other")]
    assert owners == [0, 4712]


def modes(text: str) -> dict[str, str]:
    """The permissions of the files that cloud-init's module really writes."""
    needs_measured_cloud_init()
    done = subprocess.run(
        [SYSTEM_PYTHON, REAL_FILES], input=text, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result: dict[str, str] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize(
    ("permissions", "code", "mode"),
    [
        ("644", "W0535", "1204"),
        ("755", "W0535", "1363"),
        ("'0644'", None, "644"),
        ("'4755'", "N0536", "755"),
        ("'2755'", "N0536", "755"),
        ("'6700'", "N0536", "2700"),
        ("'1777'", None, "1777"),
        ("'2644'", None, "2644"),
    ],
)
def test_permissions_are_what_is_said(
    permissions: str, code: str | None, mode: str, tmp_path: Path
) -> None:
    text = f"write_files: [{{path: '{tmp_path}/x', permissions: {permissions}}}]"
    assert said(text.replace(str(tmp_path), "/srv")) == ({code} if code else set())
    assert modes(text) == {"x": mode}


def test_files_in_tmp_may_be_gone(tmp_path: Path) -> None:
    """What empties `/tmp` at a boot, and that nothing puts it before cloud-init's first stage."""
    program, units = shutil.which("systemd-tmpfiles"), Path("/lib/systemd/system")
    needs_measured_cloud_init()
    rules = Path("/usr/lib/tmpfiles.d/tmp.conf")
    if program is None or not rules.is_file():
        pytest.skip("systemd is not installed")
    for text, code in (("/tmp/x", {"W0534"}), ("/var/lib/x", set[str]())):
        assert said(f"write_files: [{{path: {text}}}]") == code
    for name in ("tmp", "var/lib"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "x").touch()
    emptied: list[str | Path] = [
        program,
        "--create",
        "--remove",
        "--boot",
        f"--root={tmp_path}",
        rules,
    ]
    subprocess.run(emptied, check=True, capture_output=True)
    assert [(tmp_path / name / "x").exists() for name in ("tmp", "var/lib")] == [False, True]
    unit = (units / "cloud-init.service").read_text()
    assert "DefaultDependencies=no" in unit
    assert "Before=sysinit.target" in unit
    assert "tmpfiles" not in unit
    assert "Before=sysinit.target" in (units / "systemd-tmpfiles-setup.service").read_text()


def test_of_two_mounts_of_one_folder_both_are_made() -> None:
    twice = "mounts: [['host:/a', /srv], ['host:/b', /srv]]"
    apart = "mounts: [['host:/a', /srv], ['host:/b', /opt]]"
    assert (said(twice), said(apart)) == ({"W0585"}, set())
    [seen] = carried_out(twice)
    table = [line.split()[:2] for line in (file_of(seen, "/fstab") or "").splitlines()]
    assert [each for each in table if "/srv" in each] == [["host:/a", "/srv"], ["host:/b", "/srv"]]
    assert seen["done"].count("mount -a") == 1


def test_a_file_that_is_written_again_is_the_later_one() -> None:
    first, again = (f"write_files: [{{path: /etc/app, content: {word}}}]" for word in ("a", "b"))
    more = again.replace("content", "append: true, content")
    assert (said(first, again), said(first, more)) == ({"W0510"}, set())
    of_again, of_more = carried_out(merged(first, again), merged(first, more))
    assert [text for path, text in of_again["files"] if path == "/etc/app"] == ["b"]
    assert [text for path, text in of_more["files"] if path == "/etc/app"] == ["a", "b"]


def test_what_base64_does_not_have_is_left_out() -> None:
    text = "write_files: [{path: /x, encoding: b64, content: aGVs*bG8=}]"
    assert (said(text), said(text.replace("*", ""))) == ({"W0569"}, set())
    [seen] = carried_out(text)
    assert (seen["failed"], file_of(seen, "/x")) == ({}, "hello")


# --- users and passwords -----------------------------------------------------------------------


def user(*keys: str) -> str:
    return f"users: [{{name: web, {', '.join(keys)}}}]"


@pytest.mark.parametrize(
    "password", ["passwd: $6$x$y", "hashed_passwd: $6$x$y", "plain_text_passwd: secret"]
)
def test_a_password_is_locked(password: str) -> None:
    locked, open_ = user(password), user(password, "lock_passwd: false")
    assert (said(locked), said(open_)) == ({"W0538"}, set())
    of_locked, of_open = carried_out(locked, open_)
    assert lines(of_locked, "useradd", "chpasswd", "passwd")[-1] == "passwd -l web"
    assert not lines(of_open, "passwd -l")


def test_of_two_passwords_the_last_one_set_counts() -> None:
    keys = ("passwd: $6$x$y", "plain_text_passwd: b", "hashed_passwd: $6$x$z")
    every, one = user(*keys, "lock_passwd: false"), user(keys[0], "lock_passwd: false")
    assert (said(every), said(one)) == ({"W0545"}, set())
    of_every, of_one = carried_out(every, one)
    set_up = ["useradd web --password $6$x$y -m", "chpasswd", "chpasswd -e"]
    assert lines(of_every, "useradd", "chpasswd") == set_up
    assert lines(of_one, "useradd", "chpasswd") == set_up[:1]


def test_what_is_for_the_default_user_reaches_nobody_without_him() -> None:
    for key, effect in (
        ("ssh_authorized_keys: [a key]", "keys 'debian'"),
        ("password: secret", "chpasswd"),
        ("ssh_import_id: ['lp:web']", "sudo --preserve-env=https_proxy -Hu debian"),
    ):
        without, with_him = f"users: [web]\n{key}", f"users: [default, web]\n{key}"
        assert (said(without), said(with_him)) == ({"W0540"}, set())
        of_without, of_with_him = carried_out(without, with_him)
        assert not lines(of_without, "keys 'web'", "keys 'debian'", "chpasswd", "sudo")
        assert lines(of_with_him, effect), key


def test_of_a_user_that_is_there_twice_the_first_definition_counts() -> None:
    twice = "users: [{name: web, gecos: One}, {name: web, gecos: Two, shell: /bin/x}]"
    apart = twice.replace("web, gecos: Two", "db, gecos: Two")
    assert (said(twice), said(apart)) == ({"W0543"}, set())
    of_twice, of_apart = carried_out(twice, apart)
    assert lines(of_twice, "useradd") == ["useradd web --comment One --shell /bin/x -m"]
    assert len(lines(of_apart, "useradd")) == 2


def test_nobody_logs_in_with_a_password_that_is_no_hash() -> None:
    plain, hashed = user("passwd: secret", "lock_passwd: false"), user("passwd: $6$salt$x")
    assert (for_windows(plain), for_windows(hashed)) == (["W0587"], [])
    [seen] = carried_out(plain)
    assert lines(seen, "useradd") == ["useradd web --password secret -m"]
    # What a log-in compares: the password's hash, made as the stored word says, with that word.
    program = (
        "import crypt; real = crypt.crypt('secret', '$6$salt$');"
        "print([crypt.crypt('secret', each) == each for each in ('secret', real)])"
    )
    done = subprocess.run(
        [SYSTEM_PYTHON, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[False, True]\n"


# --- text of Windows, names --------------------------------------------------------------------


def for_windows(text: str) -> list[str]:
    names = ("W0586", "W0587", "W0588")
    return [code for code in codes(fodder(text)) if code in names]


def test_names_of_windows_have_no_effect() -> None:
    texts = ("set_timezone: UTC\nset_hostname: other\n", "timezone: UTC\nhostname: other\n")
    assert [for_windows(text) for text in texts] == [["W0586", "W0586"], []]
    windows, linux = carried_out(*texts)
    named = [any("other" in line for line in lines(seen, "hostname")) for seen in (windows, linux)]
    zoned = [bool(lines(seen, "write /etc/timezone")) for seen in (windows, linux)]
    assert (named, zoned) == ([False, True], [False, True])


def test_a_path_of_windows_is_no_absolute_one() -> None:
    texts = (r"write_files: [{path: 'C:\app\x'}]", "write_files: [{path: /app/x}]")
    assert [for_windows(text) for text in texts] == [["W0588"], []]
    windows, linux = carried_out(*texts)
    assert lines(windows, "write /app") == []
    assert any(line.endswith("/C:\\app\\x") for line in windows["done"])
    assert lines(linux, "write /app") == ["write /app/x"]


def test_a_host_name_that_is_no_text_fails_and_is_written_as_text() -> None:
    texts = ("hostname: 0x1f", "hostname: web")
    assert [said(text) for text in texts] == [{"W0581"}, set()]
    as_it_is, rewritten = carried_out(texts[0], merged(texts[0]))
    assert "set_hostname" in as_it_is["failed"]
    assert not rewritten["failed"]
    assert any("'0x1f'" in line for line in lines(rewritten, "hostname"))


# --- what the build merges ---------------------------------------------------------------------


FIELDS = "mount_default_fields: [null, null, auto, {}, '0', '2']"
MOUNTS = "\nmounts: [['host:/x', /x]]"
SOURCE = "apt: {{sources: {{one: {{{}}}}}}}"
MADE = SOURCE.format("source: deb http://one x y")


@pytest.mark.parametrize(
    ("code", "first", "second", "alone", "silent"),
    [
        ("W0509", "hostname: one", "hostname: two", "hostname: two", "hostname: one"),
        ("N0513", "hostname: one", "hostname:", "{}", "timezone: UTC"),
        (
            "W0511",
            FIELDS.format("ro") + MOUNTS,
            FIELDS.format("rw"),
            FIELDS.format("rw") + MOUNTS,
            "timezone: UTC",
        ),
        (
            "W0512",
            MADE,
            SOURCE.format("filename: two"),
            SOURCE.format("source: deb http://one x y, filename: two"),
            "timezone: UTC",
        ),
    ],
)
def test_what_is_set_twice_is_what_the_message_says(
    code: str, first: str, second: str, alone: str, silent: str
) -> None:
    assert said(first, second) == {code}
    assert said(first, silent) == set()
    of_both, of_one, of_first = carried_out(merged(first, second), alone, first)
    assert settings(of_both) == settings(of_one) != settings(of_first)


def test_an_old_name_and_the_new_one_are_the_same() -> None:
    texts = ("apt_update: true", "package_update: true")
    assert [said(text) for text in texts] == [{"N0517"}, set()]
    of_old, of_new = carried_out(*texts)
    assert settings(of_old) == settings(of_new)
    assert lines(of_new, "apt-get update")
