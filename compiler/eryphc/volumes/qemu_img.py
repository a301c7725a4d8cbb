"""`qemu-img` as a process: what it is given, how long it may take, what it says.

A file is never given without its format, since QEMU would otherwise find one out and open what
the file names; and always by its absolute path, since QEMU reads `nbd:...` as an address. Files
that are read are given as options, because no other form says how the size of a VHD is meant.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from eryphc.diagnostics import volumes as wording
from eryphc.volumes.faults import VolumeError

_GIB: Final = 1024**3
_INFO_SECONDS: Final = 30
_LONGEST_ANSWER: Final = 1024 * 1024
# QEMU's names of the formats.
_NAMES: Final = {"qcow2": "qcow2", "raw": "raw", "vhd": "vpc", "vhdx": "vhdx"}

Percent = Callable[[float], None]


def is_there() -> bool:
    return shutil.which("qemu-img") is not None


def foreign_parts(path: Path, kind: str) -> str | None:
    """The words after "it" for a file that needs others, as QEMU itself sees it. Opens none."""
    answer = _run("info", ["--output=json", "--image-opts", _options(path, kind)], _INFO_SECONDS, 1)
    try:
        found: Any = json.loads(answer)
        specific = found.get("format-specific", {}).get("data", {})
        backing, data = found.get("backing-filename"), specific.get("data-file")
        encrypted = bool(found.get("encrypted"))
    except (ValueError, AttributeError):
        raise _failed("info", "its answer is no JSON that is understood") from None
    if backing is not None:
        return f"builds on the backing file `{backing}`"
    if data is not None or specific.get("data-file-raw"):
        return f"keeps its data in another file, `{data}`"
    return "is encrypted" if encrypted else None


def check(path: Path, kind: str) -> str | None:
    """What `qemu-img check` finds wrong with a qcow2 or VHDX file; None where all is well."""
    arguments = ["-q", "-f", _NAMES[kind], _absolute(path)]
    try:
        _run("check", arguments, seconds_for(path.stat().st_size), 4, fine=(0, 3))
    except VolumeError as error:
        reason = error.diagnostic.message.partition("failed: ")[2]
        return reason or "its tables contradict each other"
    return None


def convert(
    source: Path, kind: str, target: Path, wanted: str, options: str, size: int, heard: Percent
) -> None:
    """Convert to a new file. Raises VolumeError; what was begun is the caller's to remove."""
    arguments = ["-p", "--image-opts", "-O", _NAMES[wanted]]
    if options:
        arguments += ["-o", options]
    arguments += [_options(source, kind), _absolute(target)]
    _run("convert", arguments, seconds_for(size), 8, heard=heard)


def differs(
    source: Path, kind: str, target: Path, wanted: str, size: int, heard: Percent
) -> str | None:
    """How two disks differ in what a guest reads; zeros at the end of the longer one do not."""
    arguments = ["-p", "--image-opts", _options(source, kind), _options(target, wanted)]
    try:
        _run("compare", arguments, seconds_for(size), 8, heard=heard)
    except VolumeError as error:
        return error.diagnostic.message.partition("failed: ")[2] or "their content differs"
    return None


def seconds_for(size: int) -> int:
    """How long a disk of `size` bytes may take: at 10 MB a second, and ten minutes at least."""
    return max(600, size // 10_000_000)


def _options(path: Path, kind: str) -> str:
    """An image that is read, as QEMU's options have it: its format, its name with doubled commas.

    The footer of a VHD has its size in bytes and as a geometry. Hyper-V takes the bytes at their
    word, so we do; QEMU without this takes the geometry of many creators, which is a little less.
    Source: https://gitlab.com/qemu-project/qemu/-/blob/master/block/vpc.c.
    """
    name = _absolute(path).replace(",", ",,")
    more = ",force_size_calc=current_size" if kind == "vhd" else ""
    return f"driver={_NAMES[kind]}{more},file.driver=file,file.filename={name}"


def _absolute(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - without resolving links


def _run(
    step: str,
    arguments: Sequence[str],
    seconds: int,
    memory: int,
    *,
    heard: Percent | None = None,
    fine: Sequence[int] = (0,),
) -> bytes:
    """Run one step within `seconds` and `memory` GiB of address space; gives its answer."""
    program = shutil.which("qemu-img")
    if program is None:
        raise VolumeError(wording.qemu_img_missing(f"`qemu-img {step}`"), outside=True)
    command = [program, step, *arguments]
    environment = {**os.environ, "LC_ALL": "C"}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603 - a list of arguments, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
        )
        try:
            _limit(process.pid, seconds, memory)
            answer = _listen(process, seconds, heard)
        except subprocess.TimeoutExpired:
            raise _failed(step, f"it was not done after {seconds} seconds") from None
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if process.returncode not in fine:
            errors.seek(0)
            said = errors.read(4096).decode("utf-8", "replace")
            raise _failed(step, _words(said, answer, process.returncode))
    return answer


def _limit(pid: int, seconds: int, memory: int) -> None:
    """Bounds that a hostile image cannot talk its way out of, where the system has them."""
    if sys.platform != "linux":
        return
    import resource

    space, time = memory * _GIB, seconds
    # It may be done already; and a lower bound of the user's own stays.
    with suppress(OSError, ValueError):
        resource.prlimit(pid, resource.RLIMIT_AS, (space, space))
        resource.prlimit(pid, resource.RLIMIT_CPU, (time, time))


def _listen(process: subprocess.Popen[bytes], seconds: int, heard: Percent | None) -> bytes:
    """What the process writes, with its percentages told as they come."""
    if heard is None:
        answer, _ = process.communicate(timeout=seconds)
        return answer[:_LONGEST_ANSWER]
    import threading

    assert process.stdout is not None  # noqa: S101 - it was asked for
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(seconds, end)
    # An interruption may come before the `finally` below is in force: do not wait then.
    timer.daemon = True
    kept = b""
    try:
        timer.start()
        while piece := os.read(process.stdout.fileno(), 4096):
            kept = (kept + piece)[-4096:]
            found = re.findall(rb"\((\d+\.\d+)/100%\)", kept)
            if found:
                heard(float(found[-1]))
        process.wait()
    finally:
        timer.cancel()
    if late.is_set():
        raise subprocess.TimeoutExpired("qemu-img", seconds)
    return kept


def _words(said: str, answer: bytes, code: int) -> str:
    """The first line of what it said, without its name; it may quote the file, so only text."""
    lines = [*said.splitlines(), *re.split(r"[\r\n]+", answer.decode("utf-8", "replace"))]
    for line in lines:
        text = line.strip().removeprefix("qemu-img: ")
        if text and "/100%)" not in text:
            return "".join(each if each.isprintable() else "\ufffd" for each in text)
    return f"it ended with {code}"


def _failed(step: str, reason: str) -> VolumeError:
    return VolumeError(wording.qemu_img_failed(step, reason), outside=True)
