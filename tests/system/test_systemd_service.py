"""The unit file at work: a systemd of its own, in its own namespaces, runs the service as an installation has it.

Needs root, systemd and namespaces, and skips where there are none. The machine it makes is an overlay of this one whose
changes lie in memory: it ends with its first process, and nothing of it is left.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.fakes.feed_server import FeedServer
from tests.fakes.slack_server import TOKEN, SlackServer
from tests.system.test_daemon import RULE, entries

ROOT = Path(__file__).parents[2]
UNIT = "brand-monitor.service"
SYSTEMD = Path("/lib/systemd/systemd")
PYTHON = f"/opt/python/bin/python{sysconfig.get_python_version()}"

pytestmark = pytest.mark.slow

#: What the host has enabled, logged or configured is covered with empty folders; what it has of /proc/sys stays as it is.
BOOT = r"""
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
cd /mnt/root
for folder in dev etc/brand-monitor etc/systemd/system opt run tmp var/lib var/log; do
    mkdir -p $folder
    mount -t tmpfs -o mode=755 tmpfs $folder
done
: > etc/fstab
mount -t proc proc proc
mount --bind -o ro proc/sys proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
for device in null zero full random urandom; do
    touch dev/$device
    mount --bind /dev/$device dev/$device
done
ln -s /proc/self/fd dev/fd

mkdir opt/python opt/packages opt/checkout
mount --bind -o ro "$PYTHON_HOME" opt/python
mount --bind -o ro "$PACKAGES" opt/packages
mount --bind -o ro "$CHECKOUT" opt/checkout
cp "$CHECKOUT/systemd/brand-monitor.service" etc/systemd/system/
mkdir -p opt/brand-monitor/bin
cat > opt/brand-monitor/bin/brand-monitor <<END
#!/bin/sh
export LD_LIBRARY_PATH=/opt/python/lib PYTHONPATH=/opt/checkout:/opt/packages
exec $PYTHON -m monitor "\$@"
END
chmod 755 opt/brand-monitor/bin/brand-monitor

mkdir old
pivot_root . old
umount -l old
mount --make-rshared /
exec setpriv --bounding-set -sys_module,-sys_rawio,-sys_time \
    env -i container=other /lib/systemd/systemd --system --unit=basic.target
"""

#: What must be refused inside the service: run before the daemon, with all that the unit says in force.
PROBE = """
import ctypes, mmap, os, socket
tries = {
    "memory that is written and executed": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
    "the system's files": lambda: open("/etc/brand-monitor/new", "w"),
    "people's files": lambda: os.listdir("/root"),
    "another user": lambda: os.setuid(0),
    "a lower nice value": lambda: os.nice(-1),
    "packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
}
for what, attempt in tries.items():
    try:
        attempt()
    except OSError:
        continue
    raise SystemExit(f"not refused: {what}")
"""


class Machine:
    """A systemd that runs; `pid` is its first process, seen from here."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.root = Path(f"/proc/{pid}/root")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        entered = ["nsenter", f"--target={self._pid}", "--all", *command]
        return subprocess.run(entered, capture_output=True, text=True, timeout=60, check=False)

    def systemctl(self, verb: str) -> subprocess.CompletedProcess[str]:
        return self.run("systemctl", verb, UNIT)

    def shown(self, name: str) -> str:
        return self.run("systemctl", "show", "--value", f"--property={name}", UNIT).stdout.strip()

    def journal(self) -> list[tuple[int, str]]:
        """Lines of the service, each with its priority."""
        lines = self.run("journalctl", f"--unit={UNIT}", "--output=json", "--no-pager").stdout.splitlines()
        return [(int(line["PRIORITY"]), str(line["MESSAGE"])) for line in map(json.loads, lines)]

    def told(self, pattern: str) -> list[int]:
        """The priorities of the lines in which `pattern` is found."""
        return [priority for priority, text in self.journal() if re.search(pattern, text)]

    def until(self, condition: Callable[[], object], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.journal()[-30:]
            time.sleep(0.1)

    @contextmanager
    def network(self) -> Iterator[None]:
        """Sockets that this thread opens in the block are the machine's."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net") as ours, open(f"/proc/{self._pid}/ns/net") as theirs:
            assert libc.setns(theirs.fileno(), 0) == 0, os.strerror(ctypes.get_errno())
            try:
                yield
            finally:
                assert libc.setns(ours.fileno(), 0) == 0, os.strerror(ctypes.get_errno())


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    if os.geteuid() != 0:
        pytest.skip("only root can run a systemd in namespaces")
    missing = [tool for tool in (str(SYSTEMD), "unshare", "nsenter", "setpriv", "pivot_root") if not shutil.which(tool)]
    if missing:
        pytest.skip(f"not installed here: {', '.join(missing)}")
    with group() as folder:
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHON": PYTHON, "PYTHON_HOME": sys.base_prefix,
            "PACKAGES": sysconfig.get_path("purelib"), "CHECKOUT": str(ROOT), "BOOT": BOOT, "GROUP": str(folder),
        }  # fmt: skip
        kinds = ("mount", "pid", "uts", "ipc", "net", "cgroup")
        unshare = " ".join(["unshare --fork --kill-child", *(f"--{kind}" for kind in kinds)])
        enter = f'echo $$ > "$GROUP/cgroup.procs" && exec {unshare} sh -c "$BOOT"'
        # Should this process be killed, all of the machine goes with it.
        process = subprocess.Popen(["setpriv", "--pdeathsig=KILL", "sh", "-c", enter], env=environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # fmt: skip
        try:
            yield booted(process)
        finally:
            for child in children(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(child, 9)
            process.communicate(timeout=10)


def booted(process: subprocess.Popen[str]) -> Machine:
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        for child in children(process.pid):
            machine = Machine(child)
            if machine.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"):
                return machine
        time.sleep(0.1)
    told = process.stderr.read() if process.stderr and process.poll() is not None else "it takes too long"
    pytest.skip(f"systemd cannot run in namespaces here: {told.strip()}")


def children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


@contextmanager
def group() -> Iterator[Path]:
    """A control group for the machine alone, below ours."""
    at = next(
        (Path(at) for at in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup") if Path(at, "cgroup.procs").exists()), None
    )
    ours = re.search(r"^0::/(.*)$", Path("/proc/self/cgroup").read_text(), re.MULTILINE)
    if at is None or ours is None:
        pytest.skip("there are no control groups (version 2) here")
    folder = at / ours[1] / f"brand-monitor-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        yield folder
    finally:
        for below, _, _ in os.walk(folder, topdown=False):
            os.rmdir(below)
