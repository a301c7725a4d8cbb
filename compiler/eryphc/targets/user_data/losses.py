"""What does not travel to a machine that gets user-data alone.

Source: docs/user-data.md, "What does not travel".
"""

from __future__ import annotations

from typing import Final

from eryphc.diagnostics.losses import LossLevel
from eryphc.diagnostics.said import own
from eryphc.guest.pieces import piece_of
from eryphc.source import SourceText
from eryphc.targets import Target
from eryphc.targets.losses import (
    HOSTNAME,
    INSTANCE_ID,
    MACHINE,
    NETWORK_CONFIG,
    NETWORK_VERSION,
    SEALED,
    Asked,
    LossTable,
    Row,
)


def _names_nothing_itself(asked: Asked) -> bool:
    """Whether no cloud-config of the fodder names the host: that would win in the guest."""
    reader = asked.inputs.reader
    for number, fodder in enumerate(asked.inputs.request.fodder_entries):
        text = "" if fodder.content is None else fodder.content.text
        # Most texts need not be read for that.
        if "hostname" in text or "fqdn" in text:
            root = piece_of(fodder, number, reader).root
            if root is not None and ("hostname" in root.entries or "fqdn" in root.entries):
                return False
    return True


_NAME: Final = own(
    "the platform gives the machine its name; `hostname` in a cloud-config would win over that"
)

LOSSES: Final = LossTable(
    Target.USER_DATA,
    (
        *MACHINE,
        Row("hostname", LossLevel.NOTE, _NAME, _names_nothing_itself),
        Row(HOSTNAME, LossLevel.NOTE, _NAME, _names_nothing_itself),
        Row(
            NETWORK_CONFIG,
            LossLevel.WARNING,
            own("the platform configures the network, so the guest never sees your file"),
            lambda asked: isinstance(asked.value, SourceText),
        ),
        Row(
            NETWORK_VERSION,
            LossLevel.INHERENT,
            own("the platform configures the network, so no network-config is written"),
        ),
        Row(
            INSTANCE_ID,
            LossLevel.NOTE,
            own(
                "the platform gives each machine an id of its own, and what runs once an instance "
                "runs again on a new machine"
            ),
        ),
        Row(
            SEALED,
            LossLevel.INHERENT,
            own("user-data stays readable in the machine, so there is nothing to seal"),
        ),
    ),
)
