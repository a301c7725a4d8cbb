"""Runs that write and collect, and are killed while they do it.

`python tests/store/kills.py ROUNDS` kills as many of them; the tests do it a few times.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATHS = [str(ROOT / "compiler"), str(ROOT / "tests")]

# Writes gene sets that its lock file names, tells of each that is whole, writes what nobody names
# as if it had lain there for days, and collects. A run that is `alone` also takes what is young.
WORKER = """
import os, sys, time
sys.path[:0] = {paths!r}
from pathlib import Path
from eryphc.canonical import digest_of
from eryphc.store.collect import DAY, prune
from eryphc.store.content import Store, blob_parts
from eryphc.store.folder import open_folder
from store.images import config, is_signed, manifest

cache, name, size, days = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
store = Store(open_folder(cache))
lock = cache.parent / (name + ".lock")
lock.touch()
store.add_root(lock, cache.parent)
number = 0
while True:
    number += 1
    text = (name + str(number)).encode() * size
    found = config(text)
    with lock.open("a", encoding="utf-8") as file:
        print(digest_of(found), digest_of(text), file=file)
    store.add_blob(text)
    store.put_note(store.add_blob(found), digest_of(b"policy"), digest_of(found).encode())
    store.put_manifest(digest_of(found), manifest(found), is_signed)
    place = store.folder.path(*blob_parts(store.add_blob(b"nobody names " + text)))
    try:
        os.utime(place, (1, 1))
    except FileNotFoundError:
        pass  # Another run has collected what was written for the second time.
    print(digest_of(found), digest_of(text), flush=True)
    if number % 3 == 0:
        prune(store, now=time.time() + days * DAY)
"""


def start(cache: Path, name: str, size: int = 100, *, alone: bool = False) -> subprocess.Popen[str]:
    """A run that writes and collects until it is killed."""
    words = (str(cache), name, str(size), "2" if alone else "0")
    return subprocess.Popen(
        [sys.executable, "-c", WORKER.format(paths=PATHS), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill(run: subprocess.Popen[str]) -> list[str]:
    """End a run at once; gives the digests of which it said that they are there."""
    run.send_signal(signal.SIGKILL)
    out, err = run.communicate(timeout=60)
    assert err == "", err
    lines = out.splitlines(keepends=True)
    return [word for line in lines if line.endswith("\n") for word in line.split()]


def round_of_one(cache: Path, number: int) -> list[str]:
    """Kill a run after some gene sets and a part of a thousandth of a second."""
    chance = random.Random(number)  # noqa: S311 - it decides when a test kills
    run = start(cache, f"run{number}", chance.choice((1, 100, 10_000)), alone=True)
    assert run.stdout is not None
    told = [run.stdout.readline() for _ in range(chance.randrange(1, 8))]
    for _ in range(chance.randrange(20_000)):
        pass
    return [word for line in told for word in line.split()] + kill(run)


def damage_of(cache: Path, wanted: list[str]) -> list[str]:
    """What is wrong with a cache after a kill: damaged files, content that is missing, rests."""
    from eryphc.store.collect import prune
    from eryphc.store.content import Store
    from eryphc.store.folder import open_folder
    from eryphc.store.upkeep import Checks, verify

    store = Store(open_folder(cache))
    found = [
        each.message for each in verify(store, Checks(note=lambda note: len(note) == 71)).damaged
    ]
    found += [digest for digest in wanted if store.blob(digest) is None]
    found += [digest for digest in wanted[::2] if store.manifest(digest) is None]
    prune(store)
    return found + [path.name for path in store.folder.path("tmp").iterdir()]


def main(rounds: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        cache, wanted = Path(folder) / "cache", list[str]()
        for number in range(rounds):
            wanted += round_of_one(cache, number)
            found = damage_of(cache, wanted)
            if found:
                print(f"round {number}: {found}")
                return 1
    print(f"{rounds} runs killed, {len(wanted)} digests told of: all there, nothing damaged")
    return 0


if __name__ == "__main__":
    sys.path[:0] = PATHS
    os.umask(0o022)
    sys.exit(main(int(sys.argv[1])))
