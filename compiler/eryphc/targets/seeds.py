"""The NoCloud seed of a catlet, and the same without its secrets, as ISO images.

Shared by the targets that attach one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from eryphc.artifacts.file import ArtifactFile
from eryphc.artifacts.iso import IsoError, nocloud_iso, refuse_unwritable
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.diagnostics.output import image_refused
from eryphc.guest.compose import compose
from eryphc.guest.compose import sealed as sealed_seed
from eryphc.guest.model import GuestRequest, Seed

LABEL = "cidata"
ISO_MEDIA_TYPE = "application/vnd.efi.iso"


class Seeds(NamedTuple):
    """What a guest reads first, and (where asked for) what it may keep afterwards."""

    seed: Seed
    sealed: Seed | None = None

    def __repr__(self) -> str:
        # A seed may hold secrets, and what is printed ends in logs.
        return f"Seeds(sealed={self.sealed is not None})"


def seeds_of(request: GuestRequest, *, sealed: bool) -> Outcome[Seeds]:
    """Compose the seed; with `sealed` also the one without secret foods.

    Reports what composing them does, once, and E0609.
    """
    full = compose(request)
    if full.value is None:
        return Outcome(None, full.diagnostics)
    faults = _unwritable(full.value)
    if faults:
        return Outcome(None, (*full.diagnostics, *faults))
    if not sealed:
        return Outcome(Seeds(seed=full.value), full.diagnostics)
    rest = sealed_seed(request)
    if rest.value is None:
        return Outcome(None, (*full.diagnostics, *rest.diagnostics))
    return Outcome(Seeds(seed=full.value, sealed=rest.value), full.diagnostics)


def seed_files(seed: Seed) -> Mapping[str, bytes]:
    """The files of a NoCloud volume, by name (cloud-init.md 1.1)."""
    files = {"meta-data": seed.meta_data, "user-data": seed.user_data}
    if seed.network_config is not None:
        files["network-config"] = seed.network_config
    return files


def seed_image(seed: Seed, *, epoch: int) -> ArtifactFile:
    """The ISO image that guests find by its label."""
    files = seed_files(seed)
    return ArtifactFile(
        content=nocloud_iso(files, label=LABEL, epoch=epoch),
        media_type=ISO_MEDIA_TYPE,
        secret=seed.secret,
        holds=files,
    )


def _unwritable(seed: Seed) -> tuple[Diagnostic, ...]:
    try:
        refuse_unwritable(seed_files(seed), LABEL)
    except IsoError as error:
        return (image_refused("the seed image", str(error)),)
    return ()
