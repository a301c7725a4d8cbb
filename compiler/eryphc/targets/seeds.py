"""The NoCloud seed of a catlet, and the same without its secrets, as ISO images.

Shared by the targets that attach one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eryphc.artifacts.file import ArtifactFile
from eryphc.artifacts.iso import IsoError, nocloud_image, refuse_unwritable
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.diagnostics.output import image_refused
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.reader import TextReader
from eryphc.guest.compose import compose
from eryphc.guest.compose import sealed as sealed_document
from eryphc.guest.document import GuestDocument
from eryphc.guest.encode import Seed, nocloud
from eryphc.guest.model import GuestRequest
from eryphc.guest.pieces import JINJA

LABEL = "cidata"
ISO_MEDIA_TYPE = "application/vnd.efi.iso"


class Seeds(NamedTuple):
    """The seed of the first boot and, if asked for, the one that may stay attached."""

    seed: Seed
    sealed: Seed | None = None

    def __repr__(self) -> str:
        # A seed may hold secrets, and what is printed ends in logs.
        return f"Seeds(sealed={self.sealed is not None})"


class SeedImage(NamedTuple):
    """A seed as an ISO image; `offsets` are those of its files in the image."""

    file: ArtifactFile
    content: bytes
    offsets: Mapping[str, int]

    def __repr__(self) -> str:
        return f"SeedImage({self.file!r})"


def seeds_of(request: GuestRequest, *, sealed: bool, reader: TextReader) -> Outcome[Seeds]:
    """Compose the seed; with `sealed` also the one without secret fodder.

    Reports what composing them does, once, what is wrong with names in templates, and E0609.
    `reader` is that of the session.
    """
    whole = compose(request, reader)
    if whole.value is None:
        return Outcome(None, whole.diagnostics)
    found = (*whole.diagnostics, *_of_templates(whole.value))
    seed = nocloud(whole.value)
    faults = _unwritable(seed)
    if faults:
        return Outcome(None, (*found, *faults))
    if not sealed:
        return Outcome(Seeds(seed=seed), found)
    rest = sealed_document(request, whole.value, reader)
    if rest.value is None:
        return Outcome(None, (*found, *rest.diagnostics))
    return Outcome(Seeds(seed=seed, sealed=nocloud(rest.value)), found)


def _of_templates(document: GuestDocument) -> Sequence[Diagnostic]:
    if all(part.media_type != JINJA for part in document.parts):
        return ()
    from eryphc.guest.template_keys import RULES
    from eryphc.lint.engine import judge

    return judge(RULES, document)


def seed_image(seed: Seed, *, epoch: int) -> SeedImage:
    """The ISO image that guests find by its label."""
    files = seed.files
    image = nocloud_image(files, label=LABEL, epoch=epoch)
    file = ArtifactFile(
        content=image.content,
        media_type=ISO_MEDIA_TYPE,
        secret=seed.document.secret,
        holds=files,
    )
    return SeedImage(file=file, content=image.content, offsets=image.offsets)


def _unwritable(seed: Seed) -> tuple[Diagnostic, ...]:
    try:
        refuse_unwritable(seed.files, LABEL)
    except IsoError as error:
        return (image_refused("the seed image", str(error)),)
    return ()
