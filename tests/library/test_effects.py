"""What messages say that only a boot shows: of units, of the owner of a home, of `/tmp`, of snaps.

`ERYPHC_LIBRARY=all` runs them, as it does the machines of the library.
"""

from __future__ import annotations

import os

import pytest

from guest.feeding import codes, fodder, seed
from library.machine import Distribution, machine, missing

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


@pytest.fixture
def distribution(request: pytest.FixtureRequest) -> Distribution:
    if os.environ.get("ERYPHC_LIBRARY") != "all":
        pytest.skip("the whole library is run by ERYPHC_LIBRARY=all")
    why = missing()
    if why:
        pytest.skip(why)
    return Distribution.ready(request.param)


@pytest.mark.parametrize("distribution", ["bookworm", "noble"], indirect=True)
def test_a_booted_guest_does_what_is_said(distribution: Distribution) -> None:
    food = fodder(CONFIG)
    found = codes(food)
    assert found.count("W0541") == len(TRIED)
    assert set(found) == {"W0541", "W0533", "N0536"}
    made = seed(food)
    files = {"meta-data": made.meta_data, "user-data": made.user_data.data}
    with machine(distribution, files) as running:
        assert "status: done" in running.wait(600)
        started = (running.root / "root/started").read_text().split()
        ended = dict(zip(started[::2], started[1::2], strict=True))
        # Those that wait for cloud-init itself never come up; here all others do at once.
        assert {name for name, code in ended.items() if code == "124"} == SURELY
        assert {name for name, code in ended.items() if code == "0"} == set(TRIED) - SURELY
        answer = running.ask("stat --format=%a:%U /home/web /root/set-uid /root/sticky")
        home, set_uid, sticky = answer.stdout.split()
        assert (home, sticky) == ("755:root", "1755:root")
        assert set_uid == ("755:root" if distribution.suite == "bookworm" else "4755:root")
        # Before 24.1 the units wait for snaps, then only the module for them does.
        units = running.ask(ORDER).stdout
        assert "cloud-config.service" in units
        assert ("snapd.seeded.service" in units) is (distribution.suite == "bookworm")
        if distribution.suite == "noble":
            done = running.ask(SNAP).stdout.splitlines()
            assert done == ["snap wait system seed.loaded", "snap install go"]
