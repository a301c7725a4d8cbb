"""`plan` and `apply`: read, compare, do what can be done, and repeat until nothing differs.

Source: docs/reference/hyperv.md, "The order of creation", "Rollback", "Locks".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eryph_runtime.compare import compare
from eryph_runtime.compare_files import creations
from eryph_runtime.comparison import Change, Findings
from eryph_runtime.deployment import Deployment
from eryph_runtime.executor import Journal, execute, execute_one
from eryph_runtime.faults import HostFailure, RefusalError
from eryph_runtime.host import Action, Host, Step
from eryph_runtime.notices import announce, neighbor_notes
from eryph_runtime.observe import Observation, observe
from eryph_runtime.preconditions import check_host, host_faults
from eryph_runtime.record import Created, PlacedSeed, Record, marker, unfinished_name
from eryph_runtime.request import Request
from eryph_runtime.running import power_on, shut_down
from eryph_runtime.seeds import SeedGoal
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
    if faults:
        raise RefusalError(*faults)
    found = compare(observation)
    check_host(observation, found)
    if observation.machine is None:
        found.notes += neighbor_notes(host, deployment)
    found.refusals = list(dict.fromkeys(found.refusals))
    return observation, found


def take_lock(host: Host, deployment: Deployment) -> None:
    """Hold the host's mutex of this catlet until the session ends; raises RefusalError."""
    answer = host.request("lock", {"catlet": deployment.catlet.id, "seconds": 30})
    if not isinstance(answer, dict) or not answer.get("locked"):
        raise RefusalError("another run works on this machine; try again when it is done")


def apply(
    host: Host, deployment: Deployment, request: Request, options: Options, talk: Talk
) -> Applied:
    """Bring the host to what the document says.

    Raises RefusalError before anything is changed; HostFailure where the host fails: what
    this run created of a new machine is then removed again, a machine that existed stays as
    far as it was brought.
    """
    take_lock(host, deployment)
    observation, found = examine(host, deployment, request, talk)
    if found.refusals or found.needs:
        raise RefusalError(*found.refusals, *found.needs)
    announce(found.notes, talk)
    journal = Journal()
    existed = observation.machine is not None
    notes: list[str] = []
    done: list[Change] = []
    restarting = False
    try:
        for _ in range(_ROUNDS):
            notes += found.notes
            off = observation.machine is None or observation.machine.state == "Off"
            pending = [change for change in found.changes if change.needs_off and not off]
            todo = [change for change in found.changes if off or not change.needs_off]
            if pending and options.restart and observation.machine is not None:
                talk.step("stopping the machine for the changes that need power off")
                shut_down(
                    host,
                    observation.machine,
                    force=options.force,
                    seconds=options.seconds,
                    talk=talk,
                )
                restarting = True
            elif not any(change.steps for change in todo):
                break
            else:
                if observation.machine is None:
                    # Predicted changes get their steps in the next round.
                    todo = _with_steps(todo)
                _do(host, observation, todo, journal, talk)
                done += todo
            observation, found = examine(host, deployment, request, talk)
            if found.refusals or found.needs:
                raise HostFailure("; ".join((*found.refusals, *found.needs)))
        else:
            texts = ", ".join(f"{each.object}: {each.what}" for each in found.changes)
            raise HostFailure(f"the host does not show the changes that were made ({texts})")
        _write_record(host, observation, talk)
        if restarting and observation.machine is not None:
            power_on(host, observation.machine, talk)
            observation = observe(host, deployment, request)
    except HostFailure as failure:
        if not existed and not options.keep:
            _roll_back(host, deployment, journal, failure, talk)
        elif done:
            failure.left = tuple(f"{each.object}: {each.what}" for each in found.changes)
        raise
    left = tuple(change for change in found.changes if change.needs_off)
    return Applied(
        done=tuple(done), left=left, notes=tuple(dict.fromkeys(notes)), observation=observation
    )


def _with_steps(changes: list[Change]) -> list[Change]:
    return [change for change in changes if change.steps]


def _do(
    host: Host, observation: Observation, changes: list[Change], journal: Journal, talk: Talk
) -> None:
    """The record first, so that a killed run can be cleaned up, then the steps in order."""
    steps: list[Step] = [step for change in changes for step in change.steps]
    record = _record_before(observation, changes)
    path = observation.resolved.record_path
    home = observation.resolved.home
    # The record lies in the machine's folder, which a new machine must get first.
    firsts = [index for index, step in enumerate(steps) if step.creates == home]
    start = firsts[0] + 1 if home is not None and firsts else 0
    if path is not None and (
        observation.record is None or record.text() != observation.record.text()
    ):
        steps.insert(
            start,
            Action(
                action="write-text",
                arguments={"path": path, "text": record.text()},
                creates=None if observation.record is not None else path,
            ),
        )
    for change in changes:
        if change.steps:
            talk.step(f"{change.kind.value} {change.object}: {change.what}")
    execute(host, steps, journal, talk)


def _record_before(observation: Observation, changes: list[Change]) -> Record:
    record = observation.record or Record(
        catlet=observation.deployment.catlet.id, by=observation.owner
    )
    record = replace(record, by=observation.owner, parameters=observation.resolved.parameters)
    created = creations(changes)
    if observation.record is None and observation.resolved.home is not None:
        created.insert(0, Created(kind="folder", path=observation.resolved.home))
    record = record.with_created(*created)
    volumes = dict(record.volumes)
    for name, source in observation.volume_sources.items():
        if source.sha256 is not None:
            volumes[name] = source.sha256
    record = replace(record, volumes=volumes)
    if observation.machine is None:
        return replace(record, seed=None, sealed=None)
    return _with_seed(observation, record)


def _with_seed(observation: Observation, record: Record) -> Record:
    seed, sealed = observation.deployment.seed, observation.deployment.sealed
    if seed is None or not isinstance(observation.goal, SeedGoal):
        return record
    record = replace(record, seed=PlacedSeed(built=seed.sha256, placed=observation.goal.sha256))
    if (
        not observation.sealed
        or sealed is None
        or not isinstance(observation.sealed_goal, SeedGoal)
    ):
        return replace(record, sealed=record.sealed if observation.sealed else None)
    placed = PlacedSeed(built=sealed.sha256, placed=observation.sealed_goal.sha256)
    return replace(record, sealed=placed)


def _write_record(host: Host, observation: Observation, talk: Talk) -> None:
    """What the next command needs to know, where the steps did not write it."""
    if observation.machine is None or observation.resolved.record_path is None:
        return
    record = _record_before(observation, [])
    # Forget what is gone, lest the list grow with every new seed.
    kept = tuple(each for each in record.created if observation.state.file(each.path) is not None)
    record = replace(record, created=kept)
    if observation.record is None or record.text() != observation.record.text():
        arguments = {"path": observation.resolved.record_path, "text": record.text()}
        execute_one(host, Action(action="write-text", arguments=arguments), talk)


def _unfinished(host: Host, deployment: Deployment) -> list[str]:
    try:
        observation = observe(host, deployment, Request(folder=Path()))
    except HostFailure:
        return []
    name = unfinished_name(deployment.catlet.id)
    return [each.machine.id for each in observation.state.ours if each.machine.name == name]


def _roll_back(
    host: Host, deployment: Deployment, journal: Journal, failure: HostFailure, talk: Talk
) -> None:
    """Undo what this run made, last first; the failure names what could not be undone."""
    catlet = deployment.catlet.id
    undone, left = [], []
    if failure.error is not None and failure.error.step == "new-machine":
        # It may have been made, and then failed to get its notes.
        journal.made += [("machine", each) for each in _unfinished(host, deployment)]
    # A machine goes first: it holds files that were made after it.
    made = list(enumerate(journal.made))
    made.sort(key=lambda each: (each[1][0] != "machine", -each[0]))
    for _, (kind, thing) in made:
        action: tuple[str, dict[str, Any]]
        match kind:
            case "machine":
                arguments = {
                    "machine": thing,
                    "marker": marker(catlet),
                    "unfinished_name": unfinished_name(catlet),
                }
                action = ("remove-machine", arguments)
            case "folder":
                action = ("delete-folder", {"path": thing})
            case _:
                action = ("delete-file", {"path": thing})
        talk.step(f"rolling back: {kind} {thing}")
        try:
            execute_one(host, Action(action=action[0], arguments=action[1]), talk)
            undone.append(f"{kind} {thing}")
        except HostFailure:
            left.append(f"{kind} {thing}")
    failure.undone, failure.left = tuple(undone), tuple(left)
