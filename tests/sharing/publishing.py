"""Publishes gene sets to a real registry for tests, by skopeo and not by what pulls them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from eryphc.frozen import FrozenMap
from eryphc.genepool.contents import ContentFile, TagContents, manifest_file
from eryphc.genepool.image import Details, Image, image_of, manifest_of, signature_annotations
from eryphc.genepool.layout import LayoutEntry, layout_files
from eryphc.identifiers import ANY, GeneSetId
from eryphc.signing import sign
from eryphc.syntax.identifiers import parse_gene_set
from signers import Signer


def set_id(name: str) -> GeneSetId:
    parsed = parse_gene_set(name)
    assert isinstance(parsed, GeneSetId)
    return parsed


def image(
    name: str,
    texts: Mapping[str, str] | None = None,
    *,
    requires: Sequence[str] = (),
    ref: str | None = None,
) -> Image:
    """A gene set of catlet and fodder texts by canonical path."""
    geneset = set_id(name)
    files = [manifest_file(geneset, ref, ())]
    for path, text in (texts or {}).items():
        kind = path.partition("/")[0].removesuffix(".yaml")
        files.append(ContentFile(path, kind, text.encode(), Path(path).stem, ANY))
    files.sort(key=lambda file: file.path)
    contents = TagContents(geneset, ref, (), tuple(files))
    return image_of(contents, Details(about="A test", requires=tuple(map(set_id, requires))))


MOTD = "name: motd\nfodder:\n- name: motd\n  content: |\n    timezone: {}\n"
BASE = "fodder:\n- source: gene:acme/motd:motd\n"


def motd(zone: str = "UTC", tag: str = "1.0") -> Image:
    """A gene that sets the time zone."""
    return image(f"acme/motd/{tag}", {"fodder/motd.yaml": MOTD.format(zone)})


def base() -> Image:
    """A catlet that is fed by the newest of them."""
    return image("acme/base/1.0", {"catlet.yaml": BASE}, requires=["acme/motd/latest"])


def signatures(made: Image, *signers: Signer) -> dict[str, str]:
    """The annotations with which an image is signed."""
    texts = [sign(made.config, each.key, "eryphc-geneset") for each in signers]
    return signature_annotations(texts)


def write_layout(
    folder: Path, name: str, made: Image, annotations: Mapping[str, str] = FrozenMap()
) -> None:
    entry = LayoutEntry((set_id(name),), made, manifest_of(made, annotations))
    for path, data in layout_files([entry]).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


class Publisher:
    """Puts images into the registry `host`, below `genes/`."""

    def __init__(self, host: str, folder: Path) -> None:
        self.host = host
        self._folder = folder
        self._count = 0

    def __call__(
        self, name: str, made: Image, *tags: str, annotations: Mapping[str, str] = FrozenMap()
    ) -> None:
        skopeo = shutil.which("skopeo")
        if skopeo is None:
            pytest.skip("no skopeo")
        self._count += 1
        folder = self._folder / str(self._count)
        write_layout(folder, name, made, annotations)
        geneset = set_id(name)
        for tag in tags or (geneset.tag,):
            subprocess.run(
                [
                    skopeo, "copy", "--quiet", "--preserve-digests", "--dest-tls-verify=false",
                    f"oci:{folder}:{geneset.without_tag}:{geneset.tag}",
                    f"docker://{self.host}/genes/{geneset.without_tag}:{tag}",
                ],
                check=True,
            )  # fmt: skip
