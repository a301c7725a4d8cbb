"""The options of the target: values and disks that a deployment supplies later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.targets.definition import VOLUME, Flag, OptionRefused

_LONGEST_SLOT = 4096


class HyperVOptions(NamedTuple):
    """`open_slots` maps a variable that the deployment supplies to the length of its value.

    `volumes` maps a drive to the path of its disk, where the pools do not have it.
    """

    open_slots: Mapping[str, int] = FrozenMap()
    volumes: Mapping[str, str] = FrozenMap()


def _slots(words: Sequence[str]) -> FrozenMap[int]:
    slots: dict[str, int] = {}
    for word in words:
        name, _, length = word.partition("=")
        digits = length.isascii() and length.isdigit() and len(length) < 8
        if not name or not digits or not 0 < int(length) <= _LONGEST_SLOT:
            raise OptionRefused(
                f"`{word}` is not written NAME=LENGTH with a length of 1 to {_LONGEST_SLOT}"
            )
        if slots.get(name, int(length)) != int(length):
            raise OptionRefused(f"`{name}` is given two lengths, {slots[name]} and {length}")
        slots[name] = int(length)
    return FrozenMap(slots)


FLAGS = (
    Flag(
        name="--open",
        field="open_slots",
        metavar="NAME=LENGTH",
        help="A value that the deployment supplies later",
        read=_slots,
    ),
    VOLUME,
)
