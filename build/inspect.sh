#!/bin/sh
# inspect.sh PROGRAM DIST - show what is promised of the program and the packages.
# inspect.sh --list - the promises alone: name, what must be found, command, between tabs.
#
# Each line names a promise, what was found, and the command that found it: it can be
# run by hand, beside a program called `sluice`. The exit status is 1 if one does not
# hold. The README's table of promises is made from the list.
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
export LC_ALL=C
failed=
case $1 in
    --list) program='' ;;
    *)
        program=$1
        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        cp "$program" "$work/sluice"
        ln -s "$(cd "$2" && pwd)" "$work/dist"
        ;;
esac

# promise NAME PATTERN COMMAND: all that the command prints must match the pattern.
promise() {
    if [ -z "$program" ]; then printf '%s\t%s\t%s\n' "$1" "$2" "$3"; return; fi
    found=$(cd "$work" && eval "$3" 2>&1) || true
    if printf '%s\n' "$found" | grep -Eqv -- "$2"; then mark=NO failed=1; else mark=yes; fi
    printf '  %-3s %-26s %-26s %s\n' "$mark" "$1" "$found" "$3"
}
title() { [ -z "$program" ] || printf '\n%s:\n' "$1"; }

# The promises stand between single quotes as they are run by hand.
# shellcheck disable=SC2016
{
    title "The program, $program"
    promise 'position-independent' '^DYN' 'readelf -hW sluice | sed -n "s/ *Type: *//p"'
    promise 'statically linked' 'statically linked|not a dynamic' 'ldd ./sluice | sed "s/^[[:space:]]*//"'
    promise 'no interpreter' '^0$' 'readelf -lW sluice | grep -c INTERP'
    promise 'no library' '^0$' 'readelf -dW sluice | grep -c "(NEEDED)"'
    promise 'no RPATH or RUNPATH' '^0$' 'readelf -dW sluice | grep -Ec "\((RPATH|RUNPATH)\)"'
    promise 'relocations read-only' 'RELRO' 'readelf -lW sluice | grep -o GNU_RELRO'
    promise 'bound at start' 'NOW' 'readelf -dW sluice | sed -n "s/.*(FLAGS_1) *//p"'
    promise 'stack not executable' '^RW ' 'readelf -lW sluice | sed -n "s/.*GNU_STACK.* \(R.*\)/\1/p"'
    promise 'no writable code' '^0$' 'readelf -lW sluice | grep -c "LOAD.*RWE"'
    promise 'stripped' '^0$' 'readelf -SW sluice | grep -Ec "\.(symtab|debug_(info|line))"'
    # Strings stand in the program without an end: directories that it names itself may look like a longer path. A builder's end in a source.
    promise 'no path of the builder' '^0$' 'strings -a sluice | grep -Ec "(/home|/root)/[^ :]*\.(rs|c|h|S|o)([^a-z]|$)|/tmp/tmp|\.cargo/|\.rustup/"'
    promise 'nothing of glibc' '^0$' 'strings -a sluice | grep -Ec "libnss|ld-linux|GLIBC_"'
    # What -vv says of the compilers behind their names, they have left in the program themselves.
    promise 'built by those -vv names' '^2$' 'readelf -p .comment sluice | grep -cF "$(./sluice -vv | sed -En "s/^  (CC|RUSTC) += [^ ]+ //p")"'
    promise 'at most 9 MiB' '^[0-9]+ bytes$' 'find sluice -printf "%s bytes" -size +18432b -printf ": too many"'
    if [ -z "$program" ] || [ "$(id -u)" = 0 ]; then
        promise 'runs in an empty directory' '^HAProxy version' 'mkdir empty && cp sluice empty/ && chroot empty /sluice -v | head -n1'
    fi
}

# package FORMAT LIST FILE: LIST prints the entries of a package, mode and owner in front.
package() {
    title "$3"
    promise "$1: entries" '^[1-9]' "$2 $3 | wc -l"
    promise "$1: all of root" '^0$' "$2 $3 | grep -Evc ' (root/root|0/0) '"
    promise "$1: modes 755 and 644" '^0$' "$2 $3 | grep -Evc '^([d-]rwxr-xr-x|-rw-r--r--|l)'"
}
if [ -n "$program" ]; then
    cd "$work"
    set -- dist/*.deb dist/*.rpm dist/*.tar.gz
else
    set -- PACKAGE.deb PACKAGE.rpm ARCHIVE.tar.gz
fi
for package; do
    case $package in
        *.deb) package deb 'dpkg-deb -c' "$package" ;;
        *.rpm) package rpm "rpm -qp --qf '[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES}\n]'" "$package" ;;
        *.tar.gz) package archive 'tar -tvzf' "$package" ;;
    esac
done
[ -z "$failed" ] || { echo 'a promise does not hold'; exit 1; }
