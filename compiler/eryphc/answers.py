"""What a session answers: plain results, which hold no secret where a program prints them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from eryphc.diagnostics.shown import ShownDiagnostic, ordered
from eryphc.errors import Failure, failure_of
from eryphc.frozen import NamedTuple

if TYPE_CHECKING:
    from eryphc.artifacts.file import ArtifactFile, WrittenFile
    from eryphc.artifacts.manifest import Manifest
    from eryphc.diagnostics.levels import LevelPolicy
    from eryphc.diagnostics.losses import Loss
    from eryphc.diagnostics.model import Diagnostic
    from eryphc.guest.document import GuestDocument
    from eryphc.ir.catlet import Catlet, Record
    from eryphc.ir.stages import Document, PinnedGene
    from eryphc.project.specs import Spec
    from eryphc.provenance.facts import BuildFacts
    from eryphc.reads import Noted
    from eryphc.request import BuildRequest
    from eryphc.source import SourceText, Span
    from eryphc.targets import Target


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


class Reading(NamedTuple):
    """A specification that could be read: its text and its record, which may hold secrets.

    `name` is the normalised name of its catlet.
    """

    name: str
    spec: Spec
    document: Document


class ReadSpec(Result):
    """A specification as read, before anything was looked up for it.

    `name` is the normalised name of its catlet, None where the document could not be read. Hand
    it to the other calls of the session instead of the specification, and it is not read again.
    """

    def __init__(
        self,
        source: str,
        request: BuildRequest,
        reading: Reading | None,
        found: tuple[Diagnostic, ...],
        shown: Iterable[ShownDiagnostic],
        failure: Failure | None = None,
    ) -> None:
        super().__init__(shown, failure)
        self.source = source
        self.request = request
        self.name = None if reading is None else reading.name
        self._reading = reading
        self._found = found


def reading_of(read: ReadSpec) -> Reading | None:
    """What the calls of a session go on with. It is not public: its secrets are not hidden yet."""
    return read._reading


def findings_in(read: ReadSpec) -> tuple[Diagnostic, ...]:
    """What reading found, with its secrets."""
    return read._found


class GivenAddress(NamedTuple):
    """A MAC address that a catlet gives to one of its adapters, and where; None: not known.

    `levels` are those of the catlet's project; None where an answer was kept from before.
    """

    address: str
    catlet: str
    adapter: str
    span: Span | None = None
    levels: LevelPolicy | None = None


def address_warnings(addresses: Iterable[GivenAddress]) -> tuple[Diagnostic, ...]:
    """Warnings for addresses that several catlets of one run give."""
    from eryphc.diagnostics.guest import address_in_two_specs
    from eryphc.diagnostics.said import named

    first: dict[str, GivenAddress] = {}
    found: list[Diagnostic] = []
    for each in addresses:
        before = first.setdefault(each.address.lower(), each)
        if before.catlet != each.catlet:
            names = (named(before.catlet, before.span), named(each.catlet, each.span))
            address = named(each.address.lower(), each.span)
            warning = address_in_two_specs(address, names, each.span, before.span)
            found += (
                (warning,) if each.levels is None else each.levels.applied((warning,)).diagnostics
            )
    return tuple(found)


class Report(NamedTuple):
    """What a compilation tells of itself in each of its answers. It holds no secret.

    `name` is that of the catlet, `declared`, `sources` and `details` are as `Checked` has them,
    `genes` is the closure as far as it is known.
    """

    diagnostics: tuple[ShownDiagnostic, ...]
    failure: Failure | None
    name: str
    declared: frozenset[str]
    sources: tuple[str, ...]
    genes: tuple[PinnedGene, ...]
    details: tuple[str, ...] = ()
    addresses: tuple[GivenAddress, ...] = ()


class Comments(NamedTuple):
    """The documents of one answer that have comments for this tool.

    `used` are the comments that silence something, `kinds` what was looked for, for each target.
    `levels` and `records` are what findings about the comments are shown with.
    """

    sources: tuple[SourceText, ...]
    levels: LevelPolicy
    used: frozenset[tuple[str, int]]
    kinds: frozenset[str]
    records: tuple[Record, ...]


class Checked(Result):
    """What is wrong with a specification, and the documents that it was made of.

    `declared` are the names of the catlet's variables in lower case, `sources` each gene set of the
    closure with the folder that it came from. `details` are facts that the targets tell of what
    they made, such as the sizes of user-data. `addresses` are those that the catlet gives to its
    adapters, for `Session.shared_addresses`. `losses` is what each target cannot express of what
    the catlet and the options ask for, where it was asked for.
    """

    def __init__(
        self,
        report: Report,
        comments: Comments | None = None,
        losses: tuple[Loss, ...] = (),
    ) -> None:
        super().__init__(report.diagnostics, report.failure)
        self.declared = report.declared
        self.sources = report.sources
        self.details = report.details
        self.losses = losses
        self.addresses = report.addresses
        self._comments = comments


def comments_in(checked: Checked) -> Comments | None:
    """What `Session.unused_comments` judges. Its secrets are not hidden yet."""
    return checked._comments


class Expanded(Checked):
    """The effective catlet at one stage. `genes` is the closure, by type and id, once it is fed."""

    def __init__(self, report: Report, catlet: Catlet | None) -> None:
        super().__init__(report)
        self.name = report.name
        self.genes = report.genes if self.ok else ()
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

    def __init__(self, report: Report, catlet: Catlet | None, guest: GuestDocument | None) -> None:
        super().__init__(report, catlet)
        self.guest = guest if self.ok else None

    @property
    def catlet(self) -> dict[str, Any] | None:
        """The effective catlet as plain data, without secrets."""
        return self.data()


class Built(Checked):
    """The files of one target, by path; nothing is on disk. There are none after an error.

    `facts` are what they were made of, where they were asked for. `noted` is what was read for
    them; None where that is not known, or where a secret went into them.
    """

    def __init__(
        self,
        report: Report,
        target: Target,
        made: tuple[Mapping[str, ArtifactFile], Manifest] | None,
        facts: BuildFacts | None = None,
        noted: Noted | None = None,
    ) -> None:
        super().__init__(report)
        self.name = report.name
        self.target = target
        self.files: Mapping[str, ArtifactFile] = {}
        self.manifest: Manifest | None = None
        self.facts = facts if self.ok else None
        self.noted = noted if self.ok else None
        if made is not None and self.ok:
            self.files, self.manifest = made
            # What a cache gives was not compiled.
            self.addresses = self.addresses or tuple(
                GivenAddress(adapter.mac_address, self.name, adapter.name)
                for adapter in self.manifest.network_adapters
            )

    def write(self, folder: str | os.PathLike[str]) -> tuple[WrittenFile, ...]:
        """Write the files and `manifest.json` as the folder of the target; gives them by path.

        The folder is replaced as a whole or not at all, and only if this tool wrote it. Raises
        `EryphcError`, also for a build that failed.
        """
        from eryphc.outputs import Outputs

        with Outputs() as outputs:
            written = outputs.stage(folder, self)
            outputs.commit()
        return written
