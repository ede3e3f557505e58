"""The daemon as a process: starts, reloads, refuses a second one, stops in time, and tells what is wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.feed_server import FeedServer, Page, item, rss
from tests.fakes.proofs import prove_all
from tests.fakes.slack_server import TOKEN, SlackServer, refused
from tests.system.test_cli import ROOT, run

RULE = """\
id: thread
title: Negative discussion about {brand}
owner: c@example.com
status: live
severity: high
match: {brands: [acme]}
negative_if: {sentiment: {at_most: -0.5}}
alert_when_any:
  - negative_mentions: {at_least: 2, within: 6h}
timing: {wait_first: 1s, update_every: 1s}
escalate: [{after: 0m, team: social}]
"""


def entries(*texts: str) -> Page:
    now = format_datetime(datetime.now(UTC), usegmt=True)
    link = "http://f.example/t"
    items = (item(str(n), description=text, link=f"{link}#{n}", pubDate=now) for n, text in enumerate(texts))
    return Page(rss(*items))


ANGRY = ("Acme is the worst, awful!", "I hate Acme, pathetic service")


class Running:
    """A folder with a configuration, a feed server and a Slack, and the daemon's process when it was started."""

    def __init__(self, folder: Path, feeds: FeedServer, slack: SlackServer) -> None:
        self.folder, self.feeds, self.slack = folder, feeds, slack
        self.process: subprocess.Popen[str] | None = None
        (folder / "rules").mkdir()
        (folder / "rules" / "teams.yaml").write_text('social: {channel: "#brand-alerts"}\n', "utf-8")
        self.rule(RULE)
        feeds.put("/feed.xml", entries())
        (folder / "monitor.yaml").write_text(
            "brands: [{name: Acme, terms: [acme]}]\n"
            f"sources: [{{feed: '{feeds.url('/feed.xml')}', name: forum, every: 1s}}]\n"
            f"network: {{allow_hosts: ['127.0.0.1']}}\nslack: {{channel: '#brand-alerts', api_url: '{slack.url}'}}\n"
            "rules: rules/\nstore: b.db\n",
            "utf-8",
        )

    def rule(self, text: str) -> None:
        (self.folder / "rules" / "tests" / "thread.yaml").unlink(missing_ok=True)
        (self.folder / "rules" / "thread.yaml").write_text(text, "utf-8")
        prove_all(self.folder / "rules")

    def start(self, *arguments: str, token: str = TOKEN, **environment: str) -> None:
        if self.process and self.process.stdout:
            self.process.stdout.close()
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "monitor", "--config", str(self.folder / "monitor.yaml"), "run", *arguments],
                env={**os.environ, "PYTHONPATH": str(ROOT), "SLACK_BOT_TOKEN": token, **environment},
                stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip

    def log(self) -> str:
        return (self.folder / "log.txt").read_text("utf-8")

    def status(self) -> dict[str, Any]:
        told = run("status", "--json", cwd=self.folder).stdout
        return dict(json.loads(told)) if told else {"outbox": {}, "sources": []}

    def until(self, condition: Callable[[], object], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.log()[-3000:]
            time.sleep(0.1)

    def stop(self) -> float:
        """Ask it to stop; return the seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(15) == 0, self.log()[-3000:]
        return time.monotonic() - began


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with FeedServer() as feeds, SlackServer() as slack:
        made = Running(tmp_path, feeds, slack)
        yield made
        if made.process:
            if made.process.poll() is None:
                made.process.kill()
            if made.process.stdout and not made.process.stdout.closed:
                made.process.communicate()


def test_a_day_in_short(running: Running) -> None:
    """Posts turn bad, Slack gets one message, a person acts on it from the shell, the message follows."""
    running.feeds.put("/feed.xml", entries("Acme opens at nine", *ANGRY))
    running.start()
    running.until(lambda: running.slack.posts("brand-alerts"))
    (root,) = running.slack.posts("brand-alerts")
    assert "Acme" in root["text"] and "worst" in json.dumps(root["blocks"])

    told = run("status", cwd=running.folder)
    assert told.returncode == 0 and "under way" in told.stdout
    acknowledged = run("escalations", "ack", "1", "--by", "ann", cwd=running.folder)
    assert "acknowledged now" in acknowledged.stdout
    running.until(lambda: "ann" in json.dumps(running.slack.posts("brand-alerts")[0]["blocks"]))
    assert "Nothing changed" in run("escalations", "ack", "1", "--by", "ann", cwd=running.folder).stdout
    run("escalations", "resolve", "1", "--outcome", "answered", "--by", "ann", cwd=running.folder)
    running.until(lambda: "Resolved" in running.slack.posts("brand-alerts")[0]["text"])
    shown = run("escalations", "show", "1", cwd=running.folder).stdout
    assert "ann (command line) acknowledges it" in shown and "negative_mentions: 2" in shown
    assert running.stop() < 10
    assert running.status()["running"] is False


def test_stopped_amid_much_work_it_ends_well_and_loses_nothing(running: Running) -> None:
    running.feeds.put("/feed.xml", entries(*(f"{ANGRY[0]} For the {n}th time this week." for n in range(3000))))
    running.start()
    running.until(lambda: running.status().get("mentions"))
    assert running.stop() < 10
    stored = running.status()["mentions"]
    assert 0 < stored < 3000
    running.start("--once")
    assert running.process is not None
    assert running.process.wait(60) == 0
    assert running.status()["mentions"] == 3000


def test_a_second_daemon_is_refused(running: Running) -> None:
    running.start()
    running.until(lambda: "is running" in running.log())
    second = run("run", "--once", cwd=running.folder)
    assert second.returncode == 1 and "works on this database already" in second.stderr
    assert running.status()["running"] is True


def test_reload_takes_good_rules_and_refuses_broken_ones(running: Running) -> None:
    running.start()
    running.until(lambda: "is running" in running.log())
    assert running.process is not None
    running.rule(RULE.replace("severity: high", "severity: hihg"))
    running.process.send_signal(signal.SIGHUP)
    running.until(lambda: "not reloaded" in running.log())
    assert "thread.yaml:5" in running.log()
    told = run("status", cwd=running.folder)
    assert told.returncode == 1 and "what was last good is in force" in told.stdout
    running.rule(RULE.replace("severity: high", "severity: critical"))
    running.process.send_signal(signal.SIGHUP)
    running.until(lambda: "reloaded: 1 brand," in running.log())
    assert run("status", cwd=running.folder).returncode == 0
    running.feeds.put("/feed.xml", entries(*ANGRY))
    running.until(lambda: len(running.slack.posts("brand-alerts")) == 3)
    broken, mended, alert = (post["text"] for post in running.slack.posts("brand-alerts"))
    assert "Owner: c@example.com" in broken and "thread.yaml:5:" in broken
    assert "good again and in force" in mended and "Critical" in alert


def test_changed_files_are_taken_over_by_themselves_once_their_tests_hold(running: Running) -> None:
    running.start()
    running.until(lambda: "is running" in running.log())
    tests = running.folder / "rules" / "tests" / "thread.yaml"
    good = tests.read_text("utf-8")
    tests.write_text(good.replace("posts: 0", "posts: 7"), "utf-8")
    running.until(lambda: "expected 7, found 0" in running.log())
    told = run("status", cwd=running.folder)
    assert told.returncode == 1 and "tests/thread.yaml:" in told.stdout
    tests.write_text(good + "# mended\n", "utf-8")
    running.until(lambda: "reloaded: 1 brand," in running.log())
    assert run("status", cwd=running.folder).returncode == 0


def test_systemd_is_told(running: Running, tmp_path: Path) -> None:
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(30)
        running.start(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="60000000")
        while "WATCHDOG=1" not in heard:
            heard += listening.recv(4096).decode().splitlines()
        assert running.process is not None
        running.process.send_signal(signal.SIGHUP)
        while heard.count("READY=1") < 2:
            heard += listening.recv(4096).decode().splitlines()
        assert running.stop() < 10
        while "STOPPING=1" not in heard:
            heard += listening.recv(4096).decode().splitlines()
    assert heard[0] == "READY=1" and "STATUS=1 brand, 1 source, 1 rule" in heard and "RELOADING=1" in heard


def test_trouble_is_visible_and_mends_itself(running: Running) -> None:
    """A channel that is archived and a feed that denies access: both in `status`, with what to do; nothing is lost."""
    running.slack.archived.add("brand-alerts")
    running.feeds.put("/feed.xml", entries(*ANGRY))
    running.start()
    running.until(lambda: running.status()["outbox"].get("blocked"))
    running.feeds.put("/feed.xml", Page(b"", status=403))
    running.until(lambda: "403" in json.dumps(running.status()["sources"]))
    told = run("status", cwd=running.folder)
    assert told.returncode == 1 and "archived" in told.stdout and "To mend" in told.stdout
    running.slack.archived.clear()
    assert running.process is not None
    running.process.send_signal(signal.SIGHUP)
    running.until(lambda: running.slack.posts("brand-alerts"))


def test_once_is_one_whole_cycle(running: Running) -> None:
    running.feeds.put("/feed.xml", entries(*ANGRY))
    for _ in range(2):
        running.start("--once")
        assert running.process is not None
        assert running.process.wait(30) == 0, running.log()
        time.sleep(1.1)  # the rule's first wait, on the real clock of a real process
    assert len(running.slack.posts("brand-alerts")) == 1
    assert run("escalations", cwd=running.folder).stdout.count("Negative discussion about Acme") == 1


def test_without_a_token_messages_come_to_the_terminal(running: Running) -> None:
    running.feeds.put("/feed.xml", entries(*ANGRY))
    running.start(token="")
    running.until(lambda: running.status()["outbox"].get("sent"))
    running.stop()
    assert running.process is not None
    printed = running.process.communicate()[0]
    assert "Acme" in printed and "escalations ack 1" in printed
    assert running.slack.posts("brand-alerts") == []


def test_a_token_that_slack_refuses_is_told_without_showing_it(running: Running) -> None:
    running.slack.script("chat.postMessage", refused("invalid_auth"))
    running.feeds.put("/feed.xml", entries(*ANGRY))
    running.start()
    running.until(lambda: running.status()["outbox"].get("blocked"))
    told = run("status", cwd=running.folder).stdout
    assert "token" in told and TOKEN not in told + running.log()
