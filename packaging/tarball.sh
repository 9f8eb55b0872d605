#!/bin/sh
# tarball.sh PROGRAM OUTPUT - make sluice-VERSION-x86_64-linux-musl.tar.gz.
#
# For any Linux: one directory with the program, its unit, manual pages,
# completions, examples and licences, laid out as below /.
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
here=$(cd "$(dirname "$0")" && pwd)
program=$1 output=$2
version=${SLUICE_VERSION:?is not set: call this through build/env.sh}
name=sluice-$version-x86_64-linux-musl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$output"

"$here/stage.sh" "$program" "$work/$name" tar
tar -C "$work" --format=ustar --sort=name --owner=0 --group=0 --numeric-owner \
    --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name" | gzip -9n >"$output/$name.tar.gz"
echo "$output/$name.tar.gz"
