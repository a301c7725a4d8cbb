"""Run by the system's Python: the module of the installed cloud-init writes files for real.

Reads a cloud-config from stdin. Its paths lie in a folder of the test, and its files belong to
whoever runs this, unless they say otherwise. Writes the permissions of each file by its name.
"""

from __future__ import annotations

import grp
import json
import logging
import os
import pwd
import sys
from pathlib import Path

from cloudinit import safeyaml
from cloudinit.config.cc_write_files import write_files

logging.disable(logging.CRITICAL)
files = safeyaml.load(sys.stdin.read())["write_files"]
me = f"{pwd.getpwuid(os.getuid()).pw_name}:{grp.getgrgid(os.getgid()).gr_name}"
write_files("write_files", files, me)
seen = {
    Path(each["path"]).name: f"{Path(each['path']).stat().st_mode & 0o7777:o}" for each in files
}
json.dump(seen, sys.stdout)
