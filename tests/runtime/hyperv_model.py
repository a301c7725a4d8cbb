# ruff: noqa: ARG002, FBT001 - the arguments are those of the wire
"""A model of a Hyper-V host behind the interface of the runtime's hosts.

It keeps machines, disks, adapters, firmware, DVD drives and files, and refuses what Hyper-V
refuses. Requests and answers pass through JSON, as on the wire,
and every action must have exactly the arguments of docs/reference/deployment.md,
"Actions".
It is not Hyper-V: it knows what that document says and no more.
"""

from __future__ import annotations

import copy
import hashlib
import json
import ntpath
import uuid
from dataclasses import dataclass, field
from typing import Any

from eryph_runtime.executor import failure
from eryph_runtime.faults import HostFailure
from eryph_runtime.hostpaths import part_of

MIB = 1024 * 1024
GIB = 1024 * MIB
DEFAULT_SWITCH = "c08cb7b8-9b3c-408e-8e30-5e16a3aeb444"
SERVICES = {
    "6C09BB55-D683-4DA0-8931-C9BF705F6480": False,
    "84EAAE65-2F2E-45F5-9BB5-0E857DC8EB47": True,
    "2A34B1C2-FD73-4043-8A5B-DD2159BC743F": True,
    "9F8233AC-BE49-4C79-8EE3-E7E1985B2077": True,
    "2497F4DE-E9FA-4204-80E4-4B75C46419C0": True,
    "5CED1297-4598-4915-A5FC-AD21BB4D02A4": True,
}
ARGUMENTS = {
    "make-folder": "path protect",
    "make-home": "path name text",
    "delete-home": "path name folders",
    "move-whole": "source path sha256",
    "write-text": "path text",
    "place-part": "path size sha256 read_only",
    "copy-file": "source path sha256",
    "clear-sparse": "path",
    "delete-file": "path",
    "delete-folder": "path",
    "new-disk": "path size parent in_place",
    "convert-disk": "source path",
    "reset-disk": "path",
    "resize-disk": "path size",
    "new-machine": "name folder memory notes",
    "set-notes": "machine notes",
    "rename-machine": "machine name",
    "set-machine": (
        "machine start_action start_delay stop_action checkpoint_type automatic_checkpoints"
    ),
    "set-firmware": "machine secure_boot secure_boot_template",
    "set-first-boot": "machine controller location",
    "set-key-protector": "machine guardian",
    "set-tpm": "machine enabled",
    "set-processor": "machine count nested_virtualization",
    "set-memory": "machine dynamic startup minimum maximum",
    "set-integration-service": "machine service enabled",
    "add-scsi-controller": "machine",
    "attach-disk": "machine controller location path shared",
    "detach-disk": "machine controller location",
    "add-dvd": "machine controller location path",
    "set-dvd": "machine controller location path",
    "add-adapter": "machine name mac_address",
    "remove-adapter": "machine adapter",
    "set-adapter": "machine name mac_address mac_address_spoofing dhcp_guard router_guard",
    "set-vlan": "machine name vlan",
    "connect-adapter": "machine name switch",
    "start-machine": "machine seconds",
    "resume-machine": "machine",
    "stop-machine": "machine how seconds",
    "discard-saved-state": "machine",
    "remove-machine": "machine marker unfinished_name",
}


class ModelError(Exception):
    """What a cmdlet would say."""

    def __init__(self, message: str, *, category: str = "InvalidOperation", hresult: int = 0):
        super().__init__(message)
        self.category = category
        self.hresult = hresult or None


class Killed(HostFailure):
    """The run was killed: nothing more reaches the host, nothing comes back."""


@dataclass(slots=True)
class File:
    path: str
    content: bytes
    read_only: bool = False
    attributes: set[str] = field(default_factory=set)
    disk: dict[str, Any] | None = None


def key(path: str) -> str:
    return path.rstrip("\\").casefold()


@dataclass(slots=True)
class World:
    """All that outlives a connection."""

    files: dict[str, File] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    machines: dict[str, dict[str, Any]] = field(default_factory=dict)
    switches: list[dict[str, str]] = field(default_factory=list)
    locks: dict[str, object] = field(default_factory=dict)
    ids: int = 0

    def snapshot(self) -> dict[str, Any]:
        """Everything there is, for comparing."""
        return {
            "files": {name: file.content for name, file in sorted(self.files.items())},
            "folders": sorted(self.folders),
            "machines": copy.deepcopy(self.machines),
        }


class Model:
    """One connection to a modelled host; `World` is what several connections share."""

    address = "model"

    def __init__(self, world: World | None = None, *, remote: bool = False) -> None:
        self.world = world or new_world()
        self.remote = remote
        self.account = "HOST\\alice"
        self.host: dict[str, Any] = {
            "elevated": True,
            "administrator": True,
            "hyperv_administrator": False,
            "language_mode": "FullLanguage",
            "powershell": "5.1.20348.1",
            "build": 20348,
            "server": True,
            "processor_vendor": "intel",
            "logical_processors": 8,
            "memory_available": 64 * GIB,
            "secure_boot_templates": [
                "MicrosoftWindows",
                "MicrosoftUEFICertificateAuthority",
                "OpenSourceShieldedVM",
            ],
            "machine_folder": "C:\\VMs",
            "disk_folder": "C:\\Disks",
            "module": "2.0.0.0",
            "missing": [],
        }
        self.free = 1024 * GIB
        self.volume_kind = "fixed"
        # Actions and received blocks until the run is killed; None: never.
        self.kill_after: int | None = None
        self.fail_action: str | None = None
        self.guest_answers_shutdown = True
        self.guest_is_slow = False
        self.worker_hangs = False
        # A machine that hangs lets us wait, or refuses.
        self.hung_refuses = False
        self.shutdown_code = 32775
        # What the host's resolver knows, and whether the guest's KVP daemon runs.
        self.names: dict[str, list[str]] = {}
        self.tells_addresses = True
        self.looks = 0
        self.address_after = 0
        self.kvp: dict[str, str] = {}
        # What the host's table of neighbors says, and what Windows does to files below a folder.
        self.neighbors: list[dict[str, str]] = []
        self.folder_attributes: dict[str, list[str]] = {}
        self.log: list[tuple[str, dict[str, Any]]] = []
        self.closed = False
        # What the host says it cannot read.
        self.unread: list[dict[str, str]] = []

    # The host interface.

    def request(
        self,
        operation: str,
        arguments: dict[str, Any],
        *,
        payload: bytes | None = None,
        seconds: float = 120,
        events: Any = None,
    ) -> Any:
        data = json.loads(json.dumps(arguments))
        try:
            match operation:
                case "lock":
                    value = self._lock(**data)
                case "read":
                    value = self._read(**data)
                case "run":
                    value = self._run(**data)
                case "receive":
                    assert payload is not None
                    self._tick()
                    value = self._receive(**data, payload=payload)
                case "observe":
                    value = self._observe(**data)
                case _:
                    raise AssertionError(operation)
        except ModelError as error:
            raise failure(operation, self._error(operation, error)) from None
        return json.loads(json.dumps(value))

    def close(self) -> None:
        self.closed = True
        self.world.locks = {
            name: holder for name, holder in self.world.locks.items() if holder is not self
        }

    def _lock(self, catlet: str, seconds: float) -> Any:
        holder = self.world.locks.setdefault(catlet, self)
        return {"locked": holder is self}

    def _tick(self) -> None:
        if self.kill_after is not None:
            if self.kill_after == 0:
                self.close()
                raise Killed("the connection ended")
            self.kill_after -= 1

    def _error(self, step: str, error: ModelError) -> dict[str, Any]:
        return {
            "step": step,
            "object": None,
            "category": error.category,
            "id": "Model",
            "hresult": error.hresult,
            "message": str(error),
        }

    def _run(self, actions: list[dict[str, Any]]) -> Any:
        results = []
        for each in actions:
            self._tick()
            name, arguments = each["action"], each["arguments"]
            assert sorted(arguments) == sorted(ARGUMENTS[name].split()), (name, arguments)
            self.log.append((name, arguments))
            result = {"id": each["id"], "ok": True, "created": False, "value": None, "error": None}
            try:
                if self.fail_action == name:
                    raise ModelError("told to fail")
                outcome = getattr(self, "_" + name.replace("-", "_"))(**arguments)
            except ModelError as error:
                results.append({**result, "ok": False, "error": self._error(name, error)})
                break
            if isinstance(outcome, bool):
                result["created"] = outcome
            elif isinstance(outcome, dict):
                result["value"] = outcome
                result["created"] = name == "new-machine"
            results.append(result)
        return {"results": results}

    # Reading.

    def _default(self, path: str) -> str:
        for token, folder in (
            ("{machine-folder}", self.host["machine_folder"]),
            ("{disk-folder}", self.host["disk_folder"]),
        ):
            if path.startswith(token + "\\"):
                return f"{folder}{path[len(token) :]}"
        return path

    def _read(
        self,
        catlet: str,
        marker: str,
        unfinished_name: str,
        files: list[dict[str, Any]],
        disks: list[str],
        free: list[str],
        chains: bool,
    ) -> Any:
        if not self.host["administrator"] and not self.host["hyperv_administrator"]:
            machines = []  # Without rights: nothing, and no error.
        else:
            machines = list(self.world.machines.values())
        ours = [
            each
            for each in machines
            if any(line.startswith(marker) for line in each["notes"].splitlines())
            or each["name"] == unfinished_name
        ]
        return {
            "host": {"account": self.account, **self.host},
            "switches": self.world.switches,
            "machines": [
                {
                    "id": each["id"],
                    "name": each["name"],
                    "notes": each["notes"],
                    "state": each["state"],
                    "path": each["path"],
                    "mac_addresses": [a["mac_address"] for a in each["network_adapters"]],
                    "disks": [d["path"] for d in each["drives"] if d["kind"] == "disk"],
                    "chains": [
                        self._chain(d["path"]) for d in each["drives"] if d["kind"] == "disk"
                    ]
                    if chains
                    else [],
                    "media": [
                        d["path"] for d in each["drives"] if d["kind"] == "dvd" and d["path"]
                    ],
                }
                for each in machines
            ],
            "ours": [
                {"machine": self._full(each), "record": self._text(each["path"] + "\\eryphc.json")}
                for each in ours
            ],
            "files": [self._file(**each) for each in files],
            "disks": [
                disk for path in disks if (disk := self._disk(self._default(path))) is not None
            ],
            "free": [
                {
                    "asked": path,
                    "path": self._default(path),
                    "bytes": self.free,
                    "kind": self.volume_kind,
                }
                for path in free
            ],
            "unread": list(self.unread),
        }

    def _text(self, path: str) -> str | None:
        file = self.world.files.get(key(path))
        return None if file is None else file.content.decode("ascii")

    def _file(self, path: str, sha256: bool, text: bool, names: str | None = None) -> Any:
        real = self._default(path)
        result: dict[str, Any] = {
            "asked": path,
            "path": real,
            "kind": "absent",
            "size": None,
            "sha256": None,
            "text": None,
            "attributes": [],
            "empty": None,
            "names": [],
        }
        if key(real) in self.world.folders:
            result["attributes"] = self.folder_attributes.get(real, ["Directory"])
            inside = key(real) + "\\"
            every = {k: f.path for k, f in self.world.files.items()} | self.world.folders
            direct = [
                ntpath.basename(spelled)
                for each, spelled in every.items()
                if each.startswith(inside) and "\\" not in each[len(inside) :]
            ]
            return result | {
                "kind": "folder",
                "empty": not any(each.startswith(inside) for each in every),
                "names": [each for each in direct if names is not None and names in each],
            }
        file = self.world.files.get(key(real))
        if file is None:
            return result
        return result | {
            "kind": "file",
            "size": len(file.content),
            "sha256": hashlib.sha256(file.content).hexdigest() if sha256 else None,
            "text": file.content.decode("ascii") if text else None,
            "attributes": sorted(file.attributes | ({"ReadOnly"} if file.read_only else set())),
        }

    def _chain(self, path: str) -> list[str]:
        chain: list[str] = []
        at: str | None = path
        while at is not None and key(at) in self.world.files and len(chain) < 50:
            chain.append(at)
            disk = self.world.files[key(at)].disk
            at = disk["parent"] if disk else None
        return chain

    def _disk(self, path: str) -> Any:
        file = self.world.files.get(key(path))
        if file is None or file.disk is None:
            return None
        parent = file.disk["parent"]
        return {
            "path": file.path,
            "size": file.disk["size"],
            "file_size": len(file.content),
            "minimum_size": None,
            "parent": parent,
            "type": "Differencing" if parent else "Dynamic",
            "format": "VHDX" if not path.endswith(".vhds") else "VHDSet",
            "chain": self._chain(path),
            "healthy": parent is None or key(parent) in self.world.files,
        }

    def _full(self, machine: dict[str, Any]) -> dict[str, Any]:
        result = copy.deepcopy(machine)
        result.pop("configuration")
        for drive in result["drives"]:
            disk = self._disk(drive["path"]) if drive["kind"] == "disk" else None
            drive["size"] = disk["size"] if disk else None
            drive["minimum_size"] = None
            drive["chain"] = disk["chain"] if disk else []
        return result

    def _observe(self, machine: str, macs: list[str], names: list[str]) -> Any:
        vm = self.world.machines.get(machine)
        self.looks += 1
        running = vm is not None and vm["state"] == "Running"
        told = running and self.looks > self.address_after
        adapters = vm["network_adapters"] if vm is not None else []
        return {
            "state": vm["state"] if vm is not None else None,
            "operational_status": ["Ok"] if vm is not None else [],
            "heartbeat": "OkApplicationsUnknown" if told else "NoContact" if running else None,
            "uptime": self.looks if running else None,
            "adapters": [
                {
                    "id": each["id"],
                    "name": each["name"],
                    "mac_address": each["mac_address"],
                    "addresses": ["fe80::1", f"10.0.0.{index + 5}", "fd00::5"]
                    if told and self.tells_addresses
                    else [],
                }
                for index, each in enumerate(adapters)
            ],
            "kvp": {"guest": self.kvp if running else {}, "intrinsic": {}},
            "guest_network": [],
            "neighbors": [each for each in self.neighbors if each["mac_address"] in macs],
            "names": [
                {"name": each, "addresses": self.names.get(each, []) if told else []}
                for each in names
            ],
        }

    # Files.

    def _make_folder(self, path: str, protect: bool) -> bool:
        self._legal(path)
        if key(path) in self.world.folders:
            return False
        while key(path) not in self.world.folders:
            self.world.folders[key(path)] = path
            path = ntpath.dirname(path.rstrip("\\"))
        return True

    def _legal(self, path: str) -> None:
        rest = path[2:]
        if not (path[1:3] == ":\\" or path.startswith("\\\\")) or any(
            c in '<>:"|?*[]`' for c in rest
        ):
            raise ModelError(f"illegal path {path!r}", category="InvalidArgument")

    def _put(self, path: str, content: bytes, disk: dict[str, Any] | None = None) -> File:
        self._legal(path)
        if key(ntpath.dirname(path)) not in self.world.folders:
            raise ModelError(f"no folder for {path}", category="ObjectNotFound")
        if key(path) in self.world.files:
            raise ModelError(f"{path} exists", category="ResourceExists")
        file = File(path=path, content=content, disk=disk)
        self.world.files[key(path)] = file
        return file

    def _get(self, path: str) -> File:
        if key(path) not in self.world.files:
            raise ModelError(f"no file {path}", category="ObjectNotFound")
        return self.world.files[key(path)]

    def _users(self, path: str) -> list[str]:
        return [
            each["name"]
            for each in self.world.machines.values()
            for drive in each["drives"]
            if drive["path"] is not None and key(drive["path"]) == key(path)
        ]

    def _write_text(self, path: str, text: str) -> bool:
        part = part_of(path)
        self.world.files.pop(key(part), None)
        self._put(part, text.encode("ascii")[: len(text) // 2])
        self._tick()
        self._get(part).content = text.encode("ascii")
        self._tick()
        fresh = self.world.files.pop(key(path), None) is None
        self._rename(part, path)
        return fresh

    def _rename(self, source: str, path: str) -> None:
        file = self.world.files.pop(key(source))
        file.path = path
        self.world.files[key(path)] = file

    def _move_folder(self, source: str, path: str) -> None:
        inside = key(source) + "\\"
        for name in [each for each in self.world.files if each.startswith(inside)]:
            self._rename(name, path + "\\" + self.world.files[name].path[len(inside) :])
        del self.world.folders[key(source)]
        self.world.folders[key(path)] = path

    def _make_home(self, path: str, name: str, text: str) -> bool:
        if key(path) in self.world.folders:
            return self._write_text(f"{path}\\eryphc.json", text)
        known = [each for each in self._waiting(path, name) if key(each) in self.world.folders]
        missing = [each for each in above(path) if key(each) not in self.world.folders]
        waiting = known[0] if known else f"{ntpath.dirname((missing or [path])[-1])}\\{name}"
        waiting = waiting if known else waiting.replace("\\\\", "\\") + ".eryphc-part"
        self._make_folder(waiting, protect=False)
        self._tick()
        self._write_text(f"{waiting}\\eryphc.json", text)
        for each in reversed(missing):
            self._tick()
            self._make_folder(each, protect=False)
        self._tick()
        self._move_folder(waiting, path)
        return True

    def _waiting(self, path: str, name: str) -> list[str]:
        folders = [ntpath.dirname(each) for each in (path, *above(path))]
        return [f"{each.rstrip(chr(92))}\\{name}.eryphc-part" for each in folders]

    def _delete_home(self, path: str, name: str, folders: list[str]) -> dict[str, bool]:
        if key(path) in self.world.folders:
            self._delete_folder(f"{path}\\Virtual Machines")
            record = f"{path}\\eryphc.json"
            self.world.files.pop(key(part_of(record)), None)
            inside = key(path) + "\\"
            every = (*self.world.files, *self.world.folders)
            if any(each.startswith(inside) and each != key(record) for each in every):
                self.world.files.pop(key(record), None)
                return {"deleted": False}
            self._tick()
            first = min((path, *folders), key=len)
            waiting = f"{ntpath.dirname(first).rstrip(chr(92))}\\{name}.eryphc-part"
            self._move_folder(path, waiting)
        for each in sorted(folders, key=len, reverse=True):
            self._tick()
            self._delete_folder(each)
        for each in self._waiting(path, name):
            if key(each) in self.world.folders:
                self._tick()
                self.world.files.pop(key(f"{each}\\eryphc.eryphc-part.json"), None)
                self.world.files.pop(key(f"{each}\\eryphc.json"), None)
                self._tick()
                self._delete_folder(each)
        return {"deleted": True}

    def _move_whole(self, source: str, path: str, sha256: str) -> bool:
        file = self._get(source)
        assert hashlib.sha256(file.content).hexdigest() == sha256
        if key(path) in self.world.files:
            self.world.files.pop(key(source))
            return False
        file.read_only = True
        self._tick()
        self._rename(source, path)
        return True

    def _receive(self, path: str, size: int, offset: int, payload: bytes) -> Any:
        part = part_of(path)
        if offset == 0:
            self.world.files.pop(key(part), None)
            self._put(part, b"")
        file = self._get(part)
        if len(file.content) != offset or offset + len(payload) > size:
            raise ModelError("wrong offset", category="InvalidArgument")
        file.content += payload
        done = len(file.content) == size
        return {
            "size": len(file.content),
            "sha256": hashlib.sha256(file.content).hexdigest() if done else None,
        }

    def _place_part(self, path: str, size: int, sha256: str, read_only: bool) -> bool:
        part = self._get(part_of(path))
        self._tick()
        if len(part.content) != size or hashlib.sha256(part.content).hexdigest() != sha256:
            raise ModelError("damaged", category="InvalidData")
        if key(path) in self.world.files:
            raise ModelError(f"{path} exists", category="ResourceExists")
        del self.world.files[key(part.path)]
        disk = None
        if part.content.startswith(b"vhdxfile"):
            disk = {"size": virtual_size(part.content), "parent": None}
        self._put(path, part.content, disk).read_only = read_only
        return True

    def _copy_file(self, source: str, path: str, sha256: str | None) -> bool:
        file = self._get(source)
        if sha256 is not None and hashlib.sha256(file.content).hexdigest() != sha256:
            raise ModelError("damaged", category="InvalidData")
        part = part_of(path)
        self.world.files.pop(key(part), None)
        self._put(part, file.content[:4])
        self._tick()
        self.world.files.pop(key(part))
        disk = file.disk
        if disk is None and file.content.startswith(b"vhdxfile"):
            disk = {"size": virtual_size(file.content), "parent": None}
        self._put(path, file.content, copy.deepcopy(disk))
        return True

    def _clear_sparse(self, path: str) -> None:
        self._get(path).attributes.discard("SparseFile")

    def _delete_file(self, path: str) -> None:
        users = self._users(path)
        if users:
            raise ModelError(f"{path} is in use by {users[0]}", hresult=-0x7FF8FFE0)
        self.world.files.pop(key(path), None)

    def _delete_folder(self, path: str) -> dict[str, bool]:
        if key(path) not in self.world.folders:
            return {"deleted": False}
        if not self._file(path, sha256=False, text=False)["empty"]:
            return {"deleted": False}
        del self.world.folders[key(path)]
        return {"deleted": True}

    def _new_disk(self, path: str, size: int | None, parent: str | None, in_place: bool) -> bool:
        if parent is not None:
            above = self._get(parent)
            if above.disk is None:
                raise ModelError(f"{parent} is no disk", category="InvalidData")
            size = size or above.disk["size"]
            if size < above.disk["size"]:
                raise ModelError("smaller than its parent", category="InvalidArgument")
            parent = above.path
        if size is None or size % 512:
            raise ModelError("bad size", category="InvalidArgument")
        self.world.ids += 1
        content = f"disk {self.world.ids}".encode()
        disk = {"size": size, "parent": parent}
        if in_place:
            self._put(path, content, disk)
            return True
        part = part_of(path)
        self.world.files.pop(key(part), None)
        self._put(part, content, disk)
        self._tick()
        self._rename(part, path)
        return True

    def _convert_disk(self, source: str, path: str) -> bool:
        file = self._get(source)
        self._put(path, b"set " + file.content, copy.deepcopy(file.disk))
        return True

    def _reset_disk(self, path: str) -> None:
        file = self._get(path)
        if file.disk is None:
            raise ModelError("no disk", category="InvalidData")
        if self._users(path):
            raise ModelError("in use", category="ResourceBusy")

    def _resize_disk(self, path: str, size: int) -> None:
        file = self._get(path)
        if file.disk is None or file.read_only:
            raise ModelError("no disk to resize", category="InvalidData")
        if size < file.disk["size"] or size % (4 * 1024):
            raise ModelError("bad size", category="InvalidArgument")
        file.disk["size"] = size

    # Machines.

    def _vm(self, machine: str, *, off: bool = False) -> dict[str, Any]:
        vm = self.world.machines.get(machine)
        if vm is None:
            raise ModelError("no such machine", category="ObjectNotFound")
        if off and vm["state"] != "Off":
            raise ModelError(f"not while it is {vm['state']}", category="InvalidOperation")
        return vm

    def _new_machine(self, name: str, folder: str, memory: int, notes: str) -> dict[str, str]:
        if not name or len(name) > 100:
            raise ModelError("parameter is incorrect", hresult=-0x7FF8FFA9)
        if memory % (2 * MIB) or memory < 32 * MIB:
            raise ModelError("not properly aligned", category="InvalidArgument")
        self.world.ids += 1
        identifier = str(uuid.uuid5(uuid.UUID(int=7), f"vm {self.world.ids}"))
        path = f"{folder.rstrip(chr(92))}\\{name}"
        self._make_folder(path, False)
        configuration = f"{path}\\Virtual Machines"
        self._make_folder(configuration, False)
        self._put(f"{configuration}\\{identifier}.vmcx", b"configuration")
        self.world.machines[identifier] = {
            "id": identifier,
            "name": name,
            "notes": notes,
            "generation": 2,
            "version": "10.0",
            "state": "Off",
            "operational_status": ["Ok"],
            "path": path,
            "start_action": "StartIfRunning",
            "start_delay": 0,
            "stop_action": "Save",
            "checkpoint_type": "Production",
            "automatic_checkpoints": not self.host["server"],
            "checkpoints": 0,
            "processor": {"count": 1, "nested_virtualization": False},
            "memory": {
                "dynamic": False,
                "startup": memory,
                "minimum": 512 * MIB,
                "maximum": 1024 * GIB,
            },
            "firmware": {
                "secure_boot": True,
                "secure_boot_template": "MicrosoftWindows",
                "boot_order": [{"type": "Network", "controller": None, "location": None}],
            },
            "tpm": {"enabled": False, "key_protector": 4},
            "integration_services": [
                {"id": each, "enabled": enabled} for each, enabled in sorted(SERVICES.items())
            ],
            "scsi_controllers": 1,
            "drives": [],
            "network_adapters": [self._adapter("Netzwerkkarte", None)],
            "configuration": f"{configuration}\\{identifier}.vmcx",
        }
        return {"machine": identifier}

    def _adapter(self, name: str, mac: str | None) -> dict[str, Any]:
        self.world.ids += 1
        return {
            "id": f"Microsoft:adapter-{self.world.ids}",
            "name": name,
            "mac_address": mac or "000000000000",
            "dynamic_mac": mac is None,
            "mac_address_spoofing": False,
            "dhcp_guard": False,
            "router_guard": False,
            "switch": None,
            "switch_name": None,
            "vlan_mode": "Untagged",
            "vlan": None,
        }

    def _set_notes(self, machine: str, notes: str) -> None:
        self._vm(machine)["notes"] = notes

    def _rename_machine(self, machine: str, name: str) -> None:
        if not name or len(name) > 100:
            raise ModelError("parameter is incorrect", hresult=-0x7FF8FFA9)
        self._vm(machine)["name"] = name

    def _set_machine(self, machine: str, **values: Any) -> None:
        # Of these a live machine accepts another start action only.
        off = any(value is not None for name, value in values.items() if name != "start_action")
        vm = self._vm(machine, off=off)
        vm.update({name: value for name, value in values.items() if value is not None})

    def _set_firmware(self, machine: str, **values: Any) -> None:
        vm = self._vm(machine, off=True)
        template = values["secure_boot_template"]
        if template is not None:
            if template not in self.host["secure_boot_templates"]:
                raise ModelError("matches none of the secure boot templates")
            if vm["tpm"]["enabled"]:
                raise ModelError("the template is frozen by the TPM")
        vm["firmware"].update({name: each for name, each in values.items() if each is not None})

    def _set_first_boot(self, machine: str, controller: int, location: int) -> None:
        vm = self._vm(machine, off=True)
        entry = {"type": "Drive", "controller": controller, "location": location}
        order = vm["firmware"]["boot_order"]
        if entry not in order:
            raise ModelError("no such boot device")
        order.remove(entry)
        order.insert(0, entry)

    def _set_key_protector(self, machine: str, guardian: str | None) -> None:
        vm = self._vm(machine, off=True)
        assert vm["tpm"]["key_protector"] < 16, "a protector was replaced"
        vm["tpm"]["key_protector"] = 2000

    def _set_tpm(self, machine: str, enabled: bool) -> None:
        vm = self._vm(machine, off=True)
        if enabled and vm["tpm"]["key_protector"] < 16:
            raise ModelError("no key protector")
        vm["tpm"]["enabled"] = enabled

    def _set_processor(self, machine: str, **values: Any) -> None:
        vm = self._vm(machine, off=True)
        if values["count"] is not None and not 1 <= values["count"] <= 1024:
            raise ModelError("out of range", category="InvalidArgument")
        vm["processor"].update({name: each for name, each in values.items() if each is not None})

    def _set_memory(self, machine: str, **values: Any) -> None:
        vm = self._vm(machine)
        memory = dict(vm["memory"])
        changed = {name: each for name, each in values.items() if each is not None}
        if vm["state"] != "Off":
            lower = changed.get("minimum", memory["minimum"]) <= memory["minimum"]
            raised = changed.get("maximum", memory["maximum"]) >= memory["maximum"]
            static = not memory["dynamic"] and not vm["processor"]["nested_virtualization"]
            if (
                "dynamic" in changed
                or ("startup" in changed and not static)
                or not (lower and raised)
            ):
                raise ModelError(f"not while it is {vm['state']}")
        memory.update(changed)
        sizes = [memory["startup"]]
        if memory["dynamic"]:
            sizes = [memory["minimum"], memory["startup"], memory["maximum"]]
        if any(each % (2 * MIB) or each < 32 * MIB for each in sizes) or sizes != sorted(sizes):
            raise ModelError(
                "memory is not properly aligned or ordered", category="InvalidArgument"
            )
        vm["memory"] = memory

    def _set_integration_service(self, machine: str, service: str, enabled: bool) -> None:
        for each in self._vm(machine, off=True)["integration_services"]:
            if each["id"] == service:
                each["enabled"] = enabled
                return
        raise ModelError("no such service", category="ObjectNotFound")

    def _add_scsi_controller(self, machine: str) -> None:
        vm = self._vm(machine, off=True)
        if vm["scsi_controllers"] == 4:
            raise ModelError("four controllers are the most")
        vm["scsi_controllers"] += 1

    def _plug(self, machine: str, controller: int, location: int, drive: dict[str, Any]) -> None:
        vm = self._vm(machine)
        if controller >= vm["scsi_controllers"] or not 0 <= location <= 63:
            raise ModelError("no such controller or location", category="InvalidArgument")
        if any((d["controller"], d["location"]) == (controller, location) for d in vm["drives"]):
            raise ModelError("the location is taken", category="ResourceExists")
        place = {"controller_type": "SCSI", "controller": controller, "location": location}
        vm["drives"].append(place | drive)
        vm["drives"].sort(key=lambda each: (each["controller"], each["location"]))
        vm["firmware"]["boot_order"].append(
            {"type": "Drive", "controller": controller, "location": location}
        )

    def _attach_disk(
        self, machine: str, controller: int, location: int, path: str, shared: bool
    ) -> None:
        file = self._get(path)
        if file.disk is None:
            raise ModelError("no disk", category="InvalidData")
        if shared:
            self._vm(machine, off=True)
        if file.attributes & {"SparseFile", "Compressed", "Encrypted"}:
            raise ModelError("sparse", hresult=-0x3FC5FFE6)
        if self._users(path) and not shared:
            raise ModelError(f"{path} is attached already", category="ResourceBusy")
        self._plug(
            machine,
            controller,
            location,
            {"kind": "disk", "path": file.path, "shared": shared},
        )

    def _detach_disk(self, machine: str, controller: int, location: int) -> None:
        vm = self._vm(machine)
        kept = [
            d for d in vm["drives"] if (d["controller"], d["location"]) != (controller, location)
        ]
        if len(kept) == len(vm["drives"]):
            raise ModelError("nothing there", category="ObjectNotFound")
        vm["drives"] = kept
        vm["firmware"]["boot_order"] = [
            each
            for each in vm["firmware"]["boot_order"]
            if (each["controller"], each["location"]) != (controller, location)
        ]

    def _add_dvd(self, machine: str, controller: int, location: int, path: str | None) -> None:
        if path is not None:
            self._get(path)
        self._plug(machine, controller, location, {"kind": "dvd", "path": path, "shared": False})

    def _set_dvd(self, machine: str, controller: int, location: int, path: str | None) -> None:
        if path is not None:
            self._get(path)
        for drive in self._vm(machine)["drives"]:
            if (drive["controller"], drive["location"]) == (controller, location):
                assert drive["kind"] == "dvd"
                drive["path"] = path
                return
        raise ModelError("no DVD drive there", category="ObjectNotFound")

    def _add_adapter(self, machine: str, name: str, mac_address: str) -> None:
        vm = self._vm(machine)
        if len(vm["network_adapters"]) >= 64:
            raise ModelError("too many adapters")
        vm["network_adapters"].append(self._adapter(name, mac_address))

    def _remove_adapter(self, machine: str, adapter: str) -> None:
        vm = self._vm(machine)
        kept = [each for each in vm["network_adapters"] if each["id"] != adapter]
        if len(kept) == len(vm["network_adapters"]):
            raise ModelError("no such adapter", category="ObjectNotFound")
        vm["network_adapters"] = kept

    def _named(self, machine: str, name: str) -> dict[str, Any]:
        adapters: list[dict[str, Any]] = self._vm(machine)["network_adapters"]
        found = [each for each in adapters if each["name"] == name]
        if len(found) != 1:
            raise ModelError(f"{len(found)} adapters of that name", category="InvalidArgument")
        return found[0]

    def _set_adapter(self, machine: str, name: str, **values: Any) -> None:
        adapter = self._named(machine, name)
        if values["mac_address"] is not None:
            self._vm(machine, off=True)
            adapter["dynamic_mac"] = False
        adapter.update({key_: each for key_, each in values.items() if each is not None})

    def _set_vlan(self, machine: str, name: str, vlan: int | None) -> None:
        adapter = self._named(machine, name)
        adapter["vlan"] = vlan
        adapter["vlan_mode"] = "Access" if vlan is not None else "Untagged"

    def _connect_adapter(self, machine: str, name: str, switch: str | None) -> None:
        adapter = self._named(machine, name)
        adapter["switch"] = switch
        adapter["switch_name"] = None
        if switch is not None:
            found = [each for each in self.world.switches if each["id"] == switch]
            if not found:
                raise ModelError("no such switch", category="ObjectNotFound")
            adapter["switch_name"] = found[0]["name"]

    def _start_machine(self, machine: str, seconds: int) -> None:
        vm = self._vm(machine)
        if vm["processor"]["count"] > self.host["logical_processors"]:
            raise ModelError("incompatible processor settings")
        for drive in vm["drives"]:
            if drive["path"] is not None:
                file = self._get(drive["path"])
                if file.disk and file.disk["parent"]:
                    self._get(file.disk["parent"])
        if vm["automatic_checkpoints"]:
            vm["checkpoints"] += 1
        vm["state"] = "Running"

    def _resume_machine(self, machine: str) -> None:
        vm = self._vm(machine)
        if vm["state"] != "Paused":
            raise ModelError("not paused")
        vm["state"] = "Running"

    def _stop_machine(self, machine: str, how: str, seconds: int) -> dict[str, Any]:
        vm = self._vm(machine)
        if how == "shutdown":
            if not self.guest_answers_shutdown:
                return {"accepted": False, "code": self.shutdown_code}
            if not self.guest_is_slow and not self.worker_hangs:
                vm["state"] = "Off"
            return {"accepted": True, "code": 0}
        if how == "turn-off" and vm["state"] in ("Saved", "FastSaved"):
            raise ModelError("there is no power to take away")
        if how == "end-worker":
            self.worker_hangs = False
        elif self.worker_hangs and self.hung_refuses:
            raise ModelError("not in its current state")
        if not self.worker_hangs and not (how == "force" and self.guest_is_slow):
            vm["state"] = "Saved" if how == "save" else "Off"
        return {"accepted": True, "code": 0}

    def _discard_saved_state(self, machine: str) -> None:
        vm = self._vm(machine)
        if vm["state"] not in ("Saved", "FastSaved"):
            raise ModelError("there is no saved state")
        vm["state"] = "Off"

    def _remove_machine(self, machine: str, marker: str, unfinished_name: str) -> None:
        vm = self.world.machines.get(machine)
        if vm is None:
            return
        marked = any(line.startswith(marker) for line in vm["notes"].splitlines())
        if not marked and vm["name"] != unfinished_name:
            raise ModelError("not ours", category="PermissionDenied")
        self._vm(machine, off=True)
        del self.world.machines[machine]
        del self.world.files[key(vm["configuration"])]
        self._delete_folder(ntpath.dirname(vm["configuration"]))


def above(path: str) -> list[str]:
    """The folders above, the nearest first, without the root."""
    found = []
    path = ntpath.dirname(path)
    while not path.endswith(":\\"):
        found.append(path)
        path = ntpath.dirname(path)
    return found


def virtual_size(content: bytes) -> int:
    """Stand-in VHDX files say their virtual size after the signature, in GiB."""
    return int(content[8:12]) * GIB


def vhdx(gib: int = 2, filler: bytes = b"") -> bytes:
    """The bytes of a stand-in VHDX of that virtual size."""
    return b"vhdxfile" + f"{gib:04}".encode() + filler


def new_world() -> World:
    """A host with two switches, a stranger's machine and the folders that Windows has."""
    world = World()
    for path in ("C:", "D:", "C:\\VMs", "C:\\VMs\\foreign", "C:\\Disks", "D:\\Images"):
        world.folders[key(path)] = path
    world.switches = [
        {"id": DEFAULT_SWITCH, "name": "Standardswitch", "type": "Internal"},
        {"id": "11111111-1111-4111-8111-111111111111", "name": "Backend", "type": "External"},
        {"id": "22222222-2222-4222-8222-222222222222", "name": "LAN", "type": "External"},
    ]
    disk = {"size": GIB, "parent": None}
    path = "C:\\VMs\\foreign\\disk.vhdx"
    world.files[key(path)] = File(path=path, content=b"foreign", disk=disk)
    model = Model(world)
    identifier = model._new_machine("foreign", "C:\\VMs", GIB, "somebody else's")["machine"]
    model._attach_disk(identifier, 0, 0, path, False)
    return world
