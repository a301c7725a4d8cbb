"""What locks and registries cost, as ratios of CPU time measured side by side in one run.

200 catlets are locked by one command, and a closure of six gene sets comes out of a registry on
this machine: by `gene pull`, and by skopeo. P is an empty Python process. See README.md.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from fleet import write_fleet
from measure import BASE, Case, CommandFailedError, Rounds, benchmark, run

ERYPHC = Path(sys.executable).parent / "eryphc"
COUNT = 200
LOCK = f"lock of {COUNT} catlets"
CHECK = f"lock --check of {COUNT} catlets"
FOLDERS = "locked build, genes in folders"
STORE = "locked build, genes in the store"
PULL = "gene pull of a closure of 6 sets"
SKOPEO = "skopeo copy of the same 6 images"
CONFIGURATION = """\
version: 0.1
log: {level: info, formatter: json, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: @FOLDER@/data}
  maintenance: {uploadpurging: {enabled: false}}
http: {addr: "127.0.0.1:0", secret: benchmark}
"""


class Goal(NamedTuple):
    """A command takes at most so many times the CPU time of another."""

    name: str
    most: float
    of: str


GOALS = (Goal(PULL, 1.0, SKOPEO), Goal(STORE, 1.1, FOLDERS))


def main() -> int:
    """Measure and print; the exit code of `benchmark`."""
    return benchmark(__doc__, measured)


def measured(folder: Path, rounds: Rounds) -> list[str]:
    """Gives the names of the goals that are missed."""
    with registry(folder) as log:
        cases = prepare(folder, log)
        requests = {name: requests_of(cases[name], log) for name in (PULL, SKOPEO)}
        drift = rounds(cases)
    return report(cases, requests, drift)


@contextmanager
def registry(folder: Path) -> Iterator[Path]:
    """A registry on this machine; gives its log, whose first lines name its address."""
    path, log = folder / "registry.yml", folder / "registry.log"
    path.write_text(CONFIGURATION.replace("@FOLDER@", str(folder)), "utf-8")
    program = shutil.which("docker-registry")
    if program is None or shutil.which("skopeo") is None:
        raise CommandFailedError("docker-registry and skopeo are needed: packages of Debian")
    with log.open("wb") as file:
        process = subprocess.Popen([program, "serve", str(path)], stdout=file, stderr=file)
    try:
        yield log
    finally:
        process.terminate()
        process.wait()


def address(log: Path) -> str:
    """Where the registry listens. Raises CommandFailedError if it does not start."""
    for _ in range(200):
        for message in _messages(log):
            if message.startswith("listening on "):
                return message.removeprefix("listening on ").partition(",")[0]
        time.sleep(0.05)
    raise CommandFailedError("docker-registry does not start")


def _messages(log: Path) -> Iterator[str]:
    for line in log.read_text("utf-8", errors="replace").splitlines():
        if line.startswith("{"):
            yield str(json.loads(line).get("msg", ""))


def requests_of(case: Case, log: Path) -> int:
    """How many requests a command sends."""
    before = sum(message == "response completed" for message in _messages(log))
    run(case, record=False)
    time.sleep(0.2)
    return sum(message == "response completed" for message in _messages(log)) - before


def prepare(folder: Path, log: Path) -> dict[str, Case]:
    """Write the inputs, publish the gene sets, and name the commands."""
    aside, place = folder / "aside", folder / "fleet"
    aside.mkdir()
    place.mkdir()
    specs = [spec.name for spec in write_fleet(place, COUNT)]
    # A pool beside the project, so that the lock pins its content.
    (place / "genes").rename(folder / "pool")
    (place / "eryphc.yaml").write_text("pools:\n- {name: bench, path: ../pool}\n", "utf-8")
    (place / "specs.txt").write_text("\n".join(specs), "utf-8")
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    clean |= {"XDG_CACHE_HOME": str(folder / "cache")}
    cases: dict[str, Case] = {}

    def add(name: str, *command: str, where: Path = place, gone: tuple[Path, ...] = ()) -> None:
        cases[name] = Case(
            name=name,
            command=list(command),
            folder=where,
            environment=clean,
            aside=aside,
            remove=gone,
            every=5 if str(COUNT) in name else 1,
        )

    def once(*command: str, where: Path = place) -> None:
        add("preparing", *command, where=where)
        run(cases.pop("preparing"), record=False)

    host = address(log)
    remote = project_with_registry(folder, place, specs[0], host)
    images = publish(folder, host, once)
    add(BASE, sys.executable, "-c", "pass")
    add(LOCK, str(ERYPHC), "lock", *specs, gone=(place / "eryph.lock",))
    add(CHECK, str(ERYPHC), "lock", "--check", *specs)
    once(str(ERYPHC), "lock", *specs)
    once(str(ERYPHC), "lock", specs[0], where=remote)
    build = (str(ERYPHC), "build", specs[0], "--target", "user-data", "--output", "out")
    add(FOLDERS, *build, "--locked", gone=(place / "out",))
    add(STORE, *build, "--locked", where=remote, gone=(remote / "out",))
    fresh = folder / "fresh"
    names = [f"bench/{name}/1.0" for name in sets_of(folder)]
    pull = ["env", f"XDG_CACHE_HOME={fresh}", str(ERYPHC), "gene", "pull", *names]
    add(PULL, *_with_path(pull), where=remote, gone=(fresh,))
    copies = folder / "copies"
    script = " && ".join(
        shlex.join(
            ["skopeo", "copy", "-q", "--src-tls-verify=false", source, f"oci:{copies}:{tag}"]
        )
        for source, tag in images
    )
    add(SKOPEO, *_with_path(["sh", "-c", script]), gone=(copies,))
    return cases


def sets_of(folder: Path) -> list[str]:
    """The names of the six sets."""
    return sorted(path.name for path in (folder / "pool/bench").iterdir())


def _with_path(command: list[str]) -> list[str]:
    return [shutil.which(command[0]) or command[0], *command[1:]]


def project_with_registry(folder: Path, place: Path, spec: str, host: str) -> Path:
    """A project of one catlet whose pool lies in the registry."""
    remote = folder / "remote"
    remote.mkdir()
    shutil.copy(place / spec, remote)
    pool = f"pools:\n- {{name: bench, type: oci, prefix: '{host}/genes', orgs: [bench]}}\n"
    (remote / "eryphc.yaml").write_text(pool, "utf-8")
    return remote


def publish(folder: Path, host: str, once: Callable[..., None]) -> list[tuple[str, str]]:
    """Push the six sets; gives the address of each image, and its name in a layout."""
    found = []
    for name in sets_of(folder):
        once(
            str(ERYPHC),
            *("gene", "push", str(folder / "pool/bench" / name)),
            *("--to", f"oci://{host}/genes?orgs=bench"),
        )
        found.append((f"docker://{host}/genes/bench/{name}:1.0", f"bench/{name}:1.0"))
    return found


def report(cases: dict[str, Case], requests: dict[str, int], drift: float) -> list[str]:
    """Print one table; gives the names of the goals that are missed."""
    base = cases[BASE].seconds
    missed = []
    print(f"{'':34} {'CPU ms':>9} {'x P':>8} {'peak MB':>8} {'requests':>9}   goal")
    for name, case in cases.items():
        asked = requests.get(name, "")
        seconds = case.seconds
        line = f"{name:34} {seconds * 1000:9.2f} {seconds / base:8.2f} {case.peak:8.1f} {asked:>9}"
        for goal in GOALS:
            if goal.name == name:
                ratio = seconds / cases[goal.of].seconds
                reached = ratio <= goal.most
                word = "reached" if reached else "MISSED"
                line += f"   {word}: {ratio:.2f} of {goal.of!r}, at most {goal.most:g}"
                missed += [] if reached else [name]
        print(line)
    for name in (LOCK, CHECK):
        each = cases[name].seconds / COUNT
        print(f"{name}, each {each * 1000:32.2f} ms, {each / base:.2f} P")
    print(f"\nP is {base * 1000:.1f} ms; drift of P {drift:.0%}")
    return missed


if __name__ == "__main__":
    sys.exit(main())
