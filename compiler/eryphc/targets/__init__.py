"""Targets: what one can do is decided by `plan`, and written down by `emit`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from eryphc.artifacts.file import ArtifactFile
from eryphc.diagnostics.model import Outcome
from eryphc.ir.stages import Substituted

S_contra = TypeVar("S_contra", contravariant=True)
P = TypeVar("P")


class Backend(Protocol[S_contra, P]):
    """Turns a catlet into the files of one target.

    `plan` makes every decision and reports what the target cannot do; `emit` writes the plan
    down, the same bytes for the same plan, and cannot fail. Time, randomness and facts of the
    host come with the settings, never from calls inside.
    """

    def plan(self, catlet: Substituted, settings: S_contra) -> Outcome[P]: ...

    def emit(self, plan: P) -> Mapping[str, ArtifactFile]: ...
