"""Gene sets to names in a registry and back, by the templates of a pool; which tags move.

Source: docs/reference/gene-set-images.md, "Names in a registry", "Fixed and moving tags";
https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

from eryphc.diagnostics import sharing
from eryphc.diagnostics.model import Diagnostic
from eryphc.frozen import NamedTuple
from eryphc.identifiers import GeneSetId
from eryphc.syntax.identifiers import parse_gene_set

REPOSITORY: Final = "{org}/{set}"
TAG: Final = "{tag}"
LONGEST_REPOSITORY: Final = 255
"""With the host before it: what registries that follow docker take."""

_WORD = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY: Final = re.compile(rf"{_WORD}(?:/{_WORD})*\Z")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z")
_HOST: Final = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
    r"(?::[0-9]{1,5})?\Z|\[[0-9A-Fa-f:]+\](?::[0-9]{1,5})?\Z"
)
_PLACEHOLDER: Final = re.compile(r"\{([a-z]*)\}")
_GLOB: Final = re.compile(r"[*?\[]")
_FIXED: Final = re.compile(r"[0-9]\.[0-9]|[0-9]{8}")
_HIDDEN: Final = re.compile(r"sha256-[0-9a-f]{64}(?:\..+)?\Z|st-[0-9a-f]{32}\Z")


class RegistryName(NamedTuple):
    """What a registry calls something: `repository` is the whole path behind the host."""

    repository: str
    tag: str


class NameFaultError(Exception):
    """A gene set has no name in a pool (E1026)."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class TemplateError(ValueError):
    """A setting of a pool is refused: its `key`, and why in words that follow the key."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"`{key}` {problem}")
        self.key = key
        self.problem = problem


class RegistryNames(NamedTuple):
    """How one pool names gene sets; `names_of` makes it.

    `host` may have a port; `path` is what stands between it and all repositories, or empty.
    `organization` is the only one of the pool where the templates leave it out.
    """

    host: str
    path: str
    repository: str
    tag: str
    organization: str | None
    index_name: RegistryName | None

    def name(self, geneset: GeneSetId) -> RegistryName:
        """What the registry calls a tag. Raises NameFaultError."""
        found = self._made(geneset)
        problem = self._problem(geneset, found)
        if problem is not None:
            raise NameFaultError(sharing.name_not_expressible(str(geneset), problem))
        return found

    def geneset(self, name: RegistryName) -> GeneSetId | None:
        """The tag that has this name; None for names that no gene set has, and hidden tags."""
        prefix = f"{self.path}/" if self.path else ""
        if is_hidden(name.tag) or not name.repository.startswith(prefix):
            return None
        repository = _matched(self.repository, name.repository.removeprefix(prefix))
        tag = _matched(self.tag, name.tag)
        if repository is None or tag is None:
            return None
        values = {"org": self.organization or "", **repository, **tag}
        found = parse_gene_set(f"{values['org']}/{values['set']}/{values['tag']}")
        if not isinstance(found, GeneSetId):
            return None
        return found if self._problem(found, name) is None else None

    def reference(self, name: RegistryName) -> str:
        """`host/repository:tag`, as people and other tools write it."""
        return f"{self.host}/{name.repository}:{name.tag}"

    def _made(self, geneset: GeneSetId) -> RegistryName:
        values = {"org": geneset.organization, "set": geneset.geneset, "tag": geneset.tag}

        def filled(template: str) -> str:
            return _PLACEHOLDER.sub(lambda match: values[match[1]], template)

        prefix = f"{self.path}/" if self.path else ""
        return RegistryName(prefix + filled(self.repository), filled(self.tag))

    def _problem(self, geneset: GeneSetId, made: RegistryName) -> str | None:
        if self.organization is not None and self.organization != geneset.organization:
            return f"the pool's names leave out the organization, which is `{self.organization}`"
        if len(self.host) + 1 + len(made.repository) > LONGEST_REPOSITORY:
            return f"with host and path it has more than {LONGEST_REPOSITORY} characters"
        if not _REPOSITORY.match(made.repository):
            return f"`{made.repository}` is no repository; `.-` and `-.` cannot stand in one"
        if not _TAG.match(made.tag):
            return f"`{made.tag}` is no tag of a registry"
        if self._is_index(made):
            return f"`{made.repository}` is where the index of the pool lies"
        return None

    def _is_index(self, made: RegistryName) -> bool:
        """Where each set has a repository, none may have that of the index."""
        if self.index_name is None or made.repository != self.index_name.repository:
            return False
        return "{set}" in self.repository or made.tag == self.index_name.tag


def names_of(
    prefix: str,
    organizations: Sequence[str],
    *,
    repository: str = REPOSITORY,
    tag: str = TAG,
    index: str | None = None,
) -> RegistryNames:
    """How a pool names gene sets: `prefix` is `host[:port][/path]`, `index` `repository:tag`.

    `organizations` are those of the pool, globs among them. Raises TemplateError.
    """
    host, _, path = prefix.removesuffix("/").partition("/")
    if not _HOST.match(host):
        raise TemplateError("prefix", "is written HOST[:PORT][/PATH]")
    if path and not _REPOSITORY.match(path):
        raise TemplateError(
            "prefix",
            "has a path that is no repository: lower case letters, digits, `.`, `_`, `-` and `/`",
        )
    named = _check_placeholders(repository, tag)
    organization = None
    if "org" not in named:
        if len(organizations) != 1 or _GLOB.search(organizations[0]):
            problem = "lacks `{org}`, and so needs `orgs` with one name and no pattern"
            raise TemplateError("repository", problem)
        organization = organizations[0].lower()
    _check_template("repository", repository, "/_", _REPOSITORY)
    _check_template("tag", tag, "_", _TAG)
    return RegistryNames(
        host=host,
        path=path,
        repository=repository,
        tag=tag,
        organization=organization,
        index_name=None if index is None else _index(index, host, path),
    )


def _check_placeholders(repository: str, tag: str) -> set[str]:
    found = _PLACEHOLDER.findall(repository) + _PLACEHOLDER.findall(tag)
    for name in found:
        if name not in ("org", "set", "tag"):
            raise TemplateError("repository", f"holds `{{{name[:20]}}}`, which means nothing")
    if "tag" not in _PLACEHOLDER.findall(tag):
        raise TemplateError("tag", "lacks `{tag}`")
    if "set" not in found:
        raise TemplateError("repository", "lacks `{set}`")
    if len(set(found)) != len(found):
        raise TemplateError("repository", "and `tag` hold each placeholder once")
    return set(found)


def _check_template(key: str, template: str, between: str, grammar: re.Pattern[str]) -> None:
    """Names hold neither `/` nor `_`, so a text with one of these is where a name ends."""
    pieces = _PLACEHOLDER.split(template)
    for piece in pieces[2:-1:2]:
        if not any(sign in piece for sign in between):
            signs = " or ".join(f"`{sign}`" for sign in between)
            raise TemplateError(key, f"needs {signs} between two placeholders")
    if not grammar.match(_PLACEHOLDER.sub("abc", template)):
        raise TemplateError(key, "makes names that no registry takes")


def _index(text: str, host: str, path: str) -> RegistryName:
    repository, _, tag = text.rpartition(":")
    if not _REPOSITORY.match(repository) or not _TAG.match(tag):
        raise TemplateError("index", "is written REPOSITORY:TAG")
    found = RegistryName(f"{path}/{repository}" if path else repository, tag)
    if len(host) + 1 + len(found.repository) > LONGEST_REPOSITORY:
        problem = f"has more than {LONGEST_REPOSITORY} characters with the prefix"
        raise TemplateError("index", problem)
    return found


def _matched(template: str, text: str) -> dict[str, str] | None:
    """What stands for the placeholders of a template in `text`; None where it does not fit."""
    if len(text) > LONGEST_REPOSITORY:
        return None
    pieces = _PLACEHOLDER.split(template)
    # Every second piece is a placeholder. A name holds no sign that can end it.
    pattern = "".join(
        f"(?P<{piece}>[a-z0-9.-]+)" if at % 2 else re.escape(piece)
        for at, piece in enumerate(pieces)
    )
    match = re.fullmatch(pattern, text)
    return match.groupdict() if match else None


# --- tags ----------------------------------------------------------------------------------------


class TagRules(NamedTuple):
    """Which tags move, where a pool says other than the tag itself: globs, `fixed` wins."""

    moving: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()

    def moves(self, tag: str) -> bool:
        """Whether a tag may mean something else tomorrow. Without a rule: `is_fixed`."""
        if any(fnmatchcase(tag, glob.lower()) for glob in self.fixed):
            return False
        if any(fnmatchcase(tag, glob.lower()) for glob in self.moving):
            return True
        return not is_fixed(tag)


NO_RULES: Final = TagRules()


def is_fixed(tag: str) -> bool:
    """Whether a tag reads like a version or a date: digit, dot, digit, or eight digits in a row."""
    return _FIXED.search(tag) is not None


def is_hidden(tag: str) -> bool:
    """Whether a tag of a registry is no gene set: a signature of others, or a statement."""
    return _HIDDEN.match(tag) is not None


def shown_tags(tags: Iterable[str]) -> Iterator[str]:
    """The tags of a registry that can be gene sets."""
    return (tag for tag in tags if not is_hidden(tag))
