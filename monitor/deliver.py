"""Delivery: takes messages out of the outbox and brings them to Slack or the terminal, one at a time.

Each step is load → decide → save: the decisions stand in `monitor.escalation.outbox`, the requests in `monitor.slack`.
Committed before the request: that it is made; after it: what became of it. Whatever ends this process in between, the
next one asks Slack whether the message stands there. One sender works on a database.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from monitor import told
from monitor.errors import DeliveryError, DeliveryFailed, DeliveryLimited, DeliveryRefused, DeliveryUnknown, StoreError
from monitor.escalation import outbox as decisions
from monitor.escalation.outbox import Waiting
from monitor.model import Severity
from monitor.outgoing import MessageKind, MessageState, OutboxMessage
from monitor.render import Renderer
from monitor.slack.messages import Delivered, Message
from monitor.store.outbox import Outbox
from monitor.storms import Storms

_log = logging.getLogger(__name__)


class Messenger(Protocol):
    """Slack or the terminal: one request a call; raises only `DeliveryError`s."""

    @property
    def server_time(self) -> datetime | None:
        """The other side's clock at its last answer."""

    def post(self, message: Message, channel: str, *, thread_ts: str | None, outbox_id: int) -> Delivered: ...

    def update(self, message: Message, channel: str, ts: str) -> Delivered: ...

    def find(self, channel: str, *, outbox_id: int, oldest: datetime, thread_ts: str | None) -> Delivered | None:
        """Where the post of `outbox_id` stands; None only after a complete read from `oldest` on without it."""


class Storage(Protocol):
    """What delivery needs of the store; `write` commits when its block ends."""

    def write(self) -> AbstractContextManager[sqlite3.Connection]: ...

    def read(self) -> AbstractContextManager[sqlite3.Connection]: ...


class Delivery:
    """`step` is called by one thread; `retry_blocked` by any."""

    def __init__(
        self,
        store: Storage,
        messenger: Messenger,
        *,
        fallback_channel: str | None = None,
        renderer: Renderer | None = None,
    ) -> None:
        self._store = store
        self._messenger = messenger
        self._fallback = fallback_channel
        self._renderer = renderer or Renderer()
        self._storms = Storms(store)
        self._last_sent: dict[str, datetime] = {}
        self._paused_until: dict[str, datetime] = {}
        self._clean = False

    def step(self, now: datetime) -> datetime | None:
        """Do one unit of work; return when to be called again (`now`: at once), or None while nothing waits.

        Raises `StoreError`; the next step then begins by taking up what this one left behind.
        """
        if not self._clean:
            self._recover(now)
        self._clean = False
        wake = self._work(now)
        self._clean = True
        return wake

    def use(self, messenger: Messenger, fallback_channel: str | None, renderer: Renderer) -> None:
        """After a reload: send through this from the next message on."""
        self._messenger, self._fallback, self._renderer = messenger, fallback_channel, renderer

    def clock_set_back(self, by: timedelta) -> None:
        """No lane pauses until a time that was told by a clock that has been set back."""
        self._paused_until = {lane: until - by for lane, until in self._paused_until.items()}
        self._last_sent = {lane: at - by for lane, at in self._last_sent.items()}

    def retry_blocked(self, now: datetime) -> int:
        """After a reload: try the blocked messages at once; return how many there are."""
        with self._store.write() as connection:
            return Outbox(connection).release_blocked(now)

    def _recover(self, now: datetime) -> None:
        with self._store.write() as connection:
            outbox = Outbox(connection)
            outbox.doubt_what_waits(now)
            for message in outbox.in_state(MessageState.SENDING):
                outbox.save(decisions.after_unknown(message, "Sending it was interrupted.", now))
            outbox.release_blocked(now)

    def _work(self, now: datetime) -> datetime | None:
        with self._store.read() as connection:
            outbox = Outbox(connection)
            chosen = decisions.next_to_send(outbox.due(now), self._last_sent, self._paused_until, now)
        hurried = isinstance(chosen, Waiting) and (chosen.asked or chosen.message.severity is Severity.CRITICAL)
        if not hurried and self._storms.step(now):
            return now
        if not isinstance(chosen, Waiting):
            with self._store.read() as connection:
                return min((at for at in (chosen, Outbox(connection).next_due(now)) if at), default=None)
        if chosen.message.state is MessageState.UNKNOWN:
            self._reconcile(chosen, now)
        else:
            self._send(chosen, now)
        return now

    # -- sending -------------------------------------------------------------------------------------------------

    def _send(self, waiting: Waiting, now: datetime) -> None:
        with self._store.write() as connection:
            floor = decisions.floor(self._messenger.server_time, now)
            message = Outbox(connection).claim(waiting.message, floor, now)
        if message is None:
            return
        try:
            # Only now: what changes from here on is put into another update. And apart from the claim: others may write
            # while this is put together.
            with self._store.read() as connection:
                rendered = self._renderer.message(connection, replace(waiting, message=message), now)
        except StoreError:
            raise
        except Exception as error:
            # One message that cannot be made must not hold back all others.
            _log.exception("Message %s cannot be made", message.op_key)
            self._save(decisions.after_impossible(message, f"It cannot be made: {error!r}.", now), message.error, now)
            return
        self._last_sent[waiting.lane] = decisions.sent_at(waiting, self._last_sent.get(waiting.lane), now)
        self._storms.note(waiting, now)
        try:
            delivered = self._transmit(rendered, message, waiting.root)
        except DeliveryLimited as error:
            self._paused_until[waiting.lane] = now + decisions.limit(error.retry_after)
            message = decisions.after_limited(message, error.retry_after, str(error), now)
        except DeliveryRefused as error:
            message = decisions.after_refused(message, error.code, str(error), now, self._fallback)
        except DeliveryFailed as error:
            self._rest(waiting.lane, now)
            message = decisions.after_failed(message, str(error), now)
        except DeliveryUnknown as error:
            self._rest(waiting.lane, now)
            message = decisions.after_unknown(message, str(error), now)
        else:
            message = decisions.after_sent(message, delivered.channel, delivered.ts, now)
        self._save(message, waiting.message.error, now)

    def _transmit(self, rendered: Message, message: OutboxMessage, root: OutboxMessage | None) -> Delivered:
        if root is None or root.sent_channel is None or root.sent_ts is None:
            return self._messenger.post(rendered, message.channel, thread_ts=None, outbox_id=message.id)
        if message.kind is MessageKind.UPDATE:
            return self._messenger.update(rendered, root.sent_channel, root.sent_ts)
        return self._messenger.post(rendered, root.sent_channel, thread_ts=root.sent_ts, outbox_id=message.id)

    def _reconcile(self, waiting: Waiting, now: datetime) -> None:
        message, root = waiting.message, waiting.root
        self._last_sent[waiting.lane] = now
        try:
            found = self._messenger.find(
                (root and root.sent_channel) or message.channel,
                outbox_id=message.id,
                oldest=message.floor_at or decisions.floor(None, message.created_at),
                thread_ts=root.sent_ts if root else None,
            )
        except DeliveryError as error:
            if isinstance(error, DeliveryLimited):
                self._paused_until[waiting.lane] = now + decisions.limit(error.retry_after)
            message = decisions.after_unreadable(message, str(error), now)
        else:
            message = (
                decisions.after_sent(message, found.channel, found.ts, now)
                if found
                else decisions.after_absent(message, now)
            )
        self._save(message, waiting.message.error, now)

    def _rest(self, lane: str, now: datetime) -> None:
        self._paused_until[lane] = now + decisions.REST_AFTER_TROUBLE

    def _save(self, message: OutboxMessage, old_error: str, now: datetime) -> None:
        with self._store.write() as connection:
            if Outbox(connection).save(message):
                told.follow_up(connection, message, now)
        if message.error and message.error != old_error:
            blocked = message.state is MessageState.BLOCKED
            level, state = (logging.ERROR, "is blocked") if blocked else (logging.WARNING, "waits")
            _log.log(level, "Message %s for %s %s: %s", message.op_key, message.channel, state, message.error)
