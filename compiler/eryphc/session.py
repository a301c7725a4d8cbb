"""One session of work on a project: the order of a compile, its caches, and what may leave it.

A program does with a `Session` all that the command line does. The session owns the gene pools and
project files that were read, the texts of fodder and the environment. Two sessions share nothing,
so that two threads can work with one each. Diagnostics leave a session as data without secrets.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar

from eryphc import pipeline
from eryphc.diagnostics.echoes import without_echoes
from eryphc.diagnostics.levels import Applied, LevelPolicy, speaks_to_us
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.diagnostics.secrecy import Secrets
from eryphc.diagnostics.shown import ShownDiagnostic, ordered, show
from eryphc.errors import EryphcError, Failure, failure_of
from eryphc.frozen import NamedTuple
from eryphc.ir.catlet import Catlet, Fodder, Places, Record, Variable
from eryphc.ir.stages import Bred, Document, Fed, Substituted
from eryphc.origin import DEFAULTED, Step, placeless
from eryphc.passes.memory import PassMemory
from eryphc.project.specs import InputMissingError, Pools, Spec, levels_for, read_spec
from eryphc.request import BuildRequest, must_be
from eryphc.source import SourceText, Span, shown_path
from eryphc.syntax.names import blank
from eryphc.targets import Target
from eryphc.targets.definition import definition_of, project_sections

if TYPE_CHECKING:
    from eryphc.artifacts.file import ArtifactFile, WrittenFile
    from eryphc.artifacts.manifest import Manifest
    from eryphc.genepool.chain import PoolChain
    from eryphc.guest.cloudconfig.reader import TextReader
    from eryphc.guest.document import GuestDocument
    from eryphc.guest.model import GuestOptions, GuestRequest
    from eryphc.ir.stages import PinnedGene
    from eryphc.ir.volume import ReadDisk
    from eryphc.project.file import Project

T = TypeVar("T")

VARIABLE_PREFIX = "ERYPHC_VAR_"
POOLS_VARIABLE = "ERYPHC_GENEPOOL"
EPOCH_VARIABLE = "SOURCE_DATE_EPOCH"

Ask: TypeAlias = Callable[[str, bool], "str | None"]
"""Asks a person for the value of a variable, by its name and whether it is secret."""


class Result:
    """What every answer of a session has: diagnostics in order, and whether one is an error.

    `failure` tells what kind of error it is, None where there is none.
    """

    def __init__(
        self, diagnostics: Iterable[ShownDiagnostic], failure: Failure | None = None
    ) -> None:
        self.diagnostics = ordered(diagnostics)
        self.failure = failure or failure_of(self.diagnostics)

    @property
    def ok(self) -> bool:
        return self.failure is None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(ok={self.ok}, diagnostics={len(self.diagnostics)})"


class ReadSpec(Result):
    """A specification as read, before anything was looked up for it.

    `name` is the normalised name of its catlet, None where the document could not be read. Hand
    it to the other calls of the session instead of the specification, and it is not read again.
    """

    def __init__(
        self,
        source: str,
        request: BuildRequest,
        read: tuple[Spec, Document] | None,
        found: Sequence[Diagnostic],
        levels: LevelPolicy,
        failure: Failure | None,
    ) -> None:
        counted = levels.applied(found).diagnostics
        super().__init__(_shown(counted, () if read is None else (read[1].catlet,)), failure)
        self.source = source
        self.request = request
        self.name = None if read is None else pipeline.catlet_name(read[1])
        self._read = read
        self._found = tuple(found)


class Checked(Result):
    """What is wrong with a specification, and the documents that it was made of.

    `declared` are the names of the catlet's variables in lower case, `sources` each gene set of the
    closure with the folder that it came from.
    """

    def __init__(self, work: _Work) -> None:
        super().__init__(work.shown(), work.failure)
        self.declared = work.declared
        self.sources = work.sources
        self._heard: _Heard | None = None


class _Heard(NamedTuple):
    """The documents of one answer that have comments for this tool.

    `used` are the comments that silence something, `kinds` what was looked for, for each target.
    """

    sources: tuple[SourceText, ...]
    levels: LevelPolicy
    used: frozenset[tuple[str, int]]
    kinds: frozenset[str]
    records: tuple[Record, ...]


class Expanded(Checked):
    """The effective catlet at one stage. `genes` is the closure, by type and id, once it is fed."""

    def __init__(self, work: _Work, catlet: Catlet | None) -> None:
        super().__init__(work)
        self.name = work.name
        self.genes = work.genes if self.ok else ()
        self._catlet = catlet if self.ok else None

    def data(self, *, show_secrets: bool = False) -> dict[str, Any] | None:
        """The catlet with the language's own keys, as `expand --format json` prints it."""
        if self._catlet is None:
            return None
        from eryphc.ir.document import trimmed
        from eryphc.passes.redact import redact

        return trimmed(self._catlet if show_secrets else redact(self._catlet))

    def yaml(self, *, show_secrets: bool = False) -> str | None:
        """The catlet as `expand` prints it."""
        data = self.data(show_secrets=show_secrets)
        if data is None:
            return None
        from eryphc.ir.document import yaml_text

        return yaml_text(data)


class Compiled(Expanded):
    """A specification compiled apart from any target.

    `guest` is what a guest would read; its texts hold secrets.
    """

    def __init__(self, work: _Work, catlet: Catlet | None, guest: GuestDocument | None) -> None:
        super().__init__(work, catlet)
        self.guest = guest if self.ok else None

    @property
    def catlet(self) -> dict[str, Any] | None:
        """The effective catlet as plain data, without secrets."""
        return self.data()


class Built(Checked):
    """The files of one target, by path; nothing is on disk. There are none after an error."""

    def __init__(
        self, work: _Work, target: Target, made: tuple[Mapping[str, ArtifactFile], Manifest] | None
    ) -> None:
        super().__init__(work)
        self.name = work.name
        self.target = target
        self.files: Mapping[str, ArtifactFile] = {}
        self.manifest: Manifest | None = None
        if made is not None and self.ok:
            self.files, self.manifest = made

    def write(self, folder: str | os.PathLike[str]) -> tuple[WrittenFile, ...]:
        """Write the files and `manifest.json` as the folder of the target; gives them by path.

        The folder is replaced as a whole or not at all, and only if this tool wrote it. Raises
        `EryphcError`, also for a build that failed.
        """
        with Outputs() as outputs:
            written = outputs.stage(folder, self)
            outputs.commit()
        return written


class Outputs:
    """Several target folders, written all or none: look at each, stage each, commit.

    Leaving without `commit` leaves every place as it was. Raises `EryphcError`.
    """

    def __init__(self) -> None:
        from eryphc.artifacts.folder import TargetFolders

        self._folders = TargetFolders()

    def __enter__(self) -> Self:
        self._folders.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folders.__exit__(kind, error, trace)

    def look_at(self, folder: str | os.PathLike[str]) -> None:
        """Take a folder in. Raises `EryphcError` if this tool must not replace it."""
        with _output():
            self._folders.look_at(Path(folder))

    def stage(self, folder: str | os.PathLike[str], built: Built) -> tuple[WrittenFile, ...]:
        """Write the files of one target beside the folder. Refused as `look_at` does, too."""
        if built.manifest is None:
            raise EryphcError(built.failure or Failure.INPUT, built.diagnostics)
        with _output():
            return self._folders.stage(Path(folder), built.files, built.manifest)

    def commit(self) -> None:
        """Swap in all that was staged, or none of it."""
        with _output():
            self._folders.commit()


class _output:  # noqa: N801 - used like a function
    """Turns what writing raises into `EryphcError`."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        from eryphc.artifacts.errors import OutputFailed, OutputRefused

        if isinstance(error, OutputRefused):
            raise EryphcError.of(Failure.USAGE, *error.diagnostics) from error
        if isinstance(error, OutputFailed):
            raise EryphcError.of(Failure.OUTSIDE, *error.diagnostics) from error


SpecName: TypeAlias = "str | os.PathLike[str] | SourceText | ReadSpec"
DEFAULT = BuildRequest()
_BYTE_ORDER_MARK = "\ufeff"
STAGES = ("breed", "feed", "substitute")


def _must_be_stage(stage: str) -> None:
    if stage not in STAGES:
        raise ValueError(f"a stage is `breed`, `feed` or `substitute`, not {stage!r}")


def _must_be_folder(folder: Path) -> None:
    """Raises EryphcError."""
    # Unlike `Path.is_dir`, this takes a folder that may not be looked at for one that is missing.
    if os.path.isdir(folder):  # noqa: PTH112
        return
    from eryphc.diagnostics.command import file_not_found

    reason = "it is not a folder" if os.path.lexists(folder) else "there is no such folder"
    raise EryphcError.of(Failure.INPUT, file_not_found(shown_path(folder), reason, ()))


def _known(targets: Sequence[Target] | str) -> tuple[Target, ...]:
    """The targets, which may be given by their names. Raises ValueError."""
    if isinstance(targets, str):
        targets = (Target(targets),)
    return tuple(Target(target) for target in targets)


def _names(request: BuildRequest) -> tuple[str | None, str | None]:
    """What of a request is written into the document that is read."""
    return (request.name, request.hostname)


def _whole(text: SourceText) -> SourceText:
    """A text that a program hands in, treated like a file. Raises TypeError."""
    must_be("the name of a Source", text.name, str)
    must_be("the text of a Source", text.text, str)
    if text.text.startswith(_BYTE_ORDER_MARK):
        return SourceText(text.name, text.text.removeprefix(_BYTE_ORDER_MARK))
    return text


class Session:
    """The project of `folder` (the working folder), with its gene pools.

    `genepools` are folders that come before all others. `environment` is the process's unless
    another is given: `ERYPHC_GENEPOOL`, `ERYPHC_VAR_*` and `SOURCE_DATE_EPOCH` are read from it.
    With `ask` a person is asked for values that a catlet needs and nobody gave. `on_hashing`
    hears how far a large disk file has been hashed. Raises `EryphcError` for a folder or a pool
    that is not there.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] = ".",
        *,
        genepools: Sequence[str | os.PathLike[str]] = (),
        environment: Mapping[str, str] | None = None,
        ask: Ask | None = None,
        on_hashing: Callable[[Path, int, int], None] | None = None,
    ) -> None:
        self.folder = Path(folder)
        _must_be_folder(self.folder)
        self.environment = dict(os.environ if environment is None else environment)
        self.ask = ask
        self.on_hashing = on_hashing
        if isinstance(genepools, str | os.PathLike):
            raise TypeError("`genepools` is to be a sequence of folders, not one folder")
        locations = tuple(os.fspath(pool) for pool in genepools)
        from_environment = self.environment.get(POOLS_VARIABLE)
        fault = Pools.refused(locations, from_environment)
        if fault is not None:
            raise EryphcError.of(Failure.USAGE, fault)
        self._pools = Pools(locations, from_environment, project_sections)
        self._values = {
            name[len(VARIABLE_PREFIX) :]: value
            for name, value in sorted(self.environment.items())
            if name.startswith(VARIABLE_PREFIX) and len(name) > len(VARIABLE_PREFIX)
        }
        self._disks: ReadDisk | None = None
        self.memory = PassMemory()
        self._reader: TextReader | None = None

    def __repr__(self) -> str:
        return f"Session({str(self.folder)!r})"

    # --- what a program asks for -------------------------------------------------------------

    def read(self, spec: SpecName, request: BuildRequest = DEFAULT) -> ReadSpec:
        """Read a specification: a file, a folder with `catlet.yaml`, `-`, or a text.

        A specification that was read before gets the names of this request.
        """
        must_be("the request", request, BuildRequest)
        if isinstance(spec, ReadSpec):
            if spec._read is None or _names(spec.request) == _names(request):
                return spec
            return self._read_as(spec.source, spec._read[0], request)
        found: list[Diagnostic] = []
        if isinstance(spec, SourceText):
            from eryphc.passes.read import notation_of

            spec = _whole(spec)
            one: Spec | None = Spec(spec, self.folder, notation_of(spec.name))
            name = spec.name
        else:
            name = os.fsdecode(spec)
            try:
                outcome = read_spec(name)
            except InputMissingError as missing:
                found.append(missing.diagnostic)
                levels = LevelPolicy(request.asked_levels)
                return ReadSpec(name, request, None, found, levels, missing.failure)
            found += outcome.diagnostics
            one = outcome.value
        if one is None:
            return ReadSpec(name, request, None, found, LevelPolicy(request.asked_levels), None)
        return self._read_as(name, one, request, found)

    def _read_as(
        self, name: str, spec: Spec, request: BuildRequest, found: Sequence[Diagnostic] = ()
    ) -> ReadSpec:
        document = pipeline.read_document(spec, request)
        found = (*found, *document.diagnostics)
        read = None if document.value is None else (spec, document.value)
        return ReadSpec(name, request, read, found, self._levels(spec, request), None)

    def expand(
        self, spec: SpecName, stage: str = "substitute", request: BuildRequest = DEFAULT
    ) -> Expanded:
        """The effective catlet after the stage `breed`, `feed` or `substitute`."""
        _must_be_stage(stage)
        work = _Work(self, self.read(spec, request), request)
        bred = work.bred()
        catlet: Catlet | None = None
        if bred is not None and (stage != "breed" or work.document.partial):
            fed = work.fed(bred)
            if fed is not None and not work.document.partial:
                catlet = work.expanded(fed, bred, stage)
        elif bred is not None:
            catlet = work.with_values(bred)
        return Expanded(work, catlet)

    def expand_gene(
        self, gene: str, stage: str = "substitute", request: BuildRequest = DEFAULT
    ) -> Expanded:
        """The fodder of one gene (`gene:ORGANIZATION/SET[/TAG]:GENE`), `request.values` bound."""
        _must_be_stage(stage)
        must_be("the gene", gene, str)
        must_be("the request", request, BuildRequest)
        work = _Work(self, None, request)
        catlet = work.gene(gene, stage)
        return Expanded(work, catlet)

    def compile(self, spec: SpecName, request: BuildRequest = DEFAULT) -> Compiled:
        """Compile a specification up to the stage where targets begin to decide."""
        work = _Work(self, self.read(spec, request), request)
        catlet: Catlet | None = None
        guest: GuestDocument | None = None
        bred = work.bred()
        fed = None if bred is None else work.fed(bred)
        if fed is not None and not work.document.partial:
            done = work.take(pipeline.to_substituted(fed, work.values, request))
            if done is not None:
                catlet = done.catlet
                guest = work.guest(done)
        return Compiled(work, catlet, guest)

    def check(
        self,
        spec: SpecName,
        targets: Sequence[Target] = (Target.CLOUD_INIT,),
        request: BuildRequest = DEFAULT,
    ) -> Checked:
        """All that building the targets would report. Makes no files."""
        targets = _known(targets)
        work = _Work(self, self.read(spec, request), request)
        bred = work.bred()
        fed = None if bred is None else work.fed(bred)
        judged: list[tuple[Target, GuestRequest]] = []
        if fed is not None and not work.document.partial:
            for target in targets:
                planned = work.planned(fed, target)
                if planned is not None:
                    judged.append((target, planned[1].request))
        checked = Checked(work)
        # What stopped at an error may say more yet, and so may what one target does not have.
        checked._heard = work.heard(judged if len(judged) == len(targets) else ())
        return checked

    def unused_comments(self, answers: Iterable[Checked]) -> tuple[ShownDiagnostic, ...]:
        """Warnings for comments in the project's documents that silence nothing in any of
        these answers of `check`, although `check` looked for the findings that they name."""
        heard = [each._heard for each in answers if each._heard is not None]
        used = frozenset[tuple[str, int]]().union(*(each.used for each in heard))
        kinds: dict[str, frozenset[str]] = {}
        for each in heard:
            for source in each.sources:
                kinds[source.name] = kinds.get(source.name, each.kinds) & each.kinds
        found: list[ShownDiagnostic] = []
        for each in heard:
            for source in each.sources:
                unused = each.levels.unused((source,), used, kinds[source.name])
                found += _shown(each.levels.applied(unused).diagnostics, each.records)
        return ordered(found)

    def build(self, spec: SpecName, target: Target, request: BuildRequest = DEFAULT) -> Built:
        """The files of one target, in memory."""
        return next(iter(self.builds(spec, (target,), request)))

    def builds(
        self, spec: SpecName, targets: Sequence[Target], request: BuildRequest = DEFAULT
    ) -> Iterator[Built]:
        """The files of several targets, each as it is made; what they share is compiled once.

        A fault for one target does not stop another.
        """
        targets = _known(targets)
        work = _Work(self, self.read(spec, request), request)
        bred = work.bred()
        fed = None if bred is None else work.fed(bred)
        shared = len(work.found)
        for target in targets:
            del work.found[shared:]
            made = None
            if fed is not None and not work.document.partial:
                made = work.emitted(fed, target)
            yield Built(work, target, made)

    @property
    def reader(self) -> TextReader:
        """Reads texts of fodder; one that several specifications share is read once."""
        if self._reader is None:
            from eryphc.guest.cloudconfig.reader import TextReader

            self._reader = TextReader()
        return self._reader

    @property
    def disks(self) -> ReadDisk:
        """Reads disk files; one that several specifications share is hashed once."""
        if self._disks is None:
            from eryphc.genepool.disk_images import DiskImages

            self._disks = DiskImages(self.on_hashing)
        return self._disks

    def pools_of(self, read: ReadSpec) -> PoolChain:
        """The gene pools of a specification, in order of priority. Raises `EryphcError`."""
        return self._chain(self.folder if read._read is None else read._read[0].folder)

    def pools(self) -> PoolChain:
        """The gene pools of the session's folder. Raises `EryphcError`."""
        return self._chain(self.folder)

    def _levels(self, spec: Spec | None, request: BuildRequest) -> LevelPolicy:
        """What findings count as for a specification, or for a gene of the session's folder."""
        folder = self.folder if spec is None else spec.folder
        project = self._pools.project(folder)
        return levels_for(
            request.asked_levels,
            None if project is None else project.value,
            folder,
            None if spec is None else spec.source.name,
        )

    def _chain(self, folder: Path) -> PoolChain:
        chain = self._pools.chain(folder)
        if chain.value is None:
            found = show(chain.diagnostics)
            raise EryphcError(failure_of(found) or Failure.INPUT, found)
        return chain.value


class _Work:
    """One specification on its way through the stages: its values, and what was found so far.

    Records that hold secrets are kept beside the findings, because secrets are hidden at the end:
    a value that a gene declares secret may stand in a document that was read long before.
    """

    def __init__(self, session: Session, read: ReadSpec | None, request: BuildRequest) -> None:
        self.session = session
        self.request = request
        self.found: list[Diagnostic] = []
        self.records: list[Record] = []
        self.values: Mapping[str, str] = request.values
        self.declared: frozenset[str] = frozenset()
        self.name = "catlet"
        self._failure: Failure | None = None
        self._chain: PoolChain | None = None
        self._fed: Fed | None = None
        self._read: tuple[Spec, Document] | None = None
        self.levels = LevelPolicy(request.asked_levels)
        if read is None:
            self.levels = session._levels(None, request)
        else:
            self.found += read._found
            self._failure = read.failure if read._read is None else None
            self._read = read._read
            if read._read is not None:
                self.levels = session._levels(read._read[0], request)
                self.records.append(read._read[1].catlet)
                self.name = read.name or "catlet"

    # --- what leaves -------------------------------------------------------------------------

    def shown(self) -> tuple[ShownDiagnostic, ...]:
        return _shown(self.counted().diagnostics, self.records)

    def counted(self) -> Applied:
        """What was found, as it counts in this project."""
        return self.levels.applied((*self.found, *self.levels.malformed(self.documents())))

    def documents(self) -> Iterator[SourceText]:
        """The documents that were read: the specification, its ancestors, genes that feed it."""
        if self._read is not None:
            yield self._read[1].source
        if self._fed is None:
            return
        yield from (each.source for each in self._fed.pedigree.documents[1:])
        seen: set[int] = set()
        for fodder in self._fed.catlet.fodder or ():
            span = fodder.at()
            if span is not None and id(span.source) not in seen:
                seen.add(id(span.source))
                yield span.source

    def heard(self, judged: Sequence[tuple[Target, GuestRequest]]) -> _Heard | None:
        """The comments in the documents, None where there are none."""
        sources = tuple(each for each in self.documents() if speaks_to_us(each))
        if not sources:
            return None
        from eryphc.targets.judging import kinds_judged

        kinds = [kinds_judged(target, request) for target, request in judged]
        return _Heard(
            sources=sources,
            levels=self.levels,
            used=self.counted().used,
            kinds=frozenset.intersection(*kinds) if kinds else frozenset(),
            records=tuple(self.records),
        )

    @property
    def failure(self) -> Failure | None:
        return self._failure

    @property
    def genes(self) -> tuple[PinnedGene, ...]:
        return () if self._fed is None else self._fed.genes

    @property
    def sources(self) -> tuple[str, ...]:
        """Where each gene set of the closure came from."""
        if self._fed is None or self._chain is None:
            return ()
        found: list[str] = []
        for geneset in sorted({gene.id.geneset for gene in self._fed.genes}):
            tag = self._chain.find(geneset)
            if tag is not None and tag.value is not None:
                folder = tag.value.manifest.source.name.rpartition("/")[0]
                found.append(f"{geneset} from {folder or 'the working folder'}")
        return tuple(found)

    # --- the stages --------------------------------------------------------------------------

    @property
    def document(self) -> Document:
        if self._read is None:
            raise TypeError("there is no document")
        return self._read[1]

    def take(self, outcome: Outcome[T]) -> T | None:
        self.found += outcome.diagnostics
        return outcome.value

    def bred(self) -> Bred | None:
        """The bred catlet, its values known; None after errors."""
        if self._read is None:
            return None
        spec, document = self._read
        chain = self.take(self.session._pools.chain(spec.folder))
        if chain is None:
            return None
        self._chain = chain
        bred = self.take(pipeline.to_bred(document, chain, self.session.memory))
        if bred is None:
            return None
        self.records += [each.catlet for each in bred.pedigree.documents]
        self.values = self._values_of(bred, ask=not document.partial)
        with_values = pipeline.with_values(bred, self.values).value
        if with_values is not None:
            self.records.append(with_values.catlet)
        return bred

    def _values_of(self, bred: Bred, *, ask: bool) -> Mapping[str, str]:
        """What this catlet is given, by the request, the environment, or a person."""
        variables = bred.catlet.variables or ()
        names = {(variable.name or "").lower(): variable.name or "" for variable in variables}
        self.declared = frozenset(names)
        values = dict(self.request.values)
        if self.request.other_values:
            values = {name: text for name, text in values.items() if name.lower() in names}
        given = {name.lower() for name in values}
        for name, text in self.session._values.items():
            if name.lower() in names and name.lower() not in given:
                values[names[name.lower()]] = text
                given.add(name.lower())
        if self.session.ask is not None and ask:
            given |= self._left_open()
            for variable in variables:
                name = variable.name or ""
                if variable.required and blank(variable.value) and name.lower() not in given:
                    answer = self.session.ask(name, bool(variable.secret))
                    if answer is not None:
                        values[name] = answer
        return values

    def _left_open(self) -> set[str]:
        """The variables that a deployment supplies: the user is not asked for their values."""
        return {
            name.lower()
            for definition in map(definition_of, Target)
            if definition.left_open is not None
            for name in definition.left_open(self.request.options_of(definition.options))
        }

    def with_values(self, bred: Bred) -> Catlet | None:
        given = self.take(pipeline.with_values(bred, self.values))
        return None if given is None else given.catlet

    def fed(self, bred: Bred) -> Fed | None:
        if self._chain is None:
            raise TypeError("there are no gene pools")
        fed = self.take(pipeline.to_fed(bred, self._chain, self.request, self.session.memory))
        if fed is not None:
            self.records.append(fed.catlet)
            self._fed = fed
        return fed

    def expanded(self, fed: Fed, bred: Bred, stage: str) -> Catlet | None:
        """A fed catlet at `feed` (values shown where they are given) or `substitute`."""
        if stage == "feed":
            return self.with_values(bred._replace(catlet=fed.catlet))
        done = self.take(pipeline.to_substituted(fed, self.values, self.request))
        if done is None:
            return None
        self.records.append(done.catlet)
        return done.catlet

    def gene(self, text: str, stage: str) -> Catlet | None:
        """A catlet that holds nothing but the fodder of one gene, whose variables are given."""
        from eryphc.diagnostics import command
        from eryphc.syntax.identifiers import parse_gene, parse_set_source
        from eryphc.syntax.names import NameFault

        parsed = parse_gene(text)
        if isinstance(parsed, NameFault) and parse_set_source(text) is None:
            self.found.append(command.gene_unknown(text, parsed.message))
            return None
        source = SourceText("<command line>", text, regions=())
        whole, given = Span(source, 0, len(text)), placeless(Step.GIVEN)
        bound: Places = {"": whole, "name": given, "value": given}
        reference = Fodder(
            source=text,
            variables=tuple(
                Variable(name=name, value=value, places=bound)
                for name, value in self.request.values.items()
            ),
            places={"": whole, "source": whole, "variables": given},
        )
        chain = self.take(self.session._pools.chain(self.session.folder))
        if chain is None:
            return None
        self._chain = chain
        places: Places = {"": whole, "name": DEFAULTED, "fodder": DEFAULTED}
        catlet = Catlet(name="gene", fodder=(reference,), places=places)
        document = Document(catlet=catlet, source=source, depth=0)
        bred = self.take(pipeline.to_bred(document, chain, self.session.memory))
        fed = None if bred is None else self.fed(bred)
        if fed is None:
            return None
        catlet = fed.catlet
        if stage == "substitute":
            done = self.take(pipeline.to_substituted(fed, {}, self.request))
            if done is None:
                return None
            catlet = done.catlet
        return Catlet(fodder=catlet.fodder)

    def guest(self, done: Substituted) -> GuestDocument | None:
        """What a guest would read, apart from any target."""
        from eryphc.guest.compose import compose
        from eryphc.guest.request import guest_request

        self.records.append(done.catlet)
        options = self._guest_options()
        catlet_id = pipeline.catlet_id_of(done.catlet, self.request)
        asked, notes = guest_request(done, catlet_id, options)
        self.found += notes
        return self.take(compose(asked, self.session.reader))

    # --- targets -----------------------------------------------------------------------------

    def planned(self, fed: Fed, target: Target) -> tuple[Any, Any, Any] | None:
        """The backend of a target, what it was given, and its plan; None after errors."""
        definition = definition_of(target)
        backend = definition.backend()
        epoch = self._epoch()
        if epoch is None:
            return None
        project = self._project()
        options = self.request.options_of(definition.options)
        given = self.take(
            pipeline.prepare(
                fed,
                self.values,
                self.request,
                backend,
                options=options,
                settings=None
                if project is None or definition.section_name is None
                else project.sections.get(definition.section_name),
                guest=self._guest_options(),
                epoch=epoch,
                reader=self.session.reader,
            )
        )
        if given is None:
            return None
        self.records.append(given.catlet.catlet)
        if backend.disk_files is not None:
            read = self.session.disks
            paths = backend.disk_files(given.catlet, options)
            given = given._replace(disks={path: read(path) for path in paths})
        plan = backend.plan(given)
        self.found += plan.diagnostics
        return None if plan.value is None else (backend, given, plan.value)

    def emitted(
        self, fed: Fed, target: Target
    ) -> tuple[Mapping[str, ArtifactFile], Manifest] | None:
        """The files of a target and what its manifest says; None after errors."""
        from eryphc.pipeline import manifest_of

        planned = self.planned(fed, target)
        if planned is None or has_errors(self.counted().diagnostics):
            return None
        backend, given, plan = planned
        return backend.emit(plan), manifest_of(given, target)

    def _project(self) -> Project | None:
        if self._read is None:
            return None
        project = self.session._pools.project(self._read[0].folder)
        return None if project is None else project.value

    def _epoch(self) -> int | None:
        from eryphc.artifacts.epoch import EpochSource, resolve_epoch

        project = self._project()
        asked = self.request.epoch
        return self.take(
            resolve_epoch(
                option=None if asked is None else str(asked),
                project=None
                if project is None
                else EpochSource(name="epoch", value=project.epoch, span=project.at("epoch")),
                environment=self.session.environment.get(EPOCH_VARIABLE) or None,
            )
        )

    def _guest_options(self) -> GuestOptions:
        """The request's, with what the project and the gene set of the spec say."""
        from eryphc.guest.model import GuestKind

        options = self.request.guest
        if options.kind is not None or self._read is None:
            return options
        project = self._project()
        word = project.guest if project is not None else None
        if not word and self._read[0].os_type in tuple(GuestKind):
            word = self._read[0].os_type
        return options if not word else options._replace(kind=GuestKind(word))


def _shown(found: Sequence[Diagnostic], records: Iterable[Record]) -> tuple[ShownDiagnostic, ...]:
    """Diagnostics as they leave: without secrets, and without those that only repeat another."""
    # Most specifications have nothing to be said of.
    return show(without_echoes(found), Secrets(records)) if found else ()
