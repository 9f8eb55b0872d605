#!/bin/bash
# container.sh PROGRAM - build the image of packaging/Containerfile and run it as a container.
#
# Under podman, in a store of its own and without network but the container's own
# loopback: read-only root, no capability, no new privileges, the engine's filter of
# system calls. It must be built twice with one name, check a configuration, serve,
# log to standard output, be in its own sandbox besides, take up a reload, and stop
# at the engine's signal. Needs root.
set -euo pipefail
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
program=$(realpath "$1")
packaging=$(cd "$(dirname "$0")/.." && pwd)
fail() { echo "container.sh: $*" >&2; exit 1; }

# In mounts of its own: crun refuses a host that mixes both kinds of control groups,
# although none are used here, so the second kind is hidden from it.
if [ -z "${SLUICE_UNSHARED-}" ]; then
    "$packaging/../build/need.sh" podman:podman crun:crun nsenter:util-linux
    SLUICE_UNSHARED=1 exec unshare --mount "$0" "$@"
fi
umount /sys/fs/cgroup/unified 2>/dev/null || true

work=$(mktemp -d)
engine() {
    podman --root "$work/store" --runroot "$work/run" --storage-driver vfs --runtime crun \
        --cgroup-manager cgroupfs --events-backend none "$@"
}
trap 'engine rm -f trial >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
limits=(--network none --cgroups disabled --read-only --cap-drop all --security-opt no-new-privileges
    --ulimit nofile=4096:4096 --ulimit nproc=1000:1000 --volume "$work/site:/etc/sluice:ro")

# site ANSWER: the configuration, which gives that answer.
site() {
    mkdir -p "$work/site"
    cat >"$work/site/sluice.cfg.new" <<SITE
global
    daemon
    log stdout format raw local0
    stats socket ipv4@127.0.0.1:9999 level operator
defaults
    log global
    mode http
    option httplog
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend web
    bind :8080
    http-request return status 200 content-type text/plain string $1
SITE
    mv "$work/site/sluice.cfg.new" "$work/site/sluice.cfg"
}
# within COMMAND: in the container's network, but with this system's programs.
within() { nsenter --net --target "$(engine inspect -f '{{.State.Pid}}' trial)" "$@"; }
# say PORT TEXT: what is answered.
# shellcheck disable=SC2016
say() { within timeout 5 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "$2" >&3 && cat <&3' say "$@" 2>/dev/null; }
# answers TEXT: within ten seconds the site gives this answer.
answers() {
    for _ in {1..100}; do
        [ "$(say 8080 'GET / HTTP/1.0\r\n\r\n' | tail -n1)" != "$1" ] || return 0
        sleep 0.1
    done
    engine logs trial >&2
    fail "it does not answer '$1'"
}
# seen TEXT WHERE: must be in the standard input.
seen() { grep -- "$1" >/dev/null || fail "not seen in $2: $1"; }

place=$work/context/target/x86_64-unknown-linux-musl/release
mkdir -p "$place"
cp "$program" "$place/sluice"
image() { engine build --quiet --no-cache --network none --timestamp 0 -f "$packaging/Containerfile" -t sluice "$work/context"; }
name=$(image)
[ "$(image)" = "$name" ] || fail 'two images of one program differ'
echo "  image: $name, $(engine image inspect -f '{{.Size}}' "$name") bytes"

site first
engine run --rm "${limits[@]}" "$name" -vv | seen '^HAProxy version' 'sluice -vv'
engine run --rm "${limits[@]}" "$name" -c -f /etc/sluice/sluice.cfg >/dev/null || fail 'the configuration does not hold'
# As the image says, below a master that can be told to reload; then alone.
for words in '' '-db -f /etc/sluice/sluice.cfg'; do
    site first
    # shellcheck disable=SC2086
    engine run --detach --name trial "${limits[@]}" "$name" $words >/dev/null
    answers first
    say 9999 'show sandbox\n' >"$work/sandbox"
    seen '^no new privileges: yes' 'show sandbox' <"$work/sandbox"
    seen '^capabilities: none' 'show sandbox' <"$work/sandbox"
    engine logs trial 2>&1 | seen '"GET / HTTP/1.0"' 'the log'
    if [ -z "$words" ]; then
        site second
        engine kill --signal USR2 trial >/dev/null
        answers second
    fi
    engine stop --time 8 trial >/dev/null
    status=$(engine inspect -f '{{.State.ExitCode}}' trial)
    [ "$status" = 0 ] || fail "it ended with status $status"
    engine rm trial >/dev/null
    echo "  started with '$words': served, logged, stopped"
done
sed '/./s/^/  /p;d' "$work/sandbox"
echo 'container.sh: all well'
