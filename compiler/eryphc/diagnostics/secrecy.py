"""What may be shown of documents, decided once: when diagnostics are handed out.

The rule: a message shows no line and no word of these: the value of a secret variable, a value that
a reference binds to one, and a document, record or value that could not be read. Of secret fodder
it shows no line, only the names of keys and the identities of entries, but no identity that the
value of a secret variable made. All else is public.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.said import HIDDEN, Kind, Own, Phrase, Said, named
from eryphc.identifiers import GeneId, GeneSetId
from eryphc.ir.catlet import Catlet, Fodder, FodderGene, Record
from eryphc.ir.content import Content, Substituted
from eryphc.origin import Origin, Step
from eryphc.source import Region, Secrecy, SourceText, Span

HIDDEN_SET: Final = GeneSetId(HIDDEN, HIDDEN, HIDDEN)
_Stretches: TypeAlias = dict[Secrecy, tuple[list[int], list[int]]]


class Secrets:
    """The secrets in the documents of `records`, and in documents that were not read.

    Each document says what is secret in it (`SourceText.regions`). The records add what one
    document says of another: which bindings are public, whose variables are secret, and where the
    values of these were put.
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        # By the identity of a text, which `_stretches` and the spans keep alive.
        self._more: dict[int, set[Region]] = {}
        self._stretches: dict[int, tuple[SourceText, _Stretches]] = {}
        self._public: set[Span] = set()
        self._references: dict[int, list[Span]] = {}
        known = [each for each in records if isinstance(each, (Catlet, FodderGene))]
        names = {
            (variable.name or "").lower()
            for record in known
            if isinstance(record, Catlet)
            for variable in record.variables or ()
            if variable.secret
        }
        closed: set[Span] = set()
        for record in known:
            for variable in record.variables or ():
                named = isinstance(record, Catlet) and (variable.name or "").lower() in names
                if variable.secret or named:
                    self._close(variable.place("value"))
            for fodder in record.fodder or ():
                self._note(fodder, closed)
        self._public -= closed

    def _note(self, fodder: Fodder, closed: set[Span]) -> None:
        fed = fodder.document is not None and fodder.document.step is Step.FED
        for variable in fodder.variables or ():
            span = variable.place("value")
            if span is None:
                continue
            if variable.secret:
                closed.add(span)
                self._close(span)
            elif fed:
                self._public.add(span)
        if fodder.content is not None:
            if fodder.secret:
                self._close(fodder.content.whole, Secrecy.FODDER)
                self._close(fodder.place("content"), Secrecy.FODDER)
            for span in _secret_insertions(fodder.content):
                self._close(span)
                self._references.setdefault(id(span.source), []).append(span)

    def _close(self, span: Span | None, secrecy: Secrecy = Secrecy.CLOSED) -> None:
        if span is not None:
            region = Region(span.start, span.end, secrecy)
            self._more.setdefault(id(span.source), set()).add(region)

    def _hiding(self, source: SourceText, start: int, end: int) -> set[Secrecy]:
        """The secrecy of every region that the stretch lies in, or touches with a character."""
        known = self._stretches.get(id(source))
        if known is None:
            known = self._stretches[id(source)] = (source, self._stretches_of(source))
        end = max(end, start + 1)
        found: set[Secrecy] = set()
        for secrecy, (starts, ends) in known[1].items():
            at = bisect_left(starts, end) - 1
            if at >= 0 and ends[at] > start:
                found.add(secrecy)
        return found

    def _stretches_of(self, source: SourceText) -> _Stretches:
        """Of each secrecy the starts and ends of its stretches, which do not overlap."""
        found: _Stretches = {}
        public = sorted(span.start for span in self._public if span.source is source)
        regions = (*(source.regions or ()), *self._more.get(id(source), ()))
        for start, end, secrecy in sorted(regions, key=lambda region: region[:2]):
            if secrecy is Secrecy.BINDING:
                at = bisect_left(public, start)
                if at < len(public) and public[at] <= end:
                    continue
            starts, ends = found.setdefault(secrecy, ([], []))
            if ends and start <= ends[-1]:
                ends[-1] = max(ends[-1], end)
            else:
                starts.append(start)
                ends.append(end)
        return found

    # --- what may be shown -------------------------------------------------------------------

    def shows_line(self, span: Span) -> bool:
        """Whether the line of a place may be shown."""
        source = span.source
        if source.regions is None:
            return False
        start = source.line_start(span.line)
        return not self._hiding(source, start, start + len(source.line(span.line)))

    def shows(self, said: Said, place: Span | None) -> bool:
        """Whether these words may be shown in a diagnostic about `place`."""
        if said.secret:
            return False
        span = said.span or place
        if span is None or not span.source.text:
            return True
        if span.source.regions is None:
            return False
        hiding = self._hiding(span.source, span.start, span.end)
        if said.kind is Kind.NAME:
            hiding.discard(Secrecy.FODDER)
        return not hiding

    def _reference(self, said: Said) -> str | None:
        """What the author wrote instead of words that a variable made: `{{ name }}`."""
        span = said.span
        if span is None or said.secret or str(said) != HIDDEN:
            return None
        written = span.text.strip("\"'")
        for reference in self._references.get(id(span.source), ()):
            if span.start <= reference.start <= span.end and reference.text == written:
                return written
        return None

    def formed(self, diagnostic: Diagnostic) -> Diagnostic:
        """The diagnostic with its words, as far as they may be shown."""
        form = diagnostic.form
        if form is None:
            return diagnostic
        place = diagnostic.primary.span if diagnostic.primary is not None else None
        again = self._formed_at(diagnostic, place)
        count = len(diagnostic.related) - len(again.related)
        return diagnostic._replace(
            message=again.message,
            primary=again.primary,
            related=(*diagnostic.related[:count], *again.related),
            notes=again.notes,
            help=again.help,
            form=None,
        )

    def _formed_at(self, diagnostic: Diagnostic, place: Span | None) -> Diagnostic:
        form = diagnostic.form
        if form is None:
            return diagnostic
        return form.function(
            *(self.opened(each, place) for each in form.arguments),
            **{name: self.opened(each, place) for name, each in form.options.items()},
        )

    def opened(self, argument: Any, place: Span | None) -> Any:
        kind = type(argument)
        if kind is Said:
            if self.shows(argument, place):
                return argument.words
            return self._reference(argument) or str(argument)
        if kind is Phrase:
            return "".join(self.opened(part, place) for part in argument.parts)
        if kind is Own:
            return str(argument)
        if kind is str:
            return self.opened(Said(argument), place)
        if kind is tuple or kind is list:
            return kind(self.opened(each, place) for each in argument)
        if kind is GeneSetId or kind is GeneId:
            # An alias may have made an identifier of a secret.
            hidden = HIDDEN_SET if kind is GeneSetId else GeneId(HIDDEN_SET, HIDDEN)
            return argument if self.shows(named(str(argument)), place) else hidden
        if kind is Diagnostic:
            # A finding in a text inside the document is judged where it stands in the document.
            return self._formed_at(argument, place)
        return argument


class _Public(Secrets):
    """Shows everything."""

    def shows(self, said: Said, place: Span | None) -> bool:  # noqa: ARG002
        return True

    def shows_line(self, span: Span) -> bool:  # noqa: ARG002
        return True


EVERYTHING_PUBLIC = _Public()
"""Tells one finding from another by all of its words. Nothing is handed out with it."""
NOTHING_KNOWN = Secrets()
"""Of diagnostics that are handed out before any document was read."""


def _is_stand_in(origin: Origin) -> bool:
    """Whether a text is a stand-in for a value that only the deployment knows."""
    return any(each.step is Step.STAND_IN for each in origin.chain())


def _secret_insertions(content: Content) -> Iterator[Span]:
    """The places that values of secret variables replaced, in the author's document."""
    origin = content.origin
    while isinstance(origin, Substituted):
        for each in origin.insertions:
            value = each.value
            if value is not None and (value.secret or _is_stand_in(value)):
                yield origin.base.span(each.old_start, each.old_end)
        origin = origin.base.origin
