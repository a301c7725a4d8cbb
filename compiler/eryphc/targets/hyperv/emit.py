"""A plan goes in, the files of the `hyperv` target come out."""

from __future__ import annotations

import json
from collections.abc import Mapping

from eryphc.artifacts.file import ArtifactFile
from eryphc.targets.hyperv.deploy_script import deploy_script
from eryphc.targets.hyperv.plan import HyperVPlan

DOCUMENT = "deployment.json"
SCRIPT = "deploy.ps1"


def emit(plan: HyperVPlan) -> Mapping[str, ArtifactFile]:
    """The document, the script that carries it out, and the images. No secret but in images."""
    text = json.dumps(plan.document, ensure_ascii=True, sort_keys=True, indent=2) + "\n"
    return {
        DOCUMENT: ArtifactFile(
            content=text.encode("ascii"), media_type="application/json", secret=False
        ),
        SCRIPT: ArtifactFile(
            content=deploy_script(plan.document).encode("ascii"),
            media_type="text/x-powershell",
            secret=False,
        ),
        **plan.images,
    }
