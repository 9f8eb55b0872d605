#!/bin/sh
# verify.sh [DIRECTORY] - build everything twice, differently, and compare every byte.
# verify.sh --list - what differs: its name, in the first build, in the second, between tabs.
#
# Two clones of the last commit are built into packages, the second one in other
# circumstances. What comes out must be equal. Then inspect.sh shows what is inside.
# DIRECTORY (by default a temporary one) needs 3 GB. Takes five to fifteen minutes.
set -eu
case ${1-} in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac

# The words of both builds; those of user and crates are what they come to where root calls.
circumstances() {
    tr '|' '\t' <<'END'
directory|a|b/a/deeper/place
user|who calls|nobody, if root calls
crates|in the caller's directory|in a copy of it
umask|022|077
time zone|UTC|Asia/Tokyo
locale|C|C.UTF-8
jobs|default|1
days the clock is ahead|0|400
END
}
[ "${1-}" != --list ] || { circumstances; exit 0; }

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
work=${1:-$(mktemp -d)}
mkdir -p "$work"
work=$(cd "$work" && pwd)
[ -n "${1-}" ] || trap 'rm -rf "$work"' EXIT
say() { echo "verify.sh: $*" >&2; }
git() { command git -c safe.directory='*' "$@"; }
# word BUILD NAME: what that build has for a circumstance.
word() { circumstances | awk -F '\t' -v build="$1" -v name="$2" '$1 == name { print $(build + 1) }'; }

"$here/need.sh" git:git dpkg-deb:dpkg rpmbuild:rpm python3:python3-minimal readelf:binutils
# shellcheck disable=SC2086
toolchain=$("$here/musl-target.sh" ${SLUICE_MUSL-})
home=${CARGO_HOME:-$HOME/.cargo}
chmod 755 "$work"
cp "$toolchain" "$work/toolchain"
chmod 644 "$work/toolchain"

first=$work/$(word 1 directory)
second=$work/$(word 2 directory)
for place in "$first" "$second"; do
    rm -rf "$place"
    mkdir -p "$(dirname "$place")"
    git clone --quiet --no-hardlinks "$root" "$place"
done
if [ -n "$(git -C "$root" status --porcelain)" ]; then
    say 'there are uncommitted changes: the last commit is what is built'
fi
# shellcheck disable=SC1091
(. "$work/toolchain" && cd "$first" && "$CARGO" fetch --quiet --locked --target x86_64-unknown-linux-musl)

# The second cargo directory: the same crates in another place.
other=$work/b/cargo
rm -rf "$other"
mkdir -p "$other/registry"
cp -r "$home/registry/index" "$home/registry/cache" "$other/registry/"

# The second clock, and that the programs of a build go by it.
ahead=$(($(word 2 'days the clock is ahead') * 86400))
clock=$work/clock.so
cc -O1 -shared -fPIC -DAHEAD=$ahead -o "$clock" "$here/clock.c"
chmod 755 "$clock"
gained=$(($(LD_PRELOAD="$clock" date +%s) - $(date +%s)))
if [ $gained -lt $((ahead - 60)) ] || [ $gained -gt $((ahead + 60)) ]; then
    say "the second build's clock is $gained seconds ahead, not $ahead"
    exit 1
fi

# Another user must be able to read the toolchain: one in root's home is copied.
as=
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    as='setpriv --reuid=nobody --regid=nogroup --clear-groups'
    # shellcheck disable=SC1091
    . "$work/toolchain"
    if ! $as "$RUSTC" -V >/dev/null 2>&1; then
        sysroot=$("$RUSTC" --print sysroot)
        mkdir -p "$work/b/rust"
        cp -r "$sysroot/bin" "$sysroot/lib" "$work/b/rust/"
        sed "s,$sysroot/bin,$work/b/rust/bin,g" "$work/toolchain" >"$work/b/toolchain"
    fi
    chown -R nobody "$work/b"
fi
[ -e "$work/b/toolchain" ] || cp "$work/toolchain" "$work/b/toolchain"

# shellcheck disable=SC2016
recipe='build/env.sh cargo build --release --locked --offline --target x86_64-unknown-linux-musl >build.log 2>&1 || { cat build.log; exit 1; }
    program=target/x86_64-unknown-linux-musl/release/sluice
    build/split-debug.sh $program
    for format in deb rpm tarball; do build/env.sh packaging/$format.sh $program dist; done >/dev/null'

# build NUMBER DIRECTORY NAME=VALUE... [PROGRAM OPTION...]: with these variables, by that program.
build() (
    number=$1
    say "build $number, in $2"
    cd "$2"
    shift 2
    unset SOURCE_DATE_EPOCH CARGO_TARGET_DIR
    umask "$(word "$number" umask)"
    env TZ="$(word "$number" 'time zone')" LC_ALL="$(word "$number" locale)" CARGO_BUILD_JOBS="$(word "$number" jobs)" \
        "$@" sh -euc "$recipe"
)
build 1 "$first" SLUICE_TOOLCHAIN="$work/toolchain"
# shellcheck disable=SC2086
build 2 "$second" SLUICE_TOOLCHAIN="$work/b/toolchain" CARGO_HOME="$other" HOME="$work/b" LD_PRELOAD="$clock" $as

program=target/x86_64-unknown-linux-musl/release/sluice
echo
echo "Made of commit $(git -C "$first" rev-parse HEAD) by"
"$first/$program" -vv | sed -n 's/^  \(CC\|RUSTC\)  *= /  /p'
echo 'Two builds, that had'
circumstances | awk -F '\t' '{ printf "  %-24s %-26s %s\n", $1, $2, $3 }'
echo 'came to'
different=
for path in "$program" "$first"/dist/*; do
    path=${path#"$first"/}
    one=$(sha256sum <"$first/$path" | cut -d' ' -f1)
    two=$(sha256sum <"$second/$path" | cut -d' ' -f1)
    if [ "$one" = "$two" ]; then verdict=equal; else verdict=DIFFERENT different="$different $path"; fi
    printf '  %-9s %s  %s\n' "$verdict" "$one" "${path##*/}"
done
for path in $different; do
    if command -v diffoscope >/dev/null; then diffoscope --max-report-size 20000 "$first/$path" "$second/$path" || true; fi
done
"$here/inspect.sh" "$first/$program" "$first/dist" || different="$different (see above)"
[ -z "$different" ] || { say "not as promised:$different"; exit 1; }
