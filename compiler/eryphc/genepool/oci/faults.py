"""What ends an operation on a registry."""

from __future__ import annotations

from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.registry import Place, Remark


class RegistryError(Exception):
    """An operation that failed, and what is said of it. The registry or the network is at fault.

    `pause`: the registry had enough of us, for so many seconds.
    """

    def __init__(self, diagnostic: Diagnostic, pause: float | None = None) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic
        self.pause = pause


class FormRefusedError(RegistryError):
    """The registry does not take a manifest of this form (E1007)."""


class TagImmutableError(RegistryError):
    """The tag has other content, and the registry does not let it be replaced (E1008)."""


class NotThereError(Exception):
    """The registry has no such repository, tag or content, or does not say that it has.

    `anonymous`: without a login registries often answer so, though it is there.
    """

    def __init__(self, place: Place, what: str, remark: Remark, *, anonymous: bool) -> None:
        super().__init__(f"{place.words} has no {what}")
        self.place = place
        self.what = what
        self.remark = remark
        self.anonymous = anonymous


class SeveralManifestsError(Exception):
    """The tag names an index of several images, not one image."""

    def __init__(self, place: Place, what: str) -> None:
        super().__init__(f"{what} of {place.words} is a multi-platform image")
        self.place = place
        self.what = what


def authority_help(more: str | None) -> str:
    """The help for a certificate that is not accepted: a file for the pool, or for everything."""
    ours = "name the file of its authority as `ca` of the pool"
    return ours if more is None else f"{ours}; {more}"
