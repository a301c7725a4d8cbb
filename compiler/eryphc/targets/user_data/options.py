"""The options of the target: the platform that the machine is made on."""

from __future__ import annotations

from collections.abc import Sequence

from eryphc.frozen import NamedTuple
from eryphc.targets.definition import Flag, OptionRefused

NAMES = (
    "generic",
    "ec2",
    "azure",
    "hetzner",
    "gce",
    "openstack",
    "digitalocean",
    "linode",
    "oci",
    "cloudstack",
    "exoscale",
)
"""Those of `guest.platforms.PLATFORMS`; a test compares them."""


class UserDataOptions(NamedTuple):
    """`platform` is one of `NAMES`; it decides the limit and the form of user-data."""

    platform: str = "generic"


def _platform(words: Sequence[str]) -> str:
    if len(set(words)) > 1:
        raise OptionRefused(f"`{words[0]}` and `{words[1]}` are two platforms: build twice")
    return words[0]


FLAGS = (
    Flag(
        name="--platform",
        field="platform",
        metavar="NAME",
        help="Where the machine is made, which decides the limit and the form",
        read=_platform,
        choices=NAMES,
    ),
)
