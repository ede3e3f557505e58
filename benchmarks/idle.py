"""What the daemon costs while nothing happens: resident memory and CPU with 200 feeds due every 10 minutes.

    python benchmarks/idle.py [--minutes 5] [--feeds 200] [--slack]

`--slack` connects it to a Slack on loopback, over which nobody clicks.

Runs the real daemon with the bundled model against feeds on loopback that answer 304 after the first time, waits until
every feed has been read once (a host is asked once a second), then measures; the processes that parse count, too.
"""

from __future__ import annotations

import argparse
import http.server
import os
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import ClassVar

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from monitor.starter import write_starter  # noqa: E402
from tests.fakes.slack_server import TOKEN  # noqa: E402
from tests.fakes.slack_socket import SocketSlack  # noqa: E402
from tests.fakes.slack_workspace import APP_TOKEN  # noqa: E402

ITEMS = "".join(
    f"<item><guid>{n}</guid><title>Entry {n}</title><description>Words about the weather, {n}</description></item>"
    for n in range(30)
)
FEED = f'<rss version="2.0"><channel><title>t</title>{ITEMS}</channel></rss>'.encode()


class Feeds(http.server.BaseHTTPRequestHandler):
    asked: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        self.asked.add(self.path)
        unchanged = self.headers.get("If-None-Match") == '"v1"'
        self.send_response(304 if unchanged else 200)
        self.send_header("ETag", '"v1"')
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", "0" if unchanged else str(len(FEED)))
        self.end_headers()
        if not unchanged:
            self.wfile.write(FEED)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


def family(pid: int) -> list[int]:
    """The process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        children += (task / "children").read_text().split()
    return found + sorted({int(child) for child in children})


def resident_mb(pids: list[int]) -> float:
    total = 0
    for pid in pids:
        status = Path(f"/proc/{pid}/status").read_text()
        total += int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
    return total / 1024


def cpu_seconds(pids: list[int]) -> float:
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--slack", action="store_true")
    options = parser.parse_args()
    server = Server(("127.0.0.1", 0), Feeds)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as name, SocketSlack() as slack:
        folder = Path(name)
        url = f"http://127.0.0.1:{server.server_port}"
        sources = "".join(f"  - {{feed: '{url}/{number}.xml', every: 10m}}\n" for number in range(options.feeds))
        (folder / "monitor.yaml").write_text(
            f"brands: [{{name: Acme, terms: [acme]}}]\nsources:\n{sources}network: {{allow_hosts: ['127.0.0.1']}}\n"
            f"rules: rules/\nstore: b.db\nslack: {{channel: '#brand-alerts', api_url: '{slack.url}'}}\n"
        )
        write_starter(folder)
        command = [sys.executable, "-m", "monitor", "--config", str(folder / "monitor.yaml"), "run"]
        tokens = {"SLACK_BOT_TOKEN": TOKEN, "SLACK_APP_TOKEN": APP_TOKEN} if options.slack else {}
        daemon = subprocess.Popen(
            command, env={**os.environ, "PYTHONPATH": str(ROOT), **tokens},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            while len(Feeds.asked) < options.feeds:
                time.sleep(1)
                assert daemon.poll() is None, "the daemon ended"
            slack.until(lambda: slack.connections or not options.slack)
            time.sleep(5)
            pids = family(daemon.pid)
            before, start = cpu_seconds(pids), time.monotonic()
            time.sleep(options.minutes * 60)
            pids_after = family(daemon.pid)
            used = cpu_seconds([pid for pid in pids if pid in pids_after]) - before
            share = used / (time.monotonic() - start)
            alone, together = resident_mb(pids_after[:1]), resident_mb(pids_after)
            threads, files = len(os.listdir(f"/proc/{daemon.pid}/task")), len(os.listdir(f"/proc/{daemon.pid}/fd"))
            print(f"resident: the daemon {alone:.0f} MB, with the processes that parse feeds {together:.0f} MB")
            print(f"the daemon alone: {threads} threads, {files} open files")
            print(f"{share:.2%} of a core over {options.minutes:g} minutes, {options.feeds} feeds due every 10 minutes")
        finally:
            daemon.terminate()
            daemon.wait(15)


if __name__ == "__main__":
    main()
