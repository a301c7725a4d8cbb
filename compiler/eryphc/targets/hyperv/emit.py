"""A plan goes in, the files of the `hyperv` target come out."""

from __future__ import annotations

from collections.abc import Mapping

from eryph_runtime.deployment import to_text
from eryphc.artifacts.file import ArtifactFile
from eryphc.targets.hyperv.deploy_script import deploy_script
from eryphc.targets.hyperv.plan import HyperVPlan

DOCUMENT = "deployment.json"
SCRIPT = "deploy.ps1"


def emit(plan: HyperVPlan) -> Mapping[str, ArtifactFile]:
    """The document, the script that carries it out, and the images. No secret but in images."""
    text = to_text(plan.document)
    return {
        DOCUMENT: ArtifactFile(
            content=text.encode("ascii"), media_type="application/json", secret=False
        ),
        SCRIPT: ArtifactFile(
            content=deploy_script(text).encode("ascii"),
            media_type="text/x-powershell",
            secret=False,
        ),
        **plan.images,
    }
