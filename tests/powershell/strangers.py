"""A machine of somebody else's on a model host, with files: nothing of it may ever change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from powershell.workbench import state_of, write_state


def add_stranger(case: Path) -> None:
    """A machine of somebody else's, with files."""
    drive = case / "drive"
    (drive / "vms/theirs").mkdir(parents=True, exist_ok=True)
    (drive / "vms/theirs/disk.vhdx").write_bytes((drive / "store/base.vhdx").read_bytes())
    (drive / "vms/theirs/their.eryphc-part.iso").write_bytes(b"theirs")
    state = state_of(case)
    state["vms"] = [stranger()]
    write_state(case, state)


def stranger() -> dict[str, Any]:
    identifier = "99999999-0000-4000-8000-000000000001"
    return {
        "Id": identifier,
        "Name": "theirs",
        "Generation": 2,
        "State": "Off",
        "Notes": "theirs alone",
        "Path": "C:\\vms\\theirs",
        "Version": "10.0",
        "StartAction": "StartIfRunning",
        "StopAction": "Save",
        "StartDelay": 0,
        "AutomaticCheckpoints": True,
        "CheckpointType": "Production",
        "Count": 1,
        "Nested": False,
        "Startup": 2**30,
        "Minimum": 2**29,
        "Maximum": 2**40,
        "Dynamic": False,
        "SecureBoot": "On",
        "Template": "MicrosoftWindows",
        "Protector": "AAAABA==",
        "Tpm": False,
        "Boot": [],
        "Controllers": 1,
        "Disks": [
            {"Path": "C:\\vms\\theirs\\disk.vhdx", "Number": 0, "Location": 0, "Shared": False}
        ],
        "Dvds": [],
        "Snapshots": [],
        "Kvp": [],
        "IntegrationOff": [],
        "Adapters": [
            {
                "Name": "Network Adapter",
                "Id": f"Microsoft:{identifier}\\a",
                "Mac": "00155D000001",
                "DynamicMac": True,
                "Spoofing": "Off",
                "DhcpGuard": "Off",
                "RouterGuard": "Off",
                "SwitchName": None,
                "SwitchId": "00000000-0000-0000-0000-000000000000",
                "VlanMode": "Untagged",
                "VlanId": 0,
                "IPAddresses": [],
                "Linger": 0,
                "Gone": False,
            }
        ],
    }
