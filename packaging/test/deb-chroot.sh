#!/bin/sh
# deb-chroot.sh SUITE PACKAGE - install, upgrade, remove and purge in a Debian of that suite.
#
# SUITE is bookworm, trixie or another name that mmdebstrap knows; its minimal
# system is kept in the cache directory. The package must bring in no other, keep
# an edited configuration over an upgrade, and leave nothing behind when purged but
# its user. Needs root.
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
suite=$1 package=$2
packaging=$(cd "$(dirname "$0")/.." && pwd)
"$packaging/../build/need.sh" mmdebstrap:mmdebstrap
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sluice
mkdir -p "$cache"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
fail() { echo "deb-chroot.sh: $suite: $*" >&2; exit 1; }

[ -f "$cache/$suite.tar" ] || mmdebstrap --quiet --variant=minbase --mode=root "$suite" "$cache/$suite.tar"
tar -C "$root" -xf "$cache/$suite.tar"
cp "$package" "$root/new.deb"
# The same package under a lower version, to upgrade from.
dpkg-deb -R "$package" "$root/old"
sed -i 's/^Version: .*/&~old/' "$root/old/DEBIAN/control"
dpkg-deb --root-owner-group -b "$root/old" "$root/old.deb" >/dev/null
rm -r "$root/old"

inside() { chroot "$root" "$@"; }
files() { (cd "$root" && find . -xdev -path ./var/lib/dpkg -prune -o -path ./proc -prune -o -print | LC_ALL=C sort); }
# shellcheck disable=SC2016
packages() { inside dpkg-query -W -f '${Package}\n'; }

files >"$root.before"
packages >"$root.packages"
trap 'rm -rf "$root" "$root.before" "$root.packages"' EXIT

inside dpkg -i /old.deb >/dev/null
[ "$(packages | grep -v '^sluice$')" = "$(cat "$root.packages")" ] || fail 'it brought other packages'
grep -q '^sluice:' "$root/etc/passwd" || fail 'there is no user'
inside dpkg -V sluice || fail 'files differ from the package'
echo '# edited' >>"$root/etc/sluice/sluice.cfg"
inside dpkg -i /new.deb >/dev/null
grep -q '^# edited' "$root/etc/sluice/sluice.cfg" || fail 'the upgrade lost the edited configuration'
inside /usr/sbin/sluice -c -f /etc/sluice/sluice.cfg >/dev/null || fail 'the configuration does not hold'
inside dpkg -r sluice >/dev/null
[ -f "$root/etc/sluice/sluice.cfg" ] || fail 'remove took the configuration along'
[ ! -e "$root/usr/sbin/sluice" ] || fail 'remove left the program'
inside dpkg -P sluice >/dev/null
files | LC_ALL=C comm -13 "$root.before" - | grep -Ev '^\./(etc/(passwd|group|shadow|gshadow|sub[ug]id|\.pwd\.lock)-?|var/(log|cache)/.*)$' >"$root.left" || true
[ ! -s "$root.left" ] || { cat "$root.left" >&2; rm "$root.left"; fail 'purge left these'; }
rm "$root.left"
echo "deb-chroot.sh: $suite: all well"
