"""Both programs on the same hosts: they say the same of each and make the same of it.

The hosts are generated: fresh ones and ones with our machine, and on these what people, other
tools and accidents do: machines of others, renamed, moved, damaged and half made ones.
"""

from __future__ import annotations

import copy
import hashlib
import json
import random
import re
import shutil
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import Any

from powershell.conftest import EXAMPLE, ISO_FILES, OPEN_VALUE, example
from powershell.strangers import add_stranger, stranger
from powershell.workbench import (
    PROGRAMS,
    Ran,
    Workbench,
    new_catlet,
    plain,
    record_of,
    state_of,
    write_state,
)

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
        self.value: str | None = OPEN_VALUE

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


@_mutation("the ISO beside the document is another file")
def _other_iso(case: Case) -> None:
    case.iso = case.iso[:-1] + bytes([case.iso[-1] ^ 1])


@_mutation("another value is given")
def _other_value(case: Case) -> None:
    case.value = OPEN_VALUE[::-1]


@_mutation("a value of another length is given")
def _long_value(case: Case) -> None:
    case.value = OPEN_VALUE + "x"


@_mutation("no value is given")
def _no_value(case: Case) -> None:
    case.value = None


def said(texts: list[str]) -> set[str]:
    """Without what is spelled otherwise only because the options of the programs are."""
    plain = set()
    for text in texts:
        text = re.sub(r"-?-take-?over", "TAKEOVER", text, flags=re.IGNORECASE)
        text = re.sub(r"(?:--param |-Parameter ')([a-z-]+)=VALUE'?", r"PARAM \1", text)
        text = re.sub(r"(?:--volume |-Volume ')([a-z-]+)=PATH'?", r"VOLUME \1", text)
        text = text.replace("--value-file NAME=FILE, or on standard input", "VALUES")
        plain.add(text.replace("-ValueFile FILE", "VALUES"))
    return plain


class Hosts:
    """The hosts, one after another, and where the programs differ."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.catlet = new_catlet()
        self.codes: set[int] = set()
        bench.model.disk("C:\\store\\base.vhdx", gib=10)
        add_stranger(bench.model.folder)
        document = example()
        document["catlet"]["id"] = self.catlet
        bench.write(document)
        self.fresh = bench.copy(bench.model.folder, "fresh")
        self.made = bench.copy(self.fresh, "made")
        bench.use(self.made)
        assert bench.run("deploy.ps1", "apply").code == 0

    def differences(self, changed: Container[int]) -> Iterator[str]:
        """All hosts are asked; those of the numbers in `changed` are changed and cleared too."""
        for number, chosen in enumerate(choices(HOSTS)):
            with_ours = any(needs for _, needs, _ in chosen) or number % 2 == 0
            if any(needs is False for _, needs, _ in chosen):
                with_ours = False
            host = self.bench.copy(self.made if with_ours else self.fresh, "case")
            case = Case(host, self.catlet)
            names = [name for name, needs, _ in chosen if needs in (None, with_ours)]
            for _, needs, change in chosen:
                if needs in (None, with_ours):
                    change(case)
            write_state(case.folder, case.state)
            self.bench.write(case.document)
            self.bench.value = case.value
            (self.bench.build / ISO_FILES[0]).write_bytes(case.iso)
            operations = ["plan", *(("apply", "remove") if number in changed else ())]
            if "remove" in operations and any("Work" in each for each in case.state["vms"]):
                # Both wait for minutes until the host's work on the disks is done.
                operations.remove("remove")
            for operation in operations:
                yield from self._asked(case, operation, f"{number} {names}: {operation}")
        self.bench.value = OPEN_VALUE
        shutil.copyfile(EXAMPLE.parent / ISO_FILES[0], self.bench.build / ISO_FILES[0])

    def _asked(self, case: Case, operation: str, where: str) -> Iterator[str]:
        ran, left = [], []
        for program in PROGRAMS:
            folder = self.bench.copy(case.folder, f"asked-{program}")
            self.bench.use(folder)
            ran.append(self.bench.run(program, operation))
            left.append([plain(folder, self.catlet), record_of(folder, self.catlet)])
        self.codes |= {each.code for each in ran} if operation == "plan" else set()
        both = [_told(each) for each in ran]
        if both[0] != both[1]:
            yield f"{where}: {json.dumps(both, indent=1)}\n{ran[0].out}\n{ran[1].out}"
        if left[0] != left[1]:
            yield f"{where}: {json.dumps(left, indent=1)}"


def _told(ran: Ran) -> list[Any]:
    return [ran.code, *(sorted(said(each)) for each in (ran.reasons, ran.needs, ran.notes))]


def choices(count: int) -> list[list[tuple[str, bool | None, Callable[[Case], None]]]]:
    """Each mutation once, then pairs and threes that go together, the same in every run."""
    chosen = [[each] for each in MUTATIONS]
    dice = random.Random(7)  # noqa: S311 - nothing secret is drawn
    while len(chosen) < count:
        some = dice.sample(MUTATIONS, dice.randint(2, 3))
        if len({needs for _, needs, _ in some} - {None}) == 1:
            chosen.append(some)
    return [[], *chosen][:count]
