"""Runs in an environment of its own: cloudbase-init's own code reads a user-data, as in Windows.

Usage: read_with_cloudbase_init.py USER_DATA EXIT_CODES. What it would call of Windows is
recorded instead; EXIT_CODES is a JSON object from a script's name to its exit code. Prints one
JSON object: what was run and set, in order, and what the plugin would report.
"""

import json
import os
import pathlib
import re
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from cloudbaseinit.osutils import factory
from cloudbaseinit.plugins.common import base, userdata
from cloudbaseinit.plugins.common.userdataplugins.cloudconfigplugins import write_files
from oslo_log import log

TEMPORARY = re.compile(r"^[0-9a-f]{8}-[0-9a-f-]{27}")
events: list[list[Any]] = []
exit_codes = json.loads(sys.argv[2])


def name_and_text(script: str) -> tuple[str, str]:
    path = pathlib.Path(script)
    raw, name = path.read_bytes(), path.name
    # A script without extension is copied to a random name with one.
    return TEMPORARY.sub("(temporary)", name), raw.decode("utf-8")


class Windows:
    """The calls of Windows that a user-data can cause."""

    def execute_process(self, args: list[str], **_kwargs: Any) -> tuple[bytes, bytes, int]:
        name, text = name_and_text(args[-1])
        interpreter = "cmd" if len(args) == 1 else args[0]
        events.append(["run", interpreter, name, text])
        return b"", b"", exit_codes.get(name, 0)

    def execute_powershell_script(
        self,
        path: str,
        sysnative: bool,  # noqa: FBT001
    ) -> tuple[bytes, bytes, int]:
        name, text = name_and_text(path)
        events.append(["run", "powershell" if sysnative else "powershell-32", name, text])
        return b"", b"", exit_codes.get(name, 0)

    def get_default_script_exec_header(self) -> str:
        return "rem cmd"

    def get_maximum_password_length(self) -> int:
        return 20

    def user_exists(self, _name: str) -> bool:
        return False

    def create_user(self, name: str, password: str) -> None:
        events.append(["user", name, password])

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **_kwargs: events.append(["call", name, [str(arg) for arg in args]])


factory.get_os_utils = Windows
write_files._write_file = lambda path, content, *_args, **_kwargs: events.append(
    # The guest makes the path absolute, which here means below the working folder.
    [
        "file",
        os.path.relpath(path),
        content.decode("utf-8") if isinstance(content, bytes) else content,
    ]
)


class Service:
    def get_decoded_user_data(self) -> bytes:
        return pathlib.Path(sys.argv[1]).read_bytes()

    def get_instance_data(self) -> dict[str, dict[str, str]]:
        return {"v1": {"local_hostname": "rendered-host"}}


tempfile.tempdir = tempfile.mkdtemp()
log.register_options(userdata.CONF)
userdata.CONF([])
status, reboot = userdata.UserDataPlugin().execute(Service(), {})
again = status == base.PLUGIN_EXECUTE_ON_NEXT_BOOT
print(json.dumps({"events": events, "reboot": reboot, "again": again}))
