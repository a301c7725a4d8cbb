"""The compiler's ISO and table, patched by the runtime, read back from the ISO's own files."""

from __future__ import annotations

import email
import hashlib
import io
import subprocess
import sys
from pathlib import Path

import pycdlib
import pytest

from eryph_runtime.document import load
from eryph_runtime.slots import patch

MACHINE = "1c3e5f70-0a1b-4c2d-8e3f-a0b1c2d3e4f5"
VALUE = "join.~_+/=-token"
CONFIG = """\
- name: identity
  type: cloud-config
  content:
    write_files:
    - path: /etc/machine-of-hyper-v
      content: "vm={{ vmId }} token={{ token }}"
"""
SCRIPT = """\
- name: join
  type: shellscript
  content: |
    #!/bin/sh
    join "{{ token }}" "{{ vmId }}" "{{ token }}"
"""


def user_data(iso: bytes) -> str:
    image = pycdlib.PyCdlib()
    image.open_fp(io.BytesIO(iso))
    content = io.BytesIO()
    image.get_file_from_iso_fp(content, joliet_path="/user-data")
    image.close()
    text = content.getvalue().decode()
    parts = email.message_from_string(text).walk() if text.startswith("MIME-Version") else ()
    found = [part.get_payload(decode=True) for part in parts if not part.is_multipart()]
    return "\n".join(each.decode() for each in found if isinstance(each, bytes)) or text


@pytest.mark.parametrize(
    "fodder",
    [
        pytest.param(CONFIG, id="plain text"),
        pytest.param(CONFIG + SCRIPT, id="parts in base64"),
    ],
)
def test_the_guest_reads_the_values(tmp_path: Path, fodder: str) -> None:
    spec = tmp_path / "web.yaml"
    spec.write_text(f"name: web\nvariables:\n- name: token\nfodder:\n{fodder}", encoding="utf-8")
    command = [sys.executable, "-m", "eryphc", "build", spec.name, "--target", "hyperv"]
    command += ["--no-input", "--open", f"token={len(VALUE)}", "-o", "out"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    deployment = load(tmp_path / "out")
    seed = deployment.seed
    assert seed is not None
    built = (tmp_path / "out" / seed.file).read_bytes()
    patched = patch(seed, built, MACHINE, {"token": VALUE})
    assert len(patched) == len(built)
    assert hashlib.sha256(patched).hexdigest() != seed.sha256
    text = user_data(patched)
    assert f"vm={MACHINE} token={VALUE}" in text
    if "shellscript" in fodder:
        assert f'join "{VALUE}" "{MACHINE}" "{VALUE}"' in text
