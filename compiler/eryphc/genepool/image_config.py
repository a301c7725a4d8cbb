"""The config of an image of others to what it says of a gene set: names, texts and disks.

Each rule of docs/reference/gene-set-images.md, "The config", is checked; nothing is read as YAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from eryphc.canonical import digest_of
from eryphc.frozen import NamedTuple
from eryphc.genepool import image
from eryphc.genepool.contents import MANIFEST_TYPE, path_of
from eryphc.genepool.folder import MANIFEST
from eryphc.genepool.image import Details, PushedVolume
from eryphc.genepool.image_members import (
    CONTROL,
    MalformedError,
    as_digest,
    as_object,
    as_texts,
    digest_in,
    line_in,
    list_in,
    set_id,
    size_in,
    text_in,
)
from eryphc.genepool.model import ListedGene
from eryphc.genepool.text_layer import layer_size
from eryphc.identifiers import ANY, HYPERVISORS, PROCESSORS, Architecture, GeneSetId, GeneType
from eryphc.syntax.names import GENE, name_faults

_UNKNOWN_ARCHITECTURE: Final = re.compile(r"[a-z0-9-]{1,20}/[a-z0-9-]{1,20}\Z")
_DOCUMENTS: Final = {"readme": "readme.md", "changelog": "changelog.md"}
_CARD: Final = "card"
_DISK_FORMATS: Final = ("qcow2", "raw", "vhd", "vhdx")
_MOST_FILES: Final = 4 * image.MOST_GENES
_MOST_LICENSES: Final = 500
_MOST_ADDRESS: Final = 2048
_MOST_KEYS, _LONGEST_KEY, _LONGEST_VALUE = 50, 40, 500


class ListedFile(NamedTuple):
    """One text as a config lists it: a `ContentFile` without its text."""

    path: str
    type: str
    digest: str
    size: int
    name: str | None = None
    architecture: Architecture | None = None
    form: str | None = None


class GeneSetConfig(NamedTuple):
    """What the config of a gene set says. `data` is the config itself, `identity` its digest.

    `files` are sorted by path, `diff_ids` are the digests of the layers as they are uncompressed,
    that of the texts first. Of a tag in the original's packed form (`form` is `eryph`), `data` is
    its manifest, there are no layers, and `disks` are listed by the hash of their packing alone.
    """

    data: bytes
    identity: str
    id: GeneSetId
    ref: str | None
    metadata: tuple[tuple[str, str], ...]
    files: tuple[ListedFile, ...]
    details: Details
    diff_ids: tuple[str, ...] = ()
    form: str | None = None
    disks: tuple[ListedGene, ...] = ()


def read_gene_set(root: Mapping[str, Any], data: bytes) -> GeneSetConfig:
    """What the config `root` says of a gene set; `data` are its bytes. Raises MalformedError."""
    own = as_object(root[image.GENE_SET], image.GENE_SET)
    return _gene_set(own, diff_ids_of(root), data, _source(root))


def diff_ids_of(root: Mapping[str, Any]) -> tuple[str, ...]:
    """The digests of the layers as they are uncompressed. Raises MalformedError."""
    rootfs = as_object(root.get("rootfs"), "rootfs")
    found = list_in(rootfs, "diff_ids", "rootfs")
    return tuple(as_digest(each, f"rootfs.diff_ids[{at}]") for at, each in enumerate(found))


def _source(root: Mapping[str, Any]) -> str | None:
    """The address of the sources, which stands in a label alone."""
    settings = root.get("config")
    labels = settings.get("Labels") if isinstance(settings, dict) else None
    source = labels.get(image.SOURCE) if isinstance(labels, dict) else None
    good = isinstance(source, str) and 0 < len(source) <= _MOST_ADDRESS
    return source if good and not CONTROL.search(str(source)) else None


def _gene_set(
    own: Mapping[str, Any], diff_ids: tuple[str, ...], data: bytes, source: str | None
) -> GeneSetConfig:
    geneset = set_id(f"{text_in(own, 'geneset')}/{text_in(own, 'tag')}", "geneset")
    ref = set_id(text_in(own, "ref"), "ref") if "ref" in own else None
    requires = _requires(own)
    parent = set_id(text_in(own, "parent"), "parent") if "parent" in own else None
    if parent is not None and parent not in requires:
        raise MalformedError("parent", "is not among `requires`")
    volumes = tuple(_volumes(own))
    files = _files(own)
    if ref is not None and (len(files) > 1 or volumes):
        raise MalformedError("ref", "stands beside genes")
    if len(diff_ids) != 1 + sum(volume.parts for volume in volumes):
        raise MalformedError("rootfs.diff_ids", "are not one for the texts and one for each part")
    return GeneSetConfig(
        data=data,
        identity=digest_of(data),
        id=geneset,
        ref=str(ref) if ref is not None else None,
        metadata=_metadata(own),
        files=files,
        details=Details(
            about=line_in(own, "about", image.MOST_ABOUT),
            licenses=line_in(own, "licenses", _MOST_LICENSES),
            source=source,
            parent=parent,
            requires=requires,
            volumes=volumes,
        ),
        diff_ids=diff_ids,
    )


def _requires(own: Mapping[str, Any]) -> tuple[GeneSetId, ...]:
    if "requires" not in own:
        return ()
    found: list[str] = []
    for at, value in enumerate(list_in(own, "requires")):
        if not isinstance(value, str):
            raise MalformedError(f"requires[{at}]", "is no text")
        found.append(value)
    if found != sorted(set(found)):
        raise MalformedError("requires", "is not sorted, or names one twice")
    return tuple(set_id(text, f"requires[{at}]") for at, text in enumerate(found))


def metadata_fault(metadata: Sequence[tuple[str, str]]) -> str | None:
    """Why a tag cannot have this metadata, in words that follow its name; None where it can.

    Source: docs/reference/genes-and-pools.md, "Metadata".
    """
    if len(metadata) > _MOST_KEYS:
        return f"has more than {_MOST_KEYS} keys"
    for key, value in metadata:
        if not 0 < len(key) <= _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            return (
                f"has keys that are not of 1 to {_LONGEST_KEY} characters, or values of more than "
                f"{_LONGEST_VALUE}"
            )
        if CONTROL.search(key) or CONTROL.search(value):
            return "holds control characters"
    return None


def _metadata(own: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    found = tuple(as_texts(own.get("metadata", {}), "metadata").items())
    fault = metadata_fault(found)
    if fault is not None:
        raise MalformedError("metadata", fault)
    return found


def _files(own: Mapping[str, Any]) -> tuple[ListedFile, ...]:
    listed = list_in(own, "files")
    if len(listed) > _MOST_FILES:
        raise MalformedError("files", f"are more than {_MOST_FILES}")
    files = tuple(_file(entry, f"files[{at}]") for at, entry in enumerate(listed))
    paths = [file.path for file in files]
    if paths != sorted(set(paths)):
        raise MalformedError("files", "are not sorted, or have one path twice")
    kinds = [file.type for file in files]
    if MANIFEST_TYPE not in kinds:
        raise MalformedError("files", f"have no `{MANIFEST}`")
    for kind, most in (
        (GeneType.CATLET, 1),
        (GeneType.FODDER, image.MOST_GENES),
        (GeneType.VOLUME, image.MOST_GENES),
    ):
        if kinds.count(kind) > most:
            raise MalformedError("files", f"are more than {most} of type `{kind}`")
    if layer_size(file.size for file in files) > image.MOST_LAYER:
        raise MalformedError("files", f"are larger than {image.MOST_LAYER} bytes together")
    return files


def _file(value: object, member: str) -> ListedFile:
    entry = as_object(value, member)
    kind, path = text_in(entry, "type", member), text_in(entry, "path", member)
    gene = kind in (*GeneType, _CARD)
    name = _gene_name(entry, kind, member) if gene else None
    architecture = _architecture(entry, member) if gene else None
    form = _form(entry, kind, member)
    if path != _expected_path(kind, name, architecture, form, member):
        raise MalformedError(f"{member}.path", "does not follow from type, name and arch")
    return ListedFile(
        path=path,
        type=kind,
        digest=digest_in(entry, member),
        size=size_in(entry, "size", member, image.MOST_GENE),
        name=name,
        architecture=architecture,
        form=form,
    )


def _expected_path(
    kind: str,
    name: str | None,
    architecture: Architecture | None,
    form: str | None,
    member: str,
) -> str:
    if kind == MANIFEST_TYPE:
        return MANIFEST
    if kind in _DOCUMENTS:
        return _DOCUMENTS[kind]
    if name is None or architecture is None:
        raise MalformedError(f"{member}.type", "is none that this version knows")
    if kind == _CARD:
        return f"cards/{name}.yaml"
    return path_of(GeneType(kind), name, architecture, form)


def _gene_name(entry: Mapping[str, Any], kind: str, member: str) -> str:
    name = text_in(entry, "name", member)
    if name != name.lower() or name_faults(GENE, name):
        raise MalformedError(f"{member}.name", "is no name of a gene")
    if kind != _CARD and (name == GeneType.CATLET) != (kind == GeneType.CATLET):
        raise MalformedError(f"{member}.name", "is `catlet` for the catlet gene alone")
    return name


def _architecture(entry: Mapping[str, Any], member: str) -> Architecture:
    """`any`, or two words. A hypervisor of later versions is well-formed and fits no machine."""
    text = text_in(entry, "arch", member)
    hypervisor, _, processor = text.partition("/")
    found = Architecture(hypervisor, processor) if processor else ANY
    known = hypervisor not in HYPERVISORS or processor in PROCESSORS
    if str(found) != text or (processor and not (_UNKNOWN_ARCHITECTURE.match(text) and known)):
        raise MalformedError(f"{member}.arch", "is no architecture")
    if entry.get("type") == GeneType.CATLET and found != ANY:
        raise MalformedError(f"{member}.arch", "is `any` for a catlet gene")
    return found


def _form(entry: Mapping[str, Any], kind: str, member: str) -> str | None:
    if "form" not in entry:
        return None
    if entry["form"] != "json" or kind not in (GeneType.CATLET, GeneType.FODDER):
        raise MalformedError(f"{member}.form", "is `json`, and stands with catlets and fodder")
    return "json"


def _volumes(own: Mapping[str, Any]) -> Iterator[PushedVolume]:
    if "volumes" not in own:
        return
    listed = list_in(own, "volumes")
    if len(listed) > image.MOST_GENES:
        raise MalformedError("volumes", f"are more than {image.MOST_GENES}")
    before = ""
    for at, value in enumerate(listed):
        member = f"volumes[{at}]"
        entry = as_object(value, member)
        name, architecture = (
            _gene_name(entry, GeneType.VOLUME, member),
            _architecture(entry, member),
        )
        disk, path = text_in(entry, "format", member), text_in(entry, "path", member)
        if disk not in _DISK_FORMATS:
            raise MalformedError(f"{member}.format", "is no format of a disk")
        described = path_of(GeneType.VOLUME, name, architecture)
        if path != f"{described.removesuffix('.yaml')}.{disk}" or path <= before:
            raise MalformedError(f"{member}.path", "does not follow from name, arch and format")
        before = path
        size = size_in(entry, "size", member, image.MOST_VOLUME)
        if size_in(entry, "part", member, None) != image.part_size(size):
            raise MalformedError(f"{member}.part", "does not follow from the size")
        yield PushedVolume(
            name, architecture, disk, path, digest_in(entry, member), size, image.part_size(size)
        )
