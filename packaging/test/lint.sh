#!/bin/sh
# lint.sh DIST - what Debian's and Fedora's checkers, and systemd, say of the packages.
#
# lintian and rpmlint must be silent but for what debian/lintian-overrides and
# rpm/rpmlint.toml argue away. The unit's exposure must be at most 3.5, with the
# strict drop-in 1.8 (`systemd-analyze security`; the scale ends at 10).
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
dist=$1
packaging=$(cd "$(dirname "$0")/.." && pwd)
"$packaging/../build/need.sh" lintian:lintian rpmlint:rpmlint systemd-analyze:systemd mandoc:mandoc
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
done
echo 'lint.sh: all well'
