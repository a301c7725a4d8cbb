"""`eryphc build`: compile specs and write the artifacts of targets."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eryphc.cli import options as shared
from eryphc.cli.compiling import Compilation, chosen_targets, target_options
from eryphc.cli.console import FAILED_OUTSIDE, WRONG_INPUT, WRONG_USAGE, Console, speaking, write
from eryphc.cli.groups import completes
from eryphc.cli.interruption import ended_cleanly
from eryphc.cli.pipeline import read_one, values_of
from eryphc.diagnostics import command as wording
from eryphc.genepool.files import shown_path

if TYPE_CHECKING:
    from eryphc.artifacts.file import WrittenFile
    from eryphc.artifacts.folder import TargetFolders
    from eryphc.driver import Target


@click.command("build")
@click.argument(
    "specs", metavar="SPEC...", nargs=-1, required=True, shell_complete=completes("file")
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    required=True,
    metavar="TARGET",
    shell_complete=completes("target"),
    help="What to write: cloud-init or hyperv. Repeatable.",
)
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path, readable=False),
    shell_complete=completes("folder"),
    help="Where to write; else build/<catlet>/<target>/.",
)
@shared.printed("How what was written is listed on standard output.")
@shared.progress("Say which spec is compiled; auto: at a terminal, for several specs.")
@shared.front
@target_options
@speaking
def command(
    specs: tuple[str, ...],
    targets: tuple[str, ...],
    output: Path | None,
    output_format: str,
    progress: str,
    *,
    console: Console,
    **options: Any,
) -> int:
    """Compile each SPEC and write the artifacts of each target.

    Each target gets a folder of its own with its artifacts and manifest.json. A folder is
    replaced as a whole or not at all, and only if this tool wrote it.
    """
    try:
        shared.one_standard_input(console, specs)
        with ended_cleanly():
            return _Build(console, options, targets, output, progress).run(specs, output_format)
    except shared.StopRunError as ended:
        return console.finish(ended.code)


# Disk files of that size are hashed in about half a second.
_LARGE = 256 * 1024 * 1024


class _Build:
    def __init__(
        self,
        console: Console,
        options: dict[str, Any],
        targets: Sequence[str],
        output: Path | None,
        progress: str,
    ) -> None:
        self.console = console
        self.targets = chosen_targets(console, targets)
        self.compilation = Compilation(console, options, self.targets)
        self.given = shared.given_values(console, options)
        self.no_input = options["no_input"]
        self.output = output
        self.progress = progress
        self.written: list[dict[str, Any]] = []
        self.compilation.disk_progress = self._say_hashing
        self._hashing: tuple[Path, int] | None = None
        self._watched = progress == "auto" and sys.stderr.isatty()

    def run(self, names: Sequence[str], output_format: str) -> int:
        """One spec after the other, each forgotten once its files lie beside their place."""
        from eryphc.artifacts.errors import OutputFailed, OutputRefused
        from eryphc.artifacts.folder import TargetFolders

        console = self.console
        try:
            with TargetFolders() as folders:
                code = self._stage_all(names, folders)
                if code is not None:
                    return console.finish(code)
                folders.commit()
        except OutputRefused as refused:
            console.add(refused.diagnostics)
            return console.finish(WRONG_USAGE)
        except OutputFailed as failed:
            console.add(failed.diagnostics)
            return console.finish(FAILED_OUTSIDE)
        code = console.finish()
        write(sys.stdout, _printed(self.written, output_format))
        return code

    def _stage_all(self, names: Sequence[str], folders: TargetFolders) -> int | None:
        """Stage every spec; the exit code where something stands against it.

        After a fault nothing more is staged, and specs are compiled for what else is wrong.
        After a folder that may not be written they are only read, and their folders looked at.
        """
        from eryphc.driver import catlet_name

        console = self.console
        values = values_of(
            self.given,
            several=len(names) > 1,
            no_input=self.no_input,
            left_open=self.compilation.slots,
        )
        by_name: dict[str, str] = {}
        unread, outside = WRONG_INPUT, 0
        for number, name in enumerate(names, start=1):
            read, exit_code = read_one(name, self.compilation.front, console)
            if read is None:
                unread = max(unread, exit_code)
                continue
            spec, document = read
            own = catlet_name(document)
            if own in by_name:
                console.add((wording.specs_of_one_name(own, (by_name[own], name)),))
            by_name[own] = name
            places = {
                target: self._place(own, target, several=len(names) > 1) for target in self.targets
            }
            if outside or not console.failed:
                outside = max(outside, self._look_at(folders, places.values()))
            if outside:
                continue
            self._say_progress(number, len(names), own)
            if console.failed:
                # Nobody is asked for values that nothing will be built with.
                values.ask = False
            for target, built in self.compilation.built(spec, document, values):
                if not console.failed:
                    place = places[target]
                    files = folders.stage(place, built.files, built.manifest)
                    self.written.append(_listed(own, target, place, files))
        if outside:
            return outside
        if not console.failed:
            values.undeclared(console)
        return unread if console.failed else None

    def _look_at(self, folders: TargetFolders, places: Iterable[Path]) -> int:
        """Take the places in; the exit code where one of them may not be written, or 0."""
        from eryphc.artifacts.errors import OutputFailed, OutputRefused

        code = 0
        for place in places:
            try:
                folders.look_at(place)
            except OutputRefused as refused:
                self.console.add(refused.diagnostics)
                code = max(code, WRONG_USAGE)
            except OutputFailed as failed:
                self.console.add(failed.diagnostics)
                code = max(code, FAILED_OUTSIDE)
        return code

    def _say_progress(self, number: int, count: int, name: str) -> None:
        if self.progress == "plain" or (count > 1 and self._watched):
            self.console.say(f"[{number}/{count}] {name}")

    def _say_hashing(self, path: Path, done: int, size: int) -> None:
        """A line for each tenth of a disk file that takes more than a moment."""
        tenths = 10 * done // size
        if size < _LARGE or self._hashing == (path, tenths):
            return
        self._hashing = (path, tenths)
        if self.progress == "plain" or self._watched:
            self.console.say(f"hashing {shown_path(path)}: {10 * tenths} %")

    def _place(self, name: str, target: Target, *, several: bool) -> Path:
        if self.output is None:
            return Path("build", name, target.value)
        place = self.output / name if several else self.output
        return place / target.value if several or len(self.targets) > 1 else place


def _listed(name: str, target: Target, place: Path, files: Sequence[WrittenFile]) -> dict[str, Any]:
    folder = shown_path(place)
    return {
        "catlet": name,
        "target": target.value,
        "folder": folder,
        "artifacts": [f"{folder}/{file.path}" for file in files],
    }


def _printed(written: Sequence[dict[str, Any]], output_format: str) -> str:
    """The written artifacts: as text the paths of the ones a user attaches or runs."""
    if output_format == "json":
        from eryphc.diagnostics.words import json_text

        return json_text(list(written))
    lines = [
        path
        for entry in written
        for path in entry["artifacts"]
        if "/nocloud/" not in path.removeprefix(entry["folder"])
    ]
    return "".join(f"{line}\n" for line in lines)
