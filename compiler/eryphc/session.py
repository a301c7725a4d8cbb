"""One session of work on a project: the calls of a program, and what they keep for each other.

A program does with a `Session` all that the command line does. The session owns the gene pools and
project files that were read, the texts of fodder and the environment. Two sessions share nothing,
so that two threads can work with one each. Diagnostics leave a session as data without secrets.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from eryphc import pipeline
from eryphc.answers import (
    Built,
    Checked,
    Compiled,
    Expanded,
    GivenAddress,
    Reading,
    ReadSpec,
    address_warnings,
    comments_in,
    reading_of,
)
from eryphc.compilation import Ask, Compilation, shown
from eryphc.diagnostics.levels import LevelPolicy
from eryphc.diagnostics.model import Diagnostic, Outcome
from eryphc.diagnostics.shown import ShownDiagnostic, ordered, show
from eryphc.errors import EryphcError, Failure, failure_of
from eryphc.project.locations import POOLS_VARIABLE, locations_fault
from eryphc.project.pools import Pools
from eryphc.project.specs import Spec, read_spec
from eryphc.project.texts import InputMissingError
from eryphc.request import BuildRequest, must_be
from eryphc.source import SourceText, shown_path
from eryphc.targets import Target
from eryphc.targets.definition import project_sections
from eryphc.workspace import OnConverting, OnHashing, Workspace

if TYPE_CHECKING:
    from eryphc.genepool.chain import PoolChain
    from eryphc.genepool.model import GenePool
    from eryphc.guest.model import GuestRequest

STAGES = ("breed", "feed", "substitute")
DEFAULT = BuildRequest()
_BYTE_ORDER_MARK = "\ufeff"

SpecName: TypeAlias = "str | os.PathLike[str] | SourceText | ReadSpec"
"""A specification: the path of a file or of a folder, `-`, a text, or what was read before."""


class Session:
    """The project of `folder` (the working folder), with its gene pools.

    `genepools` come before all others: folders, and image layouts as `oci-layout:DIR`.
    `environment` is the process's unless another is given: `ERYPHC_GENEPOOL`, `ERYPHC_VAR_*` and
    `SOURCE_DATE_EPOCH` are read from it.
    With `ask` a person is asked for values that a catlet needs and nobody gave. `on_hashing`
    hears how far a large disk file has been hashed, `on_converting` how far a disk image has been
    converted. With `locked` every gene set comes from the lock, which must have all of them.
    With `offline` no registry is asked. `trace` hears a line for each request to one, which
    may take `timeout` seconds. With `noting` builds know what they read.
    `spare` is an image layout that gives what the lock pins and nobody else has.
    Raises `EryphcError` for a folder or a pool that is not there.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] = ".",
        *,
        genepools: Sequence[str | os.PathLike[str]] = (),
        environment: Mapping[str, str] | None = None,
        ask: Ask | None = None,
        on_hashing: OnHashing | None = None,
        on_converting: OnConverting | None = None,
        locked: bool = False,
        offline: bool = False,
        trace: Callable[[str], None] | None = None,
        timeout: float | None = None,
        noting: bool = False,
        spare: str | os.PathLike[str] | None = None,
    ) -> None:
        self.folder = Path(folder)
        _must_be_folder(self.folder)
        self.environment = dict(os.environ if environment is None else environment)
        self.ask = ask
        if isinstance(genepools, str | os.PathLike):
            raise TypeError("`genepools` is to be a sequence of folders, not one folder")
        locations = tuple(os.fspath(pool) for pool in genepools)
        from_environment = self.environment.get(POOLS_VARIABLE)
        fault = locations_fault(locations, from_environment)
        if fault is not None:
            raise EryphcError.of(Failure.USAGE, fault)
        heard: list[Diagnostic] = []
        pools = Pools(
            locations,
            from_environment,
            project_sections,
            locked=locked,
            offline=offline,
            surroundings=self.environment,
            heard=heard.append,
            trace=trace,
            timeout=timeout,
            noting=noting,
            spare=None if spare is None else os.fspath(spare),
        )
        self._workspace = Workspace(
            self.folder, pools, self.environment, on_hashing, on_converting, heard, noting=noting
        )

    def __repr__(self) -> str:
        return f"Session({str(self.folder)!r})"

    # --- what a program asks for -------------------------------------------------------------

    def own_specs(self) -> tuple[Path, ...]:
        """The specifications that `specs:` of the project file lists, else the folder's own.

        Raises EryphcError for a project file that is no good or lists what is not there.
        """
        from eryphc.project.spec_lists import listed_specs

        project = self.opener.project(self.folder)
        if project is None:
            return (self.folder,)
        listed = None if project.value is None else listed_specs(project.value)
        if listed is None or listed.value is None:
            found = project.diagnostics if listed is None else listed.diagnostics
            raise EryphcError(Failure.INPUT, show(found))
        return tuple(Path(shown_path(path)) for path in listed.value) or (self.folder,)

    def read(self, spec: SpecName, request: BuildRequest = DEFAULT) -> ReadSpec:
        """Read a specification: a file, a folder with `catlet.yaml`, `-`, or a text.

        A specification that was read before gets the names of this request.
        """
        must_be("the request", request, BuildRequest)
        if isinstance(spec, ReadSpec):
            reading = reading_of(spec)
            if reading is None or _names(spec.request) == _names(request):
                return spec
            return self._read_as(spec.source, reading.spec, request)
        found: tuple[Diagnostic, ...] = ()
        failure: Failure | None = None
        one: Spec | None = None
        if isinstance(spec, SourceText):
            from eryphc.passes.read import notation_of

            spec = _whole(spec)
            name = spec.name
            one = Spec(spec, self.folder, notation_of(name))
        else:
            name = os.fsdecode(spec)
            try:
                outcome = read_spec(name)
            except InputMissingError as missing:
                found, failure = (missing.diagnostic,), missing.failure
            else:
                found, one = outcome.diagnostics, outcome.value
        if one is None:
            levels = LevelPolicy(request.asked_levels)
            return _answered(name, request, None, found, levels, failure)
        return self._read_as(name, one, request, found)

    def _read_as(
        self, name: str, spec: Spec, request: BuildRequest, found: Sequence[Diagnostic] = ()
    ) -> ReadSpec:
        document = pipeline.read_document(spec, request)
        reading: Reading | None = None
        if document.value is not None:
            reading = Reading(pipeline.catlet_name(document.value), spec, document.value)
        found = (*found, *document.diagnostics)
        return _answered(name, request, reading, found, self._workspace.levels(spec, request))

    def expand(
        self, spec: SpecName, stage: str = "substitute", request: BuildRequest = DEFAULT
    ) -> Expanded:
        """The effective catlet after the stage `breed`, `feed` or `substitute`."""
        _must_be_stage(stage)
        compilation = self._begun(spec, request)
        catlet = compilation.expanded(stage)
        return Expanded(compilation.report(), catlet)

    def expand_gene(
        self, gene: str, stage: str = "substitute", request: BuildRequest = DEFAULT
    ) -> Expanded:
        """The fodder of one gene (`gene:ORGANIZATION/SET[/TAG]:GENE`), `request.values` bound."""
        _must_be_stage(stage)
        must_be("the gene", gene, str)
        must_be("the request", request, BuildRequest)
        compilation = Compilation(self._workspace, None, request, self.ask)
        catlet = compilation.gene_expanded(gene, stage)
        return Expanded(compilation.report(), catlet)

    def compile(self, spec: SpecName, request: BuildRequest = DEFAULT) -> Compiled:
        """Compile a specification up to the stage where targets begin to decide."""
        compilation = self._begun(spec, request)
        catlet, guest = compilation.compiled()
        return Compiled(compilation.report(), catlet, guest)

    def check(
        self,
        spec: SpecName,
        targets: Sequence[Target] = (Target.CLOUD_INIT,),
        request: BuildRequest = DEFAULT,
        *,
        losses: bool = True,
    ) -> Checked:
        """All that building the targets would report. Makes no files.

        With `losses` the answer also has all that the targets cannot express.
        """
        targets = _known(targets)
        compilation = self._begun(spec, request)
        fed = compilation.fed()
        judged: list[tuple[Target, GuestRequest]] = []
        if fed is not None:
            for target in targets:
                asked = compilation.judged(fed, target)
                if asked is not None:
                    judged.append((target, asked))
        # What stopped at an error may say more yet, and so may what one target does not have.
        whole = len(judged) == len(targets)
        return Checked(
            compilation.report(),
            compilation.comments(judged if whole else ()),
            compilation.losses() if losses else (),
        )

    def unused_comments(self, answers: Iterable[Checked]) -> tuple[ShownDiagnostic, ...]:
        """Warnings for comments in the project's documents that silence nothing in any of
        these answers of `check`, although `check` looked for the findings that they name."""
        comments = [said for each in answers if (said := comments_in(each)) is not None]
        used = frozenset[tuple[str, int]]().union(*(each.used for each in comments))
        kinds: dict[str, frozenset[str]] = {}
        for each in comments:
            for source in each.sources:
                kinds[source.name] = kinds.get(source.name, each.kinds) & each.kinds
        found: list[ShownDiagnostic] = []
        for each in comments:
            for source in each.sources:
                unused = each.levels.unused((source,), used, kinds[source.name])
                found += shown(each.levels.applied(unused).diagnostics, each.records)
        return ordered(found)

    @staticmethod
    def shared_addresses(addresses: Iterable[GivenAddress]) -> tuple[ShownDiagnostic, ...]:
        """Warnings for MAC addresses that several catlets give: `addresses` of all answers."""
        return show(address_warnings(addresses))

    def build(self, spec: SpecName, target: Target, request: BuildRequest = DEFAULT) -> Built:
        """The files of one target, in memory."""
        return next(iter(self.builds(spec, (target,), request)))

    def builds(
        self,
        spec: SpecName,
        targets: Sequence[Target],
        request: BuildRequest = DEFAULT,
        *,
        facts: bool = False,
    ) -> Iterator[Built]:
        """The files of several targets, each as it is made; what they share is compiled once.

        A fault for one target does not stop another. With `facts` each answer knows what it was
        made of, which statements and lists of parts tell; in a session with `noting` also what was
        read for it.
        """
        targets = _known(targets)
        compilation = self._begun(spec, request)
        fed = compilation.fed()
        for target in targets:
            made = None if fed is None else compilation.emitted(fed, target)
            known = noted = None
            if facts and fed is not None and made is not None:
                known = compilation.facts(fed, target)
                noted = compilation.noted(fed, target)
            yield Built(compilation.report(), target, made, known, noted)

    def _begun(self, spec: SpecName, request: BuildRequest) -> Compilation:
        return Compilation(self._workspace, self.read(spec, request), request, self.ask)

    def pools_of(self, read: ReadSpec) -> PoolChain:
        """The gene pools of a specification, in order of priority. Raises `EryphcError`."""
        reading = reading_of(read)
        folder = self.folder if reading is None else reading.spec.folder
        return _opened(self.opener.chain(folder))

    def pools(self) -> PoolChain:
        """The gene pools of the session's folder, whatever a lock says. Raises `EryphcError`."""
        return _opened(self.opener.open(self.folder))

    def overheard(self) -> tuple[Diagnostic, ...]:
        """What was found beside any specification: damage in the store, logins of registries."""
        return self._workspace.overheard()

    def with_pools(self, pools: Sequence[GenePool]) -> Session:
        """A session of the same project in which these pools come first and no lock counts."""
        other = copy(self)
        other._workspace = self._workspace.with_pools(self.opener.before(pools))
        return other

    @property
    def opener(self) -> Pools:
        """What opens gene pools and locks, for the facades of this package."""
        return self._workspace.pools


def _opened(chain: Outcome[PoolChain]) -> PoolChain:
    """Raises EryphcError."""
    if chain.value is None:
        found = show(chain.diagnostics)
        raise EryphcError(failure_of(found) or Failure.INPUT, found)
    return chain.value


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


def _answered(
    source: str,
    request: BuildRequest,
    reading: Reading | None,
    found: Sequence[Diagnostic],
    levels: LevelPolicy,
    failure: Failure | None = None,
) -> ReadSpec:
    """What reading gave, with the findings as they count for the specification."""
    records = () if reading is None else (reading.document.catlet,)
    leaving = shown(levels.applied(found).diagnostics, records)
    return ReadSpec(source, request, reading, tuple(found), leaving, failure)


def _whole(text: SourceText) -> SourceText:
    """A text that a program hands in, treated like a file. Raises TypeError."""
    must_be("the name of a Source", text.name, str)
    must_be("the text of a Source", text.text, str)
    if text.text.startswith(_BYTE_ORDER_MARK):
        return SourceText(text.name, text.text.removeprefix(_BYTE_ORDER_MARK))
    return text
