"""The genes of the library, and catlets of them compiled in this process."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import yaml

from eryphc import BuildRequest, Built, GuestKind, GuestOptions, Session, Source, Target
from eryphc.genepool.chain import PoolChain
from eryphc.genepool.folder import StandardPool, standard_folder
from eryphc.ir.catlet import Fodder, FodderGene, Variable, VariableType
from eryphc.passes.read import decode, gene_source, notation_of, read_fodder_gene

CHECKOUT = Path(__file__).resolve().parents[2]
MACHINES = Path(__file__).parent / "machines"
PLACEHOLDER = re.compile(r"\{\{\s*(\S*?)\s*\}\}")

# What has no default has one here, for tests that compile a gene alone.
GIVEN = {
    "ca-certificates": {
        "certificates": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    },
    "http-proxy": {"proxy": "http://proxy.example.com:3128"},
    "log-forwarding": {"url": "https://logs.example.com:19532"},
    "users": {"keys": "alice ssh-ed25519 AAAA alice@laptop"},
    "win-users": {"users": "anna:a long secret"},
}


def library() -> Path:
    folder = standard_folder()
    assert folder is not None
    return folder / "eryphc"


def sets() -> list[str]:
    return sorted(path.parent.name for path in library().glob("*/geneset.json"))


def geneset(name: str) -> dict[str, object]:
    read = json.loads((library() / name / "geneset.json").read_text("utf-8"))
    assert isinstance(read, dict)
    return read


def for_windows(name: str) -> bool:
    metadata = geneset(name)["metadata"]
    assert isinstance(metadata, dict)
    return "win" in metadata["guests_run"] + metadata["guests_declared"]


def linux_sets() -> list[str]:
    return [name for name in sets() if not for_windows(name)]


def windows_sets() -> list[str]:
    return [name for name in sets() if for_windows(name)]


def gene_file(name: str) -> Path:
    return library() / name / "1.0" / "fodder" / f"{name}.yaml"


@cache
def gene(name: str) -> FodderGene:
    path = gene_file(name)
    source = gene_source(path.name, decode(path.read_bytes()))
    outcome = read_fodder_gene(source, notation=notation_of(path.name))
    assert outcome.value is not None, outcome.diagnostics
    assert outcome.diagnostics == ()
    return outcome.value


def variables(name: str) -> dict[str, Variable]:
    return {variable.name or "": variable for variable in gene(name).variables or ()}


def texts(name: str) -> list[str]:
    """The variables that may be any text."""
    return [
        variable
        for variable, definition in variables(name).items()
        if definition.type in (None, VariableType.STRING)
    ]


def filled(name: str, values: Mapping[str, str], fodder: Fodder | None = None) -> str:
    """The text of a fodder entry (the only one, if none is named) with these values and the
    defaults.
    """
    if fodder is None:
        (fodder,) = gene(name).fodder or ()
    given = {
        variable.lower(): definition.value or "" for variable, definition in variables(name).items()
    }
    given |= {variable.lower(): value for variable, value in values.items()}
    assert fodder.content is not None
    return PLACEHOLDER.sub(lambda match: given[match[1].lower()], fodder.content.text)


def spec_of(sets: Sequence[str], values: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """A catlet of these genes, with what they need."""
    fodder_entries: list[dict[str, object]] = []
    for name in sets:
        fodder: dict[str, object] = {"source": f"gene:eryphc/{name}"}
        given = {**GIVEN.get(name, {}), **(values or {}).get(name, {})}
        if given:
            fodder["variables"] = [{"name": key, "value": value} for key, value in given.items()]
        fodder_entries.append(fodder)
    return yaml.safe_dump({"name": "machine", "fodder": fodder_entries}, sort_keys=False)


@cache
def pools() -> PoolChain:
    return PoolChain((StandardPool(),))


@cache
def _session() -> Session:
    return Session(environment={})


def compiled(text: str, guest: GuestKind = GuestKind.LINUX, agent: str | None = None) -> Built:
    """A spec's files for cloud-init, and all that was said. Windows guests have cloudbase-init
    where no agent is given."""
    if agent is None and guest is GuestKind.WINDOWS:
        agent = "cloudbase-init"
    request = BuildRequest(guest=GuestOptions(kind=guest, agent=agent))
    return _session().build(Source("spec.yaml", text), Target.CLOUD_INIT, request)
