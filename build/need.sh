#!/bin/sh
# need.sh COMMAND:PACKAGE... - install the Debian packages of missing commands.
#
# Each argument names a command (or an absolute path) and the package that
# brings it. Nothing happens when all are there. Otherwise apt-get installs what
# is missing, without recommended packages and without starting any service.
# Without apt-get or the right to use it, the missing packages are named and the
# exit status is 1.
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac

PATH=$PATH:/usr/sbin:/sbin
missing=
for pair; do
    case $pair in
        /*) [ -e "${pair%%:*}" ] || missing="$missing ${pair#*:}" ;;
        *) command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair#*:}" ;;
    esac
done
[ -n "$missing" ] || exit 0

root=
[ "$(id -u)" = 0 ] || root='sudo -n'
if ! command -v apt-get >/dev/null || ! $root true 2>/dev/null; then
    echo "need.sh: please install:$missing" >&2
    exit 1
fi

# A package's service would take ports of this machine: policy-rc.d forbids it.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | $root tee $policy >/dev/null
    $root chmod 755 $policy
    trap '$root rm -f $policy' EXIT
    trap 'exit 1' INT TERM HUP
fi

log=$(mktemp)
apt() {
    $root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
        -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 "$@" </dev/null >>"$log" 2>&1
}
echo "need.sh: installing$missing" >&2
# The lists may be absent or old: they are fetched only when the first try fails.
# shellcheck disable=SC2086
if ! apt install -y --no-remove --no-install-recommends $missing; then
    apt update
    apt install -y --no-remove --no-install-recommends $missing || { cat "$log" >&2; exit 1; }
fi
rm -f "$log"
