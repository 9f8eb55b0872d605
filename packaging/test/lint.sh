#!/bin/sh
# lint.sh DIST - what the checkers of Debian, Fedora, systemd and others say of the packages.
#
# lintian and rpmlint must be silent but for what debian/lintian-overrides and
# rpm/rpmlint.toml argue away. The unit's exposure must be at most 3.5, with the
# strict drop-in 1.8 (`systemd-analyze security`; the scale ends at 10). Manual pages,
# the rotation of logs, the profile of AppArmor and the shells' completions are read
# by the programs that they are for.
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
dist=$1
packaging=$(cd "$(dirname "$0")/.." && pwd)
"$packaging/../build/need.sh" lintian:lintian rpmlint:rpmlint systemd-analyze:systemd mandoc:mandoc groff:groff-base \
    logrotate:logrotate apparmor_parser:apparmor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

lintian --pedantic --fail-on error,warning,pedantic "$dist"/*.deb
rpmlint -c "$packaging/rpm/rpmlint.toml" "$dist"/*.rpm | tee "$work/rpmlint" | tail -n1
grep -q '0 errors, 0 warnings' "$work/rpmlint"

unit=$packaging/files/usr/lib/systemd/system/sluice.service
strict=$packaging/files/usr/share/sluice/strict.conf
systemd-analyze security --offline=true --threshold=35 --no-pager "$unit" | tail -n1
# An offline analysis reads no drop-in: the two are joined as systemd would.
{ sed '/^\[Install\]/,$d' "$unit"; grep -v '^\[Service\]' "$strict"; } >"$work/sluice-strict.service"
systemd-analyze security --offline=true --threshold=18 --no-pager "$work/sluice-strict.service" | tail -n1

dpkg-deb -x "$dist"/sluice_*_amd64.deb "$work/tree"
for page in "$work"/tree/usr/share/man/man*/*.gz; do
    gzip -d "$page"
    mandoc -T lint -W warning "${page%.gz}"
    groff -man -Tutf8 -ww -z "${page%.gz}" 2>"$work/groff"
    [ ! -s "$work/groff" ] || { cat "$work/groff" >&2; exit 1; }
done
logrotate -d "$work/tree/etc/logrotate.d/sluice" 2>"$work/rotation"
if grep '^error' "$work/rotation"; then exit 1; fi
apparmor_parser --skip-kernel-load --skip-cache "$work/tree/usr/share/sluice/apparmor" 2>"$work/profile" || { cat "$work/profile" >&2; exit 1; }
"$packaging/test/completions.sh" "$work/tree"
echo 'lint.sh: all well'
