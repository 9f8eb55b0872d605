#!/bin/sh
# in-systemd.sh - what systemd.sh runs inside the booted system.
#
# Expects /root/old.deb and /root/new.deb, one program under two versions, and a
# static busybox as server.
set -u
case ${1-} in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac

fail() {
    echo "FAILED: $*"
    systemctl status --no-pager -l sluice 2>&1 | tail -n 6
    journalctl --no-pager -u sluice -n 12 2>&1
    exit 1
}
# fetch PORT: the last line of the answer. bash is client enough, and always there.
fetch() {
    # shellcheck disable=SC2016
    timeout 5 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "GET / HTTP/1.0\r\nHost: trial\r\n\r\n" >&3 && cat <&3' fetch "$1" | tail -n1
}
# ask COMMAND: what the statistics socket of the last configuration answers.
# shellcheck disable=SC2016
ask() { timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/9999 && echo "$1" >&3 && cat <&3' ask "$1"; }
main() { systemctl show -P MainPID sluice; }
# logged TEXT FILE: within five seconds the file has it.
logged() {
    for _ in $(seq 50); do
        ! grep -qs "$1" "$2" || return 0
        sleep 0.1
    done
    return 1
}

# A server behind, which answers with one file.
mkdir -p /srv/www
echo 'the answer' >/srv/www/index.html
busybox httpd -p 127.0.0.1:9001 -h /srv/www

dpkg -i /root/old.deb >/dev/null || fail 'the package does not install'
systemctl is-active --quiet sluice || fail 'it was not started'
systemctl is-enabled --quiet sluice || fail 'it is not enabled'
verify=$(systemd-analyze verify --man=no sluice.service 2>&1)
[ -z "$verify" ] || fail "systemd says: $verify"
fetch 8404 | grep -q . || fail 'the statistics page does not answer'
echo "installed and started: $(systemctl show -P StatusText sluice)"
logged ' statistics ' /var/log/sluice.log || fail 'its log is not where rsyslog is told to put it'
! grep -q ' statistics ' /var/log/syslog || fail 'its log is in the general one too'
logrotate --force /etc/logrotate.d/sluice || fail 'the log does not rotate'
fetch 8404 | grep -q .
logged ' statistics ' /var/log/sluice.log || fail 'nothing is logged after a rotation'
[ -s /var/log/sluice.log.1 ] || fail 'the log did not rotate'
echo 'logged, also after a rotation'
systemd-analyze security --no-pager sluice 2>/dev/null | tail -n1

cat >>/etc/sluice/sluice.cfg <<'SITE'

frontend web
    bind 127.0.0.1:8080
    default_backend app

backend app
    server one 127.0.0.1:9001
SITE
systemctl reload sluice || fail 'it does not reload'
sleep 0.3
[ "$(fetch 8080)" = 'the answer' ] || fail 'the new site does not answer'
echo 'a reload takes up a new site'

(
    good=0 bad=0
    while [ ! -e /root/stop ]; do
        if [ "$(fetch 8080 2>/dev/null)" = 'the answer' ]; then good=$((good + 1)); else bad=$((bad + 1)); fi
    done
    echo "$good $bad" >/root/counts
) &
before=$(main)
for _ in 1 2 3; do
    sleep 0.5
    systemctl reload sluice || fail 'it does not reload under load'
done
echo 'broken {' >>/etc/sluice/sluice.cfg
if systemctl reload sluice 2>/dev/null; then fail 'a broken configuration was taken up'; fi
sed -i '$d' /etc/sluice/sluice.cfg
dpkg -i --force-confold /root/new.deb >/dev/null 2>&1 || fail 'the upgrade fails'
sleep 1
touch /root/stop
wait
read -r good bad </root/counts
echo "requests during three reloads and an upgrade: $good answered, $bad lost"
[ "$bad" = 0 ] || fail 'requests were lost'
[ "$good" -gt 50 ] || fail 'there was no load'
[ "$(main)" = "$before" ] || fail 'the main process changed'
# The master stays, its worker is executed from the path and is the new file.
# shellcheck disable=SC2013
for worker in $(cat "/proc/$(main)/task/$(main)/children"); do
    case $(readlink "/proc/$worker/exe") in
        /usr/sbin/sluice) ;;
        *) fail "worker $worker runs $(readlink "/proc/$worker/exe")" ;;
    esac
done
echo 'after the upgrade the new file serves'

mkdir -p /etc/systemd/system/sluice.service.d
ln -s /usr/share/sluice/strict.conf /etc/systemd/system/sluice.service.d/
sed -i -e '/^    user /d' -e '/^    group /d' /etc/sluice/sluice.cfg
systemctl daemon-reload
systemctl restart sluice || fail 'it does not start with the strict drop-in'
[ "$(fetch 8080)" = 'the answer' ] || fail 'no answer with the strict drop-in'
echo "with the strict drop-in: $(systemd-analyze security --no-pager sluice 2>/dev/null | tail -n1)"
rm -r /etc/systemd/system/sluice.service.d
systemctl daemon-reload

# Debian's haproxy with the configuration it comes with and a site, where that of
# other distributions has its socket, and one where others look for it.
cat >>/etc/haproxy/haproxy.cfg <<'SITE'

global
    stats socket /var/lib/haproxy/stats
    stats socket /tmp/haproxy.sock level admin
    stats socket ipv4@127.0.0.1:9999 level operator

frontend web
    bind 127.0.0.1:8090
    default_backend app

backend app
    server one 127.0.0.1:9001
SITE
chown haproxy:haproxy /var/lib/haproxy
systemctl restart haproxy || fail 'haproxy does not start'
[ "$(fetch 8090)" = 'the answer' ] || fail 'haproxy does not answer'
sluice migrate >/root/offer || fail 'migrate refuses'
[ ! -e /etc/systemd/system/sluice.service.d ] || fail 'migrate wrote without being told to'
sluice migrate --write | sed -n 's/^  systemctl/systemctl/p' >/root/steps
rm -f /tmp/haproxy.sock
systemctl stop sluice
sh -e /root/steps 2>/dev/null || fail 'the steps that migrate names do not lead there'
systemctl is-active --quiet haproxy && fail 'haproxy runs still'
systemctl is-active --quiet sluice || fail 'it does not start with the other configuration'
[ "$(fetch 8090)" = 'the answer' ] || fail 'no answer with the other configuration'
[ -S /tmp/haproxy.sock ] || fail 'the socket in /tmp is not where others look for it'
systemctl reload sluice || fail 'it does not reload with the other configuration'
sleep 0.5
[ "$(fetch 8090)" = 'the answer' ] || fail 'no answer after a reload with the other configuration'
echo "migrated: $(sed -n 's/^.*: sluice runs/sluice runs/p' /root/offer)"
ask 'show sandbox' >/root/sandbox
grep -q '^no new privileges: yes' /root/sandbox || fail 'it is in no sandbox'
sed '/./s/^/  /p;d' /root/sandbox
rm -r /etc/systemd/system/sluice.service.d
systemctl daemon-reload
systemctl stop sluice
systemctl start haproxy || fail 'there is no way back'
[ "$(fetch 8090)" = 'the answer' ] || fail 'no answer after the way back'
systemctl start sluice || fail 'it does not start beside haproxy'
echo 'and back'

dpkg -r sluice >/dev/null || fail 'it cannot be removed'
if pidof sluice >/dev/null 2>&1 || busybox pidof sluice >/dev/null; then fail 'processes are left'; fi
dpkg -P sluice >/dev/null || fail 'it cannot be purged'
left=$(find / -xdev \( -path /proc -o -path /sys -o -path /root -o -path /var/log -o -path /var/lib/dpkg \) -prune -o -name '*sluice*' -print)
[ -z "$left" ] || fail "left behind: $left"
echo 'removed and purged'
