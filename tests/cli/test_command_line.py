"""What a user meets: exit codes, streams, formats, help, suggestions."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cli.command_line import CommandLine, child_environment, spawned
from eryphc import Target
from eryphc.cli.app import COMMANDS, root

WEB = "name: web\n"
ASKING = "name: web\nvariables:\n- name: site\n  required: true\n"
PLACE = ("file", "line", "column", "end_line", "end_column")
KEYS = ("code", "name", "level", "message", *PLACE, "label", "related", "notes", "help")
WRONG = {
    "a document": ("expand", "wrong.yaml"),
    "a build": ("build", "wrong.yaml", "--target", "cloud-init"),
    "a missing spec": ("expand", "nope.yaml"),
    "an option's value": ("expand", "web.yaml", "--catlet-id", "7"),
    "an unknown option": ("expand", "web.yaml", "--nope"),
    "an unknown command": ("bild", "web.yaml"),
    "no command": (),
    "a missing option": ("build", "web.yaml"),
    "an unknown target": ("build", "web.yaml", "--target", "cloud"),
    "a missing pool": ("expand", "web.yaml", "--genepool", "nope"),
    "a value of a variable": ("expand", "web.yaml", "--var", "x=1"),
    "an unknown code": ("explain", "E9999"),
    "a written place that is not ours": (
        *("build", "web.yaml", "--target", "cloud-init", "--output", "full"),
    ),
}


@pytest.fixture
def folder(eryphc: CommandLine) -> CommandLine:
    eryphc.write("web.yaml", WEB)
    eryphc.write("wrong.yaml", "name: web\ncpus: 4\nmemory: 1000\nvariables:\n- value: a%b\n")
    eryphc.write("full/letter.txt", "mine")
    return eryphc


def _wait_until_it_reads_a_pipe(process: subprocess.Popen[bytes]) -> None:
    """A signal just before a read that waits is seen only when the read ends."""
    wchan = Path(f"/proc/{process.pid}/wchan")
    for _ in range(100):
        time.sleep(0.1)
        if not wchan.exists() or "pipe" in wchan.read_text():
            return
    time.sleep(1)


class TestExitCodes:
    @pytest.mark.parametrize(
        ("code", "arguments"),
        [
            pytest.param(0, ("expand", "web.yaml"), id="success"),
            pytest.param(0, ("check", "web.yaml"), id="a check without errors"),
            pytest.param(1, ("expand", "wrong.yaml"), id="a wrong document"),
            pytest.param(1, ("check", "wrong.yaml"), id="a check with errors"),
            pytest.param(1, ("expand", "nope.yaml"), id="a missing spec"),
            pytest.param(1, ("expand", "web.yaml", "--var", "x"), id="a malformed value"),
            pytest.param(1, ("expand", "web.yaml", "--var", "x=1"), id="an undeclared variable"),
            pytest.param(1, ("expand", "web.yaml", "--arch", "vax"), id="a wrong architecture"),
            pytest.param(2, ("expand", "web.yaml", "--nope"), id="an unknown option"),
            pytest.param(2, ("bild",), id="an unknown command"),
            pytest.param(2, (), id="no command"),
            pytest.param(2, ("gene",), id="no command of a group"),
            pytest.param(2, ("build", "web.yaml", "--target", "x"), id="an unknown target"),
            pytest.param(2, ("expand", "web.yaml", "--genepool", "x"), id="a missing pool"),
            pytest.param(
                2, ("build", "web.yaml", "--target", "cloud-init", "-o", "full"), id="not ours"
            ),
            pytest.param(
                3, ("build", "web.yaml", "--target", "cloud-init", "-o", "/proc/x"), id="no place"
            ),
            pytest.param(3, ("expand", "loop.yaml"), id="an unreadable file"),
        ],
    )
    def test_is_the_one_of_the_contract(
        self, folder: CommandLine, code: int, arguments: tuple[str, ...]
    ) -> None:
        (folder.folder / "loop.yaml").symlink_to("loop.yaml")
        done = folder(*arguments)
        assert done.code == code, done.err
        assert "Traceback" not in done.err

    def test_strict_counts_warnings(self, folder: CommandLine) -> None:
        folder.write("bare.yaml", "cpu: 2\n")
        assert folder("expand", "bare.yaml").code == 0
        done = folder("expand", "bare.yaml", "--strict")
        assert (done.code, done.out) == (1, "")

    def test_interrupted(self, folder: CommandLine) -> None:
        # It waits for its input; what the signal meets is our own code, not the interpreter's.
        process = subprocess.Popen(
            spawned(("expand", "-")),
            cwd=folder.folder,
            env=child_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        _wait_until_it_reads_a_pipe(process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 130
        assert err.strip() == b"interrupted"

    @pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
    def test_a_build_that_is_asked_to_end_leaves_nothing(
        self, name: str, folder: CommandLine
    ) -> None:
        specs = [f"{number}.yaml" for number in range(3)]
        for number, spec in enumerate(specs):
            (folder.folder / spec).write_text(f"name: w{number}\n", encoding="utf-8")
        # The build waits for the last spec, a pipe into which nobody writes yet.
        os.mkfifo(folder.folder / "last.yaml")
        pipe = os.open(folder.folder / "last.yaml", os.O_RDWR)
        out = folder.folder / "out"
        process = subprocess.Popen(
            spawned(("build", *specs, "last.yaml", "--target", "cloud-init", "-o", "out")),
            cwd=folder.folder,
            env=child_environment(),
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2_000):
            time.sleep(0.005)
            if (out / "w2").exists() or process.poll() is not None:
                break
        _wait_until_it_reads_a_pipe(process)
        process.send_signal(getattr(signal, name))
        _, err = process.communicate(timeout=20)
        os.close(pipe)
        assert process.returncode == 130, err
        assert err.strip().endswith(b"interrupted")
        assert not out.exists()

    def test_a_reader_that_leaves(self, folder: CommandLine) -> None:
        script = '"$0" -m eryphc explain | head -n 1; exit 0'
        done = subprocess.run(
            ["sh", "-c", script, sys.executable],
            cwd=folder.folder,
            env=child_environment(),
            capture_output=True,
            check=False,
        )
        assert done.stdout.startswith(b"E0101")
        assert done.stderr == b""

    @pytest.mark.parametrize(
        ("words", "code", "said"),
        [
            pytest.param("build . -o out -q --target user-data 2>&-", 0, b"", id="messages"),
            pytest.param("build . -o out -q --target user-data <&- 2>&-", 0, b"", id="input too"),
            pytest.param("expand nothing.yaml >&- 2>&-", 1, b"", id="both"),
            pytest.param("explain >&-", 3, b"error[E0916]: the system refused", id="results"),
        ],
    )
    def test_streams_that_are_closed(
        self, folder: CommandLine, words: str, code: int, said: bytes
    ) -> None:
        """What nobody reads is no fault; results that get lost are one."""
        folder.write("catlet.yaml", "name: web\n")
        done = subprocess.run(
            ["sh", "-c", f'"$0" -m eryphc {words}', sys.executable],
            cwd=folder.folder,
            env=child_environment(),
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr.startswith(said)) == (code, True)
        assert (folder.folder / "out").exists() == words.startswith("build")

    def test_a_folder_that_is_gone(self, folder: CommandLine) -> None:
        script = 'mkdir gone; cd gone; rmdir ../gone; exec "$0" -m eryphc gene list'
        done = subprocess.run(
            ["sh", "-c", script, sys.executable],
            cwd=folder.folder,
            env=child_environment(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 3
        assert b"the working folder does not exist any more" in done.stderr


class TestDiagnostics:
    @pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
    def test_json_has_the_keys_of_the_contract(
        self, folder: CommandLine, arguments: tuple[str, ...]
    ) -> None:
        done = folder(*arguments, "--diagnostics", "json")
        found = json.loads(done.err)
        assert found
        for entry in found:
            assert tuple(entry) == KEYS
            assert entry["level"] in ("error", "warning", "note")
            assert (entry["file"] is None) == (entry["line"] is None)
            if entry["line"] is not None:
                assert entry["line"] >= 1
                assert entry["column"] >= 1
                assert (entry["end_line"], entry["end_column"]) >= (entry["line"], entry["column"])
            for related in entry["related"]:
                assert tuple(related) == ("message", *PLACE)

    @pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
    def test_sarif(self, folder: CommandLine, arguments: tuple[str, ...]) -> None:
        done = folder(*arguments, "--diagnostics=sarif")
        log = json.loads(done.err)
        assert log["version"] == "2.1.0"
        (run,) = log["runs"]
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert len(set(rules)) == len(rules)
        assert run["results"]
        for result in run["results"]:
            assert rules[result["ruleIndex"]] == result["ruleId"]
            assert result["level"] in ("error", "warning", "note", "none")
            assert result["message"]["text"]
            for place in (*result.get("locations", ()), *result.get("relatedLocations", ())):
                physical = place["physicalLocation"]
                assert " " not in physical["artifactLocation"]["uri"]
                region = physical["region"]
                assert all(region[key] >= 1 for key in ("startLine", "startColumn"))
                assert all(region[key] >= 1 for key in ("endLine", "endColumn"))

    @pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
    def test_github(self, folder: CommandLine, arguments: tuple[str, ...]) -> None:
        done = folder(*arguments, "--diagnostics", "github")
        assert done.err
        for line in done.err.splitlines():
            assert line.startswith(("::error ", "::warning ", "::notice "))

    def test_github_escapes_what_would_end_a_command(self, eryphc: CommandLine) -> None:
        eryphc.write("a,b:c%.yaml", 'name: "a%0A\\n::error::x"\n')
        done = eryphc("expand", "a,b:c%.yaml", "--diagnostics", "github")
        assert done.err.count("\n") == 1
        assert "file=a%2Cb%3Ac%25.yaml," in done.err
        assert "a%250A" in done.err

    def test_nothing_is_an_empty_array(self, folder: CommandLine) -> None:
        done = folder("expand", "web.yaml", "--diagnostics", "json")
        assert json.loads(done.err) == []
        assert done.out.startswith("config_type:")

    def test_check_prints_them_as_data(self, folder: CommandLine) -> None:
        done = folder("check", "wrong.yaml", "--diagnostics", "json")
        assert {entry["code"] for entry in json.loads(done.out)} >= {"E0113", "E0205", "E0202"}
        assert done.err == ""

    def test_text_underlines_the_fault(self, folder: CommandLine) -> None:
        done = folder("expand", "wrong.yaml")
        assert done.err.startswith(
            "error[E0113]: `cpus` is not a key of a catlet\n"
            " --> wrong.yaml:2:1\n"
            "  |\n"
            "2 | cpus: 4\n"
            "  | ^^^^ unknown key\n"
        )
        assert "  = help: did you mean `cpu`?\n" in done.err

    @pytest.mark.parametrize("character", ["\x07", "\x7f", "\x80", "\uffff"])
    def test_a_character_that_nobody_sees_is_named(
        self, eryphc: CommandLine, character: str
    ) -> None:
        eryphc.write("spec.yaml", f'name: web\nhostname: "a{character}b"\n')
        done = eryphc("check", "spec.yaml")
        assert f"[E0102]: the character U+{ord(character):04X} may not" in done.out
        assert f'as "\\u{ord(character):04X}"' in done.out
        assert "spec.yaml:2:13" in done.out

    def test_quiet_leaves_errors(self, folder: CommandLine) -> None:
        folder.write("bare.yaml", "cpu: 2\n")
        assert folder("expand", "bare.yaml", "-q").err == ""
        done = folder("expand", "wrong.yaml", "-q")
        assert "error[E0113]" in done.err
        assert "explain" not in done.err

    @pytest.mark.parametrize(
        ("arguments", "environment", "colored"),
        [
            pytest.param((), {}, False, id="a pipe has none"),
            pytest.param(("--color", "always"), {}, True, id="always"),
            pytest.param((), {"FORCE_COLOR": "1"}, True, id="FORCE_COLOR"),
            pytest.param((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, id="NO_COLOR wins"),
            pytest.param(("--color", "never"), {"FORCE_COLOR": "1"}, False, id="an option wins"),
        ],
    )
    def test_color(
        self,
        folder: CommandLine,
        arguments: tuple[str, ...],
        environment: dict[str, str],
        colored: bool,  # noqa: FBT001
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert ("\x1b[" in folder("expand", "wrong.yaml", *arguments).err) is colored


class TestHelp:
    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_option_says_what_it_does(self, name: str) -> None:
        import click

        context = click.Context(root)
        command = root.get_command(context, name)
        assert command is not None
        commands = [command]
        if isinstance(command, click.Group):
            commands += [
                c
                for sub in command.list_commands(context)
                if (c := command.get_command(context, sub))
            ]
        for one in commands:
            assert one.help or one.get_short_help_str()
            for option in one.params:
                if isinstance(option, click.Option):
                    assert option.help, (one.name, option.name)

    @pytest.mark.parametrize("name", COMMANDS)
    def test_help_of_each_command(self, folder: CommandLine, name: str) -> None:
        done = folder(name, "--help")
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith(f"Usage: eryphc {name}")
        assert folder("help", name).out == done.out

    def test_help_of_a_command_of_a_group(self, folder: CommandLine) -> None:
        assert folder("help", "gene", "list").out == folder("gene", "list", "--help").out

    @pytest.mark.parametrize(
        ("arguments", "suggestion"),
        [
            pytest.param(("bild", "web.yaml"), "`build`", id="a command"),
            pytest.param(("gene", "lst"), "`list`", id="a command of a group"),
            pytest.param(("build", "web.yaml", "--targt", "x"), "`--target`", id="an option"),
            pytest.param(
                ("build", "web.yaml", "--target", "cloudinit"), "`cloud-init`", id="target"
            ),
            pytest.param(("expand", "wbe.yaml"), "`web.yaml`", id="a file"),
            pytest.param(("schema", "catlett"), "`catlet`", id="a schema"),
            pytest.param(("explain", "E0999"), "`E09", id="a code"),
            pytest.param(("expand", "asking.yaml", "--var", "siet=a"), "`site`", id="a variable"),
        ],
    )
    def test_did_you_mean(
        self, folder: CommandLine, arguments: tuple[str, ...], suggestion: str
    ) -> None:
        folder.write("asking.yaml", ASKING)
        assert f"did you mean {suggestion}" in folder(*arguments).err

    def test_an_option_in_front_of_the_command(self, folder: CommandLine) -> None:
        done = folder("--color", "never", "expand", "web.yaml")
        assert "it stands after the command: `eryphc COMMAND --color`" in done.err

    def test_nothing_heavy_is_imported_for_help(self) -> None:
        script = (
            "import sys\nfrom eryphc.cli.app import run\nrun(['--help'])\n"
            "heavy = {'yaml', 'lark', 'jinja2', 'jsonschema', 'pycdlib', 'json', 'eryphc.session',"
            " 'eryphc.project', 'difflib'}\n"
            "sys.stderr.write(' '.join(sorted(heavy & set(sys.modules))))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], env=child_environment(), capture_output=True, check=True
        )
        assert done.stderr == b""

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
    @pytest.mark.parametrize("words", [("expand", "web.yaml"), ("--help",), ("completion", "bash")])
    def test_a_full_disk_under_standard_output(
        self, folder: CommandLine, words: tuple[str, ...]
    ) -> None:
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "eryphc", *words],
                cwd=folder.folder,
                env=child_environment(),
                stdout=full,
                stderr=subprocess.PIPE,
                check=False,
                timeout=60,
            )
        assert done.returncode == 3
        assert done.stderr.decode().splitlines() == [
            "error[E0916]: the system refused to go on: no space left on device",
            "",
        ]

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_completion(self, folder: CommandLine, shell: str) -> None:
        assert "_ERYPHC_COMPLETE" in folder("completion", shell).out
        done = folder.spawn(
            environment={
                "_ERYPHC_COMPLETE": f"{shell}_complete",
                "COMP_WORDS": "eryphc bu",
                "COMP_CWORD": "bu" if shell == "fish" else "1",
            }
        )
        assert "build" in done.out

    @pytest.mark.parametrize(
        ("words", "offered"),
        [
            pytest.param("build w", ["file,w"], id="a spec"),
            pytest.param("expand ", ["file,"], id="no word of a spec yet"),
            pytest.param("build web.yaml --target c", ["plain,cloud-init"], id="a target"),
            pytest.param(
                "check --target ",
                [f"plain,{target}" for target in (*Target, "all")],
                id="all targets",
            ),
            pytest.param("build web.yaml --target al", [], id="no target of a build"),
            pytest.param("build -o d", ["dir,d"], id="a folder"),
            pytest.param("init --ex", ["plain,--examples"], id="an option"),
            pytest.param("init --examples d", ["dir,d"], id="a folder after an option"),
            pytest.param("build --var-file v", ["file,v"], id="a file of variables"),
            pytest.param("build --network-config al", ["plain,always"], id="a word of an option"),
            pytest.param("build --network-config n.y", ["file,n.y"], id="else a file"),
            pytest.param("schema fo", ["plain,fodder-gene"], id="a schema"),
            pytest.param("explain e0301", ["plain,E0301"], id="a code"),
            pytest.param("explain value-o", ["plain,value-overridden"], id="its name"),
            pytest.param("check --allow w0509", ["plain,W0509"], id="a kind by its code"),
            pytest.param(
                "build --deny value-o", ["plain,value-overridden"], id="a kind by its name"
            ),
            pytest.param("gene show eryphc/ng", ["plain,eryphc/nginx"], id="a gene set"),
            pytest.param("gene list --genepool pool acme/k", ["plain,acme/kit"], id="of a pool"),
            pytest.param("gene list --genepool nope acme/k", [], id="of no pool"),
        ],
    )
    def test_completes(self, folder: CommandLine, words: str, offered: list[str]) -> None:
        folder.write("pool/acme/kit/1.0/geneset-tag.json", '{"geneset": "acme/kit/1.0"}\n')
        typed = ["eryphc", *words.split(" ")]
        done = folder.spawn(
            environment={
                "_ERYPHC_COMPLETE": "bash_complete",
                "COMP_WORDS": "\n".join(typed),
                "COMP_CWORD": str(len(typed) - 1),
            }
        )
        assert [line for line in done.out.splitlines() if line] == offered
        assert done.err == ""


class TestValues:
    @pytest.mark.parametrize(
        ("word", "value"),
        [
            pytest.param("site=a=b", "a=b", id="the first = divides"),
            pytest.param("site=@site.txt", "line\n", id="a file loses one line feed"),
            pytest.param("site=@@x", "@x", id="a literal @"),
            pytest.param("site=env:SITE", "from the environment", id="the environment"),
            pytest.param("site=env::SITE", "env:SITE", id="a literal env:"),
            pytest.param("SITE=x", "x", id="letter case does not matter"),
        ],
    )
    def test_forms(
        self, eryphc: CommandLine, word: str, value: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SITE", "from the environment")
        eryphc.write("asking.yaml", ASKING)
        eryphc.write("site.txt", "line\n\n")
        done = eryphc("expand", "asking.yaml", "--var", word, "--format", "json")
        assert _variables(done.out)["site"] == value

    def test_precedence(self, eryphc: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        eryphc.write("asking.yaml", ASKING)
        eryphc.write("values.yaml", "site: 010\n")
        monkeypatch.setenv("ERYPHC_VAR_site", "environment")
        monkeypatch.setenv("ERYPHC_VAR_undeclared", "x")
        shown = ("expand", "asking.yaml", "--format", "json")
        assert _variables(eryphc(*shown).out)["site"] == "environment"
        file = ("--var-file", "values.yaml")
        assert _variables(eryphc(*shown, *file).out)["site"] == "010"
        assert _variables(eryphc(*shown, *file, "--var", "site=x").out)["site"] == "x"

    def test_with_several_specs_one_that_declares_it_is_enough(self, eryphc: CommandLine) -> None:
        eryphc.write("one.yaml", ASKING)
        eryphc.write("two.yaml", "name: two\n")
        build = ("build", "one.yaml", "two.yaml", "--target", "cloud-init", "--var")
        assert eryphc(*build, "site=x").code == 0
        done = eryphc(*build, "site=x", "--var", "nobody=y")
        assert done.code == 1
        assert "nobody" in done.err

    def test_name_and_hostname(self, eryphc: CommandLine) -> None:
        eryphc.write("web.yaml", WEB)
        shown = ("expand", "web.yaml", "--format", "json")
        both = json.loads(eryphc(*shown, "--name", "db1").out)
        assert (both["name"], both["hostname"]) == ("db1", "db1")
        one = json.loads(eryphc(*shown, "--name", "db1", "--hostname", "h").out)
        assert (one["name"], one["hostname"]) == ("db1", "h")

    @pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminal")
    @pytest.mark.parametrize("secret", [False, True], ids=["shown", "hidden"])
    def test_a_missing_value_is_asked_for_at_a_terminal(
        self,
        eryphc: CommandLine,
        secret: bool,  # noqa: FBT001
    ) -> None:
        eryphc.write("asking.yaml", ASKING + ("  secret: true\n" if secret else ""))
        talk, code = _at_a_terminal(eryphc.folder, ("expand", "asking.yaml"), b"myanswer\n")
        assert code == 0, talk
        assert b"site" in talk
        assert (b"myanswer" in talk) is not secret

    @pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminal")
    def test_no_input_asks_nobody(self, eryphc: CommandLine) -> None:
        eryphc.write("asking.yaml", ASKING)
        talk, code = _at_a_terminal(eryphc.folder, ("expand", "asking.yaml", "--no-input"), b"")
        assert code == 1
        assert b"E0413" in talk


class TestSpecs:
    def test_standard_input(self, eryphc: CommandLine) -> None:
        done = eryphc.spawn("expand", "-", stdin=b"name: web\nfoo: 1\n")
        assert " --> <stdin>:2:1" in done.err
        eryphc.write("genes/acme/kit/1.0/geneset-tag.json", '{"geneset": "acme/kit/1.0"}')
        eryphc.write(
            "genes/acme/kit/1.0/fodder/tls.yaml", "name: tls\nfodder:\n- name: a\n  content: x\n"
        )
        spec = b"name: web\nfodder:\n- source: gene:acme/kit/1.0:tls\n"
        done = eryphc.spawn("expand", "-", stdin=spec)
        assert "content: x" in done.out

    def test_a_folder(self, eryphc: CommandLine) -> None:
        eryphc.write("machine/catlet.yaml", WEB)
        assert "name: web" in eryphc("expand", "machine").out
        assert "name: web" in eryphc("expand", "./machine/").out

    def test_a_json_file_is_read_strictly(self, eryphc: CommandLine) -> None:
        eryphc.write("web.json", '{"cpu": 4}')
        assert "E0112" in eryphc("expand", "web.json").err
        eryphc.write("web.yaml", '{"name": "web", "cpu": 4}')
        assert eryphc("expand", "web.yaml").code == 0

    def test_outputs_of_several(self, eryphc: CommandLine) -> None:
        eryphc.write("one.yaml", "name: one\n")
        eryphc.write("two.yaml", "name: two\n")
        done = eryphc("build", "one.yaml", "two.yaml", "--target", "cloud-init", "-o", "out")
        assert done.out.splitlines() == [f"out/{n}/cloud-init/{n}.iso" for n in ("one", "two")]
        done = eryphc("build", "one.yaml", "--target", "cloud-init", "--progress", "plain")
        assert "[1/1] one\n" in done.err

    def test_verbose_says_where_gene_sets_came_from(self, eryphc: CommandLine) -> None:
        eryphc.write("genes/acme/kit/1.0/geneset-tag.json", '{"geneset": "acme/kit/1.0"}')
        eryphc.write(
            "genes/acme/kit/1.0/fodder/tls.yaml", "name: tls\nfodder:\n- name: a\n  content: x\n"
        )
        eryphc.write("web.yaml", "name: web\nfodder:\n- source: gene:acme/kit/1.0:tls\n")
        line = "acme/kit/1.0 from genes/acme/kit/1.0\n"
        assert line in eryphc("expand", "web.yaml", "-v").err
        assert line in eryphc("check", "web.yaml", "-v").err
        assert line not in eryphc("expand", "web.yaml").err

    def test_a_single_gene(self, eryphc: CommandLine) -> None:
        _write_gene(
            eryphc,
            "name: tls\nvariables:\n- name: host\n  required: true\n"
            "fodder:\n- name: a\n  content: 'for {{ host }}'\n",
        )
        gene = ("expand", "gene:acme/kit/1.0:tls", "--format", "json")
        (fodder,) = json.loads(eryphc(*gene, "--var", "host=web").out)["fodder"]
        assert fodder["content"] == "for web"
        assert "E0413" in eryphc(*gene).err


def _write_gene(eryphc: CommandLine, text: str) -> None:
    eryphc.write("genes/acme/kit/1.0/geneset-tag.json", '{"geneset": "acme/kit/1.0"}')
    eryphc.write("genes/acme/kit/1.0/fodder/tls.yaml", text)


def _variables(out: str) -> dict[str, Any]:
    return {entry["name"]: entry.get("value") for entry in json.loads(out)["variables"]}


def _at_a_terminal(folder: Path, arguments: tuple[str, ...], answer: bytes) -> tuple[bytes, int]:
    """What a run at a pseudo terminal shows (but for its data), and its exit code."""
    import pty

    ours, theirs = pty.openpty()
    with (folder / "data").open("wb") as data:
        process = subprocess.Popen(
            spawned(arguments),
            cwd=folder,
            env={**child_environment(), "TERM": "dumb"},
            stdin=theirs,
            stdout=data,
            stderr=theirs,
            start_new_session=True,
        )
    os.close(theirs)
    talk = b""
    answered = not answer
    while True:
        try:
            piece = os.read(ours, 1024)
        except OSError:
            break
        if not piece:
            break
        talk += piece
        if not answered and b":" in talk:
            os.write(ours, answer)
            answered = True
    os.close(ours)
    return talk, process.wait(timeout=20)


class TestFinding:
    """What somebody meets who looks for a gene by a name that is nearly right."""

    @pytest.mark.parametrize(
        ("name", "found"),
        [
            pytest.param("acme", ["acme/kit", "acme/nginx"], id="an organization"),
            pytest.param("kit", ["acme/kit"], id="a set"),
            pytest.param("nginx", ["acme/nginx", "eryphc/nginx"], id="a set of two organizations"),
            pytest.param("ACME/Kit/", ["acme/kit"], id="both"),
            pytest.param("ki", [], id="no part of a name"),
        ],
    )
    def test_list(self, folder: CommandLine, name: str, found: list[str]) -> None:
        for geneset in ("kit", "nginx"):
            folder.write(
                f"genes/acme/{geneset}/1.0/geneset-tag.json",
                f'{{"geneset": "acme/{geneset}/1.0"}}\n',
            )
        done = folder("gene", "list", name)
        assert [line.split()[0] for line in done.out.splitlines()] == found
        assert (done.code, bool(done.err)) == (0, not found)

    @pytest.mark.parametrize(
        ("name", "meant"),
        [("postgres", "did you mean `eryphc/postgres`?"), ("postgre", None)],
    )
    def test_show_without_an_organization(
        self, folder: CommandLine, name: str, meant: str | None
    ) -> None:
        done = folder("gene", "show", name, "--diagnostics", "json")
        assert [found["help"] for found in json.loads(done.err)] == [meant]

    @pytest.mark.parametrize("parent", ["acme/kit", "acme/kit/latest"])
    def test_a_set_without_latest(self, folder: CommandLine, parent: str) -> None:
        folder.write("genes/acme/kit/1.0/geneset-tag.json", '{"geneset": "acme/kit/1.0"}\n')
        folder.write("child.yaml", f"name: child\nparent: {parent}\n")
        (found,) = json.loads(folder("check", "child.yaml", "--diagnostics", "json").out)
        assert found["help"] == "name one of these tags; without a tag `latest` is meant"

    def test_the_spelling_of_a_variable(self, folder: CommandLine) -> None:
        folder.write("asks.yaml", "name: asks\nvariables:\n- name: dbPassword\n  required: true\n")
        done = folder("check", "asks.yaml", "--diagnostics", "json")
        assert "give it with `--var dbPassword=...`" in [f["help"] for f in json.loads(done.out)]

    @pytest.mark.parametrize("word", ["W0501", "e0501", "E0501", "cloud-config-unreadable"])
    def test_a_code_has_many_names(self, folder: CommandLine, word: str) -> None:
        done = folder("explain", word)
        assert done.out.startswith("# E0501: cloud-config-unreadable\n")
        assert "This kind is hard: an error of it cannot be lowered." in done.out
        assert done.out.endswith("It was also called W0501.\n")

    def test_what_may_be_silenced(self, folder: CommandLine) -> None:
        done = folder("explain", "include-unpinned")
        assert "The default level is warning.\n`--allow include-unpinned` silences it" in done.out
        assert "It is a security rule" in done.out

    def test_all_codes_and_the_numbers_they_had(self, folder: CommandLine) -> None:
        lines = folder("explain").out.splitlines()
        assert lines == sorted(lines)
        assert "E0301  gene-not-found (hard)" in lines
        assert "W0509  value-overridden" in lines
        assert "N0509  value-overridden (now W0509)" in lines

    def test_an_error_is_explained_before_a_warning(self, folder: CommandLine) -> None:
        folder.write("lost.yaml", "parent: acme/nowhere\n")
        done = folder("check", "lost.yaml", "--guest", "linux")
        assert done.out.startswith("warning[W0203]")
        assert "`eryphc explain E0302` says more" in done.err
