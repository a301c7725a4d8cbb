"""`eryphc volume fetch`: from descriptions to disk files where a build finds them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eryphc import BuildRequest, EryphcError, Failure, shown_path
from eryphc.caches import cache_folder
from eryphc.cli import options as shared
from eryphc.cli.console import FAILED_OUTSIDE, WRONG_INPUT, Console, write
from eryphc.cli.volume_progress import Progress
from eryphc.diagnostics import command as command_wording
from eryphc.diagnostics import volumes as wording
from eryphc.diagnostics.words import json_text
from eryphc.disks import NeededVolume, needed_volumes
from eryphc.volumes.convert import convert
from eryphc.volumes.faults import VolumeError
from eryphc.volumes.fetch import Desk, Image, Policy, image_of
from eryphc.volumes.headers import DiskHeader, format_of_name, read_header
from eryphc.volumes.identity import derived_id
from eryphc.volumes.places import image_name, locked, opened
from eryphc.volumes.pool import bring_tag, place_in_pool
from eryphc.volumes.pushed import assembled

_GIB = 1024**3


def policy(options: Mapping[str, Any]) -> Policy:
    return Policy(
        limit=options["max_size"] * _GIB,
        limit_said="--max-size",
        allow_http=options["allow_http"],
    )


class Fetching:
    """One run of the command. Each gene is fetched once, whatever asks for it."""

    def __init__(
        self,
        console: Console,
        options: dict[str, Any],
        *,
        wanted: str | None,
        output: str | None,
        into: str | None,
        force: bool,
        mode: str,
    ) -> None:
        self.console = console
        self.options = options
        self.wanted = wanted
        self.output = output
        self.into = into
        self.force = force
        self.progress = Progress(console, mode)
        self.cache = cache_folder(options["cache_dir"], os.environ)

    def run(self, words: tuple[str, ...], output_format: str) -> int:
        request = BuildRequest(architecture=self.options["arch"], levels=self.console.levels)
        needed = needed_volumes(shared.session_of(self.options), words, request)
        self.console.take(needed)
        found, code = needed.volumes, needed.failure or 0
        by_gene = {(str(each.gene), str(each.architecture)): each for each in found}
        self._one_file_for_one(len(by_gene))
        done: dict[tuple[str, str], dict[str, Any]] = {}
        for key, wanted in by_gene.items():
            try:
                done[key] = self._fetch(wanted)
            except VolumeError as error:
                self.console.add((error.diagnostic,))
                code = max(code, FAILED_OUTSIDE if error.outside else WRONG_INPUT)
            finally:
                self.progress.clear()
        self._print(found, done, output_format)
        if not code and found:
            self._say_next(found, done)
        return self.console.finish(code)

    def _one_file_for_one(self, count: int) -> None:
        if self.output is not None and count > 1 and format_of_name(Path(self.output)):
            message = f"it names one file, and there are {count} volumes"
            diagnostic = command_wording.bad_option_value("--output", message, "name a folder")
            raise EryphcError.of(Failure.INPUT, diagnostic)

    # -- one volume -------------------------------------------------------------------------

    def _fetch(self, wanted: NeededVolume) -> dict[str, Any]:
        place: Path | None = None
        kind = self._kind(wanted)
        if self.into is not None and wanted.volume.url is not None and kind is not None:
            place = self._in_pool(wanted, kind)
        limits = policy(self.options)
        desk = Desk(os.environ, self.cache, limits, self.progress.bytes, self._waiting)
        if wanted.pushed is not None:
            image = assembled(str(wanted.gene), wanted.pushed, desk)
        else:
            image = image_of(str(wanted.gene), wanted.volume, desk, wanted.pinned)
        if image.dated is not None:
            self.console.add((wording.dated(str(wanted.gene), image.dated),))
        kind = kind or image.format
        if place is None and self.into is not None:
            place = self._in_pool(wanted, kind)
        elif place is None and (self.output is not None or kind != image.format):
            place = self._beside(wanted, kind)
        path, sha256, size = image.path, image.sha256, image.size
        if place is not None:
            with locked(opened(self.cache), place, self._waiting):
                sha256, size = self._write(image, place, kind)
            path = place
        if self.into is not None:
            bring_tag(Path(self.into), wanted.tag, wanted.gene)
        header = read_header(path, kind)
        return {
            "gene": str(wanted.gene),
            "arch": str(wanted.architecture),
            "path": shown_path(path),
            "format": kind,
            "sha256": sha256,
            "size": size,
            "virtual_size": header.virtual_size if isinstance(header, DiskHeader) else None,
            "published_sha256": image.sha256,
            "url": image.dated or wanted.volume.url,
            "fetched": image.fetched,
        }

    def _kind(self, wanted: NeededVolume) -> str | None:
        """The format that the user wants; None: the published one."""
        if self.wanted is not None:
            return self.wanted
        if self.output is not None and format_of_name(Path(self.output)) is not None:
            return format_of_name(Path(self.output))
        on_hyperv = wanted.architecture.hypervisor in ("any", "hyperv")
        return "vhdx" if self.into is not None and on_hyperv else None

    def _in_pool(self, wanted: NeededVolume, kind: str) -> Path:
        pool = Path(self.into or "")
        return place_in_pool(pool, wanted.tag, wanted.gene, wanted.architecture, kind)

    def _beside(self, wanted: NeededVolume, kind: str) -> Path:
        name = image_name(wanted.gene, kind)
        if self.output is None:
            return Path(name)
        named = Path(self.output)
        return named if format_of_name(named) and not named.is_dir() else named / name

    def _write(self, image: Image, place: Path, kind: str) -> tuple[str, int]:
        """The image at its place, in its format; a file there that is the same stays."""
        from eryphc.volumes.checksums import hash_file

        if place.exists():
            if _is_made_of(place, image, kind) or place.samefile(image.path):
                return hash_file(place)["sha256"], place.stat().st_size
            if not self.force:
                raise VolumeError(wording.place_taken(shown_path(place)), outside=False)
        place.parent.mkdir(parents=True, exist_ok=True)
        if kind != image.format:
            done = convert(
                image.path, image.format, place, kind, self.progress.percent, image.sha256
            )
            return done.sha256, done.size
        part = place.with_name(f".{place.name}.{os.getpid()}.part")
        try:
            shutil.copyfile(image.path, part)
            os.replace(part, place)  # noqa: PTH105
        finally:
            part.unlink(missing_ok=True)
        return image.sha256, image.size

    def _waiting(self) -> None:
        self.console.say("waiting for another run that writes the same file")

    # -- what is said -----------------------------------------------------------------------

    def _print(
        self,
        found: Sequence[NeededVolume],
        done: Mapping[tuple[str, str], dict[str, Any]],
        output_format: str,
    ) -> None:
        if output_format == "json":
            data = [
                {
                    **entry,
                    "drives": _drives(found, key),
                    "volume_options": _volumes(found, key, entry),
                }
                for key, entry in done.items()
            ]
            write(sys.stdout, json_text(data))
            return
        write(sys.stdout, "".join(f"{entry['path']}\n" for entry in done.values()))

    def _say_next(
        self, found: Sequence[NeededVolume], done: Mapping[tuple[str, str], dict[str, Any]]
    ) -> None:
        """The commands that use what was fetched, ready to be typed."""
        import shlex

        for spec in dict.fromkeys(each.spec for each in found if each.spec is not None):
            own = [each for each in found if each.spec == spec]
            entries = [(each, done[str(each.gene), str(each.architecture)]) for each in own]
            words = ["eryphc", "build", spec, "--target", "hyperv"]
            runtime = ["eryph-runtime", "apply", f"build/{own[0].catlet}/hyperv"]
            if any(entry["format"] != "vhdx" for _, entry in entries):
                return
            pools = [*self.options["genepools"]]
            if self.into is not None:
                into = Path(self.into)
                beside = Path(spec).parent if Path(spec).is_file() else Path(spec)
                # The pool with the disk has to come before the one that only describes it.
                named = bool(pools or os.environ.get("ERYPHC_GENEPOOL"))
                pools = [pool for pool in pools if not _is_same(Path(pool), into)]
                if named or not _is_same(into, beside / "genes"):
                    pools.insert(0, self.into)
                runtime += ["--pool", self.into]
            else:
                options = [
                    word
                    for each, entry in entries
                    for drive in each.drives
                    for word in ("--volume", f"{drive}={entry['path']}")
                ]
                words += options
                runtime += options
            words += [word for pool in pools for word in ("--genepool", pool)]
            self.console.say(f"next: {shlex.join(words)}")
            self.console.say(f"then: {shlex.join(runtime)}")


def _is_made_of(place: Path, image: Image, kind: str) -> bool:
    """Whether the file there is the same image, or one that we converted from it before."""
    from eryphc.volumes.checksums import hash_file

    if kind == image.format:
        return hash_file(place)["sha256"] == image.sha256
    header = read_header(place, kind)
    if not isinstance(header, DiskHeader):
        return False
    if header.virtual_size is None or header.problem is not None:
        return False
    purpose = {"vhdx": "disk", "vhd": "vhd"}.get(kind)
    if purpose is None:
        return False
    made = derived_id(purpose, image.sha256, header.virtual_size)
    return header.identifier == str(made)


def _drives(found: Sequence[NeededVolume], key: tuple[str, str]) -> list[str]:
    return sorted(
        {
            drive
            for each in found
            if (str(each.gene), str(each.architecture)) == key
            for drive in each.drives
        }
    )


def _volumes(
    found: Sequence[NeededVolume], key: tuple[str, str], entry: Mapping[str, Any]
) -> list[str]:
    return [f"{drive}={entry['path']}" for drive in _drives(found, key)]


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)
