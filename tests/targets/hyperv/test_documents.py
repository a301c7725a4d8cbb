"""Whole deployments: what the schema, the runtime and a host's model make of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from catlets import write_pool
from eryph_runtime.document import read as read_deployment
from eryphc.diagnostics.model import Level
from eryphc.genepool.chain import PoolChain
from eryphc.genepool.folder import FolderPool, StandardPool
from eryphc.guest.model import GuestKind
from eryphc.passes.read import Notation
from eryphc.request import BuildRequest
from places import CHECKOUT, PUBLISHED
from runtime.deployments import Desk
from runtime.hyperv_model import Model, vhdx
from saying import said
from targets.hyperv.building import Result, build

pytestmark = pytest.mark.once

BASE = "acme/base/1.0"
PARAMETERS = {
    "folder": "D:\\Machines",
    "volume-folder": "D:\\Parents",
    "shared-folder": "C:\\ClusterStorage\\Volume1",
}
STORES = "C:\\ClusterStorage\\Stores"


@cache
def validator() -> Any:
    text = (files("eryphc") / "schemas" / "deployment.schema.json").read_text("ascii")
    return jsonschema.Draft202012Validator(json.loads(text))


def checked(result: Result) -> dict[str, Any]:
    """The document, once schema, runtime and the rules have agreed to it.

    Source: docs/reference/hyperv.md, "Checks of a deployment".
    """
    document = result.document
    assert [error.message for error in validator().iter_errors(document)] == []
    read_deployment(document)
    text = result.file("deployment.json")
    assert text.isascii()
    assert text == (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()
    places = [(each["controller"], each["location"]) for each in document["drives"]]
    assert len(set(places)) == len(places)
    assert (0, 63) not in places
    macs = [each["mac_address"] for each in document["network_adapters"]]
    assert len(set(macs)) == len(macs)
    used = {each["parameter"] for each in settings_in(document) if each["parameter"]}
    declared = {each["name"] for each in document["parameters"]}
    assert used <= declared
    memory = document["machine"]["memory"]
    if memory["dynamic"]:
        assert memory["minimum"] <= memory["startup"] <= memory["maximum"]
    for key in ("seed", "sealed"):
        if document[key] is not None:
            assert document[key]["size"] == len(result.file(document[key]["file"]))
    return document


def settings_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.keys() == {"parameter", "value"}:
            yield value
        for entry in value.values():
            yield from settings_in(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from settings_in(entry)


# -- the examples and the published pool ----------------------------------------------------------

EXAMPLES = ("web-config", "dev-server", "prod-server")


def standard() -> PoolChain:
    return PoolChain([FolderPool(CHECKOUT / "examples/genes", "genes"), StandardPool()])


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example(name: str) -> None:
    text = (CHECKOUT / "examples" / f"{name}.yaml").read_text("utf-8")
    result = build(text, standard(), request=BuildRequest(), guest=None)
    document = checked(result)
    assert result.shown(Level.WARNING) == []
    assert document["machine"]["boot_drive"] == "sda"


CATLETS = sorted(
    "/".join(path.parent.relative_to(PUBLISHED).parts)
    for path in PUBLISHED.glob("*/*/*/catlet.yaml")
)


@pytest.mark.parametrize("geneset", CATLETS)
def test_a_catlet_of_the_published_pool(geneset: str) -> None:
    """Itself and, with a parent's disk that no pool has, as the parent of another."""
    pool = FolderPool(PUBLISHED, "published")
    own = (PUBLISHED / geneset / "catlet.yaml").read_text("utf-8")
    for spec in (own, f"parent: {geneset}\n"):
        bare = build(spec, pool, guest=None)
        values = {
            said(found).message.split("`")[1]: "value"
            for found in bare.diagnostics
            if found.code.name == "value-missing"
        }
        request = BuildRequest(name="web", values=values)
        result = build(spec, pool, request=request, guest=None)
        if geneset == "dbosoft/win11-21h2-enterprise/starter-1.0":
            # Its parent is not in the pool.
            assert result.built is None
            continue
        document = checked(result)
        if spec != own and document["drives"]:
            first = document["drives"][0]
            assert (first["create"], first["name"]) == (
                "differencing",
                document["machine"]["boot_drive"],
            )


# -- generated catlets ----------------------------------------------------------------------------

names = st.from_regex(r"[a-z][a-z0-9]{1,7}", fullmatch=True)


def maybe(draw: st.DrawFn, into: dict[str, Any], key: str, values: st.SearchStrategy[Any]) -> None:
    if draw(st.booleans()):
        into[key] = draw(values)


@st.composite
def drives(draw: st.DrawFn, name: str) -> dict[str, Any]:
    drive: dict[str, Any] = {"name": name}
    kind = draw(st.sampled_from(["vhd", "vhd", "vhd", "dvd", "shared_vhd", "vhd_set"]))
    if kind != "vhd" or draw(st.booleans()):
        drive["type"] = kind
    maybe(draw, drive, "size", st.integers(2, 8))
    maybe(draw, drive, "store", st.sampled_from(["fast", "default"]))
    if kind == "dvd":
        maybe(draw, drive, "source", st.sampled_from(["D:\\Images\\a b.iso", "D:\\I'\u2019.iso"]))
    elif kind == "vhd":
        maybe(draw, drive, "source", st.just("gene:acme/disk/1.0:disk"))
    return drive


@st.composite
def catlets(draw: st.DrawFn) -> dict[str, Any]:
    """A catlet that the language takes and that the model's host can carry."""
    it: dict[str, Any] = {"name": draw(names)}
    maybe(draw, it, "parent", st.just(BASE))
    maybe(draw, it, "project", names)
    maybe(draw, it, "environment", names)
    maybe(draw, it, "store", st.sampled_from(["fast", "default"]))
    maybe(draw, it, "cpu", st.fixed_dictionaries({"count": st.integers(1, 8)}))
    sizes = sorted(draw(st.lists(st.integers(1, 16), min_size=3, max_size=3)))
    memory: dict[str, int] = {}
    for key, size in zip(("minimum", "startup", "maximum"), sizes, strict=True):
        maybe(draw, memory, key, st.just(size * 128))
    if memory:
        it["memory"] = memory
    labels = draw(st.lists(names, unique=True, max_size=4))
    it["drives"] = [draw(drives(label)) for label in labels]
    capabilities = draw(
        st.lists(
            st.sampled_from(["secure_boot", "tpm", "dynamic_memory", "nested_virtualization"]),
            unique=True,
        )
    )
    it["capabilities"] = [
        {"name": name, "details": draw(st.sampled_from([[], ["disabled"], ["enabled"]]))}
        for name in capabilities
    ]
    count = draw(st.integers(0, 3))
    it["networks"] = [{"name": f"net{number}"} for number in range(count)]
    if draw(st.booleans()):
        it["network_adapters"] = [
            {
                "name": f"eth{number}",
                "mac_address": f"02:00:00:00:00:{number:02x}",
                "dhcp_guard": draw(st.booleans()),
                "router_guard": draw(st.booleans()),
                "mac_address_spoofing": draw(st.booleans()),
            }
            for number in range(draw(st.integers(0, 3)))
        ]
    maybe(draw, it, "hostname", names)
    texts = st.text(st.characters(codec="ascii", exclude_characters="{}\0\r"), max_size=20)
    it["fodder"] = [
        {
            "name": f"f{number}",
            "secret": draw(st.booleans()),
            "content": json.dumps({"runcmd": [[draw(texts), "{{ vmId }}"]]}),
        }
        for number in range(draw(st.integers(0, 2)))
    ]
    return it


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> FolderPool:
    described = (
        "format: vhdx\nurl: https://example.org/d.vhdx\n"
        "checksums_url: https://example.org/s\nfile: d.vhdx\n"
    )
    return write_pool(
        tmp_path_factory.mktemp("pool"),
        {
            BASE: {"catlet.yaml": "cpu: 2\ndrives:\n- name: sda\n- name: sdb\n"},
            "acme/disk/1.0": {
                "volumes/disk.yaml": described,
            },
        },
    )


quick = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@given(catlet=catlets(), guest=st.sampled_from(GuestKind))
@quick
def test_a_generated_catlet_is_carried_out(
    pool: FolderPool,
    tmp_path_factory: pytest.TempPathFactory,
    catlet: dict[str, Any],
    guest: GuestKind,
) -> None:
    """Built, applied to the model of a host, nothing left to do, and removed again."""
    spec = json.dumps(catlet)
    result = build(spec, pool, notation=Notation.JSON, request=BuildRequest(), guest=guest)
    event("built" if result.built else "refused")
    if result.built is None:
        # What cannot be is said: the combinations that are left in on purpose.
        assert {line.split()[0] for line in result.shown(Level.ERROR)} <= {"E0704", "E0406"}
        return
    document = checked(result)
    again = build(spec, pool, notation=Notation.JSON, request=BuildRequest(), guest=guest)
    assert [again.file(name) for name in again.names] == [result.file(n) for n in result.names]
    folder = tmp_path_factory.mktemp("deployment")
    for name in result.names:
        (folder / name).write_bytes(result.file(name))
    host = Model()
    host.volume_kind = "csv"
    for media in {entry["media"] for entry in document["drives"]} - {None}:
        host._put(media, b"iso")
    options: list[str] = []
    for parameter in document["parameters"]:
        other = "LAN" if parameter["kind"] == "switch" else STORES
        value = PARAMETERS.get(parameter["name"], other)
        options += ["--param", f"{parameter['name']}={value}"]
    for volume in document["volumes"]:
        (folder / "base.vhdx").write_bytes(vhdx(2, b"parent"))
        options += ["--volume", f"{volume['name']}={folder / 'base.vhdx'}"]
    desk = Desk.of(folder)
    applied = desk.run(host, "apply", *options, full=False)
    assert applied.code == 0, (applied, catlet)
    planned = desk.run(host, "plan", full=False)
    assert (planned.code, planned.report["changes"]) == (0, []), planned
    removed = desk.run(host, "remove", full=False)
    assert removed.code == 0, removed


def odd(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What an author may write in place of a value that the rules allow."""
    texts = st.text(max_size=12)
    return st.one_of(usual, texts, st.integers(-5, 10**8), st.none(), st.booleans())


odd_catlets = st.fixed_dictionaries(
    {"name": st.one_of(names, st.text(max_size=60))},
    optional={
        "cpu": odd(st.fixed_dictionaries({"count": odd(st.integers(1, 5000))})),
        "memory": st.fixed_dictionaries(
            {}, optional={key: odd(st.integers()) for key in ("startup", "minimum", "maximum")}
        ),
        "store": odd(names),
        "location": odd(names),
        "parent": st.one_of(st.just(BASE), names),
        "drives": st.lists(
            st.fixed_dictionaries(
                {"name": odd(names)},
                optional={
                    "type": odd(st.sampled_from(["vhd", "phd", "dvd", "vhd_set"])),
                    "size": odd(st.integers()),
                    "store": odd(names),
                    "source": odd(st.sampled_from(["D:\\a", "\\\\", "C:", "gene:a/b/c:d"])),
                },
            ),
            max_size=70,
        ),
        "network_adapters": st.lists(
            st.fixed_dictionaries(
                {"name": odd(names)},
                optional={
                    "mac_address": odd(st.sampled_from(["xx", "01-00-00-00-00-00", "0"])),
                    "dhcp_guard": odd(st.booleans()),
                },
            ),
            max_size=12,
        ),
        "networks": st.lists(
            st.fixed_dictionaries(
                {"name": odd(names)},
                optional={
                    "adapter_name": odd(names),
                    "subnet_v4": odd(st.fixed_dictionaries({"name": odd(names)})),
                },
            ),
            max_size=4,
        ),
        "capabilities": st.lists(
            st.fixed_dictionaries(
                {"name": odd(st.sampled_from(["secure_boot", "tpm"]))},
                optional={"details": odd(st.lists(odd(st.just("template:")), max_size=2))},
            ),
            max_size=3,
        ),
    },
)


@given(catlet=odd_catlets)
@settings(quick, max_examples=150)
def test_a_catlet_that_breaks_rules_is_looked_at_to_the_end(
    pool: FolderPool, catlet: dict[str, Any]
) -> None:
    """Independent faults are reported in one run, so the target sees what rules refuse."""
    result = build(json.dumps(catlet), pool, notation=Notation.JSON, request=BuildRequest())
    if result.built is not None:
        checked(result)
    else:
        assert result.shown(Level.ERROR)


# -- nothing is dropped in silence ----------------------------------------------------------------

ALTERED: dict[str, tuple[str, str]] = {
    "name": ("name: aa", "name: bb"),
    "project": ("project: aa", "project: bb"),
    "environment": ("environment: aa", "environment: bb"),
    "hostname": ("hostname: aa", "hostname: bb"),
    "store": ("store: aa", "store: bb"),
    "location": ("cpu: 1", "cpu: 1\nlocation: bb"),
    "cpu": ("cpu: 1", "cpu: 2"),
    "startup": ("memory: 1024", "memory: 2048"),
    "minimum": ("memory: {minimum: 512}", "memory: {minimum: 1024}"),
    "maximum": ("memory: {maximum: 2048}", "memory: {maximum: 4096}"),
    "static bounds": (
        "capabilities: [{name: dynamic_memory, details: [disabled]}]",
        "capabilities: [{name: dynamic_memory, details: [disabled]}]\nmemory: {maximum: 4096}",
    ),
    "drive name": ("drives: [{name: aa}]", "drives: [{name: bb}]"),
    "drive type": ("drives: [{name: aa}]", "drives: [{name: aa, type: shared_vhd}]"),
    "drive size": ("drives: [{name: aa}]", "drives: [{name: aa, size: 7}]"),
    "drive store": ("drives: [{name: aa}]", "drives: [{name: aa, store: bb}]"),
    "drive location": ("drives: [{name: aa}]", "drives: [{name: aa, location: bb}]"),
    "drive source": ("drives: [{name: aa}]", "drives: [{name: aa, source: 'D:\\a.vhdx'}]"),
    "dvd size": ("drives: [{name: aa, type: dvd}]", "drives: [{name: aa, type: dvd, size: 7}]"),
    "dvd source": (
        "drives: [{name: aa, type: dvd}]",
        "drives: [{name: aa, type: dvd, source: 'D:\\a.iso'}]",
    ),
    "adapter": ("cpu: 1", "cpu: 1\nnetwork_adapters: [{name: eth5}]"),
    **{
        f"adapter {key}": (
            "network_adapters: [{name: eth0}]",
            f"network_adapters: [{{name: eth0, {key}: {value}}}]",
        )
        for key, value in (
            ("mac_address", "'02:00:00:00:00:01'"),
            ("mac_address_spoofing", "true"),
            ("dhcp_guard", "true"),
            ("router_guard", "true"),
        )
    },
    "network": ("networks: [{name: aa}]", "networks: [{name: bb}]"),
    "network adapter": ("networks: [{name: aa}]", "networks: [{name: aa, adapter_name: eth4}]"),
    "subnet": ("networks: [{name: aa}]", "networks: [{name: aa, subnet_v4: {name: bb}}]"),
    "subnet v6": ("networks: [{name: aa}]", "networks: [{name: aa, subnet_v6: {name: bb}}]"),
    "ip pool": (
        "networks: [{name: aa}]",
        "networks: [{name: aa, subnet_v4: {name: default, ip_pool: bb}}]",
    ),
    **{
        f"capability {name}": ("cpu: 1", f"cpu: 1\ncapabilities: [{name}]")
        for name in ("secure_boot", "tpm", "dynamic_memory", "nested_virtualization", "other")
    },
    "detail": ("capabilities: [tpm]", "capabilities: [{name: tpm, details: [disabled]}]"),
    "odd detail": ("capabilities: [tpm]", "capabilities: [{name: tpm, details: [odd]}]"),
    "fodder": ("cpu: 1", "cpu: 1\nfodder:\n- name: f\n  content:\n    timezone: UTC"),
    "secret fodder": (
        "fodder:\n- name: f\n  content:\n    timezone: UTC",
        "fodder:\n- name: f\n  secret: true\n  content:\n    timezone: UTC",
    ),
}


@pytest.mark.parametrize(("one", "other"), ALTERED.values(), ids=ALTERED)
def test_every_key_has_its_effect_or_is_spoken_of(one: str, other: str) -> None:
    def outcome(spec: str) -> tuple[list[bytes], set[str]]:
        name = "" if spec.startswith("name:") else "name: web\n"
        result = build(name + spec + "\n", request=BuildRequest(), guest=GuestKind.WINDOWS)
        return [result.file(file) for file in result.names], set(result.codes())

    (first, before), (second, after) = outcome(one), outcome(other)
    assert first != second or after - before


# -- secrets --------------------------------------------------------------------------------------

CANARY = "c4nary-Never-Shown"
SECRETS = {
    "a variable": "variables:\n- {name: v, secret: true, value: CANARY}\n"
    "fodder:\n- name: f\n  content:\n    runcmd: ['echo {{ v }}']\n",
    "a food": "fodder:\n- name: f\n  secret: true\n  content:\n    runcmd: ['echo CANARY']\n",
    "a variable of a food": "fodder:\n- name: f\n  variables:\n"
    "  - {name: v, secret: true, value: CANARY}\n  content:\n    runcmd: ['echo {{ v }}']\n",
    "a script": "fodder:\n- name: f\n  secret: true\n  type: shellscript\n"
    "  content: |\n    #!/bin/sh\n    echo CANARY\n",
}


@pytest.mark.parametrize("spec", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("guest", list(GuestKind), ids=str)
def test_a_secret_is_in_the_seed_alone(spec: str, guest: GuestKind) -> None:
    import base64

    result = build(spec.replace("CANARY", CANARY), guest=guest)
    assert result.built is not None, result.shown()
    seed, sealed = (result.document[key]["file"] for key in ("seed", "sealed"))
    texts = {name: result.file(name) for name in result.names}

    def holds(data: bytes) -> bool:
        encoded = {base64.b64encode(b"x" * shift + CANARY.encode())[4:20] for shift in (0, 1, 2)}
        joined = data.replace(b"\n", b"")
        return CANARY.encode() in data or any(part in joined for part in encoded)

    assert [name for name, data in texts.items() if holds(data)] == [seed]
    assert sealed in texts
    assert [name for name, file in sorted(result.built.items()) if file.secret] == [seed]
    assert CANARY not in repr(result.manifest)
    assert CANARY not in repr(result.built)
    assert CANARY not in repr(result.told())


def test_without_secrets_there_is_no_sealed_image() -> None:
    result = build("name: web\n", request=BuildRequest())
    assert result.document["sealed"] is None
    assert result.names == ["deploy.ps1", "deployment.json", "web.iso"]
