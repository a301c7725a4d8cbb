"""A second build of the same, under other circumstances, and where it differs from the first.

The second build runs in a process of its own: another working folder, time zone, locale, hash
seed and umask, and no output of a cache.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from eryphc.diagnostics import store as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.frozen import NamedTuple
from eryphc.project.locations import POOLS_VARIABLE, pool_locations
from eryphc.source import shown_path

_BLOCK: Final = 1024 * 1024


class Twice(NamedTuple):
    """A folder or a file of the first build, and where the second one has it."""

    first: Path
    second: Path


@contextmanager
def second_place() -> Iterator[Path]:
    """A folder for a second build, which only the user can look into."""
    with tempfile.TemporaryDirectory(prefix="eryphc-second-") as folder:
        yield Path(folder)


def build_again(
    words: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> Diagnostic | None:
    """Run `eryphc` with these words in `folder`, under other circumstances than now.

    Gives the finding where it ends with a fault.
    """
    done = subprocess.run(  # noqa: S603 - it is this program itself
        [sys.executable, "-m", "eryphc", *words],
        cwd=folder,
        env={**environment, **_elsewhere(environment), **_others(environment)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        umask=_other_umask(),
    )
    if done.returncode == 0:
        return None
    return wording.not_reproducible("output", f"it ended with exit code {done.returncode}")


def _others(environment: Mapping[str, str]) -> dict[str, str]:
    """Other values of what must not matter."""
    plain = environment.get("LC_ALL") in ("C", "POSIX")
    seed = "1" if environment.get("PYTHONHASHSEED") != "1" else "2"
    zone = "XXX-13:30" if environment.get("TZ") != "XXX-13:30" else "UTC"
    paths = [os.path.abspath(path) for path in sys.path if path]  # noqa: PTH100
    return {
        "TZ": zone,
        "PYTHONHASHSEED": seed,
        "LC_ALL": "C.UTF-8" if plain else "C",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "1" if plain else "0",
        # This process may have found the tool by its working folder.
        "PYTHONPATH": os.pathsep.join(paths),
    }


def _elsewhere(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that hold paths, for another working folder."""
    found: dict[str, str] = {}
    pools = pool_locations(environment.get(POOLS_VARIABLE, ""))
    if pools:
        layout = "oci-layout:"
        found[POOLS_VARIABLE] = os.pathsep.join(
            f"{layout}{Path(each.removeprefix(layout)).absolute()}"
            if each.startswith(layout)
            else str(Path(each).absolute())
            for each in pools
        )
    if environment.get("ERYPHC_CACHE_DIR"):
        found["ERYPHC_CACHE_DIR"] = str(Path(environment["ERYPHC_CACHE_DIR"]).absolute())
    return found


def _other_umask() -> int:
    if os.name == "nt":
        return -1
    now = os.umask(0o077)
    os.umask(now)
    return 0o022 if now == 0o077 else 0o077


def first_difference(pairs: Iterable[Twice]) -> Diagnostic | None:
    """Where the second build first differs from the first, in names, modes or bytes."""
    for pair in pairs:
        names = sorted({*_files(pair.first), *_files(pair.second)})
        for name in names:
            found = _difference(pair.first / name, pair.second / name)
            if found is not None:
                return wording.not_reproducible(shown_path(pair.first / name), found)
    return None


def _files(place: Path) -> Iterator[str]:
    """The files of a folder; of a file its own name."""
    if not place.is_dir():
        if place.exists():
            yield ""
        return
    for path in place.rglob("*"):
        if not path.is_dir():
            yield path.relative_to(place).as_posix()


def _difference(first: Path, second: Path) -> str | None:
    if not first.exists() or not second.exists():
        return f"only the {'first' if first.exists() else 'second'} has it"
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (first, second)]
    if modes[0] != modes[1]:
        return f"mode {modes[1]:04o} instead of {modes[0]:04o}"
    with first.open("rb") as one, second.open("rb") as other:
        at = 0
        while True:
            here, there = one.read(_BLOCK), other.read(_BLOCK)
            if here != there:
                pairs = enumerate(zip(here, there, strict=False))
                differ = (place for place, (left, right) in pairs if left != right)
                return f"byte {at + next(differ, min(len(here), len(there)))} is another"
            if not here:
                return None
            at += len(here)
