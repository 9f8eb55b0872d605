#!/bin/sh
# verify.sh [DIRECTORY] - build everything twice, differently, and compare every byte.
#
# Two clones of the last commit are built into packages: one in a short path with
# umask 022, UTC and all processors; one in a deep path, as another user where
# root runs this, with umask 077, another time zone, locale, cargo directory and
# one job. What comes out must be equal. Then inspect.sh shows what is inside.
# DIRECTORY (by default a temporary one) needs 3 GB. Takes five to fifteen minutes.
set -eu
case ${1-} in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
work=${1:-$(mktemp -d)}
mkdir -p "$work"
work=$(cd "$work" && pwd)
[ -n "${1-}" ] || trap 'rm -rf "$work"' EXIT
say() { echo "verify.sh: $*" >&2; }

"$here/need.sh" git:git dpkg-deb:dpkg rpmbuild:rpm python3:python3-minimal readelf:binutils
# shellcheck disable=SC2086
toolchain=$("$here/musl-target.sh" ${SLUICE_MUSL-})
home=${CARGO_HOME:-$HOME/.cargo}
chmod 755 "$work"
cp "$toolchain" "$work/toolchain"
chmod 644 "$work/toolchain"

first=$work/a
second=$work/b/a/deeper/place
for place in "$first" "$second"; do
    rm -rf "$place"
    mkdir -p "$(dirname "$place")"
    git -c safe.directory='*' clone --quiet --no-hardlinks "$root" "$place"
done
if [ -n "$(git -c safe.directory='*' -C "$root" status --porcelain)" ]; then
    say 'there are uncommitted changes: the last commit is what is built'
fi
# shellcheck disable=SC1091
(. "$work/toolchain" && cd "$first" && "$CARGO" fetch --quiet --locked --target x86_64-unknown-linux-musl)

# The second cargo directory: the same crates in another place.
other=$work/b/cargo
rm -rf "$other"
mkdir -p "$other/registry"
cp -r "$home/registry/index" "$home/registry/cache" "$other/registry/"

# shellcheck disable=SC2016
recipe='build/env.sh cargo build --release --locked --offline --target x86_64-unknown-linux-musl >build.log 2>&1 || { cat build.log; exit 1; }
    program=target/x86_64-unknown-linux-musl/release/sluice
    build/split-debug.sh $program
    for format in deb rpm tarball; do build/env.sh packaging/$format.sh $program dist; done >/dev/null'

say "first build, in $first"
(
    unset SOURCE_DATE_EPOCH CARGO_TARGET_DIR
    cd "$first"
    umask 022
    SLUICE_TOOLCHAIN="$work/toolchain" TZ=UTC LC_ALL=C sh -euc "$recipe"
)

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
        sed -i "s,$sysroot/bin,$work/b/rust/bin,g" "$work/toolchain"
    fi
    chown -R nobody "$work/b"
fi
say "second build, in $second${as:+, as nobody}"
(
    unset SOURCE_DATE_EPOCH CARGO_TARGET_DIR
    cd "$second"
    umask 077
    # shellcheck disable=SC2086
    SLUICE_TOOLCHAIN="$work/toolchain" CARGO_HOME="$other" HOME="$work/b" TZ=Asia/Tokyo LC_ALL=C.UTF-8 \
        CARGO_BUILD_JOBS=1 $as sh -euc "$recipe"
)

echo
echo "Made of commit $(git -c safe.directory='*' -C "$first" rev-parse HEAD) by"
# shellcheck disable=SC1091
(. "$work/toolchain" && "$RUSTC" -V && cc --version | head -n1) | sed 's/^/  /'
echo 'Two builds:'
different=
for path in target/x86_64-unknown-linux-musl/release/sluice "$first"/dist/*; do
    path=${path#"$first"/}
    one=$(sha256sum <"$first/$path" | cut -d' ' -f1)
    two=$(sha256sum <"$second/$path" | cut -d' ' -f1)
    if [ "$one" = "$two" ]; then verdict=equal; else verdict=DIFFERENT different="$different $path"; fi
    printf '  %-9s %s  %s\n' "$verdict" "$one" "${path##*/}"
done
for path in $different; do
    if command -v diffoscope >/dev/null; then diffoscope --max-report-size 20000 "$first/$path" "$second/$path" || true; fi
done
"$here/inspect.sh" "$first/target/x86_64-unknown-linux-musl/release/sluice" "$first/dist"
[ -z "$different" ] || { say "these differ:$different"; exit 1; }
