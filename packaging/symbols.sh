#!/bin/sh
# symbols.sh PROGRAM DIRECTORY - lay out the debug symbols of a program.
#
# PROGRAM.debug, which split-debug.sh made, comes to where debuggers and backtraces look
# for it below DIRECTORY; printed is its build-id, a slash behind the first two letters.
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac

id=$(readelf -nW "$1" | sed -n 's,.*Build ID: \(..\),\1/,p')
place=$2/usr/lib/debug/.build-id
mkdir -p "$place/${id%/*}"
install -m 644 "$1.debug" "$place/$id.debug"
echo "$id"
