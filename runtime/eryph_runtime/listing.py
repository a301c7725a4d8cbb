"""The machines of a host that carry our marker, whatever their deployment."""

from __future__ import annotations

import uuid
from typing import Any

from eryph_runtime.faults import RefusalError
from eryph_runtime.host import Host
from eryph_runtime.observe import read_state
from eryph_runtime.preconditions import host_faults
from eryph_runtime.record import note_lines, owner_in
from eryph_runtime.running import broad_state

# The beginning of the note line of every catlet: docs/reference/deployment.md, "The marker".
_MARKER = "eryphc:v1 catlet="


def list_machines(host: Host) -> dict[str, Any]:
    """One entry a machine, sorted by name, then id. Raises RefusalError, HostFailure."""
    arguments: dict[str, Any] = {
        "catlet": str(uuid.UUID(int=0)),
        "marker": _MARKER,
        "unfinished_name": f"eryphc-{uuid.UUID(int=0)}",
        "files": [],
        "disks": [],
        "free": [],
        "chains": False,
    }
    state = read_state(host.request("read", arguments, seconds=600))
    if faults := host_faults(state.host):
        raise RefusalError(*faults)
    machines = []
    for machine in state.machines:
        catlet = _catlet_in(machine.notes)
        if catlet is not None:
            machines.append(
                {
                    "id": machine.id,
                    "name": machine.name,
                    "catlet": catlet,
                    "state": machine.state,
                    "broad_state": broad_state(machine.state),
                    "owner": owner_in(machine.notes, catlet),
                    "path": machine.path,
                }
            )
    return {"machines": sorted(machines, key=lambda each: (each["name"], each["id"]))}


def _catlet_in(notes: str) -> str | None:
    """The catlet id of the first marker in the notes; a marker of ours has a valid id."""
    for line in note_lines(notes):
        if line.startswith(_MARKER):
            word = line[len(_MARKER) :].split(" ", 1)[0]
            try:
                if str(uuid.UUID(word)) == word:
                    return word
            except ValueError:
                continue
    return None
