"""Deployments for the runtime's tests: the example, generated ones, and a way to run commands."""

from __future__ import annotations

import copy
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from eryph_runtime.command_line import run
from runtime.hyperv_model import GIB, MIB, Model, vhdx

HERE = Path(__file__).parent
EXAMPLE: dict[str, Any] = json.loads((HERE / "example-deployment.json").read_text("ascii"))
CATLET = EXAMPLE["catlet"]["id"]
TOKEN = "T0ken-._~+/=" * 2


def literal(value: str) -> dict[str, str | None]:
    return {"value": value, "parameter": None}


def parameter(name: str) -> dict[str, str | None]:
    return {"value": None, "parameter": name}


@st.composite
def machines(draw: st.DrawFn) -> dict[str, Any]:
    startup = draw(st.integers(16, 2048)) * 2 * MIB
    dynamic = draw(st.booleans())
    secure = draw(st.booleans())
    return {
        "name": draw(names),
        "generation": 2,
        "start_action": draw(st.sampled_from(("Nothing", "StartIfRunning", "Start"))),
        "start_delay": draw(st.integers(0, 300)),
        "stop_action": draw(st.sampled_from(("TurnOff", "Save", "ShutDown"))),
        "checkpoint_type": draw(st.sampled_from(("Disabled", "Production"))),
        "automatic_checkpoints": False,
        "processor": {
            "count": draw(st.integers(1, 8)),
            "nested_virtualization": draw(st.booleans()),
        },
        "memory": {
            "dynamic": dynamic,
            "startup": startup,
            "minimum": draw(st.sampled_from((32 * MIB, startup))) if dynamic else None,
            "maximum": draw(st.sampled_from((startup, startup + 2 * GIB))) if dynamic else None,
        },
        "firmware": {
            "secure_boot": secure,
            "secure_boot_template": draw(
                st.sampled_from(("MicrosoftWindows", "MicrosoftUEFICertificateAuthority"))
            )
            if secure
            else None,
        },
        "tpm": {"enabled": draw(st.booleans()), "guardian": draw(st.sampled_from((None, "own")))},
        "integration_services": [
            {"id": each, "enabled": draw(st.booleans())}
            for each in (
                "2A34B1C2-FD73-4043-8A5B-DD2159BC743F",
                "84EAAE65-2F2E-45F5-9BB5-0E857DC8EB47",
            )
        ],
        "boot_drive": None,
    }


HOSTILE = (
    "'; Remove-Item C:\\ -Recurse; '",
    "$(calc)",
    "`n",
    "[*]?",
    "-Force",
    "\u2018\u2019",
    "%x%",
)
names = st.one_of(
    st.sampled_from(("web", "db-1", *HOSTILE)),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
)


@st.composite
def drives(draw: st.DrawFn) -> list[dict[str, Any]]:
    count = draw(st.integers(0, 4))
    places = draw(
        st.lists(
            st.sampled_from([(0, 0), (0, 1), (0, 2), (0, 62), (1, 0), (3, 63)]),
            min_size=count,
            max_size=count,
            unique=True,
        )
    )
    result = []
    for index, (controller, location) in enumerate(sorted(places)):
        kind = draw(st.sampled_from(("vhd", "vhd", "vhd", "dvd", "vhd_set", "shared_vhd")))
        name = "sda" if index == 0 else f"disk{index}"
        drive: dict[str, Any] = {
            "name": name,
            "type": kind,
            "controller": controller,
            "location": location,
            "folder": draw(
                st.sampled_from(
                    (parameter("folder"), literal("D:\\Deep\\er"), literal("C:\\Disks"))
                )
            ),
            "file": f"{name}.{'vhds' if kind == 'vhd_set' else 'vhdx'}",
            "size": draw(st.integers(2, 64)) * GIB,
            "create": "blank",
            "volume": None,
            "media": None,
        }
        if kind == "dvd":
            drive |= {"folder": None, "file": None, "size": None, "create": "media"}
        elif index == 0 and draw(st.booleans()):
            ways = ("differencing", "copy") if kind == "vhd" else ("copy",)
            drive |= {"create": draw(st.sampled_from(ways)), "volume": "sda"}
            if draw(st.booleans()):
                drive["size"] = None
        result.append(drive)
    return result


@st.composite
def adapters(draw: st.DrawFn) -> list[dict[str, Any]]:
    return [
        {
            "name": f"eth{index}",
            "mac_address": f"D2AB0000{index:02}{draw(st.integers(0, 255)):02X}",
            "mac_address_spoofing": draw(st.booleans()),
            "dhcp_guard": draw(st.booleans()),
            "router_guard": draw(st.booleans()),
            "network": draw(st.sampled_from((None, "default"))),
            "switch": draw(st.sampled_from((None, parameter("switch-default"), literal("LAN")))),
            "vlan": draw(st.sampled_from((None, 1, 4094))),
            "addresses": draw(st.sampled_from(([], ["192.0.2.9"], ["2001:db8::9", "192.0.2.9"]))),
        }
        for index in range(draw(st.integers(0, 3)))
    ]


@st.composite
def deployments(draw: st.DrawFn) -> dict[str, Any]:
    """Any deployment of the example's catlet that the model's host can carry out."""
    document = copy.deepcopy(EXAMPLE)
    document["machine"] = draw(machines())
    document["drives"] = draw(drives())
    document["network_adapters"] = draw(adapters())
    disks = [each["name"] for each in document["drives"] if each["type"] != "dvd"]
    if disks:
        document["machine"]["boot_drive"] = draw(st.sampled_from((None, disks[0])))
    if not any(each["volume"] for each in document["drives"]):
        document["volumes"] = []
    if draw(st.booleans()):
        document["sealed"] = None
        if draw(st.booleans()):
            document["seed"] = None
    return document


def shared(document: dict[str, Any]) -> bool:
    return any(each["type"] in ("vhd_set", "shared_vhd") for each in document["drives"])


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(self.out)
        return result


class Desk:
    """A client's folder with a deployment, a volume and a value in it."""

    def __init__(self, folder: Path, deployment: dict[str, Any] | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("example-seed.iso", "example-sealed.iso"):
            (folder / name).write_bytes((HERE / name).read_bytes())
        (folder / "base.vhdx").write_bytes(vhdx(2, b"parent"))
        (folder / "token").write_text(TOKEN + "\n", "ascii")
        self.write(deployment or EXAMPLE)

    @classmethod
    def of(cls, folder: Path) -> Desk:
        """A desk on a folder that the compiler has written; nothing is put there."""
        desk = cls.__new__(cls)
        desk.folder = folder
        desk.deployment = json.loads((folder / "deployment.json").read_text("ascii"))
        return desk

    def write(self, deployment: dict[str, Any]) -> None:
        self.deployment = deployment
        text = json.dumps(deployment, indent=2, sort_keys=True) + "\n"
        (self.folder / "deployment.json").write_text(text, "ascii")

    def run(self, model: Model, command: str, *options: str, full: bool = True) -> Ran:
        """Run a command against the model; `full` gives the volume and the value too."""
        arguments = [command, str(self.folder / "deployment.json"), "--format", "json", *options]
        if full and any(each["volume"] for each in self.deployment["drives"]):
            arguments += ["--volume", f"sda={self.folder / 'base.vhdx'}"]
        if full and self.deployment["seed"] is not None and self.deployment["seed"]["slots"]:
            arguments += ["--value-file", f"token={self.folder / 'token'}"]
        out, err = io.StringIO(), io.StringIO()
        code = run(
            arguments,
            connect=lambda _address, _program: model,
            stdin=io.StringIO(),
            stdout=out,
            stderr=err,
        )
        return Ran(code, out.getvalue(), err.getvalue())
