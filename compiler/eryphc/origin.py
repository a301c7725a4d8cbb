"""Where a value came from, step by step, as data.

An `Origin` is a place and the step that brought the value there. What led to that place is the
origin that it came `via`: text of a gene came via the reference that feeds the gene, a value of
a parent via the `parent` of its child. Words for people are made where an origin is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from eryphc.frozen import NamedTuple
from eryphc.identifiers import GeneId
from eryphc.source import Span


class Step(StrEnum):
    """What put a value where it is."""

    WRITTEN = "written"
    """The author of the specification wrote it there."""
    INHERITED = "inherited"
    """A parent wrote it; `via` is the `parent` of its child."""
    FED = "fed"
    """A gene wrote it; `via` is the reference that feeds the gene."""
    BOUND = "bound"
    """A reference gives it to a variable of its gene."""
    SUBSTITUTED = "substituted"
    """It replaced a `{{ }}`; `via` is where its value came from."""
    MERGED = "merged"
    """It was made of several values; `via` is the last one of them."""
    DEFAULTED = "defaulted"
    """Nobody wrote it, the language has a value for that."""
    INVENTED = "invented"
    """Nobody wrote it, and it was derived from the identity of the machine."""
    GIVEN = "given"
    """An option, a file of values or the environment gave it."""
    STAND_IN = "stand-in"
    """It stands for a value that only the deployment knows."""


class Origin(NamedTuple):
    """The place of a value and how it came to be there.

    `span` is None only for values that no document holds (`placeless`). `variable` names the
    variable whose value it is, `gene` the gene whose text holds the place (None for a document of
    the author). `secret`: its text must not be shown. The origin of what an ancestor wrote ends
    with an inherited step without `via`: the ancestors are the same for every specification that
    names them, and `rooted` adds the place in the specification.
    """

    span: Span | None
    step: Step
    variable: str | None = None
    gene: GeneId | None = None
    via: Origin | None = None
    secret: bool = False

    def chain(self) -> Iterator[Origin]:
        """This origin and those that it came via, nearest first."""
        at: Origin | None = self
        while at is not None:
            yield at
            at = at.via


class Outside(NamedTuple):
    """How a value was given: an option or a variable of the environment by its name, or a file,
    in which `span` is its place.
    """

    name: str
    span: Span | None = None


_PLACELESS = frozenset((Step.DEFAULTED, Step.INVENTED, Step.GIVEN, Step.STAND_IN))


def placeless(step: Step, via: Origin | None = None) -> Origin:
    """The origin of a value that no document holds. Raises ValueError for a step that needs one."""
    if step not in _PLACELESS:
        # An unknown origin would count as public, so a caller that lost it must fail.
        raise ValueError(f"a value that is {step.value} has a place")
    return Origin(None, step, via=via)


DEFAULTED: Final = placeless(Step.DEFAULTED)
"""The origin of a value that no document has and that depends on nothing."""


def rooted(origin: Origin, root: Origin | None) -> Origin:
    """`origin` with `root`, the parent's name in the specification, at the end of its chain."""
    if root is None:
        return origin
    via = origin.via
    if via is not None:
        via = rooted(via, root)
    elif origin.step is Step.INHERITED:
        via = root
    return origin if via is origin.via else origin._replace(via=via)
