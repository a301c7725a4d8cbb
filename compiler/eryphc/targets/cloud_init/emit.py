"""A plan goes in, the files of the `cloud-init` target come out."""

from __future__ import annotations

from collections.abc import Mapping

from eryphc.artifacts.file import ArtifactFile
from eryphc.guest.model import Seed
from eryphc.targets.cloud_init.plan import CloudInitPlan
from eryphc.targets.seeds import seed_files, seed_image


def emit(plan: CloudInitPlan) -> Mapping[str, ArtifactFile]:
    """The image, its files plain, and the sealed image where the plan has one.

    Only user-data can hold a secret: meta-data has the id and the name, network-config the
    addresses.
    """
    seed = plan.seeds.seed
    files = {f"{plan.name}.iso": seed_image(seed, epoch=plan.epoch)}
    for name, content in seed_files(seed).items():
        files[f"nocloud/{name}"] = ArtifactFile(
            content=content,
            media_type=_media_type(seed) if name == "user-data" else "application/yaml",
            secret=seed.secret and name == "user-data",
        )
    if plan.seeds.sealed is not None:
        files[f"{plan.name}.sealed.iso"] = seed_image(plan.seeds.sealed, epoch=plan.epoch)
    return files


def _media_type(seed: Seed) -> str:
    head = seed.user_data[:64].lower()
    if head.startswith((b"content-type: multipart/", b"mime-version:")):
        return "multipart/mixed"
    if head.startswith((b"#cloud-config\n", b"#cloud-config\r")):
        return "text/cloud-config"
    return "text/plain"
