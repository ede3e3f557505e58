"""Storms on their way out: what crowds a channel is folded into one message, step by step between two that are sent.

What a storm is decides `monitor.escalation.storm`; the rows are written by `monitor.store.storms`.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from monitor.carry_out import act
from monitor.escalation.events import CannotBeTold, Told
from monitor.escalation.outbox import Waiting
from monitor.escalation.storm import STORM, TOLD_AT_ONCE, Lately, crowd_of
from monitor.model import Severity
from monitor.store import escalations, storms
from monitor.store.outbox import Outbox
from monitor.store.storms import Crowding

_log = logging.getLogger(__name__)


class Storage(Protocol):
    def write(self) -> AbstractContextManager[sqlite3.Connection]: ...

    def read(self) -> AbstractContextManager[sqlite3.Connection]: ...


class Storms:
    """For the one thread that sends."""

    def __init__(self, store: Storage) -> None:
        self._store = store
        self._lately = Lately()

    def note(self, waiting: Waiting, now: datetime) -> None:
        """A message goes out by itself."""
        message = waiting.message
        crowd = crowd_of(message.kind, message.payload)
        if crowd and message.severity is not Severity.CRITICAL and message.escalation_id is not None:
            self._lately.note(waiting.channel, crowd, 1, now)

    def step(self, now: datetime) -> bool:
        """Fold what has become too much, or tell some of those that were; whether there was anything to do."""
        with self._store.read() as connection:
            found = storms.crowding(connection, now)
            to_tell = storms.to_tell(connection, TOLD_AT_ONCE)
        for crowding in found:
            lately = self._lately.count(crowding.channel, crowding.crowd, now)
            if crowding.count + lately > STORM:
                self._fold(crowding, now)
                return True
            if crowding.in_summary:
                self._unfold(crowding, now)
                return True
        if to_tell:
            self._tell(to_tell, now)
        return bool(to_tell)

    def _fold(self, crowding: Crowding, now: datetime) -> None:
        with self._store.write() as connection:
            count, summary = storms.fold(connection, crowding.channel, crowding.crowd, now)
        self._lately.note(crowding.channel, crowding.crowd, count, now)
        _log.info("%d messages for %s at once: message %d stands for them", count, crowding.channel, summary)

    def _unfold(self, crowding: Crowding, now: datetime) -> None:
        """There is something to say of a few that have no message: they get one, and it is said there."""
        with self._store.write() as connection:
            for escalation_id in crowding.in_summary:
                Outbox(connection).unfold(escalation_id, now)

    def _tell(self, to_tell: tuple[tuple[int, int, bool], ...], now: datetime) -> None:
        with self._store.write() as connection:
            for _, escalation_id, stands in to_tell:
                if escalation := escalations.by_id(connection, escalation_id):
                    act(connection, escalation, Told() if stands else CannotBeTold(), "delivery", now)
            storms.note_told(connection, [root_id for root_id, _, _ in to_tell])
