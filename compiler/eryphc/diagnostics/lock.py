"""E11xx: the lock file, and gene sets that are not what it says."""

from __future__ import annotations

from collections.abc import Collection

from eryphc.diagnostics.command import USAGE
from eryphc.diagnostics.model import Code, Diagnostic, finding
from eryphc.diagnostics.words import clipped, did_you_mean, listed
from eryphc.source import Span

LOCK_MISSING = Code("E1101", "lock-missing")
LOCK_INCOMPLETE = Code("E1102", "lock-incomplete")
LOCK_NEWER = Code("E1104", "lock-newer")
LOCK_MALFORMED = Code("E1105", "lock-malformed")
LOCKED_CONTENT_GONE = Code("E1106", "locked-content-gone")
LOCK_GUARD = Code("E1107", "lock-guard")
TWO_POOLS = Code("E1108", "two-pools")
CHANGED_UNDER_LOCK = Code("E1109", "changed-under-lock")
RESOLVED_FOR_THIS_BUILD = Code("W1110", "resolved-for-this-build")
LOCK_UNUSED = Code("E1111", "lock-unused")


def missing(path: str) -> Diagnostic:
    return finding(
        LOCK_MISSING,
        f"there is no `{clipped(path)}`, and `--locked` takes gene sets from nowhere else",
        help="`eryphc lock` writes it; commit it with the specifications",
    )


def incomplete(name: str, by: str | None, span: Span | None = None) -> Diagnostic:
    """`by` is who names the gene set, where the place does not say it."""
    named = "" if by is None else f", which `{clipped(by)}` names"
    return finding(
        LOCK_INCOMPLETE,
        f"the lock does not have the gene set `{name}`{named}",
        span,
        help="`eryphc lock` adds what the specifications name now",
    )


def local_changed(name: str, added: Collection[str], gone: Collection[str]) -> Diagnostic:
    words = [f"now also names {_sets(added)}"] if added else []
    if gone:
        words.append(f"does not name {_sets(gone)} any more")
    return finding(
        LOCK_INCOMPLETE,
        f"the local gene set `{name}` {' and '.join(words)}",
        help="`eryphc lock` takes that over",
    )


def pool_renamed(was: str, now: str) -> Diagnostic:
    return finding(
        LOCK_INCOMPLETE,
        f"the pool `{clipped(was)}` of the lock is not in `eryphc.yaml` any more; `{clipped(now)}` "
        "has its gene sets now",
        help="`eryphc lock` takes the new name",
    )


def spec_changed(name: str, added: Collection[str], gone: Collection[str]) -> Diagnostic:
    words = [f"names {_sets(added)}, which the lock does not say"] if added else []
    if gone:
        words.append(f"no longer names {_sets(gone)}")
    return finding(
        LOCK_INCOMPLETE,
        f"`{clipped(name)}` {', and '.join(words)}",
        help="`eryphc lock` takes that over",
    )


def spec_unknown(name: str) -> Diagnostic:
    return finding(
        LOCK_INCOMPLETE,
        f"the lock does not know the specification `{clipped(name)}`",
        help=f"`eryphc lock {clipped(name)}` adds it",
    )


def unused(name: str, span: Span | None) -> Diagnostic:
    return finding(
        LOCK_UNUSED,
        f"the lock has the gene set `{name}`, which no specification reaches",
        span,
        help="`eryphc lock` takes it out",
    )


def spec_gone(name: str, span: Span | None) -> Diagnostic:
    return finding(
        LOCK_UNUSED,
        f"the lock has the specification `{clipped(name)}`, and there is no such file",
        span,
        help="`eryphc lock` takes it out",
    )


def newer(key: str, found: int, known: int, span: Span) -> Diagnostic:
    return finding(
        LOCK_NEWER,
        f"the lock has `{key}` {found}; this eryphc knows {known}",
        span,
        help="use a newer eryphc, as whoever wrote it did",
    )


def malformed(problem: str, span: Span, *, conflict: bool) -> Diagnostic:
    return finding(
        LOCK_MALFORMED,
        f"the lock cannot be used: {clipped(problem, 300)}",
        span,
        help="`eryphc lock` takes the entries of both sides"
        if conflict
        else "take it from version control again, or remove it and run `eryphc lock`",
    )


def two_contents(name: str, span: Span, ours: str, theirs: str) -> Diagnostic:
    return finding(
        LOCK_MALFORMED,
        f"the two sides of a merge have different content of `{name}`",
        span,
        notes=(f"ours:   {clipped(ours, 300)}", f"theirs: {clipped(theirs, 300)}"),
        help=f"keep one side there, then `eryphc update --gene {name}` decides",
    )


def content_not_fetched(name: str, pool: str, span: Span | None) -> Diagnostic:
    """The registry of `pool` was not asked, because that is forbidden."""
    return finding(
        LOCKED_CONTENT_GONE,
        f"the locked content of `{name}` is not at hand, and `--offline` or `--frozen` forbids to "
        f"ask `{clipped(pool)}` for it",
        span,
        "pinned here",
        help="`eryphc gene pull --lock` fetches all that the lock pins",
    )


def pool_gone(name: str, pool: str, span: Span | None, tried: Collection[str]) -> Diagnostic:
    """The lock names a pool that there is no more, and no other pool has the content."""
    return finding(
        LOCKED_CONTENT_GONE,
        f"the locked content of `{name}` is not to be had: the pool `{clipped(pool)}` of the lock "
        "is not in `eryphc.yaml` any more",
        span,
        "pinned here",
        notes=(f"the pools are {', '.join(f'`{place}`' for place in tried)}",) if tried else (),
        help="if it has another name now, `eryphc lock` takes the new name",
    )


def content_gone(name: str, pool: str, span: Span | None, tried: Collection[str]) -> Diagnostic:
    where = f"looked in {', '.join(f'`{place}`' for place in tried)}" if tried else None
    return finding(
        LOCKED_CONTENT_GONE,
        f"the locked content of `{name}` is not to be had: it came from `{clipped(pool)}`",
        span,
        "pinned here",
        notes=() if where is None else (where,),
        help="someone who has it can hand it on with `eryphc gene export`; "
        f"`eryphc update --gene {name}` takes what there is now",
    )


def changed(
    name: str, pool: str, pinned: str, files: Collection[str], span: Span | None
) -> Diagnostic:
    """`pool` has the set now, `pinned` is the lock's pool; `files` are the texts that differ."""
    what = f"`{clipped(pool)}` has other content of `{name}` than the lock pins"
    if pool != pinned:
        what += f", which is from `{clipped(pinned)}`"
    return finding(
        CHANGED_UNDER_LOCK,
        what,
        span,
        "pinned here",
        notes=(f"what differs: {_sets(files)}",) if files else (),
        help=f"`eryphc update --gene {name}` takes what there is now, and says what that changes",
    )


def resolved_for_this_build(name: str) -> Diagnostic:
    return finding(
        RESOLVED_FOR_THIS_BUILD,
        f"the lock does not have the gene set `{name}`: this build takes what the pools have now",
        help="`eryphc lock` pins it",
    )


def two_pools(name: str, one: tuple[str, str], other: tuple[str, str]) -> Diagnostic:
    """Each is a specification and the pool from which it would get the gene set."""
    return finding(
        TWO_POOLS,
        f"two specifications would get `{name}` from two pools",
        notes=tuple(f"`{clipped(spec)}` from `{clipped(pool)}`" for spec, pool in (one, other)),
        help="put shared genes into `genes/` beside `eryphc.yaml`, as a pool of it",
    )


def guarded(name: str, guard: str, reason: str) -> Diagnostic:
    return finding(
        LOCK_GUARD,
        f"`{name}`: {clipped(reason, 300)}",
        help=f"`--accept {guard}` takes it",
    )


def _sets(names: Collection[str]) -> str:
    return listed(sorted(names))


def no_file() -> Diagnostic:
    return finding(
        USAGE,
        "a lock names specifications by their files; standard input has none",
        help="write the specification to a file",
    )


def not_locked(text: str, known: Collection[str]) -> Diagnostic:
    return finding(
        LOCK_INCOMPLETE,
        f"the lock has no gene set `{clipped(text)}`",
        help=did_you_mean(text, known),
    )
