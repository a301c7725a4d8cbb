"""Open places: where they are in the image, and what filling them changes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eryphc import Session, Source, Target, target_options
from eryphc.diagnostics.model import related
from eryphc.guest.cloudconfig import tree
from eryphc.guest.model import GuestKind, MergeMode
from eryphc.passes.read import Notation
from eryphc.request import BuildRequest
from eryphc.source import SourceText
from eryphc.syntax import yaml_nodes
from targets.hyperv.building import MACHINE, Result, build, texts

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
READER = ROOT / "guest" / "readers" / "read_with_cloud_init.py"
ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/="
LENGTH = 24
quick = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])

plain_text = st.text(
    st.characters(codec="utf-8", max_codepoint=0xFFFD, exclude_characters="{}%#\0\r\ufeff"),
    max_size=30,
)
# Texts that a reader of YAML takes for something else, when they are not in quotes.
values = st.one_of(
    st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH),
    st.sampled_from(["1" * LENGTH, "0." + "1" * 22, "=" * LENGTH, "~" * LENGTH, "-" * LENGTH]),
    st.sampled_from(["2001-01-01T00.00.00+00=__".replace("_", "/")[:LENGTH], "1e" + "5" * 22]),
)
references = st.sampled_from(["{{ vmId }}", "{{vmId}}", "{{ token }}", "{{ token }}{{ vmId }}"])


@st.composite
def open_text(draw: st.DrawFn) -> str:
    pieces = draw(st.lists(st.one_of(plain_text, references), min_size=1, max_size=5))
    return "".join(pieces)


@st.composite
def cloud_config(draw: st.DrawFn) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if draw(st.booleans()):
        config["write_files"] = [
            {"path": f"/srv/{number}/{draw(open_text()).strip()}x", "content": draw(open_text())}
            for number in range(draw(st.integers(1, 3)))
        ]
    if draw(st.booleans()):
        config["runcmd"] = [["echo", draw(open_text())], draw(open_text()) + "x"]
    if draw(st.booleans()) or not config:
        config["final_message"] = draw(open_text()) + "\n" + draw(open_text())
    return config


@st.composite
def fodder_entries(draw: st.DrawFn) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["config", "config", "script", "jinja"]))
        fodder: dict[str, Any] = {"name": f"food-{number}"}
        config = json.dumps(draw(cloud_config()), indent=draw(st.sampled_from([None, 1])))
        if kind == "script":
            fodder |= {"type": "shellscript", "content": "#!/bin/sh\n" + draw(open_text())}
        elif kind == "jinja":
            body = json.dumps({f"x{number}": draw(open_text())})
            fodder["content"] = f"## template: jinja\n#cloud-config\n{body}\n"
        else:
            fodder["content"] = config
        found.append(fodder)
    return found


def built(
    fodder_entries: list[dict[str, Any]],
    guest: GuestKind = GuestKind.LINUX,
    merge: MergeMode = MergeMode.MERGED,
    given: Mapping[str, str] | None = None,
) -> Result:
    """A build with `vmId` and `token` open, or with both given."""
    spec = json.dumps(
        {"fodder": fodder_entries, "variables": [{"name": "token", "required": True}]}
    )
    request = BuildRequest(name="web")
    opened = {"token": LENGTH}
    if given is not None:
        request = BuildRequest(name="web", vm_id=MACHINE, values=given)
        opened = {}
    return build(
        spec, notation=Notation.JSON, request=request, guest=guest, merge=merge, open_slots=opened
    )


def as_read(user_data: bytes) -> list[Any]:
    """The parts, cloud-configs as the data that they are."""
    return [
        yaml.safe_load(text) if text.startswith("#cloud-config") else text
        for text in texts(user_data)
    ]


def stand_ins(result: Result) -> dict[str, str]:
    """What stands in the image as built, by slot, found by the relocations."""
    seed = result.document["seed"]
    image = result.file(seed["file"])
    lengths = {slot["name"]: slot["length"] for slot in seed["slots"]}
    found: dict[str, str] = {}
    for place in seed["relocations"]:
        region = image[place["offset"] : place["offset"] + place["length"]]
        if place["encoding"] == "base64":
            import base64

            region = base64.b64decode(region)[place["at"] :][: lengths[place["slot"]]]
        assert found.setdefault(place["slot"], region.decode("ascii")) == region.decode("ascii")
    return found


@given(fodder_entries=fodder_entries(), token=values)
@pytest.mark.parametrize(
    ("guest", "merge"),
    [
        (GuestKind.LINUX, MergeMode.MERGED),
        (GuestKind.LINUX, MergeMode.PARTS),
        (GuestKind.WINDOWS, MergeMode.PARTS),
    ],
    ids=["merged", "parts", "windows"],
)
@quick
def test_filling_gives_what_a_build_with_the_values_gives(
    fodder_entries: list[dict[str, Any]], token: str, guest: GuestKind, merge: MergeMode
) -> None:
    result = built(fodder_entries, guest, merge)
    direct = built(fodder_entries, guest, merge, {"token": token})
    assert (result.built is None) == (direct.built is None), (result.shown(), direct.shown())
    if result.built is None:
        return
    used = {slot["name"] for slot in result.document["seed"]["slots"]}
    filled = result.patched_files({"token": token})
    assert as_read(filled["user-data"]) == as_read(direct.seed_files()["user-data"])
    # Nothing but the places changes: the text as built with the stand-ins replaced.
    marks = stand_ins(result)
    assert set(marks) == used
    for before, after in zip(
        texts(result.seed_files()["user-data"]), texts(filled["user-data"]), strict=True
    ):
        for name, mark in marks.items():
            before = before.replace(mark, MACHINE if name == "vmId" else token)
        assert before == after
        assert not any(mark in after for mark in marks.values())
    for name in ("meta-data", "network-config"):
        assert filled.get(name) == result.seed_files().get(name)


@given(fodder_entries=fodder_entries())
@settings(quick, max_examples=15)
def test_the_same_input_gives_the_same_bytes(fodder_entries: list[dict[str, Any]]) -> None:
    first, second = built(fodder_entries), built(fodder_entries)
    if first.built is None:
        return
    assert first.names == second.names
    assert all(first.file(name) == second.file(name) for name in first.names)


@given(fodder_entries=fodder_entries(), token=values)
@settings(quick, max_examples=10)
@pytest.mark.integration
def test_cloud_init_reads_the_values(
    tmp_path_factory: pytest.TempPathFactory, fodder_entries: list[dict[str, Any]], token: str
) -> None:
    if subprocess.run(["/usr/bin/python3", "-c", "import cloudinit"], check=False).returncode:
        pytest.skip("cloud-init is not installed: apt-get install cloud-init")
    result = built(fodder_entries)
    direct = built(fodder_entries, given={"token": token})
    if result.built is None:
        return
    seen = []
    for data in (result.patched_files({"token": token}), direct.seed_files()):
        folder = tmp_path_factory.mktemp("guest")
        (folder / "user-data").write_bytes(data["user-data"])
        command: list[str | Path] = [
            "/usr/bin/python3",
            READER,
            folder / "user-data",
            folder / "guest",
        ]
        done = subprocess.run(command, capture_output=True, check=True)
        read = json.loads(done.stdout)
        seen.append({key: value for key, value in read.items() if key not in ("parts", "warnings")})
    assert seen[0].keys() == seen[1].keys()
    assert json.dumps(seen[0]).replace("user-data", "") == json.dumps(seen[1]).replace(
        "user-data", ""
    )


def fodder(line: str) -> str:
    return f"fodder:\n- name: a\n  content:\n    {line}\n"


def test_one_cloud_config_is_plain_and_its_slots_are_in_double_quotes() -> None:
    result = build(
        """
fodder:
- name: id
  content:
    write_files:
    - path: /etc/id
      content: |
        id={{ vmId }}
        done
    hostname: {{ vmId }}
    "key-{{ vmId }}": 1
""".replace("hostname: {{ vmId }}", "hostname: '{{ vmId }}'")
    )
    mark = stand_ins(result)["vmId"]
    (text,) = texts(result.seed_files()["user-data"])
    assert {place["encoding"] for place in result.document["seed"]["relocations"]} == {"plain"}
    assert text.count(mark) == len(result.document["seed"]["relocations"]) == 3
    assert f'content: "id={mark}\\ndone\\n"' in text
    assert f'hostname: "{mark}"' in text
    assert f'"key-{mark}": 1' in text


KEPT = {
    "plain scalar": ("hostname: {{ vmId }}", ["E0708 spec.yaml:5:15"]),
    "plain key": ("{{ vmId }}: 1", ["E0708 spec.yaml:5:5"]),
    "between two quoted texts": (
        "runcmd: ['a', {{ vmId }}, 'b']",
        ["E0708 spec.yaml:5:19"],
    ),
    "single quotes": ("hostname: '{{ vmId }}'", []),
    "double quotes": ('hostname: "a{{ vmId }}"', []),
    "block": ("final_message: |\n      {{ vmId }}", []),
    "folded block": ("final_message: >\n      {{ vmId }}", []),
    "comment": ("hostname: a # {{ vmId }}", []),
}


@pytest.mark.parametrize(("line", "faults"), KEPT.values(), ids=KEPT)
@pytest.mark.parametrize("kind", ["parts", "jinja", "windows"])
def test_text_that_is_kept_needs_the_authors_quotes(
    line: str, faults: list[str], kind: str
) -> None:
    header = "## template: jinja\n    " if kind == "jinja" else ""
    spec = f"fodder:\n- name: id\n  content: |\n    {header}#cloud-config\n    {line}\n"
    if kind == "jinja":
        faults = [fault.replace(":5:", ":6:") for fault in faults]
    result = build(
        spec,
        guest=GuestKind.WINDOWS if kind == "windows" else GuestKind.LINUX,
        merge=MergeMode.PARTS,
    )
    assert [line for line in result.shown() if line.startswith("E07")] == faults
    assert (result.built is None) == bool(faults)


def test_the_place_in_the_gene_is_shown_with_the_way_to_it(tmp_path: Path) -> None:
    from catlets import write_pool

    gene = (
        "name: kit\nvariables:\n- name: who\nfodder:\n- name: one\n  content: |\n"
        "    #cloud-config\n    hostname: {{ who }}\n"
    )
    pool = write_pool(tmp_path, {"acme/kit/1.0": {"fodder/kit.yaml": gene}})
    spec = (
        "fodder:\n- source: gene:acme/kit/1.0:kit\n  variables:\n  - name: who\n"
        '    value: "{{ vmId }}"\n'
    )
    result = build(spec, pool, merge=MergeMode.PARTS)
    fault = result.only("E0708")
    assert fault.primary is not None
    assert fault.primary.span.source.name.endswith("fodder/kit.yaml")
    assert fault.primary.span.text == "{{ who }}"
    assert [label.span.source.name for label in related(fault)] == ["spec.yaml"]


@pytest.mark.parametrize("merge", MergeMode)
def test_of_entries_of_one_name_the_one_that_is_wrong_is_blamed(
    tmp_path: Path, merge: MergeMode
) -> None:
    """The first is emitted anew, with quotes, or has its own; the second is kept as it is."""
    from catlets import write_pool

    line = "hostname: {{ vmId }}" if merge is MergeMode.MERGED else "hostname: '{{ vmId }}'"
    kept = "## template: jinja\n    #cloud-config\n    fqdn: {{ vmId }}"
    gene = f"name: kit\nfodder:\n- name: setup\n  content: |\n    {kept}\n"
    pool = write_pool(tmp_path, {"acme/kit/1.0": {"fodder/kit.yaml": gene}})
    spec = f"fodder:\n- name: setup\n  content: |\n    {line}\n- source: gene:acme/kit/1.0:kit\n"
    fault = build(spec, pool, merge=merge).only("E0708")
    assert fault.primary is not None
    assert fault.primary.span.source.name.endswith("fodder/kit.yaml")
    assert (fault.primary.span.line, fault.primary.span.column) == (7, 11)


def test_each_of_two_wrong_entries_of_one_name_is_blamed_once(tmp_path: Path) -> None:
    from catlets import write_pool

    gene = "name: kit\nfodder:\n- name: setup\n  content: 'fqdn: {{ vmId }}'\n"
    pool = write_pool(tmp_path, {"acme/kit/1.0": {"fodder/kit.yaml": gene}})
    spec = (
        "fodder:\n- name: setup\n  content: 'hostname: {{ vmId }}'\n"
        "- source: gene:acme/kit/1.0:kit\n"
    )
    result = build(spec, pool, merge=MergeMode.PARTS)
    faults = [found for found in result.diagnostics if found.code.number == "E0708"]
    spans = [found.primary.span for found in faults if found.primary is not None]
    shown = [f"{Path(span.source.name).name}:{span.line}:{span.column}" for span in spans]
    assert sorted(shown) == ["kit.yaml:4:19", "spec.yaml:3:23"]


def test_an_entry_of_an_archive_is_found_in_the_archive() -> None:
    spec = """
fodder:
- name: good
  content: {final_message: "{{ vmId }}"}
- name: box
  type: cloud-config-archive
  content: |
    - content: |
        ## template: jinja
        #cloud-config
        hostname: {{ vmId }}
"""
    result = build(spec)
    assert [line for line in result.shown() if line.startswith("E07")] == ["E0708 spec.yaml:11:19"]
    assert "of `box`" in result.only("E0708").message


ENCODED = {
    "b64": ("encoding: b64", "text {{ vmId }}", ["E0717"]),
    "gzip": ("encoding: gz+b64", "{{ vmId }}", ["E0717"]),
    "token in text": ("encoding: base64", "x {{ token }}", ["E0717"]),
    "token alone": ("encoding: base64", "{{ token }}", []),
    "plain": ("encoding: text/plain", "text {{ vmId }}", []),
}


@pytest.mark.parametrize(("encoding", "content", "codes"), ENCODED.values(), ids=ENCODED)
def test_a_slot_in_encoded_text(encoding: str, content: str, codes: list[str]) -> None:
    spec = f"""
variables: [{{name: token}}]
fodder:
- name: file
  content:
    write_files:
    - path: /etc/x
      {encoding}
      content: "{content}"
    - {{path: /etc/y, content: "{{{{ token }}}}"}}
"""
    result = build(spec, open_slots={"token": LENGTH})
    assert [code for code in result.codes() if code.startswith("E")] == codes


def test_a_slot_in_binary_is_refused() -> None:
    result = build(fodder('final_message: !!binary "{{ vmId }}"'))
    assert "E0717" in result.codes()


VARIABLES = (
    "variables:\n- {name: token}\n- {name: port, type: number}\n- {name: on, type: boolean}\n"
)


FODDER = fodder('final_message: "{{ token }}"')
OPEN_FAULTS = {
    "unknown": ({"tokn": 24}, {}, "E0705"),
    "of the system": ({"vmId": 36}, {}, "E0705"),
    "number": ({"port": 24}, {}, "E0706"),
    "boolean": ({"on": 24}, {}, "E0706"),
    "short": ({"token": 7}, {}, "E0707"),
    "twice": ({"token": 24, "TOKEN": 25}, {}, "E0721"),
    "with a value": ({"token": 24}, {"token": "x"}, "E0722"),
}


@pytest.mark.parametrize(("opened", "given", "code"), OPEN_FAULTS.values(), ids=OPEN_FAULTS)
def test_faults_of_open(opened: dict[str, int], given: dict[str, str], code: str) -> None:
    request = BuildRequest(name="web", values=given)
    result = build(VARIABLES + FODDER, open_slots=opened, request=request)
    assert result.built is None
    result.only(code)


def test_an_unknown_name_is_explained() -> None:
    result = build(VARIABLES + FODDER, open_slots={"tokn": 24})
    assert result.only("E0705").help == "did you mean `token`?"


def test_what_nothing_uses_is_told() -> None:
    result = build("variables: [{name: token}]\n", open_slots={"token": 24})
    result.only("W0713")
    assert result.document["seed"]["slots"] == []


def test_names_of_variables_are_found_without_letter_case() -> None:
    result = build("variables: [{name: Token}]\n" + FODDER, open_slots={"TOKEN": 24})
    assert [slot["name"] for slot in result.document["seed"]["slots"]] == ["token"]


def test_a_given_vm_id_leaves_nothing_open() -> None:
    request = BuildRequest(name="web", vm_id=MACHINE)
    result = build(fodder('final_message: "{{ vmId }}"'), request=request)
    assert result.document["seed"]["slots"] == result.document["seed"]["relocations"] == []
    assert MACHINE in texts(result.seed_files()["user-data"])[0]


def test_secret_fodder_is_open_in_the_seed_alone_and_the_vm_id_in_the_sealed_image_too() -> None:
    result = build(
        """
variables: [{name: token}]
fodder:
- name: join
  content:
    runcmd: ["join {{ token }} {{ vmId }}"]
- name: id
  content:
    final_message: "{{ vmId }}"
""",
        open_slots={"token": LENGTH},
    )
    document = result.document
    assert [slot["name"] for slot in document["seed"]["slots"]] == ["token", "vmId"]
    assert [slot["name"] for slot in document["sealed"]["slots"]] == ["vmId"]
    token = "T" * LENGTH
    assert token in texts(result.patched_files({"token": token})["user-data"])[0]
    sealed = texts(result.patched_files(sealed=True)["user-data"])
    assert (MACHINE in sealed[0], "join" in sealed[0]) == (True, False)


def test_no_stand_in_is_ever_spoken_of() -> None:
    result = build(fodder('"{{ vmId }}": {a: 1}'))
    mark = stand_ins(result)["vmId"]
    told = repr(result.told())
    assert mark not in told
    assert "{{ vmId }}" in told


def test_text_that_looks_like_a_part_is_no_part() -> None:
    """A plain cloud-config may hold a mail; only its slots as they stand are places."""
    mail = "Content-Transfer-Encoding: base64\\n\\naGVsbG8=\\n--"
    result = build(fodder(f'final_message: "{mail} {{{{ vmId }}}}"'))
    assert [place["encoding"] for place in result.document["seed"]["relocations"]] == ["plain"]


@pytest.mark.parametrize("merge", MergeMode)
def test_a_text_with_slots_is_parsed_once(
    merge: MergeMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def counted(source: SourceText) -> object:
        parsed.append(source.text)
        return yaml_nodes.compose(source)

    monkeypatch.setattr(tree, "compose", counted)
    text = "\n    ".join(["#cloud-config", "hostname: '{{ vmId }}'", "packages: [a]"])
    result = build(f"fodder:\n- name: id\n  content: |\n    {text}\n", merge=merge)
    assert result.document["seed"]["slots"]
    assert len(parsed) == len(set(parsed)) == 1


def test_messages_name_an_open_value_and_its_entry() -> None:
    """Its value counts as secret, but neither its name nor the entry's is."""
    spec = """\
name: web
variables: [{name: token, required: true}]
fodder:
- name: motd
  content: |
    ## template: jinja
    #cloud-config
    hostname: {{ token }}
- name: files
  content: |
    write_files:
    - {path: /etc/a, encoding: b64, content: "x {{ token }}"}
"""
    options = target_options(Target.HYPERV, {"--open": ["token=20"]})
    request = BuildRequest(targets=(options,), levels={"W0704": "allow", "N0551": "allow"})
    opened = Session(environment={})
    found = opened.check(Source("web.yaml", spec), (Target.HYPERV,), request).diagnostics
    assert [
        (each.code, re.split(", which| it stands", each.message)[0], each.help) for each in found
    ] == [
        (
            "E0708",
            "`{{ token }}` is filled at deployment, and in the text of `motd`",
            'write "{{ token }}"',
        ),
        (
            "E0717",
            "`{{ token }}` is filled at deployment, and in `files`",
            "write the text as it is, without `encoding`",
        ),
    ]
