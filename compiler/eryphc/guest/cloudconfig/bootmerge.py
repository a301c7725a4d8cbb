"""What cloud-init makes of several cloud-config parts at boot, and what it drops on the way.

Each part is laid onto what came before it with its own strategy; the default replaces whole
top-level keys; a part that fails is left out and the boot goes on.
Source: docs/reference/cloud-init.md, "How a guest merges parts".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from eryphc.diagnostics import cloudconfig as wording
from eryphc.diagnostics.model import Diagnostic, Level, trail
from eryphc.diagnostics.said import Said, Words
from eryphc.guest.cloudconfig import losses, strategy
from eryphc.guest.cloudconfig.history import History
from eryphc.guest.cloudconfig.nodes import EMPTY, MappingNode, Node, Value
from eryphc.guest.cloudconfig.provenance import (
    Provenance,
    content_label,
    fodder_said,
    own_trees,
)
from eryphc.guest.cloudconfig.reader import ReadEntry
from eryphc.guest.cloudconfig.reports import report
from eryphc.guest.cloudconfig.saying import Names
from eryphc.guest.cloudconfig.tree import FaultKind
from eryphc.ir.catlet import Fodder

KINDS: Final = (wording.DROPPED_IN_GUEST, wording.MERGE_HOW_MALFORMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """What the guest loses of one fodder entry below one top-level key.

    `loser` and `winner` are positions in the parts; a winner may be an earlier part, where the
    strategy of the loser keeps what was there.
    """

    loser: int
    winner: int
    key: str
    lost: tuple[losses.Lost, ...]

    @property
    def paths(self) -> tuple[Words, ...]:
        return tuple(each.path for each in self.lost)

    @property
    def node(self) -> Node:
        return self.lost[0].node


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """The guest's configuration after all parts, and what is missing in it.

    `failed` are the parts that are dropped whole, with the reason; those without a reason could
    not be read, which `diagnostics` tell.
    """

    root: MappingNode
    dropped: tuple[Dropped, ...]
    failed: tuple[tuple[int, str], ...]
    diagnostics: tuple[Diagnostic, ...]


def boot(parts: Iterable[ReadEntry]) -> Boot:
    """Lay the parts as cloud-init does; all diagnostics are warnings."""
    entries = tuple(own_trees(parts))
    fodder_entries = tuple(entry.fodder for entry in entries)
    sources: list[tuple[Fodder, MappingNode]] = []
    diagnostics: list[Diagnostic] = []
    failed: list[tuple[int, str]] = []
    for number, (fodder, reading, _) in enumerate(entries):
        diagnostics += report(fodder, reading.faults, Level.WARNING)
        if reading.root is None or any(fault.kind is FaultKind.EMPTY for fault in reading.faults):
            failed.append((number, ""))
        sources.append((fodder, reading.root or MappingNode({}, {})))
    provenance = Provenance(sources, [entry.number for entry in entries])
    skipped = {number for number, _ in failed}
    states: list[MappingNode] = []
    laid: dict[int, MappingNode] = {}
    root = EMPTY
    for number, (_, part) in enumerate(sources):
        if number not in skipped:
            try:
                how, stripped = strategy.strategy_of(part)
                root = strategy.lay(root, stripped, how)
                laid[number] = stripped
            except strategy.StrategyError as error:
                failed.append((number, str(error)))
        states.append(root)

    names = Names(provenance)
    dropped: list[Dropped] = []
    counts = losses.Counts()
    histories: dict[Value, History] = {}
    for number, part in laid.items():
        for loss in losses.between(part, root, names, counts):
            history = histories.get(loss.key)
            if history is None:
                history = histories[loss.key] = History(loss.key, states)
            dropped += _by_winner(number, loss, part, states, history, provenance, names)
    for drop in dropped:
        diagnostics.append(_say(drop, fodder_entries, provenance))
    for number, reason in failed:
        if reason:
            diagnostics.append(_say_failed(fodder_entries[number], sources[number][1], reason))
    return Boot(
        root=root,
        dropped=tuple(dropped),
        failed=tuple(sorted(failed)),
        diagnostics=tuple(diagnostics),
    )


def drops(parts: Iterable[ReadEntry]) -> tuple[Diagnostic, ...]:
    """Warnings for all that the guest will drop when it gets `parts` as they are."""
    return boot(parts).diagnostics


def _by_winner(
    number: int,
    loss: losses.Loss,
    part: MappingNode,
    states: Sequence[MappingNode],
    history: History,
    provenance: Provenance,
    names: Names,
) -> Iterable[Dropped]:
    """The loss, split by the part that caused each piece: after it, the piece never came back."""
    holders: dict[losses.Spot, int] | None = None
    pieces: dict[int, list[losses.Lost]] = {}
    for lost in loss.lost:
        winner = max(history.gone_since(lost), number)
        if winner == number:
            # Its own strategy keeps what was there: the winner is who put it there.
            if holders is None:
                only = MappingNode({loss.key: part.entries[loss.key]}, part.keys, sources=(part,))
                holders = {
                    each.spot: provenance.number(each.instead)
                    for found in losses.between(only, states[number], names)
                    for each in found.lost
                }
            winner = holders.get(lost.spot, number)
        pieces.setdefault(winner, []).append(lost)
    for winner, piece in sorted(pieces.items()):
        yield Dropped(
            loser=number,
            winner=winner,
            key=str(loss.key),
            lost=tuple(piece),
        )


def _say(drop: Dropped, fodder_entries: Sequence[Fodder], provenance: Provenance) -> Diagnostic:
    loser, winner = fodder_entries[drop.loser], fodder_entries[drop.winner]
    joins = any(each.joins for each in drop.lost)
    if loser is winner:
        return wording.left_out_in_guest(
            drop.paths,
            fodder_said(loser),
            provenance.label(drop.node, "dropped"),
            trail(loser.text_origin),
            joins=joins,
        )
    return wording.dropped_in_guest(
        drop.paths,
        fodder_said(loser),
        fodder_said(winner),
        provenance.label(drop.node, "dropped"),
        trail(loser.text_origin),
        joins=joins,
        clash=any(each.clash for each in drop.lost),
    )


def _say_failed(fodder: Fodder, part: MappingNode, reason: str) -> Diagnostic:
    node = part.keys["merge_how" if "merge_how" in part.keys else "merge_type"]
    return wording.merge_how_malformed(
        fodder_said(fodder),
        Said(reason),
        content_label(fodder, node.start, node.end),
        Level.WARNING,
        trail(fodder.text_origin),
    )
