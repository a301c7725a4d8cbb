"""Run by the system's Python: the modules of the installed cloud-init carry out configurations.

Reads from stdin a JSON list of cloud-configs as text; writes for each what its modules did, in
their order: the modules that failed, each with its error, what reached the system, and the files
with their texts. Commands and files are noted instead of run and written. Users and groups are
kept as `useradd` and `groupadd` keep them: a name that is taken is refused.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
from contextlib import redirect_stderr
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cloudinit import cloud, helpers, safeyaml, ssh_util, subp, util
from cloudinit.cmd.main import apply_reporting_cfg
from cloudinit.config import (
    cc_apt_configure,
    cc_ca_certs,
    cc_disk_setup,
    cc_mounts,
    cc_ntp,
    cc_package_update_upgrade_install,
    cc_power_state_change,
    cc_seed_random,
    cc_set_hostname,
    cc_set_passwords,
    cc_ssh_import_id,
)
from cloudinit.config.modules import Modules, form_module_name
from cloudinit.distros import debian
from cloudinit.sources import DataSourceHostname

MODULES = (
    *("seed_random", "bootcmd", "write_files", "growpart", "resizefs", "disk_setup", "mounts"),
    *("set_hostname", "update_hostname", "update_etc_hosts", "ca_certs", "rsyslog"),
    *("users_groups", "ssh", "snap", "ssh_import_id", "keyboard", "locale", "set_passwords"),
    *("apt_configure", "yum_add_repo", "ntp", "timezone", "runcmd"),
    *("package_update_upgrade_install", "write_files_deferred", "phone_home", "final_message"),
    "power_state_change",
)
DEFAULT_USER = {"name": "debian", "lock_passwd": True, "groups": ["sudo"], "shell": "/bin/bash"}
BASE = {"users": ["default"], "disable_root": True, "apt": {"preserve_sources_list": True}}
SYSTEM = {"default_user": DEFAULT_USER, "paths": {"cloud_dir": "/nonexistent/cloud"}}


class System:
    """What reaches the system, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.files: list[tuple[str, str]] = []
        self.users = {"root"}
        self.groups = {"root", "sudo"}

    def run(self, args: Any, *_more: Any, **_options: Any) -> Any:
        words = [args] if isinstance(args, str) else [str(word) for word in args]
        if words[0] == "useradd":
            name, groups = words[1], _after(words, "--groups").split(",")
            own_group = "--gid" not in words and "--no-user-group" not in words
            given = {*groups, _after(words, "--gid")} - {""}
            if (own_group and name in self.groups) or given - self.groups:
                raise subp.ProcessExecutionError(cmd=words, exit_code=9)
            self.users.add(name)
            if own_group:
                self.groups.add(name)
        if words[0] == "groupadd":
            self.groups.add(words[1])
        self.done.append(" ".join(words[:1] if words[0].startswith("/bin/sh") else words))
        return subp.SubpResult("", "")

    def write(self, filename: str, content: Any, *_more: Any, **_options: Any) -> None:
        data = util.encode_text(content) if isinstance(content, str) else bytes(memoryview(content))
        self.done.append(f"write {filename}")
        self.files.append((str(filename), data.decode("utf-8", "replace")))

    def user(self, name: str) -> Any:
        # As `pwd.getpwnam`, and `group` as `grp.getgrnam`.
        if name not in self.users:
            raise KeyError(f"getpwnam(): name not found: {name!r}")
        return SimpleNamespace(pw_uid=1)

    def group(self, name: str) -> Any:
        if name not in self.groups:
            raise KeyError(f"getgrnam(): name not found: {name!r}")
        return SimpleNamespace(gr_gid=1)


def _after(words: list[str], option: str) -> str:
    return words[words.index(option) + 1] if option in words else ""


class Source:
    """A data source that knows nothing but the identity of its machine."""

    distro = None
    availability_zone = region = None
    platform_type = "nocloud"
    is_disconnected = False
    metadata: dict[str, str] = {}  # noqa: RUF012

    def get_instance_id(self) -> str:
        return "i-test"

    def get_public_ssh_keys(self) -> list[str]:
        return []

    def get_hostname(self, **_options: Any) -> Any:
        return DataSourceHostname("fromseed", False)

    def get_locale(self) -> str:
        return "en_US.UTF-8"

    def device_name_to_device(self, _name: str) -> None:
        return None

    def publish_host_keys(self, _keys: Any) -> None:
        pass

    def get_package_mirror_info(self) -> dict[str, str]:
        return {"PRIMARY": "http://deb", "SECURITY": "http://deb"}


def carried_out(text: str) -> dict[str, Any]:
    """What the modules do with one configuration."""
    system, source = System(), Source()
    paths = helpers.Paths({"cloud_dir": "/nonexistent/cloud"}, ds=source)
    distro = debian.Distro("debian", SYSTEM, paths)
    here = cloud.Cloud(source, paths, {}, distro, None)
    _replace(system, distro)
    config = util.mergemanydict([safeyaml.load(text), BASE])
    failed: dict[str, str] = {}

    def attempt(name: str, function: Any, *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception as error:  # The loop of cloud-init, too, catches all.
            failed[name] = f"{type(error).__name__}: {error}"

    attempt("everything", apply_reporting_cfg, config)
    if failed:
        return {"failed": failed, "done": system.done, "files": system.files}
    for stage in ("init", "config", "final"):
        section = f"cloud_{stage}_modules"
        asked = attempt(stage, Modules._read_modules, SimpleNamespace(cfg=config), section)
        for each in asked or ():
            attempt(
                stage, importlib.import_module, f"cloudinit.config.{form_module_name(each['mod'])}"
            )
    for name in MODULES:
        module = importlib.import_module(f"cloudinit.config.cc_{name}")
        system.done.append(f"[{name}]")
        activated = module.meta.get("activate_by_schema_keys")
        if activated and not set(activated) & set(config):
            continue
        logger = logging.getLogger("cloudinit")
        attempt(name, module.handle, name, config, here, logger, [])
    attempt("next boot", util.get_hostname_fqdn, config, here, True)
    return {"failed": failed, "done": system.done, "files": system.files}


def _replace(system: System, distro: Any) -> None:
    """The edges to the system: what would change it is noted."""
    subp.subp = system.run
    for name in ("write_file", "append_file"):
        setattr(util, name, system.write)
    # What only `chownbyname` of cloud-init asks.
    util.pwd = SimpleNamespace(getpwnam=system.user)
    util.grp = SimpleNamespace(getgrnam=system.group)
    util.ensure_dir = lambda *_all, **_more: None
    util.del_file = lambda *_all: None
    util.is_user = lambda name: _text(name) in system.users
    util.is_group = lambda name: _text(name) in system.groups
    util.log_time = lambda func, args=(), kwargs=None, **_more: func(*args, **(kwargs or {}))
    for name in ("symlink", "chmod", "chown"):
        setattr(os, name, lambda *_all, **_more: None)
    helpers.Paths.get_ipath = lambda _self, name=None: f"/nonexistent/{name}"

    def note(word: str) -> Any:
        def noted(*values: Any, **_options: Any) -> None:
            system.done.append(f"{word} " + " ".join(map(repr, values)))

        return noted

    distro.uses_systemd = lambda: True
    distro.apply_hostname = note("hostname")
    distro._write_hostname = note("hostname")
    distro._read_hostname = lambda *_all: "before"
    distro.update_package_sources = note("apt-get update")
    distro.apply_locale = note("locale")
    distro.package_command = lambda command, pkgs=None, **_more: note(f"apt-get {command}")(
        *util.expand_package_list("%s=%s", list(pkgs or []))
    )
    ssh_util.setup_user_keys = lambda keys, name, **_more: note("keys")(name, sorted(keys))
    cc_mounts._is_block_device = lambda *_all: True
    cc_mounts._get_nth_partition_for_device = lambda *_all: None
    cc_disk_setup.mkpart = note("mkpart")
    cc_disk_setup.mkfs = note("mkfs")
    cc_set_passwords.update_ssh_config = lambda values: note("sshd")(values) or False
    cc_set_hostname.write_json = note("write_json")
    cc_seed_random.handle_random_seed_command = note("seed")
    cc_ca_certs.update_ca_certs = note("ca-certificates")
    cc_ca_certs.remove_default_ca_certs = note("remove ca-certificates")
    cc_ntp.rename_ntp_conf = note("rename")
    cc_ntp.install_ntp_client = note("install")
    cc_ntp.select_ntp_client = lambda *_all: {
        "name": "chrony",
        "confpath": "/etc/chrony.conf",
        "packages": ["chrony"],
        "template_name": "chrony.conf.{distro}",
        "check_exe": "chronyd",
        "service_name": "chrony",
    }
    cc_power_state_change.givecmdline = lambda _pid: "cloud-init"
    cc_power_state_change.util.fork_cb = note("power")
    # As if a package had asked for a restart.
    cc_package_update_upgrade_install.REBOOT_FILE = __file__
    cc_package_update_upgrade_install.time = SimpleNamespace(time=lambda: 0, sleep=note("wait"))
    cc_ssh_import_id.SSH_IMPORT_ID_BINARY = "sh"
    cc_ssh_import_id.pwd = util.pwd
    cc_apt_configure.util.lsb_release = lambda **_more: {"codename": "bookworm"}
    cc_apt_configure.util.get_dpkg_architecture = lambda *_all: "amd64"
    mirrors = dict.fromkeys(("MIRROR", "PRIMARY", "SECURITY"), "http://deb")
    cc_apt_configure.find_apt_mirror_info = lambda *_all, **_more: dict(mirrors)
    cc_apt_configure.rename_apt_lists = note("rename")


def _text(name: Any) -> str:
    # As `pwd.getpwnam` and `grp.getgrnam`.
    if not isinstance(name, str):
        raise TypeError(f"argument must be str, not {type(name).__name__}")
    return name


def main() -> None:
    logging.disable(logging.CRITICAL)
    cases = json.load(sys.stdin)
    with Path("/dev/null").open("w") as nowhere, redirect_stderr(nowhere):
        results = [carried_out(text) for text in cases]
    json.dump(results, sys.stdout)


main()
