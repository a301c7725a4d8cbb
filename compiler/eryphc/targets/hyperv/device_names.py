"""Names of disks that a machine on Hyper-V does not keep from boot to boot.

`/dev/sda`, `/dev/sdb` follow the order in which the disks answered, not their places on the
controller. Source: https://github.com/microsoft/lisa/issues/285,
https://github.com/canonical/cloud-init/issues/5528; docs/reference/hyperv.md, "Attaching disks".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from eryph_runtime import deployment
from eryphc.diagnostics import hyperv as wording
from eryphc.diagnostics.model import Diagnostic, Label, trail
from eryphc.diagnostics.said import Own, Words, joined, named, own
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar
from eryphc.guest.cloudconfig.nodes import Sequence as ListNode
from eryphc.guest.cloudconfig.provenance import content_label
from eryphc.guest.document import ConfigTree, GuestDocument, UserDataPart
from eryphc.guest.model import GuestKind
from eryphc.lint.engine import Rule, judge

_IN_ORDER: Final = re.compile(r"(?:/dev/)?sd([a-z]{1,2})[0-9]*")
_OF_OTHERS: Final = re.compile(
    r"/dev/(?:[hv]d[a-z]|xvd[a-z]|nvme[0-9]+n[0-9]+|mmcblk[0-9]+)(?:p?[0-9]+)?"
)


class Device(NamedTuple):
    """A name of a disk in a cloud-config: under which key, and where."""

    key: Own
    node: Node
    name: str


class Config(NamedTuple):
    """One cloud-config of a document, and the disks of the machine in their order."""

    document: GuestDocument
    part: UserDataPart
    root: MappingNode
    disks: tuple[deployment.Drive, ...]

    def label(self, node: Node) -> Label:
        body = self.part.body
        if isinstance(body, ConfigTree):
            return body.provenance.label(node)
        fodder = self.document.fodder[self.part.entries[0]]
        return content_label(fodder, node.start, node.end)

    def chain(self, node: Node) -> tuple[Label, ...]:
        body = self.part.body
        if isinstance(body, ConfigTree):
            return body.provenance.chain(node)
        return trail(self.document.fodder[self.part.entries[0]].text_origin)


def findings(document: GuestDocument, drives: Sequence[deployment.Drive]) -> list[Diagnostic]:
    """Warnings about such names in the cloud-configs of a Linux guest."""
    if document.guest is not GuestKind.LINUX:
        return []
    disks = tuple(
        sorted(
            (drive for drive in drives if drive.type is not deployment.DriveType.DVD),
            key=lambda drive: drive.place,
        )
    )
    found: list[Diagnostic] = []
    for part in document.parts:
        body = part.body
        if isinstance(body, ConfigTree):
            root: Node | None = body.root
        else:
            root = None if body.reading is None else body.reading.root
        if isinstance(root, MappingNode):
            found += judge(RULES, Config(document, part, root, disks))
    return found


def _devices(root: MappingNode) -> Iterator[Device]:
    for key in ("disk_setup", "device_aliases"):
        section = root.get(key)
        if isinstance(section, MappingNode):
            for name, value in section.entries.items():
                if key == "disk_setup":
                    yield from _device(own("disk_setup"), section.keys.get(name))
                else:
                    yield from _device(own("device_aliases"), value)
    for item in _items(root.get("fs_setup")):
        if isinstance(item, MappingNode):
            yield from _device(own("fs_setup"), item.get("device"))
    for item in _items(root.get("mounts")):
        yield from _device(own("mounts"), next(iter(_items(item)), None))
    swap, grown = root.get("swap"), root.get("growpart")
    if isinstance(swap, MappingNode):
        yield from _device(own("swap"), swap.get("filename"))
    if isinstance(grown, MappingNode):
        for item in _items(grown.get("devices")):
            yield from _device(own("growpart"), item)


def _device(key: Own, node: Node | None) -> Iterator[Device]:
    if isinstance(node, Scalar) and isinstance(node.value, str):
        yield Device(key, node, node.value.strip())


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, ListNode) else ()


def _unsteady(config: Config) -> Iterator[Diagnostic]:
    for key, node, name in _devices(config.root):
        label = config.label(node)
        device = named(name, label.span)
        order = _IN_ORDER.fullmatch(name)
        if order is not None:
            drive = _nth(config.disks, order[1])
            meant: Words | None = None if drive is None else named(drive.name)
            places = joined(
                own("`-lun-{}` is `{}`", each.location, named(each.name)) for each in config.disks
            )
            yield wording.device_name(key, device, meant, places, label.span, config.chain(node))
        elif _OF_OTHERS.fullmatch(name) is not None:
            yield wording.device_absent(key, device, label.span, config.chain(node))


def _nth(disks: tuple[deployment.Drive, ...], letters: str) -> deployment.Drive | None:
    """The disk that the letters of a name count to, as in `a`, `b`, ..., `z`, `aa`."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("a") + 1
    return disks[number - 1] if number <= len(disks) else None


RULES: Final[tuple[Rule[Config], ...]] = (Rule(wording.DEVICE_NAME, _unsteady),)
