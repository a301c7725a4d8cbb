"""Both programs are asked on the same hosts, and say the same of each.

The hosts are generated: fresh ones and ones with our machine, and on these what people, other
tools and accidents do: machines of others, renamed, moved, damaged and half made ones. Refusals and
findings are one list; a difference fails.
"""

from __future__ import annotations

import copy
import hashlib
import json
import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from powershell.conftest import EXAMPLE, ISO_FILES, example
from powershell.sweep import add_stranger, stranger
from powershell.workbench import Workbench, new_catlet, state_of, write_state

pytestmark = pytest.mark.integration
HOSTS = 60
State = dict[str, Any]


class Case:
    """One host that is being made: its state, its drive, and our machine on it, if there is one."""

    def __init__(self, folder: Path, catlet: str) -> None:
        self.folder, self.catlet = folder, catlet
        self.state = state_of(folder)
        self.document = example()
        self.document["catlet"]["id"] = catlet
        self.home = f"C:\\vms\\eryphc-{catlet}"
        self.iso = (EXAMPLE.parent / ISO_FILES[0]).read_bytes()

    @property
    def ours(self) -> State | None:
        mine = [each for each in self.state["vms"] if each["Name"] == "web"]
        return mine[0] if mine else None

    def path(self, windows: str) -> Path:
        return self.folder.joinpath("drive", *windows[3:].split("\\"))

    def other(self, **more: Any) -> None:
        number = len(self.state["vms"])
        row = stranger() | {"Id": f"99999999-0000-4000-8000-0000000001{number:02}", "Disks": []}
        self.state["vms"].append(row | {"Name": f"other{number}"} | more)

    def put(self, windows: str, content: bytes = b"x") -> None:
        path = self.path(windows)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def drop(self, windows: str) -> None:
        path = self.path(windows)
        path.chmod(0o644)
        path.unlink()


def _mutation(name: str, *, needs: bool | None = None) -> Callable[[Any], Any]:
    def add(change: Callable[[Case], None]) -> Callable[[Case], None]:
        MUTATIONS.append((name, needs, change))
        return change

    return add


# (name, whether our machine must be there (None: either), what is done)
MUTATIONS: list[tuple[str, bool | None, Callable[[Case], None]]] = []


def _ours(case: Case) -> State:
    machine = case.ours
    assert machine is not None
    return machine


def _adapter(**more: Any) -> State:
    adapter: State = copy.deepcopy(stranger()["Adapters"][0])
    return adapter | more


@_mutation("a machine of others has our name")
def _name(case: Case) -> None:
    case.other(Name="Web")


@_mutation("a machine of others has our address")
def _address(case: Case) -> None:
    mac = case.document["network_adapters"][0]["mac_address"]
    case.other(Adapters=[_adapter(Mac=mac)])


@_mutation("a machine of others has our disk", needs=True)
def _disk_of_others(case: Case) -> None:
    case.other(Disks=[_ours(case)["Disks"][1] | {"Location": 3}])


@_mutation("a machine of others has our ISO", needs=True)
def _iso_of_others(case: Case) -> None:
    old = f"{case.home}\\seed\\example-seed.0123456789abcdef.iso"
    case.put(old)
    case.other(Dvds=[_ours(case)["Dvds"][1] | {"Path": old}])


@_mutation("two machines of ours", needs=True)
def _two(case: Case) -> None:
    case.other(Notes=_ours(case)["Notes"])


@_mutation("our machine was renamed", needs=True)
def _renamed(case: Case) -> None:
    case.document["machine"]["name"] = "renamed"


@_mutation("it is of another owner", needs=True)
def _owner(case: Case) -> None:
    row = _ours(case)
    row["Notes"] = f"mine\neryphc:v1 catlet={case.catlet} by=HOST%5Cbob/carol"


@_mutation("it is half made", needs=True)
def _half(case: Case) -> None:
    row = _ours(case)
    row["Name"] = f"eryphc-{case.catlet}"
    row["Adapters"] = [_adapter()]
    row["Dvds"], row["Notes"] = [], ""


@_mutation("it was moved", needs=True)
def _moved(case: Case) -> None:
    row = _ours(case)
    row["Path"] = "C:\\store\\web"
    for disk in row["Disks"]:
        new = f"C:\\store\\web\\Virtual Hard Disks\\{disk['Path'].rsplit(chr(92), 1)[1]}"
        target = case.path(new)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(case.path(disk["Path"]), target)
        disk["Path"] = new


@_mutation("it is saved, on or out of reach", needs=True)
def _power(case: Case) -> None:
    _ours(case)["State"] = "OffCritical"


@_mutation("it runs", needs=True)
def _runs(case: Case) -> None:
    _ours(case)["State"] = "Running"
    case.document["machine"]["processor"]["count"] = 3


@_mutation("it is busy", needs=True)
def _busy(case: Case) -> None:
    _ours(case)["Work"] = ["MergingDisks", "CreatingSnapshot"]


@_mutation("it is of generation 1", needs=True)
def _generation(case: Case) -> None:
    _ours(case)["Generation"] = 1


@_mutation("its template is another", needs=True)
def _frozen(case: Case) -> None:
    _ours(case)["Template"] = "MicrosoftWindows"


@_mutation("its disk's file is gone", needs=True)
def _no_disk(case: Case) -> None:
    case.drop(_ours(case)["Disks"][1]["Path"])


@_mutation("its disk is damaged", needs=True)
def _bad_disk(case: Case) -> None:
    case.put(_ours(case)["Disks"][1]["Path"], b"no disk")


@_mutation("its parent is gone", needs=True)
def _no_parent(case: Case) -> None:
    for path in (case.folder / "drive/disks").glob("*.vhdx"):
        path.chmod(0o644)
        path.unlink()


@_mutation("a foreign disk is in its place", needs=True)
def _place(case: Case) -> None:
    case.put("C:\\store\\foreign.vhdx", case.path("C:\\store\\base.vhdx").read_bytes())
    _ours(case)["Disks"][0]["Path"] = "C:\\store\\foreign.vhdx"


@_mutation("the seed's place is taken", needs=True)
def _seat(case: Case) -> None:
    row = _ours(case)
    row["Dvds"] = row["Dvds"][:1]
    case.put("C:\\store\\foreign.vhdx", case.path("C:\\store\\base.vhdx").read_bytes())
    disk = {"Path": "C:\\store\\foreign.vhdx", "Number": 0, "Location": 63, "Shared": False}
    row["Disks"].append(disk)


@_mutation("the ISO is ejected", needs=True)
def _ejected(case: Case) -> None:
    _ours(case)["Dvds"][1]["Path"] = None


@_mutation("the ISO is damaged", needs=True)
def _bad_iso(case: Case) -> None:
    path = _ours(case)["Dvds"][1]["Path"]
    if path is not None:
        case.put(path, b"damaged")


@_mutation("an old ISO lies about", needs=True)
def _old_iso(case: Case) -> None:
    case.put(f"{case.home}\\seed\\example-seed.fedcba9876543210.iso", b"secret")


@_mutation("a disk was made smaller in the document", needs=True)
def _smaller(case: Case) -> None:
    case.document["drives"][1]["size"] //= 2


@_mutation("a disk is to grow, with checkpoints", needs=True)
def _grows(case: Case) -> None:
    case.document["drives"][1]["size"] *= 2
    _ours(case)["Snapshots"] = ["before"]


@_mutation("two adapters of one name", needs=True)
def _twins(case: Case) -> None:
    _ours(case)["Adapters"].append(_adapter(Name="eth0", Mac="00155D0000AA", DynamicMac=False))


@_mutation("more devices than we know", needs=True)
def _more(case: Case) -> None:
    row = _ours(case)
    row["Adapters"].append(_adapter(Name="extra", Mac="00155D0000BB", DynamicMac=False))
    case.put("C:\\store\\more.vhdx", case.path("C:\\store\\base.vhdx").read_bytes())
    disk = {"Path": "C:\\store\\more.vhdx", "Number": 0, "Location": 9, "Shared": False}
    row["Disks"].append(disk)


@_mutation("the record is gone", needs=True)
def _no_record(case: Case) -> None:
    case.path(f"{case.home}\\eryphc.json").unlink(missing_ok=True)


@_mutation("the record is broken", needs=True)
def _bad_record(case: Case) -> None:
    case.put(f"{case.home}\\eryphc.json", b'{"schema": "eryphc/record/v1", "catl')


@_mutation("an unfinished file lies about", needs=True)
def _unfinished(case: Case) -> None:
    case.put(f"{case.home}\\sda.eryphc-part.vhdx")


@_mutation("our folder is taken", needs=False)
def _taken(case: Case) -> None:
    case.put(f"{case.home}\\precious.txt")


@_mutation("our folder has an unfinished record alone", needs=False)
def _part(case: Case) -> None:
    case.put(f"{case.home}\\eryphc.eryphc-part.json", b"{")


@_mutation("a disk of that name is there", needs=False)
def _there(case: Case) -> None:
    case.put(f"C:\\disks\\eryphc-{case.catlet}\\data.vhdx")


@_mutation("the parent is larger than the disk", needs=False)
def _larger(case: Case) -> None:
    case.document["drives"][0]["size"] = 2**30


@_mutation("its memory cannot be read", needs=True)
def _no_memory(case: Case) -> None:
    _ours(case)["Unreadable"] = ["Get-VMMemory"]


@_mutation("of a machine of others nothing can be read")
def _closed(case: Case) -> None:
    case.other(Unreadable=["Get-VMHardDiskDrive", "Get-VMNetworkAdapter"])


@_mutation("a machine of others goes while it is read")
def _vanishing(case: Case) -> None:
    case.other(Vanishes=True)


@_mutation("a switch is gone")
def _switch(case: Case) -> None:
    case.state["switches"] = [each for each in case.state["switches"] if each["Name"] != "lan"]


@_mutation("two switches have one name")
def _switches(case: Case) -> None:
    more = {"Name": "lan", "Id": "33333333-3333-4333-8333-333333333333", "Type": "Private"}
    case.state["switches"].append(more)


@_mutation("the default switch is gone")
def _default(case: Case) -> None:
    case.state["switches"] = case.state["switches"][1:]


@_mutation("the host is small and old")
def _small(case: Case) -> None:
    case.state["host"] |= {"processors": 1, "build": 14393, "memory": 2**30, "free": 2**20}
    case.document["machine"]["processor"]["nested_virtualization"] = True


@_mutation("the template is not there")
def _template(case: Case) -> None:
    case.state["host"]["templates"] = ["MicrosoftWindows"]


@_mutation("a medium is wanted that is not there")
def _medium(case: Case) -> None:
    case.document["drives"][2]["media"] = "C:\\store\\tools.iso"


@_mutation("a shared disk on a fixed volume")
def _shared(case: Case) -> None:
    case.document["drives"][1]["type"] = "shared_vhd"


@_mutation("the seed was built anew", needs=True)
def _rebuilt(case: Case) -> None:
    case.iso = case.iso[:-1] + bytes([case.iso[-1] ^ 1])
    case.document["seed"] |= {
        "sha256": hashlib.sha256(case.iso).hexdigest(),
        "instance_id": case.catlet,
    }


@_mutation("a static address on the default switch")
def _static(case: Case) -> None:
    case.document["network_adapters"][0]["addresses"] = ["172.20.1.9"]


@_mutation("somebody in the network has our address", needs=False)
def _neighbor(case: Case) -> None:
    mac = case.document["network_adapters"][0]["mac_address"]
    spelled = "-".join(re.findall("..", mac))
    case.state["neighbors"] = [
        {"LinkLayerAddress": spelled, "IPAddress": "192.0.2.7", "State": "Reachable"}
    ]


@_mutation("the folder of machines is compressed", needs=False)
def _compressed(case: Case) -> None:
    case.put("C:\\vms\\is.compressed")


@_mutation("the folder of parents will be in a compressed one", needs=False)
def _compressed_store(case: Case) -> None:
    case.put("C:\\compressed\\is.compressed")
    case.document["folders"]["volumes"] = {
        "parameter": None,
        "value": "C:\\compressed\\parents",
    }


def said(texts: list[str]) -> set[str]:
    """Without what is spelled otherwise only because the options of the programs are."""
    plain = set()
    for text in texts:
        text = re.sub(r"-?-take-?over", "TAKEOVER", text, flags=re.IGNORECASE)
        text = re.sub(r"(?:--param |-Parameter ')([a-z-]+)=VALUE'?", r"PARAM \1", text)
        text = re.sub(r"(?:--volume |-Volume ')([a-z-]+)=PATH'?", r"VOLUME \1", text)
        plain.add(text)
    return plain


@pytest.fixture(scope="module")
def bench(
    pslite: Path, standins: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workbench]:
    opened = Workbench(pslite, standins, tmp_path_factory.mktemp("verdict"))
    yield opened
    opened.close()


def test_both_say_the_same_of_sixty_hosts(bench: Workbench) -> None:
    catlet = new_catlet()
    bench.model.disk("C:\\store\\base.vhdx", gib=10)
    add_stranger(bench.model.folder)
    document = example()
    document["catlet"]["id"] = catlet
    bench.write(document)
    fresh = bench.copy(bench.model.folder, "fresh")
    made = bench.copy(fresh, "made")
    bench.use(made)
    assert bench.run("deploy.ps1", "apply").code == 0
    differences, seen = [], set()
    for number, chosen in enumerate(choices(HOSTS)):
        with_ours = any(needs for _, needs, _ in chosen) or number % 2 == 0
        if any(needs is False for _, needs, _ in chosen):
            with_ours = False
        case = Case(bench.copy(made if with_ours else fresh, "case"), catlet)
        names = [name for name, needs, _ in chosen if needs in (None, with_ours)]
        for _, needs, change in chosen:
            if needs in (None, with_ours):
                change(case)
        write_state(case.folder, case.state)
        bench.write(case.document)
        (bench.build / ISO_FILES[0]).write_bytes(case.iso)
        bench.use(case.folder)
        script, runtime = bench.run("deploy.ps1", "plan"), bench.run("eryph-runtime", "plan")
        verdicts = [(said(each.reasons), said(each.notes), each.code) for each in (script, runtime)]
        seen |= {verdicts[0][2]}
        if verdicts[0] != verdicts[1]:
            told = json.dumps([[sorted(a), sorted(b), c] for a, b, c in verdicts], indent=1)
            differences.append(f"{number} {names}: {told}\n{script.out}\n{runtime.out}")
    assert not differences, f"{len(differences)} differ:\n" + "\n".join(differences)
    assert seen == {0, 1, 4}, "some are refused, some are as they should be, some are not"


def choices(count: int) -> list[list[tuple[str, bool | None, Callable[[Case], None]]]]:
    """Each mutation once, then pairs and threes that go together, the same in every run."""
    chosen = [[each] for each in MUTATIONS]
    dice = random.Random(7)  # noqa: S311 - nothing secret is drawn
    while len(chosen) < count:
        some = dice.sample(MUTATIONS, dice.randint(2, 3))
        if len({needs for _, needs, _ in some} - {None}) == 1:
            chosen.append(some)
    return [[], *chosen][:count]
