"""The checks of a merged configuration, and of parts, for what no guest reports."""

from __future__ import annotations

import json

import pytest

from catlets import shown_code
from eryphc.diagnostics.model import Level
from eryphc.guest.cloudconfig.examine import examine
from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content, Insertion, Substituted, Written
from eryphc.origin import DEFAULTED
from eryphc.source import SourceText, Span
from guest.cloudconfig.entries import examine_parts, fodder, fodder_entries, merge
from saying import handed_out


def found(*texts: str) -> list[str]:
    outcome = merge(fodder_entries(*texts))
    assert outcome.value is not None, outcome.diagnostics
    return [
        f"{shown_code(each)} {each.primary.span.text if each.primary else ''}"
        for each in examine(outcome.value)
    ]


UNIT = """\
write_files:
- path: /etc/systemd/system/late.service
  content: |
    [Unit]
    After=multi-user.target
"""


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        pytest.param(("runcmd: [echo a: b]",), ["E0530 echo a: b"], id="a map among commands"),
        pytest.param(("bootcmd: [a, true]",), ["E0530 true"], id="a boolean among commands"),
        pytest.param(("runcmd: [a, 1, [b, '1']]",), ["E0530 1"], id="a number among commands"),
        pytest.param(("runcmd:\n- # a\n- b",), ["N0531 "], id="an empty command"),
        pytest.param(
            ("users: [{name: web}]\nwrite_files: [{path: /a, owner: 'web:web'}]",),
            ["W0532 'web:web'"],
            id="owner of a later user",
        ),
        pytest.param(
            ("groups: [web]\nwrite_files: [{path: /a, owner: 'root:web'}]",),
            ["W0532 'root:web'"],
            id="owner of a later group",
        ),
        pytest.param(
            ("users: [{name: web}]\nwrite_files: [{path: /a, owner: web, defer: true}]",),
            [],
            id="deferred",
        ),
        pytest.param(
            ("write_files: [{path: /a, owner: 'www-data'}]",), [], id="owner of the image"
        ),
        pytest.param(
            ("users: [web]\nwrite_files: [{path: /home/web/x}]",),
            ["W0533 /home/web/x"],
            id="home of a later user",
        ),
        pytest.param(("write_files: [{path: /tmp/x}]",), ["W0534 /tmp/x"], id="in /tmp"),
        pytest.param(
            ("write_files: [{path: /a, permissions: 644}]",), ["W0535 644"], id="decimal mode"
        ),
        pytest.param(
            ("write_files: [{path: /a, permissions: 0644}]",), ["W0523 0644"], id="octal mode"
        ),
        pytest.param(
            ("write_files: [{path: /a, permissions: '4755'}]",), ["N0536 '4755'"], id="setuid"
        ),
        pytest.param(
            ("write_files: [{path: /a, permissions: '2755'}]",), ["N0536 '2755'"], id="setgid"
        ),
        pytest.param(
            ("write_files: [{path: /a, permissions: '02640'}, {path: /b, permissions: '1777'}]",),
            [],
            id="special bits that stay",
        ),
        pytest.param(("network: {version: 2}",), ["W0537 network"], id="network"),
        pytest.param(("users: [{name: a, passwd: x}]",), ["W0538 passwd"], id="a locked password"),
        pytest.param(
            ("users: [{name: a, passwd: x, lock_passwd: false}]",), [], id="an open password"
        ),
        pytest.param(
            ("users: [{name: a, passwd: x, lock_passwd: true}]",), [], id="locked on purpose"
        ),
        pytest.param(
            ("users: [a]\nssh_authorized_keys: [k]",),
            ["W0540 ssh_authorized_keys"],
            id="keys of nobody",
        ),
        pytest.param(("users: [default, a]\nssh_authorized_keys: [k]",), [], id="keys of default"),
        pytest.param(
            (UNIT + "runcmd: [systemctl enable --now late]",),
            ["W0541 systemctl enable --now late"],
            id="a unit that waits for the boot",
        ),
        pytest.param(
            (UNIT + "runcmd: [systemctl start --no-block late, [systemctl, start, nginx]]",),
            [],
            id="units that do not",
        ),
        pytest.param(
            ("runcmd: [exit 1]", "runcmd: [b]"), ["W0542 exit 1"], id="exit before others"
        ),
        pytest.param(("runcmd: [b]", "runcmd: [exit 1]"), [], id="exit at the end"),
        pytest.param(("runcmd: [set -e]", "runcmd: [b]"), ["W0542 set -e"], id="set -e"),
        pytest.param(("runcmd: [cd /x]", "runcmd: [b]"), ["note[W0542] cd /x"], id="cd"),
        pytest.param(("runcmd: [cd /x && make]", "runcmd: [b]"), [], id="cd for one line"),
        pytest.param(("runcmd: [cd /x, exit 1]",), [], id="one food is its own business"),
        pytest.param(("users: [{name: a}, {name: a, uid: 1}]",), ["W0543 a"], id="a user twice"),
        pytest.param(
            ("runcmd: [date, [snap, install, go], snap refresh]",),
            ["W0544 [snap, install, go]"],
            id="snap before it is ready",
        ),
        pytest.param(
            ("runcmd: [snap wait system seed.loaded, snap install go]",), [], id="snap waited for"
        ),
        pytest.param(
            ("runcmd: ['snap wait system seed.loaded && sudo snap install go']",),
            [],
            id="snap waited for in one command",
        ),
        pytest.param(
            ("snap: {commands: [snap install a]}\nruncmd: [snap install go]",),
            [],
            id="a module waits for snap",
        ),
        pytest.param(
            ("runcmd: [make snapshot, apt-get install snap, grep snap install /x]",),
            [],
            id="no snap command",
        ),
        pytest.param(
            ("users: [{name: a, passwd: x, hashed_passwd: y, lock_passwd: false}]",),
            ["W0545 hashed_passwd"],
            id="two passwords",
        ),
        pytest.param(
            ("users: [{name: a, passwd: x}]\nchpasswd: {users: [{name: a, password: y}]}",),
            [],
            id="a password that chpasswd sets",
        ),
        pytest.param(
            ("users: [{name: a, passwd: x}]\nchpasswd: {list: ['a:y']}",),
            ["W0524 list"],
            id="a password that chpasswd sets from a list",
        ),
        pytest.param(
            ("users: [{name: a, passwd: x}]\nchpasswd: {users: [{name: b, password: y}]}",),
            ["W0538 passwd"],
            id="a password that chpasswd does not set",
        ),
        pytest.param(
            ("users: [{name: a, sudo: false, uid: '1001'}]\nssh_pwauth: 'yes'",),
            ["W0524 'yes'", "W0524 false", "W0524 '1001'"],
            id="values that the schema marks",
        ),
        pytest.param(
            ("users: [{name: a, sudo: null, uid: 1001}]\nssh_pwauth: true",), [], id="and others"
        ),
        pytest.param(
            ("runcmd: [a, reboot]", "runcmd: [b]"), ["W0589 reboot"], id="a restart before others"
        ),
        pytest.param(
            ("runcmd: [[shutdown, -r, now]]", "runcmd: [b]"),
            ["W0589 [shutdown, -r, now]"],
            id="a restart in words",
        ),
        pytest.param(
            ("runcmd: [sudo systemctl poweroff]", "runcmd: [b]"),
            ["W0589 sudo systemctl poweroff"],
            id="an end before others",
        ),
        pytest.param(("runcmd: [a, reboot, b]",), [], id="a restart of one author"),
        pytest.param(("runcmd: [b]", "runcmd: [reboot]"), [], id="a restart at the end"),
        pytest.param(
            ("runcmd: [shutdown -r +5, shutdown -c, echo reboot, systemctl status]", "runcmd: [b]"),
            [],
            id="no restart",
        ),
        pytest.param(
            ("package_reboot_if_required: true\npower_state: {mode: reboot}\npackages: [a]",),
            ["W0589 package_reboot_if_required"],
            id="two restarts",
        ),
        pytest.param(
            ("package_reboot_if_required: true\npower_state: {mode: reboot}\npackages: []",),
            [],
            id="no packages",
        ),
        pytest.param(("package_reboot_if_required: true",), [], id="one restart"),
        pytest.param(
            ("mounts: [[/dev/a, /srv]]\nwrite_files: [{path: /srv/x}]",),
            ["W0584 /srv/x"],
            id="a file below a mount",
        ),
        pytest.param(
            ("mounts: [[/dev/a, /srv]]\nwrite_files: [{path: /srv/x, defer: true}]",),
            [],
            id="a deferred file below a mount",
        ),
        pytest.param(
            ("mounts: [[/dev/a, /srv], [sw, none, swap]]\nwrite_files: [{path: /srvx/y}]",),
            [],
            id="a file beside a mount",
        ),
        pytest.param(
            ("mounts: [[/dev/a, /srv, auto, 'noauto']]\nwrite_files: [{path: /srv/x}]",),
            [],
            id="a mount for later",
        ),
        pytest.param(
            ("mounts: [[/dev/a, /srv]]", "mounts: [[/dev/b, /srv/]]"),
            ["W0585 [/dev/b, /srv/]"],
            id="two mounts of one folder",
        ),
        pytest.param(
            ("mounts: [[/dev/a, /srv]]", "mounts: [[/dev/a, null], [/dev/b, /srv]]"),
            ["W0523 null"],
            id="a mount that was taken back",
        ),
        pytest.param(
            ("mounts: [[/dev/a, /srv]]", "mounts: [[/dev/a, /srv]]"), [], id="the same mount twice"
        ),
        pytest.param(("apt_update: true",), ["N0517 apt_update"], id="an old name"),
        pytest.param(("frob: 1",), ["W0522 frob"], id="an unknown key"),
    ],
)
def test_findings(texts: tuple[str, ...], expected: list[str]) -> None:
    assert found(*texts) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "runncmd: [x]\nwrite_files: [{path: /tmp/a}]", {"W0522", "W0534"}, id="two rules"
        ),
        pytest.param(
            "write_files: [{path: /a, permissions: 644, mode: 1}]",
            {"W0535", "W0522"},
            id="two keys of one map",
        ),
        pytest.param(
            "runcmd: [1, [{a: b}]]", {"E0530", "W0523"}, id="two commands, each wrong in its way"
        ),
        pytest.param("write_files: [{path: /a, permissions: 644}]", {"W0535"}, id="one value"),
        pytest.param(
            "write_files: [{path: /a, permissions: 0644}]", {"W0523"}, id="an octal number"
        ),
        pytest.param(
            "write_files: [{path: /a, permissions: &mode 0644}, {path: /b, permissions: *mode}]",
            {"W0523"},
            id="an octal number with an anchor",
        ),
    ],
)
def test_one_place_of_many_values_hides_no_finding(text: str, expected: set[str]) -> None:
    quoted = SourceText("a.json", json.dumps(text), regions=())
    entry = Fodder(
        name="a",
        type="cloud-config",
        content=Content(text, Written(Span(quoted, 0, len(quoted.text)))),
    )
    outcome = merge([entry])
    assert outcome.value is not None
    assert {each.code.number for each in examine(outcome.value)} == expected


def test_a_number_in_octal_may_come_from_a_variable() -> None:
    reference = "write_files: [{path: /a, permissions: {{ mode }}}]"
    source = SourceText("a.yaml", reference, regions=())
    at = reference.index("{{ mode")
    written = Content(reference, Written(Span(source, 0, len(reference))))
    text = reference.replace("{{ mode }}", "0644")
    insertion = Insertion(at, at + 4, at, at + len("{{ mode }}"), "mode", DEFAULTED)
    entry = Fodder(
        name="a", type="cloud-config", content=Content(text, Substituted(written, (insertion,)))
    )
    outcome = merge([entry])
    assert outcome.value is not None
    assert [each.code.number for each in examine(outcome.value)] == ["W0523"]


@pytest.mark.parametrize(
    ("after", "surely"),
    [("cloud-final.service", True), ("cloud-init.target", True), ("multi-user.target", False)],
)
def test_a_unit_that_surely_hangs_is_told_from_one_that_may(after: str, *, surely: bool) -> None:
    text = UNIT.replace("multi-user.target", f"network.target {after}")
    outcome = merge(fodder_entries(f"{text}runcmd: [systemctl start late]"))
    assert outcome.value is not None
    [each] = handed_out(examine(outcome.value))
    said = "the end of cloud-init, of which this command is part"
    if not surely:
        said = "a target that some guests reach only after this command"
    assert each.message == (
        f"`runcmd[0]` starts `late.service` and waits for it, while it waits for {said}"
    )
    assert bool(each.notes) is not surely


def test_parts_are_never_refused() -> None:
    one = fodder("runcmd: [{a: b}]\napt_update: true\nnetwork: {}")
    diagnostics = examine_parts([one, fodder("a: b: c")])
    assert {each.level for each in diagnostics} == {Level.WARNING}
    assert [each.code.number for each in diagnostics] == ["E0530", "W0537", "W0524"]


def test_secrets_are_not_told() -> None:
    text = (
        "users: [{name: hunter2, passwd: hunter3}]\n"
        "write_files: [{path: /home/hunter2/a, permissions: 644}, {path: /b, owner: hunter2}]\n"
    )
    one = fodder(text, secret=True)
    outcome = merge([one])
    assert outcome.value is not None
    diagnostics = handed_out(examine(outcome.value), one)
    assert len(diagnostics) == 4
    for each in diagnostics:
        # The names of users and files are shown, no other value is.
        words = f"{each.message} {each.help} {each.notes}"
        assert "hunter3" not in words
        assert "644" not in words
        assert each.snippet is None
