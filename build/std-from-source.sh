#!/bin/sh
# std-from-source.sh CARGO RUSTC SOURCE SYSROOT - build the static standard library.
#
# Compiles the standard library in SOURCE/library, which must be of exactly
# RUSTC's version, for x86_64-unknown-linux-musl, without network where
# SOURCE/library/vendor exists. SYSROOT becomes a private sysroot: the host's
# libraries by a link, the new ones beside it, and bin/rustc, which is RUSTC with
# that sysroot. Takes about a minute. musl-target.sh calls this.
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
cargo=$1 rustc=$2 source=$3 sysroot=$4
target=x86_64-unknown-linux-musl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
fact() { "$rustc" -Vv | sed -n "s/^$1: //p"; }
echo "std-from-source.sh: building Rust $(fact release)'s library from $source"

# A wrapper instead of RUSTFLAGS=--sysroot: cargo hashes RUSTFLAGS into every
# crate's metadata, and a private path there would make builds differ.
host=$(fact host)
mkdir -p "$sysroot/bin" "$sysroot/lib/rustlib"
ln -sfn "$("$rustc" --print sysroot)/lib/rustlib/$host" "$sysroot/lib/rustlib/$host"
for program in "$rustc" "$(dirname "$rustc")/rustdoc"; do
    [ -x "$program" ] || continue
    printf '#!/bin/sh\nexec "%s" --sysroot "%s" "$@"\n' "$program" "$sysroot" >"$sysroot/bin/${program##*/}"
    chmod 755 "$sysroot/bin/${program##*/}"
done

# Everything unwinds but panic_abort, which must be compiled to abort.
cat >"$work/rustc" <<'WRAP'
#!/bin/sh
compiler=$1
shift
case " $* " in *' --crate-name panic_abort '*) set -- "$@" -Cpanic=abort ;; esac
exec "$compiler" "$@"
WRAP
chmod 755 "$work/rustc"

# An empty package to hang -Zbuild-std on. Embedded bitcode is what fat LTO reads.
mkdir -p "$work/empty/src"
echo '#![no_std]' >"$work/empty/src/lib.rs"
printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n' >"$work/empty/Cargo.toml"
set -- build --quiet --release --target $target -Zbuild-std=std,panic_abort,panic_unwind,proc_macro,test
if [ -d "$source/library/vendor" ]; then
    set -- "$@" --config 'source.crates-io.replace-with="vendor"' \
        --config "source.vendor.directory=\"$source/library/vendor\""
fi
(
    cd "$work/empty"
    unset CARGO_BUILD_TARGET CARGO_BUILD_RUSTFLAGS CARGO_ENCODED_RUSTFLAGS RUSTC_WORKSPACE_WRAPPER
    export CARGO_HOME="$work/home" CARGO_TARGET_DIR="$work/target" CARGO_INCREMENTAL=0
    export RUSTC="$rustc" RUSTC_WRAPPER="$work/rustc" RUSTC_BOOTSTRAP=1
    export __CARGO_TESTS_ONLY_SRC_ROOT="$source/library"
    RUSTFLAGS="-Cembed-bitcode=yes -Cforce-unwind-tables=yes -Cdebuginfo=0 -Ccodegen-units=1 \
--remap-path-prefix=$source=/rustc/$(fact commit-hash)"
    export RUSTFLAGS
    exec "$cargo" "$@"
)

new=$work/lib
mkdir -p "$new/self-contained"
for rlib in "$work/target/$target/release/deps/"*.rlib; do
    case $rlib in */libempty-*) ;; *) cp "$rlib" "$new/" ;; esac
done

# What rustc links a static program from: musl's start files and libc, gcc's own.
musl=/usr/lib/x86_64-linux-musl
if ! [ -f $musl/rcrt1.o ]; then
    (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download musl-dev && dpkg-deb -x musl-dev_*.deb musl)
    musl=$work/musl$musl
fi
for file in crt1.o rcrt1.o Scrt1.o crti.o crtn.o libc.a; do
    cp "$musl/$file" "$new/self-contained/"
done
for file in crtbegin.o crtbeginS.o crtend.o crtendS.o; do
    cp "$(gcc -print-file-name=$file)" "$new/self-contained/"
done

# The unwinder is LLVM's static one, of the compiler's LLVM version where Debian
# has it, else the newest. It is unpacked, not installed: the package conflicts
# with libunwind-dev. It was compiled with fortify for glibc and needs compiler
# routines, so a shim and libgcc go into the same archive.
llvm=$(fact 'LLVM version' | cut -d. -f1)
package=libunwind-$llvm-dev
apt-cache show "$package" >/dev/null 2>&1 ||
    package=$(apt-cache pkgnames libunwind- | grep -E '^libunwind-[0-9]+-dev$' | sort -V | tail -n1)
unwind=$(find /usr/lib/llvm-*/lib -name libunwind.a 2>/dev/null | grep "llvm-$llvm/" || true)
if [ -z "$unwind" ]; then
    (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$package" && dpkg-deb -x "$package"_*.deb unwind)
    unwind=$(find "$work/unwind" -name libunwind.a | head -n1)
fi
cat >"$work/shim.c" <<'SHIM'
#include <stdarg.h>
int vfprintf(void *file, const char *format, va_list words);
int __fprintf_chk(void *file, int flag, const char *format, ...)
{
    va_list words;
    int written;
    (void)flag;
    va_start(words, format);
    written = vfprintf(file, format, words);
    va_end(words);
    return written;
}
SHIM
gcc -O2 -fPIC -fno-builtin -c -o "$work/shim.o" "$work/shim.c"
ar -M <<MERGE
create $work/libunwind.a
addlib $unwind
addmod $work/shim.o
addlib $(gcc -print-libgcc-file-name)
save
end
MERGE
objcopy --enable-deterministic-archives "$work/libunwind.a" "$new/self-contained/libunwind.a"

# What it was made of, for whoever compares two machines.
{
    "$rustc" -Vv
    echo "source: $source"
    echo "unwinder: $package $(sha256sum <"$unwind" | cut -d' ' -f1)"
    echo "musl: $(sha256sum <"$musl/libc.a" | cut -d' ' -f1)"
    gcc --version | head -n1
} >"$new/provenance"

place=$sysroot/lib/rustlib/$target/lib
rm -rf "$place.new"
mkdir -p "$(dirname "$place")"
cp -r "$new" "$place.new"
rm -rf "$place"
mv "$place.new" "$place"
