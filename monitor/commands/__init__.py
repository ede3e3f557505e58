"""What people ask for in Slack: `/brand …`, App Home, guidelines; in the language and the time of whoever asks.

commands.changes(text)        whether it changes something: then it is kept first, and applied in a transaction
commands.apply(…)             what it changes; the answer says what came of it
commands.answer(…)            everything else: it only reads
commands.home(…)              a `view` for views.publish
commands.guideline(…)         a `view` for views.open, when somebody wants to read a guideline
commands.read(…)              its submission: that somebody has read it
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from datetime import datetime

from monitor.commands.reader import Reader
from monitor.rules.load import RuleSet
from monitor.slack.answers import Answer
from monitor.slack.blocks import Block
from monitor.slack.tags import Tag
from monitor.store import Store

__all__ = ["Answer", "Commands", "Reader"]


class Commands:
    """Of one database, under the rules in force. `install` names the database in buttons; `folder` is what the rules
    folder is called in sentences. It reads no clock and may be used by any thread."""

    def __init__(
        self,
        store: Store,
        rules: RuleSet,
        competitors: Collection[str] = (),
        *,
        install: str = "",
        folder: str = "rules",
    ) -> None:
        self.store, self.rules, self.competitors = store, rules, competitors
        self.install, self.folder = install, folder

    def changes(self, text: str) -> bool:
        """Whether `/brand TEXT` would change something (`mute`, `unmute`): such a command goes to `apply`."""
        raise NotImplementedError

    def apply(self, connection: sqlite3.Connection, text: str, reader: Reader, now: datetime) -> Answer:
        """Do what `/brand TEXT` asks for, in the caller's transaction; `now` is when it was asked for. Who may not, or
        named a rule that does not exist, is told so, and nothing changes."""
        raise NotImplementedError

    def answer(self, text: str, reader: Reader, now: datetime) -> Answer:
        """What `/brand TEXT` is answered. Never raises for what somebody typed."""
        raise NotImplementedError

    def home(self, reader: Reader, now: datetime) -> Block:
        """The App Home of a person: a view of type "home"."""
        raise NotImplementedError

    def guideline(self, tag: Tag, reader: Reader, now: datetime) -> Block:
        """The guideline that a button (Deed.READ_GUIDELINE) stands for, as a modal. Raises `MonitorError`, in the
        reader's language, where it has changed since or is gone."""
        raise NotImplementedError

    def read(self, connection: sqlite3.Connection, tag: Tag, reader: Reader, now: datetime) -> Answer:
        """Record, in the caller's transaction, that somebody has read the guideline that the modal showed."""
        raise NotImplementedError
