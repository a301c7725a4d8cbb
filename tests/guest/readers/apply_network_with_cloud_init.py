"""Runs under the system's Python: what network cloud-init sets up at its first boots of a seed.

Reads from stdin a JSON list of machines; writes for each the network-configs that were handed to
the distribution, one by one, and the error that ended it. A machine has `adapters`, addresses by
name, and perhaps `user_data`, `network_config`, and `system`, a part of cloud.cfg. It is booted
twice.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

from cloudinit import net, sources, stages, subp, util
from cloudinit.distros.networking import LinuxNetworking


def booted(machine: dict[str, Any], folder: Path) -> dict[str, Any]:
    seed, devices = folder / "cloud" / "seed" / "nocloud", folder / "net"
    seed.mkdir(parents=True)
    (seed / "meta-data").write_text("instance-id: one\n")
    (seed / "user-data").write_text(machine.get("user_data", ""))
    if "network_config" in machine:
        (seed / "network-config").write_text(machine["network_config"])
    for name, address in machine["adapters"].items():
        (devices / name).mkdir(parents=True)
        values = {"address": address, "carrier": "1", "addr_assign_type": "0", "operstate": "up"}
        for key, value in values.items():
            (devices / name / key).write_text(f"{value}\n")
    net.get_sys_class_path = lambda: f"{devices}/"
    paths = {"cloud_dir": str(folder / "cloud"), "run_dir": str(folder / "run")}
    base = util.mergemanydict(
        [
            machine.get("system", {}),
            {
                "system_info": {"distro": "debian", "paths": paths},
                "datasource_list": ["NoCloud"],
                "datasource": {"NoCloud": {"fs_label": None}},
            },
            util.get_builtin_cfg(),
        ]
    )
    stages.fetch_base_config = lambda **_all: base
    applied: list[Any] = []
    error = None
    for _boot in range(2):
        try:
            _boot_once(applied)
        except Exception as raised:  # Whatever it is: the guest has no network.
            error = f"{type(raised).__name__}: {raised}"
        Path(paths["run_dir"], "sem").exists()
    return {"applied": applied, "error": error}


def _boot_once(applied: list[Any]) -> None:
    init = stages.Init([sources.DEP_FILESYSTEM])
    init.initialize()
    init.fetch(existing="check")
    init.instancify()
    init.distro.apply_network_config = lambda config, **_more: applied.append(config)
    try:
        init.apply_network_config(bring_up=False)
    finally:
        init.update()
        init._consume_userdata(sources.DEP_FILESYSTEM)


def main() -> None:
    logging.disable(logging.CRITICAL)
    subp.subp = lambda *_all, **_more: subp.SubpResult("", "")
    util.udevadm_settle = lambda *_all, **_more: None
    LinuxNetworking.settle = lambda *_all, **_more: None
    results = []
    for machine in json.load(sys.stdin):
        with tempfile.TemporaryDirectory() as folder:
            results.append(booted(machine, Path(folder)))
    json.dump(results, sys.stdout)


main()
