"""Runs under the system's Python: cloud-init's own code loads many YAML texts.

Usage: load_with_cloud_init.py TEXTS, a JSON file with a list of texts. Prints a list as long: what
`cloudinit.util.load_yaml` makes of each as a cloud-config, by its `repr`, and null for what it
refuses.
"""

import json
import logging
import sys
from pathlib import Path

from cloudinit import util

logging.disable(logging.CRITICAL)
REFUSED = object()


def loaded(text: str) -> "str | None":
    try:
        value = util.load_yaml(text, default=REFUSED)
    except Exception:  # a handler of parts catches all of them
        return None
    # What is empty gives the default, too, and is no fault.
    return None if value is REFUSED else repr(value)


texts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
print(json.dumps([loaded(text) for text in texts]))
