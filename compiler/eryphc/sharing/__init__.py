"""Sharing genes and pinning them: what a program does beside compiling. Functions take a session.

Functions raise `EryphcError` where nothing can be done at all; what else is wrong stands in the
answers. A module is imported when one of its names is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eryphc.authoring.starting import Guest, Kind
    from eryphc.changes.log import joined_logs
    from eryphc.changes.written import data as log_as_data
    from eryphc.changes.written import markdown as log_as_markdown
    from eryphc.changes.written import text as log_as_text
    from eryphc.genepool.oci.resigning import Sign
    from eryphc.sharing.attesting import Attesting, Wanted, utc_now
    from eryphc.sharing.authors import (
        CheckedSets,
        NewSet,
        PackedSets,
        checked_sets,
        exported_lock,
        exported_sets,
        new_set,
        packed_as_data,
        packed_sets,
    )
    from eryphc.sharing.deprecating import Deprecated, deprecate
    from eryphc.sharing.eryph_packs import EryphSets, packed_for_eryph
    from eryphc.sharing.indexing import Indexed, index
    from eryphc.sharing.locks import Locked, check_lock, lock, update
    from eryphc.sharing.outputs import CacheUse, OutputCache, spare_in
    from eryphc.sharing.publishing import Pushed, PushedSet, push
    from eryphc.sharing.pulling import pull, pull_lock
    from eryphc.sharing.reproducing import Twice, build_again, first_difference, second_place
    from eryphc.sharing.signed import SignedSet, Signing, sign_set
    from eryphc.sharing.tags import TagComparison, compared_tags
    from eryphc.sharing.verifying import (
        Checks,
        Verified,
        VerifiedBuild,
        required_gene,
        verify,
    )

_HOMES = {
    "CacheUse": ("eryphc.sharing.outputs", "CacheUse"),
    "OutputCache": ("eryphc.sharing.outputs", "OutputCache"),
    "Attesting": ("eryphc.sharing.attesting", "Attesting"),
    "CheckedSets": ("eryphc.sharing.authors", "CheckedSets"),
    "Checks": ("eryphc.sharing.verifying", "Checks"),
    "Deprecated": ("eryphc.sharing.deprecating", "Deprecated"),
    "EryphSets": ("eryphc.sharing.eryph_packs", "EryphSets"),
    "Guest": ("eryphc.authoring.starting", "Guest"),
    "Indexed": ("eryphc.sharing.indexing", "Indexed"),
    "Kind": ("eryphc.authoring.starting", "Kind"),
    "Locked": ("eryphc.sharing.locks", "Locked"),
    "NewSet": ("eryphc.sharing.authors", "NewSet"),
    "PackedSets": ("eryphc.sharing.authors", "PackedSets"),
    "Pushed": ("eryphc.sharing.publishing", "Pushed"),
    "PushedSet": ("eryphc.sharing.publishing", "PushedSet"),
    "Sign": ("eryphc.genepool.oci.resigning", "Sign"),
    "SignedSet": ("eryphc.sharing.signed", "SignedSet"),
    "Signing": ("eryphc.sharing.signed", "Signing"),
    "TagComparison": ("eryphc.sharing.tags", "TagComparison"),
    "Twice": ("eryphc.sharing.reproducing", "Twice"),
    "build_again": ("eryphc.sharing.reproducing", "build_again"),
    "first_difference": ("eryphc.sharing.reproducing", "first_difference"),
    "second_place": ("eryphc.sharing.reproducing", "second_place"),
    "spare_in": ("eryphc.sharing.outputs", "spare_in"),
    "Verified": ("eryphc.sharing.verifying", "Verified"),
    "VerifiedBuild": ("eryphc.sharing.verifying", "VerifiedBuild"),
    "Wanted": ("eryphc.sharing.attesting", "Wanted"),
    "check_lock": ("eryphc.sharing.locks", "check_lock"),
    "checked_sets": ("eryphc.sharing.authors", "checked_sets"),
    "compared_tags": ("eryphc.sharing.tags", "compared_tags"),
    "deprecate": ("eryphc.sharing.deprecating", "deprecate"),
    "exported_lock": ("eryphc.sharing.authors", "exported_lock"),
    "exported_sets": ("eryphc.sharing.authors", "exported_sets"),
    "index": ("eryphc.sharing.indexing", "index"),
    "joined_logs": ("eryphc.changes.log", "joined_logs"),
    "pull": ("eryphc.sharing.pulling", "pull"),
    "pull_lock": ("eryphc.sharing.pulling", "pull_lock"),
    "lock": ("eryphc.sharing.locks", "lock"),
    "log_as_data": ("eryphc.changes.written", "data"),
    "log_as_markdown": ("eryphc.changes.written", "markdown"),
    "log_as_text": ("eryphc.changes.written", "text"),
    "new_set": ("eryphc.sharing.authors", "new_set"),
    "packed_as_data": ("eryphc.sharing.authors", "packed_as_data"),
    "packed_for_eryph": ("eryphc.sharing.eryph_packs", "packed_for_eryph"),
    "packed_sets": ("eryphc.sharing.authors", "packed_sets"),
    "push": ("eryphc.sharing.publishing", "push"),
    "required_gene": ("eryphc.sharing.verifying", "required_gene"),
    "sign_set": ("eryphc.sharing.signed", "sign_set"),
    "update": ("eryphc.sharing.locks", "update"),
    "verify": ("eryphc.sharing.verifying", "verify"),
    "utc_now": ("eryphc.sharing.attesting", "utc_now"),
}

__all__ = [
    "Attesting",
    "CacheUse",
    "CheckedSets",
    "Checks",
    "Deprecated",
    "EryphSets",
    "Guest",
    "Indexed",
    "Kind",
    "Locked",
    "NewSet",
    "OutputCache",
    "PackedSets",
    "Pushed",
    "PushedSet",
    "Sign",
    "SignedSet",
    "Signing",
    "TagComparison",
    "Twice",
    "Verified",
    "VerifiedBuild",
    "Wanted",
    "build_again",
    "check_lock",
    "checked_sets",
    "compared_tags",
    "deprecate",
    "exported_lock",
    "exported_sets",
    "first_difference",
    "index",
    "joined_logs",
    "lock",
    "log_as_data",
    "log_as_markdown",
    "log_as_text",
    "new_set",
    "packed_as_data",
    "packed_for_eryph",
    "packed_sets",
    "pull",
    "pull_lock",
    "push",
    "required_gene",
    "second_place",
    "sign_set",
    "spare_in",
    "update",
    "utc_now",
    "verify",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(home[0]), home[1])
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
