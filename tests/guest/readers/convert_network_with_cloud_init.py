"""Runs under the system's Python: cloud-init's own `cloud-init devel net-convert`.

Takes the options of net-convert. Files of networkd are given to its user, which a guest has and the
machine of a test need not have, nor the right to give files away; what they say is the same.
"""

import sys

from cloudinit import util
from cloudinit.cmd.main import main


def leave_owner(_file: str, user: str | None = None, group: str | None = None) -> None:
    # A cloud-init that gives them to somebody else is news that a test should bring.
    if (user, group) != ("systemd-network", "systemd-network"):
        sys.exit(f"given to {user}:{group}")


util.chownbyname = leave_owner
sys.exit(main(["cloud-init", "devel", "net-convert", *sys.argv[1:]]))
