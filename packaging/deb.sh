#!/bin/sh
# deb.sh PROGRAM OUTPUT - make sluice_VERSION_amd64.deb and sluice-dbgsym_VERSION_amd64.deb.
#
# Needs dpkg-deb and nothing else of Debian. The same input gives the same bytes.
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
here=$(cd "$(dirname "$0")" && pwd)
program=$1 output=$2
version=${SLUICE_VERSION:?is not set: call this through build/env.sh}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
mkdir -p "$output"

# pack TREE NAME: control files are in place; sums, times and the archive.
pack() {
    (cd "$1" && find usr -type f | LC_ALL=C sort | xargs md5sum >DEBIAN/md5sums)
    chmod 644 "$1/DEBIAN/md5sums"
    find "$1" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group --threads-max=1 -Zxz --build "$1" "$output/$2" >/dev/null
    echo "$output/$2"
}

# fill TEMPLATE TREE: the control file, its placeholders replaced.
fill() {
    size=$(find "$2" -type f -printf '%s\n' | awk '{ s += int(($1 + 1023) / 1024) } END { print s }')
    mkdir -p "$2/DEBIAN"
    sed -e "s/@VERSION@/$version/" -e "s/@SIZE@/$size/" -e "s/@BUILD_ID@/$(echo "${id-}" | tr -d /)/" "$1" >"$2/DEBIAN/control"
    chmod 755 "$2/DEBIAN"
    chmod 644 "$2/DEBIAN/control"
}

tree=$work/sluice
"$here/stage.sh" "$program" "$tree" deb
fill "$here/debian/control" "$tree"
(cd "$tree" && find etc -type f | LC_ALL=C sort | sed 's,^,/,') >"$tree/DEBIAN/conffiles"
chmod 644 "$tree/DEBIAN/conffiles"
for script in postinst prerm postrm; do
    cp "$here/debian/$script" "$tree/DEBIAN/"
    chmod 755 "$tree/DEBIAN/$script"
done
pack "$tree" "sluice_${version}_amd64.deb"

tree=$work/dbgsym
id=$("$here/symbols.sh" "$program" "$tree")
mkdir -p "$tree/usr/share/doc"
ln -s sluice "$tree/usr/share/doc/sluice-dbgsym"
fill "$here/debian/control-dbgsym" "$tree"
pack "$tree" "sluice-dbgsym_${version}_amd64.deb"
