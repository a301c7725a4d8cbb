"""What Hyper-V ignores. The plan reports each of these losses by itself, with a kind of its own."""

from __future__ import annotations

from typing import Final

from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.losses import LossLevel
from eryphc.diagnostics.said import own
from eryphc.guest.model import NetworkConfigMode
from eryphc.ir.catlet import Capability, Drive, DriveType
from eryphc.targets import Target
from eryphc.targets.capabilities import Capabilities
from eryphc.targets.hyperv.machine import is_known, is_known_detail
from eryphc.targets.losses import NETWORK_CONFIG, Asked, LossTable, Row


def _of_dvd(asked: Asked) -> bool:
    return isinstance(asked.item, Drive) and asked.item.type is DriveType.DVD


def _fixed(asked: Asked) -> bool:
    return Capabilities(asked.inputs.catlet.catlet).disabled("dynamic_memory")


def _is_unknown(asked: Asked) -> bool:
    return isinstance(asked.item, Capability) and not is_known(asked.item)


def _is_unknown_detail(asked: Asked) -> bool:
    return (
        isinstance(asked.item, Capability)
        and is_known(asked.item)
        and not is_known_detail(asked.item.name or "", asked.value)
    )


_WARNING: Final = LossLevel.WARNING
_FOLDER: Final = own("the folder on the host is named by the catlet id")
_FIXED: Final = own("the capability `dynamic_memory` is disabled, so the memory is fixed")
_NO_FILE: Final = own("a DVD drive has no disk file")
_ADDRESSES: Final = own("Hyper-V hands out no addresses, so the guest gets those of a DHCP server")

LOSSES: Final = LossTable(
    Target.HYPERV,
    (
        Row("location", _WARNING, _FOLDER, kind=wording.LOCATION_IGNORED),
        Row("drives[].location", _WARNING, _FOLDER, kind=wording.LOCATION_IGNORED),
        Row("drives[].size", _WARNING, _NO_FILE, _of_dvd, wording.WITHOUT_EFFECT),
        Row("drives[].store", _WARNING, _NO_FILE, _of_dvd, wording.WITHOUT_EFFECT),
        Row("memory.minimum", _WARNING, _FIXED, _fixed, wording.WITHOUT_EFFECT),
        Row("memory.maximum", _WARNING, _FIXED, _fixed, wording.WITHOUT_EFFECT),
        Row(
            "networks[].subnet_v4",
            _WARNING,
            _ADDRESSES,
            lambda asked: not asked.value.is_plain,
            wording.SUBNET_IGNORED,
        ),
        Row(
            "networks[].subnet_v6",
            _WARNING,
            _ADDRESSES,
            lambda asked: not asked.value.is_plain,
            wording.SUBNET_IGNORED,
        ),
        Row(
            "capabilities[]",
            _WARNING,
            own("Hyper-V has no such capability, so the machine is made without it"),
            _is_unknown,
            wording.UNKNOWN_CAPABILITY,
        ),
        Row(
            "capabilities[].details[]",
            _WARNING,
            own("it means nothing to Hyper-V, so the capability is what it is without it"),
            _is_unknown_detail,
            wording.UNKNOWN_DETAIL,
        ),
        Row(
            NETWORK_CONFIG,
            LossLevel.NOTE,
            own("the deployment sets the addresses of the adapters, so the guest is told of them"),
            lambda asked: asked.value is NetworkConfigMode.NEVER,
            wording.NETWORK_ALWAYS,
        ),
    ),
)
