"""What a build knows of its inputs: the same from everywhere, and never a secret."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from catlets import write_pool
from eryphc import BuildRequest, GuestOptions, Session, Source, Target, read_source, read_values
from eryphc.provenance.facts import BuildFacts, DiskFacts, Resource
from eryphc.provenance.gathering import lasting_path
from eryphc.sharing import lock
from eryphc.targets.hyperv.options import HyperVOptions
from runtime.hyperv_model import vhdx

CANARY = "CaNaRy4711"
GENE = """\
name: motd
variables:
- {name: text, value: Welcome}
- {name: password, secret: true, value: geheim}
fodder:
- name: motd
  content: |
    packages: [nginx, [curl, '7.88'], {snap: [hello]}]
    users: [{name: a, plain_text_passwd: "{{ password }}"}]
    hostname: "{{ text }}"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_pool(
        tmp_path / "genes",
        {
            "acme/motd/1.0": {"fodder/motd.yaml": GENE},
            "acme/hidden/1.0": {
                "fodder/hidden.yaml": "name: hidden\nvariables: [{name: text}]\nfodder:\n"
                "- {name: a, secret: true, content: 'hostname: {{ text }}'}\n"
            },
            "acme/motd/latest": {"ref": "acme/motd/1.0"},
            "acme/base/1.0": {
                "catlet.yaml": "name: base\nfodder:\n- source: gene:acme/motd/latest:motd\n",
                "os_type": "linux",
            },
        },
    )
    (tmp_path / "genes/acme/motd/geneset.json").write_text(
        '{"geneset": "acme/motd", "metadata": {"licenses": "MIT"}}', encoding="utf-8"
    )
    return tmp_path


def facts(
    folder: Path, spec: str, target: Target = Target.CLOUD_INIT, **request: Any
) -> BuildFacts:
    (folder / "web.yaml").write_text(spec, encoding="utf-8", newline="\n")
    session = Session(folder, environment=request.pop("environment", {}))
    asked = BuildRequest(**request)
    (built,) = session.builds(folder / "web.yaml", (target,), asked, facts=True)
    assert built.ok, built.diagnostics
    assert built.facts is not None
    return built.facts


def sha256(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_only_those_who_ask_get_facts(project: Path) -> None:
    (project / "web.yaml").write_text("name: web\n", encoding="utf-8")
    (built,) = Session(project).builds(project / "web.yaml", (Target.CLOUD_INIT,))
    assert built.facts is None


# -- values ---------------------------------------------------------------------------------------

DECLARED = "name: web\nvariables:\n- name: Text\n- name: pw\n  secret: true\n- name: other\n"


def test_values_that_were_given(project: Path) -> None:
    found = facts(
        project,
        DECLARED,
        values={"text": "hello", "PW": CANARY},
        environment={"ERYPHC_VAR_OTHER": "from outside"},
    )
    assert dict(found.variables) == {"other": "from outside", "text": "hello"}
    assert found.secrets == ("pw",)
    assert CANARY not in str(found._asdict())


USES = [
    pytest.param("- name: pw\n  secret: true\n", "", id="declared secret"),
    pytest.param(
        "- name: pw\n",
        "- source: gene:acme/motd/1.0:motd\n  variables:\n"
        "  - {name: password, value: 'x{{ pw }}'}\n",
        id="bound to a secret variable of a gene",
    ),
    pytest.param(
        "- name: pw\n",
        "- source: gene:acme/motd/1.0:motd\n  variables:\n"
        "  - {name: text, secret: true, value: '{{ PW }}'}\n",
        id="bound in secret",
    ),
    pytest.param(
        "- name: pw\n",
        "- source: gene:acme/hidden/1.0:hidden\n  variables:\n"
        "  - {name: text, value: '{{ pw }}'}\n",
        id="bound in secret fodder of a gene",
    ),
    pytest.param(
        "- name: pw\n",
        "- name: own\n  secret: true\n  content: 'hostname: {{ pw }}'\n",
        id="in secret fodder",
    ),
]


@pytest.mark.parametrize(("variable", "fodder"), USES)
def test_a_value_that_goes_where_secrets_go_is_secret(
    project: Path, variable: str, fodder: str
) -> None:
    spec = f"name: web\nvariables:\n{variable}" + (f"fodder:\n{fodder}" if fodder else "")
    found = facts(project, spec, values={"pw": CANARY})
    assert (dict(found.variables), found.secrets) == ({}, ("pw",))


def test_a_value_that_the_deployment_supplies_later(project: Path) -> None:
    spec = (
        "name: web\nvariables:\n- name: pw\nfodder:\n- name: a\n  content: 'hostname: {{ pw }}'\n"
    )
    options = HyperVOptions(open_slots={"pw": 40})
    found = facts(project, spec, Target.HYPERV, targets=(options,))
    assert (dict(found.variables), found.secrets) == ({}, ())
    assert dict(found.options) == {"open": {"pw": 40}}


# -- files ----------------------------------------------------------------------------------------


def files(found: BuildFacts) -> dict[str, str | None]:
    assert all(each.uri == f"file:{each.name}" for each in found.sources)
    return {each.name: each.digest for each in found.sources}


def test_the_specification_and_the_project(project: Path) -> None:
    (project / "eryphc.yaml").write_bytes(b"\xef\xbb\xbfepoch: '1700000000'\n")
    specs = project / "specs"
    specs.mkdir()
    found = facts(specs, "name: web\n")
    assert found.spec == "specs/web.yaml"
    assert found.epoch == 1700000000
    assert files(found) == {
        "eryphc.yaml": sha256((project / "eryphc.yaml").read_bytes()),
        "specs/web.yaml": sha256("name: web\n"),
    }


def test_a_lock_that_the_build_obeyed(project: Path) -> None:
    spec = "name: web\nparent: acme/base/1.0\n"
    (project / "web.yaml").write_text(spec, encoding="utf-8")
    lock(Session(project), [project / "web.yaml"])
    found = files(facts(project, spec))
    assert found["eryph.lock"] == sha256((project / "eryph.lock").read_bytes())


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(
            "name: web\nvariables:\n- {name: pw, secret: true, value: x}\n", id="a secret value"
        ),
        pytest.param(
            "name: web\nfodder:\n- {name: a, secret: true, content: 'hostname: x'}\n",
            id="secret fodder",
        ),
        pytest.param(
            "name: web\nfodder:\n- source: gene:acme/motd/1.0:motd\n  variables:\n"
            "  - {name: password, value: x}\n",
            id="a value for a secret variable",
        ),
    ],
)
def test_a_specification_with_a_secret_has_no_digest(project: Path, spec: str) -> None:
    assert files(facts(project, spec)) == {"web.yaml": None}


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(
            "name: web\nvariables:\n- {name: pw, secret: true}\n", id="a variable without value"
        ),
        pytest.param(
            "name: web\nvariables:\n- {name: pw, secret: true}\nfodder:\n"
            "- source: gene:acme/motd/1.0:motd\n  variables:\n"
            "  - {name: password, value: '{{ pw }}'}\n  - {name: text, value: x}\n",
            id="a value that is a placeholder",
        ),
        pytest.param(
            "name: web\nvariables:\n- {name: pw, secret: true}\nfodder:\n"
            "- {name: a, content: 'hostname: {{ pw }}'}\n",
            id="content with a placeholder",
        ),
    ],
)
def test_a_specification_that_only_uses_secrets_has_one(project: Path, spec: str) -> None:
    assert files(facts(project, spec, values={"pw": CANARY})) == {"web.yaml": sha256(spec)}


def test_files_with_values(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    texts = {
        project / "public.yaml": "text: hello\n",
        project / "secret.yaml": f"text: x\npw: {CANARY}\n",
        elsewhere / "unknown.yaml": "nobody: x\n",
        project / "pw.txt": CANARY,
        project / "text.txt": "hello",
    }
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    spec = DECLARED.replace("- name: other\n", "")
    for words, names, expected in (
        ((), ["public.yaml"], {"public.yaml": sha256("text: hello\n")}),
        ((), ["secret.yaml"], {"secret.yaml": None}),
        ((), [str(elsewhere / "unknown.yaml")], {"unknown.yaml": None}),
        (("pw=@pw.txt",), [], {"pw.txt": None}),
        (("text=@text.txt",), [], {"text.txt": sha256("hello")}),
    ):
        given = read_values(words, names)
        found = facts(
            project, spec, values=given.values, value_files=given.files, other_values=True
        )
        assert files(found) == {"web.yaml": sha256(spec), **expected}
        assert CANARY not in str(found._asdict())


def test_a_network_configuration(project: Path) -> None:
    text = "version: 2\nethernets: {}\n"
    (project / "net.yaml").write_text(text, encoding="utf-8", newline="\n")
    guest = GuestOptions(network_file=read_source("net.yaml"))
    found = facts(project, "name: web\n", guest=guest)
    assert files(found)["net.yaml"] == sha256(text)
    assert dict(found.options) == {"network-config": "net.yaml"}


def test_paths_are_the_same_on_every_machine(tmp_path: Path) -> None:
    root = tmp_path / "project"
    (root / "deep").mkdir(parents=True)
    assert lasting_path(str(root / "deep/x.yaml"), root) == "deep/x.yaml"
    assert lasting_path(str(tmp_path / "secret-user/x.yaml"), root) == "x.yaml"
    assert lasting_path("bad\0path", root) == "bad\0path"


# -- options --------------------------------------------------------------------------------------


def test_options_that_were_given(project: Path) -> None:
    found = facts(
        project,
        "name: web\n",
        architecture="kvm/amd64",
        hostname="other",
        epoch=1700000000,
        levels={"W0537": "allow", "value-overridden": "deny"},
        guest=GuestOptions(sealed=True, network_version=1),
    )
    assert dict(found.options) == {
        "allow:W0537": True,
        "arch": "kvm/amd64",
        "deny:W0509": True,
        "epoch": "1700000000",
        "hostname": "other",
        "network-config-version": 1,
        "sealed": True,
    }


def test_of_a_disk_the_name_and_the_digest_are_told(project: Path) -> None:
    disk = project / "disks-of-alice/sda.vhdx"
    disk.parent.mkdir()
    disk.write_bytes(vhdx())
    options = HyperVOptions(volumes={"sda": str(disk)})
    spec = "name: web\ndrives:\n- name: sda\n"
    found = facts(project, spec, Target.HYPERV, targets=(options,))
    assert dict(found.options) == {"volume": {"sda": "sda.vhdx"}}
    assert found.disks == (DiskFacts("sda.vhdx", sha256(disk.read_bytes())),)
    assert "alice" not in str(found._asdict())


def test_the_disk_of_a_volume_gene(project: Path) -> None:
    folder = project / "genes/acme/base/1.0/volumes"
    folder.mkdir()
    text = f"format: vhdx\nurl: https://example.com/x.vhdx\nsha256: {'a' * 64}\n"
    (folder / "sda.yaml").write_text(text, encoding="utf-8")
    manifest = {"geneset": "acme/base/1.0", "metadata": {"_os_name": "Example 1"}}
    (folder.parent / "geneset-tag.json").write_text(json.dumps(manifest), encoding="utf-8")
    spec = "name: web\ndrives:\n- {name: sda, source: 'gene:acme/base/1.0:sda'}\n"
    name = "gene:acme/base/1.0:sda"
    assert facts(project, spec).disks == (DiskFacts(name, f"sha256:{'a' * 64}", "Example 1"),)


def test_the_lock_knows_the_digest_of_a_disk(project: Path, tmp_path: Path) -> None:
    """The description does not say it: the newest image lies at its address."""
    write_pool(
        tmp_path / "elsewhere",
        {
            "acme/disk/1.0": {
                "volumes/sda.yaml": "format: raw\nurl: https://example.com/x\n"
                "checksums_url: https://example.com/SUMS\nfile: x\n"
            }
        },
    )
    inner = project / "inner"
    inner.mkdir()
    spec = "name: web\ndrives:\n- {name: sda, source: 'gene:acme/disk/1.0:sda'}\n"
    (inner / "web.yaml").write_text(spec, encoding="utf-8", newline="\n")
    session = Session(inner, genepools=[tmp_path / "elsewhere"])
    lock(session, [inner / "web.yaml"])
    written = json.loads((inner / "eryph.lock").read_text(encoding="utf-8"))
    disks = {"volumes/sda.yaml": {"digest": f"sha512:{'b' * 128}"}}
    written["sets"]["acme/disk/1.0"]["disks"] = disks
    (inner / "eryph.lock").write_text(json.dumps(written), encoding="utf-8")
    fresh = Session(inner, genepools=[tmp_path / "elsewhere"])
    (built,) = fresh.builds(inner / "web.yaml", (Target.CLOUD_INIT,), facts=True)
    assert built.facts is not None
    assert built.facts.disks == (DiskFacts("gene:acme/disk/1.0:sda", f"sha512:{'b' * 128}"),)


# -- gene sets ------------------------------------------------------------------------------------


def test_gene_sets_and_what_needs_what(project: Path) -> None:
    found = facts(project, "name: web\nparent: acme/base/1.0\n")
    assert [(each.id, each.requires, each.licenses) for each in found.sets] == [
        ("acme/base/1.0", ("acme/motd/1.0",), None),
        ("acme/motd/1.0", (), "MIT"),
    ]
    assert found.requires == ("acme/base/1.0",)


def test_packages_of_public_fodder(project: Path) -> None:
    spec = (
        "name: web\nfodder:\n- name: a\n  content: |\n"
        "    packages: [vim, vim, [curl, '7.88'], {snap: [hello, [lxd, latest]]}]\n"
        "- name: b\n  secret: true\n  content: 'packages: [hidden]'\n"
        "- name: c\n  type: shellscript\n  content: |\n    #!/bin/sh\n    # packages: [x]\n"
    )
    expected = ("curl=7.88", "snap:hello", "snap:lxd=latest", "vim")
    assert facts(project, spec).packages == expected
    with_gene = "name: web\nfodder:\n- source: gene:acme/motd/1.0:motd\n"
    # The gene uses a secret variable, so that all of its text is secret.
    assert facts(project, with_gene).packages == ()


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ('"MIT"', "MIT"),
        ("3", None),
        ('""', None),
        (f'"{"x" * 300}"', None),
        ('"MIT\\u001b[2J"', None),
        ("null", None),
    ],
)
def test_a_licence_is_a_short_text(project: Path, licence: str, expected: str | None) -> None:
    (project / "genes/acme/motd/geneset.json").write_text(
        f'{{"metadata": {{"licenses": {licence}}}}}', encoding="utf-8"
    )
    found = facts(project, "name: web\nfodder:\n- source: gene:acme/motd/1.0:motd\n")
    assert found.sets[0].licenses == expected


def test_a_description_that_is_a_link_out_is_not_read(project: Path) -> None:
    file = project / "genes/acme/motd/geneset.json"
    secret = project / "secret.json"
    secret.write_text('{"metadata": {"licenses": "SECRET"}}', encoding="utf-8")
    file.unlink()
    file.symlink_to(secret)
    found = facts(project, "name: web\nfodder:\n- source: gene:acme/motd/1.0:motd\n")
    assert found.sets[0].licenses is None


def test_the_facts_do_not_depend_on_where_they_are_gathered(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = "name: web\nparent: acme/base/1.0\nvariables: [{name: a}]\n"
    here = facts(project, spec, values={"a": "x"})
    other = tmp_path_factory.mktemp("other") / "copy"
    shutil.copytree(project, other)
    monkeypatch.chdir(other.parent)
    assert facts(other, spec, values={"a": "x"}) == here
    assert str(project) not in json.dumps(here._asdict(), default=dict)
    assert os.fspath(other) not in str(here._asdict())


def test_a_text_of_a_program(project: Path) -> None:
    (built,) = Session(project).builds(
        Source("memory.yaml", "name: web\n"), (Target.CLOUD_INIT,), facts=True
    )
    assert built.facts is not None
    assert built.facts.sources == (
        Resource("memory.yaml", "file:memory.yaml", sha256("name: web\n")),
    )
