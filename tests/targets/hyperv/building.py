"""Specs to deployments, in this process, and what can be read back from them."""

from __future__ import annotations

import email
import email.policy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from eryph_runtime.deployment import Deployment
from eryph_runtime.document import read as read_deployment
from eryph_runtime.slots import patch
from eryphc.artifacts.iso_reader import read_iso
from eryphc.diagnostics.model import Diagnostic, Level, Outcome, has_errors, ordered
from eryphc.driver import (
    Built,
    FrontOptions,
    Target,
    TargetOptions,
    build_target,
    read_document,
    to_bred,
    to_fed,
    with_values,
)
from eryphc.genepool.chain import PoolChain
from eryphc.genepool.model import GenePool
from eryphc.guestconfig.model import GuestKind, MergeMode, NetworkConfigMode
from eryphc.passes.read import Notation
from eryphc.project import HyperVDefaults, read_project
from eryphc.source import SourceText
from eryphc.specs import Spec

T = TypeVar("T")

EPOCH = 315_532_800
OPTIONS = TargetOptions(
    guest=GuestKind.LINUX,
    merge=MergeMode.MERGED,
    network=NetworkConfigMode.GIVEN,
    epoch=EPOCH,
)
MACHINE = "0a1b2c3d-0000-4000-8000-0123456789ab"


@dataclass
class Result:
    """What a build gave: files by name, and what was found on the way."""

    built: Built | None
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.file("deployment.json"))
        return document

    @property
    def deployment(self) -> Deployment:
        return read_deployment(self.document)

    def file(self, name: str) -> bytes:
        assert self.built is not None, self.shown()
        content = self.built.files[name].content
        assert isinstance(content, bytes)
        return content

    @property
    def names(self) -> list[str]:
        assert self.built is not None, self.shown()
        return sorted(map(str, self.built.files))

    def shown(self, level: Level | None = None) -> list[str]:
        """`CODE FILE:LINE:COLUMN` of each diagnostic, in order."""
        lines = []
        for found in ordered(self.diagnostics):
            if level is not None and found.level is not level:
                continue
            span = found.primary.span if found.primary else None
            place = f"{span.source.name}:{span.line}:{span.column}" if span else "-"
            lines.append(f"{found.code.number} {place}")
        return lines

    def codes(self) -> list[str]:
        return sorted({found.code.number for found in self.diagnostics})

    def only(self, code: str) -> Diagnostic:
        found = [d for d in self.diagnostics if d.code.number == code]
        assert len(found) == 1, [(d.code.number, d.message) for d in self.diagnostics]
        return found[0]

    # -- images -----------------------------------------------------------------------------

    def seed_files(self, *, sealed: bool = False) -> Mapping[str, bytes]:
        return read_iso(self._image(sealed=sealed)).rock_ridge

    def patched_files(
        self, values: Mapping[str, str] | None = None, *, sealed: bool = False
    ) -> Mapping[str, bytes]:
        """The files of the image as the runtime places it for the machine `MACHINE`."""
        wanted = self.deployment.sealed if sealed else self.deployment.seed
        assert wanted is not None
        image = self._image(sealed=sealed)
        placed = patch(wanted, image, MACHINE, values or {})
        assert len(placed) == len(image)
        return read_iso(placed).rock_ridge

    def _image(self, *, sealed: bool) -> bytes:
        key = "sealed" if sealed else "seed"
        image = self.file(self.document[key]["file"])
        assert hashlib.sha256(image).hexdigest() == self.document[key]["sha256"]
        return image


def texts(user_data: bytes) -> list[str]:
    """The parts of a user-data as the mail package of the standard library reads them."""
    if not user_data.startswith(b"MIME-Version"):
        return [user_data.decode()] if user_data else []
    message = email.message_from_bytes(user_data, policy=email.policy.default)
    found = []
    for part in message.iter_parts():  # type: ignore[attr-defined]
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        found.append(data.decode("utf-8-sig"))
    return found


def settings_of(text: str) -> HyperVDefaults:
    """The `hyperv:` section of a project file of this text."""
    outcome = read_project(SourceText("eryphc.yaml", text), Path())
    assert outcome.value is not None, outcome.diagnostics
    assert outcome.value.hyperv is not None
    return outcome.value.hyperv


def build(
    spec: str,
    pool: GenePool | None = None,
    *,
    project: str | None = None,
    front: FrontOptions | None = None,
    notation: Notation = Notation.YAML,
    **options: Any,
) -> Result:
    """Build `spec` for hyperv. `options` are those of TargetOptions that differ from OPTIONS."""
    front = front if front is not None else FrontOptions(name="web")
    pools = pool if pool is not None else PoolChain([])
    found: list[Diagnostic] = []

    def take(outcome: Outcome[T]) -> T | None:
        found.extend(outcome.diagnostics)
        return outcome.value

    source = SourceText("spec.yaml", spec)
    document = take(read_document(Spec(source=source, folder=Path(), notation=notation), front))
    bred = take(to_bred(document, pools)) if document is not None else None
    given = take(with_values(bred, front)) if bred is not None else None
    fed = take(to_fed(given, pools, front)) if given is not None else None
    if fed is None:
        return Result(None, found)
    if project is not None:
        options["hyperv"] = settings_of(project)
    built = take(build_target(fed, Target.HYPERV, front, OPTIONS._replace(**options)))
    # A run with an error writes nothing, whoever reported it.
    return Result(None if has_errors(found) else built, found)
