"""Which kinds of findings were looked for in the configuration of a guest.

Each rule names its kinds. The other kinds are found where the parts are made and merged.
"""

from __future__ import annotations

from typing import Final

from eryphc.diagnostics import cloudconfig, guest
from eryphc.diagnostics.model import Code
from eryphc.guest import (
    hostname_lint,
    linux_lint,
    network_lint,
    windows_lint,
)
from eryphc.guest.cloudconfig import examine
from eryphc.guest.cloudconfig import lint as cloudconfig_lint
from eryphc.guest.model import GuestKind, GuestRequest, MergeMode, NetworkConfigMode
from eryphc.lint.engine import kinds

_OF_ALL: Final = (
    guest.FODDER_EMPTY,
    guest.TEXT_ENCODED,
    guest.NETWORK_ADDRESS_TWICE,
    cloudconfig.UNREADABLE,
    cloudconfig.NOT_A_MAP,
    cloudconfig.VALUE_UNREADABLE,
    cloudconfig.EXPANDS_TOO_FAR,
    cloudconfig.DUPLICATE_KEY,
)
_OF_LINUX: Final = (
    guest.INCLUDE_UNPINNED,
    guest.SCRIPT_READ_AS_OTHER,
    guest.SCRIPT_BETWEEN_COMMANDS,
    cloudconfig.MERGE_HOW_MALFORMED,
)
_OF_PARTS: Final = (cloudconfig.DROPPED_IN_GUEST, guest.GUEST_DROPS_PART)
_OF_MERGING: Final = (
    cloudconfig.EMPTY,
    cloudconfig.VALUE_OVERRIDDEN,
    cloudconfig.FILE_REPLACED,
    cloudconfig.LIST_REPLACED,
    cloudconfig.REDEFINED,
    cloudconfig.KEY_UNSET,
    cloudconfig.UNKNOWN_LIST_JOINED,
    cloudconfig.EMPTY_LIST_LEFT_OUT,
    cloudconfig.DROPPED_BY_STRATEGY,
    cloudconfig.RESPELLED,
    guest.TEMPLATE_SHARES_VALUE,
    guest.TEMPLATES_SHARE_VALUE,
    guest.TEMPLATE_COMES_LATER,
)


def guest_kinds(request: GuestRequest) -> frozenset[str]:
    """The numbers of the kinds of findings that a request is searched for."""
    found = kinds(hostname_lint.RULES).union(_numbers(_OF_ALL))
    if request.network_file is not None:
        found |= kinds(network_lint.VERSION_1_RULES, network_lint.VERSION_2_RULES)
    match request.guest:
        case GuestKind.WINDOWS:
            return found | kinds(
                windows_lint.PART_RULES,
                windows_lint.SCRIPT_RULES,
                windows_lint.HANDLER_RULES,
                windows_lint.CONFIG_RULES,
            )
        case GuestKind.LINUX:
            found |= kinds(linux_lint.RULES, cloudconfig_lint.RULES, examine.SCHEMA_RULES)
            found |= _numbers(_OF_LINUX)
            found |= _numbers(_OF_PARTS if request.merge is MergeMode.PARTS else _OF_MERGING)
            if request.network is not NetworkConfigMode.NEVER and request.network_file is None:
                found |= _numbers((guest.ADAPTERS_WITHOUT_ADDRESS,))
            return found


def _numbers(codes: tuple[Code, ...]) -> frozenset[str]:
    return frozenset(code.number for code in codes)
