"""Run by the system's Python: lays parts as the installed cloud-init does.

Reads from stdin a JSON list of cases, each a list of texts; writes for each the merged
configuration and the numbers of the parts that were left out.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from cloudinit import handlers
from cloudinit.handlers.cloud_config import CloudConfigPartHandler


class _Paths:
    def get_ipath(self, _name: str) -> None:
        return None


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("cloudinit.handlers") and record.levelno >= logging.WARNING:
            self.count += 1


def merged(texts: list[str], warnings: _Warnings) -> dict[str, Any]:
    handler = CloudConfigPartHandler(_Paths())
    handler.handle_part(None, handlers.CONTENT_START, None, None, None, None)
    failed = []
    for number, text in enumerate(texts):
        before = warnings.count
        handler.handle_part(None, "text/cloud-config", f"part-{number}", text, None, {})
        if warnings.count > before:
            failed.append(number)
    return {"root": handler.cloud_buf or {}, "failed": failed}


def main() -> None:
    warnings = _Warnings()
    root = logging.getLogger()
    root.handlers = [warnings]
    root.setLevel(logging.WARNING)
    logging.raiseExceptions = False
    cases = json.load(sys.stdin)
    json.dump([merged(texts, warnings) for texts in cases], sys.stdout, default=repr)


main()
