"""What Jinja fodder entries print must be known to the guest."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from eryphc.guest.compose import compose
from eryphc.guest.model import GuestKind, MergeMode
from eryphc.guest.template_keys import META_DATA, RULES, STANDARD
from eryphc.lint.engine import judge
from guest.conftest import SYSTEM_PYTHON
from guest.feeding import document, fodder, request
from saying import said

HEAD = "## template: jinja\n#cloud-config\n"


def messages(text: str, **more: object) -> list[str]:
    made = document(fodder(text), **more)
    return [said(each).message for each in judge(RULES, made)]


def words(expression: str) -> list[str]:
    return messages(f"{HEAD}a: '{expression}'\n")


def missing(path: str) -> str:
    return (
        f"`food` uses `{path}`, which the guest does not know: the guest puts"
        f" `CI_MISSING_JINJA_VAR/{path.rpartition('.')[2]}` in its place"
    )


@pytest.mark.parametrize(
    ("expression", "path"),
    [
        ("{{ ds.meta_data.hostname }}", "ds.meta_data.hostname"),
        ("{{ ds['meta_data']['local-ipv4'] }}", "ds.meta_data.local-ipv4"),
        ("{{ ds.meta_data.public_keys | upper }}", "ds.meta_data.public_keys"),
        ("{{ ds.metadata }}", "ds.metadata"),
        ("{{ v1.hostname }}", "v1.hostname"),
        ("{{ v1.hostname ~ 'x' }}", "v1.hostname"),
        ("{{ hostname }}", "hostname"),
        ("{{ v1.region or v1.zone }}", "v1.zone"),
        ("{{ 'a' if v1.region else v1.zone }}", "v1.zone"),
        ("{% set h = v1.hostname %}{{ h }}", "v1.hostname"),
        ("{% for k in v1.public_ssh_keys %}{{ v1.key }}{{ k }}{% endfor %}", "v1.key"),
    ],
)
def test_what_is_missing(expression: str, path: str) -> None:
    assert words(expression) == [missing(path)]


@pytest.mark.parametrize(
    "expression",
    [
        "{{ ds.meta_data.instance_id }} {{ ds.meta_data['local-hostname'] }}",
        "{{ v1.local_hostname }} {{ local_hostname }} {{ v1['instance-id'] }}",
        "{{ ds.meta_data }} {{ ds }} {{ v1 }}",
        "{{ ds.meta_data.get('x', 'y') }}",
        "{{ ds.meta_data.hostname | default('x') }} {{ v1.hostname | d('x') }}",
        "{% if ds.meta_data.hostname is defined %}{{ ds.meta_data.hostname }}{% endif %}",
        "{% if v1.hostname %}{{ v1.hostname }}{% endif %}",
        "{{ v1.hostname if v1.hostname else 1 }}",
        "{{ v1.hostname or v1.local_hostname }}",
        "{% set h = 1 %}{{ h }}{% for i in range(3) %}{{ i }}{{ loop.index }}{% endfor %}",
        "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1) }}",
        "{{ merged_cfg.system_info }} {{ sys_info.platform }} {{ userdata }}",
        "{{ v1.public_ssh_keys[0] }}",
        "{% raw %}{{ ds.meta_data.hostname }}{% endraw %}",
        "{# {{ ds.meta_data.hostname }} #}",
    ],
)
def test_what_is_there_or_guarded(expression: str) -> None:
    assert words(expression) == []


def test_what_is_asked_of_something_missing_ends_the_rendering() -> None:
    [message] = words("{{ ds.meta_data.network.address }}")
    assert message == (
        "`food` uses `ds.meta_data.network`, which the guest does not know: the guest cannot"
        " render the text and drops it whole"
    )


def test_it_is_said_once_and_in_its_place() -> None:
    made = document(fodder(f"{HEAD}a: '{{{{ v1.x }}}}{{{{ v1.x }}}}'\nb: '{{{{ v1.y }}}}'\n"))
    spans = [each.primary.span for each in judge(RULES, made) if each.primary is not None]
    assert [span.source.text[span.start : span.end] for span in spans] == ["x", "y"]
    assert [span.line for span in spans] == [3, 4]


def test_scripts_and_parts_too_but_no_other_texts() -> None:
    script = "## template: jinja\n#!/bin/sh\necho {{ v1.hostname }}\n"
    assert len(judge(RULES, document(fodder(script, "shellscript")))) == 1
    assert len(judge(RULES, document(fodder(script, "shellscript"), merge=MergeMode.PARTS))) == 1
    assert messages("a: '{{ v1.hostname }}'\n") == []
    windows = compose(
        request(fodder(f"{HEAD}a: '{{{{ v1.x }}}}'\n"), guest=GuestKind.WINDOWS)
    ).value
    assert windows is not None
    assert judge(RULES, windows) == []


@pytest.mark.integration
def test_the_keys_are_those_of_cloud_init(tmp_path: Path) -> None:
    """What cloud-init's own data source and renderer make of our meta-data."""
    probe = subprocess.run([SYSTEM_PYTHON, "-c", "import cloudinit"], check=False)
    if probe.returncode != 0:
        pytest.skip("cloud-init is not installed: apt-get install cloud-init")
    seed = tmp_path / "seed"
    seed.mkdir()
    (seed / "meta-data").write_text('instance-id: "i-1"\nlocal-hostname: "web"\n')
    (seed / "user-data").write_text("")
    program = Path(__file__).parent / "readers" / "instance_data_of_cloud_init.py"
    done = subprocess.run(
        [SYSTEM_PYTHON, program, seed, tmp_path / "run"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    told = json.loads(done.stdout)
    assert set(told["meta_data"]) == set(META_DATA)
    assert set(told["v1"]) - {"availability-zone", "cloud-name"} <= {
        *STANDARD,
        "_beta_keys",
        "instance-id",
        "local-hostname",
    }
    assert set(STANDARD) <= set(told["v1"])
    assert told["rendered"] == "web CI_MISSING_JINJA_VAR/hostname CI_MISSING_JINJA_VAR/HOSTNAME"
    assert told["ended"] is None
