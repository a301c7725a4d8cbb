"""A place that has gene sets: a registry, and what it calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eryphc.frozen import NamedTuple
from eryphc.genepool.registry_names import RegistryNames

if TYPE_CHECKING:
    from eryphc.genepool.oci.client import Registry


class Copy(NamedTuple):
    """A registry that has copies, and what it calls gene sets."""

    names: RegistryNames
    registry: Registry
