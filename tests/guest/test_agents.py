"""Which agent a guest has: the first who says it wins, and what nobody said is assumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eryphc import BuildRequest, EryphcError, Failure, GuestOptions, Session, Source, Target
from eryphc.caching.asked import plain
from eryphc.frozen import FrozenMap
from eryphc.guest.agents import AgentSources, Base, decide_agent
from eryphc.guest.model import GuestAgent, GuestKind
from eryphc.project import file as project_file
from saying import said

WINDOWS, LINUX = GuestKind.WINDOWS, GuestKind.LINUX


def base(name: str, of_set: Any = None, **of_tag: str) -> Base:
    return Base(name, of_tag, of_set or FrozenMap())


def decided(guest: GuestKind = WINDOWS, asked: str | None = None, **sources: Any) -> str:
    freebsd = sources.pop("freebsd", False)
    reader, _ = decide_agent(asked, guest, AgentSources(**sources), freebsd=freebsd)
    version = f"@{reader.version}" if reader.version else ""
    return f"{reader.word}{version} {reader.origin}"


NEAR, FAR = base("acme/near/1.0", guest_agent="egs"), base("acme/far/1.0")
BUILT = {"build_date": "2026-05-25T09:42:10"}


@pytest.mark.parametrize(
    ("guest", "asked", "sources", "expected"),
    [
        pytest.param(WINDOWS, None, {}, "cloudbase-init assumed", id="Windows"),
        pytest.param(LINUX, None, {}, "cloud-init assumed", id="Linux"),
        pytest.param(LINUX, None, {"freebsd": True}, "nuageinit assumed", id="FreeBSD"),
        pytest.param(
            *(WINDOWS, None, {"bases": (base("dbosoft/win/1", **BUILT),)}, "egs assumed"),
            id="eryph's image with its guest services",
        ),
        pytest.param(
            *(WINDOWS, None, {"bases": (base("dbosoft/win/1", build_date="2026-05-24"),)}),
            "cloudbase-init assumed",
            id="eryph's image before that",
        ),
        pytest.param(
            *(WINDOWS, None, {"bases": (base("acme/win/1", **BUILT),)}, "cloudbase-init assumed"),
            id="a late image of somebody else",
        ),
        pytest.param(WINDOWS, "egs@0.6.0", {}, "egs@0.6.0 option", id="an option with a version"),
        pytest.param(
            *(WINDOWS, "cloudbase-init", {"bases": (NEAR,), "project": {"*": "egs"}}),
            "cloudbase-init option",
            id="the option before all",
        ),
        pytest.param(
            *(WINDOWS, None, {"bases": (NEAR,), "project": {"*": "cloudbase-init"}}),
            "cloudbase-init project",
            id="the project before metadata",
        ),
        pytest.param(
            *(WINDOWS, None, {"bases": (FAR,), "project": {"windows": "egs", "acme/far": "none"}}),
            "none project",
            id="a gene set before the kind",
        ),
        pytest.param(
            *(WINDOWS, None),
            {"bases": (NEAR, FAR), "project": {"acme/far": "none", "acme/near/1.0": "egs"}},
            "egs project",
            id="the nearest gene set, by its tag",
        ),
        pytest.param(
            *(WINDOWS, None, {"project": {"linux": "cloud-init"}}, "cloudbase-init assumed"),
            id="a guest that the mapping does not name",
        ),
        pytest.param(
            *(LINUX, None, {"freebsd": True, "project": {"linux": "cloud-init"}}),
            "nuageinit assumed",
            id="linux is not FreeBSD",
        ),
        pytest.param(
            *(LINUX, None, {"freebsd": True, "project": {"freebsd": "cloud-init"}}),
            "cloud-init project",
            id="FreeBSD with the port of cloud-init",
        ),
        pytest.param(
            *(WINDOWS, None, {"project": {"*": "cloud-init"}, "bases": (NEAR,)}, "egs metadata"),
            id="a word of the project that does not fit is passed over",
        ),
        pytest.param(
            *(LINUX, None, {"bases": (NEAR,)}, "cloud-init assumed"),
            id="metadata that do not fit are passed over",
        ),
        pytest.param(
            *(WINDOWS, None, {"bases": (base("a/b/1", guest_agent="x"), NEAR)}, "egs metadata"),
            id="an unknown word is passed over",
        ),
        pytest.param(
            *(WINDOWS, None),
            {"bases": (base("a/b/1", _guest_agent="egs", _guest_agent_version="0.5.0"),)},
            "egs@0.5.0 metadata",
            id="with an underscore",
        ),
        pytest.param(
            *(WINDOWS, None, {"bases": (base("a/b/1", of_set={"guest_agent": "egs"}), FAR)}),
            "egs metadata",
            id="metadata of the set",
        ),
        pytest.param(
            *(WINDOWS, None),
            {"bases": (base("a/b/1", {"guest_agent": "none"}, guest_agent="egs"),)},
            "egs metadata",
            id="the tag before the set",
        ),
        pytest.param(
            *(LINUX, "egs", {"several": True}, "cloud-init assumed"),
            id="an option for several specifications",
        ),
    ],
)
def test_the_first_who_says_it_wins(
    guest: GuestKind, asked: str | None, sources: dict[str, Any], expected: str
) -> None:
    assert decided(guest, asked, **sources) == expected


@pytest.mark.parametrize(
    ("guest", "asked"), [(LINUX, "egs"), (WINDOWS, "cloud-init"), (WINDOWS, "nuageinit")]
)
def test_an_option_that_does_not_fit_is_an_error(guest: GuestKind, asked: str) -> None:
    _, [error] = decide_agent(asked, guest, AgentSources())
    assert (error.code.number, asked in said(error).message) == ("E1507", True)


@pytest.mark.parametrize("freebsd", [False, True])
def test_only_what_may_be_another_is_said_to_be_assumed(freebsd: bool) -> None:  # noqa: FBT001
    _, found = decide_agent(None, LINUX, AgentSources(), freebsd=freebsd)
    assert [each.code.number for each in found] == (["N0554"] if freebsd else [])


def test_the_words_of_the_project_file_are_those_of_the_agents() -> None:
    assert tuple(GuestAgent) == project_file._AGENTS


@pytest.mark.parametrize("word", ["cloudinit", "egs@", "egs@ 1", "EGS", "egs@1@2"])
def test_a_word_that_is_none_is_wrong_usage(word: str) -> None:
    with pytest.raises(EryphcError) as raised:
        BuildRequest(guest=GuestOptions(agent=word))
    assert raised.value.failure is Failure.USAGE


def test_the_option_shapes_the_key_of_an_output() -> None:
    keys = [
        str(plain(BuildRequest(guest=GuestOptions(agent=word)).guest))
        for word in (None, "egs", "egs@0.6.0")
    ]
    assert len(set(keys)) == 3


# --- whole builds ------------------------------------------------------------------------------

FODDER = "fodder: [{name: n, content: 'runcmd: [dir]'}]\n"


def gene_set(root: Path, name: str, metadata: dict[str, str], **of_set: str) -> None:
    folder = root / "genes" / name
    folder.mkdir(parents=True)
    (folder / "catlet.yaml").write_text("name: base\n")
    tag = {"version": "1.1", "geneset": name, "metadata": metadata}
    (folder / "geneset-tag.json").write_text(json.dumps(tag))
    if of_set:
        described = {"geneset": name.rpartition("/")[0], "metadata": of_set}
        (folder.parent / "geneset.json").write_text(json.dumps(described))


def built(root: Path, spec: str, **guest: Any) -> Any:
    path = root / "spec.yaml"
    path.write_text(spec)
    session = Session(root, environment={})
    return session.build(path, Target.CLOUD_INIT, BuildRequest(guest=GuestOptions(**guest)))


def manifest(answer: Any) -> tuple[str, str]:
    assert answer.ok, [each.message for each in answer.diagnostics]
    data = answer.manifest if isinstance(answer.manifest, dict) else answer.manifest._asdict()
    return data["guest_agent"], data["guest_agent_from"]


def test_metadata_of_a_parent_state_the_agent(tmp_path: Path) -> None:
    gene_set(tmp_path, "acme/win/1.0", {"_os_type": "windows", "guest_agent": "egs"})
    answer = built(tmp_path, f"name: web\nparent: acme/win/1.0\n{FODDER}")
    assert manifest(answer) == ("egs", "metadata")
    assert "N0554" not in [each.code for each in answer.diagnostics]


def test_metadata_of_a_set_state_the_agent(tmp_path: Path) -> None:
    gene_set(tmp_path, "acme/win/1.0", {"_os_type": "windows"}, guest_agent="egs")
    answer = built(tmp_path, f"name: web\nparent: acme/win/1.0\n{FODDER}")
    assert manifest(answer) == ("egs", "metadata")


def test_the_project_file_states_it_by_kind_and_gene_set(tmp_path: Path) -> None:
    gene_set(tmp_path, "acme/win/1.0", {"_os_type": "windows"})
    (tmp_path / "eryphc.yaml").write_text(
        "guest_agent: {windows: cloudbase-init, 'Acme/Win': egs@0.6.0}\n"
    )
    answer = built(tmp_path, f"name: web\nparent: acme/win/1.0\n{FODDER}")
    assert manifest(answer) == ("egs", "project")
    assert manifest(built(tmp_path, f"name: web\n{FODDER}", kind="windows")) == (
        *("cloudbase-init", "project"),
    )


@pytest.mark.parametrize(
    "text", ["guest_agent: cloudinit\n", "guest_agent: {macos: egs}\n", "guest_agent: [egs]\n"]
)
def test_a_project_file_with_another_word_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "eryphc.yaml").write_text(text)
    assert not built(tmp_path, f"name: web\n{FODDER}").ok


def test_freebsd_is_said_to_be_assumed_in_place_of_counting_as_linux(tmp_path: Path) -> None:
    gene_set(tmp_path, "acme/bsd/1.0", {"_os_type": "freebsd"})
    answer = built(tmp_path, "name: web\nparent: acme/bsd/1.0\n")
    assert manifest(answer) == ("nuageinit", "assumed")
    codes = [each.code for each in answer.diagnostics]
    assert "N0554" in codes
    assert "N0550" not in codes


def test_a_word_that_does_not_fit_is_wrong_usage(tmp_path: Path) -> None:
    answer = built(tmp_path, f"name: web\n{FODDER}", kind="linux", agent="egs")
    assert answer.failure is Failure.USAGE
    assert [each.code for each in answer.diagnostics] == ["E1507"]


def test_what_nobody_applies_is_an_error(tmp_path: Path) -> None:
    answer = built(tmp_path, f"name: web\n{FODDER}", kind="linux", agent="azure-init")
    assert [each.code for each in answer.diagnostics] == ["E1506"]
    assert built(tmp_path, "name: web\n", kind="linux", agent="azure-init").ok


def test_a_source_without_a_file_has_an_agent_too() -> None:
    request = BuildRequest(guest=GuestOptions(kind="windows"))  # type: ignore[arg-type]
    compiled = Session(environment={}).build(
        Source("spec.yaml", f"name: w\n{FODDER}"), Target.CLOUD_INIT, request
    )
    assert [each.code for each in compiled.diagnostics] == ["N0554"]
