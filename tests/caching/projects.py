"""A project with a gene set of its own, and what lies in a folder."""

from __future__ import annotations

import stat
from pathlib import Path

GENE = """\
name: motd
variables:
- name: text
  value: Welcome
fodder:
- name: motd
  type: cloud-config
  content: |
    timezone: "{{ text }}"
"""
SPEC = """\
name: web
variables:
- name: zone
  value: UTC
fodder:
- source: gene:acme/motd/1.0:motd
  variables:
  - name: text
    value: "{{ zone }}"
"""
TAG = '{"geneset":"acme/motd/1.0","version":"1.1"}\n'


def write_project(folder: Path) -> Path:
    """A project with one specification, `web.yaml`, and its gene."""
    tag = folder / "genes/acme/motd/1.0"
    (tag / "fodder").mkdir(parents=True)
    (tag / "geneset-tag.json").write_text(TAG)
    (tag / "fodder/motd.yaml").write_text(GENE)
    (folder / "web.yaml").write_text(SPEC)
    (folder / "eryphc.yaml").write_text("epoch: 400000000\n")
    return folder


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """The mode and the bytes of each file below a folder."""
    return {
        path.relative_to(folder).as_posix(): (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
