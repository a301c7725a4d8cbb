"""The files of a new tag: one to begin with, or a copy of another set."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from eryphc.authoring.sources import SET_FILE
from eryphc.frozen import NamedTuple
from eryphc.genepool.contents import MANIFEST_TYPE, TagContents
from eryphc.genepool.folder import MANIFEST
from eryphc.identifiers import GeneSetId
from eryphc.syntax.identifiers import parse_gene_set
from eryphc.syntax.names import NameFault

COPIED_FROM: Final = "copied_from"
_LONGEST_GENE: Final = 20


class Kind(StrEnum):
    """Which genes a new tag gets."""

    CATLET = "catlet"
    FODDER = "fodder"
    BOTH = "both"


class Guest(StrEnum):
    """What the genes of a new tag are for."""

    LINUX = "linux"
    WINDOWS = "windows"


class NewTag(NamedTuple):
    """The files of a new tag, by their paths from its folder, and those of its set, which are
    written only where the set has none yet.
    """

    tag: dict[str, bytes]
    set: dict[str, bytes]


_LINUX: Final = """\
name: {name}
variables:
- name: greeting
  value: Hello
fodder:
- name: {name}
  type: cloud-config
  content: |
    write_files:
    - path: /etc/motd
      content: "{{{{ greeting }}}}\\n"
"""
_WINDOWS: Final = """\
name: {name}
variables:
- name: greeting
  value: Hello
fodder:
- name: {name}
  type: cloud-config
  content: |
    write_files:
    - path: C:\\greeting.txt
      content: "{{{{ greeting }}}}"
"""
_PARENTS: Final = {
    Guest.LINUX: "dbosoft/ubuntu-24.04",
    Guest.WINDOWS: "dbosoft/winsrv2022-standard",
}
_AGENTS: Final = {Guest.LINUX: "cloud-init", Guest.WINDOWS: "cloudbase-init"}
_CATLET: Final = """\
parent: {parent}
cpu: 2
memory: 2048
"""
_README: Final = """\
# {set}

What this gene set is for, and what it needs.

```yaml
{use}```
"""


def named_by(folder: Path) -> GeneSetId | NameFault:
    """The gene set that a folder ORGANIZATION/SET/TAG is named after."""
    place = folder.absolute()
    return parse_gene_set(f"{place.parent.parent.name}/{place.parent.name}/{place.name}")


def first_files(geneset: GeneSetId, kind: Kind, guest: Guest) -> NewTag:
    """A tag that builds and passes every check."""
    gene = geneset.geneset[:_LONGEST_GENE].rstrip(".-")
    metadata = {"_os_type": guest.value}
    if kind is not Kind.FODDER:
        # A catlet has the guest of its parent, one of our bases, whose agent is known.
        metadata["guest_agent"] = _AGENTS[guest]
    files = {MANIFEST: _manifest(geneset, metadata)}
    uses = ""
    if kind is not Kind.FODDER:
        files["catlet.yaml"] = _CATLET.format(parent=_PARENTS[guest]).encode()
        uses += f"parent: {geneset}\n"
    if kind is not Kind.CATLET:
        text = (_LINUX if guest is Guest.LINUX else _WINDOWS).format(name=gene)
        files[f"fodder/{gene}.yaml"] = text.encode()
        uses += f"fodder:\n- source: gene:{geneset}:{gene}\n"
    readme = _README.format(set=geneset.without_tag, use=uses)
    return NewTag(files, _of_set(geneset, geneset.geneset, readme))


def copied_files(geneset: GeneSetId, contents: TagContents, identity: str, about: str) -> NewTag:
    """A copy of another set to go on from; the metadata says which one it was."""
    metadata = {**dict(contents.metadata), COPIED_FROM: f"{contents.id} {identity}"}
    files = {MANIFEST: _manifest(geneset, metadata)}
    readme = _README.format(set=geneset.without_tag, use=f"# {geneset}\n")
    for file in contents.files:
        if file.type == "readme":
            readme = file.text.decode()
        elif file.type != MANIFEST_TYPE:
            # JSON is YAML, and a source tree has no other genes.
            path = file.path.removesuffix(".json") + ".yaml" if file.form else file.path
            files[path] = file.text
    return NewTag(files, _of_set(geneset, about or geneset.geneset, readme))


def _manifest(geneset: GeneSetId, metadata: dict[str, str]) -> bytes:
    return _json({"version": "1.1", "geneset": str(geneset), "metadata": metadata})


def _of_set(geneset: GeneSetId, about: str, readme: str) -> dict[str, bytes]:
    described = {
        "version": "1.1",
        "geneset": geneset.without_tag,
        "public": False,
        "short_description": about[:90],
        "description_markdown_file": "readme.md",
    }
    return {SET_FILE: _json(described), "readme.md": readme.encode()}


def _json(data: dict[str, Any]) -> bytes:
    return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode()
