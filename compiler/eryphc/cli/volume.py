"""`eryphc volume`: disk images, looked into, verified, converted and fetched."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from eryphc import BuildRequest, EryphcError, Failure
from eryphc.cli import options as shared
from eryphc.cli.completing import completes
from eryphc.cli.console import FAILED_OUTSIDE, OK, WRONG_INPUT, Console, speaking, write
from eryphc.cli.groups import CommandGroup
from eryphc.cli.interruption import ended_cleanly
from eryphc.diagnostics import command as command_wording
from eryphc.diagnostics import volumes as wording
from eryphc.diagnostics.words import json_text

if TYPE_CHECKING:
    from eryphc.volumes.checksums import Digest
    from eryphc.volumes.faults import VolumeError
    from eryphc.volumes.headers import DiskHeader

C = TypeVar("C", bound=Callable[..., Any])

SOURCE_FORMATS = ("img", "qcow2", "raw", "vhd", "vhdx")
TARGET_FORMATS = ("vhdx", "vhd", "raw", "qcow2")

printed = shared.printed("How it is printed.")
source_format = click.option(
    "--from",
    "source_format",
    type=click.Choice(SOURCE_FORMATS),
    help="The file's format; else its content says it. Say raw for a disk that shows none.",
)
progress = shared.progress("How far a slow step is, on standard error; auto: at a terminal.")
force = click.option("--force", is_flag=True, help="Replace a file that is there.")


# What asks the network for volumes of gene pools.
network = shared.all_of(
    shared.genepool,
    shared.architecture,
    click.option("--allow-http", is_flag=True, help="Also take addresses without TLS."),
    click.option(
        "--max-size",
        metavar="GIB",
        type=click.IntRange(1, 65536),
        default=32,
        show_default=True,
        help="The largest download that is accepted.",
    ),
    shared.cache_dir,
)


@click.group("volume", cls=CommandGroup)
def command() -> None:
    """Fetch, verify, convert and look into disk images."""


@command.command("info")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, shell_complete=completes("file")
)
@source_format
@printed
@speaking()
def volume_info(
    files: tuple[str, ...], source_format: str | None, output_format: str, *, console: Console
) -> int:
    """Print what the headers of disk images say: format, sizes, parent, identifier.

    No other file is opened, whatever a header names.
    """
    found: list[tuple[str, DiskHeader]] = []
    code = OK
    for name in files:
        try:
            found.append((name, read(name, source_format)))
        except EryphcError as error:
            console.hand(error.diagnostics)
            code = max(code, error.failure)
    if output_format == "json":
        data = [{"path": name, **header._asdict()} for name, header in found]
        write(sys.stdout, json_text(data))
    else:
        write(sys.stdout, "\n".join(_header_text(name, header) for name, header in found))
    return console.finish(code)


@command.command("verify")
@click.argument("file", metavar="FILE", shell_complete=completes("file"))
@click.option("--sha256", metavar="HEX", help="The digest that the file must have.")
@click.option("--sha512", metavar="HEX", help="The digest that the file must have.")
@click.option(
    "--gene", metavar="GENE", help="The volume gene whose published image the file must be."
)
@source_format
@network
@printed
@progress
@speaking()
def volume_verify(
    file: str,
    sha256: str | None,
    sha512: str | None,
    gene: str | None,
    source_format: str | None,
    output_format: str,
    progress: str,
    *,
    console: Console,
    **options: Any,
) -> int:
    """Verify the structure of a disk image, and its digest against one that is given.

    The structure of qcow2 and VHDX files is checked by qemu-img where it is installed. With
    --gene the digest is the one that the publisher of the volume gives; this asks the network.
    """
    from eryphc.cli.volume_progress import Progress
    from eryphc.volumes import qemu_img
    from eryphc.volumes.checksums import hash_file
    from eryphc.volumes.faults import VolumeError, refusal

    told = Progress(console, progress)
    try:
        wanted = [
            *_given_digest("--sha256", sha256, "sha256"),
            *_given_digest("--sha512", sha512, "sha512"),
            *_published_digest(console, gene, options),
        ]
        header = read(file, source_format)
        hashes = {}
        for algorithm in dict.fromkeys(("sha256", *(each.algorithm for each, _ in wanted))):
            found = hash_file(
                Path(file),
                algorithm,
                lambda done: told.percent("hashing", 100 * done / max(header.size, 1)),
            )
            hashes[algorithm] = found[algorithm]
        for digest, said in wanted:
            if hashes[digest.algorithm] != digest.hex:
                console.add(
                    (
                        wording.digest_differs(
                            file, digest.algorithm, digest.hex, hashes[digest.algorithm], said
                        ),
                    )
                )
        refused = refusal(file, header)
        if refused is not None:
            console.add((refused,))
        elif header.format in ("qcow2", "vhdx"):
            if qemu_img.is_there():
                foreign = qemu_img.foreign_parts(Path(file), header.format)
                damage = None if foreign else qemu_img.check(Path(file), header.format)
                if foreign is not None:
                    console.add((wording.not_self_contained(file, foreign),))
                elif damage is not None:
                    console.add((wording.damaged(file, damage),))
            else:
                console.add((wording.not_checked(file),))
    except VolumeError as error:
        return _ended(console, error)
    finally:
        told.clear()
    if output_format == "json":
        ok = not console.failed
        data = {"path": file, "format": header.format, "ok": ok, "digests": hashes}
        write(sys.stdout, json_text(data))
    elif not console.failed:
        lines = [f"{algorithm} {text}\n" for algorithm, text in hashes.items()]
        what = f"intact {header.format}" + (", the digest is right" if wanted else "")
        write(sys.stdout, "".join([f"{file}: {what}\n", *lines]))
    return console.finish()


@command.command("convert")
@click.argument("file", metavar="FILE", shell_complete=completes("file"))
@click.option(
    "--to",
    "wanted",
    type=click.Choice(TARGET_FORMATS),
    help="The new format; else the name of the output says it, else vhdx.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE|DIR",
    help="Where to write; else beside FILE, with the new format as the suffix.",
)
@source_format
@force
@printed
@progress
@speaking()
def volume_convert(
    file: str,
    wanted: str | None,
    output: str | None,
    source_format: str | None,
    output_format: str,
    progress: str,
    *,
    force: bool,
    console: Console,
) -> int:
    """Convert a disk image with qemu-img. The same image gives the same file everywhere.

    vhdx is dynamic, for Hyper-V; vhd is fixed and of whole MiB, for Azure. An image that needs
    another file (a backing file, a parent, external data) is refused. What was written is
    compared with FILE before it gets its name.
    """
    from eryphc.cli.volume_progress import Progress
    from eryphc.volumes.convert import convert
    from eryphc.volumes.faults import VolumeError, refusal

    told = Progress(console, progress)
    try:
        header = read(file, source_format)
        wanted = wanted or _format_of(output) or "vhdx"
        target = _target(Path(file).stem, wanted, output, Path(file).parent)
        if target.exists() and (not force or target.samefile(file)):
            raise VolumeError(wording.place_taken(_shown(target)), outside=False)
        refused = refusal(file, header)
        if refused is not None:
            raise VolumeError(refused, outside=False)
        target.parent.mkdir(parents=True, exist_ok=True)
        with ended_cleanly():
            done = convert(Path(file), header.format, target, wanted, told.percent)
    except VolumeError as error:
        return _ended(console, error)
    finally:
        told.clear()
    if output_format == "json":
        data = {**done._asdict(), "path": _shown(done.path)}
        write(sys.stdout, json_text(data))
    else:
        write(sys.stdout, f"{_shown(done.path)}\n")
    return console.finish()


@command.command("fetch")
@click.argument(
    "words", metavar="GENE|SPEC...", nargs=-1, required=True, shell_complete=completes("file")
)
@click.option(
    "--convert",
    "wanted",
    type=click.Choice(TARGET_FORMATS),
    help="Convert to this format; else as published (with --into for Hyper-V: vhdx).",
)
@click.option("-o", "--output", metavar="FILE|DIR", help="Where to write; else only the cache.")
@click.option(
    "--into",
    metavar="POOL",
    shell_complete=completes("folder"),
    help="Write into this gene pool, a folder, where every build finds the disk.",
)
@network
@force
@printed
@progress
@speaking()
def volume_fetch(
    words: tuple[str, ...],
    wanted: str | None,
    output: str | None,
    into: str | None,
    output_format: str,
    progress: str,
    *,
    force: bool,
    console: Console,
    **options: Any,
) -> int:
    """Fetch the disk images that volume genes describe, and verify them.

    GENE is gene:ORGANIZATION/SET[/TAG]:NAME. For a SPEC, a file or a folder, it is all that its
    drives start from. An image is verified by the digest that its publisher gives before it gets
    its name; a download that broke off goes on where it stopped. Images are kept in the cache.
    """
    from eryphc.cli.volume_fetch import Fetching

    if output is not None and into is not None:
        raise click.UsageError("`--output` and `--into` exclude each other")
    fetching = Fetching(
        console, options, wanted=wanted, output=output, into=into, force=force, mode=progress
    )
    with ended_cleanly():
        return fetching.run(words, output_format)


# -- shared by the commands -----------------------------------------------------------------


def read(name: str, kind: str | None) -> DiskHeader:
    """The header of a user's file: as `--from` says, else by its content and its name."""
    from eryphc.volumes.headers import DiskHeader, format_of_name, read_header

    path = Path(name)
    stated = None if kind == "img" else kind
    header = read_header(path, stated, None if kind else format_of_name(path))
    if isinstance(header, DiskHeader):
        return header
    if header.missing:
        diagnostic = command_wording.file_not_found(name, header.reason, _near(path))
        raise EryphcError.of(Failure.INPUT, diagnostic)
    raise EryphcError.of(Failure.INPUT, wording.unreadable(name, header.reason))


def _near(path: Path) -> list[str]:
    try:
        return [str(each) for each in path.parent.iterdir() if each.is_file()]
    except OSError:
        return []


def _ended(console: Console, error: VolumeError) -> int:
    console.add((error.diagnostic,))
    return console.finish(FAILED_OUTSIDE if error.outside else WRONG_INPUT)


def _shown(path: Path) -> str:
    from eryphc import shown_path

    return shown_path(path)


def _format_of(output: str | None) -> str | None:
    from eryphc.volumes.headers import format_of_name

    return None if output is None else format_of_name(Path(output))


def _target(stem: str, wanted: str, output: str | None, otherwise: Path) -> Path:
    """The file to write: as named, or of this stem in the folder that is named."""
    if output is None:
        return otherwise / f"{stem}.{wanted}"
    if _format_of(output) is not None and not Path(output).is_dir():
        return Path(output)
    return Path(output) / f"{stem}.{wanted}"


def _given_digest(option: str, text: str | None, algorithm: str) -> Sequence[tuple[Digest, str]]:
    from eryphc.volumes.checksums import digest_of

    if text is None:
        return ()
    digest = digest_of(text)
    if digest is None or digest.algorithm != algorithm:
        length = {"sha256": 64, "sha512": 128}[algorithm]
        diagnostic = command_wording.bad_option_value(option, f"it is not {length} hex digits")
        raise EryphcError.of(Failure.INPUT, diagnostic)
    return ((digest, option),)


def _published_digest(
    console: Console, gene: str | None, options: dict[str, Any]
) -> Sequence[tuple[Digest, str]]:
    import os

    from eryphc.cli.volume_fetch import policy
    from eryphc.disks import needed_volumes
    from eryphc.volumes.fetch import wanted_digest

    if gene is None:
        return ()
    word = gene if gene.startswith("gene:") else f"gene:{gene}"
    request = BuildRequest(architecture=options["arch"], levels=console.levels)
    needed = needed_volumes(shared.session_of(options), (word,), request)
    console.take(needed)
    if not needed.volumes:
        raise EryphcError(needed.failure or Failure.INPUT, ())
    found = needed.volumes
    volume = found[0].volume
    if volume.sha256 is None and volume.checksums_url is None:
        raise EryphcError.of(Failure.INPUT, wording.no_source(str(found[0].gene)))
    return (wanted_digest(volume, policy(options), os.environ),)


def _header_text(name: str, header: DiskHeader) -> str:
    kind = f" ({header.kind})" if header.kind else ""
    lines = [
        ("file", name),
        ("format", f"{header.format}{kind}"),
        ("virtual size", _bytes(header.virtual_size)),
        ("file size", _bytes(header.size)),
        ("allocated", _bytes(header.allocated)),
        ("identifier", header.identifier),
        ("parent", header.parent),
        ("problem", header.problem and f"it {header.problem}"),
    ]
    return "".join(f"{key + ':':<13} {value}\n" for key, value in lines if value is not None)


def _bytes(size: int | None) -> str | None:
    if size is None:
        return None
    for unit, factor in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if size >= factor:
            return f"{size} ({size / factor:.1f} {unit})"
    return str(size)
