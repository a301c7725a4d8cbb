"""Which kinds of findings are looked for in the configuration of a guest.

Each module declares its own beside what finds them; this one knows which modules a request needs.
"""

from __future__ import annotations

from eryphc.guest import (
    agents,
    checks,
    egs_lint,
    freebsd,
    hostname_lint,
    linux_lint,
    network,
    network_file,
    network_lint,
    network_schema,
    parts,
    secret_keys,
    templates,
    windows,
    windows_lint,
)
from eryphc.guest import request as asking
from eryphc.guest.cloudconfig import (
    bootmerge,
    consequences,
    entry_lint,
    lint,
    merge,
    reports,
    schema,
)
from eryphc.guest.model import GuestAgent, GuestKind, GuestRequest, MergeMode, NetworkConfigMode
from eryphc.guest.values import lint as values
from eryphc.lint.engine import kinds


def guest_kinds(request: GuestRequest) -> frozenset[str]:
    """The numbers of the kinds of findings that a request is searched for."""
    found = kinds(asking.KINDS, agents.KINDS, checks.UNFIT, values.KINDS, secret_keys.KINDS)
    found |= kinds(hostname_lint.RULES, network.RULES, reports.KINDS)
    if request.network_file is not None:
        found |= kinds(network_file.KINDS, network_schema.KINDS)
        found |= kinds(network_lint.VERSION_1_RULES, network_lint.VERSION_2_RULES)
    elif request.network is not NetworkConfigMode.NEVER:
        is_windows = request.guest is GuestKind.WINDOWS
        found |= kinds(network.WINDOWS_RULES if is_windows else network.LINUX_RULES)
    match request.guest:
        case GuestKind.WINDOWS:
            return found | kinds(
                windows.KINDS,
                windows_lint.PART_RULES,
                windows_lint.SCRIPT_RULES,
                windows_lint.HANDLER_RULES,
                windows_lint.TEXT_RULES,
                windows_lint.CONFIG_RULES,
                egs_lint.CONFIG_RULES,
                egs_lint.SEED_RULES,
            )
        case GuestKind.LINUX:
            if request.reader.word is GuestAgent.NUAGEINIT:
                found |= kinds(freebsd.KINDS, network.KINDS)
            found |= kinds(checks.REMARKS, linux_lint.RULES, parts.KINDS)
            found |= kinds(
                lint.RULES, consequences.RULES, entry_lint.RULES, schema.RULES, reports.LINUX_KINDS
            )
            match request.merge:
                case MergeMode.MERGED:
                    return found | kinds(
                        checks.REFUSALS, merge.KINDS, schema.KINDS, templates.KINDS
                    )
                case MergeMode.PARTS:
                    return found | kinds(checks.DROPS, bootmerge.KINDS)
