"""Delivery on a test bench: a real database, a Slack that misbehaves, and a clock that jumps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.deliver import Delivery, Messenger
from monitor.model import Author, Finding, Post, Scope, Sentiment, Severity
from monitor.outgoing import MessageKind, MessageState, OutboxMessage
from monitor.render import Renderer
from monitor.slack.client import SlackMessenger
from monitor.store import Store, escalations, mentions, mutes
from monitor.store.outbox import Outbox
from tests.fakes import slack_server as faults
from tests.fakes.slack_server import SlackServer

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)
POST = "chat.postMessage"
ALERTS = "#brand-alerts"


@dataclass
class Bench:
    """One database, one Slack, one clock."""

    store: Store
    slack: SlackServer
    now: datetime = NOON
    token: str = faults.TOKEN

    def messenger(self, install: str = "here") -> SlackMessenger:
        return SlackMessenger(self.token, install=install, api_url=self.slack.url, timeout=1)

    def delivery(
        self,
        messenger: Messenger | None = None,
        store: Any = None,
        fallback: str | None = None,
        renderer: Renderer | None = None,
    ) -> Delivery:
        return Delivery(
            store or self.store, messenger or self.messenger(), fallback_channel=fallback, renderer=renderer
        )

    def run(self, delivery: Delivery, minutes: float = 9) -> None:
        """Step until nothing is left to do within `minutes`; the clock jumps to when delivery wants to be called."""
        end = self.now + timedelta(minutes=minutes)
        for _ in range(10_000):
            wake = delivery.step(self.now)
            if wake is None or wake > end:
                return
            self.now = wake
        raise AssertionError("delivery never comes to rest")

    def escalate(self, severity: Severity = Severity.HIGH, text: str = "Down again", **post: Any) -> int:
        with self.store.write() as connection:
            number = connection.execute("SELECT count(*) FROM posts").fetchone()[0]
            given = {"source": "x", "native_id": f"{number}", "author": Author(handle="mario", followers=1200), **post}
            saved = mentions.save(
                connection,
                Post(text=text, published_at=NOON, **given),
                [Finding("Acme", ("acme",), text[:80], sentiment=Sentiment(0.9, 0.1, 0.0, "test"))],
                NOON,
            )
            about = saved.added[0].discussion_id
            return escalations.create(connection, "Acme", Scope.DISCUSSION, about, "angry", severity, NOON).id

    def enqueue(self, kind: MessageKind, escalation: int | None, **other: Any) -> int | None:
        with self.store.write() as connection:
            given = {"channel": ALERTS, "severity": Severity.HIGH, "now": self.now, **other}
            return Outbox(connection).enqueue(kind=kind, escalation_id=escalation, **given)

    def alert(self, **other: Any) -> int:
        """A new escalation with its root in the outbox; its id."""
        escalation = self.escalate(other.get("severity", Severity.HIGH))
        self.enqueue(MessageKind.ROOT, escalation, **other)
        return escalation

    def mute(self, rule: str, hours: float) -> None:
        with self.store.write() as connection:
            mutes.add(connection, mutes.Mute(rule, self.now, self.now + timedelta(hours=hours), "ann"))

    def messages(self) -> list[OutboxMessage]:
        with self.store.read() as connection:
            ids = [row[0] for row in connection.execute("SELECT id FROM outbox ORDER BY id")]
            return [Outbox(connection).get(id) for id in ids]

    def states(self) -> list[MessageState]:
        return [message.state for message in self.messages()]
