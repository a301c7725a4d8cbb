"""Levels on the command line, in `eryphc.yaml`, and in comments of specs and genes."""

from __future__ import annotations

import json

import pytest

from cli.command_line import CommandLine, Done
from eryphc import BuildRequest, EryphcError, Level, Session, Source, Target

SPEC = """\
name: web
fodder:
- name: base
  type: cloud-config
  content: |
    write_files: [{path: /tmp/x, content: y}]
"""
TOLERANT = SPEC.replace("    write", "    # eryphc: allow file-in-tmp -- read once\n    write")


def said(done: Done) -> list[tuple[str, str]]:
    """Level and code of each finding that `check` prints, or another command."""
    return [(each["level"], each["code"]) for each in json.loads(done.out or done.err)]


@pytest.fixture
def check(eryphc: CommandLine) -> CommandLine:
    eryphc.write("spec.yaml", SPEC)
    return eryphc


LINUX = ("check", "spec.yaml", "--guest", "linux", "--diagnostics", "json")


@pytest.mark.parametrize(
    ("options", "code", "expected"),
    [
        pytest.param((), 0, [("warning", "W0534")], id="as it is"),
        pytest.param(("--strict",), 1, [("warning", "W0534")], id="strict"),
        pytest.param(("--allow", "W0534"), 0, [], id="allowed"),
        pytest.param(("--allow", "file-in-tmp", "--strict"), 0, [], id="allowed by name"),
        pytest.param(("--deny", "file-in-tmp"), 1, [("error", "W0534")], id="denied"),
        pytest.param(
            ("--allow", "W0534", "--deny", "W0534"), 1, [("error", "W0534")], id="the graver holds"
        ),
        pytest.param(
            ("--allow", "W0522", "--deny", "E0301"), 0, [("warning", "W0534")], id="others"
        ),
    ],
)
def test_options(
    check: CommandLine, options: tuple[str, ...], code: int, expected: list[tuple[str, str]]
) -> None:
    done = check(*LINUX, *options)
    assert (done.code, said(done)) == (code, expected)


@pytest.mark.parametrize(
    ("words", "message", "help_text"),
    [
        pytest.param(
            ("--allow", "file-in-tpm"),
            "`--allow`: `file-in-tpm` is neither the code nor the name of a diagnostic",
            "did you mean `file-in-tmp`?",
            id="unknown",
        ),
        pytest.param(
            ("--warn", "E0301"),
            "`--warn`: `gene-not-found` (E0301) is an error that cannot be lowered",
            "`eryphc explain E0301` says what it means",
            id="hard",
        ),
    ],
)
def test_wrong_options(
    check: CommandLine, words: tuple[str, ...], message: str, help_text: str
) -> None:
    done = check(*LINUX, *words)
    assert done.code == 2
    (fault,) = json.loads(done.err)
    assert (fault["message"], fault["help"]) == (message, help_text)


def test_build_writes_nothing_that_is_denied(check: CommandLine) -> None:
    words = ("build", "spec.yaml", "--target", "cloud-init", "--diagnostics", "json")
    assert check(*words, "--deny", "file-in-tmp").code == 1
    assert not (check.folder / "build").exists()
    assert check(*words, "--allow", "file-in-tmp", "--strict", "--allow", "N0551").code == 0
    assert (check.folder / "build/web/cloud-init/web.iso").exists()


def test_expand_prints_nothing_that_is_denied(check: CommandLine) -> None:
    check.write("spec.yaml", "cpu: 2\n")
    done = check("expand", "spec.yaml", "--deny", "catlet-unnamed")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error[W0203]")
    assert check("expand", "spec.yaml", "--allow", "catlet-unnamed").err == ""


class TestProject:
    def test_levels(self, check: CommandLine) -> None:
        check.write("eryphc.yaml", "lint: {deny: [file-in-tmp], allow: [W0522]}\n")
        assert said(check(*LINUX)) == [("error", "W0534")]
        assert said(check(*LINUX, "--allow", "file-in-tmp")) == []

    def test_each_spec_is_held_to_its_own_project(self, check: CommandLine) -> None:
        check.write("b/eryphc.yaml", "lint: {allow: [file-in-tmp]}\n")
        check.write("b/other.yaml", SPEC.replace("web", "other"))
        done = check("check", "b/other.yaml", *LINUX[1:])
        assert [each["file"] for each in json.loads(done.out)] == ["spec.yaml"]

    def test_a_wrong_word(self, check: CommandLine) -> None:
        check.write("eryphc.yaml", "lint:\n  allow: [file-in-tmp, file-in-tpm, E0301]\n")
        done = check(*LINUX)
        assert done.code == 1
        faults = [each for each in json.loads(done.out) if each["code"] == "E0908"]
        assert [(each["line"], each["column"], each["help"]) for each in faults] == [
            (2, 24, "did you mean `file-in-tmp`?"),
            (2, 37, "`eryphc explain E0301` says what it means"),
        ]

    def test_only_the_first_of_many_unknown_words_are_compared_with_all(
        self, check: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []
        monkeypatch.setattr(
            "eryphc.diagnostics.words.did_you_mean", lambda word, _: asked.append(word)
        )
        check.write("eryphc.yaml", f"lint: {{allow: [{'file-in-tpm,' * 50}]}}\n")
        assert len(said(check(*LINUX))) == 50
        assert 0 < len(asked) <= 10


class TestComments:
    def test_silences_and_stays_in_the_text(self, check: CommandLine) -> None:
        check.write("spec.yaml", TOLERANT)
        assert said(check(*LINUX, "--strict")) == []
        assert "# eryphc: allow file-in-tmp -- read once" in check("expand", "spec.yaml").out

    @pytest.mark.parametrize("where", ["--deny", "lint: {deny: [file-in-tmp]}"])
    def test_never_lowers_what_is_denied(self, check: CommandLine, where: str) -> None:
        check.write("spec.yaml", TOLERANT)
        if where.startswith("--"):
            done = check(*LINUX, where, "file-in-tmp")
        else:
            check.write("eryphc.yaml", where)
            done = check(*LINUX)
        assert said(done) == [("error", "W0534")]

    def test_in_content_by_indentation(self, check: CommandLine) -> None:
        content = "content:\n    # eryphc: allow file-in-tmp -- read once\n    write"
        check.write("spec.yaml", SPEC.replace("content: |\n    write", content))
        assert said(check(*LINUX)) == []
        check.write("spec.yaml", SPEC.replace("content: |\n    write", "content:\n    write"))
        with (check.folder / "spec.yaml").open("a") as file:
            file.write("# eryphc: allow required -- of the next food\n- name: two\n  content: x\n")
        assert "W0102" not in [code for _, code in said(check(*LINUX))]

    def test_one_that_silences_nothing(self, check: CommandLine) -> None:
        check.write("spec.yaml", TOLERANT.replace("/tmp", "/run"))
        done = check(*LINUX)
        assert said(done) == [("warning", "W0921")]
        assert done.code == 0
        # Not where something else stopped the compile, and not in a build.
        build = check("build", "spec.yaml", "--target", "cloud-init", *LINUX[2:])
        assert json.loads(build.err) == []
        check.write("spec.yaml", TOLERANT.replace("/tmp", "/run").replace("[{", "{"))
        assert "W0921" not in [code for _, code in said(check(*LINUX))]

    @pytest.mark.parametrize(
        ("name", "options", "unused"),
        [
            pytest.param("windows-ignores-key", (), False, id="of another guest"),
            pytest.param("windows-ignores-key", ("--guest", "windows"), True, id="of this guest"),
            pytest.param("dropped-in-guest", (), False, id="of another way to merge"),
            pytest.param("dropped-in-guest", ("--merge", "parts"), True, id="of this way"),
            pytest.param("cloud-config-empty", ("--merge", "parts"), True, id="of both ways"),
            pytest.param("guest-assumed-linux", (), True, id="of no place"),
            pytest.param("hyperv-no-boot-drive", (), False, id="of another target"),
            pytest.param("value-overridden", ("--target", "hyperv"), True, id="of the guest"),
            pytest.param("hyperv-mac-of-host-pool", ("--target", "hyperv"), True, id="of Hyper-V"),
            pytest.param(
                "hyperv-mac-of-host-pool",
                ("--target", "hyperv", "--target", "cloud-init"),
                False,
                id="of one of two targets",
            ),
        ],
    )
    def test_rules_that_did_not_run(
        self, check: CommandLine, name: str, options: tuple[str, ...], *, unused: bool
    ) -> None:
        check.write("spec.yaml", f"name: web\ncpu: 2 # eryphc: allow {name} -- why\n")
        done = check(*LINUX, *options)
        assert (("warning", "W0921") in said(done)) is unused, done.out

    def test_used_by_one_of_two_specs(self, check: CommandLine) -> None:
        check.write("genes/acme/kit/1.0/geneset-tag.json", '{"geneset": "acme/kit/1.0"}\n')
        gene = TOLERANT.replace("name: web", "name: food").replace("/tmp/x", "{{ path }}/x")
        gene += "variables:\n- name: path\n  value: /tmp\n"
        check.write("genes/acme/kit/1.0/fodder/food.yaml", gene)
        spec = "name: {}\nfodder:\n- source: gene:acme/kit/1.0:food\n"
        check.write("spec.yaml", spec.format("web") + "  variables: [{name: path, value: /run}]\n")
        check.write("two.yaml", spec.format("two"))
        assert said(check(*LINUX)) == [("warning", "W0921")]
        assert said(check(*LINUX, "two.yaml")) == []

    def test_in_genes(self, check: CommandLine) -> None:
        """One of the project is as good as a spec; one of another pool may say less."""
        tag = "acme/kit/1.0"
        gene = TOLERANT.replace("name: web", "name: food")
        gene += "    # eryphc: allow key-unknown -- of our own module\n    frob: 1\n"
        check.write("eryphc.yaml", "pools:\n- path: own\n")
        check.write("spec.yaml", f"name: web\nfodder:\n- source: gene:{tag}:food\n")
        for pool in ("own", "../elsewhere"):
            check.write(f"{pool}/{tag}/geneset-tag.json", f'{{"geneset": "{tag}"}}\n')
            check.write(f"{pool}/{tag}/fodder/food.yaml", gene)
        assert said(check(*LINUX)) == []
        foreign = check(*LINUX, "--genepool", "../elsewhere")
        assert said(foreign) == [("warning", "W0534")]

    def test_a_secret_fodder_keeps_its_comments(self, check: CommandLine) -> None:
        secret = TOLERANT.replace("type:", "secret: true\n  type:")
        secret = secret.replace("file-in-tmp -- read once", "hunter2hunter2 -- swordfish")
        secret += "    # eryphc: allow value-overridden -- swordfish\n    timezone: UTC\n"
        check.write("spec.yaml", secret)
        for words in (LINUX, LINUX[:-2], ("build", *LINUX[1:-2], "--target", "cloud-init")):
            done = check(*words)
            told = done.out + done.err
            assert "W0920" in told
            assert "swordfish" not in told
            assert "hunter2hunter2" not in told


def test_soft_errors_can_be_lowered(check: CommandLine) -> None:
    """What an artifact can be made with although it will hardly do its work."""
    check.write("spec.yaml", "name: web\ncapabilities: [secure_boot]\n")
    words = ("build", "spec.yaml", "--target", "hyperv", "--guest", "linux")
    refused = check(*words)
    assert refused.code == 1
    assert "error[E0704]" in refused.err
    assert not (check.folder / "build").exists()
    done = check(*words, "--warn", "hyperv-linux-secure-boot")
    assert done.code == 0
    assert "warning[E0704]" in done.err
    assert (check.folder / "build/web/hyperv/deployment.json").exists()


@pytest.mark.parametrize(
    ("spec", "name", "made"),
    [
        pytest.param(
            "fodder:\n- name: a\n  type: cloud-config\n  content: |\n    runcmd: [{a: b}]\n",
            "command-not-runnable",
            "runcmd",
            id="a command that is none",
        ),
        pytest.param(
            "fodder:\n"
            "- {name: a, type: cloud-config, content: 'timezone: UTC'}\n"
            '- {name: b, type: cloud-config, content: "## template: jinja\\ntimezone: X"}\n',
            "template-shares-value",
            "X-Merge-Type",
            id="a template without effect",
        ),
    ],
)
def test_what_is_lowered_is_built(check: CommandLine, spec: str, name: str, made: str) -> None:
    check.write("spec.yaml", f"name: web\n{spec}")
    words = ("build", "spec.yaml", "--target", "cloud-init", "--guest", "linux")
    refused = check(*words, "--diagnostics", "json")
    assert [each["name"] for each in json.loads(refused.err)] == [name]
    assert refused.code == 1
    done = check(*words, "--allow", name)
    assert (done.code, done.err) == (0, "")
    assert made in (check.folder / "build/web/cloud-init/nocloud/user-data").read_text()


class TestSession:
    """The same for a program."""

    @pytest.mark.usefixtures("check")
    def test_levels_of_a_request(self) -> None:
        session = Session()
        assert [each.code for each in session.check("spec.yaml").diagnostics] == ["N0551", "W0534"]
        request = BuildRequest(levels={"file-in-tmp": "deny", "N0551": "allow"})
        checked = session.check("spec.yaml", request=request)
        assert [(each.code, each.level) for each in checked.diagnostics] == [("W0534", Level.ERROR)]
        assert not checked.ok
        assert session.build("spec.yaml", Target.CLOUD_INIT, request).files == {}
        assert session.compile("spec.yaml", request).guest is None

    def test_a_wrong_word(self) -> None:
        with pytest.raises(EryphcError, match="`file-in-tpm` is neither the code nor the name"):
            BuildRequest(levels={"file-in-tpm": "allow"})

    def test_requests_that_say_the_same_are_equal(self) -> None:
        by_name = BuildRequest(levels={"file-in-tmp": "deny"})
        assert by_name == BuildRequest(levels={"W0534": "deny"})
        assert hash(by_name) == hash(BuildRequest(levels={"W0534": "deny"}))

    def test_a_text_is_the_project_s_own(self, check: CommandLine) -> None:
        folder = check.folder / "elsewhere"
        folder.mkdir()
        spec = Source("web.yaml", TOLERANT.replace("file-in-tmp", "include-unpinned, file-in-tmp"))
        checked = Session(folder).check(spec, request=BuildRequest(levels={"N0551": "allow"}))
        assert checked.diagnostics == ()
        assert Session(folder).unused_comments([checked]) != ()

    def test_comments_that_silence_nothing(self, check: CommandLine) -> None:
        check.write("spec.yaml", TOLERANT.replace("/tmp", "/run"))
        session = Session()
        checked = session.check("spec.yaml", request=BuildRequest(levels={"N0551": "allow"}))
        assert checked.diagnostics == ()
        (unused,) = session.unused_comments([checked])
        assert (unused.code, unused.line) == ("W0921", 6)
