"""What reaches a guest is what its loader reads: PyYAML's own, and cloud-init's code around it.

Documents are made at random, in all styles of YAML and with what readers disagree about.
"""

from __future__ import annotations

import datetime as dt
import json
import subprocess
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from eryphc.diagnostics.model import Diagnostic
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, Sequence, Tagged
from eryphc.guest.cloudconfig.reader import TextReader
from eryphc.guest.cloudconfig.tree import read_any
from eryphc.guest.compose import compose
from eryphc.guest.document import ConfigTree, GuestDocument, KeptText
from eryphc.guest.encode import nocloud, part_text
from eryphc.guest.model import GuestKind, MergeMode
from eryphc.guest.pieces import CLOUD_CONFIG, JINJA
from eryphc.source import SourceText
from guest.conftest import READERS, SYSTEM_PYTHON
from guest.feeding import fodder, request
from guest.published import documents, specs
from yaml_texts import PIECES, texts

pytestmark = pytest.mark.once

MARKER = "#cloud-config\n"
TEMPLATE = "## template: jinja\n" + MARKER
UNLOADABLE = ("E0501", "E0502", "E0503", "E0504")
REFUSED = object()


def loaded(text: str) -> Any:
    """What the loader of a guest makes of a text; `REFUSED` if it does not load."""
    try:
        return yaml.load(text, Loader=yaml.SafeLoader)
    except Exception:  # whatever it is, the part is lost
        return REFUSED


def shape(value: Any) -> Any:
    """Equal for equal data of equal types, in whatever order its maps are."""
    if isinstance(value, dict):
        return dict, frozenset((shape(key), shape(each)) for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return type(value), tuple(map(shape, value))
    if isinstance(value, set):
        return set, frozenset(map(shape, value))
    return type(value), "nan" if value != value else value


def data(node: Node) -> Any:
    """A node as what the loader makes of it."""
    if isinstance(node, Sequence):
        return [data(item) for item in node.items]
    if isinstance(node, MappingNode):
        return {key: data(value) for key, value in node.entries.items()}
    value = node.value
    if not isinstance(value, Tagged):
        return value
    if value.tag == "set":
        return {data(key) for key, _ in value.entries}
    return [(data(key), data(each)) for key, each in value.entries]


def is_recursive(value: Any, above: tuple[int, ...] = ()) -> bool:
    if not isinstance(value, (dict, list, tuple)):
        return False
    if id(value) in above:
        return True
    below = value.values() if isinstance(value, dict) else value
    return any(is_recursive(each, (*above, id(value))) for each in below)


def unloadable(found: tuple[Diagnostic, ...]) -> bool:
    return any(each.code.number in UNLOADABLE for each in found)


def made_of(text: str, mode: MergeMode) -> tuple[GuestDocument | None, tuple[Diagnostic, ...]]:
    outcome = compose(request(fodder(text), merge=mode))
    return outcome.value, outcome.diagnostics


def sent(document: GuestDocument) -> list[str]:
    """The texts of the parts, taken out of the bytes as mail."""
    raw = nocloud(document).user_data.data
    if b"multipart/mixed" not in raw[:200]:
        return [raw.decode()]
    message = message_from_bytes(raw)
    return [
        each.get_payload(decode=True).decode()  # type: ignore[union-attr]
        for each in message.walk()
        if not each.is_multipart()
    ]


def usable(text: str) -> bool:
    """No template, no other type of part, nothing that is normalised before it is read."""
    no_jinja = not any(mark in text for mark in ("{{", "{%", "{#"))
    return no_jinja and not any(mark in text for mark in ("\r", "\ufeff", "#!", "#include"))


# Texts of one map at the top, with pieces that readers disagree about anywhere in it.
keys = st.sampled_from(("one", "two", '"3"', "? four\n", "~"))
values = st.one_of(st.sampled_from(PIECES), texts)
maps = st.lists(st.tuples(keys, values), min_size=1, max_size=4).map(
    lambda pairs: "".join(f"{key}: {value}\n" for key, value in pairs)
)
plain_data = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-100, 10**6),
        st.floats(),
        st.text(st.sampled_from("ab \n\t:#-?'\"é\u2028\x85\U0001f600{}[],&*!|>%@`~=<0.")),
        st.dates(dt.date(1900, 1, 1)),
        st.binary(max_size=4),
    ),
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(st.text("ab: -?", max_size=5), below, max_size=3),
        st.lists(st.text("ab", max_size=3), max_size=3).map(set),
    ),
    max_leaves=8,
)


@st.composite
def dumped(draw: st.DrawFn) -> str:
    """Data as PyYAML writes it in one of its styles, perhaps with a piece put in somewhere."""
    value = draw(st.dictionaries(st.sampled_from(("one", "two", "three")), plain_data, min_size=1))
    text = yaml.safe_dump(
        value,
        default_style=draw(st.sampled_from((None, '"', "'", "|", ">"))),
        default_flow_style=draw(st.sampled_from((True, False, None))),
        canonical=draw(st.booleans()),
        indent=draw(st.integers(2, 5)),
        width=draw(st.sampled_from((20, 80, 1_000))),
        allow_unicode=draw(st.booleans()),
        explicit_start=draw(st.booleans()),
    )
    if draw(st.booleans()):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(PIECES)) + text[at:]
    return text


configs = st.one_of(maps, dumped(), texts)


@given(configs)
@settings(max_examples=1_500, deadline=None)
def test_the_data_is_that_of_the_loader(text: str) -> None:
    assume("\ufeff" not in text)
    reading = TextReader().loaded_any(text)
    expected = loaded(text)
    if is_recursive(expected):
        assert reading.root is None
        return
    assert (reading.root is None) == (expected is REFUSED), reading.faults
    if reading.root is not None:
        assert shape(data(reading.root)) == shape(expected)


@given(configs)
@settings(max_examples=1_000, deadline=None)
def test_one_part_of_all_means_what_was_written(text: str) -> None:
    assume(usable(text))
    expected = loaded(text)
    document, found = made_of(MARKER + text, MergeMode.MERGED)
    if not isinstance(expected, dict) or not expected or is_recursive(expected):
        # What only libyaml reads is written anew, so that a guest can load it.
        if document is not None and document.parts:
            assert all(isinstance(loaded(each), dict) for each in sent(document))
        return
    assert document is not None, found
    [written] = sent(document)
    assert shape(loaded(written)) == shape(expected)


@given(configs)
@settings(max_examples=1_000, deadline=None)
def test_parts_that_do_not_load_are_named(text: str) -> None:
    assume(usable(text) and text.strip())
    expected = loaded(MARKER + text)
    if is_recursive(expected):
        return
    document, found = made_of(MARKER + text, MergeMode.PARTS)
    assert document is not None
    assert sent(document)[0].rstrip("\n") == (MARKER + text).rstrip("\n")
    refused = expected is not None and not isinstance(expected, dict)
    assert unloadable(found) == refused, found


@given(configs)
@settings(max_examples=700, deadline=None)
def test_members_of_an_archive_that_stays_one(text: str) -> None:
    assume(usable(text) and text.strip())
    expected = loaded(MARKER + text)
    if is_recursive(expected):
        return
    archive = yaml.safe_dump([{"type": "text/cloud-config", "content": MARKER + text}])
    outcome = compose(request(fodder(archive, "cloud-config-archive"), merge=MergeMode.PARTS))
    refused = expected is not None and not isinstance(expected, dict)
    assert unloadable(outcome.diagnostics) == refused, outcome.diagnostics


@given(st.data(), st.sampled_from(PIECES))
@settings(max_examples=700, deadline=None)
def test_an_archive_that_stays_one(choice: st.DataObject, piece: str) -> None:
    text = "- type: text/cloud-config\n  content: |\n    packages: [a]\n- {content: 'b: 1'}\n"
    at = choice.draw(st.integers(0, len(text)))
    text = text[:at] + piece + text[at:]
    assume(usable(text))
    outcome = compose(request(fodder(text, "cloud-config-archive"), merge=MergeMode.PARTS))
    if not isinstance(loaded(text), list):
        assert outcome.diagnostics


@given(configs)
@settings(max_examples=1_000, deadline=None)
def test_templates_without_statements(text: str) -> None:
    assume(usable(text))
    expected = loaded(MARKER + text)
    if is_recursive(expected):
        return
    document, found = made_of(TEMPLATE + text, MergeMode.MERGED)
    refused = expected is not None and not isinstance(expected, dict)
    assert unloadable(found) == refused, found
    assert (document is None) >= refused


@given(st.data(), st.sampled_from(PIECES), st.sampled_from(list(GuestKind)))
@settings(max_examples=1_500, deadline=None)
def test_network_configurations(choice: st.DataObject, piece: str, guest: GuestKind) -> None:
    text = (
        "version: 2\nethernets:\n  eth0:\n    match: {macaddress: '52:54:00:00:00:0a'}\n"
        '    set-name: eth0\n    addresses:\n    - 10.0.0.2/24\n    - "10.0.0.3/24"\n'
    )
    at = choice.draw(st.integers(0, len(text)))
    text = text[:at] + piece + text[at:]
    assume("\r" not in text)
    source = SourceText("net.yaml", text, regions=())
    outcome = compose(request(guest=guest, network_file=source))
    if outcome.value is None:
        return
    network = nocloud(outcome.value).network_config
    assert network is not None
    if guest is GuestKind.WINDOWS:
        # cloudbase-init asks for the loader of libyaml.
        assert isinstance(yaml.load(network, Loader=yaml.CSafeLoader), dict)
    else:
        assert isinstance(loaded(network.decode()), dict)


@pytest.mark.parametrize("name", list(specs()))
def test_genes_and_examples(name: str) -> None:
    for document in documents(specs()[name], TextReader()):
        for part in document.parts:
            if part.media_type not in (CLOUD_CONFIG, JINJA):
                continue
            text = part_text(part).text
            if isinstance(part.body, ConfigTree):
                assert shape(loaded(text)) == shape(data(part.body.root))
            elif part.media_type == CLOUD_CONFIG:
                assert isinstance(part.body, KeptText)
                assert part.body.reading is not None
                root = part.body.reading.root
                assert shape(loaded(text)) == shape(None if root is None else data(root))
        seed = nocloud(document)
        assert isinstance(loaded(seed.meta_data.decode()), dict)
        if seed.network_config is not None:
            assert isinstance(loaded(seed.network_config.decode()), dict)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a: !!set {x, y}\n", {"a": {"x", "y"}}, id="a set"),
        pytest.param("a: !!omap [x: [1], y: {b: 2}]\n", {"a": [("x", [1]), ("y", {"b": 2})]}),
        pytest.param("a: !!pairs [x: 1, x: 2]\n", {"a": [("x", 1), ("x", 2)]}),
        pytest.param("%FOO bar\n---\na: 1\n", {"a": 1}, id="an unknown directive"),
        pytest.param('a: "\\ud83d\\ude00"\n', {"a": "\ud83d\ude00"}, id="a pair of JSON"),
        pytest.param("a: |\n  \tx\n", {"a": "\tx\n"}, id="a tab that begins a block"),
        pytest.param("{a:}\n", {"a": None}, id="no value in a flow map"),
        pytest.param("a: one\t# set\n", {"a": "one"}, id="what only libyaml takes"),
        pytest.param("a: 1\n# b\n\ufeffc: 2\n", {"a": 1, "\ufeffc": 2}, id="a byte order mark"),
    ],
)
def test_what_one_reader_alone_takes(text: str, expected: object) -> None:
    document, found = made_of(text, MergeMode.MERGED)
    assert document is not None, found
    [written] = sent(document)
    assert shape(loaded(written)) == shape(expected)


def test_sets_and_pairs_are_one_value_each() -> None:
    one, same, other = (
        read_any(text).root for text in ("!!set {a, b}", "!!set {b, a}", "!!set {a, c}")
    )
    assert isinstance(one, Scalar)
    assert isinstance(same, Scalar)
    assert isinstance(other, Scalar)
    assert one.value == same.value
    assert hash(one.value) == hash(same.value)
    assert one.value != other.value
    assert repr(one.value) == "!!set"
    assert read_any("? !!set {a}\n: 1").root is None
    assert read_any("!!omap [a, b]").root is None
    assert read_any("!!pairs [{a: 1, b: 2}]").root is None


@pytest.mark.integration
@given(st.lists(configs, min_size=100, max_size=200))
@settings(
    max_examples=8,
    deadline=None,
    # Many at once are not worth shrinking: the message names the one.
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
def test_cloud_init_loads_what_the_judge_takes(tmp_path: Path, many: list[str]) -> None:
    probe = subprocess.run([SYSTEM_PYTHON, "-c", "import cloudinit"], check=False)
    if probe.returncode != 0:
        pytest.skip("cloud-init is not installed: apt-get install cloud-init")
    judged = [MARKER + text for text in many if usable(text)]
    expected = []
    written: list[str] = []
    for text in judged:
        root = TextReader().loaded(text).root
        expected.append(root is not None or is_recursive(loaded(text)))
        document, _ = made_of(text, MergeMode.MERGED)
        if document is not None:
            written += sent(document)
    source = tmp_path / "texts.json"
    source.write_text(json.dumps([*judged, *written]), encoding="utf-8")
    reader = READERS / "load_with_cloud_init.py"
    done = subprocess.run(
        [SYSTEM_PYTHON, reader, source], capture_output=True, check=True, encoding="utf-8"
    )
    answers = json.loads(done.stdout)
    for text, takes, answer in zip(judged, expected, answers, strict=False):
        # What is empty counts as nothing there.
        assert takes == (answer is not None or loaded(text) is None), text
    for text, answer in zip(written, answers[len(judged) :], strict=True):
        assert answer is not None or not text.strip(), text
