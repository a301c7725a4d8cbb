"""What is known of the keys of cloud-config: order, spellings, how their lists merge.

Source: docs/reference/cloud-init.md, "The order of a boot", "The schema";
docs/reference/guest-configuration.md, "Classes of keys".
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from eryphc.frozen import NamedTuple


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ORDER = _words(
    # What steers cloud-init itself.
    "version launch-index cloud_init_modules cloud_config_modules cloud_final_modules system_info "
    "vendor_data output reporting migrate "
    # The init stage.
    "random_seed bootcmd write_files growpart resize_rootfs device_aliases disk_setup fs_setup "
    "mount_default_fields mounts swap preserve_hostname hostname fqdn prefer_fqdn_over_hostname "
    "create_hostname_file manage_etc_hosts ca_certs rsyslog manage_resolv_conf resolv_conf groups "
    "user users ssh ssh_keys ssh_authorized_keys ssh_deletekeys ssh_genkeytypes "
    "ssh_quiet_keygen ssh_publish_hostkeys disable_root disable_root_opts allow_public_ssh_keys "
    # The config stage.
    "autoinstall wireguard snap ubuntu_advantage ubuntu_pro ssh_import_id keyboard locale "
    "locale_configfile ssh_pwauth chpasswd password grub_dpkg rh_subscription spacewalk apk_repos "
    "apt_pipelining apt yum_repo_dir yum_repos zypper ntp timezone disable_ec2_metadata runcmd "
    "byobu_by_default rpi "
    # The final stage.
    "package_update package_upgrade packages package_reboot_if_required fan landscape lxd drivers "
    "puppet chef ansible mcollective salt_minion no_ssh_fingerprints authkey_hash "
    "ssh_fp_console_blacklist ssh_key_console_blacklist updates phone_home final_message "
    "power_state"
)

RANK: Mapping[object, int] = {key: rank for rank, key in enumerate(ORDER)}

LEFT_OUT_WHEN_EMPTY = ("bootcmd", "packages", "runcmd", "write_files")
"""Top-level lists whose emptiness says nothing but is invalid to some guests.

An empty `users` is not among them: it says that there shall be not even the default user.
"""


class ListRule(Enum):
    """How two lists of one path become one."""

    SEQUENCE = "sequence"
    SET = "set"
    ATOMIC = "atomic"
    USERS = "users"
    NAMED = "named"
    FILES = "files"
    UNKNOWN = "unknown"


class TextRule(Enum):
    """What a text means where a list may stand too."""

    NONE = "none"
    COMMAS = "commas"
    ITEM = "item"


class Rule(NamedTuple):
    """How values of one path merge. `others` is for keys not in `keys`."""

    lists: ListRule = ListRule.UNKNOWN
    text: TextRule = TextRule.NONE
    keys: Mapping[object, Rule] = MappingProxyType({})
    others: Rule | None = None
    registry: bool = False

    def below(self, key: object) -> Rule:
        return self.keys.get(key) or self.others or _UNKNOWN


_UNKNOWN = Rule()
_SEQUENCE = Rule(lists=ListRule.SEQUENCE)
_SET = Rule(lists=ListRule.SET)
_ATOMIC = Rule(lists=ListRule.ATOMIC)
_SET_OR_COMMAS = Rule(lists=ListRule.SET, text=TextRule.COMMAS)
_SET_OR_ITEM = Rule(lists=ListRule.SET, text=TextRule.ITEM)

USER = Rule(
    keys={
        "groups": _SET_OR_COMMAS,
        "sudo": _SET_OR_ITEM,
        "doas": _SET,
        "ssh_authorized_keys": _SET_OR_ITEM,
        "ssh_import_id": _SET_OR_ITEM,
    }
)
_ALL_ATOMIC = Rule(lists=ListRule.ATOMIC, others=_ATOMIC)
_ALL_SETS = Rule(others=_SET)

ROOT = Rule(
    keys={
        "runcmd": _SEQUENCE,
        "bootcmd": _SEQUENCE,
        "mounts": _SEQUENCE,
        "fs_setup": _SEQUENCE,
        "snap": Rule(
            keys={
                "commands": Rule(lists=ListRule.SEQUENCE, registry=True),
                "assertions": Rule(lists=ListRule.SEQUENCE, registry=True),
            }
        ),
        "ansible": Rule(
            keys={
                "pull": _SEQUENCE,
                "galaxy": Rule(keys={"actions": _SEQUENCE}),
                "setup_controller": Rule(
                    keys={"repositories": _SEQUENCE, "run_ansible": _SEQUENCE}
                ),
            }
        ),
        "rsyslog": Rule(
            keys={"configs": _SEQUENCE, "packages": _SET, "remotes": Rule(registry=True)}
        ),
        "packages": _SET,
        "ssh_authorized_keys": _SET,
        "ssh_import_id": _SET,
        "groups": Rule(
            lists=ListRule.SET, text=TextRule.COMMAS, registry=True, others=_SET_OR_ITEM
        ),
        "ntp": Rule(keys={"servers": _SET, "pools": _SET, "peers": _SET, "allow": _SET}),
        "ca_certs": Rule(keys={"trusted": _SET_OR_ITEM}),
        "resolv_conf": Rule(keys={"nameservers": _SET, "searchdomains": _SET, "sortlist": _SET}),
        "zypper": Rule(keys={"repos": _SET}),
        "users": Rule(lists=ListRule.USERS, text=TextRule.COMMAS, registry=True, others=USER),
        "user": USER,
        "chpasswd": Rule(keys={"users": Rule(lists=ListRule.NAMED), "list": _SEQUENCE}),
        "write_files": Rule(lists=ListRule.FILES),
        "mount_default_fields": _ATOMIC,
        "ssh_genkeytypes": _ATOMIC,
        "disable_root_opts": _ATOMIC,
        "growpart": Rule(keys={"devices": _ATOMIC}),
        "random_seed": Rule(keys={"command": _ATOMIC}),
        "power_state": _ALL_ATOMIC,
        "cloud_init_modules": _ATOMIC,
        "cloud_config_modules": _ATOMIC,
        "cloud_final_modules": _ATOMIC,
        "swap": _ALL_ATOMIC,
        "apt": Rule(
            keys={
                "primary": _ATOMIC,
                "security": _ATOMIC,
                "disable_suites": _SET,
                "sources": Rule(registry=True),
            }
        ),
        "yum_repos": Rule(registry=True),
        "disk_setup": Rule(registry=True, others=Rule(others=_ATOMIC)),
        "ubuntu_pro": Rule(keys={"enable": _SET, "enable_beta": _SET}),
        "ubuntu_advantage": Rule(keys={"enable": _SET, "enable_beta": _SET}),
        "rh_subscription": _ALL_SETS,
        "phone_home": Rule(keys={"post": _SET}),
        "updates": Rule(keys={"network": Rule(keys={"when": _SET})}),
        "vendor_data": Rule(keys={"prefix": _ATOMIC}),
        "chef": Rule(keys={"run_list": _SEQUENCE, "directories": _SET}),
        "wireguard": Rule(
            keys={"interfaces": Rule(lists=ListRule.NAMED), "readinessprobe": _SEQUENCE}
        ),
        "output": Rule(others=_ALL_ATOMIC),
        "ssh_publish_hostkeys": Rule(keys={"blacklist": _SET}),
        "ssh_fp_console_blacklist": _SET,
        "ssh_key_console_blacklist": _SET,
    }
)

SPELLINGS: Mapping[object, tuple[str, str]] = {
    "apt_update": ("package_update", "22.2"),
    "apt_upgrade": ("package_upgrade", "22.2"),
    "apt_reboot_if_required": ("package_reboot_if_required", "22.2"),
    "ca-certs": ("ca_certs", "22.3"),
    "grub-dpkg": ("grub_dpkg", "22.2"),
}
"""Top-level keys by their old name: the new one, and the version that deprecates the old."""

CA_CERTS_SPELLINGS: Mapping[object, tuple[str, str]] = {
    "remove-defaults": ("remove_defaults", "22.3")
}

USER_SPELLINGS: Mapping[object, tuple[str, str]] = {
    "lock-passwd": ("lock_passwd", "22.3"),
    "no-create-home": ("no_create_home", "24.2"),
    "no-log-init": ("no_log_init", "24.2"),
    "no-user-group": ("no_user_group", "24.2"),
    "hashed-passwd": ("hashed_passwd", "24.2"),
    "plain-text-passwd": ("plain_text_passwd", "24.2"),
    "create-groups": ("create_groups", "24.2"),
    "primary-group": ("primary_group", "24.2"),
    "selinux-user": ("selinux_user", "24.2"),
    "ssh-authorized-keys": ("ssh_authorized_keys", "18.3"),
    "ssh-import-id": ("ssh_import_id", "24.2"),
    "ssh-redirect-user": ("ssh_redirect_user", "24.2"),
}

# New names that guests in use do not know yet. They are not introduced, only kept from
# standing beside the old one: the first fodder entry's spelling is taken.
TWINS: Mapping[object, str] = {
    "ubuntu_advantage": "ubuntu_pro",
    "ubuntu_pro": "ubuntu_advantage",
    **{
        spelling: spelling.translate({ord("-"): "_", ord("_"): "-"})
        for name in _words(
            "activation-key auto-attach service-level add-pool enable-repo disable-repo "
            "rhsm-baseurl server-hostname"
        )
        for spelling in (name, name.replace("-", "_"))
    },
}
