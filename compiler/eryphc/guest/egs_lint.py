"""What a Windows guest makes of users, files, passwords and order, by the agent that it has.

Most of it is about eryph's guest services: where these are only assumed, what does not lose
everything is a note. Source: docs/reference/guest-agents.md, "What eryphc warns of".
"""

from __future__ import annotations

import re
import zlib
from base64 import b64decode
from collections.abc import Iterator, Sequence
from typing import Final

from eryphc.diagnostics import guest_agents as wording
from eryphc.diagnostics.guest import INCLUDE_UNPINNED, include_skipped
from eryphc.diagnostics.model import Diagnostic, Level, trail
from eryphc.diagnostics.said import Own, Said, named, own
from eryphc.frozen import NamedTuple
from eryphc.guest.cloudconfig.nodes import MappingNode, Node, Scalar
from eryphc.guest.cloudconfig.nodes import Sequence as ListNode
from eryphc.guest.model import GuestAgent, Reader
from eryphc.guest.names import extension
from eryphc.guest.pieces import CLOUD_CONFIG, INCLUDES, SHELLSCRIPT, Piece
from eryphc.guest.windows_lint import Config, maps
from eryphc.lint.engine import Rule, judge

_EGS: Final = GuestAgent.EGS
_CBI: Final = GuestAgent.CLOUDBASE_INIT
_LONGEST_PASSWORD: Final = 20
_LEAST_KINDS: Final = 3
_MOST_UNPACKED: Final = 16 * 1024 * 1024
_LINUX_LOCALE: Final = re.compile(r"(?:C|POSIX)(?:\..*)?\Z|.*[_.]")
_AREA: Final = re.compile(
    r"(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe"
    r"|Indian|Mexico|Pacific|US)/[A-Za-z0-9_+/-]+\Z"
)
# The names of IANA's list without an area.
_ZONES: Final = frozenset(
    "CET CST6CDT Cuba EET EST EST5EDT Egypt Eire GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST"  # noqa: SIM905
    " Hongkong Iceland Iran Israel Jamaica Japan Kwajalein Libya MET MST MST7MDT NZ NZ-CHAT Navajo"
    " PRC PST8PDT Poland Portugal ROC ROK Singapore Turkey UCT Universal W-SU WET Zulu".split()
)
_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]")
_BUILTINS: Final = frozenset(
    (
        *("assoc", "break", "call", "cd", "chdir", "cls", "copy", "date", "del", "dir", "echo"),
        *("endlocal", "erase", "exit", "for", "ftype", "goto", "if", "md", "mkdir", "mklink"),
        *("move", "path", "pause", "popd", "prompt", "pushd", "rd", "rem", "ren", "rename"),
        *("rmdir", "set", "setlocal", "shift", "start", "time", "title", "type", "ver"),
        *("verify", "vol"),
    )
)
_KEPT: Final = re.compile(r"\s*(cd|chdir|set)\s+[^&|\n]*\Z", re.IGNORECASE)
_POWERSHELL: Final = re.compile(r"#ps1", re.IGNORECASE)
_WITH_SHELL: Final = frozenset(("ps1", "cmd", "bat", "sh"))
_BASE64: Final = ("b64", "base64", "gz+b64", "gz+base64", "gzip+b64", "gzip+base64")
_GZIP: Final = ("gz", "gzip", *_BASE64[2:])
_INSTALLS_EGS: Final = re.compile(r"gene:dbosoft/guest-services(?:/[^:]*)?:win-install\Z")
_SWITCH: Final = "provisioningenabled"


class Seed(NamedTuple):
    """All parts that a guest gets, and its agent."""

    reader: Reader
    pieces: tuple[Piece, ...]

    @property
    def configs(self) -> Iterator[Config]:
        for piece in self.pieces:
            if piece.media_type == CLOUD_CONFIG and not piece.jinja and piece.root is not None:
                yield Config(piece, piece.root, self.reader)

    @property
    def scripts(self) -> Iterator[Piece]:
        return (piece for piece in self.pieces if piece.media_type == SHELLSCRIPT)


def lint(reader: Reader, pieces: Sequence[Piece]) -> list[Diagnostic]:
    """Findings for a Windows guest whose agent is `reader`."""
    seed = Seed(reader, tuple(pieces))
    found = judge(SEED_RULES, seed)
    for config in seed.configs:
        found += judge(CONFIG_RULES, config)
    return found


def _plain(node: Node | None) -> str | None:
    """The text of a scalar, however it is typed; None for null and for what is no scalar."""
    if not isinstance(node, Scalar) or node.value is None:
        return None
    return node.value if isinstance(node.value, str) else str(node.value)


def _users(config: Config) -> Iterator[tuple[str, MappingNode]]:
    for user in maps(config.root.get("users")):
        name = _plain(user.get("name"))
        if name is not None:
            yield name, user


# --- one cloud-config ----------------------------------------------------------------------------


def _paths(config: Config) -> Iterator[Diagnostic]:
    level = config.reader.level(_EGS, Level.ERROR)
    for entry in maps(config.root.get("write_files")):
        path = entry.text("path")
        if level is not None and path is not None and _is_refused(path):
            place = config.place(entry.entries["path"])
            yield wording.egs_path_refused(
                config.piece.said, named(path), level, place, config.chain
            )


def _is_refused(path: str) -> bool:
    if "%" in path or ".." in re.split(r"[\\/]", path):
        return True
    if _DRIVE.match(path):
        return path[0] not in "cC"
    return not path.startswith("/")


def _contents(config: Config) -> Iterator[Diagnostic]:
    level = config.reader.level(_EGS, Level.ERROR)
    if level is None:
        return
    for entry in maps(config.root.get("write_files")):
        content = entry.text("content")
        encoding = (entry.text("encoding") or "").lower()
        what = None if content is None else _undecodable(content, encoding)
        if what is not None:
            place = config.piece.span(entry.entries["content"].start, entry.entries["content"].end)
            yield wording.content_refused(config.piece.said, what, level, place, config.chain)


def _undecodable(content: str, encoding: str) -> Own | None:
    """What the content is not; text cannot hold gzip as it is."""
    if encoding not in _BASE64:
        return own("gzip") if encoding in _GZIP else None
    try:
        data = b64decode("".join(content.split()), validate=True)
    except ValueError:
        return own("base64")
    if encoding in _GZIP and not _is_gzip(data):
        return own("gzip")
    return None


def _is_gzip(data: bytes) -> bool:
    """Whether it unpacks; a chunk at a time, and no further than what anybody writes so."""
    unpacked, size = zlib.decompressobj(wbits=31), 0
    try:
        while data and not unpacked.eof and size < _MOST_UNPACKED:
            size += len(unpacked.decompress(data, 65_536))
            data = unpacked.unconsumed_tail
    except zlib.error:
        return False
    return unpacked.eof or size >= _MOST_UNPACKED


def _groups(config: Config) -> Iterator[Diagnostic]:
    groups = config.root.get("groups")
    if not isinstance(groups, ListNode):
        return
    reader, made = config.reader, {name for name, _ in _users(config)}
    for item in groups.items:
        if not isinstance(item, MappingNode):
            continue
        place = config.place(item)
        level = reader.level(_EGS, Level.ERROR, Level.WARNING)
        of_egs = item.get("name") is not None
        if level is not None and not of_egs:
            what, effect = own("a name as a key"), own("eryph's guest services pass it over")
            yield wording.groups_form(config.piece.said, what, effect, level, place, config.chain)
        level = reader.level(_CBI, Level.ERROR, Level.WARNING)
        if level is not None and of_egs:
            what = own("the key `name`")
            effect = own("cloudbase-init 1.1.9 makes a group called `name`")
            yield wording.groups_form(config.piece.said, what, effect, level, place, config.chain)
        if not reader.may_be(_EGS if of_egs else _CBI):
            continue
        lists = [item.get("members")] if of_egs else list(item.entries.values())
        members = [word for each in lists if isinstance(each, ListNode) for word in each.items]
        early = next((word for word in members if _plain(word) in made), None)
        if early is not None:
            level = Level.ERROR if reader.stated else Level.WARNING
            what = own("the member `{}`, who is made later", Said(_plain(early) or ""))
            effect = own("Windows refuses a member that does not exist yet")
            yield wording.groups_form(
                config.piece.said, what, effect, level, config.place(early), config.chain
            )


def _locale(config: Config) -> Iterator[Diagnostic]:
    level = config.reader.level(_EGS, Level.ERROR, Level.WARNING)
    locale = _plain(config.root.get("locale"))
    if level is not None and locale is not None and _LINUX_LOCALE.match(locale):
        place = config.place(config.root.entries["locale"])
        yield wording.locale_refused(config.piece.said, Said(locale), level, place, config.chain)


def _time_zone(config: Config) -> Iterator[Diagnostic]:
    level = config.reader.level(_EGS, Level.ERROR, Level.WARNING)
    zone = _plain(config.root.get("timezone"))
    if level is not None and zone is not None and not _is_like_a_zone(zone):
        place = config.place(config.root.entries["timezone"])
        yield wording.timezone_refused(config.piece.said, Said(zone), level, place, config.chain)


def _is_like_a_zone(zone: str) -> bool:
    """Whether the name has the form of one in IANA's or Windows' list."""
    return (
        _AREA.match(zone) is not None
        or zone.endswith((" Standard Time", " Time"))
        or re.match(r"UTC(?:[+-][0-9]{1,2})?\Z", zone) is not None
        or zone in _ZONES
    )


def _text_users(config: Config) -> Iterator[Diagnostic]:
    level = config.reader.level(_EGS, Level.WARNING)
    users = config.root.get("users")
    for item in users.items if level is not None and isinstance(users, ListNode) else ():
        if isinstance(item, Scalar) and level is not None:
            name = _plain(item) or "null"
            yield wording.text_user(
                config.piece.said, Said(name), level, config.place(item), config.chain
            )


def _sudo(config: Config) -> Iterator[Diagnostic]:
    level = config.reader.level(_EGS, Level.WARNING)
    for user in maps(config.root.get("users")):
        sudo = user.get("sudo")
        if level is None or not isinstance(sudo, Scalar) or sudo.value == "":
            continue
        place = config.place(user.keys["sudo"])
        written = config.piece.text[sudo.start : sudo.end].strip("'\"").lower()
        if sudo.value is None or (sudo.value is False and written != "false"):
            yield wording.sudo_word(config.piece.said, level, place, config.chain)


def _one_name(config: Config) -> Iterator[Diagnostic]:
    level = config.reader.level(_EGS, Level.WARNING)
    for user in maps(config.root.get("users")):
        groups = user.text("groups")
        if level is not None and groups is not None and "," in groups:
            place = config.place(user.entries["groups"])
            yield wording.groups_one_name(config.piece.said, level, place, config.chain)


class _Password(NamedTuple):
    """The password of a user: `name` is the node with his name, `node` that of the password."""

    account: str
    text: str
    name: Node
    node: Node

    def __repr__(self) -> str:
        return f"_Password({self.account!r})"


def _passwords(
    config: Config, keys: Sequence[str] = ("plain_text_passwd", "passwd")
) -> Iterator[_Password]:
    for account, user in _users(config):
        for key in keys:
            password = _plain(user.get(key))
            if password is not None:
                yield _Password(account, password, user.entries["name"], user.entries[key])
                break


def _policy(config: Config) -> Iterator[Diagnostic]:
    level = config.reader.level(_EGS, Level.WARNING)
    if level is None:
        return
    for each in _passwords(config):
        what = None
        if len(each.account) > 2 and each.account.lower() in each.text.lower():
            what = own("holds the name of the account")
        elif _kinds(each.text) < _LEAST_KINDS:
            what = own("has fewer than three kinds of characters")
        if what is not None:
            name = named(each.account, config.place(each.name))
            place = config.place(each.node)
            yield wording.password_policy(config.piece.said, name, what, level, place, config.chain)


def _kinds(password: str) -> int:
    return sum(
        (
            any(map(str.islower, password)),
            any(map(str.isupper, password)),
            any(map(str.isdigit, password)),
            any(not character.isalnum() for character in password),
        )
    )


def _long_passwords(config: Config) -> Iterator[Diagnostic]:
    level = config.reader.level(_CBI, Level.WARNING)
    for each in _passwords(config, ("passwd",)):
        if level is None or len(each.text) <= _LONGEST_PASSWORD:
            continue
        name = named(each.account, config.place(each.name))
        place = config.place(each.node)
        yield wording.windows_password_long(config.piece.said, name, level, place, config.chain)


def _expiry(config: Config) -> Iterator[Diagnostic]:
    level = config.reader.level(_EGS, Level.WARNING)
    if level is None:
        return
    root = config.root
    chpasswd = root.get("chpasswd")
    expire = chpasswd.get("expire") if isinstance(chpasswd, MappingNode) else None
    if isinstance(expire, Scalar) and expire.value is False:
        return
    for key in ("chpasswd", "password"):
        if root.get(key) is not None:
            place = config.place(root.keys[key])
            yield wording.password_expires(config.piece.said, Own(key), level, place, config.chain)


def _delay(config: Config) -> Iterator[Diagnostic]:
    state = config.root.get("power_state")
    delay = _plain(state.get("delay")) if isinstance(state, MappingNode) else None
    if config.reader.may_be(_EGS) and delay is not None and delay.isdigit() and int(delay):
        assert isinstance(state, MappingNode)  # noqa: S101
        place = config.place(state.entries["delay"])
        yield wording.delay_unit(config.piece.said, place, config.chain)


def _time_service(config: Config) -> Iterator[Diagnostic]:
    ntp = config.root.get("ntp")
    enabled = ntp.get("enabled") if isinstance(ntp, MappingNode) else None
    if config.reader.may_be(_EGS) and isinstance(enabled, Scalar) and enabled.value is False:
        place = config.place(enabled)
        yield wording.ntp_disabled(config.piece.said, place, config.chain)


def _shells(config: Config) -> Iterator[Diagnostic]:
    level = config.reader.level(_EGS, Level.WARNING)
    commands = config.root.get("runcmd")
    if level is None or not isinstance(commands, ListNode):
        return
    for number, item in enumerate(commands.items, start=1):
        first = item.items[0] if isinstance(item, ListNode) and item.items else item
        word = _plain(first)
        if word is None:
            continue
        place, said, chain = config.place(first), config.piece.said, config.chain
        if isinstance(item, ListNode):
            if word.lower() in _BUILTINS:
                yield wording.runcmd_no_shell(said, Said(word), level, place, chain, kept=False)
        elif number < len(commands.items) and (match := _KEPT.match(word)):
            yield wording.runcmd_no_shell(said, Said(match[1]), level, place, chain, kept=True)


# --- all of the seed -----------------------------------------------------------------------------


def _no_passwords(seed: Seed) -> Iterator[Diagnostic]:
    level = seed.reader.level(_EGS, Level.WARNING)
    if level is None:
        return
    given = {each.account for config in seed.configs for each in _passwords(config)}
    given |= {name for config in seed.configs for name, _ in _changed(config)}
    for config in seed.configs:
        for name, user in _users(config):
            if name not in given:
                place = config.place(user.entries["name"])
                yield wording.no_password(
                    config.piece.said, named(name), level, place, config.chain
                )


def _changed(config: Config) -> Iterator[tuple[str, Node]]:
    """The accounts that `chpasswd` names."""
    chpasswd = config.root.get("chpasswd")
    if not isinstance(chpasswd, MappingNode):
        return
    for user in maps(chpasswd.get("users")):
        name = _plain(user.get("name"))
        if name is not None:
            yield name, user.entries["name"]
    listed = chpasswd.get("list")
    lines = listed.items if isinstance(listed, ListNode) else () if listed is None else (listed,)
    for node in lines:
        for line in (_plain(node) or "").splitlines():
            name, colon, _ = line.partition(":")
            if colon:
                yield name, node


def _accounts(seed: Seed) -> Iterator[Diagnostic]:
    level = seed.reader.level(_EGS, Level.WARNING)
    if level is None:
        return
    made = {name.lower() for config in seed.configs for name, _ in _users(config)}
    for config in seed.configs:
        for name, node in _changed(config):
            if name.lower() not in (*made, "administrator"):
                place = config.place(node)
                yield wording.account_missing(
                    config.piece.said, Said(name, place), level, place, config.chain
                )


def _early_commands(seed: Seed) -> Iterator[Diagnostic]:
    level = seed.reader.level(_EGS, Level.WARNING)
    script: Piece | None = None
    # In the order of the catlet: a build for these services has put scripts last.
    for piece in sorted(seed.pieces, key=lambda piece: piece.entry):
        if piece.media_type == SHELLSCRIPT:
            script = script or piece
        elif script is not None and piece.media_type == CLOUD_CONFIG and not piece.jinja:
            root = piece.root
            if level is not None and root is not None and root.get("runcmd") is not None:
                yield wording.runcmd_before_script(
                    script.said,
                    piece.said,
                    level,
                    script.first_line,
                    trail(script.fodder.text_origin),
                )
                return


def _as_powershell(seed: Seed) -> Iterator[Diagnostic]:
    level = seed.reader.level(_EGS, Level.WARNING)
    for piece in seed.scripts:
        ending = extension(piece.fodder.filename or piece.fodder.name or "").lower()
        text = piece.text
        known = ending in _WITH_SHELL or text.startswith("#!") or _POWERSHELL.match(text)
        if level is None or known or re.match(r"rem\s+cmd\s", text + "\n", re.IGNORECASE):
            continue
        chain = trail(piece.fodder.text_origin)
        yield wording.script_name_lost(piece.said, level, piece.first_line, chain)


def _two_agents(seed: Seed) -> Iterator[Diagnostic]:
    if not seed.reader.may_be(_CBI):
        return
    if any(_SWITCH in piece.text.lower() for piece in seed.pieces):
        return
    for piece in seed.pieces:
        if _INSTALLS_EGS.match(str(piece.fodder.source or "")):
            chain = trail(piece.fodder.text_origin)
            yield wording.two_agents(piece.said, piece.fodder.at("source"), chain)
            # A gene of several entries installs once.
            return


def _secrets(seed: Seed) -> Iterator[Diagnostic]:
    for piece in seed.pieces:
        if piece.fodder.secret and seed.reader.may_be(_EGS):
            yield wording.secret_stays(
                piece.said, piece.fodder.at("secret"), trail(piece.fodder.text_origin)
            )
            return


def _includes(seed: Seed) -> Iterator[Diagnostic]:
    for piece in seed.pieces:
        if piece.media_type in INCLUDES and seed.reader.only(_EGS):
            yield include_skipped(piece.said, piece.fodder.at(), trail(piece.fodder.text_origin))


CONFIG_RULES: Final[tuple[Rule[Config], ...]] = (
    Rule(wording.EGS_PATH_REFUSED, _paths),
    Rule(wording.CONTENT_REFUSED, _contents),
    Rule(wording.GROUPS_FORM, _groups),
    Rule(wording.LOCALE_REFUSED, _locale),
    Rule(wording.LOCALE_REFUSED, _time_zone),
    Rule(wording.TEXT_USER, _text_users),
    Rule(wording.SUDO_WORD, _sudo),
    Rule(wording.GROUPS_ONE_NAME, _one_name),
    Rule(wording.WINDOWS_PASSWORD_LONG, _long_passwords),
    Rule(wording.PASSWORD_POLICY, _policy),
    Rule(wording.PASSWORD_EXPIRES, _expiry),
    Rule(wording.RUNCMD_NO_SHELL, _shells),
    Rule(wording.DELAY_UNIT, _delay),
    Rule(wording.NTP_DISABLED, _time_service),
)
SEED_RULES: Final[tuple[Rule[Seed], ...]] = (
    Rule(wording.TWO_AGENTS, _two_agents),
    Rule(wording.RUNCMD_BEFORE_SCRIPT, _early_commands),
    Rule(wording.SCRIPT_NAME_LOST, _as_powershell),
    Rule(wording.ACCOUNT_MISSING, _accounts),
    Rule(wording.NO_PASSWORD, _no_passwords),
    Rule(wording.SECRET_STAYS, _secrets),
    Rule(INCLUDE_UNPINNED, _includes),
)
