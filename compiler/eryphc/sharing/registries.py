"""The registry that a command works on: the pool that an option names, or that owns a gene set."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from eryphc.diagnostics import command, sharing
from eryphc.diagnostics.model import Diagnostic
from eryphc.diagnostics.words import clipped, without_login
from eryphc.errors import EryphcError, Failure
from eryphc.frozen import NamedTuple
from eryphc.genepool.chain import ProjectPool, ProjectPools
from eryphc.genepool.remote import RemotePool
from eryphc.identifiers import GeneSetId
from eryphc.project.places import REGISTRY
from eryphc.project.remotes import RegistrySettings

if TYPE_CHECKING:
    from eryphc.genepool.oci.client import Registry
    from eryphc.session import Session

_POOL: Final = "the pool"
_ADDRESS: Final = "name the registry as `oci://HOST/PREFIX`, or give `eryphc.yaml` a pool for it"
NOT_FOR: Final = "the pool `{}` is not for the organization `{}`"


class Target(NamedTuple):
    """A pool to publish to. `pool` has what is there, with the rights of one who publishes."""

    settings: RegistrySettings
    registry: Registry
    pool: RemotePool

    @property
    def owner(self) -> ProjectPools:
        """The pool as one of a project, which has the gene sets of its organizations alone."""
        return ProjectPools((self._entry,))

    @property
    def _entry(self) -> ProjectPool:
        return ProjectPool(self.pool, self.settings.organizations, remote=True)

    def not_for(self, geneset: GeneSetId) -> Diagnostic | None:
        """Why nobody would look for a gene set in this pool."""
        if self._entry.owns(geneset):
            return None
        problem = NOT_FOR.format(self.settings.label, geneset.organization)
        return sharing.not_publishable(str(geneset), problem)


def target_of(session: Session, to: str | None, genesets: Collection[GeneSetId]) -> Target:
    """Where gene sets are published: the pool `to` of the project, or the address that it is.

    Without `to` the first pool that owns all of them. Raises EryphcError.
    """
    settings = _settings(session, to, genesets)
    network = session.opener.network()
    if network.offline:
        from eryphc.diagnostics.registry import offline

        raise EryphcError.of(Failure.INPUT, offline(f"the pool `{settings.label}`"))
    pool = session.opener.publishing_pool(settings)
    registry = network.copies(settings._replace(mirrors=()), pushing=True)[0].registry
    return Target(settings, registry, pool)


def _settings(
    session: Session, to: str | None, genesets: Collection[GeneSetId]
) -> RegistrySettings:
    if to is not None and to.startswith(REGISTRY):
        organizations = sorted({each.organization for each in genesets})
        return _address(to, organizations)
    known = registries(session)
    if to is not None:
        named = [each for each in known if each.label == to]
        if not named:
            reason = (
                f"no pool in a registry is called `{clipped(without_login(to))}`{_those(known)}"
            )
            raise _usage(_POOL, reason, _ADDRESS)
        return named[0]
    if not genesets and len(known) == 1:
        return known[0]
    chain = session.pools()
    found: set[RegistrySettings] = set()
    for geneset in genesets:
        owners = (session.opener.registry_of(pool) for pool in chain.owners(geneset))
        settings = next((each for each in owners if each is not None), None)
        if settings is None:
            organization = geneset.organization
            reason = f"no pool in a registry is for `{organization}`{_those(registries(session))}"
            raise _usage(_POOL, reason, _ADDRESS)
        found.add(settings)
    if len(found) != 1:
        raise _usage(_POOL, f"it is not said which{_those(known)}")
    return found.pop()


def _address(location: str, organizations: list[str]) -> RegistrySettings:
    from eryphc.genepool.registry_names import TemplateError
    from eryphc.project.remotes import settings_of_location

    try:
        return settings_of_location(location, organizations)
    except (TemplateError, ValueError) as fault:
        raise _usage(_POOL, str(fault)) from None


def registries(session: Session) -> tuple[RegistrySettings, ...]:
    """The pools of a session that lie in registries, in order. Raises EryphcError."""
    found = (session.opener.registry_of(pool) for pool in session.pools().ordered())
    return tuple(each for each in found if each is not None)


def _those(known: Collection[RegistrySettings]) -> str:
    names = ", ".join(f"`{each.label}`" for each in known)
    return f"; there is {names}" if known else ""


def _usage(option: str, reason: str, help_text: str | None = None) -> EryphcError:
    return EryphcError.of(Failure.USAGE, command.bad_option_value(option, reason, help_text))
