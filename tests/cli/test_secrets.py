"""A secret never reaches what is printed, nor any file but those that a guest reads."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli.command_line import CommandLine

CANARY = "CaNaRy4711"
DECLARED = "name: web\nvariables:\n- name: pw\n  secret: true\n"


def declared(more: str) -> str:
    return DECLARED + more


def fodder(content: str, more: str = "") -> str:
    indented = content.replace("\n", "\n    ")
    return f"name: web\nfodder:\n- name: a\n  secret: true\n{more}  content: |\n    {indented}\n"


def reference(binding: str) -> str:
    return (
        "name: web\nfodder:\n- source: gene:acme/kit/1.0:tls\n  variables:\n"
        f"  - name: {binding}\n    value: {CANARY}\n"
    )


GENE = f"""\
name: tls
variables:
- name: pw
  secret: true
  value: {CANARY}
- name: num
  type: number
  secret: true
fodder:
- name: cert
  secret: true
  content: |
    x: {CANARY} {{{{ pw }}}}
"""
SPECS = {
    "a value in the spec": declared(f"  value: {CANARY}\n"),
    "no number": declared(f"  type: number\n  value: {CANARY}\n"),
    "a list as value": declared(f"  value: [{CANARY}]\n"),
    "a tag on the value": declared(f"  value: !!int {CANARY}\n"),
    "an unknown tag": declared(f"  value: !!foo {CANARY}\n"),
    "a flag that is none": DECLARED.replace("true", "tru") + f"  value: !!bool {CANARY}\n",
    "an alias without an anchor": declared(f"  value: *{CANARY}\n"),
    "a list on the next line": declared(f"  value:\n    [{CANARY}]\n"),
    "a map on the next line": declared(f"  value:\n    {CANARY}: x\n"),
    "a misspelt key": declared(f"  valeu: {CANARY}\n"),
    "a key of its own": declared("").replace("  secret", f"  {CANARY}: x\n  secret"),
    "an equals sign": f"name: web\nvariables:\n- {{name: pw, secret: true, value={CANARY}}}\n",
    "a quote that is not closed": declared(f'  value: "{CANARY}\n'),
    "a value before the flag": f'name: web\nvariables:\n- value: "{CANARY}\n  secret: true\n',
    "a fault beside it": "name: web\nvariables:\n"
    f"- {{name: pw, secret: true, value: {CANARY}, x: 1}}\n",
    "a second one of its name": declared(f"  value: {CANARY}\n- name: PW\n  value: b\n"),
    "an alias as number": declared(f"  value: &x {CANARY}\n") + "cpu:\n  count: *x\n",
    "an alias as name": declared(f"  value: &x {CANARY}\n") + "hostname: *x\nparent: *x\n",
    "an alias as parent": declared(f"  value: &x acme/{CANARY.lower()}/1.0\n") + "parent: *x\n",
    "an alias as source": declared(f"  value: &x gene:acme/{CANARY.lower()}/1.0:b\n")
    + "fodder:\n- source: *x\n",
    "an unknown reference": fodder(f"x: {CANARY} {{{{ unknown }}}}"),
    "an invalid reference": fodder(f"x: {{{{ {CANARY}-x }}}}"),
    "content that is no YAML": fodder(f"x: [ {CANARY}"),
    "an alias in content": fodder(f"password: *{CANARY}"),
    "a tag in content": fodder(f"password: !{CANARY} x"),
    "a strategy that is none": fodder(f"merge_how: {CANARY}\na: 1"),
    "content in braces": fodder("x").replace("|\n    x", f"\n    {{password: {CANARY}}}"),
    "Jinja that is none": fodder(f"## template: jinja\n#cloud-config\na: {{% {CANARY} %}}"),
    "content that is no mapping": fodder(CANARY),
    "content against the schema": fodder(f"users: {CANARY}\n{CANARY}: 1\nruncmd: {CANARY}"),
    "content that is overridden": fodder(f"hostname: {CANARY}")
    + "- name: b\n  content: |\n    hostname: other\n",
    "a script": fodder(f"echo {CANARY}", "  type: shellscript\n"),
    "a script for Windows": fodder(
        f"echo {CANARY} \u00e9", "  filename: x.ps1\n  type: shellscript\n"
    ),
    "a binding in the wrong form": "name: web\nfodder:\n- source: gene:acme/kit/1.0:tls\n"
    f"  variables:\n  - pw: {CANARY}\n",
    "a gene": "name: web\nfodder:\n- source: gene:acme/kit/1.0:tls\n",
    "a binding of a gene": reference("pw"),
    "a binding that does not fit": reference("num"),
}
USES = {
    "in a text": declared("fodder:\n- name: a\n  content: 'a: {{ pw }}'\n"),
    "as a key": declared("fodder:\n- name: a\n  content: '{{ pw }}: a'\n"),
    "in broken YAML": declared("fodder:\n- name: a\n  content: 'a: [ {{ pw }}'\n"),
    "as a number": declared("  type: number\n"),
    "as a boolean": declared("  type: boolean\n"),
    "through a number": declared(
        "fodder:\n- name: a\n  content: 'a: {{ v }}'\n  variables:\n  - name: v\n"
        "    type: number\n    value: '{{ pw }}'\n"
    ),
}
GIVEN = {
    "by --var": ("--var", f"pw={CANARY}"),
    "by a file": ("--var", "pw=@pw.txt"),
    "by a file that is no text": ("--var", "pw=@bytes"),
    "by a variable of the environment": ("--var", "pw=env:PW"),
    "by --var-file": ("--var-file", "values.yaml"),
    "by a broken --var-file": ("--var-file", "broken.yaml"),
    "by a --var-file with a list": ("--var-file", "list.yaml"),
    "that begins as a file does": ("--var", f"pw=@{CANARY}"),
    "that begins as the environment does": ("--var", f"pw=env:{CANARY}"),
    "as an alias": ("--var", f"pw=*{CANARY}"),
    "as a tag": ("--var", f"pw=!{CANARY} x"),
    "as an anchor": ("--var", f"pw=&{CANARY}"),
    "as a map": ("--var", f"pw={{{CANARY}: 1}}"),
    "by an alias in a --var-file": ("--var-file", "alias.yaml"),
    "without a name": ("--var", CANARY),
    "to another name": ("--var", f"pq={CANARY}"),
    "twice": ("--var", f"pw={CANARY}", "--var", f"PW={CANARY}x"),
    "by ERYPHC_VAR_": (),
}
COMMANDS = (
    ("expand", "spec.yaml"),
    ("expand", "spec.yaml", "--stage", "feed", "--format", "json"),
    ("build", "spec.yaml", "--target", "cloud-init", "--target", "hyperv", "--sealed", "-v"),
    ("build", "spec.yaml", "--target", "cloud-init", "--guest", "windows"),
    ("build", "spec.yaml", "--target", "cloud-init", "--merge", "parts"),
    ("check", "spec.yaml", "--diagnostics", "json"),
    ("check", "spec.yaml", "--diagnostics", "sarif", "--guest", "windows"),
    ("check", "spec.yaml", "--diagnostics", "github"),
)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_written_in_documents(eryphc: CommandLine, spec: str) -> None:
    eryphc.write("genes/acme/kit/1.0/geneset-tag.json", '{"geneset": "acme/kit/1.0"}')
    eryphc.write("genes/acme/kit/1.0/fodder/tls.yaml", GENE)
    eryphc.write("spec.yaml", spec)
    _nothing_leaks(eryphc, ())


@pytest.mark.parametrize("how", GIVEN.values(), ids=GIVEN)
@pytest.mark.parametrize("spec", USES.values(), ids=USES)
def test_given(
    eryphc: CommandLine, spec: str, how: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    eryphc.write("spec.yaml", spec)
    eryphc.write("pw.txt", CANARY + "\n")
    (eryphc.folder / "bytes").write_bytes(CANARY.encode() + b"\xff")
    eryphc.write("values.yaml", f"pw: {CANARY}\n")
    eryphc.write("broken.yaml", f'pw: "{CANARY}\nx')
    eryphc.write("list.yaml", f"pw: [{CANARY}]\n")
    eryphc.write("alias.yaml", f"pw: *{CANARY}\n")
    monkeypatch.setenv("PW", CANARY)
    if not how:
        monkeypatch.setenv("ERYPHC_VAR_pw", CANARY)
    _nothing_leaks(eryphc, how)


def _nothing_leaks(eryphc: CommandLine, how: tuple[str, ...]) -> None:
    for command in COMMANDS:
        done = eryphc(*command, *how)
        assert CANARY.lower() not in (done.out + done.err).lower(), command
        assert "E0917" not in done.err, command
        build = eryphc.folder / "build"
        for path in sorted(build.rglob("*")) if build.is_dir() else ():
            if path.is_file():
                _only_where_meant(path)
        shutil.rmtree(build, ignore_errors=True)


def _only_where_meant(path: Path) -> None:
    import base64

    data = path.read_bytes()
    # The text itself, or its base64 at any of the three offsets, less what the neighbours change.
    hidden = [base64.b64encode(b" " * n + CANARY.encode())[4 if n else 0 : -4] for n in range(3)]
    if CANARY.encode() in data or any(word in data for word in hidden):
        assert path.suffix == ".iso" or path.parent.name == "nocloud", path
        assert "sealed" not in path.name
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_check_finds_what_it_looks_for(eryphc: CommandLine) -> None:
    eryphc.write("spec.yaml", fodder(f"x: {CANARY}").replace("  secret: true\n", ""))
    assert eryphc("build", "spec.yaml", "--target", "cloud-init").code == 0
    iso = eryphc.folder / "build/web/cloud-init/web.iso"
    with pytest.raises(AssertionError):
        _only_where_meant(iso)
