#!/bin/sh
# split-debug.sh PROGRAM - move a program's symbols into PROGRAM.debug.
#
# The release profile keeps line tables, so that a package of debug symbols can be
# made from the very build that is shipped. Debuggers, and the backtrace of a
# panic, find the file by its build-id below /usr/lib/debug. A program that has no
# symbols is left alone.
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac

readelf -SW "$1" | grep -q '\.symtab' || exit 0
objcopy --only-keep-debug --compress-debug-sections "$1" "$1.debug"
chmod 644 "$1.debug"
# A new file: what cargo keeps in deps/ may be the same inode.
strip -o "$1.stripped" "$1"
mv "$1.stripped" "$1"
