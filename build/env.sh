#!/bin/sh
# env.sh COMMAND ARGUMENT... - run a command in the environment of the static build.
#
# Makes sure of the musl target (musl-target.sh; SLUICE_MUSL holds options for
# it), then sets, in this one place, all that decides the bytes of the program:
# compiler flags that replace the paths of this machine, the dates that C code may
# embed, the names of commit and compilers for `sluice -vv`; for the packages also
# SLUICE_VERSION. Two builds of one commit by one toolchain are equal, wherever and by
# whomever they are made.
# With --print, the variables are printed instead. SLUICE_TOOLCHAIN may name a file
# that musl-target.sh has answered with before; then that is not asked again.
# SLUICE_FLAGS may hold one more flag of the compiler, SLUICE_COUNTS another file of
# measured counts (`none` for none).
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")

# shellcheck disable=SC2086
toolchain=${SLUICE_TOOLCHAIN:-$("$here/musl-target.sh" ${SLUICE_MUSL-})}
# shellcheck disable=SC1090
. "$toolchain"

# A release tarball has no git; its maker left these facts in build/commit. A clone
# has, and without the program the bytes would be those of no commit.
if [ -e "$root/.git" ]; then "$here/need.sh" git:git || true; fi
git() { command git -c safe.directory='*' -C "$root" "$@" 2>/dev/null; }
if [ -e "$root/.git" ] && commit=$(git rev-parse --short=12 HEAD); then
    [ -z "$(git status --porcelain --untracked-files=no)" ] || commit=$commit-modified
    epoch=$(git log -1 --format=%ct)
elif [ -f "$here/commit" ]; then
    read -r commit epoch <"$here/commit"
else
    commit=unknown epoch=315532800
fi
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$epoch}
SLUICE_COMMIT=$commit
SLUICE_RUSTC=$("$RUSTC" -V)
SLUICE_VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n1)
export SOURCE_DATE_EPOCH SLUICE_COMMIT SLUICE_RUSTC SLUICE_VERSION

home=${CARGO_HOME:-$HOME/.cargo}
objects=${CARGO_TARGET_DIR:-$root/target}
library=$("$RUSTC" --print sysroot)/lib/rustlib/src/rust
hash=$("$RUSTC" -Vv | sed -n 's/^commit-hash: //p')

# What train.sh measured, for optimising compilers that can read it.
counts=${SLUICE_COUNTS:-$here/counts.profdata}
llvm=$("$RUSTC" -Vv | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
case " $* " in *' --release '*) ;; *) counts= ;; esac
if [ ! -f "$counts" ] || [ "${llvm:-0}" -lt 19 ]; then counts=; fi

# One flag a line of the unit separator: paths may hold spaces.
us=$(printf '\037')
export CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=$root=/sluice$us--remap-path-prefix=$objects=/sluice/target$us--remap-path-prefix=$home=/cargo$us--remap-path-prefix=$library=/rustc/$hash${SLUICE_PACKED:+$us$SLUICE_PACKED}${counts:+$us-Cprofile-use=$counts$us-Cllvm-args=-no-pgo-warn-mismatch}${SLUICE_FLAGS:+$us$SLUICE_FLAGS}"
export CARGO_INCREMENTAL=0
unset RUSTFLAGS

export CC_SHELL_ESCAPED_FLAGS=1
export CFLAGS_x86_64_unknown_linux_musl="'-ffile-prefix-map=$root=/sluice' '-ffile-prefix-map=$objects=/sluice/target' '-ffile-prefix-map=$home=/cargo' -Wno-builtin-macro-redefined '-D__DATE__=\"reproducible\"' '-D__TIME__=\"build\"'"
if command -v musl-gcc >/dev/null; then
    export CC_x86_64_unknown_linux_musl=musl-gcc
else
    # glibc's headers, but none of its checked functions, which musl lacks.
    export CC_x86_64_unknown_linux_musl=cc
    CFLAGS_x86_64_unknown_linux_musl="$CFLAGS_x86_64_unknown_linux_musl -U_FORTIFY_SOURCE"
fi
# In its own words, which it also leaves in the program; but not by the name of this
# machine for it: cc and musl-gcc are one compiler and make the same bytes.
SLUICE_CC=$(LC_ALL=C $CC_x86_64_unknown_linux_musl --version | sed '1!d;s/^[^ ]*cc[^ ]* (/gcc (/')
export SLUICE_CC

if [ "$1" = --print ]; then
    env | grep -E '^(CARGO|RUSTC|CC_|CFLAGS_|SLUICE_|SOURCE_DATE)' | sort
    exit 0
fi
# `cargo` means the one that fits the compiler.
if [ "$1" = cargo ]; then
    shift
    set -- "$CARGO" "$@"
fi
exec "$@"
