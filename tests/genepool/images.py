"""Gene sets as images for tests: the published example, and random ones."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from eryphc.genepool.chain import PoolChain
from eryphc.genepool.contents import (
    ContentFile,
    TagContents,
    contents_of,
    manifest_file,
    path_of,
)
from eryphc.genepool.folder import FolderPool
from eryphc.genepool.image import Details, Image, PushedVolume, image_of, manifest_of, part_size
from eryphc.genepool.layout import LayoutEntry, OciLayout, layout_files
from eryphc.genepool.listing import gene_sets
from eryphc.genepool.model import GeneSetTag
from eryphc.identifiers import ANY, Architecture, GeneSetId, GeneType
from eryphc.passes.naming import requires_of

MOTD = GeneSetId("acme", "motd", "1.0")
WEB = GeneSetId("acme", "web", "latest")
MOTD_TEXT = b"""\
name: motd
variables:
- name: text
  value: Welcome
fodder:
- name: motd
  type: cloud-config
  content: |
    write_files:
    - path: /etc/motd
      content: "{{ text }}"
"""
_LINUX = (("_os_type", "linux"),)


def motd() -> Image:
    """The example of the published form."""
    gene = ContentFile("fodder/motd.yaml", "fodder", MOTD_TEXT, "motd", ANY)
    files = (gene, manifest_file(MOTD, None, _LINUX))
    return image_of(TagContents(MOTD, None, _LINUX, files), Details(about="A message of the day"))


def pointer() -> Image:
    files = (manifest_file(WEB, str(MOTD), ()),)
    return image_of(TagContents(WEB, str(MOTD), (), files), Details())


NAMES = st.from_regex(r"[a-z0-9]{1,6}(?:[.-][a-z0-9]{1,6})?", fullmatch=True)
LONG_NAMES = st.from_regex(r"[a-z0-9]{3,8}(?:[.-]{1}[a-z0-9]{1,8})?", fullmatch=True)
SETS = st.builds(GeneSetId, LONG_NAMES, LONG_NAMES, LONG_NAMES)
ARCHITECTURES = st.sampled_from(
    [ANY, Architecture("hyperv", "any"), Architecture("any", "amd64"),
     Architecture("hyperv", "amd64"), Architecture("later", "riscv")]
)  # fmt: skip
LINES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30)
TEXTS = st.text(
    st.characters(exclude_characters="\r\ufeff", exclude_categories=["Cs"]), max_size=700
).map(lambda text: (text.rstrip("\n") + "\n").encode())


@st.composite
def genes(draw: st.DrawFn, kind: GeneType) -> ContentFile:
    if kind is GeneType.CATLET:
        name, architecture = "catlet", ANY
    else:
        name = draw(NAMES.filter(lambda name: name != "catlet"))
        architecture = draw(ARCHITECTURES)
    form = None if kind is GeneType.VOLUME else draw(st.sampled_from([None, "json"]))
    path = path_of(kind, name, architecture, form)
    return ContentFile(path, kind.value, draw(TEXTS), name, architecture, form)


@st.composite
def contents(draw: st.DrawFn) -> TagContents:
    geneset = draw(SETS)
    metadata = tuple(sorted(draw(st.dictionaries(LINES, LINES, max_size=3)).items()))
    if draw(st.booleans()) and draw(st.booleans()):
        ref = str(draw(SETS))
        return TagContents(geneset, ref, metadata, (manifest_file(geneset, ref, metadata),))
    found = draw(st.lists(genes(GeneType.CATLET), max_size=1))
    found += draw(st.lists(genes(GeneType.FODDER), max_size=4))
    found += draw(st.lists(genes(GeneType.VOLUME), max_size=2))
    found += [
        ContentFile("readme.md", "readme", text) for text in draw(st.lists(TEXTS, max_size=1))
    ]
    found.append(manifest_file(geneset, None, metadata))
    unique = {file.path: file for file in found}
    files = tuple(unique[path] for path in sorted(unique))
    return TagContents(geneset, None, metadata, files)


@st.composite
def details(draw: st.DrawFn) -> Details:
    requires = tuple(sorted(draw(st.sets(SETS, max_size=3)), key=str))
    parents = [None, *requires]
    line = st.none() | LINES
    return Details(
        about=draw(line),
        licenses=draw(line),
        source=draw(line),
        parent=draw(st.sampled_from(parents)),
        requires=requires,
    )


def disk(name: str, size: int, format_: str = "qcow2") -> PushedVolume:
    path = f"volumes/hyperv/{name}.{format_}"
    hyperv = Architecture("hyperv", "any")
    digest = f"sha256:{'0' * 64}"
    return PushedVolume(name, hyperv, format_, path, digest, size, part_size(size))


def layout_of(root: Path, *entries: LayoutEntry) -> OciLayout:
    """A folder in the image layout with these images."""
    for name, data in layout_files(entries).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return OciLayout(root, "vendored")


def motd_entry() -> LayoutEntry:
    made = motd()
    return LayoutEntry((MOTD, MOTD._replace(tag="latest")), made, manifest_of(made))


def pointer_entry() -> LayoutEntry:
    made = pointer()
    return LayoutEntry((WEB,), made, manifest_of(made))


def packed(tag: GeneSetTag) -> LayoutEntry:
    """A tag of any pool as an image."""
    contents = contents_of(tag)
    assert contents.value is not None, contents.diagnostics
    requires = requires_of(contents.value)
    made = image_of(contents.value, Details(requires=requires.value or ()))
    return LayoutEntry((tag.id,), made, manifest_of(made))


def pool_as_layout(root: Path, pool: FolderPool) -> OciLayout:
    """All that a folder holds as images."""
    tags = [
        found.value
        for listed in gene_sets(PoolChain([pool]))
        for tag in listed.tags
        if (found := pool.find(GeneSetId(listed.organization, listed.geneset, tag)))
        if found.value is not None
    ]
    return layout_of(root, *map(packed, tags))
