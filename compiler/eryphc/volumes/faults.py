"""What ends work on a disk image: a diagnostic, and whose fault it is."""

from __future__ import annotations

from eryphc.diagnostics.model import Diagnostic


class VolumeError(Exception):
    """Work on an image ends here. `outside`: the network, a disk or a program failed."""

    def __init__(self, diagnostic: Diagnostic, *, outside: bool) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic
        self.outside = outside
