"""`eryphc init`: what it writes, what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.command_line import CommandLine
from eryphc.cli.init import EXAMPLES

CHECKOUT = Path(__file__).parents[2] / "examples"


def files_below(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


class TestExamples:
    def test_are_those_of_the_checkout(self, eryphc: CommandLine) -> None:
        done = eryphc("init", "--examples", "there")
        assert done.code == 0
        assert done.out.splitlines() == [f"there/{name}" for name in EXAMPLES]
        assert files_below(eryphc.folder / "there") == {
            name: content
            for name, content in files_below(CHECKOUT).items()
            if name in EXAMPLES or name.startswith("genes/")
        }

    def test_build_where_they_are_written(self, eryphc: CommandLine) -> None:
        assert eryphc("init", "--examples").code == 0
        done = eryphc("build", *EXAMPLES, "--target", "cloud-init", "--strict")
        assert (done.code, done.err) == (0, "")

    @pytest.mark.parametrize(
        "taken",
        [
            pytest.param("there/prod-server.yaml", id="a spec"),
            pytest.param("there/genes/myorg/monitoring/geneset.json", id="a file of a gene set"),
            pytest.param("there/genes/myorg", id="a file where a folder of genes goes"),
            pytest.param("there", id="a file where the folder goes"),
        ],
    )
    def test_overwrite_nothing(self, eryphc: CommandLine, taken: str) -> None:
        eryphc.write(taken, "mine")
        done = eryphc("init", "--examples", "there")
        assert (done.code, done.out) == (1, "")
        assert f"`{taken}` exists already" in done.err
        assert "name another folder: `eryphc init --examples DIR`" in done.err
        assert files_below(eryphc.folder) == {taken: b"mine"}

    def test_stand_beside_other_genes(self, eryphc: CommandLine) -> None:
        eryphc.write("genes/acme/kit/1.0/geneset-tag.json", "mine")
        assert eryphc("init", "--examples").code == 0
        assert files_below(eryphc.folder)["genes/acme/kit/1.0/geneset-tag.json"] == b"mine"


class TestFirstCatlet:
    @pytest.mark.parametrize("folder", ["taken", "taken/below"])
    def test_where_a_file_stands(self, eryphc: CommandLine, folder: str) -> None:
        eryphc.write("taken", "mine")
        done = eryphc("init", folder)
        assert done.code == 1
        assert "`taken` exists already" in done.err
        assert (eryphc.folder / "taken").read_text(encoding="utf-8") == "mine"

    def test_does_not_write_through_a_link(self, eryphc: CommandLine) -> None:
        (eryphc.folder / "catlet.yaml").symlink_to("elsewhere.yaml")
        done = eryphc("init")
        assert done.code == 1
        assert not (eryphc.folder / "elsewhere.yaml").exists()
