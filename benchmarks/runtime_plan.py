"""What planning costs the runtime: a host with many machines is read, decoded and compared.

The host is the model of the tests, so the figures hold no PowerShell and no network: CPU time
of the client alone. Usage: python benchmarks/runtime_plan.py [MACHINES] [ROUNDS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "runtime"), str(ROOT / "tests")]

from eryph_runtime.compare import compare  # noqa: E402
from eryph_runtime.document import load  # noqa: E402
from eryph_runtime.observe import observe  # noqa: E402
from eryph_runtime.request import Request  # noqa: E402
from runtime.deployments import Desk  # noqa: E402
from runtime.hyperv_model import GIB, Model  # noqa: E402


def main() -> int:
    """Print the medians in milliseconds."""
    machines, rounds = (int(each) for each in [*sys.argv[1:3], *("200", "50")[len(sys.argv) - 1 :]])
    with tempfile.TemporaryDirectory() as temporary:
        desk, host = Desk(Path(temporary)), Model()
        for number in range(machines):
            host._new_machine(f"other-{number}", "C:\\VMs", GIB, "")
        if desk.run(host, "apply").code != 0:
            return 1
        deployment = load(desk.folder)
        request = Request(folder=desk.folder)
        read, compared = [], []
        for _ in range(rounds):
            start = time.process_time()
            observation = observe(host, deployment, request)
            middle = time.process_time()
            found = compare(observation)
            end = time.process_time()
            if found.changes:
                return 1
            read.append((middle - start) * 1000)
            compared.append((end - middle) * 1000)
        print(f"{machines} other machines on the host, {rounds} rounds, medians of CPU time:")
        print(f"  read and decode (model included)  {median(read):8.2f} ms")
        print(f"  compare                           {median(compared):8.2f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
