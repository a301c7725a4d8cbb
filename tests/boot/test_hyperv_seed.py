"""A seed for Hyper-V boots once its open places are filled as the runtime fills them.

The machine is the production server of the examples, which spares CI a boot.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from boot.test_boot import PRODUCTION, boot
from boot.test_boot import image as image
from eryph_runtime.document import load
from eryph_runtime.slots import patch
from places import CHECKOUT

pytestmark = pytest.mark.boot

MACHINE = "0a1b2c3d-4e5f-4000-8000-0123456789ab"
TOKEN = "~1e5.0+/=-_-" * 2
OWN = """\
name: open-places
variables:
- name: token
  required: true
fodder:
{production}
- name: ids
  content:
    write_files:
    - path: /etc/machine-of-hyper-v
      content: |
        id={{ vmId }}
        token={{ token }}
    - path: /etc/only-the-id
      content: "{{ vmId }}"
- name: in-a-template
  content: |
    ## template: jinja
    #cloud-config
    write_files:
    - path: /etc/from-a-template
      content: "{{ v1.local_hostname }} {{ vmId }}"
- name: in-a-script
  type: shellscript
  content: |
    #!/bin/sh
    echo '{{ vmId }} {{ token }}' > /var/lib/from-a-script
"""


def test_the_guest_finds_the_id_of_its_machine(image: Path, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    examples = CHECKOUT / "examples"
    example = (examples / "prod-server.yaml").read_text(encoding="utf-8")
    production = example.partition("\nfodder:\n")[2].rstrip("\n")
    assert "prod-hardening" in production
    spec.write_text(OWN.replace("{production}", production), encoding="utf-8")
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "eryphc",
        "build",
        spec,
        "--target",
        "hyperv",
    ]
    command += ["--genepool", examples / "genes"]
    command += ["--open", f"token={len(TOKEN)}", "--output", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    deployment = load(tmp_path / "out")
    seed = deployment.seed
    assert seed is not None
    built = (tmp_path / "out" / seed.file).read_bytes()
    placed = tmp_path / "placed" / "seed.iso"
    placed.parent.mkdir()
    placed.write_bytes(patch(seed, built, MACHINE.upper(), {"token": TOKEN}))
    address = deployment.network_adapters[0].mac_address
    boot(
        image,
        placed,
        [
            *("--nic-mac", ":".join(address[at : at + 2] for at in range(0, 12, 2)).lower()),
            *PRODUCTION,
            *("--expect-text", f"/etc/machine-of-hyper-v=id={MACHINE}\ntoken={TOKEN}"),
            *("--exec", f'test "$(cat /etc/only-the-id)" = {MACHINE}'),
            *("--expect-text", f"/etc/from-a-template=open-places {MACHINE}"),
            *("--expect-text", f"/var/lib/from-a-script={MACHINE} {TOKEN}"),
        ],
    )
