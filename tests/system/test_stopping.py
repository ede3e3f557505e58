"""The daemon as a process, connected to Slack: asked to stop it has ended within ten seconds, whatever hangs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from monitor.slack.tags import Deed, Tag
from tests.fakes.feed_server import FeedServer
from tests.fakes.slack_server import TOO_SLOW_BEFORE_ACCEPTING
from tests.fakes.slack_socket import SocketSlack, member
from tests.fakes.slack_workspace import APP_TOKEN
from tests.system.test_daemon import ANGRY, Running, entries

ANNA = "U0000ANNA"


class Place(Running):
    """With a Slack that can be clicked in."""

    slack: SocketSlack

    def press(self, deed: Deed) -> str:
        with closing(sqlite3.connect(f"file:{self.folder / 'b.db'}?mode=ro", uri=True)) as database:
            (install,) = database.execute("SELECT value FROM facts WHERE name = 'install'").fetchone()
            (outbox,) = database.execute("SELECT id FROM outbox WHERE kind = 'root'").fetchone()
        value = str(Tag(deed, 1, outbox, json.loads(install)))
        channel, ts = self.slack.channels["brand-alerts"], self.slack.posts("brand-alerts")[0]["ts"]
        return self.slack.press(ANNA, value, channel=channel, ts=ts)

    def hang(self, method: str, act: Callable[[], object]) -> None:
        """`act` makes it call `method`, which is not answered."""
        before = self.slack.calls(method)
        self.slack.script(method, *[TOO_SLOW_BEFORE_ACCEPTING] * 5)
        act()
        self.until(lambda: self.slack.calls(method) > before)


def form(place: Place) -> None:
    place.hang("views.open", lambda: place.press(Deed.RESOLVE))


def who_it_was(place: Place) -> None:
    place.hang("users.info", lambda: place.press(Deed.ACKNOWLEDGE))


def post(place: Place) -> None:
    again = entries("Acme opens at nine", *ANGRY, "Acme is awful, and it lasts")
    place.hang("chat.update", lambda: place.feeds.put("/feed.xml", again))


def handshake(place: Place) -> None:
    place.slack.frozen = True
    before = place.slack.calls("apps.connections.open")
    place.slack.hang_up()
    place.until(lambda: place.slack.calls("apps.connections.open") > before)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with SocketSlack() as slack, FeedServer() as feeds:
        slack.workspace.members = {ANNA: member(ANNA, "Anna")}
        made = Place(tmp_path, feeds, slack)
        feeds.put("/feed.xml", entries("Acme opens at nine", *ANGRY))
        made.start(SLACK_APP_TOKEN=APP_TOKEN)
        made.until(lambda: slack.posts("brand-alerts") and slack.connections)
        yield made
        if made.process:
            if made.process.poll() is None:
                made.process.kill()
            made.process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("what", [form, who_it_was, post, handshake])
def test_it_stops_in_time(place: Place, what: Callable[[Place], None]) -> None:
    what(place)
    assert place.stop() < 10
    assert "Traceback" not in place.log(), place.log()[-3000:]
    assert APP_TOKEN not in place.log()
