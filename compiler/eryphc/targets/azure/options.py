"""The options of the target: images of drives, the size, the image, the generation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.targets.definition import VOLUME, Flag, OptionRefused

GENERATIONS = ("1", "2")


class AzureOptions(NamedTuple):
    """`volumes` maps a drive to the path of its image. `size` None: the smallest that fits.

    `image` is `auto`, a marketplace image (`Publisher:Offer:Sku:Version`) or the id of a gallery
    image version. `generation` None: that of the project file, else 2.
    """

    volumes: Mapping[str, str] = FrozenMap()
    size: str | None = None
    image: str | None = None
    generation: int | None = None


def _one(words: Sequence[str]) -> str:
    if len(set(words)) > 1:
        raise OptionRefused(f"`{words[0]}` and `{words[1]}` are two: give one")
    return words[0]


def _number(words: Sequence[str]) -> int:
    return int(_one(words))


FLAGS = (
    VOLUME,
    Flag(
        name="--azure-size",
        field="size",
        metavar="NAME",
        help="The size of the machine; else the smallest that holds it",
        read=_one,
    ),
    Flag(
        name="--azure-image",
        field="image",
        metavar="URN|auto|ID",
        help="A marketplace image, that of the parent, or the id of a gallery image version",
        read=_one,
    ),
    Flag(
        name="--azure-generation",
        field="generation",
        metavar="1|2",
        help="1 for images that boot by BIOS; else 2",
        read=_number,
        choices=GENERATIONS,
    ),
)
