#!/bin/sh
# Runs the tests and gets what they need: Python packages into .venv, and on a Debian machine
# (as root) the programs that integration tests run for real. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test]'

# command:package, or file:package; systemctl makes the disk that machines boot from.
pairs="cloud-init:cloud-init cloud-localds:cloud-image-utils genisoimage:genisoimage \
isoinfo:genisoimage xorriso:xorriso qemu-system-x86_64:qemu-system-x86 qemu-img:qemu-utils \
mmdebstrap:mmdebstrap systemctl:systemd mkfs.ext4:e2fsprogs sshd:openssh-server \
ssh:openssh-client docker-registry:docker-registry htpasswd:apache2-utils openssl:openssl \
skopeo:skopeo umoci:umoci shellcheck:shellcheck sfdisk:fdisk mcopy:mtools \
mkfs.vfat:dosfstools mkfs.xfs:xfsprogs mkfs.btrfs:btrfs-progs \
netplan:netplan.io ip:iproute2 /usr/share/OVMF/OVMF_CODE_4M.fd:ovmf \
/usr/lib/systemd/boot/efi/systemd-bootx64.efi:systemd-boot-efi"
PATH="$PATH:/usr/sbin:/sbin"
missing=""
for pair in $pairs; do
  wanted=${pair%%:*}
  [ -f "$wanted" ] || command -v "$wanted" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
done
if [ -n "$missing" ]; then
  if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    # An older release may lack a package: then the tests that need it are skipped.
    known=""
    for package in $missing; do
      if apt-cache show "$package" >/dev/null 2>&1; then known="$known $package"; fi
    done
    # Debian's package starts a registry for everybody; only tests start one here.
    case "$known" in
      *docker-registry*)
        mkdir -p /etc/systemd/system
        [ -e /etc/systemd/system/docker-registry.service ] ||
          ln -s /dev/null /etc/systemd/system/docker-registry.service ;;
    esac
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $known >/dev/null
  else
    echo "not installed, so the tests that need them are skipped:$missing" >&2
  fi
fi
if [ $# -gt 0 ]; then
  exec .venv/bin/python -m pytest "$@"
fi
# Machines boot one after another, beside the other tests. Their results come last.
boots=$(mktemp)
.venv/bin/python -m pytest -m boot >"$boots" 2>&1 &
machines=$!
trap 'kill "$machines" 2>/dev/null || true; rm -f "$boots"' EXIT
trap 'exit 130' INT TERM
result=0
# One more than there are processors: many tests wait for a program or a server.
.venv/bin/python -m pytest -n "$(($(getconf _NPROCESSORS_ONLN) + 1))" --dist worksteal \
  -m "not boot" || result=$?
wait "$machines" || result=$?
cat "$boots"
exit "$result"
