"""What cloud-init's own code makes of our user-data for Linux guests."""

from __future__ import annotations

import pytest

from eryphc.guest.compose import compose
from eryphc.guest.encode import nocloud
from eryphc.guest.model import MergeMode
from guest.conftest import Reader
from guest.feeding import fodder, request, seed
from saying import said

pytestmark = pytest.mark.integration

SH = "#!/bin/sh\necho grün\n"


def test_parts_names_order_and_configuration(read_as_linux: Reader) -> None:
    made = seed(
        fodder(SH, "shellscript", "first", filename="10 grü.sh"),
        fodder("packages: [a]\nruncmd:\n- echo ü\n", None, "one"),
        fodder("#cloud-boothook\r\n#!/bin/sh\r\necho\r\n", "cloud-boothook", "hook"),
        fodder("packages: [b]\nruncmd:\n- [echo, b]\nlocale: C\n", "cloud-config", "two"),
        fodder(SH + "\0\0", "shellscript", "last"),
        fodder("## template: jinja\n#!/bin/sh\necho {{ v1.local_hostname }}\n", "shellscript", "t"),
        fodder(
            "## template: jinja\npackages: ['{{ v1.local_hostname }}']\ntimezone: UTC\n",
            None,
            "template",
        ),
    )
    read = read_as_linux(made.user_data.data)
    assert read["warnings"] == []
    assert [part[:2] for part in read["parts"]] == [
        ["text/x-shellscript", "001-10gr.sh"],
        ["text/cloud-config", "002-cloud-config"],
        ["text/cloud-boothook", "003-hook"],
        ["text/x-shellscript", "s-004-last"],
        ["text/jinja2", "s-005-t"],
        ["text/jinja2", "006-template"],
    ]
    assert read["scripts"] == [
        ["001-10gr.sh", SH],
        ["s-004-last", SH],
        ["s-005-t", "#!/bin/sh\necho rendered-host\n"],
    ]
    assert read["boothooks"] == [["003-hook", "#!/bin/sh\necho\n"]]
    assert read["config"] == {
        "packages": ["a", "b", "rendered-host"],
        "runcmd": ["echo ü", ["echo", "b"]],
        "locale": "C",
        "timezone": "UTC",
    }


@pytest.mark.parametrize(
    "marker", ["## template:jinja", "##template: jinja", "## template: jinja2"]
)
def test_what_is_nearly_the_marker_of_a_template_is_rendered_by_nobody(
    read_as_linux: Reader, marker: str
) -> None:
    text = f"{marker}\n#cloud-config\nlocale: '{{{{ v1.local_hostname }}}}'\n"
    for mode in MergeMode:
        read = read_as_linux(seed(fodder(text, None, "one"), merge=mode).user_data.data)
        assert read["config"] == {"locale": "{{ v1.local_hostname }}"}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("packages: [ü]\n", id="plain"),
        pytest.param("# MIME-Version: 1.0\npackages: [ü]\n", id="looks like mail"),
        pytest.param("## template: jinja\npackages: [ü]\n", id="a template"),
    ],
)
@pytest.mark.parametrize("mode", list(MergeMode))
def test_one_cloud_config(read_as_linux: Reader, text: str, mode: MergeMode) -> None:
    read = read_as_linux(seed(fodder(text), merge=mode).user_data.data)
    assert read["warnings"] == []
    assert read["config"] == {"packages": ["ü"]}


def test_nothing(read_as_linux: Reader) -> None:
    read = read_as_linux(seed().user_data.data)
    assert (read["warnings"], read["config"], read["scripts"]) == ([], {}, [])


def test_an_archive(read_as_linux: Reader) -> None:
    text = "- |\n  packages: [a]\n- |\n  #!/bin/sh\n  echo a\n- |\n  packages: [b]\n"
    read = read_as_linux(seed(fodder(text, "cloud-config-archive", "kit")).user_data.data)
    assert read["warnings"] == []
    assert read["config"] == {"packages": ["a", "b"]}
    assert read["scripts"] == [["002-kit-2", "#!/bin/sh\necho a\n"]]


def test_one_part_a_fodder(read_as_linux: Reader) -> None:
    fodder_entries = [
        fodder("packages: [a]\nlocale: C\n", None, "one"),
        fodder(SH, "shellscript", "script"),
        fodder("packages: [b]\n", None, "two"),
        fodder("- |\n  #!/bin/sh\n  echo a\n", "cloud-config-archive", "kit"),
    ]
    read = read_as_linux(seed(*fodder_entries, merge=MergeMode.PARTS).user_data.data)
    assert read["warnings"] == []
    assert [part[:2] for part in read["parts"]] == [
        ["text/cloud-config", "001-one"],
        ["text/x-shellscript", "002-script"],
        ["text/cloud-config", "003-two"],
        ["text/x-shellscript", "part-004"],
    ]
    assert read["config"] == {"packages": ["b"], "locale": "C"}


def test_a_part_handler_gets_what_follows_it(read_as_linux: Reader) -> None:
    handler = (
        "#part-handler\n"
        "def list_types():\n    return ['text/x-own']\n"
        "def handle_part(data, ctype, filename, payload):\n"
        "    if ctype == 'text/x-own':\n"
        "        raise ValueError(payload)\n"
    )
    own = "- {type: text/x-own, content: mine}\n"
    read = read_as_linux(
        seed(
            fodder(handler, "part-handler", "handler"), fodder(own, "cloud-config-archive", "own")
        ).user_data.data
    )
    assert [part[0] for part in read["parts"]] == ["text/part-handler", "text/x-own"]
    [warning] = read["warnings"]
    assert "Failed calling handler" in warning


def test_what_the_guest_drops_is_what_is_reported(read_as_linux: Reader) -> None:
    fodder_entries = [
        fodder("packages: [a]\nruncmd: [one]\nlocale: C\n", None, "first"),
        fodder("- 'bootcmd: [b]'\n- 'packages: [b]'\n", "cloud-config-archive", "kit"),
        fodder("## template: jinja\nlocale: '{{ v1.local_hostname }}'\n", None, "template"),
        fodder("#!/bin/sh\n", None, "no-map"),
        fodder("runcmd: [two]\nmerge_how: 'list(append)+dict(recurse_list)'\n", None, "last"),
    ]
    outcome = compose(request(*fodder_entries, merge=MergeMode.PARTS))
    assert outcome.value is not None
    read = read_as_linux(nocloud(outcome.value).user_data.data)
    assert read["config"] == {
        "packages": ["b"],
        "runcmd": ["one", "two"],
        "bootcmd": ["b"],
        "locale": "rendered-host",
    }
    lost = [
        (found.code.number, said(found).message)
        for found in outcome.diagnostics
        if found.code.number in ("W0506", "W0520")
    ]
    of_first = "of fodder entry `first`: fodder entry"
    assert lost == [
        ("W0506", "the cloud-config of fodder entry `no-map` is empty"),
        ("W0520", f"the guest drops `packages[0]` {of_first} `kit-2` takes its place"),
        ("W0520", f"the guest drops `locale` {of_first} `template` takes its place"),
    ]
