"""The whole application on real files: a test lets people say things, moves the clock and sees what is escalated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.app import App
from monitor.carry_out import act
from monitor.config import parse_config
from monitor.model import Author, Post, State
from monitor.outgoing import MessageKind
from monitor.store import escalations
from tests.fakes.proofs import prove_all
from tests.fakes.sentiment import PlainWords

NOW = datetime(2026, 3, 30, 10, tzinfo=UTC)

CONFIG = """\
brands:
  - {name: Acme, terms: [acme], own_accounts: {"*": [acme_help]}}
  - {name: Globex, terms: [globex], competitor: true}
slack: {channel: "#alerts"}
rules: rules/
store: b.db
"""
TEAMS = """\
social: {channel: "#social"}
"""
THREAD = """\
id: thread
title: Negative discussion about {brand}
owner: c@example.com
status: live
severity: high
match: {brands: [acme]}
negative_if: {sentiment: {at_most: -0.5}}
escalate: [{after: 0m, team: social}]
alert_when_any:
  - negative_mentions: {at_least: 3, within: 60m}
timing: {wait_first: 30s, update_every: 60s, reopen_within: 6h}
"""
LOUD = """\
id: loud
title: A loud voice against {brand}
owner: c@example.com
status: live
severity: critical
match: {brands: [acme]}
negative_if: {sentiment: {at_most: -0.5}}
escalate: [{after: 0m, team: social}]
alert_when_any:
  - author_reach: {at_least: 100000}
timing: {wait_first: 30s}
"""


class World:
    """An application over real files whose clock the test moves."""

    def __init__(self, folder: Path, *, config: str = CONFIG, **rules: str) -> None:
        self.folder, self.config, self.now, self.posted = folder, config, NOW, 0
        (folder / "rules").mkdir(exist_ok=True)
        for name, text in {"teams": TEAMS, **rules}.items():
            (folder / "rules" / f"{name}.yaml").write_text(text, "utf-8")
        prove_all(folder / "rules")
        (folder / "monitor.yaml").write_text(config, "utf-8")
        self.app = self.opened()

    def opened(self) -> App:
        config = parse_config(self.config, self.folder / "monitor.yaml")
        return App(config, model=PlainWords(), clock=lambda: self.now)

    def say(self, text: str, *, after: timedelta = timedelta(seconds=1), **values: object) -> None:
        """Somebody says something in thread t1, now or as told."""
        self.now += after
        self.posted += 1
        given = {"source": "forum", "native_id": f"p{self.posted}", "text": text, "published_at": self.now,
                 "conversation_id": "t1", "author": Author(id=str(self.posted))}  # fmt: skip
        self.app.take([Post(**{**given, **values})])  # type: ignore[arg-type]

    def wait(self, **length: float) -> None:
        self.now += timedelta(**length)
        self.app.settle()

    def states(self) -> list[State]:
        with self.app.store.read() as connection:
            return [e.state for e in reversed(escalations.having_state(connection, tuple(State)))]

    def messages(self) -> list[tuple[MessageKind, str]]:
        with self.app.store.read() as connection:
            rows = connection.execute("SELECT kind, severity FROM outbox ORDER BY id").fetchall()
        return [(MessageKind(row[0]), row[1]) for row in rows]

    def kinds(self) -> list[str]:
        return [kind.value for kind, _ in self.messages()]

    def act(self, event: object) -> None:
        with self.app.store.write() as connection:
            escalation = escalations.by_id(connection, 1)
            assert escalation is not None
            act(connection, escalation, event, "ann", self.now)  # type: ignore[arg-type]

    def deliver(self) -> None:
        """What waits is brought to the terminal."""
        while (wake := self.app.delivery.step(self.now)) is not None and wake <= self.now + timedelta(minutes=1):
            self.now = max(self.now, wake)

    def told(self) -> None:
        """Everything that waits has reached the channel."""
        with self.app.store.write() as connection:
            connection.execute("UPDATE outbox SET state = 'sent'")


def angry(world: World, times: int = 3) -> None:
    for _ in range(times):
        world.say("acme is bad")
