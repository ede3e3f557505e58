"""The unit file at work: a systemd of its own, in its own namespaces, runs the service as an installation has it.

Needs root, systemd and namespaces, and skips where they are missing. The machine it makes is an overlay of this one
whose changes lie in memory; it ends with its first process, and nothing of it is left.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.fakes.feed_server import FeedServer
from tests.fakes.proofs import prove_all
from tests.fakes.slack_server import TOKEN
from tests.fakes.slack_socket import SocketSlack, member, values
from tests.fakes.slack_workspace import APP_TOKEN
from tests.system.test_daemon import RULE, entries

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parents[2]
UNIT = "brand-monitor.service"
PYTHON = f"/opt/python/bin/python{sysconfig.get_python_version()}"
TOOLS = ("/lib/systemd/systemd", "unshare", "nsenter", "setpriv", "pivot_root")
# Should the tests be killed, the machine is killed with them.
ENTER = """echo $$ > "$GROUP/cgroup.procs" && exec setpriv --pdeathsig=KILL \
unshare --fork --kill-child --mount --pid --uts --ipc --net --cgroup sh -c "$BOOT" """
# The host's own services, mounts, data and kernel settings are kept out.
BOOT = r"""
set -eu
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
cd /mnt/root
for folder in dev etc/brand-monitor etc/systemd/system opt run tmp var/lib var/log; do
    mkdir -p $folder; mount -t tmpfs -o mode=755 tmpfs $folder
done
for file in null zero full random urandom tty; do touch dev/$file; mount --bind /dev/$file dev/$file; done
mkdir dev/pts; ln -s pts/ptmx dev/ptmx
mount -t proc proc proc
mount --bind -o ro proc/sys proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
: > etc/fstab
mkdir -p opt/python opt/packages opt/checkout opt/brand-monitor/bin etc/systemd/system/brand-monitor.service.d old
mkdir -m 777 opt/everybody
mount --bind -o ro "$PYTHON_HOME" opt/python
mount --bind -o ro "$PACKAGES" opt/packages
mount --bind -o ro "$CHECKOUT" opt/checkout
cp "$CHECKOUT/systemd/brand-monitor.service" etc/systemd/system/
install -m 755 /dev/stdin opt/brand-monitor/bin/brand-monitor <<END
#!/bin/sh
exec env LD_LIBRARY_PATH=/opt/python/lib PYTHONPATH=/opt/checkout:/opt/packages $PYTHON -m monitor "\$@"
END
pivot_root . old
umount -l old
mount --make-rshared /
exec setpriv --bounding-set -sys_module,-sys_rawio,-sys_time \
    env -i container=other /lib/systemd/systemd --system --unit=basic.target
"""
# What nothing but the unit forbids an ordinary user, and the error that shows it.
PROBE = """
import errno, mmap, os, socket
for error, attempt, *arguments in (
    (errno.EPERM, mmap.mmap, -1, 4096, mmap.MAP_PRIVATE, mmap.PROT_WRITE | mmap.PROT_EXEC),
    (errno.EPERM, os.nice, 1),
    (errno.EPERM, os.chmod, os.open("file", os.O_CREAT), 0o4700),
    (errno.EAFNOSUPPORT, socket.socket, socket.AF_NETLINK, socket.SOCK_RAW),
    (errno.EROFS, open, "/opt/everybody/file", "w"),
    (errno.EACCES, os.listdir, "/home"),
    (errno.ENOENT, os.stat, "/proc/1"),
):
    try:
        attempt(*arguments)
        raise SystemExit(f"not refused: {attempt} {arguments}")
    except OSError as refused:
        assert refused.errno == error, refused
"""
PROBED = f"""[Service]
Type=oneshot
ExecStart=
ExecStart=/usr/bin/env LD_LIBRARY_PATH=/opt/python/lib {PYTHON} /opt/probe.py
"""


class Machine:
    """A systemd that runs, and the service in it. `pid` is its first process, seen from here."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.root = Path(f"/proc/{pid}/root")
        self.settings = self.root / "etc/brand-monitor"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        entered = ["nsenter", f"--target={self._pid}", "--all", *command]
        return subprocess.run(entered, capture_output=True, text=True, timeout=60, check=False)

    def systemctl(self, *arguments: str) -> bool:
        return self.run("systemctl", *arguments, UNIT).returncode == 0

    def shown(self, *properties: str) -> dict[str, str]:
        lines = self.run("systemctl", "show", f"--property={','.join(properties)}", UNIT).stdout.splitlines()
        return dict(line.split("=", 1) for line in lines)

    def journal(self, *options: str) -> str:
        return self.run("journalctl", f"--unit={UNIT}", "--output=cat", "--no-pager", *options).stdout

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, self.journal()
            time.sleep(0.1)

    @contextmanager
    def network(self) -> Iterator[None]:
        """Sockets that this thread opens in the block are the machine's."""
        setns = ctypes.CDLL(None).setns
        with open("/proc/thread-self/ns/net") as ours, open(f"/proc/{self._pid}/ns/net") as theirs:
            assert setns(theirs.fileno(), 0) == 0
            try:
                yield
            finally:
                assert setns(ours.fileno(), 0) == 0


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    top = Path("/sys/fs/cgroup/unified" if Path("/sys/fs/cgroup/unified").exists() else "/sys/fs/cgroup")
    ours = Path("/proc/self/cgroup").read_text("utf-8").rpartition("0::/")[2].strip()
    group = top / ours / f"brand-monitor-test-{os.getpid()}"
    writable = os.geteuid() == 0 and os.access(group.parent / "cgroup.procs", os.W_OK)
    if not writable or not all(map(shutil.which, TOOLS)):
        pytest.skip(f"needs root, control groups of version 2 that can be written to, and {', '.join(TOOLS)}")
    group.mkdir()
    places = {"PYTHON_HOME": sys.base_prefix, "PACKAGES": sysconfig.get_path("purelib"), "CHECKOUT": str(CHECKOUT)}
    settings = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "BOOT": BOOT, "GROUP": str(group), "PYTHON": PYTHON}
    process = subprocess.Popen(["sh", "-c", ENTER], env=places | settings, stderr=subprocess.PIPE, text=True)
    child = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    try:
        yield booted(process, child)
    finally:
        # `unshare` ends after its child, and the child after all other processes of the machine.
        with suppress(OSError, ValueError):
            os.kill(int(child.read_text("utf-8")), signal.SIGKILL)
        process.communicate(timeout=20)
        for folder, _, _ in os.walk(group, topdown=False):
            os.rmdir(folder)


def booted(process: subprocess.Popen[str], child: Path) -> Machine:
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError, ValueError):
            pid = int(child.read_text("utf-8"))
            # Until it is systemd, it would reach the host's.
            is_systemd = Path(f"/proc/{pid}/comm").read_text("utf-8") == "systemd\n"
            if is_systemd and Machine(pid).run("systemctl", "is-system-running").stdout in ("running\n", "degraded\n"):
                return Machine(pid)
        time.sleep(0.1)
    why = process.stderr.read().strip() if process.stderr and process.poll() is not None else "it does not get ready"
    pytest.skip(f"systemd cannot run in namespaces here: {why}")


@pytest.fixture
def slack(machine: Machine) -> Iterator[SocketSlack]:
    """The Slack of a service that is set up as the README says and not yet started; its feed holds two angry posts."""
    with machine.network():
        feeds, slack = FeedServer(), SocketSlack()
    with feeds, slack:
        feeds.put("/feed.xml", entries("Acme is the worst, awful!", "I hate Acme, pathetic service"))
        machine.run("/opt/brand-monitor/bin/brand-monitor", "init", "/etc/brand-monitor")
        text = (machine.settings / "monitor.yaml").read_text("utf-8")
        for old, new in {
            "\nstore: ": "\nstore: /var/lib/brand-monitor/brand-monitor.db  # ",
            "\nsources:": f"\nsources: [{{feed: '{feeds.url('/feed.xml')}', name: forum, every: 1s}}]",
            "\nslack:": f"\nnetwork: {{allow_hosts: [127.0.0.1]}}\nslack:\n  api_url: '{slack.url}'",
        }.items():
            assert old in text, text
            text = text.replace(old, new)
        (machine.settings / "monitor.yaml").write_text(text, "utf-8")
        (machine.settings / "rules/thread.yaml").write_text(RULE, "utf-8")
        prove_all(machine.settings / "rules")
        yield slack
        for ending in "stop", "reset-failed", "clean --what=state":
            machine.systemctl(*ending.split())
        machine.run("sh", "-c", "rm -r /etc/brand-monitor/*")


def test_what_the_unit_forbids_is_refused(machine: Machine, slack: SocketSlack) -> None:
    (machine.root / "opt/probe.py").write_text(PROBE, "utf-8")
    changes = machine.root / f"etc/systemd/system/{UNIT}.d/probe.conf"
    changes.write_text(PROBED, "utf-8")
    machine.run("systemctl", "daemon-reload")
    refused = machine.systemctl("start")
    changes.unlink()
    machine.run("systemctl", "daemon-reload")
    assert refused, machine.journal()


def test_without_a_token_it_reads_judges_alerts_reloads_and_stops(machine: Machine, slack: SocketSlack) -> None:
    assert machine.systemctl("start"), machine.journal()
    working = {"ActiveState": "active", "StatusText": "1 brand, 1 source, 5 rules"}
    assert machine.shown(*working) == working
    store = machine.root / "var/lib/private/brand-monitor/brand-monitor.db"
    assert store.stat().st_uid >= 61184, "a dynamic user's"
    machine.until(lambda: "Negative discussion about Acme" in machine.journal("--priority=info"))
    assert slack.requests == []

    (machine.settings / "rules/thread.yaml").unlink()
    (machine.settings / "rules/tests/thread.yaml").unlink()
    assert machine.systemctl("reload")
    working["StatusText"] = "1 brand, 1 source, 4 rules"
    machine.until(lambda: machine.shown(*working) == working)
    (machine.settings / "rules/thread.yaml").write_text("id: broken", "utf-8")
    assert machine.systemctl("reload")
    machine.until(lambda: "not reloaded" in machine.journal("--priority=err"))
    assert "is running" in machine.journal("--priority=info..info")

    assert machine.run("timeout", "10", "systemctl", "stop", UNIT).returncode == 0
    ended = {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"}
    assert machine.shown(*ended) == ended


def test_the_tokens_are_taken_from_the_credentials(machine: Machine, slack: SocketSlack) -> None:
    """And people can act in Slack; its threads are far fewer than the unit allows."""
    slack.workspace.members = {"U0000ANNA": member("U0000ANNA", "Anna")}
    for name, token in (("slack_bot_token", TOKEN), ("slack_app_token", APP_TOKEN)):
        file = f"/etc/brand-monitor/credentials/{name}"
        machine.run("sh", "-c", f"echo {token} | install -Dm600 /dev/stdin {file}")
    assert machine.systemctl("start"), machine.journal()
    machine.until(lambda: slack.posts("brand-alerts") and slack.connections)
    message = slack.posts("brand-alerts")[0]
    slack.acked(slack.press("U0000ANNA", next(values(message)), channel=message["channel"], ts=message["ts"]))
    machine.until(lambda: "Acknowledged" in slack.posts("brand-alerts")[0]["text"])
    unit = machine.shown("ControlGroup", "TasksMax")
    threads = machine.run("cat", f"/sys/fs/cgroup{unit['ControlGroup']}/cgroup.threads").stdout.split()
    assert 10 < len(threads) < int(unit["TasksMax"]) / 2, unit

    slack.silent = True
    slack.hang_up()
    machine.until(lambda: not slack.connections)
    assert machine.run("timeout", "10", "systemctl", "stop", UNIT).returncode == 0
    ended = {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"}
    assert machine.shown(*ended) == ended
    assert TOKEN not in machine.journal() and APP_TOKEN not in machine.journal()


def test_a_mistake_in_the_configuration_ends_it_for_good(machine: Machine, slack: SocketSlack) -> None:
    (machine.settings / "monitor.yaml").write_text("brandz: []\n", "utf-8")
    assert not machine.systemctl("start")
    ended = {"ActiveState": "failed", "ExecMainStatus": "2", "NRestarts": "0"}
    assert machine.shown(*ended) == ended and "monitor.yaml:1:" in machine.journal()


def test_killed_it_starts_again(machine: Machine, slack: SocketSlack) -> None:
    assert machine.systemctl("start"), machine.journal()
    assert machine.systemctl("kill", "--kill-whom=main", "--signal=KILL")
    again = {"ActiveState": "active", "NRestarts": "1"}
    machine.until(lambda: machine.shown(*again) == again)
