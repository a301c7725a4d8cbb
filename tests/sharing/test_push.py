"""`gene push` against a real registry, pulled back by builds, and looked into by other tools."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from authoring.sets import write_set
from genepool.oci.real import program
from sharing.author import EMBEDDED, IDENTITY, MOTD_TEXT, Author, codes

pytestmark = pytest.mark.integration


def test_a_first_push_needs_no_project(author: Author) -> None:
    author.alias("latest", "acme/motd/1.0")
    (pushed,) = author.pushed(author.tag("1.0"))
    assert pushed.pop("bytes") > 5000
    assert pushed == {
        "geneset": "acme/motd",
        "tag": "1.0",
        "reference": f"{author.host}/{author.prefix}/acme/motd:1.0",
        "manifest": EMBEDDED,
        "digest": IDENTITY,
        "status": "pushed",
        "aliases": ["latest"],
    }
    done = author.eryphc("gene", "pull", "acme/motd", "--genepool", author.pool)
    assert [line.split()[-1] for line in done.out.splitlines()] == [IDENTITY, "acme/motd/1.0"]


def test_it_is_built_with(author: Author) -> None:
    assert author.push(author.tag("1.0")).out == f"{author.host}/{author.prefix}/acme/motd:1.0\n"
    shutil.rmtree(author.eryphc.folder / "motd")
    author.eryphc.write("web.yaml", "name: web\nfodder:\n- source: gene:acme/motd/1.0:motd\n")
    words = ("build", "web.yaml", "--guest", "linux", "--target", "user-data")
    done = author.eryphc(*words, "--genepool", author.pool)
    assert done.code == 0, done.err
    text = (author.eryphc.folder / "build/web/user-data/user-data").read_text()
    assert "/etc/motd" in text


def test_the_same_again_sends_nothing(author: Author) -> None:
    author.alias("latest", "acme/motd/1.0")
    tag = author.tag("1.0")
    author.push(tag)
    done = author.eryphc("gene", "push", tag, "--to", author.to, "-v")
    assert done.code == 0
    assert {line.split()[0] for line in done.err.splitlines()} == {"HEAD", "GET", "acme/motd/1.0:"}
    assert "acme/motd/1.0: unchanged, also latest" in done.err


def test_a_fixed_tag_is_not_replaced(author: Author) -> None:
    author.push(author.tag("1.0"))
    tag = author.tag("1.0", MOTD_TEXT.replace("Welcome", "Hello"))
    done = author.push(tag)
    assert (done.code, codes(done), done.out) == (1, ["E1009"], "")
    assert f"there is         {IDENTITY}" in done.err
    assert author.pushed(tag, "--dry-run", "--replace")[0]["status"] == "planned"
    (pushed,) = author.pushed(tag, "--replace")
    assert (pushed["status"], pushed["digest"] == IDENTITY) == ("pushed", False)


def test_something_else_under_the_tag(author: Author, tmp_path: Path) -> None:
    """Also an image of other people is not replaced."""
    umoci, skopeo = program("umoci"), program("skopeo")
    subprocess.run([umoci, "init", "--layout", f"{tmp_path}/other"], check=True)
    subprocess.run([umoci, "new", "--image", f"{tmp_path}/other:x"], check=True)
    place = f"docker://{author.host}/{author.prefix}/acme/motd:1.0"
    words = ["copy", "-q", "--dest-tls-verify=false", f"oci:{tmp_path}/other:x", place]
    subprocess.run([skopeo, "--insecure-policy", *words], check=True)
    done = author.push(author.tag("1.0"))
    assert (done.code, codes(done)) == (1, ["E1009"])
    assert author.push("motd/1.0", "--replace").code == 0


def test_an_interface_that_breaks(author: Author) -> None:
    author.push(author.tag("1.0"))
    broken = MOTD_TEXT.replace("name: text", "name: words").replace("{{ text }}", "{{ words }}")
    tag = author.tag("1.1", broken)
    done = author.push(tag)
    assert (done.code, codes(done), done.out) == (1, ["E1027"], "")
    assert "motd: the variable `text` is gone" in done.err
    assert "new variable `words`" in done.err
    # Another first number is compared with nothing, and consent is enough.
    assert author.push(author.tag("2.0", broken)).code == 0
    assert author.push(tag, "--breaking").code == 0


def test_what_changes_is_printed(author: Author) -> None:
    author.push(author.tag("1.0"))
    done = author.push(author.tag("1.1", MOTD_TEXT.replace("Welcome", "Hello")))
    assert done.err.splitlines()[:2] == [
        "acme/motd  1.0 → 1.1",
        '  motd: `text`: default "Welcome" → "Hello"',
    ]


def test_the_newest_of_the_version_is_compared(author: Author) -> None:
    author.push(author.tag("1.0", MOTD_TEXT))
    more = MOTD_TEXT.replace("variables:\n", "variables:\n- name: colour\n  value: none\n")
    author.push(author.tag("1.10", more.replace("{{ text }}", "{{ text }}{{ colour }}")))
    assert codes(author.push(author.tag("1.11"))) == ["E1027"]


def test_moving_tags_follow(author: Author) -> None:
    author.alias("latest", "acme/motd/1.0")
    author.push(author.tag("1.0"))
    author.alias("latest", "acme/motd/1.1")
    author.alias("stable", "acme/motd/latest")
    (pushed,) = author.pushed(author.tag("1.1", MOTD_TEXT.replace("Welcome", "Hello")))
    assert pushed["aliases"] == ["latest", "stable"]
    for alias in ("latest", "stable"):
        done = author.eryphc("gene", "pull", f"acme/motd/{alias}", "--genepool", author.pool)
        assert "is acme/motd/1.1" in done.out


def test_a_whole_set_and_a_pointer(author: Author) -> None:
    author.tag("1.0")
    author.eryphc.write("web/latest/geneset-tag.json", '{"geneset":"acme/web/latest",'
                        '"ref":"acme/motd/1.0"}')  # fmt: skip
    done = author.push("web", "motd")
    assert [line.rpartition("/")[2] for line in done.out.splitlines()] == ["motd:1.0", "web:latest"]
    done = author.eryphc("gene", "pull", "acme/web", "--genepool", author.pool)
    assert "is acme/motd/1.0" in done.out


def test_what_no_pool_has_is_a_warning(author: Author) -> None:
    author.eryphc.write("web/latest/geneset-tag.json", '{"geneset":"acme/web/latest",'
                        '"ref":"acme/gone/1.0"}')  # fmt: skip
    author.eryphc.write("base/1.0/geneset-tag.json", '{"geneset":"acme/base/1.0"}')
    author.eryphc.write("base/1.0/catlet.yaml", "fodder:\n- source: gene:acme/gone/1.0:x\n")
    done = author.push("web", "base")
    assert (done.code, codes(done)) == (0, ["E0302", "E0302"])
    assert done.err.count("warning[E0302]") == 2


def test_what_the_registry_has_already_is_found(author: Author) -> None:
    author.push(author.tag("1.0"))
    shutil.rmtree(author.eryphc.folder / "motd")
    write = author.eryphc.write
    write("web/latest/geneset-tag.json", '{"geneset":"acme/web/latest","ref":"acme/motd/1.0"}')
    write("base/1.0/geneset-tag.json", '{"geneset":"acme/base/1.0"}')
    write("base/1.0/catlet.yaml", "fodder:\n- source: gene:acme/motd/1.0:motd\n")
    done = author.push("web", "base")
    assert (done.code, codes(done)) == (0, [])


@pytest.mark.parametrize(
    ("alias", "ref", "code"),
    [("v1.2", "acme/motd/1.0", "E1033"), ("latest", "acme/motd/9.9", "E1033")],
)
def test_aliases_that_are_none(author: Author, alias: str, ref: str, code: str) -> None:
    author.tag("1.0")
    author.alias(alias, ref)
    done = author.push("motd")
    assert (done.code, codes(done)) == (1, [code])


def test_genes_under_a_moving_tag(author: Author) -> None:
    tag = author.tag("v20")
    done = author.push(tag)
    assert (done.code, codes(done)) == (1, ["E1028"])
    pool = f"pools:\n- {{name: corp, type: oci, prefix: {author.host}/{author.prefix}, "
    author.eryphc.write("eryphc.yaml", pool + 'orgs: [acme], fixed: ["v*"]}\n')
    assert author.eryphc("gene", "push", tag).code == 0
    author.eryphc.write("eryphc.yaml", pool + 'orgs: [acme], moving: ["*"]}\n')
    assert codes(author.eryphc("gene", "push", author.tag("1.0"))) == ["E1028"]


def test_a_name_that_no_repository_has(author: Author) -> None:
    write_set(
        author.eryphc.folder / "odd",
        {
            "geneset.json": '{"geneset":"acme/a.-b","short_description":"x"}',
            "1.0/geneset-tag.json": '{"geneset":"acme/a.-b/1.0"}',
        },
    )
    done = author.push("odd")
    assert (done.code, codes(done)) == (1, ["E1026"])


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("nowhere",), "E0902", 1),
        (("motd/1.0", "--to", "corp"), "E0904", 2),
        (("motd/1.0",), "E0904", 2),
        (("motd/1.0", "--to", "oci://"), "E0904", 2),
        (("motd/1.0", "--to", "oci://127.0.0.1:1/x"), "E1001", 3),
        (("motd/1.0", "--to", "oci://127.0.0.1:1/x", "--offline"), "E1025", 1),
        (("motd/1.0", "--to", "oci://127.0.0.1:1/x?orgs=other"), "E1033", 1),
    ],
)
def test_faults(author: Author, words: tuple[str, ...], code: str, exit_code: int) -> None:
    author.tag("1.0")
    done = author.eryphc("gene", "push", *words, "--timeout", "2")
    assert done.out == ""
    assert done.code == exit_code, done.err
    assert code in codes(done)


def test_the_pool_that_owns_the_sets(author: Author) -> None:
    author.eryphc.write(
        "eryphc.yaml",
        f"pools:\n- {{name: other, type: oci, prefix: {author.host}/x, orgs: [other]}}\n"
        f"- {{name: corp, type: oci, prefix: {author.host}/{author.prefix}, orgs: [acme],"
        ' repository: "{org}_{set}"}\n',
    )
    done = author.eryphc("gene", "push", author.tag("1.0"))
    assert done.out == f"{author.host}/{author.prefix}/acme_motd:1.0\n"


def test_a_layout_keeps_its_identities(author: Author) -> None:
    author.alias("latest", "acme/motd/1.0")
    author.tag("1.0")
    author.eryphc("gene", "pack", "motd", "-o", "layout")
    (pushed,) = author.pushed("layout")
    assert (pushed["manifest"], pushed["digest"], pushed["aliases"]) == (
        EMBEDDED,
        IDENTITY,
        ["latest"],
    )


def test_other_tools_see_the_tag_folder(author: Author, tmp_path: Path) -> None:
    """skopeo copies it out and back with its identity, umoci unpacks the folder of the tag."""
    author.push(author.tag("1.0"))
    place = f"docker://{author.host}/{author.prefix}/acme/motd:1.0"
    skopeo, umoci = program("skopeo"), program("umoci")

    def copy(*words: str) -> None:
        subprocess.run([skopeo, "--insecure-policy", "copy", "-q", *words], check=True)

    copy("--src-tls-verify=false", place, f"oci:{tmp_path}/out:acme/motd:1.0")
    back = f"docker://{author.host}/{author.prefix}/back/acme/motd:1.0"
    copy("--dest-tls-verify=false", f"oci:{tmp_path}/out:acme/motd:1.0", back)
    copy("--src-tls-verify=false", place, f"oci:{tmp_path}/plain:motd")
    pool = f"{author.to}/back?orgs=acme"
    assert IDENTITY in author.eryphc("gene", "pull", "acme/motd/1.0", "--genepool", pool).out
    words = [umoci, "unpack", "--rootless", "--image", f"{tmp_path}/plain:motd", f"{tmp_path}/box"]
    subprocess.run(words, check=True, capture_output=True)
    root = tmp_path / "box/rootfs"
    files = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    assert sorted(files) == ["fodder/motd.yaml", "geneset-tag.json"]
    assert files["fodder/motd.yaml"].read_text() == MOTD_TEXT


def test_a_signature_goes_into_the_manifest(author: Author) -> None:
    """What signs gets manifest and config; a tag that lacks the signature gets it later."""
    from eryphc import Session
    from eryphc.canonical import canonical, read_canonical
    from eryphc.sharing import push

    def sign(manifest: bytes, config: bytes) -> bytes:
        data = read_canonical(manifest)
        data["annotations"]["dev.eryphc.signature.1"] = f"over {len(config)} bytes"
        return canonical(data)

    tag = author.tag("1.0")
    author.alias("latest", "acme/motd/1.0")
    author.push(tag)
    for status in ("pushed", "unchanged"):
        pushed = push(Session(), [tag], to=author.to, sign=sign)
        assert pushed.ok
        assert [each.status for each in pushed.sets] == [status]
        assert pushed.sets[0].digest == IDENTITY
        assert pushed.sets[0].manifest != EMBEDDED
    for name in ("1.0", "latest"):
        place = f"docker://{author.host}/{author.prefix}/acme/motd:{name}"
        words = [program("skopeo"), "inspect", "--raw", "--tls-verify=false", place]
        raw = subprocess.run(words, check=True, capture_output=True).stdout
        assert b'"dev.eryphc.signature.1":"over 813 bytes"' in raw


def test_nobody_said_where_to(author: Author) -> None:
    done = author.eryphc("gene", "push", author.tag("1.0"))
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[:2] == [
        "error[E0904]: the pool: no pool in a registry is for `acme`",
        "  = help: name the registry as `oci://HOST/PREFIX`, or give `eryphc.yaml` a pool for it",
    ]
    done = author.eryphc("gene", "push", "motd/1.0", "--to", f"{author.host}/{author.prefix}")
    assert "help: name the registry as `oci://HOST/PREFIX`" in done.err
