"""Runs under the system's Python: cloud-init's own code reads a user-data, as in a guest.

Usage: read_with_cloud_init.py USER_DATA FOLDER. Prints one JSON object: the parts, the files
they become, what would run at once, the merged cloud-config, and every warning.
"""

import json
import logging
import sys
from pathlib import Path
from typing import Any

from cloudinit import handlers, helpers, user_data, util
from cloudinit.handlers.boot_hook import BootHookPartHandler
from cloudinit.handlers.cloud_config import CloudConfigPartHandler
from cloudinit.handlers.jinja_template import JinjaTemplatePartHandler
from cloudinit.handlers.shell_script import ShellScriptPartHandler
from cloudinit.handlers.shell_script_by_frequency import ShellScriptByFreqPartHandler
from cloudinit.settings import PER_ALWAYS, PER_INSTANCE, PER_ONCE


class Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


class DataSource:
    def get_instance_id(self) -> str:
        return "i-test"


written: list[list[Any]] = []


class RecordedBoothooks(BootHookPartHandler):  # type: ignore[misc] # cloud-init has no types
    """Writes a boothook as the guest does, and stops before running it."""

    def handle_part(
        self, _data: object, ctype: str, filename: str, payload: str, _frequency: str
    ) -> None:
        if ctype not in handlers.CONTENT_SIGNALS:
            path = self._write_part(payload, filename)
            written.append([filename, Path(path).read_bytes().decode("utf-8")])


def main(source: str, folder: str) -> None:
    warnings = Warnings()
    logging.getLogger().addHandler(warnings)
    logging.getLogger("cloudinit").setLevel(logging.WARNING)
    root = Path(folder)
    run = root / "run"
    run.mkdir(parents=True)
    data = {"v1": {"local_hostname": "rendered-host"}, "ds": {"meta_data": {}}}
    (run / "instance-data-sensitive.json").write_text(json.dumps(data))
    paths = helpers.Paths({"cloud_dir": str(root / "cloud"), "run_dir": str(run)}, ds=DataSource())
    paths.lookups["instance_data_sensitive"] = "instance-data-sensitive.json"
    for name in ("scripts", "boothooks", "handlers", "data"):
        Path(paths.get_ipath(name)).mkdir(parents=True, exist_ok=True)
    (root / "cloud" / "instance").symlink_to(paths.get_ipath())
    sys.path.insert(0, paths.get_ipath("handlers"))

    message = user_data.UserDataProcessor(paths).process(Path(source).read_bytes())
    parts = []

    def note(_data: object, filename: str, payload: str, headers: dict[str, str]) -> None:
        parts.append([headers["Content-Type"], filename, payload])

    handlers.walk(message, note, None)

    options = {"paths": paths, "datasource": DataSource()}
    config = CloudConfigPartHandler(**options)
    script = ShellScriptPartHandler(**options)
    known = helpers.ContentHandlers()
    boothook = RecordedBoothooks(**options)
    known_handlers = [
        config,
        script,
        ShellScriptByFreqPartHandler(PER_ALWAYS, **options),
        ShellScriptByFreqPartHandler(PER_INSTANCE, **options),
        ShellScriptByFreqPartHandler(PER_ONCE, **options),
        boothook,
        JinjaTemplatePartHandler(**options, sub_handlers=[config, script]),
    ]
    for handler in known_handlers:
        known.register(handler)
    walked = {
        "handlers": known,
        "handlerdir": paths.get_ipath("handlers"),
        "data": None,
        "frequency": PER_INSTANCE,
        "handlercount": 0,
        "excluded": [],
    }
    for handler in known_handlers:
        handlers.call_begin(handler, None, PER_INSTANCE)
    handlers.walk(message, handlers.walker_callback, walked)
    for handler in known_handlers:
        handlers.call_end(handler, None, PER_INSTANCE)

    scripts = Path(paths.get_ipath("scripts"))
    merged = Path(paths.get_ipath("cloud_config"))
    result = {
        "parts": parts,
        "scripts": [
            [path.name, path.read_bytes().decode("utf-8")]
            for path in sorted(scripts.iterdir(), key=lambda path: path.name.encode())
        ],
        "boothooks": written,
        "config": util.load_yaml(merged.read_text("utf-8"), default={}) if merged.exists() else {},
        "warnings": warnings.messages,
    }
    print(json.dumps(result))


main(*sys.argv[1:])
