"""Runs under the system's Python: cloud-init's parser and renderers on network-configs.

Reads from stdin a JSON list of network-configs as text; writes for each, by renderer, what it
raised or the text that it wrote.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudinit.net
import cloudinit.util
from cloudinit import distros, safeyaml, subp
from cloudinit.net import eni, netplan, network_state, networkd, sysconfig

RENDERERS: dict[str, Callable[[], Any]] = {
    "eni": lambda: eni.Renderer(distros.fetch("debian").renderer_configs.get("eni")),
    "netplan": lambda: netplan.Renderer(distros.fetch("debian").renderer_configs.get("netplan")),
    "networkd": lambda: networkd.Renderer(
        {"resolve_conf_fn": "etc/resolv", "network_conf_dir": "etc/networkd/"}
    ),
    "sysconfig": lambda: sysconfig.Renderer(
        distros.fetch("rhel").renderer_configs.get("sysconfig")
    ),
}


def rendered(text: str) -> dict[str, dict[str, str]]:
    result = {}
    for name, make in RENDERERS.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                config = safeyaml.load(text)
                config = config.get("network", config)
                renderer = make()
                state = network_state.parse_net_config_data(config, renderer=renderer)
                renderer.render_network_state(state, target=folder)
            except Exception as error:  # Whatever it is: the guest has no network.
                result[name] = {"error": f"{type(error).__name__}: {error}"}
            else:
                files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
                result[name] = {"text": "".join(f"{p.name}\n{p.read_text()}" for p in files)}
    return result


def main() -> None:
    logging.disable(logging.CRITICAL)
    subp.subp = lambda *_all, **_more: ("", "")
    for module in (cloudinit.util, networkd.util):
        module.chownbyname = lambda *_all: None
    for module in (network_state, cloudinit.net, netplan):
        module.get_interfaces_by_mac = dict
    network_state.find_interface_name_from_mac = lambda _mac: None
    cases = json.load(sys.stdin)
    json.dump([rendered(text) for text in cases], sys.stdout)


main()
