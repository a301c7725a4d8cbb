"""A registry that runs on this machine, as a fixture for tests: docker-registry on loopback."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_CONFIGURATION = """\
version: 0.1
log:
  level: info
  formatter: json
  accesslog: {disabled: true}
storage:
  filesystem: {rootdirectory: %s}
  delete: {enabled: true}
  maintenance:
    uploadpurging: {enabled: false}
http:
  addr: 127.0.0.1:0
  secret: tests-only
"""


@contextmanager
def running_registry(folder: Path) -> Iterator[str]:
    """`host:port` of a registry that keeps its content in `folder`."""
    if shutil.which("docker-registry") is None:
        pytest.skip("no docker-registry")
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "registry.yml"
    configuration.write_text(_CONFIGURATION % (folder / "root"), encoding="utf-8")
    with subprocess.Popen(
        ["docker-registry", "serve", str(configuration)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield _address(process)
        finally:
            process.terminate()


def _address(process: subprocess.Popen[str]) -> str:
    """What the registry says it listens on."""
    assert process.stderr is not None
    for line in process.stderr:
        message = str(json.loads(line).get("msg", "")) if line.startswith("{") else ""
        if message.startswith("listening on "):
            return message.removeprefix("listening on ")
    pytest.fail("the registry ended")
