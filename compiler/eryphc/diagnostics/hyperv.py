"""E07xx: what Hyper-V cannot do, or what surely fails later on a host."""

from __future__ import annotations

from collections.abc import Collection

from eryphc.diagnostics.model import Code, Diagnostic, Label, Level
from eryphc.diagnostics.suggest import close_matches
from eryphc.source import Span

MEMORY_BOUNDS = Code("E0701", "hyperv-memory-bounds")
PASS_THROUGH = Code("E0702", "hyperv-pass-through-disk")
SHARED_NEEDS_SHARE = Code("E0703", "hyperv-shared-disk-needs-share")
LINUX_SECURE_BOOT = Code("E0704", "hyperv-linux-secure-boot")
SLOT_UNKNOWN = Code("E0705", "hyperv-slot-unknown")
SLOT_TYPED = Code("E0706", "hyperv-slot-typed")
SLOT_TOO_SHORT = Code("E0707", "hyperv-slot-too-short")
SLOT_UNQUOTED = Code("E0708", "hyperv-slot-unquoted")
SLOT_LOST = Code("E0709", "hyperv-slot-lost")
ADAPTER_TWICE = Code("E0710", "hyperv-adapter-two-networks")
DUPLICATE_MAC = Code("E0711", "hyperv-duplicate-mac")
DYNAMIC_TOO_LARGE = Code("E0712", "hyperv-dynamic-memory-too-large")
BAD_MAC = Code("E0713", "hyperv-multicast-mac")
VOLUME_UNKNOWN_DRIVE = Code("E0714", "hyperv-volume-unknown-drive")
BAD_SETTING = Code("E0715", "hyperv-bad-setting")
HOST_DISK = Code("E0716", "hyperv-host-disk")
NESTED_DYNAMIC = Code("W0701", "hyperv-nested-dynamic-memory")
UNKNOWN_TEMPLATE = Code("W0702", "hyperv-unknown-template")
UNKNOWN_CAPABILITY = Code("W0703", "hyperv-unknown-capability")
NO_BOOT_DRIVE = Code("W0704", "hyperv-no-boot-drive")
OLD_HOST_LIMIT = Code("W0705", "hyperv-old-host-limit")
SUBNET_IGNORED = Code("W0706", "hyperv-subnet-ignored")
LOCATION_IGNORED = Code("W0707", "hyperv-location-ignored")
NESTED_SMALL = Code("W0708", "hyperv-nested-small")
VOLUME_FORMAT = Code("N0701", "hyperv-volume-format")
VOLUME_ASKED = Code("N0702", "hyperv-volume-asked")


def _make(
    code: Code,
    message: str,
    span: Span | None,
    label: str = "",
    help_text: str | None = None,
    notes: tuple[str, ...] = (),
    related: tuple[Label, ...] = (),
) -> Diagnostic:
    levels = {"E": Level.ERROR, "W": Level.WARNING, "N": Level.NOTE}
    return Diagnostic(
        code=code,
        level=levels[code.number[0]],
        message=message,
        primary=Label(span, label) if span is not None else None,
        help=help_text,
        notes=notes,
        related=related,
    )


def memory_bounds(minimum: int, startup: int, maximum: int, span: Span | None) -> Diagnostic:
    return _make(
        MEMORY_BOUNDS,
        f"Hyper-V needs minimum <= startup <= maximum memory, and here they are {minimum}, "
        f"{startup} and {maximum} MiB",
        span,
        "not between the bounds",
        "give the sizes that were inherited anew, so that they fit together",
    )


def pass_through(drive: str, span: Span | None) -> Diagnostic:
    return _make(
        PASS_THROUGH,
        f"drive `{drive}` is a physical disk (`phd`), which a deployment cannot name safely",
        span,
        "which disk of the host this is cannot be told from here",
        "use a `vhd` drive, or attach the disk by hand after the deployment",
    )


def shared_needs_share(drive: str, kind: str, folder: str, span: Span | None) -> Diagnostic:
    return _make(
        SHARED_NEEDS_SHARE,
        f"drive `{drive}` is a `{kind}`, which must lie on a share or a cluster volume, "
        f"and `{folder}` is a local folder",
        span,
        "a shared disk",
        "set `folders: {disks: ...}` under `hyperv:` of the project file to "
        "`\\\\SERVER\\SHARE\\...` or `C:\\ClusterStorage\\...`",
    )


def linux_secure_boot(template: str, span: Span | None) -> Diagnostic:
    return _make(
        LINUX_SECURE_BOOT,
        f"a Linux guest does not boot with the secure boot template `{template}`",
        span,
        "only Windows loaders are signed for it",
        "add the detail `template:MicrosoftUEFICertificateAuthority`",
    )


def slot_unknown(name: str, known: Collection[str]) -> Diagnostic:
    close = close_matches(name, known)
    return _make(
        SLOT_UNKNOWN,
        f"--open {name}: the catlet has no variable `{name}`",
        None,
        help_text=f"did you mean `{close[0]}`?" if close else None,
        notes=(f"it has {', '.join(f'`{n}`' for n in sorted(known))}",) if known else (),
    )


def slot_typed(name: str, kind: str, span: Span | None) -> Diagnostic:
    return _make(
        SLOT_TYPED,
        f"--open {name}: the variable is a {kind}, and only text can be left open",
        span,
    )


def slot_too_short(name: str, length: int, least: int) -> Diagnostic:
    return _make(
        SLOT_TOO_SHORT,
        f"--open {name}: {length} characters are too few to be found again, "
        f"at least {least} are needed",
        None,
    )


def slot_unquoted(name: str, food: str, span: Span | None) -> Diagnostic:
    return _make(
        SLOT_UNQUOTED,
        f"`{{{{ {name} }}}}` is filled at deployment, and in the text of `{food}`, which is kept "
        "as it is written, it stands outside of quotes",
        span,
        "not in quotes",
        f'write "{{{{ {name} }}}}"',
    )


def slot_lost(name: str, where: str) -> Diagnostic:
    return _make(
        SLOT_LOST,
        f"`{name}` is left open, and its place in {where} cannot be kept open",
        None,
        help_text="it may stand in the content of fodder only",
    )


def adapter_twice(adapter: str, networks: tuple[str, str], span: Span | None) -> Diagnostic:
    return _make(
        ADAPTER_TWICE,
        f"adapter `{adapter}` is in two networks, `{networks[0]}` and `{networks[1]}`, "
        "and Hyper-V connects an adapter to one switch",
        span,
    )


def duplicate_mac(mac: str, adapters: tuple[str, str], span: Span | None) -> Diagnostic:
    return _make(
        DUPLICATE_MAC,
        f"adapters `{adapters[0]}` and `{adapters[1]}` have the same address {mac}",
        span,
    )


def dynamic_too_large(maximum: int, span: Span | None) -> Diagnostic:
    return _make(
        DYNAMIC_TOO_LARGE,
        f"dynamic memory is limited to 1 TiB (1048576 MiB), and {maximum} MiB are asked for",
        span,
        help_text="disable it with the capability `dynamic_memory` and the detail `disabled`",
    )


def multicast_mac(mac: str, adapter: str, span: Span | None) -> Diagnostic:
    return _make(
        BAD_MAC,
        f"the address {mac} of adapter `{adapter}` is not one that a single adapter may have",
        span,
        "its first byte must be even, and not all bytes 0",
    )


def volume_unknown_drive(drive: str, known: Collection[str]) -> Diagnostic:
    close = close_matches(drive, known)
    return _make(
        VOLUME_UNKNOWN_DRIVE,
        f"--volume {drive}: the catlet has no drive `{drive}` that takes a volume",
        None,
        help_text=f"did you mean `{close[0]}`?" if close else None,
    )


def bad_setting(key: str, value: str, reason: str, span: Span | None) -> Diagnostic:
    return _make(BAD_SETTING, f"`hyperv` {key}: `{value}` {reason}", span)


def host_disk(drive: str, path: str, span: Span | None) -> Diagnostic:
    return _make(
        HOST_DISK,
        f"drive `{drive}` has the file `{path}` of the host as its source, and only a DVD may",
        span,
        "a disk of the host",
        f"remove `source` and give the disk when deploying: --volume {drive}=host:PATH",
    )


def nested_dynamic(span: Span | None) -> Diagnostic:
    return _make(
        NESTED_DYNAMIC,
        "dynamic memory does not move any more once a hypervisor runs in the machine",
        span,
        "nested virtualization and dynamic memory",
        "disable one: `dynamic_memory` with the detail `disabled`",
    )


def nested_small(startup: int, span: Span | None) -> Diagnostic:
    return _make(
        NESTED_SMALL,
        f"nested virtualization with {startup} MiB of memory; a hypervisor needs about 4096 MiB",
        span,
    )


def unknown_template(name: str, known: Collection[str], span: Span | None) -> Diagnostic:
    close = close_matches(name.lower(), [t.lower() for t in known])
    hint = next((t for t in known if close and t.lower() == close[0]), None)
    return _make(
        UNKNOWN_TEMPLATE,
        f"`{name}` is none of the secure boot templates that Hyper-V comes with",
        span,
        help_text=f"did you mean `{hint}`?" if hint else None,
        notes=(f"it comes with {', '.join(f'`{t}`' for t in known)}",),
    )


def unknown_capability(name: str, known: Collection[str], span: Span | None) -> Diagnostic:
    close = close_matches(name, known)
    return _make(
        UNKNOWN_CAPABILITY,
        f"the capability `{name}` means nothing to Hyper-V and has no effect",
        span,
        help_text=f"did you mean `{close[0]}`?" if close else None,
        notes=(f"known are {', '.join(f'`{c}`' for c in known)}",),
    )


def no_boot_drive(span: Span | None) -> Diagnostic:
    return _make(
        NO_BOOT_DRIVE,
        "the catlet has no drive with a system on it, so the machine has nothing to boot",
        span,
        help_text="name a parent, or give a drive a volume gene as `source`",
    )


def old_host_limit(what: str, host: str, limit: str, span: Span | None) -> Diagnostic:
    return _make(OLD_HOST_LIMIT, f"{what} is more than a host with {host} allows ({limit})", span)


def subnet_ignored(network: str, what: str, span: Span | None) -> Diagnostic:
    return _make(
        SUBNET_IGNORED,
        f"the {what} of network `{network}` has no effect: Hyper-V hands out no addresses",
        span,
        help_text="addresses come from a DHCP server on the switch, or from --network-config FILE",
    )


def location_ignored(what: str, location: str, span: Span | None) -> Diagnostic:
    return _make(
        LOCATION_IGNORED,
        f"the location `{location}` of {what} has no effect: its folder is named by the catlet id",
        span,
    )


def volume_format(drive: str, path: str, kind: str) -> Diagnostic:
    return _make(
        VOLUME_FORMAT,
        f"the volume of drive `{drive}` is a {kind} file, and Hyper-V needs VHDX",
        None,
        help_text=f"convert it (`qemu-img convert -O vhdx {path} {drive}.vhdx`) "
        f"and give it when deploying: --volume {drive}={drive}.vhdx",
    )


def volume_asked(drive: str, span: Span | None) -> Diagnostic:
    return _make(
        VOLUME_ASKED,
        f"no gene pool has the disk of drive `{drive}`; the deployment asks for it",
        span,
        help_text=f"deploy with --volume {drive}=PATH of a VHDX file",
    )
