#!/bin/sh
# stage.sh PROGRAM DIRECTORY FORMAT - lay out what a package installs.
#
# FORMAT is deb, rpm or tar. DIRECTORY becomes a file tree below /: the files of
# packaging/files, the program, manual pages and completions made from the
# program's own keyword rows, licences, and the bill of materials. All times are
# SOURCE_DATE_EPOCH; all modes are set here, whatever the umask.
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
program=$1 stage=$2 format=$3
: "${SOURCE_DATE_EPOCH:?is not set: call this through build/env.sh}"
export LC_ALL=C TZ=UTC
umask 022

rm -rf "$stage"
mkdir -p "$stage/usr/sbin"
cp -R "$here/files/." "$stage/"
cp "$program" "$stage/usr/sbin/sluice"

"$program" manual >"$stage/rows"
python3 "$here/manual/manual.py" "$stage/rows" "$stage"
rm "$stage/rows"

doc=$stage/usr/share/doc/sluice
python3 "$here/bill.py" licences >"$doc/THIRD-PARTY"
python3 "$here/bill.py" sbom >"$doc/sluice.cdx.json"
cp "$root/README.md" "$doc/README.md"
case $format in
    deb)
        sh "$here/debian/changelog.sh" | gzip -9n >"$doc/changelog.gz"
        { cat "$here/debian/copyright"; sed -e 's/^$/./' -e 's/^/ /' "$root/LICENSE-MIT"; } >"$doc/copyright"
        mkdir -p "$stage/usr/share/lintian/overrides"
        cp "$here/debian/lintian-overrides" "$stage/usr/share/lintian/overrides/sluice"
        ;;
    *)
        cp "$root/CHANGELOG.md" "$root/LICENSE-APACHE" "$root/LICENSE-MIT" "$doc/"
        # Only Debian calls zsh's directory of packages' completions by this name.
        mv "$stage/usr/share/zsh/vendor-completions" "$stage/usr/share/zsh/site-functions"
        ;;
esac

find "$stage" -type d -exec chmod 755 {} +
find "$stage" -type f -exec chmod 644 {} +
chmod 755 "$stage/usr/sbin/sluice"
find "$stage" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
