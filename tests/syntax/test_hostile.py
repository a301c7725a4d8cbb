"""Hostile documents are refused in bounded time and memory, and reach no terminal.

Limits: 200 MB, and the processor time after which `bounded_run` ends the process: what grows with
the square of its input takes minutes here.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import pytest

from syntax.bounded import bounded_run

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform != "linux", reason="limits of a process"),
]

MEGABYTES = 200.0
MIB = 1024 * 1024
# What a terminal would act on: control characters but line ends, and marks that reorder text.
ACTED_ON = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def lines(entries: Iterable[str]) -> str:
    return "\n".join(entries) + "\n"


def bomb(width: int, levels: int) -> str:
    first = f"a0: &a0 [{','.join(['x'] * width)}]"
    more = (f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels))
    return lines((first, *more))


def fodder(content: str) -> str:
    return f"name: web\nfodder:\n- name: a\n  content: '{content}'\n"


BIG = "x" * 900_000
SHARED = lines(
    chain(
        ["name: web", "variables: &v"],
        (f"- name: a{n}\n  value: {'x' * 100}" for n in range(9000)),
        ["fodder:"],
        (f"- name: f{n}\n  content: x\n  variables: *v" for n in range(900)),
    )
)
# id: text, and the code that it is refused with (None: it is accepted).
YAML: dict[str, tuple[str | bytes, str | None]] = {
    "30,000 braces": ("{" * 30_000, "E0107"),
    "a million brackets": ("[" * 1_000_000, "E0107"),
    "brackets that are closed": ("a: " + "[" * 30_000 + "]" * 30_000, "E0107"),
    "30,000 lists by indentation": ("- " * 30_000 + "x", "E0107"),
    "half a million lists": ("- " * 500_000 + "x", "E0107"),
    "mappings by indentation": ("".join(" " * n + "a:\n" for n in range(1900)), "E0107"),
    "explicit keys": ("? " * 30_000 + "x", "E0107"),
    "anchors without a value": ("&a " * 30_000, "E0101"),
    "tags without a value": ("!!str " * 30_000, "E0101"),
    "aliases of aliases": (bomb(9, 20), "E0113"),
    "more than 1,000 aliases": (bomb(200, 20), "E0109"),
    "aliases of a large list": (SHARED, "E0124"),
    "a number of two million digits": ("cpu: " + "9" * 1_900_000, "E0115"),
    "base 60": ("cpu: 1" + ":1" * 900_000, "E0115"),
    "hexadecimal": ("cpu: 0x" + "f" * 1_900_000, "E0115"),
    "underscores": ("cpu: 1" + "_" * 1_900_000 + "1", None),
    "blanks around a number": (f"cpu: '{' ' * 1_900_000}1x'", "E0115"),
    "a float": ("fodder:\n- name: !!float " + "1" * 1_900_000, "E0115"),
    "a long name": ("name: " + "a" * 1_900_000, "E0201"),
    "a long name of separators": ("name: " + "a-" * 900_000, "E0201"),
    "a long name with a fault at its end": ("name: " + ".-" * 900_000 + "!", "E0201"),
    "a long parent": ("parent: " + "a.-" * 600_000 + "!", "E0207"),
    "a long set name": ("parent: " + "a" * 600_000 + "/" + "b-." * 400_000, "E0207"),
    "a long gene": ("fodder:\n- source: gene:" + "a/" * 900_000, "E0208"),
    "a long address": (
        "network_adapters:\n- name: eth0\n  mac_address: " + "aa:" * 600_000 + "aa",
        "E0211",
    ),
    "a long path": ("drives:\n- name: a\n  source: 'C:\\" + "\\." * 900_000 + "'", "E0209"),
    "a long file name": ("fodder:\n- name: a\n  content: x\n  filename: " + BIG, "E0216"),
    "a long type": ("fodder:\n- name: a\n  content: x\n  type: " + BIG, "E0215"),
    "a long key": ("k" * 1_000 + ": x", "E0113"),
    "unknown keys": (lines(f"networks{n}: x" for n in range(9999)), "E0113"),
    "one key again and again": ("name: web\n" * 9999, None),
    "many drives": ("drives:\n" + lines(f"- name: d{n}" for n in range(9999)), "E0204"),
    "many bad names": ("drives:\n" + lines(f"- name: a_{n}" for n in range(9999)), "E0201"),
    "many entries without a name": (
        "drives:\n" + lines(f"- nam: a{n}" for n in range(9999)),
        "E0113",
    ),
    "many faults an entry": (
        "variables:\n" + lines(f"- nam: a{n}\n  secret: 17" for n in range(9999)),
        "E0116",
    ),
    "many bad sources": (
        "fodder:\n" + lines(f"- source: gene:a{n}/b/c" for n in range(9999)),
        "E0208",
    ),
    "many comments in contents": (
        "name: web\nfodder:\n"
        + lines(f"- name: a{n}\n  content:\n    a: 1\n    # c\n" for n in range(5000)),
        None,
    ),
    "a content of comments": (
        "name: web\nfodder:\n- name: a\n  content:\n    a: 1\n" + "    # c\n" * 200_000,
        None,
    ),
    "a content of blanks": (
        "name: web\nfodder:\n- name: a\n  content:\n    a: 1\n" + "         \n" * 180_000,
        None,
    ),
    "braces that are never closed": (fodder("{{ " * 600_000), None),
    "braces and letters": (fodder("{{ a" * 400_000), None),
    "braces and blanks": (fodder("{{" + " " * 1_900_000), None),
    "braces and long blanks": (fodder(("{{" + " " * 1000) * 1900), None),
    "braces and long words": (fodder(("{{" + "a" * 1000) * 1900), None),
    "braces alone": (fodder("{" * 1_900_000 + " a"), None),
    "braces before blanks": (fodder("{" * 900_000 + " " * 900_000 + "a }}"), "E0411"),
    "unknown references": (fodder("{{ b }}" * 200_000), "E0411"),
    "invalid references": (fodder("{{ b-c }}" * 200_000), "E0412"),
    "a value inserted again and again": (
        f"name: web\nvariables:\n- name: v\n  value: {BIG}\n"
        "fodder:\n- name: a\n  content: '" + "{{v}}" * 180_000 + "'",
        "E0422",
    ),
    "a value inserted into many foods": (
        f"name: web\nvariables:\n- name: v\n  value: {BIG}\nfodder:\n"
        + lines(f"- name: a{n}\n  content: '{'{{v}}' * 10}'" for n in range(900)),
        "E0422",
    ),
    "a value inserted into values": (
        f"name: web\nvariables:\n- name: v\n  value: {BIG}\n"
        "fodder:\n- name: f\n  content: '" + "{{a}}" * 100 + "'\n  variables:\n  - name: a\n"
        "    value: '" + "{{v}}" * 10_000 + "'\n",
        "E0422",
    ),
    "NUL": ("name: a\0b", "E0102"),
    "only NUL": ("\0", "E0102"),
    "an escape sequence": ("name: \x1b[31mred", "E0102"),
    "an escape sequence by escapes": ('name: "\\e[31mred"', "E0201"),
    "a window title by escapes": ('drives:\n- name: x\n  source: "\\e]0;x\\a"', "E0209"),
    "an escape sequence as key": ('"\\e[31mred": x', "E0113"),
    "C1 control characters": ('name: "\\x9b31m"', "E0201"),
    "marks that reorder": ('name: "a\u202eb"', "E0201"),
    "marks that reorder in a value": ('hostname: ["a\u202eb"]', "E0112"),
    "half a surrogate pair": ('name: "\\ud800"', "E0101"),
    "half a surrogate pair as bytes": (b"name: \xed\xa0\x80", "E0125"),
    "bytes that are no text": (b"name: \xff\xfe", "E0125"),
    "UTF-16": ("name: web\n".encode("utf-16"), None),
    "UTF-16, the other order": (b"\xfe\xff" + "name: web\n".encode("utf-16-be"), None),
    "UTF-16 with half a character": (
        b"\xff\xfe" + "name: web\n".encode("utf-16-le") + b"x",
        "E0125",
    ),
    "UTF-16 with half a pair": (b"\xff\xfen\0:\0 \0\x00\xd8", "E0125"),
    "UTF-32": (b"\xff\xfe\0\0" + "name: web\n".encode("utf-32-le"), "E0102"),
    "exactly 2 MiB": ("name: web\n" + "#" * (2 * MIB - 10), None),
    "2 MiB and a byte": ("name: web\n" + "#" * (2 * MIB - 9), "E0106"),
    "20 MB": ("#" * 20_000_000, "E0106"),
    "2 MiB of wide characters": ("#" + "\u20ac" * 700_000, "E0106"),
    "10,000 entries": ("drives:\n" + "- name: x\n" * 10_000, "E0204"),
    "10,001 entries": ("drives:\n" + "- name: x\n" * 10_001, "E0108"),
    "10,001 entries in a content": (
        "fodder:\n- name: a\n  content:\n" + "  - x\n" * 10_001,
        "E0108",
    ),
    "a second byte order mark": (b"\xef\xbb\xbf\xef\xbb\xbfname: a", "E0102"),
    "a very long line": ("a" * 1000 + ": [" + "x" * 1_500_000, "E0101"),
    "tabs": ("\t" * 1_000_000, "E0103"),
    "quotes": ("'" * 1_000_001, "E0101"),
    "directives": (lines(f"%TAG !{n}! x" for n in range(100_000)) + "---\nname: a", "E0126"),
    "anchors": (lines(f"- &anchor{n} x" for n in range(9999)), "E0112"),
    "an alias like many anchors": (
        lines(f"- &anchor{n} x" for n in range(9999)) + "- *anchr",
        "E0105",
    ),
    "mappings as keys": ("{" + "{a: b}: c, " * 9000 + "}", "E0114"),
    "carriage returns": ("\r" * 1_900_000 + "x", "E0112"),
}
JSON: dict[str, tuple[str, str | None]] = {
    "30,000 brackets": ("[" * 30_000, "E0107"),
    "30,000 braces": ('{"a":' * 30_000, "E0107"),
    "a number of two million digits": ('{"cpu":{"count":' + "9" * 1_900_000 + "}}", "E0115"),
    "an exponent": ('{"cpu":{"count":1e' + "9" * 1_900_000 + "}}", "E0115"),
    "a long text": ('{"name":"' + "a" * 1_900_000 + '"}', "E0201"),
    "escapes": ('{"name":"' + "\\u0041" * 300_000 + '"}', "E0201"),
    "a text that is not closed": ('{"name":"' + "a" * 1_900_000, "E0110"),
    "half a surrogate pair": ('{"name":"\\ud800"}', "E0201"),
    "an escape sequence": ('{"name":"\\u001b[31m"}', "E0201"),
    "a raw escape sequence": ('{"name":"\x1b[31m"}', "E0110"),
    "10,001 entries": ('{"drives":[' + ",".join(["{}"] * 10_001) + "]}", "E0108"),
    "one key again and again": ("{" + ",".join(['"name":"web"'] * 9999) + "}", None),
    "blanks": (" " * 1_900_000, "E0110"),
}


@pytest.mark.parametrize(("text", "code"), YAML.values(), ids=YAML)
def test_yaml(text: str | bytes, code: str | None, tmp_path: Path) -> None:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    _bounded(["expand", "-"], data, code, tmp_path)


@pytest.mark.parametrize(("text", "code"), JSON.values(), ids=JSON)
def test_json(text: str, code: str | None, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(text, encoding="utf-8", newline="")
    _bounded(["expand", "spec.json"], b"", code, tmp_path)


def test_what_is_printed_is_bounded_too(tmp_path: Path) -> None:
    text = lines(f"{'k' * 150}{n}: x" for n in range(9999))
    done = _bounded(["expand", "-"], text.encode(), "E0113", tmp_path)
    assert len(done) < 200_000


def test_a_build_of_many_fodder_entries(tmp_path: Path) -> None:
    fodder_entries = "".join(f"- name: a{n}\n  content: 'a: 1'\n" for n in range(2000))
    done = bounded_run(
        ["build", "-", "--target", "cloud-init"],
        tmp_path,
        f"name: web\nfodder:\n{fodder_entries}".encode(),
    )
    assert done.code == 0
    assert done.memory < MEGABYTES


def _bounded(arguments: list[str], stdin: bytes, code: str | None, folder: Path) -> str:
    done = bounded_run(arguments, folder, stdin)
    talk = done.err.decode()
    if code is None:
        assert done.code == 0, talk[:2000]
    else:
        assert done.code == 1, talk[:2000]
        assert f"[{code}]" in talk, talk[:2000]
        assert done.out == b""
    assert not ACTED_ON.search(talk)
    assert not ACTED_ON.search(done.out.decode())
    assert done.memory < MEGABYTES
    return talk


class TestFiles:
    """What is no plain file in the place of one."""

    @pytest.mark.parametrize(
        ("arguments", "code", "shown"),
        [
            pytest.param(["expand", "pipe"], 3, "E0903", id="a pipe without a writer"),
            pytest.param(["expand", "loop"], 3, "E0903", id="a link to itself"),
            pytest.param(["expand", "folder"], 1, "E0902", id="a folder without a catlet"),
            pytest.param(["expand", "nested"], 1, "E0902", id="a folder named catlet.yaml"),
            pytest.param(["expand", "/dev/zero"], 1, "E0106", id="an endless device"),
            pytest.param(["expand", "/dev/null"], 1, "E0111", id="an empty device"),
            pytest.param(["expand", "web.yaml/x"], 1, "E0902", id="a file as folder"),
            pytest.param(["expand", ""], 1, "E0902", id="no name"),
            pytest.param(["expand", "x" * 300], 1, "E0902", id="a name that is too long"),
            pytest.param(["expand", "x/" * 5000], 1, "E0902", id="a path that is too long"),
            pytest.param(["expand", "a\x1b[31m.yaml"], 1, "E0902", id="an escape in a name"),
            pytest.param(["expand", "web.yaml", "--var-file", "pipe"], 3, "E0903", id="var file"),
            pytest.param(["expand", "web.yaml", "--var-file", "folder"], 1, "E0902", id="no file"),
            pytest.param(["expand", "web.yaml", "--var", "x=@pipe"], 3, "E0910", id="value"),
            pytest.param(["check", "project/web.yaml"], 3, "E0903", id="project file"),
            pytest.param(
                ["build", "web.yaml", "--target", "cloud-init", "--network-config", "pipe"],
                3,
                "E0903",
                id="network file",
            ),
        ],
    )
    def test_is_refused(self, arguments: list[str], code: int, shown: str, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "loop").symlink_to("loop")
        (tmp_path / "folder").mkdir()
        (tmp_path / "nested" / "catlet.yaml").mkdir(parents=True)
        (tmp_path / "web.yaml").write_text("name: web\n", encoding="utf-8")
        (tmp_path / "project").mkdir()
        (tmp_path / "project" / "web.yaml").symlink_to("../web.yaml")
        (tmp_path / "project" / "eryphc.yaml").symlink_to("/proc/self/mem")
        done = bounded_run(arguments, tmp_path)
        talk = (done.out + done.err).decode()
        assert done.code == code, talk
        assert f"error[{shown}]" in talk
        assert not ACTED_ON.search(talk)

    @pytest.mark.skipif(os.geteuid() != 0, reason="root gives up its rights for this")
    def test_no_right_to_read(self, tmp_path: Path) -> None:
        import subprocess

        spec = tmp_path / "web.yaml"
        spec.write_text("name: web\n", encoding="utf-8")
        spec.chmod(0)
        tmp_path.chmod(0o755)
        drop = "import os, sys; os.setgid(65534); os.setuid(65534)\n"
        script = drop + "from eryphc.cli.app import run; raise SystemExit(run())"
        done = subprocess.run(
            [sys.executable, "-c", script, "expand", str(spec)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            cwd="/",
            capture_output=True,
            check=False,
        )
        if b"ModuleNotFoundError" in done.stderr or b"can't open" in done.stderr:
            pytest.skip("another user may not read the interpreter")
        assert done.returncode == 3
        assert b"E0903" in done.stderr
        assert b"permission denied" in done.stderr

    def test_what_a_shell_substitutes_is_read(self, tmp_path: Path) -> None:
        reader, writer = os.pipe()
        os.write(writer, b"name: web\n")
        os.close(writer)
        try:
            import subprocess

            done = subprocess.run(
                [sys.executable, "-m", "eryphc", "expand", f"/dev/fd/{reader}"],
                pass_fds=[reader],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                capture_output=True,
                check=False,
            )
        finally:
            os.close(reader)
        assert done.returncode == 0, done.stderr
        assert b"name: web" in done.stdout

    def test_a_link_out_of_the_pool_is_not_followed(self, tmp_path: Path) -> None:
        outside = tmp_path / "outside.yaml"
        outside.write_text("name: tls\nfodder:\n- name: a\n  content: canary-4711\n", "utf-8")
        tag = tmp_path / "genes/acme/kit/1.0"
        (tag / "fodder").mkdir(parents=True)
        (tag / "geneset-tag.json").write_text('{"geneset": "acme/kit/1.0"}', encoding="utf-8")
        (tag / "fodder/tls.yaml").symlink_to(outside)
        spec = b"name: web\nfodder:\n- source: gene:acme/kit/1.0:tls\n"
        done = bounded_run(["expand", "-"], tmp_path, spec)
        assert done.code == 1
        assert b"E0312" in done.err
        assert b"canary" not in done.err + done.out
