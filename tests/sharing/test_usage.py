"""The guard `breaking` looks at the genes that specifications use, and at no others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from cli.command_line import CommandLine, Done

GENE = "name: {0}\nfodder:\n- name: {0}\n  content: |\n    timezone: UTC\n"


class Project:
    """A project with a base of its own and a pool of somebody else's beside it."""

    def __init__(self, run: CommandLine) -> None:
        self.run = run
        self.set("pool", "acme/kit/1.0", **{name: GENE.format(name) for name in ("one", "two")})
        self.point("acme/kit/1.0")
        run.write("project/eryphc.yaml", "pools:\n- {path: ../pool, name: corp}\n")

    def set(self, pool: str, name: str, catlet: str | None = None, **fodder: str) -> None:
        manifest = json.dumps({"version": "1.1", "geneset": name})
        self.run.write(f"{pool}/{name}/geneset-tag.json", manifest)
        if catlet is not None:
            self.run.write(f"{pool}/{name}/catlet.yaml", catlet)
        for gene, text in fodder.items():
            self.run.write(f"{pool}/{name}/fodder/{gene}.yaml", text)

    def point(self, to: str) -> None:
        manifest = {"version": "1.1", "geneset": "acme/kit/latest", "ref": to}
        self.run.write("pool/acme/kit/latest/geneset-tag.json", json.dumps(manifest))

    def without(self, gone: str) -> None:
        """A newer tag that lacks a gene."""
        kept = {name: GENE.format(name) for name in ("one", "two") if name != gone}
        self.set("pool", "acme/kit/1.1", **kept)
        self.point("acme/kit/1.1")

    def spec(self, name: str, text: str) -> None:
        self.run.write(f"project/{name}", text)

    def __call__(self, *words: str) -> Done:
        return self.run(*words)


@pytest.fixture
def project(eryphc: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = Project(eryphc)
    monkeypatch.chdir(eryphc.folder / "project")
    return made


USES: Mapping[str, Mapping[str, Any]] = {
    "the spec itself": {"spec": "name: web\nfodder:\n- source: gene:acme/kit:one\n"},
    "a set beside the spec": {
        "spec": "name: web\nparent: mine/base/1.0\n",
        "local": "fodder:\n- source: gene:acme/kit:one\n",
    },
    "a pinned set": {
        "spec": "name: web\nparent: acme/base/1.0\n",
        "pinned": "fodder:\n- source: gene:acme/kit:one\n",
    },
}


@pytest.mark.parametrize("way", list(USES))
@pytest.mark.parametrize(("gone", "stops"), [("one", True), ("two", False)])
def test_only_used_genes_count(project: Project, way: str, gone: str, *, stops: bool) -> None:
    use = USES[way]
    if "local" in use:
        project.set("project/genes", "mine/base/1.0", use["local"])
    if "pinned" in use:
        project.set("pool", "acme/base/1.0", use["pinned"])
    project.spec("web.yaml", use["spec"])
    assert project("lock", "web.yaml").code == 0
    project.without(gone)
    done = project("update")
    assert done.code == (1 if stops else 0), done.err
    assert ("--accept breaking" in done.err) == stops


def test_a_specification_that_was_not_named_counts(project: Project) -> None:
    project.spec("web.yaml", "name: web\nfodder:\n- source: gene:acme/kit:one\n")
    project.spec("db.yaml", "name: db\nfodder:\n- source: gene:acme/kit:two\n")
    assert project("lock", "web.yaml", "db.yaml").code == 0
    project.without("two")
    assert "--accept breaking" in project("update", "web.yaml").err


def test_another_name_of_the_set_is_no_use(project: Project) -> None:
    """`1.0` stays as it is, so nobody who asks for it is hurt."""
    project.spec("web.yaml", "name: web\nfodder:\n- source: gene:acme/kit/1.0:two\n")
    project.spec("db.yaml", "name: db\nfodder:\n- source: gene:acme/kit:one\n")
    assert project("lock", "web.yaml", "db.yaml").code == 0
    project.without("two")
    assert project("update").code == 0


def test_a_source_without_a_gene_may_use_any(project: Project) -> None:
    project.set("pool", "acme/kit/1.0", kit=GENE.format("kit"))
    project.spec("web.yaml", "name: web\nfodder:\n- source: gene:acme/kit\n")
    assert project("lock", "web.yaml").code == 0
    project.set("pool", "acme/kit/1.1", kit=GENE.format("kit"), one=GENE.format("one"))
    project.point("acme/kit/1.1")
    assert "--accept breaking" in project("update").err
