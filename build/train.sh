#!/bin/sh
# train.sh [SCENARIO...] - measure where the program spends its time, for the compiler.
#
# Builds a program that counts how often each piece of code runs, puts the scenarios
# of the bench through it (by default those of requests, logs, rules and TLS), and
# writes the counts to build/counts.profdata, which env.sh gives to the compiler:
# code that traffic runs through is then laid out and inlined for speed, all other
# for size. Worth doing before a release: counts of functions that have changed
# since are ignored, which costs nothing but their benefit. The kept file is an input
# like any source, so that builds stay equal byte for byte.
# Needs a toolchain of rustup (its musl library brings the counting) and llvm-profdata
# 19 or newer. Takes about ten minutes and 3 GB in target/train.
set -eu
case ${1-} in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
cd "$root"
[ $# -gt 0 ] || set -- keep browser body-16k body-64k chunked fresh rules log latency servers-1000 backends tcp tls

"$here/need.sh" llvm-profdata-19:llvm-19
work=$root/target/train
program=$work/x86_64-unknown-linux-musl/release/sluice
counts=$work/counts
rm -rf "$counts"
mkdir -p "$counts"

SLUICE_COUNTS=none SLUICE_FLAGS=-Cprofile-generate="$counts" CARGO_TARGET_DIR=$work \
    "$here/env.sh" cargo build --release --locked --target x86_64-unknown-linux-musl

# Counts are written by a process that ends of itself, which SIGTERM does not let it,
# to a file that its sandbox would keep from it.
cat >"$work/sandbox-off.cfg" <<END
global
    sandbox off
    hard-stop-after 1s
END
cat >"$work/sluice" <<END
#!/bin/bash
trap 'kill -USR1 \$child' TERM
LLVM_PROFILE_FILE=$counts/%p.profraw $program "\$@" -f $work/sandbox-off.cfg &
child=\$!
until wait \$child || ! kill -0 \$child 2>/dev/null; do :; done
END
chmod 755 "$work/sluice"
SLUICE=$work/sluice cargo bench --locked --bench side_by_side -- --only sluice --rounds 1 --seconds 1 "$@"

llvm-profdata-19 merge --output "$here/counts.profdata" "$counts"/*.profraw
ls -l "$here/counts.profdata"
