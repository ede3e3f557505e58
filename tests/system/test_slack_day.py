"""A working day in an independent Slack: the daemon's process alerts, people press, choose, type, and see what came of
it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.fakes.emulator import (
    ANN,
    APP_TOKEN,
    BEN,
    BOT_TOKEN,
    LEADS,
    ROBOT,
    SOCIAL,
    Emulator,
    Message,
    eventually,
    filled,
    pressed,
)
from tests.fakes.feed_server import FeedServer, Page, item, rss
from tests.fakes.proofs import prove_all
from tests.system.test_cli import ROOT, run

TEAMS = f"""\
social:
  channel: "#social"
  members: {{annarosa: {ANN}}}
leads:
  channel: "#leads"
  members: {{benedetta: {BEN}}}
"""
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
playbook: playbooks/calm.md
"""
PLAYBOOK = """\
---
owner: a@example.com
approved_by: board
review_by: 2099-05-31
---
# Stay calm

Breathe, then answer.
"""


class Day:
    """The daemon at work on `slack`, and the feed that it reads."""

    def __init__(self, folder: Path, slack: Emulator, feeds: FeedServer) -> None:
        self.folder, self.slack, self._feeds = folder, slack, feeds
        self._items: list[str] = []
        self._said()
        (folder / "rules" / "playbooks").mkdir(parents=True)
        for name, text in {"teams.yaml": TEAMS, "thread.yaml": RULE, "playbooks/calm.md": PLAYBOOK}.items():
            (folder / "rules" / name).write_text(text, "utf-8")
        prove_all(folder / "rules")
        self.config = folder / "monitor.yaml"
        self.config.write_text(
            "brands: [{name: Acme, terms: [acme]}]\n"
            f"sources: [{{feed: '{feeds.url('/feed.xml')}', name: forum, every: 1s}}]\n"
            f"network: {{allow_hosts: ['127.0.0.1']}}\nslack: {{channel: '#social', api_url: '{slack.api_url}'}}\n"
            "rules: rules/\nstore: b.db\n",
            "utf-8",
        )

    def _said(self) -> None:
        self._feeds.put("/feed.xml", Page(rss(*self._items)))

    def alert(self, about: str) -> Alert:
        """Two people are angry about something that nobody has spoken of yet, and the team hears of it."""
        now, link = format_datetime(datetime.now(UTC), usegmt=True), f"http://f.example/{about}"
        for n in range(2):
            text = f"acme is bad at {about}"
            self._items.append(item(f"{about}{n}", title=text, description=text, link=f"{link}#{n}", pubDate=now))
        self._said()
        return Alert(self.slack, about)


class Alert:
    """The message about one discussion, as it looks now."""

    def __init__(self, slack: Emulator, about: str) -> None:
        self._slack, self._about = slack, about
        self._ts = eventually(lambda: self.in_channel(SOCIAL), 30)["ts"]
        (self.number,) = {value.split(":")[1] for value in re.findall(r'"value": "(ack:[^"]+)"', self.look())}

    def in_channel(self, channel: str) -> Message | None:
        """The first of the messages in a channel that speak of it; none for those in threads or for one person."""
        for message in self._slack.messages(channel):
            alone = message.get("thread_ts") or message.get("subtype") == "ephemeral"
            if not alone and self._about in json.dumps(message):
                return message
        return None

    def message(self) -> Message:
        return next(message for message in self._slack.messages(SOCIAL) if message["ts"] == self._ts)

    def look(self) -> str:
        return json.dumps(self.message(), ensure_ascii=False)

    def shows(self, text: str) -> None:
        """It says so within two seconds."""
        eventually(lambda: text.casefold() in self.look().casefold(), 2)

    def press(self, deed: str, user: str = ANN) -> float:
        """Returns how many seconds Slack waited for the acknowledgement; it would wait three."""
        took = self._slack.click(SOCIAL, self._ts, user, pressed(self.message(), deed))
        assert took < 3, f"acknowledged after {took:.2f} s"
        return took


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with Emulator(tmp_path_factory.mktemp("slack")) as slack, FeedServer() as feeds:
        made = Day(tmp_path_factory.mktemp("day"), slack, feeds)
        command = [sys.executable, "-m", "tests.system.daemon_under_test", str(made.config), str(time.time()), "1"]
        tokens = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_APP_TOKEN": APP_TOKEN}
        log = made.folder / "log.txt"
        with log.open("wb") as output:
            daemon = subprocess.Popen(
                command, env={**os.environ, "PYTHONPATH": str(ROOT), **tokens}, cwd=ROOT, stdout=output, stderr=output
            )
        try:
            eventually(slack.connected, 30)
            yield made
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(15) == 0
        finally:
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()
        said = log.read_text("utf-8")
        assert "Traceback" not in said and BOT_TOKEN not in said and APP_TOKEN not in said, said[-3000:]


def whispered(day: Day, user: str, text: str) -> str:
    """What is shown to `user` alone and says `text`."""

    def heard() -> str | None:
        alone = [message for message in day.slack.messages(SOCIAL) if message.get("ephemeral_to") == user]
        return next((said for said in map(json.dumps, alone) if text in said), None)

    return str(eventually(heard))


def test_a_discussion_is_taken_given_away_and_resolved(day: Day) -> None:
    alert = day.alert("billing")
    alert.press("ack")
    alert.shows("annarosa")
    with day.slack.screen() as screen:
        alert.press("assign")
        screen.submit(ANN, filled(screen.form(), anybody=BEN))
        screen.form_closes()
        alert.shows("benedetta")

        alert.press("resolve", BEN)
        screen.submit(BEN, filled(screen.form(), outcome="answered", note="on the phone"))
        screen.form_closes()
    alert.shows("resolved")
    told = run("escalations", "show", alert.number, cwd=day.folder).stdout
    assert "annarosa" in told and "benedetta" in told and "on the phone" in told


def test_a_form_that_is_not_filled_in_says_so(day: Day) -> None:
    alert = day.alert("delivery")
    with day.slack.screen() as screen:
        alert.press("assign")
        screen.submit(ANN, filled(screen.form()))
        assert any("Choose" in words for words in screen.refused().values())
        screen.submit(ANN, filled(screen.form(), anybody=BEN))
        screen.form_closes()
    alert.shows("benedetta")


def test_it_is_put_off_and_handed_over(day: Day) -> None:
    alert = day.alert("roaming")
    with day.slack.screen() as screen:
        alert.press("snooze")
        screen.submit(ANN, filled(screen.form(), until="in:3600"))
        screen.form_closes()
        alert.shows("snoozed")
        alert.press("hand_over")
        screen.submit(ANN, filled(screen.form(), team="leads"))
        screen.form_closes()
    eventually(lambda: alert.in_channel(LEADS))
    alert.shows("leads")


def test_who_has_read_the_guideline_stands_on_the_message(day: Day) -> None:
    alert = day.alert("routers")
    assert "annarosa" not in alert.look()
    with day.slack.screen() as screen:
        alert.press("guideline")
        form = screen.form()
        assert "Breathe, then answer" in json.dumps(form)
        screen.submit(ANN, filled(form))
        screen.form_closes()
    alert.shows("annarosa")


def test_what_the_model_got_wrong_is_corrected_and_closes_it(day: Day) -> None:
    alert = day.alert("support")
    alert.press("not_negative")
    alert.shows("resolved")
    alert.shows("not negative")


def test_who_may_not_press_is_told_so_alone(day: Day) -> None:
    alert = day.alert("prices")
    alert.press("ack", ROBOT)
    whispered(day, ROBOT, "Only people of this workspace")
    assert pressed(alert.message(), "ack")


def test_questions_are_answered_to_whoever_asks(day: Day) -> None:
    day.alert("coverage")
    assert day.slack.command(SOCIAL, ANN, "open") < 3
    whispered(day, ANN, "coverage")


def test_the_home_tab_shows_what_is_open(day: Day) -> None:
    day.alert("invoices")
    with day.slack.screen() as screen:
        day.slack.open_home(ANN)
        assert "invoices" in json.dumps(screen.home(ANN))
