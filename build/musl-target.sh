#!/bin/sh
# musl-target.sh [OPTION...] - find or make Rust's standard library for static programs.
#
# The first of these that works is taken:
#   1. the compiler in PATH has the target x86_64-unknown-linux-musl
#   2. `rustup target add` brings it
#   3. the standard library is built once from source of the compiler's version
#      (on disk, or in Debian's archive), by std-from-source.sh
#   4. the same with Debian's own compiler, unpacked by debian-rust.sh
# What was built is kept in ~/.cache/sluice (XDG_CACHE_HOME is obeyed); neither
# rustup's nor the distribution's directories are written to. The answer is the
# path of a file of shell assignments, printed on standard output; env.sh uses it.
#
#   --no-rustup      leave out 2
#   --no-target      leave out 1 and 2, as if rustup had only the compiler
#   --distribution   leave out all but 4
#   --no-apt         fetch and install no Debian package
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=x86_64-unknown-linux-musl
with_target=1 with_rustup=1 with_own=1 with_apt=1
for option; do
    case $option in
        --no-rustup) with_rustup= ;;
        --no-target) with_target='' with_rustup='' ;;
        --distribution) with_target='' with_rustup='' with_own='' ;;
        --no-apt) with_apt= ;;
        -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;;
        *) echo "musl-target.sh: no option '$option' (--help lists them)" >&2; exit 2 ;;
    esac
done

cache=${XDG_CACHE_HOME:-$HOME/.cache}/sluice
mkdir -p "$cache"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
exec 9>"$cache/.lock"
flock 9

say() { echo "musl-target.sh: $*" >&2; }
need() { [ -z "$with_apt" ] || "$here/need.sh" "$@"; }
fact() { "$1" -Vv | sed -n "s/^$2: //p"; }

# works RUSTC: can it make a static program that runs, unwinds, threads and binds?
# Leaves in $packed the flag that packs relocations, where what starts the program
# (musl from 1.2.4 on) unpacks them: that is 350 kB of the program.
packed=
works() {
    cp "$here/musl-probe.rs" "$work/probe.rs"
    probe "$1" || return 1
    packed=-Clink-arg=-Wl,-z,pack-relative-relocs
    probe "$1" "$packed" || packed=
}
probe() {
    rm -f "$work/probe"
    "$1" --edition 2024 --target $target -Copt-level=1 -Clto=fat ${2-} -o "$work/probe" "$work/probe.rs" \
        >"$work/probe.log" 2>&1 && "$work/probe" >>"$work/probe.log" 2>&1
}

# answer CARGO RUSTC: the environment file; its path is the answer.
answer() {
    rustdoc=$(dirname "$2")/rustdoc
    file=$cache/env-$(printf '%s' "$*" | cksum | cut -d' ' -f1)
    {
        echo "CARGO='$1' RUSTC='$2' SLUICE_PACKED='$packed'"
        [ ! -x "$rustdoc" ] || echo "RUSTDOC='$rustdoc'; export RUSTDOC"
        echo 'export CARGO RUSTC'
    } >"$work/env"
    cmp -s "$work/env" "$file" || cp "$work/env" "$file"
    echo "$file"
    exit 0
}

# A linker, and musl's C compiler, without which the machine's own is taken.
need cc:gcc cc:libc6-dev ar:binutils musl-gcc:musl-tools || say 'trying without'

rustc=$(command -v rustc || true) cargo=$(command -v cargo || true)
if command -v rustup >/dev/null && real=$(rustup which rustc 2>/dev/null); then
    # The file behind rustup's proxy: an overriding toolchain file must not come between.
    rustc=$real cargo=$(dirname "$real")/cargo
fi
"${rustc:-false}" -V >/dev/null 2>&1 || rustc=

if [ -n "$rustc" ] && [ -n "$with_target" ]; then
    # An answer of an earlier run holds as long as compiler and library are the same files.
    seal="2 $rustc $(fact "$rustc" commit-hash) $(stat -c %Y:%n "$("$rustc" --print target-libdir --target $target)"/libstd-*.rlib 2>/dev/null || true)"
    if [ "$(sed -n 1p "$cache/seal" 2>/dev/null)" = "$seal" ]; then
        packed=$(sed -n 2p "$cache/seal")
        answer "$cargo" "$rustc"
    fi
    if works "$rustc"; then
        printf '%s\n%s\n' "$seal" "$packed" >"$cache/seal"
        answer "$cargo" "$rustc"
    fi
fi

if [ -n "$rustc" ] && [ -n "$with_rustup" ] && command -v rustup >/dev/null; then
    say "rustup target add $target"
    if timeout 180 rustup target add $target >"$work/rustup.log" 2>&1 && works "$rustc"; then
        answer "$cargo" "$rustc"
    fi
    say "rustup could not: $(grep -m1 '^error' "$work/rustup.log" || tail -n1 "$work/rustup.log")"
fi

# source_of RUSTC: the directory that holds library/ of exactly this version.
source_of() {
    version=$(fact "$1" release)
    for place in "$("$1" --print sysroot)/lib/rustlib/src/rust" "/usr/src/rustc-$version" "$cache/rustc-$version"; do
        if [ -f "$place/library/std/Cargo.toml" ]; then (cd "$place" && pwd -P); return 0; fi
    done
    [ -n "$with_apt" ] || return 1
    for package in rust-src rust-web-src; do
        exact=$(apt-cache madison $package 2>/dev/null |
            awk -v v="$version" '$3 ~ "^" v "[+~-]" { print $3; exit }')
        [ -n "$exact" ] || continue
        say "unpacking Debian's $package $exact into $cache"
        (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$package=$exact" >&2 && dpkg-deb -x $package*.deb unpacked) || continue
        mv "$work/unpacked/usr/src/rustc-$version" "$cache/"
        echo "$cache/rustc-$version"
        return 0
    done
    return 1
}

# build CARGO RUSTC SOURCE: a private sysroot whose compiler has the target; idempotent.
build() {
    sysroot=$cache/$(fact "$2" release)-$(fact "$2" commit-hash | cut -c1-9)
    if works "$sysroot/bin/rustc"; then answer "$1" "$sysroot/bin/rustc"; fi
    "$here/std-from-source.sh" "$1" "$2" "$3" "$sysroot" >&2
    if works "$sysroot/bin/rustc"; then answer "$1" "$sysroot/bin/rustc"; fi
    say 'the library was built, but the probe fails:'
    cat "$work/probe.log" >&2
    return 1
}

# new_enough RUSTC: does sluice compile with this version at all?
least=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$here/../Cargo.toml")
new_enough() { printf '%s\n' "$least" "$(fact "$1" release)" | sort -V -C; }

if [ -n "$rustc" ] && [ -n "$with_own" ] && new_enough "$rustc" && source=$(source_of "$rustc"); then
    build "$cargo" "$rustc" "$source" || true
fi

# The distribution's compiler, unpacked beside source of its own version.
private=$cache/distribution
if [ -n "$with_apt" ] && ! [ -x "$private/rustc" ]; then
    say "fetching the distribution's compiler and source into $private"
    "$here/debian-rust.sh" "$private" >&2 || true
fi
if [ -x "$private/rustc" ] && new_enough "$private/rustc" && source=$(source_of "$private/rustc"); then
    build "$private/cargo" "$private/rustc" "$source" || true
fi
say "found no static standard library: Rust $least or newer is needed, with \`rustup target add $target\` or Debian's archive"
exit 1
