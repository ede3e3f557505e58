"""Ten thousand mentions in a thousand discussions at once: what leaves for Slack, how soon, and at what cost.

    PYTHONPATH=. python benchmarks/storm.py [--mentions 10000] [--discussions 1000] [--critical 5]

The real daemon's loops (ingest, judging, timers, outbox, delivery) on a database of their own, with the real clock, a
model that judges by plain words, and a Slack that answers in 50 ms. The posts come as one poll's result, oldest first;
the critical ones stand at random among them. Prints what was posted and when, how long the first critical message took
from the commit of its mention on, and the peak memory.
"""

from __future__ import annotations

import argparse
import random
import resource
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.app import App, load_config
from monitor.daemon import Daemon
from monitor.model import Author, PollResult, Post, Sentiment
from monitor.poll import Outcome
from monitor.slack.messages import Delivered, Message
from tests.fakes.proofs import prove_all

CONFIG = """\
brands: [{name: Acme, terms: [acme]}]
slack: {channel: "#social"}
rules: rules/
store: b.db
"""
RULE = """\
id: %s
title: %s
owner: c@example.com
status: live
severity: %s
match: {brands: [acme]}
negative_if: {sentiment: {at_most: -0.5}}
escalate: [{after: 0m, team: social}]
alert_when_any: [%s]
timing: {wait_first: %s, repeat_at_most: 0}
"""
ANSWER = 0.05
NOTHING_NEW = 15.0


class Plain:
    """Bad is bad."""

    def judge(self, texts: Sequence[str]) -> list[Sentiment]:
        return [
            Sentiment(0.9, 0.1, 0.0, "plain") if "bad" in text else Sentiment(0.1, 0.8, 0.1, "plain") for text in texts
        ]


class Slack:
    server_time = None

    def __init__(self) -> None:
        self.sent: list[tuple[float, str, Message]] = []
        self.posted: dict[int, float] = {}

    def _take(self, what: str, message: Message) -> None:
        self.sent.append((time.time(), what, message))
        time.sleep(ANSWER)

    def post(self, message: Message, channel: str, *, thread_ts: str | None, outbox_id: int) -> Delivered:
        self.posted[outbox_id] = time.time()
        self._take("post", message)
        return Delivered("C1", str(outbox_id))

    def update(self, message: Message, channel: str, ts: str) -> Delivered:
        self._take("update", message)
        return Delivered(channel, ts)

    def find(self, channel: str, *, outbox_id: int, oldest: datetime, thread_ts: str | None) -> Delivered | None:
        return None


class Watch(threading.Thread):
    """When each critical message was first seen in the database, by its id in the outbox: POSIX times, to 20 ms."""

    def __init__(self, database: Path) -> None:
        super().__init__(daemon=True)
        self._database = database
        self.seen: dict[int, float] = {}
        self.ended = threading.Event()

    def run(self) -> None:
        connection = sqlite3.connect(self._database, timeout=30)
        while not self.ended.wait(0.02):
            last = max(self.seen, default=0)
            for (id,) in connection.execute(
                "SELECT id FROM outbox WHERE id > ? AND kind = 'root' AND severity = 'critical'", [last]
            ):
                self.seen[id] = time.time()
        connection.close()


class Feed:
    """The source that all this comes from; it is never polled."""

    key, name, host, interval = "storm", "storm", "storm", timedelta(hours=1)


def posts(count: int, discussions: int, critical: int) -> list[Post]:
    chance = random.Random(7)
    now = datetime.now(UTC)
    loud = set(chance.sample(range(count // 10, count), critical))
    return [
        Post(
            source="forum",
            native_id=str(number),
            text=f"acme is bad ({number})",
            title=None,
            published_at=now - timedelta(seconds=60) * (1 - number / count),
            author=Author(id=str(number), followers=500_000 if number in loud else 200),
            conversation_id=f"loud{number}" if number in loud else f"t{number % discussions}",
            language="en",
        )
        for number in range(count)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mentions", type=int, default=10_000)
    parser.add_argument("--discussions", type=int, default=1_000)
    parser.add_argument("--critical", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.mentions, options.discussions, options.critical)


def measure(folder: Path, count: int, discussions: int, critical: int) -> None:
    rules = folder / "rules"
    rules.mkdir()
    (rules / "teams.yaml").write_text('social: {channel: "#social"}\n', "utf-8")
    many = RULE % ("many", "Much anger", "high", "{negative_mentions: {at_least: 3, within: 6h}}", "10s")
    loud = RULE % ("loud", "A loud voice", "critical", "{author_reach: {at_least: 100000}}", "0s")
    for name, text in (("many", many), ("loud", loud)):
        (rules / f"{name}.yaml").write_text(text, "utf-8")
    prove_all(rules)
    (folder / "monitor.yaml").write_text(CONFIG, "utf-8")
    app = App(load_config(folder / "monitor.yaml"), model=Plain())  # type: ignore[arg-type]
    slack = Slack()
    app.delivery.use(slack, None, app.delivery._renderer)
    daemon = Daemon(app)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    running = threading.Thread(target=daemon.run)
    running.start()
    time.sleep(1)
    watch = Watch(folder / "b.db")
    watch.start()
    began = time.time()
    daemon._outcomes.put(Outcome(Feed(), PollResult(tuple(posts(count, discussions, critical)), {})))  # type: ignore[arg-type]
    stored = wait_for(folder, lambda c: c.execute("SELECT count(*) FROM posts").fetchone()[0] >= count)
    print(f"{count:,} mentions stored within {stored - began:.1f} s")
    last = 0
    while len(slack.sent) != last or time.time() - slack.sent[-1][0] < NOTHING_NEW:
        last = len(slack.sent)
        time.sleep(1)
    watch.ended.set()
    watch.join()
    daemon.stop()
    running.join()
    report(folder, slack, watch, began, before)
    app.close()


def wait_for(folder: Path, met: object) -> float:
    connection = sqlite3.connect(folder / "b.db", timeout=30)
    try:
        while not met(connection):  # type: ignore[operator]
            time.sleep(0.1)
        return time.time()
    finally:
        connection.close()


def report(folder: Path, slack: Slack, watch: Watch, began: float, before: float) -> None:
    connection = sqlite3.connect(folder / "b.db")
    states = connection.execute("SELECT kind, state, count(*) FROM outbox GROUP BY 1, 2").fetchall()
    told = connection.execute("SELECT count(*), sum(told_at IS NOT NULL) FROM escalations").fetchone()
    waits = [slack.posted[id] - seen for id, seen in sorted(watch.seen.items())]
    kinds = Counter(what for _, what, _ in slack.sent)
    minutes = Counter((int((at - began) // 60), what) for at, what, _ in slack.sent)
    first = next(at for at, _, message in slack.sent if message.tone == "critical")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"sent: {dict(kinds)}, by minute {dict(minutes)}, the last after {slack.sent[-1][0] - began:.1f} s")
    print(f"first critical message {first - began:.1f} s after the start")
    in_words = ", ".join(f"{max(0.0, wait):.2f}" for wait in waits)
    print(f"critical messages, from the commit of the mention to the request to Slack: {in_words} s")
    print(f"escalations {told[0]:,}, told {told[1]:,}; messages {states}")
    print(f"memory: {before:.0f} MB before, {peak:.0f} MB at the peak")


if __name__ == "__main__":
    main()
