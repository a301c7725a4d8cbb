"""What targets cannot express: each row of each table, its level and its finding."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

import pytest

from eryphc import (
    BuildRequest,
    Checked,
    GuestOptions,
    Loss,
    LossLevel,
    NetworkConfigMode,
    Session,
    Source,
    Target,
)
from eryphc.diagnostics.said import own
from eryphc.diagnostics.secrecy import Secrets
from eryphc.ir.catlet import Catlet, Drive
from eryphc.source import SourceText, Span
from eryphc.targets.definition import TargetInput, definition_of
from eryphc.targets.losses import PARTS, LossTable, Row
from places import CONFORMANCE

CANARY = "CaNaRy4711"
NETWORK = Source("net.yaml", "version: 2\nethernets: {eth0: {dhcp4: true}}\n", regions=())
TABLES: dict[Target, LossTable] = {
    target: import_module(f"eryphc.targets.{target.value.replace('-', '_')}.losses").LOSSES
    for target in Target
}


class Case(NamedTuple):
    """A catlet that asks for what is lost at `path`, and one that does not."""

    path: str
    asks: str = ""
    silent: str = ""
    guest: GuestOptions = GuestOptions()
    hostname: str | None = None


NEVER = GuestOptions(network=NetworkConfigMode.NEVER)
FIXED = "capabilities: [{name: dynamic_memory, details: [disabled]}]\n"
CASES = {
    "location": Case("location", "location: abc\n"),
    "store": Case("store", "store: ssd\n", "store: default\n"),
    "cpu.count": Case("cpu.count", "cpu: 2\n"),
    "memory.startup": Case("memory.startup", "memory: 2048\n", "memory: {maximum: 4096}\n"),
    "memory.minimum": Case("memory.minimum", "memory: {minimum: 512}\n", "memory: 2048\n"),
    "memory.maximum": Case("memory.maximum", "memory: {maximum: 4096}\n", "memory: 2048\n"),
    "drives[]": Case("drives[sda]", "drives: [{name: sda}]\n"),
    "drives[].location": Case("drives[sda].location", "drives: [{name: sda, location: abc}]\n"),
    "network_adapters[]": Case(
        "network_adapters[eth0]",
        "network_adapters: [{name: eth0}]\n",
        "networks: [{name: default}]\n",
    ),
    "capabilities[]": Case(
        "capabilities[tpm]",
        "capabilities: [tpm]\n",
        "capabilities: [{name: tpm, details: [disabled]}]\n",
    ),
    "networks[]": Case("networks[lan]", "networks: [{name: lan}]\n"),
    "--network-config-version": Case(
        "--network-config-version", guest=GuestOptions(network_version=1)
    ),
    "--instance-id": Case("--instance-id", guest=GuestOptions(instance_id="content")),
    "--sealed": Case("--sealed", guest=GuestOptions(sealed=True)),
    "drives[].store": Case("drives[sda].store", "drives: [{name: sda, store: fast}]\n"),
    "network_adapters[].mac_address": Case(
        "network_adapters[eth0].mac_address",
        "network_adapters: [{name: eth0, mac_address: '02:00:00:00:00:01'}]\n",
        "network_adapters: [{name: eth0}]\n",
    ),
    "network_adapters[].mac_address_spoofing": Case(
        "network_adapters[eth0].mac_address_spoofing",
        "network_adapters: [{name: eth0, mac_address_spoofing: true}]\n",
        "network_adapters: [{name: eth0, mac_address_spoofing: false}]\n",
    ),
    "azure drives[]": Case(
        "drives[cd]",
        "drives: [{name: cd, type: dvd}]\n",
        "drives: [{name: sda}]\n",
    ),
    "azure drives[].source": Case(
        "drives[cd].source",
        "drives: [{name: cd, type: dvd, source: 'C:\\x.iso'}]\n",
        "drives: [{name: cd, type: dvd}]\n",
    ),
    "azure networks[].subnet_v4": Case(
        "networks[lan].subnet_v4",
        "networks:\n- name: lan\n  subnet_v4: {name: office}\n",
        "networks:\n- name: lan\n  subnet_v4: {name: default}\n",
    ),
    "azure networks[].subnet_v6": Case(
        "networks[lan].subnet_v6",
        "networks:\n- name: lan\n  subnet_v6: {name: default, ip_pool: office}\n",
        "networks:\n- name: lan\n  subnet_v6: {name: default}\n",
    ),
    "azure capabilities[]": Case(
        "capabilities[dynamic_memory]",
        "capabilities: [dynamic_memory]\n",
        "capabilities: [tpm]\n",
    ),
    "azure capabilities[] 2": Case(
        "capabilities[sound]", "capabilities: [sound]\n", "capabilities: [tpm]\n"
    ),
    "azure capabilities[].details[]": Case(
        "capabilities[secure_boot].details[1]",
        "capabilities:\n- name: secure_boot\n  details: ['template:MicrosoftWindows']\n",
        "capabilities:\n- name: secure_boot\n  details: [enabled]\n",
    ),
    "azure --network-config": Case("--network-config", guest=GuestOptions(network_file=NETWORK)),
    "hyperv drives[].size": Case(
        "drives[cd].size",
        "drives: [{name: cd, type: dvd, size: 4}]\n",
        "drives: [{name: sda, size: 4}]\n",
    ),
    "hyperv drives[].store": Case(
        "drives[cd].store",
        "drives: [{name: cd, type: dvd, store: ssd}]\n",
        "drives: [{name: sda, store: ssd}]\n",
    ),
    "hyperv memory.minimum": Case(
        "memory.minimum", f"memory: {{minimum: 512}}\n{FIXED}", "memory: {minimum: 512}\n"
    ),
    "hyperv memory.maximum": Case(
        "memory.maximum", f"memory: {{maximum: 4096}}\n{FIXED}", "memory: {maximum: 4096}\n"
    ),
    "hyperv networks[].subnet_v4": Case(
        "networks[lan].subnet_v4",
        "networks:\n- name: lan\n  subnet_v4: {name: office}\n",
        "networks:\n- name: lan\n  subnet_v4: {name: default}\n",
    ),
    "hyperv networks[].subnet_v6": Case(
        "networks[lan].subnet_v6",
        "networks:\n- name: lan\n  subnet_v6: {name: default, ip_pool: office}\n",
        "networks:\n- name: lan\n  subnet_v6: {name: default, ip_pool: default}\n",
    ),
    "hyperv capabilities[]": Case(
        "capabilities[sound]", "capabilities: [sound]\n", "capabilities: [tpm]\n"
    ),
    "hyperv capabilities[].details[]": Case(
        "capabilities[secure_boot].details[2]",
        "capabilities:\n- name: secure_boot\n  details: ['template:MicrosoftWindows', loud]\n",
        "capabilities:\n- name: secure_boot\n  details: ['template:MicrosoftWindows', enabled]\n",
    ),
    "hyperv --network-config": Case("--network-config", guest=NEVER),
    "user-data hostname": Case(
        "hostname", "hostname: shop\n", "fodder: [{name: n, content: 'hostname: shop'}]\n"
    ),
    "user-data --hostname": Case("--hostname", hostname="shop"),
    "user-data --network-config": Case(
        "--network-config", guest=GuestOptions(network_file=NETWORK)
    ),
}
"""By part, where the table takes all that is asked for; by target and part, where it looks closer.
The second row of one part has a number behind it."""


def rows() -> Iterator[Any]:
    for target, table in TABLES.items():
        seen: dict[str, int] = {}
        for row in table.rows:
            number = seen[row.part] = seen.get(row.part, 0) + 1
            name = f"{target} {row.part}" + (f" {number}" if number > 1 else "")
            case = CASES.get(name) or (CASES.get(row.part) if row.when is None else None)
            yield pytest.param(target, row, case, id=name)


def check(text: str, *targets: Target, case: Case | None = None, **more: Any) -> Checked:
    guest = GuestOptions() if case is None else case.guest
    hostname = None if case is None else case.hostname
    request = BuildRequest(guest=guest, hostname=hostname, **more)
    session = Session(CONFORMANCE, environment={})
    return session.check(Source("web.yaml", f"name: web\n{text}"), targets, request)


@pytest.mark.parametrize(("target", "row", "case"), [*rows()])
def test_a_row(target: Target, row: Row, case: Case | None) -> None:
    assert case is not None, "no catlet shows this row"
    assert row.part in PARTS
    checked = check(case.asks, target, case=case)
    (found,) = (loss for loss in checked.losses if loss.path == case.path)
    assert (found.target, found.level) == (target, row.level)
    assert found.message
    told = [each for each in checked.diagnostics if each.code == "W1502"]
    if row.level is LossLevel.INHERENT:
        assert row.kind is None
        assert told == []
    elif row.kind is None:
        (finding,) = told
        assert (finding.level.value, finding.file, finding.line) == (
            row.level.value,
            found.file,
            found.line,
        )
        assert f"`{found.path}`" in finding.message
        assert found.message in finding.message
    else:
        assert told == []
        (finding,) = (each for each in checked.diagnostics if each.code == row.kind.number)
        assert (finding.level.value, finding.line) == (row.level.value, found.line)


@pytest.mark.parametrize(("target", "row", "case"), [*rows()])
def test_what_nobody_asks_for_is_not_lost(target: Target, row: Row, case: Case) -> None:
    checked = check(case.silent, target)
    assert case.path not in [loss.path for loss in checked.losses]
    number = "W1502" if row.kind is None else row.kind.number
    assert number not in [each.code for each in checked.diagnostics]


def test_no_case_is_left_over() -> None:
    used = {each.values[2] for each in rows()}
    assert [name for name, case in CASES.items() if case not in used] == []


def test_every_target_has_a_table_of_its_own() -> None:
    assert all(definition_of(target).losses is not None for target in Target)
    assert all(table.target is target for target, table in TABLES.items())


def test_a_catlet_that_asks_for_nothing_loses_nothing() -> None:
    assert check("", *Target).losses == ()
    assert [
        loss.path for loss in check("networks: [{name: default}]\n", Target.CLOUD_INIT).losses
    ] == ["networks[default]"]


def test_a_name_alone_loses_no_host_name() -> None:
    assert check("", Target.USER_DATA, name="shop").losses == ()


def test_the_losses_come_in_the_order_of_targets_and_of_the_catlet() -> None:
    found = check("networks: [{name: lan}]\ncpu: 2\nhostname: shop\n", *Target).losses
    assert [(loss.target, loss.path) for loss in found] == [
        ("cloud-init", "cpu.count"),
        ("cloud-init", "networks[lan]"),
        ("user-data", "hostname"),
        ("user-data", "cpu.count"),
        ("user-data", "networks[lan]"),
    ]


def test_a_plan_that_fails_does_not_hide_what_is_lost() -> None:
    checked = check(
        "location: abc\ndrives: [{name: a, type: phd, source: 'c:\\x.vhdx'}]\n", Target.HYPERV
    )
    assert not checked.ok
    assert [loss.path for loss in checked.losses] == ["location"]


def test_the_table_is_made_only_where_it_is_asked_for() -> None:
    session = Session(CONFORMANCE, environment={})
    spec = Source("web.yaml", "name: web\ncpu: 2\n")
    assert session.check(spec, losses=False).losses == ()
    assert [loss.path for loss in session.check(spec).losses] == ["cpu.count"]


# --- secrecy ---------------------------------------------------------------------------------


def test_words_that_may_not_be_shown_are_not() -> None:
    """The name of an item in a document that nobody could read."""
    text = f"drives: [{CANARY}]"
    for regions, shown in ((None, "drives[…]"), ((), f"drives[{CANARY}]")):
        source = SourceText("web.yaml", text, regions=regions)
        place = Span(source, text.index(CANARY), len(text) - 1)
        catlet = Catlet(drives=(Drive(name=CANARY, places={"": place, "name": place}),))
        table = LossTable(
            Target.CLOUD_INIT,
            (Row("drives[]", LossLevel.NOTE, lambda asked: own("not {}", asked.path)),),
        )
        (found,) = table.losses(inputs_of(catlet), Secrets((catlet,)))
        assert (found.path, found.message) == (shown, f"not {shown}")


def inputs_of(catlet: Catlet) -> TargetInput[Any]:
    """Just what a table looks at."""

    class Inputs(NamedTuple):
        catlet: Any
        guest: GuestOptions

    class Stage(NamedTuple):
        catlet: Catlet

    made: Any = Inputs(Stage(catlet), GuestOptions())
    inputs: TargetInput[Any] = made
    return inputs


def test_a_name_with_brackets_is_quoted() -> None:
    catlet = Catlet(drives=(Drive(name='a]"b'),))
    table = LossTable(Target.CLOUD_INIT, (Row("drives[]", LossLevel.NOTE, own("lost")),))
    (found,) = table.losses(inputs_of(catlet), Secrets((catlet,)))
    assert found == Loss("cloud-init", 'drives["a]\\"b"]', LossLevel.NOTE, "lost", None, None)
