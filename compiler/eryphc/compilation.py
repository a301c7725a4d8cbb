"""One specification on its way through the stages: what they find, and what leaves of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from eryphc import pipeline
from eryphc.answers import (
    Comments,
    GivenAddress,
    Reading,
    ReadSpec,
    Report,
    findings_in,
    reading_of,
)
from eryphc.diagnostics.echoes import without_echoes
from eryphc.diagnostics.language import VALUE_STOOD_IN
from eryphc.diagnostics.levels import Applied, LevelPolicy, speaks_to_us
from eryphc.diagnostics.model import Diagnostic, Outcome, has_errors
from eryphc.diagnostics.secrecy import Secrets
from eryphc.diagnostics.shown import ShownDiagnostic, show
from eryphc.errors import Failure
from eryphc.frozen import FrozenMap
from eryphc.genepool.chain import PoolChain
from eryphc.ir.catlet import Catlet, Fodder, Places, Record, Variable
from eryphc.ir.stages import Bred, Document, Fed, Pedigree, Substituted
from eryphc.origin import DEFAULTED, Outside, Step, placeless
from eryphc.project.specs import lasting_name
from eryphc.reads import DiskNote, Noted, disk_note, disk_state, text_note
from eryphc.request import VARIABLE_PREFIX, BuildRequest
from eryphc.source import SourceText, Span
from eryphc.syntax.names import blank
from eryphc.targets import Target
from eryphc.targets.definition import (
    Backend,
    Conversion,
    TargetDefinition,
    TargetInput,
    definition_of,
)
from eryphc.workspace import Workspace

if TYPE_CHECKING:
    from eryphc.artifacts.file import ArtifactFile
    from eryphc.artifacts.manifest import Manifest
    from eryphc.diagnostics.losses import Loss
    from eryphc.guest.agents import AgentSources
    from eryphc.guest.document import GuestDocument
    from eryphc.guest.model import GuestOptions, GuestRequest
    from eryphc.project.file import Project
    from eryphc.provenance.facts import BuildFacts
    from eryphc.provenance.gathering import Known

T = TypeVar("T")

Ask: TypeAlias = Callable[[str, bool], "str | None"]
"""Asks a person for the value of a variable, by its name and whether it is secret."""


class Compilation:
    """One specification on its way through the stages: its values, and what was found so far.

    `read` is None for a gene that is expanded by itself. Ask for one result (`expanded`,
    `gene_expanded`, `compiled`, or `fed` and then targets), and for the `report` after it.

    Records that hold secrets are kept beside the findings, because secrets are hidden at the end:
    a value that a gene declares secret may stand in a document that was read long before.
    """

    def __init__(
        self, workspace: Workspace, read: ReadSpec | None, request: BuildRequest, ask: Ask | None
    ) -> None:
        self._workspace = workspace
        self._request = request
        self._ask = ask
        self._reading: Reading | None = None
        self._failure: Failure | None = None
        self._found: list[Diagnostic] = []
        self._records: list[Record] = []
        self._values: Mapping[str, str] = request.values
        self._outside: dict[str, Outside] = {}
        self._declared: frozenset[str] = frozenset()
        self._chain = PoolChain(())
        self._fed: Fed | None = None
        self._shared = 0
        self._details: list[str] = []
        self._prepared: list[tuple[TargetDefinition[Any, Any], TargetInput[Any]]] = []
        # What is noted beside the reads of the pools.
        self._given: dict[str, str | None] = {}
        self._disk_states: dict[Path, tuple[int, int, int] | None] = {}
        self._lasting = True
        if read is None:
            self._levels = workspace.levels(None, request)
            return
        self._found += findings_in(read)
        self._reading = reading_of(read)
        if self._reading is None:
            self._levels = LevelPolicy(request.asked_levels)
            self._failure = read.failure
        else:
            self._levels = workspace.levels(self._reading.spec, request)
            self._records.append(self._reading.document.catlet)

    # --- what leaves -------------------------------------------------------------------------

    def report(self) -> Report:
        """What was found so far, and what the specification was made of."""
        return Report(
            diagnostics=shown(self._counted().diagnostics, self._records),
            failure=self._failure,
            name="catlet" if self._reading is None else self._reading.name,
            declared=self._declared,
            sources=self._sources(),
            genes=() if self._fed is None else self._fed.genes,
            details=tuple(self._details),
            addresses=() if self._fed is None else tuple(self._addresses(self._fed.catlet)),
        )

    def _addresses(self, catlet: Catlet) -> Iterator[GivenAddress]:
        """The MAC addresses that the catlet gives to its adapters."""
        for adapter in catlet.network_adapters or ():
            if adapter.mac_address is not None:
                yield GivenAddress(
                    adapter.mac_address,
                    "catlet" if self._reading is None else self._reading.name,
                    adapter.name or "",
                    adapter.at("mac_address"),
                    self._levels,
                )

    def losses(self) -> tuple[Loss, ...]:
        """What the targets that were planned cannot express, in their order.

        Documents are called what diagnostics call them.
        """
        secrets = Secrets(self._records)
        return tuple(
            loss
            for definition, inputs in self._prepared
            if definition.losses is not None
            for loss in definition.losses()(inputs, secrets, None)
        )

    def comments(self, judged: Sequence[tuple[Target, GuestRequest]]) -> Comments | None:
        """The comments in the documents, None where there are none.

        `judged` are the targets that looked for all they look for, with what each asks of the
        guest.
        """
        sources = tuple(each for each in self._documents() if speaks_to_us(each))
        if not sources:
            return None
        from eryphc.targets.judging import kinds_judged

        kinds = [kinds_judged(target, request) for target, request in judged]
        return Comments(
            sources=sources,
            levels=self._levels,
            used=self._counted().used,
            kinds=frozenset.intersection(*kinds) if kinds else frozenset(),
            records=tuple(self._records),
        )

    def _counted(self) -> Applied:
        """What was found, as it counts in this project."""
        return self._levels.applied((*self._found, *self._levels.malformed(self._documents())))

    def _documents(self) -> Iterator[SourceText]:
        """The documents that were read: the specification, its ancestors, genes that feed it."""
        if self._reading is not None:
            yield self._reading.document.source
        if self._fed is None:
            return
        yield from (each.source for each in self._fed.pedigree.documents[1:])
        seen: set[int] = set()
        for fodder in self._fed.catlet.fodder or ():
            span = fodder.at()
            if span is not None and id(span.source) not in seen:
                seen.add(id(span.source))
                yield span.source

    def _sources(self) -> tuple[str, ...]:
        """Where each gene set of the closure came from."""
        if self._fed is None:
            return ()
        found: list[str] = []
        for geneset in sorted({gene.id.geneset for gene in self._fed.genes}):
            tag = self._chain.find(geneset)
            if tag is not None and tag.value is not None:
                folder = tag.value.manifest.source.name.rpartition("/")[0]
                found.append(f"{geneset} from {folder or 'the working folder'}")
        return tuple(found)

    def _take(self, outcome: Outcome[T]) -> T | None:
        self._found += outcome.diagnostics
        return outcome.value

    # --- the stages --------------------------------------------------------------------------

    def expanded(self, stage: str) -> Catlet | None:
        """The catlet after the stage `breed`, `feed` or `substitute`; None after errors."""
        bred = self._bred()
        if bred is None:
            return None
        if stage == "breed" and not _is_partial(bred):
            return self._with_values(bred)
        fed = self._fed_of(bred)
        if fed is None or _is_partial(bred):
            return None
        if stage == "feed":
            return self._with_values(bred._replace(catlet=fed.catlet))
        done = self._substituted(fed, self._values)
        return None if done is None else done.catlet

    def gene_expanded(self, text: str, stage: str) -> Catlet | None:
        """A catlet that holds nothing but the fodder of one gene, whose variables are given."""
        document = self._take(_document_of_gene(text, self._request.values))
        bred = None if document is None else self._bred_of(document, self._workspace.folder)
        fed = None if bred is None else self._fed_of(bred)
        if fed is None:
            return None
        if stage != "substitute":
            return Catlet(fodder=fed.catlet.fodder)
        # The values are bound to the gene: the catlet itself has no variable.
        done = self._take(pipeline.to_substituted(fed, {}, self._request))
        return None if done is None else Catlet(fodder=done.catlet.fodder)

    def compiled(self) -> tuple[Catlet | None, GuestDocument | None]:
        """The effective catlet, and what a guest would read apart from any target."""
        fed = self.fed()
        done = None if fed is None else self._substituted(fed, self._values)
        return (None, None) if done is None else (done.catlet, self._guest(done))

    def fed(self) -> Fed | None:
        """The fed catlet, which targets go on with; None after errors.

        A document of which not every value could be read is bred and fed only to find more faults.
        """
        bred = self._bred()
        fed = None if bred is None else self._fed_of(bred)
        self._shared = len(self._found)
        return None if bred is None or _is_partial(bred) else fed

    def _bred(self) -> Bred | None:
        """The bred catlet, its values known; None after errors."""
        if self._reading is None:
            return None
        bred = self._bred_of(self._reading.document, self._reading.spec.folder)
        if bred is None:
            return None
        self._records += [each.catlet for each in bred.pedigree.documents]
        self._values = self._values_of(bred)
        # What is wrong with the values is reported by the stage that binds them.
        with_values = pipeline.with_values(bred, self._values).value
        if with_values is not None:
            self._records.append(with_values.catlet)
        return bred

    def _bred_of(self, document: Document, folder: Path) -> Bred | None:
        chain = self._take(self._workspace.pools.chain(folder))
        if chain is None:
            return None
        if self._workspace.noting:
            chain = chain.listening()
        self._chain = chain
        if self._workspace.pools.has_remote:
            from eryphc.passes.naming import names_in

            names = names_in(document.catlet).value or ()
            self._workspace.pools.acquire(names, chain)
            overheard = self._workspace.overheard()
            self._found += overheard
            # What is wrong with a store or a login now need not be so the next time.
            self._lasting = self._lasting and not overheard
        return self._take(pipeline.to_bred(document, chain, self._workspace.memory))

    def _values_of(self, bred: Bred) -> Mapping[str, str]:
        """What this catlet is given, by the request, the environment, or a person."""
        variables = bred.catlet.variables or ()
        names = {(variable.name or "").lower(): variable.name or "" for variable in variables}
        self._outside = {name.lower(): place for name, place in self._request.value_places.items()}
        self._declared = frozenset(names)
        values = dict(self._request.values)
        if self._request.other_values:
            values = {name: text for name, text in values.items() if name.lower() in names}
        given = {name.lower() for name in values}
        for name, text in self._workspace.values.items():
            if name.lower() in names and name.lower() not in given:
                values[names[name.lower()]] = text
                given.add(name.lower())
                self._outside[name.lower()] = Outside(f"`{VARIABLE_PREFIX}{name}`")
        if self._ask is not None and not _is_partial(bred):
            given |= self._left_open()
            for variable in variables:
                name = variable.name or ""
                if variable.required and blank(variable.value) and name.lower() not in given:
                    answer = self._ask(name, bool(variable.secret))
                    if answer is not None:
                        values[name] = answer
                        self._lasting = False
        lower = {name.lower(): text for name, text in values.items()}
        self._given = {name: lower.get(name) for name in names}
        return values

    def _left_open(self) -> set[str]:
        """The variables that a deployment supplies: the user is not asked for their values."""
        return {
            name.lower()
            for definition in map(definition_of, Target)
            if definition.left_open is not None
            for name in definition.left_open(self._request.options_of(definition.options))
        }

    def _with_values(self, bred: Bred) -> Catlet | None:
        """The catlet before substitution, with the values in its variables."""
        with_values = self._take(pipeline.with_values(bred, self._values, self._outside))
        return None if with_values is None else with_values.catlet

    def _fed_of(self, bred: Bred) -> Fed | None:
        memory = self._workspace.memory
        fed = self._take(pipeline.to_fed(bred, self._chain, self._request, memory))
        if fed is not None:
            self._records.append(fed.catlet)
            self._fed = fed
        return fed

    def _substituted(self, fed: Fed, values: Mapping[str, str]) -> Substituted | None:
        done = self._take(
            pipeline.to_substituted(fed, values, self._request, outside=self._outside)
        )
        if done is not None:
            self._records.append(done.catlet)
        return done

    def _guest(self, done: Substituted) -> GuestDocument | None:
        from eryphc.guest.compose import compose
        from eryphc.guest.request import guest_request

        catlet_id = pipeline.catlet_id_of(done.catlet, self._request)
        asked, notes = guest_request(
            done, catlet_id, self._guest_options(), self._agent_sources(done.pedigree)
        )
        self._note_misfit(notes)
        self._found += notes
        return self._take(compose(asked, self._workspace.reader))

    # --- targets -----------------------------------------------------------------------------

    def judged(self, fed: Fed, target: Target) -> GuestRequest | None:
        """Find all that building a target would report; gives what it asks of the guest.

        Stand-ins take the place of values that are required and missing, and what is found about
        one is left out. None where an error ended the search early.
        """
        before = len(self._found)
        planned = self._planned(fed, target, stand_in=True)
        found = self._found[before:]
        if self._prepared and any(each.code == VALUE_STOOD_IN for each in found):
            from eryphc.guest.values.places import without_stand_ins

            fodder = self._prepared[-1][1].catlet.catlet.fodder or ()
            self._found[before:] = without_stand_ins(found, fodder)
        return None if planned is None else planned[1].request

    def emitted(
        self, fed: Fed, target: Target
    ) -> tuple[Mapping[str, ArtifactFile], Manifest] | None:
        """The files of a target and what its manifest says; None after errors.

        Forgets what other targets have found: a fault for one target does not stop another.
        """
        del self._found[self._shared :], self._details[:], self._prepared[:]
        self._failure = None
        planned = self._planned(fed, target)
        if planned is None or has_errors(self._counted().diagnostics):
            return None
        backend, inputs, plan = planned
        files = backend.emit(plan)
        if backend.conversions is not None:
            images = self._converted(backend.conversions(plan))
            if images is None:
                return None
            files = {**files, **images}
        return files, pipeline.manifest_of(inputs, target)

    def facts(self, fed: Fed, target: Target) -> BuildFacts | None:
        """What the target that was emitted last was made of; None where none was."""
        from eryphc.provenance.gathering import facts_of

        known = self._known(fed, target)
        return None if known is None else facts_of(known)

    def noted(self, fed: Fed, target: Target) -> Noted | None:
        """What was read for the target that was emitted last. Call `facts` before.

        None where not all of it is known or lasts, and where a secret has a value.
        """
        from eryphc.genepool.noting import consulted
        from eryphc.provenance.gathering import holds_secrets

        known = self._known(fed, target)
        if known is None or self._chain.asked is None or not self._lasting:
            return None
        opening = self._workspace.pools.opening(known.spec.folder)
        found = consulted(self._chain, sorted(self._chain.asked))
        if opening is None or found is None or holds_secrets(known):
            return None
        found.reads.take(opening)
        disks = self._noted_disks(known.inputs)
        if not found.reads.whole or disks is None:
            return None
        values = {name: text_note(text) for name, text in self._given.items()}
        return Noted(found.reads.notes, found.lock, values, disks)

    def _noted_disks(self, inputs: TargetInput[Any]) -> Mapping[str, DiskNote] | None:
        """The disk images that were read; None where one is none."""
        from eryphc.ir.volume import DiskImage

        found: dict[str, DiskNote] = {}
        for path, image in inputs.disks.items():
            state = self._disk_states.get(path)
            if state is None or not isinstance(image, DiskImage):
                return None
            found[str(path.absolute())] = disk_note(state, image.sha256)
        return found

    def _known(self, fed: Fed, target: Target) -> Known | None:
        """All about the target that was emitted last; None where none was."""
        from eryphc.genepool.listing import licenses_of
        from eryphc.provenance.gathering import Known

        if self._reading is None or not self._prepared:
            return None
        spec, pools = self._reading.spec, self._workspace.pools
        path = pools.lock_path(spec.folder)
        return Known(
            request=self._request,
            target=target,
            spec=spec,
            project=self._project(),
            lock=pools.lock(path).value if pools.has_lock(path) else None,
            values=self._values,
            fed=fed,
            inputs=self._prepared[-1][1],
            find=self._chain.find,
            licenses=licenses_of,
        )

    def _converted(self, wanted: Iterable[Conversion]) -> Mapping[str, ArtifactFile] | None:
        """The converted images as files of the target; None after the first fault."""
        from eryphc.artifacts.copies import FileCopy
        from eryphc.artifacts.file import ArtifactFile
        from eryphc.volumes.faults import VolumeError

        images: dict[str, ArtifactFile] = {}
        for each in wanted:
            try:
                content = FileCopy(self._workspace.converted(each))
            except VolumeError as error:
                self._found.append(error.diagnostic)
                self._failure = Failure.OUTSIDE if error.outside else None
                return None
            images[each.path] = ArtifactFile(content=content, media_type=each.media_type)
        return images

    def _planned(
        self, fed: Fed, target: Target, *, stand_in: bool = False
    ) -> tuple[Backend[Any, Any], TargetInput[Any], Any] | None:
        """The backend of a target, what it was given, and its plan; None after errors."""
        definition = definition_of(target)
        backend = definition.backend()
        epoch = self._epoch()
        if epoch is None:
            return None
        project = self._project()
        options = self._request.options_of(definition.options)
        inputs = self._take(
            pipeline.prepare(
                fed,
                self._values,
                self._request,
                backend,
                options=options,
                settings=None
                if project is None or definition.section_name is None
                else project.sections.get(definition.section_name),
                guest=self._guest_options(),
                sources=self._agent_sources(fed.pedigree),
                epoch=epoch,
                reader=self._workspace.reader,
                outside=self._outside,
                stand_in=stand_in,
            )
        )
        self._note_misfit(self._found)
        if inputs is None:
            return None
        self._records.append(inputs.catlet.catlet)
        if backend.disk_files is not None:
            read = self._workspace.disks
            paths = backend.disk_files(inputs.catlet, options)
            if self._workspace.noting:
                # Before they are read: a change meanwhile is one that a later look finds.
                self._disk_states |= {path: disk_state(path) for path in paths}
            hashed = backend.hashed_formats
            inputs = inputs._replace(disks={path: read(path, hashed) for path in paths})
            self._found += self._other_disks(fed, inputs.disks)
        if backend.reports_losses and definition.losses is not None:
            find, secrets = definition.losses(), Secrets(self._records)
            inputs = inputs._replace(losses=find(inputs, secrets, self._lasting_name()))
        self._prepared.append((definition, inputs))
        plan = self._take(backend.plan(inputs))
        if plan is not None and backend.details is not None:
            self._details += backend.details(plan)
        return None if plan is None else (backend, inputs, plan)

    def _other_disks(self, fed: Fed, disks: Mapping[Path, Any]) -> Iterable[Diagnostic]:
        """Disk files of pools that are not those that the lock pins."""
        if self._reading is None or not disks:
            return ()
        lock = self._workspace.pools.lock_of(self._reading.spec.folder)
        if lock is None:
            return ()
        from eryphc.project.disks import other_disks

        return other_disks(lock, fed.genes, disks)

    def _lasting_name(self) -> str:
        """What artifacts call the specification: the same on every machine, from every folder."""
        return "" if self._reading is None else lasting_name(self._reading.spec, self._project())

    def _project(self) -> Project | None:
        return None if self._reading is None else self._workspace.project(self._reading.spec.folder)

    def _epoch(self) -> int | None:
        from eryphc.artifacts.epoch import EPOCH_VARIABLE, EpochSource, resolve_epoch

        project = self._project()
        asked = self._request.epoch
        return self._take(
            resolve_epoch(
                option=None if asked is None else str(asked),
                project=None
                if project is None
                else EpochSource(name="epoch", value=project.epoch, span=project.at("epoch")),
                environment=self._workspace.environment.get(EPOCH_VARIABLE) or None,
            )
        )

    def _guest_options(self) -> GuestOptions:
        """The request's, with what the project and the gene set of the spec say."""
        from eryphc.guest.model import GuestKind

        options = self._request.guest
        if options.kind is not None or self._reading is None:
            return options
        project = self._project()
        word = project.guest if project is not None else None
        if not word and self._reading.spec.os_type in tuple(GuestKind):
            word = self._reading.spec.os_type
        return options if not word else options._replace(kind=GuestKind(word))

    def _agent_sources(self, pedigree: Pedigree) -> AgentSources:
        """What the project and the gene sets of the pedigree say of the guest's agent."""
        from eryphc.genepool.described import set_metadata
        from eryphc.guest.agents import AgentSources, Base
        from eryphc.syntax.identifiers import parse_gene_set
        from eryphc.syntax.names import NameFault

        bases: list[Base] = []
        if self._reading is not None and self._reading.spec.metadata:
            bases.append(Base("", self._reading.spec.metadata))
        own = pedigree.documents[0].catlet.parent
        names = [each.geneset for each in pedigree.documents[1:] if each.geneset is not None]
        if not names and own is not None and not blank(own):
            parsed = parse_gene_set(own)
            names = [] if isinstance(parsed, NameFault) else [parsed]
        for name in names:
            found = self._chain.find(name)
            if found is not None and found.value is not None:
                tag = found.value
                of_set = set_metadata(tag)
                bases.append(Base(str(name), FrozenMap(tag.manifest.metadata), FrozenMap(of_set)))
        project = self._project()
        words = FrozenMap(
            (name.lower(), word)
            for name, word in (() if project is None else project.guest_agent or ())
        )
        return AgentSources(words, tuple(bases), several=self._request.other_values)

    def _note_misfit(self, found: Iterable[Diagnostic]) -> None:
        """An agent that does not run in the guest is a fault of the command line."""
        found = tuple(found)
        if not has_errors(found):
            return
        from eryphc.diagnostics.platforms import AGENT_OF_ANOTHER_GUEST

        if any(each.code == AGENT_OF_ANOTHER_GUEST for each in found):
            self._failure = Failure.USAGE


def shown(found: Sequence[Diagnostic], records: Iterable[Record]) -> tuple[ShownDiagnostic, ...]:
    """Diagnostics as they leave: without secrets, and without those that only repeat another."""
    # Most specifications have nothing to be said of.
    return show(without_echoes(found), Secrets(records)) if found else ()


def _is_partial(bred: Bred) -> bool:
    """Whether a value of the author's document could not be read."""
    return bred.pedigree.documents[0].partial


def _document_of_gene(text: str, values: Mapping[str, str]) -> Outcome[Document]:
    """A catlet that feeds on one gene and binds the values to it, as if an author wrote that."""
    from eryphc.diagnostics import command
    from eryphc.syntax.identifiers import parse_gene, parse_set_source
    from eryphc.syntax.names import NameFault

    parsed = parse_gene(text)
    if isinstance(parsed, NameFault) and parse_set_source(text) is None:
        return Outcome(None, (command.gene_unknown(text, parsed.message),))
    source = SourceText("<command line>", text, regions=())
    whole, given = Span(source, 0, len(text)), placeless(Step.GIVEN)
    bound: Places = {"": whole, "name": given, "value": given}
    reference = Fodder(
        source=text,
        variables=tuple(
            Variable(name=name, value=value, places=bound) for name, value in values.items()
        ),
        places={"": whole, "source": whole, "variables": given},
    )
    places: Places = {"": whole, "name": DEFAULTED, "fodder": DEFAULTED}
    catlet = Catlet(name="gene", fodder=(reference,), places=places)
    return Outcome(Document(catlet=catlet, source=source, depth=0))
