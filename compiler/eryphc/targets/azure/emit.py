"""Makes the files of the `azure` target from its plan."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterator, Mapping

from eryphc.artifacts.file import ArtifactFile
from eryphc.artifacts.manifest import document_bytes
from eryphc.diagnostics.losses import report_losses
from eryphc.guest.encode import PLAIN
from eryphc.guest.model import GuestKind
from eryphc.guest.platforms import report_of
from eryphc.targets.azure.gallery import GALLERY, image_template
from eryphc.targets.azure.model import CUSTOM_DATA_TAG, AzurePlan
from eryphc.targets.azure.scripts import Blob, ScriptFacts, scripts
from eryphc.targets.azure.scripts import GalleryImage as ScriptImage
from eryphc.targets.azure.template import main_template, parameters_document
from eryphc.targets.azure.text import parameters_bytes
from eryphc.targets.definition import Conversion

TEMPLATE = "main.json"
PARAMETERS = "main.parameters.json"
SECRETS = "secrets.parameters.json"
IMAGE = "image.json"
IMAGE_PARAMETERS = "image.parameters.json"
USER_DATA = "user-data"
REPORT = "report.json"
_JSON = "application/json"
_SCRIPTS = {"sh": "text/x-shellscript", "ps1": "text/x-powershell"}
_FOOTER = 512


def emit(plan: AzurePlan) -> Mapping[str, ArtifactFile]:
    """The template, its parameters, what the guest reads, and the report."""
    known: dict[str, object] = {}
    if plan.image_id is not None:
        known["imageId"] = plan.image_id
    secrets: dict[str, object] = {}
    data = plan.custom_data
    if data is not None:
        own = secrets if plan.secret else known
        own["customData"] = b2a_base64(data, newline=False).decode("ascii")
    files = {
        TEMPLATE: ArtifactFile(content=main_template(plan), media_type=_JSON),
        PARAMETERS: _parameters(known),
        USER_DATA: ArtifactFile(
            content=data or b"",
            media_type=plan.payload.encoded.media_type if data else PLAIN,
            secret=plan.secret,
        ),
        # Sizes tell how long a secret is.
        REPORT: ArtifactFile(content=_report(plan), media_type=_JSON, tells=plan.secret),
    }
    if secrets:
        files[SECRETS] = _parameters(secrets, secret=True)
    if plan.gallery is not None:
        files[IMAGE] = ArtifactFile(content=image_template(plan.gallery), media_type=_JSON)
        files[IMAGE_PARAMETERS] = _parameters({})
    for name, content in scripts(_facts(plan, secrets=bool(secrets))).items():
        files[name] = ArtifactFile(content=content, media_type=_SCRIPTS[name.rpartition(".")[2]])
    return files


def _facts(plan: AzurePlan, *, secrets: bool) -> ScriptFacts:
    """What the scripts know of the machine: constants, and no secret."""
    gallery = plan.gallery
    of_image = None if gallery is None else gallery.names.blob
    of_data = {disk.blob for disk in plan.disks}
    return ScriptFacts(
        vm=plan.names.machine,
        os_disk=plan.names.os_disk,
        catlet_id=plan.catlet_id,
        deployment=plan.names.machine,
        guest=GuestKind.WINDOWS if plan.windows else GuestKind.LINUX,
        image_parameter=plan.image is None,
        image_known=plan.image_id is not None,
        image=None
        if gallery is None
        else ScriptImage(GALLERY, gallery.names.definition, gallery.names.version),
        blobs=tuple(
            Blob(
                file=_disk_file(drive),
                name=image.blob,
                size=image.size + _FOOTER,
                image=image.blob == of_image,
                data=image.blob in of_data,
            )
            for drive, image in plan.images
        ),
        parameters=True,
        secrets=secrets,
        custom_data=plan.machine_tags.get(CUSTOM_DATA_TAG),
    )


def _disk_file(drive: str) -> str:
    return f"disks/{drive}.vhd"


def conversions(plan: AzurePlan) -> Iterator[Conversion]:
    """The disks whose images are at hand, each once, named by the first drive that has it."""
    for drive, image in plan.images:
        yield Conversion(_disk_file(drive), image.path, image.format, image.sha256)


def _parameters(values: Mapping[str, object], *, secret: bool = False) -> ArtifactFile:
    content = parameters_bytes(parameters_document(values))
    return ArtifactFile(content=content, media_type=_JSON, secret=secret)


def _report(plan: AzurePlan) -> bytes:
    size = {"name": plan.size, "asked": dict(plan.size_asked)}
    report = report_of(plan.payload)
    if plan.custom_data is not None:
        report["bytes"] = len(plan.custom_data)
    return document_bytes({**report, "losses": report_losses(plan.losses), "size": size})
