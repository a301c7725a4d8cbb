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

from catlets import ordered
from eryph_runtime.deployment import Deployment
from eryph_runtime.document import read as read_deployment
from eryph_runtime.slots import patch
from eryphc import pipeline
from eryphc.artifacts.file import ArtifactFile
from eryphc.artifacts.iso_reader import read_iso
from eryphc.artifacts.manifest import Manifest
from eryphc.diagnostics.model import Diagnostic, Level, Outcome, has_errors
from eryphc.diagnostics.secrecy import Secrets
from eryphc.diagnostics.shown import ShownDiagnostic, show
from eryphc.genepool.chain import PoolChain
from eryphc.genepool.model import GenePool
from eryphc.guest.cloudconfig.reader import TextReader
from eryphc.guest.model import GuestKind, GuestOptions
from eryphc.ir.catlet import Record
from eryphc.passes.read import Notation
from eryphc.pipeline import manifest_of
from eryphc.project.file import read_project
from eryphc.project.specs import Spec
from eryphc.request import BuildRequest
from eryphc.source import SourceText
from eryphc.targets import Target
from eryphc.targets.definition import definition_of, project_sections
from eryphc.targets.hyperv.options import HyperVOptions
from eryphc.targets.hyperv.settings import HyperVDefaults
from eryphc.volumes.disk_images import DiskImages
from saying import said

T = TypeVar("T")

EPOCH = 315_532_800
MACHINE = "0a1b2c3d-0000-4000-8000-0123456789ab"


@dataclass
class Result:
    """What a build gave: files by name, and what was found on the way."""

    built: Mapping[str, ArtifactFile] | None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    manifest: Manifest | None = None
    records: tuple[Record, ...] = ()

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.file("deployment.json"))
        return document

    @property
    def deployment(self) -> Deployment:
        return read_deployment(self.document)

    def file(self, name: str) -> bytes:
        assert self.built is not None, self.shown()
        content = self.built[name].content
        assert isinstance(content, bytes)
        return content

    @property
    def names(self) -> list[str]:
        assert self.built is not None, self.shown()
        return sorted(self.built)

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

    def told(self) -> tuple[ShownDiagnostic, ...]:
        """The diagnostics as a session hands them out."""
        return show(self.diagnostics, Secrets(self.records))

    def codes(self) -> list[str]:
        return sorted({found.code.number for found in self.diagnostics})

    def only(self, code: str) -> Diagnostic:
        found = [d for d in self.diagnostics if d.code.number == code]
        assert len(found) == 1, [(d.code.number, said(d).message) for d in self.diagnostics]
        return said(found[0])

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
    for part in message.iter_parts():
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        found.append(data.decode("utf-8-sig"))
    return found


def settings_of(text: str) -> HyperVDefaults:
    """The `hyperv:` section of a project file of this text."""
    outcome = read_project(SourceText("eryphc.yaml", text, regions=()), Path(), project_sections())
    assert outcome.value is not None, outcome.diagnostics
    settings = outcome.value.sections["hyperv"]
    assert isinstance(settings, HyperVDefaults)
    return settings


def build(
    spec: str,
    pool: GenePool | None = None,
    *,
    project: str | None = None,
    request: BuildRequest | None = None,
    notation: Notation = Notation.YAML,
    open_slots: Mapping[str, int] | None = None,
    volumes: Mapping[str, str] | None = None,
    guest: GuestKind | None = GuestKind.LINUX,
    **options: Any,
) -> Result:
    """Build `spec` for hyperv. `options` are those of the guest that differ from the defaults."""
    request = request if request is not None else BuildRequest(name="web")
    pools = pool if pool is not None else PoolChain([])
    found: list[Diagnostic] = []

    def take(outcome: Outcome[T]) -> T | None:
        found.extend(outcome.diagnostics)
        return outcome.value

    source = SourceText("spec.yaml", spec)
    one = Spec(source=source, folder=Path(), notation=notation)
    document = take(pipeline.read_document(one, request))
    bred = take(pipeline.to_bred(document, pools)) if document is not None else None
    given = take(pipeline.with_values(bred, request.values)) if bred is not None else None
    fed = take(pipeline.to_fed(given, pools, request)) if given is not None else None
    if fed is None:
        return Result(None, found)
    backend = definition_of(Target.HYPERV).backend()
    prepared = take(
        pipeline.prepare(
            fed,
            request.values,
            request,
            backend,
            options=HyperVOptions(open_slots=open_slots or {}, volumes=volumes or {}),
            settings=None if project is None else settings_of(project),
            guest=GuestOptions(kind=guest, **options),
            epoch=EPOCH,
            reader=TextReader(),
        )
    )
    if prepared is None:
        return Result(None, found)
    assert backend.disk_files is not None
    read = DiskImages()
    disks = {
        path: read(path, backend.hashed_formats)
        for path in backend.disk_files(prepared.catlet, prepared.options)
    }
    plan = backend.plan(prepared._replace(disks=disks))
    found += plan.diagnostics
    # A run with an error writes nothing, whoever reported it.
    built = None if plan.value is None or has_errors(found) else backend.emit(plan.value)
    manifest = manifest_of(prepared, Target.HYPERV)
    return Result(built, found, manifest, (prepared.catlet.catlet,))
