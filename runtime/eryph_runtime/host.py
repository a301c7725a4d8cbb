"""What the runtime needs of a host: one answer for one request.

Source: docs/reference/deployment.md, "The host protocol".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

Events: TypeAlias = Callable[[dict[str, Any]], None]


class Host(Protocol):
    """A host that is reached. `address` is for people; `remote`: files must travel."""

    address: str
    remote: bool

    def request(
        self,
        operation: str,
        arguments: dict[str, Any],
        *,
        payload: bytes | None = None,
        seconds: float = 120,
        events: Events | None = None,
    ) -> Any:
        """The answer's value. `seconds` without a sign of life is a failure.

        Raises HostFailure.
        """
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One primitive of `run`. `creates` is what it would leave behind, for the record."""

    action: str
    arguments: dict[str, Any] = field(default_factory=dict)
    creates: str | None = None
    seconds: float = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that goes over: from `source` (a path of the client) or `content`, to `path`.

    `resume` is how many bytes of its part file lie on the host already.
    """

    path: str
    size: int
    sha256: str
    source: str | None = None
    content: bytes | None = field(default=None, repr=False)
    read_only: bool = False
    resume: int = 0
    creates: str | None = None


Step: TypeAlias = Action | Upload
