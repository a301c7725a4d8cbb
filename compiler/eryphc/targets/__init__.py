"""The targets, each a folder here: its options, its project settings, its plan and its files."""

from __future__ import annotations

from enum import StrEnum


class Target(StrEnum):
    """What a catlet is compiled for.

    A new target is a line here and a folder named like its value, with `_` for `-`, whose
    package holds its `DEFINITION` (`targets.definition.TargetDefinition`). Options of the command
    line, help texts, completion and the schema of `eryphc.yaml` are made from this list.
    """

    CLOUD_INIT = "cloud-init"
    HYPERV = "hyperv"
    USER_DATA = "user-data"
    AZURE = "azure"
