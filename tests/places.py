"""Where tests find what they read, and what is too large for this repository."""

from __future__ import annotations

import os
from pathlib import Path

TESTS = Path(__file__).resolve().parent
CHECKOUT = TESTS.parent

# Data of others; each folder has a NOTICE.
PUBLISHED = TESTS / "data" / "published"
PACKED = TESTS / "data" / "packed"

CONFORMANCE = TESTS / "conformance" / "cases"

# The folder that holds the tools; tests/README.md says what they are and how to get them.
TOOLS = Path(os.environ.get("ERYPHC_TEST_TOOLS") or CHECKOUT.parent / "shared").resolve()
POWERSHELL = TOOLS / "tools" / "pslite"
CMDLETS = TOOLS / "data" / "hyperv-cmdlets.json"
BOOT = TOOLS / "boot"
SIZES = TOOLS / "data" / "azure-vm-sizes.json"
ARM_SCHEMAS = TOOLS / "azure" / "schemas"
BICEP = TOOLS / "tools" / "bicep"
NO_POWERSHELL = "needs the PowerShell engine `pslite`: tests/README.md says how to get it"
NO_BOOT = "needs the boot harness: tests/README.md says how to get it"
NO_SIZES = "needs the collected list of Azure's sizes: tests/README.md says how to get it"
NO_ARM_SCHEMAS = "needs the published schemas of Azure: tests/README.md says how to get them"
NO_BICEP = "needs the Bicep compiler: tests/README.md says how to get it"
