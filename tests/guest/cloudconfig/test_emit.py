"""What is written means the same to every reader, and reads back as it was."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eryphc.guest.cloudconfig.emit import emit, write
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, Sequence, plain
from eryphc.guest.cloudconfig.tree import read, read_any


def node(data: Any) -> Node:
    if isinstance(data, dict):
        entries = {key: node(value) for key, value in data.items()}
        return MappingNode(entries, {key: Scalar(key) for key in data})
    if isinstance(data, list):
        return Sequence(tuple(node(item) for item in data))
    return Scalar(data)


# A reader of YAML 1.2 with its core schema, on top of PyYAML's parser: only its table of what
# plain text means differs. Written after the tables of YAML 1.2.2, section 10.3.2.
class Core(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _tag, _pattern in (
    ("null", r"(?:null|Null|NULL|~|)$"),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$"),
    ("int", r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"),
    (
        "float",
        (
            r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
    ),
):
    Core.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), None)


def core_int(loader: yaml.SafeLoader, found: yaml.ScalarNode) -> int:
    text = found.value
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text, 10)


Core.add_constructor("tag:yaml.org,2002:int", core_int)


def words(text: str) -> list[str]:
    return text.split()


AMBIGUOUS = [
    *words(
        "y n Y N yes No ON off true FALSE null Null ~ = << . .. - -- --- ... ? : , [ ] { } # & *"
    ),
    *words("! | > ' \" % @ ` 0 1 -1 +1 0755 0o755 0x1f 0b11 1_000 1:30 12:30:45 52:54:00:12:34:56"),
    *words("1. .5 1e3 1.0e+3 1E3 -.inf .NaN nan inf 2024-01-01 2001-12-14t21:59:43.10-05:00"),
    *words(
        "a:b a: a#b :a ::1 http://x:80/#y key:value -a ?a !a %a @a *a &a 0. 08 09 0_ 0x 1__ +.5"
    ),
    "",
    " ",
    " a",
    "a ",
    "\t",
    "a\t",
    "a: b",
    "a #b",
    "- a",
    "? a",
    "# a",
    "a\n",
    "a\nb",
    "\na",
    "\n",
    "\n\n",
    "a\n\n",
    " a\nb",
    "\n a\nb",
    "a\n \n",
    "a\n \nb\n",
    "a\n ",
    "\ta\nb",
    "a\n\tb",
    "a\r\nb",
    "a\rb",
    "a \nb \n",
    "a\n#b\n---\nc\n...\n",
    "é",
    "日本\n語\n",
    "a\x85b",
    "a\u2028b\nc",
    "a\u2029b",
    "\ufeffa",
    "a\ufeff\nb",
    "\xa0",
    "a\xa0\nb",
    "😀",
    "😀\nb",
    "\0",
    "\x07\n\x1b[0m",
    "\x7f\x9f",
    'it\'s "so"',
    'say "so"',
    "back\\slash",
    'both \\ and "',
    "a" * 5000,
    "wide " * 500,
    "\ufffe\uffff",
]


@pytest.mark.parametrize("text", AMBIGUOUS, ids=ascii)
def test_text_stays_text_for_every_reader(text: str) -> None:
    data = {"k": text, "l": [text, [text]], "m": {text: text}}
    written = emit(node(data))
    for loader in (yaml.SafeLoader, yaml.CSafeLoader, Core):
        assert yaml.load(written, loader) == data  # noqa: S506
    root = read(written).root
    assert root is not None
    assert plain(root) == data
    assert emit(root) == written


@pytest.mark.parametrize(
    "value",
    [
        *(True, False, None, 0, -1, 8, 10**30, 1.5, -0.0, 1e20, 1e-7, 1.5e300, 123456789.123),
        *(float("inf"), float("-inf"), b"", b"\0\xff", dt.date(2024, 1, 1)),
        dt.datetime(2001, 12, 14, 21, 59, 43, 100000),  # noqa: DTZ001
        dt.datetime(2001, 12, 14, tzinfo=dt.UTC),
        dt.datetime(2001, 12, 14, 1, 2, 3, tzinfo=dt.timezone(dt.timedelta(hours=-5))),
    ],
    ids=repr,
)
def test_values_keep_their_type(value: object) -> None:
    data = {"k": value, "l": [value]}
    written = emit(node(data))
    for loader in (yaml.SafeLoader, Core):
        read_back = yaml.load(written, loader)  # noqa: S506
        assert read_back == data
        assert type(read_back["k"]) is type(value)
        assert repr(read_back) == repr(data)


ambiguous = st.sampled_from(AMBIGUOUS)
texts = st.one_of(
    ambiguous,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.text(st.sampled_from(" \n\ta:#-'\"|>\\é\u2028{[]},&*!%@`?=~0_.\r"), max_size=12),
)
scalars = st.one_of(
    texts,
    st.integers(),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False),
    st.binary(max_size=5),
)
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(texts, st.integers()), inner, max_size=4),
    ),
    max_leaves=12,
)


@settings(max_examples=400)
@given(st.dictionaries(texts, trees, max_size=4))
@example({"a": {1025 * "k": {"b": [[]]}}, "b": [{}, [], [{"x": "\n a"}]]})
def test_every_reader_gives_back_the_data(data: dict[Any, Any]) -> None:
    written = emit(node(data))
    assert yaml.safe_load(written) == data
    assert yaml.load(written, yaml.CSafeLoader) == data
    assert yaml.load(written, Core) == data  # noqa: S506
    reading = read_any(written)
    assert reading.root is not None
    assert plain(reading.root) == data
    assert emit(reading.root) == written


def test_a_config_as_people_read_it() -> None:
    data = {
        "package_update": True,
        "write_files": [
            {"path": "/etc/a b", "permissions": "0644", "content": "#!/bin/sh\n\necho 'hi: é'\n"},
            {"content": "no end\n  second"},
        ],
        "runcmd": ["systemctl enable --now nginx", ["sh", "-c", 'echo "x"'], "a: b"],
        "users": [],
        "x": {},
    }
    assert write(node(data)).text == (  # type: ignore[arg-type]
        "#cloud-config\n"
        "package_update: true\n"
        "write_files:\n"
        "- path: /etc/a b\n"
        '  permissions: "0644"\n'
        "  content: |\n"
        "    #!/bin/sh\n"
        "\n"
        "    echo 'hi: é'\n"
        "- content: |-\n"
        "    no end\n"
        "      second\n"
        "runcmd:\n"
        "- systemctl enable --now nginx\n"
        "- - sh\n"
        '  - "-c"\n'
        '  - echo "x"\n'
        '- "a: b"\n'
        "users: []\n"
        "x: {}\n"
    )
