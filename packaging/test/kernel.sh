#!/bin/sh
# kernel.sh PROGRAM [KERNEL-IMAGE] - the program alone with a busybox under another kernel.
#
# Boots the image (a vmlinuz, by default that of Debian's linux-image-cloud-amd64,
# which is kept in the cache directory) in qemu, without disk or network; there the
# program checks a configuration, serves, takes up a reload, and checks again
# without /proc. Emulated throughout, so it takes a minute and needs no root.
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
program=$1 image=${2-}
"$(dirname "$0")/../../build/need.sh" qemu-system-x86_64:qemu-system-x86 busybox:busybox-static cpio:cpio
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -z "$image" ]; then
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/sluice
    image=$cache/vmlinuz
    if ! [ -f "$image" ]; then
        mkdir -p "$cache"
        package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: //p' | head -n1)
        (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$package" && dpkg-deb -x "$package"_*.deb kernel)
        cp "$work"/kernel/boot/vmlinuz-* "$image"
    fi
fi

mkdir -p "$work/root/bin" "$work/root/dev" "$work/root/proc" "$work/root/tmp"
cp "$(command -v busybox)" "$work/root/bin/busybox"
cp "$program" "$work/root/sluice"
cat >"$work/root/site.cfg" <<'SITE'
global
    master-worker
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 1s
frontend web
    bind 127.0.0.1:8080
    http-request return status 200 content-type text/plain string served
SITE
cat >"$work/root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
ip link set lo up
echo "kernel: $(uname -sr)"
served() {
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        [ "$(wget -qO- http://127.0.0.1:8080/ 2>/dev/null)" != served ] || { echo "served: $1"; return; }
        sleep 2
    done
}
/sluice -f /site.cfg -p /tmp/pid >/tmp/log 2>&1 &
served 'after the start'
kill -USR2 "$(cat /tmp/pid)"
sleep 5
served 'after a reload'
cat /tmp/log
umount /proc
/sluice -c -f /site.cfg && echo 'checked: without /proc'
poweroff -f
INIT
chmod 755 "$work/root/init"
(cd "$work/root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd"

timeout 600 qemu-system-x86_64 -accel tcg -m 512 -nographic -nodefaults -no-reboot -serial stdio -kernel "$image" \
    -initrd "$work/initrd" -append 'console=ttyS0 quiet panic=-1' </dev/null 2>&1 | tr -d '\r' >"$work/said"
sed -n 's/^/  /; /kernel:/,$p' "$work/said"
for line in 'served: after the start' 'served: after a reload' 'checked: without /proc'; do
    grep -q "^$line" "$work/said" || { echo "kernel.sh: not seen: $line" >&2; exit 1; }
done
echo 'kernel.sh: all well'
