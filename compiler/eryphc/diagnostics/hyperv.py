"""E07xx: what Hyper-V cannot do, or what surely fails later on a host."""

from __future__ import annotations

from collections.abc import Collection

from eryphc.diagnostics.command import file_unreadable
from eryphc.diagnostics.model import Code, Diagnostic, Label, finding, wording
from eryphc.diagnostics.said import Words
from eryphc.diagnostics.words import close_matches
from eryphc.source import Span

MEMORY_BOUNDS = Code("E0701", "hyperv-memory-bounds")
PASS_THROUGH = Code("E0702", "hyperv-pass-through-disk")
SHARED_NEEDS_SHARE = Code("E0703", "hyperv-shared-disk-needs-share")
LINUX_SECURE_BOOT = Code("E0704", "hyperv-linux-secure-boot", soft=True)
SLOT_UNKNOWN = Code("E0705", "hyperv-slot-unknown")
SLOT_TYPED = Code("E0706", "hyperv-slot-typed")
SLOT_TOO_SHORT = Code("E0707", "hyperv-slot-too-short")
SLOT_UNQUOTED = Code("E0708", "hyperv-slot-unquoted")
DUPLICATE_MAC = Code("E0711", "hyperv-duplicate-mac")
DYNAMIC_TOO_LARGE = Code("E0712", "hyperv-dynamic-memory-too-large")
BAD_MAC = Code("E0713", "hyperv-multicast-mac")
VOLUME_UNKNOWN_DRIVE = Code("E0714", "hyperv-volume-unknown-drive")
BAD_SETTING = Code("E0715", "hyperv-bad-setting")
VOLUME_FILE = Code("E0716", "hyperv-volume-file")
SLOT_ENCODED = Code("E0717", "hyperv-slot-encoded")
HOST_PATH = Code("E0718", "hyperv-host-path")
RESERVED_NAME = Code("E0719", "hyperv-reserved-name")
DRIVE_TOO_SMALL = Code("E0720", "hyperv-drive-too-small")
SLOT_TWICE = Code("E0721", "hyperv-slot-twice")
SLOT_HAS_VALUE = Code("E0722", "hyperv-slot-has-value")
NESTED_DYNAMIC = Code("W0701", "hyperv-nested-dynamic-memory")
UNKNOWN_TEMPLATE = Code("W0702", "hyperv-unknown-template")
UNKNOWN_CAPABILITY = Code("W0703", "hyperv-unknown-capability")
NO_BOOT_DRIVE = Code("W0704", "hyperv-no-boot-drive")
OLD_HOST_LIMIT = Code("W0705", "hyperv-old-host-limit")
SUBNET_IGNORED = Code("W0706", "hyperv-subnet-ignored")
LOCATION_IGNORED = Code("W0707", "hyperv-location-ignored")
NESTED_SMALL = Code("W0708", "hyperv-nested-small")
WITHOUT_EFFECT = Code("W0709", "hyperv-without-effect")
UNKNOWN_DETAIL = Code("W0710", "hyperv-unknown-detail")
MAC_OF_POOL = Code("W0711", "hyperv-mac-of-host-pool")
SETTING_UNKNOWN = Code("W0712", "hyperv-setting-unknown")
SLOT_UNUSED = Code("W0713", "hyperv-slot-unused")
VOLUME_FORMAT = Code("N0701", "hyperv-volume-format")
VOLUME_ASKED = Code("N0702", "hyperv-volume-asked")
ADAPTER_DISCONNECTED = Code("N0703", "hyperv-adapter-disconnected")
SETTING_ELSEWHERE = Code("N0704", "hyperv-setting-elsewhere")
SHARE_REMOTE = Code("N0705", "hyperv-share-remote")
NETWORK_ALWAYS = Code("N0706", "hyperv-network-always")
DEVICE_NAME = Code("W0720", "hyperv-device-name")
NETWORK_BY_NAME = Code("W0721", "hyperv-network-by-name")
DISCONNECTED_AWAITED = Code("W0722", "hyperv-disconnected-awaited")
NETWORK_COMPLETED = Code("N0720", "hyperv-network-completed")
STATIC_ON_DEFAULT_SWITCH = Code("N0721", "hyperv-static-on-default-switch")
NESTED_BEHIND = Code("N0722", "hyperv-nested-without-spoofing")


@wording
def memory_bounds(minimum: int, startup: int, maximum: int, span: Span | None) -> Diagnostic:
    return finding(
        MEMORY_BOUNDS,
        f"Hyper-V needs minimum <= startup <= maximum memory, and here they are {minimum}, "
        f"{startup} and {maximum} MiB",
        span,
        "not between the bounds",
        help="give the sizes so that they fit together, those that are inherited too",
    )


@wording
def pass_through(drive: str, span: Span | None) -> Diagnostic:
    return finding(
        PASS_THROUGH,
        f"drive `{drive}` is a physical disk (`phd`), which a deployment cannot name safely",
        span,
        "which disk of the host this is cannot be told from here",
        help="use a `vhd` drive, or attach the disk by hand after the deployment",
    )


@wording
def shared_needs_share(drive: str, kind: str, folder: str, span: Span | None) -> Diagnostic:
    return finding(
        SHARED_NEEDS_SHARE,
        f"drive `{drive}` is a `{kind}`, which must lie on a share or a cluster volume, "
        f"and `{folder}` is a local folder",
        span,
        "a shared disk",
        help="set `folders: {disks: ...}` under `hyperv:` of the project file to "
        "`\\\\SERVER\\SHARE\\...` or `C:\\ClusterStorage\\...`",
    )


@wording
def linux_secure_boot(template: str, span: Span | None) -> Diagnostic:
    return finding(
        LINUX_SECURE_BOOT,
        f"a Linux guest does not boot with the secure boot template `{template}`",
        span,
        "only Windows loaders are signed for it",
        help="add the detail `template:MicrosoftUEFICertificateAuthority`",
    )


@wording
def slot_unknown(name: str, known: Collection[str], *, system: bool = False) -> Diagnostic:
    close = close_matches(name, known)
    help_text = f"did you mean `{close[0]}`?" if close else None
    if system:
        help_text = "the ids of the catlet and its machine need no option: leave it out"
    return finding(
        SLOT_UNKNOWN,
        f"--open {name}: the catlet has no variable `{name}`",
        None,
        help=help_text,
        notes=(f"it has {', '.join(f'`{n}`' for n in sorted(known))}",) if known else (),
    )


@wording
def slot_typed(name: str, kind: str, span: Span | None) -> Diagnostic:
    return finding(
        SLOT_TYPED,
        f"--open {name}: the variable is a {kind}, and only text can be left open",
        span,
    )


@wording
def slot_too_short(name: str, length: int, least: int) -> Diagnostic:
    return finding(
        SLOT_TOO_SHORT,
        f"--open {name}: {length} characters are too few to be found again, "
        f"at least {least} are needed",
        None,
    )


@wording
def slot_unquoted(name: Words, fodder: Words, span: Span | None) -> Diagnostic:
    return finding(
        SLOT_UNQUOTED,
        f"`{{{{ {name} }}}}` is filled at deployment, and in the text of `{fodder}`, which is kept "
        "as it is written, it stands outside of quotes",
        span,
        "not in quotes",
        help=f'write "{{{{ {name} }}}}"',
    )


@wording
def duplicate_mac(mac: str, adapters: tuple[str, str], span: Span | None) -> Diagnostic:
    return finding(
        DUPLICATE_MAC,
        f"adapters `{adapters[0]}` and `{adapters[1]}` have the same address {mac}",
        span,
    )


@wording
def dynamic_too_large(maximum: int, span: Span | None) -> Diagnostic:
    return finding(
        DYNAMIC_TOO_LARGE,
        f"dynamic memory is limited to 1 TiB (1048576 MiB), and {maximum} MiB are asked for",
        span,
        help="disable it with the capability `dynamic_memory` and the detail `disabled`",
    )


@wording
def multicast_mac(mac: str, adapter: str, span: Span | None) -> Diagnostic:
    return finding(
        BAD_MAC,
        f"the address {mac} of adapter `{adapter}` is not one that a single adapter may have",
        span,
        "its first byte must be even, and not all bytes 0",
    )


@wording
def volume_unknown_drive(drive: str, known: Collection[str]) -> Diagnostic:
    close = close_matches(drive, known)
    return finding(
        VOLUME_UNKNOWN_DRIVE,
        f"--volume {drive}: the catlet has no drive `{drive}` with a disk file",
        None,
        help=f"did you mean `{close[0]}`?" if close else None,
    )


@wording
def bad_setting(key: str, value: str, reason: str, span: Span | None) -> Diagnostic:
    return finding(BAD_SETTING, f"`hyperv` {key}: `{value}` {reason}", span)


@wording
def host_path(drive: str, path: str, reason: str, span: Span | None) -> Diagnostic:
    return finding(
        HOST_PATH,
        f"`{path}` of drive `{drive}` cannot be used as a path on a host: {reason}",
        span,
        "a file of the host",
    )


@wording
def volume_missing(drive: str, path: str, reason: str) -> Diagnostic:
    return finding(VOLUME_FILE, f"--volume {drive}={path}: {reason}", None)


@wording
def volume_unreadable(drive: str, path: str, reason: str, span: Span | None = None) -> Diagnostic:
    """The code is that of every file that is there and cannot be read: it ends a run otherwise."""
    return file_unreadable(path, reason)._replace(
        message=f"the disk `{path}` of drive `{drive}` cannot be read: {reason}",
        primary=Label(span) if span is not None else None,
    )


@wording
def volume_not_vhdx(drive: str, path: str, what: str, help_text: str | None) -> Diagnostic:
    """`what` continues "it is"."""
    return finding(
        VOLUME_FILE,
        f"--volume {drive}={path}: it is {what}, and Hyper-V needs VHDX",
        None,
        help=help_text,
    )


@wording
def volume_incomplete(drive: str, path: str, span: Span | None = None) -> Diagnostic:
    return finding(
        VOLUME_FILE,
        f"the disk `{path}` of drive `{drive}` is a differencing disk, and its parent is missing",
        span,
        help="merge it with its parent first (Convert-VHD makes one file of both)",
    )


@wording
def slot_encoded(name: Words, fodder: Words, encoding: Words, span: Span | None) -> Diagnostic:
    return finding(
        SLOT_ENCODED,
        f"`{{{{ {name} }}}}` is filled at deployment, and in `{fodder}` it stands in text that the "
        f"guest decodes as {encoding}",
        span,
        "in encoded text",
        help="write the text as it is, without `encoding`",
    )


@wording
def slot_twice(names: tuple[str, str]) -> Diagnostic:
    return finding(
        SLOT_TWICE,
        f"--open {names[1]}: the variable is left open already by --open {names[0]}",
        None,
    )


@wording
def slot_has_value(name: str) -> Diagnostic:
    return finding(
        SLOT_HAS_VALUE,
        f"--open {name}: the variable is left open and given a value too",
        None,
        help="leave out one of the two",
    )


@wording
def slot_unused(name: str) -> Diagnostic:
    return finding(
        SLOT_UNUSED,
        f"--open {name}: nothing that the guest gets uses the variable, so nobody is asked for it",
        None,
    )


@wording
def reserved_name(what: str, name: str, file: str, span: Span | None) -> Diagnostic:
    return finding(
        RESERVED_NAME,
        f"the {what} `{name}` cannot have its file: `{file}` is a reserved name of Windows",
        span,
        "the name of a device",
    )


@wording
def drive_too_small(drive: str, wanted: int, has: int, span: Span | None) -> Diagnostic:
    gib = 1024**3
    return finding(
        DRIVE_TOO_SMALL,
        f"drive `{drive}` is to have {wanted // gib} GiB, and the disk that it starts from has "
        f"{has / gib:g} GiB",
        span,
        "smaller than its volume",
        help=f"ask for {-(-has // gib)} or more, or leave out `size`",
    )


@wording
def without_effect(what: str, why: str, span: Span | None) -> Diagnostic:
    return finding(WITHOUT_EFFECT, f"{what} has no effect: {why}", span)


@wording
def unknown_detail(
    capability: str, detail: str, known: Collection[str], span: Span | None
) -> Diagnostic:
    close = close_matches(detail.lower(), known)
    return finding(
        UNKNOWN_DETAIL,
        f"the detail `{detail}` of the capability `{capability}` means nothing to Hyper-V",
        span,
        help=f"did you mean `{close[0]}`?" if close else None,
    )


@wording
def mac_of_pool(mac: str, adapter: str, span: Span | None) -> Diagnostic:
    return finding(
        MAC_OF_POOL,
        f"the address {mac} of adapter `{adapter}` is one of those that Hyper-V hosts give away "
        "(00:15:5D), and sooner or later another machine has it too",
        span,
        "from the pool of hosts",
        help="leave out `mac_address`, or take a locally administered address such as 02:...",
    )


@wording
def setting_unknown(
    key: str, name: str, what: str, meant: str | None, span: Span | None
) -> Diagnostic:
    """A warning where it is likely a misspelled `what`: `meant`, that the catlet has.

    A project file may serve other catlets.
    """
    return finding(
        SETTING_ELSEWHERE if meant is None else SETTING_UNKNOWN,
        f"the catlet has no {what} `{name}`, which `hyperv: {key}:` of the project file names",
        span,
        help=f"did you mean `{meant}`?" if meant is not None else None,
    )


@wording
def adapter_disconnected(adapter: str, span: Span | None) -> Diagnostic:
    return finding(
        ADAPTER_DISCONNECTED,
        f"adapter `{adapter}` is in no network, so it is connected to no switch",
        span,
    )


@wording
def static_on_default_switch(
    address: str, adapter: str, network: str, span: Span | None
) -> Diagnostic:
    return finding(
        STATIC_ON_DEFAULT_SWITCH,
        f"the static address {address} of adapter `{adapter}` does not work on the Default Switch, "
        f"where network `{network}` goes if the host has one: it changes its subnet with every "
        "start of the host",
        span,
        help=f"name a switch of your own: `switches: {{{network}: NAME}}` under `hyperv:` of the "
        f"project file, or `--param switch-{network}=NAME` when deploying",
    )


@wording
def network_by_name(entry: Words, adapters: Words, span: Span | None) -> Diagnostic:
    """`adapters` are the adapters of the machine with their addresses."""
    return finding(
        NETWORK_BY_NAME,
        f"the entry `{entry}` of the network-config does not say by a MAC address which of several "
        "adapters it means, and a Linux guest may give their names to others at every boot",
        span,
        "addresses may change places",
        notes=(f"the machine has {adapters}",),
        help="write `match: {macaddress: ...}` (version 1: `mac_address`), or call the entry like "
        "its adapter",
    )


@wording
def network_name_absent(
    entry: Words, wanted: Words, adapters: Words, span: Span | None
) -> Diagnostic:
    """`wanted` is what an adapter must be called, `adapters` are those of the machine."""
    return finding(
        NETWORK_BY_NAME,
        f"the entry `{entry}` of the network-config is for an adapter that the guest calls "
        f"`{wanted}`, and Linux calls Hyper-V's adapters `eth0`, `eth1` and so on",
        span,
        "for no adapter",
        notes=(f"the machine has {adapters}",),
        help="write `match: {macaddress: ...}` (version 1: `mac_address`), or call the entry like "
        "its adapter",
    )


@wording
def network_completed(entries: Words, span: Span | None) -> Diagnostic:
    return finding(
        NETWORK_COMPLETED,
        f"the network-config says no MAC address for {entries}: the guest gets a `match` by the "
        "address of the adapter of that name",
        span,
    )


@wording
def disconnected_awaited(adapter: Words, entry: Words, span: Span | None) -> Diagnostic:
    return finding(
        DISCONNECTED_AWAITED,
        f"the entry `{entry}` of the network-config is for adapter `{adapter}`, which is in no "
        "network: the guest waits for it at every boot",
        span,
        "connected to nothing",
        help="leave the entry out, or write `optional: true` (guests with netplan) without DHCP",
    )


@wording
def device_name(
    key: Words,
    device: Words,
    drive: Words | None,
    places: Words,
    span: Span | None,
    trail: tuple[Label, ...],
) -> Diagnostic:
    """`drive` is the one that has this name if all answer in order, `places` where each stands."""
    by_place = "" if drive is None else f"if the disks answer in order it is drive `{drive}`; "
    return finding(
        DEVICE_NAME,
        f"`{key}` names a disk `{device}`, and on Hyper-V these names follow the order in which "
        "the disks answered: after another boot it may be another disk, also that of the system",
        span,
        "not the same disk at every boot",
        related=trail,
        notes=(f"{by_place}below `/dev/disk/by-path`, names end with the place: {places}",)
        if places
        else (),
        help="mount by `LABEL=` or `UUID=`, take a name below `/dev/disk/by-path`, or use "
        "`gene:eryphc/data-disk`, which looks for the empty disk",
    )


@wording
def device_absent(
    key: Words, device: Words, span: Span | None, trail: tuple[Label, ...]
) -> Diagnostic:
    return finding(
        DEVICE_NAME,
        f"`{key}` names a disk `{device}`, and no disk of a Hyper-V machine has such a name",
        span,
        "not there",
        related=trail,
        help="mount by `LABEL=` or `UUID=`, or use `gene:eryphc/data-disk`, which looks for the "
        "empty disk",
    )


@wording
def share_remote(key: str, folder: str, span: Span | None) -> Diagnostic:
    return finding(
        SHARE_REMOTE,
        f"`{folder}` ({key}) is a share: a session on the host from another machine may not be "
        "let in there",
        span,
        help="deploy on the host itself, or let the host's account use the share",
    )


@wording
def network_always() -> Diagnostic:
    return finding(
        NETWORK_ALWAYS,
        "--network-config never has no effect on hyperv: the deployment sets the addresses of the "
        "adapters, so the guest is told of them",
        None,
    )


@wording
def nested_dynamic(span: Span | None) -> Diagnostic:
    return finding(
        NESTED_DYNAMIC,
        "dynamic memory does not move any more once a hypervisor runs in the machine",
        span,
        "nested virtualization and dynamic memory",
        help="disable one: `dynamic_memory` with the detail `disabled`",
    )


@wording
def nested_behind(span: Span | None) -> Diagnostic:
    return finding(
        NESTED_BEHIND,
        "machines inside this machine reach the network only behind a NAT of its own: no adapter "
        "may send with their addresses",
        span,
        help="for machines on the switch itself set `mac_address_spoofing: true` on the adapter",
    )


@wording
def nested_small(startup: int, span: Span | None) -> Diagnostic:
    return finding(
        NESTED_SMALL,
        f"nested virtualization with {startup} MiB of memory; a hypervisor needs about 4096 MiB",
        span,
    )


@wording
def unknown_template(name: str, known: Collection[str], span: Span | None) -> Diagnostic:
    close = close_matches(name.lower(), [t.lower() for t in known])
    hint = next((t for t in known if close and t.lower() == close[0]), None)
    return finding(
        UNKNOWN_TEMPLATE,
        f"`{name}` is none of the secure boot templates that Hyper-V comes with",
        span,
        help=f"did you mean `{hint}`?" if hint else None,
        notes=(f"it comes with {', '.join(f'`{t}`' for t in known)}",),
    )


@wording
def unknown_capability(name: str, known: Collection[str], span: Span | None) -> Diagnostic:
    close = close_matches(name, known)
    return finding(
        UNKNOWN_CAPABILITY,
        f"the capability `{name}` means nothing to Hyper-V and has no effect",
        span,
        help=f"did you mean `{close[0]}`?" if close else None,
        notes=(f"known are {', '.join(f'`{c}`' for c in known)}",),
    )


@wording
def no_boot_drive(span: Span | None) -> Diagnostic:
    return finding(
        NO_BOOT_DRIVE,
        "the catlet has no drive with a system on it, so the machine has nothing to boot",
        span,
        help="name a parent, give a drive a volume gene as `source`, or build with "
        "--volume DRIVE=PATH",
    )


@wording
def old_host_limit(what: str, host: str, limit: str, span: Span | None) -> Diagnostic:
    return finding(OLD_HOST_LIMIT, f"{what} is more than a host with {host} allows ({limit})", span)


@wording
def subnet_ignored(network: str, what: str, span: Span | None) -> Diagnostic:
    return finding(
        SUBNET_IGNORED,
        f"the {what} of network `{network}` has no effect: Hyper-V hands out no addresses",
        span,
        help="addresses come from a DHCP server on the switch, or from --network-config FILE",
    )


@wording
def location_ignored(what: str, location: str, span: Span | None) -> Diagnostic:
    return finding(
        LOCATION_IGNORED,
        f"the location `{location}` of {what} has no effect: its folder is named by the catlet id",
        span,
    )


@wording
def volume_format(drive: str, what: str, help_text: str | None, span: Span | None) -> Diagnostic:
    """`what` continues "it is", `help_text` says how a VHDX is made of it."""
    given = f"give it when deploying: --volume {drive}={drive}.vhdx"
    return finding(
        VOLUME_FORMAT,
        f"the volume of drive `{drive}` is {what}, and Hyper-V needs VHDX",
        span,
        help=given if help_text is None else f"{help_text}; {given}",
    )


@wording
def volume_asked(drive: str, span: Span | None) -> Diagnostic:
    return finding(
        VOLUME_ASKED,
        f"no gene pool has the disk of drive `{drive}`; the deployment asks for it",
        span,
        help=f"deploy with --volume {drive}=PATH of a VHDX file",
    )
