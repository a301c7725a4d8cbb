"""The operator's request as data, apart from the document."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`folder` holds the document and its ISO files; `volumes` and `parameters` by name.

    `values` fill open slots and count as secret. `user` is the user on the client where the
    host is another machine. `pools` are folders in which the files of volumes may lie.
    """

    folder: Path
    parameters: dict[str, str] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict, repr=False)
    pools: tuple[Path, ...] = ()
    user: str | None = None
    take_over: bool = False
