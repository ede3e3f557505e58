"""kill -9 at random moments of a loaded run: no post is lost, none counts twice, one Slack message an escalation."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.fakes.feed_server import FeedServer, Page, item, rss
from tests.fakes.proofs import prove_all
from tests.fakes.slack_server import TOKEN, SlackServer
from tests.system.daemon_under_test import fast_clock

ROOT = Path(__file__).parents[2]
KILLS = 25
#: Reconciling asks Slack after 30 and 90 seconds; the daemon's clock makes that few.
SPEED = 20.0
FEEDS = 4

CONFIG = """\
brands: [{{name: Acme, terms: [acme]}}]
sources:
{sources}
network: {{allow_hosts: ["127.0.0.1"]}}
slack: {{channel: "#brand-alerts", api_url: "{slack}"}}
rules: rules/
store: b.db
"""
RULE = """\
id: thread
title: Negative discussion about {brand}
owner: c@example.com
status: live
severity: high
match: {brands: [acme]}
negative_if: {sentiment: {at_most: -0.5}}
escalate: [{after: 0m, team: social}]
alert_when_any:
  - negative_mentions: {at_least: 3, within: 6h}
timing: {wait_first: 10s, update_every: 60s, repeat_at_most: 0}
"""


class Publisher(threading.Thread):
    """Publishes angry posts into the feeds, about twenty a second, until stopped."""

    def __init__(self, server: FeedServer, clock: Callable[[], float], threads: int) -> None:
        super().__init__(name="publisher")
        self._server, self._clock, self._threads = server, clock, threads
        self._items: list[list[str]] = [[] for _ in range(FEEDS)]
        self._ended = threading.Event()
        self.count = 0
        self.publish()

    def publish(self) -> None:
        when = format_datetime(datetime.fromtimestamp(self._clock(), UTC), usegmt=True)
        feed, thread = self.count % FEEDS, random.randrange(self._threads)
        link = f"http://forum.example/{thread}#{self.count}"
        entry = item(f"n{self.count}", title="Acme", link=link, pubDate=when, description=f"Acme is bad ({self.count})")
        self._items[feed].insert(0, entry)
        self.count += 1
        for number, items in enumerate(self._items):
            self._server.put(f"/{number}.xml", Page(rss(*items)))

    def run(self) -> None:
        while not self._ended.wait(0.05):
            self.publish()

    def stop(self) -> None:
        self._ended.set()
        self.join()


def start_daemon(folder: Path, began: float) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-m", "tests.system.daemon_under_test"]
    arguments = [str(folder / "monitor.yaml"), str(began), str(SPEED)]
    environment = {**os.environ, "SLACK_BOT_TOKEN": TOKEN}
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen([*program, *arguments], cwd=ROOT, env=environment, stderr=log, stdout=log)


def query(folder: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(folder / "b.db", timeout=10)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("threads", [9, 60], ids=["few discussions", "a storm"])
def test_killed_many_times(tmp_path: Path, threads: int) -> None:
    began = time.time()
    clock = lambda: fast_clock(began, SPEED)  # noqa: E731
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    with FeedServer() as feeds, SlackServer(now=clock) as slack:
        slack.page = 200
        urls = [feeds.url(f"/{number}.xml") for number in range(FEEDS)]
        sources = "\n".join(f"  - {{feed: '{url}', every: 10s}}" for url in urls)
        (tmp_path / "monitor.yaml").write_text(CONFIG.format(sources=sources, slack=slack.url), "utf-8")
        (tmp_path / "rules").mkdir()
        (tmp_path / "rules" / "teams.yaml").write_text('social: {channel: "#brand-alerts"}\n', "utf-8")
        (tmp_path / "rules" / "thread.yaml").write_text(RULE, "utf-8")
        prove_all(tmp_path / "rules")
        publisher = Publisher(feeds, clock, threads)
        publisher.start()
        for _ in range(KILLS):
            daemon = start_daemon(tmp_path, began)
            time.sleep(chance.uniform(0.7, 1.7))
            assert daemon.poll() is None, (tmp_path / "log.txt").read_text("utf-8")[-3000:]
            daemon.kill()
            daemon.wait()
        publisher.stop()

        daemon = start_daemon(tmp_path, began)
        try:
            wait_until_settled(tmp_path, publisher.count)
        finally:
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(10) == 0, (tmp_path / "log.txt").read_text("utf-8")[-3000:]
        messages = slack.posts("brand-alerts")

    assert query(tmp_path, "SELECT count(*), count(DISTINCT text) FROM posts") == [(publisher.count,) * 2]
    assert query(tmp_path, "SELECT count(*) FROM mentions") == [(publisher.count,)]
    assert query(tmp_path, "SELECT sum(mentions), sum(negative) FROM discussions") == [(publisher.count,) * 2]
    assert query(tmp_path, "SELECT count(*), count(DISTINCT discussion_id) FROM escalations") == [(threads, threads)]

    sent = Counter(message["metadata"]["event_payload"]["outbox_id"] for message in messages)
    assert set(sent.values()) == {1}, "something was said twice"
    due = "SELECT id FROM outbox WHERE kind IN ('root', 'reply', 'summary') AND state = 'sent'"
    assert set(sent) == {number for (number,) in query(tmp_path, due)}, "something was never said"
    roots = [message for message in messages if not message.get("thread_ts")]
    assert len(roots) == threads if threads < 10 else len(roots) < threads
    assert query(tmp_path, "SELECT count(*) FROM escalations WHERE told_at IS NULL") == [(0,)]
    rows = query(tmp_path, "SELECT id, payload FROM outbox WHERE kind IN ('root', 'reply')")
    told = [i for _, payload in rows for i in json.loads(str(payload)).get("mention_ids", ())]
    assert len(told) == len(set(told)), "a mention was told in two messages of its thread"


def wait_until_settled(folder: Path, posts: int, seconds: float = 90) -> None:
    """Until every post is stored and no message waits or may still come."""
    deadline = time.monotonic() + seconds
    open_ends = (
        "SELECT (SELECT count(*) FROM posts), (SELECT count(*) FROM outbox WHERE state NOT IN ('sent', 'folded')),"
        " (SELECT count(*) FROM timers), (SELECT count(*) FROM escalations WHERE state = 'pending')"
    )
    while (found := query(folder, open_ends)) != [(posts, 0, 0, 0)]:
        if time.monotonic() > deadline:
            log = (folder / "log.txt").read_text("utf-8")[-3000:]
            raise AssertionError(f"after {seconds:.0f} s: {found}, expected {posts} posts and nothing open\n{log}")
        time.sleep(0.2)
