"""What a finding counts as: choices, comments in documents, and who may silence what."""

from __future__ import annotations

import pytest

from eryphc.diagnostics import cloudconfig, cloudconfig_lint, guest, hyperv, pools
from eryphc.diagnostics.allowances import MOST_NAMES, comments_of
from eryphc.diagnostics.codes import Refused
from eryphc.diagnostics.findings import MOST
from eryphc.diagnostics.levels import (
    Choice,
    LevelPolicy,
    choices,
    chosen,
)
from eryphc.diagnostics.model import Code, Diagnostic, Label, Level, is_blocked
from eryphc.source import SourceText, Span
from saying import said

TMP = cloudconfig_lint.FILE_IN_TMP
OVERRIDDEN = cloudconfig.VALUE_OVERRIDDEN


def found(
    source: SourceText,
    word: str = "HERE",
    code: Code = TMP,
    level: Level = Level.WARNING,
    related: tuple[Label, ...] = (),
) -> Diagnostic:
    start = source.text.index(word)
    place = Label(Span(source, start, start + len(word)))
    return Diagnostic(code=code, level=level, message="m", primary=place, related=related)


def text(body: str, name: str = "spec.yaml") -> SourceText:
    return SourceText(name, body)


def levels(policy: LevelPolicy, *diagnostics: Diagnostic) -> list[Level]:
    return [each.level for each in policy.applied(diagnostics).diagnostics]


class TestChoices:
    @pytest.mark.parametrize(
        ("choice", "level", "expected"),
        [
            pytest.param(Choice.ALLOW, Level.WARNING, [], id="allowed"),
            pytest.param(Choice.ALLOW, Level.NOTE, [], id="an allowed note"),
            pytest.param(Choice.WARN, Level.NOTE, [Level.WARNING], id="a note is raised"),
            pytest.param(Choice.DENY, Level.NOTE, [Level.ERROR], id="a note is denied"),
            pytest.param(Choice.DENY, Level.WARNING, [Level.ERROR], id="a warning is denied"),
        ],
    )
    def test_levels(self, choice: Choice, level: Level, expected: list[Level]) -> None:
        policy = LevelPolicy({TMP.number: choice})
        assert levels(policy, found(text("HERE"), level=level)) == expected
        others = found(text("HERE"), code=guest.FODDER_EMPTY, level=level)
        assert levels(policy, others) == [level]

    def test_the_command_line_is_heard_before_the_project(self) -> None:
        policy = LevelPolicy({TMP.number: Choice.WARN}, {TMP.number: Choice.DENY})
        assert levels(policy, found(text("HERE"))) == [Level.WARNING]
        assert levels(policy._replace(asked={}), found(text("HERE"))) == [Level.ERROR]

    def test_of_two_choices_the_graver_holds(self) -> None:
        said = [(Choice.DENY, ("W1",)), (Choice.WARN, ("W1", "W2")), (Choice.ALLOW, ("W2",))]
        assert choices(said) == {"W1": Choice.DENY, "W2": Choice.WARN}

    @pytest.mark.parametrize("choice", [Choice.ALLOW, Choice.WARN])
    def test_a_hard_error_stays(self, choice: Choice) -> None:
        policy = LevelPolicy({pools.GENE_NOT_FOUND.number: choice})
        error = found(text("HERE"), code=pools.GENE_NOT_FOUND, level=Level.ERROR)
        assert levels(policy, error) == [Level.ERROR]

    def test_a_soft_error_does_not(self) -> None:
        error = found(text("HERE"), code=hyperv.LINUX_SECURE_BOOT, level=Level.ERROR)
        assert not is_blocked([error])
        assert levels(LevelPolicy({error.code.number: Choice.WARN}), error) == [Level.WARNING]
        assert levels(LevelPolicy({error.code.number: Choice.ALLOW}), error) == []

    def test_a_kind_that_is_not_always_an_error(self) -> None:
        number = cloudconfig.UNREADABLE.number
        policy = LevelPolicy({number: Choice.ALLOW})
        warning = found(text("HERE"), code=cloudconfig.UNREADABLE, level=Level.WARNING)
        assert levels(policy, warning, warning._replace(level=Level.ERROR)) == [Level.ERROR]


class TestWords:
    @pytest.mark.parametrize("word", ["W0509", "n0509", "value-overridden", "Value-Overridden"])
    def test_a_kind_has_many_words(self, word: str) -> None:
        assert chosen(word, Choice.ALLOW) == "W0509"

    def test_an_unknown_word(self) -> None:
        refused = chosen("value-overriden", Choice.DENY)
        assert refused == Refused(
            "`value-overriden` is neither the code nor the name of a diagnostic",
            "did you mean `value-overridden`?",
        )

    def test_what_cannot_be_lowered_may_be_denied(self) -> None:
        assert isinstance(chosen("E0301", Choice.ALLOW), Refused)
        assert isinstance(chosen("gene-not-found", Choice.WARN), Refused)
        assert chosen("E0301", Choice.DENY) == "E0301"


class TestComments:
    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("HERE # eryphc: allow file-in-tmp -- why", id="on the line"),
            pytest.param("# eryphc: allow file-in-tmp -- why\nHERE", id="on the line above"),
            pytest.param("a:\n  |\n  #eryphc: allow W0534 -- why\n  HERE", id="inside content"),
            pytest.param("# eryphc: allow key-unknown,  W0534 -- why\nHERE", id="one of two"),
            pytest.param(
                "# eryphc: allow W0534 -- why\n  # eryphc: allow W0522 -- why\nHERE",
                id="above another comment",
            ),
            pytest.param("# eryphc: allow W0534 -- why\r\nHERE\r\n", id="CR LF"),
        ],
    )
    def test_covers(self, body: str) -> None:
        applied = LevelPolicy().applied([found(text(body))])
        assert applied.diagnostics == ()
        assert len(applied.used) == 1

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("# eryphc: allow W0534 -- why\n\nHERE", id="two lines above"),
            pytest.param("HERE\n# eryphc: allow W0534 -- why", id="below"),
            pytest.param("# eryphc: allow W0522 -- why\nHERE", id="another kind"),
            pytest.param("# eryphc: allow W0534\nHERE", id="without a reason"),
            pytest.param("# eryphc: allow W0534 --\nHERE", id="an empty reason"),
            pytest.param("# eryphc: allowed W0534 -- why\nHERE", id="another word"),
            pytest.param("a#eryphc: allow W0534 -- why\nHERE", id="no comment in YAML"),
        ],
    )
    def test_does_not_cover(self, body: str) -> None:
        assert levels(LevelPolicy(), found(text(body))) == [Level.WARNING]

    def test_json_has_no_comments(self) -> None:
        body = '{"a": "x # eryphc: allow W0534 -- why", "b": "HERE"}'
        assert levels(LevelPolicy(), found(text(body, "spec.json"))) == [Level.WARNING]

    def test_a_finding_elsewhere_or_nowhere(self) -> None:
        body = "# eryphc: allow W0534 -- why\nHERE"
        nowhere = found(text(body))._replace(primary=None)
        assert levels(LevelPolicy(), nowhere) == [Level.WARNING]

    @pytest.mark.parametrize("choice", [Choice.WARN, Choice.DENY])
    def test_a_comment_is_heard_last(self, choice: Choice) -> None:
        source = text("# eryphc: allow W0534 -- why\nHERE")
        policy = LevelPolicy(project={TMP.number: choice})
        applied = policy.applied([found(source)])
        assert len(applied.diagnostics) == 1
        # There is something that it would silence.
        assert policy.unused([source], applied.used, {TMP.number}) == ()

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("# eryphc: allow W0534", "this comment gives no reason, so it silences nothing"),
            ("# eryphc: allow -- why", "this comment names nothing that it silences"),
            ("# eryphc: deny W0534 -- why", "a comment for eryphc begins with `eryphc: allow`"),
            (
                "# eryphc: allow nope -- why",
                "`nope` is neither the code nor the name of a diagnostic",
            ),
            (
                "# eryphc: allow gene-not-found -- why",
                "`gene-not-found` is an error that no comment silences",
            ),
        ],
    )
    def test_malformed(self, body: str, message: str) -> None:
        (fault,) = LevelPolicy().malformed([text(body)])
        assert (fault.code.number, said(fault).message) == ("W0920", message)

    def test_what_is_known_beside_what_is_not(self) -> None:
        source = text("# eryphc: allow nope, W0534 -- why\nHERE")
        assert levels(LevelPolicy(), found(source)) == []
        assert len(LevelPolicy().malformed([source])) == 1

    def test_unused(self) -> None:
        source = text("# eryphc: allow W0534, W0522 -- why\nHERE")
        policy = LevelPolicy()
        used = policy.applied([found(source)]).used
        (unused,) = policy.unused([source], used, {"W0534", "W0522"})
        assert unused.code.number == "W0921"
        assert unused.primary is not None
        assert unused.primary.span.text == "W0522"
        # The rule did not run, so it may have something to say elsewhere.
        assert policy.unused([source], used, {"W0534"}) == ()


class TestForeignGenes:
    """A gene outside the project silences what is said of its own text, and nothing else."""

    POLICY = LevelPolicy(own=lambda name: name == "spec.yaml")
    LEAVES = "# eryphc: allow {} -- why\nHERE\nTHERE"

    @pytest.mark.parametrize(
        ("code", "silenced"),
        [
            pytest.param(cloudconfig.KEY_UNKNOWN, True, id="its own text"),
            pytest.param(cloudconfig_lint.FILE_IN_TMP, False, id="security"),
            pytest.param(guest.INCLUDE_UNPINNED, False, id="security of another kind"),
            pytest.param(OVERRIDDEN, False, id="what others have set"),
            pytest.param(cloudconfig_lint.COMMAND_LEAKS, False, id="commands of others"),
        ],
    )
    def test_covers(self, code: Code, *, silenced: bool) -> None:
        body = self.LEAVES.format(code.name)
        spec = text("source: gene:acme/kit:x", "spec.yaml")
        first = (Label(Span(spec, 0, 5), "set here before"),) if code is OVERRIDDEN else ()
        gene = found(text(body, "gene.yaml"), code=code, related=first)
        assert (levels(self.POLICY, gene) == []) is silenced
        own = found(text(body, "spec.yaml"), code=code, related=first)
        assert levels(self.POLICY, own) == []

    def test_two_places_of_one_gene(self) -> None:
        source = text(self.LEAVES.format("value-overridden"), "gene.yaml")
        there = source.text.index("THERE")
        first = Label(Span(source, there, there + 5), "set here before")
        assert levels(self.POLICY, found(source, code=OVERRIDDEN, related=(first,))) == []

    def test_its_comments_are_its_own_business(self) -> None:
        source = text("# eryphc: allow nope, W0522 -- why\n", "gene.yaml")
        assert self.POLICY.malformed([source]) == ()
        assert self.POLICY.unused([source], (), {"W0522"}) == ()


def test_no_document_has_endless_comments() -> None:
    source = text("# eryphc: allow W0534 -- why\n" * (MOST_NAMES + 2) + "HERE")
    comments = comments_of(source)
    assert len(comments.allowances) == MOST_NAMES
    assert [said(fault).message for fault in comments.faults] == [
        "comments for eryphc name more than 1000 kinds of findings"
    ]
    assert levels(LevelPolicy(), found(source)) == [Level.WARNING]
    long = text("# eryphc: allow " + "W0534," * (MOST_NAMES + 1) + " -- why")
    assert len(comments_of(long).faults) == 1
    many = LevelPolicy().malformed([text("# eryphc: allow nope -- why\n" * MOST_NAMES)])
    assert [each.code.number for each in many] == [*["W0920"] * MOST, "N0102"]


def test_a_comment_on_each_line_is_used_where_the_one_above_would_do() -> None:
    source = text("".join(f"HERE{i} # eryphc: allow {TMP.name} -- x\n" for i in range(3)))
    applied = LevelPolicy().applied(found(source, f"HERE{i}") for i in range(3))
    assert LevelPolicy().unused([source], applied.used, {TMP.number}) == ()


def test_many_findings_beside_many_comments_take_no_square_of_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count = 200
    source = text("".join(f"HERE{i} # eryphc: allow {TMP.name} -- x\n" for i in range(count)))
    places = [Span(source, start, start + 4) for start in map(source.line_start, range(1, 201))]
    findings = [found(source)._replace(primary=Label(place)) for place in places]
    asked: list[int] = []
    position = SourceText.position

    def counted(self: SourceText, offset: int) -> tuple[int, int]:
        asked.append(offset)
        return position(self, offset)

    monkeypatch.setattr(SourceText, "position", counted)
    applied = LevelPolicy().applied(findings)
    assert applied.diagnostics == ()
    assert len(applied.used) == count
    assert len(asked) < 10 * count
