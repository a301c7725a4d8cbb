"""Ids and addresses that no document gives, made from the identity of the machine."""

from __future__ import annotations

import hashlib
import uuid

from eryphc.ir.catlet import Catlet
from eryphc.syntax.names import blank

CATLET_NAMESPACE = uuid.UUID("d2034611-3c44-4aa1-811b-e5f58b5a4416")


def default_catlet_id(catlet: Catlet) -> str:
    """The catlet id; a rebuild gives the same.

    Source: docs/reference/language.md, "System variables".
    """
    parts = (catlet.project, catlet.environment, catlet.name)
    defaults = ("default", "default", "catlet")
    names = [
        default if part is None or blank(part) else part.lower()
        for part, default in zip(parts, defaults, strict=True)
    ]
    return str(uuid.uuid5(CATLET_NAMESPACE, "catlet:" + "/".join(names)))


def invented_mac(catlet_id: str, adapter: str) -> str:
    """The address of an adapter without an address of its own.

    Source: docs/reference/command-line.md, "MAC addresses".
    """
    digest = hashlib.sha256(f"{catlet_id}/{adapter}".encode()).hexdigest()
    return ":".join(("d2", "ab", *(digest[at : at + 2] for at in range(0, 8, 2))))
