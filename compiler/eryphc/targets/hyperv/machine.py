"""Processors, memory, firmware and TPM of the machine, from the catlet and its capabilities.

Source: docs/reference/hyperv.md, "From catlet to cmdlet", "Secure boot", "TPM",
"Nested virtualization", "Memory", "Processors", "Limits of a machine".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from eryph_runtime import deployment
from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.guest.model import GuestKind
from eryphc.ir.catlet import Capability, Catlet, Memory
from eryphc.lint.engine import Rule, judge
from eryphc.targets.capabilities import KNOWN, Capabilities
from eryphc.targets.hyperv.settings import HyperVDefaults, StartAction, StopAction

MIB = 1024 * 1024
TEMPLATES = ("MicrosoftWindows", "MicrosoftUEFICertificateAuthority", "OpenSourceShieldedVM")

_MAX_DYNAMIC = 1_048_576
_HYPERV_MINIMUM = 512
_NESTED_MEMORY = 4096
_NESTED_PROCESSORS_2019 = 225

# Guest services that start, stop and find the machine: shutdown, heartbeat, key-value pairs.
_SERVICES = (
    "2A34B1C2-FD73-4043-8A5B-DD2159BC743F",
    "84EAAE65-2F2E-45F5-9BB5-0E857DC8EB47",
    "9F8233AC-BE49-4C79-8EE3-E7E1985B2077",
)
_START = {
    StartAction.NOTHING: deployment.StartAction.NOTHING,
    StartAction.START_IF_RUNNING: deployment.StartAction.START_IF_RUNNING,
    StartAction.START: deployment.StartAction.START,
}
_STOP = {
    StopAction.TURN_OFF: deployment.StopAction.TURN_OFF,
    StopAction.SAVE: deployment.StopAction.SAVE,
    StopAction.SHUT_DOWN: deployment.StopAction.SHUT_DOWN,
}


def is_known(capability: Capability) -> bool:
    """Whether Hyper-V has the capability."""
    return (capability.name or "").lower() in KNOWN


def is_known_detail(name: str, detail: str) -> bool:
    """Whether a detail means something. `enabled` only repeats that the capability is there."""
    template = name.lower() == "secure_boot" and _template(detail) is not None
    return template or detail.strip().lower() in ("disabled", "enabled")


def machine(
    catlet: Catlet,
    guest: GuestKind | None,
    settings: HyperVDefaults,
    *,
    name: str,
    shared_disks: bool,
    boot_drive: str | None,
) -> tuple[deployment.WantedMachine, tuple[Diagnostic, ...]]:
    """The machine of the deployment, and what is wrong with it.

    `guest` None: nothing says what the guest is.
    """
    capabilities = Capabilities(catlet)
    found = judge(RULES, capabilities)
    memory = _memory(catlet, capabilities, found)
    nested = capabilities.on("nested_virtualization")
    if nested:
        at = capabilities.at("nested_virtualization")
        if memory.dynamic:
            found.append(wording.nested_dynamic(at))
        if memory.startup < _NESTED_MEMORY * MIB:
            found.append(wording.nested_small(memory.startup // MIB, at))
        adapters = catlet.network_adapters or ()
        if adapters and not any(adapter.mac_address_spoofing for adapter in adapters):
            found.append(wording.nested_behind(at))
    count = catlet.cpu.count if catlet.cpu is not None and catlet.cpu.count is not None else 1
    if nested and count > _NESTED_PROCESSORS_2019 and catlet.cpu is not None:
        limit = f"{_NESTED_PROCESSORS_2019} with nested virtualization"
        what = f"{count} processors"
        at = catlet.cpu.at("count")
        found.append(wording.old_host_limit(what, "Windows Server 2016 or 2019", limit, at))
    start, stop = settings.start_action, settings.stop_action
    checkpoints = deployment.CheckpointType
    wanted = deployment.WantedMachine(
        name=name,
        start_action=_START[start or StartAction.NOTHING],
        start_delay=0,
        stop_action=_STOP[stop or StopAction.SHUT_DOWN],
        # Disks that machines share cannot be part of a checkpoint.
        checkpoint_type=checkpoints.DISABLED if shared_disks else checkpoints.PRODUCTION,
        automatic_checkpoints=False,
        processor=deployment.Processor(count=count, nested_virtualization=nested),
        memory=memory,
        firmware=_firmware(capabilities, guest, found),
        tpm=deployment.Tpm(
            enabled=capabilities.on("tpm"),
            guardian=_guardian(capabilities, settings, found),
        ),
        integration_services=tuple(
            deployment.IntegrationService(id=service, enabled=True) for service in _SERVICES
        ),
        boot_drive=boot_drive,
    )
    return wanted, tuple(found)


def _guardian(
    capabilities: Capabilities, settings: HyperVDefaults, found: list[Diagnostic]
) -> str | None:
    """Whose key protects the TPM; None: the host's own, which asks for nothing."""
    name = settings.guardian
    if name is None or not capabilities.on("tpm"):
        return None
    if not name.strip() or not name.isprintable():
        fault = "is no name of a guardian"
        found.append(wording.bad_setting("guardian", name, fault, settings.at("guardian")))
    return name


def _memory(
    catlet: Catlet, capabilities: Capabilities, found: list[Diagnostic]
) -> deployment.Memory:
    """In bytes; what a catlet and the diagnostics say is in MiB."""
    given = catlet.memory
    startup = given.startup if given is not None else None
    minimum = given.minimum if given is not None else None
    maximum = given.maximum if given is not None else None
    if startup is None:
        startup = max(1024, minimum or 0)
        startup = min(startup, maximum) if maximum is not None else startup
    bounds = minimum is not None or maximum is not None
    dynamic = not capabilities.disabled("dynamic_memory") and (
        bounds or capabilities.on("dynamic_memory")
    )
    if not dynamic:
        for key in ("minimum", "maximum"):
            if given is not None and getattr(given, key) is not None:
                why = "the capability `dynamic_memory` is disabled"
                found.append(wording.without_effect(f"memory {key}", why, given.at(key)))
        return deployment.Memory(dynamic=False, startup=startup * MIB, minimum=None, maximum=None)
    lowest = minimum if minimum is not None else min(startup, _HYPERV_MINIMUM)
    highest = maximum if maximum is not None else max(startup, _MAX_DYNAMIC)
    if not lowest <= startup <= highest and given is not None and not _one_author(given):
        wrong = "minimum" if minimum is not None and lowest > startup else "maximum"
        found.append(wording.memory_bounds(lowest, startup, highest, given.at(wrong)))
    if highest > _MAX_DYNAMIC and given is not None:
        at = given.at("maximum" if maximum is not None else "startup")
        found.append(wording.dynamic_too_large(highest, at))
    return deployment.Memory(
        dynamic=True, startup=startup * MIB, minimum=lowest * MIB, maximum=highest * MIB
    )


def _one_author(memory: Memory) -> bool:
    """Whether one document gives all sizes: then the rules of the language have checked them."""
    keys = ("startup", "minimum", "maximum")
    places = [place for key in keys if (place := memory.place(key)) is not None]
    return all(place.source is places[0].source for place in places)


def _unknown_capabilities(capabilities: Capabilities) -> Iterator[Diagnostic]:
    for item in capabilities.unknown():
        yield wording.unknown_capability(item.name or "", KNOWN, item.at("name"))


def _unknown_details(capabilities: Capabilities) -> Iterator[Diagnostic]:
    """Details that no host understands."""
    for name in KNOWN:
        capability = capabilities.get(name)
        for detail in capability.details or () if capability is not None else ():
            if capability is not None and not is_known_detail(name, detail):
                known = ("disabled", "enabled", *(("template:",) if name == "secure_boot" else ()))
                at = capability.detail_at(detail)
                yield wording.unknown_detail(name, detail, known, at)


def _template(detail: str) -> str | None:
    """The name in a detail `template:NAME`, in any letter case; None where there is none."""
    key, colon, value = detail.partition(":")
    return value.strip() or None if colon and key.strip().lower() == "template" else None


def _firmware(
    capabilities: Capabilities, guest: GuestKind | None, found: list[Diagnostic]
) -> deployment.Firmware:
    if not capabilities.on("secure_boot"):
        return deployment.Firmware(secure_boot=False, secure_boot_template=None)
    template = "MicrosoftWindows"
    capability = capabilities.get("secure_boot")
    for detail in capability.details or () if capability is not None else ():
        template = _template(detail) or template
    known = {name.lower(): name for name in TEMPLATES}
    at = capability.detail_at(template) if capability is not None else None
    if template.lower() not in known:
        found.append(wording.unknown_template(template, TEMPLATES, at))
    template = known.get(template.lower(), template)
    if guest is GuestKind.LINUX and template == "MicrosoftWindows":
        found.append(wording.linux_secure_boot(template, at or capabilities.at("secure_boot")))
    return deployment.Firmware(secure_boot=True, secure_boot_template=template)


RULES: Final[tuple[Rule[Capabilities], ...]] = (
    Rule(wording.UNKNOWN_CAPABILITY, _unknown_capabilities),
    Rule(wording.UNKNOWN_DETAIL, _unknown_details),
)
# Found while the machine is decided.
KINDS: Final = (
    wording.WITHOUT_EFFECT,
    wording.NESTED_DYNAMIC,
    wording.NESTED_SMALL,
    wording.NESTED_BEHIND,
    wording.OLD_HOST_LIMIT,
    wording.UNKNOWN_TEMPLATE,
    wording.LINUX_SECURE_BOOT,
)
