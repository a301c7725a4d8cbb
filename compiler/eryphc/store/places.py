"""Where the user's caches and keys lie, and folders that only the user can read."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path


def cache_folder(given: str | None, environment: Mapping[str, str]) -> Path:
    """The cache: as given, else `ERYPHC_CACHE_DIR`, else where the system keeps caches."""
    named = given or environment.get("ERYPHC_CACHE_DIR")
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = environment.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "eryphc" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "eryphc"
    return _of_xdg(environment.get("XDG_CACHE_HOME", ""), ".cache")


def configuration_folder(environment: Mapping[str, str]) -> Path:
    """Where the system keeps settings. It is no cache: who copies a cache does not copy this."""
    if sys.platform == "win32":
        base = environment.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "eryphc" / "Config"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "eryphc"
    return _of_xdg(environment.get("XDG_CONFIG_HOME", ""), ".config")


def _of_xdg(base: str, otherwise: str) -> Path:
    # The standard says that a relative path there is to be ignored.
    return (Path(base) if base.startswith("/") else Path.home() / otherwise) / "eryphc"


def make_private(folder: Path) -> None:
    """Make a folder that only the user can read, and what is missing above it."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
