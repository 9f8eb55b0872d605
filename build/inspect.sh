#!/bin/sh
# inspect.sh PROGRAM DIST - show what is promised of the program and the packages.
#
# Each line names a promise, what was found, and the command that finds it, so that
# it can be run by hand. The exit status is 1 if one does not hold.
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
program=$1 dist=$2
export LC_ALL=C
failed=

# row PROMISE FOUND COMMAND PATTERN: a line of the table; PATTERN must match FOUND.
row() {
    if printf '%s\n' "$2" | grep -Eq -- "$4"; then mark=yes; else mark=NO failed=1; fi
    printf '  %-3s %-34s %-44s %s\n' "$mark" "$1" "$2" "$3"
}
dynamic=$(readelf -dW "$program")
segments=$(readelf -lW "$program")
count() { printf '%s\n' "$1" | grep -Ec -- "$2" || true; }

echo
echo "The program, $program:"
row 'position-independent' "$(readelf -hW "$program" | sed -n 's/ *Type: *//p')" 'readelf -h' '^DYN'
row 'no interpreter' "$(count "$segments" INTERP)" 'readelf -l | grep INTERP' '^0$'
row 'no library' "$(count "$dynamic" '\(NEEDED\)')" 'readelf -d | grep NEEDED' '^0$'
row 'no RPATH or RUNPATH' "$(count "$dynamic" '\((RPATH|RUNPATH)\)')" 'readelf -d | grep RPATH' '^0$'
row 'ldd' "$(ldd "$program" 2>&1 | sed 's/^[[:space:]]*//')" 'ldd' 'statically linked|not a dynamic'
row 'relro' "$(printf '%s\n' "$segments" | awk '/GNU_RELRO/ { print $1 }')" 'readelf -l | grep RELRO' RELRO
row 'bound at start' "$(printf '%s\n' "$dynamic" | sed -n 's/.*(FLAGS_1) *//p')" 'readelf -d | grep FLAGS_1' NOW
row 'stack not executable' "$(printf '%s\n' "$segments" | awk '/GNU_STACK/ { print $7 $8 }')" 'readelf -l | grep STACK' '^RW0x|^RW[^E]*$'
row 'no writable code' "$(count "$segments" 'LOAD.*RWE')" 'readelf -l | grep RWE' '^0$'
row 'stripped' "$(count "$(readelf -SW "$program")" '\.(symtab|debug_(info|line))')" 'readelf -S | grep symtab' '^0$'
# Strings stand in the program without an end: directories that it names itself may look like a longer path. A builder's end in a source.
builder='(/home|/root)/[^ :]*\.(rs|c|h|S|o)([^a-z]|$)|/tmp/tmp|\.cargo/|\.rustup/'
row 'no path of the builder' "$(strings -a "$program" | grep -Ec "$builder" || true)" 'strings | grep home' '^0$'
row 'nothing of glibc' "$(strings -a "$program" | grep -Ec 'libnss|ld-linux|GLIBC_' || true)" 'strings | grep GLIBC_' '^0$'
# What -vv says of the compilers behind their names, they have left in the program themselves.
words=$("$program" -vv | sed -n 's/^  \(CC\|RUSTC\)  *= [^ ]* //p')
row 'built by those -vv names' "$(readelf -p .comment "$program" | grep -cF "$words" || true)" 'readelf -p .comment' '^2$'
row 'at most 5 MiB' "$(stat -c %s "$program") bytes" 'stat' '^([1-4]?[0-9]{1,6}|5[01][0-9]{5}) '
row 'SHA-256' "$(sha256sum <"$program" | cut -c1-40)..." 'sha256sum' .
row 'runs in an empty directory' "$(empty=$(mktemp -d); cp "$program" "$empty/sluice"; if [ "$(id -u)" = 0 ]; then chroot "$empty" /sluice -v 2>&1 | head -n1 || echo fails; else echo 'not tried: needs root'; fi; rm -rf "$empty")" 'chroot DIR /sluice -v' 'ersion|needs root'

echo
echo 'The packages:'
for package in "$dist"/*; do
    case $package in
        *.deb) list=$(dpkg-deb -c "$package" | awk '{ print $1, $2, $6 }') ;;
        *.rpm) list=$(rpm -qp --qf '[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES}\n]' "$package" 2>/dev/null) ;;
        *.tar.gz) list=$(tar -tvzf "$package" --numeric-owner | awk '{ print $1, $2, $6 }') ;;
        *) continue ;;
    esac
    name=$(basename "$package")
    row "$name" "$(count "$list" .) entries, $(stat -c %s "$package") bytes" '' .
    row '  all of root' "$(count "$(printf '%s\n' "$list" | awk '$2 != "root/root" && $2 != "0/0"')" .)" 'owners that are not root' '^0$'
    row '  modes 755 and 644' "$(count "$(printf '%s\n' "$list" | grep -Ev '^(d|-)rwxr-xr-x|^-rw-r--r--|^l')" .)" 'other modes' '^0$'
done
[ -z "$failed" ] || { echo 'a promise does not hold'; exit 1; }
