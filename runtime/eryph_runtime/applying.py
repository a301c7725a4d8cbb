"""`plan` and `apply`: read, compare, do what can be done, and repeat until nothing differs.

Source: docs/reference/hyperv.md, "The order of creation", "Rollback", "Locks".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from eryph_runtime.compare import compare
from eryph_runtime.compare_files import creations, is_unfinished_removal
from eryph_runtime.comparison import Change, Findings
from eryph_runtime.deployment import Deployment
from eryph_runtime.executor import execute, execute_one
from eryph_runtime.faults import HostFailure, RefusalError
from eryph_runtime.host import Action, Host, Step
from eryph_runtime.hostpaths import folded
from eryph_runtime.locking import take_lock
from eryph_runtime.notices import announce, neighbor_notes
from eryph_runtime.observe import Observation, observe
from eryph_runtime.preconditions import check_host, host_faults, refusals_of_ours
from eryph_runtime.recording import record_of, write_record
from eryph_runtime.removing import plan_removal, removal_steps
from eryph_runtime.request import Request
from eryph_runtime.running import read_guest, shut_down
from eryph_runtime.state import Machine
from eryph_runtime.talk import Talk

# Creating takes three rounds, a restart one more; further rounds would change nothing.
_ROUNDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How far `apply` may go; `keep` leaves what a failed creation made."""

    restart: bool = False
    force: bool = False
    keep: bool = False
    seconds: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What was done, what still needs power off, and the host as it is afterwards."""

    done: tuple[Change, ...]
    left: tuple[Change, ...]
    notes: tuple[str, ...]
    observation: Observation


def examine(
    host: Host, deployment: Deployment, request: Request, talk: Talk
) -> tuple[Observation, Findings]:
    """Read and compare, with all preconditions. Raises HostFailure, RefusalError."""
    observation = observe(host, deployment, request, events=talk.event)
    faults = host_faults(observation.state.host)
    # Nothing more can be told of a host that shows nothing, or of a machine that is not ours.
    if refused := faults or refusals_of_ours(observation):
        raise RefusalError(*refused)
    found = compare(observation)
    check_host(observation, found)
    if observation.machine is None:
        found.notes += neighbor_notes(host, deployment)
    found.refusals = list(dict.fromkeys(found.refusals))
    return observation, found


def apply(
    host: Host, deployment: Deployment, request: Request, options: Options, talk: Talk
) -> Applied:
    """Bring the host to what the document says.

    Raises RefusalError before anything is changed; HostFailure where the host fails: what was
    created of a new machine is then removed again, a machine that existed stays as far as it was
    brought. What is about to be made stands in the record before it is made (`recording`).
    """
    take_lock(host, deployment)
    observation, found = examine(host, deployment, request, talk)
    if found.refusals or found.needs:
        raise RefusalError(*found.refusals, *found.needs)
    announce(found.notes, talk)
    existed = observation.machine is not None
    # What lies there already, of a machine whose disks were kept, is not undone.
    before = frozenset(folded(each.path) for each in observation.state.files if each.kind == "file")
    notes: list[str] = []
    done: list[Change] = []
    stopped: Machine | None = None
    try:
        for _ in range(_ROUNDS):
            notes += found.notes
            off = observation.machine is None or observation.machine.state == "Off"
            pending = [change for change in found.changes if change.needs_off and not off]
            todo = [change for change in found.changes if off or not change.needs_off]
            if pending and options.restart and observation.machine is not None:
                _stop(host, observation, observation.machine, options, talk)
                stopped = observation.machine
            elif not any(change.steps for change in todo):
                break
            else:
                if observation.machine is None:
                    # Predicted changes get their steps in the next round; what a removal left
                    # goes before anything is made.
                    todo = [each for each in _with_steps(todo) if is_unfinished_removal(each)] or (
                        _with_steps(todo)
                    )
                _do(host, observation, todo, talk)
                done += todo
            observation, found = examine(host, deployment, request, talk)
            if found.refusals or found.needs:
                raise HostFailure("; ".join((*found.refusals, *found.needs)))
        else:
            texts = ", ".join(f"{each.object}: {each.what}" for each in found.changes)
            raise HostFailure(f"the host does not show the changes that were made ({texts})")
        _settle_record(host, observation, talk)
    except HostFailure as failure:
        if not existed and not options.keep:
            roll_back(host, deployment, request, before, failure, talk)
        elif done:
            failure.left = tuple(f"{each.object}: {each.what}" for each in found.changes)
        if stopped is not None and _is_off(host, stopped):
            # Half of the changes may be done: it is not for this run to start it with them.
            failure.left += (f"`{stopped.name}` is off: this run stopped it; `apply` starts it",)
        raise
    left = tuple(change for change in found.changes if change.needs_off)
    return Applied(
        done=tuple(done), left=left, notes=tuple(dict.fromkeys(notes)), observation=observation
    )


def _stop(
    host: Host, observation: Observation, machine: Machine, options: Options, talk: Talk
) -> None:
    """Stop the machine for the changes that need that. That it is to run again is written first:
    then any later run starts it, whatever becomes of this one."""
    talk.step("stopping the machine for the changes that need power off")
    write_record(host, observation, replace(record_of(observation), restart=True), talk)
    try:
        shut_down(host, machine, force=options.force, seconds=options.seconds, talk=talk)
    except RefusalError:
        # It runs on, and nothing was changed.
        write_record(host, observation, record_of(observation), talk, again=True)
        raise


def _is_off(host: Host, machine: Machine) -> bool:
    try:
        return read_guest(host, machine.id).state == "Off"
    except HostFailure:
        return False


def _with_steps(changes: list[Change]) -> list[Change]:
    return [change for change in changes if change.steps]


def _do(host: Host, observation: Observation, changes: list[Change], talk: Talk) -> None:
    """The record first, so that a killed run can be cleaned up, then the steps in order."""
    steps: list[Step] = [step for change in changes for step in change.steps]
    record = record_of(observation, creations(changes))
    home = [each for each in steps if isinstance(each, Action) and each.action == "make-home"]
    if home:
        # A new machine's folder comes into being with the record in it.
        first = replace(home[0], arguments={**home[0].arguments, "text": record.text()})
        steps = [first, *(each for each in steps if each is not home[0])]
    elif observation.state.file(observation.resolved.home or "") is not None:
        write_record(host, observation, record, talk)
    for change in changes:
        if change.steps:
            talk.step(f"{change.kind.value} {change.object}: {change.what}")
    execute(host, steps, talk)


def _settle_record(host: Host, observation: Observation, talk: Talk) -> None:
    """What the next command needs to know, without what is gone."""
    if observation.machine is not None:
        write_record(host, observation, record_of(observation, settled=True), talk)


def roll_back(
    host: Host,
    deployment: Deployment,
    request: Request,
    before: frozenset[str],
    failure: HostFailure,
    talk: Talk,
) -> None:
    """Undo a creation as a removal would, by the record and by our names, but for what was there
    before. The failure names what could not be undone; that stays in the record.
    """
    try:
        observation = observe(host, deployment, request, chains=True)
        removal = plan_removal(observation, keep_disks=False, spared=before)
    except (HostFailure, RefusalError):
        failure.left = ("what this run made: the host cannot be read; `remove` cleans up",)
        return
    undone: list[str] = []
    left: list[str] = []
    for what, step in removal_steps(removal, deployment):
        if left and step.action in ("delete-home", "write-text"):
            # The record stays as long as anything of it does.
            continue
        talk.step(f"rolling back: {what}")
        try:
            execute_one(host, step, talk)
            undone.append(what)
        except HostFailure:
            left.append(what)
    failure.undone, failure.left = tuple(undone), tuple(left)
