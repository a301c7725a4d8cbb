"""Power, and what a running machine reports: states, addresses, the end of provisioning.

Source: docs/reference/hyperv.md, "States of a machine", "Starting", "Stopping",
"The address of a guest", "Key-value pairs".
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from eryph_runtime.decode import MalformedError, decode
from eryph_runtime.deployment import Deployment
from eryph_runtime.executor import execute_one
from eryph_runtime.faults import HostError, HostFailure, RefusalError
from eryph_runtime.host import Action, Host
from eryph_runtime.resolve import DEFAULT_SWITCH
from eryph_runtime.state import GuestState, Machine
from eryph_runtime.talk import Talk

Clock: TypeAlias = Callable[[], float]
Sleep: TypeAlias = Callable[[float], None]

_STOPPED = frozenset(("Off", "Saved", "Paused", "FastSaved", "Hibernated"))
_CHANGING = frozenset(
    (
        "Starting",
        "Stopping",
        "Saving",
        "Pausing",
        "Resuming",
        "Reset",
        "FastSaving",
    )
)
# Their memory is kept: they go on before they are shut down.
_RESUMED = frozenset(("Saved", "Paused", "FastSaved", "Hibernated"))
_POLL = 2.0
_TURN_OFF_SECONDS = 60
_SESSION_LOCKED = 32781
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_HEARTBEATS = frozenset(("OkApplicationsHealthy", "OkApplicationsUnknown"))
# What container software gives its own bridge: 172.17.0.1 and on, libvirt's, Podman's, LXC's.
_BRIDGE = re.compile(
    r"172\.(?:1[7-9]|2[0-9]|3[01])\.0\.1|192\.168\.122\.1|10\.88\.0\.1|10\.0\.3\.1"
)


def broad_state(state: str) -> str:
    """`running`, `stopped`, `changing` or `error`."""
    if state == "Running":
        return "running"
    if state in _STOPPED:
        return "stopped"
    return "changing" if state in _CHANGING else "error"


def power_on(host: Host, machine: Machine, talk: Talk) -> bool:
    """Start or resume; False where it runs already. Raises HostFailure."""
    if machine.state == "Running":
        return False
    talk.step(f"starting `{machine.name}`")
    if machine.state == "Paused":
        execute_one(host, Action(action="resume-machine", arguments={"machine": machine.id}), talk)
        return True
    arguments = {"machine": machine.id, "seconds": 300}
    execute_one(host, Action(action="start-machine", arguments=arguments, seconds=330), talk)
    return True


def shut_down(
    host: Host,
    machine: Machine,
    *,
    force: bool,
    seconds: int,
    talk: Talk,
    end_worker: bool = False,
) -> None:
    """Bring the machine to `Off`: by the guest, or with `force` in the end without it.

    A saved or paused machine is resumed first: its memory is not thrown away.
    Raises RefusalError where the guest does not shut down, HostFailure; `end_worker` as in
    `turn_off`.
    """
    if machine.state == "Off":
        return
    if machine.state in _RESUMED:
        power_on(host, machine, talk)
    talk.step(f"shutting down `{machine.name}`")
    value = _stop(host, machine, "shutdown", seconds, talk)
    if value.get("accepted") and read_guest(host, machine.id).state == "Off":
        return
    if not force:
        raise RefusalError(
            f"{_no_shutdown(machine, value, seconds)}: `stop --force` does without it"
        )
    talk.step(f"turning `{machine.name}` off")
    if value.get("accepted"):
        _tried(host, machine, "force", seconds, talk)
        if read_guest(host, machine.id).state == "Off":
            return
    turn_off(host, machine, talk, seconds=min(seconds, _TURN_OFF_SECONDS), end_worker=end_worker)


def _no_shutdown(machine: Machine, value: dict[str, object], seconds: int) -> str:
    guest = f"the guest of `{machine.name}`"
    if value.get("accepted"):
        return f"{guest} took longer than {seconds} s to shut down"
    if value.get("code") == _SESSION_LOCKED:
        return f"{guest} does not shut down while a session in it is locked"
    return f"{guest} does not answer; its shutdown service may be missing or it is still booting"


def turn_off(
    host: Host,
    machine: Machine,
    talk: Talk,
    *,
    seconds: int = _TURN_OFF_SECONDS,
    end_worker: bool = False,
) -> None:
    """Take the power away. Raises HostFailure, also for a machine that stays on.

    With `end_worker` the process that such a machine runs in is ended, as the last resort.
    """
    if machine.state == "Off":
        return
    told = _tried(host, machine, "turn-off", seconds, talk)
    if read_guest(host, machine.id).state == "Off":
        return
    if not end_worker:
        why = f" ({told.message})" if told is not None else ""
        raise HostFailure(
            f"`{machine.name}` does not turn off{why}; where its worker process hangs, "
            "`stop --end-worker` ends that process on the host",
            told,
        )
    talk.step(f"ending the worker process of `{machine.name}`")
    _stop(host, machine, "end-worker", _TURN_OFF_SECONDS, talk)
    if read_guest(host, machine.id).state != "Off":
        raise HostFailure(f"`{machine.name}` stays on although its worker process was ended")


def _tried(host: Host, machine: Machine, how: str, seconds: int, talk: Talk) -> HostError | None:
    """Stop it this way; gives what the host said where that failed.

    A machine that hangs may refuse as well as let us wait. Raises HostFailure where the way to
    the host failed.
    """
    try:
        _stop(host, machine, how, seconds, talk)
    except HostFailure as failure:
        if failure.error is None:
            raise
        return failure.error
    return None


def _stop(host: Host, machine: Machine, how: str, seconds: int, talk: Talk) -> dict[str, object]:
    arguments = {"machine": machine.id, "how": how, "seconds": seconds}
    step = Action(action="stop-machine", arguments=arguments, seconds=seconds + 60)
    value = execute_one(host, step, talk)
    return value if isinstance(value, dict) else {}


def read_guest(
    host: Host, machine: str, macs: tuple[str, ...] = (), names: tuple[str, ...] = ()
) -> GuestState:
    """One look at the machine. Raises HostFailure.

    The host looks `macs` up in its table of neighbours, and asks its resolver for `names`.
    """
    asked = {"machine": machine, "macs": list(macs), "names": list(names)}
    value = host.request("observe", asked, seconds=60)
    try:
        return decode(GuestState, value)
    except MalformedError as error:
        raise HostFailure(f"the host's program told of another shape: {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    address: str
    source: str
    adapter: str | None


def addresses(seen: GuestState, deployment: Deployment) -> tuple[Address, ...]:
    """Usable addresses, the best source first; everything the guest wrote is checked text."""
    names = {each.mac_address: each.name for each in deployment.network_adapters}
    order = list(names)
    found: list[Address] = []

    def add(texts: tuple[str, ...], source: str, mac: str | None) -> None:
        for usable in sorted(filter(None, map(_usable, texts)), key=lambda text: ":" in text):
            if usable not in [each.address for each in found]:
                adapter = names.get(mac) if mac is not None else None
                found.append(Address(address=usable, source=source, adapter=adapter))

    ranked = sorted(
        seen.adapters,
        key=lambda each: order.index(each.mac_address) if each.mac_address in order else len(order),
    )
    for each in ranked:
        add(each.addresses, "adapter", each.mac_address)
    for key in ("NetworkAddressIPv4", "NetworkAddressIPv6"):
        # These come without their interface: bridges that stand inside the guest are among them.
        texts = map(str.strip, seen.kvp.intrinsic.get(key, "").split(";"))
        add(tuple(each for each in texts if not _BRIDGE.fullmatch(each)), "kvp", None)
    for network in seen.guest_network:
        add(network.addresses, "guest-network", None)
    for neighbor in seen.neighbors:
        if neighbor.state not in ("Unreachable", "Incomplete"):
            add((neighbor.address,), "neighbor", neighbor.mac_address)
    if seen.state == "Running":
        for adapter in deployment.network_adapters:
            add(adapter.addresses, "deployment", adapter.mac_address)
    for named in seen.names:
        add(named.addresses, "host-name", None)
    return tuple(found)


def look(
    host: Host, machine: Machine, deployment: Deployment
) -> tuple[tuple[Address, ...], GuestState]:
    """The addresses that one look finds; the resolver is asked when nothing else answers."""
    macs = tuple(each.mac_address for each in deployment.network_adapters)
    seen = read_guest(host, machine.id, macs)
    found = addresses(seen, deployment)
    names = _host_names(machine, deployment)
    if not found and names and seen.state == "Running":
        seen = read_guest(host, machine.id, macs, names)
        found = addresses(seen, deployment)
    return found, seen


def _host_names(machine: Machine, deployment: Deployment) -> tuple[str, ...]:
    """The name that the Default Switch's own DHCP and DNS give the guest.

    Source: docs/reference/hyperv.md, "Switches".
    """
    name = deployment.catlet.hostname or deployment.machine.name
    usable = _LABEL.fullmatch(name) is not None
    there = any(each.switch == DEFAULT_SWITCH for each in machine.network_adapters)
    return (f"{name}.mshome.net",) if usable and there else ()


def _usable(text: str) -> str | None:
    """The address in its usual form; None for link-local, loopback and what is no address."""
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    bad = address.is_link_local or address.is_loopback or address.is_unspecified
    if bad or address.is_multicast:
        return None
    return str(address)


def wait_for_addresses(
    host: Host,
    machine: Machine,
    deployment: Deployment,
    seconds: float,
    *,
    clock: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
) -> tuple[tuple[Address, ...], GuestState]:
    """Look until two looks agree on an address, or time is up (then what was seen last)."""
    end = clock() + seconds
    before: tuple[Address, ...] = ()
    while True:
        now, seen = look(host, machine, deployment)
        # First reads after a start may be old, and an address that the deployment knows
        # does not show that the guest is up.
        up = seen.heartbeat in _HEARTBEATS or any(each.source != "deployment" for each in now)
        if (now and now == before and up) or clock() >= end or seen.state is None:
            return now, seen
        before = now
        sleep(_POLL)


def explain_no_address(seen: GuestState) -> str:
    """Why there is no address, as far as one can tell."""
    if seen.state != "Running":
        return f"the machine is not running ({seen.state or 'gone'})"
    if seen.heartbeat in _HEARTBEATS:
        return (
            "the guest is up but tells no address: its KVP daemon may be missing (hyperv-daemons, "
            "linux-cloud-tools-*)"
        )
    return f"the guest does not answer yet (heartbeat {seen.heartbeat or 'unknown'})"


@dataclass(frozen=True, slots=True)
class Provisioned:
    """The channel that says how provisioning ended, and whether it failed."""

    channel: str
    failed: bool = False


_ENDED = ("provisioned", "completed", "done", "succeeded")
_GOING_ON = ("started", "running", "reboot_pending")
# The result in an event of cloud-init's reporter, whose value may be cut: a quote in a message
# would have a backslash before it.
_FAILED_RESULT = re.compile(r'"result"\s*:\s*"fail', re.IGNORECASE)


def provisioned(seen: GuestState) -> Provisioned | None:
    """How provisioning ended; None while no channel says that it has.

    Channels: eryph's guest services, which repeat on Linux what cloud-init says; cloud-init's
    reporter for Hyper-V, by its event that the last stage finished, well or not; eryph's
    cloudbase-init. All are written by the guest: they can only end a wait. While the guest services
    say that they are at work, no other channel counts.
    """
    state = seen.kvp.guest.get("eryph.provisioning.state", "").casefold()
    if state in _ENDED or state == "failed":
        return Provisioned("eryph.provisioning.state", failed=state == "failed")
    if state in _GOING_ON:
        return None
    return _by_cloud_init(seen) or _by_cloudbase_init(seen)


def _by_cloud_init(seen: GuestState) -> Provisioned | None:
    """Keys are CLOUD_INIT|<boot>|<type>|<event>|<uuid> (HyperVKvpReportingHandler, 22.4); a later
    boot has a larger number, and long values go on under more keys."""
    results: dict[int, bool] = {}
    for name, value in seen.kvp.guest.items():
        fields = name.split("|")
        if fields[0] == "CLOUD_INIT" and fields[2:4] == ["finish", "modules-final"]:
            boot = int(fields[1]) if re.fullmatch("[0-9]{1,18}", fields[1]) else 0
            failed = _FAILED_RESULT.search(value) is not None
            results[boot] = results.get(boot, False) or failed
    return Provisioned("cloud-init", failed=results[max(results)]) if results else None


def _by_cloudbase_init(seen: GuestState) -> Provisioned | None:
    """Keys of eryph's cloudbase-init are CLOUDBASE_INIT|<boot>|provisioning|<state>|<more>."""
    states = {
        fields[3].casefold()
        for fields in (name.split("|") for name in seen.kvp.guest)
        if fields[0] == "CLOUDBASE_INIT" and len(fields) > 3 and fields[2] == "provisioning"
    }
    if "failed" in states or "completed" in states:
        return Provisioned("cloudbase-init", failed="failed" in states)
    return None
