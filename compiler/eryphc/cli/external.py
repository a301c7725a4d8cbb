"""`eryphc external`: user-data for the `external` data source of Terraform and OpenTofu.

One JSON object of texts comes in on standard input, one goes out on standard output.
Source: docs/user-data.md, "Inside Terraform or OpenTofu".
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from eryphc import (
    BuildRequest,
    EryphcError,
    Failure,
    GuestKind,
    GuestOptions,
    Session,
    Target,
    target_flags,
    target_options,
)
from eryphc.cli.console import OK, Console, speaking, write
from eryphc.diagnostics import platforms as wording
from eryphc.diagnostics.said import named

if TYPE_CHECKING:
    from eryphc import Built
    from eryphc.diagnostics.model import Diagnostic

_LONGEST = 1024 * 1024
# A request has fewer keys; each of the faults takes time.
_MOST = 100
_VARIABLE = "var."
_KEYS = (
    *("spec", "platform", "name", "hostname", "guest", "arch"),
    *("genepool", "var.NAME", "allow_secrets"),
)
_KINDS = {
    type(None): "null",
    bool: "a flag",
    int: "a number",
    float: "a number",
    list: "an array",
    tuple: "an object",
}


@click.command("external")
@speaking()
def command(*, console: Console) -> int:
    """Answer a request of the data source `external` of Terraform and OpenTofu.

    Standard input is one JSON object of texts: spec, and where they are wanted platform, name,
    hostname, guest, arch, genepool, var.NAME and allow_secrets. Standard output is one with the
    user-data. Nothing is written to disk.
    """
    try:
        return _answered(console)
    except EryphcError as error:
        # The request is the input: what it names wrongly is no wrong usage of the command.
        console.hand(error.diagnostics)
        failure = Failure.INPUT if error.failure is Failure.USAGE else error.failure
        return console.finish(failure)


def _answered(console: Console) -> int:
    asked = _request(_standard_input())
    from eryphc.gallery import pool_locations

    session = Session(genepools=pool_locations(asked.get("genepool", "")))
    platform = [asked["platform"]] if "platform" in asked else []
    request = BuildRequest(
        values={
            key.removeprefix(_VARIABLE): text
            for key, text in asked.items()
            if key.startswith(_VARIABLE)
        },
        architecture=asked.get("arch", "hyperv/amd64"),
        name=asked.get("name"),
        hostname=asked.get("hostname"),
        levels=console.levels,
        guest=GuestOptions(kind=GuestKind(asked["guest"]) if "guest" in asked else None),
        targets=(target_options(Target.USER_DATA, {"--platform": platform}),),
    )
    built = session.build(asked["spec"], Target.USER_DATA, request)
    console.take(built)
    for line in (*built.sources, *built.details):
        console.detail(line)
    if built.ok and built.files["user-data"].secret and asked.get("allow_secrets") != "true":
        # The texts are in memory, so that this costs little, and only a refusal needs the names.
        guest = session.compile(asked["spec"], request).guest
        entries = guest.fodder if guest is not None else ()
        names = tuple(named(entry.name) for entry in entries if entry.secret and entry.name)
        console.add((wording.external_secret(named(built.name), names),))
    code = console.finish()
    if code == OK:
        write(sys.stdout, json.dumps(_result(built)) + "\n")
    return code


def _result(built: Built) -> dict[str, str]:
    """The answer; every value is a text, because the protocol has nothing else."""
    from base64 import b64encode
    from hashlib import sha256

    data, report = built.files["user-data"].content, built.files["report.json"].content
    if not isinstance(data, bytes) or not isinstance(report, bytes):
        raise TypeError("user-data is in memory")
    form = str(json.loads(report)["form"])
    return {
        "user_data": "" if form == "gzip" else data.decode("utf-8"),
        "user_data_base64": b64encode(data).decode("ascii"),
        "sha256": sha256(data).hexdigest(),
        "form": form,
        "bytes": str(len(data)),
    }


def _standard_input() -> bytes:
    """The request as bytes. Raises EryphcError where nobody could have sent one."""
    if sys.stdin is None:
        raise _refused(wording.external_no_request("it is closed"))
    if sys.stdin.isatty():
        raise _refused(wording.external_no_request("it is a terminal"))
    stream = getattr(sys.stdin, "buffer", sys.stdin)
    data: bytes | str = stream.read(_LONGEST + 1)
    data = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(data) > _LONGEST:
        raise _refused(wording.external_no_request("it has more than 1 MiB"))
    return data


def _request(data: bytes) -> dict[str, str]:
    """The texts of the request by their keys. Raises EryphcError with all that is wrong."""
    try:
        # Objects as tuples of pairs, which tells them from arrays and shows a key given twice.
        read = json.loads(data.decode("utf-8-sig"), object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        reason = "it is no JSON" if data.strip() else "it is empty"
        raise _refused(wording.external_no_request(reason)) from None
    if not isinstance(read, tuple):
        reason = f"it is {_KINDS.get(type(read), 'a text')}"
        raise _refused(wording.external_no_request(reason))
    asked: dict[str, str] = {}
    found: list[Diagnostic] = []
    for key, value in read:
        fault = _fault(key, value, asked)
        if fault is not None:
            found.append(fault)
        if len(found) == _MOST:
            raise _refused(*found)
        asked[key] = value
    if "spec" not in asked:
        found.append(wording.external_no_spec())
    if found:
        raise _refused(*found)
    return asked


def _fault(key: str, value: object, before: Mapping[str, str]) -> Diagnostic | None:
    """What is wrong with one pair of the request. Values of variables are not quoted."""
    if not key.removeprefix(_VARIABLE) or (key not in _KEYS and not key.startswith(_VARIABLE)):
        return wording.external_unknown_key(key, _KEYS)
    if key in before:
        return wording.external_key_twice(key)
    if not isinstance(value, str):
        return wording.external_no_text(key, _KINDS[type(value)])
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return wording.external_no_text(key, "half of a character")
    words = _words().get(key)
    if words and value not in words:
        return wording.external_unknown_word(key, value, words)
    if (key, value) == ("spec", "-"):
        return wording.external_spec_is_input()
    return None


def _words() -> Mapping[str, tuple[str, ...]]:
    """The keys whose values are one of a few words."""
    return {
        "platform": target_flags()["--platform"][0].choices,
        "guest": tuple(GuestKind),
        "allow_secrets": ("true", "false"),
    }


def _refused(*found: Diagnostic) -> EryphcError:
    return EryphcError.of(Failure.INPUT, *found)
