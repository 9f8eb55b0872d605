#!/bin/sh
# test-tools.sh - install the programs that the tests start or compare with.
#
# haproxy is the reference for configuration checks and benchmarks, and its halog reads
# our logs; nginx and Python serve; PostgreSQL and PgBouncer stand behind; curl, wrk,
# openssl and socat are clients; dnsmasq answers names; hatop and the exporter for
# Prometheus watch a proxy; ss, strace and readelf look from outside.
set -eu
case ${1-} in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac

exec "$(dirname "$0")/need.sh" \
    haproxy:haproxy \
    nginx:nginx-light \
    python3:python3-minimal \
    curl:curl \
    wrk:wrk \
    openssl:openssl \
    socat:socat \
    dnsmasq:dnsmasq-base \
    pgbouncer:pgbouncer \
    pg_ctlcluster:postgresql \
    hatop:hatop \
    prometheus-haproxy-exporter:prometheus-haproxy-exporter \
    script:bsdutils \
    setpriv:util-linux \
    ss:iproute2 \
    strace:strace \
    readelf:binutils \
    ldd:libc-bin
