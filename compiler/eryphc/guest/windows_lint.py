"""Which parts of its configuration a Windows guest drops, or handles differently.

Source: docs/reference/windows-guests.md, "Types of parts on Windows", "Script parts",
"Exit codes and restarts", "Keys of cloud-config", "What eryphc warns of".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from eryphc.diagnostics import reading
from eryphc.diagnostics import windows_guest as wording
from eryphc.diagnostics.cloudconfig_lint import COMMAND_NOT_RUNNABLE, command_not_runnable
from eryphc.diagnostics.guest import TEMPLATE_NOT_POSSIBLE, template_not_rendered
from eryphc.diagnostics.guest_agents import EGS_SHAPE_REFUSED, egs_shape_refused
from eryphc.diagnostics.model import Diagnostic, Label, Level, trail
from eryphc.diagnostics.said import Own, Said, Words, named, own
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar, Value, kind
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

if TYPE_CHECKING:
    from eryphc.guest.egs_shapes import Step

_IGNORED_BY_ALL: Final = {BOOTHOOK: "boothooks", UPSTART_JOB: "upstart jobs"}
_KNOWN_PARTS: Final = (CLOUD_CONFIG, SHELLSCRIPT, PART_HANDLER, *INCLUDES)
_DONE_BY: Final = {
    GuestAgent.CLOUDBASE_INIT: (CLOUD_CONFIG, SHELLSCRIPT, PART_HANDLER),
    GuestAgent.EGS: (CLOUD_CONFIG, SHELLSCRIPT, *INCLUDES),
}
CLOUDBASE_INIT: Final = own("cloudbase-init")
EGS: Final = own("eryph's guest services")
_SAID: Final = {GuestAgent.CLOUDBASE_INIT: CLOUDBASE_INIT, GuestAgent.EGS: EGS}
_NEITHER: Final = own("neither cloudbase-init nor eryph's guest services")
_PLAIN_KEYS: Final = ("plain_text_passwd", "hashed_passwd")
_WINDOWS_SHELLS: Final = ("ps1", "cmd", "bat")
_HOSTNAME_KEYS: Final = ("hostname", "set_hostname")
# Folders that every Windows has on its system drive, which is the current one of the service.
_IN_WINDOWS: Final = re.compile(
    r"/+(?:programdata|windows|users|program files(?: \(x86\))?)/", re.IGNORECASE
)
_FOLDERS: Final = (
    ("/home/", "C:/Users/"),
    ("/root/", "C:/Users/Administrator/"),
    ("/tmp/", "C:/Windows/TEMP/"),  # noqa: S108 - it is written in the guest
    ("/var/", "C:/ProgramData/"),
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
    """One part, with the name that it will have. `last`: none follows; `alone`: it is the only.

    `idle` are the agents that no part gives anything to do.
    """

    piece: Piece
    name: str
    last: bool
    alone: bool
    idle: frozenset[GuestAgent]
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
    idle = frozenset(
        agent for agent, types in _DONE_BY.items() if not any(_is_done(p, types) for p in pieces)
    )
    for index, (piece, name) in enumerate(zip(pieces, names, strict=True)):
        last, alone = index == len(pieces) - 1, len(pieces) == 1
        part = Part(piece, name, last=last, alone=alone, idle=idle, reader=reader)
        ignored = judge(PART_RULES, part)
        found += ignored
        if ignored and piece.media_type != PART_HANDLER:
            continue
        if piece.media_type == SHELLSCRIPT:
            found += judge(SCRIPT_RULES, part)
        elif piece.media_type == PART_HANDLER:
            found += judge(HANDLER_RULES, part)
        elif piece.media_type == CLOUD_CONFIG and not piece.jinja:
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
        key = _path(piece, path)
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


def _path(piece: Piece, path: Sequence[Step]) -> Words:
    words: Words = own("")
    for name, start, end in path:
        if isinstance(name, int):
            words = own("{}[{}]", words, name)
        else:
            place = piece.span(start, end)
            words = below(words, key_said(name, place, secret=bool(piece.fodder.secret)))
    return words


def _is_done(piece: Piece, types: Sequence[str]) -> bool:
    return piece.media_type in types and not piece.jinja


def _cloud_config(piece: Piece, reader: Reader) -> Iterator[Diagnostic]:
    read = piece.reader.loaded_by_libyaml(piece.text)
    faults = [fault for fault in read.faults if fault.kind is not FaultKind.EMPTY]
    if reader.only(GuestAgent.EGS) and not _is_over_a_limit(piece):
        # What was said of the shape says more.
        faults = [fault for fault in faults if fault.kind is FaultKind.DUPLICATE_KEY]
    if faults:
        from eryphc.guest.cloudconfig.reports import report

        yield from report(piece.fodder, faults, Level.WARNING)
    if read.root is not None:
        yield from judge(CONFIG_RULES, Config(piece, read.root, reader))


def _of_cloudbase_init(reader: Reader, found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Findings about cloudbase-init alone: notes where it is only assumed."""
    level = reader.level(GuestAgent.CLOUDBASE_INIT, Level.WARNING)
    if level is not None:
        for each in found:
            is_note = each.level is Level.NOTE
            yield each if is_note else each._replace(level=level)


# --- parts that are ignored --------------------------------------------------------------------


def _ignored(part: Part) -> Iterator[Diagnostic]:
    piece, reader = part.piece, part.reader
    place = piece.fodder.at("type")
    if piece.jinja:
        yield from _templates(part)
    elif piece.media_type in INCLUDES:
        level = _level_of_part(part, GuestAgent.CLOUDBASE_INIT)
        if level is not None:
            what = own("includes")
            yield _ignores_part(part, CLOUDBASE_INIT, what, level, place)
    elif piece.media_type == PART_HANDLER:
        level = _level_of_part(part, GuestAgent.EGS)
        if level is not None:
            yield _ignores_part(part, EGS, own("part-handlers"), level, place)
    elif piece.media_type not in _KNOWN_PARTS:
        what = Own(_IGNORED_BY_ALL.get(piece.media_type, "parts of this type"))
        yield _ignores_part(part, _ignorant(reader), what, Level.WARNING, place)


def _level_of_part(part: Part, agent: GuestAgent) -> Level | None:
    """Of a part that `agent` ignores: where it has nothing else to do, all is lost."""
    assumed = Level.WARNING if agent in part.idle else Level.NOTE
    return part.reader.level(agent, Level.WARNING, assumed)


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


def _device_name_of_cbi(part: Part) -> Iterator[Diagnostic]:
    if is_device(part.name):
        yield wording.windows_device_name(
            part.piece.said, named(part.name, part.name_place), part.name_place, part.chain
        )


def _not_run(part: Part) -> Iterator[Diagnostic]:
    if part.runs or part.reader.only(GuestAgent.EGS):
        return
    # PowerShell refuses a file without extension, so neither agent runs it.
    by_both = part.reader.other is not None and not extension(part.name)
    found = wording.windows_script_not_run(
        part.piece.said, named(part.name, part.name_place), part.piece.first_line, part.chain
    )
    yield (
        found
        if by_both
        else found._replace(
            level=part.reader.level(GuestAgent.CLOUDBASE_INIT, Level.WARNING) or Level.NOTE
        )
    )


def _32_bit(part: Part) -> Iterator[Diagnostic]:
    reader = part.reader
    if _is_32_bit_ignored(part):
        name = named(part.name, part.name_place)
        of_egs = reader.only(GuestAgent.EGS)
        yield wording.windows_32_bit_ignored(
            part.piece.said, None if of_egs else name, part.name_place, part.chain
        )
    elif wants_32_bit(part.piece.text) and reader.may_be(GuestAgent.EGS):
        found = wording.windows_32_bit_ignored(
            part.piece.said, None, part.piece.first_line, part.chain
        )
        yield found._replace(level=Level.NOTE)


def _is_32_bit_ignored(part: Part) -> bool:
    return part.is_named_to_run and wants_32_bit(part.piece.text)


def _needs_shell(part: Part) -> Iterator[Diagnostic]:
    piece, ending = part.piece, extension(part.name).lower()
    of_shell = ending == "sh" or (piece.text.startswith("#!") and ending not in _WINDOWS_SHELLS)
    if part.reader.only(GuestAgent.EGS):
        if of_shell:
            yield wording.windows_script_never_run(piece.said, piece.first_line, part.chain)
        return
    if not part.runs or _is_32_bit_ignored(part):
        return
    if ending == "py":
        place = part.name_place
        yield wording.windows_script_needs_shell(piece.said, own("Python"), place, part.chain)
    elif ending == "sh" or (of_shell and not part.is_named_to_run):
        place = piece.first_line
        yield wording.windows_script_needs_shell(piece.said, own("bash"), place, part.chain)


def _exits_of_cbi(part: Part) -> Iterator[Diagnostic]:
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


def _exits_of_egs(part: Part) -> Iterator[Diagnostic]:
    piece = part.piece
    for start, line in _code_lines(piece.text):
        for match in _EXIT.finditer(line):
            place = piece.span(start + match.start(), start + match.end())
            if match[1] == "1001" and not part.last:
                yield wording.egs_goes_on(piece.said, place, part.chain)
            elif match[1] == "1003":
                yield wording.egs_runs_again(piece.said, place, part.chain)


def _restarts(part: Part) -> Iterator[Diagnostic]:
    piece = part.piece
    for start, line in _code_lines(piece.text):
        for match in _RESTART.finditer(line):
            place = piece.span(start + match.start(), start + match.end())
            command = " ".join(match[0].split())
            yield wording.windows_script_restarts(
                piece.said,
                Said(command),
                place,
                part.chain,
                again=part.reader.only(GuestAgent.EGS),
            )


def _linux_imports_of_cbi(part: Part) -> Iterator[Diagnostic]:
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


@lru_cache(maxsize=1)
def key_table() -> Mapping[str, Any]:
    """Which agents carry out each key, by where it stands."""
    path = files("eryphc.guest") / "schemas" / "windows-keys.json"
    table: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return table


def _unknown_keys(config: Config) -> Iterator[Diagnostic]:
    root, piece = config.root, config.piece
    secret = bool(piece.fodder.secret)
    for key, node in root.keys.items():
        place = config.place(node)
        yield from _ignored_key(config, "keys", key, key_said(key, place, secret=secret), place)
    ntp = root.get("ntp")
    for parent, records in (
        ("users", maps(root.get("users"))),
        ("write_files", maps(root.get("write_files"))),
        ("ntp", (ntp,) if isinstance(ntp, MappingNode) else ()),
    ):
        for each in records:
            for key, node in each.keys.items():
                place = config.place(node)
                path = own("{}.{}", Own(parent), key_said(key, place, secret=secret))
                yield from _ignored_key(config, parent, key, path, place)


def _ignored_key(
    config: Config, section: str, key: Value, path: Words, place: Span
) -> Iterator[Diagnostic]:
    table, reader = key_table(), config.reader
    known = table[section].get(key, ())
    if not known and isinstance(key, str):
        # eryph's guest services match names without case.
        known = tuple(a for a in table[section].get(key.lower(), ()) if a == GuestAgent.EGS)
    if section == "keys" and reader.after_0_5_0 and key in table["after_0.5.0"]:
        known = (GuestAgent.EGS,)
    by_both = not known
    ignorant = [
        agent
        for agent in (GuestAgent.CLOUDBASE_INIT, GuestAgent.EGS)
        if agent not in known and reader.may_be(agent)
    ]
    if not ignorant:
        return
    is_password = section == "users" and key in _PLAIN_KEYS and reader.only(ignorant[0])
    is_password = is_password and ignorant[0] is GuestAgent.CLOUDBASE_INIT
    instead = own("use `passwd` with the plain text") if is_password else None
    agent = _ignorant(reader) if by_both else _SAID[ignorant[0]]
    level = Level.WARNING if reader.stated or by_both else Level.NOTE
    found = wording.windows_ignores_key(
        config.piece.said, path, agent, place, config.chain, instead
    )
    yield found._replace(level=level)


def _hostnames_of_cbi(config: Config) -> Iterator[Diagnostic]:
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
    for user in maps(config.root.get("users")):
        password = user.get("passwd")
        if isinstance(password, Scalar) and _HASH.match(str(password.value)):
            place = config.place(user.keys["passwd"])
            yield wording.windows_password_hash(
                config.piece.said, own("passwd"), place, config.chain
            )
    level = config.reader.level(GuestAgent.EGS, Level.WARNING)
    if level is not None:
        for node in _hashes_of_chpasswd(config.root.get("chpasswd")):
            found = wording.windows_password_hash(
                config.piece.said, own("chpasswd"), config.place(node), config.chain
            )
            yield found._replace(level=level)


def _hashes_of_chpasswd(chpasswd: Node | None) -> Iterator[Node]:
    if not isinstance(chpasswd, MappingNode):
        return
    for user in maps(chpasswd.get("users")):
        password = user.text("password")
        if user.text("type") == "hash" or (password is not None and _HASH.match(password)):
            yield user.keys.get("name", user)
    listed = chpasswd.get("list")
    lines = (chpasswd.text("list") or "").splitlines()
    if listed is not None and any(_HASH.match(line.partition(":")[2]) for line in lines):
        yield chpasswd.keys["list"]


def _linux_paths_of_cbi(config: Config) -> Iterator[Diagnostic]:
    for entry in maps(config.root.get("write_files")):
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


def _commands_that_are_none_of_cbi(config: Config) -> Iterator[Diagnostic]:
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


def _command_exits_of_cbi(config: Config) -> Iterator[Diagnostic]:
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
                config.piece.said,
                Said(command),
                place,
                config.chain,
                again=config.reader.only(GuestAgent.EGS),
            )


def _first_line_end(text: str, node: Node) -> int:
    end = text.find("\n", node.start)
    return min(node.end, len(text) if end == -1 else end)


def maps(node: Node | None) -> Iterator[MappingNode]:
    """The maps of a list; a single map counts as a list of one."""
    if isinstance(node, MappingNode):
        yield node
    elif isinstance(node, ListNode):
        for item in node.items:
            if isinstance(item, MappingNode):
                yield item


def _device_name(part: Part) -> Iterator[Diagnostic]:
    return _of_cloudbase_init(part.reader, _device_name_of_cbi(part))


def _exits(part: Part) -> Iterator[Diagnostic]:
    if part.reader.only(GuestAgent.EGS):
        return _exits_of_egs(part)
    return _of_cloudbase_init(part.reader, _exits_of_cbi(part))


def _linux_imports(part: Part) -> Iterator[Diagnostic]:
    return _of_cloudbase_init(part.reader, _linux_imports_of_cbi(part))


def _hostnames(config: Config) -> Iterator[Diagnostic]:
    return _of_cloudbase_init(config.reader, _hostnames_of_cbi(config))


def _commands_that_are_none(config: Config) -> Iterator[Diagnostic]:
    return _of_cloudbase_init(config.reader, _commands_that_are_none_of_cbi(config))


def _command_exits(config: Config) -> Iterator[Diagnostic]:
    return _of_cloudbase_init(config.reader, _command_exits_of_cbi(config))


def _linux_paths(config: Config) -> Iterator[Diagnostic]:
    if config.reader.only(GuestAgent.EGS):
        return _translated_paths(config)
    return _of_cloudbase_init(config.reader, _linux_paths_of_cbi(config))


def _translated_paths(config: Config) -> Iterator[Diagnostic]:
    for entry in maps(config.root.get("write_files")):
        path = entry.text("path")
        if path is not None and path.startswith("/"):
            place = config.place(entry.entries["path"])
            result = named(_translated(path), place)
            yield wording.egs_translates_path(
                config.piece.said, named(path, place), result, place, config.chain
            )


def _translated(path: str) -> str:
    """Where eryph's guest services write a file with a path of Linux."""
    for start, folder in _FOLDERS:
        if path.startswith(start):
            path = folder + path[len(start) :]
            break
    else:
        path = f"C:{path}"
    return path.replace("/", "\\")


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
