"""The daemon as a process, in Slack: a click is acknowledged, survives kill -9, and its message shows it."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.slack.tags import Deed, Tag
from tests.fakes.feed_server import FeedServer
from tests.fakes.slack_socket import SocketSlack, member
from tests.fakes.slack_workspace import APP_TOKEN
from tests.system.test_cli import run
from tests.system.test_daemon import ANGRY, Running, entries

ANNA = "U0000ANNA"


@pytest.fixture
def slack() -> Iterator[SocketSlack]:
    with SocketSlack() as slack:
        slack.workspace.members = {ANNA: member(ANNA, "Anna")}
        yield slack


@pytest.fixture
def running(tmp_path: Path, slack: SocketSlack) -> Iterator[Running]:
    with FeedServer() as feeds:
        made = Running(tmp_path, feeds, slack)
        made.feeds.put("/feed.xml", entries("Acme opens at nine", *ANGRY))
        made.start(SLACK_APP_TOKEN=APP_TOKEN)
        made.until(lambda: slack.posts("brand-alerts") and slack.connections)
        yield made
        if made.process:
            if made.process.poll() is None:
                made.process.kill()
            if made.process.stdout and not made.process.stdout.closed:
                made.process.communicate()


def press(running: Running, slack: SocketSlack, deed: Deed) -> str:
    database = sqlite3.connect(f"file:{running.folder / 'b.db'}?mode=ro", uri=True)
    (install,) = database.execute("SELECT value FROM facts WHERE name = 'install'").fetchone()
    (outbox,) = database.execute("SELECT id FROM outbox WHERE kind = 'root'").fetchone()
    database.close()
    value = str(Tag(deed, 1, outbox, json.loads(install)))
    return slack.press(ANNA, value, channel=slack.channels["brand-alerts"], ts=slack.posts("brand-alerts")[0]["ts"])


def test_a_click_from_its_press_to_the_message(running: Running, slack: SocketSlack) -> None:
    told = run("status", cwd=running.folder)
    assert told.returncode == 0 and "from Slack: connected" in told.stdout
    envelope = press(running, slack, Deed.ACKNOWLEDGE)
    assert slack.acked(envelope) == {} and slack.ack_seconds(envelope) < 3
    running.until(lambda: "Anna" in json.dumps(slack.posts("brand-alerts")[0]))
    shown = run("escalations", "show", "1", cwd=running.folder).stdout
    assert "Anna (Slack) acknowledges it" in shown
    assert running.stop() < 10
    assert APP_TOKEN not in running.log() and "ticket" not in running.log()


def test_a_click_that_was_acknowledged_is_not_lost_by_a_kill(running: Running, slack: SocketSlack) -> None:
    assert running.process is not None
    envelope = press(running, slack, Deed.ACKNOWLEDGE)
    slack.acked(envelope)
    running.process.send_signal(signal.SIGKILL)
    running.process.wait()
    slack.until(lambda: not slack.connections)
    running.start(SLACK_APP_TOKEN=APP_TOKEN)
    running.until(lambda: slack.connections)
    # Slack did not hear of it: it tells again.
    slack.redeliver(envelope)
    slack.acked(envelope)
    running.until(lambda: "Anna" in json.dumps(slack.posts("brand-alerts")[0]))
    assert len([post for post in slack.posts("brand-alerts") if not post.get("thread_ts")]) == 1
    assert run("escalations", "show", "1", cwd=running.folder).stdout.count("Anna (Slack) acknowledges it") == 1
    assert running.stop() < 10
