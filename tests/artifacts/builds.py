"""Builds of one file, and what lies in a folder."""

from pathlib import Path

from eryphc.artifacts.file import ArtifactFile
from eryphc.artifacts.folder import TargetFolders
from eryphc.artifacts.manifest import Manifest

MANIFEST = Manifest(
    catlet="web",
    catlet_id="d2034611-3c44-5aa1-811b-e5f58b5a4416",
    target="cloud-init",
    arch="hyperv/amd64",
    guest="linux",
    guest_agent="cloud-init",
    guest_agent_from="assumed",
    tool="eryphc 0.1.0",
)


def one_file(text: bytes = b"new") -> dict[str, ArtifactFile]:
    return {
        "web.txt": ArtifactFile(content=text, media_type="text/plain"),
        "deep/er/secret": ArtifactFile(content=text, media_type="text/plain", secret=True),
    }


def build_one(place: Path, text: bytes = b"new") -> None:
    with TargetFolders([place]) as folders:
        folders.stage(place, one_file(text), MANIFEST)
        folders.commit()


def tree_of(root: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(root.rglob("*"))
    }
