"""A working day in an independent Slack: the daemon's process alerts, people press, choose, type, and see what came of
it."""

from __future__ import annotations

import json
import os
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

pytest.importorskip("monitor.talking", reason="nobody hears clicks yet")

TEAMS = f"""\
social:
  channel: "#social"
  members: {{ann: {ANN}}}
leads:
  channel: "#leads"
  members: {{ben: {BEN}}}
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


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("slack")) as running:
        yield running


@pytest.fixture
def feeds() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, started: Emulator, feeds: FeedServer) -> Path:
    (tmp_path / "rules" / "playbooks").mkdir(parents=True)
    for name, text in {"teams.yaml": TEAMS, "thread.yaml": RULE, "playbooks/calm.md": PLAYBOOK}.items():
        (tmp_path / "rules" / name).write_text(text, "utf-8")
    prove_all(tmp_path / "rules")
    now = format_datetime(datetime.now(UTC), usegmt=True)
    items = (
        item(str(n), description="acme is bad", link=f"http://f.example/t#{n}", pubDate=now, author=f"a{n}")
        for n in range(3)
    )
    feeds.put("/feed.xml", Page(rss(*items)))
    (tmp_path / "monitor.yaml").write_text(
        "brands: [{name: Acme, terms: [acme]}]\n"
        f"sources: [{{feed: '{feeds.url('/feed.xml')}', name: forum, every: 1s}}]\n"
        f"network: {{allow_hosts: ['127.0.0.1']}}\nslack: {{channel: '#social', api_url: '{started.api_url}'}}\n"
        "rules: rules/\nstore: b.db\n",
        "utf-8",
    )
    return tmp_path


@pytest.fixture
def slack(started: Emulator, folder: Path) -> Iterator[Emulator]:
    """With the daemon at work, and connected."""
    started.reset()
    eventually(lambda: not started.connected())
    command = [sys.executable, "-m", "tests.system.daemon_under_test", str(folder / "monitor.yaml"), "0", "1"]
    tokens = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_APP_TOKEN": APP_TOKEN}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **tokens}
    with (folder / "log.txt").open("wb") as log:
        command[-2] = str(time.time())
        daemon = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
    try:
        eventually(started.connected, 30)
        yield started
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(15) == 0
    finally:
        if daemon.poll() is None:
            daemon.kill()
            daemon.wait()
    said = (folder / "log.txt").read_text("utf-8")
    assert "Traceback" not in said and BOT_TOKEN not in said and APP_TOKEN not in said, said[-3000:]


def root(slack: Emulator, channel: str = SOCIAL) -> Message:
    """The alert in `channel`, as it looks now, as soon as there is one."""
    return dict(
        eventually(lambda: next((m for m in slack.messages(channel) if "Acme" in m["text"] and whole(m)), None), 30)
    )


def whole(message: Message) -> bool:
    return not message.get("thread_ts") and message.get("subtype") != "ephemeral"


def shows(slack: Emulator, text: str, channel: str = SOCIAL) -> None:
    """The alert in `channel` says so within two seconds."""
    eventually(lambda: text.casefold() in json.dumps(root(slack, channel), ensure_ascii=False).casefold(), 2)


def whispered(slack: Emulator, user: str) -> str:
    """What is shown to `user` alone."""
    heard = eventually(lambda: [m for m in slack.messages(SOCIAL) if m.get("ephemeral_to") == user])
    return json.dumps(heard[-1], ensure_ascii=False)


def press(slack: Emulator, deed: str, user: str = ANN) -> None:
    message = root(slack)
    took = slack.click(SOCIAL, message["ts"], user, pressed(message, deed))
    assert took < 0.3, f"acknowledged after {took:.2f} s"


def test_a_discussion_is_taken_given_away_and_resolved(slack: Emulator, folder: Path) -> None:
    press(slack, "ack")
    shows(slack, "ann")
    with slack.screen() as screen:
        press(slack, "assign")
        form = screen.form()
        screen.submit(ANN, filled(form, anybody=BEN))
        screen.form_closes()
        shows(slack, "ben")

        press(slack, "resolve", BEN)
        screen.submit(BEN, filled(screen.form(), outcome="answered", note="on the phone"))
        screen.form_closes()
    shows(slack, "resolved")
    told = run("escalations", "show", "1", cwd=folder).stdout
    assert "ann" in told and "ben" in told and "on the phone" in told
    assert len([m for m in slack.messages(SOCIAL) if whole(m)]) == 1


def test_a_form_that_is_not_filled_in_says_so(slack: Emulator) -> None:
    with slack.screen() as screen:
        press(slack, "assign")
        screen.submit(ANN, filled(screen.form()))
        assert any("Choose" in words for words in screen.refused().values())
        screen.submit(ANN, filled(screen.form(), anybody=BEN))
        screen.form_closes()
    shows(slack, "ben")


def test_it_is_put_off_and_handed_over(slack: Emulator) -> None:
    with slack.screen() as screen:
        press(slack, "snooze")
        screen.submit(ANN, filled(screen.form(), until="in:3600"))
        screen.form_closes()
        shows(slack, "snoozed")
        press(slack, "hand_over")
        screen.submit(ANN, filled(screen.form(), team="leads"))
        screen.form_closes()
    assert root(slack, LEADS)
    shows(slack, "leads")


def test_the_guideline_is_read(slack: Emulator, folder: Path) -> None:
    with slack.screen() as screen:
        press(slack, "guideline")
        form = screen.form()
        assert "Breathe, then answer" in json.dumps(form)
        screen.submit(ANN, filled(form))
        screen.form_closes()
    eventually(lambda: "read the guideline" in run("escalations", "show", "1", cwd=folder).stdout)


def test_what_the_model_got_wrong_is_corrected_and_closes_it(slack: Emulator) -> None:
    press(slack, "not_negative")
    shows(slack, "resolved")
    shows(slack, "not negative")


def test_who_may_not_press_is_told_so_alone(slack: Emulator) -> None:
    press(slack, "ack", ROBOT)
    assert "people" in whispered(slack, ROBOT)
    assert pressed(root(slack), "ack")


def test_questions_are_answered_to_whoever_asks(slack: Emulator) -> None:
    root(slack)
    slack.command(SOCIAL, ANN, "open")
    assert "Acme" in whispered(slack, ANN)


def test_the_home_tab_shows_what_is_open(slack: Emulator) -> None:
    root(slack)
    with slack.screen() as screen:
        slack.open_home(ANN)
        assert "Acme" in json.dumps(screen.home(ANN))
