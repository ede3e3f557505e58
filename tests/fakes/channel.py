"""A Slack in memory that keeps every message as it stands there, loses answers when told to, and can be looked into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from monitor.errors import DeliveryRefused, DeliveryUnknown
from monitor.slack.messages import Delivered, Message


@dataclass
class Standing:
    """A message in the channel; `outbox_id` is that of its first post."""

    outbox_id: int
    channel: str
    thread_ts: str | None
    message: Message


@dataclass
class Channel:
    """`posting` is told of each post before it stands there."""

    posting: Callable[[int], None] = lambda outbox_id: None
    messages: dict[str, Standing] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    server_time: datetime | None = None

    def post(self, message: Message, channel: str, *, thread_ts: str | None, outbox_id: int) -> Delivered:
        fault = self._fault()
        self.posting(outbox_id)
        ts = f"{len(self.messages) + 1}.0"
        self.messages[ts] = Standing(outbox_id, channel, thread_ts, message)
        if fault == "answer lost":
            raise DeliveryUnknown("the connection broke")
        return Delivered(channel, ts)

    def update(self, message: Message, channel: str, ts: str) -> Delivered:
        # A channel that refuses one change alone would be none that is archived.
        fault = self._fault(refuses=False)
        self.messages[ts].message = message
        if fault == "answer lost":
            raise DeliveryUnknown("the connection broke")
        return Delivered(channel, ts)

    def find(self, channel: str, *, outbox_id: int, oldest: datetime, thread_ts: str | None) -> Delivered | None:
        found = [(ts, one) for ts, one in self.messages.items() if one.outbox_id == outbox_id]
        return Delivered(found[0][1].channel, found[0][0]) if found else None

    def _fault(self, *, refuses: bool = True) -> str:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "lost":
            raise DeliveryUnknown("the connection broke")
        if fault == "refused" and refuses:
            raise DeliveryRefused("is_archived", code="is_archived")
        return fault
