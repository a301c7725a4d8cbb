"""Everything that a guest reads can be asked where it came from, and the answer is right."""

from __future__ import annotations

import pytest

from eryphc.guest import encode, linemap
from eryphc.guest.cloudconfig import filled, tree
from eryphc.guest.cloudconfig.nodes import MappingNode, Scalar
from eryphc.guest.cloudconfig.provenance import Provenance
from eryphc.guest.cloudconfig.reader import TextReader
from eryphc.guest.document import ConfigTree, GuestDocument
from eryphc.guest.model import GIVEN, INVENTED, Adapter, MergeMode
from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content, Insertion, Substituted, Written
from eryphc.origin import Origin, Step
from eryphc.source import SourceText, Span
from eryphc.syntax import yaml_nodes
from guest import origins
from guest.feeding import document, fodder
from guest.published import documents, specs

SPECS = specs()


@pytest.mark.parametrize("name", SPECS)
def test_all_of_what_is_published_and_of_the_examples(name: str) -> None:
    made = list(documents(SPECS[name], TextReader()))
    assert made
    for each in made:
        origins.check(each)


@pytest.mark.parametrize("name", SPECS)
def test_a_text_is_parsed_once_a_session(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def counted(source: SourceText) -> object:
        parsed.append(source.text)
        return yaml_nodes.compose(source)

    monkeypatch.setattr(tree, "compose", counted)
    monkeypatch.setattr(filled, "compose", counted)
    reader = TextReader()
    for _ in range(2):
        list(documents(SPECS[name], reader))
    assert len(parsed) == len(set(parsed))


# Small texts whose maps can be read


def entry(name: str, text: str, *, secret: bool = False, kind: str | None = None) -> Fodder:
    """Fodder written as a literal block from line 3 of its own document."""
    lines = "".join(f"    {line}\n" if line else "\n" for line in text.splitlines())
    head = f"# {name}\n- content: |\n"
    source = SourceText(f"{name}.yaml", head + lines)
    span = Span(source, len(head) - 2, len(source.text))
    return Fodder(
        name=name, type=kind, content=Content(text, Written(span, 1)), secret=secret or None
    )


def filled_with(one: Fodder, value: str) -> Fodder:
    """The fodder with the given `value` for its one `{{ x }}`."""
    base = one.content
    assert base is not None
    at = base.text.index("{{ x }}")
    insertion = Insertion(at, at + len(value), at, at + 7, "x", GIVEN)
    text = base.text.replace("{{ x }}", value)
    return Fodder(
        name=one.name,
        type=one.type,
        secret=one.secret,
        content=Content(text, Substituted(base, (insertion,))),
    )


def texts(made: GuestDocument) -> list[str]:
    return [each.text for each in encode.user_data(made.parts).texts]


def mapped(made: GuestDocument, number: int = 0) -> list[str]:
    """`LINES STEP FILE:LINE+STEP` of each run of lines of a part, then its stretches."""
    text = encode.user_data(made.parts).texts[number]
    found = linemap.map_of_part(made, text)
    shown = [
        f"{run.first}-{run.last} {_place(run.origin, run.source_line)}+{run.step}"
        for run in found.lines
    ]
    return shown + [
        f"{each.line}:{each.first}-{each.last} {_place(each.origin)}" for each in found.stretches
    ]


def _place(origin: Origin, line: int | None = None) -> str:
    mark = "!" if origin.secret else ""
    if origin.span is None:
        return origin.step + mark
    line = origin.span.line if line is None else line
    return f"{origin.step}{mark} {origin.span.source.name[:-5]}:{line}"


SCRIPT = "#!/bin/sh\necho one\necho {{ x }} two\n\necho three\n"


def test_a_script_and_the_value_in_it() -> None:
    made = document(filled_with(entry("a", SCRIPT, kind="shellscript"), "1"))
    assert mapped(made) == ["1-5 written a:3+1", "3:6-7 substituted a:5"]


def test_a_value_of_several_lines_has_the_place_of_its_reference() -> None:
    made = document(filled_with(entry("a", SCRIPT, kind="shellscript"), "1\n2\n3"))
    assert mapped(made) == [
        "1-3 written a:3+1",
        "4-4 substituted a:5+0",
        "5-7 written a:5+1",
        "3:6-7 substituted a:5",
        "5:1-2 substituted a:5",
    ]


def test_no_stretch_tells_the_length_of_a_secret() -> None:
    made = document(filled_with(entry("a", SCRIPT, kind="shellscript", secret=True), "1"))
    assert mapped(made) == ["1-5 written! a:3+1"]


def test_a_marker_that_nobody_wrote() -> None:
    made = document(entry("a", "packages: [b]\n"), merge=MergeMode.PARTS)
    assert mapped(made) == ["1-1 defaulted+0", "2-2 written a:3+0"]


def test_items_of_merged_lists_and_maps_have_the_lines_of_their_own_fodder() -> None:
    one = entry("a", "runcmd: [one, two]\nusers:\n- name: bob\n  shell: /bin/sh\n")
    two = entry("b", "# more\nruncmd:\n- three\nusers:\n- name: bob\n  gecos: Bob\n")
    made = document(one, two)
    users = "users:\n- name: bob\n  shell: /bin/sh\n  gecos: Bob\n"
    assert texts(made) == [f"#cloud-config\n{users}runcmd:\n- one\n- two\n- three\n"]
    assert mapped(made) == [
        "1-1 defaulted+0",
        "2-4 written a:4+1",
        "5-5 written b:8+0",
        "6-8 written a:3+0",
        "9-9 written b:5+0",
    ]


def test_lines_of_a_block_in_a_merged_part() -> None:
    text = (
        "write_files:\n- path: /etc/a\n  content: |\n    first\n    {{ x }} second\n\n    third\n"
    )
    made = document(filled_with(entry("a", text), "value"), entry("b", "packages: [c]\n"))
    assert texts(made)[0].split("\n")[5] == "    value second"
    assert mapped(made) == [
        "1-1 defaulted+0",
        "2-8 written a:3+1",
        "9-10 written b:3+0",
        "6:5-10 substituted a:7",
    ]


def test_a_scalar_that_is_a_value() -> None:
    text = "final_message: fixed\nhostname: {{ x }}\n"
    made = document(filled_with(entry("a", text), "db"))
    assert texts(made) == ["#cloud-config\nhostname: db\nfinal_message: fixed\n"]
    assert mapped(made) == [
        "1-1 defaulted+0",
        "2-2 written a:4+0",
        "3-3 written a:3+0",
        "2:11-13 substituted a:4",
    ]
    body = made.parts[0].body
    assert isinstance(body, ConfigTree)
    origin = body.provenance.origin(body.root.entries["hostname"])
    assert (origin.step, origin.variable, origin.via) == (Step.SUBSTITUTED, "x", GIVEN)


def test_a_value_of_another_fodder_is_a_stretch() -> None:
    made = document(entry("a", "final_message: one\n"), entry("b", "#\nfinal_message: two\n"))
    assert texts(made) == ["#cloud-config\nfinal_message: two\n"]
    assert mapped(made) == ["1-1 defaulted+0", "2-2 written a:3+0", "2:16-19 written b:4"]


def test_a_value_that_was_made_of_two() -> None:
    one = entry("a", "final_message: one\n")
    two = entry("b", "final_message: two\nmerge_how: 'str(append)+dict(recurse_str)'\n")
    made = document(one, two)
    assert texts(made) == ["#cloud-config\nfinal_message: onetwo\n"]
    assert mapped(made) == ["1-1 defaulted+0", "2-2 written a:3+0", "2:16-22 merged b:3"]


def test_what_was_made_of_something_secret_is_secret() -> None:
    one = entry("a", "final_message: one\n", secret=True)
    two = entry("b", "final_message: two\nmerge_how: 'str(append)+dict(recurse_str)'\n")
    made = document(one, two)
    assert mapped(made) == ["1-1 defaulted+0", "2-2 written! a:3+0"]
    body = made.parts[0].body
    assert isinstance(body, ConfigTree)
    message = body.root.entries["final_message"]
    assert body.provenance.secret(message)
    assert body.provenance.origin(message).secret


def test_a_line_that_holds_something_secret_is_secret() -> None:
    one = entry("a", "ssh_pwauth: true\npassword: open\n")
    two = entry("b", "password: hidden\n", secret=True)
    made = document(one, two)
    assert texts(made) == ["#cloud-config\nssh_pwauth: true\npassword: hidden\n"]
    assert mapped(made) == ["1-1 defaulted+0", "2-2 written a:3+0", "3-3 written! a:4+0"]


def test_an_entry_of_an_archive_has_the_lines_of_the_archive() -> None:
    text = "- content: |\n    #!/bin/sh\n    echo {{ x }} two\n- |\n  packages: [a]\n"
    made = document(filled_with(entry("a", text, kind="cloud-config-archive"), "1"))
    assert [part.entries for part in made.parts] == [(0,), (0,)]
    assert texts(made) == ["#!/bin/sh\necho 1 two\n", "#cloud-config\npackages:\n- a\n"]
    assert mapped(made, 0) == ["1-2 written a:4+1", "2:6-7 substituted a:5"]
    assert mapped(made, 1) == ["1-1 defaulted+0", "2-3 written a:7+0"]


def test_a_strategy_that_an_archive_gives_its_entry() -> None:
    text = "- {Merge-Type: 'list(prepend)+dict(recurse_list)', content: 'packages: [b]'}\n"
    made = document(entry("a", "packages: [a]\n"), entry("b", text, kind="cloud-config-archive"))
    assert texts(made) == ["#cloud-config\npackages:\n- b\n- a\n"]
    assert mapped(made) == [
        "1-1 defaulted+0",
        "2-2 written a:3+0",
        "3-3 written b:3+0",
        "4-4 written a:3+0",
    ]


def test_a_part_of_several_entries_is_merged() -> None:
    made = document(entry("a", "packages: [a]\n"), entry("b", "runcmd: [b]\n", secret=True))
    [part] = made.parts
    origin = linemap.origin_of_part(made, part)
    assert (origin.step, origin.secret) == (Step.MERGED, True)
    assert origin.via is not None
    assert origin.via.span == origin.span
    assert origin.span is not None
    assert origin.span.source.name == "b.yaml"


def test_an_unknown_node_raises() -> None:
    made = document(entry("a", "packages: [a]\n"))
    body = made.parts[0].body
    assert isinstance(body, ConfigTree)
    for ask in (body.provenance.origin, body.provenance.fodder, body.provenance.label):
        with pytest.raises(LookupError, match="no fodder"):
            ask(Scalar("a"))
    secret = Provenance([(entry("a", "a: 1\n", secret=True), MappingNode({}, {}))])
    with pytest.raises(LookupError, match="no fodder"):
        secret.secret(Scalar("a"))


def test_a_node_of_two_entries_raises() -> None:
    shared = Scalar("a")
    trees = [MappingNode({"k": shared}, {"k": Scalar("k")}) for _ in range(2)]
    both = [(fodder("k: a\n"), tree) for tree in trees]
    with pytest.raises(LookupError, match="two fodder"):
        Provenance(both).fodder(shared)


def test_meta_data_and_network_config() -> None:
    source = SourceText("spec.yaml", "hostname: web\nadapter: eth0\n")
    name = Origin(span=Span(source, 10, 13), step=Step.WRITTEN)
    address = Origin(span=Span(source, 23, 27), step=Step.INHERITED)
    made = document(
        adapters=(
            Adapter(name="eth0", mac_address="d2:ab:00:00:00:01", given=True, origin=address),
            Adapter(name="eth1", mac_address="d2:ab:00:00:00:02", given=True),
        ),
        hostname_origin=name,
        instance_id_origin=GIVEN,
    )
    found = linemap.map_of_meta_data(made).lines
    assert [(run.first, run.last, run.origin, run.source_line) for run in found] == [
        (1, 1, GIVEN, 0),
        (2, 2, name, 1),
    ]
    network = linemap.map_of_network_config(made)
    assert network is not None
    assert [(run.first, run.last, run.source_line) for run in network.lines] == [
        (1, 2, 0),
        (3, 7, 2),
        (8, 12, 0),
    ]
    assert [run.origin for run in network.lines[1:]] == [address, INVENTED]


def test_the_users_network_config() -> None:
    text = "version: 2\n# ours\nethernets:\n  eth0:\n    dhcp4: true\n"
    adapter = Adapter(name="eth0", mac_address="d2:ab:00:00:00:01", given=True)
    for adapters, expected in (
        ((), [(1, 5, 1, 1)]),
        ((adapter,), [(1, 1, 1, 0), (2, 3, 3, 1), (4, 6, 0, 0), (7, 7, 5, 0)]),
    ):
        made = document(network_file=SourceText("net.yaml", text), adapters=adapters)
        found = linemap.map_of_network_config(made)
        assert found is not None
        assert [run[:2] + run[3:] for run in found.lines] == expected
        assert {run.origin.step for run in found.lines if run.source_line} == {Step.GIVEN}
