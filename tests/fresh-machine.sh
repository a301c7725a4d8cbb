#!/bin/sh
# Types commands of the README on a bare machine: sh tests/fresh-machine.sh SUITE [BLOCK...]
#
# SUITE is a release that this machine's apt sources have too (bookworm, trixie, noble, ...). BLOCK
# is the number of a `sh` block of the README, 1 if none is given; `1 2` also runs all the tests,
# which takes a quarter of an hour or more. The machine is a new root folder with Python, git and
# certificates, where the last commit of this checkout is cloned to. Of the machine that runs this
# it sees the kernel and how the network is reached. Ends as the commands end; 2: it cannot be had.
# Needs root, mmdebstrap and git.
set -eu

cannot() {
  echo "fresh-machine.sh: $*" >&2
  exit 2
}

[ $# -gt 0 ] || cannot "usage: sh tests/fresh-machine.sh SUITE [BLOCK...]"
suite=$1
shift
[ $# -gt 0 ] || set -- 1
[ "$(id -u)" = 0 ] || cannot "a root folder is made by root"
for program in mmdebstrap git unshare; do
  command -v "$program" >/dev/null || cannot "no $program here"
done
here=$(cd "$(dirname "$0")/.." && pwd)
[ -z "$(git -C "$here" status --porcelain)" ] || echo "what is not committed is not tried" >&2

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
root=$work/root

# Terminals, processes and a folder for files in passing are what every machine has.
cat >"$work/commands" <<'END'
set -eu
mount -t proc proc /proc
mount -t tmpfs tmpfs /tmp
mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts
mount --bind /dev/pts/ptmx /dev/ptmx
cd /src
END
git -C "$here" show HEAD:README.md >"$work/README.md"
for block; do
  awk -v wanted="$block" '
    /^```/ { inside = $0 == "```sh" && ++seen == wanted; next }
    inside' "$work/README.md" >"$work/block"
  [ -s "$work/block" ] || cannot "the README has no sh block $block"
  cat "$work/block" >>"$work/commands"
done

# The archives of the distribution that apt knows, with the wanted suite in the place of this
# machine's own. Archives of others have keys of their own, and a bare machine does without them.
# shellcheck source=/dev/null
distribution=$(. /etc/os-release && echo "$ID")
# shellcheck source=/dev/null
own=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ -n "$own" ] || cannot "this machine's release has no name"
# shellcheck disable=SC2016
apt-get indextargets --format '$(ORIGIN) $(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
  awk -v id="$distribution" -v own="$own" -v suite="$suite" '
    tolower($1) == id && index($3, own) == 1 {
      print "deb", $2, suite substr($3, length(own) + 1), $4
    }' | sort -u >"$work/sources.list"
[ -s "$work/sources.list" ] || cannot "apt knows no archive of $distribution: apt-get update?"

# A proxy, and whether dates are checked: what an archive may need to be read at all. A program
# that finds the proxy would be missing in the new root.
apt-config dump | grep -E '^Acquire::(https?::|Check-|Retries)' | grep -vi 'auto-\?detect' \
  >"$work/apt.conf" || true

mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,git,ca-certificates \
  --aptopt="$work/apt.conf" "$suite" "$root" "$work/sources.list"

for file in resolv.conf pip.conf; do
  [ ! -e "/etc/$file" ] || cp -L "/etc/$file" "$root/etc/$file"
done
# Certificates that somebody added here, as a company's proxy asks for.
if [ -d /usr/local/share/ca-certificates ]; then
  cp -RL /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
  chroot "$root" update-ca-certificates >/dev/null
fi
git clone --quiet --no-local "$here" "$root/src"

cp "$work/commands" "$root/commands"

code=0
unshare --mount --pid --fork --kill-child env -i \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
  ${http_proxy+"http_proxy=$http_proxy"} ${https_proxy+"https_proxy=$https_proxy"} \
  ${no_proxy+"no_proxy=$no_proxy"} \
  chroot "$root" sh /commands </dev/null || code=$?
echo "README on a bare $suite, sh block $*: exit $code"
exit "$code"
