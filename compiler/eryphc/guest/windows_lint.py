"""Which parts of its configuration a Windows guest drops, or handles differently.

Source: docs/reference/windows-guests.md, "Types of parts on Windows", "Script parts",
"Exit codes and restarts", "Keys of cloud-config", "What eryphc warns of".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from eryphc.diagnostics import reading
from eryphc.diagnostics import windows_guest as wording
from eryphc.diagnostics.cloudconfig_lint import COMMAND_NOT_RUNNABLE, command_not_runnable
from eryphc.diagnostics.guest import TEMPLATE_NOT_POSSIBLE, template_not_rendered
from eryphc.diagnostics.guest_agents import EGS_SHAPE_REFUSED, egs_shape_refused
from eryphc.diagnostics.model import Diagnostic, Label, Level, trail
from eryphc.diagnostics.said import Own, Said, Words, named, own
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, kind
from eryphc.guest.cloudconfig.nodes import Sequence as ListNode
from eryphc.guest.cloudconfig.saying import below, key_said
from eryphc.guest.cloudconfig.tree import FaultKind
from eryphc.guest.model import GuestAgent, Reader
from eryphc.guest.names import extension
from eryphc.guest.pieces import (
    BOOTHOOK,
    CLOUD_CONFIG,
    INCLUDES,
    PART_HANDLER,
    SHELLSCRIPT,
    UPSTART_JOB,
    Piece,
)
from eryphc.guest.windows_names import (
    has_interpreter_extension,
    has_interpreter_marker,
    is_device,
    wants_32_bit,
)
from eryphc.lint.engine import Rule, judge
from eryphc.source import Span

_IGNORED_BY_ALL: Final = {BOOTHOOK: "boothooks", UPSTART_JOB: "upstart jobs"}
_KNOWN_PARTS: Final = (CLOUD_CONFIG, SHELLSCRIPT, PART_HANDLER, *INCLUDES)
CLOUDBASE_INIT: Final = own("cloudbase-init")
EGS: Final = own("eryph's guest services")
_NEITHER: Final = own("neither cloudbase-init nor eryph's guest services")
_KEYS: Final = (
    "write_files",
    "set_timezone",
    "timezone",
    "set_hostname",
    "hostname",
    "ntp",
    "groups",
    "users",
    "runcmd",
)
_USER_KEYS: Final = (
    "name",
    "gecos",
    "groups",
    "primary_group",
    "passwd",
    "inactive",
    "expiredate",
    "ssh_authorized_keys",
    "no_create_home",
)
_FILE_KEYS: Final = ("path", "content", "encoding", "permissions", "append")
_NTP_KEYS: Final = ("enabled", "servers", "pools")
_PLAIN_KEYS: Final = ("plain_text_passwd", "hashed_passwd")
_HOSTNAME_KEYS: Final = ("hostname", "set_hostname")
# Folders that every Windows has on its system drive, which is the current one of the service.
_IN_WINDOWS: Final = re.compile(
    r"/+(?:programdata|windows|users|program files(?: \(x86\))?)/", re.IGNORECASE
)
_HASH: Final = re.compile(r"\$[0-9A-Za-z]{1,8}\$")
_COMMENT: Final = re.compile(r"\s*(?:#|::|rem\s)", re.IGNORECASE)
_EXIT: Final = re.compile(
    r"(?<![\w.$-])(?:exit(?:\s+/b)?[\s(]+|\[(?:system\.)?environment\]::exit\(\s*|sys\.exit\(\s*)"
    r"(100[123])\b",
    re.IGNORECASE,
)
_RESTART: Final = re.compile(
    r"(?<![\w.$'\"-])(?:restart-computer\b|shutdown(?:\.exe)?\s+(?:[/-]\w+\s+)*[/-]r\b)",
    re.IGNORECASE,
)
_LINUX_IMPORT: Final = re.compile(
    r"^[ \t]*(?:import|from)[ \t]+(cloudinit|crypt|fcntl|grp|posix|pwd|resource|spwd|syslog"
    r"|termios)\b",
    re.MULTILINE,
)


class Part(NamedTuple):
    """One part, with the name that it will have. `last`: none follows; `alone`: it is the only."""

    piece: Piece
    name: str
    last: bool
    alone: bool
    reader: Reader

    @property
    def chain(self) -> tuple[Label, ...]:
        return trail(self.piece.fodder.text_origin)

    @property
    def name_place(self) -> Span | None:
        piece = self.piece
        return piece.fodder.at("filename") if piece.fodder.filename else piece.first_line

    @property
    def is_named_to_run(self) -> bool:
        return has_interpreter_extension(self.name)

    @property
    def runs(self) -> bool:
        """Whether the guest finds an interpreter for the script."""
        return self.is_named_to_run or has_interpreter_marker(self.piece.text)


class Config(NamedTuple):
    """A cloud-config and its data."""

    piece: Piece
    root: MappingNode
    reader: Reader

    def place(self, node: Node) -> Span:
        return self.piece.span(node.start, node.end)

    @property
    def chain(self) -> tuple[Label, ...]:
        return trail(self.piece.fodder.text_origin)


def lint(reader: Reader, pieces: Sequence[Piece], names: Sequence[str]) -> list[Diagnostic]:
    """Findings for a Windows guest whose agent is `reader`; `names` are those of the parts."""
    found: list[Diagnostic] = []
    for index, (piece, name) in enumerate(zip(pieces, names, strict=True)):
        part = Part(
            piece, name, last=index == len(pieces) - 1, alone=len(pieces) == 1, reader=reader
        )
        ignored = judge(PART_RULES, part)
        found += ignored
        if ignored and piece.media_type != PART_HANDLER:
            continue
        if piece.media_type == SHELLSCRIPT:
            found += judge(SCRIPT_RULES, part)
        elif piece.media_type == PART_HANDLER:
            found += judge(HANDLER_RULES, part)
        elif not piece.jinja:
            found += judge(TEXT_RULES, part)
            found += _cloud_config(piece, reader)
    return found


def _shapes(part: Part) -> Iterator[Diagnostic]:
    """What eryph's guest services refuse as a whole. An empty text is a finding of its own."""
    level = part.reader.level(GuestAgent.EGS, Level.ERROR, Level.WARNING)
    piece = part.piece
    root = piece.reading.root
    if level is None or (root is not None and not root.entries) or _is_over_a_limit(piece):
        return
    from eryphc.guest.cloudconfig.provenance import content_label
    from eryphc.guest.egs_shapes import refusals

    for path, wanted, start, end in refusals(piece.text):
        key = _path(path, secret=bool(piece.fodder.secret))
        label = content_label(piece.fodder, start, end)
        yield egs_shape_refused(piece.said, key, Own(wanted), level, label, part.chain)


def _is_over_a_limit(piece: Piece) -> bool:
    """Whether the text was not read because of its size, so that no other reader shall try."""
    faults = piece.reading.faults
    return any(
        fault.kind is FaultKind.EXPANDED
        or (fault.inner is not None and fault.inner.code in reading.LIMITS)
        for fault in faults
    )


def _path(path: tuple[str | int, ...], *, secret: bool) -> Words:
    words: Words = own("")
    for step in path:
        if isinstance(step, int):
            words = own("{}[{}]", words, step)
        else:
            words = below(words, key_said(step, secret=secret))
    return words


def _cloud_config(piece: Piece, reader: Reader) -> Iterator[Diagnostic]:
    read = piece.reader.loaded_by_libyaml(piece.text)
    faults = [fault for fault in read.faults if fault.kind is not FaultKind.EMPTY]
    if reader.only(GuestAgent.EGS):
        # What was said of the shape says more.
        faults = [fault for fault in faults if fault.kind is FaultKind.DUPLICATE_KEY]
    if faults:
        from eryphc.guest.cloudconfig.reports import report

        yield from report(piece.fodder, faults, Level.WARNING)
    if read.root is not None:
        yield from judge(CONFIG_RULES, Config(piece, read.root, reader))


# --- parts that are ignored --------------------------------------------------------------------


def _ignored(part: Part) -> Iterator[Diagnostic]:
    piece, reader = part.piece, part.reader
    place = piece.fodder.at("type")
    all_of_it = Level.WARNING if part.alone else Level.NOTE
    if piece.jinja:
        yield from _templates(part)
    elif piece.media_type in INCLUDES:
        level = reader.level(GuestAgent.CLOUDBASE_INIT, Level.WARNING, all_of_it)
        if level is not None:
            what = own("includes")
            yield _ignores_part(part, CLOUDBASE_INIT, what, level, place)
    elif piece.media_type == PART_HANDLER:
        level = reader.level(GuestAgent.EGS, Level.WARNING, all_of_it)
        if level is not None:
            yield _ignores_part(part, EGS, own("part-handlers"), level, place)
    elif piece.media_type not in _KNOWN_PARTS:
        what = Own(_IGNORED_BY_ALL.get(piece.media_type, "parts of this type"))
        yield _ignores_part(part, _ignorant(reader), what, Level.WARNING, place)


def _templates(part: Part) -> Iterator[Diagnostic]:
    """A template that is the only part is sent as plain text; no guest renders another form."""
    piece, reader = part.piece, part.reader
    if reader.only(GuestAgent.EGS):
        yield template_not_rendered(piece.said, piece.first_line, part.chain)
    elif not part.alone or piece.media_type != CLOUD_CONFIG:
        what = own("templates among other parts")
        yield _ignores_part(part, _ignorant(reader), what, Level.WARNING, piece.first_line)
    elif reader.may_be(GuestAgent.EGS):
        yield _ignores_part(part, EGS, own("templates"), Level.WARNING, piece.first_line)


def _ignorant(reader: Reader) -> Own:
    if reader.other is not None:
        return _NEITHER
    return EGS if reader.word is GuestAgent.EGS else CLOUDBASE_INIT


def _ignores_part(
    part: Part, agent: Own, what: Words, level: Level, place: Span | None
) -> Diagnostic:
    found = wording.windows_ignores_part(part.piece.said, agent, what, place, part.chain)
    return found._replace(level=level)


# --- scripts -----------------------------------------------------------------------------------


def _device_name(part: Part) -> Iterator[Diagnostic]:
    if is_device(part.name):
        yield wording.windows_device_name(
            part.piece.said, named(part.name, part.name_place), part.name_place, part.chain
        )


def _not_run(part: Part) -> Iterator[Diagnostic]:
    if not part.runs:
        yield wording.windows_script_not_run(
            part.piece.said, named(part.name, part.name_place), part.piece.first_line, part.chain
        )


def _32_bit(part: Part) -> Iterator[Diagnostic]:
    if _is_32_bit_ignored(part):
        yield wording.windows_32_bit_ignored(
            part.piece.said, named(part.name, part.name_place), part.name_place, part.chain
        )


def _is_32_bit_ignored(part: Part) -> bool:
    return part.is_named_to_run and wants_32_bit(part.piece.text)


def _needs_shell(part: Part) -> Iterator[Diagnostic]:
    if not part.runs or _is_32_bit_ignored(part):
        return
    piece, ending = part.piece, extension(part.name).lower()
    if ending == "py":
        place = part.name_place
        yield wording.windows_script_needs_shell(piece.said, own("Python"), place, part.chain)
    elif ending == "sh" or (piece.text.startswith("#!") and not part.is_named_to_run):
        place = piece.first_line
        yield wording.windows_script_needs_shell(piece.said, own("bash"), place, part.chain)


def _exits(part: Part) -> Iterator[Diagnostic]:
    if part.last:
        return
    piece = part.piece
    for start, line in _code_lines(piece.text):
        for match in _EXIT.finditer(line):
            place = piece.span(start + match.start(), start + match.end())
            if match[1] == "1001":
                yield wording.windows_script_ends_run(piece.said, place, part.chain)
            else:
                yield wording.windows_runs_again(piece.said, Own(match[1]), place, part.chain)


def _restarts(part: Part) -> Iterator[Diagnostic]:
    piece = part.piece
    for start, line in _code_lines(piece.text):
        for match in _RESTART.finditer(line):
            place = piece.span(start + match.start(), start + match.end())
            command = " ".join(match[0].split())
            yield wording.windows_script_restarts(piece.said, Said(command), place, part.chain)


def _linux_imports(part: Part) -> Iterator[Diagnostic]:
    piece = part.piece
    for match in _LINUX_IMPORT.finditer(piece.text):
        place = piece.span(match.start(1), match.end(1))
        module = own("the module `{}`", Said(match[1]))
        yield wording.windows_script_needs_shell(piece.said, module, place, part.chain)


def _code_lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.split("\n"):
        if not _COMMENT.match(line):
            yield start, line
        start += len(line) + 1


# --- cloud-configs -----------------------------------------------------------------------------


def _unknown_keys(config: Config) -> Iterator[Diagnostic]:
    root, piece = config.root, config.piece
    for key, node in root.keys.items():
        if key not in _KEYS:
            place = config.place(node)
            yield wording.windows_ignores_key(
                piece.said,
                key_said(key, place, secret=bool(piece.fodder.secret)),
                place,
                config.chain,
            )
    ntp = root.get("ntp")
    for parent, maps, known in (
        ("users", _maps(root.get("users")), _USER_KEYS),
        ("write_files", _maps(root.get("write_files")), _FILE_KEYS),
        ("ntp", (ntp,) if isinstance(ntp, MappingNode) else (), _NTP_KEYS),
    ):
        for each in maps:
            for key, node in each.keys.items():
                if key not in known:
                    is_password = parent == "users" and key in _PLAIN_KEYS
                    instead = own("use `passwd` with the plain text") if is_password else None
                    place = config.place(node)
                    path = own(
                        "{}.{}", Own(parent), key_said(key, place, secret=bool(piece.fodder.secret))
                    )
                    yield wording.windows_ignores_key(
                        piece.said, path, place, config.chain, instead
                    )


def _hostnames(config: Config) -> Iterator[Diagnostic]:
    for key, node in config.root.keys.items():
        if key in _HOSTNAME_KEYS:
            place = config.place(node)
            yield wording.windows_renames_twice(
                config.piece.said,
                key_said(key, place, secret=bool(config.piece.fodder.secret)),
                place,
                config.chain,
            )


def _hashes(config: Config) -> Iterator[Diagnostic]:
    for user in _maps(config.root.get("users")):
        password = user.get("passwd")
        if isinstance(password, Scalar) and _HASH.match(str(password.value)):
            place = config.place(user.keys["passwd"])
            yield wording.windows_password_hash(config.piece.said, place, config.chain)


def _linux_paths(config: Config) -> Iterator[Diagnostic]:
    for entry in _maps(config.root.get("write_files")):
        path = entry.text("path")
        if path is not None and path.startswith("/") and not _IN_WINDOWS.match(path):
            place = config.place(entry.entries["path"])
            yield wording.windows_path_expected(config.piece.said, named(path), place, config.chain)


def _commands(config: Config) -> tuple[Node, ...]:
    commands = config.root.get("runcmd")
    return commands.items if isinstance(commands, ListNode) else ()


def _is_command(entry: Node) -> bool:
    return isinstance(entry, ListNode) or (
        isinstance(entry, Scalar) and isinstance(entry.value, str)
    )


def _commands_that_are_none(config: Config) -> Iterator[Diagnostic]:
    commands = config.root.get("runcmd")
    if commands is None or (isinstance(commands, Scalar) and commands.value is None):
        return
    if not isinstance(commands, ListNode):
        yield _misformed(config, own("runcmd"), commands)
    for number, entry in enumerate(_commands(config)):
        if not _is_command(entry):
            # cloudbase-init raises, unlike cloud-init for an empty one too.
            yield _misformed(config, own("runcmd[{}]", number), entry)


def _misformed(config: Config, path: Words, node: Node) -> Diagnostic:
    from eryphc.guest.cloudconfig.provenance import content_label

    label = content_label(config.piece.fodder, node.start, node.end)
    return command_not_runnable(path, Own(kind(node)), label, Level.WARNING, config.chain)


def _command_lines(config: Config) -> Iterator[tuple[str, Span]]:
    """The lines of all commands, each with the place of its command."""
    for entry in _commands(config):
        if _is_command(entry):
            words = entry.items if isinstance(entry, ListNode) else (entry,)
            text = " ".join(str(word.value) for word in words if isinstance(word, Scalar))
            place = config.piece.span(entry.start, _first_line_end(config.piece.text, entry))
            for _, line in _code_lines(text):
                yield line, place


def _command_exits(config: Config) -> Iterator[Diagnostic]:
    for line, place in _command_lines(config):
        for match in _EXIT.finditer(line):
            if match[1] != "1002":
                yield wording.windows_config_never_ends(
                    config.piece.said, Own(match[1]), place, config.chain
                )


def _command_restarts(config: Config) -> Iterator[Diagnostic]:
    for line, place in _command_lines(config):
        for match in _RESTART.finditer(line):
            command = " ".join(match[0].split())
            yield wording.windows_script_restarts(
                config.piece.said, Said(command), place, config.chain
            )


def _first_line_end(text: str, node: Node) -> int:
    end = text.find("\n", node.start)
    return min(node.end, len(text) if end == -1 else end)


def _maps(node: Node | None) -> Iterator[MappingNode]:
    """The maps of a list; a single map counts as a list of one."""
    if isinstance(node, MappingNode):
        yield node
    elif isinstance(node, ListNode):
        for item in node.items:
            if isinstance(item, MappingNode):
                yield item


PART_RULES: Final[tuple[Rule[Part], ...]] = (
    Rule(wording.WINDOWS_IGNORES_PART, _ignored, (TEMPLATE_NOT_POSSIBLE,)),
)
SCRIPT_RULES: Final[tuple[Rule[Part], ...]] = (
    Rule(wording.WINDOWS_DEVICE_NAME, _device_name),
    Rule(wording.WINDOWS_SCRIPT_NOT_RUN, _not_run),
    Rule(wording.WINDOWS_32_BIT_IGNORED, _32_bit),
    Rule(wording.WINDOWS_SCRIPT_NEEDS_SHELL, _needs_shell),
    Rule(wording.WINDOWS_SCRIPT_ENDS_RUN, _exits, more=(wording.WINDOWS_RUNS_AGAIN,)),
    Rule(wording.WINDOWS_SCRIPT_RESTARTS, _restarts),
)
HANDLER_RULES: Final[tuple[Rule[Part], ...]] = (
    Rule(wording.WINDOWS_SCRIPT_NEEDS_SHELL, _linux_imports),
)
TEXT_RULES: Final[tuple[Rule[Part], ...]] = (Rule(EGS_SHAPE_REFUSED, _shapes),)
CONFIG_RULES: Final[tuple[Rule[Config], ...]] = (
    Rule(wording.WINDOWS_IGNORES_KEY, _unknown_keys),
    Rule(wording.WINDOWS_RENAMES_TWICE, _hostnames),
    Rule(wording.WINDOWS_PASSWORD_HASH, _hashes),
    Rule(wording.WINDOWS_PATH_EXPECTED, _linux_paths),
    Rule(COMMAND_NOT_RUNNABLE, _commands_that_are_none),
    Rule(wording.WINDOWS_SCRIPT_ENDS_RUN, _command_exits),
    Rule(wording.WINDOWS_SCRIPT_RESTARTS, _command_restarts),
)
