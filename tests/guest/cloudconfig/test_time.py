"""The order in time in which a guest writes files, held to cloud-init's own modules."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from catlets import shown_code
from eryphc.guest.cloudconfig.nodes import plain
from guest.cloudconfig.entries import fodder_entries, merge
from guest.cloudconfig.test_consequences import SCRIPT
from guest.installed import SYSTEM_PYTHON, needs_measured_cloud_init


def merged(*texts: str) -> tuple[Any, list[str]]:
    outcome = merge(fodder_entries(*texts))
    assert outcome.value is not None, outcome.diagnostics
    return plain(outcome.value.root), [shown_code(each) for each in outcome.diagnostics]


LATE = "write_files: [{path: /etc/app, content: base, defer: true}]"
ONE_AUTHOR = """\
write_files:
- {path: /etc/app, content: base, defer: true}
- {path: /etc/app, content: more, append: true}
"""
MORE = "write_files: [{path: /etc/app, content: more, append: true}]"


def test_what_is_appended_to_a_deferred_file_is_deferred_too() -> None:
    root, codes = merged(LATE, MORE)
    assert [file.get("defer") for file in root["write_files"]] == [True, True]
    assert codes == ["note[W0583]"]


@pytest.mark.parametrize(
    ("texts", "deferred", "codes"),
    [
        pytest.param(
            (LATE, MORE.replace("/etc/app", "/etc//./app")),
            [True, True],
            ["note[W0583]"],
            id="another spelling of the path",
        ),
        pytest.param((LATE, MORE, MORE), [True, True, True], ["note[W0583]"] * 2, id="two more"),
        pytest.param((MORE, LATE), [True], ["W0510"], id="a deferred file replaces"),
        pytest.param(
            (LATE.replace("defer: true", "defer: false"), MORE),
            [False, None],
            [],
            id="nothing is deferred",
        ),
        pytest.param(
            (LATE, MORE.replace("/etc/app", "/etc/other")), [True, None], [], id="another file"
        ),
        pytest.param(
            (ONE_AUTHOR,),
            [True, None],
            ["W0583"],
            id="one author",
        ),
    ],
)
def test_files_in_time(
    texts: tuple[str, ...], deferred: list[bool | None], codes: list[str]
) -> None:
    root, found = merged(*texts)
    assert [file.get("defer") for file in root["write_files"]] == deferred
    assert found == codes


def test_a_path_is_read_as_the_guest_reads_it() -> None:
    first, second = (
        f"write_files: [{{path: {path}, content: x}}]" for path in ("/a//b", "//a/./b")
    )
    root, codes = merged(first, second.replace("x", "y"))
    assert root == {"write_files": [{"path": "//a/./b", "content": "y"}]}
    assert codes == ["W0510"]


@pytest.mark.integration
def test_a_guest_writes_the_merged_file_in_the_order_of_the_texts() -> None:
    needs_measured_cloud_init()
    root, _ = merged(LATE, MORE)
    alone = "write_files: [{path: /etc/app, content: base, defer: true}, {path: /etc/app}]"
    mounts = (
        "mounts: [['host:/x', /srv], ['host:/y', /srv]]\n"
        "write_files: [{path: /srv/a}, {path: /srv/b, defer: true}]"
    )
    chpasswd = (
        "users: [{name: a, plain_text_passwd: x}]\n"
        "chpasswd: {users: [{name: a, password: y, type: text}]}"
    )
    done = subprocess.run(
        [SYSTEM_PYTHON, SCRIPT],
        input=json.dumps([json.dumps(root), alone, mounts, chpasswd]),
        capture_output=True,
        check=True,
        text=True,
    )
    seen = [each["done"] for each in json.loads(done.stdout)]

    def stages(done: list[str], *lines: str) -> list[str]:
        stage, found = "", []
        for line in done:
            stage = line if line.startswith("[") else stage
            found += [stage] if line in lines else []
        return found

    assert stages(seen[0], "write /etc/app") == ["[write_files_deferred]"] * 2
    assert stages(seen[1], "write /etc/app") == ["[write_files]", "[write_files_deferred]"]
    files = stages(seen[2], "write /srv/a", "write /etc/fstab", "mount -a", "write /srv/b")
    assert files == ["[write_files]", "[mounts]", "[mounts]", "[write_files_deferred]"]
    passwords = stages(seen[3], "passwd -l a", "chpasswd")
    assert passwords == ["[users_groups]", "[users_groups]", "[set_passwords]"]
