"""Processes that end: the store and the messenger of one that is killed at a chosen moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from monitor.slack.client import SlackMessenger
from monitor.slack.messages import Delivered, Message
from monitor.store import Store


class PowerCut(BaseException):
    """This process ends here."""


@dataclass
class FailingStore:
    """The store of a process that ends, or meets `error`, before or after the commit of its n-th transaction."""

    store: Store
    ends_at: tuple[int, str]
    transactions: int = 0
    error: BaseException = field(default_factory=PowerCut)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        self.transactions += 1
        with self.store.write() as connection:
            yield connection
            if self.ends_at == (self.transactions, "before"):
                raise self.error
        if self.ends_at == (self.transactions, "after"):
            raise self.error

    def read(self) -> AbstractContextManager[sqlite3.Connection]:
        return self.store.read()


@dataclass
class FailingMessenger:
    """The messenger of a process that ends before or after its first post, or its first update."""

    messenger: SlackMessenger
    ends: str
    at_updates: bool = False

    @property
    def server_time(self) -> datetime | None:
        return self.messenger.server_time

    def post(self, message: Message, channel: str, **names: Any) -> Delivered:
        return self._call(not self.at_updates, lambda: self.messenger.post(message, channel, **names))

    def update(self, message: Message, channel: str, ts: str) -> Delivered:
        return self._call(self.at_updates, lambda: self.messenger.update(message, channel, ts))

    def _call(self, ends_here: bool, request: Callable[[], Delivered]) -> Delivered:
        if not ends_here:
            return request()
        if self.ends == "before":
            raise PowerCut
        try:
            return request()
        finally:
            raise PowerCut

    def find(self, channel: str, **names: Any) -> Delivered | None:
        return self.messenger.find(channel, **names)
