#!/bin/sh
# changelog.sh - Debian's form of CHANGELOG.md, on standard output.
#
# The newest section becomes the entry of this version, dated SOURCE_DATE_EPOCH.
set -eu
case ${1-} in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
root=$(cd "$(dirname "$0")/../.." && pwd)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n1)

echo "sluice ($version) unstable; urgency=medium"
echo
awk '/^## / { sections++ } sections == 1 && /^- / { sub(/^- /, "  * "); print } sections == 1 && /^  [^ ]/ { print "  " $0 }' "$root/CHANGELOG.md"
echo
echo " -- The sluice authors <sluice@users.noreply.sluice.invalid>  $(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")"
