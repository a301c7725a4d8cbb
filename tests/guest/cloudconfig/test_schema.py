"""The quick verdict holds to jsonschema, and findings have words and places."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import saying
from eryphc.diagnostics.model import Level
from eryphc.guest.cloudconfig import verdict as own
from eryphc.guest.cloudconfig.nodes import MappingNode
from eryphc.guest.cloudconfig.provenance import Provenance
from eryphc.guest.cloudconfig.schema import (
    KNOWN_BEFORE,
    READ_ANYWAY,
    READ_EARLY,
    check,
    library_errors,
)
from eryphc.guest.cloudconfig.tree import read
from guest.cloudconfig.entries import fodder, merge
from guest.installed import SYSTEM_PYTHON, needs_measured_cloud_init
from places import PUBLISHED


def tree(text: str) -> MappingNode:
    root = read(text).root
    assert root is not None, text
    return root


def jsonschema_verdict(root: MappingNode) -> int:
    """What `verdict` has to answer, by the library."""
    found = own.VALID
    for error in library_errors(root):
        found |= own.DEPRECATED if error.validator in own.MARKS else own.INVALID
    return found


def agree(text: str) -> int:
    root = tree(text)
    ours, theirs = own.verdict(root), jsonschema_verdict(root)
    assert ours & own.INVALID == theirs & own.INVALID, text
    if not ours & own.INVALID:
        assert ours == theirs, text
    return ours


VALID, DEPRECATED, INVALID = own.VALID, own.DEPRECATED, own.INVALID
TABLE = [
    ("{}", VALID),
    ("runcmd: [a, [b, c], null]", VALID),
    ("runcmd: []", INVALID),
    ("runcmd:", INVALID),
    ("runcmd: [{a: b}]", INVALID),
    ("runcmd: [[echo, 1]]", INVALID),
    ("bootcmd: [a]", VALID),
    ("typo: 1", INVALID),
    ("1: 2", INVALID),
    ("users: [default, {name: a, sudo: [x]}]", VALID),
    ("users: [{name: a, lock-passwd: true}]", DEPRECATED),
    ("users: [{name: a, sudo: false}]", DEPRECATED),
    ("users: [{name: a, groups: {x: null}}]", DEPRECATED),
    ("users: [{name: a, expiredate: '2024-01-01'}]", VALID),
    ("users: [{name: a, expiredate: '2024-13-01'}]", INVALID),
    ("users: [{name: a, expiredate: 2024-01-01}]", INVALID),
    ("users: [{name: a, frob: 1}]", INVALID),
    ("users: {name: a}", VALID),
    ("groups: [a, {b: [c]}]", VALID),
    ("groups: {a: b}", VALID),
    ("write_files: [{path: /a, permissions: '0644'}]", VALID),
    ("write_files: [{path: /a, permissions: 0644}]", INVALID),
    ("write_files: [{content: a}]", INVALID),
    ("ca-certs: {trusted: [a]}", DEPRECATED),
    ("ca_certs: {remove-defaults: true}", DEPRECATED),
    ("apt_update: true", DEPRECATED),
    ("apt: {sources: {1: {source: a}}}", VALID),
    ("ntp: {servers: [a, a]}", INVALID),
    ("ntp:", VALID),
    ("chpasswd: {list: 'a:b'}", DEPRECATED),
    ("chpasswd: {users: [{name: a, type: RANDOM}]}", VALID),
    ("chpasswd: {users: [{name: a, type: RANDOM, password: x}]}", INVALID),
    ("power_state: {mode: reboot, delay: 1}", VALID),
    ("power_state: {mode: reboot, delay: '1'}", DEPRECATED),
    ("power_state: {mode: reboot, delay: true}", INVALID),
    ("rh_subscription: {activation-key: a, org: b}", DEPRECATED),
    ("rh_subscription: {activation-key: a, activation_key: b}", INVALID),
    ("yum_repos: {a: {name: x}}", INVALID),
    ("yum_repos: {a: {name: x, baseurl: y}}", VALID),
    ("ubuntu_advantage: {token: a}", DEPRECATED),
    ("disk_setup: {/dev/a: {layout: [50, [50, 82]]}}", VALID),
    ("packages: [a, [b, '1'], {apt: [c]}]", VALID),
    ("autoinstall: {version: 1, anything: true}", VALID),
    ("mounts: [[a, b]]\nswap: {size: 1G}", VALID),
    ("hostname: 1", INVALID),
    ("write_files: [{path: /a, content: !!binary aGk=}]", VALID),
    ("locale: !!binary aGk=\nswap: {size: !!binary aGk=}", VALID),
    ("write_files: [{path: /a, encoding: !!binary aGk=}]", INVALID),
    ("network: {}", INVALID),
]


@pytest.mark.parametrize(("text", "expected"), TABLE, ids=[text for text, _ in TABLE])
def test_the_verdict(text: str, expected: int) -> None:
    found = agree(text)
    assert found & own.INVALID if expected == INVALID else found == expected


def published() -> list[str]:
    """The cloud-configs of the published genes, with words for their references."""
    found = []
    for path in sorted(PUBLISHED.glob("**/fodder/*.yaml")):
        text = re.sub(r"\{\{.*?\}\}", "word", path.read_text("utf-8", "replace"))
        try:
            gene = yaml.safe_load(text)
        except yaml.YAMLError:
            continue
        for each in gene.get("fodder") or []:
            if each.get("type") in ("cloud-config", None):
                content = each.get("content")
                found.append(content if isinstance(content, str) else json.dumps(content))
    return found


def test_the_published_genes() -> None:
    texts = [text for text in published() if read(text).root is not None]
    assert len(texts) > 10
    for text in texts:
        agree(text)


SEEDS = [yaml.safe_load(text) for text, _ in TABLE]
SCALARS: list[Any] = [
    *("a", b"a", "", 1, -1, 1.5, True, False, None),
    *([], {}, ["a"], {"a": "b"}, [["a"]]),
]


@st.composite
def damaged(draw: st.DrawFn) -> dict[Any, Any]:
    """Two documents of the table in one, with a value or a key changed somewhere."""
    data = copy.deepcopy({**draw(st.sampled_from(SEEDS)), **draw(st.sampled_from(SEEDS))})
    for _ in range(draw(st.integers(0, 2))):
        spots: list[tuple[Any, Any]] = []
        stack: list[Any] = [data]
        while stack:
            here = stack.pop()
            for key in here if isinstance(here, dict) else range(len(here)):
                spots.append((here, key))
                if isinstance(here[key], (dict, list)):
                    stack.append(here[key])
        if not spots:
            break
        holder, key = draw(st.sampled_from(spots))
        if isinstance(holder, dict) and draw(st.booleans()):
            holder[draw(st.sampled_from(["name", "x", "path", "list", "type"]))] = holder.pop(key)
        else:
            # A copy: the list put in must never be the one it is put into.
            holder[key] = copy.deepcopy(draw(st.sampled_from(SCALARS)))
    return data


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(damaged())
def test_damaged_documents(data: dict[Any, Any]) -> None:
    agree(yaml.safe_dump(data))


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(
        st.sampled_from(sorted(own.schema()["properties"])), st.sampled_from(SCALARS), max_size=3
    )
)
def test_generated_documents(data: dict[str, Any]) -> None:
    agree(yaml.safe_dump(data))


def test_every_keyword_of_the_schema_is_known() -> None:
    """A keyword that a newer schema uses must not pass unseen."""
    words = {
        *("$schema", "$defs", "$ref", "default", "description", "label", "hidden"),
        *("deprecated", "deprecated_version", "deprecated_description"),
        *("changed", "changed_version", "changed_description"),
        # Without meaning in draft 4, or beside an `items` that is a single schema.
        *("prefixItems", "additionalItems"),
        *own._KEYWORDS,
    }
    maps = ("properties", "patternProperties", "$defs")
    stack: list[Any] = [own.schema()]
    seen = 0
    while stack:
        below = stack.pop()
        if isinstance(below, list):
            stack += below
        if not isinstance(below, dict):
            continue
        for key, value in below.items():
            seen += 1
            assert key in words, key
            if key in maps:
                stack += value.values()
            elif key not in ("enum", "default", "required", "prefixItems"):
                stack.append(value)
    assert seen > 1000


def said(text: str, *, secret: bool = False) -> list[str]:
    one = fodder(text, secret=secret)
    root = tree(text)
    found = check(root, Provenance([(one, root)]))
    return [
        f"{told.code} {told.message} | {each.primary.span.text if each.primary else ''}"
        for each, told in zip(found, saying.handed_out(found, one), strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("packges: [a]", "W0522 cloud-init knows no key `packges` | packges"),
        ("runcmd:", "W0523 `runcmd` is null, and has to be a list | runcmd"),
        (
            "power_state: {mode: sleep}",
            "W0523 `power_state.mode` has to be one of `poweroff`, `reboot`, `halt` | sleep",
        ),
        (
            "users: [{name: a, groups: 'b', frob: 1}]",
            "W0522 cloud-init knows no key `users[0].frob` | frob",
        ),
        ("write_files: [{content: a}]", "W0523 `write_files[0]` lacks `path` | {content: a}"),
        (
            "manual_cache_clean: true",
            (
                "W0522 cloud-init reads `manual_cache_clean`, which its schema "
                "does not have: guests report it | manual_cache_clean"
            ),
        ),
        (
            "datasource_list: [NoCloud]",
            (
                "W0565 cloud-init reads `datasource_list` before it has this configuration | "
                "datasource_list"
            ),
        ),
        (
            "ssh_keys: {dsa_private: x}",
            "W0522 cloud-init 25.1 knows no key `ssh_keys.dsa_private` | dsa_private",
        ),
        ("reporting: {a: {endpoint: 'http://x/'}}", "W0523 `reporting.a` lacks `type` | a"),
        (
            "reporting: {a: {type: logg}}",
            "W0523 `reporting.a.type` has to be one of `log`, `print`, `webhook`, `hyperv` | logg",
        ),
        ("reporting: {a: {type: webhook}}", "W0523 `reporting.a` lacks `endpoint` | a"),
        (
            "reporting: {a: {type: print, x: 1}}",
            "W0522 cloud-init knows no key `reporting.a.x` | x",
        ),
        (
            "chpasswd: {list: 'a:b'}",
            (
                "W0524 `chpasswd.list` is deprecated since cloud-init 22.2, "
                "and newer guests report it | 'a:b'"
            ),
        ),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert said(text) == [expected]


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("rh_subscription: {service-level: x}", Level.NOTE),
        ("ansible: {install_method: pip, pull: {url: x, playbook_name: y}}", Level.NOTE),
        ("ubuntu_advantage: {token: x}", Level.NOTE),
        ("chpasswd: {list: 'a:b'}", Level.WARNING),
    ],
)
def test_a_form_that_older_guests_know_alone_is_a_note(text: str, level: Level) -> None:
    root = tree(text)
    found = check(root, Provenance([(fodder(text), root)]))
    assert {each.level for each in found if each.code.number == "W0524"} == {level}


# What cloud-init's stages have of a key of the user-data, before it is found and after.
STAGES = """
import json, os, sys
from cloudinit import helpers
folder, keys = sys.argv[1], sys.argv[2:]
cloud = os.path.join(folder, "cloud")
paths = helpers.Paths({"cloud_dir": cloud, "run_dir": os.path.join(folder, "run")})
def seen():
    merged = helpers.ConfigMerger(paths=paths, datasource=None, base_cfg={}).cfg
    return [key for key in keys if key in merged]
first = seen()
instance = os.path.join(cloud, "instance")
os.makedirs(instance)
with open(os.path.join(instance, "cloud-config.txt"), "w") as file:
    file.write(json.dumps(dict.fromkeys(keys, "set")))
print(json.dumps([first, seen()]))
"""


@pytest.mark.integration
def test_stages_have_the_keys_only_once_the_data_is_found(tmp_path: Path) -> None:
    keys = sorted(READ_EARLY)
    probe = "import cloudinit.helpers"
    if subprocess.run([SYSTEM_PYTHON, "-c", probe], check=False, capture_output=True).returncode:
        pytest.skip("cloud-init is not installed: apt-get install cloud-init")
    done = subprocess.run(
        [SYSTEM_PYTHON, "-c", STAGES, tmp_path, *keys], check=True, capture_output=True, text=True
    )
    assert json.loads(done.stdout) == [[], keys]


@pytest.mark.integration
@pytest.mark.parametrize("key", sorted(READ_EARLY | READ_ANYWAY))
def test_the_code_of_a_guest_asks_for_each_key_that_the_schema_lacks(key: str) -> None:
    folder = Path("/usr/lib/python3/dist-packages/cloudinit")
    if not folder.is_dir():
        pytest.skip("cloud-init is not installed: apt-get install cloud-init")
    assert key not in own.schema()["properties"]
    sources = [path.read_text(encoding="utf-8") for path in folder.rglob("*.py")]
    assert any(f'"{key}"' in source for source in sources)


@pytest.mark.integration
def test_the_oldest_guest_takes_the_keys_that_newer_ones_do_not_know() -> None:
    needs_measured_cloud_init()
    program = "from cloudinit.config import cc_ssh; print(*cc_ssh.CONFIG_KEY_TO_FILE)"
    done = subprocess.run(
        [SYSTEM_PYTHON, "-c", program], check=True, capture_output=True, text=True
    )
    assert set(KNOWN_BEFORE["ssh_keys"]) <= set(done.stdout.split())


@pytest.mark.integration
def test_the_oldest_guest_refuses_the_new_forms() -> None:
    needs_measured_cloud_init()
    program = """
from cloudinit.config import cc_ansible, cc_rh_subscription
rh = cc_rh_subscription.SubscriptionManager
print(rh({"rh_subscription": {"service_level": "x"}})._verify_keys()[0],
      rh({"rh_subscription": {"service-level": "x", "auto-attach": True}})._verify_keys()[0])
for pull in ([{"url": "x", "playbook_name": "y"}], {"url": "x", "playbook_name": "y"}):
    try:
        cc_ansible.validate_config({"install_method": "pip", "package_name": "a", "pull": pull})
        print(True)
    except (ValueError, AttributeError):
        print(False)
"""
    done = subprocess.run(
        [SYSTEM_PYTHON, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["False", "True", "False", "True"]


def test_no_word_of_a_secret() -> None:
    found = said("users: [{name: hunter2, 'hunter2 key': 1, uid: [hunter2]}]", secret=True)
    assert len(found) == 2
    assert all("hunter2" not in each.split("|")[0] for each in found)


def test_the_shipped_schema_is_the_published_one() -> None:
    # Of cloud-init 26.2 at commit 04eacd06ee60; the order of its keys does not count.
    published = "328b182abae1d84aab32fc3ec08b4433cd27fe0fb0f31c1b44f573a65c50c56c"
    canonical = json.dumps(own.schema(), sort_keys=True)
    assert hashlib.sha256(canonical.encode()).hexdigest() == published


def test_the_library_is_not_asked_about_valid_configurations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "jsonschema", None)
    outcome = merge([fodder("runcmd: [a]")])
    assert outcome.value is not None
    assert check(outcome.value.root, outcome.value.provenance) == ()
