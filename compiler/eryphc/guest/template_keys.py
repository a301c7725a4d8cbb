"""What Jinja fodder entries name that the guest will not know.

A guest renders with what its data source tells it. On a NoCloud volume that is the `meta-data` that
eryphc writes, so its keys are known. What is not there becomes the text
`CI_MISSING_JINJA_VAR/NAME`; what is asked of it in turn ends the rendering.
Source: docs/reference/cloud-init.md, "Jinja templates".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from eryphc.diagnostics import guest as wording
from eryphc.diagnostics.model import Diagnostic, trail
from eryphc.diagnostics.said import Own, Said, joined, own
from eryphc.frozen import NamedTuple
from eryphc.guest.document import GuestDocument, KeptText
from eryphc.guest.model import GuestKind
from eryphc.guest.pieces import JINJA, said_entry
from eryphc.guest.renderings import environment
from eryphc.lint.engine import Rule

Path: TypeAlias = tuple[str, ...]

META_DATA: Final = ("instance-id", "local-hostname", "dsmode")
"""What `meta-data` holds, and what cloud-init adds."""
META_DATA_SAID: Final = ("instance_id", "local_hostname")
STANDARD: Final = (
    *("availability_zone", "cloud_id", "cloud_name", "distro", "distro_release"),
    *("distro_version", "instance_id", "kernel_release", "local_hostname", "machine", "platform"),
    *("public_ssh_keys", "python_version", "region", "subplatform", "system_platform", "variant"),
)
"""The keys of `v1`, each also at the top level."""
_SPELT: Final = ("availability-zone", "cloud-name", "instance-id", "local-hostname", "_beta_keys")
_TOP: Final = (
    *("ds", "v1", "merged_cfg", "merged_system_cfg", "combined_cloud_config", "sys_info"),
    *("system_info", "userdata", "vendordata", "vendordata2", "sensitive_keys", "features"),
    "base64_encoded_keys",
)
# What Jinja itself knows inside of some statements.
_OF_JINJA: Final = ("loop", "self", "super", "caller", "varargs", "kwargs", "true", "false", "none")
# Filters that take what is not there for text.
_OF_TEXT: Final = (
    *("upper", "lower", "title", "capitalize", "trim", "replace", "string", "e", "escape", "safe"),
    *("forceescape", "indent", "wordwrap", "center", "truncate", "urlencode", "striptags"),
)
_METHODS: Final = frozenset(dir(dict))


class _Missing(NamedTuple):
    """A name that leads nowhere. `ends`: rendering fails there. `line` counts from 1."""

    path: Path
    line: int
    ends: bool


def _keys_missing(document: GuestDocument) -> Iterator[Diagnostic]:
    if document.guest is not GuestKind.LINUX:
        return
    for part in document.parts:
        if part.media_type != JINJA or not isinstance(part.body, KeptText):
            continue
        content = part.body.content
        fodder = document.fodder[part.entries[0]]
        seen: set[Path] = set()
        for missing in _missing(content.text):
            if missing.path in seen:
                continue
            seen.add(missing.path)
            start, end = _place(content.text, missing)
            place = content.span(start, end)
            of_meta_data = missing.path[:2] == ("ds", "meta_data")
            yield wording.template_key_missing(
                said_entry(fodder),
                Said(".".join(missing.path), place),
                Said(missing.path[-1], place),
                joined(map(Own, META_DATA_SAID if of_meta_data else STANDARD), ", "),
                own("ds.meta_data") if of_meta_data else own("v1"),
                place,
                trail(fodder.text_origin),
                ends=missing.ends,
            )


def _place(text: str, missing: _Missing) -> tuple[int, int]:
    """Where the last word of a name stands, in its line or behind it."""
    lines = text.split("\n")
    begin = sum(len(line) + 1 for line in lines[: missing.line - 1])
    word = missing.path[-1]
    start = text.find(word, begin)
    if start == -1:
        return begin, begin + len(lines[missing.line - 1])
    return start, start + len(word)


def _missing(text: str) -> list[_Missing]:
    from jinja2 import TemplateSyntaxError

    try:
        return list(_Search(environment().parse(text)).found())
    except (TemplateSyntaxError, RecursionError):
        return []


class _Search:
    """Looks for names whose value is printed and that nothing guards."""

    def __init__(self, tree: Any) -> None:
        from jinja2 import nodes
        from jinja2.defaults import DEFAULT_NAMESPACE

        self.nodes: Any = nodes
        self.tree = tree
        names = tree.find_all(nodes.Name)
        self.own = {name.name for name in names if name.ctx != "load"}
        self.own.update(macro.name for macro in tree.find_all(nodes.Macro))
        self.own.update(DEFAULT_NAMESPACE, _OF_JINJA)
        self.guarded = set(self._guards())

    def found(self) -> Iterator[_Missing]:
        nodes = self.nodes
        for output in self.tree.find_all(nodes.Output):
            for each in output.nodes:
                yield from self._printed(each)
        for assign in self.tree.find_all(nodes.Assign):
            yield from self._printed(assign.node)

    def _guards(self) -> Iterator[Path]:
        """What a condition asks for, or a default stands in for."""
        nodes = self.nodes
        for node in self.tree.find_all((nodes.If, nodes.CondExpr, nodes.Test)):
            asked = node.node if isinstance(node, nodes.Test) else node.test
            for below in (asked, *asked.find_all(nodes.Expr)):
                path = self._path(below)
                if path is not None:
                    yield path

    def _printed(self, node: Any) -> Iterator[_Missing]:
        nodes = self.nodes
        path = self._path(node)
        if path is not None:
            yield from self._lookup(path, node.lineno)
        elif isinstance(node, nodes.Filter):
            if node.name in _OF_TEXT and node.node is not None:
                yield from self._printed(node.node)
        elif isinstance(node, nodes.Concat):
            for each in node.nodes:
                yield from self._printed(each)
        elif isinstance(node, nodes.CondExpr):
            yield from self._printed(node.expr1)
            if node.expr2 is not None:
                yield from self._printed(node.expr2)
        elif isinstance(node, nodes.Or):
            yield from self._printed(node.right)

    def _lookup(self, path: Path, line: int) -> Iterator[_Missing]:
        known = _known(path)
        if path[0] in self.own or known == len(path):
            return
        if any(path[:length] in self.guarded for length in range(known + 1, len(path) + 1)):
            return
        yield _Missing(path[: known + 1], line, ends=known + 1 < len(path))

    def _path(self, node: Any) -> Path | None:
        """`ds.meta_data.x` and `ds['meta_data']['x']` as keys."""
        nodes = self.nodes
        keys: list[str] = []
        while True:
            if isinstance(node, nodes.Name):
                return (node.name, *reversed(keys))
            if isinstance(node, nodes.Getattr):
                keys.append(node.attr)
            elif (
                isinstance(node, nodes.Getitem)
                and isinstance(node.arg, nodes.Const)
                and isinstance(node.arg.value, str)
            ):
                keys.append(node.arg.value)
            else:
                return None
            node = node.node


def _known(path: Path) -> int:
    """How many of the keys, from the first on, lead somewhere."""
    if path[0] not in _TOP:
        # The keys of `v1` are at the top level, too. What is below them is not looked at.
        return len(path) if path[0] in (*STANDARD, *_SPELT) else 0
    if path[0] == "v1" and len(path) > 1:
        return len(path) if path[1] in (*STANDARD, *_SPELT, *_METHODS) else 1
    if path[0] == "ds" and len(path) > 1:
        if path[1] != "meta_data":
            return len(path) if path[1] == "_doc" or path[1] in _METHODS else 1
        if len(path) > 2:
            keys = (*META_DATA, *(key.replace("-", "_") for key in META_DATA))
            return len(path) if path[2] in keys or path[2] in _METHODS else 2
    return len(path)


RULES: Final[tuple[Rule[GuestDocument], ...]] = (Rule(wording.TEMPLATE_KEY_MISSING, _keys_missing),)
"""For targets whose guests read a NoCloud volume."""
