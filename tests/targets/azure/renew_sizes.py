"""Writes the list of sizes that ships, `compiler/eryphc/targets/azure/sizes.json`.

To renew it, read the pages that the collected list names (MicrosoftDocs/azure-compute-docs), bring
`data/azure-vm-sizes.json` in the folder of the tools (tests/README.md) up to date with the dates
of these pages, and run `python tests/targets/azure/renew_sizes.py`. Then look at the difference:
a size that is chosen by default must not change without an entry in CHANGELOG.md.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

PACKAGED = Path(__file__).parents[3] / "compiler/eryphc/targets/azure/sizes.json"
# What the target asks; the collected list has more.
KEYS = (
    "name",
    "series",
    "vcpus",
    "memory_gib",
    "generations",
    "trusted_launch",
    "accelerated_networking",
    "nested_virtualization",
    "disk_controllers",
    "max_data_disks",
    "max_nics",
    "cpu_arch",
    "retires",
)
DATE = re.compile(r"\d{4}-\d\d-\d\d")


def packaged(collected: dict[str, Any]) -> str:
    """The list as it ships, a line a size. Raises ValueError for a list that cannot be used."""
    sizes = [{key: size[key] for key in KEYS if key in size} for size in collected["sizes"]]
    series = {size["series"] for size in sizes}
    dates = collected["source"]["page_dates"]
    pages = {name: dates[name] for name in sorted(series)}
    checks = {
        "a page without a date": all(DATE.fullmatch(date) for date in pages.values()),
        "a name twice": len({size["name"].lower() for size in sizes}) == len(sizes),
        "memory in parts of a MiB": all(
            float(size["memory_gib"] * 1024).is_integer() for size in sizes
        ),
        "a default without sizes": set(collected["default_order"]) <= series,
        # Every size takes `Premium_LRS` for its OS disk, so nothing asks for it.
        "no premium storage": all(size["premium_storage"] for size in collected["sizes"]),
    }
    if not all(checks.values()):
        raise ValueError(", ".join(what for what, well in checks.items() if not well))
    head = {
        "about": "Sizes of virtual machines in Azure, from the pages of MicrosoftDocs/"
        "azure-compute-docs. No price list, and no promise that a region offers a size.",
        "date": max(pages.values()),
        "pages": pages,
        "default_order": collected["default_order"],
    }
    lines = ",\n".join(f"  {json.dumps(size)}" for size in sizes)
    opening = json.dumps(head, indent=1).removesuffix("\n}")
    return f'{opening},\n "sizes": [\n{lines}\n ]\n}}\n'


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from places import SIZES

    PACKAGED.write_text(
        packaged(json.loads(SIZES.read_text("utf-8"))), encoding="ascii", newline="\n"
    )
