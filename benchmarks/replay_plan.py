"""`eryph-runtime plan` against a host whose answers were recorded: a deployment and them go in.

Usage: replay_plan.py DEPLOYMENT ANSWERS TIMES. The command that is measured by hyperv.py: all of
the runtime's own work, and none of a host's.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

from eryph_runtime.command_line import run


class Recorded:
    """Answers requests in the order in which they were recorded."""

    def __init__(self, answers: list[Any]) -> None:
        self.address = "recorded"
        self.remote = False
        self._answers = iter(answers)

    def request(self, operation: str, arguments: dict[str, Any], **_: Any) -> Any:  # noqa: ARG002
        return json.loads(next(self._answers))

    def close(self) -> None:
        """Nothing is open."""


def main() -> int:
    deployment, answers, times = sys.argv[1:]
    recorded = json.loads(Path(answers).read_text("ascii"))
    for _ in range(int(times)):
        out = io.StringIO()
        code = run(
            ["plan", deployment, "--format", "json"],
            connect=lambda _address, _program: Recorded(recorded),
            stdin=io.StringIO(),
            stdout=out,
            stderr=out,
        )
        if code != 0:
            print(out.getvalue())
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
