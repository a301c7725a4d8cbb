"""What messages say of texts in a Linux guest: its own readers do that, and its shell.

Each test has an input of which the message is said and one of which it is not. What the build
refuses reaches the guest by `--merge parts`.
"""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from eryphc.guest.model import MergeMode
from guest.conftest import Reader
from guest.feeding import codes, fodder, seed
from guest.installed import SYSTEM_PYTHON
from guest.values.test_values_in_context import found

pytestmark = pytest.mark.integration

JINJA = "## template: jinja\n#cloud-config\n"
OTHER = fodder("packages: [other]\n", None, "other")
SH = "#!/bin/sh\necho ran\n"

MULTIPART = (
    'Content-Type: multipart/mixed; boundary="=="\nMIME-Version: 1.0\n\n'
    "--==\nContent-Type: text/cloud-config\n\n#cloud-config\npackages: [a]\n--==--\n"
)

parts = partial(seed, merge=MergeMode.PARTS)
in_parts = partial(codes, merge=MergeMode.PARTS)


def config_of(read: Reader, *texts: str) -> dict[str, Any]:
    """What is configured in a guest that gets these cloud-configs as they are."""
    entries = [fodder(text, None, f"food{number}") for number, text in enumerate(texts)]
    config: dict[str, Any] = read(parts(*entries).user_data.data)["config"]
    return config


def run_all(folder: Path, scripts: list[list[str]]) -> subprocess.CompletedProcess[str]:
    """Runs scripts as cloud-init does, in its order and with its errors."""
    folder.mkdir()
    for name, text in scripts:
        (folder / name).write_text(text)
        (folder / name).chmod(0o700)
    program = "import sys; from cloudinit import subp; subp.runparts(sys.argv[1])"
    command: list[str | Path] = [SYSTEM_PYTHON, "-c", program, folder]
    return subprocess.run(command, capture_output=True, check=False, text=True)


# --- scripts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [("echo ran\n", "E0551"), ("\n" + SH, "E0551"), ("#ps1\necho ran\n", "E0561"), (SH, None)],
)
def test_a_script_without_an_interpreter_does_not_run(
    read_as_linux: Reader, tmp_path: Path, text: str, code: str | None
) -> None:
    script = fodder(text, "shellscript", "food")
    assert codes(script) == ([code] if code else [])
    assert in_parts(script) == (["W0550"] if code else [])
    read = read_as_linux(parts(script, fodder(SH, "shellscript", "last")).user_data.data)
    done = run_all(tmp_path / "scripts", read["scripts"])
    assert done.stdout == ("ran\n" if code else "ran\nran\n")
    assert ("1 failures" in done.stderr) is bool(code)
    assert bool(done.returncode) is bool(code)


def test_a_boothook_without_an_interpreter_does_not_run(
    read_as_linux: Reader, tmp_path: Path
) -> None:
    hooks = [fodder(text, "cloud-boothook", "hook") for text in ("echo ran\n", SH)]
    assert [codes(hook) for hook in hooks] == [["E0551"], []]
    done = [
        run_all(tmp_path / f"hook{number}", read_as_linux(parts(hook).user_data.data)["boothooks"])
        for number, hook in enumerate(hooks)
    ]
    assert [each.stdout for each in done] == ["", "ran\n"]
    assert "1 failures" in done[0].stderr


def test_an_upstart_job_is_taken_up_by_nobody(read_as_linux: Reader) -> None:
    job = fodder("task\nexec echo ran\n", "upstart-job", "job")
    assert (codes(job), in_parts(job)) == (["E0552"], ["W0550"])
    read = read_as_linux(parts(job, OTHER).user_data.data)
    assert [part[0] for part in read["parts"]] == ["text/upstart-job", "text/cloud-config"]
    assert (read["scripts"], read["boothooks"]) == ([], [])
    assert read["config"] == {"packages": ["other"]}


def test_a_script_between_commands_runs_before_both(read_as_linux: Reader, tmp_path: Path) -> None:
    first, last = (fodder(f"runcmd: [echo {name}]\n", None, name) for name in ("first", "last"))
    script = fodder(SH, "shellscript", "script")
    assert codes(first, script, last) == ["W0552"]
    assert codes(script, first, last) == codes(first, last, script) == []
    commands = ["runcmd", "#!/bin/sh\necho first\necho last\n"]
    for number, entries in enumerate(
        ((first, script, last), (script, first, last), (first, last, script))
    ):
        read = read_as_linux(seed(*entries).user_data.data)
        assert read["config"] == {"runcmd": ["echo first", "echo last"]}
        done = run_all(tmp_path / f"scripts{number}", [*read["scripts"], commands])
        order = "first\nlast\nran\n" if number == 2 else "ran\nfirst\nlast\n"
        assert done.stdout == order


def test_a_script_is_what_its_first_line_says(read_as_linux: Reader) -> None:
    config, script = (
        fodder(text, "shellscript", "food") for text in ("#cloud-config\npackages: [a]\n", SH)
    )
    assert (in_parts(config), in_parts(script)) == (["W0553"], [])
    for entry, packages, scripts in ((config, ["a"], 0), (script, None, 1)):
        read = read_as_linux(parts(entry).user_data.data)
        assert read["config"].get("packages") == packages
        assert len(read["scripts"]) == scripts


# --- what is dropped ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("#!/bin/sh\necho ran\n", "E0553"),
        ("#include\nhttp://127.0.0.1/x\n", "E0553"),
        ("I2Nsb3VkLWNvbmZpZwpwYWNrYWdlczog\nW25naW54XQo=\n", "E0562"),
        (MULTIPART, "E0563"),
        (f"{JINJA}hostname: {{% if %}}\n", "E0590"),
        ("a: 1\n- b\n", "E0501"),
        ("- a\n", "E0502"),
        ("a: 0b_\n", "E0503"),
        ("#cloud-config\n", "W0506"),
    ],
)
def test_a_part_is_dropped_whole(read_as_linux: Reader, text: str, code: str) -> None:
    part = fodder(text, None, "food")
    assert code in codes(part)
    read = read_as_linux(parts(part, OTHER).user_data.data)
    assert read["config"] == {"packages": ["other"]}
    assert read["scripts"] == []
    assert read["warnings"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("IyEvYmluL3NoCmVjaG8gcmFuCg==\n", "E0562"), (MULTIPART, "E0563")],
)
def test_what_is_encoded_is_no_script(
    read_as_linux: Reader, tmp_path: Path, text: str, code: str
) -> None:
    script = fodder(text, "shellscript", "food")
    assert codes(script) == [code]
    read = read_as_linux(parts(script).user_data.data)
    done = run_all(tmp_path / "scripts", read["scripts"])
    assert (done.stdout, "1 failures" in done.stderr) == ("", True)


def test_of_a_key_that_is_there_twice_the_last_counts_in_silence(read_as_linux: Reader) -> None:
    twice = fodder("locale: a\nlocale: b\n", None, "food")
    assert (in_parts(twice), in_parts(fodder("locale: b\n"))) == (["W0505"], [])
    read = read_as_linux(parts(twice).user_data.data)
    assert (read["config"], read["warnings"]) == ({"locale": "b"}, [])


def test_what_cannot_be_merged_is_replaced_among_parts(read_as_linux: Reader) -> None:
    texts = ("runcmd: [a]\n", "runcmd: {b: c}\n")
    entries = [fodder(text, None, f"food{number}") for number, text in enumerate(texts)]
    assert "E0507" in codes(*entries)
    assert config_of(read_as_linux, *texts) == {"runcmd": {"b": "c"}}


@pytest.mark.parametrize(("there", "code"), [(False, "W0551"), (True, "W0551")])
def test_an_address_that_cannot_be_read_loses_everything(
    read_as_linux: Reader,
    tmp_path: Path,
    there: bool,  # noqa: FBT001
    code: str,
) -> None:
    source = tmp_path / "included"
    if there:
        source.write_text("#cloud-config\nlocale: included\n")
    include = fodder(f"file://{source}\n", "include-url", "food")
    assert (codes(include), codes(OTHER)) == ([code], [])
    data = seed(include, OTHER).user_data.data
    if there:
        # What is at the address when the guest boots decides.
        assert read_as_linux(data)["config"] == {"locale": "included", "packages": ["other"]}
    else:
        with pytest.raises(AssertionError, match="included"):
            read_as_linux(data)


# --- archives ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "config"),
    [
        ("- 'locale: a'\n", None, {"locale": "a", "packages": ["other"]}),
        ("locale: a\n", "E0554", {"packages": ["other"]}),
        ("- 'locale: a'\n- [\n", "E0554", {"packages": ["other"]}),
        ("- 'locale: a'\n- 7\n", "E0554", {"locale": "a", "packages": ["other"]}),
        ("- 'locale: a'\n- filename: x\n", "E0554", {"locale": "a", "packages": ["other"]}),
        ("- 'locale: a'\n- content: 7\n", "E0554", None),
        ("- 'locale: a'\n- content: {a: 1}\n", "E0554", None),
        ("- 'locale: a'\n- content:\n", "E0554", None),
        ("- 'locale: a'\n- {type: text, content: b}\n", "E0555", None),
        (
            "- 'locale: a'\n- \"#cloud-config-archive\\n- x: 1\\n\"\n",
            "E0555",
            {"locale": "a", "packages": ["other"]},
        ),
        (
            "- 'locale: a'\n- \"#include\\nfile:///nowhere\\n\"\n",
            "E0555",
            {"locale": "a", "packages": ["other"]},
        ),
        (
            "- 'locale: a'\n- {type: text/upstart-job, content: a}\n",
            "E0555",
            {"locale": "a", "packages": ["other"]},
        ),
    ],
)
def test_an_archive_loses_what_is_said(
    read_as_linux: Reader, text: str, code: str | None, config: dict[str, Any] | None
) -> None:
    archive = fodder(text, "cloud-config-archive", "kit")
    assert codes(archive) == ([code] if code else [])
    data = parts(archive, fodder("packages: [other]\n", None, "other")).user_data.data
    if config is not None:
        assert read_as_linux(data)["config"] == config
    else:
        with pytest.raises(AssertionError, match="Error"):
            read_as_linux(data)


@pytest.mark.parametrize(
    ("key", "lost"),
    [
        ("X-Foo: 7", True),
        ("X-Foo: {a: 1}", True),
        ("7: a", True),
        ("type: 7", True),
        ("X-Foo: a", False),
        ("X-Foo:", False),
        ("type: 0", False),
        ("filename: 7", False),
        ("launch-index: 7", False),
    ],
)
def test_a_header_that_is_no_text_loses_everything(
    read_as_linux: Reader,
    key: str,
    lost: bool,  # noqa: FBT001
) -> None:
    """Only in an archive that stays one: what is taken apart here has no such headers."""
    archive = fodder(f"- {{content: 'locale: a', {key}}}\n", "cloud-config-archive", "kit")
    assert codes(archive) == []
    assert codes(archive, merge=MergeMode.PARTS) == (["W0550"] if lost else [])
    data = parts(archive).user_data.data
    if lost:
        with pytest.raises(AssertionError, match="Error"):
            read_as_linux(data)
    else:
        assert read_as_linux(data)["config"] == {"locale": "a"}


# --- templates ---------------------------------------------------------------------------------


def test_of_a_template_and_the_others_the_others_win(read_as_linux: Reader) -> None:
    plain = fodder("locale: plain\n", None, "plain")
    template = fodder(f"{JINJA}locale: template\ntimezone: UTC\n", None, "t")
    assert codes(plain, template) == ["E0556"]
    assert codes(plain, fodder(f"{JINJA}timezone: UTC\n", None, "t")) == []
    read = read_as_linux(seed(plain, template).user_data.data)
    assert read["config"] == {"locale": "plain", "timezone": "UTC"}


def test_of_two_templates_the_first_wins(read_as_linux: Reader) -> None:
    first, second = (fodder(f"{JINJA}locale: {name}\n", None, name) for name in ("one", "two"))
    assert codes(first, second) == ["W0559"]
    assert codes(first, fodder(f"{JINJA}timezone: UTC\n", None, "t")) == []
    assert read_as_linux(seed(first, second).user_data.data)["config"] == {"locale": "one"}


def test_what_a_template_adds_to_a_list_comes_last(read_as_linux: Reader) -> None:
    plain = fodder("runcmd: [plain]\n", None, "plain")
    template = fodder(f"{JINJA}runcmd: ['{{{{ v1.local_hostname }}}}']\n", None, "t")
    assert (codes(template, plain), codes(plain, template)) == (["N0553"], [])
    for entries in ((template, plain), (plain, template)):
        read = read_as_linux(seed(*entries).user_data.data)
        assert read["config"] == {"runcmd": ["plain", "rendered-host"]}


def test_other_types_are_no_templates(read_as_linux: Reader) -> None:
    text = "## template: jinja\n- 'locale: \"{{ v1.local_hostname }}\"'\n"
    archive = fodder(text, "cloud-config-archive", "kit")
    config = fodder(f'{JINJA}locale: "{{{{ v1.local_hostname }}}}"\n', None, "food")
    assert (codes(archive), codes(config)) == (["E0557"], [])
    read = read_as_linux(parts(archive).user_data.data)
    assert read["config"].get("locale") != "rendered-host"
    read = read_as_linux(parts(config).user_data.data)
    assert read["config"] == {"locale": "rendered-host"}


# --- values ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "value", "code", "config"),
    [
        ("locale: {{ v }}", "a #1", "E0575", {"locale": "a"}),
        ("locale: {{ v }}", "a\ntimezone: b", "E0575", {"locale": "a", "timezone": "b"}),
        ("packages: [{{ v }}]", "a, b", "E0575", {"packages": ["a", "b"]}),
        ("locale: {{ v }}", "a: b", "E0575", {}),
        ("locale: '{{ v }}'", "a #1", None, {"locale": "a #1"}),
        ("ssh_pwauth: {{ v }}", "on", None, {"ssh_pwauth": True}),
        ("locale: {{ v }}", "0777", "W0422", {"locale": 511}),
        ("locale: '{{ v }}'", "on", None, {"locale": "on"}),
        ("locale: {{ v | upper }}", "a", "W0425", {}),
        ("locale: '{{ v | upper }}'", "a", "W0425", {"locale": "{{ v | upper }}"}),
        ("locale: '{{ v }}'", "a {{ w }}", "W0425", {"locale": "a {{ w }}"}),
    ],
)
def test_a_value_is_read_as_is_said(
    read_as_linux: Reader, line: str, value: str, code: str | None, config: dict[str, Any]
) -> None:
    said = {each[:5] for each in found(f"#cloud-config\n{line}\n", v=value)}
    assert said == ({code} if code else set())
    assert config_of(read_as_linux, line.replace("{{ v }}", value) + "\n") == config


@pytest.mark.parametrize(
    ("word", "value", "printed"),
    [
        ("{{ v }}", "a b", "a|b|"),
        ('"{{ v }}"', "a$HOME", "a/nowhere|"),
        ('"{{ v }}"', "`echo x`", "x|"),
        ("{{ v }}", "a;echo x", "a|x\n"),
        ("'{{ v }}'", "it's; echo 'x", None),
        ("'{{ v }}'", "a b $HOME", "a b $HOME|"),
    ],
)
def test_a_shell_reads_a_value_as_is_said(word: str, value: str, printed: str | None) -> None:
    line = f"printf '%s|' {word}"
    said = found(f"#!/bin/sh\n{line}\n", "shellscript", v=value)
    assert bool(said) is (printed != f"{value}|")
    assert {each[:5] for each in said} <= {"W0423"}
    script = ["sh", "-c", line.replace("{{ v }}", value)]
    done = subprocess.run(
        script, capture_output=True, check=False, text=True, env={"HOME": "/nowhere"}
    )
    assert done.stdout != f"{value}|" if printed is None else done.stdout == printed


# --- what the schema says ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "reported"),
    [
        ("users: [{name: a, shll: x}]", "W0522", "shll"),
        ("power_state: {mode: sleep}", "W0523", "sleep"),
        ("users: [{name: a, lock-passwd: true}]", "N0517", "lock-passwd"),
        ("packages: []", "N0515", "packages"),
        ("users: [{name: a, sudo: false}]", "W0524", "deprecated"),
        ("power_state: {mode: reboot}", None, None),
    ],
)
def test_a_guest_reports_what_its_schema_finds(
    tmp_path: Path, text: str, code: str | None, reported: str | None
) -> None:
    assert codes(fodder(text)) == ([code] if code else [])
    file = tmp_path / "config"
    file.write_text(f"#cloud-config\n{text}\n")
    program = (
        "import logging, sys; from cloudinit import safeyaml; from cloudinit.config import schema\n"
        "logging.basicConfig(stream=sys.stdout, level=logging.WARNING)\n"
        "data = safeyaml.load(open(sys.argv[1]).read())\n"
        "check = schema.validate_cloudconfig_schema\n"
        "try: check(data, strict=True, log_deprecations=True)\n"
        "except schema.SchemaValidationError as error: print(error)"
    )
    done = subprocess.run(
        [SYSTEM_PYTHON, "-c", program, file], capture_output=True, check=True, text=True
    )
    assert (reported is None) is (done.stdout == "")
    assert reported is None or reported in done.stdout.lower()


# --- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hostname", "code", "name"),
    [("10.0.0.7", "W0556", "ip-10-0-0-7"), ("web", None, "web"), ("10.0.0", None, "10.0.0")],
)
def test_an_address_becomes_a_name(hostname: str, code: str | None, name: str) -> None:
    assert codes(hostname=hostname) == ([code] if code else [])
    program = (
        "import sys; from cloudinit.sources import DataSource\n"
        "source = DataSource({}, None, None)\n"
        "source.metadata = {'local-hostname': sys.argv[1]}\n"
        "print(source.get_hostname(fqdn=True).hostname)"
    )
    command: list[str | Path] = [SYSTEM_PYTHON, "-c", program, hostname]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert done.stdout.strip() == name
