"""Target folders are written all or none, and only where this tool may write."""

from __future__ import annotations

from pathlib import Path

import pytest

from eryphc import Built, EryphcError, Failure, Outputs, Session, Source, Target

ROOT = Path(__file__).resolve().parents[1]


def built() -> Built:
    session = Session(ROOT / "examples", environment={})
    return session.build(ROOT / "examples" / "web-config.yaml", Target.CLOUD_INIT)


def failed() -> Built:
    spec = Source("web.yaml", "name: web\nmemory: 1000\n")
    return Session(environment={}).build(spec, Target.CLOUD_INIT)


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(EryphcError) as refused:
        built().write(tmp_path)
    assert refused.value.failure is Failure.USAGE
    assert refused.value.diagnostics[0].name == "output-not-ours"
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_what_failed_is_not_written(tmp_path: Path) -> None:
    answer = failed()
    assert (answer.ok, answer.failure, dict(answer.files)) == (False, Failure.INPUT, {})
    with pytest.raises(EryphcError):
        answer.write(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_failed_is_not_staged(tmp_path: Path) -> None:
    with Outputs() as outputs:
        outputs.stage(tmp_path / "one", built())
        with pytest.raises(EryphcError) as refused:
            outputs.stage(tmp_path / "two", failed())
        outputs.commit()
    assert refused.value.diagnostics == failed().diagnostics
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_outputs_are_written_all_or_none(tmp_path: Path) -> None:
    with Outputs() as outputs:
        outputs.look_at(tmp_path / "one")
        outputs.stage(tmp_path / "one", built())
    assert list(tmp_path.iterdir()) == []
    with Outputs() as outputs:
        outputs.look_at(str(tmp_path / "one"))
        outputs.stage(str(tmp_path / "one"), built())
        outputs.commit()
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_outputs_look_at_a_folder_that_nobody_looked_at(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "letter.txt").write_text("mine", encoding="utf-8")
    with Outputs() as outputs:
        outputs.stage(tmp_path / "ours", built())
        with pytest.raises(EryphcError) as refused:
            outputs.stage(tmp_path / "theirs", built())
        outputs.commit()
    assert refused.value.diagnostics[0].name == "output-not-ours"
    assert [path.name for path in (tmp_path / "theirs").iterdir()] == ["letter.txt"]
    assert (tmp_path / "ours" / "manifest.json").is_file()
