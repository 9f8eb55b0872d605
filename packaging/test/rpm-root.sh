#!/bin/sh
# rpm-root.sh PACKAGE - install, upgrade and remove the RPM in an empty root.
#
# The root holds a static busybox, so that the scriptlets really run; the
# database says nothing of it. An edited configuration must survive the upgrade.
# What Fedora and EL do beyond that cannot be tried here. Needs root.
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
package=$(realpath "$1")
packaging=$(cd "$(dirname "$0")/.." && pwd)
"$packaging/../build/need.sh" rpm:rpm busybox:busybox-static
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
fail() { echo "rpm-root.sh: $*" >&2; exit 1; }

mkdir -p "$root/bin" "$root/usr/bin" "$root/usr/sbin" "$root/etc" "$root/var/lib/rpm" "$root/tmp" "$root/dev"
mknod -m 666 "$root/dev/null" c 1 3
cp "$(command -v busybox)" "$root/bin/"
for name in sh cat echo grep touch; do ln -s busybox "$root/bin/$name"; done
echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
# The two programs that %pre calls, as much of them as it needs.
# shellcheck disable=SC2016
printf '#!/bin/sh\ngrep "^$2:" /etc/$1\n' >"$root/usr/bin/getent"
# shellcheck disable=SC2016
printf '#!/bin/sh\nfor name; do :; done\necho "$name:x:999:999::/var/lib/sluice:/usr/sbin/nologin" >>/etc/passwd\necho "$name:x:999:" >>/etc/group\n' >"$root/usr/sbin/useradd"
chmod 755 "$root/usr/bin/getent" "$root/usr/sbin/useradd"

run() { rpm --root "$root" "$@"; }
run --initdb
run -i --nodeps "$package" || fail 'it does not install'
grep -q '^sluice:' "$root/etc/passwd" || fail 'there is no user'
run -V --nodeps sluice || fail 'files differ from the package'
echo '# edited' >>"$root/etc/sluice/sluice.cfg"
run -U --nodeps --replacepkgs "$package" || fail 'it does not upgrade'
grep -q '^# edited' "$root/etc/sluice/sluice.cfg" || fail 'the upgrade lost the edited configuration'
chroot "$root" /usr/sbin/sluice -c -f /etc/sluice/sluice.cfg >/dev/null || fail 'the configuration does not hold'
run -e sluice || fail 'it cannot be removed'
[ ! -e "$root/usr/sbin/sluice" ] || fail 'the program stayed'
[ -e "$root/etc/sluice/sluice.cfg.rpmsave" ] || fail 'the edited configuration was not saved'
echo 'rpm-root.sh: all well'
