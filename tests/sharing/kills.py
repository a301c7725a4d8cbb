"""Runs of `gene push` and `gene pull` against a real registry, killed while they work.

`python tests/sharing/kills.py --rounds 200` kills as many; the tests do it a tenth as often.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATHS = [str(ROOT / each) for each in ("compiler", "runtime", "stdlib-genes", "tests")]
if __name__ == "__main__":
    sys.path[:0] = PATHS

from eryphc import Session, sharing  # noqa: E402 - the paths above
from eryphc.gallery import listing  # noqa: E402

GENE = "name: motd\nfodder:\n- name: motd\n  content: |\n    # {}\n    timezone: {}\n"
PADDING = "x" * 400_000
"""So much of a comment that a run is killed within its requests too."""


PUSHED, PULLED = 24, 4
"""The requests of a push and of a pull, about."""
TAGS_APPEAR = (8, 12)


class Work:
    """A folder with a source tree, a store and the address of a registry."""

    def __init__(self, folder: Path, host: str) -> None:
        self.folder = folder
        self.to = f"oci://{host}/genes"
        self.pool = f"{self.to}?orgs=acme"
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(PATHS),
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "ERYPHC_FRESH": "0",
        }
        self.seen = dict.fromkeys(("nothing yet", "the tag alone", "all tags"), 0)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "eryphc", "gene", *words],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def session(self, cache: str = "cache") -> Session:
        """A session of this process."""
        environment = {**self.environment, "XDG_CACHE_HOME": str(self.folder / cache)}
        return Session(self.folder, genepools=[self.pool], environment=environment)

    def write(self, number: int) -> Path:
        """A new tag and `latest` that leads to it; gives its folder."""
        tag = f"1.{number}"
        for name, text in {
            "geneset.json": '{"geneset":"acme/motd","short_description":"A test"}',
            f"{tag}/geneset-tag.json": json.dumps({"geneset": f"acme/motd/{tag}"}),
            f"{tag}/fodder/motd.yaml": GENE.format(PADDING, f"Etc/{number}"),
            "latest/geneset-tag.json": json.dumps(
                {"geneset": "acme/motd/latest", "ref": f"acme/motd/{tag}"}
            ),
        }.items():
            path = self.folder / "motd" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return self.folder / "motd" / tag

    def push(self, folder: Path) -> None:
        pushed = sharing.push(self.session(), [folder], to=self.to)
        assert pushed.ok, pushed.diagnostics

    def identity(self, tag: str) -> str | None:
        """What the registry has under a tag, read whole and checked; None where there is none."""
        pulled = sharing.pull(self.session("fresh"), [f"acme/motd/{tag}"])
        if not pulled.ok:
            assert {each.code for each in pulled.diagnostics} == {"E0302"}, pulled.diagnostics
            return None
        return next(each.digest for each in pulled.sets if each.digest)


def killed(process: subprocess.Popen[str], requests: int, pause: float) -> None:
    """End a run some time after it has told of so many requests, if it is still at work."""
    assert process.stderr is not None
    for _ in range(requests):
        if not process.stderr.readline():
            break
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGKILL), err


def faults_of_push(work: Work, number: int, chance: random.Random) -> Iterator[str]:
    """Kill a push of a new tag; afterwards tags are as they were or complete."""
    folder = work.write(number)
    (packed,) = sharing.packed_sets(folder).sets
    before, wanted = work.identity("latest"), packed.image.identity
    run = work.start("push", str(folder), "--to", work.to, "-v")
    # Half of the kills fall around the moment when the tags appear.
    requests = chance.randrange(*chance.choice(((0, PUSHED), TAGS_APPEAR)))
    killed(run, requests, chance.uniform(0, 0.03))
    tag, latest = work.identity(f"1.{number}"), work.identity("latest")
    if tag not in (None, wanted):
        yield f"1.{number} is {tag}, not {wanted}"
    if latest not in (before, wanted):
        yield f"latest is {latest}, neither {before} nor {wanted}"
    if latest == wanted and tag != wanted:
        yield f"latest is there before 1.{number}"
    reached = "all tags" if latest == wanted else "the tag alone"
    work.seen["nothing yet" if tag is None else reached] += 1
    work.push(folder)
    if (work.identity(f"1.{number}"), work.identity("latest")) != (wanted, wanted):
        yield f"the second push of 1.{number} did not mend it"
    if f"1.{number}" not in listing(work.session(), "acme").sets[0].tags:
        yield f"the index does not have 1.{number}"


def faults_of_pull(work: Work, number: int, chance: random.Random) -> Iterator[str]:
    """Kill a pull of that tag; afterwards the store has no wrong byte."""
    name = f"acme/motd/1.{number}"
    run = work.start("pull", name, "--genepool", work.pool, "-v")
    killed(run, chance.randrange(PULLED), chance.uniform(0, 0.03))
    yield from damage(work.folder / "cache" / "eryphc")
    pulled = sharing.pull(work.session(), [name])
    if not pulled.ok:
        yield f"the second pull of 1.{number} failed: {pulled.diagnostics}"
    yield from damage(work.folder / "cache" / "eryphc")


def damage(cache: Path) -> Iterator[str]:
    from eryphc.store.content import Store
    from eryphc.store.folder import open_folder
    from eryphc.store.upkeep import Checks, verify

    if cache.is_dir():
        for each in verify(Store(open_folder(cache)), Checks()).damaged:
            yield each.message


def rounds_in(work: Work, rounds: int, seed: int = 0) -> list[str]:
    """What is wrong after so many rounds, each of which kills a push and a pull."""
    chance = random.Random(seed)  # noqa: S311 - it decides when a test kills
    work.push(work.write(0))
    found: list[str] = []
    for number in range(1, rounds + 1):
        found += faults_of_push(work, number, chance)
        found += faults_of_pull(work, number, chance)
    return found


def main() -> int:
    from genepool.oci.real import registry

    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "registry").mkdir()
        (folder / "work").mkdir()
        with registry(folder / "registry") as host:
            work = Work(folder / "work", host)
            found = rounds_in(work, given.rounds, given.seed)
    for fault in found:
        print(fault)
    seen = ", ".join(f"{count} times {what}" for what, count in work.seen.items())
    print(f"{given.rounds} pushes and as many pulls killed, {len(found)} faults; {seen}")
    return 1 if found else 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
