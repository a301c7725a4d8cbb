"""Words of documents cannot get into a message past the decision whether they are shown."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from inspect import getmembers, isfunction
from pathlib import Path
from typing import Any

import pytest

import eryphc
from eryphc import BuildRequest, GuestKind, GuestOptions, Session, Source
from eryphc.diagnostics.model import Code, Diagnostic, finding, wording
from eryphc.diagnostics.said import HIDDEN, Own, Said, joined, named, own
from eryphc.diagnostics.secrecy import NOTHING_KNOWN, Secrets
from eryphc.diagnostics.shown import ShownDiagnostic, show
from eryphc.passes.read import Notation, read_catlet
from eryphc.source import Region, Secrecy, SourceText, Span

pytestmark = pytest.mark.once

COMPILER = Path(eryphc.__file__).parent
# What speaks of catlets and genes. The others speak of the command line, paths and disks alone.
TYPED = (
    "reading",
    "rules",
    "language",
    "cloudconfig",
    "cloudconfig_guest",
    "cloudconfig_lint",
    "guest",
    "values",
    "windows_guest",
    "guest_agents",
    "azure",
)
KEPT = (*TYPED, "pools", "hyperv")
SECRET = "hunter2"  # noqa: S105 - it stands for one
CODE = Code("E9999", "no-such-code")


# --- by type and by default --------------------------------------------------------------------


@pytest.mark.parametrize("name", KEPT)
def test_every_wording_function_keeps_what_it_was_called_with(name: str) -> None:
    module = import_module(f"eryphc.diagnostics.{name}")
    functions = [
        function
        for _, function in getmembers(module, isfunction)
        if function.__module__ == module.__name__
        and function.__annotations__.get("return") == "Diagnostic"
    ]
    assert functions
    assert [each.__name__ for each in functions if not hasattr(each, "__wrapped__")] == []


@pytest.mark.parametrize("name", TYPED)
def test_no_wording_function_takes_plain_text(name: str) -> None:
    module = import_module(f"eryphc.diagnostics.{name}")
    plain = [
        f"{function.__name__}({parameter})"
        for _, function in getmembers(module, isfunction)
        if hasattr(function, "__wrapped__")
        for parameter, annotation in function.__annotations__.items()
        if "str" in annotation.replace("[", " ").replace("]", " ").replace(",", " ").split()
    ]
    assert plain == []


def calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    """The calls of a function in the compiler, with the module that makes them."""
    for path in sorted(COMPILER.rglob("*.py")):
        if path.name == "said.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id == name:
                yield path.relative_to(COMPILER).as_posix(), node


def is_literal(node: ast.expr) -> bool:
    if isinstance(node, ast.IfExp):
        return is_literal(node.body) and is_literal(node.orelse)
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_own_words_are_written_out() -> None:
    others = [
        f"{module}: {ast.unparse(call.args[0])}"
        for module, call in calls("own")
        if not is_literal(call.args[0])
    ]
    assert others == ["diagnostics/allowances.py: UNKNOWN_WORD"]


# Words that are no literals at the call, and are this tool's nevertheless: keys of its tables,
# kinds of nodes and types, sentences of functions that quote nothing.
OWN = {
    "diagnostics/allowances.py": {"refused.help or ''", "kind.name"},
    # Compared with the name of a declared variable.
    "diagnostics/language.py": {"span.text"},
    "guest/archive.py": {
        "'the guest drops it'",
        "'the guest drops the archive'",
        "'the guest would lose all of its user-data'",
        "kind(content)",
        "kind(root)",
        "kind(value)",
        "reason",
    },
    "guest/checks.py": {
        "_FODDER_TYPES[marked]",
        "_WORDS[other]",
        "encoding",
        "known",
        "what",
    },
    "guest/cloudconfig/lint.py": {
        "effect",
        "given[0]",
        "given[1]",
        "key",
        "kind(item)",
        "path",
    },
    "guest/cloudconfig/merge.py": {"key", "kind(new)", "kind(old)", "str(key)"},
    "guest/cloudconfig/consequences.py": {"_taken(row)", "kind(node)", "row.lost", "row.module"},
    "guest/cloudconfig/entry_lint.py": {"expected", "key", "needs", "other", "without"},
    "guest/cloudconfig/saying.py": {"text"},
    "guest/cloudconfig/schema.py": {
        "advice",
        "each.new",
        "each.old",
        "each.version",
        "problem",
        "version",
    },
    "guest/cloudconfig/tree.py": {
        "_short(tag).removeprefix('!!')",
        "kind(built)",
        "kind(root)",
    },
    "guest/agents.py": {"guest.value", "other.value", "reader.word.value", "word.value"},
    "guest/request.py": {"reader.word.value"},
    "guest/egs_lint.py": {"key"},
    "guest/linux_lint.py": {"instead", "key"},
    "guest/network.py": {"OLD_WINDOWS"},
    "guest/network_file.py": {"kind(root)"},
    "guest/network_lint.py": {"label"},
    "guest/platforms.py": {"form.value", "made.form.value", "made.platform.title"},
    "guest/secret_keys.py": {"what"},
    "guest/values/lint.py": {"context.quoting.value", "str(value).lower()"},
    "guest/windows_lint.py": {
        "_IGNORED_BY_ALL.get(piece.media_type, 'parts of this type')",
        "kind(node)",
        "match[1]",
        "parent",
        "wanted",
    },
    "passes/breed.py": {"kind", "str(merged.type)"},
    "passes/check.py": {"key", "label", "other", "rule", "str(drive.type)", "wrong"},
    "passes/check_fodder.py": {"key", "str(variable.type)", "what"},
    "passes/given.py": {"str(variable.type)"},
    "passes/lower.py": {"key", "shape.name"},
    "passes/normalize.py": {"free", "key"},
    "passes/substitute.py": {"kind", "str(variable.type)"},
    "passes/values.py": {"expected", "folded", "key", "name", "number"},
    "targets/losses.py": {"key", "losing.table.target.value", "option", "part", "section"},
    "targets/azure/disks.py": {"help_text", "name", "why"},
    "targets/azure/guest.py": {"fetched", "key", "what"},
    "targets/azure/losses.py": {"answer.size.name"},
    "targets/azure/plan.py": {
        "':'.join(found)",
        "':'.join(offer)",
        "answer.nearest.name",
        "chosen.size.name",
        "date",
        "meant",
        "name",
        "other.name",
        "size.name",
        "size_list().date",
    },
    "targets/user_data/plan.py": {"platform.title"},
    # Words of the parser that quote nothing (`_UNQUOTING`).
    "syntax/yaml_nodes.py": {"text"},
}


def test_other_words_of_this_tool_are_known() -> None:
    found: dict[str, set[str]] = {}
    for module, call in calls("Own"):
        found.setdefault(module, set()).add(ast.unparse(call.args[0]))
    assert found == OWN


def test_no_use_as_text_lets_words_out() -> None:
    said = Said(SECRET)
    uses = [
        f"{said}",
        str(said),
        repr(said),
        said + "",
        "".join([said]),
        said[:],
        said.upper(),
        "{}".format(said),  # noqa: UP032
        f"{own('it is {}', said)}",
        f"{joined([said, said])}",
        repr(own("it is {}", said)),
    ]
    assert not any(SECRET in use.lower() for use in uses)


@wording
def told(words: Any, span: Span | None = None) -> Diagnostic:
    return finding(CODE, f"this is {words}", span, help=f"not {words}", notes=(f"nor {words}",))


@pytest.mark.parametrize(
    "words",
    [
        Said(SECRET),
        named(SECRET),
        own("it is {}", Said(SECRET)),
        SECRET,
        [SECRET],
        (Said(SECRET),),
        told(Said(SECRET)),
    ],
    ids=["said", "a name", "a phrase", "plain text", "a list", "a tuple", "a finding inside"],
)
def test_a_diagnostic_holds_no_words_until_it_is_handed_out(words: Any) -> None:
    closed = SourceText("spec.yaml", f"pw: {SECRET}")
    opened = SourceText("spec.yaml", f"pw: {SECRET}", regions=())
    for source, secret in ((closed, True), (opened, False)):
        found = told(words, Span(source, 4, 11))
        kept = (found.message, found.help, *found.notes, repr(found), repr(found.form))
        assert not any(SECRET in (each or "") for each in kept)
        (shown,) = show((found,))
        assert (SECRET not in repr(shown)) == secret
        assert (shown.snippet is None) == secret


def test_own_words_stay() -> None:
    source = SourceText("spec.yaml", "a: 1")
    (shown,) = show((told(own("a list of {} entries", 3), Span(source, 0, 1)),))
    assert shown.message == "this is a list of 3 entries"
    with pytest.raises(ValueError, match="places"):
        own("one {}", Own("a"), Own("b"))


# --- what is secret in a document --------------------------------------------------------------


def handed_out(text: str, place: str, words: Said | None = None) -> ShownDiagnostic:
    """What is shown of a finding at `place` of a catlet."""
    source = SourceText("spec.yaml", text)
    read = read_catlet(source, notation=Notation.YAML)
    start = text.index(place)
    span = Span(source, start, start + len(place))
    found = told(words if words is not None else Said(place), span)
    (shown,) = show((found,), Secrets(() if read.value is None else (read.value,)))
    return shown


VARIABLE = "name: web\nvariables:\n- name: pw\n  secret: true\n"
FODDER = "name: web\nfodder:\n- name: a\n  secret: true\n  content: |\n    hostname: hunter2\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(f"{VARIABLE}  value: hunter2\n", False, id="a value"),
        pytest.param(f"{VARIABLE}  value: &x !!str hunter2\n", False, id="behind anchor and tag"),
        pytest.param(f"{VARIABLE}  value:\n    - hunter2\n", False, id="a list below its key"),
        pytest.param(f"{VARIABLE}  valeu: hunter2\n", False, id="under a misspelt key"),
        pytest.param("name: web\nvariables:\n- {name: pw, sceret: true, value: hunter2}\n", False,
                     id="where the word secret is misspelt"),
        pytest.param("name: web\nvariabels:\n- secret: true\n  value: hunter2\n", False,
                     id="below a key that is unknown"),
        pytest.param("name: web\nvariables: {pw: hunter2}\n", False, id="in a form not read"),
        pytest.param("name: [web\nvalue: hunter2\n", False, id="in a document not read"),
        pytest.param(FODDER, False, id="in secret fodder"),
        pytest.param("name: web\nfodder:\n- source: gene:a-b/c-d:e\n  variables:\n"
                     "  - name: pw\n    value: hunter2\n", False, id="bound to a gene not read"),
        pytest.param(f"{VARIABLE}  value: x\n- name: other\n  value: hunter2\n", True,
                     id="another variable"),
        pytest.param(FODDER.replace("true", "false"), True, id="in fodder that is not secret"),
        pytest.param("name: web\nhostname: hunter2\ncpus: 4\n", True, id="beside a typing error"),
    ],
)  # fmt: skip
def test_words_of_a_document(text: str, *, shown: bool) -> None:
    found = handed_out(text, SECRET)
    assert (SECRET in found.message) == shown
    assert (found.snippet is not None) == shown


def test_an_alias_of_a_secret_is_one() -> None:
    text = f"{VARIABLE}  value: &x hunter2\nhostname: *x\n"
    assert HIDDEN in handed_out(text, "*x", named(SECRET)).message
    text = f"hostname: &x hunter2\n{VARIABLE}  value: *x\n"
    assert HIDDEN in handed_out(text, SECRET).message


def test_secret_fodder_shows_names_and_no_line() -> None:
    found = handed_out(FODDER, "hostname", named("hostname"))
    assert found.message == "this is hostname"
    assert found.snippet is None


def test_a_place_of_its_own_decides() -> None:
    text = f"{FODDER}hostname: public\n"
    source = SourceText("spec.yaml", text)
    assert read_catlet(source, notation=Notation.YAML).value is not None
    here, there = (
        Span(source, text.index(word), text.index(word) + len(word)) for word in ("public", SECRET)
    )
    assert NOTHING_KNOWN.shows(Said("public", here), there)
    assert not NOTHING_KNOWN.shows(Said(SECRET, there), here)
    assert not NOTHING_KNOWN.shows(Said("public", here, secret=True), here)


def test_regions_that_overlap_hide_all_that_one_of_them_does() -> None:
    regions = (Region(0, 4, Secrecy.FODDER), Region(2, 8, Secrecy.FODDER))
    source = SourceText("x", "0123456789", regions=(*regions, Region(6, 7, Secrecy.CLOSED)))
    shows = [NOTHING_KNOWN.shows(named("x", Span(source, at, at + 1)), None) for at in range(10)]
    assert shows == [at != 6 for at in range(10)]
    values = [NOTHING_KNOWN.shows(Said("x", Span(source, at, at + 1)), None) for at in range(10)]
    assert values == [at >= 8 for at in range(10)]


def test_everything_public_is_for_comparing_alone() -> None:
    users = {module for module, _ in names("EVERYTHING_PUBLIC")}
    assert users == {"guest/cloudconfig/schema.py", "diagnostics/secrecy.py"}


def names(name: str) -> Iterator[tuple[str, ast.Name]]:
    for path in sorted(COMPILER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name) and node.id == name:
                yield path.relative_to(COMPILER).as_posix(), node


def test_a_merge_of_secret_fodder_tells_which_key() -> None:
    """Names of keys and of users are shown, but for one that a secret variable made."""
    text = (
        f"{VARIABLE}  value: hunter2\nfodder:\n"
        "- name: a\n  secret: true\n  content:\n    hostname: one\n    users:\n"
        "    - {name: bob, shell: /bin/a}\n    - {name: '{{ pw }}', shell: /bin/a}\n"
        "- name: b\n  content:\n    hostname: two\n    users:\n"
        "    - {name: bob, shell: /bin/b}\n    - {name: '{{ pw }}', shell: /bin/b}\n"
        "    '{{ pw }}': 1\n"
    )
    request = BuildRequest(guest=GuestOptions(kind=GuestKind.LINUX))
    found = Session().check(Source("spec.yaml", text), request=request).diagnostics
    assert [each.message.partition(" is set")[0] for each in found] == [
        "`hostname`",
        "`users[bob].shell`",
        "`users[1].shell`",
        "cloud-init knows no key `{{ pw }}`",
    ]
    assert {label.message for each in found for label in each.related} == {"set here before"}
    assert [each.snippet for each in found] == [None] * 4
