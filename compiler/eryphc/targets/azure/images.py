"""Which image a machine boots: one of one's own, or a publisher's.

Source: docs/reference/azure.md, "Marketplace images".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from eryphc.targets.azure.model import MarketplaceImage

PARENTS: Final[Mapping[str, MarketplaceImage]] = {
    "dbosoft/ubuntu-22.04": MarketplaceImage(
        "Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2", "latest"
    ),
    "dbosoft/ubuntu-24.04": MarketplaceImage("Canonical", "ubuntu-24_04-lts", "server", "latest"),
    "dbosoft/debian-12": MarketplaceImage("Debian", "debian-12", "12-gen2", "latest"),
    "dbosoft/almalinux-9": MarketplaceImage("almalinux", "almalinux-x86_64", "9-gen2", "latest"),
    "dbosoft/winsrv2022-standard": MarketplaceImage(
        "MicrosoftWindowsServer", "WindowsServer", "2022-datacenter-g2", "latest"
    ),
}
"""The vendors' own images of known parents, by gene set without its tag."""

_PART: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_URN: Final = re.compile(f"({_PART}):({_PART}):({_PART}):({_PART})")
_ID: Final = re.compile(
    r"/subscriptions/[A-Za-z0-9-]{1,64}/resourceGroups/[A-Za-z0-9._()-]{1,90}"
    r"/providers/Microsoft\.Compute/galleries/[A-Za-z0-9._-]{1,80}/images/[A-Za-z0-9._-]{1,80}"
    r"/versions/[0-9]{1,10}\.[0-9]{1,10}\.[0-9]{1,10}",
    re.IGNORECASE,
)


def marketplace_image(text: str) -> MarketplaceImage | None:
    """The image that `Publisher:Offer:Sku:Version` names, None for any other text."""
    match = _URN.fullmatch(text)
    return None if match is None else MarketplaceImage(*match.groups())


def is_image_id(text: str) -> bool:
    """Whether `text` is the id of a gallery image version."""
    return _ID.fullmatch(text) is not None
