"""start.py PROGRAM [RUNS] - how long a start takes and what an idle process holds.

Starts PROGRAM with a small site RUNS times (20), and haproxy as often where it is
installed. Printed are the median and the worst time from execve to the first
accepted connection, and the resident size (VmRSS, all processes) a second later.
With --hold the exit status says whether the promises of the README hold for
PROGRAM: 15 ms and 8 MB. Times mean something on a quiet machine only.
"""

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

START_MS_MAX = 15
RESIDENT_KB_MAX = 8000
PATIENCE_S = 5

SITE = """
global
    maxconn 2000
    stats socket {directory}/stats level admin
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 1s
frontend web
    bind 127.0.0.1:{port}
    default_backend app
backend app
    server one 127.0.0.1:1 check
    server two 127.0.0.1:2 check
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepted(port, until):
    """Connects until somebody accepts; the time when it was so."""
    while time.monotonic() < until:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return time.monotonic()
        time.sleep(0.0002)
    raise SystemExit(f"start.py: nothing was accepted within {PATIENCE_S} s")


def resident_kb(pid):
    """VmRSS of a process and its children."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        total = sum(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        return total + sum(resident_kb(child) for child in children.read().split())


def once(program, directory):
    port = free_port()
    path = os.path.join(directory, "site.cfg")
    with open(path, "w", encoding="ascii") as site:
        site.write(SITE.format(directory=directory, port=port))
    before = time.monotonic()
    process = subprocess.Popen([program, "-f", path, "-db"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        took = accepted(port, before + PATIENCE_S) - before
        time.sleep(1)
        return took * 1000, resident_kb(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def measure(name, program, runs):
    with tempfile.TemporaryDirectory() as directory:
        found = [once(program, directory) for _ in range(runs)]
    took = [one[0] for one in found]
    start, resident = statistics.median(took), statistics.median(one[1] for one in found)
    print(f"  {name:<8} start to first accepted connection {start:5.1f} ms (worst {max(took):5.1f}), "
          f"idle {resident / 1000:5.1f} MB resident")
    return start <= START_MS_MAX and resident <= RESIDENT_KB_MAX


def main():
    words = [word for word in sys.argv[1:] if word != "--hold"]
    if not words or words[0] in ("-h", "--help"):
        print(__doc__)
        return 0
    runs = int(words[1]) if len(words) > 1 else 20
    held = measure("sluice", os.path.abspath(words[0]), runs)
    rival = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
    if rival:
        measure("haproxy", rival, runs)
    return 0 if held or "--hold" not in sys.argv else 1


if __name__ == "__main__":
    sys.exit(main())
