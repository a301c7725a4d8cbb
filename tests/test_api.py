"""The public interface: its examples run as they stand, and what it hands out is whole."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import eryphc
from eryphc import (
    BuildRequest,
    Compat,
    DiagnosticsFormat,
    EryphcError,
    Failure,
    GuestKind,
    GuestOptions,
    MergeMode,
    NetworkConfigMode,
    Session,
    Source,
    Target,
    explain,
    read_values,
    render,
    schema_text,
    target_options,
)
from eryphc.gallery import described, listed_sets

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "api.md"
TEXT = PAGE.read_text("utf-8")
EXAMPLES = re.findall(
    r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL
)
SPECS = ("web-config", "dev-server", "prod-server")
CANARY = "c4nary-Never-Shown"
SECRET_SPEC = f"""\
name: web
variables:
- {{name: password, secret: true, value: {CANARY}}}
fodder:
- name: user
  type: cloud-config
  content: |
    password: {{{{ password }}}}
    hostname: [{{{{ password }}}}]
"""


def session() -> Session:
    return Session(ROOT / "examples", environment={})


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize(("code", "printed"), EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_of_the_page(code: str, printed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == (printed.strip(), "")


def test_every_public_name_is_there_and_only_these() -> None:
    for name in eryphc.__all__:
        assert getattr(eryphc, name) is not None
    assert dir(eryphc) == sorted(eryphc.__all__)
    with pytest.raises(AttributeError):
        _ = eryphc.nothing


@pytest.mark.parametrize("kind", DiagnosticsFormat)
def test_diagnostics_are_rendered_as_the_command_line_does(
    kind: DiagnosticsFormat, tmp_path: Path
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("name: a b\n")
    words = ("check", str(spec), "--diagnostics", kind, "--color", "never")
    printed = subprocess.run(
        [sys.executable, "-m", "eryphc", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert render(Session().check(spec).diagnostics, kind) == printed.stdout
    assert render(Session().check(spec).diagnostics, kind.value) == printed.stdout


def test_codes_are_explained() -> None:
    page = explain("gene-not-found")
    assert page is not None
    assert page.startswith("# E0301: gene-not-found\n")
    assert explain("nothing") is None


@pytest.mark.parametrize("name", SPECS)
def test_an_example_is_checked_expanded_and_built(name: str, tmp_path: Path) -> None:
    spec = ROOT / "examples" / f"{name}.yaml"
    ours = session()
    quiet = tuple(target for target in Target if target is not Target.AZURE)
    assert ours.check(spec, quiet).diagnostics == ()
    assert ours.check(spec, tuple(Target)).ok
    compiled = ours.compile(spec)
    assert compiled.ok
    assert compiled.catlet is not None
    assert compiled.guest is not None
    assert [gene.type.value for gene in compiled.genes].count("catlet") == 1
    for target in Target:
        built = ours.build(spec, target)
        assert built.ok
        written = built.write(tmp_path / target)
        assert {file.path for file in written} == set(built.files)
        for path, file in built.files.items():
            assert (tmp_path / target / path).read_bytes() == file.content
        assert (tmp_path / target / "manifest.json").exists()


def test_the_files_are_those_of_the_command_line(tmp_path: Path) -> None:
    from eryphc.cli.app import run

    spec = ROOT / "examples" / "prod-server.yaml"
    assert run(["build", str(spec), "--target", "hyperv", "-o", str(tmp_path / "one"), "-q"]) == 0
    Session().build(spec, Target.HYPERV).write(tmp_path / "two")
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_file_that_is_not_there_is_an_answer() -> None:
    checked = session().check("nowhere.yaml")
    assert (checked.ok, checked.failure) == (False, Failure.INPUT)
    assert [found.code for found in checked.diagnostics] == ["E0902"]


def test_a_project_file_that_cannot_be_read(tmp_path: Path) -> None:
    # Root may read every file that has only its mode against it; this one fails for anybody.
    (tmp_path / "eryphc.yaml").symlink_to("/proc/self/mem")
    opened = Session(tmp_path, environment={})
    checked = opened.check(Source("web.yaml", "name: web\n"))
    assert [found.code for found in checked.diagnostics] == ["E0903"]
    assert checked.failure is Failure.OUTSIDE
    with pytest.raises(EryphcError) as refused:
        opened.pools()
    assert refused.value.failure is Failure.OUTSIDE


def test_a_disk_that_cannot_be_read_fails_outside_of_the_input(tmp_path: Path) -> None:
    def failure(rest: str) -> Failure | None:
        options = target_options(Target.HYPERV, {"--volume": [f"sda={tmp_path}"]})
        spec = Source("web.yaml", f"name: web\ndrives: [{{name: sda}}]\n{rest}")
        request = BuildRequest(targets=(options,))
        return session().check(spec, (Target.HYPERV,), request).failure

    assert failure("") is Failure.OUTSIDE
    assert failure("memory: {startup: 1000, maximum: 500}\n") is Failure.INPUT


@pytest.mark.parametrize(
    ("name", "reason"), [("nope", "there is no such folder"), ("file", "it is not a folder")]
)
def test_a_session_needs_a_folder(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EryphcError) as refused:
        Session(tmp_path / name)
    assert refused.value.failure is Failure.INPUT
    (found,) = refused.value.diagnostics
    assert found.name == "file-not-found"
    assert found.message.endswith(f"/{name}`: {reason}")


def test_a_specification_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = session()
    read = ours.read(ROOT / "examples" / "web-config.yaml")
    assert read.name == "shared-webserver"
    monkeypatch.setattr("eryphc.session.read_spec", None)
    assert ours.check(read).ok


def test_what_was_read_takes_the_names_of_another_request() -> None:
    opened = Session("examples")
    read = opened.read(Source("w.yaml", "name: web\n"), BuildRequest(name="first"))
    assert read.name == "first"
    for request, name in (
        (BuildRequest(), "web"),
        (BuildRequest(name="other"), "other"),
        (BuildRequest(name="first"), "first"),
    ):
        assert opened.build(read, Target.CLOUD_INIT, request).name == name
    assert opened.compile(read, BuildRequest(hostname="h")).catlet["hostname"] == "h"  # type: ignore[index]


def test_standard_input_may_be_a_stream_of_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("name: web\n"))
    assert Session(environment={}).read("-").name == "web"


def test_a_text_may_begin_with_a_byte_order_mark() -> None:
    text = "\ufeffname: a b\n"
    (found,) = Session(environment={}).expand(Source("w.yaml", text)).diagnostics
    assert (found.code, found.line, found.column) == ("E0201", 1, 8)


def test_what_is_wrong_for_one_target_says_nothing_of_another() -> None:
    spec = Source("w.yaml", "variables: [{name: token, required: true}]\nname: web\n")
    options = target_options(Target.HYPERV, {"--open": ["token=8"]})
    request = BuildRequest(targets=(options,))
    targets = (Target.CLOUD_INIT, Target.HYPERV)
    opened = Session(environment={})
    built = {each.target: each for each in opened.builds(spec, targets, request)}
    assert [each.code for each in built[Target.CLOUD_INIT].diagnostics] == ["E0413"]
    assert built[Target.HYPERV].ok
    assert "E0413" not in {each.code for each in built[Target.HYPERV].diagnostics}
    assert "deployment.json" in built[Target.HYPERV].files


def test_a_value_that_a_gene_does_not_take_is_named() -> None:
    request = BuildRequest(values={"no_such": "1"})
    (found,) = session().expand_gene("gene:eryphc/nginx:nginx", request=request).diagnostics
    assert found.code == "E0410"
    assert found.message.endswith("has no variable `no_such`")


def test_targets_may_be_given_by_their_names() -> None:
    opened = Session("examples")
    spec = "examples/web-config.yaml"
    assert opened.build(spec, "cloud-init").target is Target.CLOUD_INIT  # type: ignore[arg-type]
    assert opened.check(spec, "hyperv").ok  # type: ignore[arg-type]
    assert opened.check(spec, Target.HYPERV).ok  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "ask",
    [
        lambda opened: opened.check(None),
        lambda opened: opened.check(3),
        lambda opened: opened.check(Source("w.yaml", b"name: x")),  # type: ignore[arg-type]
        lambda opened: opened.check(Source(Path("w.yaml"), "name: x")),  # type: ignore[arg-type]
        lambda opened: opened.check("examples/web-config.yaml", request={"name": "x"}),
        lambda opened: opened.expand_gene("gene:eryphc/nginx:nginx", request={"name": "x"}),
        lambda opened: opened.check("examples/web-config.yaml", ["docker"]),
        lambda opened: opened.build("examples/web-config.yaml", "docker"),
        lambda opened: opened.expand("examples/web-config.yaml", "brood"),
        lambda opened: opened.expand_gene("gene:eryphc/nginx:nginx", "brood"),
        lambda _: Session(genepools="examples/genes"),
        lambda _: target_options(Target.HYPERV, {"open": ["token=8"]}),
        lambda _: target_options(Target.HYPERV, {"--open": "token=8"}),
        lambda _: target_options("docker", {}),  # type: ignore[arg-type]
        lambda _: schema_text("docker"),
        lambda _: explain(301),  # type: ignore[arg-type]
        lambda opened: opened.expand_gene(301),
        lambda opened: described(opened, 301),  # type: ignore[arg-type]
        lambda opened: listed_sets(opened, 301),  # type: ignore[arg-type]
    ],
)
def test_a_call_that_makes_no_sense_raises(ask: Callable[[Any], Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        ask(Session("examples"))


def test_requests_are_values() -> None:
    def request(password: str) -> BuildRequest:
        return BuildRequest(
            values={"password": password},
            architecture="kvm/amd64",
            compat=Compat.ERYPH,
            guest=GuestOptions(network=NetworkConfigMode.ALWAYS),
            targets=(target_options(Target.HYPERV, {"--open": ["token=24"]}),),
        )

    assert request(CANARY) == request(CANARY)
    assert hash(request(CANARY)) == hash(request(CANARY))
    assert request(CANARY) != request("other")
    assert CANARY not in repr(request(CANARY))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"architecture": "kvm"}, "HYPERVISOR/PROCESSOR"),
        ({"name": "a b"}, "`a b`"),
        ({"vm_id": "x"}, "is not a UUID"),
        ({"guest": GuestOptions(instance_id="..")}, "an instance id has"),
    ],
)
def test_a_request_that_no_command_line_could_make_is_refused(
    fields: dict[str, object], words: str
) -> None:
    with pytest.raises(EryphcError) as refused:
        BuildRequest(**fields)  # type: ignore[arg-type]
    assert refused.value.failure is Failure.INPUT
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"values": {"port": 8080}}, "the value of `port` is to be str, not int"),
        ({"values": {1: "x"}}, "the name of a variable is to be str"),
        ({"values": ["a=b"]}, "`values` is to be Mapping, not list"),
        ({"levels": {4: "deny"}}, "a kind in `levels` is to be str"),
        ({"levels": ["file-in-tmp"]}, "`levels` is to be Mapping"),
        ({"levels": {"file-in-tmp": "ignore"}}, "'ignore' is not a valid Choice"),
        ({"compat": "docker"}, "'docker' is not a valid Compat"),
        ({"architecture": None}, "`architecture` is to be str or Architecture, not NoneType"),
        ({"name": 4}, "`name` is to be str or None, not int"),
        ({"hostname": 4}, "`hostname` is to be str or None, not int"),
        ({"vm_id": 4}, "`vm_id` is to be str, not int"),
        ({"guest": "linux"}, "`guest` is to be GuestOptions, not str"),
        ({"guest": GuestOptions(kind="bsd")}, "'bsd' is not a valid GuestKind"),  # type: ignore[arg-type]
        ({"guest": GuestOptions(network_version=3)}, "`network_version` is to be 1 or 2, not 3"),
        ({"guest": GuestOptions(network_file="nc.yaml")}, "`network_file` is to be Source or None"),  # type: ignore[arg-type]
        ({"guest": GuestOptions(instance_id=4)}, "`instance_id` is to be str or None"),  # type: ignore[arg-type]
        ({"targets": ("--open",)}, "an entry of `targets` is to be CloudInitOptions or Hyper"),
        ({"targets": (target_options(Target.HYPERV, {}),) * 2}, "options of one target twice"),
    ],
)
def test_what_is_no_value_of_a_request_raises_at_once(
    fields: dict[str, object], words: str
) -> None:
    with pytest.raises((TypeError, ValueError)) as refused:
        BuildRequest(**fields)  # type: ignore[arg-type]
    assert words in str(refused.value)


def test_words_stand_for_what_they_name() -> None:
    options = GuestOptions(kind="windows", merge="parts", network="never")  # type: ignore[arg-type]
    assert BuildRequest(guest=options, compat="eryph") == BuildRequest(
        guest=GuestOptions(
            kind=GuestKind.WINDOWS, merge=MergeMode.PARTS, network=NetworkConfigMode.NEVER
        ),
        compat=Compat.ERYPH,
    )


def test_values_are_read_as_the_command_line_reads_them(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("<h1>\n", encoding="utf-8")
    (tmp_path / "vars.yaml").write_text("a: 1\nB: 2\n", encoding="utf-8")
    given = read_values(
        ["b=3", f"page=@{tmp_path / 'page'}", "home=env:HOME"],
        [str(tmp_path / "vars.yaml")],
        {"HOME": "/nowhere"},
    )
    assert dict(given.values) == {"a": "1", "b": "3", "page": "<h1>", "home": "/nowhere"}
    with pytest.raises(EryphcError):
        read_values(["page=@nowhere"])


def test_the_environment_is_the_session_s() -> None:
    spec = Source("web.yaml", "name: web\nvariables: [{name: size}]\n")
    environment = {"ERYPHC_VAR_SIZE": "7", "ERYPHC_VAR_OTHER": "8"}
    expanded = Session(environment=environment).expand(spec)
    data = expanded.data()
    assert data is not None
    assert (data["variables"][0]["name"], data["variables"][0]["value"]) == ("size", "7")
    with pytest.raises(EryphcError) as refused:
        Session(environment={"ERYPHC_GENEPOOL": "/nowhere/at/all"})
    assert refused.value.failure is Failure.USAGE


def test_a_person_is_asked_for_what_is_missing() -> None:
    asked: list[tuple[str, bool]] = []

    def ask(name: str, secret: bool) -> str:  # noqa: FBT001 - as a session asks
        asked.append((name, secret))
        return "given"

    variables = "[{name: a, required: true, secret: true}, {name: b, required: true, value: x}]"
    spec = Source("web.yaml", f"name: web\nvariables: {variables}\n")
    assert Session(environment={}, ask=ask).check(spec).ok
    assert asked == [("a", True)]
    assert not Session(environment={}).build(spec, Target.CLOUD_INIT).ok


def test_no_secret_leaves_in_an_answer() -> None:
    spec = Source("web.yaml", SECRET_SPEC)
    for values in ({}, {"password": f"*{CANARY}"}):
        request = BuildRequest(values=values)
        ours = session()
        built = ours.build(spec, Target.CLOUD_INIT, request)
        for answer in (
            ours.compile(spec, request),
            ours.check(spec, tuple(Target), request),
            built,
        ):
            assert CANARY not in repr(answer)
            for found in answer.diagnostics:
                assert CANARY not in repr(found)
                assert CANARY not in str(found.data())
        assert CANARY not in repr(built.files)
        compiled = ours.compile(spec, request)
        assert CANARY not in repr(compiled.catlet)


def test_threads_with_a_session_each_do_not_disturb_each_other() -> None:
    expected = {
        name: session().build(ROOT / f"examples/{name}.yaml", Target.CLOUD_INIT).files
        for name in SPECS
    }
    wrong: list[str] = []

    def work(name: str) -> None:
        ours = session()
        for _ in range(5):
            built = ours.build(ROOT / f"examples/{name}.yaml", Target.CLOUD_INIT)
            if built.files != expected[name]:
                wrong.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in SPECS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_check_writes_nothing_and_makes_no_image(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[str] = []
    from eryphc.artifacts import iso

    real = iso.nocloud_image

    def counted(files: Mapping[str, bytes], *, label: str = "cidata", epoch: int) -> iso.Image:
        made.append("iso")
        return real(files, label=label, epoch=epoch)

    monkeypatch.setattr("eryphc.targets.seeds.nocloud_image", counted)
    monkeypatch.chdir(tmp_path)
    spec = ROOT / "examples" / "prod-server.yaml"
    assert session().check(spec, tuple(Target)).ok
    assert (made, list(tmp_path.iterdir())) == ([], [])
    session().build(spec, Target.HYPERV)
    assert made, "the count would see an image"


# What the command line may import of the package: the public interface, wording, disks, facades.
ALLOWED = (
    "eryphc.cli",
    "eryphc.diagnostics",
    "eryphc.volumes",
    "eryphc.caches",
    "eryphc.disks",
    "eryphc.gallery",
    "eryphc.sharing",
)


def imported(module: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
    return {name for name in found if name.startswith("eryphc.")}


def test_the_command_line_uses_the_public_interface_alone() -> None:
    modules = sorted((ROOT / "compiler" / "eryphc" / "cli").glob("*.py"))
    assert len(modules) > 10
    others = {
        f"{module.name}: {name}"
        for module in modules
        for name in imported(module)
        if not any(name == each or name.startswith(f"{each}.") for each in ALLOWED)
    }
    assert others == set()


def test_a_second_session_tells_what_led_to_a_finding_too(tmp_path: Path) -> None:
    pool = tmp_path / "genes" / "acme" / "base" / "1.0"
    pool.mkdir(parents=True)
    (pool / "geneset-tag.json").write_text('{"version": "1.1", "geneset": "acme/base/1.0"}')
    (pool / "catlet.yaml").write_text("name: base\ndrives: [{name: sda, location: abc}]\n")
    spec = tmp_path / "web.yaml"
    spec.write_text("name: web\nparent: acme/base/1.0\n")
    for _ in range(2):
        checked = Session(tmp_path, environment={}).check(spec, (Target.HYPERV,))
        (found,) = (each for each in checked.diagnostics if each.code == "W0707")
        assert [label.place.line for label in found.related] == [2]
