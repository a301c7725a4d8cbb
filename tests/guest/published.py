"""Documents of guests made of published genes and catlets, and of the examples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from eryphc import pipeline
from eryphc.genepool.chain import PoolChain
from eryphc.genepool.folder import FolderPool, StandardPool
from eryphc.guest.cloudconfig.reader import TextReader
from eryphc.guest.compose import compose
from eryphc.guest.document import GuestDocument
from eryphc.guest.model import GuestKind, GuestOptions, MergeMode, NetworkConfigMode
from eryphc.guest.request import guest_request
from eryphc.passes.read import Notation, decode, gene_source, read_fodder_gene
from eryphc.project.specs import Spec
from eryphc.request import BuildRequest
from eryphc.source import SourceText
from places import CHECKOUT, PUBLISHED

EXAMPLES = CHECKOUT / "examples"
POOLS = PoolChain(
    [
        FolderPool(EXAMPLES / "genes", "examples"),
        FolderPool(EXAMPLES / "fleet" / "genes", "fleet"),
        FolderPool(PUBLISHED, "published"),
        StandardPool(),
    ]
)
# Its parent was never published.
REFUSED = ("dbosoft/win11-21h2-enterprise/starter-1.0",)
BINDINGS = {"number": "'7'", "boolean": "'true'"}


def specs() -> dict[str, str]:
    """Specifications by name: each published catlet as a parent, each gene fed, each example."""
    found: dict[str, str] = {}
    for path in sorted(PUBLISHED.glob("*/*/*/catlet.yaml")):
        name = "/".join(path.parts[-4:-1])
        if name in REFUSED:
            continue
        found[name] = f"parent: {name}\n"
    for path in sorted(PUBLISHED.glob("*/*/*/fodder/*.yaml")):
        name = f"{'/'.join(path.parts[-5:-2])}:{path.stem}"
        found[name] = f"fodder:\n- source: gene:{name}\n{_bindings(path)}"
    for path in sorted((*EXAMPLES.glob("*.yaml"), *EXAMPLES.glob("fleet/*.yaml"))):
        found[path.name] = path.read_text(encoding="utf-8")
    return found


def _bindings(path: Path) -> str:
    gene = read_fodder_gene(
        gene_source(path.name, decode(path.read_bytes())), notation=Notation.YAML
    ).value
    assert gene is not None
    lines = [
        f"  - name: {each.name}\n    value: {BINDINGS.get(str(each.type), 'bound-value')}\n"
        for each in gene.variables or ()
        if not each.value
    ]
    return "".join(("  variables:\n", *lines)) if lines else ""


def documents(spec: str, reader: TextReader) -> Iterator[GuestDocument]:
    """What guests of both kinds read, Linux guests in both ways; nothing for what is refused."""
    request = BuildRequest(name="web")
    source = SourceText("spec.yaml", spec)
    read = pipeline.read_document(Spec(source, Path(), Notation.YAML), request).value
    assert read is not None
    bred = pipeline.to_bred(read, POOLS).value
    assert bred is not None
    values = {
        each.name or "": "given-value"
        for each in bred.catlet.variables or ()
        if each.required and not each.value
    }
    fed = pipeline.to_fed(bred, POOLS, request).value
    assert fed is not None
    done = pipeline.to_substituted(fed, values, request).value
    assert done is not None
    for kind, merge in (
        (GuestKind.LINUX, MergeMode.MERGED),
        (GuestKind.LINUX, MergeMode.PARTS),
        (GuestKind.WINDOWS, MergeMode.PARTS),
    ):
        options = GuestOptions(kind=kind, merge=merge, network=NetworkConfigMode.ALWAYS)
        asked, _ = guest_request(done, "catlet-id", options)
        document = compose(asked, reader).value
        if document is not None:
            yield document
