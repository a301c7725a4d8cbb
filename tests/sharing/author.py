"""An author of gene sets for tests: source trees, and a place of their own in a registry."""

from __future__ import annotations

import json
from itertools import count
from typing import Any, NamedTuple

from authoring.sets import write_set
from cli.command_line import CommandLine, Done
from genepool.images import MOTD_TEXT as MOTD_BYTES

IDENTITY = "sha256:4ca146e853dc79ff50f80d357d34e85ef4b60e5c448884edf3b102c8f124ed34"
EMBEDDED = "sha256:b14e0c0e36da6a0fe6000a4205ff5b117b8e1e08c6677f2c8588d85254b6b270"
MOTD_TEXT = MOTD_BYTES.decode()
PREFIXES = count()


class Author(NamedTuple):
    """An author with source trees and a place of their own in a registry."""

    eryphc: CommandLine
    host: str
    prefix: str

    @property
    def to(self) -> str:
        return f"oci://{self.host}/{self.prefix}"

    @property
    def pool(self) -> str:
        return f"{self.to}?orgs=acme"

    def push(self, *words: str) -> Done:
        return self.eryphc("gene", "push", *words, "--to", self.to)

    def pushed(self, *words: str) -> list[dict[str, Any]]:
        done = self.push(*words, "--format", "json")
        assert done.code == 0, done.err
        found: list[dict[str, Any]] = json.loads(done.out)
        return found

    def tag(self, tag: str, text: str = MOTD_TEXT) -> str:
        """Write a tag of acme/motd; gives its folder."""
        write_set(
            self.eryphc.folder / "motd",
            {
                "1.0/geneset-tag.json": None,
                "1.0/fodder/motd.yaml": None,
                f"{tag}/geneset-tag.json": json.dumps(
                    {"geneset": f"acme/motd/{tag}", "metadata": {"_os_type": "linux"}}
                ),
                f"{tag}/fodder/motd.yaml": text,
            },
        )
        return f"motd/{tag}"

    def alias(self, tag: str, ref: str) -> None:
        path = f"motd/{tag}/geneset-tag.json"
        self.eryphc.write(path, json.dumps({"geneset": f"acme/motd/{tag}", "ref": ref}))


def codes(done: Done) -> list[str]:
    return [line.partition("[")[2][:5] for line in done.err.splitlines() if "]: " in line]
