"""`eryphc build`: compile specs and write the artifacts of targets."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eryphc import EryphcError, Failure, Outputs, ReadSpec, Target, shown_path
from eryphc.cli import options as shared
from eryphc.cli.completing import completes
from eryphc.cli.console import OK, Console, speaking, write
from eryphc.cli.interruption import ended_cleanly
from eryphc.diagnostics import command as wording

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from eryphc import Built, Checked, Session, WrittenFile
    from eryphc.sharing import Attesting, OutputCache

    Ask: TypeAlias = Callable[[str, bool], "str | None"]


@click.command("build")
@click.argument("specs", metavar="[SPEC]...", nargs=-1, shell_complete=completes("file"))
@click.option(
    "--target",
    "targets",
    multiple=True,
    required=True,
    metavar="TARGET",
    shell_complete=completes("target"),
    help=f"What to write: {' or '.join(Target)}. Repeatable.",
)
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path, readable=False),
    shell_complete=completes("folder"),
    help="Where to write; else build/<catlet>/<target>/.",
)
@click.option(
    "--provenance",
    is_flag=True,
    help="Also write TARGET.provenance.json beside each folder: what it was made of.",
)
@click.option("--builder-id", metavar="URI", help="Who builds, for the statement of provenance.")
@click.option(
    "--sign",
    "key",
    metavar="KEY",
    type=click.Path(path_type=Path),
    shell_complete=completes("file"),
    help="Also sign the statements with this SSH key: TARGET.provenance.json.sig.",
)
@click.option("--with-times", is_flag=True, help="The statement also says when it was built.")
@click.option(
    "--sbom",
    is_flag=True,
    help="Also write TARGET.cdx.json beside each folder: its parts, for CycloneDX.",
)
@click.option("--cache", "own_cache", is_flag=True, help="Take and keep outputs in your cache.")
@click.option(
    "--cache-from",
    metavar="DIR",
    type=click.Path(path_type=Path),
    shell_complete=completes("folder"),
    help="Take outputs and locked genes from what --cache-to of an earlier job wrote.",
)
@click.option(
    "--cache-to",
    metavar="DIR",
    type=click.Path(path_type=Path),
    shell_complete=completes("folder"),
    help="Write the locked genes there, and with ERYPHC_CACHE_KEY the outputs; replaces DIR.",
)
@shared.cache_dir
@click.option(
    "--no-cache",
    is_flag=True,
    help="Neither take nor keep outputs, whatever is set; genes of --cache-from are taken.",
)
@click.option(
    "--check-reproducible",
    is_flag=True,
    help="Build twice, the second time under other circumstances, and compare.",
)
@shared.printed("How what was written is listed on standard output.")
@shared.progress("Say which spec is compiled; auto: at a terminal, for several specs.")
@shared.front
@shared.guest
@shared.targets
@speaking()
def command(
    specs: tuple[str, ...],
    targets: tuple[str, ...],
    output: Path | None,
    output_format: str,
    progress: str,
    builder_id: str | None,
    key: Path | None,
    *,
    provenance: bool,
    with_times: bool,
    sbom: bool,
    console: Console,
    **options: Any,
) -> int:
    """Compile each SPEC and write the artifacts of each target.

    Without SPEC the specs that eryphc.yaml lists, else catlet.yaml here.

    Each target gets a folder of its own with its artifacts and manifest.json. A folder is
    replaced as a whole or not at all, and only if this tool wrote it.
    """
    shared.one_standard_input(specs)
    attesting = None
    if provenance or sbom or builder_id is not None or key is not None or with_times:
        attesting = _attesting(builder_id, key, provenance=provenance, times=with_times, sbom=sbom)
    with ended_cleanly():
        build = _Build(console, options, specs, targets, output, progress, attesting)
        return build.run(output_format)


def _attesting(
    builder: str | None, key: Path | None, *, provenance: bool, times: bool, sbom: bool
) -> Attesting:
    """What makes the files beside the folders."""
    from eryphc.sharing import Attesting, Wanted, utc_now

    for given, option in (
        (builder is not None, "--builder-id"),
        (key is not None, "--sign"),
        (times, "--with-times"),
    ):
        if given and not provenance:
            message = f"`{option}` has no effect without `--provenance`"
            raise EryphcError.of(Failure.USAGE, wording.usage(message, None))
    now = utc_now if times else None
    wanted = Wanted(provenance=provenance, sbom=sbom, builder=builder, now=now, key=key)
    return Attesting(wanted)


# Disk files of that size are hashed in about half a second, and converted in a few.
_LARGE = 256 * 1024 * 1024


class _Build:
    """One run: every spec after the other, each forgotten once its files lie beside their place."""

    def __init__(
        self,
        console: Console,
        options: Mapping[str, Any],
        specs: Sequence[str],
        targets: Sequence[str],
        output: Path | None,
        progress: str,
        attesting: Attesting | None = None,
    ) -> None:
        self.console = console
        self.attesting = attesting
        self._options = options
        self._session: Session | None = None
        self.cache: OutputCache | None = None
        self.answers: dict[str, str] = {}
        self.again = options["check_reproducible"]
        named = any(options[name] for name in ("own_cache", "cache_from", "cache_to"))
        if options["no_cache"] or not named:
            # Outputs that a cache has need none; else what is wrong with pools is said first.
            self._session = self._begun()
        self.specs = specs or shared.own_specs(self.session)
        self.several = len(self.specs) > 1
        self.targets = shared.chosen_targets(targets)
        self.request = shared.request_of(console, options, self.targets, several=self.several)
        if self.again and "-" in self.specs:
            message = "`--check-reproducible` reads each spec twice, and standard input only once"
            raise EryphcError.of(Failure.USAGE, wording.usage(message, "name a file"))
        if not options["no_cache"]:
            self.cache = self._cache(options)
        if self.cache is not None:
            # One that takes notes, and only if something has to be compiled.
            self._session = None
        self.places: dict[tuple[str, Target], Path] = {}
        # By catlet and adapter: each target has the same.
        self.addresses: dict[tuple[str, str], Any] = {}
        self.output = output
        self.progress = progress
        self.written: list[dict[str, Any]] = []
        self._said: tuple[str, Path, int] | None = None
        self._watched = progress == "auto" and sys.stderr.isatty()

    @property
    def session(self) -> Session:
        """What compiles. It is begun when it is first asked for."""
        if self._session is None:
            self._session = self._begun()
        return self._session

    def _begun(self) -> Session:
        session = shared.session_of(
            self._options,
            self._say_hashing,
            self._say_step,
            self.console.detail,
            noting=self.cache is not None,
            spare=self._spare(self._options["cache_from"]),
        )
        if self.again:
            session.ask = self._remembering(session.ask)
        return session

    def _cache(self, options: Mapping[str, Any]) -> OutputCache | None:
        """The caches of this run, None where neither options nor the project ask for any."""
        source, target = options["cache_from"], options["cache_to"]
        own = options["own_cache"] or any(map(self._wants_cache, self.specs))
        if not own and source is None and target is None:
            return None
        from eryphc.sharing import CacheUse, OutputCache

        use = CacheUse(own, source, target)
        locked = bool(options.get("locked") or options.get("frozen"))
        return OutputCache(use, shared.environment(options), options["genepools"], locked=locked)

    @staticmethod
    def _spare(source: Path | None) -> Path | None:
        """Where locked genes lie that are not at hand."""
        if source is None:
            return None
        from eryphc.sharing import spare_in

        return spare_in(source)

    def _remembering(self, ask: Ask | None) -> Ask | None:
        """Asks, and remembers the answers for the second build."""
        if ask is None:
            return None

        def remembered(name: str, secret: bool) -> str | None:  # noqa: FBT001 - as a session asks
            answer = ask(name, secret)
            if answer is not None:
                self.answers[f"ERYPHC_VAR_{name}"] = answer
            return answer

        return remembered

    def _build_again(self) -> None:
        """Build the same a second time, and report where that differs."""
        from eryphc.cli.again import words_again
        from eryphc.sharing import Twice, build_again, first_difference, second_place

        with second_place() as folder:
            output = folder / "build"
            words = words_again(click.get_current_context(), self.specs, output)
            fault = build_again(words, folder, {**os.environ, **self.answers})
            pairs = []
            for (name, target), place in self.places.items():
                second = self._place_in(output, name, target)
                pairs.append(Twice(place, second))
                for suffix in () if self.attesting is None else self.attesting.suffixes:
                    both = (each.with_name(each.name + suffix) for each in (place, second))
                    pairs.append(Twice(*both))
            found = fault or first_difference(pairs)
        if found is not None:
            self.console.add((found,))

    def _wants_cache(self, name: str) -> bool:
        """Whether the project of a spec says that outputs are kept."""
        if name in ("", "-"):
            return False
        try:
            path = Path(name)
            project = self.session.opener.project(path if path.is_dir() else path.parent)
        except (OSError, ValueError):
            return False
        return project is not None and project.value is not None and bool(project.value.cache)

    def run(self, output_format: str) -> int:
        try:
            with Outputs() as outputs:
                self._stage_all(outputs)
                if not self.console.failed:
                    outputs.commit()
                    self._settle()
                    if self.again:
                        self._build_again()
        finally:
            if self.cache is not None:
                self.cache.close()
        code = self.console.finish()
        if code == OK:
            write(sys.stdout, _printed(self.written, output_format))
        return code

    def _stage_all(self, outputs: Outputs) -> None:
        """Stage every spec.

        After a fault nothing more is staged; the other specs are compiled only to find faults.
        After a folder that may not be written they are only read, and their folders checked.
        """
        console = self.console
        by_name: dict[str, str] = {}
        declared: frozenset[str] = frozenset()
        unwritable: list[EryphcError] = []
        for number, name in enumerate(self.specs, start=1):
            restored = self._restored(name)
            read = restored[0] if restored else self.session.read(name, self.request)
            if read.name is None:
                console.take(read)
                continue
            if read.name in by_name:
                console.add((wording.specs_of_one_name(read.name, (by_name[read.name], name)),))
            by_name[read.name] = name
            if unwritable or not console.failed:
                unwritable += self._refused(outputs, read.name)
            if unwritable:
                console.hand(read.diagnostics)
                continue
            self._say_progress(number, read.name)
            if console.failed:
                # Do not prompt for values when the build has already failed.
                self.session.ask = None
            if isinstance(read, ReadSpec):
                declared |= self._build(name, read, outputs)
            else:
                declared |= self._take(restored, outputs)
        if unwritable:
            for error in unwritable:
                console.hand(error.diagnostics)
            raise EryphcError(max(error.failure for error in unwritable), ())
        if self.attesting is not None:
            console.hand(self.attesting.found)
        if self.several:
            from eryphc import Session

            console.hand(Session.shared_addresses(self.addresses.values()))
        if self.several and not console.failed:
            console.add(shared.undeclared_values(self.request, declared))

    def _refused(self, outputs: Outputs, name: str) -> list[EryphcError]:
        """Take in the folders of a catlet; gives the reasons why they cannot be written."""
        found: list[EryphcError] = []
        for target in self.targets:
            try:
                outputs.look_at(self._place(name, target))
            except EryphcError as error:
                found.append(error)
        return found

    def _restored(self, name: str) -> Sequence[Built]:
        """The outputs of a spec that a cache has, for all targets; none where it lacks one."""
        if self.cache is None:
            return ()
        restored = self.cache.restored(name, self.targets, self.request)
        self.console.hand(self.cache.found)
        return restored or ()

    def _take(self, restored: Sequence[Built], outputs: Outputs) -> frozenset[str]:
        """Stage what a cache had; gives the variables that the spec declares."""
        for built in restored:
            self._note(built)
            if built is restored[0]:
                self._say_details(built)
                self.console.detail(f"{built.name} from the cache")
            if not self.console.failed:
                self._stage(built, outputs, from_cache=True)
        return restored[0].declared

    def _stage(
        self, built: Built, outputs: Outputs, *, from_cache: bool = False
    ) -> Sequence[WrittenFile]:
        """Write one target beside its place, unless that has the same bytes already."""
        place = self._place(built.name, built.target)
        beside = None if self.attesting is None else self.attesting.companions(built)
        files = outputs.unchanged(place, built) if from_cache and beside is None else None
        if files is None:
            files = outputs.stage(place, built, beside)
        self.places[built.name, built.target] = place
        self.written.append(_listed(built.name, built.target, place, files))
        return files

    def _settle(self) -> None:
        """What was written is kept for later runs."""
        if self.cache is not None:
            self.cache.settle()
            if self.cache.writes:
                self.cache.write(self.session, self.places)
            self.console.hand(self.cache.found)

    def _build(self, name: str, read: ReadSpec, outputs: Outputs) -> frozenset[str]:
        """Compile one spec and stage its targets; gives the variables that it declares."""
        if self.console.failed:
            # Nothing will be written, so do not convert disks any more.
            checked = self.session.check(read, self.targets, self.request)
            self._note(checked)
            self._say_details(checked)
            return checked.declared
        declared: frozenset[str] = frozenset()
        facts = self.attesting is not None or self.cache is not None
        for built in self.session.builds(read, self.targets, self.request, facts=facts):
            self._note(built)
            declared |= built.declared
            if built.target is self.targets[0]:
                self._say_details(built)
            if not self.console.failed:
                files = self._stage(built, outputs)
                if self.cache is not None:
                    self.cache.keep(name, self.request, built, files)
        return declared

    def _note(self, checked: Checked) -> None:
        """What is found, and what is compared with other specs."""
        self.console.take(checked)
        for each in checked.addresses:
            self.addresses.setdefault((each.catlet, each.adapter), each)

    def _say_details(self, checked: Checked) -> None:
        for line in (*checked.sources, *checked.details):
            self.console.detail(line)

    def _say_progress(self, number: int, name: str) -> None:
        if self.progress == "plain" or (self.several and self._watched):
            self.console.say(f"[{number}/{len(self.specs)}] {name}")

    def _say_hashing(self, path: Path, done: int, size: int) -> None:
        self._say_step("hashing", path, done, size)

    def _say_step(self, step: str, path: Path, done: int, size: int) -> None:
        """A line for each tenth of a disk file that takes more than a moment."""
        if size < _LARGE:
            return
        tenths = 10 * done // size
        if self._said == (step, path, tenths):
            return
        self._said = (step, path, tenths)
        if self.progress == "plain" or self._watched:
            self.console.say(f"{step} {shown_path(path)}: {10 * tenths} %")

    def _place(self, name: str, target: Target) -> Path:
        if self.output is None:
            return Path("build", name, target.value)
        return self._place_in(self.output, name, target)

    def _place_in(self, output: Path, name: str, target: Target) -> Path:
        place = output / name if self.several else output
        return place / target.value if self.several or len(self.targets) > 1 else place


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
