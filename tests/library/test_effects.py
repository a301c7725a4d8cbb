"""What messages say that only a boot shows: of units, of the owner of a home, of `/tmp`, of snaps.

`ERYPHC_LIBRARY=all` runs them, as it does the machines of the library.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from eryphc.guest.encode import Seed
from guest.feeding import codes, fodder, seed
from library.machine import Distribution, Machine, layered, machine, missing

pytestmark = pytest.mark.boot

UNIT = """\
- path: /etc/systemd/system/{name}.service
  content: |
    [Unit]
    After={after}
    [Service]
    Type=oneshot
    ExecStart=/bin/true
"""
AFTER = {
    "late-final": "cloud-final.service",
    "late-end": "cloud-init.target",
    "late-users": "multi-user.target",
    "late-graphical": "graphical.target",
    "late-default": "default.target",
}
SURELY = {"late-final", "late-end", "cloud-init.target", "cloud-final.service"}
TRIED = (*AFTER, "cloud-init.target", "cloud-final.service", "multi-user.target", "default.target")
FILES = "".join(UNIT.format(name=name, after=after) for name, after in AFTER.items())
COMMANDS = "".join(
    f"- 'timeout 10 systemctl start {name}; echo {name} $? >>/root/started'\n" for name in TRIED
)
CONFIG = f"""\
users: [default, {{name: web}}]
write_files:
- {{path: /home/web/x, content: x}}
- {{path: /root/set-uid, permissions: "4755", content: x}}
- {{path: /root/sticky, permissions: "1755", content: x}}
{FILES}runcmd:
- systemctl daemon-reload
{COMMANDS}"""
# What the module for snaps runs, with the commands noted in place of run.
SNAP = """\
python3 - <<'END'
from types import SimpleNamespace
from cloudinit import subp
from cloudinit.config import cc_snap
done = []
subp.subp = lambda command, *_all, **_more: done.append(command)
subp.which = lambda *_all: "/usr/bin/snap"
paths = SimpleNamespace(get_ipath_cur=lambda: "/nonexistent")
run = lambda name, function, arguments, **_more: function(*arguments)
cloud = SimpleNamespace(run=run, paths=paths)
cc_snap.handle("snap", {"snap": {"commands": ["snap install go"]}}, cloud, [])
print("\\n".join(each if isinstance(each, str) else " ".join(each) for each in done))
END
"""
ORDER = "systemctl show --property=After --value cloud-config.service cloud-final.service"


def ready(suite: str) -> Distribution:
    if os.environ.get("ERYPHC_LIBRARY") != "all":
        pytest.skip("the whole library is run by ERYPHC_LIBRARY=all")
    why = missing()
    if why:
        pytest.skip(why)
    return Distribution.ready(suite)


def files_of(made: Seed) -> dict[str, bytes]:
    return {"meta-data": made.meta_data, "user-data": made.user_data.data}


def started(running: Machine) -> dict[str, str]:
    """The exit code of each start of a unit: 124 where it did not end in time."""
    words = (running.root / "root/started").read_text().split()
    return dict(zip(words[::2], words[1::2], strict=True))


@pytest.mark.parametrize("suite", ["bookworm", "noble"])
def test_a_booted_guest_does_what_is_said(suite: str) -> None:
    distribution = ready(suite)
    food = fodder(CONFIG)
    found = codes(food)
    assert found.count("W0541") == len(TRIED)
    assert set(found) == {"W0541", "W0533", "N0536"}
    with machine(distribution, files_of(seed(food))) as running:
        assert "status: done" in running.wait(600)
        ended = started(running)
        # Those that wait for cloud-init itself never come up; here all others do at once.
        assert {name for name, code in ended.items() if code == "124"} == SURELY
        assert {name for name, code in ended.items() if code == "0"} == set(TRIED) - SURELY
        answer = running.ask("stat --format=%a:%U /home/web /root/set-uid /root/sticky")
        home, set_uid, sticky = answer.stdout.split()
        assert (home, sticky) == ("755:root", "1755:root")
        assert set_uid == ("755:root" if suite == "bookworm" else "4755:root")
        # Before 24.1 the units wait for snaps, then only the module for them does.
        units = running.ask(ORDER).stdout
        assert "cloud-config.service" in units
        assert ("snapd.seeded.service" in units) is (suite == "bookworm")
        if suite == "noble":
            done = running.ask(SNAP).stdout.splitlines()
            assert done == ["snap wait system seed.loaded", "snap install go"]


def test_where_the_boot_waits_for_cloud_init_its_targets_hang_too(tmp_path: Path) -> None:
    """As in CentOS 7, whose `cloud-final.service` is wanted by `multi-user.target` and not after
    it (https://github.com/moby/moby/issues/41767): here Debian's unit is changed so."""
    made = ready("bookworm")
    with layered(made.root, tmp_path) as root:
        unit = (root / "usr/lib/systemd/system/cloud-final.service").read_text()
        assert "After=multi-user.target\n" in unit
        units = root / "etc/systemd/system"
        (units / "cloud-final.service").write_text(unit.replace("After=multi-user.target\n", ""))
        (units / "multi-user.target.wants").mkdir(exist_ok=True)
        (units / "multi-user.target.wants/cloud-final.service").symlink_to("../cloud-final.service")
        changed = Distribution(suite=made.suite, root=root, archive=made.archive)
        with machine(changed, files_of(seed(fodder(CONFIG)))) as running:
            assert "status: done" in running.wait(600)
            ended = started(running)
    assert {name for name, code in ended.items() if code == "124"} == set(TRIED)
