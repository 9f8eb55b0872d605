#!/bin/sh
# rpm.sh PROGRAM OUTPUT - make sluice-VERSION-1.x86_64.rpm and its debuginfo.
#
# Needs rpmbuild, of any distribution. The same input gives the same bytes.
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
here=$(cd "$(dirname "$0")" && pwd)
program=$1 output=$2
version=${SLUICE_VERSION:?is not set: call this through build/env.sh}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
mkdir -p "$output"

"$here/stage.sh" "$program" "$work/stage" rpm
id=$("$here/symbols.sh" "$program" "$work/stage")
find "$work/stage/usr/lib/debug" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +

# No home, database or macros of this machine, one compression, one host name.
export HOME="$work" LC_ALL=C TZ=UTC
rpmbuild -bb --quiet --target x86_64-linux \
    --define "_topdir $work/top" --define "_dbpath $work/db" --define "_tmppath $work" \
    --define "stage $work/stage" --define "version $version" \
    --define "id_head ${id%/*}" --define "id_tail ${id#*/}" \
    --define "date $(date -u -d "@$SOURCE_DATE_EPOCH" '+%a %b %d %Y')" \
    --define '_buildhost reproducible' --define '_build_id_links none' \
    --define 'use_source_date_epoch_as_buildtime 1' \
    --define 'clamp_mtime_to_source_date_epoch 1' \
    --define 'source_date_epoch_from_changelog 0' \
    --define '_binary_payload w9.xzdio' \
    --define '_binary_filedigest_algorithm 8' \
    --define 'debug_package %{nil}' --define '__os_install_post %{nil}' \
    "$here/rpm/sluice.spec" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
for package in "$work"/top/RPMS/x86_64/*.rpm; do
    cp "$package" "$output/"
    echo "$output/$(basename "$package")"
done
