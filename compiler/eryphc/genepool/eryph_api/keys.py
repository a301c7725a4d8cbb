"""The API key for eryph's gene pool, from a variable or a file. It is sent to one host alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from eryphc.diagnostics import registry as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.frozen import NamedTuple

VARIABLE: Final = "ERYPHC_GENEPOOL_API_KEY"
FILE_VARIABLE: Final = "ERYPHC_GENEPOOL_API_KEY_FILE"
HOST_VARIABLE: Final = "ERYPHC_GENEPOOL_API_HOST"
PUBLIC_HOST: Final = "genepool-api.eryph.io"
"""The host of the public pool. Source: https://github.com/eryph-org/dotnet-genepoolclient"""
SOURCES: Final = (VARIABLE, FILE_VARIABLE)
_MOST: Final = 4096
_KEY: Final = re.compile(r"[!-~]{1,2000}")


class ApiKey(NamedTuple):
    """A key, and what names it for messages."""

    secret: str
    source: str

    def __repr__(self) -> str:
        return f"ApiKey({self.source})"


def help_for(host: str) -> str:
    """What to do where a key is wanted and there is none."""
    named = "" if host == PUBLIC_HOST else f", and `{HOST_VARIABLE}={host}`"
    return f"put an API key into `{VARIABLE}`, or its file's path into `{FILE_VARIABLE}`{named}"


def api_key(
    environment: Mapping[str, str], authority: str, heard: Callable[[Diagnostic], None]
) -> ApiKey | None:
    """The key for the host `authority`, None where there is none for it.

    A project file may name any host, so the user says which host the key is for; without that it
    is for the public pool. `heard` hears of a key that cannot be used.
    """
    if authority != (environment.get(HOST_VARIABLE) or PUBLIC_HOST):
        return None
    text, source = environment.get(VARIABLE, ""), VARIABLE
    path = environment.get(FILE_VARIABLE, "")
    if not text and path:
        source = FILE_VARIABLE
        try:
            with Path(path).open("rb") as file:
                text = file.read(_MOST + 1).decode()
        except (OSError, ValueError):
            heard(wording.credentials_unreadable(source, "the file that it names cannot be read"))
            return None
    text = text.strip()
    if not text:
        return None
    if not _KEY.fullmatch(text):
        heard(wording.credentials_unreadable(source, "it holds what no API key has"))
        return None
    return ApiKey(text, source)
