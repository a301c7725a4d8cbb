"""What Azure has no word for, and what of a seed does not travel there.

Source: docs/reference/azure.md, "What is lost".
"""

from __future__ import annotations

from typing import Final

from eryphc.diagnostics.losses import LossLevel
from eryphc.diagnostics.said import Own, Words, own
from eryphc.ir.catlet import Capability, Drive, DriveType, Subnet
from eryphc.source import SourceText
from eryphc.targets import Target
from eryphc.targets.azure.sizes import Chosen, SizeRequest, default_size
from eryphc.targets.capabilities import KNOWN
from eryphc.targets.losses import (
    INSTANCE_ID,
    NETWORK_CONFIG,
    NETWORK_VERSION,
    SEALED,
    Asked,
    LossTable,
    Row,
)

_INHERENT, _NOTE, _WARNING = LossLevel.INHERENT, LossLevel.NOTE, LossLevel.WARNING
_FOLDERS: Final = own("it chooses folders of a Hyper-V host, and Azure has none to choose")
_FIXED: Final = own("the memory of a machine is fixed on Azure")
_ADDRESSES: Final = own("addresses come from the subnet of the template, by DHCP")


def _maximum(asked: Asked) -> Words:
    """The size that would hold the most that the catlet may use."""
    catlet = asked.inputs.catlet.catlet
    cpus = (None if catlet.cpu is None else catlet.cpu.count) or 1
    answer = default_size(SizeRequest(cpus, int(asked.value)))
    if not isinstance(answer, Chosen):
        return _FIXED
    return own(
        "the memory of a machine is fixed on Azure; `{}` would hold it", Own(answer.size.name)
    )


def _is_dvd(asked: Asked) -> bool:
    return isinstance(asked.item, Drive) and asked.item.type is DriveType.DVD


def _is_empty_dvd(asked: Asked) -> bool:
    return _is_dvd(asked) and isinstance(asked.item, Drive) and asked.item.source is None


def _is_unknown(asked: Asked) -> bool:
    item = asked.item
    return isinstance(item, Capability) and (item.name or "").lower() not in KNOWN


def _is_dynamic(asked: Asked) -> bool:
    item = asked.item
    return isinstance(item, Capability) and (item.name or "").lower() == "dynamic_memory"


def _has_addresses(asked: Asked) -> bool:
    return isinstance(asked.value, Subnet) and not asked.value.is_plain


LOSSES: Final = LossTable(
    Target.AZURE,
    (
        Row("location", _INHERENT, _FOLDERS),
        Row("store", _INHERENT, _FOLDERS),
        Row("drives[].location", _INHERENT, _FOLDERS),
        Row("drives[].store", _INHERENT, _FOLDERS),
        Row("memory.minimum", _INHERENT, _FIXED),
        Row("memory.maximum", _INHERENT, _maximum),
        Row("drives[]", _INHERENT, own("a machine on Azure has no DVD drive"), _is_empty_dvd),
        Row(
            "drives[].source",
            _WARNING,
            own("a machine on Azure has no DVD drive, so the guest never sees the image"),
            _is_dvd,
        ),
        Row(
            "network_adapters[].mac_address",
            _INHERENT,
            own("Azure assigns the addresses of adapters"),
        ),
        Row(
            "network_adapters[].mac_address_spoofing",
            _WARNING,
            own("Azure drops frames that come from another address than the adapter's"),
        ),
        Row("networks[].subnet_v4", _NOTE, _ADDRESSES, _has_addresses),
        Row("networks[].subnet_v6", _NOTE, _ADDRESSES, _has_addresses),
        Row("capabilities[]", _INHERENT, _FIXED, _is_dynamic),
        Row(
            "capabilities[]",
            _WARNING,
            own("Azure has no such capability, so the machine is made without it"),
            _is_unknown,
        ),
        Row(
            "capabilities[].details[]",
            _NOTE,
            own("Azure trusts Microsoft's authorities for Windows and for UEFI together"),
            lambda asked: str(asked.value).strip().lower().startswith("template:"),
        ),
        Row(
            NETWORK_CONFIG,
            _WARNING,
            own("Azure configures the network, so the guest never sees your file"),
            lambda asked: isinstance(asked.value, SourceText),
        ),
        Row(
            NETWORK_VERSION,
            _INHERENT,
            own("Azure configures the network, so no network-config is written"),
        ),
        Row(
            INSTANCE_ID,
            _NOTE,
            own(
                "the machine has an id of its own, and what runs once an instance runs again on a "
                "new machine"
            ),
        ),
        Row(
            SEALED,
            _INHERENT,
            own("custom data stays readable in the machine, so there is nothing to seal"),
        ),
    ),
)
