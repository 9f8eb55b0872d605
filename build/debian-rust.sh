#!/bin/sh
# debian-rust.sh DIRECTORY - unpack Debian's Rust and its source, privately.
#
# Downloads the newest rustc, cargo and library source of the configured archive,
# with those libraries they need that the machine lacks, and unpacks them below
# DIRECTORY/debian. Nothing is installed and no right is needed. DIRECTORY/rustc,
# rustdoc and cargo start the unpacked programs.
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
mkdir -p "$1"
place=$(cd "$1" && pwd)
command -v apt-get >/dev/null || { echo 'debian-rust.sh: there is no apt-get' >&2; exit 1; }

# Debian keeps a newer compiler for its browsers under names of their own.
packages='rustc cargo rust-src'
if apt-cache show rust-web-src >/dev/null 2>&1; then packages='rustc-web cargo-web rust-web-src'; fi

rm -rf "$place/new"
mkdir "$place/new"
cd "$place/new"
# What apt would install is exactly what is missing; where the compiler itself is
# installed already, it is fetched all the same.
# shellcheck disable=SC2086
missing=$(apt-get -s --reinstall --no-install-recommends install $packages | awk '/^Inst/ { print $2 }')
# shellcheck disable=SC2086
apt-get -qq -o APT::Sandbox::User=root download $packages $missing 2>download.log || { cat download.log >&2; exit 1; }
for package in ./*.deb; do
    dpkg-deb -x "$package" .
    rm "$package"
done
cd ..
rm -rf debian
mv new debian

for program in rustc rustdoc cargo; do
    [ -x "debian/usr/bin/$program" ] || continue
    cat >$program <<START
#!/bin/sh
LD_LIBRARY_PATH='$place/debian/usr/lib/x86_64-linux-gnu'\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
exec '$place/debian/usr/bin/$program' "\$@"
START
    chmod 755 $program
done
./rustc -V
