"""A daemon that lives through hard times, as a process: posts come in, people click, Slack misbehaves, rules and
configuration are edited, tokens go and come back, and it is killed. Each act by itself, at random; `benchmarks/soak.py`
does them all at once.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from tests.fakes import slack_server as faults
from tests.fakes.feed_server import FeedServer, Page, item, rss
from tests.fakes.proofs import prove_all
from tests.fakes.slack_socket import SocketSlack, values
from tests.fakes.slack_workspace import APP_TOKEN
from tests.system.daemon_under_test import fast_clock

ROOT = Path(__file__).parents[2]
SPEED = 8.0
LIFE = 60.0
PEOPLE = {"U0000ANNA": "Anna", "U0000BRUNO": "Bruno", "U0000CARLA": "Carla"}
FAULTS = (
    faults.RATE_LIMITED, faults.RATE_LIMITED_WITHOUT_A_TIME, faults.HTTP_500_BEFORE_ACCEPTING,
    faults.HTTP_500_AFTER_ACCEPTING, faults.FATAL_ERROR_AFTER_ACCEPTING, faults.RESET_BEFORE_ACCEPTING,
    faults.RESET_AFTER_ACCEPTING, faults.CUT_BODY, faults.GARBLED_BODY, faults.NOT_READ,
)  # fmt: skip
METHODS = (
    "chat.postMessage", "chat.update", "conversations.history", "users.info", "views.open", "chat.postEphemeral",
    "apps.connections.open", "users.conversations",
)  # fmt: skip
TEAMS = (
    'social: {channel: "#brand-alerts", members: {Anna: U0000ANNA, Bruno: U0000BRUNO}}\npress: {channel: "#fallback"}\n'
)
RULE = """\
id: thread
title: Negative discussion about {brand}
owner: c@example.com
status: live
severity: SEVERITY
match: {brands: [acme]}
negative_if: {sentiment: {at_most: -0.5}}
alert_when_any:
  - negative_mentions: {at_least: 2, within: 6h}
timing: {wait_first: 5s, update_every: 20s}
escalate: [{after: 0m, team: social}, {after: 10m, team: press}]
"""
CONFIG = """\
brands: [{{name: Acme, terms: [acme]}}]
sources: [{{feed: '{feed}', name: forum, every: 5s}}]
network: {{allow_hosts: ['127.0.0.1']}}
slack: {{channel: '#brand-alerts', api_url: '{slack}'}}
rules: rules/
store: b.db
language: {language}
"""

#: What is pressed, and how its form is filled in; None where there is none.
DEEDS: dict[str, dict[str, Any] | None] = {
    "ack": None,
    "not_negative": None,
    "show": None,
    "assign": {"anybody": {"selected_user": "U0000CARLA"}},
    "resolve": {"outcome": {"selected_option": {"value": "no action"}}},
    "hand_over": {"team": {"selected_option": {"value": "press"}}},
}


class HardTimes:
    def __init__(self, folder: Path, feeds: FeedServer, slack: SocketSlack, began: float, chance: random.Random):
        self.folder, self.feeds, self.slack, self.began, self.chance = folder, feeds, slack, began, chance
        self.ended, self.daemon = threading.Event(), None
        self.items: list[str] = []
        self.clicks: list[str] = []
        self.unheard = 0
        self.samples: list[tuple[float, int, int, float]] = []
        self.lives, self.born, self.logged = 0, 0.0, 0
        (folder / "log.txt").touch()
        (folder / "credentials").mkdir()
        (folder / "rules").mkdir()
        (folder / "rules" / "teams.yaml").write_text(TEAMS, "utf-8")
        self.rule(RULE.replace("SEVERITY", "high"))
        self.tokens(True)
        self.config("en")

    # -- the world -----------------------------------------------------------------------------------------------

    def tokens(self, given: bool) -> None:
        for name, token in (("slack_bot_token", faults.TOKEN), ("slack_app_token", APP_TOKEN)):
            (self.folder / "credentials" / name).write_text(f"{token if given else ''}\n", "utf-8")

    def config(self, language: str) -> None:
        text = CONFIG.format(feed=self.feeds.url("/feed.xml"), slack=self.slack.url, language=language)
        (self.folder / "monitor.yaml").write_text(text, "utf-8")

    def rule(self, text: str) -> None:
        (self.folder / "rules" / "thread.yaml").write_text(text, "utf-8")
        prove_all(self.folder / "rules")

    def hup(self) -> None:
        # Before it has its handlers, the signal would end it.
        if self.running():
            self.daemon.send_signal(signal.SIGHUP)

    def running(self) -> bool:
        return self.daemon is not None and "is running" in self.log()[self.logged :]

    def publish(self) -> None:
        number = len(self.items)
        when = format_datetime(datetime.fromtimestamp(fast_clock(self.began, SPEED), UTC), usegmt=True)
        thread = max(0, number // 6 - self.chance.randrange(12))
        text = f"Acme is {self.chance.choice(('bad', 'bad', 'great'))} ({number})"
        link = f"http://forum.example/{thread}#{number}"
        self.items.insert(0, item(f"n{number}", title="Acme", description=text, link=link, pubDate=when))
        self.feeds.put("/feed.xml", Page(rss(*self.items[:300])))

    def click(self) -> None:
        shown = [(name, post) for name in ("brand-alerts", "fallback") for post in self.slack.posts(name)]
        offered = [(name, post["ts"], value) for name, post in shown[-60:] for value in values(post)]
        wanted = [one for one in offered if one[2].split(":")[0] in DEEDS]
        if not wanted:
            return
        (name, ts, value), user = self.chance.choice(wanted), self.chance.choice(list(PEOPLE))
        deed, opened = value.split(":")[0], len(self.slack.views)
        if not self.slack.connections:
            return
        pressed = self.slack.press(user, value, channel=self.slack.channels[name], ts=ts)
        if DEEDS[deed] is None:
            self.hear(pressed)
        elif self.hear(pressed):
            # A form that does not come is asked for by the next click.
            with suppress(AssertionError):
                found = self.slack.until(lambda: self.slack.views[opened:], 4)
                view, field = found[-1][1], DEEDS[deed]
                if deed in str(view.get("private_metadata")):
                    self.hear(self.slack.submit(user, view, field, f"V{len(self.clicks)}-{time.time()}"), kept=True)

    def hear(self, envelope: str, kept: bool = False) -> bool:
        """As Slack does: what is not acknowledged within three seconds is sent again, thrice at most."""
        deed = str(self.slack.envelope(envelope).get("actions", [{}])[0].get("action_id", ""))
        for _ in range(3):
            with suppress(AssertionError):
                answer = self.slack.acked(envelope, 3)
                if (kept or DEEDS.get(deed, {}) is None) and "errors" not in answer:
                    self.clicks.append(envelope)
                    if self.chance.random() < 0.1:
                        self.slack.redeliver(envelope)
                return True
            with suppress(AssertionError):
                self.slack.redeliver(envelope)
        self.unheard += 1
        return False

    def trouble(self) -> None:
        chance, slack = self.chance, self.slack
        match chance.randrange(8):
            case 0:
                slack.hang_up(politely=chance.random() < 0.5)
            case 1:
                slack.goodbye(chance.choice(["refresh_requested", "warning"]))
            case 2 if chance.random() < 0.2:
                slack.silent = True
                self.ended.wait(chance.uniform(5, 25))
                slack.silent = False
            case _:
                slack.script(chance.choice(METHODS), *chance.choices(FAULTS, k=chance.randrange(1, 3)))

    def edit(self) -> None:
        chance, rule = self.chance, self.folder / "rules" / "thread.yaml"
        match chance.randrange(7):
            case 0 | 1:
                self.rule(RULE.replace("SEVERITY", chance.choice(["medium", "high", "critical"])))
            case 2:
                rule.write_text("id: thread\nbroken: [", "utf-8")
            case 3:
                rule.unlink(missing_ok=True)
            case 4 | 5:
                self.config(chance.choice(["en", "it", "it", "klingon"]))
            case 6:
                self.tokens(False)
                self.hup()
                self.ended.wait(chance.uniform(3, 8))
                self.tokens(True)
        self.hup()

    # -- the daemon ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        command = ["-m", "tests.system.daemon_under_test", str(self.folder / "monitor.yaml"), str(self.began)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "CREDENTIALS_DIRECTORY": str(self.folder / "credentials")}
        self.logged = len(self.log())
        with (self.folder / "log.txt").open("ab") as log:
            self.daemon = subprocess.Popen(
                [sys.executable, *command, str(SPEED)], cwd=ROOT, env=environment, stderr=log, stdout=log
            )
        self.lives, self.born = self.lives + 1, time.monotonic()

    def live(self) -> None:
        """Watch it for a life, then kill it. A daemon that does not start with what is broken is mended."""
        self.start()
        daemon, until = self.daemon, time.monotonic() + LIFE
        while not self.ended.is_set() and time.monotonic() < until:
            self.ended.wait(1)
            if daemon.poll() is not None:
                ended = self.log()[self.logged :]
                assert "klingon" in ended, f"it ended with {daemon.returncode}: {ended[-3000:]}"
                self.config("en")
                return
            with suppress(OSError):
                process = Path(f"/proc/{daemon.pid}")
                threads, files = len(os.listdir(process / "task")), len(os.listdir(process / "fd"))
                resident = int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
                self.samples.append((time.monotonic() - self.born, threads, files, resident))
        if not self.ended.is_set():
            daemon.kill()
            daemon.wait()

    def log(self) -> str:
        return (self.folder / "log.txt").read_text("utf-8", "replace")

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.folder / 'b.db'}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(statement).fetchall()
