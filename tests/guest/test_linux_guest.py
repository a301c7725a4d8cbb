"""Linux guests: which parts, in which order, under which names, and what is refused."""

from __future__ import annotations

import pytest

from eryphc.guest.compose import compose, sealed
from eryphc.guest.document import UserDataPart
from eryphc.guest.encode import nocloud
from eryphc.guest.model import GuestKind, MergeMode
from eryphc.ir.catlet import Fodder
from guest.feeding import codes, document, fodder, parts, request, seed, text_of
from saying import handed_out, said

SH = "#!/bin/sh\necho hi\n"
CONFIG = "packages: [a]\n"
COMMANDS = "runcmd: [a]\n"
JINJA = "## template: jinja\n"


def shown(made: tuple[UserDataPart, ...]) -> list[tuple[str, str]]:
    return [(part.name, part.media_type.removeprefix("text/")) for part in made]


def test_all_plain_cloud_configs_are_one_part_where_the_first_stood() -> None:
    made = parts(
        fodder(SH, "shellscript", "first"),
        fodder("#cloud-config\npackages: [a]\n", None, "one", secret=True),
        fodder("#cloud-boothook\n#!/bin/sh\n", "cloud-boothook", "hook"),
        fodder("packages: [b]\n", "cloud-config", "two"),
        fodder(SH, "shellscript", "last", filename="Last One.sh"),
    )
    assert shown(made) == [
        ("001-first", "x-shellscript"),
        ("002-cloud-config", "cloud-config"),
        ("003-hook", "cloud-boothook"),
        ("004-LastOne.sh", "x-shellscript"),
    ]
    assert text_of(made[1]) == "#cloud-config\npackages:\n- a\n- b\n"
    assert [part.entries for part in made] == [(0,), (1, 3), (2,), (4,)]
    assert [part.secret for part in made] == [False, True, False, False]


def test_scripts_sort_around_the_commands() -> None:
    fodder_entries = [
        fodder(SH, "shellscript", "a"),
        fodder(COMMANDS, None, "b"),
        fodder(SH, "shellscript", "c"),
        fodder(f"{JINJA}#cloud-config\n{COMMANDS}", None, "d"),
        fodder(SH, "shellscript", "e"),
    ]
    assert shown(parts(*fodder_entries)) == [
        ("001-a", "x-shellscript"),
        ("002-b", "cloud-config"),
        ("003-c", "x-shellscript"),
        ("004-d", "jinja2"),
        ("s-005-e", "x-shellscript"),
    ]
    [found] = compose(request(*fodder_entries)).diagnostics
    assert said(found).message == (
        "the script `c` stands between the commands of `b` and `d`, but runs before both"
    )


def test_byte_order_of_many_scripts_is_document_order() -> None:
    names = [
        part.name for part in parts(*(fodder(SH, "shellscript", f"n{i}") for i in range(1001)))
    ]
    assert names[0] == "0001-n0"
    assert sorted(names) == names


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        pytest.param("10 grü.sh", "001-10gr.sh", id="cleaned as the guest does it"),
        pytest.param("ü.", "001-setup", id="nothing left: the food's name"),
        pytest.param("runcmd", "001-runcmd", id="cannot be the guest's own file"),
        pytest.param("a" * 250 + ".sh", "001-" + "a" * 197 + ".sh", id="room for the number"),
    ],
)
def test_names(filename: str, expected: str) -> None:
    assert parts(fodder(SH, "shellscript", "setup", filename=filename))[0].name == expected


def test_a_script_without_any_name() -> None:
    assert parts(fodder(SH, "shellscript", None, filename="ü"))[0].name == "001-script"


def test_templates_follow_the_merged_part() -> None:
    made = parts(
        fodder(f"{JINJA}packages: ['{{{{ v1.x }}}}']\n", None, "t"),
        fodder(SH, "shellscript", "s"),
        fodder(CONFIG, None, "c"),
        fodder(f"{JINJA}#cloud-config\nbootcmd: [a]\n", None, "u"),
    )
    assert shown(made) == [
        ("001-s", "x-shellscript"),
        ("002-c", "cloud-config"),
        ("003-t", "jinja2"),
        ("004-u", "jinja2"),
    ]
    assert text_of(made[2]) == f"{JINJA}#cloud-config\npackages: ['{{{{ v1.x }}}}']\n"
    append = (("X-Merge-Type", "list(append)+dict(no_replace,recurse_list)+str()"),)
    assert [part.headers for part in made] == [(), (), append, append]


def test_a_template_alone_is_plain() -> None:
    made = seed(fodder(f"{JINJA}hostname: '{{{{ v1.x }}}}'\n"))
    assert made.user_data.data == b"## template: jinja\n#cloud-config\nhostname: '{{ v1.x }}'\n"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param("packages: [b]", [], id="lists add up"),
        pytest.param("locale: x", ["E0556"], id="a scalar of both"),
        pytest.param("locale: '{{ v1.x }}'", ["E0556"], id="an expression"),
        pytest.param("locale: {{ v1.x }}", ["E0556"], id="an expression without quotes"),
        pytest.param("{% if x %}\nlocale: y\n{% endif %}", ["E0556"], id="inside a condition"),
        pytest.param("ntp: {enabled: false}", ["E0556"], id="deep inside"),
        pytest.param("ntp: {pools: [x]}", [], id="another key of the same map"),
        pytest.param("packages: x", ["E0556"], id="a scalar over a list"),
        pytest.param("locale: [x]", ["E0556"], id="a list over a scalar"),
        pytest.param("timezone: x", [], id="a key of its own"),
        pytest.param("a: {{ x }}: [\nlocale: y", ["E0556"], id="no YAML without its guest"),
    ],
)
def test_a_template_cannot_set_what_the_others_set(template: str, expected: list[str]) -> None:
    others = fodder("locale: a\nntp: {enabled: true}\npackages: [a]\n", None, "others")
    assert codes(others, fodder(f"{JINJA}#cloud-config\n{template}\n", None, "t")) == expected


def test_two_templates() -> None:
    first = fodder(f"{JINJA}#cloud-config\nlocale: a\n", None, "first")
    second = fodder(f"{JINJA}#cloud-config\nlocale: b\n", None, "second")
    assert codes(first, second) == ["W0559"]


@pytest.mark.parametrize(
    ("fodder_entries", "merged", "apart"),
    [
        pytest.param([fodder(SH, "shellscript")], [], [], id="a script"),
        pytest.param([fodder("echo", "shellscript")], ["E0551"], ["W0550"], id="no #!"),
        pytest.param([fodder("\n#!/bin/sh", "shellscript")], ["E0551"], ["W0550"], id="#! below"),
        pytest.param([fodder("\ufeff#!/bin/sh\r\n", "shellscript")], [], [], id="mark and CR LF"),
        pytest.param([fodder("#ps1\n", "shellscript")], ["E0561"], ["W0550"], id="#ps1"),
        pytest.param(
            [fodder("x", "shellscript", filename="a.cmd")], ["E0561"], ["W0550"], id=".cmd"
        ),
        pytest.param(
            [fodder("#!/usr/bin/pwsh\n", "shellscript", filename="a.ps1")], [], [], id="pwsh"
        ),
        pytest.param([fodder("x", "upstart-job")], ["E0552"], ["W0550"], id="upstart"),
        pytest.param([fodder("http://x", "include-url")], ["W0551"], ["W0551"], id="include"),
        pytest.param([fodder("x\n", "cloud-boothook")], ["E0551"], ["W0550"], id="boothook, no #!"),
        pytest.param([fodder("#!/bin/sh\n", "cloud-boothook")], [], [], id="boothook, no marker"),
        pytest.param([fodder("x = 1\n", "part-handler")], [], [], id="part-handler"),
        pytest.param([fodder("", "shellscript")], ["W0554"], ["W0554"], id="empty script"),
        pytest.param([fodder(" \n")], ["W0554"], ["W0506"], id="empty cloud-config"),
        pytest.param([fodder(None)], ["W0554"], ["W0506"], id="no content"),
        pytest.param([fodder("#!/bin/sh\necho\n")], ["E0553"], None, id="a script as cloud-config"),
        pytest.param(
            [fodder("#include\nhttp://x\n")], ["E0553"], None, id="include as cloud-config"
        ),
        pytest.param([fodder("#!/bin/sh\na: 1\n")], None, None, id="a comment that looks like one"),
        pytest.param(
            [fodder("#cloud-config\npackages: [a]\n", "shellscript")],
            ["W0553"],
            ["W0553"],
            id="cloud-config as script",
        ),
        pytest.param(
            [fodder(f"{JINJA}x", "part-handler")], ["E0557"], ["W0550"], id="template of a handler"
        ),
        pytest.param([fodder("#!/bin/sh\n\ud800", "shellscript")], ["E0550"], ["E0550"], id="half"),
        pytest.param([fodder("a: \ud800\n")], ["E0550"], ["E0550"], id="half in a config"),
        pytest.param([fodder("set_timezone: UTC\n")], None, None, id="key of Windows"),
    ],
)
def test_findings(
    fodder_entries: list[Fodder], merged: list[str] | None, apart: list[str] | None
) -> None:
    for mode, expected in ((MergeMode.MERGED, merged), (MergeMode.PARTS, apart)):
        if expected is not None:
            assert codes(*fodder_entries, merge=mode) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("set_timezone: UTC\n", "W0586", id="timezone"),
        pytest.param("set_hostname: UTC\n", "W0586", id="hostname"),
        pytest.param("users: [{name: a, passwd: hidden}]\n", "W0587", id="plain password"),
        pytest.param(r"write_files: [{path: 'C:\x', content: hidden}]", "W0588", id="path"),
    ],
)
def test_what_is_written_for_windows(text: str, expected: str) -> None:
    one = fodder(text, secret=True)
    outcome = compose(request(one))
    [found] = [each for each in handed_out(outcome.diagnostics, one) if each.code == expected]
    assert "hidden" not in found.message
    assert found.snippet is None


ARCHIVE = """\
#cloud-config-archive
- |
  packages: [a]
- content: |
    #!/bin/sh
    echo a
  filename: early.sh
- type: text/cloud-boothook
  content: "#!/bin/sh\\n"
- {type: text/x-shellscript-per-boot, content: "#!/bin/sh\\n"}
- |
  ## template: jinja
  #cloud-config
  bootcmd: [b]
"""


def test_an_archive_is_taken_apart() -> None:
    made = parts(fodder(ARCHIVE, "cloud-config-archive", "kit"), fodder("packages: [b]", None, "c"))
    assert shown(made) == [
        ("001-cloud-config", "cloud-config"),
        ("002-early.sh", "x-shellscript"),
        ("003-kit-3", "cloud-boothook"),
        ("004-kit-4", "x-shellscript-per-boot"),
        ("005-kit-5", "jinja2"),
    ]
    assert text_of(made[0]) == "#cloud-config\npackages:\n- a\n- b\n"
    assert text_of(made[1]) == "#!/bin/sh\necho a\n"


def test_a_merge_header_of_an_archive_counts() -> None:
    text = "- {Merge-Type: 'list(prepend)+dict(recurse_list)', content: 'packages: [b]'}\n"
    for body in (text, text.replace("'packages: [b]'", "'{packages: [b]}'")):
        made = parts(fodder("packages: [a]\n"), fodder(body, "cloud-config-archive"))
        assert text_of(made[0]) == "#cloud-config\npackages:\n- b\n- a\n"


def test_an_archive_stays_whole_among_parts() -> None:
    made = parts(fodder(ARCHIVE, "cloud-config-archive", "kit"), merge=MergeMode.PARTS)
    assert shown(made) == [("001-kit", "cloud-config-archive")]
    assert text_of(made[0]) == ARCHIVE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a: 1\n", "E0554", id="no list"),
        pytest.param("- a\n- [\n", "E0554", id="no YAML"),
        pytest.param("- content: {a: 1}\n", "E0554", id="content is a map"),
        pytest.param("- filename: x\n", "E0554", id="no content"),
        pytest.param("- 7\n", "E0554", id="a number"),
        pytest.param('- "#cloud-config-archive\\n- a: 1\\n"\n', "E0555", id="archive in archive"),
        pytest.param('- "#include\\nhttp://x\\n"\n', "E0555", id="include in archive"),
        pytest.param("- {type: text/upstart-job, content: a}\n", "E0555", id="upstart"),
        pytest.param('- {type: "text/a\\nX: y", content: a}\n', "E0555", id="injected header"),
        pytest.param("- {type: text/x-shellscript, content: a}\n", "E0551", id="no #!"),
    ],
)
def test_broken_archives(text: str, expected: str) -> None:
    assert codes(fodder(text, "cloud-config-archive")) == [expected]
    assert codes(fodder(text, "cloud-config-archive"), merge=MergeMode.PARTS) == ["W0550"]


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        pytest.param("a: 1\n", "the guest drops the archive", id="no list"),
        pytest.param("- [\n", "the guest drops the archive", id="no YAML"),
        pytest.param("- 7\n", "the guest drops it", id="no entry"),
        pytest.param("- filename: x\n", "the guest drops it", id="no content"),
        pytest.param(
            "- content: 7\n", "the guest would lose all of its user-data", id="no text as content"
        ),
        pytest.param(
            "- {type: text, content: a}\n",
            "the guest would lose all of its user-data",
            id="half a type",
        ),
    ],
)
def test_how_much_of_an_archive_is_lost(text: str, lost: str) -> None:
    for mode in MergeMode:
        asked = request(fodder(text, "cloud-config-archive"), merge=mode)
        [found] = compose(asked).diagnostics
        assert found.primary is not None
        assert found.primary.message == lost


def test_a_place_inside_an_archive() -> None:
    archive = fodder("- |\n  #!/bin/sh\n- |\n  packages:\n   - a\n  - b\n", "cloud-config-archive")
    [found] = compose(request(archive)).diagnostics
    assert found.primary is not None
    assert found.primary.span.line == 6


def test_one_part_a_fodder_untouched() -> None:
    fodder_entries = [
        fodder("a:   [ 1 ] # x\n", None, "a"),
        fodder("#cloud-config\na: 1", None, "b"),
    ]
    made = parts(*fodder_entries, merge=MergeMode.PARTS)
    assert shown(made) == [("001-a", "cloud-config"), ("002-b", "cloud-config")]
    assert [text_of(part) for part in made] == [
        "#cloud-config\na:   [ 1 ] # x\n",
        "#cloud-config\na: 1",
    ]


def test_the_sealed_seed_has_no_secret_and_the_same_id() -> None:
    fodder_entries = [
        fodder(CONFIG, None, "a"),
        fodder("packages: [hidden]\n", None, "b", secret=True),
    ]
    asked = request(*fodder_entries, instance_id=None)
    whole = compose(asked).value
    assert whole is not None
    public = sealed(asked, whole).value
    assert public is not None
    assert (whole.secret, public.secret) == (True, False)
    assert b"hidden" not in nocloud(public).user_data.data
    assert public.instance_id == whole.instance_id
    assert whole.instance_id.startswith("i-")


def test_entries_of_a_sealed_document_are_those_of_the_request() -> None:
    fodder_entries = [
        fodder("packages: [hidden]\n", None, "a", secret=True),
        fodder(CONFIG, None, "b"),
    ]
    asked = request(*fodder_entries)
    public = sealed(asked, document(*fodder_entries)).value
    assert public is not None
    assert [part.entries for part in public.parts] == [(1,)]
    assert public.fodder[1].name == "b"


def test_nothing_to_configure() -> None:
    made = seed()
    assert (made.user_data.data, made.document.parts, made.network_config) == (b"", (), None)
    assert made.meta_data == b'instance-id: "i-1"\nlocal-hostname: "web"\n'


def test_a_template_that_jinja_refuses_is_an_error_at_its_line() -> None:
    text = "## template: jinja\n#cloud-config\nruncmd:\n- echo {% if x %}\n"
    outcome = compose(request(fodder(text, name="greet")))
    assert outcome.value is None
    (fault,) = outcome.diagnostics
    assert fault.code.number == "E0590"
    assert "`greet`" in said(fault).message


def test_a_template_that_cannot_keep_its_place_is_noted() -> None:
    template = fodder(JINJA + "runcmd: [t]\n", None, "t")
    first, last = fodder(COMMANDS, None, "a"), fodder("runcmd: [b]\n", None, "b")
    assert codes(template, last) == ["N0553"]
    assert codes(first, template, last) == ["N0553"]
    assert codes(first, last, template) == []
    # What has nothing in common has no order either.
    assert codes(template, fodder(CONFIG, None, "c")) == []


BASE64 = "I2Nsb3VkLWNvbmZpZwpwYWNrYWdlczog\nW25naW54XQo=\n"


@pytest.mark.parametrize(
    ("text", "type"),
    [
        pytest.param(BASE64, "cloud-config", id="cloud-config"),
        pytest.param("IyEvYmluL3NoCmVjaG8gaGkK", "shellscript", id="shellscript"),
        pytest.param("H4sIAAAAAAAAA0vOyS9N0U3Oz0vLTAcA", "cloud-config", id="gzip in base64"),
        pytest.param("\x1f\x8b\x08\0", "cloud-config", id="gzip"),
    ],
)
def test_what_is_encoded_already_is_refused(text: str, type: str) -> None:  # noqa: A002
    assert codes(fodder(text, type)) == ["E0562"]
    assert codes(fodder(text, type), guest=GuestKind.WINDOWS) == ["E0562"]
    assert "W0550" in codes(fodder(text, type), merge=MergeMode.PARTS)


def test_what_only_begins_like_base64_is_no_matter() -> None:
    assert codes(fodder("IyE: 1\n")) == ["W0522"]


MULTIPART = (
    'Content-Type: multipart/mixed; boundary="==1=="\nMIME-Version: 1.0\n\n'
    "--==1==\nContent-Type: text/cloud-config\n\n#cloud-config\npackages: [a]\n--==1==--\n"
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(MULTIPART, id="as tools write it"),
        pytest.param(f"#cloud-config\n{MULTIPART}", id="with a marker"),
        pytest.param(f"\n\n{MULTIPART}", id="behind empty lines"),
        pytest.param(f"From nobody Sat Jan  1 00:00:00 2022\n{MULTIPART}", id="a mailbox"),
        pytest.param(MULTIPART.replace("; boundary", ";\n boundary"), id="a folded header"),
        pytest.param(MULTIPART.replace('"', ""), id="a boundary without quotes"),
        pytest.param(MULTIPART.replace("\n", "\r\n"), id="line ends of mail"),
        pytest.param(MULTIPART.lower(), id="lower case"),
    ],
)
@pytest.mark.parametrize("type", ["cloud-config", "shellscript", "cloud-config-archive"])
def test_a_multipart_document_is_refused(text: str, type: str) -> None:  # noqa: A002
    assert codes(fodder(text, type)) == ["E0563"]
    assert codes(fodder(text, type), guest=GuestKind.WINDOWS) == ["E0563"]
    assert "W0550" in codes(fodder(text, type), merge=MergeMode.PARTS)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: |\n  Content-Type: multipart/mixed; boundary=x\n\n  --x\n", id="inside"),
        pytest.param("Content-Type: text/plain\na: |\n  --x\n", id="another type"),
        pytest.param("Content-Type: multipart/mixed; boundary=x\n", id="a header alone"),
    ],
)
def test_what_only_looks_like_mail(text: str) -> None:
    assert "E0563" not in codes(fodder(text))
