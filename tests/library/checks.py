"""What the tests assert in a machine: `machines/NAME.checks.yaml` beside the spec `NAME.yaml`.

An entry names the gene, says what is asserted, and has lines of bash that must each succeed, run in
one shell, as root, in the machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from library.genes import MACHINES


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    gene: str
    asserts: str
    lines: tuple[str, ...]

    def script(self) -> str:
        """Ends with the first line that fails, which it names. Also right for lines with `!`."""
        steps = [
            f"{{ {line}\n}} || {{ echo 'failed: line {at}' >&2; exit 1; }}"
            for at, line in enumerate(self.lines, 1)
        ]
        return "\n".join((*steps, "exit 0"))


def checks(machine: str) -> list[Check]:
    entries = yaml.safe_load((MACHINES / f"{machine}.checks.yaml").read_text("utf-8"))
    return [
        Check(gene=entry["gene"], asserts=entry["asserts"], lines=tuple(entry["run"].splitlines()))
        for entry in entries
    ]
