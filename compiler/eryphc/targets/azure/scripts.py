"""The scripts of the target `azure`: constant programs with the facts of one machine in them.

A program is a file of `scripts/` around the text that all of its shell have in common. What differs
from one machine to the next are constants at its head, each a text in single quotes: nothing in it
is expanded, and no kind of quote in it ends it. azure-cli gets such values in files of parameters
or as arguments of their own, never as part of a command that is run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from eryphc.frozen import NamedTuple
from eryphc.guest.model import GuestKind

# The container of a storage account that `upload` brings disks to.
CONTAINER: Final = "eryphc-disks"

_PLACE: Final = re.compile(r"@([a-z_]+)@")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHARED_PLACE: Final = re.compile(r"# ==== (\w+\.\w+) stands here ====\n")


class Blob(NamedTuple):
    """A disk of the folder that has to be uploaded.

    `file` is its path in the folder, `name` that of its blob, `size` the bytes of the file. `image`
    and `data` say what it is for: drives that share a disk share its blob, so it can be both.
    """

    file: str
    name: str
    size: int
    image: bool
    data: bool


class GalleryImage(NamedTuple):
    """The image that `image.json` makes: names of the gallery, the definition and the version."""

    gallery: str
    definition: str
    version: str


class ScriptFacts(NamedTuple):
    """What the scripts of one machine know of it.

    `vm` and `os_disk` are the names of its resources, `deployment` that of the deployment and of
    the stack. `image_parameter` says that `main.json` has a parameter `imageId`, `image_known` that
    `main.parameters.json` has its value. `image` is there when the folder has `image.json`.
    `blobs` has each blob once. `parameters` and `secrets` say whether the folder has
    `main.parameters.json` and `secrets.parameters.json`, `open_to_anyone` whether the addresses
    that come with the template let in the whole internet. `custom_data` is the value of the tag
    `eryphc-custom-data`, None without such a tag. `conversions` are commands that make the disks
    whose images were not at hand.
    """

    vm: str
    os_disk: str
    catlet_id: str
    deployment: str
    guest: GuestKind
    image_parameter: bool
    image_known: bool = False
    image: GalleryImage | None = None
    blobs: tuple[Blob, ...] = ()
    parameters: bool = False
    secrets: bool = False
    open_to_anyone: bool = False
    custom_data: str | None = None
    conversions: tuple[str, ...] = ()


class _Shell(NamedTuple):
    """How the programs of one shell are written: their ending, constants, and rows of constants.

    `nothing` stands where there are no rows, `mark` at the head of a file.
    """

    ending: str
    quote: Callable[[str], str]
    row: Callable[[Iterable[str]], str]
    nothing: str
    mark: str


def scripts(facts: ScriptFacts) -> Mapping[str, bytes]:
    """The scripts by the names of their files; those for uploading only where it is of use.

    The same bytes for the same facts, lines end with LF. Those for PowerShell begin with a byte
    order mark, without which Windows PowerShell reads them in the code page of the machine.
    """
    # Queries of azure-cli name the catlet, so its id may hold nothing that means something there.
    if _UUID.fullmatch(facts.catlet_id) is None:
        raise ValueError("the id of a catlet is a UUID in lower case")
    names = ["deploy", "remove"]
    if facts.blobs or facts.conversions:
        names.insert(1, "upload")
    made = {}
    for shell in (_SH, _PS):
        constants = _constants(facts, shell)
        for name in names:
            text = _fill(_program(name, shell.ending), constants)
            made[f"{name}.{shell.ending}"] = (shell.mark + text).encode()
    return made


def sh_quote(text: str) -> str:
    """The text as one word of a POSIX shell. Raises ValueError for NUL, which no shell can hold."""
    if "\0" in text:
        raise ValueError("a text of a shell has no NUL")
    return "'" + text.replace("'", "'\\''") + "'"


def ps_quote(text: str) -> str:
    """The text as a literal of PowerShell, where five characters end one in single quotes.

    Raises ValueError for NUL, which scripts of PowerShell cannot hold.
    """
    if "\0" in text:
        raise ValueError("a text of a shell has no NUL")
    return f"'{_PS_QUOTES.sub(_twice, text)}'"


def _twice(found: re.Match[str]) -> str:
    return found[0] * 2


_PS_QUOTES: Final = re.compile("['\u2018\u2019\u201a\u201b]")
_SH: Final = _Shell("sh", sh_quote, lambda words: " ".join(('    "$@"', *words)), "    :", "")
_PS: Final = _Shell("ps1", ps_quote, lambda words: f"    , @({', '.join(words)})", "", "\ufeff")


@cache
def _program(name: str, ending: str) -> str:
    """A program with places for constants, and what it shares with others put into it."""
    folder = files(__package__ or "").joinpath("scripts")

    def text(file: str) -> str:
        return folder.joinpath(file).read_text(encoding="ascii")

    return _SHARED_PLACE.sub(lambda place: text(place[1]), text(f"{name}.{ending}"))


def _fill(program: str, constants: Mapping[str, str]) -> str:
    """The program with its constants, in one go: no constant is searched for places."""
    return _PLACE.sub(lambda place: constants[place[1]], program)


def _constants(facts: ScriptFacts, shell: _Shell) -> Mapping[str, str]:
    quote = shell.quote
    image = facts.image or GalleryImage("", "", "")

    def flag(value: bool) -> str:  # noqa: FBT001 - it stands in a table of facts
        return quote("yes" if value else "")

    def table(rows: Iterable[Iterable[str]]) -> str:
        return "\n".join(map(shell.row, rows)) or shell.nothing

    return {
        "vm": quote(facts.vm),
        "os_disk": quote(facts.os_disk),
        "catlet_id": quote(facts.catlet_id),
        "deployment": quote(facts.deployment),
        "windows": flag(facts.guest is GuestKind.WINDOWS),
        "image_wanted": flag(facts.image_parameter),
        "image_known": flag(facts.image_known),
        "image_upload": flag(facts.image is not None),
        "gallery": quote(image.gallery),
        "definition": quote(image.definition),
        "version": quote(image.version),
        "data_blobs": flag(any(blob.data for blob in facts.blobs)),
        "container": quote(CONTAINER),
        "has_parameters": flag(facts.parameters),
        "has_secrets": flag(facts.secrets),
        "open_to_anyone": flag(facts.open_to_anyone),
        "custom_data": quote(facts.custom_data or ""),
        "blobs": table(
            (
                *(quote(each) for each in (blob.file, blob.name, str(blob.size))),
                *(flag(each) for each in (blob.image, blob.data)),
            )
            for blob in facts.blobs
        ),
        "conversions": table((quote(each),) for each in facts.conversions),
    }
