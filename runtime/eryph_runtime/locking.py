"""The host's own lock of a machine: two runs on one machine would spoil it."""

from __future__ import annotations

from eryph_runtime.deployment import Deployment
from eryph_runtime.faults import RefusalError
from eryph_runtime.host import Host


def take_lock(host: Host, deployment: Deployment) -> None:
    """Hold the host's mutex of this catlet until the session ends; raises RefusalError."""
    answer = host.request("lock", {"catlet": deployment.catlet.id, "seconds": 30})
    if not isinstance(answer, dict) or not answer.get("locked"):
        raise RefusalError("another run works on this machine; try again when it is done")
