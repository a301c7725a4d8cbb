"""Makes the files of the `hyperv` target from its plan."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from eryph_runtime import deployment
from eryph_runtime.deployment import to_text
from eryphc.artifacts.file import ArtifactFile
from eryphc.guest.encode import Seed
from eryphc.targets.hyperv.deploy_script import deploy_script
from eryphc.targets.hyperv.plan import HyperVPlan
from eryphc.targets.hyperv.slots import relocations
from eryphc.targets.seeds import seed_image

DOCUMENT = "deployment.json"
SCRIPT = "deploy.ps1"


def emit(plan: HyperVPlan) -> Mapping[str, ArtifactFile]:
    """The document, the script that carries it out, and the images. Only images hold secrets."""
    seed, image = _placed(plan.seed, f"{plan.name}.iso", plan)
    images = {seed.file: image}
    sealed = None
    if plan.sealed is not None:
        sealed, image = _placed(plan.sealed, f"{plan.name}.sealed.iso", plan)
        images[sealed.file] = image
    # Both have the digests of the images.
    tells = any(image.secret for image in images.values())
    text = to_text(plan.describe(seed=seed, sealed=sealed))
    return {
        DOCUMENT: ArtifactFile(
            content=text.encode("ascii"), media_type="application/json", tells=tells
        ),
        SCRIPT: ArtifactFile(
            content=deploy_script(text).encode("ascii"),
            media_type="text/x-powershell",
            tells=tells,
        ),
        **images,
    }


def _placed(seed: Seed, file: str, plan: HyperVPlan) -> tuple[deployment.Seed, ArtifactFile]:
    """An image, and what the document says of it."""
    image = seed_image(seed, epoch=plan.epoch)
    places = relocations(image, "user-data", seed.user_data, plan.slots)
    used = {place.slot for place in places}
    placed = deployment.Seed(
        file=file,
        sha256=hashlib.sha256(image.content).hexdigest(),
        size=len(image.content),
        instance_id=seed.document.instance_id,
        slots=tuple(
            slot.document()
            for slot in sorted(plan.slots, key=lambda slot: slot.name)
            if slot.name in used
        ),
        relocations=places,
    )
    return placed, image.file
