#!/usr/bin/env python3
"""How fast a click is acknowledged, and its message shows it, while the daemon takes in posts.

    benchmarks/clicks.py [CLICKS] [--plain]

The real daemon as a process of its own, a feed full of posts, and a Slack on loopback in which somebody handles one
escalation after the other. With the bundled model, judging takes most of the time; `--plain` judges by plain words, so
that most of it goes into the database. Goals: acknowledged within 300 ms, shown within 2 s.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from monitor.slack.tags import Deed, Tag  # noqa: E402
from tests.fakes.feed_server import FeedServer, Page, item, rss  # noqa: E402
from tests.fakes.proofs import prove_all  # noqa: E402
from tests.fakes.slack_server import TOKEN  # noqa: E402
from tests.fakes.slack_socket import SocketSlack, member  # noqa: E402
from tests.fakes.slack_workspace import APP_TOKEN  # noqa: E402

#: How many posts each read of the feed brings.
POSTS = 2000
#: Seconds between two clicks: Slack takes so many changes of messages a minute, and delivery keeps to that.
PAUSE = 2.0
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
timing: {wait_first: 1s, update_every: 60s}
escalate: [{after: 0m, team: social}]
"""


def page(entries: list[tuple[str, str, str]]) -> Page:
    """(name, thread, text) each."""
    now = format_datetime(datetime.now(UTC), usegmt=True)
    made = (
        item(name, description=text, link=f"http://f.example/{thread}#{name}", pubDate=now)
        for name, thread, text in entries
    )
    return Page(rss(*made))


def flood(round_: int) -> Page:
    return page([
        (f"r{round_}-{n}", f"x{n % 97}", f"Acme opened shop number {n} in round {round_}, and it was fine.")
        for n in range(POSTS)
    ])  # fmt: skip


def main(clicks: int, plain: bool) -> None:
    with tempfile.TemporaryDirectory() as name, FeedServer() as feeds, SocketSlack() as slack:
        folder = Path(name)
        slack.workspace.members["U0000ANNA"] = member("U0000ANNA", "Anna")
        (folder / "rules").mkdir()
        (folder / "rules" / "teams.yaml").write_text('social: {channel: "#brand-alerts"}\n', "utf-8")
        (folder / "rules" / "thread.yaml").write_text(RULE, "utf-8")
        prove_all(folder / "rules")
        angry = [(f"a{n}", f"t{n // 2}", f"I hate Acme, bad, the worst service ever ({n})") for n in range(2 * clicks)]
        feeds.put("/feed.xml", page(angry))
        (folder / "monitor.yaml").write_text(
            "brands: [{name: Acme, terms: [acme]}]\n"
            f"sources: [{{feed: '{feeds.url('/feed.xml')}', name: forum, every: 1s}}]\n"
            f"network: {{allow_hosts: ['127.0.0.1']}}\n"
            f"slack: {{channel: '#brand-alerts', api_url: '{slack.url}'}}\nrules: rules/\nstore: b.db\n",
            "utf-8",
        )
        tokens = {"SLACK_BOT_TOKEN": TOKEN, "SLACK_APP_TOKEN": APP_TOKEN}
        config = str(folder / "monitor.yaml")
        command = ["monitor", "--config", config, "run"]
        if plain:
            command = ["tests.system.daemon_under_test", config, str(time.time()), "1"]
        daemon = subprocess.Popen(
            [sys.executable, "-m", *command],
            env={**os.environ, "PYTHONPATH": str(ROOT), **tokens}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            measure(folder, feeds, slack, clicks)
        finally:
            daemon.send_signal(signal.SIGTERM)
            print(daemon.communicate()[1].decode()[-1500:] if daemon.wait() else "", end="")


def measure(folder: Path, feeds: FeedServer, slack: SocketSlack, clicks: int) -> None:
    slack.until(lambda: slack.connections, 60)
    database = sqlite3.connect(f"file:{folder / 'b.db'}?mode=ro", uri=True)
    query = "SELECT escalation_id, id, sent_ts FROM outbox WHERE kind = 'root' AND state = 'sent' ORDER BY id"

    def told() -> list[tuple[int, int, str]]:
        return [tuple(row) for row in database.execute(query)]

    def posts() -> int:
        return int(database.execute("SELECT count(*) FROM posts").fetchone()[0])

    slack.until(lambda: len(told()) >= min(clicks, 10), 120)
    roots = told()
    install = database.execute("SELECT value FROM facts WHERE name = 'install'").fetchone()[0].strip('"')
    print(f"{len(roots)} escalations; posts come in")
    for busy in (False, True):
        acked, shown, began, stored = [], [], time.monotonic(), posts()
        for number, (escalation, outbox, ts) in enumerate(roots[:clicks]):
            if busy:
                feeds.put("/feed.xml", flood(number))
            time.sleep(PAUSE)
            deed = Deed.ACKNOWLEDGE if not busy else Deed.RESOLVE
            value = str(Tag(deed, escalation, outbox, install))
            channel = slack.channels["brand-alerts"]
            if busy:
                opened = len(slack.views)
                slack.acked(slack.press("U0000ANNA", value, channel=channel, ts=ts))
                view = slack.until(lambda opened=opened: slack.views[opened:])[0][1]
                envelope = slack.submit(
                    "U0000ANNA", view, {"outcome": {"selected_option": {"value": "no action"}}}, f"V{number}"
                )
                word = "Resolved"
            else:
                envelope, word = slack.press("U0000ANNA", value, channel=channel, ts=ts), "Anna"
            slack.acked(envelope)
            acked.append(slack.ack_seconds(envelope))

            def stands(ts: str = ts, word: str = word) -> bool:
                return any(one["ts"] == ts and word in str(one) for one in slack.posts("brand-alerts"))

            slack.until(stands)
            shown.append(time.monotonic() - slack.sent[envelope])
        seconds = time.monotonic() - began
        what = "busy" if busy else "idle"
        print(f"{what}: {(posts() - stored) / seconds:,.0f} posts a second stored meanwhile")
        for name, times in (("acknowledged", acked), ("shown", shown)):
            times = sorted(times)
            print(f"  {name:13} median {times[len(times) // 2] * 1000:5.0f} ms, worst {times[-1] * 1000:5.0f} ms")


if __name__ == "__main__":
    numbers = [int(one) for one in sys.argv[1:] if one.isdigit()]
    main(numbers[0] if numbers else 10, "--plain" in sys.argv)
