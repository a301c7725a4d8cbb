"""Values into fodder: what is inserted, what becomes secret, and where faults are shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catlets import Result, run, write_pool
from eryphc.passes.redact import redact

VARIABLES = """\
variables:
- {name: Site, value: north}
- {name: key, value: hunter2, secret: true}
- {name: n, type: number}
- {name: b, type: boolean}
- {name: e}
"""


def fodder(content: str, *, variables: str = VARIABLES, more: str = "") -> Result:
    text = content.replace("'", "''")
    return run(f"{variables}fodder:\n- name: note\n  content: '{text}'\n{more}")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("{{ site }} {{SITE}} {{\tsite }}", "north north north", id="any letter case"),
        pytest.param("<{{ n }}> <{{ b }}> <{{ e }}>", "<0> <false> <>", id="blank values"),
        pytest.param("{{{ site }}}", "{north}", id="three braces"),
        pytest.param(
            "{{ a b }} {{ a | f }} { { a } }", "{{ a b }} {{ a | f }} { { a } }", id="none"
        ),
        pytest.param("{{ '{{' }} x }} {{\"{{\"}}", "{{ x }} {{", id="escapes"),
        pytest.param("{{ catletId }}/{{ VMID }}", "the-catlet-id/the-vm-id", id="system"),
        pytest.param("{{\u00a0site\u0085}}", "north", id="other white space"),
    ],
)
def test_what_is_inserted(written: str, expected: str) -> None:
    assert fodder(written).contents() == {"note": expected}


def test_inserted_text_is_not_read_again() -> None:
    result = fodder("{{ a }}", variables="variables:\n- {name: a, value: '{{ b }}'}\n")
    assert result.contents() == {"note": "{{ b }}"}


@pytest.mark.parametrize(
    ("fodder_flag", "content", "secret"),
    [
        pytest.param("", "{{ site }}", False, id="nothing secret"),
        pytest.param("", "{{ key }}", True, id="by a variable"),
        pytest.param("  secret: true\n", "plain", True, id="by its flag"),
        pytest.param("  secret: false\n", "{{ key }}", True, id="a flag that says no"),
    ],
)
def test_secrecy(fodder_flag: str, content: str, *, secret: bool) -> None:
    (found,) = fodder(content, more=fodder_flag).fodder_entries
    assert found.secret is secret


def test_a_value_of_a_fodder_carries_secrecy_on() -> None:
    more = "  variables:\n  - {name: pw, value: 'x-{{ key }}'}\n"
    result = fodder("{{ pw }}", more=more)
    assert result.contents() == {"note": "x-hunter2"}
    assert result.fodder_entries[0].secret is True
    shown = redact(result.value)
    assert "hunter2" not in repr(shown)
    assert [v.value for v in shown.variables or ()][:2] == ["north", "#REDACTED"]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(
            "see {{ sitte }}",
            "E0411 spec.yaml:9: there is no variable `sitte`, which the fodder entry `note` refers "
            "to",
            id="unknown",
        ),
        pytest.param(
            "see {{ x-y }}",
            "E0412 spec.yaml:9: the fodder entry `note` holds an invalid reference: "
            "`x-y` is no variable name",
            id="invalid",
        ),
        pytest.param(
            "see {{}}",
            "E0412 spec.yaml:9: the fodder entry `note` holds an invalid reference: "
            "there is no name between the braces",
            id="empty",
        ),
        pytest.param(
            "${{ env.X }}",
            "E0412 spec.yaml:9: the fodder entry `note` holds an invalid reference: "
            "`env.X` is no variable name",
            id="another language",
        ),
    ],
)
def test_references_that_are_none(content: str, error: str) -> None:
    assert fodder(content).errors() == [error]


def test_the_place_of_a_reference_is_its_name() -> None:
    spec = "fodder:\n- name: a\n  content: |\n    one\n    two {{ nope }}\n"
    found = run(spec).only("E0411")
    assert found.primary is not None
    span = found.primary.span
    assert (span.line, span.column, span.text) == (5, 12, "nope")


def test_a_close_variable_is_suggested() -> None:
    assert fodder("{{ sitte }}").only("E0411").help == "did you mean `site`?"


def test_faults_of_all_fodder_entries_and_variables_are_told_together() -> None:
    spec = (
        "variables:\n- {name: a, required: true}\n"
        "fodder:\n- {name: x, content: '{{ u1 }} {{ a }}'}\n- {name: y, content: '{{ u2 }}'}\n"
    )
    assert [line.split(":")[0] for line in run(spec).errors()] == [
        "E0413 spec.yaml",
        "E0411 spec.yaml",
        "E0411 spec.yaml",
    ]


GENE = """\
name: tls
variables:
- {name: domain, required: true}
- {name: flag, type: boolean}
fodder:
- {name: a, content: '{{ domain }}'}
- {name: b, content: '{{ flag }}'}
"""


def with_gene(tmp_path: Path, bindings: str) -> Result:
    pool = write_pool(tmp_path, {"acme/kit/1.0": {"fodder/tls.yaml": GENE}})
    return run(f"fodder:\n- source: gene:acme/kit/1.0:tls\n  variables: [{bindings}]\n", pool)


def test_a_missing_value_is_told_once_a_reference(tmp_path: Path) -> None:
    found = with_gene(tmp_path, "").only("E0413")
    assert found.message == (
        "the required variable `domain` of the fodder entries `a`, `b` of `gene:acme/kit/1.0:tls` "
        "has no value"
    )
    assert found.primary is not None
    assert found.primary.span.source.name == "spec.yaml"
    assert found.primary.span.text == "gene:acme/kit/1.0:tls"


def test_a_binding_of_the_wrong_kind_is_shown_where_it_is_bound(tmp_path: Path) -> None:
    found = with_gene(tmp_path, "{name: domain, value: d}, {name: flag, value: perhaps}").only(
        "E0414"
    )
    assert found.message == (
        "the value `perhaps` of the variable `flag` of the fodder entries `a`, `b` of "
        "`gene:acme/kit/1.0:tls` is no boolean"
    )
    assert found.primary is not None
    assert found.primary.span.text == "perhaps"


def test_a_secret_value_is_never_shown(tmp_path: Path) -> None:
    binding = "{name: domain, value: d}, {name: flag, value: hunter2, secret: true}"
    found = with_gene(tmp_path, binding).only("E0414")
    assert "hunter2" not in found.message


def test_what_uses_a_faulty_value_is_not_judged() -> None:
    spec = (
        "variables:\n- {name: a, type: number, required: true}\n"
        "fodder:\n- name: x\n  content: '{{ c }}'\n"
        "  variables: [{name: c, required: true, value: '{{ a }}'}]\n"
    )
    assert run(spec).errors() == ["E0413 spec.yaml:2: the required variable `a` has no value"]


# -- Jinja and the id of the VM ----------------------------------------------------------------


def test_a_jinja_fodder_keeps_what_is_not_ours() -> None:
    body = "## template: jinja\n#cloud-config\na: {{ site }} {{ v1.x }} {{ other }} {{ '{{' }}\n"
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    result = run(f"{VARIABLES}fodder:\n- name: note\n  content: |\n{indented}")
    assert result.contents() == {"note": body.replace("{{ site }}", "north")}


def test_fodder_entries_that_use_the_id_of_the_vm_are_known() -> None:
    spec = (
        "fodder:\n- {name: a, content: '{{ vmId }}'}\n- {name: b, content: '{{ catletId }}'}\n"
        "- name: c\n  content: '{{ v }}'\n  variables: [{name: v, value: '{{ vmid }}'}]\n"
    )
    assert run(spec).uses_vm_id == ("a", "c")


# -- properties --------------------------------------------------------------------------------


@settings(max_examples=80)
@given(st.lists(st.sampled_from(["{{ site }}", "{{key}}", "a", "é\n", "$", " "]), max_size=12))
def test_places_survive_substitution(pieces: list[str]) -> None:
    """Text that was not inserted is found again in the document, on its own line."""
    body = "".join(pieces).replace("\n", "\n    ")
    result = run(f"{VARIABLES}fodder:\n- name: note\n  content: |2\n    x{body}\n    END\n")
    (found,) = result.fodder_entries
    assert found.content is not None
    at = found.content.text.rindex("END")
    span = found.content.span(at, at + 3)
    assert span.text == "END"


def test_a_fodder_that_grows_too_large_is_named() -> None:
    large = f"variables:\n- {{name: v, value: {'x' * 900_000}}}\n"
    result = run(f"{large}fodder:\n- name: one\n  content: '{'{{ v }}' * 20}'\n")
    assert result.only("E0422").message == (
        "with the values of variables inserted the fodder is larger than 16 MiB, at `v` in the "
        "fodder entry `one`"
    )
