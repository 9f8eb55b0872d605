#!/bin/sh
# changelog.sh - Debian's form of CHANGELOG.md, on standard output.
#
# The newest section becomes the entry of this version, dated SOURCE_DATE_EPOCH.
set -eu
case ${1-} in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
root=$(cd "$(dirname "$0")/../.." && pwd)

echo "sluice (${SLUICE_VERSION:?is not set: call this through build/env.sh}) unstable; urgency=medium"
echo
awk '
    # Entries are filled to 80 columns; a word that is longer has a line of its own.
    function entry(    line, n, i, word) {
        if (text == "") return
        n = split(text, word, " ")
        line = "  *"
        for (i = 1; i <= n; i++) {
            if (length(line) + 1 + length(word[i]) > 80 && line != "  *") { print line; line = "   " }
            line = line " " word[i]
        }
        print line
        text = ""
    }
    /^## / { sections++ }
    sections != 1 { next }
    /^- / { entry(); text = substr($0, 3) }
    /^  [^ ]/ { text = text " " $0 }
    END { entry() }
' "$root/CHANGELOG.md"
echo
echo " -- The sluice authors <sluice@users.noreply.sluice.invalid>  $(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")"
