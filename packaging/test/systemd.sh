#!/bin/sh
# systemd.sh PACKAGE [SUITE] - the service under a booted systemd, from installation to purge.
#
# Boots Debian of that suite (bookworm) in systemd-nspawn, without network, and runs
# in-systemd.sh there: install, start, log and rotate, reload and upgrade under load,
# the strict drop-in, the change over from Debian's haproxy and back, remove, purge.
# Needs root.
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
package=$1 suite=${2:-bookworm}
here=$(cd "$(dirname "$0")" && pwd)
"$here/../../build/need.sh" mmdebstrap:mmdebstrap systemd-nspawn:systemd-container
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sluice
mkdir -p "$cache"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"

[ -f "$cache/$suite-services.tar" ] || mmdebstrap --quiet --variant=minbase --mode=root \
    --include=systemd-sysv,dbus,busybox-static,init-system-helpers,haproxy,rsyslog,logrotate "$suite" "$cache/$suite-services.tar"
tar -C "$root" -xf "$cache/$suite-services.tar"
cp "$package" "$root/root/new.deb"
dpkg-deb -R "$package" "$root/root/old"
sed -i 's/^Version: .*/&~old/' "$root/root/old/DEBIAN/control"
dpkg-deb --root-owner-group -b "$root/root/old" "$root/root/old.deb" >/dev/null
rm -r "$root/root/old"
cp "$here/in-systemd.sh" "$root/root/"

cat >"$root/etc/systemd/system/trial.service" <<'UNIT'
[Unit]
Wants=network-online.target
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh /root/in-systemd.sh
ExecStopPost=/bin/sh -c 'echo "$EXIT_STATUS" >/root/status; systemctl poweroff --no-block'
StandardOutput=file:/root/out
StandardError=inherit
TimeoutStartSec=120
[Install]
WantedBy=default.target
UNIT
mkdir -p "$root/etc/systemd/system/default.target.wants"
ln -s ../trial.service "$root/etc/systemd/system/default.target.wants/trial.service"
rm -f "$root/etc/machine-id"
touch "$root/etc/machine-id"

timeout 300 systemd-nspawn -q --register=no --keep-unit --private-network -D "$root" -b --console=pipe \
    systemd.show_status=0 systemd.log_level=err </dev/null >"$root.boot" 2>&1 || true
sed 's/^/  /' "$root/root/out" || cat "$root.boot"
rm -f "$root.boot"
[ "$(cat "$root/root/status" 2>/dev/null)" = 0 ] || { echo "systemd.sh: $suite: failed" >&2; exit 1; }
echo "systemd.sh: $suite: all well"
