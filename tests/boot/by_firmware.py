"""Stands for qemu when the harness calls it: the guest starts from its disk, by UEFI.

The harness gives qemu a kernel and a disk of its own. This takes both away, gives the machine
OVMF and a snapshot of a VHD, and then is qemu. Its own words come first: the real qemu, the code
of OVMF, a copy of its variables, the VHD.
"""

from __future__ import annotations

import os
import sys

_KERNEL = ("-kernel", "-initrd", "-append")


def changed(words: list[str], code: str, variables: str, vhd: str) -> list[str]:
    """The words of the harness with another disk, and with firmware in the place of a kernel."""
    kept: list[str] = []
    given = iter(words)
    for word in given:
        if word in _KERNEL:
            next(given)
        elif word.startswith("file=") and ",id=root," in word:
            kept.append(f"{_file(vhd)},if=none,id=root,format=vpc,snapshot=on")
        elif word == "virtio-blk-pci,drive=root":
            kept.append(f"{word},bootindex=0")
        else:
            kept.append(word)
    if len(words) - len(kept) != 2 * len(_KERNEL) or len(set(kept) - set(words)) != 2:
        raise SystemExit(f"the harness calls qemu in another way than this knows: {words}")
    flash = "if=pflash,format=raw"
    kept += ["-drive", f"{flash},unit=0,readonly=on,{_file(code)}"]
    return [*kept, "-drive", f"{flash},unit=1,{_file(variables)}"]


def _file(path: str) -> str:
    return "file=" + path.replace(",", ",,")


if __name__ == "__main__":
    qemu, code, variables, vhd, *words = sys.argv[1:]
    os.execv(qemu, [qemu, *changed(words, code, variables, vhd)])  # noqa: S606
