"""Opens pools that lie in registries or behind the API of eryph. Only fetching uses the network.

Source: docs/reference/genes-and-pools.md, "Pools in a registry", "The gene pool API of eryph".
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from eryphc.diagnostics import registry as wording
from eryphc.diagnostics.model import Diagnostic
from eryphc.frozen import NamedTuple
from eryphc.genepool.registry_names import (
    REPOSITORY,
    TAG,
    RegistryNames,
    TagRules,
    TemplateError,
    names_of,
)
from eryphc.genepool.remote import RemotePool
from eryphc.genepool.trust import Policy, admit_all
from eryphc.project.places import REGISTRY

if TYPE_CHECKING:
    from eryphc.genepool.eryph_api.client import Api
    from eryphc.genepool.oci.copies import Copy
    from eryphc.genepool.oci.lately import Lately
    from eryphc.net.client import Client
    from eryphc.net.credentials import Keychain
    from eryphc.project.file import PoolEntry, Project
    from eryphc.store.content import Store
    from eryphc.store.metadata import Metadata

_URL: Final = re.compile(r"[!-~]{1,2048}")
_OPTIONS: Final = ("orgs", "repository", "tag", "index", "fallback", "insecure")
INDEX: Final = "index:latest"
Heard = Callable[[Diagnostic], None]


class RegistrySettings(NamedTuple):
    """A pool in a registry. `names` is what the registry calls gene sets, `organizations` those
    that it owns. `mirrors` are further prefixes with the same names."""

    label: str
    names: RegistryNames
    organizations: tuple[str, ...]
    rules: TagRules = TagRules()
    mirrors: tuple[RegistryNames, ...] = ()
    ca: Path | None = None
    insecure: bool = False
    token_hosts: tuple[str, ...] = ()
    fallback: bool = False


class ServiceSettings(NamedTuple):
    """A pool behind eryph's gene pool API, which begins at `url`."""

    label: str
    url: str
    ca: Path | None = None
    insecure: bool = False


def settings_of_location(location: str, organizations: Sequence[str] = ()) -> RegistrySettings:
    """The pool of `oci://HOST/PREFIX?orgs=ORG[&repository=...&tag=...]`.

    `organizations` are those of an address that names none. Raises TemplateError, whose key is an
    option of the address.
    """
    parts = urlsplit(location)
    given = parse_qs(parts.query, keep_blank_values=True)
    for key, values in given.items():
        if key not in _OPTIONS:
            raise TemplateError(key, f"is none of {', '.join(_OPTIONS)}")
        if key != "orgs" and len(values) > 1:
            raise TemplateError(key, "is given twice")
    orgs = tuple(each for text in given.get("orgs", ()) for each in text.split(",") if each)
    orgs = orgs or tuple(organizations)
    if not orgs:
        raise TemplateError("orgs", "says which organizations the pool owns: `?orgs=ORG`")
    prefix = f"{parts.netloc}{parts.path}".rstrip("/")
    names = names_of(
        prefix,
        orgs,
        repository=given.get("repository", [REPOSITORY])[0],
        tag=given.get("tag", [TAG])[0],
        index=given.get("index", [INDEX])[0],
    )
    return RegistrySettings(
        label=f"{REGISTRY}{prefix}",
        names=names,
        organizations=orgs,
        insecure=_flag(given, "insecure"),
        fallback=_flag(given, "fallback"),
    )


def settings_of_entry(project: Project, entry: PoolEntry) -> RegistrySettings:
    """The pool of an entry of the project file. Raises TemplateError, whose key is one of it."""
    orgs = entry.orgs or ()

    def named(prefix: str) -> RegistryNames:
        return names_of(
            prefix.removeprefix(REGISTRY),
            orgs,
            repository=entry.repository or REPOSITORY,
            tag=entry.tag or TAG,
            index=entry.index or INDEX,
        )

    try:
        mirrors = tuple(named(each) for each in entry.mirrors or ())
    except TemplateError as fault:
        raise TemplateError("mirrors", fault.problem) from None
    return RegistrySettings(
        label=entry.name or f"{REGISTRY}{entry.prefix}",
        names=named(entry.prefix or ""),
        organizations=orgs,
        rules=TagRules(entry.moving or (), entry.fixed or ()),
        mirrors=mirrors,
        ca=None if entry.ca is None else project.folder / entry.ca,
        insecure=bool(entry.insecure),
        token_hosts=entry.token_hosts or (),
        fallback=bool(entry.fallback),
    )


def settings_of_service(project: Project, entry: PoolEntry) -> ServiceSettings:
    """The pool of an entry with `url`. Raises TemplateError, whose key is one of it."""
    url = entry.url or ""
    insecure = bool(entry.insecure)
    problem = _url_fault(url, insecure=insecure)
    if problem is not None:
        raise TemplateError("url", problem)
    ca = None if entry.ca is None else project.folder / entry.ca
    return ServiceSettings(entry.name or url, url, ca, insecure)


def _url_fault(url: str, *, insecure: bool) -> str | None:
    """Why an API cannot be at an address. Nothing of `net` is imported for it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "is no https address"
    usable = _URL.fullmatch(url) is not None and host
    if not usable or parts.scheme not in ("http", "https") or "@" in parts.netloc:
        return "is no https address"
    if parts.query or parts.fragment:
        return "ends with its path: nothing follows `?` or `#`"
    is_here = host == "localhost" or host.startswith("127.") or host == "::1"
    if parts.scheme == "http" and not (insecure or is_here):
        return "is plain http, which only `insecure: true` allows"
    return None


def _flag(given: Mapping[str, Sequence[str]], key: str) -> bool:
    word = given.get(key, ["false"])[0]
    if word not in ("true", "false"):
        raise TemplateError(key, "is `true` or `false`")
    return word == "true"


class Network:
    """What the remote pools of one session share: the store, logins, connections.

    `heard` hears warnings that no document is the cause of, `trace` a line for each request.
    `anew`: what registries said lately does not count.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        offline: bool,
        heard: Heard,
        trace: Callable[[str], None] | None = None,
        seconds: float | None = None,
        anew: bool = False,
    ) -> None:
        self.environment = environment
        self.offline = offline
        self._heard = heard
        self._trace = trace
        self._seconds = seconds
        self._hosts: set[str] = set()
        self._store: Store | None = None
        self._metadata: Metadata | None = None
        self._lately: Lately | None = None
        self._anew = anew
        self._guard = threading.Lock()
        self._keychain: Keychain | None = None
        self._clients: dict[tuple[Path | None, bool], Client] = {}

    def pool(
        self, settings: RegistrySettings, policy: Policy | None = None, *, pushing: bool = False
    ) -> RemotePool:
        """The pool of these settings. Nothing is asked yet. `pushing`: it is published to."""
        from eryphc.genepool.oci.images import Images
        from eryphc.genepool.oci.lately import Lately
        from eryphc.genepool.oci.notices import RegistryNotices

        self._hosts |= {settings.names.host, *(each.host for each in settings.mirrors)}
        copies: list[Copy] = []

        def connect() -> Sequence[Copy]:
            if not copies:
                copies.extend(self.copies(settings, pushing=pushing))
            return copies

        # Who publishes has to know what the registry says now.
        lately = Lately(self.metadata, anew=True) if pushing else self.lately()
        images = Images(
            settings.label,
            settings.names,
            settings.rules,
            self.store,
            connect,
            lately,
            admit_all if policy is None else policy.admit,
            offline=self.offline,
            trace=self._trace,
        )
        notices = RegistryNotices(
            settings.names, self.store, connect, self.metadata, policy, offline=self.offline
        )
        return RemotePool(settings.label, images, notices)

    def service_pool(self, settings: ServiceSettings, policy: Policy | None = None) -> RemotePool:
        """The pool behind the API of these settings. Nothing is asked yet."""
        from eryphc.genepool.eryph_api.sets import PackedSets
        from eryphc.passes.naming import requires_of

        apis: list[Api] = []

        def connect() -> Api:
            if not apis:
                apis.append(self._api(settings))
            return apis[0]

        sets = PackedSets(
            settings.label,
            self.store,
            connect,
            requires_of,
            admit_all if policy is None else policy.admit,
            offline=self.offline,
        )
        return RemotePool(settings.label, sets)

    def _api(self, settings: ServiceSettings) -> Api:
        from eryphc.genepool.eryph_api.client import Api, Service
        from eryphc.genepool.eryph_api.keys import api_key
        from eryphc.net.addresses import read_address
        from eryphc.net.client import Client
        from eryphc.net.timing import ORDINARY
        from eryphc.net.transport import Trust

        trust = (settings.ca, settings.insecure)
        if trust not in self._clients:
            self._clients[trust] = Client(self.environment, Trust(*trust), trace=self._trace)
        address = read_address(settings.url)
        service = Service(settings.label, address)
        key = api_key(self.environment, address.authority, self._heard)
        return Api(service, self._clients[trust], key, seconds=self._seconds or ORDINARY)

    def store(self) -> Store:
        """The user's store. Raises StoreError."""
        if self._store is None:
            from eryphc.store.content import Store
            from eryphc.store.folder import open_folder
            from eryphc.store.places import cache_folder

            self._store = Store(open_folder(cache_folder(None, self.environment), self._heard))
        return self._store

    def lately(self) -> Lately:
        """What registries said in the last minutes."""
        if self._lately is None:
            from eryphc.genepool.oci.lately import Lately

            self._lately = Lately(self.metadata, anew=self._anew)
        return self._lately

    def metadata(self) -> Metadata:
        """What registries said, in the user's store. Raises StoreError."""
        from eryphc.store.index import Index
        from eryphc.store.metadata import Metadata, fresh_seconds

        with self._guard:
            if self._metadata is None:
                fresh = fresh_seconds(self.environment)
                self._metadata = Metadata(Index(self.store().folder), fresh)
            return self._metadata

    def copies(self, settings: RegistrySettings, *, pushing: bool = False) -> tuple[Copy, ...]:
        """The pool's own registry, then its mirrors. `pushing`: they are asked for that right."""
        from eryphc.genepool.oci.client import Registry
        from eryphc.genepool.oci.copies import Copy
        from eryphc.genepool.oci.endpoint import Site, client_for
        from eryphc.net.credentials import Keychain
        from eryphc.net.timing import ORDINARY

        if self._keychain is None:
            self._keychain = Keychain(
                self.environment, self._hosts, hear=self._heard, trace=self._trace
            )
        found = []
        for names in (settings.names, *settings.mirrors):
            site = Site(
                settings.label, names.host, settings.ca, settings.insecure, settings.token_hosts
            )
            trust = (settings.ca, settings.insecure)
            if trust not in self._clients:
                self._clients[trust] = client_for(site, self.environment, trace=self._trace)
            registry = Registry(
                site,
                self._clients[trust],
                self._keychain,
                seconds=self._seconds or ORDINARY,
                hear=partial(self._notice, names.host),
                pushing=pushing,
            )
            found.append(Copy(names, registry))
        return tuple(found)

    def _notice(self, host: str, text: str) -> None:
        self._heard(wording.registry_notice(host, text))

    def close(self) -> None:
        """End all connections."""
        if self._metadata is not None:
            self._metadata.close()
        for client in self._clients.values():
            client.close()
        self._clients.clear()
