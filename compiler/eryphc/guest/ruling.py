"""Which kinds of findings were looked for in the configuration of a guest."""

from __future__ import annotations

from eryphc.diagnostics.model import Code
from eryphc.guest.model import GuestKind, GuestRequest, MergeMode, NetworkConfigMode


def guest_kinds(request: GuestRequest) -> frozenset[str]:
    """The numbers of the kinds of findings that a request is searched for."""
    from eryphc.diagnostics import cloudconfig, cloudconfig_lint, guest, windows_guest

    found = {guest.FOOD_EMPTY, guest.TEXT_ENCODED, guest.HOSTNAME_MALFORMED}
    found |= {cloudconfig.DUPLICATE_KEY, cloudconfig.UNREADABLE, cloudconfig.NOT_A_MAP}
    found |= {cloudconfig.VALUE_UNREADABLE, cloudconfig.EXPANDS_TOO_FAR}
    found.add(guest.NETWORK_ADDRESS_TWICE)
    if request.network_file is not None:
        found |= {guest.NETWORK_ENTRY_DOUBTFUL}
    match request.guest:
        case GuestKind.WINDOWS:
            found |= {code for code in vars(windows_guest).values() if isinstance(code, Code)}
            found |= {guest.HOSTNAME_TOO_LONG, guest.HOSTNAME_OF_DIGITS}
            found |= {guest.NETWORK_NOT_READ_BY_WINDOWS, cloudconfig_lint.COMMAND_NOT_RUNNABLE}
        case GuestKind.LINUX:
            found |= {code for code in vars(cloudconfig_lint).values() if isinstance(code, Code)}
            found |= {cloudconfig.KEY_UNKNOWN, cloudconfig.VALUE_INVALID, cloudconfig.DEPRECATED}
            found |= {guest.LINUX_GETS_WINDOWS_KEY, guest.LINUX_PASSWORD_PLAIN}
            found |= {guest.LINUX_PATH_EXPECTED, guest.HOSTNAME_IS_ADDRESS}
            found |= {guest.INCLUDE_UNPINNED, guest.SCRIPT_READ_AS_OTHER}
            found |= {guest.SCRIPT_BETWEEN_COMMANDS, cloudconfig.MERGE_HOW_MALFORMED}
            found |= _merging(request.merge)
            if request.network is not NetworkConfigMode.NEVER and request.network_file is None:
                found.add(guest.ADAPTERS_WITHOUT_ADDRESS)
    return frozenset(code.number for code in found)


def _merging(mode: MergeMode) -> frozenset[Code]:
    """What is said of cloud-configs that meet."""
    from eryphc.diagnostics import cloudconfig, guest

    match mode:
        case MergeMode.PARTS:
            return frozenset({cloudconfig.DROPPED_IN_GUEST, guest.GUEST_DROPS_PART})
        case MergeMode.MERGED:
            return frozenset(
                {
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
                }
            )
