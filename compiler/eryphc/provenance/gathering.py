"""From what a build has read and decided to the facts that may leave it.

A secret never becomes a fact. A variable is secret if the catlet or the deployment says so, and
also if its value goes into fodder that is secret or into a secret variable of a gene.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from eryphc.canonical import Json, digest_of
from eryphc.diagnostics.model import Outcome
from eryphc.frozen import FrozenMap, NamedTuple
from eryphc.genepool.contents import path_of
from eryphc.genepool.model import GeneSetTag
from eryphc.genepool.pinned import PinnedTag
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, Sequence
from eryphc.guest.model import GuestKind, GuestOptions
from eryphc.guest.pieces import CLOUD_CONFIG, piece_of
from eryphc.identifiers import GeneSetId, GeneType
from eryphc.ir.catlet import Catlet, Variable
from eryphc.ir.stages import Fed, PinnedGene
from eryphc.ir.volume import DiskImage
from eryphc.lockfile import LOCK_FILE
from eryphc.lockfile.model import Lock
from eryphc.origin import DEFAULTED
from eryphc.passes.naming import named_sets
from eryphc.project.file import Project
from eryphc.project.places import PROJECT_FILE
from eryphc.project.specs import Spec, lasting_name
from eryphc.provenance.facts import BuildFacts, DiskFacts, Resource, SetFacts
from eryphc.request import BuildRequest
from eryphc.source import SourceText
from eryphc.syntax.interpolation import ReferenceKind, scan
from eryphc.syntax.names import blank
from eryphc.targets import Target
from eryphc.targets.definition import TargetInput, definition_of

_PATHS: Final = ("volumes",)
"""Options of targets whose values are paths of this machine."""


class Known(NamedTuple):
    """What a build has read and decided.

    `values` are those given for the catlet by the request, the environment or a person. `find`
    gives the tag of a gene set as the build found it, `licenses` what a tag says of its licence.
    `lock` is the one that the build obeyed, None where there is none.
    """

    request: BuildRequest
    target: Target
    spec: Spec
    project: Project | None
    lock: Lock | None
    values: Mapping[str, str]
    fed: Fed
    inputs: TargetInput[Any]
    find: Callable[[GeneSetId], Outcome[GeneSetTag] | None]
    licenses: Callable[[GeneSetTag], str | None]


def facts_of(known: Known) -> BuildFacts:
    """The facts of one target, the same for the same inputs wherever they lie."""
    root = known.spec.folder.resolve() if known.project is None else known.project.folder
    secret = _secrets(known)
    names = {(each.name or "").lower(): each.name or "" for each in _variables(known.fed.catlet)}
    given = {
        names[name.lower()]: text for name, text in known.values.items() if name.lower() in names
    }
    sets = tuple(_sets(known))
    return BuildFacts(
        spec=lasting_name(known.spec, known.project),
        options=FrozenMap(sorted(_options(known.request, known.target, root))),
        variables=FrozenMap(
            (name, text) for name, text in sorted(given.items()) if name.lower() not in secret
        ),
        secrets=tuple(sorted(name for name in given if name.lower() in secret)),
        epoch=known.inputs.epoch,
        sources=tuple(sorted(_sources(known, root, secret, set(names)))),
        sets=sets,
        requires=_required(known, None),
        disks=tuple(_disks(known)),
        packages=tuple(sorted(set(_packages(known.inputs)))),
    )


def _variables(catlet: Catlet) -> tuple[Variable, ...]:
    return catlet.variables or ()


# -- secrets ------------------------------------------------------------------------------------


def _secrets(known: Known) -> frozenset[str]:
    """The names of the catlet's secret variables, in lower case."""
    catlets = (known.fed.catlet, known.inputs.catlet.catlet)
    found = {
        (each.name or "").lower()
        for catlet in catlets
        for each in _variables(catlet)
        if each.secret
    }
    # What holds a secret is secret, though nobody declared it.
    fed, filled = (catlet.fodder or () for catlet in catlets)
    for fodder, done in zip(fed, filled, strict=True):
        secret = fodder.secret or done.secret
        for variable in fodder.variables or ():
            if variable.secret or secret:
                found |= _named_in(variable.value)
        if secret and fodder.content is not None:
            found |= _named_in(fodder.content.text)
    return frozenset(found)


def holds_secrets(known: Known) -> bool:
    """Whether a secret went into the build: a value of a secret variable, or secret fodder."""
    secret = _secrets(known)
    if any(name.lower() in secret and not blank(text) for name, text in known.values.items()):
        return True
    for catlet in (known.fed.catlet, known.inputs.catlet.catlet):
        fodder = catlet.fodder or ()
        variables = [*_variables(catlet)]
        for each in fodder:
            variables += each.variables or ()
        if any(each.secret for each in fodder):
            return True
        for variable in variables:
            hidden = variable.secret or (variable.name or "").lower() in secret
            if hidden and not blank(variable.value):
                return True
    return False


def _holds_secret(known: Known, source: SourceText) -> bool:
    """Whether a secret stands in the text of the specification itself."""
    catlet = known.inputs.catlet.pedigree.documents[0].catlet
    if any(fodder.secret and fodder.content is not None for fodder in catlet.fodder or ()):
        return True
    for fodder in known.inputs.catlet.catlet.fodder or ():
        if fodder.content is None or fodder.content.whole.source is not source:
            continue
        # A value of a secret variable does not stand in the text.
        if fodder.secret and fodder.origin("secret") == DEFAULTED:
            return True
    values = [*_variables(catlet)]
    for fodder in (*(catlet.fodder or ()), *(known.fed.catlet.fodder or ())):
        values += fodder.variables or ()
    for variable in values:
        span = variable.place("value")
        if variable.secret and span is not None and span.source is source:
            literal = variable.value or ""
            for reference in reversed(scan(literal)):
                literal = literal[: reference.start] + literal[reference.end :]
            if not blank(literal):
                return True
    return False


def _named_in(text: str | None) -> set[str]:
    """The variables that a text uses, in lower case."""
    return {each.name.lower() for each in scan(text or "") if each.kind is ReferenceKind.VARIABLE}


# -- options ------------------------------------------------------------------------------------


def _options(request: BuildRequest, target: Target, root: Path) -> Iterator[tuple[str, Json]]:
    """The options of the command line that were given for this target, by their names there."""
    plain = BuildRequest()
    for name, field in (
        ("arch", "processor"),
        ("catlet-id", "catlet_id"),
        ("compat", "meaning"),
        ("epoch", "epoch"),
        ("hostname", "hostname"),
        ("name", "name"),
        ("vm-id", "vm_id"),
    ):
        value = getattr(request, field)
        if value != getattr(plain, field):
            yield name, str(value)
    yield from _guest_options(request.guest, root)
    for number, choice in sorted(request.asked_levels.items()):
        yield f"{choice.value}:{number}", True
    definition = definition_of(target)
    chosen, default = request.options_of(definition.options), definition.options()
    for flag in definition.flags:
        value = getattr(chosen, flag.field)
        if value != getattr(default, flag.field):
            yield flag.name.lstrip("-"), _plain(flag.field, value)


def _guest_options(options: GuestOptions, root: Path) -> Iterator[tuple[str, Json]]:
    default = GuestOptions()
    for name, field in (
        ("guest", "kind"),
        ("guest-agent", "agent"),
        ("instance-id", "instance_id"),
        ("merge", "merge"),
        ("network-config-version", "network_version"),
        ("sealed", "sealed"),
    ):
        value = getattr(options, field)
        if value != getattr(default, field):
            yield name, _word(value)
    if options.network_file is not None:
        yield "network-config", lasting_path(options.network_file.name, root)
    elif options.network != default.network:
        yield "network-config", _word(options.network)


def _plain(field: str, value: object) -> Json:
    if isinstance(value, Mapping):
        cut = field in _PATHS
        return {
            str(key): Path(str(each)).name if cut else _word(each) for key, each in value.items()
        }
    return _word(value)


def _word(value: object) -> Json:
    if isinstance(value, Enum):
        return str(value.value)
    return value if isinstance(value, bool | int) else str(value)


# -- files --------------------------------------------------------------------------------------


def lasting_path(path: str, root: Path) -> str:
    """A path that is the same on every machine: from the folder of the project, or its last part
    for a file that lies elsewhere."""
    try:
        real = Path(path).resolve()
    except (OSError, ValueError, RuntimeError):
        return os.path.basename(path)  # noqa: PTH119 - it is no path
    return real.relative_to(root).as_posix() if real.is_relative_to(root) else real.name


def _file(name: str, digest: str | None) -> Resource:
    return Resource(name, f"file:{quote(name)}", digest)


def _digest(source: SourceText) -> str:
    """Of the file, or of a text that a program handed in."""
    if source.sha256 is not None:
        return f"sha256:{source.sha256}"
    return digest_of(source.text.encode("utf-8", "surrogatepass"))


def _sources(
    known: Known, root: Path, secret: frozenset[str], declared: set[str]
) -> Iterator[Resource]:
    source = known.spec.source
    name = lasting_name(known.spec, known.project)
    yield _file(name, None if _holds_secret(known, source) else _digest(source))
    if known.project is not None and known.project.source is not None:
        yield _file(PROJECT_FILE, _digest(known.project.source))
    if known.lock is not None and known.lock.source is not None:
        yield _file(LOCK_FILE, _digest(known.lock.source))
    if known.request.guest.network_file is not None:
        file = known.request.guest.network_file
        yield _file(lasting_path(file.name, root), _digest(file))
    seen: set[str] = set()
    for given in known.request.value_files:
        # Nobody can tell of a variable that this catlet does not declare whether it is secret.
        names = {name.lower() for name in given.variables}
        public = names <= declared and not names & secret
        digest = f"sha256:{given.sha256}" if public and given.sha256 else None
        name = lasting_path(given.path, root)
        if name not in seen:
            seen.add(name)
            yield _file(name, digest)


# -- gene sets ----------------------------------------------------------------------------------


def _sets(known: Known) -> Iterator[SetFacts]:
    """The gene sets that genes of the closure come from, sorted."""
    for geneset in sorted({gene.id.geneset for gene in known.inputs.catlet.genes}):
        entry = None if known.lock is None else known.lock.sets.get(str(geneset))
        tag = _tag(known, geneset)
        yield SetFacts(
            id=str(geneset),
            requires=_required(known, geneset),
            digest=tag.config.identity if isinstance(tag, PinnedTag) else None,
            manifest=None if entry is None else entry.manifest,
            licenses=None if tag is None else known.licenses(tag),
        )


def _tag(known: Known, geneset: GeneSetId) -> GeneSetTag | None:
    found = known.find(geneset)
    return None if found is None else found.value


def _required(known: Known, geneset: GeneSetId | None) -> tuple[str, ...]:
    """The gene sets that a document of the pedigree names, as they were resolved; None: the
    author's."""
    found: set[str] = set()
    for document in known.inputs.catlet.pedigree.documents:
        if document.geneset == geneset:
            for named, _ in named_sets(document.catlet, []):
                found.add(str(known.inputs.catlet.pedigree.resolved.get(named, named)))
    return tuple(sorted(found - {str(geneset)}))


# -- disks and packages -------------------------------------------------------------------------


def _disks(known: Known) -> Iterator[DiskFacts]:
    """The images that drives start from: files that were given, and volume genes."""
    inputs = known.inputs
    given: Mapping[str, str] = getattr(inputs.options, "volumes", {})
    genes = {str(gene.id): gene for gene in inputs.catlet.genes if gene.type is GeneType.VOLUME}
    seen: set[str] = set()
    for drive in inputs.catlet.catlet.drives or ():
        path, gene = given.get(drive.name or ""), genes.get(drive.source or "")
        name = Path(path).name if path is not None else (drive.source or "")
        if name in seen or (path is None and gene is None):
            continue
        seen.add(name)
        if path is not None:
            image = inputs.disks.get(Path(path))
            hashed = image.sha256 if isinstance(image, DiskImage) else None
            yield DiskFacts(name, None if hashed is None else f"sha256:{hashed}")
        elif gene is not None:
            yield DiskFacts(name, _disk_digest(known, gene), _os_name(known, gene))


def _disk_digest(known: Known, gene: PinnedGene) -> str | None:
    """By the gene itself, else by the lock."""
    if gene.sha256 is not None:
        return f"sha256:{gene.sha256}"
    entry = None if known.lock is None else known.lock.sets.get(str(gene.id.geneset))
    disks = {} if entry is None else entry.disks
    locked = disks.get(path_of(gene.type, gene.id.name, gene.architecture))
    return None if locked is None else locked.digest


def _os_name(known: Known, gene: PinnedGene) -> str | None:
    tag = _tag(known, gene.id.geneset)
    return None if tag is None else dict(tag.manifest.metadata).get("_os_name") or None


def _packages(inputs: TargetInput[Any]) -> Iterator[str]:
    """What the public cloud-configs of a Linux guest name under `packages`."""
    if inputs.request.guest is not GuestKind.LINUX:
        return
    for number, fodder in enumerate(inputs.request.fodder_entries):
        if fodder.secret:
            continue
        piece = piece_of(fodder, number, inputs.reader)
        if piece.media_type == CLOUD_CONFIG and not piece.jinja and piece.root is not None:
            yield from _package_names(piece.root.get("packages"))


def _package_names(node: Node | None) -> Iterator[str]:
    """A name, a name with a version, or lists by the manager."""
    for item in node.items if isinstance(node, Sequence) else ():
        if isinstance(item, MappingNode):
            for manager, inner in item.entries.items():
                if isinstance(manager, str):
                    yield from (f"{manager}:{name}" for name in _package_names(inner))
        else:
            words = item.items if isinstance(item, Sequence) else (item,)
            texts = [
                str(each.value)
                for each in words
                if isinstance(each, Scalar) and isinstance(each.value, str | int | float)
            ]
            if texts:
                yield "=".join(texts)
