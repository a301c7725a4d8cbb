"""Whatever becomes of a document, the command line says something about it and does not fail."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.command_line import CommandLine

SPEC = """\
name: web
parent: acme/base/1.0
cpu: {count: 2}
memory: 1024
capabilities: [secure_boot, {name: tpm, details: [disabled]}]
networks:
- {name: lan, adapter_name: eth0, subnet_v4: {name: s}}
drives:
- {name: sda, size: 0x10, type: SharedVHD}
variables:
- {name: v, type: number, value: 1.5, secret: true}
fodder:
- source: gene:acme/base/1.0:tls
  variables: [{name: d, value: "{{ v }}"}]
- name: a
  type: shellscript
  content: |
    #!/bin/sh
    echo {{ v }} {{ catletId }}
- name: b
  content:
    packages: [curl]
    write_files:
    - {path: /a, content: x}
"""
GENE = "name: tls\nvariables: [{name: d}]\nfodder:\n- {name: t, content: 'a: \"{{ d }}\"'}\n"
TOKENS = (
    *("&a ", "*a", "!!int ", "!foo ", "{", "}", "[", "]", "{{", "}}", "|", ">", '"', "'", "\n"),
    *("\n- ", ": ", "null", "~", "\t", "\r\n", "\x85", "\ufeff", "\0", "\U0001f600", "---\n"),
    *("<<: *a", "? ", "0x", "-1", "1e9", "true", "catlet", " ", "#", "remove: true", "gene:", ".."),
)
CHANGES = st.lists(
    st.tuples(
        st.integers(0, len(SPEC)),
        st.integers(0, 12),
        st.sampled_from(TOKENS) | st.text(max_size=3),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES, in_gene=st.booleans(), more=st.sampled_from(["linux", "windows", "hyperv"]))
def test_no_document_makes_it_fail(
    eryphc: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    changes: list[tuple[int, int, str]],
    in_gene: bool,  # noqa: FBT001
    more: str,
) -> None:
    monkeypatch.setenv("ERYPHC_DEBUG", "1")
    text = GENE if in_gene else SPEC
    for at, gone, new in changes:
        text = text[: at % len(SPEC)] + new + text[at % len(SPEC) + gone :]
    base = "genes/acme/base/1.0"
    eryphc.write(f"{base}/geneset-tag.json", '{"geneset": "acme/base/1.0"}')
    eryphc.write(f"{base}/catlet.yaml", "drives: [{name: sda}]\nvariables: [{name: v}]\n")
    for name, original, changed in (
        (f"{base}/fodder/tls.yaml", GENE, in_gene),
        ("web.yaml", SPEC, not in_gene),
    ):
        path = eryphc.write(name, original)
        if changed:
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
    option = ("--target", "hyperv") if more == "hyperv" else ("--guest", more)
    done = eryphc("check", "web.yaml", *option)
    assert done.code in (0, 1)
    assert ("error[" in done.out) == bool(done.code)
