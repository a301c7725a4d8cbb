"""Makes the files of the `cloud-init` target from its plan."""

from __future__ import annotations

from collections.abc import Mapping

from eryphc.artifacts.file import ArtifactFile
from eryphc.targets.cloud_init.plan import CloudInitPlan
from eryphc.targets.seeds import seed_image


def emit(plan: CloudInitPlan) -> Mapping[str, ArtifactFile]:
    """The image, its files plain, and the sealed image where the plan has one.

    Only user-data can hold a secret: meta-data has the id and the name, network-config the
    addresses.
    """
    seed = plan.seeds.seed
    files = {f"{plan.name}.iso": seed_image(seed, epoch=plan.epoch).file}
    for name, content in seed.files.items():
        of_user = name == "user-data"
        files[f"nocloud/{name}"] = ArtifactFile(
            content=content,
            media_type=seed.user_data.media_type if of_user else "application/yaml",
            secret=seed.document.secret and of_user,
        )
    if plan.seeds.sealed is not None:
        files[f"{plan.name}.sealed.iso"] = seed_image(plan.seeds.sealed, epoch=plan.epoch).file
    return files
