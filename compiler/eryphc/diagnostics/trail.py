"""The steps of an origin in words: the places that led to a fault, for people."""

from __future__ import annotations

from eryphc.diagnostics.model import Diagnostic, Label
from eryphc.origin import Origin, Step


def trail(origin: Origin | None) -> tuple[Label, ...]:
    """The places that led to the document of `origin`, outermost first."""
    labels: list[Label] = []
    while origin is not None and origin.via is not None:
        words = _words(origin)
        if words is not None and origin.via.span is not None:
            labels.append(Label(origin.via.span, words))
        origin = origin.via
    return tuple(reversed(labels))


def related(diagnostic: Diagnostic) -> tuple[Label, ...]:
    """All places to be shown beside that of the fault: what led to it, then its own."""
    return (*trail(diagnostic.via), *diagnostic.related)


def _words(origin: Origin) -> str | None:
    """The words for the place that `origin` came via."""
    match origin.step:
        case Step.INHERITED if origin.gene is not None:
            return f"the parent `{origin.gene.geneset}` is named here"
        case Step.FED:
            return f"`{origin.gene}` is fed here"
        case _:
            return None
